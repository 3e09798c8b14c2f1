//! Saboteurs of Jira, a file per file of checks.

mod access;
mod create;
mod edit;
mod limits;
mod parts;
mod projects;
mod read;
mod search;
mod texts;
mod transitions;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::Saboteur;
use super::layers::{Layer, is_any, json_reply};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const CREATE: &[&str] = &["POST issue"];
const READ: &[&str] = &["GET issue/:id"];
const EDIT: &[&str] = &["PUT issue/:id"];

/// In the order of the suite.
pub(super) fn saboteurs() -> Vec<Saboteur> {
    let files = [
        access::saboteurs(),
        limits::saboteurs(),
        projects::saboteurs(),
        create::saboteurs(),
        read::saboteurs(),
        edit::saboteurs(),
        transitions::saboteurs(),
        texts::saboteurs(),
        parts::saboteurs(),
        search::saboteurs(),
    ];
    files.into_iter().flatten().collect()
}

/// Email and token of a request, if it has some.
fn login(request: &Request) -> Option<(String, String)> {
    let header = request.headers.get("authorization")?.to_str().ok()?;
    let pair = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (email, token) = pair.split_once(':')?;
    Some((email.to_owned(), token.to_owned()))
}

/// The last part of a request's path.
fn last_part(request: &Request) -> String {
    request.path().rsplit('/').next().unwrap_or_default().to_owned()
}

/// A parameter of a request's query.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.url.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

/// A field of the issue that a request describes.
fn field(request: &Request, name: &str) -> Option<Value> {
    request.body_json()?.get("fields")?.get(name).cloned()
}

/// Replaces a field of the issue that a body describes, if there is one and something to put in its place.
fn edit_field(body: &mut Value, name: &str, edit: impl Fn(&Value) -> Option<Value>) {
    if let Some(value) = body.get_mut("fields").and_then(|fields| fields.get_mut(name))
        && let Some(other) = edit(value)
    {
        *value = other;
    }
}

/// A refusal in the vendor's form.
fn refusal(status: u16) -> Reply {
    json_reply(status, &json!({"errorMessages": ["It is not possible."], "errors": {}}))
}

/// Answers requests of some operations of which something is so in place of the healthy target.
fn pretends(
    operations: &'static [&'static str],
    when: impl Fn(&Request) -> bool + Send + Sync + 'static,
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Layer {
    Arc::new(move |request, healthy| {
        if is_any(&request, operations) && when(&request) {
            return Ok(answer(&request));
        }
        healthy.send(request)
    })
}

/// Answers another status where the healthy target answers one to some operations.
fn turns(operations: &'static [&'static str], from: u16, to: u16) -> Layer {
    super::layers::reply_to(operations, move |_, reply| {
        if reply.status == from {
            reply.status = to;
        }
    })
}

/// Answers some requests of an operation as the first one for the same address with the same credentials was
/// answered.
fn first_answers(
    operations: &'static [&'static str],
    when: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> Layer {
    let first: Mutex<BTreeMap<String, Reply>> = Mutex::default();
    Arc::new(move |request, healthy| {
        if !is_any(&request, operations) || !when(&request) {
            return healthy.send(request);
        }
        let known = format!("{} {:?}", request.url, login(&request));
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = first.get(&known) {
            return Ok(reply.clone());
        }
        let reply = healthy.send(request)?;
        if reply.is_success() {
            first.insert(known, reply.clone());
        }
        Ok(reply)
    })
}

/// Asks the healthy target something else with the credentials of a request; the path is below the version.
fn ask(
    request: &Request,
    healthy: &dyn Transport,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Reply, NoAnswer> {
    let base = request.url.split("/rest/api/").next().unwrap_or_default();
    let mut question = Request::new(method, format!("{base}/rest/api/3/{path}"));
    if let Some(body) = body {
        question = question.json(body);
    }
    if let Some(credentials) = request.headers.get("authorization") {
        question.headers.insert("authorization", credentials.clone());
    }
    healthy.send(question)
}
