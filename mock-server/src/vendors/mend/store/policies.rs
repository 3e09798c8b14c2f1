//! Policies: adding, changing and removing them, and which apply where.

use std::sync::Arc;

use fixtures::world::mend::{
    ActionType, Filter, IssueTrackerType, ModificationType, PolicyAction, PolicyScope, PolicySpec,
};

use super::Store;
use super::evaluate::Moment;
use super::model::{LibraryId, PolicyId, Project, ProjectId};
use super::write::Change;
use crate::vendors::mend::readings::{DisabledPolicies, NewPolicyActs};
use crate::vendors::mend::rules::policies;

/// A policy that applies to a project, with its place among the others.
pub type Ranked = ((usize, u32, u64), Arc<PolicySpec>);

impl Store {
    /// A number that no policy has had.
    pub fn next_policy_id(&self) -> PolicyId {
        self.newest_policy.saturating_add(1)
    }

    /// Adds a policy. It acts on what is there as the readings say.
    pub fn add_policy(&mut self, spec: PolicySpec, moment: &mut Moment<'_>) {
        let scope = spec.scope.clone();
        self.store_policy(spec);
        if self.readings.new_policy_acts == NewPolicyActs::AtOnce {
            self.evaluate_scope(&scope, moment);
        }
    }

    /// Replaces a policy by one of the same number and scope. What depends on what changed about it follows.
    pub fn update_policy(&mut self, spec: PolicySpec, moment: &mut Moment<'_>) {
        let Some(before) = self.policy(spec.id).cloned() else { return };
        let (id, scope) = (spec.id, spec.scope.clone());
        let decides_anew = before.filter != spec.filter
            || before.action != spec.action
            || before.priority != spec.priority
            || before.is_enabled != spec.is_enabled
            || before.is_inclusive != spec.is_inclusive;
        let listed = [&before, &spec].map(|policy| self.is_listed(policy));
        let shows_anew =
            listed.contains(&true) && (listed[0] != listed[1] || as_shown(&before) != as_shown(&spec));
        let is_renamed = before.name != spec.name;
        self.store_policy(spec);
        let with_matches = self.forget_heads_of_policy(id, &scope);
        if decides_anew && self.readings.new_policy_acts == NewPolicyActs::AtOnce {
            self.evaluate_scope(&scope, moment);
        }
        if shows_anew {
            // Its matches stay, and say something else, or are in answers at all.
            for project in with_matches {
                self.note_modified(project, ModificationType::PolicyMatch, moment.now);
            }
        }
        if is_renamed {
            self.refresh_rejections(id, &scope, moment.now);
        }
    }

    /// Removes policies of one scope. Returns how many there were.
    pub fn remove_policies(
        &mut self,
        scope: &PolicyScope,
        ids: &[PolicyId],
        moment: &mut Moment<'_>,
    ) -> usize {
        let mut removed = 0;
        for id in ids {
            if self.policy(*id).is_some_and(|policy| policy.scope == *scope) {
                self.policies.remove(id);
                self.policies_of_scope.remove(&(scope.clone(), *id));
                self.changes.push(Change::Policy(*id));
                removed += 1;
            }
        }
        if removed > 0 {
            self.evaluate_scope(scope, moment);
        }
        removed
    }

    fn store_policy(&mut self, spec: PolicySpec) {
        let id = spec.id;
        self.newest_policy = self.newest_policy.max(id);
        self.policies_of_scope.insert((spec.scope.clone(), id), ());
        self.policies.insert(id, Arc::new(spec));
        self.changes.push(Change::Policy(id));
    }

    /// The projects that a policy of this scope applies to.
    pub fn projects_in(&self, scope: &PolicyScope) -> Vec<ProjectId> {
        let ids =
            |projects: &mut dyn Iterator<Item = &Arc<Project>>| projects.map(|row| row.spec.id).collect();
        match scope {
            PolicyScope::GlobalOrganization => self.projects.iter().map(|(id, _)| *id).collect(),
            PolicyScope::Organization(token) => match self.organization_id(token) {
                Some(organization) => ids(&mut self.projects_of_organization(organization)),
                None => Vec::new(),
            },
            PolicyScope::Product(token) => match self.product(token) {
                Some(product) => ids(&mut self.projects_of(product.spec.id)),
                None => Vec::new(),
            },
            PolicyScope::Project(token) => ids(&mut self.project(token).into_iter()),
        }
    }

    fn evaluate_scope(&mut self, scope: &PolicyScope, moment: &mut Moment<'_>) {
        for project in self.projects_in(scope) {
            let outcome = self.evaluate_project(project, moment);
            self.note_outcome(project, outcome, moment.now);
        }
    }

    /// The policies of one scope, by number.
    pub fn policies_in(&self, scope: &PolicyScope) -> impl Iterator<Item = &Arc<PolicySpec>> {
        let (from, to) = ((scope.clone(), 0), (scope.clone(), PolicyId::MAX));
        let found = super::range(&self.policies_of_scope, &from, &to);
        found.into_iter().filter_map(|((_, id), ())| self.policies.get(id))
    }

    /// The policies that apply to a project, by rank.
    pub fn policies_of(&self, project: &Project) -> Vec<Ranked> {
        let scopes = self.scopes_of(project);
        let applying = scopes.iter().flat_map(|scope| self.policies_in(scope));
        let mut ranked: Vec<Ranked> = applying
            .filter_map(|policy| Some((policies::rank(policy, &scopes)?, Arc::clone(policy))))
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked
    }

    /// Whether a policy matches what the product with this token has.
    pub(super) fn is_asked_for_by_a_policy(&self, product: &str) -> bool {
        let asks = |policy: &PolicySpec| matches!(&policy.filter, Filter::Product { product_token } if product_token == product);
        self.policies().any(|policy| asks(policy))
    }

    /// Whether the matches of a policy are in answers.
    pub fn is_listed(&self, policy: &PolicySpec) -> bool {
        opens_issues(policy)
            && (policy.is_enabled || self.readings.disabled_policies == DisabledPolicies::Listed)
    }

    /// Renders policy and library anew wherever the policy matches or did. Returns the projects where it does.
    fn forget_heads_of_policy(&mut self, policy: PolicyId, scope: &PolicyScope) -> Vec<ProjectId> {
        let mut with_matches = Vec::new();
        for project in self.projects_in(scope) {
            let rows = self.matches(project).into_iter().filter(|(of_policy, _, _)| *of_policy == policy);
            let rows: Vec<(LibraryId, bool)> =
                rows.map(|(_, library, row)| (library, row.is_open())).collect();
            if rows.iter().any(|(_, is_open)| *is_open) {
                with_matches.push(project);
            }
            for (library, _) in rows {
                self.forget_head((project, library, policy));
            }
        }
        with_matches
    }
}

/// Whether what a policy matches is a policy violation: it opens issues for the integration this API serves.
pub fn opens_issues(policy: &PolicySpec) -> bool {
    policy.action.kind == ActionType::CreateIssue
        && policy.action.issue_tracker == Some(IssueTrackerType::CommonIssueTracker)
}

/// What of a policy is in answers.
fn as_shown(policy: &PolicySpec) -> PolicySpec {
    let action = PolicyAction { issue_tracker: None, ..policy.action.clone() };
    PolicySpec { action, ..policy.clone() }
}
