//! What happens at Mend without a client, and where it shows.

mod hierarchy;
mod people;
mod products;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use fixtures::builders::mend::{library, licenses, policy, project, vulnerability};
use fixtures::world::mend::{
    AlertStatus, Cvss3Spec, Event, Filter, LibraryUse, RequestState, ViolationStatus, VulnerabilitySpec,
};
use jiff::SignedDuration;
use mock_server::vendors::happening::EventError;
use serde_json::{Value, json};

use super::common::{fetch, mend_world, of_organization, play, project as token_of, second, texts, world};
use crate::support::Api;

const HIGH: &str = "EXAMPLE-2025-0001";
const LOW: &str = "EXAMPLE-2025-0002";

fn uuid_of(artifact: &str) -> String {
    library("com.example", artifact, "1.0").key_uuid().to_owned()
}

/// Two projects with the same parser; one has a library under a licence that a policy matches, too. The clock shows
/// an hour after the epoch.
fn two_projects() -> Api {
    let of = |artifact: &str| library("com.example", artifact, "1.0");
    let parser = || of("parser").vulnerability(HIGH).vulnerability(LOW);
    let api = play(
        world()
            .mend_vulnerability(vulnerability(HIGH).cvss2(7.5).cvss3(9.8))
            .mend_vulnerability(vulnerability(LOW).cvss2(2.0).cvss3(3.1))
            .mend_library(of("new").license("GPL 2.0"))
            .mend_library(of("unused"))
            .mend_project(
                project("api")
                    .library(parser())
                    .library(of("copyleft").license("GPL 2.0"))
                    .library(of("plain")),
            )
            .mend_project(project("app").library(parser()))
            .mend_policy(policy("[License] Copyleft", licenses(["GPL 2.0"])))
            .mend_policy(policy("[Security] High", Filter::VulnerabilityScore { from: 7.0, to: 10.0 })),
    );
    api.control().advance(SignedDuration::from_hours(1));
    api
}

fn found(artifact: &str) -> LibraryUse {
    LibraryUse {
        key_uuid: uuid_of(artifact),
        is_direct: true,
        local_paths: vec![],
        dependency_file: None,
        dependencies: BTreeSet::new(),
        ineffective_vulnerabilities: BTreeSet::new(),
    }
}

fn scan(api: &Api, added: &[&str], removed: &[&str]) -> Event {
    Event::Scan {
        project_token: token_of(api, "api"),
        added: added.iter().map(|artifact| found(artifact)).collect(),
        removed: removed.iter().map(|artifact| uuid_of(artifact)).collect(),
        source_files_changed: false,
        comment: None,
    }
}

fn rescored(name: &str, score: Option<f64>, cvss3: Option<f64>) -> Event {
    let cvss3 = cvss3.map(|score| Cvss3Spec { score, vector: None });
    Event::VulnerabilityRescored { name: name.to_owned(), score, cvss3 }
}

fn published(name: &str, cvss3: f64, artifacts: &[&str]) -> Event {
    let vulnerability: VulnerabilitySpec = vulnerability(name).cvss3(cvss3).build(world().build().epoch);
    Event::VulnerabilityPublished {
        vulnerability: Box::new(vulnerability),
        key_uuids: artifacts.iter().map(|artifact| uuid_of(artifact)).collect(),
    }
}

/// Which projects were modified in this very second, and how.
async fn modified_now(api: &Api) -> BTreeMap<String, BTreeSet<String>> {
    let now = second(api.control().now().as_second());
    let fields = of_organization(api, json!({"fromDateTime": now, "toDateTime": now}));
    let answer = api.mend("getOrganizationLastModifiedProjects", fields).await.mend_ok();
    let world = mend_world(api);
    let mut modified: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in answer["lastModifiedProjects"].as_array().unwrap() {
        let project = world.projects.iter().find(|project| row["apiToken"] == project.token()).unwrap();
        let kinds = modified.entry(project.name.clone()).or_default();
        kinds.insert(row["modificationType"].as_str().unwrap().to_owned());
    }
    modified
}

fn only(rows: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
    let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect();
    rows.iter().map(|(project, list)| ((*project).to_owned(), kinds(list))).collect()
}

