//! The report as JUnit XML, for CI systems: a test suite per folder of checks.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{CheckReport, Ending, Report, source};

/// Writes the report.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for check in &report.checks {
        let group = check.path.rsplit_once('/').map_or("", |(group, _)| group);
        suites.entry(group).or_insert_with(|| TestSuite::new(group)).add_test_case(case(check));
    }
    let mut junit = quick_junit::Report::new(format!("contract-tests on {}", report.target));
    junit.set_time(Duration::from_millis(report.took_ms));
    junit.add_test_suites(suites.into_values());
    junit.serialize(out).map_err(io::Error::other)
}

fn case(check: &CheckReport) -> TestCase {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let status = match check.result {
        Ending::Held => TestCaseStatus::success(),
        Ending::Broken => failure(check, "broken"),
        Ending::NoAnswer => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(text(&check.reason));
            status
        }
        Ending::KnownFailure | Ending::Differs | Ending::NotExercised | Ending::Skipped => {
            let mut status = TestCaseStatus::skipped();
            let seen = check.seen.as_ref().map(|seen| format!("seen: {seen}"));
            let why: Vec<String> = [Some(check.result.name().to_owned()), check.reason.clone(), seen]
                .into_iter()
                .flatten()
                .collect();
            status.set_message(why.join("; "));
            status
        }
    };
    let (group, name) = check.path.rsplit_once('/').unwrap_or(("", &check.path));
    let mut case = TestCase::new(name, status);
    case.set_classname(group.replace('/', "."));
    case.set_time(Duration::from_millis(check.took_ms));
    case.set_assertions(check.observations.unwrap_or_default());
    case
}

fn failure(check: &CheckReport, kind: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let (expected, seen) =
        (check.expected.clone().unwrap_or_default(), check.seen.clone().unwrap_or_default());
    status.set_message(format!("{}: {}", check.rule.id, check.rule.text)).set_type(kind);
    let mut details = format!("expected: {expected}\nseen: {seen}\nsource: {}\n", source(check.rule));
    if let Some(exchange) = &check.exchange {
        details.push_str(&format!(
            "request: {}\n{}\nreply: {}\n{}\n",
            exchange.request, exchange.request_body, exchange.reply, exchange.reply_body
        ));
    }
    status.set_description(details);
    status
}
