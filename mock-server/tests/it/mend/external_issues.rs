//! `updateExternalIntegrationIssues`, example by example; `external_issues_properties` has what is random.

use std::collections::BTreeMap;

use fixtures::builders::mend::{library, licenses, policy, project};
use fixtures::world::mend::{Event, ExternalIssueSpec, ViolationSpec};
use serde_json::{Value, json};

use super::common::{assert_keys, fetch, issue_uuids, mend_world, play, project as token_of, world};
use crate::support::{Api, Reply};

const UPDATE: &str = "updateExternalIntegrationIssues";

/// Two projects; the first has two violations, the second one.
pub(super) fn two_violations() -> Api {
    let of = |artifact: &str| library("com.example", artifact, "1.0").license("GPL 2.0");
    play(
        world()
            .mend_project(project("api").library(of("one")).library(of("two")))
            .mend_project(project("app").library(of("other")))
            .mend_policy(policy("[License] Copyleft", licenses(["GPL 2.0"]))),
    )
}

/// The ids of a project's violations.
pub(super) fn violations_of(api: &Api, project: &str) -> Vec<String> {
    let (world, token) = (mend_world(api), token_of(api, project));
    let of_project = world.policy_violations.into_iter().filter(|row| row.project_token == token);
    of_project.map(|row| row.uuid).collect()
}

/// Reports items for a violation of the project `api`.
pub(super) async fn report(api: &Api, violation: &str, items: Value) -> Reply {
    let token = token_of(api, "api");
    let fields = json!({"projectToken": token, "wsPolicyIssueItemUuid": violation, "externalIssues": items});
    api.mend(UPDATE, fields).await
}

/// Reports items for the first violation.
async fn report_first(api: &Api, items: Value) -> Reply {
    report(api, &violations_of(api, "api")[0], items).await
}

/// A request for the first violation with something else about it.
async fn with(api: &Api, other: Value) -> Reply {
    let mut fields = json!({
        "projectToken": token_of(api, "api"),
        "wsPolicyIssueItemUuid": violations_of(api, "api")[0],
        "externalIssues": [{"identifier": "WPM-1"}],
    });
    fields.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    fields.as_object_mut().unwrap().retain(|_, value| *value != json!("absent"));
    api.mend(UPDATE, fields).await
}

pub(super) fn counters(created: usize, updated: usize, unaffected: usize) -> Value {
    json!({"createdIssues": created, "updatedIssues": updated, "unaffectedIssues": unaffected})
}

pub(super) fn stored(api: &Api) -> Vec<ExternalIssueSpec> {
    mend_world(api).external_issues
}

/// MEND-EXT-REPORT, MEND-EXT-COUNTERS, MEND-EXT-MANY-ITEMS, MEND-EXT-OPTIONAL-FIELDS, MEND-EXT-DATE-TIME
#[tokio::test]
async fn what_is_reported_is_stored_and_counted() {
    let api = two_violations();
    let violation = violations_of(&api, "api")[0].clone();
    let items = json!([
        {
            "identifier": "log4j-core-2.14.1.jar: 1 vulnerability (highest severity is 10.0) #7",
            "url": "https://tracker.example/issues/1",
            "status": "In Progress",
            "created": "2020-12-23T10:00:00+02:00",
            "lastModified": "2024-05-02 10:11:12",
            "extraData": {"issuePriority": "MEDIUM", "issueLabel": "vulnerability", "policyId": "11203", "team": "Ä"},
        },
        {"identifier": "WPM-2"},
    ]);
    let answer = report_first(&api, items).await.mend_ok();
    assert_keys(&answer, &["createdIssues", "updatedIssues", "unaffectedIssues"]);
    assert_eq!(answer, counters(2, 0, 0));
    let text = |text: &str| Some(text.to_owned());
    let extra =
        [("issuePriority", "MEDIUM"), ("issueLabel", "vulnerability"), ("policyId", "11203"), ("team", "Ä")];
    let bare = ExternalIssueSpec {
        violation_uuid: violation.clone(),
        identifier: "WPM-2".to_owned(),
        url: None,
        status: None,
        created: None,
        last_modified: None,
        extra_data: BTreeMap::new(),
    };
    let full = ExternalIssueSpec {
        identifier: "log4j-core-2.14.1.jar: 1 vulnerability (highest severity is 10.0) #7".to_owned(),
        url: text("https://tracker.example/issues/1"),
        status: text("In Progress"),
        created: Some("2020-12-23T08:00:00Z".parse().unwrap()),
        last_modified: Some("2024-05-02T10:11:12Z".parse().unwrap()),
        extra_data: extra.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..bare.clone()
    };
    assert_eq!(stored(&api), [bare, full]);
}

