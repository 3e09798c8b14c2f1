//! What a target looks like.

use std::collections::BTreeSet;

use fixtures::spec::data_theorem::{
    DT_TARGET_ADDITIONAL_CONTEXT_SHAPE, DT_TARGET_ADDITIONAL_CONTEXTS, DT_TARGET_ASSOCIATED_SDK_IDS,
    DT_TARGET_CURRENT_STATUS, DT_TARGET_CURRENT_STATUS_DATE, DT_TARGET_DATE_CREATED,
    DT_TARGET_EXTERNAL_BUG_TRACKER_URL, DT_TARGET_EXTERNAL_ID, DT_TARGET_GET, DT_TARGET_GET_LINKS,
    DT_TARGET_ID, DT_TARGET_IDS_TEXT, DT_TARGET_ISSUE_TYPE_ID, DT_TARGET_LINK_SHAPE, DT_TARGET_LINKS,
    DT_TARGET_MOBILE_APP_ID, DT_TARGET_PORTAL_URL, DT_TARGET_RESULTS_LAST_UPDATED,
    DT_TARGET_SECURITY_FINDING_ID, DT_TARGET_STATUS_ENTRY, DT_TARGET_STATUSES, DT_TARGET_TEXT,
};

use super::super::client::{APPS, FINDINGS, TARGETS};
use super::super::lists::gets_what_is_listed;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{self, *};

const STATUSES: &[&str] = &[
    "OPEN",
    "NEW",
    "OPEN_READY_TO_RESCAN",
    "CLOSED_FIXED",
    "CLOSED_PARTIALLY_FIXED",
    "CLOSED_WONT_FIX",
    "CLOSED_BY_POLICY",
    "CLOSED_RISK_ACCEPTED",
    "CLOSED_COMPENSATING_CONTROL",
    "CLOSED_ITEM_NOT_FOUND",
];
const STATUS_ENTRY: Shape = Members(&[("status", OneOf(STATUSES)), ("date", Timestamp)]);
const CONTEXT: Shape = Members(&[("body", Text), ("type", Text)]);

checks! { "data-theorem/targets";
    id_unique: DT_TARGET_ID, Reading, id_unique;
    mobile_app_id: DT_TARGET_MOBILE_APP_ID, Reading, mobile_app_id;
    security_finding_id: DT_TARGET_SECURITY_FINDING_ID, Reading, security_finding_id;
    issue_type_id: DT_TARGET_ISSUE_TYPE_ID, Reading, |case| targets(case)?.each("issue_type_id", &FilledText);
    current_status: DT_TARGET_CURRENT_STATUS, Reading, |case| targets(case)?.each("current_status", &OneOf(STATUSES));
    current_status_date: DT_TARGET_CURRENT_STATUS_DATE, Reading, current_status_date;
    statuses: DT_TARGET_STATUSES, Reading, statuses;
    text: DT_TARGET_TEXT, Reading, |case| targets(case)?.each("text", &FilledText);
    links: DT_TARGET_LINKS, Reading, links;
    portal_url: DT_TARGET_PORTAL_URL, Reading, |case| items(case)?.each("portal_url", &Url);
    results_last_updated: DT_TARGET_RESULTS_LAST_UPDATED, Reading, results_last_updated;
    external_id: DT_TARGET_EXTERNAL_ID, Reading, |case| targets(case)?.each_present("external_id", &FilledText);
    external_bug_tracker_url: DT_TARGET_EXTERNAL_BUG_TRACKER_URL, Reading,
        |case| targets(case)?.each_present("external_bug_tracker_url", &Url);
    additional_contexts: DT_TARGET_ADDITIONAL_CONTEXTS, Reading, additional_contexts;
    associated_sdk_ids: DT_TARGET_ASSOCIATED_SDK_IDS, Reading,
        |case| targets(case)?.each_present("associated_sdk_ids", &ListOf(&FilledText));
    additional_context_shape: DT_TARGET_ADDITIONAL_CONTEXT_SHAPE, Reading,
        |case| targets(case)?.each_present("additional_contexts", &ListOf(&CONTEXT));
    status_entry: DT_TARGET_STATUS_ENTRY, Reading,
        |case| targets(case)?.each_present("statuses", &ListOf(&STATUS_ENTRY));
    date_created: DT_TARGET_DATE_CREATED, Reading, |case| targets(case)?.each("date_created", &Timestamp);
    link_shape: DT_TARGET_LINK_SHAPE, Reading, link_shape;
    ids_are_strings: DT_TARGET_IDS_TEXT, Reading, ids_are_strings;
    get: DT_TARGET_GET, Reading, |case| gets_what_is_listed(case.data_theorem()?, TARGETS, targets(case)?);
    get_links: DT_TARGET_GET_LINKS, Reading, get_links;
}

/// All listed targets.
fn targets(case: &Case) -> Result<&Rows, Stop> {
    case.data_theorem()?.targets()
}

/// Some targets as single objects, which carry fields that a list may leave out.
fn items(case: &Case) -> Result<Rows, Stop> {
    let api = case.data_theorem()?;
    let ids = api.targets()?.rows.iter().filter_map(|row| row.text("id")).take(3);
    let rows = ids.map(|id| api.target(id)).collect::<Result<_, _>>()?;
    Ok(Rows { what: "a target", rows, is_complete: false })
}

