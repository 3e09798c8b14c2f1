//! Readings: each probe tells every value apart, and no check convicts anybody of one.

use contract_tests::run::{Outcome, ProbeRun, Run, Selection, run};
use contract_tests::target::Target;
use fixtures::spec::{Reading, readings};

use crate::support::{described, in_process};

/// Every value of every reading whose id contains what `READING` says, on a server with that value.
fn under_each_value(look: impl Fn(&Reading, &str, &Run) -> Option<String> + Sync) -> Vec<String> {
    let only = std::env::var("READING").unwrap_or_default();
    let values: Vec<(&Reading, &str)> = readings()
        .filter(|reading| reading.id.contains(&only))
        .flat_map(|reading| reading.values.iter().map(move |known| (reading, known.value)))
        .collect();
    // One server for all: each value has sandboxes of its own.
    let server = in_process(&[]);
    let problem = |(reading, value): &(&Reading, &str)| {
        let choice = [(reading.id.to_owned(), (*value).to_owned())];
        let transport = std::sync::Arc::clone(&server.transport);
        let target =
            Target::simulator("in-process", transport, "http://localhost", None, &choice).unwrap().unwrap();
        look(reading, value, &run(&target, &Selection::default(), 1, &|_| {}).unwrap())
    };
    let (first, second) = values.split_at(values.len() / 2);
    std::thread::scope(|scope| {
        let problem = &problem;
        let other = scope.spawn(move || second.iter().filter_map(problem).collect::<Vec<_>>());
        let mut problems: Vec<String> = first.iter().filter_map(problem).collect();
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
fn under_every_value_no_check_convicts_and_the_probe_tells_the_value() {
    let problems = under_each_value(|reading, value, run| {
        let convicted: Vec<String> =
            run.checks.iter().filter(|check| check.outcome.is_broken()).map(described).collect();
        let probe = run.probes.iter().find(|probe| probe.probe.reading.id == reading.id);
        let told = probe.map(shown);
        let mut problems = Vec::new();
        if !convicted.is_empty() {
            problems.push(format!("convicted by {}", convicted.join("\n  ")));
        }
        // Every reading of Data Theorem has a probe.
        let must_tell = reading.id.starts_with("dt.") || told.is_some();
        if must_tell && told.as_deref() != Some(value) {
            problems.push(format!("the probe tells {told:?}"));
        }
        (!problems.is_empty()).then(|| format!("{}={value}: {}", reading.id, problems.join("; ")))
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
