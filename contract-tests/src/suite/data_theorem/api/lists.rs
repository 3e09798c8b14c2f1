//! Paging, and the filters of findings and targets that only other pages and real clients tell of.

use std::collections::BTreeSet;

use fixtures::spec::data_theorem::{
    DT_FINDINGS_LIST_SEVERITY, DT_FINDINGS_LIST_SEVERITY_REPEATED, DT_LIST_CURSOR, DT_LIST_ENVELOPE,
    DT_LIST_NEXT_CURSOR, DT_LIST_TOTAL_COUNT, DT_RESULTS_SINCE_ENCODED, DT_TARGETS_LIST_TYPES,
};

use super::super::client::{APPS, DataTheorem, FINDINGS, Page, TARGETS, list_in, total_count, with_query};
use super::super::lists::{cursor_serves_all, just_after, moment_between, narrows, spelled_alike};
use super::scans::{of_app, resource_of};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::suite::rows::{Row, Rows};

checks! { "data-theorem/lists";
    results_since_encoded: DT_RESULTS_SINCE_ENCODED, Reading, results_since_encoded;
    findings_of_a_severity: DT_FINDINGS_LIST_SEVERITY, Reading, findings_of_a_severity;
    findings_of_several_severities: DT_FINDINGS_LIST_SEVERITY_REPEATED, Reading, findings_of_several_severities;
    envelope: DT_LIST_ENVELOPE, Reading, envelope;
    total_count_of_the_query: DT_LIST_TOTAL_COUNT, Reading, total_count_of_the_query;
    next_cursor_stays_in_the_query: DT_LIST_NEXT_CURSOR, Reading, next_cursor_stays_in_the_query;
    cursors_lead_to_the_end: DT_LIST_CURSOR, Reading, cursors_lead_to_the_end;
    types_of_target_filters: DT_TARGETS_LIST_TYPES, Reading, types_of_target_filters;
}

const SEVERITIES: [&str; 3] = ["HIGH", "MEDIUM", "LOW"];

fn results_since_encoded(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let findings = api.findings()?;
    let plain = format!("results_since={:.6}", moment_between(findings, "results_last_updated")?);
    let upper = plain.replace(':', "%3A").replace('Z', "%2B00%3A00");
    let lower = upper.replace("%3A", "%3a").replace("%2B", "%2b");
    spelled_alike(api, findings, FINDINGS, &plain, &[&upper, &lower])
}

/// Findings of other severities than the three decide nothing: that there are none is another rule.
fn is_of(finding: &Row, wanted: &[&str]) -> bool {
    let severity = finding.text("severity").unwrap_or_default();
    wanted.contains(&severity) || !SEVERITIES.contains(&severity)
}

fn severities_of(findings: &Rows) -> Vec<&'static str> {
    let stands = |severity: &str| findings.rows.iter().any(|row| row.text("severity") == Some(severity));
    SEVERITIES.into_iter().filter(|severity| stands(severity)).collect()
}

fn findings_of_a_severity(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let findings = api.findings()?;
    let severities = severities_of(findings);
    for severity in &severities {
        narrows(api, findings, FINDINGS, &[("severity", severity)], |row| is_of(row, &[*severity]))?;
    }
    Held::over(severities.len(), "no finding shows its severity")
}

fn findings_of_several_severities(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let findings = api.findings()?;
    let [one, other, ..] = severities_of(findings)[..] else {
        return not_exercised("the findings are all of one severity");
    };
    let query = [("severity", one), ("severity", other)];
    narrows(api, findings, FINDINGS, &query, |row| is_of(row, &[one, other]))
}

/// Lists whose own pages say nothing of the form.
fn envelope(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let scans = of_app(api.apps()?.find("app", |app| app.text("id").is_some())?);
    for resource in [APPS, &scans] {
        let (reply, evidence) = api.get(resource)?;
        observed(reply.status == 200, format!("GET {resource} answers {}", reply.status))?;
        let json = reply.json().unwrap_or_default();
        if !json.is_object() || list_in(resource, &json).is_none() {
            return broken_at(&evidence, "an object with the rows under the resource's name", json);
        }
        if !json["pagination_information"].is_object() {
            return broken_at(&evidence, "`pagination_information` beside the rows", "none");
        }
    }
    Held::over(2, "no list")
}

fn total_of(page: &Page) -> Result<u64, Stop> {
    let total = page.pagination.as_ref().and_then(total_count);
    total.ok_or_else(|| Stop::NotExercised("the list has no total count".to_owned()))
}

