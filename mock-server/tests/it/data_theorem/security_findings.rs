//! Findings: the list and its filters, one finding, its priority, its closing, its notes.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use fixtures::world::data_theorem::{Event, Misses, Observation};
use fixtures::world::data_theorem::{NoteKind, Priority, TargetStatus};
use http::Method;
use insta::assert_json_snapshot;
use insta::internals::Content;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, instant};

const LIST: &str = "security_findings";
/// The sampled finding: `NEW`, of app 1234.
const FINDING: &str = "security_findings/4567";
const TARGET: &str = "security_finding_targets/12346";

fn unpaged(scene: &str) -> Api {
    Api::with(MockServer::builder().world(scene).page_size(5000))
}

async fn rows(api: &Api, query: &str) -> Vec<Value> {
    let page = api.get(&format!("{LIST}?{query}")).await.ok();
    let rows = page[LIST].as_array().unwrap().clone();
    assert_eq!(page["pagination_information"], json!({"total_count": rows.len().to_string()}), "{query}");
    rows
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn optional<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row.get(name).map(|value| value.as_str().unwrap_or_else(|| panic!("{name} of {row}")))
}

fn close(status: &str, permanently: bool) -> Value {
    json!({"aggregated_status": status, "is_permanently_closed": permanently, "reason": "Test"})
}

