//! Saboteurs of the page about security finding targets.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{
    Layer, ask, becomes, body_of, edit_json, edit_query, is, json_of, json_reply, reply_to, request_of,
    without_parameter,
};
use super::list_layers::{answer_202, bare_portal_path, closed_for_open, last_row_twice, without_count};
use super::rows::{each_of, targets, with, without};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const LIST: &[&str] = &["GET security_finding_targets"];
const GET: &[&str] = &["GET security_finding_targets/:id"];
/// What answers a single target.
const SINGLE: &[&str] = &["GET security_finding_targets/:id", "PATCH security_finding_targets/:id"];
const PATCH: &[&str] = &["PATCH security_finding_targets/:id"];
const STATUSES: &[&str] = &["POST security_finding_targets/:id/statuses"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [list(), fields(), writes()].into_iter().flatten().collect()
}

fn list() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/targets/filters-together",
            "ignores status_group beside mobile_app_id",
            request_of(LIST, |request| {
                if request.url.contains("mobile_app_id=") {
                    edit_query(request, |parameters| parameters.retain(|(name, _)| name != "status_group"));
                }
            }),
        ),
        Saboteur::new("data-theorem/targets/list", "answers the list with 202", answer_202(LIST)),
        Saboteur::new(
            "data-theorem/targets/list-key",
            "shows the list under a second name too",
            json_of(LIST, |json| json["items"] = json["security_finding_targets"].clone()),
        ),
        Saboteur::new(
            "data-theorem/targets/list-history",
            "leaves the history out of listed targets",
            json_of(LIST, rows_of_list(without("statuses"))),
        )
        .also(&[("data-theorem/targets/statuses", "it reads the history of listed targets")]),
        Saboteur::new(
            "data-theorem/targets/list-pagination",
            "leaves out the pagination of an unfiltered first page",
            without_count(LIST),
        ),
        Saboteur::new(
            "data-theorem/targets/list-links",
            "lists links as bare paths",
            json_of(LIST, rows_of_list(each_of("links", |link| *link = link["href"].clone()))),
        )
        .also(&[("data-theorem/targets/link-shape", "it reads the links of listed targets")]),
        Saboteur::new(
            "data-theorem/targets/list-portal-url",
            "leaves the portal link out of listed targets",
            json_of(LIST, rows_of_list(without("portal_url"))),
        ),
        Saboteur::new(
            "data-theorem/targets/list-cursor",
            "answers a cursor with the first page",
            without_parameter(LIST, "cursor"),
        )
        .also(&[("data-theorem/targets/id-unique", "the rows of the first page come again")]),
        Saboteur::new(
            "data-theorem/targets/filter-mobile-app-id",
            "ignores mobile_app_id",
            without_parameter(LIST, "mobile_app_id"),
        )
        .also(&[("data-theorem/targets/filters-together", "one of the two filters is this one")]),
        Saboteur::new(
            "data-theorem/targets/filter-results-since",
            "ignores results_since",
            without_parameter(LIST, "results_since"),
        ),
        Saboteur::new(
            "data-theorem/targets/filter-security-finding-id",
            "ignores security_finding_id",
            without_parameter(LIST, "security_finding_id"),
        ),
        Saboteur::new(
            "data-theorem/targets/filter-status-group",
            "takes CLOSED for OPEN",
            closed_for_open(LIST),
        )
        .also(&[("data-theorem/targets/filters-together", "one of the two filters is this one")]),
        Saboteur::new(
            "data-theorem/targets/filter-issue-type-id",
            "refuses issue_type_id with 400",
            reply_to(LIST, |request, reply| {
                if request.url.contains("issue_type_id=") {
                    *reply =
                        json_reply(400, &json!({"error": {"code": 400, "message": "unknown parameter"}}));
                }
            }),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table, one entry per check")]
fn fields() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/targets/id-unique",
            "lists the last row of each page once more",
            last_row_twice(LIST, "security_finding_targets"),
        ),
        Saboteur::new(
            "data-theorem/targets/mobile-app-id",
            "names an app that does not exist where a target is fixed",
            json_of(
                LIST,
                rows_of_list(|row| {
                    if row["current_status"] == "CLOSED_FIXED" {
                        row["mobile_app_id"] = json!("1");
                    }
                }),
            ),
        )
        .also(&[
            ("data-theorem/targets/filter-mobile-app-id", "what it lists shows another app"),
            ("data-theorem/targets/filters-together", "what it lists shows another app"),
        ]),
        Saboteur::new(
            "data-theorem/targets/security-finding-id",
            "names a finding that does not exist in lists",
            json_of(LIST, rows_of_list(with("security_finding_id", json!("no-such-finding")))),
        ),
        Saboteur::new(
            "data-theorem/targets/issue-type-id",
            "shows an empty `issue_type_id`",
            targets(with("issue_type_id", json!(""))),
        ),
        Saboteur::new(
            "data-theorem/targets/current-status",
            "shows a status of its own for CLOSED_BY_POLICY",
            targets(|row| {
                if row["current_status"] == "CLOSED_BY_POLICY" {
                    row["current_status"] = json!("CLOSED_BY_RULE");
                }
            }),
        )
        .also(&[("data-theorem/targets/statuses", "the history has the status by its name")]),
        Saboteur::new(
            "data-theorem/targets/current-status-date",
            "shows when results were last updated, a second late",
            targets(|row| {
                if let Some(date) = row["current_status_date"].as_str() {
                    row["current_status_date"] = json!(date.replace(":00.000000", ":01.000000"));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/statuses",
            "shows another status of that date in the history",
            targets(|row| {
                let status = row["current_status"].clone();
                for entry in row["statuses"].as_array_mut().into_iter().flatten() {
                    if entry["status"] == status && status != "NEW" {
                        entry["status"] = json!("NEW");
                    }
                }
            }),
        ),
        Saboteur::new("data-theorem/targets/text", "shows an empty `text`", targets(with("text", json!("")))),
        Saboteur::new(
            "data-theorem/targets/links",
            "shows no links in lists",
            json_of(LIST, rows_of_list(with("links", json!([])))),
        ),
        Saboteur::new(
            "data-theorem/targets/portal-url",
            "shows a bare path as `portal_url` of a single target",
            bare_portal_path(SINGLE),
        ),
        Saboteur::new(
            "data-theorem/targets/results-last-updated",
            "shows a day instead of a timestamp",
            targets(with("results_last_updated", json!("2021-08-17"))),
        ),
        Saboteur::new(
            "data-theorem/targets/external-id",
            "lists `external_id` as a number",
            json_of(LIST, rows_of_list(with("external_id", json!(12)))),
        ),
        Saboteur::new(
            "data-theorem/targets/external-bug-tracker-url",
            "shows the tracker's address without scheme",
            targets(with("external_bug_tracker_url", json!("tracker.example/1"))),
        ),
        Saboteur::new(
            "data-theorem/targets/additional-contexts",
            "shows contexts without text",
            targets(each_of("additional_contexts", with("body", json!("")))),
        ),
        Saboteur::new(
            "data-theorem/targets/associated-sdk-ids",
            "shows one id instead of a list of them",
            targets(|row| {
                if row["associated_sdk_ids"].is_array() {
                    row["associated_sdk_ids"] = json!("com.example.sdk");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/additional-context-shape",
            "leaves the type out of contexts",
            targets(each_of("additional_contexts", without("type"))),
        ),
        Saboteur::new(
            "data-theorem/targets/status-entry",
            "shows the first date of a longer history as a number",
            targets(|row| {
                if let Some([.., _, entry]) = row["statuses"].as_array_mut().map(Vec::as_mut_slice) {
                    entry["date"] = json!(1_629_228_316);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/date-created",
            "leaves `date_created` out",
            targets(without("date_created")),
        ),
        Saboteur::new(
            "data-theorem/targets/link-shape",
            "shows links from the root",
            targets(each_of("links", |link| {
                link["href"] = json!(format!("/{}", link["href"].as_str().unwrap_or_default()));
            })),
        )
        .also(&[("data-theorem/targets/get-links", "the links of a single target are meant too")]),
        Saboteur::new(
            "data-theorem/targets/ids-are-strings",
            "shows `id` as a number",
            json_of(
                LIST,
                rows_of_list(|row| {
                    if let Some(id) = row["id"].as_str().and_then(|id| id.parse::<i64>().ok()) {
                        row["id"] = json!(id);
                    }
                }),
            ),
        )
        .also(&[("data-theorem/targets/id-unique", "an id that is no string identifies nothing")]),
        Saboteur::new(
            "data-theorem/targets/get",
            "does not know single targets",
            reply_to(GET, |_, reply| becomes(reply, 404)),
        ),
        Saboteur::new(
            "data-theorem/targets/get-links",
            "links a single target to the list of targets, as lists do",
            json_of(
                SINGLE,
                each_of("links", |link| {
                    let href = link["href"].as_str().unwrap_or_default();
                    if href.starts_with("security_finding_targets/") {
                        link["href"] = json!("security_finding_targets");
                    }
                }),
            ),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table, one entry per check")]
fn writes() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/targets/external-id-shared",
            "refuses an `external_id` by the name of a shared one, as if it were taken",
            reply_to(PATCH, |request, reply| {
                if request.body_json().is_some_and(|body| body["external_id"] == "CONTRACT-SHARED") {
                    becomes(reply, 409);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/patch-external-id",
            "acknowledges the second `external_id` of a target and loses it",
            Arc::new(acknowledge_and_lose),
        ),
        Saboteur::new(
            "data-theorem/targets/patch-nothing-else",
            "shows the new `external_id` in the target's text too",
            json_of(GET, |row| {
                if let Some(id) = row["external_id"].as_str().filter(|id| *id == "CONTRACT-3") {
                    row["text"] = json!(format!("{id}: {}", row["text"].as_str().unwrap_or_default()));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/patch-body-is-an-object",
            "takes a number as `external_id`",
            body_of(PATCH, |body| {
                if let Some(number) = body["external_id"].as_i64() {
                    body["external_id"] = json!(number.to_string());
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/patch-reply",
            "answers a PATCH without the links",
            json_of(PATCH, without("links")),
        ),
        Saboteur::new(
            "data-theorem/targets/status-override",
            "acknowledges CLOSED_WONT_FIX without a reason and sets CLOSED_RISK_ACCEPTED",
            set_another_status("CLOSED_WONT_FIX", "CLOSED_RISK_ACCEPTED"),
        )
        .also(&[("data-theorem/targets/status-close", "it closes as CLOSED_WONT_FIX too")]),
        Saboteur::new(
            "data-theorem/targets/status-reply-204",
            "answers 200 with an empty object",
            reply_to(STATUSES, |_, reply| {
                if reply.status == 204 {
                    *reply = json_reply(200, &json!({}));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-close",
            "refuses CLOSED_COMPENSATING_CONTROL",
            reply_to(STATUSES, |request, reply| {
                if request.body_json().is_some_and(|body| body["status"] == "CLOSED_COMPENSATING_CONTROL") {
                    becomes(reply, 400);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-reopen",
            "takes OPEN for a target that was closed as a compensating control and leaves it closed",
            Arc::new(|request, healthy| {
                if is(&request, STATUSES[0])
                    && request.body_json().is_some_and(|body| body["status"] == "OPEN")
                {
                    let target = ask(&request, healthy, target_path(&request))?;
                    let closed = |json: Value| json["current_status"] == "CLOSED_COMPENSATING_CONTROL";
                    if target.json().is_some_and(closed) {
                        let mut reply = json_reply(204, &Value::Null);
                        becomes(&mut reply, 204);
                        return Ok(reply);
                    }
                }
                healthy.send(request)
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-same-409",
            "answers 204 where the status is the same",
            reply_to(STATUSES, |_, reply| {
                if reply.status == 409 {
                    becomes(reply, 204);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-reason-note",
            "forgets the reason",
            body_of(STATUSES, |body| {
                if body["reason"].is_string() {
                    without("reason")(body);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-body-is-an-object",
            "takes the status as a bare string",
            body_of(STATUSES, |body| {
                if let Some(status) = body.as_str() {
                    *body = json!({"status": status});
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-required",
            "takes a missing status for OPEN",
            body_of(STATUSES, |body| {
                if body.is_object() && body.get("status").is_none() {
                    body["status"] = json!("OPEN");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-accepted-values",
            "takes CLOSED_BY_POLICY for CLOSED_RISK_ACCEPTED",
            body_of(STATUSES, |body| {
                if body["status"] == "CLOSED_BY_POLICY" {
                    body["status"] = json!("CLOSED_RISK_ACCEPTED");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/targets/status-reason-is-a-string",
            "takes a number as a reason",
            body_of(STATUSES, |body| {
                if let Some(number) = body["reason"].as_i64() {
                    body["reason"] = json!(number.to_string());
                }
            }),
        ),
    ]
}

/// Changes each row of a list of targets.
fn rows_of_list(edit: impl Fn(&mut Value) + Send + Sync) -> impl Fn(&mut Value) + Send + Sync {
    each_of("security_finding_targets", edit)
}

/// The path of the target whose status a request sets.
fn target_path(request: &Request) -> &str {
    let path = request.path().trim_end_matches("/statuses");
    path.find("security_finding_targets").map_or("", |at| &path[at..])
}

/// A target that has an `external_id` keeps it; the reply shows the new one.
fn acknowledge_and_lose(mut request: Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    let wanted = request.body_json().map(|body| body["external_id"].clone());
    let Some(wanted) = wanted.filter(|id| is(&request, PATCH[0]) && *id == "CONTRACT-2") else {
        return healthy.send(request);
    };
    request = request.json(&json!({}));
    let mut reply = healthy.send(request)?;
    edit_json(&mut reply, |row| row["external_id"] = wanted.clone());
    Ok(reply)
}

/// Sets another status than the one asked for, where no reason is given.
fn set_another_status(asked: &'static str, done: &'static str) -> Layer {
    body_of(STATUSES, move |body| {
        if body["status"] == asked && body.get("reason").is_none() {
            body["status"] = json!(done);
        }
    })
}
