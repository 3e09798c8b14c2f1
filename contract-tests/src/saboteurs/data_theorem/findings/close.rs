//! Saboteurs of `POST security_findings/:id/close`.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{ask, body_of, edit_body, is, json_of};
use super::super::rows::{each_of, findings, without};
use super::{CLOSE, acknowledge_and_lose, acknowledge_refused, finding};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [effects(), requests()].into_iter().flatten().collect()
}

fn effects() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/close",
            "acknowledges a close as a compensating control and loses it",
            acknowledge_and_lose(
                CLOSE[0],
                |body| {
                    body["aggregated_status"] == "CLOSED_COMPENSATING_CONTROL"
                        && body.get("is_permanently_closed").is_none()
                },
                |finding, body| finding["aggregated_status"] = body["aggregated_status"].clone(),
            ),
        ),
        Saboteur::new(
            "data-theorem/findings/close-comment",
            "keeps 255 characters of a reason",
            body_of(CLOSE, cut("reason")),
        ),
        Saboteur::new(
            "data-theorem/findings/close-targets",
            "leaves a target open when it is told to close every one",
            Arc::new(close_all_but_one),
        ),
        Saboteur::new(
            "data-theorem/findings/close-aggregated",
            "closes as CLOSED_WONT_FIX what was to be CLOSED_RISK_ACCEPTED",
            body_of(CLOSE, |body| {
                if body["aggregated_status"] == "CLOSED_RISK_ACCEPTED" {
                    body["aggregated_status"] = json!("CLOSED_WONT_FIX");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/close-permanent",
            "closes compensating controls for now only",
            body_of(CLOSE, |body| {
                if body["aggregated_status"] == "CLOSED_COMPENSATING_CONTROL" {
                    without("is_permanently_closed")(body);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/close-reply",
            "answers a close without the links",
            json_of(CLOSE, without("links")),
        ),
        Saboteur::new(
            "data-theorem/findings/close-comment-says-permanently",
            "does not say in a closing comment that the close is permanent",
            findings(each_of("notes", |note| {
                let text = note["text"].as_str().unwrap_or_default();
                note["text"] = json!(text.replace("permanently ", ""));
            })),
        ),
        Saboteur::new(
            "data-theorem/findings/close-comment-author",
            "names the vendor as the author of closing comments",
            findings(each_of("notes", |note| {
                if note["text"].as_str().is_some_and(|text| text.starts_with("Issue ")) {
                    note["author_email"] = json!("Data Theorem");
                }
            })),
        ),
    ]
}

fn requests() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/close-permission",
            "acknowledges a close from a key that may not close",
            acknowledge_refused(CLOSE),
        ),
        Saboteur::new(
            "data-theorem/findings/close-only-open",
            "answers a second close like the first",
            Arc::new(|request, healthy| {
                let reply = healthy.send(request.clone())?;
                let is_second = is(&request, CLOSE[0]) && reply.status == 409;
                if is_second { finding(&request, healthy) } else { Ok(reply) }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/close-body-is-an-object",
            "takes a list of one close for a close",
            body_of(CLOSE, |body| {
                if let Some([only]) = body.as_array().map(Vec::as_slice) {
                    *body = only.clone();
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/close-status",
            "takes CLOSED_BY_POLICY for CLOSED_WONT_FIX",
            body_of(CLOSE, |body| {
                if body["aggregated_status"] == "CLOSED_BY_POLICY" {
                    body["aggregated_status"] = json!("CLOSED_WONT_FIX");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/close-permanent-is-a-boolean",
            "takes \"true\" for true",
            body_of(CLOSE, |body| {
                if body["is_permanently_closed"] == "true" {
                    body["is_permanently_closed"] = json!(true);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/close-reason-is-required",
            "makes up a reason where there is none",
            body_of(CLOSE, |body| {
                if body.is_object() && body.get("reason").is_none() {
                    body["reason"] = json!("No reason given.");
                }
            }),
        ),
    ]
}

/// Cuts a text to as many characters as a narrow column holds.
pub(super) fn cut(name: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |body| {
        if let Some(text) = body[name].as_str() {
            body[name] = json!(text.chars().take(255).collect::<String>());
        }
    }
}

/// Opens one of the targets again after a close with a reason that asks for all of them.
fn close_all_but_one(request: Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    let asks_for_all =
        |body: Value| body["reason"].as_str().is_some_and(|text| text.contains("every target"));
    let reply = healthy.send(request.clone())?;
    if !(is(&request, CLOSE[0]) && request.body_json().is_some_and(asks_for_all) && reply.is_success()) {
        return Ok(reply);
    }
    let id = reply.json().unwrap_or_default()["id"].as_str().unwrap_or_default().to_owned();
    let list = ask(&request, healthy, &format!("security_finding_targets?security_finding_id={id}"))?;
    let target = list.json().unwrap_or_default()["security_finding_targets"][0]["id"].clone();
    let target = target.as_str().unwrap_or_default();
    let url = request.url.replace(
        &format!("security_findings/{id}/close"),
        &format!("security_finding_targets/{target}/statuses"),
    );
    let mut reopen = Request { method: Method::POST, url, ..request };
    edit_body(&mut reopen, |body| *body = json!({"status": "OPEN"}));
    healthy.send(reopen)?;
    Ok(reply)
}