/// What is matched in a project, by artifact and name, with the violation's id and day.
async fn matched(api: &Api, project: &str) -> BTreeMap<(String, String), (String, String)> {
    let answer = fetch(api, &token_of(api, project)).await;
    let mut found = BTreeMap::new();
    for issue in answer["issues"].as_array().unwrap() {
        for violation in issue["policyViolations"].as_array().unwrap() {
            let what = violation.get("license").or(violation.get("vulnerability")).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let key = (text(&issue["library"]["artifactId"]), text(&what["name"]));
            found.insert(key, (text(&violation["issueUuid"]), text(&violation["created"])));
        }
    }
    found
}

fn names(matched: &BTreeMap<(String, String), (String, String)>) -> Vec<(&str, &str)> {
    matched.keys().map(|(artifact, name)| (artifact.as_str(), name.as_str())).collect()
}

async fn alerts(api: &Api, project: &str) -> Vec<Value> {
    let fields = json!({"projectToken": token_of(api, project), "alertType": "SECURITY_VULNERABILITY"});
    let answer = api.mend("getProjectAlertsByType", fields).await.mend_ok();
    answer["alerts"].as_array().unwrap().clone()
}

async fn vitals(api: &Api, project: &str) -> Value {
    let fields = json!({"projectToken": token_of(api, project)});
    api.mend("getProjectVitals", fields).await.mend_ok()["projectVitals"][0].clone()
}

async fn libraries_left(api: &Api, artifacts: &[&str]) -> Vec<String> {
    let key_uuids: Vec<String> = artifacts.iter().map(|artifact| uuid_of(artifact)).collect();
    let fields = json!({"projectToken": token_of(api, "api"), "keyUuids": key_uuids});
    let answer = api.mend("getProjectLibrariesInfo", fields).await.mend_ok();
    texts(&answer["libraries"], "/artifactId").into_iter().map(str::to_owned).collect()
}

/// The world as it is now is coherent, and another server that plays it answers the same.
async fn assert_reloads(api: &Api) {
    let world = api.control().export_world();
    assert_eq!(world.validate(), [], "the world is coherent");
    let again = Api::with(mock_server::MockServer::builder().world_spec(world.clone()));
    again.control().set_clock(api.control().now());
    assert_eq!(again.control().export_world().mend, world.mend);
    for project in &world.mend.projects {
        assert_eq!(fetch(&again, project.token()).await, fetch(api, project.token()).await);
    }
}

#[tokio::test]
async fn a_scan_that_finds_what_was_there_is_a_scan_and_nothing_else() {
    let api = two_projects();
    let before = mend_world(&api);
    let (matches_before, other_vitals) = (matched(&api, "api").await, vitals(&api, "app").await);
    let effects = api.control().happen(&scan(&api, &[], &[])).unwrap();
    assert_eq!((effects.opened_violations, effects.resolved_violations, effects.changed_alerts), (0, 0, 0));
    assert_eq!(modified_now(&api).await, only(&[("api", &["SCAN"])]));
    assert_eq!(matched(&api, "api").await, matches_before);
    assert_eq!(mend_world(&api).alerts, before.alerts);
    let shown = vitals(&api, "api").await;
    assert_eq!(shown["lastUpdatedDate"], "2026-01-15 01:00:00 +0000");
    assert_eq!(shown["requestToken"], effects.request_token.unwrap());
    assert_eq!(vitals(&api, "app").await, other_vitals);
    let product = api.mend("getOrganizationProductVitals", of_organization(&api, json!({}))).await.mend_ok();
    assert_eq!(product["productVitals"][0]["lastUpdatedDate"], "2026-01-15 01:00:00 +0000");
    assert_reloads(&api).await;
}

