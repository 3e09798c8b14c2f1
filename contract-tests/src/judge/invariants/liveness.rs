//! I14 to I17: what a client gets done.

use std::collections::BTreeSet;

use super::Findings;
use super::failures::{Subject, failures, hindered};
use crate::judge::case::{Case, Request, Run, seconds};
use crate::judge::expected::Difference;
use crate::judge::ids::GroupId;
use crate::judge::journal::{Call, Changed, What};
use crate::judge::state::State;

pub(super) fn convergence(case: &Case<'_>, findings: &mut Findings) {
    for stretch in &case.quiet {
        let mut runs = case.runs_within(stretch);
        let Some((first, second)) = runs.next().zip(runs.next()) else { continue };
        let brake = case.capabilities().exits.brake;
        if [first, second].iter().any(|run| run.code() == Some(brake)) {
            findings.skip("the mass-change brake stopped the client");
            continue;
        }
        findings.saw();
        let shown: Vec<usize> = [Some(second.start), second.end].into_iter().flatten().collect();
        for difference in left(second) {
            let Difference { group, item, text } = difference;
            let who = item.as_ref().map_or(group.as_str(), |item| item.as_str());
            findings.convict(case, &shown, format!("after two runs in peace {who} {text}"));
        }
    }
    findings.skip("there were no two runs in peace");
}

/// What a run left that it could have known.
fn left<'a>(run: &'a Run<'_>) -> impl Iterator<Item = &'a Difference> {
    run.left.iter().filter(|difference| !run.excused.contains(&difference.group))
}

pub(super) fn quiescence(case: &Case<'_>, findings: &mut Findings) {
    for stretch in &case.quiet {
        // What a look at everything finds at last is no needless write.
        for run in case.runs_within(stretch).skip(2).filter(|run| run.due.is_empty()) {
            findings.saw();
            if !run.writes.is_empty() {
                let count = run.writes.len();
                findings.convict(
                    case,
                    &run.writes,
                    format!("{} had nothing to do and writes {count} times", run.id),
                );
            }
            too_many_reads(case, findings, run);
        }
    }
    findings.skip("there were no three runs in peace");
}

/// Fewer items than these say nothing about how reads grow.
const ITEMS_MIN: usize = 50;

fn too_many_reads(case: &Case<'_>, findings: &mut Findings, run: &Run<'_>) {
    let State { items, tickets } = &case.last;
    let ours = tickets.values().filter(|ticket| ticket.origin.is_some()).count();
    if run.started.is_full || items.len() < ITEMS_MIN {
        return;
    }
    let scopes: BTreeSet<_> = items.values().map(|item| &item.scope).collect();
    let pages = |rows: usize| rows.div_ceil(case.capabilities().page_size.max(1));
    let reads_max = 20 + 5 * scopes.len() + 2 * (pages(items.len()) + pages(ours));
    let reads = case.requests(run).filter(|(_, _, request)| !request.is_write()).count();
    if reads > reads_max {
        let text = format!(
            "{} had nothing to do and reads {reads} times, for {} items and {ours} tickets",
            run.id,
            items.len()
        );
        findings.convict(case, &[run.start], text);
    }
}

pub(super) fn no_skipped_update(case: &Case<'_>, findings: &mut Findings) {
    let done = case.capabilities().exits.done;
    let overlap = jiff::SignedDuration::from_secs(seconds(case.capabilities().overlap_s));
    for (index, event) in case.events().iter().enumerate() {
        let What::Happened(change) = &event.what else { continue };
        let Changed::Item(item) = &change.what else { continue };
        let is_listed = change.listed_at.is_some_and(|listed| event.at.duration_since(listed) <= overlap);
        let mut later = case.runs.iter().filter(|run| {
            run.start > index
                && !run.started.is_dry
                && run.code() == Some(done)
                && (is_listed || run.started.is_full)
        });
        let Some(run) = later.next().filter(|run| !was_lied_to(case, run)) else { continue };
        if run.excused.contains(&item.group) {
            continue;
        }
        findings.saw();
        if let Some(difference) = run.left.iter().find(|difference| difference.group == item.group) {
            let shown: Vec<usize> = [Some(index), Some(run.start), run.end].into_iter().flatten().collect();
            let text = format!("{} says it is done, and {} {}", run.id, item.id, difference.text);
            findings.convict(case, &shown, text);
        }
    }
}

