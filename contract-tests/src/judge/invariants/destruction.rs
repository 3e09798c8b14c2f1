//! I4 to I6: what can't be undone, or only with pains.

use super::Findings;
use super::closing::{Ground, decision};
use crate::judge::case::{Case, Request};
use crate::judge::journal::{Call, Reply, TrackerRequest, What};
use crate::judge::vendor_requests::Meaning;

pub(super) fn nothing_is_deleted(case: &Case<'_>, findings: &mut Findings) {
    for (index, event) in case.events().iter().enumerate() {
        let Some(request) = Request::of(event).filter(|request| request.is_write()) else { continue };
        findings.saw();
        match request {
            Request::Tracker(TrackerRequest { call: Call::Delete { ticket, part }, .. }) => {
                let what = part.as_ref().map_or(ticket.to_string(), |part| format!("{part} of {ticket}"));
                findings.convict(case, &[index], format!("{what} is deleted"));
            }
            Request::Vendor(request) if request.meaning() == Meaning::Destroy => {
                findings.convict(
                    case,
                    &[index],
                    format!("{} {} is asked for", request.operation, request.path),
                );
            }
            Request::Tracker(_) | Request::Vendor(_) => {}
        }
    }
}

pub(super) fn absence_is_no_evidence(case: &Case<'_>, findings: &mut Findings) {
    case.each(|moment, index, event| {
        if let Some(decision) = decision(case, moment, index, event).filter(|decision| decision.closes) {
            match decision.ground {
                Ground::Good => findings.saw(),
                Ground::None(why) => {
                    let last_bad = last_bad_reply(case, index);
                    let shown: Vec<usize> = last_bad.into_iter().chain([index]).collect();
                    findings.convict(case, &shown, format!("a ticket is closed although {why}"));
                }
                Ground::Lied | Ground::Mixed | Ground::Unknown => {}
            }
        }
        let What::Vendor(request) = &event.what else { return };
        match request.meaning() {
            // Clearing a link says that there is no ticket. What the client may do about a ticket that is gone is
            // to leave the link alone.
            Meaning::Link { item, ticket: None } => {
                findings.convict(case, &[index], format!("the link of {item} is cleared"));
            }
            Meaning::Read if request.answer.reply != Reply::Done => findings.saw(),
            _ => {}
        }
    });
}

/// The read whose answer the client may have taken for a statement.
fn last_bad_reply(case: &Case<'_>, index: usize) -> Option<usize> {
    let before = case.events().iter().enumerate().take(index).rev();
    let mut bad = before.filter(|(_, event)| {
        Request::of(event).is_some_and(|request| !request.is_write() && request.answer().reply != Reply::Done)
    });
    bad.next().map(|(index, _)| index)
}

pub(super) fn brake(case: &Case<'_>, findings: &mut Findings) {
    let mut linked = vec![0; case.runs.len()];
    let mut closed: Vec<Vec<usize>> = vec![Vec::new(); case.runs.len()];
    case.each(|moment, index, event| {
        let state = &moment.state;
        let Some(run) = case.runs.iter().position(|run| Some(run.id) == event.run) else { return };
        match &event.what {
            What::RunStarted(_) => {
                let named = state.items.values().flat_map(|item| item.link.tickets());
                let named = named.filter_map(|key| state.ticket(key)).filter(|ticket| !ticket.is_done);
                let keys: std::collections::BTreeSet<_> = named.map(|ticket| &ticket.key).collect();
                linked[run] = keys.len();
            }
            What::Tracker(TrackerRequest { call: Call::SetDone { ticket, is_done: true, .. }, answer })
                if answer.is_applied && state.ticket(ticket).is_some_and(|ticket| !ticket.is_done) =>
            {
                closed[run].push(index);
            }
            _ => {}
        }
    });
    for ((run, linked), closed) in case.runs.iter().zip(linked).zip(closed) {
        let braked = run.code() == Some(case.capabilities().exits.brake);
        if braked || !closed.is_empty() {
            findings.saw();
        }
        let too_many = closed.len() > 10 && closed.len() * 5 > linked;
        if too_many && !run.started.may_close_many {
            let text = format!("{} closes {} of {linked} open tickets", run.id, closed.len());
            findings.convict(case, &closed, text);
        }
    }
}