/// Hides an id made by the server, if it looks like one.
fn made_up_id(id: &Content) -> Content {
    let text = id.as_str().unwrap();
    assert!(text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
    Content::from("[16 digits]")
}

#[tokio::test]
async fn the_sampled_findings_are_listed_and_served() {
    let api = Api::docs_samples();
    assert_json_snapshot!("security_findings", api.get(LIST).await.ok());
    assert_json_snapshot!("security_finding", api.get(FINDING).await.ok());
    assert_json_snapshot!(
        "security_finding_patched",
        api.patch(FINDING, json!({"priority": "P2"})).await.ok()
    );
}

#[tokio::test]
async fn a_finding_is_closed_as_in_the_sample() {
    let api = Api::docs_samples().key_named("Test API key creation with new permissions");
    let closed = api.post(&format!("{FINDING}/close"), close("CLOSED_RISK_ACCEPTED", true)).await.ok();
    assert_json_snapshot!("security_finding_closed", closed, {
        ".notes[2].id" => insta::dynamic_redaction(|value, _| made_up_id(&value)),
    });
}

/// DT-FINDINGS-LIST, DT-FINDINGS-LIST-PAGINATION
#[tokio::test]
async fn the_list_is_an_object_of_rows_and_pagination_information() {
    let mut page = Api::docs_samples().get(LIST).await.ok();
    assert_eq!(page[LIST].take().as_array().unwrap().len(), 3);
    assert_eq!(page, json!({LIST: null, "pagination_information": {"total_count": "3"}}));
}

/// Every listed finding against the world it was made from.
///
/// DT-FINDING-ID, DT-FINDING-MOBILE-APP-ID, DT-FINDING-CATEGORY, DT-FINDING-SEVERITY, DT-FINDING-EXPLOITABILITY,
/// DT-FINDING-TITLE, DT-FINDING-DESCRIPTION, DT-FINDING-DESCRIPTION-INTRO, DT-FINDING-RECOMMENDATION,
/// DT-FINDING-SECURE-CODE, DT-FINDING-CVSS, DT-FINDING-CVSS-SCORE, DT-FINDING-CVSS-VECTOR,
/// DT-FINDING-SCREENSHOT-URL, DT-FINDING-PRIORITY, DT-FINDING-IMPORTANCE-TAGS, DT-FINDING-ASSOCIATED-CVE-IDS,
/// DT-FINDING-ASSOCIATED-CWE-IDS, DT-FINDING-DATE-CREATED, DT-FINDING-RESULTS-LAST-UPDATED,
/// DT-FINDING-IS-PERMANENTLY-CLOSED, DT-FINDING-COMPLIANCE-POLICY-REFERENCES, DT-COMPLIANCE-POLICY,
/// DT-COMPLIANCE-MARKDOWN, DT-COMPLIANCE-LINK, DT-FINDING-NOTES, DT-NOTE-ID, DT-NOTE-AUTHOR-EMAIL,
/// DT-NOTE-DATE-CREATED, DT-NOTE-TEXT, DT-NOTE-IS-INTERNAL-COMMENT, DT-NOTE-IS-QUESTION, DT-NOTE-IS-REPLY
#[tokio::test]
async fn every_field_of_every_listed_finding_is_what_the_world_holds() {
    for scene in ["demo", "docs-samples", "unicode"] {
        let api = unpaged(scene);
        let world = api.control().export_world().data_theorem;
        let kinds: BTreeMap<_, _> = world.issue_types.iter().map(|kind| (kind.id.as_str(), kind)).collect();
        let listed = rows(&api, "").await;
        let by_id: BTreeMap<_, _> = listed.iter().map(|row| (text(row, "id"), row)).collect();
        assert_eq!(
            (by_id.len(), listed.len()),
            (world.security_findings.len(), world.security_findings.len())
        );
        let mut note_ids = BTreeSet::new();
        for spec in &world.security_findings {
            let (row, kind) = (by_id[spec.id.as_str()], kinds[spec.issue_type_id.as_str()]);
            for (name, value) in [
                ("mobile_app_id", spec.mobile_app_id.as_str()),
                ("issue_type_id", &kind.id),
                ("category", kind.category.as_str()),
                ("severity", kind.severity.as_str()),
                ("exploitability", kind.exploitability.as_str()),
                ("title", &kind.title),
                ("description", &kind.description),
                ("recommendation", &kind.recommendation),
                ("cvss_vector", &kind.cvss_vector),
            ] {
                assert_eq!(text(row, name), value, "{name} of {}", spec.id);
            }
            for (name, value) in [
                ("description_intro", kind.description_intro.as_deref()),
                ("secure_code", kind.secure_code.as_deref()),
                ("screenshot_url", spec.screenshot_url.as_deref()),
                ("priority", spec.priority.map(Priority::as_str)),
            ] {
                assert_eq!(optional(row, name), value, "{name} of {}", spec.id);
            }
            for (name, values) in [
                ("importance_tags", &kind.importance_tags),
                ("associated_cve_ids", &spec.associated_cve_ids),
                ("associated_cwe_ids", &kind.associated_cwe_ids),
            ] {
                assert_eq!(row[name], json!(values), "{name} of {}", spec.id);
            }
            assert_eq!(row["cvss_score"].as_f64(), Some(kind.cvss_score));
            assert_eq!(row["is_permanently_closed"], spec.is_permanently_closed);
            assert_eq!(instant(&row["date_created"]), spec.date_created);
            assert_eq!(instant(&row["results_last_updated"]), spec.results_last_updated);
            let references = kind.compliance_policy_references.iter().map(
                |one| json!({"compliance_policy": one.compliance_policy, "link": one.link, "markdown": one.markdown}),
            );
            assert_eq!(row["compliance_policy_references"], references.collect::<Value>());
            let notes = row["notes"].as_array().unwrap();
            assert_eq!(notes.len(), spec.notes.len());
            for (shown, kept) in notes.iter().zip(&spec.notes) {
                assert_eq!(instant(&shown["date_created"]), kept.date_created);
                let expected = json!({
                    "author_email": kept.author_email,
                    "date_created": shown["date_created"],
                    "id": kept.id,
                    "is_internal_comment": kept.kind == NoteKind::InternalComment,
                    "is_question_for_datatheorem": kept.kind == NoteKind::QuestionForDataTheorem,
                    "is_reply_from_datatheorem": kept.kind == NoteKind::ReplyFromDataTheorem,
                    "text": kept.text,
                });
                assert_eq!(*shown, expected);
                assert!(
                    kept.id.parse::<i64>().is_ok() && note_ids.insert(kept.id.clone()),
                    "note {}",
                    kept.id
                );
            }
        }
    }
}

/// DT-FINDING-ISSUE-TYPE-ID-STABLE
#[tokio::test]
async fn one_issue_has_one_issue_type_id_in_every_app() {
    let mut by_title: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for row in rows(&unpaged("demo"), "").await {
        let (types, apps) = by_title.entry(text(&row, "title").to_owned()).or_default();
        types.insert(text(&row, "issue_type_id").to_owned());
        apps.insert(text(&row, "mobile_app_id").to_owned());
    }
    assert!(by_title.values().any(|(_, apps)| apps.len() > 1));
    assert!(by_title.values().all(|(types, _)| types.len() == 1), "{by_title:?}");
}

/// DT-FINDING-AGGREGATED-STATUS, DT-FINDING-AGGREGATED-STATUS-VALUES
#[tokio::test]
async fn the_aggregated_status_follows_from_the_targets() {
    for scene in ["demo", "docs-samples", "every-status"] {
        let api = unpaged(scene);
        for row in rows(&api, "").await {
            let query = format!("security_finding_targets?security_finding_id={}", text(&row, "id"));
            let mut targets =
                api.get(&query).await.ok()["security_finding_targets"].as_array().unwrap().clone();
            let open: Vec<&str> = targets
                .iter()
                .map(|target| text(target, "current_status"))
                .filter(|one| !one.starts_with("CLOSED_"))
                .collect();
            let expected = if open.is_empty() {
                targets.sort_by_key(|target| instant(&target["current_status_date"]));
                let last = targets.last().unwrap();
                let same = |target: &&Value| target["current_status_date"] == last["current_status_date"];
                let candidates: BTreeSet<_> =
                    targets.iter().filter(same).map(|target| text(target, "current_status")).collect();
                if candidates.len() > 1 {
                    assert!(candidates.contains(text(&row, "aggregated_status")));
                    continue;
                }
                text(last, "current_status").to_owned()
            } else {
                if open.iter().all(|one| *one == "NEW") { "NEW" } else { "OPEN" }.to_owned()
            };
            assert_eq!(text(&row, "aggregated_status"), expected, "{row}");
        }
    }
}

/// DT-FINDING-GET, DT-FINDING-LINKS, DT-FINDINGS-LIST-LINKS, DT-FINDING-LINK-RELS, DT-LINK-HREF,
/// DT-LINK-TYPE, DT-LINK-REL, DT-FINDING-PORTAL-URL
#[tokio::test]
async fn links_lead_to_the_finding_its_targets_and_its_app() {
    let api = unpaged("docs-samples");
    for row in rows(&api, "").await {
        let (id, app) = (text(&row, "id"), text(&row, "mobile_app_id"));
        let expected = [
            ("self", format!("security_findings/{id}")),
            ("targets", format!("security_finding_targets?security_finding_id={id}")),
            ("mobile_app", format!("mobile_apps/{app}")),
        ];
        let expected = expected.map(|(rel, href)| json!({"href": href, "rel": rel, "type": "GET"}));
        assert_eq!(row["links"], json!(expected));
        assert_eq!(
            text(&row, "portal_url"),
            format!("https://www.securetheorem.com/mobile/app/{app}/issues/{id}")
        );
        assert_eq!(api.get(text(&row["links"][0], "href")).await.ok(), row);
        let targets = api.get(text(&row["links"][1], "href")).await.ok();
        assert_eq!(targets["security_finding_targets"][0]["security_finding_id"], id);
        assert_eq!(api.get(text(&row["links"][2], "href")).await.ok()["id"], app);
    }
}

/// DT-FINDINGS-LIST-MOBILE-APP-ID, DT-FINDINGS-LIST-RESULTS-SINCE, DT-FINDINGS-LIST-STATUS-GROUP,
/// DT-FINDINGS-LIST-SEVERITY, DT-FINDINGS-LIST-SEVERITY-REPEATED
#[tokio::test]
async fn each_filter_and_all_of_them_together_limit_the_list() {
    let api = unpaged("demo");
    let all = rows(&api, "").await;
    let kept =
        |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|row| keep(row)).cloned().collect::<Vec<_>>();
    for row in all.iter().step_by(17) {
        let app = |other: &Value| other["mobile_app_id"] == row["mobile_app_id"];
        let open = |other: &Value| matches!(text(other, "aggregated_status"), "NEW" | "OPEN");
        let since =
            |other: &Value| instant(&other["results_last_updated"]) >= instant(&row["results_last_updated"]);
        let severe = |other: &Value| other["severity"] == row["severity"];
        let queries = [
            format!("mobile_app_id={}", text(row, "mobile_app_id")),
            format!("status_group={}", if open(row) { "OPEN" } else { "CLOSED" }),
            format!("results_since={}", text(row, "results_last_updated").replace('+', "%2B")),
            format!("severity={}", text(row, "severity")),
        ];
        let group = |other: &Value| open(other) == open(row);
        let filters: [&dyn Fn(&Value) -> bool; 4] = [&app, &group, &since, &severe];
        for (query, filter) in queries.iter().zip(filters) {
            assert_eq!(rows(&api, query).await, kept(filter), "{query}");
        }
        let together = kept(&|other| filters.iter().all(|filter| filter(other)));
        assert_eq!(rows(&api, &queries.join("&")).await, together);
        assert!(together.contains(row));
    }
    let union = kept(&|row| row["severity"] != "MEDIUM");
    assert!(union.len() < all.len() && union.iter().any(|row| row["severity"] == "LOW"));
    assert_eq!(rows(&api, "severity=LOW&severity=HIGH&severity=LOW").await, union);
    assert_eq!(rows(&api, "results_since=").await, all);
}

