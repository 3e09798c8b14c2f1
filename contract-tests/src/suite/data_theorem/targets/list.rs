//! `GET security_finding_targets`.

use fixtures::spec::data_theorem::{
    DT_TARGETS_LIST, DT_TARGETS_LIST_CURSOR, DT_TARGETS_LIST_FILTERS_TOGETHER, DT_TARGETS_LIST_HISTORY,
    DT_TARGETS_LIST_ISSUE_TYPE_ID, DT_TARGETS_LIST_KEY, DT_TARGETS_LIST_LINKS, DT_TARGETS_LIST_MOBILE_APP_ID,
    DT_TARGETS_LIST_PAGINATION, DT_TARGETS_LIST_PORTAL_URL, DT_TARGETS_LIST_RESULTS_SINCE,
    DT_TARGETS_LIST_SECURITY_FINDING_ID, DT_TARGETS_LIST_STATUS_GROUP,
};

use super::super::client::TARGETS;
use super::super::lists::{answers_rows, cursor_continues, has_pagination, narrows, narrows_by_time};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::*;

checks! { "data-theorem/targets";
    filters_together: DT_TARGETS_LIST_FILTERS_TOGETHER, Reading, filters_together;
    list: DT_TARGETS_LIST, Reading, |case| answers_rows(case.data_theorem()?, TARGETS, &[TARGETS, "targets"]);
    list_key: DT_TARGETS_LIST_KEY, Reading, list_key;
    list_history: DT_TARGETS_LIST_HISTORY, Reading, |case| targets(case)?.each("statuses", &ListOf(&Object));
    list_pagination: DT_TARGETS_LIST_PAGINATION, Reading, |case| has_pagination(case.data_theorem()?, TARGETS);
    list_links: DT_TARGETS_LIST_LINKS, Reading, |case| targets(case)?.each("links", &ListOf(&Object));
    list_portal_url: DT_TARGETS_LIST_PORTAL_URL, Reading, |case| targets(case)?.each("portal_url", &Url);
    list_cursor: DT_TARGETS_LIST_CURSOR, Reading, |case| cursor_continues(case.data_theorem()?, TARGETS, &[]);
    filter_mobile_app_id: DT_TARGETS_LIST_MOBILE_APP_ID, Reading, |case| filter_of(case, "mobile_app_id");
    filter_results_since: DT_TARGETS_LIST_RESULTS_SINCE, Reading,
        |case| narrows_by_time(case.data_theorem()?, targets(case)?, TARGETS, "results_last_updated");
    filter_security_finding_id: DT_TARGETS_LIST_SECURITY_FINDING_ID, Reading,
        |case| filter_of(case, "security_finding_id");
    filter_status_group: DT_TARGETS_LIST_STATUS_GROUP, Reading, filter_status_group;
    filter_issue_type_id: DT_TARGETS_LIST_ISSUE_TYPE_ID, Reading, |case| filter_of(case, "issue_type_id");
}

fn targets(case: &Case) -> Result<&Rows, Stop> {
    case.data_theorem()?.targets()
}

fn list_key(case: &Case) -> Verdict {
    let (reply, evidence) = case.data_theorem()?.get(TARGETS)?;
    observed(reply.status == 200, format!("the list answers {}", reply.status))?;
    let json = reply.json().unwrap_or_default();
    let lists: Vec<&String> = json
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.is_array())
        .map(|(name, _)| name)
        .collect();
    match lists.as_slice() {
        [name] if ["security_finding_targets", "targets"].contains(&name.as_str()) => Held::once(),
        names => broken_at(
            &evidence,
            "one list, under `security_finding_targets` or `targets`",
            format!("{names:?}"),
        ),
    }
}

/// The list by a field's value, taken from a row, is what has this value.
fn filter_of(case: &Case, name: &str) -> Verdict {
    let all = targets(case)?;
    let first = all.find("target", |row| row.text(name).is_some())?;
    let value = first.text(name).unwrap_or_default();
    narrows(case.data_theorem()?, all, TARGETS, &[(name, value)], |row| row.text(name) == Some(value))
}

fn filter_status_group(case: &Case) -> Verdict {
    let (api, all) = (case.data_theorem()?, targets(case)?);
    // Whether a target that waits for a rescan counts as open is a reading; nothing depends on it here.
    let decided = all.only(|row| row.text("current_status") != Some("OPEN_READY_TO_RESCAN"));
    let status = |row: &Row| row.text("current_status").unwrap_or_default().to_owned();
    let is_open = |row: &Row| matches!(status(row).as_str(), "OPEN" | "NEW" | "OPEN_READY_TO_RESCAN");
    narrows(api, &decided, TARGETS, &[("status_group", "OPEN")], is_open)?;
    narrows(api, &decided, TARGETS, &[("status_group", "CLOSED")], |row| status(row).starts_with("CLOSED_"))
}

/// Two filters of which each alone lets through something that the other does not.
fn filters_together(case: &Case) -> Verdict {
    let (api, all) = (case.data_theorem()?, targets(case)?);
    let closed = |row: &Row| row.text("current_status").is_some_and(|status| status.starts_with("CLOSED_"));
    let mixed = all.find("closed target in an app with others, and another outside it", |row| {
        let is_near = |other: &&Row| other.text("mobile_app_id") == row.text("mobile_app_id");
        closed(row)
            && all.rows.iter().filter(is_near).any(|other| !closed(other))
            && all.rows.iter().any(|other| !is_near(&other) && closed(other))
    })?;
    let app = mixed.text("mobile_app_id").unwrap_or_default();
    let query = [("mobile_app_id", app), ("status_group", "CLOSED")];
    narrows(api, all, TARGETS, &query, |row| closed(row) && row.text("mobile_app_id") == Some(app))
}
