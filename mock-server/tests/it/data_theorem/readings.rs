//! Every reading makes a difference, and the one the ledger describes.
//!
//! One row per reading in [`cases`]: how to look, and what is seen under each of its values.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use fixtures::spec;
use fixtures::world::data_theorem::Permission;
use fixtures::world::data_theorem::{Event, Misses, Observation};
use http::{Method, Request};
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, DATA_THEOREM, Reply, instant};

const TARGETS: &str = "security_finding_targets";
const OPEN: &str = "security_finding_targets/4651453173202944";
const FIXED: &str = "security_finding_targets/12345";
const NEW: &str = "security_finding_targets/12346";
const FINDING: &str = "security_findings/4567";
const CLOSE: &str = "security_findings/4567/close";

/// A reading, a way to see it, and what is seen under each value.
struct Case {
    reading: &'static str,
    look: fn(Api) -> Pin<Box<dyn Future<Output = String>>>,
    seen: &'static [(&'static str, &'static str)],
}

macro_rules! cases {
    ($($reading:literal: |$api:ident| $look:expr => { $($value:literal: $seen:literal),+ })+) => {
        vec![$(Case {
            reading: $reading,
            look: |$api| Box::pin(async move { String::from($look) }),
            seen: &[$(($value, $seen)),+],
        }),+]
    };
}

/// Status and, of a refusal, the rule or reading it names.
fn outcome(reply: &Reply) -> String {
    let rule = reply.headers.get("x-mock-rule").map(|rule| format!(" {}", rule.to_str().unwrap()));
    format!("{}{}", reply.status, rule.unwrap_or_default())
}

async fn get(api: &Api, path: &str) -> Value {
    api.get(path).await.ok()
}

async fn outcome_of_get(api: &Api, path: &str) -> String {
    outcome(&api.get(path).await)
}

/// The value of a field, `absent` if there is none.
fn field(row: &Value, name: &str) -> String {
    row.get(name).map_or_else(|| "absent".to_owned(), ToString::to_string)
}

async fn total(api: &Api, path: &str) -> String {
    get(api, path).await["pagination_information"]["total_count"].as_str().unwrap().to_owned()
}

async fn post_status(api: &Api, target: &str, status: &str) -> String {
    outcome(&api.post(&format!("{target}/statuses"), json!({"status": status})).await)
}

async fn close(api: &Api, permanently: bool) -> Reply {
    let status = "CLOSED_RISK_ACCEPTED";
    api.post(CLOSE, json!({"aggregated_status": status, "is_permanently_closed": permanently, "reason": "x"}))
        .await
}

async fn note(api: &Api) -> Value {
    let _ = api.post("security_findings/4567/notes", json!({"text": "x"})).await;
    get(api, FINDING).await["notes"].as_array_mut().unwrap().pop().unwrap()
}

/// Which of these paths changed at the instant the clock shows.
async fn moved(api: &Api, paths: &[&str]) -> String {
    let mut moved = Vec::new();
    for path in paths {
        let time = instant(&get(api, path).await["results_last_updated"]);
        moved.push(if time == api.control().now() { "moved" } else { "stayed" });
    }
    moved.join(" ")
}

/// Puts another scene in place.
fn playing(api: Api, scene: &str) -> Api {
    let context = fixtures::scenes::SceneContext { seed: 1, epoch: api.control().epoch(), page_size: 1 };
    api.control().replace_world(fixtures::scenes::build(scene, context).unwrap()).unwrap();
    api
}

/// The target of `every-status` that is alone in its finding and in this status.
async fn target_in(api: &Api, status: &str) -> String {
    let rows = api.all_rows(TARGETS, TARGETS).await;
    let row =
        rows.iter().find(|row| row["current_status"] == status && row["security_finding_id"] != "000099");
    format!("{TARGETS}/{}", row.unwrap()["id"].as_str().unwrap())
}

async fn next_cursor(api: &Api, path: &str) -> Value {
    get(api, path).await["pagination_information"]["next_cursor"].take()
}

/// One row per reading; lists are paged row by row.
fn cases() -> Vec<Case> {
    let mut cases = reply_cases();
    cases.extend(request_cases());
    cases.extend(effect_cases());
    cases
}