#[tokio::test]
async fn malformed_filters_are_refused_by_their_rule_and_unknown_ones_flagged() {
    let api = Api::docs_samples();
    for (query, rule) in [
        ("mobile_app_id=x", "DT-FINDINGS-LIST-MOBILE-APP-ID"),
        ("results_since=2021-08-17", "DT-FINDINGS-LIST-RESULTS-SINCE"),
        ("status_group=CLOSED_FIXED", "DT-FINDINGS-LIST-STATUS-GROUP"),
        ("severity=CRITICAL", "DT-FINDINGS-LIST-SEVERITY"),
        ("severity=HIGH&severity=high", "DT-FINDINGS-LIST-SEVERITY"),
    ] {
        api.get(&format!("{LIST}?{query}")).await.refused(400, rule);
    }
    assert_eq!(rows(&api, "minimum_severity=HIGH").await.len(), 3);
    let flag = r#"unknown query parameter "minimum_severity" ignored (did you mean "severity"?)"#;
    assert_eq!(api.last_entry().flags, [flag]);
}

/// DT-FINDING-PATCH-PRIORITY, DT-FINDING-PATCH-REPLY, DT-FINDING-PATCH-NULL-PRIORITY,
/// DT-FINDING-PATCH-PRIORITY-VALUES
#[tokio::test]
async fn a_patch_sets_the_priority_and_nothing_else() {
    let api = Api::docs_samples();
    let mut expected = api.get(FINDING).await.ok();
    for priority in Priority::ALL {
        expected["priority"] = json!(priority.as_str());
        let body = json!({"priority": priority.as_str(), "severity": "HIGH", "title": "another"});
        assert_eq!(api.patch(FINDING, body).await.ok(), expected);
        assert_eq!(api.last_entry().flags.len(), 2);
        assert_eq!(api.get(FINDING).await.ok(), expected);
    }
    for body in [json!({}), json!({"priority": null}), json!({"severity": "HIGH"})] {
        assert_eq!(api.patch(FINDING, body).await.ok(), expected);
    }
    for priority in [json!("P5"), json!("p1"), json!(""), json!(1), json!(["P1"])] {
        api.patch(FINDING, json!({"priority": priority}))
            .await
            .refused(400, "DT-FINDING-PATCH-PRIORITY-VALUES");
    }
    api.patch(FINDING, json!(["P1"])).await.refused(400, "DT-FINDING-PATCH-PRIORITY");
    assert_eq!(api.get(FINDING).await.ok(), expected);
}

