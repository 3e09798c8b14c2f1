//! Saboteurs of the way of an issue through its workflow.

use serde_json::json;

use super::super::Saboteur;
use super::super::layers::{body_of, json_of, reply_to};
use super::{first_answers, turns};

const LIST: &[&str] = &["GET issue/:id/transitions"];
const FOLLOW: &[&str] = &["POST issue/:id/transitions"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/issues/transitions-lead-on",
            "lists the ways on that an issue had when somebody first looked",
            first_answers(LIST, |_| true),
        ),
        Saboteur::new(
            "jira/issues/transitions-show-their-fields",
            "does not say which fields of a transition are required",
            json_of(LIST, |json| {
                for way in json["transitions"].as_array_mut().into_iter().flatten() {
                    for field in way["fields"].as_object_mut().into_iter().flatten() {
                        if let Some(members) = field.1.as_object_mut() {
                            members.remove("required");
                        }
                    }
                }
            }),
        ),
        Saboteur::new("jira/issues/transition-204", "answers 200 to a transition", turns(FOLLOW, 204, 200)),
        Saboteur::new(
            "jira/issues/transition-invalid-400",
            "answers 404 to a transition that does not exist",
            reply_to(FOLLOW, |request, reply| {
                let body = request.body_json().unwrap_or_default();
                if reply.status == 400 && body["transition"]["id"] == "999999999" {
                    reply.status = 404;
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/transition-without-a-required-field-400",
            "fills in a resolution by itself",
            body_of(FOLLOW, |body| {
                if body["transition"]["id"] == "21" && body.get("fields").is_none() {
                    body["fields"] = json!({"resolution": {"id": "10000"}});
                }
            }),
        ),
    ]
}
