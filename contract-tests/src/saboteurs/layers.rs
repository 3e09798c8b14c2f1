//! What saboteurs are made of: requests changed on the way in, replies on the way out.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::{SharedTransport, Transport};

/// Answers a request in place of the healthy target, which it can ask.
pub type Layer = Arc<dyn Fn(Request, &dyn Transport) -> Result<Reply, NoAnswer> + Send + Sync>;

/// A transport with a layer in it. Requests to another vendor and to the admin plane pass by it.
pub struct Sabotaged {
    /// The healthy target.
    pub inner: SharedTransport,
    /// What the sabotaged paths begin with.
    pub paths: &'static str,
    /// What breaks it.
    pub layer: Layer,
}

impl Transport for Sabotaged {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        let path = request.path();
        if path.starts_with(self.paths) && !path.starts_with("/__admin") {
            return (self.layer)(request, &*self.inner);
        }
        self.inner.send(request)
    }
}

/// What Data Theorem's paths begin with.
const DATA_THEOREM: &str = "/apis/mobile_security/results/v2/";

/// What Jira's paths begin with; the version follows.
const JIRA: &str = "/rest/api/";

/// What all paths begin with.
pub const ALL_PATHS: &str = "/";

/// What a vendor's paths begin with; `vendor` is the first part of its checks' paths.
pub fn paths_of(vendor: &str) -> &'static str {
    // Whatever the version: some saboteurs are about versions.
    match vendor {
        "mend" => "/api/",
        "jira" => JIRA,
        _ => "/apis/",
    }
}

/// The path below what all paths of its vendor begin with, and at Jira below the version.
fn path_below(request: &Request) -> Option<&str> {
    let path = request.path();
    let of_jira = || path.strip_prefix(JIRA)?.split_once('/').map(|(_, below)| below);
    path.strip_prefix(DATA_THEOREM).or_else(of_jira)
}

/// Whether a request is one of an operation: `PATCH security_finding_targets/:id`, `POST issue/:id/comment`, or a
/// `requestType` of Mend.
pub fn is(request: &Request, operation: &str) -> bool {
    let Some((method, pattern)) = operation.split_once(' ') else {
        return request.body_json().is_some_and(|body| body["requestType"] == operation);
    };
    let Some(path) = path_below(request) else { return false };
    let (path, pattern): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), pattern.split('/').collect());
    request.method.as_str() == method
        && path.len() == pattern.len()
        && pattern.iter().zip(&path).all(|(wanted, part)| wanted.starts_with(':') || wanted == part)
}

/// Whether a request is one of several operations.
pub fn is_any(request: &Request, operations: &[&str]) -> bool {
    operations.iter().any(|operation| is(request, operation))
}

/// Changes replies to some operations.
pub fn reply_to(
    operations: &'static [&'static str],
    edit: impl Fn(&Request, &mut Reply) + Send + Sync + 'static,
) -> Layer {
    Arc::new(move |request, healthy| {
        let mut reply = healthy.send(request.clone())?;
        if is_any(&request, operations) {
            edit(&request, &mut reply);
        }
        Ok(reply)
    })
}

/// Changes the JSON of successful replies to some operations.
pub fn json_of(
    operations: &'static [&'static str],
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Layer {
    reply_to(operations, move |_, reply| edit_json(reply, &edit))
}

/// Changes a successful reply's JSON, if it is JSON.
pub fn edit_json(reply: &mut Reply, edit: impl Fn(&mut Value)) {
    if let Some(mut json) = reply.json().filter(|_| reply.is_success()) {
        edit(&mut json);
        reply.body = Bytes::from(json.to_string());
    }
}

/// Changes requests of some operations before the healthy target sees them.
pub fn request_of(
    operations: &'static [&'static str],
    edit: impl Fn(&mut Request) + Send + Sync + 'static,
) -> Layer {
    Arc::new(move |mut request, healthy| {
        if is_any(&request, operations) {
            edit(&mut request);
        }
        healthy.send(request)
    })
}

/// Changes the JSON body of requests of some operations before the healthy target sees them.
pub fn body_of(
    operations: &'static [&'static str],
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Layer {
    request_of(operations, move |request| edit_body(request, &edit))
}

/// Changes a request's JSON body, if it is JSON.
pub fn edit_body(request: &mut Request, edit: impl Fn(&mut Value)) {
    if let Some(mut json) = request.body_json() {
        edit(&mut json);
        request.body = Bytes::from(json.to_string());
    }
}

/// Ignores a query parameter of some operations.
pub fn without_parameter(operations: &'static [&'static str], name: &'static str) -> Layer {
    request_of(operations, move |request| {
        edit_query(request, |parameters| parameters.retain(|(key, _)| key != name));
    })
}

/// Changes the parameters of a request's query.
pub fn edit_query(request: &mut Request, edit: impl Fn(&mut Vec<(String, String)>)) {
    let (path, query) = match request.url.split_once('?') {
        Some((path, query)) => (path.to_owned(), query.to_owned()),
        None => (request.url.clone(), String::new()),
    };
    let mut parameters: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    edit(&mut parameters);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    request.url = if query.is_empty() { path } else { format!("{path}?{query}") };
}

/// Replaces the status, and the body by nothing.
pub fn becomes(reply: &mut Reply, status: u16) {
    reply.status = status;
    reply.body = Bytes::new();
    reply.headers.remove("content-type");
}

/// A JSON reply.
pub fn json_reply(status: u16, json: &Value) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    Reply { status, headers, body: Bytes::from(json.to_string()) }
}

/// Asks the healthy target another question with the credential of a request: the path is below Data Theorem's.
pub fn ask(request: &Request, healthy: &dyn Transport, path: &str) -> Result<Reply, NoAnswer> {
    let base = request.url.split(DATA_THEOREM).next().unwrap_or_default();
    let mut question = Request::new(Method::GET, format!("{base}{DATA_THEOREM}{path}"));
    if let Some(credential) = request.headers.get("authorization") {
        question.headers.insert("authorization", credential.clone());
    }
    healthy.send(question)
}