fn id_unique(case: &Case) -> Verdict {
    let rows = targets(case)?;
    let mut seen = BTreeSet::new();
    rows.all("no two targets have the same `id`", |row| match row.text("id") {
        None => Some("a target without an `id`".to_owned()),
        Some(id) => (!seen.insert(id.to_owned())).then(|| format!("{id} is listed twice")),
    })
}

/// The ids lead to apps, given that the target serves apps at all.
fn mobile_app_id(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    api.targets()?.each("mobile_app_id", &FilledText)?;
    api.apps()?;
    let app_id = |row: &Row| row.text("mobile_app_id").map(str::to_owned);
    let ids: BTreeSet<String> = api.targets()?.rows.iter().filter_map(app_id).collect();
    for id in ids.iter().take(5) {
        let (reply, evidence) = api.get(&format!("{APPS}/{id}"))?;
        let found = reply.json().is_some_and(|app| app["id"] == id.as_str());
        if !found {
            return broken_at(&evidence, format!("the app {id} of a target exists"), reply.status);
        }
    }
    Held::over(ids.len(), "no target was listed")
}

fn security_finding_id(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    api.targets()?.each("security_finding_id", &FilledText)?;
    api.findings()?;
    let mut followed = 0;
    for target in api.targets()?.rows.iter().take(5) {
        let Some(id) = target.text("security_finding_id") else { continue };
        let (reply, evidence) = api.get(&format!("{FINDINGS}/{id}"))?;
        if !reply.json().is_some_and(|finding| finding["id"] == id) {
            return broken_at(&evidence, format!("the finding {id} of a target exists"), reply.status);
        }
        followed += 1;
    }
    Held::over(followed, "no target was listed")
}

/// It is when the current status was set, so the history has an entry of that date.
fn current_status_date(case: &Case) -> Verdict {
    targets(case)?.each("current_status_date", &Timestamp)?;
    let with_history = targets(case)?.only(|row| !row.list("statuses").is_empty());
    with_history.all("`current_status_date` is a date of `statuses`", |row| {
        let date = row.time("current_status_date");
        let dates = row.list("statuses").iter().map(|entry| entry["date"].as_str()?.parse().ok());
        let stands = dates.into_iter().any(|entry| entry == date);
        (!stands).then(|| format!("{date:?} is not in {}", row.json["statuses"]))
    })
}

/// Every status is in the history, so the current one is.
fn statuses(case: &Case) -> Verdict {
    targets(case)?.each("statuses", &List)?;
    targets(case)?.all("the current status is in `statuses`", |row| {
        let status = row.text("current_status");
        let stands = row.list("statuses").iter().any(|entry| entry["status"].as_str() == status);
        (!stands).then(|| format!("{status:?} is not in {}", row.json["statuses"]))
    })
}

fn links(case: &Case) -> Verdict {
    targets(case)?.each("links", &List)?;
    targets(case)?.all("a target links to other endpoints", |row| {
        row.list("links").is_empty().then(|| "no link".to_owned())
    })
}

fn results_last_updated(case: &Case) -> Verdict {
    targets(case)?.each("results_last_updated", &Timestamp)?;
    targets(case)?.all("results never changed before the target existed", |row| {
        let (created, updated) = (row.time("date_created"), row.time("results_last_updated"));
        (updated < created).then(|| format!("created {created:?}, results updated {updated:?}"))
    })
}

/// The texts are markdown; of that only the body's being a text can be seen.
fn additional_contexts(case: &Case) -> Verdict {
    let contexts = targets(case)?.items_of("additional_contexts", "a context");
    contexts.each("body", &FilledText)
}

fn link_shape(case: &Case) -> Verdict {
    let links = targets(case)?.items_of("links", "a link");
    links.each("rel", &FilledText)?;
    links.each("type", &OneOf(&["GET", "POST", "PATCH", "PUT", "DELETE"]))?;
    links.each("href", &FilledText)?;
    links.all("`href` is a relative path", |link| {
        let href = link.text("href").unwrap_or_default();
        (href.contains("://") || href.starts_with('/')).then(|| href.to_owned())
    })
}

fn ids_are_strings(case: &Case) -> Verdict {
    for name in ["id", "mobile_app_id", "security_finding_id", "issue_type_id"] {
        targets(case)?.each_present(name, &Text)?;
    }
    targets(case)?.each("id", &Text)
}

fn get_links(case: &Case) -> Verdict {
    items(case)?.all("links to the app, the finding and the target itself", |row| {
        let id = |name| row.text(name).unwrap_or_default();
        let wanted = [
            format!("{APPS}/{}", id("mobile_app_id")),
            format!("{FINDINGS}/{}", id("security_finding_id")),
            format!("{TARGETS}/{}", id("id")),
        ];
        let links = row.list("links");
        let missing = wanted.iter().find(|path| !links.iter().any(|link| link["href"] == path.as_str()));
        missing.map(|path| format!("no link to {path}"))
    })
}