/// A page's count is that of the whole list, and under a filter that of what passes.
fn total_count_of_the_query(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let first = api.page(APPS, &[])?;
    let (here, total) = (first.rows.rows.len() as u64, total_of(&first)?);
    if let Some(cursor) = &first.next_cursor {
        let second = api.page(APPS, &[("cursor", cursor)])?;
        let later = total_of(&second)?;
        if later != total || total < here {
            let expected = format!("the count of the first page, {total}, which has {here} rows");
            return broken_at(&second.evidence, expected, later);
        }
    }
    let counted = count_under_filter(api, APPS, api.apps()?, "platform")?
        + count_under_filter(api, TARGETS, api.targets()?, "mobile_app_id")?;
    Held::over(counted, "no filter limits a list")
}

/// Whether a filter showed that its rows, and they only, are counted.
fn count_under_filter(api: DataTheorem<'_>, resource: &str, all: &Rows, name: &str) -> Result<usize, Stop> {
    let Some(value) = all.rows.iter().find_map(|row| row.text(name)) else { return Ok(0) };
    let query = [(name, value)];
    let first = api.page(resource, &query)?;
    let rows = api.all(resource, &query)?;
    // A row that is served twice is one row.
    let ids: BTreeSet<_> = rows.rows.iter().filter_map(|row| row.text("id")).collect();
    if !rows.is_complete || ids.is_empty() || ids.len() >= all.rows.len() {
        return Ok(0);
    }
    let total = total_of(&first)?;
    if total != ids.len() as u64 {
        let expected = format!("{} rows counted in {}", ids.len(), with_query(resource, &query));
        return broken_at(&first.evidence, expected, total);
    }
    Ok(1)
}

/// The cursor of a filtered list leads to what passes the filter and was not on the page before.
fn next_cursor_stays_in_the_query(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let apps = api.apps()?;
    let updated = |app: &Row| app.time("results_last_updated");
    let Some(oldest) = apps.rows.iter().filter_map(updated).min() else {
        return not_exercised("no app shows when its results were last updated");
    };
    let since = just_after(oldest);
    let text = format!("{since:.6}");
    let query = [("results_since", text.as_str())];
    let first = api.page(APPS, &query)?;
    let (here, total) = (first.rows.rows.len(), total_of(&first)?);
    observed(total < apps.rows.len() as u64, "the filter limits nothing")?;
    let Some(cursor) = first.next_cursor else {
        if total > here as u64 {
            return broken_at(
                &first.evidence,
                "a `next_cursor` where there is more",
                format!("{here} of {total}"),
            );
        }
        return not_exercised("the filtered list has no second page");
    };
    let second = api.page(APPS, &[query[0], ("cursor", &cursor)])?;
    let seen: BTreeSet<_> = first.rows.rows.iter().filter_map(|app| app.text("id")).collect();
    second.rows.all("the rows of the query that come next", |app| {
        let id = app.text("id").unwrap_or_default();
        if seen.contains(id) {
            return Some(format!("{id} again"));
        }
        updated(app).is_some_and(|time| time < since).then(|| format!("{id}, which does not pass the filter"))
    })
}

fn cursors_lead_to_the_end(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    cursor_serves_all(api, APPS)?;
    let mut lists: Vec<String> = api.scans()?.rows.iter().map(resource_of).collect();
    lists.sort();
    // The list with the most scans is the one that has a second page, if any has.
    let longest = lists.chunk_by(|one, other| one == other).max_by_key(|list| list.len());
    match longest.and_then(<[String]>::first) {
        Some(resource) => cursor_serves_all(api, resource),
        None => not_exercised("the account has no scans"),
    }
}

/// An app's id is a number, so that other text is malformed, and never an app that happens not to exist; a finding's
/// id is a text, of which nothing may be left out.
fn types_of_target_filters(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let target = api.targets()?.find("target", |row| row.text("security_finding_id").is_some())?;
    let limits = |name: &str| -> Result<(), Stop> {
        let value = target.text(name).unwrap_or_default();
        let page = api.page(TARGETS, &[(name, value)])?;
        let fits = page.rows.rows.iter().all(|row| row.text(name) == Some(value));
        observed(fits && !page.rows.rows.is_empty(), format!("the filter `{name}` does not work"))
    };
    limits("mobile_app_id")?;
    limits("security_finding_id")?;
    let (reply, evidence) = api.get(&format!("{TARGETS}?mobile_app_id=abc"))?;
    let rows = reply.json().unwrap_or_default();
    let is_empty = list_in(TARGETS, &rows).is_none_or(Vec::is_empty);
    if reply.is_success() && is_empty {
        return broken_at(&evidence, "`mobile_app_id` is an integer, which abc is not", "no targets");
    }
    let other = format!("{}x", target.text("security_finding_id").unwrap_or_default());
    let (reply, evidence) = api.get(&with_query(TARGETS, &[("security_finding_id", &other)]))?;
    let rows = reply.json().unwrap_or_default();
    if reply.is_success() && list_in(TARGETS, &rows).is_some_and(|rows| !rows.is_empty()) {
        return broken_at(&evidence, format!("no targets of the finding {other}"), "targets");
    }
    Held::once()
}
