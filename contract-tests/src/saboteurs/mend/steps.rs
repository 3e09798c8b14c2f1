//! What saboteurs of Mend's calls are made of.

use serde_json::{Value, json};

use super::super::layers::{Layer, json_of, json_reply, reply_to};
use crate::saboteurs::data_theorem::rows::each_of;
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

/// A refusal as the vendor writes it.
pub(super) fn refusal(code: i64, message: &str) -> Reply {
    json_reply(200, &json!({"errorCode": code, "errorMessage": message}))
}

/// Whether a reply is a refusal.
pub(super) fn is_refusal(reply: &Reply) -> bool {
    reply.json().is_some_and(|json| json.get("errorCode").is_some())
}

/// The fields of a call.
pub(super) fn fields(request: &Request) -> Value {
    request.body_json().unwrap_or_default()
}

/// Refuses some calls, of which the fields tell.
pub(super) fn refuses(
    operations: &'static [&'static str],
    which: impl Fn(&Value) -> bool + Send + Sync + 'static,
) -> Layer {
    reply_to(operations, move |request, reply| {
        if which(&fields(request)) {
            *reply = refusal(3000, "Invalid request parameters");
        }
    })
}

/// Answers what is refused, of which the fields tell.
pub(super) fn answers_refused(
    operations: &'static [&'static str],
    answer: Value,
    which: impl Fn(&Value) -> bool + Send + Sync + 'static,
) -> Layer {
    reply_to(operations, move |request, reply| {
        if is_refusal(reply) && which(&fields(request)) {
            *reply = json_reply(200, &answer);
        }
    })
}

/// Has another code for a refusal.
pub(super) fn recodes(operations: &'static [&'static str], from: i64, to: i64) -> Layer {
    json_of(operations, move |json| {
        if json["errorCode"] == from {
            json["errorCode"] = json!(to);
        }
    })
}

/// Changes each row of the list that some calls answer.
pub(super) fn each(
    operations: &'static [&'static str],
    list: &'static str,
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Layer {
    json_of(operations, each_of(list, edit))
}

/// Calls a member of answers otherwise.
pub(super) fn renames(operations: &'static [&'static str], from: &'static str, to: &'static str) -> Layer {
    json_of(operations, move |json| {
        if let Some(members) = json.as_object_mut()
            && let Some(value) = members.remove(from)
        {
            members.insert(to.to_owned(), value);
        }
    })
}

/// The request of another call about the same, with more fields.
pub(super) fn another(request: &Request, request_type: &str, more: &Value) -> Request {
    let mut body = fields(request);
    if let Some(body) = body.as_object_mut() {
        body.insert("requestType".to_owned(), Value::from(request_type));
        body.extend(more.as_object().cloned().unwrap_or_default());
    }
    request.clone().json(&body)
}

/// What the healthy target answers to another call about the same.
pub(super) fn ask(
    request: &Request,
    healthy: &dyn Transport,
    request_type: &str,
    more: &Value,
) -> Result<Value, NoAnswer> {
    Ok(healthy.send(another(request, request_type, more))?.json().unwrap_or_default())
}
