//! `issue`: making, reading, editing, assigning and deleting.

use serde_json::{Value, json};

use super::common::{Jira, doc, new_issue};

#[tokio::test]
async fn an_issue_is_made_and_read() {
    let jira = Jira::new();
    let mut body = new_issue(json!({
        "description": doc("What is wrong."), "labels": ["b", "a", "b"], "priority": {"name": "high"},
        "assignee": {"accountId": "5b10ac8d82e05b22cc7d-limited"},
    }));
    body["properties"] = json!([{"key": "origin", "value": {"target": "7"}}]);
    let made = jira.post("issue", body).await;
    assert_eq!(made.status, 201, "JIRA-CREATE-201");
    let made = made.json();
    assert_eq!(
        made,
        json!({"id": "10006", "key": "SEC-6", "self": "http://jira.example/rest/api/3/issue/10006"})
    );

    let issue = jira.get("issue/SEC-6?properties=*all").await.ok();
    let fields = &issue["fields"];
    assert_eq!(fields["summary"], "A new one");
    assert_eq!(fields["description"], doc("What is wrong."), "JIRA-V3-DOCUMENTS");
    assert_eq!(fields["labels"], json!(["a", "b"]));
    assert_eq!((&fields["priority"]["name"], &fields["issuetype"]["name"]), (&json!("High"), &json!("Task")));
    assert_eq!(fields["status"]["statusCategory"]["key"], "new");
    assert_eq!(fields["reporter"]["emailAddress"], "sync@larkfield.example");
    assert_eq!(fields["assignee"]["displayName"], "limited");
    assert_eq!(fields["created"], "2026-01-15T00:00:00.000+0000");
    assert_eq!(fields["project"]["self"], "http://jira.example/rest/api/3/project/10000");
    assert_eq!(fields["comment"]["total"], 0);
    assert_eq!(issue["properties"], json!({"origin": {"target": "7"}}), "JIRA-CREATE-PROPERTIES");
    assert_eq!(jira.get("issue/sec-6").await.ok()["key"], "SEC-6", "JIRA-ISSUE-KEY-CASE");
    assert_eq!(jira.get("issue/10006").await.ok()["key"], "SEC-6");

    let some = jira.get("issue/SEC-6?fields=summary,labels").await.ok();
    assert_eq!(some["fields"].as_object().unwrap().keys().collect::<Vec<_>>(), ["labels", "summary"]);
    let most = jira.get("issue/SEC-6?fields=-comment,-description").await.ok();
    assert!(most["fields"].get("summary").is_some() && most["fields"].get("comment").is_none());
}

#[tokio::test]
async fn version_2_has_texts_for_the_same_rows() {
    let (v3, text) = (Jira::new(), "First.\n\nSecond\nline *as is*.");
    let fields = v3.fields("SEC-1").await;
    assert_eq!(fields["description"]["content"][1]["content"][1], json!({"type": "hardBreak"}));
    let v2 = v3.v2();
    assert_eq!(
        v2.fields("SEC-1").await["description"],
        "First paragraph.\n\nSecond\nwith a break.",
        "JIRA-V2-TEXTS"
    );
    let key = v2.create(json!({"description": text})).await;
    let issue = v2.get(&format!("issue/{key}")).await.ok();
    assert_eq!(issue["fields"]["description"], text);
    assert!(issue["self"].as_str().unwrap().starts_with("http://jira.example/rest/api/2/issue/"));
    let denied =
        v2.post("issue", new_issue(json!({"description": doc("x")}))).await.denied(400, "JIRA-V2-TEXTS");
    assert_eq!(denied["errors"]["description"], "Operation value must be a string");
    let latest = http::Request::get("/rest/api/latest/serverInfo").body(axum::body::Body::empty()).unwrap();
    assert_eq!(v2.api.raw(latest).await.status, 200);
}

