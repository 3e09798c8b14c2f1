//! People at work.

use serde_json::{Value, json};

use super::common::{Jira, doc};

#[tokio::test]
async fn a_moved_issue_answers_to_both_keys() {
    let jira = Jira::new();
    jira.happens(json!({"type": "jira.issue_moved", "issue": "SEC-1", "project": "OUT"}));
    let moved = jira.get("issue/SEC-1").await.ok();
    assert_eq!((&moved["key"], &moved["id"]), (&json!("OUT-3"), &json!("10000")), "JIRA-ISSUE-MOVED");
    assert_eq!(jira.get("issue/OUT-3").await.ok()["id"], "10000");
    assert_eq!(jira.found("project = SEC AND labels = sync").await, ["SEC-2"]);
    jira.put("issue/SEC-1", json!({"fields": {"summary": "By its old key"}})).await.no_content();
    assert_eq!(jira.fields("OUT-3").await["summary"], "By its old key");
    assert_eq!(jira.create(json!({})).await, "SEC-6", "the old number is not given again");
    Jira::new().user("limited").get("issue/OUT-3").await.denied(404, "JIRA-ISSUE-404");
}

#[tokio::test]
async fn people_make_edit_comment_and_close() {
    let jira = Jira::new();
    jira.advance(60);
    jira.happens(json!({"type": "jira.issue_created", "issue": {"project": "SEC", "summary": "By hand", "labels": ["own"], "description": "Text."}}));
    let fields = jira.fields("SEC-6").await;
    assert_eq!((&fields["summary"], &fields["reporter"]), (&json!("By hand"), &Value::Null));
    assert_eq!(fields["description"], doc("Text."));
    jira.happens(json!({"type": "jira.issue_edited", "issue": "SEC-1", "edit": {"summary": "Edited", "description": "", "labels_added": ["mine"], "labels_removed": ["sync"], "priority": "Low"}}));
    jira.happens(json!({"type": "jira.issue_commented", "issue": "SEC-1", "body": "Why?"}));
    jira.happens(
        json!({"type": "jira.issue_assigned", "issue": "SEC-1", "assignee": "5b10ac8d82e05b22cc7d-limited"}),
    );
    // People may go ways that the workflow does not have.
    jira.happens(json!({"type": "jira.issue_transitioned", "issue": "SEC-1", "status": "Done"}));
    let fields = jira.fields("SEC-1").await;
    assert_eq!(
        (&fields["summary"], &fields["description"], &fields["labels"]),
        (&json!("Edited"), &Value::Null, &json!(["crypto", "mine"]))
    );
    assert_eq!(
        (&fields["priority"]["name"], &fields["assignee"]["displayName"]),
        (&json!("Low"), &json!("limited"))
    );
    assert_eq!(fields["comment"]["comments"][1]["body"], doc("Why?"));
    assert_eq!(
        (&fields["status"]["name"], &fields["resolution"]),
        (&json!("Done"), &Value::Null),
        "over without a resolution"
    );
    jira.happens(json!({"type": "jira.issue_transitioned", "issue": "SEC-1", "status": "To Do", "resolution": "Won't Do"}));
    let fields = jira.fields("SEC-1").await;
    assert_eq!(
        (&fields["status"]["name"], &fields["resolution"]["name"]),
        (&json!("To Do"), &json!("Won't Do")),
        "resolved and not over"
    );
    assert_eq!(fields["updated"], "2026-01-15T00:01:00.000+0000");
}

#[tokio::test]
async fn issues_vanish_and_come_back() {
    let jira = Jira::new();
    jira.happens(json!({"type": "jira.issue_hidden", "issue": "SEC-1", "is_hidden": true}));
    jira.get("issue/SEC-1").await.denied(404, "JIRA-ISSUE-404");
    assert_eq!(jira.found("labels = sync AND project = SEC").await, ["SEC-2"]);
    jira.post("search/jql", json!({"jql": "key = SEC-1"})).await.denied(400, "jira.unknown-key");
    jira.happens(json!({"type": "jira.issue_hidden", "issue": "SEC-1", "is_hidden": false}));
    assert_eq!(jira.get("issue/SEC-1").await.status, 200);
    jira.happens(json!({"type": "jira.issue_deleted", "issue": "SEC-1"}));
    jira.get("issue/SEC-1").await.denied(404, "JIRA-ISSUE-404");
    jira.api.control().reset();
    assert_eq!(jira.get("issue/SEC-1").await.status, 200);
}

#[tokio::test]
async fn what_can_not_happen_changes_nothing() {
    let jira = Jira::new();
    let before = jira.api.control().export_world();
    for event in [
        json!({"type": "jira.issue_deleted", "issue": "SEC-99"}),
        json!({"type": "jira.issue_moved", "issue": "SEC-1", "project": "SEC"}),
        json!({"type": "jira.issue_moved", "issue": "SEC-1", "project": "NONE"}),
        json!({"type": "jira.issue_created", "issue": {"project": "SEC", "summary": "a\nb"}}),
        json!({"type": "jira.issue_created", "issue": {"project": "SEC", "summary": "a", "issue_type": "Epos"}}),
        json!({"type": "jira.issue_edited", "issue": "SEC-1", "edit": {"labels_added": ["a b"]}}),
        json!({"type": "jira.issue_edited", "issue": "SEC-1", "edit": {"description": {"type": "html"}}}),
        json!({"type": "jira.issue_commented", "issue": "SEC-1", "author": "nobody", "body": "x"}),
        json!({"type": "jira.issue_transitioned", "issue": "SEC-1", "status": "Shut"}),
        json!({"type": "jira.issue_transitioned", "issue": "SEC-1", "status": "Done", "resolution": "x"}),
        json!({"type": "jira.issue_assigned", "issue": "SEC-1", "assignee": "nobody"}),
        json!({"type": "jira.api_token_revoked", "account_id": "nobody"}),
        json!({"type": "jira.limits_changed", "limits": {"burst": {"requests": 0, "per_ms": 1}}}),
    ] {
        let event: fixtures::world::Event = serde_json::from_value(event).unwrap();
        assert!(jira.api.control().happen(&event).is_err(), "{event:?}");
    }
    assert_eq!(jira.api.control().export_world(), before);
    let unknown = serde_json::from_value::<fixtures::world::Event>(json!({"type": "jira.nonsense"}));
    assert!(unknown.is_err());
    let reply = jira
        .api
        .admin(
            http::Method::POST,
            "sandboxes/default/events",
            Some(json!({"type": "jira.issue_deleted", "issue": "SEC-1"})),
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["issue_id"], "10000");
}