/// MEND-EXT-AGAIN, MEND-EXT-COUNTERS, `mend.known-item-counts`, `mend.absent-item-fields`
#[tokio::test]
async fn a_known_item_is_updated_by_what_is_new_and_keeps_the_rest() {
    let api = two_violations();
    let full = json!({
        "identifier": "WPM-1", "url": "u", "status": "New", "created": "2026-01-01 10:00:00",
        "lastModified": "2026-01-01 10:00:00", "extraData": {"a": "1", "b": "2"},
    });
    assert_eq!(report_first(&api, json!([full])).await.mend_ok(), counters(1, 0, 0));
    let before = stored(&api);
    for same in [
        full.clone(),
        json!({"identifier": "WPM-1"}),
        json!({"identifier": "WPM-1", "status": "New", "url": null, "extraData": {}}),
        json!({"identifier": "WPM-1", "created": "2026-01-01T12:00:00.000+02:00", "extraData": {"b": "2"}}),
    ] {
        assert_eq!(report_first(&api, json!([same])).await.mend_ok(), counters(0, 0, 1), "{same}");
        assert_eq!(stored(&api), before);
    }
    for new in [
        json!({"status": "Done"}),
        json!({"url": "v"}),
        json!({"created": "2026-01-01 10:00:01"}),
        json!({"lastModified": "2026-01-02 10:00:00"}),
        json!({"extraData": {"b": "3"}}),
        json!({"status": ""}),
    ] {
        let mut item = new;
        item["identifier"] = json!("WPM-1");
        assert_eq!(report_first(&api, json!([item])).await.mend_ok(), counters(0, 1, 0), "{item}");
    }
    let [last] = &stored(&api)[..] else { panic!("one item") };
    assert_eq!((last.status.as_deref(), last.url.as_deref()), (Some(""), Some("v")));
    assert_eq!(last.extra_data, [("a", "1"), ("b", "3")].map(|(k, v)| (k.to_owned(), v.to_owned())).into());
}

/// MEND-EXT-MANY-ITEMS, MEND-EXT-POLICY-ITEM, `mend.same-identifier-twice`
#[tokio::test]
async fn an_item_is_known_by_violation_and_identifier() {
    let api = two_violations();
    for violation in violations_of(&api, "api") {
        let answer = report(&api, &violation, json!([{"identifier": "WPM-1"}])).await.mend_ok();
        assert_eq!(answer, counters(1, 0, 0), "another violation, another item");
    }
    let spellings = json!([{"identifier": "wpm-1"}, {"identifier": "WPM-1 "}, {"identifier": "WPM-1"}]);
    assert_eq!(report_first(&api, spellings).await.mend_ok(), counters(2, 0, 1));
    let twice = json!([
        {"identifier": "WPM-9", "status": "New"}, {"identifier": "WPM-9", "status": "Done"},
        {"identifier": "WPM-9", "status": "Done"},
    ]);
    assert_eq!(report_first(&api, twice).await.mend_ok(), counters(1, 1, 1), "one after the other");
    let last = stored(&api).into_iter().find(|issue| issue.identifier == "WPM-9").unwrap();
    assert_eq!(last.status.as_deref(), Some("Done"));
}

