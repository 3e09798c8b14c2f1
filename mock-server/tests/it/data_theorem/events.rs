//! What happens at the vendor without a client: scans, and people in the portal.

use fixtures::builders::{app, issue_type};
use fixtures::world::data_theorem::{Event, Misses, Observation};
use fixtures::world::data_theorem::{NoteKind, TargetStatus};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Api, instant};

const APP: &str = "643010001";
const FINDING: &str = "security_findings/053069";
const TARGET: &str = "security_finding_targets/4651453173202944";

fn scan_of(mobile_app_id: &str, observed: Vec<Observation>, missed: Misses) -> Event {
    let build_version = Some("2.0.0".to_owned());
    Event::Scan {
        mobile_app_id: mobile_app_id.to_owned(),
        build_version,
        build_source: None,
        observed,
        missed,
    }
}

fn scan(observed: Vec<Observation>, missed: Misses) -> Event {
    scan_of(APP, observed, missed)
}

fn known(id: &str) -> Observation {
    Observation::Known { target_id: id.to_owned() }
}

fn seen() -> Vec<Observation> {
    vec![known("4651453173202944")]
}

fn described(api: &Api, text: &str) -> Observation {
    let world = api.control().export_world().data_theorem;
    let finding = world.security_findings.iter().find(|finding| finding.id == "053069").unwrap();
    Observation::Described { issue_type_id: finding.issue_type_id.clone(), text: text.to_owned() }
}

/// One app, one finding, one `OPEN` target, an hour after the epoch.
fn one_open() -> Api {
    let api = Api::of("one-open");
    api.control().advance(SignedDuration::from_hours(1));
    api
}

async fn updated(api: &Api, path: &str) -> jiff::Timestamp {
    instant(&api.get(path).await.ok()["results_last_updated"])
}

async fn status(api: &Api, path: &str) -> Value {
    api.get(path).await.ok()["current_status"].clone()
}

async fn scans(api: &Api, app: &str) -> Vec<Value> {
    api.all_rows(&format!("mobile_apps/{app}/scans"), "scans").await
}

fn set(api: &Api, status: TargetStatus) {
    let event = Event::TargetStatus { target_id: "4651453173202944".to_owned(), status };
    api.control().happen(&event).unwrap();
}

/// DT-STATUS-NEW, DT-STATUS-OPEN
#[tokio::test]
async fn a_component_is_new_at_first_and_open_when_it_is_seen_again() {
    let api = one_open();
    let observed = vec![described(&api, "`com.example.Fresh`"), described(&api, "`com.example.Fresh`")];
    let effects = api.control().happen(&scan(observed.clone(), Misses::Nothing)).unwrap();
    let [id] = &effects.created_targets[..] else { panic!("{effects:?}") };
    assert_eq!(effects.created_findings, Vec::<String>::new());
    let path = format!("security_finding_targets/{id}");
    let target = api.get(&path).await.ok();
    let now = api.control().now();
    for date in ["date_created", "current_status_date", "results_last_updated"] {
        assert_eq!(instant(&target[date]), now, "{date}");
    }
    let entry = json!({"build_version": "2.0.0", "date": target["date_created"], "status": "NEW"});
    assert_eq!(
        (target["statuses"].clone(), target["text"].clone()),
        (json!([entry]), json!("`com.example.Fresh`"))
    );
    assert_eq!(target["security_finding_id"], "053069");
    assert_eq!(api.get(FINDING).await.ok()["aggregated_status"], "OPEN", "the older target is open");

    api.control().advance(SignedDuration::from_hours(24));
    let effects = api.control().happen(&scan(observed.clone(), Misses::Nothing)).unwrap();
    assert_eq!((effects.created_targets.len(), &effects.changed_targets), (0, &vec![id.clone()]));
    let target = api.get(&path).await.ok();
    assert_eq!((target["current_status"].clone(), target["statuses"][1].clone()), (json!("OPEN"), entry));
    assert_eq!(instant(&target["current_status_date"]), api.control().now());

    api.control().advance(SignedDuration::from_hours(24));
    let effects = api.control().happen(&scan(observed, Misses::Nothing)).unwrap();
    assert_eq!(effects.changed_targets, Vec::<String>::new());
    let after = api.get(&path).await.ok();
    assert_eq!(after["statuses"], target["statuses"], "seen once more: nothing new to say");
    assert_eq!(instant(&after["results_last_updated"]), api.control().now(), "but seen by this scan");
}

