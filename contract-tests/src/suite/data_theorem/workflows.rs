//! The page about suggested workflows.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::spec::data_theorem::{
    DT_RESULTS_SINCE_FORMAT, DT_RESULTS_SINCE_MINUS_ZERO, DT_RESULTS_SINCE_NO_OFFSET, DT_WORKFLOW_APP_LINK,
    DT_WORKFLOW_FINDING_LINK, DT_WORKFLOW_FINDING_TEXTS, DT_WORKFLOW_PORTAL_LINK,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::client::{APPS, DataTheorem, FINDINGS, TARGETS, with_query};
use super::lists::middle;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::{Shape::FilledText, brief};

checks! { "data-theorem/workflows";
    results_since_format: DT_RESULTS_SINCE_FORMAT, Reading, results_since_format;
    results_since_no_offset: DT_RESULTS_SINCE_NO_OFFSET, Reading,
        |case| results_since(case, |since| written(since, ""));
    results_since_minus_zero: DT_RESULTS_SINCE_MINUS_ZERO, Reading,
        |case| results_since(case, |since| written(since, "-00:00"));
    app_link: DT_WORKFLOW_APP_LINK, Reading, app_link;
    finding_link: DT_WORKFLOW_FINDING_LINK, Reading, finding_link;
    finding_texts: DT_WORKFLOW_FINDING_TEXTS, Reading, finding_texts;
    portal_link: DT_WORKFLOW_PORTAL_LINK, Reading, portal_link;
}

/// A date and time of day in UTC, with fractional seconds and this offset behind it.
fn written(time: Timestamp, offset: &str) -> String {
    format!("{}{offset}", time.strftime("%Y-%m-%dT%H:%M:%S.%6f"))
}

/// One moment in the plainest form of RFC 3339, and as a clock two hours ahead shows it.
fn results_since_format(case: &Case) -> Verdict {
    results_since(case, |since| {
        let ahead = since.saturating_add(SignedDuration::from_hours(2)).unwrap_or(since);
        written(ahead, "+02:00")
    })
}

/// In this form `results_since` is accepted and means the moment that it means with a `Z`, on both lists that the
/// page filters by it.
fn results_since(case: &Case, form: impl Fn(Timestamp) -> String) -> Verdict {
    let api = case.data_theorem()?;
    means_the_same(api, APPS, api.apps()?, &form)?;
    means_the_same(api, TARGETS, api.targets()?, &form)
}

fn means_the_same(
    api: DataTheorem<'_>,
    resource: &str,
    all: &Rows,
    form: impl Fn(Timestamp) -> String,
) -> Verdict {
    let Some(since) = middle(all, "results_last_updated") else {
        return not_exercised(format!("no two of {resource} changed at different times"));
    };
    let (plain, other) = (written(since, "Z"), form(since));
    let expected = api.all(resource, &[("results_since", &plain)])?;
    let narrows = !expected.rows.is_empty() && expected.rows.len() < all.rows.len();
    observed(narrows, format!("{resource} since {plain} are none or all of them"))?;
    let query = [("results_since", other.as_str())];
    let path = with_query(resource, &query);
    let (reply, evidence) = api.get(&path)?;
    if reply.status != 200 {
        return broken_at(&evidence, format!("GET {path} is accepted, as it is with {plain}"), reply.status);
    }
    let seen = api.all(resource, &query)?;
    if ids(&seen) != ids(&expected) {
        let expected = format!("the {} rows that GET {path} lists with {plain}", expected.rows.len());
        return broken_at(&evidence, expected, format!("{} rows, not the same", seen.rows.len()));
    }
    Held::over(seen.rows.len(), "nothing changed since then")
}

fn ids(rows: &Rows) -> BTreeSet<String> {
    rows.rows.iter().filter_map(|row| row.get("id")).map(Value::to_string).collect()
}

/// Two targets as single objects.
fn targets(case: &Case) -> Result<Vec<Row>, Stop> {
    let api = case.data_theorem()?;
    api.targets()?.rows.iter().filter_map(|row| row.text("id")).take(2).map(|id| api.target(id)).collect()
}

fn app_link(case: &Case) -> Verdict {
    let targets = Rows { what: "a target", rows: targets(case)?, is_complete: false };
    targets.all("a link to the app that the target belongs to", |row| {
        let wanted = format!("{APPS}/{}", row.text("mobile_app_id")?);
        let links = || brief(&row.json["links"]);
        (path_in_links(row, &format!("{APPS}/")) != Some(&wanted)).then(links)
    })
}

fn finding_link(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut followed = 0;
    for target in targets(case)? {
        let Some(wanted) = target.text("security_finding_id") else { continue };
        let Some(link) = path_in_links(&target, &format!("{FINDINGS}/")) else {
            let expected = format!("a link to the finding {wanted}");
            return broken_at(&target.evidence, expected, brief(&target.json["links"]));
        };
        let (reply, evidence) = api.get(link)?;
        let shown = reply.json().unwrap_or_default();
        if shown["id"] != wanted {
            let seen = format!("{} with the id {}", reply.status, shown["id"]);
            return broken_at(&evidence, format!("the link leads to {wanted}"), seen);
        }
        followed += 1;
    }
    Held::over(followed, "no target with a `security_finding_id` was seen")
}

/// The first link to a path that begins like this. A slash at its front is another rule's business.
fn path_in_links<'r>(row: &'r Row, start: &str) -> Option<&'r str> {
    let hrefs = row.list("links").iter().filter_map(|link| link["href"].as_str());
    hrefs.map(|href| href.trim_start_matches('/')).find(|href| href.starts_with(start))
}

fn finding_texts(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let parents = api.targets()?.rows.iter().filter_map(|row| row.text("security_finding_id"));
    let parents: BTreeSet<&str> = parents.collect();
    let findings: Vec<Row> =
        parents.into_iter().take(3).map(|id| api.finding(id)).collect::<Result<_, Stop>>()?;
    let findings = Rows { what: "the parent finding of a target", rows: findings, is_complete: false };
    findings.each("description", &FilledText)?;
    findings.each("recommendation", &FilledText)
}

/// A link that several issues share leads to none of their targets.
fn portal_link(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = BTreeSet::new();
    for target in &api.targets()?.rows {
        let (Some(url), Some(finding)) = (target.text("portal_url"), target.text("security_finding_id"))
        else {
            continue;
        };
        findings.insert(finding);
        let owner = *owners.entry(url).or_insert(finding);
        if owner != finding {
            let expected = "targets of different findings have different portal links";
            return broken_at(&target.evidence, expected, format!("{url} in both {owner} and {finding}"));
        }
    }
    observed(findings.len() > 1, "no two findings have targets with a portal link")?;
    Held::over(owners.len(), "no portal link was seen")
}
