//! `getProjectLibrariesInfo`: which of the named libraries a project still has, and has issues for.

use std::collections::BTreeSet;

use fixtures::spec::mend as ledger;
use serde::Serialize;
use serde_json::Value;

use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::{
    KeyUuidsType, LibrariesInfoVersion, LibrariesNoLongerApplies, UnknownKeyUuid,
};
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::{Code, Refused};
use crate::vendors::mend::rules::fields;
use crate::vendors::mend::store::{LibraryId, Project, Version, opens_issues};
use crate::vendors::mend::wire::{self, inventory};

#[derive(Serialize)]
struct Reply<T> {
    libraries: Vec<T>,
}

/// Leaves out what left the project, what was never in it, and what no policy issue applies to any more.
pub(super) fn get_project_libraries_info(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let readings = call.readings;
    if call.version == Version::V13 && readings.libraries_info_version == LibrariesInfoVersion::NewerOnly {
        let reason = "getProjectLibrariesInfo is only on the newer page, which has version 1.4";
        return Err(Refused::reading(Code::InvalidParameters, &ledger::MEND_LIBRARIES_INFO_VERSION, reason));
    }
    let key_uuids = key_uuids(call)?;
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let mut libraries = Vec::with_capacity(key_uuids.len());
    for (place, key_uuid) in key_uuids.iter().enumerate() {
        let known = account.store.library(key_uuid);
        match known.filter(|library| is_of_project(account, project, library.key_id)) {
            Some(library) if applies(account, project, library.key_id, call) => libraries.push(library),
            Some(_) => {}
            None if readings.unknown_key_uuid == UnknownKeyUuid::LeftOut => {}
            None => {
                let reason = format!("keyUuids[{place}] is of no library of the project");
                return Err(Refused::reading(Code::InvalidLibrary, &ledger::MEND_UNKNOWN_KEY_UUID, reason));
            }
        }
    }
    order::arrange(&mut libraries, |library| library.key_uuid.clone(), readings);
    let libraries = libraries.into_iter().map(|library| inventory::library(library, None)).collect();
    Ok(wire::body(&Reply { libraries }))
}

/// Whether the project has the library or, as far as policies matched it there, had it: that one is gone is what the
/// call tells, and no mistake.
fn is_of_project(account: &Account, project: &Project, library: LibraryId) -> bool {
    let (store, id) = (&account.store, project.spec.id);
    store.inventory_of(id, library).is_some() || !store.matches_of_library(id, library).is_empty()
}

/// Whether the project has the library, and not all of the issues it had are void.
fn applies(account: &Account, project: &Project, library: LibraryId, call: &Call<'_>) -> bool {
    let id = project.spec.id;
    if account.store.inventory_of(id, library).is_none() {
        return false;
    }
    let matches = account.store.matches_of_library(id, library);
    let is_in_force =
        |policy| account.store.policy(policy).is_some_and(|policy| policy.is_enabled && opens_issues(policy));
    call.readings.libraries_no_longer_applies == LibrariesNoLongerApplies::Listed
        || matches.is_empty()
        || matches.iter().any(|(policy, row)| row.is_open() && is_in_force(*policy))
}

/// The libraries that are asked about, each once, in the order they are named.
fn key_uuids<'a>(call: &'a Call<'_>) -> Result<Vec<&'a str>, Refused> {
    let (field, rule, readings) = ("keyUuids", &ledger::MEND_LIBRARIES_KEY_UUIDS, call.readings);
    if let Some(Value::String(text)) = fields::value(call.fields, field) {
        if readings.key_uuids_type == KeyUuidsType::ArrayOrString {
            return Ok(vec![text]);
        }
        let reason = format!("{field} has to be an array of strings, not a string");
        return Err(Refused::bad_value(&ledger::MEND_KEY_UUIDS_TYPE, reason, readings));
    }
    let mut seen = BTreeSet::new();
    let named = fields::required_texts(call.fields, field, rule, readings)?;
    Ok(named.into_iter().filter(|uuid| seen.insert(*uuid)).collect())
}
