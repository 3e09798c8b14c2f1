//! What came of a run, as data and for different readers.

pub mod documents;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod terminal;

use std::collections::BTreeMap;

use fixtures::spec::{Evidence, Rule, Strength};
use jiff::Timestamp;
use serde::Serialize;

use crate::known_failures::KnownFailures;
use crate::run::{CheckRun, Outcome, ProbeRun, Run};
use crate::sequences::{SequencesEnding, SequencesRun};
use crate::suite::check::{Broken, Unclear};
use crate::target::exchange::Exchange;
use crate::target::{Kind, Target};

/// Everything a reader may want to know of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of the suite.
    pub suite_version: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// What kind of target it is: it decides who can be convicted of what.
    pub target_kind: TargetKind,
    /// When the run began.
    pub started: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// How many checks ended how.
    pub summary: BTreeMap<Ending, usize>,
    /// One per check, in the suite's order.
    pub checks: Vec<CheckReport>,
    /// One per reading, in the ledger's order.
    pub readings: Vec<ReadingReport>,
    /// Random sequences against the models, one entry per vendor; simulators only.
    pub sequences: Vec<SequencesRun>,
    /// Known failures that did not fail: their lines have to go.
    pub stale_known_failures: Vec<String>,
    /// Requests that should have put something back and did not succeed.
    pub left_behind: Vec<String>,
}

/// The kinds of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A simulator with an admin plane.
    Simulator,
    /// Something without one that is not the vendor.
    StandIn,
    /// The vendor itself.
    Vendor,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The rule is broken.
    Broken,
    /// The rule is broken, as is known.
    KnownFailure,
    /// Real clients were seen to rely on something else; no page says so.
    Differs,
    /// There was no answer.
    NoAnswer,
    /// The target did not show what the rule is about.
    NotExercised,
    /// This can't be tried on such a target.
    Skipped,
    /// The rule held.
    Held,
}

/// What a check came to.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// Its path.
    pub path: String,
    /// The rule.
    pub rule: &'static Rule,
    /// How it ended.
    pub result: Ending,
    /// How often the rule was seen to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observations: Option<usize>,
    /// Why it was not exercised, skipped, or is known to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the rule lets one expect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was seen instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The exchange that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeReport>,
    /// How long it took.
    pub took_ms: u64,
}

/// A request and what came back, without credentials.
#[derive(Debug, Clone, Serialize)]
pub struct ExchangeReport {
    /// Method and address.
    pub request: String,
    /// The request's body.
    pub request_body: String,
    /// Status of the reply, or why there is none.
    pub reply: String,
    /// The reply's body.
    pub reply_body: String,
}

/// Which value of a reading was seen.
#[derive(Debug, Clone, Serialize)]
pub struct ReadingReport {
    /// The reading.
    pub id: &'static str,
    /// What it asks.
    pub question: &'static str,
    /// The value that was seen.
    pub value: Option<&'static str>,
    /// What that value means.
    pub meaning: Option<&'static str>,
    /// The simulator's default.
    pub default: &'static str,
    /// On a simulator, the value it was set to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_to: Option<String>,
    /// Why no value was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a run ends for whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// All that could be exercised held.
    Held,
    /// Something was convicted, or a known failure did not fail.
    Convicted,
    /// Nothing was learnt, or not all that was asked for.
    CouldNotRun,
}

/// What stands in place of what a target answered, unless it was asked for.
const WITHHELD: &str = "[not shown; --report-bodies shows it]";

