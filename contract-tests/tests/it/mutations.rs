//! Every member of the vendors' samples, taken away or of another type: what the suite misses is listed with reasons.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use contract_tests::run::{FirstConviction, Parts, Selection, first_conviction, run};
use contract_tests::saboteurs::generic::{Mutation, mutations, mutations_of};
use contract_tests::target::Target;

use crate::support::in_process;

const UNCONVICTED: &str = include_str!("../../unconvicted.txt");

/// What became of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Convicted,
    /// Nobody is convicted, but some rule is no longer seen to hold.
    NotExercised,
    Missed,
    /// No reply to the suite has that member, so nothing was changed.
    NothingToChange,
}

fn fate(mutation: &Mutation, healthy: &Target) -> Fate {
    let (transport, changed) = mutation.sabotage(Arc::clone(&healthy.transport));
    let target = Target::simulator("mutated", transport, "http://localhost", None, &[]).unwrap().unwrap();
    let selection = Selection { vendor: Some(mutation.vendor().to_owned()), ..Selection::default() };
    match first_conviction(&target, &selection).unwrap() {
        FirstConviction::Convicted => Fate::Convicted,
        _ if !changed.load(Ordering::Relaxed) => Fate::NothingToChange,
        FirstConviction::NotExercised => Fate::NotExercised,
        FirstConviction::AllHeld => Fate::Missed,
    }
}

/// The list: mutations that are missed, each with a reason. `**` at the end of a path stands for all below it.
fn listed() -> Vec<&'static str> {
    let lines = UNCONVICTED.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (mutation, reason) = line.split_once(" # ").unwrap_or((line, ""));
        assert!(!reason.trim().is_empty(), "unconvicted.txt: {mutation} has no reason");
        mutation.trim()
    });
    parsed.collect()
}

/// Whether a line of the list means a mutation.
fn means(line: &str, mutation: &str) -> bool {
    line.strip_suffix("**").map_or(line == mutation, |beginning| mutation.starts_with(beginning))
}

/// `MUTATION` limits it to a vendor, or to those of a name; lines of the list that mean nothing are then not looked for.
#[test]
#[cfg_attr(debug_assertions, ignore = "runs the whole suite hundreds of times: use cargo test --release")]
fn a_mutated_member_is_convicted_unless_listed_with_a_reason() {
    let healthy = in_process(&[]);
    let jira = Selection { vendor: Some("jira".to_owned()), parts: Parts::Checks, ..Selection::default() };
    let answered = run(&healthy, &jira, 1, &|_| {}).unwrap();
    let all: Vec<Mutation> = mutations().into_iter().chain(mutations_of(&answered)).collect();
    let only = std::env::var("MUTATION").unwrap_or_default();
    let is_meant = |mutation: &Mutation| format!("{} {mutation}", mutation.vendor()).contains(&only);
    let all: Vec<Mutation> = all.into_iter().filter(is_meant).collect();
    let (first, second) = all.split_at(all.len() / 2);
    let fates: Vec<(String, Fate)> = std::thread::scope(|scope| {
        let of = |half: &[Mutation]| {
            half.iter().map(|mutation| (mutation.to_string(), fate(mutation, &healthy))).collect::<Vec<_>>()
        };
        let other = scope.spawn(move || of(second));
        let mut fates = of(first);
        fates.extend(other.join().unwrap());
        fates
    });
    let count = |wanted| fates.iter().filter(|(_, fate)| *fate == wanted).count();
    let fates_in_order = [Fate::Convicted, Fate::NotExercised, Fate::Missed, Fate::NothingToChange];
    let figures = fates_in_order.map(|fate| (fate, count(fate)));
    eprintln!("{} mutations: {figures:?}", fates.len());
    let (convicted, unconvicted): (Vec<_>, Vec<_>) =
        fates.iter().partition(|(_, fate)| *fate == Fate::Convicted);
    let listed = listed();
    let is_listed = |name: &str| listed.iter().any(|line| means(line, name));
    let new: Vec<_> = unconvicted.iter().filter(|(name, _)| !is_listed(name)).collect();
    let means_any = |line: &&&str| !only.is_empty() || unconvicted.iter().any(|(name, _)| means(line, name));
    let stale: Vec<_> = listed.iter().filter(|line| !means_any(line)).collect();
    let wrong: Vec<_> = convicted.iter().filter(|(name, _)| is_listed(name)).collect();
    assert!(
        new.is_empty() && stale.is_empty() && wrong.is_empty(),
        "missed and not listed: {new:#?}\nlisted, but nothing is missed: {stale:#?}\nlisted and convicted: {wrong:#?}"
    );
}
