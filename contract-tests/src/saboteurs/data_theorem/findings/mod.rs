//! Saboteurs of the page about security findings, a file per file of checks.

mod close;
mod fields;
mod list;
mod notes;
mod parts;
mod patch;

use serde_json::Value;

use super::super::Saboteur;
use super::super::layers::{Layer, ask, edit_json, is, json_of, json_reply};
use super::rows::each_of;
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const LIST: &[&str] = &["GET security_findings"];
/// What answers a single finding.
const SINGLE: &[&str] =
    &["GET security_findings/:id", "PATCH security_findings/:id", "POST security_findings/:id/close"];
const GET: &[&str] = &["GET security_findings/:id"];
const PATCH: &[&str] = &["PATCH security_findings/:id"];
const CLOSE: &[&str] = &["POST security_findings/:id/close"];
const NOTES: &[&str] = &["POST security_findings/:id/notes"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    let files = [
        list::saboteurs(),
        fields::saboteurs(),
        parts::saboteurs(),
        patch::saboteurs(),
        close::saboteurs(),
        notes::saboteurs(),
    ];
    files.into_iter().flatten().collect()
}

/// Changes each listed finding.
fn listed(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    json_of(LIST, each_of("security_findings", edit))
}

/// The path of the finding that a request is about, below Data Theorem's.
fn finding_path(request: &Request) -> &str {
    let path = request.path().trim_end_matches("/close").trim_end_matches("/notes");
    path.find("security_findings").map_or("", |at| &path[at..])
}

/// Asks the healthy target for the finding that a request is about.
fn finding(request: &Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    ask(request, healthy, finding_path(request))
}

/// Acknowledges what was refused for a lack of permission, by the finding as it is.
fn acknowledge_refused(operation: &'static [&'static str]) -> Layer {
    std::sync::Arc::new(move |request, healthy| {
        let reply = healthy.send(request.clone())?;
        if reply.status != 403 || !operation.iter().any(|operation| is(&request, operation)) {
            return Ok(reply);
        }
        let shown = finding(&request, healthy)?;
        Ok(if shown.is_success() { shown } else { reply })
    })
}

/// Acknowledges what fits and does nothing: answers the finding as it would be.
fn acknowledge_and_lose(
    operation: &'static str,
    fits: impl Fn(&Value) -> bool + Send + Sync + 'static,
    pretend: impl Fn(&mut Value, &Value) + Send + Sync + 'static,
) -> Layer {
    std::sync::Arc::new(move |request, healthy| {
        let body = request.body_json().filter(|body| is(&request, operation) && fits(body));
        let Some(body) = body else { return healthy.send(request) };
        let mut reply = finding(&request, healthy)?;
        edit_json(&mut reply, |json| pretend(json, &body));
        Ok(reply)
    })
}

/// An error as the healthy target words it.
fn error(status: u16, message: &str) -> Reply {
    json_reply(status, &serde_json::json!({"error": {"code": status, "message": message}}))
}
