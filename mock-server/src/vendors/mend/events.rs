//! What happens at Mend without a client: scans, vulnerabilities that become known, people in the user interface.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::is_cvss_score;
use fixtures::world::mend::{
    AlertStatus, Cvss3Spec, Event, InventorySpec, LibrarySpec, LibraryUse, ModificationType, RequestState,
    VulnerabilitySpec,
};
use jiff::Timestamp;
use serde::Serialize;

use super::account::Account;
use super::store::{LibraryId, Moment, Outcome, ProductId, Project, ProjectId};
use crate::vendors::happening::{EventError, Happening};
use crate::world::World;

/// What an event changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// Token of the request that scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_token: Option<String>,
    /// Tokens of the projects in which something changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_projects: Vec<String>,
    /// Policy violations that came up.
    #[serde(skip_serializing_if = "is_zero")]
    pub opened_violations: usize,
    /// Policy violations that went.
    #[serde(skip_serializing_if = "is_zero")]
    pub resolved_violations: usize,
    /// Alerts that came up, went or changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub changed_alerts: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Happening for Event {
    type Effects = Effects;

    fn happen(&self, world: &mut World, now: Timestamp) -> Result<Effects, EventError> {
        world.mend.apply(self, now)
    }
}

impl Account {
    /// Lets an event happen at `now`. An event that can't happen changes nothing.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Result<Effects, EventError> {
        match event {
            Event::Scan { project_token, added, removed, source_files_changed, comment } => {
                let project = self.project(project_token)?;
                let planned = self.plan_scan(&project, added, removed, now)?;
                let mut effects = self.perform_scan(&project, planned, now);
                let id = project.spec.id;
                if *source_files_changed {
                    self.store.note_modified(id, ModificationType::SourceFileMatch, now);
                }
                if comment.is_some() && *comment != project.spec.last_scan_comment {
                    self.store.change_project(id, |spec| spec.last_scan_comment.clone_from(comment));
                    self.store.note_modified(id, ModificationType::ScanComment, now);
                }
                effects.request_token = Some(self.finish_scan(&project));
                Ok(effects)
            }
            Event::ScanStarted { project_token } => {
                let project = self.project(project_token)?;
                let token = self.ids.request_token();
                self.store.put_request(project.spec.id, &token, RequestState::InProgress);
                Ok(Effects { request_token: Some(token), ..Effects::default() })
            }
            Event::LibraryAdded { library } => self.add_library(library),
            Event::VulnerabilityPublished { vulnerability, key_uuids } => {
                self.publish(vulnerability, key_uuids, now)
            }
            Event::VulnerabilityRescored { name, score, cvss3 } => {
                self.rescore(name, *score, cvss3.as_ref(), now)
            }
            Event::LicensesChanged { key_uuid, licenses } => {
                let library = self.library(key_uuid)?;
                if let Some(unknown) = licenses.iter().find(|name| self.store.license(name).is_none()) {
                    return Err(EventError::Unknown { kind: "licence", id: unknown.clone() });
                }
                let mut effects = Effects::default();
                if library.licenses == *licenses {
                    return Ok(effects);
                }
                let mut changed = LibrarySpec::clone(&library);
                changed.licenses.clone_from(licenses);
                self.store.put_library(changed);
                self.evaluate_users_of(library.key_id, None, now, &mut effects);
                // What a project is made of is not what it was, even if no policy minds.
                for project in self.store.users_of(library.key_id) {
                    self.store.note_modified(project, ModificationType::Inventory, now);
                    effects.add_project(self, project);
                }
                Ok(effects)
            }
            Event::AlertIgnored { alert_uuid, comments } => {
                let Some(alert) = self.store.alert(alert_uuid) else {
                    return Err(EventError::Unknown { kind: "alert", id: alert_uuid.clone() });
                };
                if alert.spec.status == AlertStatus::Resolved {
                    return Err(EventError::Incoherent(format!(
                        "the alert {alert_uuid:?} is resolved already"
                    )));
                }
                let project = alert.key.project;
                let mut moment = Moment::live(now, &mut self.ids);
                let comments = comments.as_deref();
                let mut effects = Effects::default();
                if let Some(outcome) =
                    self.store.set_alert_status(alert_uuid, AlertStatus::Ignored, comments, &mut moment)
                {
                    effects.add(outcome);
                    effects.add_project(self, project);
                }
                Ok(effects)
            }
            Event::ProjectRenamed { project_token, name } => {
                let project = self.project(project_token)?;
                if name.trim().is_empty() {
                    return Err(EventError::Incoherent("a project has a name".to_owned()));
                }
                let id = project.spec.id;
                self.store.change_project(id, |spec| spec.name.clone_from(name));
                self.store.note_modified(id, ModificationType::Metadata, now);
                let mut effects = Effects::default();
                effects.add_project(self, id);
                Ok(effects)
            }
            Event::ProjectDeleted { project_token } => {
                let project = self.project(project_token)?;
                let (product, id) = (project.product, project.spec.id);
                let had: Vec<LibraryId> =
                    self.store.inventory(id).map(|(library, _)| library.key_id).collect();
                self.store.remove_project(id);
                let changed_projects = vec![project_token.clone()];
                let mut effects = Effects { changed_projects, ..Effects::default() };
                self.evaluate_sharers(product, id, &had, now, &mut effects);
                Ok(effects)
            }
            Event::UserKeyRevoked { user_id } => {
                if self.revoke(*user_id) {
                    Ok(Effects::default())
                } else {
                    Err(EventError::Unknown { kind: "user with a key", id: user_id.to_string() })
                }
            }
        }
    }

    fn project(&self, token: &str) -> Result<Arc<Project>, EventError> {
        let unknown = || EventError::Unknown { kind: "project", id: token.to_owned() };
        self.store.project(token).cloned().ok_or_else(unknown)
    }

    fn library(&self, key_uuid: &str) -> Result<Arc<LibrarySpec>, EventError> {
        let unknown = || EventError::Unknown { kind: "library", id: key_uuid.to_owned() };
        self.store.library(key_uuid).cloned().ok_or_else(unknown)
    }

    /// Which libraries a scan brings and takes, if all of them exist.
    fn plan_scan(
        &self,
        project: &Project,
        added: &[LibraryUse],
        removed: &[String],
        now: Timestamp,
    ) -> Result<PlannedScan, EventError> {
        let id = project.spec.id;
        let mut brought = Vec::with_capacity(added.len());
        for found in added {
            let library = self.library(&found.key_uuid)?;
            for dependency in &found.dependencies {
                let known = self.library(dependency)?;
                let was_there =
                    self.store.inventory_of(id, known.key_id).is_some() && !removed.contains(dependency);
                let comes = added.iter().any(|other| other.key_uuid == *dependency);
                if *dependency == found.key_uuid || !(was_there || comes) {
                    return Err(EventError::Incoherent(format!(
                        "after the scan the project has no other library {dependency:?} that {:?} could bring along",
                        found.key_uuid
                    )));
                }
            }
            let unknown = found.ineffective_vulnerabilities.difference(&library.vulnerabilities).next();
            if let Some(name) = unknown {
                let kind = "vulnerability of that library";
                return Err(EventError::Unknown { kind, id: name.clone() });
            }
            // A library that is found again has been there since it was found first.
            let since = self.store.inventory_of(id, library.key_id).map_or(now, |before| before.added);
            let LibraryUse { key_uuid, is_direct, local_paths, dependency_file, dependencies, .. } =
                found.clone();
            let ineffective_vulnerabilities = found.ineffective_vulnerabilities.clone();
            let used = InventorySpec {
                key_uuid,
                added: since,
                is_direct,
                local_paths,
                dependency_file,
                dependencies,
                ineffective_vulnerabilities,
            };
            brought.push((library.key_id, used));
        }
        let mut taken = Vec::with_capacity(removed.len());
        for key_uuid in removed {
            let library = self.library(key_uuid)?;
            if self.store.inventory_of(id, library.key_id).is_none() {
                return Err(EventError::Incoherent(format!(
                    "the project {:?} has no library {key_uuid:?} that could leave it",
                    project.token()
                )));
            }
            if added.iter().any(|found| found.key_uuid == *key_uuid) {
                return Err(EventError::Incoherent(format!(
                    "the library {key_uuid:?} comes and goes at once"
                )));
            }
            taken.push(library.key_id);
        }
        Ok(PlannedScan { brought, taken })
    }

    fn perform_scan(&mut self, project: &Project, planned: PlannedScan, now: Timestamp) -> Effects {
        let id = project.spec.id;
        let mut is_changed = false;
        let mut came_or_went = planned.taken.clone();
        for (library, used) in planned.brought {
            if self.store.inventory_of(id, library).is_none() {
                came_or_went.push(library);
            }
            is_changed |= self.store.put_inventory(id, library, used);
        }
        is_changed |= self.store.remove_inventory(id, &planned.taken);
        self.store.note_modified(id, ModificationType::Scan, now);
        if is_changed {
            self.store.note_modified(id, ModificationType::Inventory, now);
        }
        let mut effects = Effects::default();
        let outcome = self.store.evaluate_project(id, &mut Moment::live(now, &mut self.ids));
        self.note_outcome(id, outcome, now, &mut effects);
        effects.add_project(self, id);
        self.evaluate_sharers(project.product, id, &came_or_went, now, &mut effects);
        effects
    }

    /// Gives the scan's request its token, or ends the one that a started scan has.
    fn finish_scan(&mut self, project: &Project) -> String {
        let started = project.spec.request_token.clone();
        let is_running = project.spec.request_state == Some(RequestState::InProgress);
        let token = match started {
            Some(token) if is_running => token,
            _ => self.ids.request_token(),
        };
        self.store.put_request(project.spec.id, &token, RequestState::Finished);
        token
    }

    fn add_library(&mut self, library: &LibrarySpec) -> Result<Effects, EventError> {
        if self.store.library(&library.key_uuid).is_some() {
            return Err(EventError::Exists { kind: "library", id: library.key_uuid.clone() });
        }
        if self.store.library_of_id(library.key_id).is_some() {
            return Err(EventError::Exists {
                kind: "library with the number",
                id: library.key_id.to_string(),
            });
        }
        if let Some(unknown) = library.licenses.iter().find(|name| self.store.license(name).is_none()) {
            return Err(EventError::Unknown { kind: "licence", id: unknown.clone() });
        }
        if let Some(unknown) =
            library.vulnerabilities.iter().find(|name| self.store.vulnerability(name).is_none())
        {
            return Err(EventError::Unknown { kind: "vulnerability", id: unknown.clone() });
        }
        self.store.put_library(library.clone());
        Ok(Effects::default())
    }

    fn publish(
        &mut self,
        vulnerability: &VulnerabilitySpec,
        key_uuids: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Effects, EventError> {
        check_scores(Some(vulnerability.score), vulnerability.cvss3.as_ref())?;
        let libraries = key_uuids.iter().map(|uuid| self.library(uuid)).collect::<Result<Vec<_>, _>>()?;
        let name = vulnerability.name.as_str();
        let mut published = vulnerability.clone();
        let mut is_changed = false;
        if let Some(before) = self.store.vulnerability(name) {
            published.last_updated = published.last_updated.max(before.last_updated);
            is_changed = **before != published;
        }
        self.store.put_vulnerability(published);
        let mut affected: BTreeSet<LibraryId> = libraries.iter().map(|library| library.key_id).collect();
        for library in libraries {
            let mut changed = LibrarySpec::clone(&library);
            changed.vulnerabilities.insert(name.to_owned());
            self.store.put_library(changed);
        }
        if is_changed {
            // What is known of it now holds wherever it was known already.
            affected.extend(self.store.libraries_with(name));
        }
        let mut effects = Effects::default();
        for library in affected {
            self.evaluate_users_of(library, is_changed.then_some(name), now, &mut effects);
        }
        Ok(effects)
    }

    fn rescore(
        &mut self,
        name: &str,
        score: Option<f64>,
        cvss3: Option<&Cvss3Spec>,
        now: Timestamp,
    ) -> Result<Effects, EventError> {
        check_scores(score, cvss3)?;
        let Some(known) = self.store.vulnerability(name) else {
            return Err(EventError::Unknown { kind: "vulnerability", id: name.to_owned() });
        };
        let mut changed = VulnerabilitySpec::clone(known);
        changed.score = score.unwrap_or(changed.score);
        changed.cvss3 = cvss3.cloned().or(changed.cvss3);
        changed.last_updated = changed.last_updated.max(now);
        self.store.put_vulnerability(changed);
        let mut effects = Effects::default();
        for library in self.store.libraries_with(name) {
            self.evaluate_users_of(library, Some(name), now, &mut effects);
        }
        Ok(effects)
    }

    fn evaluate_users_of(
        &mut self,
        library: LibraryId,
        rescored: Option<&str>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let mut moment = Moment::live(now, &mut self.ids);
        for (project, outcome) in self.store.evaluate_users_of(library, rescored, &mut moment) {
            self.note_outcome(project, outcome, now, effects);
            effects.add_project(self, project);
        }
    }

    fn evaluate_sharers(
        &mut self,
        product: ProductId,
        project: ProjectId,
        libraries: &[LibraryId],
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let mut moment = Moment::live(now, &mut self.ids);
        for (user, outcome) in self.store.evaluate_sharers(product, project, libraries, &mut moment) {
            self.note_outcome(user, outcome, now, effects);
            effects.add_project(self, user);
        }
    }

    fn note_outcome(&mut self, project: ProjectId, outcome: Outcome, now: Timestamp, effects: &mut Effects) {
        self.store.note_outcome(project, outcome, now);
        effects.add(outcome);
    }
}

/// What a scan changes in a project.
struct PlannedScan {
    /// Libraries that it brings, or finds used in another way.
    brought: Vec<(LibraryId, InventorySpec)>,
    /// Libraries that it takes.
    taken: Vec<LibraryId>,
}

impl Effects {
    fn add(&mut self, outcome: Outcome) {
        self.opened_violations += outcome.opened;
        self.resolved_violations += outcome.resolved;
        self.changed_alerts += outcome.alerts;
    }

    fn add_project(&mut self, account: &Account, project: ProjectId) {
        if let Some(row) = account.store.project_of_id(project)
            && !self.changed_projects.iter().any(|known| known == row.token())
        {
            self.changed_projects.push(row.token().to_owned());
        }
    }
}

fn check_scores(score: Option<f64>, cvss3: Option<&Cvss3Spec>) -> Result<(), EventError> {
    let scores = score.into_iter().chain(cvss3.map(|cvss3| cvss3.score));
    match scores.into_iter().find(|score| !is_cvss_score(*score)) {
        Some(wrong) => {
            Err(EventError::Incoherent(format!("a CVSS score lies between 0 and 10, not {wrong}")))
        }
        None => Ok(()),
    }
}