/// MEND-EXT-POLICY-ITEM, MEND-EXT-PROJECT-TOKEN, `mend.policy-item-uuid`, `mend.unknown-policy-item`
#[tokio::test]
async fn the_policy_item_is_the_id_of_a_violation_of_that_project() {
    let api = two_violations();
    let shown = issue_uuids(&fetch(&api, &token_of(&api, "api")).await);
    assert_eq!(shown, violations_of(&api, "api").into_iter().collect());
    for absent in [json!("absent"), Value::Null, json!("")] {
        let reply = with(&api, json!({"wsPolicyIssueItemUuid": absent})).await;
        let message = reply.mend_refused(3010, "MEND-EXT-POLICY-ITEM");
        assert_eq!(message, "Missing fields: wsPolicyIssueItemUuid");
    }
    let _ = with(&api, json!({"wsPolicyIssueItemUuid": 123_345}))
        .await
        .mend_refused(3000, "MEND-EXT-POLICY-ITEM");
    let known = &violations_of(&api, "api")[0];
    for wrong in ["123345", "keyUuid_2", &known[1..], &known.replace('-', ""), &format!("{known} "), "é"] {
        let reply = with(&api, json!({"wsPolicyIssueItemUuid": wrong})).await;
        let message = reply.mend_refused(3000, "mend.policy-item-uuid");
        assert!(message.contains("wsPolicyIssueItemUuid"), "{message}");
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    for unknown in [unknown, &violations_of(&api, "app")[0], &mend_world(&api).libraries[0].key_uuid] {
        let reply = with(&api, json!({"wsPolicyIssueItemUuid": unknown})).await;
        let _ = reply.mend_refused(3000, "mend.unknown-policy-item");
    }
    let missing = with(&api, json!({"projectToken": "absent"})).await;
    assert_eq!(missing.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN"), "Missing fields: projectToken");
    let reply = with(&api, json!({"projectToken": token_of(&api, "app")})).await;
    let _ = reply.mend_refused(3000, "mend.unknown-policy-item");
    assert_eq!(stored(&api), []);
}

/// MEND-EXT-POLICY-ITEM
#[tokio::test]
async fn a_ticket_can_be_reported_closed_after_its_violation_went() {
    let api = two_violations();
    let token = token_of(&api, "api");
    let of_project = |violation: &ViolationSpec| violation.project_token == token;
    let violation = mend_world(&api).policy_violations.into_iter().find(of_project).unwrap();
    let scan = Event::Scan {
        project_token: violation.project_token.clone(),
        added: vec![],
        removed: vec![violation.key_uuid.clone()],
        source_files_changed: false,
        comment: None,
    };
    api.control().happen(&scan).unwrap();
    assert!(!issue_uuids(&fetch(&api, &violation.project_token).await).contains(&violation.uuid));
    let items = json!([{"identifier": "WPM-1", "status": "Closed"}]);
    assert_eq!(report(&api, &violation.uuid, items).await.mend_ok(), counters(1, 0, 0));
}

/// MEND-EXT-ISSUES-REQUIRED, `mend.empty-external-issues`
#[tokio::test]
async fn the_items_have_to_be_an_array_of_objects() {
    let api = two_violations();
    for absent in [json!("absent"), Value::Null] {
        let reply = with(&api, json!({"externalIssues": absent})).await;
        assert_eq!(reply.mend_refused(3010, "MEND-EXT-ISSUES-REQUIRED"), "Missing fields: externalIssues");
    }
    for wrong in [json!("WPM-1"), json!({"identifier": "WPM-1"}), json!(1), json!(true)] {
        let reply = with(&api, json!({"externalIssues": wrong})).await;
        let _ = reply.mend_refused(3000, "MEND-EXT-ISSUES-REQUIRED");
    }
    for wrong in [json!("WPM-2"), json!(1), Value::Null, json!([])] {
        let reply = with(&api, json!({"externalIssues": [{"identifier": "WPM-1"}, wrong]})).await;
        let message = reply.mend_refused(3000, "MEND-EXT-ISSUES-REQUIRED");
        assert!(message.contains("externalIssues[1]"), "{message}");
    }
    let _ = with(&api, json!({"externalIssues": []})).await.mend_refused(3000, "mend.empty-external-issues");
    assert_eq!(stored(&api), []);
}

/// MEND-EXT-IDENTIFIER-REQUIRED, `mend.empty-identifier`
#[tokio::test]
async fn every_item_needs_an_identifier() {
    let api = two_violations();
    for item in [json!({}), json!({"identifier": null}), json!({"Identifier": "WPM-1", "status": "New"})] {
        let reply = report_first(&api, json!([{"identifier": "WPM-1"}, item])).await;
        let message = reply.mend_refused(3010, "MEND-EXT-IDENTIFIER-REQUIRED");
        assert!(message.starts_with("Missing fields: externalIssues[1].identifier"), "{message}");
    }
    let _ = report_first(&api, json!([{"identifier": ""}])).await.mend_refused(3000, "mend.empty-identifier");
    assert_eq!(stored(&api), []);
    assert_eq!(report_first(&api, json!([{"identifier": " "}])).await.mend_ok(), counters(1, 0, 0));
}

/// MEND-EXT-VALIDATED, MEND-EXT-STRING-LENGTH, MEND-EXT-URL-LENGTH, MEND-EXT-FORBIDDEN-CHARS,
/// MEND-EXT-DATE-TIME, MEND-EXT-EXTRA-DATA-MAP, MEND-EXT-IDENTIFIER-REQUIRED
#[tokio::test]
async fn one_bad_item_of_several_refuses_all_and_the_message_names_item_field_and_rule() {
    let api = two_violations();
    let _ = report_first(&api, json!([{"identifier": "WPM-0", "status": "New"}])).await.mend_ok();
    let before = api.control().export_world();
    let (long, longer) = ("x".repeat(256), "x".repeat(2_001));
    let length = "MEND-EXT-STRING-LENGTH";
    for (field, value, rule) in [
        ("identifier", json!(long), length),
        ("identifier", json!("a<b"), "MEND-EXT-FORBIDDEN-CHARS"),
        ("identifier", json!(7), length),
        ("identifier", Value::Null, "MEND-EXT-IDENTIFIER-REQUIRED"),
        ("url", json!(longer), "MEND-EXT-URL-LENGTH"),
        ("url", json!("https://tracker.example/a%20b"), "mend.url-special-chars"),
        ("url", json!(["u"]), "MEND-EXT-URL-LENGTH"),
        ("status", json!(long), length),
        ("status", json!("R&D"), "MEND-EXT-FORBIDDEN-CHARS"),
        ("status", json!(true), length),
        ("created", json!("2026-02-30 10:00:00"), "MEND-EXT-DATE-TIME"),
        ("created", json!(1_767_000_000), "MEND-EXT-DATE-TIME"),
        ("lastModified", json!("yesterday"), "MEND-EXT-DATE-TIME"),
        ("lastModified", json!({}), "MEND-EXT-DATE-TIME"),
        ("extraData", json!(["MEDIUM"]), "MEND-EXT-EXTRA-DATA-MAP"),
        ("extraData", json!("MEDIUM"), "MEND-EXT-EXTRA-DATA-MAP"),
        ("extraData.issuePriority", json!(1), "MEND-EXT-EXTRA-DATA-MAP"),
        ("extraData.issuePriority", Value::Null, "MEND-EXT-EXTRA-DATA-MAP"),
        ("extraData.issueLabel", json!(long), length),
        ("extraData.policyId", json!("100%"), "MEND-EXT-FORBIDDEN-CHARS"),
        ("extraData.team", json!("A>B"), "MEND-EXT-FORBIDDEN-CHARS"),
        ("extraData.a%b", json!("fine"), "mend.ext-extra-data-keys"),
    ] {
        for place in 0..3 {
            let mut items =
                ["WPM-0", "WPM-1", "WPM-2"].map(|name| json!({"identifier": name, "status": "Done"}));
            match field.split_once('.') {
                Some((object, key)) => items[place][object] = json!({key: value}),
                None => items[place][field] = value.clone(),
            }
            let reply = report_first(&api, json!(items)).await;
            let code = if rule == "MEND-EXT-IDENTIFIER-REQUIRED" { 3010 } else { 3000 };
            let message = reply.mend_refused(code, rule);
            let named = format!("externalIssues[{place}].{field} ");
            assert!(message.replace(',', " ").contains(&named), "{named}: {message}");
            assert!(message.contains(rule), "{rule}: {message}");
            assert_eq!(api.control().export_world(), before, "nothing is stored: {message}");
        }
    }
}

/// MEND-EXT-DATE-TIME, MEND-EXT-DATE-TIME-ISO, MEND-EXT-DATE-TIME-FRACTION, `mend.external-datetimes`
#[tokio::test]
async fn date_times_come_with_or_without_zone_and_fraction() {
    let api = two_violations();
    for (written, meant) in [
        ("2020-12-23 10:00:00", "2020-12-23T10:00:00Z"),
        ("2020-12-23 10:00:00+02:00", "2020-12-23T08:00:00Z"),
        ("2020-12-23T10:00:00", "2020-12-23T10:00:00Z"),
        ("2020-12-23T10:00:00Z", "2020-12-23T10:00:00Z"),
        ("2020-12-23T10:00:00+02:00", "2020-12-23T08:00:00Z"),
        ("2020-12-31T20:00:00-05:30", "2021-01-01T01:30:00Z"),
        ("2020-12-23T10:00:00.1Z", "2020-12-23T10:00:00.1Z"),
        ("2024-05-02T10:11:12.123Z", "2024-05-02T10:11:12.123Z"),
        ("2024-05-02T10:11:12.123456789-01:00", "2024-05-02T11:11:12.123456789Z"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        // Later than any instant of ours, and so the last one.
        ("9999-12-31 23:59:59", "9999-12-30T22:00:00Z"),
        ("9999-12-31T23:59:59-23:59", "9999-12-30T22:00:00Z"),
    ] {
        for field in ["created", "lastModified"] {
            let _ = report_first(&api, json!([{"identifier": "WPM-1", field: written}])).await.mend_ok();
            let issue = stored(&api).remove(0);
            let time = if field == "created" { issue.created } else { issue.last_modified };
            assert_eq!(time, Some(meant.parse().unwrap()), "{written}");
        }
    }
    for wrong in [
        "",
        "2020-12-23",
        "10:00:00",
        "2020-12-23T10:00",
        "2020-12-23T10:00:00.Z",
        "2020-12-23T10:00:00+2",
        "2020-12-23T10:00:00+02",
        "2020-12-23T10:00:00+0200",
        "2020-12-23T10:00:00 +02:00",
        "2020-12-23T10:00:00+24:00",
        "2020-12-23T10:00:00+02:60",
        "2020-12-23T10:00:00ZZ",
        "2020-12-23t10:00:00z",
        "2023-02-29T10:00:00Z",
        "2020-13-01T10:00:00Z",
        "2020-12-23T24:00:00Z",
        "2020-12-23T23:59:60Z",
        "20201223T100000Z",
        "2020-12-23T10:00:00[UTC]",
        "Wed, 23 Dec 2020 10:00:00 GMT",
        "1608717600",
        "-2020-12-23T10:00:00Z",
        "2020-12-23T10:00:00+02:00\u{0}",
        "２０２０-12-23T10:00:00Z",
    ] {
        for field in ["created", "lastModified"] {
            let reply = report_first(&api, json!([{"identifier": "WPM-1", field: wrong}])).await;
            let message = reply.mend_refused(3000, "MEND-EXT-DATE-TIME");
            assert!(message.contains(&format!("externalIssues[0].{field} ")), "{message}");
        }
    }
}

/// MEND-EXT-EXTRA-FIELDS, MEND-EXT-EXTRA-DATA-MAP, `mend.extra-data`, `mend.extra-fields-place`
#[tokio::test]
async fn priority_label_and_policy_stand_in_extra_data() {
    let api = two_violations();
    let extra = json!({"issuePriority": "HIGH", "issueLabel": "security", "policyId": "11203"});
    let _ = report_first(&api, json!([{"identifier": "WPM-1", "extraData": extra}])).await.mend_ok();
    assert_eq!(json!(stored(&api)[0].extra_data), extra);
    let mut beside = extra.clone();
    beside["identifier"] = json!("WPM-2");
    beside["issuePriority"] = json!(1);
    let _ = report_first(&api, json!([beside])).await.mend_ok();
    assert_eq!(stored(&api)[1].extra_data, BTreeMap::new(), "beside it they are unknown fields");
    let flags = api.last_entry().flags;
    for field in ["issuePriority", "issueLabel", "policyId"] {
        let is_noted = flags.iter().any(|flag| flag.contains(&format!("externalIssues[0].{field}")));
        assert!(is_noted, "{flags:?}");
    }
}

/// MEND-EXT-PLUGIN-TYPE, `mend.tracker-plugin-type`
#[tokio::test]
async fn the_plugin_type_may_be_absent_or_any_short_text() {
    let api = two_violations();
    let mut known = 0;
    for good in [json!("absent"), Value::Null, json!("JIRA"), json!("Azure DevOps"), json!("x".repeat(255))] {
        let answer = with(&api, json!({"issueTrackerPluginType": good})).await.mend_ok();
        assert_eq!(answer, counters(1 - known, 0, known), "{good}");
        known = 1;
    }
    for (bad, rule) in [
        (json!("x".repeat(256)), "MEND-EXT-STRING-LENGTH"),
        (json!("<JIRA>"), "MEND-EXT-FORBIDDEN-CHARS"),
        (json!(1), "MEND-EXT-PLUGIN-TYPE"),
        (json!(["JIRA"]), "MEND-EXT-PLUGIN-TYPE"),
    ] {
        let reply = with(&api, json!({"issueTrackerPluginType": bad})).await;
        let message = reply.mend_refused(3000, rule);
        assert!(message.contains("issueTrackerPluginType"), "{message}");
    }
    api.control().set_readings([("mend.tracker-plugin-type", "jira-only")]).unwrap();
    for good in [json!("absent"), json!("JIRA"), json!("Jira"), json!("jira")] {
        assert_eq!(
            with(&api, json!({"issueTrackerPluginType": good})).await.mend_ok(),
            counters(0, 0, 1),
            "{good}"
        );
    }
    for bad in ["Azure DevOps", "JIRA ", ""] {
        let reply = with(&api, json!({"issueTrackerPluginType": bad})).await;
        let _ = reply.mend_refused(3000, "mend.tracker-plugin-type");
    }
}

/// MEND-EXT-REQUEST-TOKEN
#[tokio::test]
async fn a_request_token_comes_beside_the_counters_if_asked_for() {
    let api = two_violations();
    for without in [json!("absent"), Value::Null, json!(false), json!("false")] {
        let answer = with(&api, json!({"includeRequestToken": without})).await.mend_ok();
        assert_keys(&answer, &["createdIssues", "updatedIssues", "unaffectedIssues"]);
    }
    for asked in [json!(true), json!("true")] {
        let answer = with(&api, json!({"includeRequestToken": asked})).await.mend_ok();
        assert_keys(&answer, &["createdIssues", "updatedIssues", "unaffectedIssues", "requestToken"]);
        let token = answer["requestToken"].as_str().unwrap();
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    }
    let before = api.control().export_world();
    let reply =
        with(&api, json!({"includeRequestToken": 1, "externalIssues": [{"identifier": "WPM-9"}]})).await;
    let _ = reply.mend_refused(3000, "mend.request-token-flag");
    assert_eq!(api.control().export_world(), before, "nothing is stored");
}

#[tokio::test]
async fn unknown_fields_of_an_item_are_ignored_and_noted() {
    let api = two_violations();
    let item = json!({"identifier": "WPM-1", "assignee": {"name": "<me>"}, "long": "x".repeat(5_000)});
    assert_eq!(report_first(&api, json!([item])).await.mend_ok(), counters(1, 0, 0));
    let flags = api.last_entry().flags;
    assert_eq!(flags, ["ignored externalIssues[0].assignee", "ignored externalIssues[0].long"]);
}

/// `mend.url-special-chars`
#[tokio::test]
async fn an_url_may_be_any_short_text_without_the_forbidden_characters() {
    let api = two_violations();
    for good in [
        "org.jira.com/issues/wsa-1",
        "https://dev.azure.com/org/_workitems/edit/101#top",
        "",
        "no url at all",
    ] {
        let _ = report_first(&api, json!([{"identifier": "WPM-1", "url": good}])).await.mend_ok();
        assert_eq!(stored(&api)[0].url.as_deref(), Some(good));
    }
    api.control().set_readings([("mend.url-special-chars", "allowed")]).unwrap();
    let spaced = "https://dev.azure.com/org/my%20project/_workitems/edit/101?a=1&b=<2>";
    let _ = report_first(&api, json!([{"identifier": "WPM-1", "url": spaced}])).await.mend_ok();
    assert_eq!(stored(&api)[0].url.as_deref(), Some(spaced));
}