impl Report {
    /// Puts together what came of a run. `with_bodies` says whether what an account answered may be in it; what a
    /// simulator answered always is.
    pub fn new(
        target: &Target,
        run: &Run,
        known: &KnownFailures,
        started: Timestamp,
        with_bodies: bool,
    ) -> Self {
        let with_bodies = with_bodies || target.is_simulator();
        let checks: Vec<CheckReport> =
            run.checks.iter().map(|check| CheckReport::new(check, known, with_bodies)).collect();
        let mut summary = BTreeMap::new();
        for check in &checks {
            *summary.entry(check.result).or_insert(0) += 1;
        }
        let failed_as_known = |path: &str| {
            checks.iter().any(|check| check.path == path && check.result == Ending::KnownFailure)
        };
        let was_run = |path: &str| checks.iter().any(|check| check.path == path);
        let stale = known.paths().filter(|path| was_run(path) && !failed_as_known(path)).map(str::to_owned);
        let of_checks = run.checks.iter().flat_map(|check| &check.left_behind);
        let of_probes = run.probes.iter().flat_map(|probe| &probe.left_behind);
        Self {
            suite_version: env!("CARGO_PKG_VERSION"),
            target: target.name.clone(),
            target_kind: match target.kind {
                Kind::Simulator { .. } => TargetKind::Simulator,
                Kind::Account { is_vendor: false, .. } => TargetKind::StandIn,
                Kind::Account { is_vendor: true, .. } => TargetKind::Vendor,
            },
            started,
            took_ms: millis(run.took),
            summary,
            stale_known_failures: stale.collect(),
            left_behind: of_checks.chain(of_probes).cloned().collect(),
            readings: run
                .probes
                .iter()
                .map(|probe| ReadingReport::new(probe, &run.settings, with_bodies))
                .collect(),
            sequences: Vec::new(),
            checks,
        }
    }

    /// The same with what random sequences came to.
    #[must_use]
    pub fn with_sequences(self, sequences: Vec<SequencesRun>) -> Self {
        Self { sequences, ..self }
    }

    /// How many checks ended like this.
    pub fn count(&self, result: Ending) -> usize {
        self.summary.get(&result).copied().unwrap_or_default()
    }

    /// Readings of a simulator that are not as they were set.
    pub fn unlike_setting(&self) -> impl Iterator<Item = &ReadingReport> {
        self.readings
            .iter()
            .filter(|reading| reading.set_to.is_some() && reading.set_to.as_deref() != reading.value)
    }

    /// How the run ends. On a simulator everything can be exercised, so what was not is a failure there.
    pub fn conclusion(&self) -> Conclusion {
        let unexercised = self.target_kind == TargetKind::Simulator
            && (self.count(Ending::NotExercised) > 0 || self.unlike_setting().next().is_some());
        let differed =
            self.sequences.iter().any(|run| matches!(run.ending, SequencesEnding::Differed { .. }));
        let undone =
            self.sequences.iter().any(|run| matches!(run.ending, SequencesEnding::CouldNotRun { .. }));
        if self.count(Ending::Broken) > 0 || !self.stale_known_failures.is_empty() || unexercised || differed
        {
            Conclusion::Convicted
        } else if self.count(Ending::NoAnswer) > 0
            || !self.left_behind.is_empty()
            || undone
            || (self.count(Ending::Held) == 0 && self.readings.iter().all(|reading| reading.value.is_none()))
        {
            Conclusion::CouldNotRun
        } else {
            Conclusion::Held
        }
    }
}

impl CheckReport {
    fn new(run: &CheckRun, known: &KnownFailures, with_bodies: bool) -> Self {
        let path = run.check.path();
        let mut report = Self {
            rule: run.check.rule,
            result: Ending::Held,
            observations: None,
            reason: None,
            expected: None,
            seen: None,
            exchange: None,
            took_ms: millis(run.took),
            path,
        };
        match &run.outcome {
            Outcome::Held(held) => report.observations = Some(held.observations()),
            Outcome::Broken(broken) => {
                report.reason = known.reason(&report.path).map(str::to_owned);
                report.result = if report.reason.is_some() { Ending::KnownFailure } else { Ending::Broken };
                report.show(broken, run, with_bodies);
            }
            Outcome::Differs(broken) => {
                report.result = Ending::Differs;
                report.show(broken, run, with_bodies);
            }
            Outcome::NotExercised(unclear) => {
                report.ended(Ending::NotExercised, &said(unclear, with_bodies));
            }
            Outcome::Skipped(why) => report.ended(Ending::Skipped, why),
            Outcome::NoAnswer(why) => {
                report.ended(Ending::NoAnswer, why);
                report.exchange =
                    run.exchanges.last().map(|exchange| ExchangeReport::new(exchange, with_bodies));
            }
        }
        report
    }

