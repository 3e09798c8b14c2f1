//! Mend's rows. What is in a project, when it was modified and what matched in it are rows of their own, so a
//! write costs the same however large a project is.
//!
//! A row whose value is JSON `null` says that what the base has under its key is gone.

use std::collections::BTreeMap;

use fixtures::world::MendWorld;
use fixtures::world::mend::{
    AlertSpec, ExternalIssueSpec, InventorySpec, LibrarySpec, ModificationType, PolicySpec, ProductSpec,
    ProjectSpec, ViolationSpec, VulnerabilitySpec,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Row, json, read};
use crate::durable::OpenError;
use crate::vendors::mend::store::{Change, Store};

/// What all of these kinds begin with on disk; a point follows.
pub(super) const KINDS: &str = "mend";

/// What a change writes; `None` if it is written as a whole world instead.
pub(super) fn row(store: &Store, change: &Change) -> Option<Row> {
    Some(match change {
        Change::Product(id) => one("product", id, store.product_of_id(*id).map(|row| &row.spec)),
        Change::Project(id) => {
            let project = store.project_of_id(*id)?;
            one("project", project.token(), Some(&project.spec))
        }
        Change::Modification(project, kind, place) => {
            let token = store.project_of_id(*project)?.token();
            let time = store.modification_at(*project, *kind, *place)?;
            Row { place: *place, ..one("modification", &json(&(token, kind)), Some(&time)) }
        }
        Change::Vulnerability(name) => {
            one("vulnerability", name, store.vulnerability(name).map(|spec| &**spec))
        }
        Change::Library(id) => one("library", id, store.library_of_id(*id).map(|spec| &**spec)),
        Change::Inventory(project, library) => {
            let token = store.project_of_id(*project)?.token();
            let key = json(&(token, &store.library_of_id(*library)?.key_uuid));
            one("inventory", &key, store.inventory_of(*project, *library).map(|spec| &**spec))
        }
        Change::Policy(id) => one("policy", id, store.policy(*id).map(|spec| &**spec)),
        Change::Violation(uuid) => one("violation", uuid, store.violation(uuid).map(|row| &row.spec)),
        Change::ExternalIssue(violation, identifier) => {
            let issue = store.external_issue(violation, identifier);
            one("external_issue", &json(&(violation, identifier)), issue.map(|spec| &**spec))
        }
        Change::Alert(uuid) => one("alert", uuid, store.alert(uuid).map(|row| &row.spec)),
        Change::Users | Change::ProjectRemoved(_) => return None,
    })
}

fn one(kind: &str, key: &(impl ToString + ?Sized), value: Option<&impl Serialize>) -> Row {
    Row { kind: format!("{KINDS}.{kind}"), key: key.to_string(), place: 0, value: json(&value) }
}

/// A world taken apart by the keys of its rows, so that rows can take their places.
pub(super) struct Overlay {
    /// What no row replaces.
    rest: MendWorld,
    products: BTreeMap<String, ProductSpec>,
    projects: BTreeMap<String, ProjectSpec>,
    /// By project and library.
    inventory: BTreeMap<(String, String), InventorySpec>,
    modifications: BTreeMap<(String, ModificationType), BTreeMap<usize, Timestamp>>,
    vulnerabilities: BTreeMap<String, VulnerabilitySpec>,
    libraries: BTreeMap<String, LibrarySpec>,
    policies: BTreeMap<String, PolicySpec>,
    violations: BTreeMap<String, ViolationSpec>,
    /// By violation and identifier.
    external_issues: BTreeMap<(String, String), ExternalIssueSpec>,
    alerts: BTreeMap<String, AlertSpec>,
}

