//! I1a to I3: how many tickets there are, what for, and whether the vendors are told the truth about them.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Findings;
use crate::judge::case::{Case, Effect, effect, seconds};
use crate::judge::ids::{GroupId, ItemId, TicketKey};
use crate::judge::journal::{Call, Edited, Event, Reply, TrackerRequest, What};
use crate::judge::replay::Moment;
use crate::judge::state::Standing;
use crate::judge::vendor_requests::Meaning;

pub(super) fn with_unique_key(case: &Case<'_>, findings: &mut Findings) {
    if case.capabilities().tracker_has_unique_key {
        one_ticket_each(case, findings, case.events().len());
    } else {
        findings.skip("the tracker has no unique key");
    }
}

pub(super) fn with_ledger(case: &Case<'_>, findings: &mut Findings) {
    let capabilities = case.capabilities();
    if capabilities.tracker_has_unique_key || !capabilities.keeps_ledger {
        return findings.skip("the tracker has a unique key, or the client keeps no ledger");
    }
    let lost = case.events().iter().position(|event| event.what == What::LedgerLost);
    let end = lost.unwrap_or(case.events().len());
    one_ticket_each(case, findings, end);
    doubts_are_settled(case, findings, end);
}

fn one_ticket_each(case: &Case<'_>, findings: &mut Findings, end: usize) {
    case.each(|moment, index, event| {
        let Some((Some(group), true)) = create(event).filter(|_| index < end) else { return };
        findings.saw();
        if let Some(first) = moment.state.live(group).next() {
            let made = case.events().iter().take(index).position(|event| makes(event, &first.key));
            let shown: Vec<usize> = made.into_iter().chain([index]).collect();
            findings.convict(case, &shown, format!("{group} has {} and gets a second ticket", first.key));
        }
    });
}

fn create(event: &Event) -> Option<(Option<&GroupId>, bool)> {
    match &event.what {
        What::Tracker(TrackerRequest { call: Call::Create { group, .. }, answer }) => {
            Some((group.as_ref(), answer.is_applied))
        }
        _ => None,
    }
}

fn makes(event: &Event, key: &TicketKey) -> bool {
    matches!(&event.what, What::Tracker(TrackerRequest { call: Call::Create { ticket: Some(ticket), .. }, answer })
        if ticket == key && answer.is_applied)
}

