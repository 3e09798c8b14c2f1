//! Random but legal sequences of requests, run against a simulator and against a small model of what the pages
//! promise. Where the two differ, proptest finds the shortest sequence that shows it.
//!
//! The models are written from the pages alone and know nothing of the simulator's code. What a reading leaves open is
//! not generated, or not compared. Deliberately absent: accounts that are somebody's; a sequence can't be put back.

mod data_theorem;
mod jira;
mod mend;

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde::Serialize;

use crate::run::with_own_sandbox;
use crate::suite::case::Case;
use crate::suite::check::Stop;
use crate::target::Target;
use crate::target::exchange::Evidence;

/// What random sequences against one vendor came to.
#[derive(Debug, Clone, Serialize)]
pub struct SequencesRun {
    /// `data-theorem`, `mend` or `jira`.
    pub vendor: &'static str,
    /// How many sequences were asked for.
    pub sequences: u32,
    /// The seed they were drawn with.
    pub seed: u64,
    /// How it ended.
    pub ending: SequencesEnding,
}

/// How random sequences ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum SequencesEnding {
    /// The target did what the model says, every time.
    Agreed,
    /// The target did something else.
    Differed {
        /// The shortest sequence that was found, request by request.
        requests: Vec<String>,
        /// What the model says and what was seen.
        difference: String,
    },
    /// A sequence could not be run.
    CouldNotRun {
        /// Why.
        reason: String,
    },
}

/// The vendors, each with the function that runs its sequences.
type Runner = fn(&Target, u32, u64) -> SequencesEnding;
const VENDORS: [(&str, Runner); 3] = [
    ("data-theorem", run_vendor::<data_theorem::Step>),
    ("mend", run_vendor::<mend::Step>),
    ("jira", run_vendor::<jira::Step>),
];

/// A step of a sequence: something a client may do, chosen without knowing what exists.
trait Act: Debug + Clone + Sized + 'static {
    /// What the vendor is known to hold.
    type Model;

    /// Any step.
    fn any() -> proptest::strategy::BoxedStrategy<Self>;
    /// Reads what there is.
    fn model(case: &Case) -> Result<Self::Model, Stop>;
    /// Takes the step at the target and in the model; says where they differ.
    fn take(&self, case: &Case, model: &mut Self::Model) -> Result<Option<String>, Stop>;
    /// Compares everything at the end.
    fn compare(case: &Case, model: &Self::Model) -> Result<Option<String>, Stop>;
}

/// Runs sequences against a simulator, for each vendor that is selected.
pub fn run(target: &Target, vendor: Option<&str>, sequences: u32, seed: u64) -> Vec<SequencesRun> {
    let selected = VENDORS.iter().filter(|(name, _)| vendor.is_none_or(|vendor| vendor == *name));
    selected
        .map(|(name, run)| SequencesRun {
            vendor: name,
            sequences,
            seed,
            ending: run(target, sequences, seed),
        })
        .collect()
}

fn run_vendor<A: Act>(target: &Target, sequences: u32, seed: u64) -> SequencesEnding {
    let config =
        Config { cases: sequences, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let strategy = proptest::collection::vec(A::any(), 1..16);
    let outcome = runner.run(&strategy.prop_map(Sequence), |Sequence(steps)| {
        match with_own_sandbox(target, |case| attempt(case, &steps)) {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(difference))) => Err(TestCaseError::fail(difference)),
            Ok(Err(stop)) | Err(stop) => Err(TestCaseError::fail(format!("{COULD_NOT_RUN}{stop:?}"))),
        }
    });
    match outcome {
        Ok(()) => SequencesEnding::Agreed,
        Err(TestError::Abort(reason)) => SequencesEnding::CouldNotRun { reason: reason.to_string() },
        Err(TestError::Fail(reason, Sequence(steps))) => {
            let difference = reason.to_string();
            match difference.strip_prefix(COULD_NOT_RUN) {
                Some(reason) => SequencesEnding::CouldNotRun { reason: reason.to_owned() },
                None => SequencesEnding::Differed { requests: requests_of(target, &steps), difference },
            }
        }
    }
}

/// Tells a sequence that could not be run from one that showed a difference, where only a text can pass.
const COULD_NOT_RUN: &str = "could not run: ";

/// Steps, without the noise of a vector's `Debug`.
#[derive(Debug, Clone)]
struct Sequence<A>(Vec<A>);

fn attempt<A: Act>(case: &Case, steps: &[A]) -> Result<Option<String>, Stop> {
    let mut model = A::model(case)?;
    match take_all(case, &mut model, steps)? {
        None => A::compare(case, &model),
        difference => Ok(difference),
    }
}

fn take_all<A: Act>(case: &Case, model: &mut A::Model, steps: &[A]) -> Result<Option<String>, Stop> {
    for step in steps {
        if let Some(difference) = step.take(case, model)? {
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

/// What the steps ask for, with the replies' statuses.
fn requests_of<A: Act>(target: &Target, steps: &[A]) -> Vec<String> {
    let exchanges = with_own_sandbox(target, |case| {
        let Ok(mut model) = A::model(case) else { return Vec::new() };
        let read_before = case.exchanges().len();
        // How it ends is known; this run is for its requests.
        let _ = take_all(case, &mut model, steps);
        case.exchanges().split_off(read_before)
    });
    let shown = |exchange: &Evidence| format!("{exchange} {}", exchange.request_body());
    exchanges.unwrap_or_default().iter().map(shown).collect()
}