/// DT-STATUS-CLOSED-FIXED
#[tokio::test]
async fn a_component_that_is_missed_is_fixed_and_open_when_it_comes_back() {
    for missed in [Misses::EverythingElse, Misses::Targets(vec!["4651453173202944".to_owned()])] {
        let api = one_open();
        let effects = api.control().happen(&scan(vec![], missed.clone())).unwrap();
        assert_eq!(effects.changed_targets, ["4651453173202944"]);
        let target = api.get(TARGET).await.ok();
        assert_eq!(
            target["statuses"][0],
            json!({
                "build_version": "2.0.0", "date": target["current_status_date"], "status": "CLOSED_FIXED",
            })
        );
        assert_eq!(api.get(FINDING).await.ok()["aggregated_status"], "CLOSED_FIXED");
        assert_eq!(
            api.control().happen(&scan(vec![], missed)).unwrap().changed_targets,
            Vec::<String>::new()
        );
        let _ = api.control().happen(&scan(seen(), Misses::EverythingElse)).unwrap();
        assert_eq!(status(&api, TARGET).await, "OPEN");
        assert_eq!(api.get(FINDING).await.ok()["aggregated_status"], "OPEN");
    }
}

#[tokio::test]
async fn what_was_not_looked_for_stays() {
    let api = one_open();
    let before = api.get(TARGET).await.ok();
    let _ = api.control().happen(&scan(vec![], Misses::Nothing)).unwrap();
    assert_eq!(api.get(TARGET).await.ok(), before);
}

#[tokio::test]
async fn what_people_and_policies_closed_no_scan_opens_or_fixes() {
    for closed in [
        TargetStatus::ClosedWontFix,
        TargetStatus::ClosedRiskAccepted,
        TargetStatus::ClosedCompensatingControl,
        TargetStatus::ClosedByPolicy,
    ] {
        let api = one_open();
        set(&api, closed);
        for event in [scan(seen(), Misses::EverythingElse), scan(vec![], Misses::EverythingElse)] {
            assert_eq!(api.control().happen(&event).unwrap().changed_targets, Vec::<String>::new());
            assert_eq!(status(&api, TARGET).await, closed.as_str());
        }
    }
    for (was, is) in [(TargetStatus::OpenReadyToRescan, "OPEN"), (TargetStatus::ClosedItemNotFound, "OPEN")] {
        let api = one_open();
        set(&api, was);
        let _ = api.control().happen(&scan(seen(), Misses::Nothing)).unwrap();
        assert_eq!(status(&api, TARGET).await, is, "{was}");
    }
}

/// DT-TARGET-RESULTS-LAST-UPDATED, DT-FINDING-RESULTS-LAST-UPDATED
#[tokio::test]
async fn a_scan_moves_the_time_of_what_it_touched_and_of_its_app() {
    let api = Api::docs_samples();
    let others = ["security_finding_targets/12345", "security_findings/8901", "mobile_apps/4567"];
    let mut before = Vec::new();
    for path in others {
        before.push(api.get(path).await.ok());
    }
    let start = api.control().now();
    let _ = api.control().happen(&scan(seen(), Misses::Nothing)).unwrap();
    for path in [TARGET, FINDING, "mobile_apps/643010001"] {
        assert_eq!(updated(&api, path).await, start, "{path}");
    }
    for (path, before) in others.into_iter().zip(before) {
        assert_eq!(api.get(path).await.ok(), before, "{path}");
    }
    let since = format!("security_findings?results_since={start}&status_group=OPEN&mobile_app_id={APP}");
    assert_eq!(api.get(&since).await.ok()["pagination_information"]["total_count"], "1", "as CI plugins ask");
}

