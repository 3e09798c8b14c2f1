//! From a description of a world to rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::catalog;
use fixtures::world::MendWorld;
use fixtures::world::mend::{
    AlertSpec, ExternalIssueSpec, LibrarySpec, OrganizationSpec, ProjectSpec, ViolationSpec,
};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::evaluate::{Moment, Uuids};
use super::model::{Alert, AlertKey, LibraryId, Match, PolicyId, Project, ProjectId, Rendered, Violation};
use super::modified::Modifications;
use super::{Product, Store, requests};
use crate::kernel::counted_map::CountedMap;
use crate::vendors::mend::readings::Readings;

impl Store {
    /// Rows for a valid world ([`fixtures::world::WorldSpec::validate`]) whose histories end at `epoch`. What
    /// refers to nothing is left out. What follows from policies and inventory is added, unless the world says
    /// that it is complete.
    pub fn load(world: &MendWorld, epoch: Timestamp, readings: Readings) -> Self {
        let organizations: Vec<Arc<OrganizationSpec>> = world
            .organizations
            .iter()
            .map(|spec| Arc::new(OrganizationSpec { integrations: BTreeMap::new(), ..spec.clone() }))
            .collect();
        let libraries: CountedMap<LibraryId, Arc<LibrarySpec>> =
            world.libraries.iter().map(|spec| (spec.key_id, Arc::new(spec.clone()))).collect();
        let named = |name: &str| SmolStr::new(name);
        let mut store = Self {
            readings,
            global: world.global_organization.clone().map(Arc::new),
            organizations: Arc::new(organizations),
            groups: Arc::new(world.groups.clone()),
            products: CountedMap::default(),
            product_ids: CountedMap::default(),
            products_of: CountedMap::default(),
            projects: CountedMap::default(),
            project_ids: CountedMap::default(),
            projects_of: CountedMap::default(),
            requests: CountedMap::default(),
            licenses: world.licenses.iter().map(|spec| (named(&spec.name), Arc::new(spec.clone()))).collect(),
            vulnerabilities: world
                .vulnerabilities
                .iter()
                .map(|spec| (named(&spec.name), Arc::new(spec.clone())))
                .collect(),
            libraries,
            library_ids: world.libraries.iter().map(|spec| (named(&spec.key_uuid), spec.key_id)).collect(),
            inventory: CountedMap::default(),
            users_of_library: CountedMap::default(),
            policies: world.policies.iter().map(|spec| (spec.id, Arc::new(spec.clone()))).collect(),
            policies_of_scope: world
                .policies
                .iter()
                .map(|spec| ((spec.scope.clone(), spec.id), ()))
                .collect(),
            newest_policy: newest_policy_seen(world).max(world.newest_policy_id.unwrap_or_default()),
            matches: CountedMap::default(),
            violations: CountedMap::default(),
            external_issues: world.external_issues.iter().map(external_issue).collect(),
            alerts: CountedMap::default(),
            alert_keys: CountedMap::default(),
            modifications: Modifications::default(),
            changes: Vec::new(),
        };
        store.load_products(world);
        store.load_projects(world);
        store.load_violations(&world.policy_violations);
        store.load_alerts(&world.alerts);
        if !world.is_evaluated {
            store.evaluate_all(epoch);
        }
        // What a world begins with has not changed.
        store.changes.clear();
        store
    }

    fn load_products(&mut self, world: &MendWorld) {
        let mut products = Vec::with_capacity(world.products.len());
        for spec in &world.products {
            if let Some(organization) = self.organization_id(&spec.organization_token) {
                products.push(Product { organization, spec: spec.clone() });
            }
        }
        self.product_ids =
            products.iter().map(|product| (SmolStr::new(&product.spec.token), product.spec.id)).collect();
        self.products_of =
            products.iter().map(|product| ((product.organization, product.spec.id), ())).collect();
        self.products = products.into_iter().map(|product| (product.spec.id, Arc::new(product))).collect();
    }