/// DT-FINDING-PATCH-PERMISSION
#[tokio::test]
async fn only_a_change_of_priority_needs_the_permission() {
    let api = Api::docs_samples().key_named("read-only");
    let before = api.get(FINDING).await.ok();
    assert_eq!(api.patch(FINDING, json!({})).await.ok(), before);
    assert_eq!(api.patch(FINDING, json!({"priority": null})).await.ok(), before);
    api.patch(FINDING, json!({"priority": "P2"})).await.refused(403, "DT-FINDING-PATCH-PERMISSION");
    assert_eq!(api.get(FINDING).await.ok(), before);
}

/// DT-FINDING-CLOSE, DT-FINDING-CLOSE-TARGETS, DT-FINDING-CLOSE-AGGREGATED, DT-FINDING-CLOSE-REPLY
#[tokio::test]
async fn a_close_closes_every_open_target_and_no_other() {
    for status in ["CLOSED_WONT_FIX", "CLOSED_RISK_ACCEPTED", "CLOSED_COMPENSATING_CONTROL"] {
        let api = unpaged("every-status");
        api.control().advance(jiff::SignedDuration::from_secs(5));
        let targets = async || {
            let page = api.get("security_finding_targets?security_finding_id=000099").await.ok();
            let rows = page["security_finding_targets"].as_array().unwrap().clone();
            rows.into_iter().map(|row| (text(&row, "id").to_owned(), row)).collect::<BTreeMap<_, _>>()
        };
        let before = targets().await;
        let closed = api.post("security_findings/000099/close", close(status, false)).await.ok();
        assert_eq!(closed["aggregated_status"], status);
        assert_eq!(closed["is_permanently_closed"], false);
        assert_eq!(instant(&closed["results_last_updated"]), api.control().now());
        assert_eq!(api.get("security_findings/000099").await.ok(), closed);
        let mut newly = 0;
        for (id, after) in targets().await {
            if text(&before[&id], "current_status").starts_with("CLOSED_") {
                assert_eq!(after, before[&id]);
                continue;
            }
            newly += 1;
            assert_eq!(after["current_status"], status);
            assert_eq!(instant(&after["current_status_date"]), api.control().now());
            assert_eq!(after["statuses"][1], before[&id]["statuses"][0]);
        }
        assert_eq!(newly, 3, "NEW, OPEN and OPEN_READY_TO_RESCAN");
    }
}