#[tokio::test]
async fn a_kind_of_issue_the_app_did_not_have_makes_a_finding() {
    let api = one_open();
    let kind = issue_type("0f6a1a5e-7a0b-5c3e-9a52-0c4f5d0e6b7a").title("Another Issue").build();
    let observed = vec![Observation::Described {
        issue_type_id: kind.id.clone(),
        text: "`com.example.Other`".to_owned(),
    }];
    assert!(api.control().happen(&scan(observed.clone(), Misses::Nothing)).is_err(), "an unknown kind");
    assert_eq!(scans(&api, APP).await.len(), 0, "an event that can't happen leaves nothing behind");
    api.control().happen(&Event::IssueTypeAdded { issue_type: Box::new(kind) }).unwrap();
    let effects = api.control().happen(&scan(observed, Misses::Nothing)).unwrap();
    let finding = api.get(&format!("security_findings/{}", effects.created_findings[0])).await.ok();
    assert_eq!(
        (finding["title"].clone(), finding["aggregated_status"].clone()),
        (json!("Another Issue"), json!("NEW"))
    );
    assert_eq!(finding["mobile_app_id"], APP);
    assert_eq!(instant(&finding["date_created"]), api.control().now());
    assert_eq!(finding["is_permanently_closed"], false);
    let open = api.get("security_findings?status_group=OPEN").await.ok();
    assert_eq!(open["pagination_information"]["total_count"], "2");
    let target = api.get(&format!("security_finding_targets/{}", effects.created_targets[0])).await.ok();
    assert_eq!(target["security_finding_id"], finding["id"]);
}

#[tokio::test]
async fn a_scan_leaves_a_record_and_its_version_on_the_app() {
    let api = one_open();
    let id = api.control().happen(&scan(vec![], Misses::Nothing)).unwrap().scan_id.unwrap();
    let record = api.get(&format!("mobile_apps/{APP}/scans/{id}")).await.ok();
    assert_eq!(
        (record["status"].clone(), record["build_version"].clone()),
        (json!("COMPLETED"), json!("2.0.0"))
    );
    assert_eq!(
        (instant(&record["start_date"]), instant(&record["end_date"])),
        (api.control().now(), api.control().now())
    );
    assert_eq!(record["static_scan"], json!({"status": "COMPLETED"}));
    let app = api.get(&format!("mobile_apps/{APP}")).await.ok();
    assert_eq!(
        (app["version"].clone(), app["scan_status"].clone()),
        (json!("2.0.0"), json!("SCAN_COMPLETED"))
    );
    assert_eq!(instant(&app["results_last_updated"]), api.control().now());
}

#[tokio::test]
async fn an_ongoing_scan_is_completed_by_the_next_one() {
    let api = one_open();
    let start = api.control().now();
    let started =
        Event::ScanStarted { mobile_app_id: APP.to_owned(), build_version: Some("1.9.0".to_owned()) };
    let id = api.control().happen(&started).unwrap().scan_id.unwrap();
    let path = format!("mobile_apps/{APP}/scans/{id}");
    let ongoing = api.get(&path).await.ok();
    assert_eq!((ongoing["status"].clone(), ongoing.get("end_date")), (json!("ONGOING"), None));
    assert_eq!(ongoing["static_scan"], json!({"status": "ONGOING"}));
    assert_eq!(api.get(&format!("mobile_apps/{APP}")).await.ok()["scan_status"], "SCAN_ONGOING");

    api.control().advance(SignedDuration::from_mins(20));
    let event = Event::Scan {
        mobile_app_id: APP.to_owned(),
        build_version: None,
        build_source: None,
        observed: vec![],
        missed: Misses::Nothing,
    };
    assert_eq!(api.control().happen(&event).unwrap().scan_id, Some(id.clone()));
    let done = api.get(&path).await.ok();
    assert_eq!((done["status"].clone(), done["build_version"].clone()), (json!("COMPLETED"), json!("1.9.0")));
    assert_eq!((instant(&done["start_date"]), instant(&done["end_date"])), (start, api.control().now()));
    assert_eq!(done["dynamic_scan"], json!({"status": "COMPLETED"}));
    assert_eq!(scans(&api, APP).await.len(), 1);
    assert_ne!(api.control().happen(&event).unwrap().scan_id, Some(id));
}

#[tokio::test]
async fn an_event_about_something_unknown_is_refused_and_changes_nothing() {
    let api = Api::docs_samples();
    let before = api.control().export_world();
    for event in [
        scan_of("1", vec![], Misses::Nothing),
        scan(vec![known("1")], Misses::Nothing),
        scan(vec![known("12346")], Misses::Nothing),
        scan(seen(), Misses::Targets(vec!["12345".to_owned()])),
        Event::TargetStatus { target_id: "1".to_owned(), status: TargetStatus::Open },
        Event::AppAdded { mobile_app: app(APP).build(api.control().epoch()) },
        Event::AppRemoved { mobile_app_id: "1".to_owned() },
        Event::ApiKeyRevoked { name: "nobody".to_owned() },
    ] {
        assert!(api.control().happen(&event).is_err(), "{event:?}");
        assert_eq!(api.control().export_world(), before, "{event:?}");
    }
}

