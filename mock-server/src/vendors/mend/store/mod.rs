//! Rows of one account: what exists, what policies match in it, when what was modified.
//!
//! Everything is a [`CountedMap`], so copying a store costs a few pointers. Rows are immutable once stored; a
//! change stores a new row. Scopes, projects, libraries and policies are keyed by number, because their tokens
//! are long. The store knows nothing of who may ask for what.

mod alerts;
mod evaluate;
mod export;
mod load;
mod model;
mod modified;
mod policies;
mod requests;
mod write;

use std::sync::Arc;

use fixtures::world::mend::{
    ExternalIssueSpec, GlobalOrganizationSpec, GroupSpec, InventorySpec, LibrarySpec, LicenseSpec,
    OrganizationSpec, PolicyScope, PolicySpec, ProductSpec, VulnerabilitySpec,
};
use smol_str::SmolStr;

pub use evaluate::{Moment, Outcome};
pub use model::{
    Alert, AlertKey, LibraryId, Match, OrganizationId, PolicyId, ProductId, Project, ProjectId, Version,
    Violation,
};
pub use modified::{Modification, Window};
pub use policies::{Ranked, opens_issues};
pub use write::{Change, Upsert};

use super::readings::Readings;
use crate::kernel::counted_map::CountedMap;
use modified::Modifications;

/// All rows of one account.
#[derive(Clone)]
pub struct Store {
    readings: Readings,
    global: Option<Arc<GlobalOrganizationSpec>>,
    organizations: Arc<Vec<Arc<OrganizationSpec>>>,
    groups: Arc<Vec<GroupSpec>>,
    products: CountedMap<ProductId, Arc<Product>>,
    product_ids: CountedMap<SmolStr, ProductId>,
    products_of: CountedMap<(OrganizationId, ProductId), ()>,
    projects: CountedMap<ProjectId, Arc<Project>>,
    project_ids: CountedMap<SmolStr, ProjectId>,
    projects_of: CountedMap<(ProductId, ProjectId), ()>,
    requests: CountedMap<SmolStr, ProjectId>,
    licenses: CountedMap<SmolStr, Arc<LicenseSpec>>,
    vulnerabilities: CountedMap<SmolStr, Arc<VulnerabilitySpec>>,
    libraries: CountedMap<LibraryId, Arc<LibrarySpec>>,
    library_ids: CountedMap<SmolStr, LibraryId>,
    inventory: CountedMap<(ProjectId, LibraryId), Arc<InventorySpec>>,
    users_of_library: CountedMap<(LibraryId, ProjectId), ()>,
    policies: CountedMap<PolicyId, Arc<PolicySpec>>,
    policies_of_scope: CountedMap<(PolicyScope, PolicyId), ()>,
    /// The highest number that a policy has had.
    newest_policy: PolicyId,
    matches: CountedMap<(ProjectId, LibraryId, PolicyId), Arc<Match>>,
    violations: CountedMap<SmolStr, Arc<Violation>>,
    external_issues: CountedMap<(SmolStr, SmolStr), Arc<ExternalIssueSpec>>,
    alerts: CountedMap<AlertKey, Arc<Alert>>,
    alert_keys: CountedMap<SmolStr, AlertKey>,
    modifications: Modifications,
    changes: Vec<Change>,
}

/// A product with the organization it belongs to.
#[derive(Debug, Clone)]
pub struct Product {
    /// The organization.
    pub organization: OrganizationId,
    /// The product.
    pub spec: ProductSpec,
}

impl Store {
    /// The readings in force.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// The organization above all organizations.
    pub fn global_organization(&self) -> Option<&GlobalOrganizationSpec> {
        self.global.as_deref()
    }

    /// The organization with this token.
    pub fn organization_id(&self, token: &str) -> Option<OrganizationId> {
        let place = self.organizations.iter().position(|organization| organization.token == token)?;
        u32::try_from(place).ok()
    }

    /// The organization with this number.
    pub fn organization(&self, id: OrganizationId) -> Option<&Arc<OrganizationSpec>> {
        self.organizations.get(usize::try_from(id).ok()?)
    }

