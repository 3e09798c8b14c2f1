//! `fetchProjectPolicyIssues`.

use fixtures::spec::mend::{
    MEND_ACTION_TYPE_SPELLING, MEND_FETCH_FIRST_PAGE, MEND_FETCH_PAGING, MEND_FETCH_WINDOW_BOUNDS,
    MEND_FETCH_WINDOW_FIELD, MEND_FETCH_WINDOW_FORMAT, MEND_FETCH_WINDOW_MINUTES, MEND_FETCH_WINDOW_MISSING,
    MEND_FETCH_WINDOW_ONE_BOUND, MEND_FETCH_WINDOW_REVERSED, MEND_FETCH_WINDOW_ROWS,
    MEND_FETCH_WINDOW_UNPARSABLE, MEND_POLICY_ACTION_TYPE,
};
use serde_json::{Value, json};

use super::tried::tried;
use super::windows::{
    DASHES, EARLY, FORMS, Framed, LATE, SLASHES, fetched, in_utc, later, start_of, understood, violation_of,
};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes, unclear};
use crate::suite::rows::{Row, Rows};

probes! {
    MEND_FETCH_WINDOW_FORMAT, Reading, window_format;
    MEND_FETCH_WINDOW_UNPARSABLE, Reading, window_unparsable;
    MEND_FETCH_WINDOW_MISSING, Reading, window_missing;
    MEND_FETCH_WINDOW_ONE_BOUND, Reading, window_one_bound;
    MEND_FETCH_WINDOW_REVERSED, Reading, window_reversed;
    MEND_FETCH_WINDOW_FIELD, Control, window_field;
    MEND_FETCH_WINDOW_BOUNDS, Reading, window_bounds;
    MEND_FETCH_WINDOW_MINUTES, Reading, window_minutes;
    MEND_FETCH_WINDOW_ROWS, Control, window_rows;
    MEND_FETCH_PAGING, Reading, paging;
    MEND_FETCH_FIRST_PAGE, Reading, first_page;
    MEND_POLICY_ACTION_TYPE, Reading, policy_action_type;
    MEND_ACTION_TYPE_SPELLING, Reading, action_type_spelling;
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn window_format(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let project = Framed::with_issues(api, 1)?.project;
    let mut seen = [false; FORMS.len()];
    for (seen, form) in seen.iter_mut().zip(FORMS) {
        *seen = understood(api, &project, form)?.is_some();
    }
    match seen {
        [true, true, true] => Ok("any"),
        [true, false, false] => Ok("space"),
        [false, true, false] => Ok("slashes"),
        [false, false, true] => Ok("dashes"),
        _ => not_exercised(format!("of the three forms these are understood: {seen:?}")),
    }
}

/// Both bounds are no dates, so that an answer as if they were absent is the one to a call without bounds.
fn window_unparsable(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let project = Framed::with_issues(api, 1)?.project;
    let without = fetched(api, &project, &json!({}))?;
    let Ok(without) = without else { return not_exercised("a call without bounds is refused") };
    let bounds = json!({"fromDateTime": "2022-02-30 00:00:00", "toDateTime": "2022-02-31 00:00:00"});
    match fetched(api, &project, &bounds)? {
        Err(_) => Ok("refused"),
        Ok(issues) if !issues.rows.is_empty() && issues.rows.len() == without.rows.len() => Ok("ignored"),
        Ok(issues) => not_exercised(unexpected(&issues)),
    }
}

fn window_missing(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let framed = Framed::with_issues(api, 1)?;
    match fetched(api, &framed.project, &json!({}))? {
        Err(_) => Ok("refused"),
        Ok(issues) if issues.rows.len() == framed.issues.rows.len() => Ok("all"),
        Ok(issues) => not_exercised(unexpected(&issues)),
    }
}

/// On the sides that the bounds leave open there is nothing.
fn window_one_bound(case: &Case) -> Result<&'static str, Stop> {
    let framed = Framed::with_issues(case.mend()?, 1)?;
    let since = framed.with_bound("fromDateTime", LATE)?.map(|issues| issues.rows.len());
    let until = framed.with_bound("toDateTime", EARLY)?.map(|issues| issues.rows.len());
    let all = framed.issues.rows.len();
    match (since, until) {
        (Err(_), Err(_)) => Ok("refused"),
        (Ok(0), Ok(0)) => Ok("half-open"),
        (Ok(since), Ok(until)) if since == all && until == all => Ok("all"),
        _ => not_exercised("with only a start, and with only an end, different things happen"),
    }
}

