//! Alerts: which there have to be, which policy is behind one, and what people say of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::world::mend::{
    ActionType, AlertSpec, AlertStatus, AlertType, Cause, InventorySpec, LibrarySpec, PolicyScope, PolicySpec,
};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::Store;
use super::evaluate::{Moment, Outcome};
use super::model::{Alert, AlertKey, LibraryId, PolicyId, Project, ProjectId, Rendered};
use super::policies::Ranked;
use super::write::Change;
use crate::vendors::mend::readings::IgnoredAlertViolation;

impl Store {
    /// Gives an alert another status, and another comment if there is one. Returns what changed, the alert itself
    /// included; `None` if it had that status and says the same already.
    pub fn set_alert_status(
        &mut self,
        uuid: &str,
        status: AlertStatus,
        comments: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Option<Outcome> {
        let alert = self.alert(uuid)?;
        let comments = comments.map(str::to_owned).or_else(|| alert.spec.comments.clone());
        if alert.spec.status == status && alert.spec.comments == comments {
            return None;
        }
        let (project, library) = (alert.key.project, alert.key.library);
        let mut changed = Alert::clone(alert);
        changed.spec.status = status;
        changed.spec.comments = comments;
        changed.spec.last_modified = changed.spec.last_modified.max(moment.now);
        self.keep_alert(changed);
        let mut outcome = Outcome { alerts: 1, ..Outcome::default() };
        // Under the other value nothing that policies look at has changed, and they may have reasons to wait.
        if self.readings.ignored_alert_violation == IgnoredAlertViolation::Resolved {
            outcome = outcome.and(self.evaluate_libraries(project, &[library], None, moment));
        }
        self.note_outcome(project, outcome, moment.now);
        Some(outcome)
    }

    pub(super) fn is_ignored(&self, project: ProjectId, library: LibraryId, cause: &Cause) -> bool {
        let Cause::Vulnerability(name) = cause else { return false };
        let key = security_alert(project, library, name);
        self.alerts.get(&key).is_some_and(|alert| alert.spec.status == AlertStatus::Ignored)
    }

    /// Brings the alerts of a project in step with its libraries and matches. Returns how many changed.
    pub(super) fn evaluate_alerts(
        &mut self,
        project: &Project,
        policies: &[Ranked],
        moment: &mut Moment<'_>,
    ) -> usize {
        let id = project.spec.id;
        let mut wanted = self.wanted_alerts(project, policies, moment.now);
        let mut changed = 0;
        let before: Vec<Arc<Alert>> = self.alerts(id).into_iter().cloned().collect();
        for alert in before {
            let is_wanted = wanted.remove(&alert.key).is_some();
            let status = match (alert.spec.status, is_wanted) {
                (AlertStatus::Active | AlertStatus::Ignored, false) => AlertStatus::Resolved,
                (AlertStatus::Resolved, true) => AlertStatus::Active,
                _ => continue,
            };
            let mut next = Alert::clone(&alert);
            next.spec.status = status;
            next.spec.last_modified = next.spec.last_modified.max(moment.now);
            self.keep_alert(next);
            changed += 1;
        }
        for (key, began) in wanted {
            let key_uuid =
                self.library_of_id(key.library).map_or_else(String::new, |known| known.key_uuid.clone());
            let slug =
                || format!("alert/{}/{key_uuid}/{}/{}", project.spec.uuid, key.kind, key.vulnerability);
            let (uuid, created) = (moment.uuid(slug), moment.began(began));
            let spec = AlertSpec {
                uuid,
                kind: key.kind,
                project_token: project.token().to_owned(),
                key_uuid,
                vulnerability: Some(key.vulnerability.to_string()).filter(|name| !name.is_empty()),
                status: AlertStatus::Active,
                comments: None,
                created,
                last_modified: created,
            };
            self.keep_alert(Alert { key, spec, rendered: Rendered::default() });
            changed += 1;
        }
        changed
    }

    /// The alerts that a project has to have, with the times of their reasons.
    fn wanted_alerts(
        &self,
        row: &Project,
        policies: &[Ranked],
        now: Timestamp,
    ) -> BTreeMap<AlertKey, Vec<Timestamp>> {
        let project = row.spec.id;
        let mut wanted: BTreeMap<AlertKey, Vec<Timestamp>> = BTreeMap::new();
        let used: Vec<(&Arc<LibrarySpec>, &Arc<InventorySpec>)> = self.inventory(project).collect();
        let mut versions: BTreeMap<_, usize> = BTreeMap::new();
        for (library, _) in &used {
            *versions.entry((library.kind, &library.group_id, &library.artifact_id)).or_default() += 1;
        }
        for (library, used) in used {
            let mut want = |kind, vulnerability: &str, reasons: Vec<Timestamp>| {
                let (library, vulnerability) = (library.key_id, SmolStr::new(vulnerability));
                wanted.insert(AlertKey { project, library, kind, vulnerability }, reasons);
            };
            for name in &library.vulnerabilities {
                if let Some(known) = self.vulnerability(name) {
                    want(AlertType::SecurityVulnerability, name, vec![used.added, known.publish_date]);
                }
            }
            if library.licenses.len() > 1 {
                want(AlertType::MultipleLicenses, "", vec![used.added]);
            }
            if versions.get(&(library.kind, &library.group_id, &library.artifact_id)).is_some_and(|n| *n > 1)
            {
                want(AlertType::MultipleLibraryVersions, "", vec![used.added]);
            }
            if let Some(newest) = library.newest_version.as_ref().filter(|newest| **newest != library.version)
            {
                let major = |version: &str| version.split('.').next().map(str::to_owned);
                let kind = if major(newest) == major(&library.version) {
                    AlertType::NewMinorVersion
                } else {
                    AlertType::NewMajorVersion
                };
                want(kind, "", vec![used.added]);
            }
            if let Some(policy) = self.rejecting_policy(row, library.key_id, policies, now) {
                want(AlertType::RejectedByPolicyResource, "", vec![used.added, policy.creation_time]);
            }
        }
        wanted
    }

    /// The policy that rejects a library of a project, if one does. `policies` are those of the project.
    pub fn rejecting_policy(
        &self,
        project: &Project,
        library: LibraryId,
        policies: &[Ranked],
        now: Timestamp,
    ) -> Option<&Arc<PolicySpec>> {
        if !policies.iter().any(|(_, policy)| rejects(policy)) {
            return None;
        }
        let standing = self.standing(project, library, policies, now);
        standing.iter().filter_map(|(policy, _)| self.policy(*policy)).find(|policy| rejects(policy))
    }

    /// Notes that the alerts about what a policy rejects say something else now: its name is in them.
    pub(super) fn refresh_rejections(&mut self, policy: PolicyId, scope: &PolicyScope, now: Timestamp) {
        if !self.policy(policy).is_some_and(|policy| rejects(policy)) {
            return;
        }
        for project in self.projects_in(scope) {
            let Some(row) = self.project_of_id(project).cloned() else { continue };
            let policies = self.policies_of(&row);
            let says_its_name = |alert: &Alert| {
                alert.spec.kind == AlertType::RejectedByPolicyResource
                    && alert.spec.status != AlertStatus::Resolved
                    && self
                        .rejecting_policy(&row, alert.key.library, &policies, now)
                        .is_some_and(|behind| behind.id == policy)
            };
            let renamed: Vec<AlertKey> = self
                .alerts(project)
                .into_iter()
                .filter(|alert| says_its_name(alert))
                .map(|alert| alert.key.clone())
                .collect();
            let alerts = renamed.into_iter().map(|key| self.refresh_alert(&key, now)).sum();
            self.note_outcome(project, Outcome { alerts, ..Outcome::default() }, now);
        }
    }

    /// Notes that a vulnerability's alert says something else now. Returns how many alerts that were.
    pub(super) fn refresh_security_alert(
        &mut self,
        project: ProjectId,
        library: LibraryId,
        name: &str,
        now: Timestamp,
    ) -> usize {
        self.refresh_alert(&security_alert(project, library, name), now)
    }

    fn refresh_alert(&mut self, key: &AlertKey, now: Timestamp) -> usize {
        let Some(alert) = self.alerts.get(key) else { return 0 };
        let mut next = Alert::clone(alert);
        next.spec.last_modified = next.spec.last_modified.max(now);
        self.keep_alert(next);
        1
    }

    fn keep_alert(&mut self, alert: Alert) {
        let uuid = SmolStr::new(&alert.spec.uuid);
        self.changes.push(Change::Alert(uuid.clone()));
        self.alert_keys.insert(uuid, alert.key.clone());
        self.alerts.insert(alert.key.clone(), Arc::new(alert));
    }
}

fn rejects(policy: &PolicySpec) -> bool {
    policy.is_enabled && policy.action.kind == ActionType::Reject
}

fn security_alert(project: ProjectId, library: LibraryId, vulnerability: &str) -> AlertKey {
    let (kind, vulnerability) = (AlertType::SecurityVulnerability, SmolStr::new(vulnerability));
    AlertKey { project, library, kind, vulnerability }
}
