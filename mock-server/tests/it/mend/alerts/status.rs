//! What setting an alert's status changes, and what it leaves alone.

use fixtures::builders::mend::{policy, token};
use fixtures::world::mend::{Event, Filter};
use jiff::SignedDuration;
use mock_server::MockServer;
use serde_json::{Value, json};

use super::{CVE, alarming, alerts, api, cart, org, uuid_of, with};
use crate::support::Api;

/// A policy about the first vulnerability that asks for issues.
fn watched(readings: &[(&str, &str)]) -> Api {
    let world =
        alarming().mend_policy(policy("Critical", Filter::VulnerabilityScore { from: 9.0, to: 10.0 }));
    let builder = MockServer::builder().world_spec(world.build());
    Api::with(readings.iter().fold(builder, |builder, (id, value)| builder.reading(id, value).unwrap()))
}

async fn issues(api: &Api) -> usize {
    let answer = api.mend("fetchProjectPolicyIssues", cart()).await.mend_ok();
    answer["issues"].as_array().unwrap().len()
}

/// Sets the status of an alert and returns how many alerts that changed.
async fn set(api: &Api, fields: Value) -> String {
    api.control().advance(SignedDuration::from_secs(1));
    let reply = api.mend("setAlertsStatus", with(org(), &fields)).await.mend_ok();
    let message = reply["message"].as_str().unwrap().to_owned();
    message.rsplit(": ").next().unwrap().to_owned()
}

/// MEND-ALERT-COMMENTS
#[tokio::test]
async fn a_comment_stays_until_another_one_is_given() {
    let api = api();
    let uuid = uuid_of(&api, CVE).await;
    let comments = async || alerts(&api, "getProjectIgnoredAlerts", cart()).await[0]["comments"].take();
    let ignored = json!({"alertUuids": [uuid], "status": "Ignored"});
    let with_comment = with(ignored.clone(), &json!({"comments": "Not used."}));
    assert_eq!(set(&api, with_comment.clone()).await, "1 alerts changed");
    let before = api.control().export_world();
    for again in [ignored.clone(), with_comment, with(ignored.clone(), &json!({"comments": null}))] {
        assert_eq!(set(&api, again).await, "0 alerts changed");
    }
    let _ = api.mend("ignoreAlerts", with(org(), &json!({"alertUuids": [uuid]}))).await.mend_ok();
    let event = Event::AlertIgnored { alert_uuid: uuid.clone(), comments: None };
    assert_eq!(api.control().happen(&event).unwrap().changed_alerts, 0);
    assert_eq!(api.control().export_world(), before);
    assert_eq!(set(&api, json!({"alertUuids": [uuid], "status": "Active"})).await, "1 alerts changed");
    assert_eq!(set(&api, ignored.clone()).await, "1 alerts changed");
    assert_eq!(comments().await, "Not used.");
    for other in ["It is.", ""] {
        assert_eq!(set(&api, with(ignored.clone(), &json!({"comments": other}))).await, "1 alerts changed");
        assert_eq!(comments().await, other);
    }
}

/// `mend.new-policy-acts`, `mend.ignored-alert-violation`
#[tokio::test]
async fn a_status_lets_no_policy_act_before_its_time() {
    let api = watched(&[("mend.new-policy-acts", "next-scan")]);
    let uuid = uuid_of(&api, CVE).await;
    let before = issues(&api).await;
    let action =
        json!({"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}});
    let filter = json!({"type": "RESOURCE_NAME_REGEX", "resourceName": "*"});
    let policy = json!({"name": "All", "owner": {"name": "ann"}, "filter": filter, "action": action});
    let _ = api.mend("addProjectPolicy", with(cart(), &json!({"policy": policy}))).await.mend_ok();
    for status in ["Ignored", "Active"] {
        assert_eq!(set(&api, json!({"alertUuids": [uuid], "status": status})).await, "1 alerts changed");
        assert_eq!(issues(&api).await, before, "{status}");
    }
}

/// `mend.ignored-alert-violation`
#[tokio::test]
async fn a_person_who_ignores_an_alert_is_told_what_that_resolves() {
    for (value, resolved) in [("unaffected", 0), ("resolved", 1)] {
        let api = watched(&[("mend.ignored-alert-violation", value)]);
        let alert_uuid = uuid_of(&api, CVE).await;
        assert_eq!(issues(&api).await, 1);
        let effects = api.control().happen(&Event::AlertIgnored { alert_uuid, comments: None }).unwrap();
        assert_eq!((effects.changed_alerts, effects.resolved_violations), (1, resolved), "{value}");
        assert_eq!(effects.changed_projects, [token("project", "cart")]);
        assert_eq!(issues(&api).await, 1 - resolved);
    }
}
