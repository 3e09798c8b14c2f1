//! I21 to I24: whether the client says what is so, and does what it says.

use std::collections::BTreeSet;

use super::Findings;
use super::failures::failures;
use super::liveness::{is_look, was_lied_to};
use crate::judge::case::{Case, Effect, Request, Run, effect, group_of};
use crate::judge::ids::GroupId;
use crate::judge::journal::{Action, Call, Counts, Event, Exit, Planned, Reply, What};
use crate::judge::vendor_requests::Meaning;

pub(super) fn honest_exit(case: &Case<'_>, findings: &mut Findings) {
    let exits = case.capabilities().exits;
    for run in &case.runs {
        let (Some(end), Some(ended)) = (run.end, run.ended) else { continue };
        let Exit::Code(code) = ended.exit else { continue };
        findings.saw();
        if !exits.contains(code) {
            findings.convict(case, &[end], format!("{} ends with {code}, which means nothing", run.id));
        }
        if code == exits.done {
            if let Some(failure) = failures(case, run).first() {
                let text = format!("{} says it is done, and a request was never granted", run.id);
                findings.convict(case, &[failure.index, end], text);
            }
            everything_done(case, findings, run, end);
        }
        let is_alone = !case.runs.iter().any(|other| {
            other.id != run.id && other.start < end && other.end.is_none_or(|other_end| other_end > run.start)
        });
        if code == exits.locked && is_alone {
            findings.convict(
                case,
                &[end],
                format!("{} says another run is under way, and there is none", run.id),
            );
        }
        counts_are_true(case, findings, run, end, &ended.counts);
    }
}

/// A run that looks at everything and says that it is done has left nothing.
fn everything_done(case: &Case<'_>, findings: &mut Findings, run: &Run<'_>, end: usize) {
    if !run.started.is_full || run.started.is_dry || was_lied_to(case, run) {
        return;
    }
    let left = run.left.iter().find(|difference| !run.excused.contains(&difference.group));
    if let Some(left) = left {
        let text = format!("{} says it is done, and {} {}", run.id, left.group, left.text);
        findings.convict(case, &[run.start, end], text);
    }
}

fn counts_are_true(case: &Case<'_>, findings: &mut Findings, run: &Run<'_>, end: usize, counts: &Counts) {
    let Counts { created, commented, closed, reopened, linked } = *counts;
    for (action, said) in [
        (Action::Create, created),
        (Action::Comment, commented),
        (Action::Close, closed),
        (Action::Reopen, reopened),
        (Action::Link, linked),
    ] {
        let Some(said) = said else { continue };
        let (least, most) = done(case, run, action);
        if !(least..=most).contains(&said) {
            let text = format!("{} says {action:?} {said} times, and it was {least}", run.id);
            findings.convict(case, &[end], text);
        }
    }
}

/// How often a run surely did something, and how often at most, as far as it can know.
fn done(case: &Case<'_>, run: &Run<'_>, wanted: Action) -> (u64, u64) {
    let (mut least, mut most) = (0, 0);
    for (_, event, request) in case.requests(run) {
        let is_report = matches!(request, Request::Vendor(request) if matches!(request.meaning(), Meaning::Report { .. }));
        if action(event) != Some(wanted) {
            continue;
        }
        let answer = request.answer();
        let made_nothing = wanted == Action::Create && !answer.is_applied;
        match answer.reply {
            Reply::Done if made_nothing => {}
            // A report may be the first one about a ticket, or tell how it is now.
            Reply::Done if is_report => most += 1,
            Reply::Done => {
                least += 1;
                most += 1;
            }
            reply if reply.is_doubtful() => most += 1,
            _ => {}
        }
    }
    (least, most)
}

fn action(event: &Event) -> Option<Action> {
    match effect(event)? {
        Effect::Create(_) => Some(Action::Create),
        Effect::Comment(..) => Some(Action::Comment),
        Effect::Done(_, true) => Some(Action::Close),
        Effect::Done(_, false) => Some(Action::Reopen),
        Effect::Link(_, Some(_)) | Effect::Report(..) => Some(Action::Link),
        Effect::Link(_, None)
        | Effect::Field(..)
        | Effect::Label(..)
        | Effect::Status(..)
        | Effect::Other(_) => None,
    }
}

pub(super) fn restart(case: &Case<'_>, findings: &mut Findings) {
    for run in case.runs.iter().filter(|run| run.is_killed()) {
        let Some(end) = run.end else { continue };
        for doubt in run.writes.iter().rev().take(case.capabilities().workers) {
            let Some(wanted) = case.events().get(*doubt).and_then(effect) else { continue };
            findings.saw();
            let until_news = case.events().iter().enumerate().skip(end + 1).take_while(|(_, event)| {
                !matches!(
                    event.what,
                    What::Happened(_) | What::Edited(_) | What::LedgerLost | What::CreateAllowed(_)
                )
            });
            let granted = until_news.filter(|(_, event)| {
                effect(event).as_ref() == Some(&wanted)
                    && Request::of(event).is_some_and(|request| request.answer().reply == Reply::Done)
            });
            let granted: Vec<usize> = granted.map(|(index, _)| index).collect();
            if granted.len() > 1 {
                let shown: Vec<usize> = [*doubt, end].into_iter().chain(granted).collect();
                findings.convict(case, &shown, "what a crash left in doubt is repeated more than once");
            }
        }
    }
    findings.skip("no run was killed after it wrote something");
}

