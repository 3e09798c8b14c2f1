//! Brings matches in step with policies and inventory, and alerts with both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixtures::world::mend::{Cause, ViolationSpec, ViolationStatus};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::Store;
use super::model::{LibraryId, Match, PolicyId, ProductId, Project, ProjectId, Rendered, Violation};
use super::policies::{Ranked, opens_issues};
use super::write::Change;
use crate::kernel::ids::IdSource;
use crate::vendors::mend::readings::{
    HighIncludesCritical, IgnoredAlertViolation, MatchAgain, RescoreTouchesViolation,
};
use crate::vendors::mend::rules::policies::{self, Subject};

/// When something happens, and where the ids of what it creates come from.
pub struct Moment<'a> {
    /// What the clock shows.
    pub now: Timestamp,
    /// Ids.
    pub uuids: Uuids<'a>,
}

/// Where ids come from.
pub enum Uuids<'a> {
    /// From the sandbox's source, as things happen.
    Live(&'a mut IdSource),
    /// From what the thing is, when a world is loaded. Such things came up when their last reason did.
    OfThePast(&'a mut dyn FnMut(&str) -> String),
}

impl Moment<'_> {
    /// Something that happens now.
    pub fn live(now: Timestamp, ids: &mut IdSource) -> Moment<'_> {
        Moment { now, uuids: Uuids::Live(ids) }
    }

    pub(super) fn uuid(&mut self, slug: impl FnOnce() -> String) -> String {
        match &mut self.uuids {
            Uuids::Live(ids) => ids.uuid(),
            Uuids::OfThePast(make) => make(&slug()),
        }
    }

    /// When something with these reasons came up.
    pub(super) fn began(&self, reasons: impl IntoIterator<Item = Timestamp>) -> Timestamp {
        match self.uuids {
            Uuids::Live(_) => self.now,
            Uuids::OfThePast(_) => reasons.into_iter().max().unwrap_or(self.now).min(self.now),
        }
    }
}

/// What an evaluation changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Violations that came up.
    pub opened: usize,
    /// Violations that went.
    pub resolved: usize,
    /// Violations that stand and say something else than before.
    pub touched: usize,
    /// Alerts that came up, went or changed.
    pub alerts: usize,
}

impl Outcome {
    /// Whether a match came, went or changed.
    pub fn changed_matches(self) -> bool {
        self.opened + self.resolved + self.touched > 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            opened: self.opened + other.opened,
            resolved: self.resolved + other.resolved,
            touched: self.touched + other.touched,
            alerts: self.alerts + other.alerts,
        }
    }
}

impl Store {
    /// Evaluates all policies and alerts of a project.
    pub fn evaluate_project(&mut self, project: ProjectId, moment: &mut Moment<'_>) -> Outcome {
        let mut libraries: BTreeSet<LibraryId> =
            self.inventory(project).map(|(library, _)| library.key_id).collect();
        libraries.extend(self.matches(project).into_iter().map(|(_, library, _)| library));
        self.evaluate_libraries(project, &Vec::from_iter(libraries), None, moment)
    }

