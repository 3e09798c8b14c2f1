//! I7 and I8: what is written, and whether it was needed.

use serde_json::{Map, Value};

use super::Findings;
use crate::judge::case::{Case, Request};
use crate::judge::ids::{ItemId, TicketKey};
use crate::judge::journal::{Call, Changed, Event, What};
use crate::judge::replay::Moment;
use crate::judge::state::{Author, Link, State};
use crate::judge::vendor_requests::{Meaning, same};

pub(super) fn documented(case: &Case<'_>, findings: &mut Findings) {
    for (index, event) in case.events().iter().enumerate() {
        let What::Vendor(request) = &event.what else { continue };
        if !request.is_write() {
            continue;
        }
        findings.saw();
        if let Some(why) = request.why_undocumented(case.capabilities().is_two_way) {
            findings.convict(case, &[index], why);
        }
    }
}

pub(super) fn needed(case: &Case<'_>, findings: &mut Findings) {
    case.each(|moment, index, event| {
        let Some(request) = Request::of(event).filter(|request| request.is_write()) else { return };
        findings.saw();
        let Some((subject, what)) = unchanged(&moment.state, request) else { return };
        if case.repeats_doubt(index)
            || changed_meanwhile(case, moment, index, event, &subject)
            || is_forgotten(case, index, request)
        {
            return;
        }
        let shown: Vec<usize> = case.same_before(index).into_iter().chain([index]).collect();
        findings.convict(case, &shown, what);
    });
}

/// Whom a write is about.
enum Subject {
    Item(ItemId),
    Ticket(TicketKey),
}

/// What a write says that is so already, if that is all it says.
fn unchanged(state: &State, request: Request<'_>) -> Option<(Subject, String)> {
    match request {
        Request::Vendor(request) => match request.meaning() {
            Meaning::Link { item, ticket } => {
                let is_so = state.items.get(&item)?.link == Link::External(ticket.clone());
                is_so.then(|| {
                    let what = format!("external_id of {item} is set to what it is");
                    (Subject::Item(item), what)
                })
            }
            Meaning::Report { item, issues } => {
                let Link::Reports(known) = &state.items.get(&item)?.link else { return None };
                let is_known = |issue: &Map<String, Value>| is_reported(known, issue);
                (!issues.is_empty() && issues.iter().all(is_known)).then(|| {
                    let what = format!("of {item} nothing is reported that was not reported before");
                    (Subject::Item(item), what)
                })
            }
            Meaning::Status { item, status } => (state.items.get(&item)?.status == status).then(|| {
                let what = format!("the status of {item} is set to what it is");
                (Subject::Item(item), what)
            }),
            Meaning::Read | Meaning::Note | Meaning::Destroy | Meaning::Other => None,
        },
        Request::Tracker(request) => {
            let key = request.call.ticket()?;
            let ticket = state.ticket(key)?;
            let what = match &request.call {
                Call::Comment { text, .. } => {
                    let ours = ticket.comments.iter().rev().find(|comment| comment.by == Author::Client)?;
                    (ours.text == *text).then(|| format!("a comment on {key} repeats the last one"))
                }
                Call::SetDone { is_done, .. } => (ticket.is_done == *is_done)
                    .then(|| format!("{key} is {} already", if *is_done { "done" } else { "open" })),
                Call::SetField { name, value, .. } => {
                    let labels = || ticket.labels.iter().cloned().collect::<Vec<_>>().join(" ");
                    let is_so = match ticket.fields.get(name) {
                        Some(present) => present == value,
                        None => name == "labels" && labels() == *value,
                    };
                    is_so.then(|| format!("{name} of {key} is set to what it is"))
                }
                Call::Label { added, removed, .. } => (added.is_subset(&ticket.labels)
                    && removed.is_disjoint(&ticket.labels))
                .then(|| format!("the labels of {key} are as they are set")),
                _ => None,
            };
            what.map(|what| (Subject::Ticket(ticket.key.clone()), what))
        }
    }
}

fn is_reported(
    known: &std::collections::BTreeMap<TicketKey, Map<String, Value>>,
    issue: &Map<String, Value>,
) -> bool {
    let identifier = issue.get("identifier").and_then(Value::as_str).unwrap_or_default();
    let Some(known) = known.get(identifier) else { return false };
    issue.iter().all(|(name, value)| known.get(name).is_some_and(|before| same(before, value)))
}

/// Whether somebody else made it so while the run was under way.
fn changed_meanwhile(
    case: &Case<'_>,
    moment: &Moment,
    index: usize,
    event: &Event,
    subject: &Subject,
) -> bool {
    let during = case.events().iter().take(index).skip(case.run_start(event));
    during.into_iter().any(|event| match (&event.what, subject) {
        (What::Happened(change), Subject::Item(id)) => {
            matches!(&change.what, Changed::Item(item) if item.id == *id)
        }
        (What::Edited(edit), Subject::Ticket(key)) => {
            moment.state.ticket(&edit.ticket).is_some_and(|ticket| ticket.key == *key)
        }
        _ => false,
    })
}

/// Whether only the ledger can have known: Mend does not show what was reported.
fn is_forgotten(case: &Case<'_>, index: usize, request: Request<'_>) -> bool {
    let Request::Vendor(request) = request else { return false };
    let since = case.same_before(index).unwrap_or(0);
    let mut between = case.events().iter().take(index).skip(since);
    matches!(request.meaning(), Meaning::Report { .. })
        && (!case.capabilities().keeps_ledger || between.any(|event| event.what == What::LedgerLost))
}
