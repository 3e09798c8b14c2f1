//! Changes to rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::mend::{
    ExternalIssueSpec, InventorySpec, LibrarySpec, ModificationType, PolicyScope, ProjectSpec,
    VulnerabilitySpec,
};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::evaluate::Outcome;
use super::model::{Alert, LibraryId, Match, PolicyId, Project, ProjectId};
use super::{Product, Store};

/// Which row changed, for whoever keeps rows on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A user or an integration came or went.
    Users,
    /// A project went, with everything that belongs to it.
    ProjectRemoved(SmolStr),
    /// A product changed.
    Product(super::ProductId),
    /// A project changed, its inventory and modifications aside.
    Project(ProjectId),
    /// A project got its n-th modification of a kind, counted from 0.
    Modification(ProjectId, ModificationType, usize),
    /// A vulnerability appeared or changed.
    Vulnerability(SmolStr),
    /// A library appeared or changed.
    Library(LibraryId),
    /// A library came into a project, or left it, or is used in another way.
    Inventory(ProjectId, LibraryId),
    /// A policy appeared, changed or went.
    Policy(PolicyId),
    /// A policy violation came up or changed.
    Violation(SmolStr),
    /// An integration reported an issue: violation and identifier.
    ExternalIssue(SmolStr, SmolStr),
    /// An alert came up or changed.
    Alert(SmolStr),
}

/// What a reported issue turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upsert {
    /// It was not known.
    Created,
    /// Something about it changed.
    Updated,
    /// It was known just so.
    Unaffected,
}

impl Store {
    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Notes a change of something that the store does not hold.
    pub fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Notes that a project was modified, and with it its product.
    pub fn note_modified(&mut self, project: ProjectId, kind: ModificationType, now: Timestamp) {
        let Some(row) = self.project_of_id(project).cloned() else { return };
        if let Some(place) = self.modifications.add(row.organization, project, kind, now) {
            self.changes.push(Change::Modification(project, kind, place));
        }
        if row.spec.last_updated_date < now {
            self.change_project(project, |spec| spec.last_updated_date = now);
        }
        if let Some(product) = self.products.get(&row.product)
            && product.spec.last_updated_date < now
        {
            let mut changed = Product::clone(product);
            changed.spec.last_updated_date = now;
            self.products.insert(row.product, Arc::new(changed));
            self.changes.push(Change::Product(row.product));
        }
    }

    /// Notes what an evaluation changed in a project.
    pub fn note_outcome(&mut self, project: ProjectId, outcome: Outcome, now: Timestamp) {
        if outcome.changed_matches() {
            self.note_modified(project, ModificationType::PolicyMatch, now);
        }
        if outcome.alerts > 0 {
            self.note_modified(project, ModificationType::Alerts, now);
        }
    }

    /// Changes a project, its inventory and modifications aside.
    pub fn change_project(&mut self, project: ProjectId, how: impl FnOnce(&mut ProjectSpec)) {
        let Some(row) = self.projects.get(&project) else { return };
        let mut changed = Project::clone(row);
        how(&mut changed.spec);
        self.projects.insert(project, Arc::new(changed));
        self.changes.push(Change::Project(project));
    }

    /// Removes a project with everything that belongs to it.
    pub fn remove_project(&mut self, project: ProjectId) {
        let Some(row) = self.projects.remove(&project) else { return };
        let libraries: Vec<LibraryId> = self.inventory(project).map(|(library, _)| library.key_id).collect();
        for library in libraries {
            self.inventory.remove(&(project, library));
            self.users_of_library.remove(&(library, project));
        }
        let alerts: Vec<Arc<Alert>> = self.alerts(project).into_iter().cloned().collect();
        for alert in alerts {
            self.alerts.remove(&alert.key);
            self.alert_keys.remove(alert.spec.uuid.as_str());
        }
        let matches: Vec<(LibraryId, PolicyId)> =
            self.matches(project).into_iter().map(|(policy, library, _)| (library, policy)).collect();
        for (library, policy) in matches {
            self.matches.remove(&(project, library, policy));
        }
        // Superseded violations are in no match any more, so all are looked at; a project is seldom deleted.
        let violations: Vec<SmolStr> = self
            .violations
            .iter()
            .filter(|(_, violation)| violation.project == project)
            .map(|(uuid, _)| uuid.clone())
            .collect();
        for uuid in violations {
            self.violations.remove(&uuid);
            // Identifiers are any texts, so the range ends with the least key that is of no such violation.
            let end = (SmolStr::new(format!("{uuid}\u{0}")), SmolStr::default());
            let issues = super::range(&self.external_issues, &(uuid, SmolStr::default()), &end);
            let keys: Vec<(SmolStr, SmolStr)> = issues.into_iter().map(|(key, _)| key.clone()).collect();
            for key in keys {
                self.external_issues.remove(&key);
            }
        }
        let scope = PolicyScope::Project(row.token().to_owned());
        let policies: Vec<PolicyId> = self.policies_in(&scope).map(|policy| policy.id).collect();
        for policy in policies {
            self.policies.remove(&policy);
            self.policies_of_scope.remove(&(scope.clone(), policy));
        }
        self.forget_requests(&row);
        self.modifications.remove_project(row.organization, project);
        self.projects_of.remove(&(row.product, project));
        self.project_ids.remove(row.token());
        self.changes.push(Change::ProjectRemoved(SmolStr::new(row.token())));
    }

