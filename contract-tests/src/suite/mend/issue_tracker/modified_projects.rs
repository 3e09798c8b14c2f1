//! `getOrganizationLastModifiedProjects`.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::spec::mend::{
    MEND_MODIFIED_ASPECTS, MEND_MODIFIED_FROM, MEND_MODIFIED_OLD_PROJECT, MEND_MODIFIED_ORG_TOKEN,
    MEND_MODIFIED_PROJECTS, MEND_MODIFIED_RANGE_FORMAT, MEND_MODIFIED_REQUEST_TOKEN,
    MEND_MODIFIED_REQUEST_TOKEN_KEY, MEND_MODIFIED_ROW_FIELDS, MEND_MODIFIED_TO, MEND_MODIFIED_TYPES,
    MEND_MODIFIED_TYPES_ABSENT,
};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use serde_json::{Value, json};

use super::super::Mend;
use super::asking::{MODIFIED, RequestTokens, about_organization, day_of, refuses};
use super::policy_issue_fields::has_all;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::*;

checks! { "mend/modified-projects";
    modified_project_is_listed: MEND_MODIFIED_PROJECTS, Control, modified_project_is_listed;
    several_types_in_one_call: MEND_MODIFIED_ASPECTS, Reading, several_types_in_one_call;
    org_token: MEND_MODIFIED_ORG_TOKEN, Reading, org_token;
    types_limit: MEND_MODIFIED_TYPES, Reading, types_limit;
    without_types_every_type: MEND_MODIFIED_TYPES_ABSENT, Reading, without_types_every_type;
    from_leaves_out_earlier: MEND_MODIFIED_FROM, Reading, from_leaves_out_earlier;
    to_leaves_out_later: MEND_MODIFIED_TO, Reading, to_leaves_out_later;
    bounds_are_seconds: MEND_MODIFIED_RANGE_FORMAT, Reading, bounds_are_seconds;
    request_token: MEND_MODIFIED_REQUEST_TOKEN, Reading,
        |case| request_tokens(case)?.come_when_asked_for("lastModifiedProjects");
    row_fields: MEND_MODIFIED_ROW_FIELDS, Reading, row_fields;
    request_token_key: MEND_MODIFIED_REQUEST_TOKEN_KEY, Reading, request_token_key;
    old_project_has_its_uuid_as_token: MEND_MODIFIED_OLD_PROJECT, Reading, old_project_has_its_uuid_as_token;
}

/// The types that both versions of the page have.
const TYPES: [&str; 6] =
    ["INVENTORY", "METADATA", "SCAN", "POLICY_MATCH", "SCAN_COMMENT", "SOURCE_FILE_MATCH"];

fn ask(api: Mend<'_>, fields: &Value) -> Result<Rows, Stop> {
    let mut all = about_organization(api);
    if let (Some(all), Some(fields)) = (all.as_object_mut(), fields.as_object()) {
        all.extend(fields.clone());
    }
    Ok(api.accepted(MODIFIED, &all)?.rows("lastModifiedProjects", "a modified project"))
}

/// Which project a row is of, by whichever of its names is there.
fn project_of(row: &Row) -> &str {
    row.text("apiToken").or(row.text("uuid")).unwrap_or_default()
}

fn type_of(row: &Row) -> &str {
    row.text("modificationType").unwrap_or_default()
}

fn day_of_row(row: &Row) -> Option<Date> {
    day_of(row.text("lastModified"))
}

/// When each project was modified last, as it is written: that is in the order of time.
fn newest(rows: &Rows) -> BTreeMap<&str, &str> {
    let mut newest = BTreeMap::new();
    for row in &rows.rows {
        let known = newest.entry(project_of(row)).or_insert("");
        *known = (*known).max(row.text("lastModified").unwrap_or_default());
    }
    newest
}

/// Nothing in the second list is newer than in the first.
fn is_not_behind(rows: &Rows, other: &Rows) -> Verdict {
    let (newest, others) = (newest(rows), newest(other));
    for (project, time) in &others {
        let shown = newest.get(project).copied().unwrap_or("nothing");
        if shown == "nothing" || shown < *time {
            let Some(row) = rows.rows.first().or(other.rows.first()) else { continue };
            return broken_at(&row.evidence, format!("a project's modification of {time}"), shown);
        }
    }
    Held::over(others.len(), "nothing was modified")
}

