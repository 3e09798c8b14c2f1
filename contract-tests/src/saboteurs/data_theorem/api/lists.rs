//! Saboteurs of paging and of filters.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{
    Layer, ask, edit_json, edit_query, is, json_of, json_reply, reply_to, request_of,
};
use super::super::rows::without;
use super::{APPS, SCANS};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const FINDINGS: &[&str] = &["GET security_findings"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/lists/results-since-encoded",
            "does not know hexadecimal digits in lower case",
            reply_to(FINDINGS, |request, reply| {
                if request.url.contains("%3a") {
                    *reply = json_reply(400, &json!({"error": {"code": 400, "message": "malformed"}}));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/lists/findings-of-a-severity",
            "takes MEDIUM for LOW",
            of_severities(|severities| {
                if let [(_, only)] = severities.as_mut_slice()
                    && only == "MEDIUM"
                {
                    "LOW".clone_into(only);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/lists/findings-of-several-severities",
            "ignores all severities but the first",
            of_severities(|severities| severities.truncate(1)),
        ),
        Saboteur::new(
            "data-theorem/lists/envelope",
            "leaves out the pagination of a list of scans that has one page",
            json_of(SCANS, |json| {
                if is_last_page(json) {
                    without("pagination_information")(json);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/lists/total-count-of-the-query",
            "counts all apps, also where a platform is asked for",
            Arc::new(|request, healthy| {
                let mut reply = healthy.send(request.clone())?;
                if is(&request, APPS[0]) && request.url.contains("platform=") {
                    let all = ask(&request, healthy, "mobile_apps")?.json().unwrap_or_default();
                    let total = &all["pagination_information"]["total_count"];
                    edit_json(&mut reply, |json| {
                        json["pagination_information"]["total_count"] = total.clone();
                    });
                }
                Ok(reply)
            }),
        ),
        Saboteur::new(
            "data-theorem/lists/next-cursor-stays-in-the-query",
            "forgets results_since on the second page of apps",
            Arc::new(forget_the_query),
        ),
        Saboteur::new(
            "data-theorem/lists/cursors-lead-to-the-end",
            "leaves the last scan out of a list of several pages",
            reply_to(SCANS, |request, reply| {
                if request.url.contains("cursor=") {
                    edit_json(reply, |json| {
                        if let Some(rows) = json["scans"].as_array_mut() {
                            rows.pop();
                        }
                    });
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/lists/types-of-target-filters",
            "takes any text for the id of an app that has no targets",
            request_of(&["GET security_finding_targets"], |request| {
                edit_query(request, |parameters| {
                    for (name, value) in parameters {
                        if name == "mobile_app_id" && value.parse::<i64>().is_err() {
                            "1".clone_into(value);
                        }
                    }
                });
            }),
        ),
    ]
}

fn is_last_page(json: &Value) -> bool {
    json["pagination_information"]["next_cursor"].as_str().is_none_or(str::is_empty)
}

/// Changes the severities that findings are asked for.
fn of_severities(edit: impl Fn(&mut Vec<(String, String)>) + Send + Sync + 'static) -> Layer {
    request_of(FINDINGS, move |request| {
        edit_query(request, |parameters| {
            let (mut severities, others): (Vec<_>, Vec<_>) =
                std::mem::take(parameters).into_iter().partition(|(name, _)| name == "severity");
            edit(&mut severities);
            parameters.extend(others.into_iter().chain(severities));
        });
    })
}

/// Answers the second page of all apps to who asks for the second page of some.
fn forget_the_query(request: Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    let asks = |name: &str| request.url.contains(name);
    if !is(&request, APPS[0]) || !asks("results_since=") || !asks("cursor=") {
        return healthy.send(request);
    }
    let first = ask(&request, healthy, "mobile_apps")?.json().unwrap_or_default();
    let cursor = first["pagination_information"]["next_cursor"].as_str().unwrap_or_default();
    ask(&request, healthy, &format!("mobile_apps?cursor={cursor}"))
}