    /// Puts a library into a project. Says whether it came, or is used in another way than before.
    pub fn put_inventory(&mut self, project: ProjectId, library: LibraryId, used: InventorySpec) -> bool {
        if self.inventory_of(project, library).is_some_and(|before| **before == used) {
            return false;
        }
        self.inventory.insert((project, library), Arc::new(used));
        self.users_of_library.insert((library, project), ());
        self.changes.push(Change::Inventory(project, library));
        self.forget_heads_of_use(project, library);
        true
    }

    /// Takes libraries out of a project, and out of what the others there bring along. Says whether one was there.
    pub fn remove_inventory(&mut self, project: ProjectId, libraries: &[LibraryId]) -> bool {
        let mut gone = BTreeSet::new();
        for library in libraries {
            if let Some(used) = self.inventory.remove(&(project, *library)) {
                gone.insert(used.key_uuid.clone());
                self.users_of_library.remove(&(*library, project));
                self.changes.push(Change::Inventory(project, *library));
            }
        }
        let bring_them: Vec<(LibraryId, Arc<InventorySpec>)> = self
            .inventory(project)
            .filter(|(_, used)| !used.dependencies.is_disjoint(&gone))
            .map(|(library, used)| (library.key_id, Arc::clone(used)))
            .collect();
        for (library, used) in bring_them {
            let dependencies = used.dependencies.difference(&gone).cloned().collect();
            self.put_inventory(
                project,
                library,
                InventorySpec { dependencies, ..InventorySpec::clone(&used) },
            );
        }
        !gone.is_empty()
    }

    /// Adds a library, or replaces the one with its number.
    pub fn put_library(&mut self, spec: LibrarySpec) {
        let id = spec.key_id;
        self.library_ids.insert(SmolStr::new(&spec.key_uuid), id);
        self.libraries.insert(id, Arc::new(spec));
        self.changes.push(Change::Library(id));
        self.forget_heads_of_library(id);
    }

    /// Adds a vulnerability, or replaces the one of its name.
    pub fn put_vulnerability(&mut self, spec: VulnerabilitySpec) {
        let name = SmolStr::new(&spec.name);
        self.vulnerabilities.insert(name.clone(), Arc::new(spec));
        self.changes.push(Change::Vulnerability(name));
    }

    /// Stores an issue that an integration reported.
    pub fn put_external_issue(&mut self, issue: ExternalIssueSpec) -> Upsert {
        let key = (SmolStr::new(&issue.violation_uuid), SmolStr::new(&issue.identifier));
        let upsert = match self.external_issues.get(&key) {
            Some(known) if **known == issue => return Upsert::Unaffected,
            Some(_) => Upsert::Updated,
            None => Upsert::Created,
        };
        self.external_issues.insert(key.clone(), Arc::new(issue));
        self.changes.push(Change::ExternalIssue(key.0, key.1));
        upsert
    }

    /// Renders policy and library anew wherever the library is used.
    fn forget_heads_of_library(&mut self, library: LibraryId) {
        for project in self.users_of(library) {
            self.forget_heads_of_use(project, library);
        }
    }

    /// Renders policy and library anew wherever the library is matched in one project.
    fn forget_heads_of_use(&mut self, project: ProjectId, library: LibraryId) {
        let policies: Vec<PolicyId> =
            self.matches_of_library(project, library).into_iter().map(|(policy, _)| policy).collect();
        for policy in policies {
            self.forget_head((project, library, policy));
        }
    }

    pub(super) fn forget_head(&mut self, key: (ProjectId, LibraryId, PolicyId)) {
        if let Some(row) = self.matches.get(&key) {
            let fresh = Arc::new(Match::clone(row));
            self.matches.insert(key, fresh);
        }
    }
}
