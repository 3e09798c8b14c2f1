//! How replies look.

use std::collections::BTreeSet;

use fixtures::spec::data_theorem::{
    DT_APP_UNCONFIRMED_FIELDS, DT_CVSS_NAMES, DT_EMPTY_LISTS, DT_ERROR_BODY, DT_FINDING_ISSUE_TYPE,
    DT_LAST_PAGE_CURSOR, DT_NOT_PERMANENTLY_CLOSED, DT_NOTES_REPLY, DT_NULL_FIELDS, DT_PORTAL_URL,
    DT_SAMPLED_FIELDS, DT_STATUSES_ORDER, DT_TARGET_LIST_LINKS, DT_TARGETS_LIST_KEY_NAME,
    DT_TIMESTAMP_OFFSET, DT_TOTAL_COUNT_TYPE,
};
use jiff::Timestamp;
use serde_json::Value;

use super::super::client::{APPS, TARGETS};
use super::subject::{REMARK, Subject, remark_in};
use super::{Shown, UNKNOWN_ID, fits_none, no_value_fits, unanimous};
use crate::suite::case::Case;
use crate::suite::check::{not_exercised, observed, probes, unclear};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::brief;

probes! {
    DT_LAST_PAGE_CURSOR, Reading, last_page_cursor;
    DT_TOTAL_COUNT_TYPE, Reading, total_count_type;
    DT_TARGETS_LIST_KEY_NAME, Reading, targets_list_key;
    DT_CVSS_NAMES, Reading, cvss_names;
    DT_NOTES_REPLY, Lasting, notes_reply;
    DT_TIMESTAMP_OFFSET, Reading, timestamp_offset;
    DT_STATUSES_ORDER, Reading, statuses_order;
    DT_TARGET_LIST_LINKS, Reading, target_list_links;
    DT_NOT_PERMANENTLY_CLOSED, Reading, not_permanently_closed;
    DT_FINDING_ISSUE_TYPE, Reading, finding_issue_type;
    DT_SAMPLED_FIELDS, Reading, sampled_fields;
    DT_PORTAL_URL, Reading, portal_url;
    DT_ERROR_BODY, Reading, error_body;
    DT_NULL_FIELDS, Reading, null_fields;
    DT_EMPTY_LISTS, Reading, empty_lists;
    DT_APP_UNCONFIRMED_FIELDS, Reading, app_unconfirmed_fields;
}

/// How far the list of apps is followed to its end.
const PAGES_MAX: usize = 20;

fn last_page_cursor(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let mut page = api.page(APPS, &[])?;
    observed(!page.rows.rows.is_empty(), "there is no app")?;
    for _ in 0..PAGES_MAX {
        let Some(cursor) = &page.next_cursor else { break };
        page = api.page(APPS, &[("cursor", cursor)])?;
    }
    observed(page.next_cursor.is_none(), format!("the list of apps goes on after {PAGES_MAX} pages"))?;
    if page.rows.rows.is_empty() {
        return Ok("empty-page");
    }
    let Some(pagination) = page.pagination.filter(Value::is_object) else {
        return not_exercised("the list has no `pagination_information`");
    };
    match pagination.get("next_cursor") {
        None => Ok("absent"),
        Some(Value::Null) => Ok("null"),
        Some(Value::String(_)) => Ok("empty"),
        Some(other) => fits_none(brief(other)),
    }
}

fn total_count_type(case: &Case) -> Shown {
    let page = case.data_theorem()?.page(TARGETS, &[])?;
    match page.pagination.unwrap_or_default().get("total_count") {
        Some(Value::String(_)) => Ok("string"),
        Some(Value::Number(_)) => Ok("number"),
        other => fits_none(format!("`total_count`: {other:?}")),
    }
}

fn targets_list_key(case: &Case) -> Shown {
    let (reply, evidence) = case.data_theorem()?.get(TARGETS)?;
    observed(reply.status == 200, &evidence)?;
    let json = reply.json().unwrap_or_default();
    let known = ["security_finding_targets", "targets"];
    let shown = known.into_iter().filter(|name| json[*name].is_array());
    unanimous("list in the reply", shown.map(Ok))
}

/// The rows that describe something: what lacks an id says nothing by lacking more.
fn described(rows: &Rows) -> impl Iterator<Item = &Row> {
    rows.rows.iter().filter(|row| row.text("id").is_some())
}

/// What each finding in the list shows, where it shows anything.
fn of_findings(case: &Case, what: &str, shown: impl Fn(&Row) -> Option<Shown>) -> Shown {
    unanimous(what, described(case.data_theorem()?.findings()?).filter_map(shown))
}

/// What each target in the list shows, where it shows anything.
fn of_targets(case: &Case, what: &str, shown: impl Fn(&Row) -> Option<Shown>) -> Shown {
    unanimous(what, described(case.data_theorem()?.targets()?).filter_map(shown))
}

fn cvss_names(case: &Case) -> Shown {
    of_findings(case, "finding with CVSS fields", |finding| {
        let has = |name: &str| finding.get(name).is_some();
        match (has("cvss_score") || has("cvss_vector"), has("cvss3_score") || has("cvss3_vector")) {
            (true, false) => Some(Ok("cvss")),
            (false, true) => Some(Ok("cvss3")),
            (true, true) => Some(not_exercised("a finding has both")),
            (false, false) => None,
        }
    })
}

fn notes_reply(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let (reply, evidence) = subject.comment()?;
    remark_in(&subject.finding()?)?;
    match reply.status {
        204 if reply.body.is_empty() => Ok("no-content"),
        200 if reply.json().is_some_and(|note| note["text"] == REMARK) => Ok("sample-body"),
        _ => no_value_fits(&evidence),
    }
}

