//! What a request may look like.

use bytes::Bytes;
use fixtures::spec::data_theorem::{
    DT_APP_OUT_OF_SCOPE, DT_BEARER_SCHEME, DT_CONTENT_TYPE, DT_CURSOR_FILTERS, DT_EMPTY_RESULTS_SINCE,
    DT_ENUM_CASE, DT_EXTERNAL_ID_EMPTY, DT_EXTERNAL_ID_NULL, DT_INVALID_REQUEST, DT_MALFORMED_CURSOR,
    DT_MALFORMED_FILTER, DT_MISSING_PERMISSION, DT_PAGE_SIZE_PARAMETER, DT_RAW_PLUS, DT_STATUS_PERMISSION,
    DT_STATUS_REASON_PERMISSION, DT_TRAILING_SLASH, DT_UNKNOWN_APP_FILTER, DT_UNKNOWN_BODY_FIELD,
    DT_UNKNOWN_ID, DT_UNKNOWN_PARAMETER,
};
use http::Method;
use serde_json::{Value, json};

use super::super::client::{APPS, DataTheorem, FINDINGS, TARGETS, total_count, with_query};
use super::subject::{REMARK, Subject};
use super::{Answer, Shown, UNKNOWN_ID, by_status, is_refused, listed, no_value_fits, unanimous};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes};
use crate::target::account::ApiKey;

probes! {
    DT_BEARER_SCHEME, Reading, bearer_scheme;
    DT_APP_OUT_OF_SCOPE, Control, app_out_of_scope;
    DT_UNKNOWN_ID, Reading, unknown_id;
    DT_UNKNOWN_APP_FILTER, Reading, unknown_app_filter;
    DT_MISSING_PERMISSION, Control, missing_permission;
    DT_STATUS_PERMISSION, Control, status_permission;
    DT_STATUS_REASON_PERMISSION, Control, status_reason_permission;
    DT_INVALID_REQUEST, Reading, invalid_request;
    DT_MALFORMED_FILTER, Reading, malformed_filter;
    DT_EMPTY_RESULTS_SINCE, Reading, empty_results_since;
    DT_RAW_PLUS, Reading, raw_plus;
    DT_UNKNOWN_PARAMETER, Reading, unknown_parameter;
    DT_UNKNOWN_BODY_FIELD, Writing, unknown_body_field;
    DT_PAGE_SIZE_PARAMETER, Reading, page_size_parameter;
    DT_ENUM_CASE, Reading, enum_case;
    DT_CONTENT_TYPE, Writing, content_type;
    DT_CURSOR_FILTERS, Reading, cursor_filters;
    DT_MALFORMED_CURSOR, Reading, malformed_cursor;
    DT_EXTERNAL_ID_NULL, Writing, external_id_null;
    DT_EXTERNAL_ID_EMPTY, Writing, external_id_empty;
    DT_TRAILING_SLASH, Reading, trailing_slash;
}

const CLOSE: &str = "results_api.can_close_issues";
const COMMENT: &str = "results_api.can_comment_on_issues";
/// What refuses a key that lacks a permission, under either reading of that status.
const FORBIDDEN: [u16; 2] = [403, 401];

/// The ids on the first page of a list, which has to have rows.
fn first_page(api: DataTheorem<'_>, resource: &str) -> Result<Vec<String>, Stop> {
    let (reply, evidence) = api.get(resource)?;
    let ids = listed(resource, &reply).unwrap_or_default();
    observed(!ids.is_empty(), format!("{evidence} without rows"))?;
    Ok(ids)
}

/// Whether a list with something odd in its query is refused, or is the same as without it.
fn refused_or_same(api: DataTheorem<'_>, resource: &str, odd: &str, same: &'static str) -> Shown {
    let plain = first_page(api, resource)?;
    let (reply, evidence) = api.get(&format!("{resource}?{odd}"))?;
    if is_refused(&reply) {
        Ok("refused")
    } else if listed(resource, &reply) == Some(plain) {
        Ok(same)
    } else {
        no_value_fits(&evidence)
    }
}

fn bearer_scheme(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    first_page(api, APPS)?;
    let (reply, evidence) = api.anonymous().get(APPS)?;
    observed(reply.status == 401, format!("without a key, {evidence}"))?;
    let header = format!("Bearer {}", api.api_key());
    let answer = api.with_authorization(&header).get(APPS)?;
    by_status(&answer, &[(200, "accepted"), (401, "refused")])
}

