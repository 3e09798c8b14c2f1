//! An in-process client: requests go through the router, no socket.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use mock_server::kernel::journal::{Entry, Filter};
use mock_server::{Builder, Control, MockServer};
use serde_json::Value;
use tower::ServiceExt as _;

/// Mend's path, version 1.4.
pub(crate) const MEND: &str = "/api/v1.4";

/// What the Data Theorem paths begin with.
pub(crate) const DATA_THEOREM: &str = "/apis/mobile_security/results/v2";

/// A server in process with a client that shows a key.
pub(crate) struct Api {
    pub(crate) server: MockServer,
    router: Router,
    key: Option<String>,
}

/// A reply, read to its end.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    /// This scene under a manual clock, all else default.
    pub(crate) fn of(scene: &str) -> Self {
        Self::with(MockServer::builder().world(scene))
    }

    /// The scene `docs-samples`.
    pub(crate) fn docs_samples() -> Self {
        Self::of("docs-samples")
    }

    /// A server set up like this.
    pub(crate) fn with(builder: Builder) -> Self {
        let server = builder.in_process().unwrap();
        let key = Some(server.data_theorem().api_key().to_owned());
        let router = server.router();
        Self { server, router, key }
    }

    /// A server that runs already.
    pub(crate) fn around(server: MockServer) -> Self {
        let key = Some(server.data_theorem().api_key().to_owned());
        let router = server.router();
        Self { server, router, key }
    }

    /// The same server, seen with the key of this name.
    pub(crate) fn key_named(mut self, name: &str) -> Self {
        self.key = Some(self.server.control().api_key_named(name).unwrap());
        self
    }

    /// Shows this secret from now on.
    pub(crate) fn show(&mut self, secret: &str) {
        self.key = Some(secret.to_owned());
    }

    /// The secret shown now.
    pub(crate) fn secret(&self) -> &str {
        self.key.as_deref().unwrap()
    }

    pub(crate) fn control(&self) -> Control {
        self.server.control()
    }

    /// The journal's newest entry.
    pub(crate) fn last_entry(&self) -> Entry {
        self.control().journal(&Filter::default()).entries.pop().unwrap()
    }

    /// `GET` below the Data Theorem base path.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, Body::empty()).await
    }

    /// `PATCH` below the Data Theorem base path with a JSON body.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Body::from(body.to_string())).await
    }

    /// `POST` below the Data Theorem base path with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Body::from(body.to_string())).await
    }

    /// Any request below the Data Theorem base path, with the key.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Body) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{DATA_THEOREM}/{path}"))
            .header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("APIKey {key}"));
        }
        self.raw(request.body(body).unwrap()).await
    }

    /// A request to Mend's API 1.4 with the first user's key.
    pub(crate) async fn mend(&self, request_type: &str, fields: Value) -> Reply {
        let user_key = self.server.mend().user_key().to_owned();
        self.mend_as(&user_key, "v1.4", mend_body(request_type, fields)).await
    }

    /// A request to Mend's API of this version (`v1.3`, `v1.4`) with this user's key; all else as given.
    pub(crate) async fn mend_as(&self, user_key: &str, version: &str, mut body: Value) -> Reply {
        body["userKey"] = Value::from(user_key);
        self.raw(mend_request(version, body.to_string())).await
    }

    /// `method` on the admin plane.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request =
            Request::builder().method(method).uri(format!("/__admin/{path}")).header("host", "localhost");
        self.raw(request.body(body).unwrap()).await
    }

    /// Any request at all.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Reply {
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// Follows `next_cursor` to the end, sending the cursor alone on later pages, and returns all rows.
    pub(crate) async fn all_rows(&self, list: &str, key: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut path = list.to_owned();
        for _ in 0..10_000 {
            let page = self.get(&path).await.ok();
            rows.extend(page[key].as_array().unwrap().iter().cloned());
            match page["pagination_information"]["next_cursor"].as_str().filter(|cursor| !cursor.is_empty()) {
                Some(cursor) => {
                    let bare = list.split('?').next().unwrap();
                    path = format!("{bare}?cursor={cursor}");
                }
                None => return rows,
            }
        }
        panic!("{list} does not end");
    }
}

impl Reply {
    /// The JSON body of a 200.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/json");
        self.json()
    }

    /// The JSON body, whatever the status.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    /// The JSON body of a request that Mend granted: a 200 that does not speak of errors.
    pub(crate) fn mend_ok(self) -> Value {
        assert!(!self.text.contains("errorCode"), "{}", self.text);
        assert!(!self.headers.contains_key("x-mock-rule"), "{}", self.text);
        self.ok()
    }

    /// Asserts that Mend refused with this code, and that the refusal names this rule or reading. Returns the
    /// message.
    pub(crate) fn mend_refused(self, code: u64, rule: &str) -> String {
        let named = self.headers.get("x-mock-rule").map(|value| value.to_str().unwrap().to_owned());
        let body = self.json();
        assert_eq!((self.status, body["errorCode"].as_u64()), (200, Some(code)), "{}", self.text);
        assert_eq!(named.as_deref(), Some(rule), "{}", self.text);
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{}", self.text);
        body["errorMessage"].as_str().unwrap().to_owned()
    }

    /// Asserts a 204 without a body.
    pub(crate) fn no_content(self) {
        assert_eq!(self.status, 204, "{}", self.text);
        assert_eq!(self.text, "");
        assert!(!self.headers.contains_key("content-type"));
    }

    /// Asserts a refusal with this status that names this rule or reading.
    pub(crate) fn refused(self, status: u16, rule: &str) {
        let named = self.headers.get("x-mock-rule").map(|value| value.to_str().unwrap());
        assert_eq!((self.status, named), (status, Some(rule)), "{}", self.text);
    }
}

/// The instant a timestamp names, which must be printed with six digits of a second and `+00:00`.
pub(crate) fn instant(value: &Value) -> Timestamp {
    let text = value.as_str().unwrap();
    assert!(text.len() == 32 && text.as_bytes()[19] == b'.' && text.ends_with("+00:00"), "{text}");
    text.parse().unwrap()
}

/// A request below the Data Theorem base path that shows this key.
pub(crate) fn request(method: Method, path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    let uri = format!("{DATA_THEOREM}/{path}");
    let request = Request::builder().method(method).uri(uri).header("authorization", format!("APIKey {key}"));
    request.body(body.into()).unwrap()
}

/// The body of a request to Mend, without a key.
pub(crate) fn mend_body(request_type: &str, mut fields: Value) -> Value {
    fields["requestType"] = Value::from(request_type);
    fields
}

/// A request to Mend's API of this version with this body.
pub(crate) fn mend_request(version: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(format!("/api/{version}"));
    request.header("content-type", "application/json").body(body.into()).unwrap()
}

/// Runs a future to its end: property tests are synchronous.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// This many cases, unless `PROPTEST_CASES` says otherwise.
pub(crate) fn proptest_cases(cases: u32) -> proptest::prelude::ProptestConfig {
    let default = proptest::prelude::ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() {
        default
    } else {
        proptest::prelude::ProptestConfig { cases, ..default }
    }
}