fn window_reversed(case: &Case) -> Result<&'static str, Stop> {
    let framed = Framed::with_issues(case.mend()?, 1)?;
    match framed.within(LATE, EARLY)? {
        Err(_) => Ok("refused"),
        Ok(issues) if issues.rows.is_empty() => Ok("empty"),
        Ok(issues) => not_exercised(unexpected(&issues)),
    }
}

/// A violation changes long after it was created.
fn window_field(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (framed, _, violation) = vulnerable(case)?;
    let uuid = violation["issueUuid"].as_str().unwrap_or_default();
    let Some(created) = violation["created"].as_str().and_then(start_of) else {
        return not_exercised("a violation does not say when it was created");
    };
    let now = in_utc(case.sandbox()?.advance_seconds(3 * DAY)?);
    let name = &violation["vulnerability"]["name"];
    case.happen(&json!({"type": "mend.vulnerability_rescored", "name": name, "score": 6.1}))?;
    let issues = api.policy_issues_of(&framed.project)?;
    let today = now.strftime("%Y-%m-%d").to_string();
    let is_changed = |one: &Value| one["issueUuid"] == uuid && one["lastModified"] == today.as_str();
    let changed = issues.rows.iter().any(|issue| violation_of(issue, is_changed).is_some());
    observed(changed, "a violation does not change with its vulnerability's score")?;
    let when_changed = framed.holds(uuid, later(now, -HOUR), later(now, HOUR))?;
    let when_created = framed.holds(uuid, created, later(created, DAY))?;
    match (when_created, when_changed) {
        (true, false) => Ok("created"),
        (false, true) => Ok("last-modified"),
        _ => not_exercised("windows tell apart neither creation nor change of a violation"),
    }
}

fn window_bounds(case: &Case) -> Result<&'static str, Stop> {
    let framed = Framed::with_issues(case.mend()?, 1)?;
    let dated = framed.dated(|_| true)?;
    let (uuid, second) = (&dated.uuid, dated.second);
    observed(
        framed.holds(uuid, second, later(second, 1))?,
        "a window of two seconds does not hold what came up in its first",
    )?;
    Ok(if framed.holds(uuid, second, second)? { "inclusive" } else { "to-exclusive" })
}

fn window_minutes(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let framed = Framed::with_issues(api, 1)?;
    let mut in_minutes = None;
    for form in [SLASHES, DASHES] {
        if in_minutes.is_none() && understood(api, &framed.project, form)?.is_some() {
            in_minutes = Some(form);
        }
    }
    let Some(form) = in_minutes else { return not_exercised("windows don't take minutes") };
    let dated = framed.dated(|second| second.second() > 0)?;
    let minute = later(dated.second, -i64::from(dated.second.second()));
    let next = later(minute, 60);
    observed(
        framed.holds_in(form, &dated.uuid, minute, next)?,
        "a window of two minutes does not hold what came up in its first",
    )?;
    let holds = framed.holds_in(form, &dated.uuid, minute, minute)?;
    Ok(if holds { "whole-minute" } else { "start-of-minute" })
}

/// An issue gets a second violation.
fn window_rows(case: &Case) -> Result<&'static str, Stop> {
    let (framed, issue, violation) = vulnerable(case)?;
    let now = case.sandbox()?.advance_seconds(3 * DAY)?;
    let known = &violation["vulnerability"];
    let name = "CONTRACT-2026-0001";
    let mut vulnerability = json!({
        "name": name, "score": known["score"], "publish_date": now, "last_updated": now,
        "url": "https://vulnerabilities.example/CONTRACT-2026-0001", "description": "Made by the contract suite.",
    });
    if let Some(score) = known.get("cvss3_score") {
        vulnerability["cvss3"] = json!({"score": score});
    }
    let libraries = [&issue.json["library"]["keyUuid"]];
    let event = json!({
        "type": "mend.vulnerability_published", "key_uuids": libraries, "vulnerability": vulnerability,
    });
    case.happen(&event)?;
    let is_new = |one: &Value| one["vulnerability"]["name"] == name;
    let in_window = |from, to| match framed.within(from, to)? {
        Ok(issues) => {
            let issue =
                issues.find("issue with a new violation", |row| violation_of(row, is_new).is_some())?;
            Ok(issue.list("policyViolations").len())
        }
        Err(refusal) => unclear("a window is refused", refusal.message),
    };
    let all = in_window(EARLY, LATE)?;
    observed(all > 1, "a new violation does not stand in the issue of its policy and library")?;
    match in_window(later(in_utc(now), -HOUR), later(in_utc(now), HOUR))? {
        1 => Ok("violations-inside"),
        some if some == all => Ok("whole-issue"),
        some => not_exercised(format!("{some} of {all} violations are in a window that holds one")),
    }
}

