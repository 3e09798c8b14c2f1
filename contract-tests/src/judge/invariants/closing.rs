//! Whether there was ground to close a ticket or to open it again. Which invariant is broken where there was none
//! depends on what the group looked like.

use crate::judge::case::{Case, group_of};
use crate::judge::ids::GroupId;
use crate::judge::journal::{Call, Event, Reply, TrackerRequest, Vendor, What};
use crate::judge::replay::Moment;
use crate::judge::state::{Standing, VendorItem};
use crate::judge::vendor_requests::About;

/// What there was for closing a ticket, or opening it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ground {
    /// The vendor said so.
    Good,
    /// The vendor was made to say what is not true, so nothing can be held against the client.
    Lied,
    /// Some items of a shared ticket are over and others are not.
    Mixed,
    /// An item stands in a way that the client can't know.
    Unknown,
    /// None: why.
    None(String),
}

/// A request that closes a ticket or opens it again.
pub(super) struct Decision {
    /// Whether it closes.
    pub(super) closes: bool,
    /// Whose ticket it is.
    pub(super) group: Option<GroupId>,
    /// What for.
    pub(super) ground: Ground,
}

/// The decision that an event is.
pub(super) fn decision(case: &Case<'_>, moment: &Moment, index: usize, event: &Event) -> Option<Decision> {
    let What::Tracker(TrackerRequest { call: Call::SetDone { ticket, is_done, duplicate_of }, .. }) =
        &event.what
    else {
        return None;
    };
    let group = group_of(&moment.state, ticket);
    let ground = match &group {
        _ if is_duplicate(moment, duplicate_of.as_ref(), group.as_ref()) => Ground::Good,
        None => Ground::None("nothing is known of whom the ticket is for".to_owned()),
        Some(_) if was_lied_to(case, index, event) => Ground::Lied,
        Some(group) if *is_done => ground_to_close(case, moment, index, event, group),
        Some(group) => ground_to_reopen(case, moment, event, group),
    };
    Some(Decision { closes: *is_done, group, ground })
}

fn is_duplicate(moment: &Moment, of: Option<&crate::judge::ids::TicketKey>, group: Option<&GroupId>) -> bool {
    of.zip(group)
        .is_some_and(|(of, group)| moment.state.ticket(of).is_some_and(|ticket| ticket.is_live_for(group)))
}

fn was_lied_to(case: &Case<'_>, index: usize, event: &Event) -> bool {
    case.run(event).is_some_and(|run| {
        case.requests(run).any(|(at, _, request)| at < index && request.answer().is_rewritten)
    })
}

fn ground_to_close(case: &Case<'_>, moment: &Moment, index: usize, event: &Event, group: &GroupId) -> Ground {
    let start = case.run_start(event);
    let items: Vec<&VendorItem> = moment.state.group(group).collect();
    // What changed during the run may have been seen before.
    let stands =
        |standing| items.iter().any(|item| item.standing == standing && moment.is_so_since(&item.id, start));
    if items.is_empty() && !moment.lost_a_part_since(group, start) {
        return Ground::None(format!(
            "the vendor has nothing of {group} any more, and said nothing about it"
        ));
    }
    let is_one_over = items.iter().any(|item| item.standing == Standing::Closed);
    if stands(Standing::Open) {
        return if is_one_over {
            Ground::Mixed
        } else {
            Ground::None(format!("{group} is open at the vendor"))
        };
    }
    if stands(Standing::Unknown) {
        return Ground::Unknown;
    }
    let mut settled = items.iter().filter(|item| moment.is_so_since(&item.id, start));
    let silent = settled.find(|item| !was_said(case, moment, item, index));
    silent.map_or(Ground::Good, |item| Ground::None(format!("no reply said that {} is over", item.id)))
}

/// Whether a reply before this event can have said that the item is over.
fn was_said(case: &Case<'_>, moment: &Moment, item: &VendorItem, index: usize) -> bool {
    let replies = case.events().iter().enumerate().take(index).filter_map(|(at, event)| match &event.what {
        What::Vendor(request) if request.vendor == item.vendor() => Some((at, request)),
        _ => None,
    });
    let fitting = replies.filter(|(at, request)| {
        request.answer.reply == Reply::Done
            && !request.is_write()
            && request.about().covers(item)
            && moment.is_so_since(&item.id, *at)
    });
    match item.vendor() {
        Vendor::DataTheorem => fitting.count() > 0,
        Vendor::Mend => {
            let lists_needed = if case.capabilities().resolved_are_listed { 1 } else { 2 };
            let (mut infos, mut lists) = (0, 0);
            for (_, request) in fitting.filter(|(_, request)| request.about() != About::Everything) {
                match request.operation.as_str() {
                    "getProjectLibrariesInfo" => infos += 1,
                    "fetchProjectPolicyIssues" => lists += 1,
                    _ => {}
                }
            }
            infos > 0 || lists >= lists_needed
        }
    }
}

fn ground_to_reopen(case: &Case<'_>, moment: &Moment, event: &Event, group: &GroupId) -> Ground {
    let start = case.run_start(event);
    let items: Vec<&VendorItem> = moment.state.group(group).collect();
    let may_be_open =
        |item: &&VendorItem| item.standing == Standing::Open || !moment.is_so_since(&item.id, start);
    if items.iter().any(may_be_open) {
        Ground::Good
    } else if items.iter().any(|item| item.standing == Standing::Unknown) {
        Ground::Unknown
    } else {
        Ground::None(format!("nothing of {group} is open"))
    }
}