fn app_out_of_scope(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let key = api.find_key("that is limited to some apps", |key| key.mobile_app_ids.is_some())?;
    let allowed: Vec<&str> = key.mobile_app_ids.iter().flatten().map(String::as_str).collect();
    let limited = api.with_key(&key.api_key);
    for id in &allowed {
        limited.item(&format!("{APPS}/{id}"))?;
    }
    let outside = |id: &str| !allowed.contains(&id);
    let app = api.apps()?.find("app outside the key's list", |row| row.text("id").is_some_and(outside))?;
    let id = app.text("id").unwrap_or_default();
    let answers =
        [limited.get(&format!("{APPS}/{id}"))?, limited.get(&format!("{FINDINGS}?mobile_app_id={id}"))?];
    let shown = answers.iter().map(|answer| by_status(answer, &[(403, "403"), (404, "404")]));
    unanimous("request for another app", shown)
}

fn unknown_id(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    first_page(api, APPS)?;
    by_status(&api.get(&format!("{APPS}/{UNKNOWN_ID}"))?, &[(404, "404"), (403, "403")])
}

fn unknown_app_filter(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    first_page(api, FINDINGS)?;
    let (reply, evidence) = api.get(&format!("{FINDINGS}?mobile_app_id={UNKNOWN_ID}"))?;
    match listed(FINDINGS, &reply) {
        Some(ids) if ids.is_empty() => Ok("empty"),
        None if reply.status == 404 => Ok("404"),
        _ => no_value_fits(&evidence),
    }
}

/// A key for all apps that has some permissions and lacks another.
fn key_without<'c>(api: DataTheorem<'c>, lacked: &str, granted: &[&str]) -> Result<&'c ApiKey, Stop> {
    api.find_key(&format!("without {lacked} but with {granted:?}"), |key| {
        let has = |permission: &str| key.permissions.contains(permission);
        key.mobile_app_ids.is_none() && !has(lacked) && granted.iter().all(|permission| has(permission))
    })
}

fn missing_permission(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let key = key_without(subject.api, COMMENT, &[])?;
    let limited = subject.seen_with(key);
    limited.finding()?;
    let answer = limited.comment()?;
    let (reply, evidence) = subject.comment()?;
    observed(reply.is_success(), format!("with the permission, {evidence}"))?;
    by_status(&answer, &[(403, "403"), (401, "401")])
}

fn status_permission(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let key = key_without(subject.api, CLOSE, &[])?;
    let limited = subject.seen_with(key);
    limited.api.target(&limited.id)?;
    let answer = limited.ask_for("CLOSED_WONT_FIX")?;
    if answer.0.is_success() {
        subject.stands(&answer, "CLOSED_WONT_FIX")?;
        return Ok("none");
    }
    subject.set_status("CLOSED_WONT_FIX")?;
    by_status(&answer, &FORBIDDEN.map(|status| (status, "close-permission")))
}

fn status_reason_permission(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let key = key_without(subject.api, COMMENT, &[CLOSE])?;
    let limited = subject.seen_with(key);
    limited.can_be_reopened()?;
    let body = json!({"status": "CLOSED_WONT_FIX", "reason": REMARK});
    let answer = limited.api.post(&format!("{}/statuses", limited.path()), &body)?;
    if answer.0.is_success() {
        subject.stands(&answer, "CLOSED_WONT_FIX")?;
        return Ok("none");
    }
    by_status(&answer, &FORBIDDEN.map(|status| (status, "comment-permission")))
}

fn invalid_request(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    first_page(api, FINDINGS)?;
    // For each of these a reading lets it pass.
    for odd in ["status_group=NO_SUCH_GROUP", "cursor=contract-suite", "results_since=", "contract_suite=1"] {
        let answer = api.get(&format!("{FINDINGS}?{odd}"))?;
        if answer.0.status != 200 {
            return by_status(&answer, &[(400, "400"), (422, "422")]);
        }
    }
    not_exercised("nothing odd in a query is refused")
}

fn malformed_filter(case: &Case) -> Shown {
    refused_or_same(case.data_theorem()?, FINDINGS, "status_group=NO_SUCH_GROUP", "ignored")
}

fn empty_results_since(case: &Case) -> Shown {
    refused_or_same(case.data_theorem()?, APPS, "results_since=", "absent")
}

fn unknown_parameter(case: &Case) -> Shown {
    refused_or_same(case.data_theorem()?, APPS, "contract_suite=1", "ignored")
}

fn malformed_cursor(case: &Case) -> Shown {
    refused_or_same(case.data_theorem()?, FINDINGS, "cursor=contract-suite", "first-page")
}

fn raw_plus(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    first_page(api, APPS)?;
    // Nothing is as new as this, so a filter that was understood leaves nothing.
    let future = "2999-01-01T00:00:00+00:00";
    let encoded = api.page(APPS, &[("results_since", future)])?;
    observed(encoded.rows.rows.is_empty(), "`results_since` with an encoded plus has no effect")?;
    let (reply, evidence) = api.get(&format!("{APPS}?results_since={future}"))?;
    match listed(APPS, &reply) {
        Some(ids) if ids.is_empty() => Ok("plus"),
        None if is_refused(&reply) => Ok("refused"),
        _ => no_value_fits(&evidence),
    }
}

