//! `GET security_findings` and `GET security_findings/:id`.

use fixtures::spec::data_theorem::{
    DT_FINDING_ACCESS, DT_FINDING_GET, DT_FINDING_LINK_RELS, DT_FINDINGS_LIST, DT_FINDINGS_LIST_CURSOR,
    DT_FINDINGS_LIST_LINKS, DT_FINDINGS_LIST_MOBILE_APP_ID, DT_FINDINGS_LIST_PAGINATION,
    DT_FINDINGS_LIST_RESULTS_SINCE, DT_FINDINGS_LIST_STATUS_GROUP,
};
use serde_json::{Value, json};

use super::super::client::{APPS, DataTheorem, FINDINGS, TARGETS};
use super::super::lists::{
    answers_rows, cursor_continues, gets_what_is_listed, has_pagination, narrows, narrows_by_time,
};
use super::fields::seen;
use super::subjects::{close_first, closing, comment, comment_first, expect_unchanged, is_open, refused};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, checks};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{ListOf, Object, Url};
use crate::target::account::ApiKey;

checks! { "data-theorem/findings";
    list: DT_FINDINGS_LIST, Reading, |case| answers_rows(case.data_theorem()?, FINDINGS, &[FINDINGS]);
    list_pagination: DT_FINDINGS_LIST_PAGINATION, Reading, |case| has_pagination(case.data_theorem()?, FINDINGS);
    list_links: DT_FINDINGS_LIST_LINKS, Reading, list_links;
    list_cursor: DT_FINDINGS_LIST_CURSOR, Reading, |case| cursor_continues(case.data_theorem()?, FINDINGS, &[]);
    filter_mobile_app_id: DT_FINDINGS_LIST_MOBILE_APP_ID, Reading, filter_mobile_app_id;
    filter_results_since: DT_FINDINGS_LIST_RESULTS_SINCE, Reading,
        |case| narrows_by_time(case.data_theorem()?, findings(case)?, FINDINGS, "results_last_updated");
    filter_status_group: DT_FINDINGS_LIST_STATUS_GROUP, Reading, filter_status_group;
    link_rels: DT_FINDING_LINK_RELS, Reading, link_rels;
    get: DT_FINDING_GET, Reading, |case| gets_what_is_listed(case.data_theorem()?, FINDINGS, findings(case)?);
    access: DT_FINDING_ACCESS, Control, access;
}

fn findings(case: &Case) -> Result<&Rows, Stop> {
    case.data_theorem()?.findings()
}

fn list_links(case: &Case) -> Verdict {
    findings(case)?.each("links", &ListOf(&Object))?;
    findings(case)?.each("portal_url", &Url)
}

fn filter_mobile_app_id(case: &Case) -> Verdict {
    let all = findings(case)?;
    let first = all.find("finding of an app", |row| row.text("mobile_app_id").is_some())?;
    let app = first.text("mobile_app_id").unwrap_or_default();
    narrows(case.data_theorem()?, all, FINDINGS, &[("mobile_app_id", app)], |row| {
        row.text("mobile_app_id") == Some(app)
    })
}

fn filter_status_group(case: &Case) -> Verdict {
    let (api, all) = (case.data_theorem()?, findings(case)?);
    // Whether what waits for a rescan counts as open is a reading; nothing depends on it here.
    let decided = all.only(|row| row.text("aggregated_status") != Some("OPEN_READY_TO_RESCAN"));
    let status = |row: &Row| row.text("aggregated_status").unwrap_or_default().to_owned();
    let is_open = |row: &Row| matches!(status(row).as_str(), "OPEN" | "NEW" | "OPEN_READY_TO_RESCAN");
    narrows(api, &decided, FINDINGS, &[("status_group", "OPEN")], is_open)?;
    narrows(api, &decided, FINDINGS, &[("status_group", "CLOSED")], |row| status(row).starts_with("CLOSED_"))
}

/// A member as text, whether it is printed as a string or as a number.
fn printed(row: &Row, name: &str) -> String {
    let value = row.get(name).map(ToString::to_string).unwrap_or_default();
    value.trim_matches('"').to_owned()
}

/// The paths that a row links to, however a link is written.
fn paths(row: &Row) -> Vec<&str> {
    let hrefs = row.list("links").iter().map(|link| if link.is_string() { link } else { &link["href"] });
    hrefs.filter_map(Value::as_str).map(|href| href.trim_start_matches('/')).collect()
}

fn link_rels(case: &Case) -> Verdict {
    seen(case)?.all("links to the finding itself, to its targets and to its app", |row| {
        let id = printed(row, "id");
        let (itself, app) = (format!("{FINDINGS}/{id}"), format!("{APPS}/{}", printed(row, "mobile_app_id")));
        let paths = paths(row);
        let targets =
            |path: &&str| path.starts_with(&format!("{TARGETS}?")) && path.ends_with(&format!("={id}"));
        if !paths.contains(&itself.as_str()) {
            return Some(format!("no link to {itself}"));
        }
        if !paths.contains(&app.as_str()) {
            return Some(format!("no link to {app}"));
        }
        (!paths.iter().any(targets)).then(|| format!("no link to the targets of {id}"))
    })
}

/// A key that is limited to some apps may do with their findings what it may not do with others.
fn access(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let able = |key: &ApiKey| {
        let may = |permission: &str| key.permissions.contains(permission);
        key.mobile_app_ids.is_some()
            && may("results_api.can_close_issues")
            && may("results_api.can_comment_on_issues")
    };
    let key = api.find_key("that is limited to some apps and may close and comment", able)?;
    let limited = api.with_key(&key.api_key);
    let is_near = |row: &Row| {
        let app = row.text("mobile_app_id");
        app.is_some_and(|app| key.mobile_app_ids.as_ref().is_some_and(|apps| apps.contains(app)))
    };
    let open = api.findings()?.only(|row| is_open(row) && row.text("id").is_some());
    let near = open.find("open finding in the key's apps", is_near)?;
    let far = open.find("open finding outside the key's apps", |row| !is_near(row))?;
    may_everything(limited, near.text("id").unwrap_or_default())?;
    may_nothing(api, limited, far.text("id").unwrap_or_default())
}

fn may_everything(limited: DataTheorem<'_>, id: &str) -> Result<(), Stop> {
    limited.finding(id)?;
    comment_first(limited, id, &json!({"text": "Contract suite: within reach."}))?;
    close_first(limited, id, &closing("CLOSED_WONT_FIX", "Contract suite: within reach."))?;
    Ok(())
}

fn may_nothing(api: DataTheorem<'_>, limited: DataTheorem<'_>, id: &str) -> Verdict {
    let before = api.finding(id)?.json;
    let path = format!("{FINDINGS}/{id}");
    refused(&limited.get(&path)?, "a key without access cannot get the finding")?;
    let commented = comment(limited, id, &json!({"text": "Contract suite: out of reach."}))?;
    refused(&commented, "a key without access cannot comment on the finding")?;
    let body = closing("CLOSED_WONT_FIX", "Contract suite: out of reach.");
    let closed = limited.post(&format!("{path}/close"), &body)?;
    refused(&closed, "a key without access cannot close the finding")?;
    expect_unchanged(api, id, &before)?;
    Held::once()
}
