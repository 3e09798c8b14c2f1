//! Readings: each probe tells every value apart, and no check convicts anybody of one.

use std::sync::Arc;

use contract_tests::run::{Outcome, Parts, ProbeRun, Run, Selection, run};
use contract_tests::suite::vendor_of;
use contract_tests::target::Target;
use fixtures::spec::{Reading, readings};
use globset::Glob;

use crate::support::{described, in_process};

/// A reading with a value that is not its default, and what the suite came to on a server with that value.
struct Tried {
    reading: &'static Reading,
    value: &'static str,
    checks: Run,
    probe: Run,
}

/// Tries every value that is not a default; `READING` limits that to readings whose id contains its text.
fn problems_under_each_value(problem: impl Fn(&Tried) -> Option<String> + Sync) -> Vec<String> {
    let only = std::env::var("READING").unwrap_or_default();
    let others = |reading: &'static Reading| {
        let values = reading.values.iter().map(|known| known.value);
        values.filter(|value| *value != reading.default).map(move |value| (reading, value))
    };
    let values: Vec<(&Reading, &str)> =
        readings().filter(|reading| reading.id.contains(&only)).flat_map(others).collect();
    // One server for all: each value has sandboxes of its own.
    let server = in_process(&[]);
    let problem_of = |(reading, value): &(&'static Reading, &'static str)| {
        let choice = [(reading.id.to_owned(), (*value).to_owned())];
        let transport = Arc::clone(&server.transport);
        let target =
            Target::simulator("in-process", transport, "http://localhost", None, &choice).unwrap().unwrap();
        let vendor = vendor_of(reading.id).to_owned();
        let checks = Selection { vendor: Some(vendor), parts: Parts::Checks, ..Selection::default() };
        let probe = Glob::new(&format!("*/readings/{}", reading.id)).unwrap().compile_matcher();
        let probe = Selection { parts: Parts::Probes, only: Some(probe), ..Selection::default() };
        let tried = |selection| run(&target, selection, 1, &|_| {}).unwrap();
        problem(&Tried { reading, value, checks: tried(&checks), probe: tried(&probe) })
    };
    let (first, second) = values.split_at(values.len() / 2);
    std::thread::scope(|scope| {
        let problem_of = &problem_of;
        let other = scope.spawn(move || second.iter().filter_map(problem_of).collect::<Vec<_>>());
        let mut problems: Vec<String> = first.iter().filter_map(problem_of).collect();
        problems.extend(other.join().unwrap());
        problems
    })
}

fn shown(probe: &ProbeRun) -> String {
    match &probe.value {
        Ok(value) => (*value).to_owned(),
        Err(outcome) => format!("{outcome:?}"),
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "runs the whole suite hundreds of times: use cargo test --release")]
fn under_every_value_no_check_convicts_and_the_probe_tells_the_value() {
    let problems = problems_under_each_value(|tried| {
        let convicted: Vec<String> =
            tried.checks.checks.iter().filter(|check| check.outcome.is_broken()).map(described).collect();
        let told: Vec<String> = tried.probe.probes.iter().map(shown).collect();
        let mut problems = Vec::new();
        if !convicted.is_empty() {
            problems.push(format!("convicted by {}", convicted.join("\n  ")));
        }
        if told != [tried.value] {
            problems.push(format!("the probe tells {told:?}"));
        }
        (!problems.is_empty())
            .then(|| format!("{}={}: {}", tried.reading.id, tried.value, problems.join("; ")))
    });
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

/// By default a probe tells the default: a simulator that is set up otherwise is not what was asked for.
#[test]
fn by_default_every_probe_tells_the_default() {
    let run = run(&in_process(&[]), &Selection::default(), 2, &|_| {}).unwrap();
    let others: Vec<String> = run
        .probes
        .iter()
        .filter(|probe| !matches!(probe.value, Ok(value) if value == probe.probe.reading.default))
        .map(|probe| format!("{}: {}", probe.probe.reading.id, shown(probe)))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(!run.checks.iter().any(|check| matches!(check.outcome, Outcome::Differs(_))));
}