fn reply_cases() -> Vec<Case> {
    cases! {
        "dt.last-page-cursor": |api| {
            let page = get(&api, "security_findings?mobile_app_id=1234").await;
            match page["pagination_information"].get("next_cursor") {
                Some(Value::String(cursor)) if !cursor.is_empty() => {
                    let next = get(&api, &format!("security_findings?cursor={cursor}")).await;
                    format!("a cursor to {}", next["security_findings"])
                }
                other => other.map_or_else(|| "absent".to_owned(), ToString::to_string),
            }
        } => { "absent": "absent", "null": "null", "empty": "\"\"", "empty-page": "a cursor to []" }
        "dt.total-count-type": |api| field(&get(&api, TARGETS).await["pagination_information"], "total_count")
            => { "string": "\"3\"", "number": "3" }
        "dt.targets-list-key": |api| {
            get(&api, TARGETS).await.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        } => {
            "security_finding_targets": "pagination_information security_finding_targets",
            "targets": "pagination_information targets"
        }
        "dt.cvss-names": |api| {
            let finding = get(&api, FINDING).await;
            let names = finding.as_object().unwrap().keys().filter(|name| name.starts_with("cvss"));
            names.cloned().collect::<Vec<_>>().join(" ")
        } => { "cvss": "cvss_score cvss_vector", "cvss3": "cvss3_score cvss3_vector" }
        "dt.notes-reply": |api| {
            let reply = api.post("security_findings/4567/notes", json!({"text": "x"})).await;
            let flag = if reply.text.is_empty() { String::new() } else { reply.json()["is_internal_comment"].to_string() };
            format!("{} {flag}", reply.status)
        } => { "no-content": "204 ", "sample-body": "200 \"true\"" }
        "dt.timestamp-offset": |api| get(&api, NEW).await["date_created"].as_str().unwrap()[10..].to_owned()
            => { "plus": "T19:25:16.664990+00:00", "minus": "T19:25:16.664990-00:00", "z": "T19:25:16.664990Z" }
        "dt.statuses-order": |api| {
            let target = get(&api, OPEN).await;
            let statuses = target["statuses"].as_array().unwrap().iter();
            statuses.map(|entry| entry["status"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        } => {
            "newest-first": "OPEN OPEN CLOSED_COMPENSATING_CONTROL NEW",
            "oldest-first": "NEW CLOSED_COMPENSATING_CONTROL OPEN OPEN"
        }
        "dt.target-list-links": |api| {
            let page = get(&api, "security_finding_targets?mobile_app_id=1234").await;
            let links = page["security_finding_targets"][0]["links"].as_array().unwrap().clone();
            links.iter().map(|link| link["href"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        } => {
            "as-sampled":
                "mobile_apps/1234 security_findings?mobile_app_id=1234 security_finding_targets?mobile_app_id=1234",
            "item-links": "mobile_apps/1234 security_findings/4567 security_finding_targets/12346"
        }
        "dt.not-permanently-closed": |api| field(&get(&api, FINDING).await, "is_permanently_closed")
            => { "false": "false", "omitted": "absent" }
        "dt.finding-issue-type": |api| {
            let shown = get(&api, FINDING).await.get("issue_type_id").is_some();
            let of_target = get(&api, NEW).await.get("issue_type_id").is_some();
            format!("finding {shown}, target {of_target}")
        } => { "emitted": "finding true, target true", "omitted": "finding false, target true" }
        "dt.sampled-fields": |api| {
            let listed = get(&api, "security_finding_targets?mobile_app_id=4567").await;
            let shown = |row: &Value| row.get("results_last_updated").is_some();
            format!("{} {}", shown(&listed["security_finding_targets"][0]), shown(&get(&api, FIXED).await))
        } => { "all": "true true", "as-sampled": "true false" }
        "dt.portal-url": |api| format!("{} {}", get(&api, FIXED).await["portal_url"], get(&api, FINDING).await["portal_url"])
            => {
                "mobile-app": "\"https://www.securetheorem.com/mobile/app/4567/issues/8901/targets/12345\" \
                               \"https://www.securetheorem.com/mobile/app/1234/issues/4567\"",
                "app": "\"https://securetheorem.com/app/4567/issues/8901\" \
                        \"https://securetheorem.com/app/1234/issues/4567\""
            }
        "dt.error-body": |api| {
            let reply = api.get("mobile_apps/1").await;
            if reply.text.is_empty() { "nothing".to_owned() } else { reply.text.replace(r#"\"1\""#, "1") }
        } => {
            "error-object": r#"{"error":{"code":404,"message":"there is no mobile app 1"}}"#,
            "message": r#"{"message":"there is no mobile app 1"}"#,
            "empty": "nothing"
        }
        "dt.null-fields": |api| field(&get(&api, "security_findings/8901").await, "priority")
            => { "omitted": "absent", "null": "null" }
        "dt.empty-lists": |api| {
            format!("{} {}", field(&get(&api, "security_findings/8901").await, "notes"),
                field(&get(&api, FIXED).await, "additional_contexts"))
        } => { "emitted": "[] []", "omitted": "absent absent" }
        "dt.app-unconfirmed-fields": |api| {
            let app = get(&api, "mobile_apps/1234").await;
            format!("{} {}", app.get("date_created").is_some(), app.get("results_last_updated").is_some())
        } => { "emitted": "true true", "omitted": "false true" }
    }
}

fn request_cases() -> Vec<Case> {
    cases! {
        "dt.bearer-scheme": |api| {
            let request = Request::get(format!("{DATA_THEOREM}/mobile_apps"));
            let request = request.header("authorization", format!("Bearer {}", api.secret()));
            outcome(&api.raw(request.body(Body::empty()).unwrap()).await)
        } => { "refused": "401 dt.bearer-scheme", "accepted": "200" }
        "dt.app-out-of-scope": |api| {
            let api = api.key_named("one-app");
            let list = outcome_of_get(&api, "security_findings?mobile_app_id=1234").await;
            format!("{list}, {}", outcome_of_get(&api, FINDING).await)
        } => {
            "403": "403 DT-AUTH-APP-SCOPE, 403 DT-FINDING-ACCESS",
            "404": "404 dt.app-out-of-scope, 404 dt.app-out-of-scope"
        }
        "dt.unknown-id": |api| outcome_of_get(&api, "mobile_apps/1").await
            => { "404": "404 dt.unknown-id", "403": "403 dt.unknown-id" }
        "dt.unknown-app-filter": |api| outcome_of_get(&api, "security_findings?mobile_app_id=1").await
            => { "empty": "200", "404": "404 dt.unknown-app-filter" }
        "dt.missing-permission": |api| outcome(&close(&api.key_named("read-only"), false).await)
            => { "403": "403 DT-FINDING-CLOSE-PERMISSION", "401": "401 DT-FINDING-CLOSE-PERMISSION" }
        "dt.status-permission": |api| post_status(&api.key_named("read-only"), NEW, "CLOSED_WONT_FIX").await
            => { "close-permission": "403 dt.status-permission", "none": "204" }
        "dt.status-reason-permission": |api| {
            let mut world = api.control().export_world();
            let key = world.data_theorem.api_keys.iter_mut().find(|key| key.name == "read-only").unwrap();
            key.permissions.insert(Permission::CloseIssues);
            api.control().replace_world(world).unwrap();
            let api = api.key_named("read-only");
            let body = json!({"status": "CLOSED_WONT_FIX", "reason": "x"});
            let reasoned = outcome(&api.post(&format!("{NEW}/statuses"), body).await);
            format!("{reasoned}, {}", get(&api, NEW).await["current_status"])
        } => { "none": "204, \"CLOSED_WONT_FIX\"", "comment-permission": "403 dt.status-reason-permission, \"NEW\"" }
        "dt.invalid-request": |api| {
            let filter = outcome_of_get(&api, "security_findings?status_group=x").await;
            let body = outcome(&api.patch(FINDING, json!({"priority": "x"})).await);
            format!("{filter}, {body}, {}", outcome_of_get(&api, "security_findings?cursor=x").await)
        } => {
            "400": "400 DT-FINDINGS-LIST-STATUS-GROUP, 400 DT-FINDING-PATCH-PRIORITY-VALUES, 400 dt.malformed-cursor",
            "422": "422 DT-FINDINGS-LIST-STATUS-GROUP, 422 DT-FINDING-PATCH-PRIORITY-VALUES, 422 dt.malformed-cursor"
        }
        "dt.malformed-filter": |api| {
            let outcome = outcome_of_get(&api, "security_findings?status_group=x&mobile_app_id=1234").await;
            format!("{outcome} {:?}", api.last_entry().flags)
        } => {
            "refused": "400 DT-FINDINGS-LIST-STATUS-GROUP []",
            "ignored": "200 [\"malformed status_group ignored: must be one of CLOSED, OPEN\"]"
        }
        "dt.empty-results-since": |api| outcome_of_get(&api, "mobile_apps?results_since=").await
            => { "absent": "200", "refused": "400 dt.empty-results-since" }
        "dt.raw-plus": |api| outcome_of_get(&api, "mobile_apps?results_since=2021-08-17T00:00:00+00:00").await
            => { "refused": "400 DT-APPS-LIST-RESULTS-SINCE", "plus": "200" }
        "dt.unknown-parameter": |api| outcome_of_get(&api, "mobile_apps?scan_id=1").await
            => { "ignored": "200", "refused": "400 dt.unknown-parameter" }
        "dt.unknown-body-field": |api| {
            let reply = outcome(&api.patch(NEW, json!({"external_id": "A-1", "text": "x"})).await);
            format!("{reply}, {}", field(&get(&api, NEW).await, "external_id"))
        } => { "ignored": "200, \"A-1\"", "refused": "400 dt.unknown-body-field, absent" }
        "dt.page-size-parameter": |api| {
            let page = get(&api, "mobile_apps?page_size=2").await;
            page["mobile_apps"].as_array().unwrap().len().to_string()
        } => { "ignored": "1", "honoured": "2" }
        "dt.enum-case": |api| outcome_of_get(&api, "security_findings?status_group=open&severity=Medium").await
            => { "exact": "400 DT-FINDINGS-LIST-STATUS-GROUP", "insensitive": "200" }
        "dt.content-type": |api| {
            let request = Request::patch(format!("{DATA_THEOREM}/{NEW}"));
            let request = request.header("authorization", format!("APIKey {}", api.secret()));
            outcome(&api.raw(request.body(Body::from(r#"{"external_id":"A-1"}"#)).unwrap()).await)
        } => { "tolerant": "200", "required": "415 dt.content-type" }
        "dt.cursor-filters": |api| {
            let list = "security_findings?status_group=OPEN";
            let cursor = next_cursor(&api, list).await.as_str().unwrap().to_owned();
            let alone = outcome_of_get(&api, &format!("security_findings?cursor={cursor}")).await;
            format!("{alone}, {}", outcome_of_get(&api, &format!("{list}&cursor={cursor}")).await)
        } => { "bound": "200, 200", "repeated": "400 dt.cursor-filters, 200" }
        "dt.malformed-cursor": |api| {
            let first = api.get("security_findings").await.text;
            let reply = api.get("security_findings?cursor=x").await;
            format!("{} {}", outcome(&reply), reply.text == first)
        } => { "refused": "400 dt.malformed-cursor false", "first-page": "200 true" }
        "dt.external-id-null": |api| field(&api.patch(OPEN, json!({"external_id": null})).await.ok(), "external_id")
            => { "unchanged": "\"JIRA-12345\"", "cleared": "absent" }
        "dt.external-id-empty": |api| field(&api.patch(OPEN, json!({"external_id": ""})).await.ok(), "external_id")
            => { "cleared": "absent", "stored": "\"\"" }
        "dt.trailing-slash": |api| outcome_of_get(&api, "security_findings/4567/").await
            => { "404": "404 dt.trailing-slash", "same": "200" }
    }
}

#[expect(clippy::too_many_lines, reason = "a table, one row per reading")]
fn effect_cases() -> Vec<Case> {
    cases! {
        "dt.open-group-rescan": |api| {
            let api = playing(api, "every-status");
            let waiting = target_in(&api, "OPEN_READY_TO_RESCAN").await;
            let finding = get(&api, &waiting).await["security_finding_id"].as_str().unwrap().to_owned();
            let list = format!("{TARGETS}?security_finding_id={finding}");
            let (open, closed) = (format!("{list}&status_group=OPEN"), format!("{list}&status_group=CLOSED"));
            let whole = total(&api, &format!("{TARGETS}?status_group=OPEN")).await;
            format!("{} {}, {whole}", total(&api, &open).await, total(&api, &closed).await)
        } => { "included": "1 0, 6", "excluded": "0 0, 4" }
        "dt.aggregated-new": |api| field(&get(&playing(api, "every-status"), "security_findings/000099").await, "aggregated_status")
            => { "all-new": "\"OPEN\"", "any-new": "\"NEW\"" }
        "dt.aggregated-rescan": |api| {
            let api = playing(api, "every-status");
            let finding = get(&api, &target_in(&api, "OPEN_READY_TO_RESCAN").await).await["security_finding_id"].take();
            let finding = get(&api, &format!("security_findings/{}", finding.as_str().unwrap())).await;
            field(&finding, "aggregated_status")
        } => { "open": "\"OPEN\"", "verbatim": "\"OPEN_READY_TO_RESCAN\"" }
        "dt.closing-note-flags": |api| {
            let note = close(&api, true).await.ok()["notes"][2].take();
            format!("reply {}, internal {}", note["is_reply_from_datatheorem"], note["is_internal_comment"])
        } => { "as-sampled": "reply true, internal false", "internal": "reply false, internal true" }
        "dt.closing-note-text": |api| field(&close(&api, false).await.ok()["notes"][2], "text")
            => {
                "only-permanent-says-so": "\"Issue closed using the following explanation: x\"",
                "always-permanent": "\"Issue permanently closed using the following explanation: x\""
            }
        "dt.close-when-closed": |api| {
            let _ = close(&api, false).await.ok();
            outcome(&close(&api, false).await)
        } => { "409": "409 DT-FINDING-CLOSE-OPEN", "400": "400 DT-FINDING-CLOSE-OPEN" }
        "dt.manual-close-to-other": |api| {
            let _ = post_status(&api, NEW, "CLOSED_WONT_FIX").await;
            let outcome = post_status(&api, NEW, "CLOSED_RISK_ACCEPTED").await;
            format!("{outcome} {}", get(&api, NEW).await["current_status"])
        } => {
            "409": "409 dt.manual-close-to-other \"CLOSED_WONT_FIX\"",
            "400": "400 dt.manual-close-to-other \"CLOSED_WONT_FIX\"",
            "allowed": "204 \"CLOSED_RISK_ACCEPTED\""
        }
        "dt.reopen-not-manual": |api| {
            let outcome = post_status(&api, FIXED, "OPEN").await;
            format!("{outcome} {}", get(&api, FIXED).await["current_status"])
        } => {
            "409": "409 dt.reopen-not-manual \"CLOSED_FIXED\"",
            "400": "400 dt.reopen-not-manual \"CLOSED_FIXED\"",
            "allowed": "204 \"OPEN\""
        }
        "dt.open-on-new": |api| {
            let outcome = post_status(&api, NEW, "OPEN").await;
            format!("{outcome} {}", get(&api, NEW).await["current_status"])
        } => { "409": "409 dt.open-on-new \"NEW\"", "allowed": "204 \"OPEN\"" }
        "dt.reopen-permanently-closed": |api| {
            let _ = close(&api, true).await.ok();
            let outcome = post_status(&api, NEW, "OPEN").await;
            format!("{outcome}, permanently closed {}", get(&api, FINDING).await["is_permanently_closed"])
        } => {
            "409": "409 dt.reopen-permanently-closed, permanently closed true",
            "allowed": "204, permanently closed false"
        }
        "dt.seen-again-after-fixed": |api| {
            let observed = vec![Observation::Known { target_id: "12345".to_owned() }];
            let (mobile_app_id, missed) = ("4567".to_owned(), Misses::Nothing);
            let scan = Event::Scan { mobile_app_id, build_version: None, build_source: None, observed, missed };
            let _ = api.control().happen(&scan).unwrap();
            field(&get(&api, FIXED).await, "current_status")
        } => { "open": "\"OPEN\"", "new": "\"NEW\"" }
        "dt.seen-again-permanently-closed": |api| {
            close_permanently_with_a_fixed_target(&api).await;
            let observed = vec![Observation::Known { target_id: "12345".to_owned() }];
            let (mobile_app_id, missed) = ("4567".to_owned(), Misses::Nothing);
            let scan = Event::Scan { mobile_app_id, build_version: None, build_source: None, observed, missed };
            let _ = api.control().happen(&scan).unwrap();
            field(&get(&api, FIXED).await, "current_status")
        } => { "stays-closed": "\"CLOSED_FIXED\"", "reopened": "\"OPEN\"" }
        "dt.note-author": |api| field(&note(&api).await, "author_email")
            => { "key-name": "\"sync\"", "address": "\"sync@api-key.example\"" }
        "dt.external-id-bumps": |api| {
            let _ = api.patch(NEW, json!({"external_id": "A-1"})).await.ok();
            moved(&api, &[NEW, FINDING, "mobile_apps/1234"]).await
        } => { "no": "stayed stayed stayed", "yes": "moved moved moved" }
        "dt.manual-status-bumps": |api| {
            let _ = post_status(&api, NEW, "CLOSED_WONT_FIX").await;
            moved(&api, &[NEW, FINDING, "mobile_apps/1234"]).await
        } => { "yes": "moved moved moved", "no": "stayed stayed stayed" }
        "dt.note-bumps": |api| {
            let _ = note(&api).await;
            moved(&api, &[NEW, FINDING, "mobile_apps/1234"]).await
        } => { "no": "stayed stayed stayed", "yes": "stayed moved moved" }
        "dt.priority-bumps": |api| {
            let _ = api.patch(FINDING, json!({"priority": "P0"})).await.ok();
            moved(&api, &[NEW, FINDING, "mobile_apps/1234"]).await
        } => { "no": "stayed stayed stayed", "yes": "stayed moved moved" }
        "dt.results-since-bound": |api| {
            let mut counts = Vec::new();
            for list in [TARGETS, "security_findings", "mobile_apps"] {
                counts.push(total(&api, &format!("{list}?results_since=2021-08-17T13:45:25.266423")).await);
            }
            counts.join(" ")
        } => { "inclusive": "1 1 1", "exclusive": "0 0 0" }
        "dt.list-order": |api| {
            let mut rows = api.all_rows(TARGETS, TARGETS).await;
            rows.dedup_by_key(|row| instant(&row["results_last_updated"]));
            rows.iter().map(|row| row["results_last_updated"].as_str().unwrap()[..4].to_owned() + " ").collect::<String>()
        } => { "updated-descending": "2021 2016 ", "updated-ascending": "2016 2021 " }
    }
}

fn playing_under(reading: &str, value: &str) -> Api {
    let builder = MockServer::builder().world("docs-samples").page_size(1);
    Api::with(builder.reading(reading, value).unwrap())
}

#[test]
fn every_reading_of_the_ledger_has_a_case_for_every_value() {
    let ledger: BTreeMap<&str, BTreeSet<&str>> = spec::readings()
        .filter(|reading| reading.id.starts_with("dt."))
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

#[tokio::test]
async fn a_reading_can_be_changed_while_the_server_runs() {
    let api = Api::docs_samples();
    assert_eq!(field(&get(&api, FINDING).await, "is_permanently_closed"), "false");
    api.control().set_readings([("dt.not-permanently-closed", "omitted")]).unwrap();
    assert_eq!(field(&get(&api, FINDING).await, "is_permanently_closed"), "absent");
    api.control().reset();
    assert_eq!(field(&get(&api, FINDING).await, "is_permanently_closed"), "absent", "a reset keeps readings");
    let unknown = [("dt.not-permanently-closed", "false"), ("dt.no-such-reading", "x")];
    assert!(api.control().set_readings(unknown).is_err());
    assert_eq!(api.control().readings()["dt.not-permanently-closed"], "omitted", "all or none");
    let head = api.send(Method::HEAD, FINDING, Body::empty()).await;
    assert_eq!(head.headers["content-length"], api.get(FINDING).await.text.len().to_string());
}

/// Closes the finding of the fixed target permanently, through another target that a scan opens first.
async fn close_permanently_with_a_fixed_target(api: &Api) {
    let issue_type_id = get(api, FIXED).await["issue_type_id"].as_str().unwrap().to_owned();
    let observed = vec![Observation::Described { issue_type_id, text: "another component".to_owned() }];
    let (mobile_app_id, missed) = ("4567".to_owned(), Misses::Nothing);
    let scan = Event::Scan { mobile_app_id, build_version: None, build_source: None, observed, missed };
    let _ = api.control().happen(&scan).unwrap();
    let body = json!({"aggregated_status": "CLOSED_WONT_FIX", "is_permanently_closed": true, "reason": "r"});
    let closed = api.post("security_findings/8901/close", body).await.ok();
    assert_eq!(closed["is_permanently_closed"], true);
}
