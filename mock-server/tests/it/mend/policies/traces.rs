//! What a change of a policy leaves behind: projects are modified where something about their matches or alerts is
//! another, and nowhere else.

use std::collections::BTreeSet;

use fixtures::builders::mend;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{add, api, copyleft, issues, scoped, under, update, with};
use crate::mend::common::second;
use crate::support::Api;

/// How the project was modified in this second. Time goes on afterwards.
async fn modified(api: &Api) -> BTreeSet<String> {
    let now = second(api.control().now().as_second());
    let mut fields = scoped("Organization");
    (fields["fromDateTime"], fields["toDateTime"]) = (json!(now), json!(now));
    let answer = api.mend("getOrganizationLastModifiedProjects", fields).await.mend_ok();
    let rows = answer["lastModifiedProjects"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["apiToken"] == mend::token("project", "api")));
    api.control().advance(SignedDuration::from_secs(1));
    rows.iter().map(|row| row["modificationType"].as_str().unwrap().to_owned()).collect()
}

async fn added(api: &Api, policy: Value) -> Value {
    let added = add(api, "Product", policy).await.mend_ok();
    let _ = modified(api).await;
    added["id"].clone()
}

async fn changed(api: &Api, id: &Value, pointer: &str, value: Value) -> BTreeSet<String> {
    update(api, "Product", with(json!({"id": id}), pointer, value)).await.mend_ok();
    modified(api).await
}

fn only(kind: &str) -> BTreeSet<String> {
    [kind.to_owned()].into()
}

#[tokio::test]
async fn whatever_is_shown_of_a_matching_policy_is_a_change_of_the_match() {
    let api = api();
    let id = added(&api, copyleft()).await;
    for (pointer, value) in [
        ("/name", json!("[License] Renamed")),
        ("/owner", json!({"id": 1})),
        ("/priority", json!(9)),
        ("/action", json!({"type": "CREATE_ISSUE", "failPolicyCheck": true})),
        (
            "/filter",
            json!({"type": "LICENSE", "licenses": [{"name": "GPL 2.0"}, {"id": -1, "name": "Removed"}]}),
        ),
        ("/enabled", json!(false)),
        ("/name", json!("[License] Renamed while disabled")),
        ("/enabled", json!(true)),
    ] {
        let before = issues(&api).await[0].take();
        assert_eq!(changed(&api, &id, pointer, value.clone()).await, only("POLICY_MATCH"), "{pointer}");
        let after = issues(&api).await[0].take();
        assert_ne!(after["policy"], before["policy"], "{pointer}");
        assert_eq!(after["policyViolations"], before["policyViolations"], "the match goes on");
        assert_eq!(changed(&api, &id, pointer, value).await, BTreeSet::new(), "the same again: {pointer}");
    }
}

#[tokio::test]
async fn a_policy_that_matches_nothing_or_shows_nothing_can_change_without_a_trace() {
    let api = api();
    let of_nothing = json!({"type": "RESOURCE_NAME_REGEX", "resourceName": "no-such-file"});
    let id = added(&api, with(copyleft(), "/filter", of_nothing)).await;
    assert_eq!(changed(&api, &id, "/name", json!("Renamed")).await, BTreeSet::new());
    let legacy = added(&api, with(copyleft(), "/action/issueSettings", Value::Null)).await;
    assert_eq!(changed(&api, &legacy, "/name", json!("Renamed")).await, BTreeSet::new());
    let api = under(&[("mend.disabled-policies", "omitted")]);
    let id = added(&api, copyleft()).await;
    assert_eq!(changed(&api, &id, "/enabled", json!(false)).await, only("POLICY_MATCH"));
    assert_eq!(changed(&api, &id, "/name", json!("Renamed")).await, BTreeSet::new(), "nobody sees it");
    assert_eq!(changed(&api, &id, "/enabled", json!(true)).await, only("POLICY_MATCH"));
}

async fn rejections(api: &Api) -> Vec<Value> {
    let fields = with(scoped("Project"), "/alertType", json!("REJECTED_BY_POLICY_RESOURCE"));
    let answer = api.mend("getProjectAlertsByType", fields).await.mend_ok();
    answer["alerts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_name_of_a_rejecting_policy_stands_in_alerts() {
    let api = api();
    let id = added(&api, with(copyleft(), "/action", json!({"type": "REJECT"}))).await;
    let before = rejections(&api).await.remove(0);
    api.control().advance(SignedDuration::from_hours(24));
    assert_eq!(changed(&api, &id, "/owner", json!({"id": 1})).await, BTreeSet::new());
    assert_eq!(changed(&api, &id, "/name", json!("Renamed")).await, only("ALERTS"));
    let after = rejections(&api).await.remove(0);
    assert_eq!((&after["alertUuid"], &after["description"]), (&before["alertUuid"], &json!("Renamed")));
    assert!(after["time"].as_i64() > before["time"].as_i64());
    assert_eq!(changed(&api, &id, "/enabled", json!(false)).await, only("ALERTS"), "it is resolved");
    assert_eq!(changed(&api, &id, "/name", json!("Again")).await, BTreeSet::new());
}

/// `mend.new-policy-acts`: until the next scan, a policy that does not ask for issues any more has its matches, and
/// neither call shows them.
#[tokio::test]
async fn until_it_acts_a_changed_action_shows_in_both_calls() {
    let api = under(&[("mend.new-policy-acts", "next-scan")]);
    let id = added(&api, copyleft()).await;
    let scan = json!({"type": "mend.scan", "project_token": mend::token("project", "api")});
    let scan: fixtures::world::mend::Event = serde_json::from_value(scan).unwrap();
    api.control().happen(&scan).unwrap();
    let key_uuid = issues(&api).await[0]["library"]["keyUuid"].take();
    let seen = async || {
        let fields = with(scoped("Project"), "/keyUuids", json!([key_uuid]));
        let answer = api.mend("getProjectLibrariesInfo", fields).await.mend_ok();
        (issues(&api).await.len(), answer["libraries"].as_array().unwrap().len())
    };
    assert_eq!(seen().await, (1, 1));
    let _ = modified(&api).await;
    let (reject, issue) = (json!({"type": "REJECT"}), copyleft()["action"].take());
    assert_eq!(changed(&api, &id, "/action", reject).await, only("POLICY_MATCH"));
    assert_eq!(seen().await, (0, 0));
    // Without its settings an issue is for the older integration.
    let legacy = json!({"type": "CREATE_ISSUE"});
    assert_eq!(changed(&api, &id, "/action", legacy).await, BTreeSet::new());
    assert_eq!(seen().await, (0, 0));
    assert_eq!(changed(&api, &id, "/action", issue).await, only("POLICY_MATCH"));
    assert_eq!(seen().await, (1, 1));
}

/// Only what decides about matches lets a policy look at the inventory again.
#[tokio::test]
async fn another_name_or_owner_evaluates_nothing() {
    let api = api();
    let stale = json!({"type": "LIBRARY_STALENESS", "olderThanDays": 3650});
    let id = added(&api, with(copyleft(), "/filter", stale)).await;
    api.control().advance(SignedDuration::from_hours(24 * 3_650));
    for (pointer, value) in [("/name", json!("Renamed")), ("/owner", json!({"id": 1}))] {
        assert_eq!(changed(&api, &id, pointer, value).await, BTreeSet::new(), "{pointer}");
    }
    assert_eq!(issues(&api).await, [] as [Value; 0]);
    assert_eq!(changed(&api, &id, "/priority", json!(3)).await, only("POLICY_MATCH"));
    assert_eq!(issues(&api).await.len(), 2);
}
