//! Saboteurs of `PATCH security_findings/:id`.

use serde_json::json;

use super::super::super::Saboteur;
use super::super::super::layers::{body_of, json_of};
use super::super::rows::without;
use super::{PATCH, acknowledge_and_lose, acknowledge_refused};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/patch-reply",
            "answers a PATCH without the links",
            json_of(PATCH, without("links")),
        ),
        Saboteur::new(
            "data-theorem/findings/patch-permission",
            "acknowledges a priority from a key that may not set it",
            acknowledge_refused(PATCH),
        ),
        Saboteur::new(
            "data-theorem/findings/patch-priority",
            "acknowledges the priority P3 and loses it",
            acknowledge_and_lose(
                PATCH[0],
                |body| body["priority"] == "P3",
                |finding, body| finding["priority"] = body["priority"].clone(),
            ),
        ),
        Saboteur::new(
            "data-theorem/findings/patch-null-priority",
            "takes a priority that is null for P4",
            body_of(PATCH, |body| {
                if body.get("priority").is_some_and(serde_json::Value::is_null) {
                    body["priority"] = json!("P4");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/patch-priority-values",
            "takes P5 for P4",
            body_of(PATCH, |body| {
                if body["priority"] == "P5" {
                    body["priority"] = json!("P4");
                }
            }),
        ),
    ]
}
