//! A client of Jira in process.

use axum::body::Body;
use base64::Engine as _;
use http::{Method, Request};
use jiff::SignedDuration;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

/// The scene `jira` with a client that shows its first user's token.
pub(crate) struct Jira {
    pub(crate) api: Api,
    authorization: Option<String>,
    version: &'static str,
}

pub(crate) fn basic(email: &str, token: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{token}"));
    format!("Basic {pair}")
}

impl Jira {
    pub(crate) fn new() -> Self {
        Self::around(Api::of("jira"))
    }

    pub(crate) fn under(reading: &str, value: &str) -> Self {
        Self::around(Api::with(MockServer::builder().world("jira").reading(reading, value).unwrap()))
    }

    /// A site with these limits.
    pub(crate) fn limited(limits: Value) -> Self {
        let jira = Self::new();
        let mut event = json!({"type": "jira.limits_changed"});
        event["limits"] = limits;
        jira.happens(event);
        jira
    }

    pub(crate) fn around(api: Api) -> Self {
        let jira = api.server.jira();
        let authorization = Some(basic(jira.email(), jira.api_token()));
        Self { api, authorization, version: "3" }
    }

    pub(crate) fn v2(mut self) -> Self {
        self.version = "2";
        self
    }

    /// The user of this name.
    pub(crate) fn user(mut self, name: &str) -> Self {
        let email = format!("{name}@larkfield.example");
        let token = self.api.server.jira().api_token_of(&email).unwrap().to_owned();
        self.authorization = Some(basic(&email, &token));
        self
    }

    pub(crate) fn showing(mut self, authorization: Option<&str>) -> Self {
        self.authorization = authorization.map(str::to_owned);
        self
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<String>) -> Reply {
        let version = self.version;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/rest/api/{version}/{path}"))
            .header("host", "jira.example");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.api.raw(request.body(body.map_or_else(Body::empty, Body::from)).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Makes an issue in `SEC` with these further fields, and returns its key.
    pub(crate) async fn create(&self, fields: Value) -> String {
        let made = self.post("issue", new_issue(fields)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["key"].as_str().unwrap().to_owned()
    }

    /// The fields of an issue.
    pub(crate) async fn fields(&self, key: &str) -> Value {
        self.get(&format!("issue/{key}")).await.ok()["fields"].clone()
    }

    /// The keys that a search finds, on all its pages.
    pub(crate) async fn found(&self, jql: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut body = json!({"jql": jql, "fields": ["summary"], "maxResults": 2});
        loop {
            let page = self.post("search/jql", body.clone()).await.ok();
            let rows = page["issues"].as_array().unwrap();
            keys.extend(rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()));
            match page.get("nextPageToken") {
                Some(token) => {
                    assert_eq!(page["isLast"], false);
                    body["nextPageToken"] = token.clone();
                }
                None => {
                    assert_eq!(page["isLast"], true);
                    return keys;
                }
            }
        }
    }

    pub(crate) fn happens(&self, event: Value) {
        let event: fixtures::world::Event = serde_json::from_value(event).unwrap();
        self.api.control().happen(&event).unwrap();
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.api.control().advance(SignedDuration::from_secs(seconds));
    }
}

/// The body of a new issue in `SEC` with these further fields.
pub(crate) fn new_issue(fields: Value) -> Value {
    let mut all = json!({"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "A new one"});
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    for (name, value) in fields {
        all[name] = value;
    }
    json!({"fields": all})
}

/// A document of one paragraph.
pub(crate) fn doc(text: &str) -> Value {
    json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]})
}

impl Reply {
    /// Asserts that Jira refused with this status, and that the refusal names this rule or reading. Returns all that
    /// the body says.
    pub(super) fn denied(self, status: u16, rule: &str) -> Value {
        let named = self.headers.get("x-mock-rule").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((self.status, named.as_deref()), (status, Some(rule)), "{}", self.text);
        let body = self.json();
        assert!(body["errorMessages"].is_array() && body["errors"].is_object(), "JIRA-ERROR-BODY: {body}");
        body
    }
}
