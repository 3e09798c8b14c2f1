//! I11: tickets that several items share.

use std::collections::BTreeSet;

use super::Findings;
use super::closing::{Ground, decision};
use crate::judge::case::Case;
use crate::judge::replay::Moment;
use crate::judge::state::State;

pub(super) fn shared_tickets(case: &Case<'_>, findings: &mut Findings) {
    case.each(|moment, index, event| {
        let Some(decision) = decision(case, moment, index, event) else { return };
        let Some(group) = decision.group else { return };
        let is_shared = moment.state.group(&group).count() > 1;
        match decision.ground {
            Ground::Mixed => {
                findings.convict(
                    case,
                    &[index],
                    format!("the ticket of {group} is closed, of which a part is open"),
                );
            }
            Ground::None(why) if !decision.closes => {
                findings.convict(case, &[index], format!("a ticket is opened again although {why}"));
            }
            Ground::Good if is_shared => findings.saw(),
            Ground::Good | Ground::None(_) | Ground::Lied | Ground::Unknown => {}
        }
    });
    let ends: Vec<usize> = case
        .quiet
        .iter()
        .filter(|stretch| case.runs_within(stretch).count() >= 2)
        .map(|stretch| stretch.end - 1)
        .collect();
    case.each(|moment, index, event| {
        if ends.contains(&index) {
            let mut moment: Moment = moment.clone();
            moment.apply(index, event);
            same_links(case, findings, &moment.state, index);
        }
    });
    if findings.observations == 0 {
        findings.skip("no ticket is shared");
    }
}

/// All items of a group that name a ticket name the same one.
fn same_links(case: &Case<'_>, findings: &mut Findings, state: &State, index: usize) {
    let groups: BTreeSet<_> = state.items.values().map(|item| &item.group).collect();
    for group in groups {
        let mut named = BTreeSet::new();
        let mut items = 0;
        for item in state.group(group) {
            let keys = item.link.tickets().into_iter().filter_map(|key| state.ticket(key));
            let keys: Vec<_> =
                keys.filter(|ticket| ticket.origin.is_some() && !ticket.is_deleted).map(|ticket| &ticket.key).collect();
            items += usize::from(!keys.is_empty());
            named.extend(keys);
        }
        if items > 1 {
            findings.saw();
        }
        if items > 1 && named.len() > 1 {
            let keys = named.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            findings.convict(case, &[index], format!("the items of {group} name different tickets: {keys}"));
        }
    }
}