    /// All organizations.
    pub fn organizations(&self) -> &[Arc<OrganizationSpec>] {
        &self.organizations
    }

    /// The groups of an organization.
    pub fn groups<'a>(&'a self, organization_token: &'a str) -> impl Iterator<Item = &'a GroupSpec> {
        self.groups.iter().filter(move |group| group.organization_token == organization_token)
    }

    /// The product with this token.
    pub fn product(&self, token: &str) -> Option<&Arc<Product>> {
        self.product_of_id(*self.product_ids.get(token)?)
    }

    /// The product with this number.
    pub fn product_of_id(&self, id: ProductId) -> Option<&Arc<Product>> {
        self.products.get(&id)
    }

    /// The products of an organization, by number.
    pub fn products_of(&self, organization: OrganizationId) -> impl Iterator<Item = &Arc<Product>> {
        let found = range(&self.products_of, &(organization, 0), &(organization, ProductId::MAX));
        found.into_iter().filter_map(|((_, product), ())| self.products.get(product))
    }

    /// The project with this token, or with this uuid if it has no token.
    pub fn project(&self, token: &str) -> Option<&Arc<Project>> {
        self.project_of_id(*self.project_ids.get(token)?)
    }

    /// The project with this number.
    pub fn project_of_id(&self, id: ProjectId) -> Option<&Arc<Project>> {
        self.projects.get(&id)
    }

    /// The projects of a product, by number.
    pub fn projects_of(&self, product: ProductId) -> impl Iterator<Item = &Arc<Project>> {
        let found = range(&self.projects_of, &(product, 0), &(product, ProjectId::MAX));
        found.into_iter().filter_map(|((_, project), ())| self.projects.get(project))
    }

    /// The projects of an organization, by product and number.
    pub fn projects_of_organization(
        &self,
        organization: OrganizationId,
    ) -> impl Iterator<Item = &Arc<Project>> {
        let products: Vec<&Arc<Product>> = self.products_of(organization).collect();
        products.into_iter().flat_map(|product| self.projects_of(product.spec.id))
    }

    /// The licence with this name.
    pub fn license(&self, name: &str) -> Option<&Arc<LicenseSpec>> {
        self.licenses.get(name)
    }

    /// The licence with this number.
    pub fn license_of_id(&self, id: u64) -> Option<&Arc<LicenseSpec>> {
        self.licenses.iter().map(|(_, license)| license).find(|license| license.id == id)
    }

    /// The vulnerability with this name.
    pub fn vulnerability(&self, name: &str) -> Option<&Arc<VulnerabilitySpec>> {
        self.vulnerabilities.get(name)
    }

    /// The library with this `keyUuid`.
    pub fn library(&self, key_uuid: &str) -> Option<&Arc<LibrarySpec>> {
        self.library_of_id(*self.library_ids.get(key_uuid)?)
    }

    /// The library with this `keyId`.
    pub fn library_of_id(&self, id: LibraryId) -> Option<&Arc<LibrarySpec>> {
        self.libraries.get(&id)
    }

    /// The libraries that have a vulnerability. Looks at all libraries: scores seldom change.
    pub fn libraries_with(&self, vulnerability: &str) -> Vec<LibraryId> {
        let libraries = self.libraries.iter();
        let affected = libraries.filter(|(_, library)| library.vulnerabilities.contains(vulnerability));
        affected.map(|(id, _)| *id).collect()
    }

    /// The projects that use a library, by number.
    pub fn users_of(&self, library: LibraryId) -> Vec<ProjectId> {
        let users = range(&self.users_of_library, &(library, 0), &(library, ProjectId::MAX));
        users.into_iter().map(|((_, project), ())| *project).collect()
    }

    /// How a project uses a library, if it does.
    pub fn inventory_of(&self, project: ProjectId, library: LibraryId) -> Option<&Arc<InventorySpec>> {
        self.inventory.get(&(project, library))
    }

