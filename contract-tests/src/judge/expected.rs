//! What both sides have to look like once a client is through: the specification, written without a client.

use std::collections::BTreeMap;

use serde::Serialize;

use super::capabilities::{Capabilities, Closes};
use super::ids::{GroupId, ItemId};
use super::replay::Moment;
use super::state::{Author, Standing, State, Ticket, VendorItem};

/// Something that a client still has to do, or has done wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Of which group.
    pub group: GroupId,
    /// Of which item; absent: of the group's ticket.
    pub item: Option<ItemId>,
    /// What is not as it has to be.
    pub text: String,
}

/// Where a moment differs from what it has to be. Empty: everything is in step.
///
/// Nothing is asked about groups whose ticket is a person's, or was deleted by one, and about what people decided.
pub fn differences(moment: &Moment, capabilities: &Capabilities) -> Vec<Difference> {
    let state = &moment.state;
    let mut groups: BTreeMap<&GroupId, Vec<&VendorItem>> = BTreeMap::new();
    for item in state.items.values() {
        groups.entry(&item.group).or_default().push(item);
    }
    let mut differences = Vec::new();
    for (group, items) in groups {
        if is_left_to_people(state, group, &items) {
            continue;
        }
        let mut differs = |item: Option<&VendorItem>, text: &str| {
            let (item, text) = (item.map(|item| item.id.clone()), text.to_owned());
            differences.push(Difference { group: group.clone(), item, text });
        };
        let is_any = |standing| items.iter().any(|item| item.standing == standing);
        let Some(ticket) = state.survivor(group) else {
            if is_any(Standing::Open) {
                differs(None, "is open and has no ticket");
            }
            continue;
        };
        for item in items.iter().filter(|item| item.standing == Standing::Open) {
            if !is_linked(state, item, ticket) {
                differs(Some(item), "is not linked to its ticket");
            }
        }
        // Of what went without a word nobody knows that it is over.
        let is_over = !is_any(Standing::Open) && !is_any(Standing::Unknown) && !moment.is_thinned(group);
        let is_decided = ticket.decided_by == Some(Author::Person);
        match capabilities.closes {
            Closes::Transition if is_over && !ticket.is_done && !is_decided => {
                differs(None, "is over, and its ticket is not done");
            }
            Closes::Transition => {}
            Closes::Comment if ticket.is_done => {}
            Closes::Comment => {
                for item in items.iter().filter(|item| item.standing != Standing::Unknown) {
                    if !moment.is_told(&item.id) {
                        differs(Some(item), "has changed, and its ticket does not say so");
                    }
                }
            }
        }
        if capabilities.reopens && is_any(Standing::Open) && ticket.is_done && !is_decided {
            differs(None, "is open, and its ticket is done");
        }
    }
    differences
}

/// Whether a person gave the group a ticket, or deleted the one it had.
fn is_left_to_people(state: &State, group: &GroupId, items: &[&VendorItem]) -> bool {
    let is_theirs = |item: &&VendorItem| {
        let tickets = item.link.tickets();
        let is_theirs = |ticket: Option<&Ticket>| ticket.is_none_or(|ticket| ticket.origin.is_none());
        !tickets.is_empty() && tickets.iter().all(|key| is_theirs(state.ticket(key)))
    };
    let is_deleted = |ticket: &Ticket| ticket.is_deleted && ticket.origin.as_ref() == Some(group);
    items.iter().any(is_theirs)
        || (state.live(group).next().is_none() && state.tickets.values().any(is_deleted))
}

fn is_linked(state: &State, item: &VendorItem, ticket: &Ticket) -> bool {
    let is_it = |key: &_| state.ticket(key).is_some_and(|linked| linked.key == ticket.key);
    item.link.tickets().into_iter().any(is_it)
}