/// Whether a vendor was made to say what is not true.
pub(super) fn was_lied_to(case: &Case<'_>, run: &Run<'_>) -> bool {
    case.requests(run).any(|(_, _, request)| request.answer().is_rewritten)
}

pub(super) fn isolation(case: &Case<'_>, findings: &mut Findings) {
    let exits = case.capabilities().exits;
    let working: Vec<&Run<'_>> = case
        .runs
        .iter()
        .filter(|run| {
            let stopped = [exits.configuration, exits.credentials, exits.brake, exits.locked];
            !run.started.is_dry && run.code().is_some_and(|code| !stopped.contains(&code))
        })
        .collect();
    for (place, run) in working.iter().enumerate() {
        let failures = failures(case, run);
        if failures.is_empty() || failures.iter().any(|failure| failure.subject.is_everything()) {
            continue;
        }
        findings.saw();
        for failure in &failures {
            let named = run.ended.and_then(|ended| ended.named.as_ref());
            if named.is_some_and(|text| !failure.subject.is_named(case, text)) {
                let text = format!("{} does not name what failed: {:?}", run.id, failure.subject);
                findings.convict(case, &[failure.index], text);
            }
            if let Some(next) = working.get(place + 1) {
                tried_again(case, findings, (failure.index, &failure.subject), next);
            }
        }
        let hindered = hindered(case, run);
        if failures.iter().all(|failure| hindered.len() == 1 && hindered.contains(&failure.subject)) {
            others_done(case, findings, run, (failures[0].index, &failures[0].subject));
        }
    }
    findings.skip("nothing failed for one item or scope alone");
}

/// The next run asks again, if there is still something to do.
fn tried_again(
    case: &Case<'_>,
    findings: &mut Findings,
    (index, subject): (usize, &Subject),
    next: &Run<'_>,
) {
    // Where nothing could be had, there was no way to try.
    if failures(case, next).iter().any(|failure| failure.subject.is_everything()) {
        return;
    }
    let is_left = |difference: &&Difference| {
        subject.covers(case, &difference.group)
            && !next.excused.contains(&difference.group)
            && !case.waits_for_proof(&difference.group, next.start)
    };
    let Some(left) = next.left.iter().find(is_left) else { return };
    let asks = case.requests(next).any(|(_, _, request)| concerns(case, request, &left.group));
    if !asks {
        let text = format!("{} failed, and {} does not try again", left.group, next.id);
        findings.convict(case, &[index, next.start], text);
    }
}

/// Whether a request can have helped a group: asking for a list of everything is none.
fn concerns(case: &Case<'_>, request: Request<'_>, group: &GroupId) -> bool {
    let subject = Subject::of(case, request);
    !subject.is_everything() && subject.covers(case, group)
}

fn others_done(case: &Case<'_>, findings: &mut Findings, run: &Run<'_>, (index, subject): (usize, &Subject)) {
    let deadline = seconds(case.capabilities().deadline_s);
    let end = run.end.and_then(|end| case.events().get(end));
    if end.is_some_and(|end| end.at.duration_since(run.at).as_secs() >= deadline) {
        return;
    }
    let was_due: BTreeSet<&GroupId> = run.due.iter().map(|difference| &difference.group).collect();
    let other = left(run).find(|difference| {
        was_due.contains(&difference.group)
            && !subject.covers(case, &difference.group)
            && !case.waits_for_proof(&difference.group, run.end.unwrap_or(run.start))
    });
    if let Some(Difference { group, .. }) = other {
        let text = format!("something else failed, and {} leaves {group} undone", run.id);
        findings.convict(case, &[index, run.start], text);
    }
}

/// Whether a call is a search or a look at a ticket.
pub(super) fn is_look(call: &Call) -> bool {
    matches!(call, Call::Find { .. } | Call::Get { .. })
}
