//! An account that is somebody's: read-only unless allowed, and afterwards as it was before.

mod redaction;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use contract_tests::known_failures::KnownFailures;
use contract_tests::report::{Conclusion, Ending, Report};
use contract_tests::run::{Outcome, Run, Selection, run};
use contract_tests::saboteurs::layers::json_reply;
use contract_tests::suite::check::Needs;
use contract_tests::target::account::Account;
use contract_tests::target::exchange::{NoAnswer, Reply, Request};
use contract_tests::target::transport::{SharedTransport, Transport};
use contract_tests::target::{Kind, Target, Writes};
use globset::Glob;
use mock_server::{Control, MockServer};
use serde_json::json;

use crate::support::unless;

/// The app that may be changed.
const APP: &str = "643020001";
/// The Jira project that may be changed.
const PROJECT: &str = "SEC";

/// A healthy server without an admin plane; keeps requests that could change something.
struct Vendor {
    inner: contract_tests::target::transport::InProcess,
    written: Mutex<Vec<Request>>,
}

impl Vendor {
    /// What could have changed something, up to now.
    fn written(&self) -> Vec<Request> {
        self.written.lock().unwrap().clone()
    }

    /// The same of Data Theorem alone.
    fn written_to_data_theorem(&self) -> Vec<Request> {
        self.written().into_iter().filter(|request| request.path().starts_with("/apis/")).collect()
    }
}

/// Whether a request could change something: by its method, or by what Mend calls it.
fn could_write(request: &Request) -> bool {
    if ["/apis/", "/rest/"].iter().any(|start| request.path().starts_with(start)) {
        return request.method != http::Method::GET;
    }
    match mend_type(request).as_str() {
        // It makes a token, in spite of its name.
        "getIntegrationActivationToken" => true,
        request_type => !["", "get", "fetch"].contains(&verb_of(request_type)),
    }
}

/// What stands before the first capital letter.
fn verb_of(request_type: &str) -> &str {
    request_type.split(|letter: char| letter.is_ascii_uppercase()).next().unwrap_or_default()
}

/// Mend's name of a request; empty if it has none.
fn mend_type(request: &Request) -> String {
    let body = request.body_json().unwrap_or_default();
    body["requestType"].as_str().unwrap_or_default().to_owned()
}

impl Transport for Vendor {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        if request.path().starts_with("/__admin") {
            return Ok(json_reply(404, &json!({"error": "no such page"})));
        }
        if could_write(&request) {
            self.written.lock().unwrap().push(request.clone());
        }
        self.inner.send(request)
    }
}

fn vendor(writes: Writes) -> (Target, Control, Arc<Vendor>) {
    vendor_with("contract", writes)
}

fn vendor_with(world: &str, writes: Writes) -> (Target, Control, Arc<Vendor>) {
    // Under a system clock no two statuses of a target are of the same moment.
    let clock = "system".parse().unwrap();
    let server = MockServer::builder().world(world).page_size(12).clock(clock).in_process().unwrap();
    let (data_theorem, mend, jira) = (server.data_theorem(), server.mend(), server.jira());
    let control = server.control();
    let variable = |name: &str| {
        let value = match name {
            "DATA_THEOREM_BASE_URL" => data_theorem.base_url(),
            "DATA_THEOREM_API_KEY" => data_theorem.api_key(),
            "MEND_URL" => mend.url(),
            "MEND_USER_KEY" => mend.user_key(),
            "MEND_ORG_TOKEN" => mend.org_token(),
            "JIRA_BASE_URL" => jira.base_url(),
            "JIRA_EMAIL" => jira.email(),
            "JIRA_API_TOKEN" => jira.api_token(),
            _ => jira.project(),
        };
        Some(value.to_owned())
    };
    let account = Account::from_variables(variable).unwrap();
    let inner = contract_tests::target::transport::InProcess::new(server).unwrap();
    let vendor = Arc::new(Vendor { inner, written: Mutex::default() });
    let transport: SharedTransport = vendor.clone();
    let kind = Kind::Account { account: Box::new(account), writes, is_vendor: true };
    (Target { name: "env".to_owned(), transport, kind }, control, vendor)
}

fn run_all(target: &Target) -> Run {
    run(target, &Selection::default(), 4, &|_| {}).unwrap()
}

