//! Bytes that no honest client sends: every request is answered, nothing panics, nothing grows without bound.

use http::{Method, Request};
use proptest::prelude::{Strategy, any, prop_assert, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

use super::common::{Jira, basic, doc, new_issue};
use crate::support::{block_on, proptest_cases};

fn odd_text() -> impl Strategy<Value = String> {
    proptest::prop_oneof![
        ".{0,40}",
        select(vec![
            "",
            "\u{0}",
            "\u{1}",
            "%00",
            "null",
            "-1",
            "99999999999999999999",
            "SEC-1",
            "SEC--1",
            "SEC-0",
            "-",
            "*all"
        ])
        .prop_map(str::to_owned),
    ]
}

fn odd_json() -> impl Strategy<Value = Value> {
    let leaf = proptest::prop_oneof![
        odd_text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        proptest::strategy::Just(Value::Null),
        proptest::strategy::Just(doc("x")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names = select(vec![
            "id",
            "key",
            "name",
            "accountId",
            "type",
            "content",
            "body",
            "add",
            "set",
            "remove",
            "url",
            "title",
            "value",
        ]);
        proptest::prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(names.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn odd_body() -> impl Strategy<Value = String> {
    let members = [
        "fields",
        "update",
        "transition",
        "properties",
        "issueUpdates",
        "body",
        "object",
        "globalId",
        "jql",
        "fields",
        "maxResults",
        "nextPageToken",
        "reconcileIssues",
        "accountId",
    ];
    let fields = [
        "summary",
        "description",
        "labels",
        "priority",
        "assignee",
        "resolution",
        "issuetype",
        "project",
        "customfield_10010",
        "comment",
    ];
    let object = |names: Vec<&'static str>| {
        proptest::collection::btree_map(select(names).prop_map(str::to_owned), odd_json(), 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    };
    proptest::prop_oneof![
        object(members.to_vec()),
        (object(fields.to_vec()), object(fields.to_vec()), odd_json()).prop_map(
            |(fields, update, transition)| {
                json!({"fields": fields, "update": update, "transition": transition})
            }
        ),
        odd_json(),
    ]
    .prop_map(|value| value.to_string())
}

proptest! {
    #![proptest_config(proptest_cases(200))]

    #[test]
    fn every_request_is_answered_in_jiras_way(
        method in select(vec!["GET", "POST", "PUT", "DELETE", "PATCH"]),
        path in select(mock_server::vendors::jira::routes::ROUTES.iter().map(|route| route.path).collect::<Vec<_>>()),
        version in select(vec!["2", "3"]),
        ids in proptest::collection::vec(odd_text(), 2),
        query in proptest::collection::vec((select(vec!["jql", "fields", "startAt", "maxResults", "nextPageToken", "expand", "globalId", "properties", "reconcileIssues", "keys"]), odd_text()), 0..3),
        body in odd_body(),
    ) {
        let jira = Jira::new();
        let mut ids = ids.into_iter();
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let path: Vec<String> = path.split('/').map(|part| if part == ":id" { encode(&ids.next().unwrap_or_default()) } else { part.to_owned() }).collect();
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let token = jira.api.server.jira().api_token().to_owned();
        let request = Request::builder()
            .method(method)
            .uri(format!("/rest/api/{version}/{}?{}", path.join("/"), query.join("&")))
            .header("authorization", basic("sync@larkfield.example", &token))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body))
            .unwrap();
        let reply = block_on(jira.api.raw(request));
        prop_assert!((200..300).contains(&reply.status) || reply.headers.contains_key("x-mock-rule"), "{} {}", reply.status, reply.text);
        if !reply.text.is_empty() {
            prop_assert!(serde_json::from_str::<Value>(&reply.text).is_ok(), "{}", reply.text);
        }
        prop_assert!(jira.api.control().export_world().validate().is_empty());
    }

    #[test]
    fn every_query_is_answered(jql in "[a-zA-Z0-9 =!~<>()'\",&|-]{0,60}|.{0,30}") {
        let jira = Jira::new();
        let reply = block_on(jira.post("search/jql", json!({"jql": jql})));
        prop_assert!(matches!(reply.status, 200 | 400), "{} {}", reply.status, reply.text);
    }

    #[test]
    fn every_authorization_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60), scheme in select(vec!["Basic ", "basic\t", "", "Bearer "])) {
        let jira = Jira::new();
        let value = [scheme.as_bytes(), &bytes].concat();
        let Ok(value) = http::HeaderValue::from_bytes(&value) else { return Ok(()) };
        let request = Request::get("/rest/api/3/myself").header("authorization", value).body(axum::body::Body::empty()).unwrap();
        prop_assert!(block_on(jira.api.raw(request)).status == 401);
    }
}

#[tokio::test]
async fn what_people_wrote_is_never_taken_for_a_link() {
    let jira = Jira::new();
    let key = jira
        .create(json!({"summary": "a\u{1}b", "labels": ["c\u{1}d"], "description": doc("e\u{1}f")}))
        .await;
    let fields = jira.fields(&key).await;
    assert_eq!(
        (&fields["summary"], &fields["labels"], &fields["description"]),
        (&json!("a\u{1}b"), &json!(["c\u{1}d"]), &doc("e\u{1}f"))
    );
    let comment = jira.post(&format!("issue/{key}/comment"), json!({"body": doc("\u{1}")})).await.json();
    assert_eq!(comment["body"], doc("\u{1}"));
    let _ = jira.put(&format!("issue/{key}/properties/p%01"), json!("\u{1}")).await;
    assert_eq!(
        jira.get(&format!("issue/{key}/properties/p%01")).await.ok(),
        json!({"key": "p\u{1}", "value": "\u{1}"})
    );
}

#[tokio::test]
async fn a_strange_host_is_not_repeated() {
    let jira = Jira::new();
    for host in ["\"<script>", "a b", ""] {
        let request = Request::get("/rest/api/3/serverInfo")
            .header("host", host)
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(jira.api.raw(request).await.ok()["baseUrl"], "http://mock-server.invalid");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let jira = Jira::new();
    let large = json!({"body": doc(&"x".repeat(1 << 20))}).to_string();
    jira.send(Method::POST, "issue/SEC-1/comment", Some(large)).await.denied(413, "server.body-too-large");
}

/// What a search orders by costs a place per issue, and stands in the page token.
#[tokio::test]
async fn a_search_orders_by_few_fields() {
    let jira = Jira::new();
    let ordered = |fields: String| {
        let jira = &jira;
        async move {
            let body = json!({"jql": format!("project = SEC ORDER BY {fields}"), "maxResults": 1});
            jira.post("search/jql", body).await
        }
    };
    let page = ordered(vec!["summary"; 5_000].join(",")).await.ok();
    assert!(page["nextPageToken"].as_str().unwrap().len() < 1_000, "{page}");
    let seven = "key,id,created,updated,resolved,priority,status";
    let _ = ordered(seven.to_owned()).await.ok();
    ordered(format!("{seven},summary")).await.denied(400, "JIRA-SEARCH-INVALID");
}

/// Comments that come with a new issue count like any others.
#[tokio::test]
async fn a_new_issue_has_no_more_comments_than_any() {
    let jira = Jira::limited(json!({"comments_per_issue": 2}));
    let comments = |count: usize| {
        let comment = json!({"add": {"body": doc("again")}});
        let mut issue = new_issue(json!({}));
        issue["update"] = json!({"comment": vec![comment; count]});
        issue
    };
    let before = jira.found("project = SEC").await;
    jira.post("issue", comments(3)).await.denied(413, "JIRA-COMMENT-MAX");
    assert_eq!(jira.found("project = SEC").await, before);
    assert_eq!(jira.post("issue", comments(2)).await.status, 201);
    assert_eq!(jira.found("project = SEC").await.len(), before.len() + 1);
}
