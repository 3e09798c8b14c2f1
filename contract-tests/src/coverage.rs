//! Which rules have a check, and whether the list of those without one is honest.
//!
//! A rule that a server must keep is either checked or listed in `unchecked.txt`. The list may only shrink:
//! [`compare`] reports an entry that is no longer needed as loudly as one that is missing. Nothing here writes
//! the list, on purpose: each new line in it is a decision that a reviewer sees.

use std::collections::BTreeSet;
use std::fmt;

use fixtures::spec::{Party, Rule, Strength};
use serde::Serialize;

/// A check as the ledger sees it: which rule it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its path, e.g. `data-theorem/targets/status-same-409`.
    pub path: String,
    /// Id of the rule it checks.
    pub rule: &'static str,
}

/// Every check of the suite.
pub fn checked() -> Vec<Checked> {
    crate::suite::checks().map(|check| Checked { path: check.path(), rule: check.rule.id }).collect()
}

/// A rule with the checks it has.
#[derive(Debug, Clone, Serialize)]
pub struct Covered {
    /// The rule.
    #[serde(flatten)]
    pub rule: &'static Rule,
    /// Paths of its checks.
    pub checks: Vec<String>,
}

/// Pairs every rule with its checks, in the order of the ledger.
pub fn coverage(rules: impl IntoIterator<Item = &'static Rule>, checked: &[Checked]) -> Vec<Covered> {
    let of = |rule: &Rule| {
        checked.iter().filter(|check| check.rule == rule.id).map(|check| check.path.clone()).collect()
    };
    rules.into_iter().map(|rule| Covered { rule, checks: of(rule) }).collect()
}

impl Covered {
    /// Whether the rule needs a check: it binds the server, and breaking it contradicts its source.
    pub fn needs_check(&self) -> bool {
        self.rule.binds == Party::Server && self.rule.strength == Strength::Must
    }

    /// Whether the rule needs a check and has none.
    pub fn is_unchecked(&self) -> bool {
        self.needs_check() && self.checks.is_empty()
    }
}

/// A difference between the list of unchecked rules and the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The rule needs a check, has none, and is not listed.
    Missing(&'static str),
    /// The rule is listed although it has a check now.
    Checked {
        /// The rule.
        id: &'static str,
        /// Its check.
        check: String,
    },
    /// The rule is listed although it needs no check.
    NotNeeded(&'static str),
    /// No rule has the listed id.
    Unknown(String),
    /// The id is listed more than once.
    Twice(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(id) => write!(f, "{id} has no check and is not listed: write the check"),
            Self::Checked { id, check } => write!(f, "{id} is checked by {check} now: take it off the list"),
            Self::NotNeeded(id) => write!(f, "{id} binds no server with a must: take it off the list"),
            Self::Unknown(id) => write!(f, "{id} is no rule: take it off the list"),
            Self::Twice(id) => write!(f, "{id} is listed twice"),
        }
    }
}

/// The ids in a list of unchecked rules: one a line, `#` begins a remark.
pub fn listed(text: &str) -> Vec<&str> {
    let ids = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    ids.filter(|id| !id.is_empty()).collect()
}

/// Compares a list of unchecked rules with the coverage there is. No problem: the list is exact.
pub fn compare(listed: &[&str], coverage: &[Covered]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for &id in listed {
        if !seen.insert(id) {
            problems.push(Problem::Twice(id.to_owned()));
            continue;
        }
        match coverage.iter().find(|covered| covered.rule.id == id) {
            None => problems.push(Problem::Unknown(id.to_owned())),
            Some(covered) if !covered.needs_check() => problems.push(Problem::NotNeeded(covered.rule.id)),
            Some(covered) => {
                let check = covered.checks.first().cloned();
                problems.extend(check.map(|check| Problem::Checked { id: covered.rule.id, check }));
            }
        }
    }
    let unlisted =
        coverage.iter().filter(|covered| covered.is_unchecked() && !seen.contains(covered.rule.id));
    problems.extend(unlisted.map(|covered| Problem::Missing(covered.rule.id)));
    problems
}

#[cfg(test)]
mod tests {
    use fixtures::spec::{Evidence, Party, Rule, Strength};

    use super::{Checked, Problem, compare, coverage, listed};

    const fn rule(id: &'static str, strength: Strength, binds: Party) -> Rule {
        Rule { id, strength, binds, evidence: Evidence::Observed { source: "a test" }, text: "A text." }
    }

    static CHECKED: Rule = rule("DT-A-CHECKED", Strength::Must, Party::Server);
    static UNCHECKED: Rule = rule("DT-A-UNCHECKED", Strength::Must, Party::Server);
    static PERMITTED: Rule = rule("DT-A-PERMITTED", Strength::May, Party::Server);
    static CLIENTS: Rule = rule("DT-A-CLIENTS", Strength::Must, Party::Client);

    fn problems(list: &str) -> Vec<Problem> {
        let checks = [Checked { path: "data-theorem/a/checked".to_owned(), rule: CHECKED.id }];
        compare(&listed(list), &coverage([&CHECKED, &UNCHECKED, &PERMITTED, &CLIENTS], &checks))
    }

    #[test]
    fn an_exact_list_has_no_problem() {
        assert_eq!(problems("# remark\n\nDT-A-UNCHECKED # why\n"), []);
    }

    #[test]
    fn a_rule_without_a_check_must_be_listed() {
        assert_eq!(problems(""), [Problem::Missing("DT-A-UNCHECKED")]);
    }

    #[test]
    fn a_stale_entry_is_a_problem() {
        let all = "DT-A-UNCHECKED\nDT-A-CHECKED\nDT-A-PERMITTED\nDT-A-CLIENTS\nDT-A-GONE\nDT-A-UNCHECKED\n";
        let wanted = [
            Problem::Checked { id: "DT-A-CHECKED", check: "data-theorem/a/checked".to_owned() },
            Problem::NotNeeded("DT-A-PERMITTED"),
            Problem::NotNeeded("DT-A-CLIENTS"),
            Problem::Unknown("DT-A-GONE".to_owned()),
            Problem::Twice("DT-A-UNCHECKED".to_owned()),
        ];
        assert_eq!(problems(all), wanted);
    }
}
