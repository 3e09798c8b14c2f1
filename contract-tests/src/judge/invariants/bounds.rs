//! I18 to I20: how long, how often, and what nobody knows.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Findings;
use super::closing::{Ground, decision};
use super::failures::failures;
use crate::judge::case::{Case, Request, Run, effect, seconds};
use crate::judge::ids::{ItemId, RunId, TicketKey};
use crate::judge::journal::{Changed, Reply, Vendor, WaitScope, What};
use crate::judge::replay::Moment;
use crate::judge::state::Standing;

pub(super) fn bounded(case: &Case<'_>, findings: &mut Findings) {
    for run in &case.runs {
        findings.saw();
        match run.end {
            None => findings.convict(case, &[run.start], format!("{} does not end", run.id)),
            Some(end) if !run.is_killed() => {
                let took = case.events().get(end).map(|event| event.at.duration_since(run.at));
                let deadline = case.capabilities().deadline_s;
                if took.is_some_and(|took| took.as_secs() > seconds(deadline)) {
                    findings.convict(
                        case,
                        &[run.start, end],
                        format!("{} takes more than {deadline} s", run.id),
                    );
                }
            }
            Some(_) => {}
        }
        attempts(case, findings, run);
    }
}

/// How often the same request is sent before it is granted.
fn attempts(case: &Case<'_>, findings: &mut Findings, run: &Run<'_>) {
    let attempts_max = usize::try_from(case.capabilities().attempts_max).unwrap_or(usize::MAX);
    let mut failed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, event, request) in case.requests(run) {
        let key = match request {
            Request::Vendor(asked) => {
                format!("{} {} {} {} {}", asked.operation, asked.method, asked.path, asked.query, asked.body)
            }
            Request::Tracker(asked) => match effect(event) {
                Some(effect) => format!("{effect:?}"),
                None => format!("{} {:?}", asked.call.name(), asked.call.ticket()),
            },
        };
        if !request.answer().reply.is_passing() {
            failed.remove(&key);
            continue;
        }
        let failed = failed.entry(key).or_default();
        failed.push(index);
        if failed.len() == attempts_max + 1 {
            findings.convict(case, failed, format!("a request is sent more than {attempts_max} times"));
        }
    }
}

/// What has to wait.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    run: Option<RunId>,
    server: Option<Vendor>,
    operation: Option<String>,
    ticket: Option<TicketKey>,
}

pub(super) fn waiting(case: &Case<'_>, findings: &mut Findings) {
    let mut waits: BTreeMap<Waiting, (usize, Timestamp)> = BTreeMap::new();
    for (index, event) in case.events().iter().enumerate() {
        let Some(request) = Request::of(event) else { continue };
        for scope in [WaitScope::Server, WaitScope::Operation, WaitScope::Ticket] {
            let Some(key) = waits_for(event.run, request, scope) else { continue };
            if let Some((from, end)) = waits.get(&key)
                && event.at < *end
            {
                findings.convict(
                    case,
                    &[*from, index],
                    format!("a request is sent before {end}, as was demanded"),
                );
            }
        }
        let Some(wait) = request.answer().wait else { continue };
        findings.saw();
        // Where the ticket is not known, the narrower of the other two.
        let key = waits_for(event.run, request, wait.scope)
            .or_else(|| waits_for(event.run, request, WaitScope::Operation));
        if let Some(key) = key {
            let end = wait.how_long.end(event.at);
            let later = waits.get(&key).map_or(end, |(_, before)| end.max(*before));
            waits.insert(key, (index, later));
        }
    }
}

fn waits_for(run: Option<RunId>, request: Request<'_>, scope: WaitScope) -> Option<Waiting> {
    let (server, operation, ticket) = match request {
        Request::Vendor(request) => (Some(request.vendor), request.operation.clone(), None),
        Request::Tracker(request) => (None, request.call.name().to_owned(), request.call.ticket().cloned()),
    };
    let waiting = Waiting { run, server, operation: None, ticket: None };
    match scope {
        WaitScope::Server => Some(waiting),
        WaitScope::Operation => Some(Waiting { operation: Some(operation), ..waiting }),
        WaitScope::Ticket => Some(Waiting { ticket: Some(ticket?), ..waiting }),
    }
}

pub(super) fn unknown_is_kept(case: &Case<'_>, findings: &mut Findings) {
    // Items with a word that was not to be reported yet, with the event that brought it.
    let mut unreported: BTreeMap<ItemId, usize> = BTreeMap::new();
    case.each(|moment, index, event| match &event.what {
        What::Tracker(_) => {
            let ground = decision(case, moment, index, event).map(|decision| decision.ground);
            if ground == Some(Ground::Unknown) {
                findings.convict(case, &[index], "a ticket is closed or opened on a word that no page knows");
            }
        }
        What::RunEnded(_) => {
            let mut unknown = moment.state.items.values().filter(|item| item.standing == Standing::Unknown);
            let (Some(run), Some(item)) = (case.run(event), unknown.next()) else { return };
            findings.saw();
            if stopped_without_need(case, run) {
                let text = format!("{} fails though every request was granted; {} is unknown", run.id, item.id);
                findings.convict(case, &[run.start, index], text);
            }
            if run.code() == Some(case.capabilities().exits.done) && !run.started.is_dry {
                reported_once(case, findings, &mut unreported, moment, run);
            }
        }
        What::Happened(change) => {
            if let Changed::Item(item) = &change.what {
                unreported.remove(&item.id);
                if item.standing == Standing::Unknown && change.listed_at.is_some() {
                    unreported.insert(item.id.clone(), index);
                }
            }
        }
        _ => {}
    });
    findings.skip("every word was known");
}

fn stopped_without_need(case: &Case<'_>, run: &Run<'_>) -> bool {
    let exits = case.capabilities().exits;
    let fine = [exits.done, exits.brake, exits.locked, exits.in_doubt];
    run.code().is_some_and(|code| !fine.contains(&code))
        && failures(case, run).is_empty()
        && case
            .requests(run)
            .all(|(_, _, request)| matches!(request.answer().reply, Reply::Done | Reply::NotFound))
}

/// A word that was there when the run began is in its report, once.
fn reported_once(
    case: &Case<'_>,
    findings: &mut Findings,
    unreported: &mut BTreeMap<ItemId, usize>,
    moment: &Moment,
    run: &Run<'_>,
) {
    let Some(noticed) = run.ended.and_then(|ended| ended.noticed.as_ref()) else { return };
    unreported.retain(|id, since| {
        let Some(item) = moment.state.items.get(id).filter(|_| *since < run.start) else { return true };
        let word = &item.status;
        let reports = noticed.iter().filter(|(text, count)| text.contains(word) && **count > 0).count();
        if reports != 1 {
            let shown: Vec<usize> = [*since, run.start].into_iter().chain(run.end).collect();
            let text = format!("{} reports the word {word} {reports} times instead of once", run.id);
            findings.convict(case, &shown, text);
        }
        false
    });
}