    /// The libraries of a project, by number.
    pub fn inventory(
        &self,
        project: ProjectId,
    ) -> impl Iterator<Item = (&Arc<LibrarySpec>, &Arc<InventorySpec>)> {
        let found = range(&self.inventory, &(project, 0), &(project, LibraryId::MAX));
        found.into_iter().filter_map(|((_, library), used)| Some((self.libraries.get(library)?, used)))
    }

    /// The policy with this number.
    pub fn policy(&self, id: PolicyId) -> Option<&Arc<PolicySpec>> {
        self.policies.get(&id)
    }

    /// All policies, by number.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<PolicySpec>> {
        self.policies.iter().map(|(_, policy)| policy)
    }

    /// The scopes whose policies apply to a project, from the narrowest to the widest.
    pub fn scopes_of(&self, project: &Project) -> Vec<PolicyScope> {
        let mut scopes = vec![PolicyScope::Project(project.token().to_owned())];
        if let Some(product) = self.product_of_id(project.product) {
            scopes.push(PolicyScope::Product(product.spec.token.clone()));
            if let Some(organization) = self.organization(product.organization) {
                scopes.push(PolicyScope::Organization(organization.token.clone()));
            }
        }
        scopes.push(PolicyScope::GlobalOrganization);
        scopes
    }

    /// Matches between policies and libraries of a project, by library and policy.
    pub fn matches(&self, project: ProjectId) -> Vec<(PolicyId, LibraryId, &Arc<Match>)> {
        let found = range(&self.matches, &(project, 0, 0), &(project, LibraryId::MAX, PolicyId::MAX));
        found.into_iter().map(|((_, library, policy), row)| (*policy, *library, row)).collect()
    }

    /// Matches between policies and one library of a project, by policy.
    pub fn matches_of_library(&self, project: ProjectId, library: LibraryId) -> Vec<(PolicyId, &Arc<Match>)> {
        let found = range(&self.matches, &(project, library, 0), &(project, library, PolicyId::MAX));
        found.into_iter().map(|((_, _, policy), row)| (*policy, row)).collect()
    }

    /// The policy violation with this `issueUuid`.
    pub fn violation(&self, uuid: &str) -> Option<&Arc<Violation>> {
        self.violations.get(uuid)
    }

    /// An issue that an integration reported.
    pub fn external_issue(&self, violation_uuid: &str, identifier: &str) -> Option<&Arc<ExternalIssueSpec>> {
        self.external_issues.get(&(SmolStr::new(violation_uuid), SmolStr::new(identifier)))
    }

    /// The alert with this `alertUuid`.
    pub fn alert(&self, uuid: &str) -> Option<&Arc<Alert>> {
        self.alerts.get(self.alert_keys.get(uuid)?)
    }

    /// The alerts of a project, by library and type.
    pub fn alerts(&self, project: ProjectId) -> Vec<&Arc<Alert>> {
        range(&self.alerts, &AlertKey::first_of(project), &AlertKey::first_of(project.saturating_add(1)))
            .into_iter()
            .map(|(_, alert)| alert)
            .collect()
    }

    /// What was modified in an organization within a window.
    pub fn modified(&self, organization: OrganizationId, window: Window) -> Vec<Modification> {
        self.modifications.within(organization, window)
    }

    /// The newest modification of a project of any kind, with its time.
    pub fn last_modified(&self, project: ProjectId) -> Vec<Modification> {
        self.modifications.of_project(project)
    }

    /// Number of projects, of libraries that projects use, and of policy violations that stand.
    pub fn sizes(&self) -> (usize, usize, usize) {
        let mut libraries: Vec<LibraryId> = self.users_of_library.iter().map(|((id, _), ())| *id).collect();
        libraries.dedup();
        let open = self.violations.iter().filter(|(_, violation)| violation.is_open()).count();
        (self.projects.len(), libraries.len(), open)
    }
}

/// The entries of a map from one key up to another, the latter included.
fn range<'a, K: Ord + Clone, V: Clone>(map: &'a CountedMap<K, V>, from: &K, to: &K) -> Vec<(&'a K, &'a V)> {
    let end = map.rank(to) + usize::from(map.contains_key(to));
    map.slice(map.rank(from)..end.max(map.rank(from)))
}
