//! Saboteurs of how calls are made, and of who may make them.

use std::sync::Arc;

use fixtures::builders::mend::token;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{becomes, edit_json, is, reply_to};
use super::super::steps::{answers_refused, ask, each, refusal, refuses};
use crate::saboteurs::data_theorem::rows::each_of;
use crate::saboteurs::layers::Layer;
use crate::target::exchange::Request;

const DETAILS: &[&str] = &["getOrganizationDetails"];
const PROJECT_VITALS: &[&str] =
    &["getOrganizationProjectVitals", "getProductProjectVitals", "getProjectVitals"];
const ALERTS: &[&str] = &["getOrganizationAlerts"];

#[expect(clippy::too_many_lines, reason = "a table, one entry per check")]
pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/calls/post-only",
            "takes PUT for POST",
            Arc::new(|mut request, healthy| {
                if request.method == Method::PUT && request.path().starts_with("/api/v1") {
                    request.method = Method::POST;
                }
                healthy.send(request)
            }),
        ),
        Saboteur::new(
            "mend/calls/body-is-a-json-object",
            "takes an array of one object for the object",
            Arc::new(|mut request, healthy| {
                if let Some(Value::Array(items)) = request.body_json()
                    && let [object] = items.as_slice()
                {
                    request = request.json(object);
                }
                healthy.send(request)
            }),
        ),
        Saboteur::new(
            "mend/calls/version-paths",
            "has no list of products in 1.3",
            reply_to(&["getAllProducts"], |request, reply| {
                if request.path().ends_with("/v1.3") {
                    becomes(reply, 404);
                }
            }),
        ),
        Saboteur::new(
            "mend/calls/no-redirect",
            "redirects a call over plain HTTP",
            reply_to(DETAILS, |_, reply| {
                becomes(reply, 308);
                reply.headers.insert("location", HeaderValue::from_static("https://localhost/api/v1.4"));
            }),
        ),
        Saboteur::new(
            "mend/calls/scope-token",
            "answers the vitals of no project where no project is named",
            answers_refused(&["getProjectVitals"], json!({"projectVitals": []}), |fields| {
                fields.get("projectToken").is_none()
            }),
        ),
        Saboteur::new(
            "mend/calls/times-are-in-gmt",
            "shows the times of vitals in a zone two hours ahead",
            each(PROJECT_VITALS, "projectVitals", |row| {
                if let Some(date) = row["lastUpdatedDate"].as_str() {
                    row["lastUpdatedDate"] = json!(date.replace("+0000", "+0200"));
                }
            }),
        ),
        Saboteur::new(
            "mend/calls/role",
            "answers an empty list of products to who may not ask",
            answers_refused(&["getAllProducts"], json!({"products": [], "message": "Success"}), |_| true),
        ),
        Saboteur::new(
            "mend/calls/product-administrator",
            "keeps the tags of projects from administrators of products",
            only_for_the_organization(
                "getProjectTags",
                || json!({"orgToken": token("organization", "1/Larkfield")}),
            ),
        ),
        Saboteur::new(
            "mend/calls/product-administrator-more",
            "keeps the state of requests from administrators of products",
            only_for_the_organization("getRequestState", || json!({})),
        ),
        Saboteur::new(
            "mend/calls/critical-in-the-newer-version",
            "says critical in 1.3 too",
            reply_to(&["getProjectAlerts"], |request, reply| {
                if request.path().ends_with("/v1.3") {
                    edit_json(reply, each_of("alerts", |row| rate(row, 9.0, 11.0, "critical")));
                }
            }),
        ),
        Saboteur::new(
            "mend/calls/severity-bands",
            "says medium from 7.0 on",
            each(ALERTS, "alerts", |row| rate(row, 7.0, 9.0, "medium")),
        ),
        Saboteur::new(
            "mend/calls/severity-by-cvss2",
            "says critical by CVSS 2",
            each(ALERTS, "alerts", |row| {
                if row["vulnerability"]["severity"] == "high" {
                    row["vulnerability"]["severity"] = json!("critical");
                }
            }),
        ),
        Saboteur::new(
            "mend/calls/unknown-fields",
            "refuses a call with `agentInfo`",
            refuses(DETAILS, |fields| fields.get("agentInfo").is_some()),
        ),
        Saboteur::new(
            "mend/calls/foreign-token",
            "refuses a product's call with `orgToken`",
            refuses(&["getAllProjects"], |fields| fields.get("orgToken").is_some()),
        ),
        Saboteur::new(
            "mend/calls/unknown-headers",
            "refuses a call with the header `ctxId`",
            reply_to(DETAILS, |request, reply| {
                if request.headers.contains_key("ctxid") {
                    *reply = refusal(3000, "Invalid request parameters");
                }
            }),
        ),
    ]
}

/// Gives alerts with a score in a range another severity.
fn rate(alert: &mut Value, from: f64, to: f64, severity: &str) {
    let score = alert["vulnerability"]["cvss3_score"].as_f64();
    if score.is_some_and(|score| (from..to).contains(&score)) {
        alert["vulnerability"]["cvss3_severity"] = json!(severity);
    }
}

/// Refuses a call to users who may not ask about the organization.
fn only_for_the_organization(
    operation: &'static str,
    organization: impl Fn() -> Value + Send + Sync + 'static,
) -> Layer {
    Arc::new(move |request: Request, healthy| {
        if is(&request, operation) {
            let details = ask(&request, healthy, DETAILS[0], &organization())?;
            if details.get("errorCode").is_some() {
                return Ok(refusal(5001, "User is not allowed to perform this action"));
            }
        }
        healthy.send(request)
    })
}
