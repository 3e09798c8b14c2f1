//! Saboteurs of editing, assigning and deleting.

use std::sync::Arc;

use http::Method;
use serde_json::json;

use super::super::Saboteur;
use super::super::layers::{becomes, body_of, is, json_reply, reply_to};
use super::{EDIT, ask, last_part, pretends, turns};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/issues/edit-204-or-the-issue",
            "does not show the issue that was edited",
            reply_to(EDIT, |request, reply| {
                if request.url.contains("returnIssue=true") && reply.is_success() {
                    becomes(reply, 204);
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/edit-invalid-400",
            "leaves out the field that does not exist and does the rest",
            body_of(EDIT, |body| {
                if let Some(fields) = body["fields"].as_object_mut() {
                    fields.remove("customfield_999999");
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/edit-ignores-a-transition",
            "follows the transition that comes with an edit",
            Arc::new(|request, healthy| {
                let reply = healthy.send(request.clone())?;
                let body = request.body_json().unwrap_or_default();
                if is(&request, EDIT[0]) && reply.is_success() && body.get("transition").is_some() {
                    let path = format!("issue/{}/transitions", last_part(&request));
                    let way = json!({"transition": body["transition"]});
                    ask(&request, healthy, Method::POST, &path, Some(&way))?;
                }
                Ok(reply)
            }),
        ),
        Saboteur::new(
            "jira/issues/edit-in-one-way-per-field",
            "prefers what is in update",
            body_of(EDIT, |body| {
                let update = body["update"].as_object().cloned().unwrap_or_default();
                if let Some(fields) = body["fields"].as_object_mut() {
                    fields.retain(|name, _| !update.contains_key(name));
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/assign-204",
            "takes nobody for an assignee who stays",
            pretends(
                &["PUT issue/:id/assignee"],
                |request| request.body_json().is_some_and(|body| body["accountId"].is_null()),
                |_| {
                    let mut reply = json_reply(204, &json!(null));
                    becomes(&mut reply, 204);
                    reply
                },
            ),
        ),
        Saboteur::new(
            "jira/issues/delete-204",
            "answers 200 to a deletion",
            turns(&["DELETE issue/:id"], 204, 200),
        ),
    ]
}