/// DT-FINDING-CLOSE-COMMENT, DT-FINDING-CLOSE-COMMENT-TEXT, DT-FINDING-CLOSE-COMMENT-AUTHOR
#[tokio::test]
async fn a_close_leaves_a_comment_that_says_whether_it_is_permanent() {
    for (permanently, sentence) in [
        (true, "Issue permanently closed using the following explanation: Test"),
        (false, "Issue closed using the following explanation: Test"),
    ] {
        let api = Api::docs_samples();
        let closed = api.post(&format!("{FINDING}/close"), close("CLOSED_WONT_FIX", permanently)).await.ok();
        let notes = closed["notes"].as_array().unwrap();
        assert_eq!(notes.len(), 3);
        assert_eq!(instant(&notes[2]["date_created"]), api.control().now());
        for (field, value) in [
            ("author_email", json!("sync")),
            ("text", json!(sentence)),
            ("is_internal_comment", json!(false)),
            ("is_question_for_datatheorem", json!(false)),
            ("is_reply_from_datatheorem", json!(true)),
        ] {
            assert_eq!(notes[2][field], value, "{field}");
        }
    }
}

/// DT-FINDING-CLOSE-PERMANENT, DT-FINDING-CLOSE-NOT-PERMANENT
#[tokio::test]
async fn only_a_permanent_close_keeps_later_scans_from_opening_targets() {
    for permanently in [true, false] {
        let api = Api::docs_samples();
        let closed = api.post(&format!("{FINDING}/close"), close("CLOSED_WONT_FIX", permanently)).await.ok();
        let (app, issue_type_id) = (text(&closed, "mobile_app_id"), text(&closed, "issue_type_id"));
        let elsewhere = Observation::Described {
            issue_type_id: issue_type_id.to_owned(),
            text: "`com.example.Else`".to_owned(),
        };
        let effects = api.control().happen(&Event::Scan {
            mobile_app_id: app.to_owned(),
            build_version: Some("2.0.0".to_owned()),
            build_source: None,
            observed: vec![elsewhere, Observation::Known { target_id: "12346".to_owned() }],
            missed: Misses::Nothing,
        });
        let effects = effects.unwrap();
        assert_eq!(
            (effects.created_targets.len(), effects.suppressed),
            if permanently { (0, 1) } else { (1, 0) }
        );
        let after = api.get(FINDING).await.ok();
        assert_eq!(after["is_permanently_closed"], permanently);
        assert_eq!(after["aggregated_status"], if permanently { "CLOSED_WONT_FIX" } else { "NEW" });
        assert_eq!(api.get(TARGET).await.ok()["current_status"], "CLOSED_WONT_FIX");
    }
}

/// DT-FINDING-CLOSE-OPEN, DT-FINDING-CLOSE-PERMISSION
#[tokio::test]
async fn a_close_needs_an_open_finding_and_the_permission() {
    let api = unpaged("every-status");
    for row in rows(&api, "").await {
        let (reply, is_open) = (
            api.post(&format!("{LIST}/{}/close", text(&row, "id")), close("CLOSED_WONT_FIX", false)).await,
            !text(&row, "aggregated_status").starts_with("CLOSED_"),
        );
        if is_open { drop(reply.ok()) } else { reply.refused(409, "DT-FINDING-CLOSE-OPEN") }
    }
    let api = Api::docs_samples().key_named("read-only");
    let reply = api.post(&format!("{FINDING}/close"), close("CLOSED_WONT_FIX", false)).await;
    reply.refused(403, "DT-FINDING-CLOSE-PERMISSION");
    assert_eq!(api.get(FINDING).await.ok()["aggregated_status"], "NEW");
}

