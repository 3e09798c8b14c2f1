//! Who asks: what a failed login looks like, and what each user sees.

use http::Method;
use mock_server::kernel::journal::Filter;
use serde_json::json;

use super::common::{Jira, basic, new_issue};
use crate::support::Api;

#[tokio::test]
async fn a_failed_login_looks_like_an_empty_site() {
    // On a port of the sandbox's own these answers come from the site itself, on the shared one from nobody's.
    let known = Jira::new();
    let email = known.api.server.jira().email().to_owned();
    for authorization in [
        basic(&email, "no-such-token"),
        basic("who@else.example", "x"),
        "Bearer abc".to_owned(),
        "Basic !".to_owned(),
    ] {
        let jira = Jira::new().showing(Some(&authorization));
        let search = jira.get("search/jql?jql=project%20%3D%20SEC&fields=summary").await;
        assert_eq!(search.headers["x-seraph-loginreason"], "AUTHENTICATED_FAILED", "JIRA-AUTH-LOGIN-REASON");
        let search = search.ok();
        assert_eq!(search, json!({"issues": [], "isLast": true}), "JIRA-AUTH-SEARCH-EMPTY");
        let projects = jira.get("project/search").await.ok();
        assert_eq!(
            (&projects["values"], &projects["total"]),
            (&json!([]), &json!(0)),
            "JIRA-AUTH-PROJECTS-EMPTY"
        );
        jira.get("issue/SEC-1").await.denied(404, "JIRA-AUTH-ISSUE-404");
        let myself = jira.get("myself").await;
        assert_eq!(
            (myself.status, myself.headers["x-mock-rule"].to_str().unwrap()),
            (401, "JIRA-AUTH-MYSELF-401")
        );
        assert!(myself.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        jira.post("issue", new_issue(json!({}))).await.denied(401, "JIRA-CREATE-UNAUTHORIZED");
        jira.put("issue/SEC-1", json!({})).await.denied(404, "JIRA-AUTH-ISSUE-404");
        assert_eq!(jira.get("serverInfo").await.ok()["deploymentType"], "Cloud");
        assert_eq!(jira.get("field").await.ok(), json!([]));
        // Unbounded is unbounded, whoever asks.
        jira.get("search/jql?jql=").await.denied(400, "JIRA-SEARCH-BOUNDED");
        jira.get("search/jql?jql=project%20%3D").await.denied(400, "JIRA-SEARCH-INVALID");
        let entries = jira.api.control().journal(&Filter::default()).entries;
        assert!(entries.is_empty(), "nobody owns a failed login");
        assert_eq!(jira.api.server.unclaimed(&Filter::default()).entries.len(), 10);
    }
}

#[tokio::test]
async fn a_failed_login_on_a_port_of_its_own_is_the_sandboxs() {
    let jira = Jira::new();
    let router = jira.api.server.sandbox_router("default").unwrap();
    for (path, status) in [("myself", 401), ("issue/SEC-1", 404), ("project/search", 200)] {
        let request = http::Request::get(format!("/rest/api/3/{path}"))
            .header("authorization", basic("a@b.example", "wrong"))
            .body(axum::body::Body::empty())
            .unwrap();
        let Ok(response) = tower::ServiceExt::oneshot(router.clone(), request).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.headers()["x-seraph-loginreason"], "AUTHENTICATED_FAILED");
    }
    assert_eq!(jira.api.control().journal(&Filter::default()).entries.len(), 3);
}

#[tokio::test]
async fn nobody_is_not_a_failed_login() {
    let jira = Jira::new().showing(None);
    let myself = jira.get("myself").await;
    assert_eq!(
        (myself.status, myself.headers["x-mock-rule"].to_str().unwrap()),
        (401, "JIRA-MYSELF-ANONYMOUS")
    );
    assert!(!myself.headers.contains_key("x-seraph-loginreason"));
}

#[tokio::test]
async fn a_right_token_with_another_email_is_a_failed_login_of_the_sandbox() {
    let jira = Jira::new();
    let token = jira.api.server.jira().api_token().to_owned();
    let jira = jira.showing(Some(&basic("who@else.example", &token)));
    assert_eq!(jira.get("myself").await.status, 401);
    assert_eq!(jira.api.last_entry().status, Some(401));
}

