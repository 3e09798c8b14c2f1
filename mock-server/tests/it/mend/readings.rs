//! Every reading makes a difference, and the one the ledger describes.
//!
//! One row per reading: how to look, and what is seen under each of its values. The rooms are those of the ledger.

macro_rules! cases {
    ($($reading:literal: |$api:ident| $look:expr => { $($value:literal: $seen:literal),+ })+) => {
        vec![$(super::Case {
            reading: $reading,
            look: |$api| Box::pin(async move { String::from($look) }),
            seen: &[$(($value, $seen)),+],
        }),+]
    };
}

mod changes;
mod envelope;
mod external;
mod fetch;
mod matches;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use fixtures::builders::mend::{library, licenses, policy, product, project, user, vulnerability};
use fixtures::builders::{WorldBuilder, days, world};
use fixtures::scenes::{self, SceneContext};
use fixtures::spec;
use fixtures::world::WorldSpec;
use fixtures::world::mend::{Event, Filter, LibraryUse, Role};
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

/// Tokens and names of [`account`] and [`plain`].
const PRODUCT: &str = "wallet";
const PROJECT: &str = "api";
const VULNERABILITY: &str = "EXAMPLE-2024-0001";
const AUDITOR: &str = "auditor@example.com";

/// A reading, a way to see it, and what is seen under each value.
struct Case {
    reading: &'static str,
    look: fn(Api) -> Pin<Box<dyn Future<Output = String>>>,
    seen: &'static [(&'static str, &'static str)],
}

/// One row per reading.
fn cases() -> Vec<Case> {
    let rooms = [fetch::cases(), matches::cases(), changes::cases(), external::cases(), envelope::cases()];
    rooms.into_iter().flatten().collect()
}

/// Puts another scene in place.
fn playing(api: &Api, scene: &str) {
    let context = SceneContext { seed: 1, epoch: api.control().epoch(), page_size: 100 };
    api.control().replace_world(scenes::build(scene, context).unwrap()).unwrap();
}

/// Puts another world in place.
fn put(api: &Api, world: WorldSpec) {
    api.control().replace_world(world).unwrap();
}

/// An administrator, an auditor and a product, for worlds that differ in the rest.
fn account(api: &Api) -> WorldBuilder {
    world(api.control().epoch())
        .mend_user(user("sync"))
        .mend_user(user("auditor").role(Role::Auditor))
        .mend_product(product("Wallet").token(PRODUCT))
        .mend_vulnerability(vulnerability(VULNERABILITY).cvss2(7.5).cvss3(9.8))
}

/// A project with a library under copyleft, one that has a vulnerability, and one without either; the first two
/// are matched by a policy of the product and one of the organization.
fn plain(api: &Api) {
    put(
        api,
        account(api)
            .mend_project(
                project("Api")
                    .token(PROJECT)
                    .library(library("g", "copyleft", "1").licenses(["GPL 3.0", "MIT"]))
                    .library(library("g", "leaky", "1").vulnerability(VULNERABILITY))
                    .library(library("g", "harmless", "1")),
            )
            .mend_policy(policy("Copyleft", licenses(["GPL 3.0"])).on_product(PRODUCT))
            .mend_policy(policy("High", Filter::VulnerabilityScore { from: 7.0, to: 10.0 }))
            .build(),
    );
}

/// What a request came to: `ok`, or the code of the error and what it rests on.
fn outcome(reply: &Reply) -> String {
    let rule = reply.headers.get("x-mock-rule").map(|rule| rule.to_str().unwrap());
    match rule {
        None => "ok".to_owned(),
        Some(rule) => format!("{} {rule}", reply.json()["errorCode"]),
    }
}

/// What is seen of the reply, or why there is none.
fn seen_in(reply: &Reply, look: impl FnOnce(&Value) -> String) -> String {
    if outcome(reply) == "ok" { look(&reply.json()) } else { outcome(reply) }
}

/// The token of the world's first project.
fn first_project(api: &Api) -> String {
    api.control().export_world().mend.projects[0].token().to_owned()
}

/// `requestType` for the world's first project.
async fn ask(api: &Api, request_type: &str, mut fields: Value) -> Reply {
    fields["projectToken"] = json!(first_project(api));
    api.mend(request_type, fields).await
}

/// `requestType` for the organization.
async fn ask_organization(api: &Api, request_type: &str, mut fields: Value) -> Reply {
    fields["orgToken"] = json!(api.server.mend().org_token());
    api.mend(request_type, fields).await
}

/// `fetchProjectPolicyIssues` for the world's first project.
async fn fetch(api: &Api, fields: Value) -> Reply {
    ask(api, "fetchProjectPolicyIssues", fields).await
}

/// How many elements the list of a reply has, or why there is none.
fn count(reply: &Reply, list: &str) -> String {
    seen_in(reply, |body| body[list].as_array().unwrap().len().to_string())
}

/// Every policy violation: the policy's name and what is violated.
fn violations(reply: &Reply) -> String {
    let mut rows = Vec::new();
    for issue in reply.json()["issues"].as_array().unwrap() {
        for violation in issue["policyViolations"].as_array().unwrap() {
            let cause = ["license", "vulnerability"].map(|kind| violation[kind]["name"].as_str());
            let cause = cause.into_iter().flatten().next().unwrap_or("library");
            rows.push(format!("{} {cause}", issue["policy"]["name"].as_str().unwrap()));
        }
    }
    rows.sort();
    rows.join(", ")
}

