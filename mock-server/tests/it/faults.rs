//! Planned faults and kill points, in process; `sockets` has what only a connection shows.

mod mend;
mod sockets;
mod virtual_time;

use axum::response::Response;
use http::Method;
use http_body_util::BodyExt as _;
use mock_server::http::reply::ConnectionFault;
use mock_server::kernel::faults::{BodyPredicate, Effect, Fault, Matcher, TextPredicate, When};
use mock_server::kernel::journal::{Entry, Filter};
use mock_server::kernel::kill_points::Point;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Api, request};

const TARGET: &str = "4651453173202944";
const PATCH: &str = "PATCH security_finding_targets/:id";

fn path() -> String {
    format!("security_finding_targets/{TARGET}")
}

/// A response of the router as it is, whether or not its body can be read.
async fn patch_raw(api: &Api) -> Response {
    let request = request(Method::PATCH, &path(), api.secret(), r#"{"external_id":"SEC-1"}"#);
    let Ok(response) = api.server.router().oneshot(request).await;
    response
}

fn was_applied(api: &Api) -> bool {
    let targets = api.control().export_world().data_theorem.security_finding_targets;
    targets.iter().find(|target| target.id == TARGET).unwrap().external_id.as_deref() == Some("SEC-1")
}

fn last_entry(api: &Api) -> Entry {
    api.control().journal(&Filter::default()).entries.pop().unwrap()
}

fn api_with(fault: Fault) -> Api {
    let api = Api::docs_samples();
    api.control().plan_fault(fault).unwrap();
    api
}

fn html_429() -> Effect {
    Effect::Reply {
        status: 429,
        headers: vec![
            ("content-type".to_owned(), "text/html".to_owned()),
            ("retry-after".to_owned(), "Thu, 15 Jan 2026 00:00:30 GMT".to_owned()),
        ],
        body: "<h1>Slow down</h1>".to_owned(),
    }
}

#[tokio::test]
async fn a_planned_reply_before_it_is_applied_replaces_the_request() {
    let api = api_with(Fault::before(PATCH, html_429()));
    let reply = api.patch(&path(), json!({"external_id": "SEC-1"})).await;
    assert_eq!((reply.status, reply.text.as_str()), (429, "<h1>Slow down</h1>"));
    assert_eq!(reply.headers["content-type"], "text/html");
    assert_eq!(reply.headers["retry-after"], "Thu, 15 Jan 2026 00:00:30 GMT");
    assert!(!was_applied(&api));
    let entry = last_entry(&api);
    assert_eq!((entry.status, entry.fault), (Some(429), Some(1)));
    assert!(entry.phases.seen && !entry.phases.applied && entry.phases.replied, "{:?}", entry.phases);
    let _ = api.patch(&path(), json!({"external_id": "SEC-1"})).await.ok();
    assert!(was_applied(&api), "the fault is used up");
}

#[tokio::test]
async fn a_planned_reply_after_it_is_applied_hides_what_happened() {
    let effect = Effect::Reply { status: 500, headers: vec![], body: "{}".to_owned() };
    let api = api_with(Fault::after(PATCH, effect));
    assert_eq!(api.patch(&path(), json!({"external_id": "SEC-1"})).await.status, 500);
    assert!(was_applied(&api));
    let entry = last_entry(&api);
    assert_eq!((entry.status, entry.fault), (Some(500), Some(1)));
    assert!(entry.phases.applied && entry.phases.replied, "{:?}", entry.phases);
}

#[tokio::test]
async fn connection_faults_apply_the_request_or_not_as_planned_and_never_reply() {
    for when in [When::BeforeApply, When::AfterApply] {
        for effect in [Effect::ConnectionReset, Effect::EmptyResponse, Effect::MalformedChunk] {
            let matcher = Matcher { times: 1, ..Matcher::default() };
            let api = api_with(Fault { matcher, when, effect: effect.clone() });
            let response = patch_raw(&api).await;
            assert!(response.extensions().get::<ConnectionFault>().is_some(), "{effect:?}");
            assert!(
                response.into_body().collect().await.is_err(),
                "{effect:?} reaches the transport as an error"
            );
            assert_eq!(was_applied(&api), when == When::AfterApply, "{effect:?}");
            let entry = last_entry(&api);
            assert_eq!((entry.status, entry.fault), (None, Some(1)), "{effect:?}");
            assert_eq!(entry.phases.applied, when == When::AfterApply, "{effect:?}");
            assert!(!entry.phases.replied, "{effect:?}");
        }
    }
}

#[tokio::test]
async fn replies_can_be_rewritten_repeated_and_cut_off() {
    let api = Api::docs_samples();
    let plain = api.get("security_finding_targets").await;
    let (length, plain) = (plain.text.len(), plain.ok());
    let list = "GET security_finding_targets";
    let pointer = "/security_finding_targets/0/current_status".to_owned();
    let value = json!("OPEN_SINCE_TUESDAY");
    api.control()
        .plan_fault(Fault::after(list, Effect::Rewrite { pointer: pointer.clone(), value }))
        .unwrap();
    api.control().plan_fault(Fault::after(list, Effect::RepeatRows { count: 1 })).unwrap();
    api.control().plan_fault(Fault::after(list, Effect::TruncatedJson)).unwrap();

    let rewritten = api.get("security_finding_targets").await.ok();
    assert_eq!(rewritten.pointer(&pointer).unwrap(), "OPEN_SINCE_TUESDAY");
    let repeated = api.get("security_finding_targets").await.ok();
    let rows = |page: &serde_json::Value| page["security_finding_targets"].as_array().unwrap().clone();
    assert_eq!(rows(&repeated).len(), rows(&plain).len() + 1);
    assert_eq!(rows(&repeated)[0], rows(&plain)[0]);
    assert_eq!(rows(&repeated).iter().filter(|row| **row == rows(&plain)[0]).count(), 2);
    let truncated = api.get("security_finding_targets").await;
    assert_eq!((truncated.status, truncated.text.len()), (200, length / 2));
    assert!(serde_json::from_str::<serde_json::Value>(&truncated.text).is_err());
    assert_eq!(api.get("security_finding_targets").await.ok(), plain);
}

#[tokio::test]
async fn faults_skip_and_repeat_as_planned_and_are_consumed_in_order() {
    let api = Api::docs_samples();
    let reply = |status| Effect::Reply { status, headers: vec![], body: String::new() };
    api.control().plan_fault(Fault::before("GET mobile_apps", reply(503)).skip(1).times(2)).unwrap();
    api.control().plan_fault(Fault::before("GET mobile_apps", reply(500))).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(api.get("mobile_apps").await.status);
        assert_eq!(api.get("security_findings").await.status, 200, "another operation");
    }
    // The first request is let pass by the first fault and so falls to the second.
    assert_eq!(statuses, [500, 503, 503, 200, 200]);
    assert!(api.control().pending_faults().is_empty());
}