/// DT-FINDING-CLOSE-OBJECT, DT-FINDING-CLOSE-STATUS, DT-FINDING-CLOSE-PERMANENT-TYPE, DT-FINDING-CLOSE-REASON
#[tokio::test]
async fn a_close_needs_a_status_and_a_reason() {
    let api = Api::docs_samples();
    let before = api.get(FINDING).await.ok();
    let path = format!("{FINDING}/close");
    for (body, rule) in [
        (json!("CLOSED_WONT_FIX"), "DT-FINDING-CLOSE-OBJECT"),
        (json!({"reason": "x"}), "DT-FINDING-CLOSE-STATUS"),
        (json!({"status": "CLOSED_WONT_FIX", "reason": "x"}), "DT-FINDING-CLOSE-STATUS"),
        (json!({"aggregated_status": "CLOSED_WONT_FIX"}), "DT-FINDING-CLOSE-REASON"),
        (json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": null}), "DT-FINDING-CLOSE-REASON"),
        (json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": 1}), "DT-FINDING-CLOSE-REASON"),
    ] {
        api.post(&path, body).await.refused(400, rule);
    }
    for status in TargetStatus::ALL.iter().filter(|status| !status.is_manual_close()) {
        api.post(&path, close(status.as_str(), false)).await.refused(400, "DT-FINDING-CLOSE-STATUS");
    }
    let typed =
        json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": "x", "is_permanently_closed": "true"});
    api.post(&path, typed).await.refused(400, "DT-FINDING-CLOSE-PERMANENT-TYPE");
    api.send(Method::POST, &path, Body::from("reason=x")).await.refused(400, "DT-JSON-BODY");
    assert_eq!(api.get(FINDING).await.ok(), before);
    let defaulted = json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": "x"});
    assert_eq!(api.post(&path, defaulted).await.ok()["is_permanently_closed"], false);
}

/// DT-FINDING-NOTE, DT-FINDING-NOTE-REPLY, DT-FINDING-NOTE-AUTHOR, DT-FINDING-NOTE-INTERNAL,
/// DT-FINDING-NOTE-QUESTION
#[tokio::test]
async fn a_comment_is_internal_unless_it_is_a_question() {
    let api = Api::docs_samples();
    for (question, asked) in [(None, false), (Some(false), false), (Some(true), true)] {
        let before = api.get(FINDING).await.ok();
        let mut body = json!({"text": "Lorem ipsum ☃"});
        if let Some(asked) = question {
            body["is_question_for_datatheorem"] = json!(asked);
        }
        api.post(&format!("{FINDING}/notes"), body).await.no_content();
        let mut after = api.get(FINDING).await.ok();
        let note = after["notes"].as_array_mut().unwrap().pop().unwrap();
        assert_eq!(after, before, "the newest note is the last one, and the only change");
        assert!(text(&note, "id").parse::<i64>().is_ok());
        let expected = json!({
            "author_email": "sync", "date_created": note["date_created"], "id": note["id"],
            "is_internal_comment": !asked, "is_question_for_datatheorem": asked,
            "is_reply_from_datatheorem": false, "text": "Lorem ipsum ☃",
        });
        assert_eq!(note, expected);
        assert_eq!(instant(&note["date_created"]), api.control().now());
    }
}

/// DT-FINDING-NOTE-OBJECT, DT-FINDING-NOTE-TEXT, DT-FINDING-NOTE-QUESTION-TYPE, DT-FINDING-NOTE-PERMISSION
#[tokio::test]
async fn a_comment_needs_a_text_and_the_permission() {
    let api = Api::docs_samples();
    let before = api.get(FINDING).await.ok();
    for (body, rule) in [
        (json!(["x"]), "DT-FINDING-NOTE-OBJECT"),
        (json!({}), "DT-FINDING-NOTE-TEXT"),
        (json!({"text": 1}), "DT-FINDING-NOTE-TEXT"),
        (json!({"text": "x", "is_question_for_datatheorem": "false"}), "DT-FINDING-NOTE-QUESTION-TYPE"),
    ] {
        api.post(&format!("{FINDING}/notes"), body).await.refused(400, rule);
    }
    let api = api.key_named("read-only");
    let refused = api.post(&format!("{FINDING}/notes"), json!({"text": "x"})).await;
    refused.refused(403, "DT-FINDING-NOTE-PERMISSION");
    assert_eq!(api.get(FINDING).await.ok(), before);
}
