//! Readings that the files of their routes don't try.

use serde_json::json;

use super::common::{Jira, new_issue};

#[tokio::test]
async fn old_search_is_where_the_reading_says() {
    let jira = Jira::new();
    jira.get("search?jql=project=SEC").await.denied(410, "JIRA-SEARCH-GONE");
    jira.v2().get("search?jql=project=SEC").await.ok();
    Jira::under("jira.old-search", "gone")
        .v2()
        .get("search?jql=project=SEC")
        .await
        .denied(410, "jira.old-search");
}

#[tokio::test]
async fn labels_mind_their_case_or_not() {
    assert!(Jira::new().found("labels = SYNC").await.is_empty());
    assert_eq!(
        Jira::under("jira.label-case", "insensitive").found("labels = SYNC").await,
        ["OUT-2", "SEC-2", "SEC-1"]
    );
}

#[tokio::test]
async fn an_unknown_key_is_refused_or_nobodys() {
    Jira::new().post("search/jql", json!({"jql": "key = SEC-99"})).await.denied(400, "jira.unknown-key");
    assert!(Jira::under("jira.unknown-key", "empty").found("key = SEC-99").await.is_empty());
}

#[tokio::test]
async fn an_archived_issue_can_be_read_or_not() {
    let archived = json!({"type": "jira.issue_archived", "issue": "SEC-1", "is_archived": true});
    let jira = Jira::new();
    jira.happens(archived.clone());
    assert_eq!(jira.get("issue/SEC-1").await.status, 200);
    jira.put("issue/SEC-1", json!({})).await.denied(403, "jira.archived-issue");
    assert_eq!(jira.found("labels = sync AND project = SEC").await, ["SEC-2"]);
    let jira = Jira::under("jira.archived-issue", "not-found");
    jira.happens(archived);
    jira.get("issue/SEC-1").await.denied(404, "jira.archived-issue");
}

#[tokio::test]
async fn other_readings_change_what_they_say() {
    assert_eq!(
        Jira::under("jira.default-order", "oldest-first").found("labels = sync").await,
        ["SEC-1", "SEC-2", "OUT-2"]
    );
    let body = Jira::under("jira.error-status", "present").get("issue/SEC-99").await.json();
    assert_eq!(body["status"], 404);
    Jira::under("jira.write-denied", "400")
        .user("read-only")
        .delete("issue/SEC-1")
        .await
        .denied(400, "jira.write-denied");
    let long = json!({"labels": ["x".repeat(1_000)]});
    Jira::under("jira.label-length", "unlimited").create(long).await;
    let search = json!({"jql": "project = SEC", "nextPageToken": "x"});
    Jira::new().post("search/jql", search.clone()).await.denied(400, "jira.bad-page-token");
    assert_eq!(Jira::under("jira.bad-page-token", "first-page").post("search/jql", search).await.status, 200);
    let jira = Jira::under("jira.content-type", "tolerant");
    let request = http::Request::post("/rest/api/3/issue")
        .header(
            "authorization",
            super::common::basic("sync@larkfield.example", jira.api.server.jira().api_token()),
        )
        .body(axum::body::Body::from(new_issue(json!({})).to_string()))
        .unwrap();
    assert_eq!(jira.api.raw(request).await.status, 201);
}