/// What is refused, under which name, with which rule.
#[tokio::test]
async fn a_new_issue_is_checked_field_by_field() {
    let jira = Jira::new();
    let long = "x".repeat(256);
    for (fields, field, rule) in [
        (json!({"project": null}), "project", "JIRA-CREATE-INVALID"),
        (json!({"project": {"key": "NONE"}}), "project", "JIRA-CREATE-INVALID"),
        (json!({"issuetype": {"name": "Epos"}}), "issuetype", "JIRA-CREATE-INVALID"),
        (json!({"summary": null}), "summary", "JIRA-CREATE-INVALID"),
        (json!({"summary": "  "}), "summary", "JIRA-CREATE-INVALID"),
        (json!({"summary": 7}), "summary", "JIRA-CREATE-INVALID"),
        (json!({"summary": "a\nb"}), "summary", "JIRA-SUMMARY-ONE-LINE"),
        (json!({"summary": long}), "summary", "JIRA-SUMMARY-LENGTH"),
        (json!({"description": "text"}), "description", "JIRA-V3-DOCUMENTS"),
        (json!({"description": {"type": "paragraph"}}), "description", "JIRA-DOCUMENT-ROOT"),
        (
            json!({"description": {"type": "doc", "version": 1, "content": [{"type": "html"}]}}),
            "description",
            "JIRA-DOCUMENT-NODES",
        ),
        (json!({"description": doc(&"x".repeat(32_768))}), "description", "JIRA-TEXT-LENGTH"),
        (json!({"labels": ["a b"]}), "labels", "JIRA-LABEL-SPACES"),
        (json!({"labels": [long]}), "labels", "jira.label-length"),
        (json!({"labels": "a"}), "labels", "JIRA-CREATE-INVALID"),
        (json!({"labels": [1]}), "labels", "JIRA-CREATE-INVALID"),
        (json!({"priority": {"name": "Urgent"}}), "priority", "JIRA-CREATE-INVALID"),
        (json!({"assignee": {"accountId": "nobody"}}), "assignee", "JIRA-CREATE-INVALID"),
        (json!({"resolution": {"name": "Done"}}), "resolution", "JIRA-FIELD-SCREEN"),
        (json!({"customfield_10010": "x"}), "customfield_10010", "JIRA-FIELD-SCREEN"),
        (json!({"nonsense": 1}), "nonsense", "JIRA-FIELD-SCREEN"),
    ] {
        let denied = jira.post("issue", new_issue(fields.clone())).await.denied(400, rule);
        assert!(denied["errors"][field].is_string(), "{field}: {denied}");
    }
    let denied = jira.post("issue", new_issue(json!({"nonsense": 1}))).await.json();
    assert_eq!(
        denied["errors"]["nonsense"],
        "Field 'nonsense' cannot be set. It is not on the appropriate screen, or unknown."
    );
    // Everything that is wrong is said at once, and nothing was made.
    let both = jira.post("issue", new_issue(json!({"summary": "", "labels": ["a b"]}))).await.json();
    assert_eq!(both["errors"].as_object().unwrap().len(), 2);
    assert_eq!(jira.create(json!({})).await, "SEC-6");
}

#[tokio::test]
async fn lengths_are_met_to_the_character() {
    let jira = Jira::new();
    let key = jira.create(json!({"summary": "é".repeat(255), "description": doc(&"x".repeat(32_767)), "labels": ["y".repeat(255)]})).await;
    assert_eq!(jira.fields(&key).await["summary"].as_str().unwrap().chars().count(), 255);
    // An emoji counts twice where the limit counts UTF-16 units.
    let crabs = "🦀".repeat(128);
    jira.post("issue", new_issue(json!({"summary": crabs}))).await.denied(400, "JIRA-SUMMARY-LENGTH");
    Jira::under("jira.length-unit", "characters").create(json!({"summary": crabs})).await;
}

