//! Every check can fail: a saboteur of its own is convicted by it, and by nearly nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract_tests::run::{Parts, Selection, run};
use contract_tests::saboteurs::{Saboteur, saboteurs};
use contract_tests::suite::checks;
use contract_tests::target::Target;

use crate::support::{described, in_process};

/// Runs the suite against a simulator with the saboteur in it, and says what is not as it should be.
fn problem_of(saboteur: &Saboteur, healthy: &Target) -> Option<String> {
    let transport = saboteur.sabotage(Arc::clone(&healthy.transport));
    let target = Target::simulator("sabotaged", transport, "http://localhost", None, &[]).unwrap().unwrap();
    // What belongs to the other vendor never passes through the layer.
    let vendor = Some(saboteur.vendor().to_owned());
    let checks_of_vendor = Selection { vendor, parts: Parts::Checks, ..Selection::default() };
    let run = run(&target, &checks_of_vendor, 1, &|_| {}).unwrap();
    let convicted: BTreeSet<String> =
        run.checks.iter().filter(|check| check.outcome.is_broken()).map(|check| check.check.path()).collect();
    let mut expected: BTreeSet<String> = saboteur.also.iter().map(|(path, _)| (*path).to_owned()).collect();
    expected.insert(saboteur.check.to_owned());
    if convicted == expected {
        return None;
    }
    let own = run.checks.iter().find(|check| check.check.path() == saboteur.check).map(described);
    let unexpected: Vec<_> = convicted.difference(&expected).collect();
    let missed: Vec<_> = expected.difference(&convicted).collect();
    Some(format!(
        "{} (it {})\n  unexpectedly convicted by {unexpected:?}\n  not convicted by {missed:?}\n  own check: {}",
        saboteur.check,
        saboteur.breaks,
        own.unwrap_or_default()
    ))
}

#[test]
#[cfg_attr(debug_assertions, ignore = "runs the whole suite hundreds of times: use cargo test --release")]
fn every_saboteur_is_convicted_by_its_own_check() {
    let healthy = in_process(&[]);
    let saboteurs = saboteurs();
    let only = std::env::var("SABOTEUR").unwrap_or_default();
    let chosen: Vec<&Saboteur> = saboteurs.iter().filter(|one| one.check.contains(&only)).collect();
    let (first, second) = chosen.split_at(chosen.len() / 2);
    let problems: Vec<String> = std::thread::scope(|scope| {
        let half = |half: &'_ [&'_ Saboteur]| {
            half.iter().filter_map(|one| problem_of(one, &healthy)).collect::<Vec<_>>()
        };
        let other = scope.spawn(move || half(second));
        let mut problems = half(first);
        problems.extend(other.join().unwrap());
        problems
    });
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), chosen.len(), problems.join("\n"));
}

#[test]
fn every_check_has_one_saboteur() {
    let saboteurs = saboteurs();
    let sabotaged: Vec<&str> = saboteurs.iter().map(|saboteur| saboteur.check).collect();
    let distinct: BTreeSet<&str> = sabotaged.iter().copied().collect();
    assert_eq!(distinct.len(), sabotaged.len());
    let paths: BTreeSet<String> = checks().map(contract_tests::suite::check::Check::path).collect();
    let without: Vec<&String> = paths.iter().filter(|path| !distinct.contains(path.as_str())).collect();
    assert!(without.is_empty(), "without a saboteur: {without:?}");
    let unknown: Vec<&&str> = distinct.iter().filter(|path| !paths.contains(**path)).collect();
    assert!(unknown.is_empty(), "of no check: {unknown:?}");
    for saboteur in &saboteurs {
        assert!(saboteur.also.len() <= 3, "{} breaks too much", saboteur.check);
    }
}
