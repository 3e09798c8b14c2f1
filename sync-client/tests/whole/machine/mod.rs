//! Random histories: what happens at the vendors, what people do to tickets, runs of the client, and what goes wrong
//! in them. After every step nothing may be wrong, and in the end both sides come in step.
//!
//! `SYNC_CASES` histories are played, from `SYNC_SEED`. A history that failed once is kept in
//! `regressions-*.txt` and played first; those that showed mistakes of the client stand in `found` as well, in words. What is expected is worked out from the vendors' world and the tickets alone; deliberately absent: the
//! client's planner and its ledger.

mod found;
mod judge;
pub(crate) mod stage;
mod steps;

use std::str::FromStr;

use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};

use self::stage::Stage;
use self::steps::{Step, histories};
use crate::trackers::Kind;

const CASES: u32 = 150;
const SEED: u64 = 20_260_115;

/// A number from the environment.
pub(crate) fn number<T: FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
        Err(_) => otherwise,
    }
}

/// Plays a history to its end.
fn play(tracker: Kind, history: &[Step]) -> Result<(), String> {
    let mut stage = Stage::new(tracker);
    for (number, step) in history.iter().enumerate() {
        stage.perform(step).map_err(|wrong| format!("step {number}, {step:?}: {wrong}"))?;
    }
    stage.come_to_rest()
}

fn histories_of(tracker: Kind, regressions: &'static str) {
    let seed: u64 = number("SYNC_SEED", SEED);
    let config = Config {
        cases: number("SYNC_CASES", CASES) / 2,
        max_shrink_iters: 2_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        source_file: Some(file!()),
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let has_key = tracker.has_unique_key();
    let played =
        runner.run(&histories(has_key), |history| play(tracker, &history).map_err(TestCaseError::fail));
    assert!(played.is_ok(), "SYNC_SEED={seed}: {}", played.unwrap_err());
}

#[test]
fn histories_with_a_unique_key() {
    histories_of(Kind::KEYED, "tests/whole/machine/regressions-key.txt");
}

#[test]
fn histories_without_one_whose_search_lags() {
    histories_of(Kind::LAGGING, "tests/whole/machine/regressions-search.txt");
}

#[test]
fn histories_over_jira() {
    histories_of(Kind::Jira, "tests/whole/machine/regressions-jira.txt");
}