/// A project with a violation by a vulnerability: the issue and the violation.
fn vulnerable(case: &Case) -> Result<(Framed<'_>, Row, Value), Stop> {
    let is_vulnerable =
        |one: &Value| one["vulnerability"]["name"].is_string() && one["vulnerability"]["score"] != 6.1;
    let find = |issues: &Rows| {
        let issue = issues.rows.iter().find(|issue| violation_of(issue, is_vulnerable).is_some())?;
        Some((issue.clone(), violation_of(issue, is_vulnerable)?.clone()))
    };
    let what = "a violation by a vulnerability";
    let framed = Framed::find(case.mend()?, what, |issues| find(issues).is_some())?;
    match find(&framed.issues) {
        Some((issue, violation)) => Ok((framed, issue, violation)),
        None => not_exercised(format!("there is not {what}")),
    }
}

fn paging(case: &Case) -> Result<&'static str, Stop> {
    let framed = Framed::with_issues(case.mend()?, 3)?;
    let page = |number: u64| framed.asked(&json!({"page": number, "pageSize": 1}));
    let all = framed.issues.rows.len();
    match (page(1)?, page(2)?) {
        (Err(_), Err(_)) => Ok("refused"),
        (Ok(one), Ok(other)) if one.rows.len() == all && other.rows.len() == all => Ok("ignored"),
        (Ok(one), Ok(other)) if is_one(&one) && is_one(&other) && json_of(&one) != json_of(&other) => {
            Ok("honoured")
        }
        _ => not_exercised("pages are neither taken from the list, nor ignored, nor refused"),
    }
}

fn first_page(case: &Case) -> Result<&'static str, Stop> {
    let framed = Framed::with_issues(case.mend()?, 3)?;
    let page = |number: u64| framed.asked(&json!({"page": number, "pageSize": 1}));
    let Some(one) = page(1)?.ok().filter(is_one) else {
        return not_exercised("a page of one issue does not have one issue");
    };
    match page(0)? {
        Err(_) => Ok("1"),
        Ok(zeroth) if is_one(&zeroth) && json_of(&zeroth) != json_of(&one) => Ok("0"),
        Ok(zeroth) => not_exercised(unexpected(&zeroth)),
    }
}

fn is_one(issues: &Rows) -> bool {
    issues.rows.len() == 1
}

fn json_of(issues: &Rows) -> Vec<&Value> {
    issues.rows.iter().map(|row| &row.json).collect()
}

fn policy_action_type(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let framed = Framed::with_issues(api, 1)?;
    match framed.asked(&json!({"policyActionType": "REJECT"}))? {
        Err(_) => Ok("refused"),
        Ok(issues) if issues.rows.is_empty() => {
            let fields = json!({"projectToken": framed.project, "policyActionType": "REJECT"});
            let answer = tried(api, "fetchProjectPolicyIssues", &fields)?;
            let is_filled = answer.is_ok_and(|answer| answer.json["project"]["projectToken"].is_string());
            observed(is_filled, "the answer names no project")?;
            Ok("empty")
        }
        Ok(issues) => not_exercised(unexpected(&issues)),
    }
}

fn action_type_spelling(case: &Case) -> Result<&'static str, Stop> {
    let framed = Framed::with_issues(case.mend()?, 1)?;
    match framed.asked(&json!({"policyActionType": "Create Issue"}))? {
        Err(_) => Ok("constant"),
        // An unsupported type may also have no issues.
        Ok(issues) if issues.rows.is_empty() => Ok("constant"),
        Ok(issues) if issues.rows.len() == framed.issues.rows.len() => Ok("prose-too"),
        Ok(issues) => not_exercised(unexpected(&issues)),
    }
}

fn unexpected(issues: &Rows) -> String {
    format!("the answer has {} issues, which no value says", issues.rows.len())
}