#[tokio::test]
async fn a_screen_says_what_can_be_set_and_what_must() {
    let jira = Jira::new();
    let new = |fields: Value| {
        let mut body = new_issue(fields);
        body["fields"]["project"] = json!({"id": "10001"});
        body
    };
    let denied = jira.post("issue", new(json!({}))).await.denied(400, "JIRA-CREATE-INVALID");
    assert_eq!(denied["errors"]["customfield_10010"], "External id is required.");
    jira.post("issue", new(json!({"customfield_10010": "x", "labels": ["a"]})))
        .await
        .denied(400, "JIRA-FIELD-SCREEN");
    let made = jira.post("issue", new(json!({"customfield_10010": "dt:1"}))).await;
    assert_eq!(made.json()["key"], "DET-2");
    assert_eq!(jira.fields("DET-2").await["customfield_10010"], "dt:1");
    jira.put("issue/DET-2", json!({"fields": {"customfield_10010": null}}))
        .await
        .denied(400, "JIRA-EDIT-INVALID");

    let types = jira.get("issue/createmeta/DET/issuetypes").await.ok();
    assert_eq!(types["issueTypes"][0]["name"], "Task");
    let fields = jira.get("issue/createmeta/DET/issuetypes/10001").await.ok();
    let fields: Vec<_> = fields["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["fieldId"].clone(), field["required"].clone()))
        .collect();
    let wanted = [
        ("summary", true),
        ("issuetype", true),
        ("project", true),
        ("description", false),
        ("customfield_10010", true),
    ];
    assert_eq!(fields, wanted.map(|(name, required)| (json!(name), json!(required))), "JIRA-META-FIELDS");
    jira.get("issue/createmeta/DET/issuetypes/7").await.denied(404, "JIRA-META-FIELDS");
    let edit = jira.get("issue/SEC-1/editmeta").await.ok();
    assert_eq!(edit["fields"]["labels"]["operations"], json!(["add", "set", "remove"]));
}

#[tokio::test]
async fn a_new_issue_can_be_moved_on_at_once() {
    let jira = Jira::new();
    let mut body = new_issue(json!({"resolution": {"name": "Done"}}));
    body["transition"] = json!({"id": "21"});
    let key = jira.post("issue", body.clone()).await.json()["key"].clone();
    let fields = jira.fields(key.as_str().unwrap()).await;
    assert_eq!(
        (&fields["status"]["name"], &fields["resolution"]["name"]),
        (&json!("Done"), &json!("Done")),
        "JIRA-CREATE-TRANSITION"
    );
    body["transition"] = json!({"id": "41"});
    jira.post("issue", body).await.denied(400, "JIRA-TRANSITION-INVALID");
    let mut lacking = new_issue(json!({}));
    lacking["transition"] = json!({"id": "21"});
    jira.post("issue", lacking).await.denied(400, "JIRA-CREATE-INVALID");
}

#[tokio::test]
async fn fifty_issues_are_made_at_once_and_some_may_fail() {
    let jira = Jira::new();
    let bulk =
        |fields: Vec<Value>| json!({"issueUpdates": fields.into_iter().map(new_issue).collect::<Vec<_>>()});
    let some = jira
        .post(
            "issue/bulk",
            bulk(vec![json!({"summary": "one"}), json!({"summary": ""}), json!({"summary": "two"})]),
        )
        .await;
    assert_eq!(some.status, 201, "JIRA-BULK-SOME");
    let some = some.json();
    assert_eq!(some["issues"].as_array().unwrap().len(), 2);
    let failure = &some["errors"][0];
    assert_eq!((&failure["failedElementNumber"], &failure["status"]), (&json!(1), &json!(400)));
    assert!(failure["elementErrors"]["errors"]["summary"].is_string());

    let none = jira.post("issue/bulk", bulk(vec![json!({"summary": ""})])).await;
    assert_eq!(
        (none.status, none.headers["x-mock-rule"].to_str().unwrap()),
        (400, "JIRA-CREATE-INVALID"),
        "JIRA-BULK-NONE"
    );
    assert_eq!(none.json()["errors"][0]["failedElementNumber"], 0);
    assert_eq!(jira.post("issue/bulk", bulk(vec![json!({}); 50])).await.status, 201);
    jira.post("issue/bulk", bulk(vec![json!({}); 51])).await.denied(400, "JIRA-BULK-MAX");
    jira.post("issue/bulk", json!({})).await.denied(400, "JIRA-CREATE-INVALID");
    assert_eq!(jira.found("project = SEC").await.len(), 4 + 2 + 50);
}

#[tokio::test]
async fn an_edit_changes_what_it_names() {
    let jira = Jira::new();
    jira.advance(60);
    jira.put("issue/SEC-1", json!({
        "fields": {"summary": "Other", "priority": null},
        "update": {"labels": [{"add": "new"}, {"remove": "crypto"}], "comment": [{"add": {"body": doc("Said.")}}]},
        "transition": {"id": "31"},
        "properties": [{"key": "more", "value": null}],
    })).await.no_content();
    let issue = jira.get("issue/SEC-1?properties=more").await.ok();
    let fields = &issue["fields"];
    assert_eq!((&fields["summary"], &fields["priority"]), (&json!("Other"), &Value::Null));
    assert_eq!(fields["labels"], json!(["new", "sync"]));
    assert_eq!(fields["comment"]["comments"][1]["body"], doc("Said."));
    assert_eq!(fields["status"]["name"], "To Do", "JIRA-EDIT-NO-TRANSITION");
    assert_eq!(fields["updated"], "2026-01-15T00:01:00.000+0000", "JIRA-EDIT-204");
    assert_eq!(issue["properties"], json!({"more": null}));
    let shown = jira
        .put("issue/SEC-1?returnIssue=true", json!({"update": {"summary": [{"set": "Third"}]}}))
        .await
        .ok();
    assert_eq!(shown["fields"]["summary"], "Third");

    for (body, rule) in [
        (json!({"fields": {"summary": ""}}), "JIRA-EDIT-INVALID"),
        (json!({"fields": {"resolution": {"name": "Done"}}}), "JIRA-FIELD-SCREEN"),
        (json!({"fields": {"labels": []}, "update": {"labels": [{"add": "x"}]}}), "JIRA-EDIT-BOTH"),
        (json!({"update": {"labels": [{"add": "a b"}]}}), "JIRA-LABEL-SPACES"),
        (json!({"update": {"labels": [{"turn": "a"}]}}), "JIRA-EDIT-INVALID"),
        (json!({"update": {"labels": {}}}), "JIRA-EDIT-INVALID"),
        (json!({"fields": []}), "JIRA-EDIT-INVALID"),
    ] {
        let _ = jira.put("issue/SEC-1", body).await.denied(400, rule);
    }
    assert_eq!(jira.fields("SEC-1").await["summary"], "Third");
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_no_update() {
    for (value, seconds) in [("keeps", "00"), ("bumps", "05")] {
        let jira = Jira::under("jira.unchanged-edit", value);
        let key = jira.create(json!({"labels": ["a"]})).await;
        jira.advance(5);
        let same = json!({"fields": {"summary": "A new one"}, "update": {"labels": [{"add": "a"}]}});
        jira.put(&format!("issue/{key}"), same).await.no_content();
        assert_eq!(jira.fields(&key).await["updated"], format!("2026-01-15T00:00:{seconds}.000+0000"));
    }
}

#[tokio::test]
async fn issues_are_assigned_and_deleted() {
    let jira = Jira::new();
    jira.put("issue/SEC-1/assignee", json!({"accountId": "5b10ac8d82e05b22cc7d-sync"})).await.no_content();
    assert_eq!(jira.fields("SEC-1").await["assignee"]["displayName"], "sync", "JIRA-ASSIGN-204");
    assert_eq!(jira.get("project/SEC").await.ok()["assigneeType"], "UNASSIGNED");
    jira.put("issue/SEC-1/assignee", json!({"accountId": "-1"})).await.no_content();
    assert_eq!(jira.fields("SEC-1").await["assignee"], Value::Null, "the default assignee is nobody");
    jira.put("issue/SEC-1/assignee", json!({"accountId": null})).await.no_content();
    assert_eq!(jira.fields("SEC-1").await["assignee"], Value::Null);
    jira.put("issue/SEC-1/assignee", json!({"accountId": "x"})).await.denied(400, "JIRA-EDIT-INVALID");

    // JIRA-DELETE-204
    jira.delete("issue/SEC-1").await.no_content();
    jira.get("issue/SEC-1").await.denied(404, "JIRA-ISSUE-404");
    jira.delete("issue/SEC-1").await.denied(404, "JIRA-ISSUE-404");
    assert_eq!(jira.create(json!({})).await, "SEC-6", "no key is given twice");
    jira.delete("issue/SEC-6").await.no_content();
    assert_eq!(jira.create(json!({})).await, "SEC-7");
}

#[tokio::test]
async fn bodies_are_json_of_the_right_type() {
    let jira = Jira::new();
    for body in ["", "{", "[]", "7", "\u{0}"] {
        let reply = jira.send(http::Method::POST, "issue", Some(body.to_owned())).await;
        reply.denied(400, "JIRA-BODY-JSON");
    }
    let token = jira.api.server.jira().api_token().to_owned();
    let form = http::Request::post("/rest/api/3/issue")
        .header("authorization", super::common::basic("sync@larkfield.example", &token))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("{}"))
        .unwrap();
    jira.api.raw(form).await.denied(415, "jira.content-type");
}
