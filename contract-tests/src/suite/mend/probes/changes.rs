//! Modified projects and libraries.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::spec::mend::{
    MEND_KEY_UUIDS_TYPE, MEND_LIBRARIES_INFO_VERSION, MEND_LIBRARIES_NO_LONGER_APPLIES, MEND_MODIFIED_ALERTS,
    MEND_MODIFIED_ALL, MEND_MODIFIED_ROWS, MEND_MODIFIED_UNKNOWN_TYPE, MEND_UNKNOWN_KEY_UUID,
};
use serde_json::json;

use super::super::client::{Answer, Mend};
use super::own_policies::OwnPolicy;
use super::tried::{Tried, library, of_libraries, tried};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes, unclear};
use crate::suite::rows::Rows;

probes! {
    MEND_MODIFIED_ROWS, Reading, modified_rows;
    MEND_MODIFIED_ALL, Reading, modified_all;
    MEND_MODIFIED_ALERTS, Reading, modified_alerts;
    MEND_MODIFIED_UNKNOWN_TYPE, Reading, modified_unknown_type;
    MEND_LIBRARIES_NO_LONGER_APPLIES, Lasting, libraries_no_longer_applies;
    MEND_KEY_UUIDS_TYPE, Reading, key_uuids_type;
    MEND_UNKNOWN_KEY_UUID, Reading, unknown_key_uuid;
    MEND_LIBRARIES_INFO_VERSION, Reading, libraries_info_version;
}

const LIBRARIES_INFO: &str = "getProjectLibrariesInfo";

/// Modified projects, of these types.
fn modified(api: Mend<'_>, types: &[&str]) -> Result<Tried<Rows>, Stop> {
    let fields = json!({"orgToken": api.org_token(), "modificationTypes": types});
    let answer = tried(api, "getOrganizationLastModifiedProjects", &fields)?;
    Ok(answer.map(|answer| answer.rows("lastModifiedProjects", "a modification")))
}

/// The same where it has to be answered with something.
fn modified_somehow(api: Mend<'_>, types: &[&str]) -> Result<Rows, Stop> {
    match modified(api, types)? {
        Ok(rows) if !rows.rows.is_empty() => Ok(rows),
        Ok(_) => not_exercised(format!("no project was modified by {types:?}")),
        Err(refusal) => unclear(format!("{types:?} are refused"), refusal.message),
    }
}

fn projects(rows: &Rows) -> BTreeSet<&str> {
    rows.rows.iter().filter_map(|row| row.text("uuid")).collect()
}

/// How many rows a project has that was modified in two ways.
fn modified_rows(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (scans, inventories) = (modified_somehow(api, &["SCAN"])?, modified_somehow(api, &["INVENTORY"])?);
    let both: BTreeSet<&str> = projects(&scans).intersection(&projects(&inventories)).copied().collect();
    observed(!both.is_empty(), "no project was both scanned and changed in its inventory")?;
    let all = modified_somehow(api, &["SCAN", "INVENTORY"])?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &all.rows {
        *counts.entry(row.text("uuid").unwrap_or_default()).or_default() += 1;
    }
    let are = |wanted: usize| both.iter().all(|project| counts.get(project) == Some(&wanted));
    match (are(1), are(2)) {
        (true, _) => Ok("per-project"),
        (_, true) => Ok("per-type"),
        _ => not_exercised("projects that were modified in two ways have neither one row each nor two"),
    }
}

fn modified_all(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let by_scans = modified_somehow(api, &["SCAN"])?;
    match modified(api, &["All"])? {
        Err(_) => Ok("refused"),
        // A server may also take no notice of a type that it does not know.
        Ok(rows) if rows.rows.is_empty() => Ok("refused"),
        Ok(rows) if projects(&rows).is_superset(&projects(&by_scans)) => Ok("accepted"),
        Ok(_) => not_exercised("`All` lists less than `SCAN`"),
    }
}

fn modified_alerts(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    modified_somehow(api, &["SCAN"])?;
    match modified(api, &["ALERTS"])? {
        Err(_) => Ok("refused"),
        Ok(rows) if rows.rows.iter().any(|row| row.text("modificationType") == Some("ALERTS")) => {
            Ok("accepted")
        }
        Ok(_) => not_exercised("no project is listed for its alerts, which may not have changed"),
    }
}

fn modified_unknown_type(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let by_scans = modified_somehow(api, &["SCAN"])?;
    match modified(api, &["SCAN", "CONTRACT_SUITE"])? {
        Err(_) => Ok("refused"),
        Ok(rows) if projects(&rows) == projects(&by_scans) => Ok("ignored"),
        Ok(_) => not_exercised("an unknown type changes what is listed"),
    }
}

fn libraries_no_longer_applies(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let own = OwnPolicy::acting(api)?;
    let (matched, unmatched) = (own.library.key_uuid.as_str(), own.other.key_uuid.as_str());
    let asked = of_libraries(&own.ground.project, &[matched, unmatched]);
    let listed = || -> Result<[bool; 2], Stop> {
        let libraries = api.accepted(LIBRARIES_INFO, &asked)?.rows("libraries", "a library");
        let has = |key: &str| libraries.rows.iter().any(|row| row.text("keyUuid") == Some(key));
        Ok([has(matched), has(unmatched)])
    };
    observed(listed()? == [true, true], "libraries of a project are left out")?;
    own.disable()?;
    match listed()? {
        [true, true] => Ok("listed"),
        [false, true] => Ok("omitted"),
        seen => not_exercised(format!("of the matched and the other library there are {seen:?}")),
    }
}

/// How many libraries an answer has.
fn count(answer: &Answer) -> usize {
    answer.rows("libraries", "a library").rows.len()
}

/// A library that is listed: its project's token and its `keyUuid`.
fn listed_library(api: Mend<'_>) -> Result<(String, String), Stop> {
    let (project, key) = library(api)?;
    let answer = api.accepted(LIBRARIES_INFO, &of_libraries(&project, &[&key]))?;
    observed(count(&answer) == 1, "the library of an issue is not listed")?;
    Ok((project, key))
}

fn key_uuids_type(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (project, key) = listed_library(api)?;
    match tried(api, LIBRARIES_INFO, &json!({"projectToken": project, "keyUuids": key}))? {
        Err(_) => Ok("array"),
        Ok(answer) if count(&answer) == 1 => Ok("array-or-string"),
        Ok(answer) => not_exercised(format!("{} libraries are listed for a string", count(&answer))),
    }
}

fn unknown_key_uuid(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (project, key) = listed_library(api)?;
    let unknown = "00000000-0000-4000-8000-000000000000";
    match tried(api, LIBRARIES_INFO, &of_libraries(&project, &[&key, unknown]))? {
        Err(_) => Ok("refused"),
        Ok(answer) if count(&answer) == 1 => Ok("left-out"),
        Ok(answer) => not_exercised(format!(
            "{} libraries are listed for a known id and an unknown one",
            count(&answer)
        )),
    }
}

fn libraries_info_version(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let older = api.version("v1.3");
    let (project, key) = listed_library(api)?;
    let issues = older.policy_issues_of(&project)?;
    observed(!issues.rows.is_empty(), "version 1.3 lists no issues")?;
    match tried(older, LIBRARIES_INFO, &of_libraries(&project, &[&key]))? {
        Err(_) => Ok("newer-only"),
        Ok(answer) if count(&answer) == 1 => Ok("both"),
        Ok(answer) => not_exercised(format!("version 1.3 lists {} libraries for one", count(&answer))),
    }
}
