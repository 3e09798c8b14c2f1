//! What a finding looks like. Its notes, links and compliance references have a file of their own.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::spec::data_theorem::{
    DT_FINDING_AGGREGATED_STATUS, DT_FINDING_AGGREGATED_STATUS_VALUES, DT_FINDING_ASSOCIATED_CVE_IDS,
    DT_FINDING_ASSOCIATED_CWE_IDS, DT_FINDING_CATEGORY, DT_FINDING_COMPLIANCE_POLICY_REFERENCES,
    DT_FINDING_CVSS, DT_FINDING_CVSS_SCORE, DT_FINDING_CVSS_VECTOR, DT_FINDING_DATE_CREATED,
    DT_FINDING_DESCRIPTION, DT_FINDING_DESCRIPTION_INTRO, DT_FINDING_EXPLOITABILITY, DT_FINDING_ID,
    DT_FINDING_IMPORTANCE_TAGS, DT_FINDING_IS_PERMANENTLY_CLOSED, DT_FINDING_ISSUE_TYPE_ID_STABLE,
    DT_FINDING_LINKS, DT_FINDING_MOBILE_APP_ID, DT_FINDING_NOTES, DT_FINDING_PORTAL_URL, DT_FINDING_PRIORITY,
    DT_FINDING_RECOMMENDATION, DT_FINDING_RESULTS_LAST_UPDATED, DT_FINDING_SCREENSHOT_URL,
    DT_FINDING_SECURE_CODE, DT_FINDING_SEVERITY, DT_FINDING_TITLE,
};

use super::super::client::{APPS, DataTheorem};
use super::subjects::{is_closed, targets_of};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{self, *};
use crate::suite::shape::brief;

/// The statuses, with the two that only other versions of the page list.
const STATUSES: &[&str] = &[
    "NEW",
    "OPEN",
    "OPEN_READY_TO_RESCAN",
    "CLOSED_WONT_FIX",
    "CLOSED_BY_POLICY",
    "CLOSED_RISK_ACCEPTED",
    "CLOSED_COMPENSATING_CONTROL",
    "CLOSED_FIXED",
    "CLOSED_PARTIALLY_FIXED",
    "CLOSED_ITEM_NOT_FOUND",
];
const CATEGORIES: &[&str] = &[
    "DATA_AT_REST_EXPOSURE",
    "DATA_IN_TRANSIT_EXPOSURE",
    "DATA_LOSS_TO_HACKERS",
    "DATA_EXPOSURE_TO_THIRD_PARTY_APPS",
    "UNAUTHORIZED_DATA_COLLECTION",
];
/// The names of score and vector, in this version of the page and in others.
const CVSS_NAMES: [(&str, &str); 2] = [("cvss_score", "cvss_vector"), ("cvss3_score", "cvss3_vector")];