    /// Evaluates all policies and alerts of the projects that use a library. `rescored` is a vulnerability whose
    /// scores changed. Returns those in which something changed.
    pub fn evaluate_users_of(
        &mut self,
        library: LibraryId,
        rescored: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Vec<(ProjectId, Outcome)> {
        let mut changed = Vec::new();
        for project in self.users_of(library) {
            let mut outcome = self.evaluate_libraries(project, &[library], rescored, moment);
            if let Some(name) = rescored {
                outcome.alerts += self.refresh_security_alert(project, library, name, moment.now);
            }
            if outcome != Outcome::default() {
                changed.push((project, outcome));
            }
        }
        changed
    }

    /// Evaluates the projects that use libraries which a project brought into its product or took out of it, if a
    /// policy asks what that product has. Returns those in which something changed.
    pub fn evaluate_sharers(
        &mut self,
        product: ProductId,
        project: ProjectId,
        libraries: &[LibraryId],
        moment: &mut Moment<'_>,
    ) -> Vec<(ProjectId, Outcome)> {
        let token = self.product_of_id(product).map(|row| row.spec.token.as_str());
        if !token.is_some_and(|token| self.is_asked_for_by_a_policy(token)) {
            return Vec::new();
        }
        let others: Vec<ProjectId> =
            self.projects_of(product).map(|row| row.spec.id).filter(|id| *id != project).collect();
        let mut concerned: BTreeMap<ProjectId, Vec<LibraryId>> = BTreeMap::new();
        for library in libraries {
            // As long as another project of the product has it, nothing is new about the product.
            if others.iter().any(|other| self.inventory_of(*other, *library).is_some()) {
                continue;
            }
            for user in self.users_of(*library).into_iter().filter(|user| *user != project) {
                concerned.entry(user).or_default().push(*library);
            }
        }
        let mut changed = Vec::new();
        for (user, libraries) in concerned {
            let outcome = self.evaluate_libraries(user, &libraries, None, moment);
            if outcome != Outcome::default() {
                changed.push((user, outcome));
            }
        }
        changed
    }

    /// Evaluates all policies for some libraries of a project, and its alerts.
    pub(super) fn evaluate_libraries(
        &mut self,
        project: ProjectId,
        libraries: &[LibraryId],
        rescored: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Outcome {
        let Some(row) = self.project_of_id(project).cloned() else { return Outcome::default() };
        let policies = self.policies_of(&row);
        let mut outcome = Outcome::default();
        for library in libraries {
            outcome = outcome.and(self.evaluate_library(&row, *library, &policies, rescored, moment));
        }
        outcome.alerts += self.evaluate_alerts(&row, &policies, moment);
        outcome
    }

    fn evaluate_library(
        &mut self,
        project: &Project,
        library: LibraryId,
        policies: &[Ranked],
        rescored: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Outcome {
        let id = project.spec.id;
        let mut wanted: BTreeMap<PolicyId, BTreeSet<Cause>> = BTreeMap::new();
        for (policy, cause) in self.standing(project, library, policies, moment.now) {
            if self.policy(policy).is_some_and(|policy| opens_issues(policy)) {
                wanted.entry(policy).or_default().insert(cause);
            }
        }
        let before: BTreeMap<PolicyId, Arc<Match>> = self
            .matches_of_library(id, library)
            .into_iter()
            .map(|(policy, row)| (policy, Arc::clone(row)))
            .collect();
        let mut outcome = Outcome::default();
        let concerned: BTreeSet<PolicyId> = before.keys().chain(wanted.keys()).copied().collect();
        for policy in concerned {
            let causes = wanted.remove(&policy).unwrap_or_default();
            let old = before.get(&policy).cloned().unwrap_or_default();
            let (row, changed) = self.next_match(project, library, policy, &old, causes, rescored, moment);
            if changed != Outcome::default() {
                self.matches.insert((id, library, policy), Arc::new(row));
                outcome = outcome.and(changed);
            }
        }
        outcome
    }

    /// What of the policies' matches with a library has to stand.
    pub(super) fn standing(
        &self,
        project: &Project,
        library: LibraryId,
        policies: &[Ranked],
        now: Timestamp,
    ) -> Vec<(PolicyId, Cause)> {
        let id = project.spec.id;
        let (Some(used), Some(spec)) = (self.inventory_of(id, library), self.library_of_id(library)) else {
            return Vec::new();
        };
        let vulnerabilities: Vec<_> = spec
            .vulnerabilities
            .iter()
            .filter_map(|name| self.vulnerability(name))
            .map(|vulnerability| &**vulnerability)
            .collect();
        let is_in_product = |token: &str| {
            self.product(token).is_some_and(|product| {
                self.projects_of(product.spec.id)
                    .any(|project| self.inventory_of(project.spec.id, library).is_some())
            })
        };
        let subject = Subject {
            library: spec,
            vulnerabilities: &vulnerabilities,
            ineffective: &used.ineffective_vulnerabilities,
            is_in_product: &is_in_product,
            high_includes_critical: self.readings.high_includes_critical == HighIncludesCritical::Yes,
            now,
        };
        let mut matched = Vec::new();
        let mut kept = Vec::new();
        for (_, policy) in policies {
            let mut causes = policies::causes(&policy.filter, policy.is_inclusive, &subject);
            if self.readings.ignored_alert_violation == IgnoredAlertViolation::Resolved {
                causes.retain(|cause| !self.is_ignored(id, library, cause));
            }
            if policy.is_enabled {
                matched.push((policy.id, causes));
                continue;
            }
            // What a disabled policy matched before stays; it takes nothing from the others, and nothing new.
            if let Some(row) = self.matches.get(&(id, library, policy.id)) {
                causes.retain(|cause| row.of_cause(cause).is_some_and(|violation| violation.is_open()));
                kept.extend(causes.into_iter().map(|cause| (policy.id, cause)));
            }
        }
        let mut standing = policies::standing(matched, self.readings.policy_conflict);
        standing.extend(kept);
        standing
    }

    #[expect(clippy::too_many_arguments, reason = "all of them decide about one row")]
    fn next_match(
        &mut self,
        project: &Project,
        library: LibraryId,
        policy: PolicyId,
        old: &Match,
        mut wanted: BTreeSet<Cause>,
        rescored: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> (Match, Outcome) {
        let mut outcome = Outcome::default();
        let mut violations: Vec<Arc<Violation>> = Vec::with_capacity(old.violations.len().max(wanted.len()));
        for violation in &old.violations {
            let is_wanted = wanted.remove(&violation.spec.cause);
            let is_rescored = matches!(&violation.spec.cause, Cause::Vulnerability(name) if Some(name.as_str()) == rescored);
            let next = match (violation.is_open(), is_wanted) {
                (true, true) if is_rescored => {
                    outcome.touched += 1;
                    let touched = self.readings.rescore_touches_violation == RescoreTouchesViolation::Yes;
                    self.changed_violation(violation, ViolationStatus::Open, touched.then_some(moment.now))
                }
                (true, true) | (false, false) => Arc::clone(violation),
                (true, false) => {
                    outcome.resolved += 1;
                    self.changed_violation(violation, ViolationStatus::Resolved, Some(moment.now))
                }
                (false, true) => {
                    outcome.opened += 1;
                    match self.readings.match_again {
                        MatchAgain::SameUuid => {
                            self.changed_violation(violation, ViolationStatus::Open, Some(moment.now))
                        }
                        MatchAgain::NewUuid => {
                            self.new_violation(project, library, policy, violation.spec.cause.clone(), moment)
                        }
                    }
                }
            };
            violations.push(next);
        }
        for cause in wanted {
            outcome.opened += 1;
            violations.push(self.new_violation(project, library, policy, cause, moment));
        }
        violations.sort_by(|left, right| left.spec.cause.cmp(&right.spec.cause));
        (Match { violations, head: Rendered::default() }, outcome)
    }

    fn changed_violation(
        &mut self,
        violation: &Violation,
        status: ViolationStatus,
        modified: Option<Timestamp>,
    ) -> Arc<Violation> {
        let mut changed = violation.clone();
        changed.spec.status = status;
        if let Some(now) = modified {
            changed.spec.last_modified = changed.spec.last_modified.max(now);
        }
        self.keep_violation(changed)
    }

    fn new_violation(
        &mut self,
        project: &Project,
        library: LibraryId,
        policy: PolicyId,
        cause: Cause,
        moment: &mut Moment<'_>,
    ) -> Arc<Violation> {
        let id = project.spec.id;
        let reasons = [
            self.inventory_of(id, library).map(|used| used.added),
            self.policy(policy).map(|policy| policy.creation_time),
            match &cause {
                Cause::Vulnerability(name) => self.vulnerability(name).map(|known| known.publish_date),
                Cause::License(_) | Cause::Library => None,
            },
        ];
        let created = moment.began(reasons.into_iter().flatten());
        let key_uuid = self.library_of_id(library).map_or_else(String::new, |known| known.key_uuid.clone());
        let uuid = moment.uuid(|| format!("violation/{}/{policy}/{key_uuid}/{cause:?}", project.spec.uuid));
        let spec = ViolationSpec {
            uuid,
            policy_id: policy,
            project_token: project.token().to_owned(),
            key_uuid,
            cause,
            status: ViolationStatus::Open,
            created,
            last_modified: created,
        };
        self.keep_violation(Violation { project: id, library, spec, rendered: Rendered::default() })
    }

    fn keep_violation(&mut self, violation: Violation) -> Arc<Violation> {
        let uuid = SmolStr::new(&violation.spec.uuid);
        let row = Arc::new(violation);
        self.changes.push(Change::Violation(uuid.clone()));
        self.violations.insert(uuid, Arc::clone(&row));
        row
    }
}
