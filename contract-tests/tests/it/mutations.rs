//! Every member of the vendors' samples, taken away or of another type: what the suite misses is listed with reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use contract_tests::run::{Selection, first_conviction};
use contract_tests::saboteurs::generic::{Mutation, mutations};
use contract_tests::target::Target;

use crate::support::in_process;

const UNCONVICTED: &str = include_str!("../../unconvicted.txt");

/// What became of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Convicted,
    Missed,
    /// No reply to the suite has that member, so nothing was changed.
    NothingToChange,
}

fn fate(mutation: &Mutation, healthy: &Target) -> Fate {
    let (transport, changed) = mutation.sabotage(Arc::clone(&healthy.transport));
    let target = Target::simulator("mutated", transport, "http://localhost", None, &[]).unwrap().unwrap();
    let vendor = if mutation.operation.contains(' ') { "data-theorem" } else { "mend" };
    let selection = Selection { vendor: Some(vendor.to_owned()), ..Selection::default() };
    match first_conviction(&target, &selection).unwrap() {
        Some(_) => Fate::Convicted,
        None if changed.load(Ordering::Relaxed) => Fate::Missed,
        None => Fate::NothingToChange,
    }
}

/// The list: mutations that are missed, each with a reason.
fn listed() -> BTreeMap<String, String> {
    let lines = UNCONVICTED.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (mutation, reason) = line.split_once(" # ").unwrap_or((line, ""));
        assert!(!reason.trim().is_empty(), "unconvicted.txt: {mutation} has no reason");
        (mutation.trim().to_owned(), reason.to_owned())
    });
    parsed.collect()
}

#[test]
#[ignore = "runs the whole suite hundreds of times; see CONTRIBUTING.md"]
fn a_mutated_member_is_convicted_unless_listed_with_a_reason() {
    let healthy = in_process(&[]);
    let all: Vec<Mutation> = mutations().into_iter().collect();
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
    let figures = [Fate::Convicted, Fate::Missed, Fate::NothingToChange].map(|fate| (fate, count(fate)));
    eprintln!("{} mutations: {figures:?}", fates.len());
    let unconvicted: BTreeSet<String> =
        fates.iter().filter(|(_, fate)| *fate != Fate::Convicted).map(|(name, _)| name.clone()).collect();
    let listed: BTreeSet<String> = listed().into_keys().collect();
    let new: Vec<_> = unconvicted.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&unconvicted).collect();
    assert!(
        new.is_empty() && stale.is_empty(),
        "missed and not listed: {new:#?}\nlisted and not missed: {stale:#?}"
    );
}