pub(super) fn dry_run(case: &Case<'_>, findings: &mut Findings) {
    for run in case.runs.iter().filter(|run| run.started.is_dry) {
        findings.saw();
        if !run.writes.is_empty() {
            findings.convict(case, &run.writes, format!("{} is a dry run and writes", run.id));
        }
        let Some(plan) = run.ended.and_then(|ended| ended.plan.as_ref()) else { continue };
        let Some(real) = comparable(case, run) else { continue };
        let wanted = sorted(plan.iter().map(|planned| (planned.action, planned_subject(case, planned))));
        let writes = real.writes.iter().filter_map(|index| case.events().get(*index));
        let seen = sorted(writes.filter_map(|event| Some((action(event)?, subject(case, event)?))));
        if wanted != seen {
            let differing = wanted.iter().find(|one| !seen.contains(one));
            let differing = differing.or_else(|| seen.iter().find(|one| !wanted.contains(one)));
            let text = format!("{} planned otherwise than {} did: {differing:?}", run.id, real.id);
            let shown: Vec<usize> = run.end.into_iter().chain(real.writes.iter().copied()).collect();
            findings.convict(case, &shown, text);
        }
    }
    findings.skip("there was no dry run");
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values
}

/// The run after a dry run, if it was run under the same circumstances.
fn comparable<'b, 'a>(case: &'b Case<'a>, dry: &Run<'_>) -> Option<&'b Run<'a>> {
    let real = case.runs.iter().find(|run| run.start > dry.start && !run.started.is_dry)?;
    let end = real.end?;
    let is_same = case.events().iter().take(end).skip(dry.start).all(|event| match &event.what {
        What::Happened(_) | What::Edited(_) | What::CreateAllowed(_) | What::LedgerLost => false,
        _ => Request::of(event).is_none_or(|request| request.answer().fault.is_none()),
    });
    let is_whole = real.code() == Some(case.capabilities().exits.done);
    let looks_as_far = real.started.is_full == dry.started.is_full;
    (is_same && is_whole && looks_as_far && dry.code().is_some()).then_some(real)
}

fn planned_subject(case: &Case<'_>, planned: &Planned) -> String {
    let group = case.known.get(&planned.item).map(|item| &item.group);
    match (planned.action, group) {
        (Action::Link, _) | (_, None) => planned.item.to_string(),
        (_, Some(group)) => group.to_string(),
    }
}

fn subject(case: &Case<'_>, event: &Event) -> Option<String> {
    match effect(event)? {
        Effect::Create(group) => Some(group?.to_string()),
        Effect::Comment(ticket, _) | Effect::Done(ticket, _) => {
            Some(group_of(&case.last, &ticket)?.to_string())
        }
        Effect::Link(item, _) | Effect::Report(item, _) => Some(item.to_string()),
        _ => None,
    }
}

pub(super) fn identity_first(case: &Case<'_>, findings: &mut Findings) {
    for run in &case.runs {
        let mut is_proved = false;
        // Groups whose ticket was looked for in vain while nothing proved that it would be seen.
        let mut believed: BTreeSet<GroupId> = BTreeSet::new();
        for (index, _, request) in case.requests(run) {
            let Request::Tracker(asked) = request else { continue };
            let reply = asked.answer.reply;
            if is_look(&asked.call) && found_nothing(&asked.call, reply) {
                findings.saw();
                let group = match &asked.call {
                    Call::Find { group, .. } => group.clone(),
                    call => call.ticket().and_then(|ticket| group_of(&case.last, ticket)),
                };
                if !is_proved {
                    believed.extend(group);
                }
            }
            if let Call::Create { group: Some(group), .. } = &asked.call
                && believed.contains(group)
            {
                let text =
                    format!("{group} gets a ticket because none was found, before the credential was proved");
                findings.convict(case, &[index], text);
            }
            is_proved |= proves(&asked.call, reply);
        }
    }
    findings.skip("nothing was looked for in vain");
}

fn found_nothing(call: &Call, reply: Reply) -> bool {
    match call {
        Call::Find { found, .. } => reply == Reply::Done && found.is_empty(),
        Call::Get { found, .. } => found.is_none() && matches!(reply, Reply::Done | Reply::NotFound),
        _ => false,
    }
}

/// Whether the call would have failed, had the credential not worked.
fn proves(call: &Call, reply: Reply) -> bool {
    reply == Reply::Done
        && match call {
            Call::Find { found, .. } => !found.is_empty(),
            Call::Get { found, .. } => found.is_some(),
            _ => true,
        }
}
