//! Saboteurs of making issues.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{body_of, edit_json, is, json_of, json_reply, reply_to};
use super::{CREATE, ask, field, login, turns};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const BULK: &[&str] = &["POST issue/bulk"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new("jira/issues/create-201", "answers 200 for a new issue", turns(CREATE, 201, 200)),
        Saboteur::new(
            "jira/issues/create-without-login-401",
            "answers 403 to who makes an issue without credentials",
            reply_to(CREATE, |request, reply| {
                if reply.status == 401 && login(request).is_none() {
                    reply.status = 403;
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/create-invalid-400",
            "invents a summary for an issue without one",
            body_of(CREATE, |body| {
                if body["fields"].get("summary").is_none() {
                    body["fields"]["summary"] = json!("Untitled");
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/create-with-properties",
            "forgets the properties of a new issue",
            body_of(CREATE, |body| forget(body, "properties")),
        ),
        Saboteur::new(
            "jira/issues/create-with-transition",
            "forgets the transition of a new issue",
            body_of(CREATE, |body| forget(body, "transition")),
        ),
        Saboteur::new(
            "jira/issues/bulk-of-50-at-most",
            "makes any number of issues of one request",
            Arc::new(in_parts),
        ),
        Saboteur::new(
            "jira/issues/bulk-of-which-some-are-made",
            "counts failed issues from one",
            json_of(BULK, |json| {
                for error in json["errors"].as_array_mut().into_iter().flatten() {
                    let place = error["failedElementNumber"].as_u64().unwrap_or_default();
                    error["failedElementNumber"] = json!(place + 1);
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/bulk-of-which-none-is-made",
            "answers 201 although no issue was made",
            turns(BULK, 400, 201),
        ),
        Saboteur::new(
            "jira/issues/create-metadata",
            "leaves the summary out of the fields of new issues",
            json_of(&["GET issue/createmeta/:id/issuetypes/:id"], |json| {
                if let Some(fields) = json["fields"].as_array_mut() {
                    fields.retain(|field| field["fieldId"] != "summary");
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/field-off-screen-400",
            "does not say which field can't be set",
            reply_to(CREATE, |request, reply| {
                if reply.status == 400 && field(request, "customfield_999999").is_some() {
                    let text = "A field cannot be set. It is not on the appropriate screen, or unknown.";
                    *reply = json_reply(400, &json!({"errorMessages": [text], "errors": {}}));
                }
            }),
        ),
    ]
}

fn forget(body: &mut Value, name: &str) {
    if let Some(members) = body.as_object_mut() {
        members.remove(name);
    }
}

/// Asks for fifty issues at a time.
fn in_parts(request: Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    let body = request.body_json().unwrap_or_default();
    let updates = body["issueUpdates"].as_array().cloned().unwrap_or_default();
    if !is(&request, BULK[0]) || updates.len() <= 50 {
        return healthy.send(request);
    }
    let (first, rest) = updates.split_at(50);
    let part = |updates: &[Value]| {
        ask(&request, healthy, Method::POST, "issue/bulk", Some(&json!({"issueUpdates": updates})))
    };
    let more = part(rest)?.json().unwrap_or_default();
    let mut reply = part(first)?;
    edit_json(&mut reply, |json| {
        if let (Some(all), Some(more)) = (json["issues"].as_array_mut(), more["issues"].as_array()) {
            all.extend(more.iter().cloned());
        }
    });
    Ok(reply)
}