fn modified_project_is_listed(case: &Case) -> Verdict {
    let api = case.mend()?;
    let before = ask(api, &json!({}))?;
    let project = api.projects()?.find("project that is listed", |project| {
        before.rows.iter().any(|row| row.text("apiToken") == project.text("projectToken"))
    })?;
    let token = project.text("projectToken").unwrap_or_default();
    let now = case.sandbox()?.advance_seconds(2 * 24 * 3_600)?;
    case.happen(&json!({"type": "mend.scan", "project_token": token}))?;
    let after = ask(api, &json!({}))?;
    let shown = newest(&after).get(token).and_then(|time| day_of(Some(time)));
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    if shown != Some(today) {
        let row = after.find("modified project any more", |_| true)?;
        let seen = shown.map_or("nothing".to_owned(), |day| day.to_string());
        return broken_at(&row.evidence, format!("the project's scan of {today}"), seen);
    }
    Held::once()
}

fn several_types_in_one_call(case: &Case) -> Verdict {
    let api = case.mend()?;
    let of = |types: &[&str]| ask(api, &json!({"modificationTypes": types}));
    let [first, second] = ["METADATA", "SCAN"];
    let (alone, other, both) = (of(&[first])?, of(&[second])?, of(&[first, second])?);
    observed(!alone.rows.is_empty() && !other.rows.is_empty(), "only one type of modification was seen")?;
    is_not_behind(&both, &alone)?;
    is_not_behind(&both, &other)
}

fn org_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let rows = ask(api, &json!({}))?;
    observed(!rows.rows.is_empty(), "nothing was modified")?;
    refuses(api, MODIFIED, &[("without `orgToken`", json!({}))])
}

fn types_limit(case: &Case) -> Verdict {
    let api = case.mend()?;
    let all = ask(api, &json!({}))?;
    let mut seen = BTreeSet::new();
    for one in TYPES {
        let limited = ask(api, &json!({"modificationTypes": [one]}))?;
        let is_other = |row: &Row| row.text("modificationType").is_some_and(|shown| shown != one);
        if let Some(other) = limited.rows.iter().find(|row| is_other(row)) {
            return broken_at(&other.evidence, format!("{one} only"), &other.json);
        }
        seen.extend(limited.rows.iter().map(type_of).map(str::to_owned));
        let expected = all.only(|row| type_of(row) == one);
        let is_there = |row: &Row| limited.rows.iter().any(|other| project_of(other) == project_of(row));
        if let Some(missing) = expected.rows.iter().find(|row| !is_there(row)) {
            return broken_at(&missing.evidence, format!("the same project for {one} alone"), "none");
        }
    }
    observed(seen.len() > 1, "only one type of modification was seen")?;
    Held::over(seen.len(), "nothing was modified")
}

fn without_types_every_type(case: &Case) -> Verdict {
    let api = case.mend()?;
    let named = ask(api, &json!({"modificationTypes": TYPES}))?;
    let types: BTreeSet<&str> = named.rows.iter().map(type_of).collect();
    observed(types.len() > 1, "only one type of modification was seen")?;
    is_not_behind(&ask(api, &json!({}))?, &named)
}

/// A day with modifications before and after it.
fn middle_day(rows: &Rows) -> Result<Date, Stop> {
    let days: BTreeSet<Date> = rows.rows.iter().filter_map(day_of_row).collect();
    let days: Vec<Date> = days.into_iter().collect();
    match days.get(days.len() / 2) {
        Some(day) if days.len() > 2 => Ok(*day),
        _ => not_exercised("projects were not modified on several days"),
    }
}

/// The rows in a range that begins or ends on a day: none beyond, and all that lie inside as a whole.
fn ranges(
    case: &Case,
    bound: impl Fn(Date) -> Value,
    is_inside: impl Fn(Date, Date) -> bool,
    expected: &str,
) -> Verdict {
    let api = case.mend()?;
    let all = ask(api, &json!({}))?;
    let day = middle_day(&all)?;
    let limited = ask(api, &bound(day))?;
    let lies = |row: &Row| day_of_row(row).is_some_and(|at| is_inside(at, day));
    let is_outside = |row: &Row| day_of_row(row).is_some_and(|at| at != day && !is_inside(at, day));
    if let Some(row) = limited.rows.iter().find(|row| is_outside(row)) {
        return broken_at(&row.evidence, format!("{expected} {day}"), &row.json);
    }
    let inside = all.only(lies);
    let is_shown = |row: &Row| limited.rows.iter().any(|other| project_of(other) == project_of(row));
    if let Some(missing) = inside.rows.iter().find(|row| !is_shown(row)) {
        let evidence = limited.rows.first().map_or(&missing.evidence, |row| &row.evidence);
        return broken_at(
            evidence,
            format!("{expected} {day}, such as {}", missing.json),
            "not that project",
        );
    }
    Held::over(inside.rows.len(), "nothing lies in the range")
}