checks! { "data-theorem/findings";
    cvss: DT_FINDING_CVSS, Reading, cvss;
    id_unique: DT_FINDING_ID, Reading, id_unique;
    aggregated_status: DT_FINDING_AGGREGATED_STATUS, Reading, aggregated_status;
    aggregated_status_values: DT_FINDING_AGGREGATED_STATUS_VALUES, Reading,
        |case| seen(case)?.each("aggregated_status", &OneOf(STATUSES));
    associated_cve_ids: DT_FINDING_ASSOCIATED_CVE_IDS, Reading, |case| lists(case, "associated_cve_ids", &FilledText);
    associated_cwe_ids: DT_FINDING_ASSOCIATED_CWE_IDS, Reading, |case| lists(case, "associated_cwe_ids", &FilledText);
    category: DT_FINDING_CATEGORY, Reading, |case| seen(case)?.each("category", &OneOf(CATEGORIES));
    compliance_policy_references: DT_FINDING_COMPLIANCE_POLICY_REFERENCES, Reading,
        |case| lists(case, "compliance_policy_references", &Object);
    cvss_score: DT_FINDING_CVSS_SCORE, Reading,
        |case| seen(case)?.each_present_of(&CVSS_NAMES.map(|(score, _)| score), &Number);
    cvss_vector: DT_FINDING_CVSS_VECTOR, Reading,
        |case| seen(case)?.each_present_of(&CVSS_NAMES.map(|(_, vector)| vector), &FilledText);
    date_created: DT_FINDING_DATE_CREATED, Reading, |case| seen(case)?.each("date_created", &Timestamp);
    description_intro: DT_FINDING_DESCRIPTION_INTRO, Reading,
        |case| seen(case)?.each_present("description_intro", &FilledText);
    description: DT_FINDING_DESCRIPTION, Reading, |case| seen(case)?.each("description", &FilledText);
    exploitability: DT_FINDING_EXPLOITABILITY, Reading,
        |case| seen(case)?.each("exploitability", &OneOf(&["DIFFICULT", "MODERATE", "EASY"]));
    importance_tags: DT_FINDING_IMPORTANCE_TAGS, Reading, |case| lists(case, "importance_tags", &FilledText);
    issue_type_id_stable: DT_FINDING_ISSUE_TYPE_ID_STABLE, Reading, issue_type_id_stable;
    is_permanently_closed: DT_FINDING_IS_PERMANENTLY_CLOSED, Reading,
        |case| seen(case)?.each_present("is_permanently_closed", &Boolean);
    links: DT_FINDING_LINKS, Reading, |case| case.data_theorem()?.single_findings()?.each("links", &ListOf(&Object));
    mobile_app_id: DT_FINDING_MOBILE_APP_ID, Reading, mobile_app_id;
    notes: DT_FINDING_NOTES, Reading, |case| lists(case, "notes", &Object);
    portal_url: DT_FINDING_PORTAL_URL, Reading,
        |case| case.data_theorem()?.single_findings()?.each("portal_url", &Url);
    priority: DT_FINDING_PRIORITY, Reading,
        |case| seen(case)?.each_present("priority", &OneOf(&["P0", "P1", "P2", "P3", "P4"]));
    recommendation: DT_FINDING_RECOMMENDATION, Reading, |case| seen(case)?.each("recommendation", &FilledText);
    results_last_updated: DT_FINDING_RESULTS_LAST_UPDATED, Reading, results_last_updated;
    screenshot_url: DT_FINDING_SCREENSHOT_URL, Reading, |case| seen(case)?.each_present("screenshot_url", &Url);
    secure_code: DT_FINDING_SECURE_CODE, Reading, |case| seen(case)?.each_present("secure_code", &FilledText);
    severity: DT_FINDING_SEVERITY, Reading,
        |case| seen(case)?.each("severity", &OneOf(&["HIGH", "MEDIUM", "LOW"]));
    title: DT_FINDING_TITLE, Reading, |case| seen(case)?.each("title", &FilledText);
}

/// All listed findings, and some as single objects, which may carry other fields.
pub(super) fn seen(case: &Case) -> Result<Rows, Stop> {
    let api = case.data_theorem()?;
    let mut seen = api.findings()?.clone();
    if let Ok(single) = api.single_findings() {
        seen.rows.extend(single.rows.iter().cloned());
    }
    Ok(seen)
}

/// A list that may be left out where it is empty; at least one is not.
fn lists(case: &Case, name: &str, item: &'static Shape) -> Verdict {
    let rows = seen(case)?;
    rows.each_present(name, &ListOf(item))?;
    let filled = rows.only(|row| !row.list(name).is_empty());
    Held::over(filled.rows.len(), &format!("no finding with something in `{name}` was seen"))
}

/// Score and vector by one pair of names, and the score on the scale of CVSS.
fn cvss(case: &Case) -> Verdict {
    seen(case)?.all("a CVSS score from 0 to 10 and a vector in `cvss_score` and `cvss_vector`", |row| {
        let named = |(score, vector): &&(&str, &str)| row.get(score).is_some() && row.get(vector).is_some();
        let Some((score, _)) = CVSS_NAMES.iter().find(named) else {
            return Some(format!("not both in {}", brief(&row.json)));
        };
        let score = row.get(score).and_then(serde_json::Value::as_f64);
        score.filter(|score| !(0.0..=10.0).contains(score)).map(|score| score.to_string())
    })
}

fn id_unique(case: &Case) -> Verdict {
    let mut seen = BTreeSet::new();
    case.data_theorem()?.findings()?.all("no two findings have the same `id`", |row| match row.text("id") {
        None => Some("a finding without an `id` that is a string".to_owned()),
        Some(id) => (!seen.insert(id.to_owned())).then(|| format!("{id} is listed twice")),
    })
}