#[tokio::test]
async fn a_fault_waits_for_its_method_path_query_and_body() {
    let reply = Effect::Reply { status: 503, headers: vec![], body: String::new() };
    let once = Matcher { times: 1, ..Matcher::default() };
    let contains = |text: &str| Some(TextPredicate::Contains(text.to_owned()));
    let matchers = [
        Matcher { method: Some("patch".to_owned()), ..once.clone() },
        Matcher { path: contains(TARGET), ..once.clone() },
        Matcher {
            path: Some(TextPredicate::Equals(
                format!("{}/{}?", crate::support::DATA_THEOREM, path()).replace('?', ""),
            )),
            ..once.clone()
        },
        Matcher { query: contains("trace=7"), ..once.clone() },
        Matcher { body: Some(BodyPredicate::Contains("SEC-7".to_owned())), ..once.clone() },
        Matcher {
            body: Some(BodyPredicate::Json { pointer: "/external_id".to_owned(), equals: json!("SEC-7") }),
            ..once
        },
    ];
    for matcher in matchers {
        let fault = Fault { matcher: matcher.clone(), when: When::BeforeApply, effect: reply.clone() };
        let api = api_with(fault);
        let _ = api.get("security_findings?trace=8").await.ok();
        let _ = api.post("security_findings/4567/notes", json!({"text": "SEC-8"})).await;
        assert_eq!(api.control().pending_faults().len(), 1, "{matcher:?} does not fit yet");
        let struck = api.patch(&format!("{}?trace=7", path()), json!({"external_id": "SEC-7"})).await;
        assert_eq!(struck.status, 503, "{matcher:?}");
    }
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused() {
    let api = Api::docs_samples();
    let control = api.control();
    for effect in [
        Effect::TruncatedJson,
        Effect::RepeatRows { count: 1 },
        Effect::Rewrite { pointer: "/a".to_owned(), value: json!(1) },
        Effect::Reply { status: 99, headers: vec![], body: String::new() },
        Effect::Reply { status: 200, headers: vec![("a b".to_owned(), "c".to_owned())], body: String::new() },
        Effect::Reply {
            status: 200,
            headers: vec![("a".to_owned(), "b\nc".to_owned())],
            body: String::new(),
        },
    ] {
        assert!(control.plan_fault(Fault::before(PATCH, effect.clone())).is_err(), "{effect:?}");
    }
    assert!(control.plan_fault(Fault::before(PATCH, Effect::Hang).times(0)).is_err());
    assert!(control.pending_faults().is_empty());
}

#[tokio::test]
async fn a_watcher_holds_a_request_before_and_after_it_is_applied() {
    let api = std::sync::Arc::new(Api::docs_samples());
    let mut watcher = api.control().watch();
    let client = tokio::spawn({
        let api = std::sync::Arc::clone(&api);
        async move { patch_raw(&api).await.status() }
    });
    let seen = watcher.next().await.unwrap();
    assert_eq!((seen.seq, seen.operation.as_str(), seen.point), (1, PATCH, Point::Seen));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!was_applied(&api), "seen, and the world is as it was");
    assert!(!last_entry(&api).phases.applied);
    drop(seen);
    let applied = watcher.next().await.unwrap();
    assert_eq!((applied.seq, applied.point), (1, Point::Applied));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(was_applied(&api), "applied, and no reply is out");
    assert!(!client.is_finished());
    drop(applied);
    assert_eq!(client.await.unwrap(), 200);
}

#[tokio::test]
async fn a_client_that_hangs_up_while_a_request_waits_leaves_what_is_known_in_the_journal() {
    let api = std::sync::Arc::new(Api::docs_samples());
    let mut watcher = api.control().watch();
    let client = tokio::spawn({
        let api = std::sync::Arc::clone(&api);
        async move { patch_raw(&api).await.status() }
    });
    drop(watcher.next().await.unwrap());
    let applied = watcher.next().await.unwrap();
    client.abort();
    let _ = client.await;
    drop(applied);
    drop(watcher);
    assert!(was_applied(&api));
    let entry = last_entry(&api);
    assert_eq!((entry.status, entry.phases.applied, entry.phases.replied), (None, true, false));
    let _ = api.get("mobile_apps").await.ok();
}
