//! What saboteurs of Mend have in common: calls that are answered otherwise, and rows of answers that are changed.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value, json};

use super::super::layers::{Layer, is, json_of, json_reply};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

pub(super) const FETCH: &[&str] = &["fetchProjectPolicyIssues"];
pub(super) const UPDATE: &[&str] = &["updateExternalIntegrationIssues"];

/// Answers calls of one operation of which something is so in place of the healthy target.
pub(super) fn pretends(
    operation: &'static str,
    when: impl Fn(&Request, &Value) -> bool + Send + Sync + 'static,
    answer: impl Fn(&Value) -> Value + Send + Sync + 'static,
) -> Layer {
    Arc::new(move |request, healthy| match request.body_json() {
        Some(body) if is(&request, operation) && when(&request, &body) => Ok(json_reply(200, &answer(&body))),
        _ => healthy.send(request),
    })
}

/// Answers calls that lack a field as if it were not required.
pub(super) fn does_without(operation: &'static str, field: &'static str, answer: Value) -> Layer {
    pretends(operation, move |_, body| body.get(field).is_none(), move |_| answer.clone())
}

/// Refuses calls of one operation of which something is so.
pub(super) fn refuses(
    operation: &'static str,
    when: impl Fn(&Request, &Value) -> bool + Send + Sync + 'static,
) -> Layer {
    let error = json!({"errorCode": 3000, "errorMessage": "Invalid request parameters"});
    pretends(operation, when, move |_| error.clone())
}

/// Changes every issue that is fetched.
pub(super) fn issues(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    json_of(FETCH, move |json| rows(json, "issues").for_each(&edit))
}

/// Changes every violation that is fetched.
pub(super) fn violations(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    issues(move |issue| rows(issue, "policyViolations").for_each(&edit))
}

/// Changes the object at a place of every issue that is fetched.
pub(super) fn part(
    pointer: &'static str,
    edit: impl Fn(&mut Map<String, Value>) + Send + Sync + 'static,
) -> Layer {
    issues(move |issue| {
        if let Some(part) = issue.pointer_mut(pointer).and_then(Value::as_object_mut) {
            edit(part);
        }
    })
}

/// The items of a list.
pub(super) fn rows<'v>(json: &'v mut Value, name: &str) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    json.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The list itself.
pub(super) fn list<'v>(json: &'v mut Value, name: &str) -> Option<&'v mut Vec<Value>> {
    json.get_mut(name).and_then(Value::as_array_mut)
}

/// Takes a member away.
pub(super) fn remove(row: &mut Value, name: &str) {
    if let Some(members) = row.as_object_mut() {
        members.remove(name);
    }
}

/// Gives a member another name.
pub(super) fn rename(row: &mut Value, from: &str, to: &str) {
    if let Some(members) = row.as_object_mut()
        && let Some(value) = members.remove(from)
    {
        members.insert(to.to_owned(), value);
    }
}

/// Makes another call with the credential and the fields of a request.
pub(super) fn ask(
    request: &Request,
    healthy: &dyn Transport,
    request_type: &str,
    fields: &Value,
) -> Result<Reply, NoAnswer> {
    let mut body = request.body_json().unwrap_or_default();
    if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) {
        body.insert("requestType".to_owned(), Value::from(request_type));
        body.extend(fields.clone());
    }
    healthy.send(Request::new(Method::POST, request.url.clone()).json(&body))
}
