//! `search/jql` and the old `search`: what queries mean, what pages are, what lag does.

use serde_json::{Value, json};

use super::common::Jira;

const LABEL: &str = "labels = sync";

#[tokio::test]
async fn queries_mean_what_they_say() {
    let jira = Jira::new();
    for (jql, keys) in [
        ("project = SEC", "SEC-5 SEC-3 SEC-2 SEC-1"),
        ("PROJECT in (sec, \"Detour\") ", "DET-1 SEC-5 SEC-3 SEC-2 SEC-1"),
        ("project != SEC", "DET-1 OUT-2"),
        ("project = SEC and labels = sync", "SEC-2 SEC-1"),
        ("labels in (sync, crypto) AND project not in (OUT)", "SEC-2 SEC-1"),
        ("labels = sync AND labels = crypto", "SEC-1"),
        ("labels = nothing", ""),
        ("labels is EMPTY and project = SEC", "SEC-5 SEC-3"),
        ("labels is not EMPTY", "OUT-2 SEC-2 SEC-1"),
        // What is empty is neither equal nor unequal.
        ("labels != crypto", "OUT-2 SEC-2"),
        ("labels in (crypto, EMPTY) AND project = SEC", "SEC-5 SEC-3 SEC-1"),
        ("status = \"in progress\"", "SEC-2"),
        ("statusCategory = Done", "SEC-3"),
        ("statusCategory != Done AND project = SEC", "SEC-5 SEC-2 SEC-1"),
        ("statusCategory in (new, indeterminate) AND project = SEC", "SEC-5 SEC-2 SEC-1"),
        ("resolution = Unresolved AND project = SEC", "SEC-5 SEC-2 SEC-1"),
        ("resolution is not EMPTY", "SEC-3"),
        ("resolution = Done", "SEC-3"),
        ("key = SEC-2", "SEC-2"),
        ("key in (SEC-2, sec-1)", "SEC-2 SEC-1"),
        ("issuekey = OUT-1", "SEC-5"),
        ("id = 10002", "SEC-3"),
        ("key > SEC-2 AND key <= SEC-5", "SEC-5 SEC-3"),
        ("id >= 10004", "DET-1 OUT-2"),
        ("issuetype = Task AND project = SEC", "SEC-5 SEC-3 SEC-2 SEC-1"),
        ("priority = Medium AND project = DET", "DET-1"),
        ("assignee is EMPTY AND project = DET", "DET-1"),
        ("assignee = currentUser()", ""),
        ("created >= -37h AND project = SEC", "SEC-5 SEC-3"),
        ("created < 2026-01-13 AND project = SEC", "SEC-1"),
        ("updated <= now() AND project = DET", "DET-1"),
        ("resolved is EMPTY AND project = DET", "DET-1"),
        ("summary ~ \"labelled open\"", "SEC-1"),
        ("summary ~ \"label*\"", "SEC-1"),
        ("summary !~ open AND project = SEC", "SEC-5 SEC-3 SEC-2"),
        ("description ~ paragraph", "SEC-1"),
        ("comment ~ seen", "SEC-1"),
        ("text ~ break", "SEC-1"),
        ("\"External id\" ~ 4651453173202944", "DET-1"),
        ("cf[10010] is not EMPTY", "DET-1"),
        ("project = SEC AND NOT (labels = sync OR status = Done)", "SEC-5"),
        ("NOT project = SEC && labels = sync", "OUT-2"),
        ("project = SEC OR project = DET AND labels = sync", "SEC-5 SEC-3 SEC-2 SEC-1"),
        ("project = SEC ORDER BY key", "SEC-1 SEC-2 SEC-3 SEC-5"),
        ("project = SEC ORDER BY key DESC", "SEC-5 SEC-3 SEC-2 SEC-1"),
        ("project = SEC ORDER BY created", "SEC-5 SEC-3 SEC-2 SEC-1"),
        ("project = SEC ORDER BY status ASC, created ASC", "SEC-1 SEC-5 SEC-2 SEC-3"),
        ("project = SEC ORDER BY summary", "SEC-5 SEC-1 SEC-3 SEC-2"),
    ] {
        assert_eq!(jira.found(jql).await.join(" "), keys, "{jql}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let jira = Jira::new();
    for (jql, rule, text) in [
        (
            "",
            "JIRA-SEARCH-BOUNDED",
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
        ),
        (
            "ORDER BY created",
            "JIRA-SEARCH-BOUNDED",
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
        ),
        (
            "nonsense = 1",
            "JIRA-SEARCH-INVALID",
            "Field 'nonsense' does not exist or you do not have permission to view it.",
        ),
        ("project = NONE", "JIRA-SEARCH-INVALID", "The value 'NONE' does not exist for the field 'project'."),
        ("status = Shut", "JIRA-SEARCH-INVALID", "The value 'Shut' does not exist for the field 'status'."),
        ("labels > a", "JIRA-SEARCH-INVALID", "The operator '>' is not supported by the 'labels' field."),
        ("summary = x", "JIRA-SEARCH-INVALID", "The operator '=' is not supported by the 'summary' field."),
        (
            "project is EMPTY",
            "JIRA-SEARCH-INVALID",
            "The operator 'is' can't be used with that value for the field 'project'.",
        ),
        ("labels = \"a b\"", "JIRA-SEARCH-LABEL-SPACES", "The label 'a b' can't contain spaces."),
        ("key = SEC-99", "jira.unknown-key", "An issue with key 'SEC-99' does not exist for field 'key'."),
        ("key = SEC-5 AND created > soon", "JIRA-SEARCH-INVALID", ""),
        (
            "project = SEC AND",
            "JIRA-SEARCH-INVALID",
            "Error in the JQL Query: Expecting a field name before the end of the query.",
        ),
        ("project SEC", "JIRA-SEARCH-INVALID", ""),
        (
            "project = SEC labels = x",
            "JIRA-SEARCH-INVALID",
            "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'labels'.",
        ),
        (
            "(project = SEC",
            "JIRA-SEARCH-INVALID",
            "Error in the JQL Query: Expecting ')' before the end of the query.",
        ),
        (
            "project = \"SEC",
            "JIRA-SEARCH-INVALID",
            "Error in the JQL Query: The quoted string has not been completed.",
        ),
        ("project = S*C", "JIRA-SEARCH-INVALID", ""),
        ("project in ()", "JIRA-SEARCH-INVALID", ""),
        (
            "project = SEC ORDER BY nonsense",
            "JIRA-SEARCH-INVALID",
            "Field 'nonsense' does not exist or you do not have permission to view it.",
        ),
        ("status was Done", "server.jql-not-simulated", ""),
        ("created > startOfDay()", "server.jql-not-simulated", ""),
        ("issue in linkedIssues(\"SEC-1\")", "server.jql-not-simulated", ""),
    ] {
        let denied = jira.post("search/jql", json!({"jql": jql})).await.denied(400, rule);
        if !text.is_empty() {
            assert_eq!(denied["errorMessages"][0], text, "{jql}");
        }
    }
    let deep = format!("{}project = SEC{}", "(".repeat(60), ")".repeat(60));
    jira.post("search/jql", json!({"jql": deep})).await.denied(400, "JIRA-SEARCH-INVALID");
    let wide = vec!["project = SEC"; 1_001].join(" OR ");
    jira.post("search/jql", json!({"jql": wide})).await.denied(400, "JIRA-SEARCH-INVALID");
    for body in [
        json!({"jql": 1}),
        json!({"jql": LABEL, "maxResults": "x"}),
        json!({"jql": LABEL, "maxResults": 0}),
        json!({"jql": LABEL, "fields": 1}),
        json!({"jql": LABEL, "reconcileIssues": ["x"]}),
    ] {
        jira.post("search/jql", body).await.denied(400, "JIRA-SEARCH-INVALID");
    }
}

#[tokio::test]
async fn a_search_shows_the_fields_that_were_asked_for() {
    let jira = Jira::new();
    let bare = jira.get("search/jql?jql=labels%20%3D%20crypto").await.ok();
    assert_eq!(
        bare,
        json!({"issues": [{"id": "10000"}], "isLast": true}),
        "JIRA-SEARCH-FIELDS JIRA-SEARCH-NO-TOTAL"
    );
    let some = jira
        .post(
            "search/jql",
            json!({"jql": "labels = crypto", "fields": ["summary", "status"], "properties": ["origin"]}),
        )
        .await
        .ok();
    let issue = &some["issues"][0];
    assert_eq!((&issue["key"], issue["fields"].as_object().unwrap().len()), (&json!("SEC-1"), 2));
    assert_eq!(issue["properties"]["origin"]["target"], "1");
    let all = jira.get("search/jql?jql=labels%20%3D%20crypto&fields=*all,-comment").await.ok();
    assert!(
        all["issues"][0]["fields"]["description"]["type"] == "doc"
            && all["issues"][0]["fields"].get("comment").is_none()
    );
    let v2 = Jira::new().v2().get("search/jql?jql=labels%20%3D%20crypto&fields=description").await.ok();
    assert!(v2["issues"][0]["fields"]["description"].is_string());
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let jira = Jira::new();
    for order in ["", " ORDER BY summary DESC", " ORDER BY status, updated"] {
        let jql = format!("project = SEC{order}");
        let whole: Value = jira.post("search/jql", json!({"jql": jql, "fields": ["summary"]})).await.ok();
        let whole: Vec<Value> =
            whole["issues"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect();
        assert_eq!(json!(jira.found(&jql).await), json!(whole), "JIRA-SEARCH-PAGES");
    }
    // What is made between two pages neither shifts nor repeats the rest.
    let first = jira
        .post("search/jql", json!({"jql": "project = SEC", "maxResults": 2, "fields": ["summary"]}))
        .await
        .ok();
    jira.create(json!({})).await;
    let token = first["nextPageToken"].clone();
    let next =
        json!({"jql": "project = SEC", "maxResults": 2, "fields": ["summary"], "nextPageToken": token});
    let second = jira.post("search/jql", next).await.ok();
    let keys = |page: &Value| {
        page["issues"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect::<Vec<_>>()
    };
    assert_eq!([keys(&first), keys(&second)].concat(), ["SEC-5", "SEC-3", "SEC-2", "SEC-1"]);
    assert!(second.get("nextPageToken").is_none() && second["isLast"] == true);
    // A token belongs to its search.
    jira.post("search/jql", json!({"jql": LABEL, "nextPageToken": token}))
        .await
        .denied(400, "jira.bad-page-token");
}

#[tokio::test]
async fn a_search_lags_and_a_read_does_not() {
    let jira = Jira::limited(json!({"search_lag_ms": 30_000}));
    let key = jira.create(json!({"labels": ["fresh"]})).await;
    assert_eq!(jira.get(&format!("issue/{key}")).await.status, 200, "JIRA-ISSUE-DIRECT");
    assert!(jira.found("labels = fresh").await.is_empty(), "JIRA-SEARCH-LAG");
    let id: Value =
        jira.get(&format!("issue/{key}")).await.json()["id"].as_str().unwrap().parse::<u64>().unwrap().into();
    let reconciled =
        jira.post("search/jql", json!({"jql": "labels = fresh", "reconcileIssues": [id]})).await.ok();
    assert_eq!(reconciled["issues"].as_array().unwrap().len(), 1, "JIRA-SEARCH-RECONCILE");
    jira.advance(29);
    assert!(jira.found("labels = fresh").await.is_empty());
    jira.advance(1);
    assert_eq!(jira.found("labels = fresh").await.join(" "), key);

    // Edits, transitions and deletions lag like new issues.
    jira.put(&format!("issue/{key}"), json!({"fields": {"labels": ["stale"], "summary": "Other"}}))
        .await
        .no_content();
    jira.delete("issue/SEC-2").await.no_content();
    assert_eq!(
        (jira.found("labels = stale").await, jira.found("labels = fresh").await),
        (vec![], vec![key.clone()])
    );
    assert_eq!(jira.found("project = SEC AND labels = sync").await, ["SEC-2", "SEC-1"]);
    let shown = jira.post("search/jql", json!({"jql": "labels = fresh", "fields": ["summary"]})).await.ok();
    assert_eq!(shown["issues"][0]["fields"]["summary"], "A new one");
    jira.advance(30);
    assert_eq!((jira.found("labels = stale").await, jira.found("labels = fresh").await), (vec![key], vec![]));
    assert_eq!(jira.found("project = SEC AND labels = sync").await, ["SEC-1"]);
    let many: Vec<u64> = (1..=51).collect();
    jira.post("search/jql", json!({"jql": LABEL, "reconcileIssues": many}))
        .await
        .denied(400, "JIRA-SEARCH-RECONCILE-MAX");
}

#[tokio::test]
async fn the_old_search_counts() {
    let jira = Jira::new().v2();
    let page = jira
        .get("search?jql=project%20%3D%20SEC%20order%20by%20key&startAt=1&maxResults=2&fields=summary")
        .await
        .ok();
    assert_eq!((&page["total"], &page["startAt"], &page["maxResults"]), (&json!(4), &json!(1), &json!(2)));
    let keys: Vec<_> = page["issues"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect();
    assert_eq!(keys, ["SEC-2", "SEC-3"]);
    let all = jira.post("search", json!({"jql": "", "maxResults": 0})).await.ok();
    assert_eq!((&all["total"], &all["issues"]), (&json!(6), &json!([])));
    jira.post("search", json!({"jql": "nonsense = 1"})).await.denied(400, "JIRA-SEARCH-INVALID");
}