/// The first policy violation of the world's first project.
async fn first_violation(api: &Api) -> Value {
    fetch(api, json!({})).await.mend_ok()["issues"][0]["policyViolations"][0].take()
}

/// The id of the library with this artifact.
fn key_uuid(api: &Api, artifact: &str) -> String {
    let libraries = api.control().export_world().mend.libraries;
    libraries.into_iter().find(|library| library.artifact_id == artifact).unwrap().key_uuid
}

/// A scan of the world's first project that finds a library, or does not find it any more.
fn scan(api: &Api, found: &[&str], missed: &[&str]) {
    let added = found.iter().map(|artifact| LibraryUse {
        key_uuid: key_uuid(api, artifact),
        is_direct: true,
        local_paths: Vec::new(),
        dependency_file: None,
        dependencies: BTreeSet::new(),
        ineffective_vulnerabilities: BTreeSet::new(),
    });
    let event = Event::Scan {
        project_token: first_project(api),
        added: added.collect(),
        removed: missed.iter().map(|artifact| key_uuid(api, artifact)).collect(),
        source_files_changed: false,
        comment: None,
    };
    let _ = api.control().happen(&event).unwrap();
}

/// Lets a day go by.
fn next_day(api: &Api) {
    let _ = api.control().advance(days(1));
}

fn playing_under(reading: &str, value: &str) -> Api {
    let builder = MockServer::builder().world("empty");
    Api::with(builder.reading(reading, value).unwrap())
}

#[test]
fn every_reading_of_the_ledger_has_a_case_for_every_value() {
    let ledger: BTreeMap<&str, BTreeSet<&str>> = spec::readings()
        .filter(|reading| reading.id.starts_with("mend."))
        .map(|reading| (reading.id, reading.values.iter().map(|known| known.value).collect()))
        .collect();
    let cases = cases();
    let covered: BTreeMap<&str, BTreeSet<&str>> = cases
        .iter()
        .map(|case| (case.reading, case.seen.iter().map(|(value, _)| *value).collect()))
        .collect();
    assert_eq!(covered.len(), cases.len(), "a reading has two cases");
    assert_eq!(covered, ledger);
    for case in cases {
        let distinct: BTreeSet<_> = case.seen.iter().map(|(_, seen)| seen).collect();
        assert_eq!(distinct.len(), case.seen.len(), "two values of {} look the same", case.reading);
    }
}

#[tokio::test]
async fn every_value_of_every_reading_shows_as_the_ledger_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (value, expected) in case.seen {
            let seen = (case.look)(playing_under(case.reading, value)).await;
            if seen != *expected {
                wrong.push(format!("{}={value}: expected {expected}, saw {seen}", case.reading));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Which matches stand hangs on these readings; choosing another value evaluates anew.
#[tokio::test]
async fn readings_about_what_stands_hold_for_what_is_there() {
    let api = Api::with(MockServer::builder().world("empty"));
    let severity = fixtures::world::mend::Severity::High;
    let high = policy("High", Filter::VulnerabilitySeverity { severity, effective_only: false });
    let leaky = library("g", "leaky", "1").vulnerability(VULNERABILITY);
    put(&api, account(&api).mend_project(project("Api").library(leaky)).mend_policy(high).build());
    let listed = async || count(&fetch(&api, json!({})).await, "issues");
    assert_eq!(listed().await, "0");
    api.control().set_readings([("mend.high-includes-critical", "yes")]).unwrap();
    assert_eq!(listed().await, "1");
    let alert_uuid = api.control().export_world().mend.alerts[0].uuid.clone();
    let _ = api.control().happen(&Event::AlertIgnored { alert_uuid, comments: None }).unwrap();
    assert_eq!(listed().await, "1");
    api.control().set_readings([("mend.ignored-alert-violation", "resolved")]).unwrap();
    assert_eq!(listed().await, "0");
    api.control().set_readings([("mend.ignored-alert-violation", "unaffected")]).unwrap();
    assert_eq!(listed().await, "1");
    api.control().set_readings([("mend.high-includes-critical", "no")]).unwrap();
    assert_eq!(listed().await, "0");
}

/// Rows that were rendered under another reading are rendered anew.
#[tokio::test]
async fn a_reading_can_be_changed_while_the_server_runs() {
    let api = Api::of("one-open");
    let key_of_link = async || {
        let policy = fetch(&api, json!({})).await.mend_ok()["issues"][0]["policy"].take();
        ["Url", "url"].into_iter().find(|key| policy.get(key).is_some()).unwrap()
    };
    let before = first_violation(&api).await;
    assert_eq!(key_of_link().await, "Url");
    api.control().set_readings([("mend.policy-url-key", "lower")]).unwrap();
    assert_eq!(key_of_link().await, "url");
    assert_eq!(first_violation(&api).await, before, "a match keeps its id");
    api.control().reset();
    assert_eq!(key_of_link().await, "url", "a reset keeps readings");
    let unknown = [("mend.policy-url-key", "capital"), ("mend.no-such-reading", "x")];
    assert!(api.control().set_readings(unknown).is_err());
    assert_eq!(key_of_link().await, "url", "all or none");
}