fn timestamp_offset(case: &Case) -> Shown {
    of_findings(case, "finding with `date_created`", |finding| {
        let date = finding.text("date_created")?;
        let known = [("+00:00", "plus"), ("-00:00", "minus"), ("Z", "z")];
        match known.into_iter().find(|(offset, _)| date.ends_with(offset)) {
            Some((_, value)) => Some(Ok(value)),
            None => Some(fits_none(date)),
        }
    })
}

fn statuses_order(case: &Case) -> Shown {
    let date = |entry: &Value| entry["date"].as_str()?.parse::<Timestamp>().ok();
    of_targets(case, "target with statuses of different dates", |target| {
        let statuses = target.list("statuses");
        let (first, last) = (date(statuses.first()?)?, date(statuses.last()?)?);
        (first != last).then_some(Ok(if first > last { "newest-first" } else { "oldest-first" }))
    })
}

fn target_list_links(case: &Case) -> Shown {
    of_targets(case, "target with a link to itself", |target| {
        let itself = target.list("links").iter().find(|link| link["rel"] == "self")?;
        let (href, id) = (itself["href"].as_str()?, target.text("id")?);
        Some(if href.contains("?mobile_app_id=") {
            Ok("as-sampled")
        } else if href.ends_with(&format!("/{id}")) {
            Ok("item-links")
        } else {
            fits_none(href)
        })
    })
}

fn not_permanently_closed(case: &Case) -> Shown {
    let is_open = |finding: &Row| {
        finding.text("aggregated_status").is_some_and(|status| status == "NEW" || status.starts_with("OPEN"))
    };
    of_findings(case, "open finding", |finding| match finding.json.get("is_permanently_closed") {
        _ if !is_open(finding) => None,
        None => Some(Ok("omitted")),
        Some(Value::Bool(false)) => Some(Ok("false")),
        // A reading lets an open finding be permanently closed.
        Some(Value::Bool(true)) => None,
        Some(other) => Some(fits_none(brief(other))),
    })
}

fn finding_issue_type(case: &Case) -> Shown {
    of_findings(case, "finding", |finding| {
        Some(Ok(if finding.get("issue_type_id").is_some() { "emitted" } else { "omitted" }))
    })
}

/// The names of a row's members, but for the links, which are another reading's business.
fn names(row: &Row) -> BTreeSet<&str> {
    let members = row.json.as_object().into_iter().flatten();
    members.map(|(name, _)| name.as_str()).filter(|name| *name != "links").collect()
}

fn sampled_fields(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let has_all = |row: &Row| row.text("id").is_some() && row.get("results_last_updated").is_some();
    let listed = api.targets()?.find("listed target with `results_last_updated`", has_all)?;
    let single = api.target(listed.text("id").unwrap_or_default())?;
    let (in_list, alone) = (names(listed), names(&single));
    if in_list == alone {
        Ok("all")
    } else if single.get("results_last_updated").is_none() {
        Ok("as-sampled")
    } else {
        fits_none(format!("a list with {in_list:?}, a single target with {alone:?}"))
    }
}

fn portal_url(case: &Case) -> Shown {
    of_findings(case, "finding with `portal_url`", |finding| {
        let url = finding.text("portal_url")?;
        let (app, id) = (finding.text("mobile_app_id")?, finding.text("id")?);
        Some(if url == format!("https://www.securetheorem.com/mobile/app/{app}/issues/{id}") {
            Ok("mobile-app")
        } else if url == format!("https://securetheorem.com/app/{app}/issues/{id}") {
            Ok("app")
        } else {
            fits_none(url)
        })
    })
}

fn error_body(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    api.apps()?;
    let (reply, evidence) = api.get(&format!("{APPS}/{UNKNOWN_ID}"))?;
    observed((400..500).contains(&reply.status), &evidence)?;
    let json = reply.json().unwrap_or_default();
    if reply.body.is_empty() {
        Ok("empty")
    } else if json["error"]["code"] == reply.status && json["error"]["message"].is_string() {
        Ok("error-object")
    } else if json["message"].is_string() {
        Ok("message")
    } else {
        unclear("it has another body", evidence.reply_body())
    }
}

/// What findings show of one member and targets of another.
fn of_members(
    case: &Case,
    what: &str,
    (of_finding, of_target): (&str, &str),
    shown: impl Fn(Option<&Value>) -> Option<&'static str>,
) -> Shown {
    let api = case.data_theorem()?;
    let findings = described(api.findings()?).map(|row| row.json.get(of_finding));
    let targets = described(api.targets()?).map(|row| row.json.get(of_target));
    unanimous(what, findings.chain(targets).filter_map(shown).map(Ok))
}

fn null_fields(case: &Case) -> Shown {
    of_members(case, "optional field without a value", ("priority", "external_id"), |member| match member {
        None => Some("omitted"),
        Some(Value::Null) => Some("null"),
        Some(_) => None,
    })
}

fn empty_lists(case: &Case) -> Shown {
    of_members(case, "list without entries", ("notes", "additional_contexts"), |member| match member {
        None => Some("omitted"),
        Some(Value::Array(entries)) if entries.is_empty() => Some("emitted"),
        Some(_) => None,
    })
}

fn app_unconfirmed_fields(case: &Case) -> Shown {
    let shown = described(case.data_theorem()?.apps()?).map(|app| app.get("date_created").is_some());
    unanimous("app", shown.map(|is_there| Ok(if is_there { "emitted" } else { "omitted" })))
}