/// MEND-LIBRARIES-GONE, MEND-ALERTS-RESOLVED-BY-SCAN
#[tokio::test]
async fn a_scan_brings_and_takes_libraries_with_what_policies_match_of_them() {
    let api = two_projects();
    let before = matched(&api, "api").await;
    assert_eq!(names(&before), [("copyleft", "GPL 2.0"), ("parser", HIGH)]);
    let effects = api.control().happen(&scan(&api, &["new"], &["copyleft"])).unwrap();
    assert_eq!((effects.opened_violations, effects.resolved_violations), (1, 1));
    assert_eq!(effects.changed_projects, [token_of(&api, "api")]);
    assert_eq!(modified_now(&api).await, only(&[("api", &["INVENTORY", "POLICY_MATCH", "SCAN"])]));
    let after = matched(&api, "api").await;
    assert_eq!(names(&after), [("new", "GPL 2.0"), ("parser", HIGH)]);
    let (kept, key) = (&before, ("parser".to_owned(), HIGH.to_owned()));
    assert_eq!(after[&key], kept[&key], "what stays keeps its id and its day");
    assert_eq!(after[&("new".to_owned(), "GPL 2.0".to_owned())].1, "2026-01-15");
    assert_eq!(
        libraries_left(&api, &["parser", "copyleft", "new", "plain"]).await,
        ["parser", "new", "plain"]
    );

    api.control().advance(SignedDuration::from_hours(24));
    let alert = alerts(&api, "api").await.remove(0);
    let effects = api.control().happen(&scan(&api, &["copyleft"], &["parser", "new"])).unwrap();
    assert_eq!(effects.changed_alerts, 2);
    assert_eq!(modified_now(&api).await, only(&[("api", &["ALERTS", "INVENTORY", "POLICY_MATCH", "SCAN"])]));
    assert_eq!(alerts(&api, "api").await, Vec::<Value>::new());
    let resolved = mend_world(&api).alerts.into_iter().find(|row| alert["alertUuid"] == row.uuid).unwrap();
    assert_eq!(resolved.status, AlertStatus::Resolved);
    assert_eq!(alerts(&api, "app").await.len(), 2, "the other project still has it");
    let again = matched(&api, "api").await;
    let key = ("copyleft".to_owned(), "GPL 2.0".to_owned());
    assert_eq!(again[&key].1, "2026-01-16");
    assert_ne!(again[&key].0, before[&key].0, "what comes back has a new id");
    let inventory = &mend_world(&api).projects[0].inventory;
    let copyleft = inventory.iter().find(|used| used.key_uuid == uuid_of("copyleft")).unwrap();
    assert_eq!(copyleft.added, api.control().now(), "it was found anew");
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_library_that_is_found_in_another_way_stays_the_same_library() {
    let api = two_projects();
    let before = matched(&api, "api").await;
    let added = mend_world(&api).projects[0].inventory.clone();
    let mut event = scan(&api, &["copyleft"], &[]);
    let Event::Scan { added: uses, .. } = &mut event else { panic!("a scan") };
    uses[0].local_paths = vec!["lib/copyleft.jar".to_owned()];
    uses[0].dependencies = [uuid_of("plain")].into();
    api.control().happen(&event).unwrap();
    assert_eq!(modified_now(&api).await, only(&[("api", &["INVENTORY", "SCAN"])]));
    assert_eq!(matched(&api, "api").await, before);
    let after = mend_world(&api).projects[0].inventory.clone();
    let since = |rows: &[fixtures::world::mend::InventorySpec]| -> Vec<_> {
        rows.iter().map(|row| (row.key_uuid.clone(), row.added)).collect()
    };
    assert_eq!(since(&after), since(&added));
    let shown = fetch(&api, &token_of(&api, "api")).await;
    let issues = shown["issues"].as_array().unwrap();
    let copyleft = issues.iter().find(|issue| issue["library"]["artifactId"] == "copyleft").unwrap();
    assert_eq!(copyleft["library"]["localPaths"], json!(["lib/copyleft.jar"]), "and says where it lies now");
}

#[tokio::test]
async fn a_scan_may_say_something_about_itself_and_about_source_files() {
    let api = two_projects();
    let mut event = scan(&api, &[], &[]);
    let Event::Scan { source_files_changed, comment, .. } = &mut event else { panic!("a scan") };
    *source_files_changed = true;
    *comment = Some("nightly".to_owned());
    api.control().happen(&event).unwrap();
    assert_eq!(modified_now(&api).await, only(&[("api", &["SCAN", "SCAN_COMMENT", "SOURCE_FILE_MATCH"])]));
    assert_eq!(vitals(&api, "api").await["lastScanComment"], "nightly");
    api.control().advance(SignedDuration::from_secs(1));
    let Event::Scan { source_files_changed, .. } = &mut event else { panic!("a scan") };
    *source_files_changed = false;
    api.control().happen(&event).unwrap();
    assert_eq!(modified_now(&api).await, only(&[("api", &["SCAN"])]), "the same comment is no change");
    assert_reloads(&api).await;
}

/// MEND-SCAN-REQUEST-STATE
#[tokio::test]
async fn a_scan_that_has_begun_is_in_progress_until_it_ends() {
    let api = two_projects();
    let state = |token: String| {
        let api = &api;
        async move {
            let fields = of_organization(api, json!({"requestToken": token}));
            api.mend("getRequestState", fields).await.mend_ok()["requestState"].as_str().unwrap().to_owned()
        }
    };
    let earlier = vitals(&api, "api").await["requestToken"].as_str().unwrap().to_owned();
    assert_eq!(state(earlier.clone()).await, "FINISHED");
    let project_token = token_of(&api, "api");
    let begun = api.control().happen(&Event::ScanStarted { project_token }).unwrap().request_token.unwrap();
    assert!(begun.len() == 32 && begun.bytes().all(|byte| byte.is_ascii_hexdigit()), "{begun}");
    assert_eq!(modified_now(&api).await, only(&[]), "nothing is modified yet");
    assert_eq!(state(begun.clone()).await, "IN_PROGRESS");
    assert_eq!(state(earlier.clone()).await, "FINISHED", "the one before is over");
    assert_eq!(mend_world(&api).projects[0].request_state, Some(RequestState::InProgress));
    assert_reloads(&api).await;
    let ended = api.control().happen(&scan(&api, &[], &[])).unwrap().request_token.unwrap();
    assert_eq!(ended, begun, "it is the scan that had begun");
    assert_eq!(state(begun).await, "FINISHED");
    let next = api.control().happen(&scan(&api, &[], &[])).unwrap().request_token.unwrap();
    assert_ne!(next, ended);
    assert_eq!(state("0".repeat(32)).await, "UNKNOWN");
}

#[tokio::test]
async fn a_vulnerability_that_is_published_reaches_every_project_with_the_library() {
    let api = two_projects();
    let effects = api.control().happen(&published("EXAMPLE-2026-0009", 7.0, &["parser", "unused"])).unwrap();
    assert_eq!((effects.opened_violations, effects.changed_alerts), (2, 2));
    let both: &[&str] = &["ALERTS", "POLICY_MATCH"];
    assert_eq!(modified_now(&api).await, only(&[("api", both), ("app", both)]));
    for project in ["api", "app"] {
        let now = matched(&api, project).await;
        assert_eq!(now[&("parser".to_owned(), "EXAMPLE-2026-0009".to_owned())].1, "2026-01-15");
        assert_eq!(alerts(&api, project).await.len(), 3);
        assert_eq!(vitals(&api, project).await["lastUpdatedDate"], "2026-01-15 01:00:00 +0000");
    }
    api.control().advance(SignedDuration::from_secs(1));
    api.control().happen(&published("EXAMPLE-2026-0010", 6.9, &["plain"])).unwrap();
    assert_eq!(modified_now(&api).await, only(&[("api", &["ALERTS"])]), "no policy matches it");
    api.control().advance(SignedDuration::from_secs(1));
    api.control().happen(&published("EXAMPLE-2026-0011", 10.0, &[])).unwrap();
    assert_eq!(modified_now(&api).await, only(&[]), "nobody has it");
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_vulnerability_that_is_published_again_says_the_new_wherever_it_is() {
    let api = two_projects();
    assert_eq!(names(&matched(&api, "app").await), [("parser", HIGH)]);
    let effects = api.control().happen(&published(HIGH, 7.1, &["plain"])).unwrap();
    assert_eq!((effects.opened_violations, effects.resolved_violations), (1, 0));
    let both: &[&str] = &["ALERTS", "POLICY_MATCH"];
    assert_eq!(modified_now(&api).await, only(&[("api", both), ("app", both)]));
    let answer = fetch(&api, &token_of(&api, "app")).await;
    assert_eq!(answer["issues"][0]["policyViolations"][0]["vulnerability"]["cvss3_score"], 7.1);
    assert_reloads(&api).await;
    api.control().happen(&published(HIGH, 1.0, &[])).unwrap();
    assert_eq!(names(&matched(&api, "app").await), []);
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_rescored_vulnerability_comes_under_a_policy_changes_there_and_leaves_it() {
    let api = two_projects();
    let both: &[&str] = &["ALERTS", "POLICY_MATCH"];
    let before = matched(&api, "app").await;
    let effects = api.control().happen(&rescored(LOW, None, Some(7.0))).unwrap();
    assert_eq!((effects.opened_violations, effects.resolved_violations), (2, 0));
    assert_eq!(modified_now(&api).await, only(&[("api", both), ("app", both)]));
    let during = matched(&api, "app").await;
    assert_eq!(names(&during), [("parser", HIGH), ("parser", LOW)]);
    let key = ("parser".to_owned(), HIGH.to_owned());
    assert_eq!(during[&key], before[&key]);

    api.control().advance(SignedDuration::from_hours(24));
    api.control().happen(&rescored(LOW, Some(9.0), Some(9.1))).unwrap();
    assert_eq!(modified_now(&api).await, only(&[("api", both), ("app", both)]));
    assert_eq!(matched(&api, "app").await, during, "it is the same match");
    let answer = fetch(&api, &token_of(&api, "app")).await;
    let violations = answer["issues"][0]["policyViolations"].as_array().unwrap();
    let low = violations.iter().find(|violation| violation["vulnerability"]["name"] == LOW).unwrap();
    assert_eq!((&low["created"], &low["lastModified"]), (&json!("2026-01-15"), &json!("2026-01-16")));
    let shown = &low["vulnerability"];
    assert_eq!((&shown["severity"], &shown["cvss3_severity"]), (&json!("high"), &json!("critical")));
    assert_eq!(shown["lastUpdated"], "2026-01-16");
    let alert =
        alerts(&api, "app").await.into_iter().find(|alert| alert["vulnerability"]["name"] == LOW).unwrap();
    assert_eq!((&alert["vulnerability"]["cvss3_score"], &alert["date"]), (&json!(9.1), &json!("2026-01-16")));

    api.control().advance(SignedDuration::from_hours(1));
    let effects = api.control().happen(&rescored(LOW, None, Some(6.9))).unwrap();
    assert_eq!((effects.opened_violations, effects.resolved_violations), (0, 2));
    assert_eq!(matched(&api, "app").await, before);
    assert_eq!(alerts(&api, "app").await.len(), 2, "it is still a vulnerability");
    assert_reloads(&api).await;
}

#[tokio::test]
async fn other_licences_mean_other_matches() {
    let api = two_projects();
    let change = |names: &[&str]| Event::LicensesChanged {
        key_uuid: uuid_of("plain"),
        licenses: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    api.control().happen(&change(&["GPL 2.0", "Apache 2.0"])).unwrap();
    // Two licences are an alert of their own.
    assert_eq!(modified_now(&api).await, only(&[("api", &["ALERTS", "INVENTORY", "POLICY_MATCH"])]));
    assert!(matched(&api, "api").await.contains_key(&("plain".to_owned(), "GPL 2.0".to_owned())));
    assert_reloads(&api).await;
    api.control().advance(SignedDuration::from_secs(1));
    api.control().happen(&change(&["GPL 2.0", "Apache 2.0"])).unwrap();
    assert_eq!(modified_now(&api).await, only(&[]), "the same again is no change");
    api.control().happen(&change(&["Apache 2.0"])).unwrap();
    assert_eq!(names(&matched(&api, "api").await), [("copyleft", "GPL 2.0"), ("parser", HIGH)]);
    assert_eq!(libraries_left(&api, &["plain", "copyleft"]).await, ["copyleft"]);
}

#[tokio::test]
async fn licences_that_no_policy_minds_change_what_projects_are_made_of() {
    let api = two_projects();
    let event = Event::LicensesChanged { key_uuid: uuid_of("parser"), licenses: BTreeSet::new() };
    let effects = api.control().happen(&event).unwrap();
    assert_eq!(effects.changed_projects, ["api", "app"].map(|name| token_of(&api, name)));
    let inventory: &[&str] = &["INVENTORY"];
    assert_eq!(modified_now(&api).await, only(&[("api", inventory), ("app", inventory)]));
}

/// `mend.ignored-alert-violation`
#[tokio::test]
async fn an_ignored_alert_is_listed_as_ignored_and_leaves_the_match_alone() {
    let api = two_projects();
    let before = matched(&api, "api").await;
    let alert =
        alerts(&api, "api").await.into_iter().find(|alert| alert["vulnerability"]["name"] == HIGH).unwrap();
    let alert_uuid = alert["alertUuid"].as_str().unwrap().to_owned();
    let event = Event::AlertIgnored { alert_uuid: alert_uuid.clone(), comments: Some("not used".to_owned()) };
    let effects = api.control().happen(&event).unwrap();
    assert_eq!((effects.changed_alerts, effects.changed_projects), (1, vec![token_of(&api, "api")]));
    assert_eq!(modified_now(&api).await, only(&[("api", &["ALERTS"])]));
    assert_eq!(matched(&api, "api").await, before);
    let fields = json!({"projectToken": token_of(&api, "api")});
    let ignored = api.mend("getProjectIgnoredAlerts", fields).await.mend_ok();
    let [shown] = &ignored["alerts"].as_array().unwrap()[..] else { panic!("{ignored}") };
    assert_eq!((&shown["alertUuid"], &shown["comments"]), (&json!(alert_uuid), &json!("not used")));
    assert!(alerts(&api, "api").await.iter().all(|alert| alert["alertUuid"] != json!(alert_uuid)));
    api.control().advance(SignedDuration::from_secs(1));
    let effects = api.control().happen(&event).unwrap();
    assert_eq!(effects.changed_alerts, 0);
    assert_eq!(modified_now(&api).await, only(&[]), "ignoring it again is no change");
    assert_reloads(&api).await;
}

#[tokio::test]
async fn what_cannot_happen_changes_nothing() {
    let api = two_projects();
    api.control().happen(&scan(&api, &[], &["parser"])).unwrap();
    let resolved =
        mend_world(&api).alerts.into_iter().find(|alert| alert.status == AlertStatus::Resolved).unwrap();
    assert!(mend_world(&api).policy_violations.iter().any(|row| row.status == ViolationStatus::Resolved));
    let nowhere = || "no-such-project".to_owned();
    let mut brings_unknown = scan(&api, &["new"], &[]);
    let Event::Scan { added, .. } = &mut brings_unknown else { panic!("a scan") };
    added[0].dependencies = ["no-such-library".to_owned()].into();
    let known = mend_world(&api).libraries[0].clone();
    let mut same_number = known.clone();
    same_number.key_uuid = "00000000-0000-4000-8000-000000000000".to_owned();
    let mut unlicensed = same_number.clone();
    unlicensed.key_id = 1;
    unlicensed.licenses = ["no-such-licence".to_owned()].into();
    let mut vulnerable = same_number.clone();
    vulnerable.key_id = 1;
    vulnerable.vulnerabilities = ["no-such-vulnerability".to_owned()].into();
    let added = |library| Event::LibraryAdded { library: Box::new(library) };
    let relicensed = |artifact: &str, name: &str| {
        let licenses = [name.to_owned()].into();
        Event::LicensesChanged { key_uuid: uuid_of(artifact), licenses }
    };
    let events = [
        Event::Scan {
            project_token: nowhere(),
            added: vec![],
            removed: vec![],
            source_files_changed: true,
            comment: None,
        },
        scan(&api, &["new", "nowhere"], &[]),
        scan(&api, &["new"], &["nowhere"]),
        scan(&api, &["new"], &["parser"]),
        scan(&api, &["copyleft"], &["copyleft"]),
        brings_unknown,
        Event::ScanStarted { project_token: nowhere() },
        added(known),
        added(same_number),
        added(unlicensed),
        added(vulnerable),
        published("EXAMPLE-2026-0009", 7.0, &["parser", "nowhere"]),
        published("EXAMPLE-2026-0009", 10.1, &["parser"]),
        published(HIGH, -0.1, &["plain"]),
        rescored("EXAMPLE-0", Some(5.0), None),
        rescored(HIGH, Some(10.1), None),
        rescored(HIGH, None, Some(-1.0)),
        rescored(HIGH, Some(f64::NAN), None),
        rescored(HIGH, Some(1.0), Some(f64::INFINITY)),
        relicensed("nowhere", "GPL 2.0"),
        relicensed("copyleft", "no-such-licence"),
        Event::AlertIgnored { alert_uuid: "no-such-alert".to_owned(), comments: None },
        Event::AlertIgnored { alert_uuid: resolved.uuid, comments: None },
        Event::ProjectRenamed { project_token: nowhere(), name: "x".to_owned() },
        Event::ProjectRenamed { project_token: token_of(&api, "api"), name: " ".to_owned() },
        Event::ProjectDeleted { project_token: nowhere() },
        Event::UserKeyRevoked { user_id: 0 },
    ];
    api.control().advance(SignedDuration::from_hours(1));
    let before = api.control().export_world();
    for event in events {
        let result: Result<_, EventError> = api.control().happen(&event);
        assert!(result.is_err(), "{event:?}");
        assert_eq!(api.control().export_world(), before, "{event:?}");
    }
    assert_eq!(modified_now(&api).await, only(&[]));
}

#[tokio::test]
async fn a_library_can_become_known_and_then_be_found() {
    let api = two_projects();
    let later = library("com.example", "later", "1.0").license("GPL 2.0").build(world().build().epoch);
    api.control().happen(&Event::LibraryAdded { library: Box::new(later) }).unwrap();
    assert_eq!(modified_now(&api).await, only(&[]), "nobody has it yet");
    api.control().happen(&scan(&api, &["later"], &[])).unwrap();
    assert!(matched(&api, "api").await.contains_key(&("later".to_owned(), "GPL 2.0".to_owned())));
    assert_reloads(&api).await;
}
