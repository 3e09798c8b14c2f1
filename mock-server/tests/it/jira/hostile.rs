//! Bytes that no honest client sends: every request is answered, nothing panics, nothing grows without bound.

use http::{Method, Request};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

use super::common::{Jira, basic, doc, new_issue};
use super::shapes::is_refusal;
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
    fn every_heap_of_bytes_is_answered_in_jiras_way(
        method in select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]),
        base in select(vec!["3", "2", "latest", "4", "", "3/issue/SEC-1", "3/search/jql", "2/search", "3/issue/bulk"]),
        path in "(/[a-zA-Z0-9%:._~*-]{0,12}){0,6}",
        query in "[a-zA-Z0-9%=&+._~*-]{0,80}",
        headers in proptest::collection::vec(
            (select(vec!["host", "content-type", "accept", "x-atlassian-token", "cookie", "authorization"]), proptest::collection::vec(any::<u8>(), 0..40)),
            0..4,
        ),
        body in proptest::collection::vec(any::<u8>(), 0..120),
        shows_pair in any::<bool>(),
    ) {
        let jira = Jira::new();
        let mut request = Request::builder().method(method).uri(format!("/rest/api/{base}{path}?{query}"));
        if shows_pair {
            let token = jira.api.server.jira().api_token().to_owned();
            request = request.header("authorization", basic("sync@larkfield.example", &token));
        }
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                request = request.header(name, value);
            }
        }
        // What is no address never gets past the listener.
        let Ok(request) = request.body(axum::body::Body::from(body)) else { return Ok(()) };
        let reply = block_on(jira.api.raw(request));
        prop_assert!(reply.status < 500 || reply.status == 501, "{} {}", reply.status, reply.text);
        if reply.status >= 400 && !reply.text.is_empty() {
            let is_page = reply.headers["content-type"].to_str().unwrap().starts_with("text/html");
            prop_assert_eq!(is_page, reply.status == 401 && reply.text.starts_with("<html>"));
            prop_assert!(is_page || is_refusal(&reply.json()), "{} {}", reply.status, reply.text);
        }
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

/// Ten thousand levels of whatever can be nested: refused, and no stack runs over.
#[tokio::test]
async fn what_is_nested_too_deep_is_refused() {
    const DEEP: usize = 10_000;
    let jira = Jira::new();
    for jql in [
        format!("{}labels = a{}", "(".repeat(DEEP), ")".repeat(DEEP)),
        "(".repeat(DEEP),
        format!("{}labels = a", "NOT ".repeat(DEEP)),
        format!("{}labels = a", "!".repeat(DEEP)),
        format!("labels in {}a{}", "(".repeat(DEEP), ")".repeat(DEEP)),
        format!("labels = a{}", " AND (labels = a OR NOT (labels = b".repeat(DEEP)),
    ] {
        jira.post("search/jql", json!({"jql": jql})).await.denied(400, "JIRA-SEARCH-INVALID");
    }
    let nested =
        |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(DEEP), close.repeat(DEEP));
    let quote = r#"{"type":"blockquote","content":["#;
    let paragraph = r#"{"type":"paragraph","content":[]}"#;
    let document = format!(r#"{{"type":"doc","version":1,"content":[{}]}}"#, nested(quote, paragraph, "]}"));
    let comment = format!(r#"{{"body":{document}}}"#);
    let issue = format!(
        r#"{{"fields":{{"project":{{"key":"SEC"}},"issuetype":{{"name":"Task"}},"summary":"x","description":{document}}}}}"#
    );
    let lists = nested("[", "1", "]");
    for (method, path, body) in [
        (Method::POST, "issue/SEC-1/comment", comment),
        (Method::POST, "issue", issue.clone()),
        (Method::POST, "issue/bulk", format!(r#"{{"issueUpdates":[{issue}]}}"#)),
        (Method::PUT, "issue/SEC-1", format!(r#"{{"update":{{"labels":{lists}}}}}"#)),
        (Method::POST, "issue/SEC-1/transitions", format!(r#"{{"transition":{lists}}}"#)),
        (Method::POST, "issue/SEC-1/remotelink", format!(r#"{{"object":{lists}}}"#)),
        (Method::POST, "search/jql", format!(r#"{{"jql":"labels = a","fields":{lists}}}"#)),
    ] {
        jira.send(method, path, Some(body)).await.denied(400, "JIRA-BODY-JSON");
    }
    let property = jira.send(Method::PUT, "issue/SEC-1/properties/p", Some(lists)).await;
    property.denied(400, "JIRA-PROPERTY-VALUE");
    assert_eq!(jira.get(&format!("issue{}", "/x".repeat(DEEP))).await.status, 404);

    // As deep as JSON goes here, a document is read, kept, shown as a text and found.
    let (mut list, levels) =
        (json!({"type": "paragraph", "content": [{"type": "text", "text": "needle"}]}), 22);
    for _ in 0..levels {
        list = json!({"type": "bulletList", "content": [{"type": "listItem", "content": [list]}]});
    }
    let description = json!({"type": "doc", "version": 1, "content": [list]});
    let key = jira.create(json!({"description": description})).await;
    assert_eq!(jira.fields(&key).await["description"], description);
    assert_eq!(jira.found("description ~ needle").await, [key.as_str()]);
    let text = jira.v2().fields(&key).await["description"].clone();
    assert!(text.as_str().unwrap().ends_with("needle"), "{text}");
}