/// What checks that only read need is there; the others are skipped with a reason.
#[test]
fn without_permission_nothing_is_changed() {
    let (target, control, vendor) = vendor(Writes::default());
    let before = control.export_world();
    let run = run_all(&target);
    assert!(vendor.written_to_data_theorem().is_empty());
    assert_eq!(control.export_world(), before);
    let wrong: Vec<String> = unless(&run, |outcome| {
        matches!(outcome, Outcome::Held(_) | Outcome::Skipped(_) | Outcome::NotExercised(_))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    for check in &run.checks {
        let is_skipped = matches!(check.outcome, Outcome::Skipped(_));
        assert_eq!(is_skipped, check.check.needs != Needs::Reading, "{:?}", check.check);
    }
    let report = Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, false);
    assert_eq!(report.conclusion(), Conclusion::Held);
}

/// The scenes for people keep the rules too, as far as reading shows.
#[test]
fn the_scenes_are_innocent() {
    for scene in ["demo", "one-open", "two-pages", "mend-every-match-type", "mend-old-project"] {
        let (target, _control, _vendor) = vendor_with(scene, Writes::default());
        let convicted: Vec<String> = unless(&run_all(&target), |outcome| !outcome.is_broken());
        assert!(convicted.is_empty(), "{scene}: {convicted:#?}");
    }
}

/// Everything but histories and the dates that writing moves: those can't be put back.
fn what_can_be_put_back(control: &Control) -> Vec<(String, String, Option<String>)> {
    let world = control.export_world();
    let targets = world.data_theorem.security_finding_targets.iter();
    let shown = targets.map(|target| {
        let status =
            target.statuses.iter().max_by_key(|entry| entry.date).map(|entry| entry.status.to_string());
        (target.id.clone(), status.unwrap_or_default(), target.external_id.clone())
    });
    let mend = &world.mend;
    let policies = mend.policies.iter().map(|policy| (policy.id.to_string(), policy.name.clone(), None));
    let tags =
        mend.projects.iter().map(|project| (project.token().to_owned(), format!("{:?}", project.tags), None));
    let alerts = mend.alerts.iter().map(|alert| (alert.uuid.clone(), format!("{:?}", alert.status), None));
    let issues = world.jira.issues.iter().map(|issue| (issue.key.clone(), format!("{issue:?}"), None));
    shown.chain(policies).chain(tags).chain(alerts).chain(issues).collect()
}

/// The app and the project that may be changed; the project has alerts.
fn named() -> Writes {
    let server = MockServer::builder().world("contract").in_process().unwrap();
    let world = server.control().export_world().mend;
    let alerts_of = |token: &str| world.alerts.iter().filter(|alert| alert.project_token == token).count();
    let project = world
        .projects
        .iter()
        .map(fixtures::world::mend::ProjectSpec::token)
        .max_by_key(|token| alerts_of(token));
    let project = project.unwrap().to_owned();
    Writes {
        mobile_app_id: Some(APP.to_owned()),
        project_token: Some(project),
        jira_project: Some(PROJECT.to_owned()),
    }
}

#[test]
fn with_permission_what_was_changed_is_put_back() {
    let writes = named();
    let (target, control, vendor) = vendor(writes);
    let before = what_can_be_put_back(&control);
    let run = run_all(&target);
    assert!(vendor.written_to_data_theorem().len() > 20);
    let left: Vec<_> = run.checks.iter().flat_map(|check| check.left_behind.clone()).collect();
    assert!(left.is_empty(), "{left:#?}");
    let changed: Vec<_> =
        what_can_be_put_back(&control).into_iter().filter(|row| !before.contains(row)).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    assert!(vendor.written().iter().any(|request| request.path().ends_with("/rest/api/3/issue")));
    let wrong = unless(&run, |outcome| {
        matches!(outcome, Outcome::Held(_) | Outcome::Skipped(_) | Outcome::NotExercised(_))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    let held =
        run.checks.iter().filter(|check| check.check.needs == Needs::Writing && check.outcome.is_held());
    assert!(held.count() > 10);
}

/// What an account answered is somebody's: without permission it is in no report.
#[test]
fn reports_of_an_account_show_no_bodies_unless_asked() {
    let (mut target, _control, _vendor) = vendor(Writes::default());
    let saboteur = contract_tests::saboteurs::saboteurs();
    let saboteur = saboteur.iter().find(|one| one.check == "data-theorem/targets/link-shape").unwrap();
    target.transport = saboteur.sabotage(target.transport);
    let run = run_all(&target);
    for with_bodies in [false, true] {
        let report =
            Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, with_bodies);
        assert_eq!(report.conclusion(), Conclusion::Convicted);
        let broken = report.checks.iter().find(|check| check.result == Ending::Broken).unwrap();
        let text = serde_json::to_string(broken).unwrap();
        assert_eq!(text.contains("com.example.larkfield"), with_bodies, "{text}");
    }
}

/// Every request that could change something is about the app or the project that was named.
#[test]
fn nothing_is_changed_elsewhere() {
    let writes = named();
    let (target, control, vendor) = vendor(writes.clone());
    let world = control.export_world();
    run_all(&target);
    let project = writes.project_token.unwrap();
    let before: BTreeSet<String> = world.jira.issues.iter().map(|issue| issue.key.clone()).collect();
    let (findings, targets) =
        (&world.data_theorem.security_findings, &world.data_theorem.security_finding_targets);
    let mut of_app: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| finding.mobile_app_id == APP)
        .map(|finding| finding.id.as_str())
        .collect();
    let targets = targets.iter().filter(|target| of_app.contains(target.security_finding_id.as_str()));
    let targets: Vec<&str> = targets.map(|target| target.id.as_str()).collect();
    of_app.extend(targets);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for request in vendor.written() {
        let body = request.body_json().unwrap_or_default();
        let request_type = mend_type(&request);
        let is_of_what_was_named = if request.path().starts_with("/apis/") {
            request.path().split('/').any(|part| of_app.contains(part))
        } else if request.path().starts_with("/rest/") {
            is_of_own_issues(&request, &body, &before)
        } else if body.get("alertUuids").is_some() {
            let alerts = body["alertUuids"].as_array().unwrap();
            alerts.iter().all(|uuid| {
                let alert = world.mend.alerts.iter().find(|alert| uuid == alert.uuid.as_str());
                alert.is_some_and(|alert| alert.project_token == project)
            })
        } else {
            body["projectToken"] == project.as_str()
        };
        assert!(is_of_what_was_named, "{} {} {body}", request.method, request.path());
        *seen
            .entry(if request_type.is_empty() { request.method.to_string() } else { request_type })
            .or_default() += 1;
    }
    for expected in [
        "PATCH",
        "POST",
        "PUT",
        "DELETE",
        "addProjectPolicy",
        "removeProjectPolicies",
        "saveProjectTag",
        "setAlertsStatus",
    ] {
        assert!(seen.contains_key(expected), "{expected} was never tried: {seen:?}");
    }
}

/// Whether a request to Jira is about issues that the suite makes in the project that was named, or about none.
fn is_of_own_issues(request: &Request, body: &serde_json::Value, before: &BTreeSet<String>) -> bool {
    let parts: Vec<&str> = request.path().split('/').skip(4).collect();
    let is_named = |update: &serde_json::Value| {
        let key = update["fields"]["project"]["key"].as_str();
        key.is_none_or(|key| [PROJECT, "NOSUCHPROJECT"].contains(&key))
    };
    match parts.as_slice() {
        ["issue"] => is_named(body),
        ["issue", "bulk"] => body["issueUpdates"].as_array().is_some_and(|all| all.iter().all(is_named)),
        ["issue", key, ..] => key.starts_with(&format!("{PROJECT}-")) && !before.contains(*key),
        _ => false,
    }
}

/// What puts something back comes after the verdict and is no evidence of it.
#[test]
fn the_exchange_that_is_shown_is_the_checks_own() {
    let (mut target, _control, _vendor) = vendor(named());
    let saboteurs = contract_tests::saboteurs::saboteurs();
    let path = "data-theorem/targets/patch-nothing-else";
    target.transport =
        saboteurs.iter().find(|one| one.check == path).unwrap().sabotage(Arc::clone(&target.transport));
    let run = run(&target, &only(path), 1, &|_| {}).unwrap();
    let report = Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, false);
    let exchange = report.checks[0].exchange.as_ref().unwrap();
    assert_eq!(report.checks[0].result, Ending::Broken);
    assert!(exchange.request.starts_with("GET "), "{exchange:?}");
}

