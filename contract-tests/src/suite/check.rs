//! What a check is, and how it can end.

use std::fmt;

use fixtures::spec::{Reading, Rule};

use super::case::Case;
use crate::target::exchange::{Evidence, NoAnswer};
use crate::target::plane::PlaneError;

/// A check of one rule.
#[derive(Clone, Copy)]
pub struct Check {
    /// The folder it is in, e.g. `data-theorem/targets`.
    pub group: &'static str,
    /// Its name in that folder, in snake case; see [`Check::path`].
    pub name: &'static str,
    /// The rule it checks.
    pub rule: &'static Rule,
    /// What it needs of a target.
    pub needs: Needs,
    /// Does it.
    pub run: fn(&Case) -> Verdict,
}

/// Reports which value of a reading a target shows.
#[derive(Clone, Copy)]
pub struct Probe {
    /// The reading.
    pub reading: &'static Reading,
    /// What it needs of a target.
    pub needs: Needs,
    /// Looks; the answer is one of the reading's values.
    pub run: fn(&Case) -> Result<&'static str, Stop>,
}

/// What a check needs of a target, the least demanding first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// It only reads.
    Reading,
    /// It changes something and puts it back.
    Writing,
    /// What it changes can't be put back.
    Lasting,
    /// Something has to happen at the vendor, time has to pass, or another key has to exist.
    Control,
}

impl Needs {
    /// In words, as in "it needs …".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Writing => "writing what can be put back",
            Self::Lasting => "writing, in a simulator only",
            Self::Control => "a simulator's admin plane",
        }
    }
}

/// How a check ends: the rule held, as far as was seen, or the check stopped.
pub type Verdict = Result<Held, Stop>;

/// The rule held in everything that was observed, which was not nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    observations: usize,
}

/// Why a check came to no end at which its rule held.
#[derive(Debug, Clone)]
pub enum Stop {
    /// The rule is broken.
    Broken(Broken),
    /// The target did not show what the rule is about: no row of that kind, a prerequisite refused.
    NotExercised(String),
    /// What the target showed instead fits neither the rule nor its opposite.
    Unclear(Unclear),
    /// The target is not one on which this can be tried.
    Skipped(String),
    /// There was no answer.
    NoAnswer(NoAnswer),
    /// The simulator's admin plane did not do its part.
    Plane(PlaneError),
}

/// Why a check was not exercised.
#[derive(Debug, Clone)]
pub struct Unclear {
    /// The reason, in which nothing stands that an account says of itself but ids.
    pub why: String,
    /// What the target answered, if that is the reason.
    pub seen: Option<String>,
}

/// A broken rule. Its `Debug` leaves the evidence to whoever prints exchanges.
#[derive(Clone)]
pub struct Broken {
    /// What the rule lets one expect. Nothing stands in it that an account says of itself but ids.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
    /// The exchange that shows it; otherwise it is the last one of the check.
    pub evidence: Option<Evidence>,
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, seen {}", self.expected, self.seen)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reading.id)
    }
}

impl Check {
    /// Its path, e.g. `data-theorem/targets/status-same-409`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.group, self.name.replace('_', "-"))
    }
}

impl Held {
    /// The rule held once.
    pub fn once() -> Verdict {
        Ok(Self { observations: 1 })
    }

    /// The rule held this often. Not at all is no success: then the check was not exercised, and `otherwise` says
    /// what there was nothing of.
    pub fn over(observations: usize, otherwise: &str) -> Verdict {
        if observations == 0 {
            return Err(Stop::NotExercised(otherwise.to_owned()));
        }
        Ok(Self { observations })
    }

    /// How often it was seen to hold.
    pub fn observations(self) -> usize {
        self.observations
    }
}

/// Ends a check: the rule is broken.
pub fn broken<T>(expected: impl fmt::Display, seen: impl fmt::Display) -> Result<T, Stop> {
    Err(Stop::Broken(Broken { expected: expected.to_string(), seen: seen.to_string(), evidence: None }))
}

/// Ends a check: the rule is broken, and this exchange shows it.
pub fn broken_at<T>(
    evidence: &Evidence,
    expected: impl fmt::Display,
    seen: impl fmt::Display,
) -> Result<T, Stop> {
    let (expected, seen) = (expected.to_string(), seen.to_string());
    Err(Stop::Broken(Broken { expected, seen, evidence: Some(evidence.clone()) }))
}

/// Ends a check: the target did not show what the rule is about.
pub fn not_exercised<T>(why: impl fmt::Display) -> Result<T, Stop> {
    Err(Stop::NotExercised(why.to_string()))
}

/// Ends a check: what the target showed instead tells nothing about the rule. `why` has no word of it.
pub fn unclear<T>(why: impl fmt::Display, seen: impl fmt::Display) -> Result<T, Stop> {
    Err(Stop::Unclear(Unclear { why: why.to_string(), seen: Some(seen.to_string()) }))
}

/// Ends a check as broken unless this is so.
pub fn expect(is_so: bool, expected: impl fmt::Display, seen: impl fmt::Display) -> Result<(), Stop> {
    if is_so { Ok(()) } else { broken(expected, seen) }
}

/// Ends a check as not exercised unless this is so: the prerequisite of a verdict.
pub fn observed(is_so: bool, otherwise: impl fmt::Display) -> Result<(), Stop> {
    if is_so { Ok(()) } else { not_exercised(otherwise) }
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.seen {
            Some(seen) => write!(f, "{}: {seen}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl From<NoAnswer> for Stop {
    fn from(error: NoAnswer) -> Self {
        Self::NoAnswer(error)
    }
}

impl From<PlaneError> for Stop {
    fn from(error: PlaneError) -> Self {
        Self::Plane(error)
    }
}

/// Writes a table of checks: name, rule, needs, and the function that does it.
macro_rules! checks {
    ($group:literal; $($name:ident: $rule:path, $needs:ident, $run:expr;)*) => {
        /// The checks of this file.
        pub(crate) const CHECKS: &[$crate::suite::check::Check] = &[
            $($crate::suite::check::Check {
                group: $group,
                name: stringify!($name),
                rule: &$rule,
                needs: $crate::suite::check::Needs::$needs,
                run: $run,
            }),*
        ];
    };
}
pub(crate) use checks;

/// Writes a table of probes: reading, needs, and the function that looks.
macro_rules! probes {
    ($($reading:path, $needs:ident, $run:expr;)*) => {
        /// The probes of this file.
        pub(crate) const PROBES: &[$crate::suite::check::Probe] = &[
            $($crate::suite::check::Probe {
                reading: &$reading,
                needs: $crate::suite::check::Needs::$needs,
                run: $run,
            }),*
        ];
    };
}
pub(crate) use probes;
