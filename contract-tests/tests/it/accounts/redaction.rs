//! What an account answers is somebody's: no report shows it, whatever breaks, unless bodies were asked for.

use std::sync::Arc;

use contract_tests::known_failures::KnownFailures;
use contract_tests::report::{Ending, Report, github, html, json, junit, terminal};
use contract_tests::run::{Parts, Run, Selection, run};
use contract_tests::saboteurs::layers::json_reply;
use contract_tests::saboteurs::saboteurs;
use contract_tests::suite::check::{Check, Needs};
use contract_tests::suite::checks;
use contract_tests::target::exchange::{NoAnswer, Reply, Request};
use contract_tests::target::transport::{SharedTransport, Transport};
use contract_tests::target::{Target, Writes};
use globset::Glob;
use serde_json::{Value, json};

use super::{could_write, named, vendor};

/// Stands at the end of every text that somebody wrote.
const CANARY: &str = "-canary";

/// Members whose texts name a thing or are of a fixed vocabulary: reports may show them.
const NAMES: [&str; 12] = [
    "id", "uuid", "token", "cursor", "sha1", "href", "status", "type", "severity", "level", "role", "message",
];

/// An account in which every text ends with the canary. Requests may quote it back.
struct Marked {
    inner: SharedTransport,
}

impl Transport for Marked {
    fn send(&self, mut request: Request) -> Result<Reply, NoAnswer> {
        request.url = request.url.replace(CANARY, "");
        request.body = String::from_utf8_lossy(&request.body).replace(CANARY, "").into_bytes().into();
        let mut reply = self.inner.send(request)?;
        if let Some(mut json) = reply.json() {
            mark("", &mut json);
            reply.body = json.to_string().into();
        }
        Ok(reply)
    }
}

fn mark(name: &str, value: &mut Value) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| mark(name, member)),
        Value::Array(items) => items.iter_mut().for_each(|item| mark(name, item)),
        Value::String(text) if is_written_by_somebody(name, text) => text.push_str(CANARY),
        _ => {}
    }
}

fn is_written_by_somebody(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_vocabulary = NAMES.iter().any(|ending| name.ends_with(ending))
        || matches!(text, "true" | "false")
        || text.parse::<jiff::Timestamp>().is_ok();
    !is_vocabulary && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn marked(writes: Writes) -> Target {
    let (mut target, _control, vendor) = vendor(writes);
    target.transport = Arc::new(Marked { inner: vendor });
    target
}

/// A run in every form in which it is shown.
fn shown(target: &Target, run: &Run, with_bodies: bool) -> [(&'static str, String); 6] {
    let report =
        Report::new(target, run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, with_bodies);
    let text = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    [
        ("terminal", text(&|out| terminal::write(&report, out))),
        ("JSON", text(&|out| json::write(&report, out))),
        ("JUnit", text(&|out| junit::write(&report, out))),
        ("HTML", text(&|out| html::write(&report, out))),
        ("GitHub annotations", text(&|out| github::annotate(&report, out))),
        ("GitHub summary", text(&|out| github::summarize(&report, out))),
    ]
}

fn lines_with_canary(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains(CANARY)).collect()
}

/// Whatever breaks: each check that is tried on an account, under the saboteur that it has to convict.
#[test]
fn no_report_of_a_conviction_shows_what_somebody_wrote() {
    let writes = named();
    let tried = |check: &&Check| matches!(check.needs, Needs::Reading | Needs::Writing);
    let tried: Vec<String> = checks().filter(tried).map(Check::path).collect();
    let (mut leaks, mut convicted, mut with_bodies) = (Vec::new(), 0, 0);
    for saboteur in saboteurs().iter().filter(|one| tried.iter().any(|path| path == one.check)) {
        let mut target = marked(writes.clone());
        target.transport = saboteur.sabotage(target.transport);
        let only = Glob::new(saboteur.check).unwrap().compile_matcher();
        let selection = Selection { only: Some(only), parts: Parts::Checks, ..Selection::default() };
        let run = run(&target, &selection, 1, &|_| {}).unwrap();
        convicted += usize::from(run.checks.iter().any(|check| check.outcome.is_broken()));
        for (form, text) in shown(&target, &run, false) {
            for line in lines_with_canary(&text) {
                leaks.push(format!("{} in {form}: {}", saboteur.check, line.trim()));
            }
        }
        with_bodies += usize::from(shown(&target, &run, true).iter().any(|(_, text)| text.contains(CANARY)));
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    // The others need what this account does not show. With bodies the canary is seen, so it could have been.
    eprintln!("{convicted} of {} are convicted, {with_bodies} show the canary with bodies", tried.len());
    assert!(convicted > 180 && with_bodies > 150);
}

/// Refuses whatever could change something, and says so in the account's words.
struct ReadOnly {
    inner: SharedTransport,
}

impl Transport for ReadOnly {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        if !could_write(&request) {
            return self.inner.send(request);
        }
        let why = format!("somebody{CANARY} may only read");
        Ok(if request.path().starts_with("/apis/") {
            json_reply(403, &json!({"error": {"code": 403, "message": why}}))
        } else if request.path().starts_with("/rest/") {
            json_reply(403, &json!({"errorMessages": [why], "errors": {}}))
        } else {
            json_reply(200, &json!({"errorCode": 5001, "errorMessage": why}))
        })
    }
}

/// Nor does what is said of checks that came to nothing, and of readings.
#[test]
fn no_report_of_what_came_to_nothing_shows_what_somebody_wrote() {
    let mut target = marked(named());
    target.transport = Arc::new(ReadOnly { inner: target.transport });
    let run = run(&target, &Selection::default(), 1, &|_| {}).unwrap();
    let report = Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, false);
    assert!(report.count(Ending::Held) > 100 && report.count(Ending::NotExercised) > 20);
    for (form, text) in shown(&target, &run, false) {
        let lines = lines_with_canary(&text);
        assert!(lines.is_empty(), "{form}: {lines:#?}");
    }
    assert!(
        shown(&target, &run, true)
            .iter()
            .all(|(form, text)| { text.contains(CANARY) || form.starts_with("GitHub") })
    );
}
