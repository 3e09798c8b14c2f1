//! The rule ledger as a whole: its ids, and what is checked of it.

use std::collections::BTreeSet;

use contract_tests::coverage::{checked, compare, coverage, listed};
use contract_tests::suite::{checks, probes};
use fixtures::spec::{self, Party, Strength};

const UNCHECKED: &str = include_str!("../../unchecked.txt");

#[test]
fn every_id_names_its_vendor_and_exists_once() {
    let mut seen = BTreeSet::new();
    for rule in spec::rules() {
        assert!(seen.insert(rule.id), "{} exists twice", rule.id);
        let mut words = rule.id.split('-');
        assert!(matches!(words.next(), Some("DT" | "MEND" | "JIRA")), "{} begins with no vendor", rule.id);
        let words: Vec<&str> = words.collect();
        assert!(words.len() >= 2, "{} lacks the page or the constraint", rule.id);
        let upper = |word: &&str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        assert!(words.iter().all(upper), "{} is not in upper case", rule.id);
    }
    assert!(!seen.is_empty(), "the ledger is empty");
}

#[test]
fn every_rule_that_binds_a_server_is_checked_or_listed_as_unchecked() {
    let problems = compare(&listed(UNCHECKED), &coverage(spec::rules(), &checked()));
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "contract-tests/unchecked.txt is not exact:\n  {}", text.join("\n  "));
}

#[test]
fn every_check_checks_a_rule_of_the_ledger_that_a_server_can_break() {
    for check in checks() {
        assert_eq!(spec::rule(check.rule.id), Some(check.rule), "{check:?}");
        assert_eq!(check.rule.binds, Party::Server, "{check:?}");
        assert_ne!(check.rule.strength, Strength::May, "{check:?}: nobody can break a permission");
    }
}

#[test]
fn every_reading_has_one_probe() {
    let probed: Vec<&str> = probes().map(|probe| probe.reading.id).collect();
    let distinct: BTreeSet<&str> = probed.iter().copied().collect();
    assert_eq!(distinct.len(), probed.len(), "a reading has two probes");
    let readings: BTreeSet<&str> = spec::readings().map(|reading| reading.id).collect();
    assert_eq!(distinct, readings);
}
