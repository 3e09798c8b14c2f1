//! Faults for Mend, whose requests all have one path: they are told apart by request type and by body.

use fixtures::world::mend::ExternalIssueSpec;
use mock_server::kernel::faults::{BodyPredicate, Effect, Fault, Matcher, When};
use serde_json::{Value, json};

use super::last_entry;
use crate::support::{Api, Reply};

const UPDATE: &str = "updateExternalIntegrationIssues";
const FETCH: &str = "fetchProjectPolicyIssues";

fn api() -> Api {
    Api::of("mend-docs-samples")
}

async fn fetch(api: &Api) -> Reply {
    api.mend(FETCH, json!({"projectToken": "proj_token"})).await
}

async fn report(api: &Api, identifier: &str) -> Reply {
    let issue = json!({"identifier": identifier});
    let fields = json!({
        "projectToken": "proj_token",
        "wsPolicyIssueItemUuid": "d9367135-7d7c-496f-ba32-a85b8d2df71a",
        "externalIssues": [issue],
    });
    api.mend(UPDATE, fields).await
}

fn has(api: &Api, identifier: &str) -> bool {
    let is_it = |issue: &ExternalIssueSpec| issue.identifier == identifier;
    api.control().export_world().mend.external_issues.iter().any(is_it)
}

/// What the vendor answers in a bad minute, as SAP's client knows it.
fn hiccup() -> Effect {
    let body = json!({"errorCode": 3000, "errorMessage": "Invalid request parameters"}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Effect::Reply { status: 200, headers, body }
}

#[tokio::test]
async fn a_fault_strikes_one_request_type_and_no_other() {
    let api = api();
    api.control().plan_fault(Fault::before(UPDATE, hiccup())).unwrap();
    let _ = fetch(&api).await.mend_ok();
    assert_eq!(report(&api, "SEC-1").await.json()["errorCode"], 3000);
    assert!(!has(&api, "SEC-1"));
    let entry = last_entry(&api);
    assert_eq!((entry.operation.as_str(), entry.status, entry.fault), (UPDATE, Some(200), Some(1)));
    assert!(entry.phases.seen && !entry.phases.applied && entry.phases.replied, "{:?}", entry.phases);
    let _ = report(&api, "SEC-1").await.mend_ok();
    assert!(has(&api, "SEC-1"), "the fault is used up");
}

#[tokio::test]
async fn a_fault_after_it_is_applied_hides_what_was_stored() {
    let api = api();
    api.control().plan_fault(Fault::after(UPDATE, hiccup())).unwrap();
    assert_eq!(report(&api, "SEC-1").await.json()["errorCode"], 3000);
    assert!(has(&api, "SEC-1"));
    let counters = report(&api, "SEC-1").await.mend_ok();
    assert_eq!(counters, json!({"createdIssues": 0, "updatedIssues": 0, "unaffectedIssues": 1}));
}

#[tokio::test]
async fn a_fault_finds_its_request_by_what_the_body_says() {
    let api = api();
    let body = |pointer: &str, equals: Value| {
        let body = Some(BodyPredicate::Json { pointer: pointer.to_owned(), equals });
        let matcher = Matcher { body, times: 1, ..Matcher::default() };
        api.control().plan_fault(Fault { matcher, when: When::BeforeApply, effect: hiccup() }).unwrap();
    };
    body("/requestType", json!(UPDATE));
    body("/externalIssues/0/identifier", json!("SEC-2"));
    let _ = fetch(&api).await.mend_ok();
    assert_eq!(report(&api, "SEC-1").await.json()["errorCode"], 3000, "by its type");
    let _ = report(&api, "SEC-1").await.mend_ok();
    assert_eq!(report(&api, "SEC-2").await.json()["errorCode"], 3000, "by its ticket");
    assert!(has(&api, "SEC-1") && !has(&api, "SEC-2"));
    assert!(api.control().pending_faults().is_empty());
}

#[tokio::test]
async fn lists_can_be_rewritten_and_repeated() {
    let api = api();
    let pointer = "/issues/0/policyViolations/0/status".to_owned();
    let value = json!("RESOLVED_BY_SOMEBODY");
    api.control()
        .plan_fault(Fault::after(FETCH, Effect::Rewrite { pointer: pointer.clone(), value }))
        .unwrap();
    api.control().plan_fault(Fault::after(FETCH, Effect::RepeatRows { count: 1 })).unwrap();
    assert_eq!(fetch(&api).await.mend_ok().pointer(&pointer).unwrap(), "RESOLVED_BY_SOMEBODY");
    let repeated = fetch(&api).await.mend_ok()["issues"].take();
    assert_eq!((repeated.as_array().unwrap().len(), &repeated[0]), (2, &repeated[1]));
    assert_eq!(fetch(&api).await.mend_ok()["issues"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_request_type_can_have_no_fault_and_the_nearest_is_named() {
    let api = api();
    let planned = api.control().plan_fault(Fault::before("fetchProjectPolicyIssue", hiccup()));
    assert!(planned.unwrap_err().to_string().contains(FETCH));
}
