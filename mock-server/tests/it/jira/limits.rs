//! What a site puts up with.

use mock_server::kernel::faults::{Effect, Fault};
use serde_json::json;

use super::common::{Jira, doc};

#[tokio::test]
async fn bursts_are_limited_per_endpoint_and_method() {
    let jira = Jira::limited(json!({"burst": {"requests": 2, "per_ms": 60_000}}));
    for _ in 0..2 {
        assert_eq!(jira.get("issue/SEC-1").await.status, 200);
    }
    let limited = jira.get("issue/SEC-2").await;
    let header = |name: &str| limited.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("ratelimit-reason"), "jira-burst-based", "JIRA-RATE-REASON");
    assert_eq!(header("retry-after"), "30", "JIRA-RATE-RETRY-AFTER");
    assert_eq!(header("x-ratelimit-reset"), "2026-01-15T00:01Z", "JIRA-RATE-RESET");
    assert_eq!(
        (header("x-ratelimit-limit"), header("x-ratelimit-remaining")),
        ("2".to_owned(), "0".to_owned())
    );
    limited.denied(429, "JIRA-RATE-429");
    assert_eq!(jira.get("myself").await.status, 200, "another endpoint");
    assert_eq!(jira.put("issue/SEC-1", json!({})).await.status, 204, "another method");
    jira.advance(29);
    assert_eq!(jira.get("issue/SEC-1").await.status, 429);
    jira.advance(1);
    assert_eq!(jira.get("issue/SEC-1").await.status, 200);
    assert_eq!(jira.get("issue/SEC-1").await.status, 429);
}

#[tokio::test]
async fn writes_are_limited_per_issue() {
    let jira = Jira::limited(json!({"issue_writes": {"requests": 1, "per_ms": 2_000}}));
    let comment = || json!({"body": doc("x")});
    assert_eq!(jira.post("issue/SEC-1/comment", comment()).await.status, 201);
    let limited = jira.put("issue/SEC-1", json!({"fields": {"summary": "x"}})).await;
    assert_eq!(limited.headers["ratelimit-reason"], "jira-per-issue-on-write");
    assert_eq!(limited.headers["retry-after"], "2");
    limited.denied(429, "JIRA-RATE-429");
    assert_eq!(jira.get("issue/SEC-1").await.ok()["fields"]["summary"], "Open and labelled");
    assert_eq!(jira.post("issue/SEC-2/comment", comment()).await.status, 201, "another issue");
    jira.advance(2);
    assert_eq!(jira.post("issue/SEC-1/comment", comment()).await.status, 201);
}

#[tokio::test]
async fn an_issue_has_room_for_so_much() {
    let jira = Jira::limited(json!({"comments_per_issue": 2, "remote_links_per_issue": 1}));
    assert_eq!(jira.post("issue/SEC-1/comment", json!({"body": doc("x")})).await.status, 201);
    jira.post("issue/SEC-1/comment", json!({"body": doc("x")})).await.denied(413, "JIRA-COMMENT-MAX");
    let with_comment =
        json!({"transition": {"id": "11"}, "update": {"comment": [{"add": {"body": doc("x")}}]}});
    jira.post("issue/SEC-1/transitions", with_comment).await.denied(413, "JIRA-COMMENT-MAX");
    assert_eq!(jira.fields("SEC-1").await["status"]["name"], "To Do");
    let link = |id: &str| json!({"globalId": id, "object": {"url": "https://e.example", "title": "x"}});
    assert_eq!(jira.post("issue/SEC-1/remotelink", link("a")).await.status, 201);
    assert_eq!(jira.post("issue/SEC-1/remotelink", link("a")).await.status, 200);
    jira.post("issue/SEC-1/remotelink", link("b")).await.denied(413, "JIRA-LINK-MAX");
}

/// What no setting says is said by a planned fault.
#[tokio::test]
async fn planned_faults_answer_in_jiras_other_manners() {
    let jira = Jira::new();
    let reply = |status, headers: &[(&str, &str)], body: &str| Effect::Reply {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_owned(),
    };
    let plan = |fault| jira.api.control().plan_fault(fault).unwrap();
    // An edit that meets another one; a 429 that is a web page and does not say how long to wait; a create whose reply is
    // lost although it was made.
    plan(Fault::before("PUT issue/:id", reply(409, &[], r#"{"errorMessages":["conflict"],"errors":{}}"#)));
    plan(Fault::before("POST search/jql", reply(429, &[("content-type", "text/html")], "<html></html>")));
    plan(Fault::after("POST issue", reply(504, &[], "")));
    let edit = json!({"fields": {"summary": "x"}});
    assert_eq!(jira.put("issue/SEC-1", edit.clone()).await.status, 409, "JIRA-EDIT-CONFLICT");
    assert_eq!(jira.fields("SEC-1").await["summary"], "Open and labelled");
    assert_eq!(jira.put("issue/SEC-1", edit).await.status, 204);
    let limited = jira.post("search/jql", json!({"jql": "project = SEC"})).await;
    assert_eq!(
        (limited.status, limited.headers.get("retry-after")),
        (429, None),
        "JIRA-RATE-HTML JIRA-RATE-NO-RETRY-AFTER"
    );
    assert_eq!(limited.headers["content-type"], "text/html");
    assert_eq!(jira.post("issue", super::common::new_issue(json!({}))).await.status, 504);
    assert_eq!(jira.get("issue/SEC-6").await.status, 200, "it was made");
    assert!(jira.api.control().check_fault(&Fault::before("POST isue", Effect::Hang)).is_err());
}