    fn ended(&mut self, result: Ending, why: &str) {
        self.result = result;
        self.reason = Some(why.to_owned());
    }

    fn show(&mut self, broken: &Broken, run: &CheckRun, with_bodies: bool) {
        self.expected = Some(broken.expected.clone());
        // A status tells nothing about the account.
        let is_status = broken.seen.parse().is_ok_and(|status: u16| (100..600).contains(&status));
        self.seen = Some(if with_bodies || is_status { broken.seen.clone() } else { WITHHELD.to_owned() });
        let evidence = broken.evidence.as_ref().or(run.exchanges.last());
        self.exchange = evidence.map(|exchange| ExchangeReport::new(exchange, with_bodies));
    }
}

impl ExchangeReport {
    fn new(exchange: &Exchange, with_bodies: bool) -> Self {
        let shown = |body: String| if with_bodies || body.is_empty() { body } else { WITHHELD.to_owned() };
        Self {
            request: exchange.request_line(),
            request_body: if with_bodies {
                exchange.request_body()
            } else {
                exchange.request_body_without_people()
            },
            reply: exchange.status_line(),
            reply_body: shown(exchange.reply_body()),
        }
    }
}

impl ReadingReport {
    fn new(run: &ProbeRun, settings: &BTreeMap<String, String>, with_bodies: bool) -> Self {
        let reading = run.probe.reading;
        let value = run.value.as_ref().ok().copied();
        let meaning =
            reading.values.iter().find(|known| Some(known.value) == value).map(|known| known.meaning);
        let reason = run.value.as_ref().err().map(|outcome| match outcome {
            Outcome::NotExercised(unclear) => said(unclear, with_bodies),
            Outcome::Skipped(why) | Outcome::NoAnswer(why) => why.clone(),
            Outcome::Held(_) => String::new(),
            Outcome::Broken(Broken { expected, seen, .. })
            | Outcome::Differs(Broken { expected, seen, .. }) => {
                let seen = if with_bodies { seen } else { WITHHELD };
                format!("{expected} was expected and seen was {seen}")
            }
        });
        Self {
            id: reading.id,
            question: reading.question,
            value,
            meaning,
            default: reading.default,
            set_to: settings.get(reading.id).cloned(),
            reason,
        }
    }

    /// The flag that makes a simulator do the same, where its default is another.
    pub fn flag(&self) -> Option<String> {
        let value = self.value.filter(|value| *value != self.default)?;
        Some(format!("--reading {}={value}", self.id))
    }
}

impl Ending {
    /// Every way to end, the most important first.
    pub const ALL: [Self; 7] = [
        Self::Broken,
        Self::KnownFailure,
        Self::Differs,
        Self::NoAnswer,
        Self::NotExercised,
        Self::Skipped,
        Self::Held,
    ];

    /// As a word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::KnownFailure => "known failure",
            Self::Differs => "differs",
            Self::NoAnswer => "no answer",
            Self::NotExercised => "not exercised",
            Self::Skipped => "skipped",
            Self::Held => "held",
        }
    }
}

/// Where a rule comes from, in words.
pub fn source(rule: &Rule) -> String {
    match rule.evidence {
        Evidence::Documented { page, section } => format!("documented: {page}, {section}"),
        Evidence::Observed { source } => format!("observed: {source}"),
    }
}

/// Who the rule's text binds how, in a word.
pub const fn strength(rule: &Rule) -> &'static str {
    match rule.strength {
        Strength::Must => "must",
        Strength::Should => "should",
        Strength::May => "may",
    }
}

/// Why something was not exercised, with what was seen only if that may be shown.
fn said(unclear: &Unclear, with_bodies: bool) -> String {
    match &unclear.seen {
        Some(_) if !with_bodies => format!("{}: {WITHHELD}", unclear.why),
        _ => unclear.to_string(),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