/// A create in doubt is tried again only after a search that came long enough after it and found nothing, or with a
/// person's leave.
fn doubts_are_settled(case: &Case<'_>, findings: &mut Findings, end: usize) {
    let lag = SignedDuration::from_secs(seconds(case.capabilities().search_lag_s));
    let mut in_doubt: BTreeMap<&GroupId, usize> = BTreeMap::new();
    for (index, event) in case.events().iter().enumerate().take(end) {
        match &event.what {
            What::CreateAllowed(group) => {
                in_doubt.remove(group);
            }
            What::Tracker(TrackerRequest { call: Call::Find { group: Some(group), found }, answer }) => {
                let attempt = in_doubt.get(group).and_then(|attempt| case.events().get(*attempt));
                let is_late = attempt.is_some_and(|attempt| event.at.duration_since(attempt.at) >= lag);
                if answer.reply == Reply::Done && (is_late || !found.is_empty()) {
                    in_doubt.remove(group);
                }
            }
            What::Tracker(TrackerRequest { call: Call::Create { group: Some(group), .. }, .. }) => {
                if let Some(attempt) = in_doubt.remove(group) {
                    let text = format!("a create for {group} was in doubt and is tried again without proof");
                    findings.convict(case, &[attempt, index], text);
                }
                if case.is_in_doubt(index) {
                    findings.saw();
                    in_doubt.insert(group, index);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn without_ledger(case: &Case<'_>, findings: &mut Findings) {
    if case.capabilities().tracker_has_unique_key {
        return findings.skip("the tracker has a unique key");
    }
    let lost = case.events().iter().position(|event| event.what == What::LedgerLost);
    if case.capabilities().keeps_ledger && lost.is_none() {
        return findings.skip("the ledger was kept");
    }
    let lost = lost.unwrap_or(0);
    // The last event of a quiet stretch in which the client had two runs' time.
    let ends: Vec<usize> = case
        .quiet
        .iter()
        .filter(|stretch| stretch.start > lost && case.runs_within(stretch).count() >= 2)
        .map(|stretch| stretch.end - 1)
        .collect();
    if ends.is_empty() {
        return findings.skip("there were no two runs in peace after the ledger was lost");
    }
    case.each(|moment, index, event| {
        if !ends.contains(&index) {
            return;
        }
        let mut moment = moment.clone();
        moment.apply(index, event);
        one_open_ticket_each(case, findings, &moment, index);
    });
}

fn one_open_ticket_each(case: &Case<'_>, findings: &mut Findings, moment: &Moment, index: usize) {
    let state = &moment.state;
    let mut groups: Vec<&GroupId> =
        state.tickets.values().filter_map(|ticket| ticket.origin.as_ref()).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let Some(survivor) = state.survivor(group) else { continue };
        findings.saw();
        for extra in state.live(group).filter(|ticket| ticket.key != survivor.key) {
            let points_there = extra.duplicate_of.as_ref() == Some(&survivor.key);
            if !(extra.is_done && points_there) {
                let (extra, stays) = (&extra.key, &survivor.key);
                let made = case.events().iter().position(|event| makes(event, extra));
                let shown: Vec<usize> = made.into_iter().chain([index]).collect();
                let text = format!("{group} has {stays}, and {extra} is not closed as its duplicate");
                findings.convict(case, &shown, text);
            }
        }
    }
}

pub(super) fn links_are_true(case: &Case<'_>, findings: &mut Findings) {
    let mut deleted: BTreeMap<TicketKey, usize> = BTreeMap::new();
    case.each(|moment, index, event| {
        if let What::Edited(edit) = &event.what
            && edit.what == Edited::Deleted
        {
            deleted.insert(edit.ticket.clone(), index);
        }
        for (item, ticket) in links(event) {
            findings.saw();
            let run = case.run_start(event);
            // A ticket that goes while the run is under way could not be known to be gone.
            let was_there = deleted.get(&ticket).is_none_or(|deleted| *deleted > run);
            if let Some(wrong) = why_untrue(moment, &item, &ticket, was_there) {
                findings.convict(case, &[index], format!("{item} is linked to {ticket}, {wrong}"));
            }
        }
    });
}

/// The links that a request made.
fn links(event: &Event) -> Vec<(ItemId, TicketKey)> {
    let What::Vendor(request) = &event.what else { return Vec::new() };
    match request.meaning() {
        _ if !request.answer.is_applied => Vec::new(),
        Meaning::Link { item, ticket } => ticket.map(|ticket| (item, ticket)).into_iter().collect(),
        Meaning::Report { item, issues } => {
            let keys = issues.iter().filter_map(|issue| issue.get("identifier")?.as_str());
            keys.map(|key| (item.clone(), TicketKey::from(key))).collect()
        }
        _ => Vec::new(),
    }
}

fn why_untrue(moment: &Moment, item: &ItemId, key: &TicketKey, was_there: bool) -> Option<String> {
    let state = &moment.state;
    // The vendor has no such item any more; what was said of it can't be checked.
    let item = state.items.get(item)?;
    let Some(ticket) = state.ticket(key) else { return Some("which does not exist".to_owned()) };
    if ticket.is_deleted && !was_there {
        return Some("which was deleted".to_owned());
    }
    match &ticket.origin {
        Some(origin) if *origin == item.group => None,
        Some(origin) => Some(format!("which was made for {origin}")),
        // A person gave one item of the group a ticket of their own, and the others follow.
        None => {
            let mut others = state.group(&item.group);
            let is_shared = others.any(|other| other.link.tickets().contains(&key));
            (!is_shared).then(|| "which the client did not make".to_owned())
        }
    }
}

pub(super) fn tickets_have_causes(case: &Case<'_>, findings: &mut Findings) {
    case.each(|moment, index, event| {
        let Some((group, true)) = create(event) else { return };
        findings.saw();
        let Some(group) = group else {
            return findings.convict(case, &[index], "a ticket is made that does not say what for");
        };
        // What changed or went since may have been seen before.
        let since = first_attempt(case, index, group).min(case.run_start(event));
        let mut items = moment.state.group(group);
        let is_needed =
            items.any(|item| item.standing == Standing::Open || !moment.is_so_since(&item.id, since));
        if !is_needed && !moment.lost_a_part_since(group, since) {
            let text = format!("a ticket is made for {group}, of which nothing is open");
            findings.convict(case, &[index], text);
        }
    });
}

/// The start of the run that first tried to make the ticket, if it was left in doubt.
fn first_attempt(case: &Case<'_>, index: usize, group: &GroupId) -> usize {
    let wanted = Effect::Create(Some(group.clone()));
    let events = case.events().iter().enumerate().take(index);
    let mut attempts = events.filter(|(index, event)| {
        create(event).is_some() && effect(event).as_ref() == Some(&wanted) && case.is_in_doubt(*index)
    });
    attempts.next().map_or(index, |(_, event)| case.run_start(event))
}
