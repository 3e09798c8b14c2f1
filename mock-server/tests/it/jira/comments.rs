//! `issue/:id/comment`

use serde_json::{Value, json};

use super::common::{Jira, doc};

#[tokio::test]
async fn comments_are_listed_added_changed_and_deleted() {
    let jira = Jira::new();
    jira.advance(1);
    let made = jira.post("issue/SEC-1/comment", json!({"body": doc("Again.")})).await;
    assert_eq!(made.status, 201, "JIRA-COMMENT-201");
    let made = made.json();
    assert_eq!((&made["id"], &made["author"]["displayName"]), (&json!("10001"), &json!("sync")));
    assert_eq!(made["self"], "http://jira.example/rest/api/3/issue/10000/comment/10001");
    assert_eq!(jira.fields("SEC-1").await["updated"], "2026-01-15T00:00:01.000+0000");

    let list = jira.get("issue/SEC-1/comment").await.ok();
    assert_eq!((&list["total"], &list["comments"][0]["body"]), (&json!(2), &doc("Seen.")));
    assert_eq!(list["comments"][0]["author"], Value::Null);
    for order in ["created", "+created", "%2Bcreated", ""] {
        let oldest = jira.get(&format!("issue/SEC-1/comment?orderBy={order}")).await.ok();
        assert_eq!(oldest["comments"][0]["id"], "10000", "{order}");
    }
    for order in ["updated", "--created", "created,id"] {
        let path = format!("issue/SEC-1/comment?orderBy={order}");
        jira.get(&path).await.denied(400, "JIRA-COMMENT-ORDER");
    }
    let newest = jira.get("issue/SEC-1/comment?orderBy=-created&maxResults=1").await.ok();
    assert_eq!(
        (&newest["comments"][0]["id"], newest["comments"].as_array().unwrap().len()),
        (&json!("10001"), 1)
    );
    let second = jira.get("issue/SEC-1/comment?startAt=1").await.ok();
    assert_eq!(second["comments"][0]["id"], "10001");
    assert_eq!(jira.get("issue/SEC-1/comment?startAt=99999999999").await.ok()["comments"], json!([]));

    jira.advance(1);
    let changed = jira.put("issue/SEC-1/comment/10001", json!({"body": doc("Never mind.")})).await.ok();
    assert_eq!(changed["body"], doc("Never mind."), "JIRA-COMMENT-UPDATE");
    assert_ne!(changed["created"], changed["updated"]);
    assert_eq!(jira.get("issue/SEC-1/comment/10001").await.ok(), changed);
    jira.delete("issue/SEC-1/comment/10001").await.no_content();
    jira.get("issue/SEC-1/comment/10001").await.denied(404, "JIRA-COMMENT-404");
    jira.put("issue/SEC-1/comment/x", json!({"body": doc("x")})).await.denied(404, "JIRA-COMMENT-404");
    let next = jira.post("issue/SEC-1/comment", json!({"body": doc("x")})).await.json();
    assert_eq!(next["id"], "10002", "no number is given twice");
    assert_eq!(jira.v2().get("issue/SEC-1/comment").await.ok()["comments"][0]["body"], "Seen.");
}

#[tokio::test]
async fn a_comment_says_something_well_formed() {
    let jira = Jira::new();
    for (body, rule) in [
        (json!({}), "JIRA-COMMENT-INVALID"),
        (json!({"body": null}), "JIRA-COMMENT-INVALID"),
        (json!({"body": {"type": "doc", "version": 1, "content": []}}), "JIRA-COMMENT-INVALID"),
        (json!({"body": "text"}), "JIRA-V3-DOCUMENTS"),
        (
            json!({"body": {"type": "doc", "version": 1, "content": [{"type": "text", "text": "x"}]}}),
            "JIRA-DOCUMENT-NODES",
        ),
        (json!({"body": doc(&"x".repeat(32_768))}), "JIRA-TEXT-LENGTH"),
    ] {
        let denied = jira.post("issue/SEC-1/comment", body).await.denied(400, rule);
        assert!(denied["errors"]["comment"].is_string(), "{denied}");
    }
    let jira = jira.v2();
    jira.post("issue/SEC-1/comment", json!({"body": ""})).await.denied(400, "JIRA-COMMENT-INVALID");
    assert_eq!(jira.post("issue/SEC-1/comment", json!({"body": "x".repeat(32_767)})).await.status, 201);
}

#[tokio::test]
async fn what_the_limit_counts_of_a_document_is_a_reading() {
    let body = json!({"body": doc(&"x".repeat(32_700))});
    assert_eq!(Jira::new().post("issue/SEC-1/comment", body.clone()).await.status, 201);
    Jira::under("jira.document-length", "json")
        .post("issue/SEC-1/comment", body)
        .await
        .denied(400, "JIRA-TEXT-LENGTH");
}
