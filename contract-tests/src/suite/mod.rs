//! The checks: what must be true of a vendor's API, one function per rule, one folder per vendor and page.
//!
//! A verdict needs its prerequisite observed. A refusal counts only if the same request without the offence was
//! accepted; what could not be looked at is *not exercised*, with the reason. [`check::Held`] can't be made of
//! nothing.

pub mod case;
pub mod check;
pub mod data_theorem;
pub mod jira;
pub mod mend;
pub mod rows;
pub mod shape;

use self::check::{Check, Probe};

/// Every check, in the order of the vendors' pages.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [data_theorem::CHECKS, mend::CHECKS, jira::CHECKS].into_iter().flatten().copied().flatten()
}

/// Every probe, in the order of the ledger's readings.
pub fn probes() -> impl Iterator<Item = &'static Probe> {
    [data_theorem::PROBES, mend::PROBES, jira::PROBES].into_iter().flatten().copied().flatten()
}

/// The check with this path.
pub fn check(path: &str) -> Option<&'static Check> {
    checks().find(|check| check.path() == path)
}

/// The vendor whose rule or reading an id is of, as checks' paths name it.
pub fn vendor_of(id: &str) -> &'static str {
    match id.split(['-', '.']).next() {
        Some("DT" | "dt") => "data-theorem",
        Some("JIRA" | "jira") => "jira",
        _ => "mend",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::checks;

    #[test]
    fn paths_are_unique_and_in_kebab_case() {
        let paths: Vec<String> = checks().map(super::check::Check::path).collect();
        let distinct: BTreeSet<&String> = paths.iter().collect();
        assert_eq!(distinct.len(), paths.len());
        let plain = |path: &String| {
            path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-/".contains(&b))
        };
        assert!(paths.iter().all(plain), "{paths:?}");
    }
}