fn from_leaves_out_earlier(case: &Case) -> Verdict {
    let bound = |day: Date| json!({"fromDateTime": format!("{day} 00:00:00")});
    ranges(case, bound, |at, day| at > day, "what was modified from")
}

fn to_leaves_out_later(case: &Case) -> Verdict {
    let bound = |day: Date| json!({"toDateTime": format!("{day} 23:59:59")});
    ranges(case, bound, |at, day| at < day, "what was modified until")
}

fn bounds_are_seconds(case: &Case) -> Verdict {
    const FORM: &str = "%Y-%m-%d %H:%M:%S";
    let api = case.mend()?;
    let all = ask(api, &json!({}))?;
    let time_of = |row: &Row| DateTime::strptime(FORM, row.text("lastModified")?).ok();
    let what = "modification whose second is shown, at another time than midnight";
    let row = all.find(what, |row| time_of(row).is_some_and(|at| (1..23).contains(&at.hour())))?;
    let Some(at) = time_of(row) else { return not_exercised("no second is shown") };
    let near =
        |seconds: i64| at.checked_add(seconds.seconds()).map_or(at, |time| time).strftime(FORM).to_string();
    let is_same = |other: &Row| {
        project_of(other) == project_of(row) && type_of(other) == type_of(row) && time_of(other) == Some(at)
    };
    for (name, seconds, is_inside) in [
        ("fromDateTime", 0, true),
        ("fromDateTime", 1, false),
        ("toDateTime", 0, true),
        ("toDateTime", -1, false),
    ] {
        let rows = ask(api, &json!({name: near(seconds)}))?;
        if rows.rows.iter().any(is_same) != is_inside {
            let evidence = rows.rows.first().map_or(&row.evidence, |row| &row.evidence);
            let expected = format!("a range with {name} {} tells seconds apart", near(seconds));
            let is_there = if is_inside { "is missing" } else { "is there" };
            return broken_at(evidence, expected, format!("the modification of {at} {is_there}"));
        }
    }
    Held::once()
}

fn request_tokens(case: &Case) -> Result<RequestTokens, Stop> {
    let api = case.mend()?;
    RequestTokens::ask(api, MODIFIED, |_| about_organization(api))
}

fn request_token_key(case: &Case) -> Verdict {
    let asked = request_tokens(case)?;
    observed(!asked.added.is_empty(), "the answer with a token has nothing more than the one without")?;
    let answer = asked.with;
    if answer.json["requestToken"].as_str().is_none_or(str::is_empty) {
        return broken_at(&answer.evidence, "the string `requestToken`", format!("{:?}", asked.added));
    }
    Held::once()
}

fn row_fields(case: &Case) -> Verdict {
    let api = case.mend()?;
    let answer = api.accepted(MODIFIED, &about_organization(api))?;
    answer.expect_list("lastModifiedProjects")?;
    let rows = answer.rows("lastModifiedProjects", "a modified project");
    let fields =
        [("uuid", Text), ("apiToken", Text), ("modificationType", FilledText), ("lastModified", FilledText)];
    has_all(&rows, &fields)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
}

fn old_project_has_its_uuid_as_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let rows = ask(api, &json!({}))?;
    let projects = &api.projects()?.rows;
    let old: BTreeSet<&str> =
        projects.iter().filter_map(|row| row.text("projectToken")).filter(|token| is_uuid(token)).collect();
    let of_old = rows.only(|row| row.text("uuid").is_some_and(|uuid| old.contains(uuid)));
    observed(!of_old.rows.is_empty(), "no modified project is so old that it has no token")?;
    of_old.all("the uuid of a project without a token as its `apiToken`", |row| {
        (row.text("apiToken") != row.text("uuid")).then(|| row.json.to_string())
    })
}