/// The statuses of the targets of findings, by the finding's id: of all, or of some where the account is large.
fn standings(api: DataTheorem<'_>) -> Result<BTreeMap<String, BTreeSet<String>>, Stop> {
    let mut targets = api.targets()?.clone();
    if !targets.is_complete {
        targets.rows.clear();
        for id in api.findings()?.rows.iter().filter_map(|row| row.text("id")).take(6) {
            targets.rows.append(&mut targets_of(api, id)?.rows);
        }
    }
    let mut standings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for target in &targets.rows {
        if let (Some(id), Some(status)) = (target.text("security_finding_id"), target.text("current_status"))
        {
            standings.entry(id.to_owned()).or_default().insert(status.to_owned());
        }
    }
    Ok(standings)
}

/// The page does not say how statuses are combined, but where there is nothing to combine it can't be in doubt.
fn aggregated_status(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let standings = standings(api)?;
    let known = |status: &str| STATUSES.contains(&status);
    let standing = |row: &Row| row.text("id").and_then(|id| standings.get(id));
    let decided = api.findings()?.only(|row| {
        row.text("aggregated_status").is_some_and(known)
            && standing(row).is_some_and(|statuses| statuses.iter().all(|status| known(status)))
    });
    decided.all("a status that follows from those of all targets", |row| {
        let (status, statuses) = (row.text("aggregated_status")?, standing(row)?);
        let is_right = match statuses.first().map(String::as_str) {
            Some(only) if statuses.len() == 1 && only == "OPEN_READY_TO_RESCAN" => !is_closed(status),
            // Not every version of the page lets a finding have this status.
            Some(only) if statuses.len() == 1 && only == "CLOSED_PARTIALLY_FIXED" => is_closed(status),
            Some(only) if statuses.len() == 1 => status == only,
            _ => is_closed(status) == statuses.iter().all(|status| is_closed(status)),
        };
        (!is_right).then(|| format!("{status} of {statuses:?} in {}", row.json["id"]))
    })
}

/// Findings whose texts agree are the same issue.
fn issue_type_id_stable(case: &Case) -> Verdict {
    let rows = seen(case)?.only(|row| row.get("issue_type_id").is_some());
    let mut kinds: BTreeMap<[Option<&str>; 4], BTreeMap<String, String>> = BTreeMap::new();
    let mut compared = 0;
    for row in &rows.rows {
        let issue = ["title", "description", "recommendation", "category"].map(|name| row.text(name));
        let apps = kinds.entry(issue).or_default();
        let (app, kind) = (row.json["mobile_app_id"].to_string(), row.json["issue_type_id"].to_string());
        if let Some((other, differing)) = apps.iter().find(|(_, known)| **known != kind) {
            let seen = format!("{differing} in the app {other} and {kind} in {app}");
            return broken_at(
                &row.evidence,
                "the same issue has the same `issue_type_id` in every app",
                seen,
            );
        }
        compared += usize::from(apps.keys().any(|other| *other != app));
        apps.insert(app, kind);
    }
    Held::over(compared, "no issue with an `issue_type_id` was seen in two apps")
}

fn mobile_app_id(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    seen(case)?.each("mobile_app_id", &Int64Text)?;
    let ids: BTreeSet<&str> =
        api.findings()?.rows.iter().filter_map(|row| row.text("mobile_app_id")).collect();
    for id in ids.iter().take(3) {
        let (reply, evidence) = api.get(&format!("{APPS}/{id}"))?;
        let is_found = reply.json().is_some_and(|app| app["id"] == *id);
        if !is_found && !api.apps()?.rows.iter().any(|app| app.text("id") == Some(id)) {
            return broken_at(&evidence, format!("the app {id} of a finding exists"), reply.status);
        }
    }
    Held::over(ids.len(), "no finding was listed")
}

fn results_last_updated(case: &Case) -> Verdict {
    seen(case)?.each_present("results_last_updated", &Timestamp)?;
    seen(case)?.all("results never changed before the finding existed", |row| {
        let (created, updated) = (row.time("date_created")?, row.time("results_last_updated")?);
        (updated < created).then(|| format!("created {created}, results updated {updated}"))
    })
}