impl Overlay {
    pub(super) fn take(world: &mut MendWorld) -> Self {
        let mut rest = std::mem::take(world);
        let (mut inventory, mut modifications) = (BTreeMap::new(), BTreeMap::new());
        for project in &mut rest.projects {
            let token = project.token().to_owned();
            let used = std::mem::take(&mut project.inventory).into_iter();
            inventory.extend(used.map(|used| ((token.clone(), used.key_uuid.clone()), used)));
            let times = std::mem::take(&mut project.modifications).into_iter();
            modifications.extend(
                times.map(|(kind, times)| ((token.clone(), kind), times.into_iter().enumerate().collect())),
            );
        }
        let issue_key = |issue: &ExternalIssueSpec| (issue.violation_uuid.clone(), issue.identifier.clone());
        Self {
            products: by_key(&mut rest.products, |row| row.id.to_string()),
            projects: by_key(&mut rest.projects, |row| row.token().to_owned()),
            inventory,
            modifications,
            vulnerabilities: by_key(&mut rest.vulnerabilities, |row| row.name.clone()),
            libraries: by_key(&mut rest.libraries, |row| row.key_id.to_string()),
            policies: by_key(&mut rest.policies, |row| row.id.to_string()),
            violations: by_key(&mut rest.policy_violations, |row| row.uuid.clone()),
            external_issues: by_key(&mut rest.external_issues, issue_key),
            alerts: by_key(&mut rest.alerts, |row| row.uuid.clone()),
            rest,
        }
    }

    /// Takes a row of this kind, named without [`KINDS`].
    pub(super) fn add(
        &mut self,
        kind: &str,
        key: String,
        place: usize,
        value: &str,
    ) -> Result<(), OpenError> {
        match kind {
            "product" => put(&mut self.products, key, value, kind),
            "project" => put(&mut self.projects, key, value, kind),
            "inventory" => put(&mut self.inventory, read(&key, kind)?, value, kind),
            "modification" => {
                put(self.modifications.entry(read(&key, kind)?).or_default(), place, value, kind)
            }
            "vulnerability" => put(&mut self.vulnerabilities, key, value, kind),
            "library" => put(&mut self.libraries, key, value, kind),
            "policy" => {
                // The number of one that is gone is not given again.
                let newest = key.parse::<u64>().ok().max(self.rest.newest_policy_id);
                self.rest.newest_policy_id = newest;
                put(&mut self.policies, key, value, kind)
            }
            "violation" => put(&mut self.violations, key, value, kind),
            "external_issue" => put(&mut self.external_issues, read(&key, kind)?, value, kind),
            "alert" => put(&mut self.alerts, key, value, kind),
            // A kind that this version does not know would have come with a newer format.
            _ => Ok(()),
        }
    }

    pub(super) fn world(mut self) -> MendWorld {
        for ((token, _), used) in self.inventory {
            if let Some(project) = self.projects.get_mut(&token) {
                project.inventory.push(used);
            }
        }
        for ((token, kind), times) in self.modifications {
            if let Some(project) = self.projects.get_mut(&token) {
                project.modifications.insert(kind, times.into_values().collect());
            }
        }
        MendWorld {
            products: self.products.into_values().collect(),
            projects: self.projects.into_values().collect(),
            vulnerabilities: self.vulnerabilities.into_values().collect(),
            libraries: self.libraries.into_values().collect(),
            policies: self.policies.into_values().collect(),
            policy_violations: self.violations.into_values().collect(),
            external_issues: self.external_issues.into_values().collect(),
            alerts: self.alerts.into_values().collect(),
            // What matches was written down as it came up.
            is_evaluated: true,
            ..self.rest
        }
    }
}

fn by_key<K: Ord, T>(rows: &mut Vec<T>, key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    std::mem::take(rows).into_iter().map(|row| (key(&row), row)).collect()
}

/// Puts a row in its place, or takes away what was there.
fn put<K: Ord, T: DeserializeOwned>(
    rows: &mut BTreeMap<K, T>,
    key: K,
    value: &str,
    kind: &str,
) -> Result<(), OpenError> {
    match read::<Option<T>>(value, kind)? {
        Some(row) => drop(rows.insert(key, row)),
        None => drop(rows.remove(&key)),
    }
    Ok(())
}
