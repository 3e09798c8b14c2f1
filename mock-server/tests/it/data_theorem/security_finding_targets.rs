//! Targets: the list and its filters, one target, its ticket, its status.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use fixtures::world::data_theorem::TargetStatus;
use http::Method;
use insta::assert_json_snapshot;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, instant};

const LIST: &str = "security_finding_targets";
/// The target of the list sample: `OPEN`, of finding 053069.
const OPEN: &str = "security_finding_targets/4651453173202944";
/// The target of the GET sample: `CLOSED_FIXED`.
const FIXED: &str = "security_finding_targets/12345";
/// The one target of finding 4567: `NEW`.
const NEW: &str = "security_finding_targets/12346";
const ACCEPTED: [TargetStatus; 4] = [
    TargetStatus::ClosedWontFix,
    TargetStatus::ClosedRiskAccepted,
    TargetStatus::ClosedCompensatingControl,
    TargetStatus::Open,
];

/// The scene on pages so large that each list is one.
fn unpaged(scene: &str) -> Api {
    Api::with(MockServer::builder().world(scene).page_size(5000))
}

async fn rows(api: &Api, query: &str) -> Vec<Value> {
    let page = api.get(&format!("{LIST}?{query}")).await.ok();
    let rows = page[LIST].as_array().unwrap().clone();
    assert_eq!(page["pagination_information"], json!({"total_count": rows.len().to_string()}), "{query}");
    rows
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn encoded(text: &str) -> String {
    text.replace(':', "%3a").replace('+', "%2b")
}

#[tokio::test]
async fn the_sampled_targets_are_listed_and_served() {
    let api = Api::docs_samples();
    assert_json_snapshot!("security_finding_targets", api.get(LIST).await.ok());
    assert_json_snapshot!("security_finding_target_open", api.get(OPEN).await.ok());
    assert_json_snapshot!("security_finding_target_fixed", api.get(FIXED).await.ok());
    assert_json_snapshot!("security_finding_target_new", api.get(NEW).await.ok());
}

#[tokio::test]
async fn a_patch_a_close_and_a_reopening_show_in_the_target() {
    let api = Api::docs_samples();
    assert_json_snapshot!(
        "security_finding_target_patched",
        api.patch(NEW, json!({"external_id": "JIRA-7"})).await.ok()
    );
    api.post(&format!("{NEW}/statuses"), json!({"status": "CLOSED_WONT_FIX"})).await.no_content();
    api.control().advance(jiff::SignedDuration::from_secs(61));
    api.post(&format!("{NEW}/statuses"), json!({"status": "OPEN"})).await.no_content();
    assert_json_snapshot!("security_finding_target_reopened", api.get(NEW).await.ok());
}

/// DT-TARGETS-LIST, DT-TARGETS-LIST-KEY, DT-TARGETS-LIST-PAGINATION
#[tokio::test]
async fn the_list_is_an_object_of_rows_and_pagination_information() {
    let page = Api::docs_samples().get(LIST).await.ok();
    assert_eq!(page.as_object().unwrap().keys().collect::<Vec<_>>(), ["pagination_information", LIST]);
    assert_eq!(page["pagination_information"], json!({"total_count": "3"}));
    assert_eq!(page[LIST].as_array().unwrap().len(), 3);
}

/// Every listed target against the world it was made from.
///
/// DT-TARGET-ID, DT-TARGET-IDS-TEXT, DT-TARGET-MOBILE-APP-ID, DT-TARGET-SECURITY-FINDING-ID,
/// DT-TARGET-ISSUE-TYPE-ID, DT-TARGET-CURRENT-STATUS, DT-TARGET-CURRENT-STATUS-DATE, DT-TARGET-STATUSES,
/// DT-TARGETS-LIST-HISTORY, DT-TARGET-STATUS-ENTRY, DT-TARGET-TEXT, DT-TARGET-DATE-CREATED,
/// DT-TARGET-RESULTS-LAST-UPDATED, DT-TARGET-EXTERNAL-ID, DT-TARGET-EXTERNAL-BUG-TRACKER-URL,
/// DT-TARGET-ADDITIONAL-CONTEXTS, DT-TARGET-ADDITIONAL-CONTEXT-SHAPE, DT-TARGET-ASSOCIATED-SDK-IDS
#[tokio::test]
async fn every_field_of_every_listed_target_is_what_the_world_holds() {
    for scene in ["demo", "docs-samples", "every-status", "unicode"] {
        let api = unpaged(scene);
        let world = api.control().export_world().data_theorem;
        let findings: BTreeMap<_, _> =
            world.security_findings.iter().map(|row| (row.id.as_str(), row)).collect();
        let listed = rows(&api, "").await;
        assert_eq!(ids(&listed).len(), world.security_finding_targets.len(), "{scene}");
        let by_id: BTreeMap<_, _> = listed.iter().map(|row| (text(row, "id"), row)).collect();
        for spec in &world.security_finding_targets {
            let row = by_id[spec.id.as_str()];
            let finding = findings[spec.security_finding_id.as_str()];
            assert_eq!(text(row, "security_finding_id"), finding.id);
            assert_eq!(text(row, "mobile_app_id"), finding.mobile_app_id);
            assert_eq!(text(row, "issue_type_id"), finding.issue_type_id);
            assert_eq!(text(row, "text"), spec.text);
            assert_eq!(instant(&row["date_created"]), spec.date_created);
            assert_eq!(instant(&row["results_last_updated"]), spec.results_last_updated);
            assert_eq!(row.get("external_id").map(|id| id.as_str().unwrap()), spec.external_id.as_deref());
            let url = row.get("external_bug_tracker_url").map(|url| url.as_str().unwrap());
            assert_eq!(url, spec.external_bug_tracker_url.as_deref());
            assert_eq!(row["associated_sdk_ids"], json!(spec.associated_sdk_ids));
            let contexts: Vec<_> = spec
                .additional_contexts
                .iter()
                .map(|one| json!({"body": one.body, "type": one.kind}))
                .collect();
            assert_eq!(row["additional_contexts"], json!(contexts));

            let history = row["statuses"].as_array().unwrap();
            assert_eq!(history.len(), spec.statuses.len());
            for (shown, kept) in history.iter().zip(&spec.statuses) {
                assert_eq!(text(shown, "status"), kept.status.as_str());
                assert_eq!(instant(&shown["date"]), kept.date);
                let build = shown.get("build_version").map(|build| build.as_str().unwrap());
                assert_eq!(build, kept.build_version.as_deref());
            }
            assert_eq!(row["current_status"], history[0]["status"]);
            assert_eq!(row["current_status_date"], history[0]["date"]);
        }
    }
}

/// DT-TARGETS-LIST-LINKS, DT-TARGET-LINKS, DT-TARGET-LINK-SHAPE, DT-TARGET-GET-LINKS,
/// DT-WORKFLOW-APP-LINK, DT-WORKFLOW-FINDING-LINK
#[tokio::test]
async fn links_are_relative_paths_that_lead_to_app_finding_and_target() {
    let api = unpaged("docs-samples");
    for row in rows(&api, "").await {
        let single = api.get(&format!("{LIST}/{}", text(&row, "id"))).await.ok();
        let (app, finding) = (text(&row, "mobile_app_id"), text(&row, "security_finding_id"));
        for (shown, expected) in [
            (
                &row,
                [
                    ("mobile_apps", format!("mobile_apps/{app}")),
                    ("security_findings", format!("security_findings?mobile_app_id={app}")),
                    ("self", format!("{LIST}?mobile_app_id={app}")),
                ],
            ),
            (
                &single,
                [
                    ("mobile_app", format!("mobile_apps/{app}")),
                    ("security_finding", format!("security_findings/{finding}")),
                    ("self", format!("{LIST}/{}", text(&row, "id"))),
                ],
            ),
        ] {
            let expected = expected.map(|(rel, href)| json!({"href": href, "rel": rel, "type": "GET"}));
            assert_eq!(shown["links"], json!(expected));
            for link in shown["links"].as_array().unwrap() {
                let there = api.get(text(link, "href")).await.ok();
                if text(link, "rel") == "security_finding" {
                    assert_eq!(text(&there, "id"), finding);
                }
            }
        }
    }
}

/// DT-WORKFLOW-FINDING-TEXTS
#[tokio::test]
async fn a_targets_link_leads_to_description_and_recommendation() {
    let api = Api::docs_samples();
    let target = api.get(NEW).await.ok();
    let finding = api.get(text(&target["links"][1], "href")).await.ok();
    assert_eq!(text(&finding, "description"), "This is how it breaks");
    assert_eq!(text(&finding, "recommendation"), "Fix it asap");
}

/// DT-TARGETS-LIST-PORTAL-URL, DT-TARGET-PORTAL-URL, DT-WORKFLOW-PORTAL-LINK
#[tokio::test]
async fn the_portal_url_names_app_finding_and_target() {
    for row in rows(&unpaged("demo"), "").await {
        let (app, finding, id) =
            (text(&row, "mobile_app_id"), text(&row, "security_finding_id"), text(&row, "id"));
        let expected =
            format!("https://www.securetheorem.com/mobile/app/{app}/issues/{finding}/targets/{id}");
        assert_eq!(text(&row, "portal_url"), expected);
    }
}

/// DT-TARGET-GET
#[tokio::test]
async fn a_single_target_is_the_listed_one_but_for_its_links() {
    let api = unpaged("every-status");
    for mut row in rows(&api, "").await {
        let mut single = api.get(&format!("{LIST}/{}", text(&row, "id"))).await.ok();
        assert_ne!(single["links"], row["links"]);
        single["links"].take();
        row["links"].take();
        assert_eq!(single, row);
    }
}

/// DT-TARGETS-LIST-MOBILE-APP-ID, DT-TARGETS-LIST-SECURITY-FINDING-ID, DT-TARGETS-LIST-STATUS-GROUP,
/// DT-TARGETS-LIST-RESULTS-SINCE, DT-TARGETS-LIST-ISSUE-TYPE-ID, DT-TARGETS-LIST-FILTERS-TOGETHER
#[tokio::test]
async fn each_filter_and_all_of_them_together_limit_the_list() {
    for scene in ["demo", "every-status"] {
        let api = unpaged(scene);
        let all = rows(&api, "").await;
        for row in all.iter().step_by(all.len().div_ceil(12)) {
            let group = if text(row, "current_status").starts_with("CLOSED_") { "CLOSED" } else { "OPEN" };
            let mut passing = all.clone();
            let mut queries = Vec::new();
            for field in ["mobile_app_id", "security_finding_id", "issue_type_id"] {
                let query = format!("{field}={}", text(row, field));
                let expected: Vec<_> =
                    all.iter().filter(|other| other[field] == row[field]).cloned().collect();
                assert_eq!(rows(&api, &query).await, expected, "{query}");
                passing.retain(|other| other[field] == row[field]);
                queries.push(query);
            }
            let in_group =
                |other: &Value| text(other, "current_status").starts_with("CLOSED_") == (group == "CLOSED");
            let query = format!("status_group={group}");
            let expected: Vec<_> = all.iter().filter(|other| in_group(other)).cloned().collect();
            assert_eq!(rows(&api, &query).await, expected, "{query}");
            queries.push(query);
            let since = instant(&row["results_last_updated"]);
            let recent = |other: &Value| instant(&other["results_last_updated"]) >= since;
            let query = format!("results_since={}", encoded(text(row, "results_last_updated")));
            let expected: Vec<_> = all.iter().filter(|other| recent(other)).cloned().collect();
            assert_eq!(rows(&api, &query).await, expected, "{query}");
            queries.push(query);
            passing.retain(|other| in_group(other) && recent(other));
            assert!(!passing.is_empty());
            assert_eq!(rows(&api, &queries.join("&")).await, passing, "{queries:?}");
        }
    }
}

/// DT-RESULTS-SINCE-FORMAT, DT-RESULTS-SINCE-NO-OFFSET, DT-RESULTS-SINCE-MINUS-ZERO, DT-RESULTS-SINCE-ENCODED
#[tokio::test]
async fn every_documented_spelling_of_an_instant_is_understood() {
    let api = Api::docs_samples();
    for (spelling, count) in [
        ("2021-08-17T13:45:25.266423", 1),
        ("2021-08-17T13:45:25.266423-00:00", 1),
        ("2021-08-17T13:45:25.266423%2B00:00", 1),
        ("2021-08-17T13%3A45%3A25.266423%2B00%3A00", 1),
        ("2021-08-17T13%3a45%3a25.266423%2b00%3a00", 1),
        ("2021-08-17T13:45:25.266423Z", 1),
        ("2021-08-17T06:45:25.266423-07:00", 1),
        ("2021-08-17T13:45:25", 1),
        ("2021-08-17T13:45:25.266424-00:00", 0),
        ("2016-11-02T19:25:16.664990-00:00", 3),
        ("2016-11-02T19:25:16.664991", 1),
        ("", 3),
    ] {
        assert_eq!(rows(&api, &format!("results_since={spelling}")).await.len(), count, "{spelling}");
    }
}

/// DT-TARGETS-LIST-TYPES
#[tokio::test]
async fn malformed_filters_are_refused_by_their_rule() {
    let api = Api::docs_samples();
    for (query, rule) in [
        ("mobile_app_id=abc", "DT-TARGETS-LIST-MOBILE-APP-ID"),
        ("mobile_app_id=1.5", "DT-TARGETS-LIST-MOBILE-APP-ID"),
        ("mobile_app_id=99999999999999999999", "DT-TARGETS-LIST-MOBILE-APP-ID"),
        ("results_since=yesterday", "DT-TARGETS-LIST-RESULTS-SINCE"),
        ("results_since=2017-13-02T19:25:16.664998-00:00", "DT-TARGETS-LIST-RESULTS-SINCE"),
        ("results_since=2021-08-17T13:45:25.266423+00:00", "DT-TARGETS-LIST-RESULTS-SINCE"),
        ("status_group=ALL", "DT-TARGETS-LIST-STATUS-GROUP"),
        ("status_group=open", "DT-TARGETS-LIST-STATUS-GROUP"),
        ("status_group=NEW", "DT-TARGETS-LIST-STATUS-GROUP"),
    ] {
        api.get(&format!("{LIST}?{query}")).await.refused(400, rule);
        assert_eq!(api.last_entry().rule.as_deref(), Some(rule), "{query}");
        assert!(api.last_entry().reason.is_some_and(|reason| reason.contains(' ')), "{query}");
    }
    assert!(rows(&api, "security_finding_id=no-such-finding").await.is_empty());
    assert!(rows(&api, "issue_type_id=no-such-type").await.is_empty());
}

#[tokio::test]
async fn a_parameter_that_does_not_exist_changes_nothing_and_is_flagged() {
    let api = Api::docs_samples();
    assert_eq!(rows(&api, "requests_since=2099-01-01T00:00:00Z&scan_id=1").await.len(), 3);
    assert_eq!(
        api.last_entry().flags,
        [
            r#"unknown query parameter "requests_since" ignored (did you mean "results_since"?)"#,
            r#"unknown query parameter "scan_id" ignored"#,
        ]
    );
}

#[tokio::test]
async fn a_parameter_of_a_single_target_is_flagged_too() {
    let api = Api::docs_samples();
    let _ = api.get(&format!("{OPEN}?include=finding")).await.ok();
    assert_eq!(api.last_entry().flags, [r#"unknown query parameter "include" ignored"#]);
}

/// DT-TARGET-PATCH-EXTERNAL-ID, DT-TARGET-PATCH-REPLY, DT-TARGET-PATCH-NOTHING-ELSE
#[tokio::test]
async fn a_patch_changes_the_external_id_and_nothing_else() {
    let api = Api::docs_samples();
    let mut expected = api.get(NEW).await.ok();
    assert_eq!(expected.get("external_id"), None);
    expected["external_id"] = json!("JIRA-9 ü");
    let body = json!({
        "external_id": "JIRA-9 ü", "text": "another", "current_status": "CLOSED_WONT_FIX", "id": "1",
        "external_bug_tracker_url": "https://tracker.example", "external_ID": "x",
    });
    assert_eq!(api.patch(NEW, body).await.ok(), expected);
    let flags = api.last_entry().flags;
    assert_eq!(flags.len(), 5);
    assert!(flags.contains(&r#"unknown body field "text" ignored"#.to_owned()), "{flags:?}");
    assert_eq!(api.get(NEW).await.ok(), expected);
    for body in [json!({}), json!({"external_id": null}), json!({"text": "another"})] {
        assert_eq!(api.patch(NEW, body).await.ok(), expected);
    }
    let cleared = api.patch(NEW, json!({"external_id": ""})).await.ok();
    assert_eq!(cleared.get("external_id"), None);
}

/// DT-TARGET-EXTERNAL-ID-SHARED
#[tokio::test]
async fn several_targets_carry_one_external_id() {
    let api = Api::docs_samples();
    let _ = api.patch(NEW, json!({"external_id": "JIRA-12345"})).await.ok();
    let shared = rows(&api, "").await.iter().filter(|row| row["external_id"] == "JIRA-12345").count();
    assert_eq!(shared, 3);
}

/// DT-TARGET-PATCH-OBJECT
#[tokio::test]
async fn a_patch_takes_an_object_with_a_string() {
    let api = Api::docs_samples();
    let before = api.get(NEW).await.ok();
    for body in [json!([]), json!("JIRA-1"), json!({"external_id": 7}), json!({"external_id": ["JIRA-1"]})] {
        api.patch(NEW, body).await.refused(400, "DT-TARGET-PATCH-OBJECT");
    }
    api.send(Method::PATCH, NEW, Body::from("external_id=JIRA-1")).await.refused(400, "DT-JSON-BODY");
    assert_eq!(api.get(NEW).await.ok(), before);
}

/// Every current status against every accepted one.
///
/// DT-TARGET-STATUS-OVERRIDE, DT-TARGET-STATUS-REPLY, DT-TARGET-STATUS-CLOSE, DT-TARGET-STATUS-REOPEN,
/// DT-TARGET-STATUS-SAME
#[tokio::test]
async fn a_status_is_changed_or_refused_as_the_current_one_allows() {
    let api = unpaged("every-status");
    for current in TargetStatus::ALL {
        for wanted in ACCEPTED {
            api.control().reset();
            api.control().advance(jiff::SignedDuration::from_secs(5));
            let alone = rows(&api, "").await.into_iter().find(|row| {
                row["current_status"] == current.as_str() && row["security_finding_id"] != "000099"
            });
            let path = format!("{LIST}/{}", text(&alone.unwrap(), "id"));
            let before = api.get(&path).await.ok();
            let reply = api.post(&format!("{path}/statuses"), json!({"status": wanted.as_str()})).await;
            let after = api.get(&path).await.ok();
            let refusal = if *current == wanted {
                Some("DT-TARGET-STATUS-SAME")
            } else if current.is_closed() == wanted.is_closed() {
                Some(if wanted.is_closed() { "dt.manual-close-to-other" } else { "dt.open-on-new" })
            } else {
                (current.is_closed() && !current.is_manual_close()).then_some("dt.reopen-not-manual")
            };
            if let Some(rule) = refusal {
                reply.refused(409, rule);
                assert_eq!(after, before, "{current} to {wanted}");
                continue;
            }
            reply.no_content();
            assert_eq!(after["current_status"], wanted.as_str());
            assert_eq!(instant(&after["current_status_date"]), api.control().now());
            assert_eq!(instant(&after["results_last_updated"]), api.control().now());
            let (old, new) = (before["statuses"].as_array().unwrap(), after["statuses"].as_array().unwrap());
            assert_eq!(new[0], json!({"date": after["current_status_date"], "status": wanted.as_str()}));
            assert_eq!(new[1..], old[..]);
            let finding =
                api.get(&format!("security_findings/{}", text(&after, "security_finding_id"))).await.ok();
            assert_eq!(finding["aggregated_status"], wanted.as_str());
            assert_eq!(finding["results_last_updated"], after["results_last_updated"]);
            let app = api.get(&format!("mobile_apps/{}", text(&after, "mobile_app_id"))).await.ok();
            assert_eq!(app["results_last_updated"], after["results_last_updated"]);
        }
    }
}

/// DT-TARGET-STATUS-REASON-NOTE
#[tokio::test]
async fn a_reason_becomes_an_internal_note_of_the_key() {
    let api = Api::docs_samples();
    let notes = async || api.get("security_findings/4567").await.ok()["notes"].as_array().unwrap().clone();
    let statuses = format!("{NEW}/statuses");
    api.post(&statuses, json!({"status": "CLOSED_WONT_FIX", "reason": null})).await.no_content();
    assert_eq!(notes().await.len(), 2);
    api.post(&statuses, json!({"status": "OPEN", "reason": "Can be exploited"})).await.no_content();
    let note = notes().await.pop().unwrap();
    assert_eq!(notes().await.len(), 3);
    assert_eq!(instant(&note["date_created"]), api.control().now());
    for (field, value) in [
        ("author_email", json!("sync")),
        ("is_internal_comment", json!(true)),
        ("is_question_for_datatheorem", json!(false)),
        ("is_reply_from_datatheorem", json!(false)),
        ("text", json!("Can be exploited")),
    ] {
        assert_eq!(note[field], value, "{field}");
    }
    api.post(&statuses, json!({"status": "OPEN", "reason": "again"}))
        .await
        .refused(409, "DT-TARGET-STATUS-SAME");
    assert_eq!(notes().await.len(), 3, "a refused change leaves no note");
}

/// DT-TARGET-STATUS-REASON
#[tokio::test]
async fn a_reason_is_a_string() {
    let api = Api::docs_samples();
    for reason in [json!(7), json!(["x"]), json!({"text": "x"})] {
        let body = json!({"status": "CLOSED_WONT_FIX", "reason": reason});
        api.post(&format!("{NEW}/statuses"), body).await.refused(400, "DT-TARGET-STATUS-REASON");
    }
}

/// DT-TARGET-STATUS-OBJECT, DT-TARGET-STATUS-REQUIRED, DT-TARGET-STATUS-ACCEPTED
#[tokio::test]
async fn other_bodies_than_an_accepted_status_are_refused() {
    let api = Api::docs_samples();
    let before = api.get(OPEN).await.ok();
    let statuses = format!("{OPEN}/statuses");
    for (body, rule) in [
        (json!(["CLOSED_WONT_FIX"]), "DT-TARGET-STATUS-OBJECT"),
        (json!({}), "DT-TARGET-STATUS-REQUIRED"),
        (json!({"status": null, "reason": "x"}), "DT-TARGET-STATUS-REQUIRED"),
        (json!({"current_status": "CLOSED_WONT_FIX"}), "DT-TARGET-STATUS-REQUIRED"),
        (json!({"status": "closed_wont_fix"}), "DT-TARGET-STATUS-ACCEPTED"),
        (json!({"status": 1}), "DT-TARGET-STATUS-ACCEPTED"),
    ] {
        api.post(&statuses, body).await.refused(400, rule);
    }
    for status in TargetStatus::ALL.iter().filter(|status| !ACCEPTED.contains(status)) {
        let body = json!({"status": status.as_str()});
        api.post(&statuses, body).await.refused(400, "DT-TARGET-STATUS-ACCEPTED");
    }
    for body in ["", "{", "status=CLOSED_WONT_FIX"] {
        api.send(Method::POST, &statuses, Body::from(body)).await.refused(400, "DT-JSON-BODY");
    }
    assert_eq!(api.get(OPEN).await.ok(), before);
}