fn unknown_body_field(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    subject.set_external_id("CONTRACT-1")?;
    let (reply, evidence) = subject.patch(&json!({"external_id": "CONTRACT-2", "contract_suite": "x"}))?;
    match subject.external_id()?.as_deref() {
        Some("CONTRACT-2") if reply.status == 200 => Ok("ignored"),
        Some("CONTRACT-1") if is_refused(&reply) => Ok("refused"),
        _ => no_value_fits(&evidence),
    }
}

fn page_size_parameter(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let plain = first_page(api, FINDINGS)?;
    observed(plain.len() > 2, "there are no more than two findings")?;
    let sized = api.get(&format!("{FINDINGS}?page_size=2"))?;
    let unknown = api.get(&format!("{FINDINGS}?contract_suite=2"))?;
    let (sized_ids, unknown_ids) = (listed(FINDINGS, &sized.0), listed(FINDINGS, &unknown.0));
    if sized_ids.as_deref() == plain.get(..2) {
        Ok("honoured")
    } else if sized.0.status == unknown.0.status && sized_ids == unknown_ids {
        Ok("ignored")
    } else {
        no_value_fits(&sized.1)
    }
}

fn enum_case(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let count = |(reply, _): &Answer| total_count(&reply.json()?["pagination_information"]);
    let all = count(&api.get(FINDINGS)?);
    let open = count(&api.get(&format!("{FINDINGS}?status_group=OPEN"))?);
    observed(all.is_some() && open.is_some(), "the lists of findings have no `total_count`")?;
    observed(open != all && open != Some(0), "there are not both open and closed findings")?;
    let lower = api.get(&format!("{FINDINGS}?status_group=open"))?;
    let lower_count = count(&lower).filter(|_| lower.0.status == 200);
    if lower_count == open {
        Ok("insensitive")
    } else if lower_count == all || is_refused(&lower.0) {
        // A reading lets unknown words be ignored.
        Ok("exact")
    } else {
        no_value_fits(&lower.1)
    }
}

fn content_type(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    subject.set_external_id("CONTRACT-1")?;
    let mut request = subject.api.request(Method::PATCH, &subject.path());
    request.body = Bytes::from(json!({"external_id": "CONTRACT-2"}).to_string());
    let (reply, evidence) = subject.api.send(request)?;
    match subject.external_id()?.as_deref() {
        Some("CONTRACT-2") if reply.status == 200 => Ok("tolerant"),
        Some("CONTRACT-1") if reply.status == 415 => Ok("required"),
        _ => no_value_fits(&evidence),
    }
}

fn cursor_filters(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    for (resource, filter) in
        [(FINDINGS, "OPEN"), (FINDINGS, "CLOSED"), (TARGETS, "OPEN"), (TARGETS, "CLOSED")]
    {
        let filter = ("status_group", filter);
        let Some(cursor) = api.page(resource, &[filter])?.next_cursor else { continue };
        let cursor = ("cursor", cursor.as_str());
        let (reply, _) = api.get(&with_query(resource, &[filter, cursor]))?;
        let repeated = listed(resource, &reply).unwrap_or_default();
        if repeated.is_empty() {
            continue;
        }
        let (reply, evidence) = api.get(&with_query(resource, &[cursor]))?;
        return match listed(resource, &reply) {
            Some(alone) if alone == repeated => Ok("bound"),
            None if is_refused(&reply) => Ok("repeated"),
            _ => no_value_fits(&evidence),
        };
    }
    not_exercised("no list with a filter has a second page")
}

/// What becomes of an `external_id` that is set to something that is none.
fn external_id_after(case: &Case, value: &Value) -> Result<(Option<String>, Answer), Stop> {
    let subject = Subject::open(case)?;
    subject.set_external_id("CONTRACT-1")?;
    let answer = subject.patch(&json!({"external_id": value}))?;
    observed(answer.0.status == 200, &answer.1)?;
    Ok((subject.external_id()?, answer))
}

fn external_id_null(case: &Case) -> Shown {
    let (shown, (_, evidence)) = external_id_after(case, &Value::Null)?;
    match shown.as_deref() {
        Some("CONTRACT-1") => Ok("unchanged"),
        None => Ok("cleared"),
        Some(_) => no_value_fits(&evidence),
    }
}

fn external_id_empty(case: &Case) -> Shown {
    let (shown, (_, evidence)) = external_id_after(case, &json!(""))?;
    match shown.as_deref() {
        Some("") => Ok("stored"),
        None => Ok("cleared"),
        Some(_) => no_value_fits(&evidence),
    }
}

fn trailing_slash(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let plain = first_page(api, APPS)?;
    let (reply, evidence) = api.get(&format!("{APPS}/"))?;
    match listed(APPS, &reply) {
        Some(ids) if ids == plain => Ok("same"),
        None if reply.status == 404 => Ok("404"),
        _ => no_value_fits(&evidence),
    }
}