    fn load_projects(&mut self, world: &MendWorld) {
        let mut projects = Vec::with_capacity(world.projects.len());
        let mut inventory = Vec::new();
        for spec in &world.projects {
            let Some(product) = self.product(&spec.product_token) else { continue };
            let (product, organization) = (product.spec.id, product.organization);
            for used in &spec.inventory {
                if let Some(library) = self.library_ids.get(used.key_uuid.as_str()) {
                    inventory.push(((spec.id, *library), Arc::new(used.clone())));
                }
            }
            for (kind, times) in &spec.modifications {
                for time in times {
                    self.modifications.add(organization, spec.id, *kind, *time);
                }
            }
            let spec = ProjectSpec { inventory: Vec::new(), modifications: BTreeMap::new(), ..spec.clone() };
            projects.push(Arc::new(Project { product, organization, spec }));
        }
        self.project_ids =
            projects.iter().map(|project| (SmolStr::new(project.token()), project.spec.id)).collect();
        self.projects_of = projects.iter().map(|project| ((project.product, project.spec.id), ())).collect();
        self.requests = projects
            .iter()
            .flat_map(|project| requests::tokens(project).map(|token| (SmolStr::new(token), project.spec.id)))
            .collect();
        self.projects = projects.into_iter().map(|project| (project.spec.id, project)).collect();
        self.users_of_library =
            inventory.iter().map(|((project, library), _)| ((*library, *project), ())).collect();
        self.inventory = inventory.into_iter().collect();
    }

    fn load_violations(&mut self, violations: &[ViolationSpec]) {
        let mut matches: BTreeMap<(ProjectId, LibraryId, PolicyId), Match> = BTreeMap::new();
        let mut rows = Vec::with_capacity(violations.len());
        for spec in violations {
            let Some(row) = self.violation_row(spec) else { continue };
            let row = Arc::new(row);
            rows.push((SmolStr::new(&spec.uuid), Arc::clone(&row)));
            let of_match = matches.entry((row.project, row.library, spec.policy_id)).or_default();
            match of_match.violations.iter_mut().find(|other| other.spec.cause == spec.cause) {
                // Of several for one cause, one that stands counts, or else the latest.
                Some(other) if !other.is_open() && (row.is_open() || other.spec.created <= spec.created) => {
                    *other = row;
                }
                Some(_) => {}
                None => of_match.violations.push(row),
            }
        }
        for of_match in matches.values_mut() {
            of_match.violations.sort_by(|left, right| left.spec.cause.cmp(&right.spec.cause));
        }
        self.matches = matches.into_iter().map(|(key, row)| (key, Arc::new(row))).collect();
        self.violations = rows.into_iter().collect();
    }

    fn violation_row(&self, spec: &ViolationSpec) -> Option<Violation> {
        let project = *self.project_ids.get(spec.project_token.as_str())?;
        let library = *self.library_ids.get(spec.key_uuid.as_str())?;
        Some(Violation { project, library, spec: spec.clone(), rendered: Rendered::default() })
    }

    fn load_alerts(&mut self, alerts: &[AlertSpec]) {
        let rows: Vec<Arc<Alert>> = alerts.iter().filter_map(|spec| self.alert_row(spec)).collect();
        self.alert_keys =
            rows.iter().map(|alert| (SmolStr::new(&alert.spec.uuid), alert.key.clone())).collect();
        self.alerts = rows.into_iter().map(|alert| (alert.key.clone(), alert)).collect();
    }

    fn alert_row(&self, spec: &AlertSpec) -> Option<Arc<Alert>> {
        let key = AlertKey {
            project: *self.project_ids.get(spec.project_token.as_str())?,
            library: *self.library_ids.get(spec.key_uuid.as_str())?,
            kind: spec.kind,
            vulnerability: SmolStr::new(spec.vulnerability.as_deref().unwrap_or_default()),
        };
        Some(Arc::new(Alert { key, spec: spec.clone(), rendered: Rendered::default() }))
    }

    /// Adds what follows from policies and inventory, as if it had come up when its last reason did.
    fn evaluate_all(&mut self, epoch: Timestamp) {
        let projects: Vec<ProjectId> = self.projects.iter().map(|(id, _)| *id).collect();
        for project in projects {
            let mut uuids = |slug: &str| catalog::uuid(&format!("mend/{slug}"));
            self.evaluate_project(project, &mut Moment { now: epoch, uuids: Uuids::OfThePast(&mut uuids) });
        }
    }
}

/// The highest number of a policy that is there, or that matched something.
pub(super) fn newest_policy_seen(world: &MendWorld) -> PolicyId {
    let there = world.policies.iter().map(|spec| spec.id);
    let matched = world.policy_violations.iter().map(|spec| spec.policy_id);
    there.chain(matched).max().unwrap_or_default()
}

fn external_issue(spec: &ExternalIssueSpec) -> ((SmolStr, SmolStr), Arc<ExternalIssueSpec>) {
    ((SmolStr::new(&spec.violation_uuid), SmolStr::new(&spec.identifier)), Arc::new(spec.clone()))
}
