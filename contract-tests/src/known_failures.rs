//! Checks that are known to fail on a target, each with the reason, so that the rest of the suite can guard it.
//!
//! One a line: the check's path, then the reason. `#` begins a remark. A listed check that does not fail is itself a
//! failure: the list may not outlive what it excuses.

use std::collections::BTreeMap;

use crate::suite;

/// Paths of checks with the reasons why they fail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures(BTreeMap<String, String>);

/// A line of the file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnownFailuresError {
    /// It has no reason.
    #[error("line {line}: {path} has no reason; write why it fails behind the path")]
    NoReason {
        /// Counted from 1.
        line: usize,
        /// The path.
        path: String,
    },
    /// It names no check.
    #[error("line {line}: {path:?} is no check of the suite; `contract-tests rules` lists them")]
    NoCheck {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        path: String,
    },
    /// It names a check that another line has.
    #[error("line {line}: {path} is listed twice")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// The path.
        path: String,
    },
}

impl KnownFailures {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, KnownFailuresError> {
        let mut known = BTreeMap::new();
        for (index, text) in text.lines().enumerate() {
            let line = index + 1;
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let (path, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let path = path.to_owned();
            if suite::check(&path).is_none() {
                return Err(KnownFailuresError::NoCheck { line, path });
            }
            if reason.trim().is_empty() {
                return Err(KnownFailuresError::NoReason { line, path });
            }
            if known.insert(path.clone(), reason.trim().to_owned()).is_some() {
                return Err(KnownFailuresError::Twice { line, path });
            }
        }
        Ok(Self(known))
    }

    /// Why a check fails, if that is known.
    pub fn reason(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// All paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::{KnownFailures, KnownFailuresError};

    const PATH: &str = "data-theorem/targets/status-same-409";

    #[test]
    fn paths_have_reasons() {
        let known = KnownFailures::parse(&format!("# remark\n\n{PATH}  answers 204 # since May\n")).unwrap();
        assert_eq!(known.reason(PATH), Some("answers 204"));
        assert_eq!(known.paths().collect::<Vec<_>>(), [PATH]);
    }

    #[test]
    fn lines_that_excuse_nothing_are_refused() {
        let path = PATH.to_owned();
        let refused = |text: &str| KnownFailures::parse(text).unwrap_err();
        assert_eq!(
            refused(&format!("\n{PATH}")),
            KnownFailuresError::NoReason { line: 2, path: path.clone() }
        );
        assert_eq!(refused("a/b why"), KnownFailuresError::NoCheck { line: 1, path: "a/b".to_owned() });
        assert_eq!(refused(&format!("{PATH} x\n{PATH} y")), KnownFailuresError::Twice { line: 2, path });
    }
}