#[tokio::test]
async fn users_see_what_they_may() {
    let jira = Jira::new();
    let me = jira.get("myself").await.ok();
    assert_eq!(me["emailAddress"], "sync@larkfield.example", "JIRA-MYSELF-USER");
    assert_eq!(jira.get("issue/OUT-2").await.status, 200);

    let limited = Jira::new().user("limited");
    limited.get("issue/OUT-2").await.denied(404, "JIRA-ISSUE-404");
    limited.get("issue/OUT-99").await.denied(404, "JIRA-ISSUE-404");
    limited.get("project/OUT").await.denied(404, "JIRA-PROJECT-404");
    assert_eq!(limited.found("labels = sync").await, ["SEC-2", "SEC-1"]);
    limited.post("search/jql", json!({"jql": "project = OUT"})).await.denied(400, "JIRA-SEARCH-INVALID");
    let keys: Vec<_> =
        limited.get("project").await.ok().as_array().unwrap().iter().map(|row| row["key"].clone()).collect();
    assert_eq!(keys, ["SEC", "DET"]);
    let denied = limited
        .post("issue", json!({"fields": {"project": {"key": "OUT"}}}))
        .await
        .denied(400, "JIRA-CREATE-INVALID");
    assert_eq!(denied["errors"]["project"], "valid project is required");

    let reader = Jira::new().user("read-only");
    assert_eq!(reader.get("issue/SEC-1").await.status, 200);
    reader.put("issue/SEC-1", json!({"fields": {"summary": "x"}})).await.denied(403, "jira.write-denied");
    reader.post("issue", new_issue(json!({}))).await.denied(403, "jira.write-denied");
    assert_eq!(reader.get("issue/SEC-1/transitions").await.ok()["transitions"], json!([]));
}

#[tokio::test]
async fn a_revoked_token_is_a_failed_login() {
    let jira = Jira::new().user("limited");
    assert_eq!(jira.get("myself").await.status, 200);
    jira.happens(json!({"type": "jira.api_token_revoked", "account_id": "5b10ac8d82e05b22cc7d-limited"}));
    assert_eq!(jira.get("myself").await.status, 401);
    // The request is still this sandbox's: its token was.
    assert_eq!(jira.api.last_entry().status, Some(401));
    let exported = jira.api.control().export_world();
    assert!(exported.jira.users[1].is_revoked);
}

#[tokio::test]
async fn tokens_are_in_no_journal_and_no_reply() {
    let jira = Jira::new();
    let (email, token) =
        (jira.api.server.jira().email().to_owned(), jira.api.server.jira().api_token().to_owned());
    let pair = basic(&email, &token).trim_start_matches("Basic ").to_owned();
    for secret in [&token, &pair] {
        let encoded = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let paths = [
            format!("issue/{encoded}"),
            format!("search/jql?jql=labels%20%3D%20{encoded}%21"),
            format!("x/{encoded}"),
        ];
        for path in paths {
            for jira in [&jira, &Jira::around(Api::of("jira")).showing(None)] {
                let reply = jira.get(&path).await;
                assert!(!reply.text.contains(secret.as_str()), "{path}: {}", reply.text);
            }
        }
        let _ = jira.post("issue", new_issue(json!({"labels": [format!("{secret} x")]}))).await;
        let _ =
            jira.send(Method::PUT, "issue/SEC-1", Some(format!("{{\"fields\": {{\"{secret}\": 1}}}}"))).await;
        let _ = jira.send(Method::POST, "issue", Some(secret.clone())).await;
    }
    let text = serde_json::to_string(&jira.api.control().journal(&Filter::default())).unwrap();
    assert!(text.contains("[redacted]"));
    let shown = format!("{:?} {:?}", jira.api.control(), jira.api.control().environment());
    for secret in [&token, &pair] {
        assert!(!text.contains(secret.as_str()));
        assert!(!shown.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn paths_that_are_not_there_are_told_apart() {
    let jira = Jira::new();
    jira.get("isue/SEC-1").await.denied(404, "server.unknown-route");
    jira.get("issue/SEC-1/worklog").await.denied(501, "server.not-simulated");
    let other = jira.delete("myself").await;
    assert_eq!(other.headers["allow"], "GET, HEAD");
    other.denied(405, "server.method-not-allowed");
    jira.get("issue/bulk").await.denied(405, "server.method-not-allowed");
    jira.get("issue/%FF").await.denied(400, "server.path-encoding");
    let version =
        jira.api.raw(http::Request::get("/rest/api/1/myself").body(axum::body::Body::empty()).unwrap()).await;
    version.denied(404, "server.unknown-route");
    assert_eq!(jira.send(Method::HEAD, "issue/SEC-1", None).await.status, 200);
    assert_eq!(jira.get("issue/SEC-1/").await.status, 200);
}