/// Refuses to remove policies, as Mend refuses: with the status 200.
struct KeepsPolicies {
    inner: SharedTransport,
}

impl Transport for KeepsPolicies {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        if mend_type(&request).starts_with("remove") {
            return Ok(json_reply(200, &json!({"errorCode": 5001, "errorMessage": "no"})));
        }
        self.inner.send(request)
    }
}

#[test]
fn what_mend_refuses_to_put_back_is_named() {
    let (mut target, _control, _vendor) = vendor(named());
    target.transport = Arc::new(KeepsPolicies { inner: target.transport });
    let run = run(&target, &only("mend/policies/add"), 1, &|_| {}).unwrap();
    let report = Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, false);
    assert_eq!(report.left_behind.len(), 1, "{:?}", report.left_behind);
    assert_eq!(report.conclusion(), Conclusion::CouldNotRun);
}

/// Refuses to put an `external_id` back.
struct KeepsLinks {
    inner: SharedTransport,
}

impl Transport for KeepsLinks {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        let link = request.body_json().unwrap_or_default()["external_id"].as_str().map(str::to_owned);
        if request.method == http::Method::PATCH
            && link.is_some_and(|link| link.is_empty() || link.starts_with("SEC"))
        {
            return Ok(json_reply(403, &json!({})));
        }
        self.inner.send(request)
    }
}

#[test]
fn what_a_probe_could_not_put_back_is_named() {
    let (mut target, _control, _vendor) = vendor(named());
    target.transport = Arc::new(KeepsLinks { inner: target.transport });
    let run = run(&target, &only("data-theorem/readings/dt.external-id-bumps*"), 1, &|_| {}).unwrap();
    let report = Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, false);
    assert_eq!(report.readings.len(), 1);
    assert!(!report.left_behind.is_empty(), "{report:#?}");
    assert_eq!(report.conclusion(), Conclusion::CouldNotRun);
}

fn only(path: &str) -> Selection {
    Selection { only: Some(Glob::new(path).unwrap().compile_matcher()), ..Selection::default() }
}
