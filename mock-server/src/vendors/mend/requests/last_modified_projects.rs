//! `getOrganizationLastModifiedProjects`: which projects changed in a window of time, and in which respect.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::spec::mend as ledger;
use fixtures::world::mend::ModificationType;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Call, order, request_token};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::{ModifiedAlerts, ModifiedAll, ModifiedRows, ModifiedUnknownType};
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::{fields, windows};
use crate::vendors::mend::store::Modification;
use crate::vendors::mend::wire::{self, dates};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    last_modified_projects: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    uuid: &'a str,
    api_token: &'a str,
    modification_type: ModificationType,
    last_modified: String,
}

/// One row for each project and kind of modification, with the newest time within the window.
pub(super) fn get_organization_last_modified_projects(
    account: &Account,
    call: &Call<'_>,
) -> Result<Vec<u8>, Refused> {
    let kinds = kinds(call)?;
    let window = windows::of_modifications(call.fields, call.readings)?;
    let request_token = request_token(call)?;
    let Scope::Organization(organization) = &call.scope else { return Ok(b"{}".to_vec()) };
    let mut found = account.store.modified(*organization, window);
    found.retain(|modification| kinds.contains(&modification.kind));
    if call.readings.modified_rows == ModifiedRows::PerProject {
        found = newest_per_project(found);
    }
    order::arrange(&mut found, |row| format!("{}/{}", row.project, row.kind), call.readings);
    let rows = found.into_iter().filter_map(|Modification { second, project, kind }| {
        let project = account.store.project_of_id(project)?;
        Some(Row {
            uuid: &project.spec.uuid,
            api_token: project.token(),
            modification_type: kind,
            last_modified: dates::second(Timestamp::from_second(second).ok()?, call.readings),
        })
    });
    Ok(wire::body(&Reply { last_modified_projects: rows.collect(), request_token }))
}

fn newest_per_project(found: Vec<Modification>) -> Vec<Modification> {
    // They come by time, so the last of a project is its newest.
    let newest: BTreeMap<u64, Modification> = found.into_iter().map(|row| (row.project, row)).collect();
    newest.into_values().collect()
}

/// The kinds that are asked for: all of them unless some are named.
fn kinds(call: &Call<'_>) -> Result<BTreeSet<ModificationType>, Refused> {
    let (field, rule, readings) = ("modificationTypes", &ledger::MEND_MODIFIED_TYPES, call.readings);
    let knows_alerts = readings.modified_alerts == ModifiedAlerts::Accepted;
    let is_known = |kind: &ModificationType| knows_alerts || *kind != ModificationType::Alerts;
    let all = || ModificationType::ALL.iter().copied().filter(is_known).collect();
    let Some(value) = fields::value(call.fields, field) else { return Ok(all()) };
    let refused = |reason: String| Err(Refused::bad_value(rule, reason, readings));
    let Value::Array(values) = value else {
        return refused(format!("{field} has to be an array of strings, not {}", fields::kind(value)));
    };
    let mut kinds = BTreeSet::new();
    for value in values {
        let Some(text) = value.as_str() else {
            return refused(format!("{field} has to be an array of strings"));
        };
        if text.eq_ignore_ascii_case("all") {
            if readings.modified_all == ModifiedAll::Accepted {
                return Ok(all());
            }
            let reason = format!("{field} has \"All\", which the page does not list");
            return Err(Refused::bad_value(&ledger::MEND_MODIFIED_ALL, reason, readings));
        }
        match text.parse::<ModificationType>() {
            Ok(ModificationType::Alerts) if !knows_alerts => {
                let reason = format!("{field} has ALERTS, which only the newer page lists");
                return Err(Refused::bad_value(&ledger::MEND_MODIFIED_ALERTS, reason, readings));
            }
            Ok(kind) => drop(kinds.insert(kind)),
            Err(_) if readings.modified_unknown_type == ModifiedUnknownType::Ignored => {}
            Err(error) => {
                let reason = format!("{field}: {error}");
                return Err(Refused::bad_value(&ledger::MEND_MODIFIED_UNKNOWN_TYPE, reason, readings));
            }
        }
    }
    Ok(if values.is_empty() { all() } else { kinds })
}
