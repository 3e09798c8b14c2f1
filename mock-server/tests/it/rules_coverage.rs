//! Every documented rule that binds the server has a test that names it, or an excuse.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fixtures::spec::{Evidence, Party, Strength, rules};

const EXCUSES: &str = "tests/rules-without-test.txt";
const PAGES: [&str; 5] = [
    "data-theorem-1-suggested-workflows",
    "data-theorem-2-security-finding-targets",
    "data-theorem-3-security-findings",
    "mend-1-issue-tracker-api",
    "mend-2-issue-tracker-api-older-version-7",
];
/// What the ids of each vendor's rules begin with.
const PREFIXES: [&str; 3] = ["DT-", "MEND-", "JIRA-"];

/// The rules of these pages, and all of Jira's, that a test has to name.
fn to_be_tested() -> BTreeSet<&'static str> {
    rules()
        .filter(|rule| rule.strength == Strength::Must && rule.binds == Party::Server)
        .filter(|rule| {
            rule.id.starts_with("JIRA-")
                || matches!(rule.evidence, Evidence::Documented { page, .. } if PAGES.contains(&page))
        })
        .map(|rule| rule.id)
        .collect()
}

/// Adds the words of the test code below a directory: whole files of tests, of others what is behind
/// `#[cfg(test)]`.
fn add_words(directory: &Path, are_tests: bool, words: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_words(&path, are_tests, words);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("rules_coverage.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let start = if are_tests { Some(0) } else { text.find("#[cfg(test)]") };
            let is_other =
                |letter: char| !letter.is_ascii_uppercase() && !letter.is_ascii_digit() && letter != '-';
            let found = start.into_iter().flat_map(|start| text[start..].split(is_other));
            // A ticket may be called `JIRA-1`; a rule's id has more parts.
            let is_rule = |word: &&str| {
                PREFIXES.iter().any(|prefix| word.starts_with(prefix)) && word.matches('-').count() > 1
            };
            words.extend(found.filter(is_rule).map(str::to_owned));
        }
    }
}

fn named_in_tests() -> BTreeSet<String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut words = BTreeSet::new();
    add_words(&package.join("tests/it"), true, &mut words);
    add_words(&package.join("src"), false, &mut words);
    words
}

/// The excuses: rule and reason.
fn excuses() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(EXCUSES)).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.map(|line| {
        let (id, reason) =
            line.split_once('\t').unwrap_or_else(|| panic!("{line:?} in {EXCUSES} has no tab"));
        (id.to_owned(), reason.to_owned())
    });
    pairs.collect()
}

#[test]
fn every_documented_rule_of_the_server_is_named_by_a_test_or_excused() {
    let (named, excused) = (named_in_tests(), excuses());
    let without: Vec<_> =
        to_be_tested().into_iter().filter(|id| !named.contains(*id) && !excused.contains_key(*id)).collect();
    assert!(without.is_empty(), "no test names {without:#?}");
}

#[test]
fn every_excuse_is_needed_and_gives_a_reason() {
    let (rules, named) = (to_be_tested(), named_in_tests());
    for (id, reason) in excuses() {
        assert!(rules.contains(id.as_str()), "{id} in {EXCUSES} is no rule that needs a test");
        assert!(!named.contains(&id), "{id} in {EXCUSES} has a test by now");
        assert!(reason.split_whitespace().count() > 4, "{id} in {EXCUSES} needs a reason");
    }
}

#[test]
fn every_rule_that_a_test_names_exists() {
    let known: BTreeSet<_> = rules().map(|rule| rule.id).collect();
    let unknown: Vec<_> = named_in_tests().into_iter().filter(|id| !known.contains(id.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
