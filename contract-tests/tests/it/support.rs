//! Runs the suite and says briefly what came of it.

use contract_tests::run::{CheckRun, Outcome, Run, Selection, run};
use contract_tests::target::Target;

/// The simulator in this process.
pub(crate) fn in_process(readings: &[(&str, &str)]) -> Target {
    let readings: Vec<_> =
        readings.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect();
    Target::in_process(&readings).unwrap()
}

/// Everything, on a simulator.
pub(crate) fn run_all(target: &Target) -> Run {
    run(target, &Selection::default(), 2, &|_| {}).unwrap()
}

/// The checks that did not end as wanted, each with how it did.
pub(crate) fn unless(run: &Run, wanted: impl Fn(&Outcome) -> bool) -> Vec<String> {
    run.checks.iter().filter(|check| !wanted(&check.outcome)).map(described).collect()
}

/// A check and how it ended.
pub(crate) fn described(run: &CheckRun) -> String {
    let last =
        run.exchanges.last().map(|exchange| format!("\n    {exchange}\n    {}", exchange.reply_body()));
    format!("{}: {:?}{}", run.check.path(), run.outcome, last.unwrap_or_default())
}
