//! Servers that do nothing pass nothing.

use std::sync::Arc;

use bytes::Bytes;
use contract_tests::run::{Outcome, Selection, run};
use contract_tests::saboteurs::layers::{ALL_PATHS, Layer, Sabotaged};
use contract_tests::suite::checks;
use contract_tests::target::account::Account;
use contract_tests::target::exchange::{NoAnswer, Reply, Request};
use contract_tests::target::transport::Transport;
use contract_tests::target::{Kind, Target, Writes};
use http::HeaderMap;

use crate::support::{in_process, unless};

/// Answers 200 and an empty object to everything.
#[expect(clippy::unnecessary_wraps, reason = "an answer like that of the dead server")]
fn null(_: Request) -> Result<Reply, NoAnswer> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    Ok(Reply { status: 200, headers, body: Bytes::from_static(b"{}") })
}

/// Closes every connection.
fn dead(_: Request) -> Result<Reply, NoAnswer> {
    Err(NoAnswer("connection closed".to_owned()))
}

type Answer = fn(Request) -> Result<Reply, NoAnswer>;

struct Worthless(Answer);

impl Transport for Worthless {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        (self.0)(request)
    }
}

/// An account there, in which everything may be changed.
fn account(answer: Answer) -> Target {
    let variable = |name: &str| Some(if name.ends_with("URL") { "http://localhost" } else { "x" }.to_owned());
    let account = Account::from_variables(variable).unwrap();
    let writes = Writes {
        mobile_app_id: Some("1".to_owned()),
        project_token: Some("x".to_owned()),
        jira_project: Some("x".to_owned()),
    };
    Target {
        name: "worthless".to_owned(),
        transport: Arc::new(Worthless(answer)),
        kind: Kind::Account { account: Box::new(account), writes, is_vendor: false },
    }
}

/// A simulator whose admin plane works and whose vendors are worthless: here no check is skipped.
fn behind_a_plane(answer: Answer) -> Target {
    let layer: Layer = Arc::new(move |request, _| answer(request));
    let inner = Arc::clone(&in_process(&[]).transport);
    let transport = Arc::new(Sabotaged { inner, paths: ALL_PATHS, layer });
    Target::simulator("worthless", transport, "http://localhost", None, &[]).unwrap().unwrap()
}

#[test]
fn the_null_server_and_the_dead_server_pass_nothing() {
    for (name, answer) in [("null", null as Answer), ("dead", dead as Answer)] {
        for target in [account(answer), behind_a_plane(answer)] {
            let run = run(&target, &Selection::default(), 2, &|_| {}).unwrap();
            assert_eq!(run.checks.len(), checks().count());
            let passed = unless(&run, |outcome| !outcome.is_held());
            assert!(passed.is_empty(), "the {name} server passes {passed:#?}");
            let seen: Vec<_> = run.probes.iter().filter(|probe| probe.value.is_ok()).collect();
            assert!(seen.is_empty(), "the {name} server shows readings: {seen:?}");
            let is_dead = name == "dead";
            let convicted = unless(&run, |outcome| !outcome.is_broken());
            assert!(!is_dead || convicted.is_empty(), "no answer is no evidence: {convicted:#?}");
            assert!(!run.checks.iter().any(|check| matches!(check.outcome, Outcome::Differs(_)) && is_dead));
        }
    }
}
