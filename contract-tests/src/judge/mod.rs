//! The judge of sync clients: what must be true of a client, whatever it is written in, judged from what happened.
//!
//! A [`Judged`] is all the evidence: what there was, a history, what there is, and what the client printed. [`judge`]
//! asks every invariant about it; [`invariants::INVARIANTS`] lists them. All of it is pure. Nothing here knows a
//! client's types or which tracker it was; only [`from_simulator`] knows the simulators. Deliberately absent so far:
//! running a client.

pub mod capabilities;
mod case;
pub mod expected;
pub mod from_simulator;
pub mod ids;
pub mod invariants;
pub mod journal;
pub mod replay;
pub mod state;
pub mod vendor_requests;

use std::fmt;

use serde::Serialize;

use capabilities::Capabilities;
use case::Case;
use invariants::{Findings, INVARIANTS, Invariant};
use journal::{Event, History};
use replay::Moment;
use state::State;

/// All the evidence about a client.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What may be expected of it.
    pub capabilities: Capabilities,
    /// What there was before the first event.
    pub start: State,
    /// What happened.
    pub history: History,
    /// What there is after the last event, found by looking and not by adding up.
    pub end: State,
    /// What it wrote where people or other programs can read it.
    pub outputs: Vec<Output>,
    /// Texts that may not be found there.
    pub canaries: Vec<Canary>,
}

/// A text that a client left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where, e.g. `stderr of run 2` or `ledger`.
    pub place: String,
    /// What.
    pub text: String,
}

/// A text that shows up only where somebody let it slip.
#[derive(Clone, PartialEq, Eq)]
pub struct Canary {
    /// What verdicts call it, e.g. `the API key`.
    pub name: String,
    /// The text itself. No verdict contains it.
    pub text: String,
    /// Whether tickets and comments may contain it: text of a finding, where the policy says so.
    pub may_be_in_tickets: bool,
}

impl fmt::Debug for Canary {
    /// Leaves out the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, text: _, may_be_in_tickets } = self;
        f.debug_struct("Canary")
            .field("name", name)
            .field("may_be_in_tickets", may_be_in_tickets)
            .finish_non_exhaustive()
    }
}

/// What came of one invariant.
#[derive(Debug, Clone, Serialize)]
pub struct Judgement {
    /// The invariant's id.
    pub id: &'static str,
    /// How it fared.
    pub verdict: Verdict,
}

/// How an invariant fared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum Verdict {
    /// It held each time that the history shows what it is about, which was not never.
    Held {
        /// How many times that was.
        observations: usize,
    },
    /// It did not hold.
    Violated {
        /// Each time it did not.
        violations: Vec<Violation>,
    },
    /// Nothing can be said.
    NotJudged {
        /// Why.
        reason: String,
    },
}

/// A violation of an invariant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// What is wrong, in a sentence.
    pub text: String,
    /// The events that show it, and no others.
    pub events: Vec<Event>,
}

/// Asks every invariant, in their order.
pub fn judge(judged: &Judged) -> Vec<Judgement> {
    let case = Case::new(judged);
    let no_evidence = why_no_evidence(judged);
    let judge_one = |invariant: &Invariant| {
        let verdict = match &no_evidence {
            Some(reason) => Verdict::NotJudged { reason: reason.clone() },
            None => {
                let mut findings = Findings::default();
                (invariant.judge)(&case, &mut findings);
                findings.verdict()
            }
        };
        Judgement { id: invariant.id, verdict }
    };
    INVARIANTS.iter().map(judge_one).collect()
}

/// Why nothing can be concluded from what there is, if so: the history is not all that happened.
pub fn why_no_evidence(judged: &Judged) -> Option<String> {
    let evicted = judged.history.evicted;
    if evicted > 0 {
        return Some(format!("{evicted} entries of a journal were evicted before they were read"));
    }
    let mut moment = Moment::start(&judged.start);
    for (index, event) in judged.history.events.iter().enumerate() {
        moment.apply(index, event);
    }
    let missing = replay::incoherences(&moment.state, &judged.end);
    let first = missing.first()?;
    Some(format!(
        "the history does not explain what was found at the end: {first}, and {} more",
        missing.len() - 1
    ))
}
