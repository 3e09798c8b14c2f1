//! Projects: lists, vitals, and what became of a scan.
#![expect(clippy::unnecessary_wraps, reason = "the table has handlers of one form")]

use std::cmp::Reverse;
use std::sync::Arc;

use fixtures::spec::mend as ledger;
use fixtures::world::mend::RequestState;
use jiff::Timestamp;

use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::fields;
use crate::vendors::mend::store::Project;
use crate::vendors::mend::wire;
use crate::vendors::mend::wire::projects::{
    LastModifications, ProjectVitals, Projects, State, last_modification, listed, vitals,
};

/// The projects that a token leads to, in the order that the reading asks for.
pub(super) fn projects<'a>(account: &'a Account, call: &'a Call<'_>) -> Vec<&'a Arc<Project>> {
    let mut projects: Vec<&Arc<Project>> = match &call.scope {
        Scope::GlobalOrganization => Vec::new(),
        Scope::Organization(id) => account.store.projects_of_organization(*id).collect(),
        Scope::Product(product) => account.store.projects_of(product.spec.id).collect(),
        Scope::Project(project) => vec![project],
    };
    order::arrange(&mut projects, |project| project.token(), call.readings);
    projects
}

/// The projects of a product.
pub(super) fn get_all_projects(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let projects = projects(account, call).into_iter().map(|project| listed(&project.spec)).collect();
    Ok(wire::body(&Projects { projects, message: "Success" }))
}

/// The vitals of an organization's projects.
pub(super) fn get_organization_project_vitals(
    account: &Account,
    call: &Call<'_>,
) -> Result<Vec<u8>, Refused> {
    Ok(project_vitals(account, call))
}

/// The vitals of a product's projects.
pub(super) fn get_product_project_vitals(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    Ok(project_vitals(account, call))
}

/// The vitals of one project, in a list.
pub(super) fn get_project_vitals(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    Ok(project_vitals(account, call))
}

fn project_vitals(account: &Account, call: &Call<'_>) -> Vec<u8> {
    let of_project = |project: &'_ Arc<Project>| {
        account.store.product_of_id(project.product).map(|product| product.spec.name.as_str())
    };
    let rows = projects(account, call);
    let project_vitals = rows.into_iter().map(|row| vitals(row, of_project(row), call.readings)).collect();
    wire::body(&ProjectVitals { project_vitals })
}

/// Newest first under every reading: clients look only at the first.
pub(super) fn get_project_last_modification(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let mut modifications = account.store.last_modified(project.spec.id);
    modifications.sort_by_key(|modification| Reverse((modification.second, modification.kind)));
    let rows = modifications.into_iter().filter_map(|row| {
        let instant = Timestamp::from_second(row.second).ok()?;
        Some(last_modification(project, row.kind, instant, call.readings))
    });
    Ok(wire::body(&LastModifications { project_last_modifications: rows.collect() }))
}

/// How far the work behind a request has got, as the world says.
pub(super) fn get_request_state(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let rule = &ledger::MEND_SCAN_REQUEST_STATE;
    let token = fields::required_text(call.fields, "requestToken", rule, call.readings)?;
    let Scope::Organization(organization) = call.scope else { return Ok(b"{}".to_vec()) };
    let known = account.store.request(token).filter(|(project, _)| project.organization == organization);
    let request_state = known.map_or(RequestState::Unknown, |(_, state)| state);
    Ok(wire::body(&State { request_state }))
}
