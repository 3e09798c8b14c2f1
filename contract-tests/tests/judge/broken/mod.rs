//! For every invariant, histories that break it and no other, or a named few.

mod allowed;
mod honesty;
mod people;
mod progress;
mod tickets;
mod writes;

use std::collections::BTreeSet;

use contract_tests::judge::capabilities::{Capabilities, Closes, Grouping};
use contract_tests::judge::ids::TicketKey;
use contract_tests::judge::invariants::INVARIANTS;
use contract_tests::judge::journal::{Answer, Reply};
use contract_tests::judge::{Judged, Verdict, judge};

use crate::story::{Story, convicted, target};
use people::{shown_by, shown_by_a_comment};
use tickets::create_retried_at_once;
use writes::closed_on_404;

/// A history, the invariant it breaks, and the others that it can't help breaking.
type Broken = (&'static str, &'static [&'static str], fn() -> Judged);

/// All of them.
fn histories() -> impl Iterator<Item = &'static Broken> {
    let parts = [tickets::BROKEN, writes::BROKEN, people::BROKEN, progress::BROKEN, honesty::BROKEN];
    parts.into_iter().flatten()
}

fn closing() -> Capabilities {
    Capabilities { closes: Closes::Transition, reopens: true, ..Capabilities::default() }
}

fn shared() -> Capabilities {
    Capabilities { grouping: Grouping { by_finding: true, by_library: true }, ..closing() }
}

fn unique() -> Capabilities {
    Capabilities { tracker_has_unique_key: true, ..closing() }
}

/// One open target.
fn one(capabilities: Capabilities) -> Story {
    Story::new(capabilities, &[(target("1"), "OPEN")])
}

/// One open target with its ticket.
fn exported(capabilities: Capabilities) -> (Story, TicketKey) {
    let mut story = one(capabilities);
    let mut key = None;
    story.run(0, |story| {
        story.list();
        key = Some(story.export(&target("1")));
    });
    (story, key.unwrap())
}

fn granted() -> Answer {
    Answer::new(true, Reply::Done)
}

fn lost(is_applied: bool) -> Answer {
    Answer { fault: Some("reply lost".to_owned()), ..Answer::new(is_applied, Reply::Lost) }
}

#[test]
fn each_invariant_convicts_what_breaks_it_and_no_other_does() {
    let mut wrong = Vec::new();
    for (place, (id, also, tell)) in histories().enumerate() {
        let judged = tell();
        let wanted: BTreeSet<&str> = std::iter::once(*id).chain(also.iter().copied()).collect();
        let seen = convicted(&judged);
        if seen != wanted {
            let texts: Vec<String> = judge(&judged)
                .into_iter()
                .filter_map(|judgement| match judgement.verdict {
                    Verdict::Violated { violations } => {
                        Some(format!("{}: {}", judgement.id, violations[0].text))
                    }
                    _ => None,
                })
                .collect();
            wrong.push(format!("history {place}: {wanted:?} expected, {seen:?} seen: {texts:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} histories, each convicted by what it breaks", histories().count());
}

#[test]
fn no_invariant_is_without_a_history_that_breaks_it() {
    let broken: BTreeSet<&str> = histories().map(|(id, ..)| *id).collect();
    let all: BTreeSet<&str> = INVARIANTS.iter().map(|invariant| invariant.id).collect();
    assert_eq!(broken, all);
}

#[test]
fn a_conviction_shows_only_the_events_that_prove_it_and_no_secret() {
    let judgements = judge(&closed_on_404());
    let judgement = judgements.iter().find(|judgement| judgement.id == "I5").unwrap();
    let Verdict::Violated { violations } = &judgement.verdict else { panic!("{judgement:?}") };
    assert_eq!(violations[0].events.len(), 2);
    for judged in [shown_by("stderr"), shown_by_a_comment()] {
        let text = serde_json::to_string(&judge(&judged)).unwrap();
        assert!(!text.contains("k3y"), "{text}");
    }
}

#[test]
fn what_is_no_evidence_is_not_judged() {
    let mut evicted = create_retried_at_once();
    evicted.history.evicted = 3;
    let mut unexplained = create_retried_at_once();
    unexplained.end.tickets.clear();
    let empty = one(closing()).judged();
    for judged in [evicted, unexplained, empty] {
        for judgement in judge(&judged) {
            assert!(matches!(judgement.verdict, Verdict::NotJudged { .. }), "{judgement:?}");
        }
    }
}