#[tokio::test]
async fn people_in_the_portal_set_statuses_tickets_and_notes() {
    let api = one_open();
    set(&api, TargetStatus::ClosedByPolicy);
    let ticket = Event::ExternalId {
        target_id: "4651453173202944".to_owned(),
        external_id: Some("JIRA-1".to_owned()),
        external_bug_tracker_url: Some("https://tracker.example/JIRA-1".to_owned()),
    };
    let _ = api.control().happen(&ticket).unwrap();
    let target = api.get(TARGET).await.ok();
    assert_eq!(
        (target["current_status"].clone(), target["external_id"].clone()),
        (json!("CLOSED_BY_POLICY"), json!("JIRA-1"))
    );
    assert_eq!(target["external_bug_tracker_url"], "https://tracker.example/JIRA-1");
    let patched = api.patch(TARGET, json!({"external_id": "JIRA-2"})).await.ok();
    assert_eq!(patched["external_bug_tracker_url"], target["external_bug_tracker_url"], "no request sets it");
    let note = Event::Note {
        finding_id: "053069".to_owned(),
        author_email: "Data Theorem".to_owned(),
        kind: NoteKind::ReplyFromDataTheorem,
        text: "It is.".to_owned(),
    };
    let _ = api.control().happen(&note).unwrap();
    let finding = api.get(FINDING).await.ok();
    assert_eq!(finding["notes"][0]["is_reply_from_datatheorem"], true);
    assert_eq!(finding["aggregated_status"], "CLOSED_BY_POLICY");
}

#[tokio::test]
async fn an_app_comes_and_goes_with_all_it_has() {
    let api = Api::docs_samples();
    let added = Event::AppAdded { mobile_app: app("77").name("Late Arrival").build(api.control().epoch()) };
    let _ = api.control().happen(&added).unwrap();
    assert_eq!(api.get("mobile_apps/77").await.ok()["name"], "Late Arrival");
    let _ = api.control().happen(&Event::AppRemoved { mobile_app_id: APP.to_owned() }).unwrap();
    for path in [TARGET, FINDING, "mobile_apps/643010001"] {
        api.get(path).await.refused(404, "dt.unknown-id");
    }
    for (list, count) in [("mobile_apps", "3"), ("security_findings", "2"), ("security_finding_targets", "2")]
    {
        assert_eq!(api.get(list).await.ok()["pagination_information"]["total_count"], count, "{list}");
    }
}

#[tokio::test]
async fn a_target_that_is_missed_twice_is_counted_once() {
    let api = Api::docs_samples();
    let other = described(&api, "another component");
    api.control().happen(&scan(vec![other], Misses::Nothing)).unwrap();
    let twice = Misses::Targets(vec!["4651453173202944".to_owned(), "4651453173202944".to_owned()]);
    let effects = api.control().happen(&scan(Vec::new(), twice)).unwrap();
    assert_eq!(effects.changed_targets, ["4651453173202944"]);
    let finding = api.get(FINDING).await.ok();
    assert_eq!(finding["aggregated_status"], "NEW", "the other component is still open");
}

#[tokio::test]
async fn a_scan_that_starts_at_the_instant_of_another_is_the_latest() {
    let api = Api::docs_samples();
    for _ in 0..8 {
        api.control().happen(&scan(seen(), Misses::Nothing)).unwrap();
        let started = Event::ScanStarted { mobile_app_id: APP.to_owned(), build_version: None };
        api.control().happen(&started).unwrap();
        let app = api.get(&format!("mobile_apps/{APP}")).await.ok();
        assert_eq!(app["scan_status"], "SCAN_ONGOING");
    }
    assert_eq!(
        scans(&api, APP).await.len(),
        9,
        "every scan but the first completes the one that was started"
    );
}

#[tokio::test]
async fn events_are_held_to_the_checks_of_a_world() {
    let api = Api::docs_samples();
    for id in ["007", "+7", "seven", ""] {
        let refused =
            api.control().happen(&Event::AppAdded { mobile_app: app(id).build(api.control().epoch()) });
        assert!(refused.is_err(), "{id:?}");
    }
    let mut kind = issue_type("00000000-0000-5000-8000-0000000000ff").build();
    kind.cvss_score = 10.1;
    assert!(api.control().happen(&Event::IssueTypeAdded { issue_type: Box::new(kind) }).is_err());
    assert_eq!(api.control().export_world().validate(), []);
}
