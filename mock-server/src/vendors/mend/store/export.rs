//! From rows back to a description of the world.

use fixtures::world::MendWorld;
use fixtures::world::mend::{ModificationType, ProjectSpec};

use super::Store;
use super::load::newest_policy_seen;
use super::model::Project;

impl Store {
    /// Everything there is, as plain data. Users and integrations belong to the account and are not in here.
    pub fn export(&self) -> MendWorld {
        let mut world = MendWorld {
            newest_policy_id: None,
            global_organization: self.global.as_deref().cloned(),
            organizations: self.organizations.iter().map(|spec| (**spec).clone()).collect(),
            users: Vec::new(),
            groups: (*self.groups).clone(),
            products: self.products.iter().map(|(_, product)| product.spec.clone()).collect(),
            projects: self.projects.iter().map(|(_, project)| self.export_project(project)).collect(),
            licenses: self.licenses.iter().map(|(_, spec)| (**spec).clone()).collect(),
            vulnerabilities: self.vulnerabilities.iter().map(|(_, spec)| (**spec).clone()).collect(),
            libraries: self.libraries.iter().map(|(_, spec)| (**spec).clone()).collect(),
            policies: self.policies.iter().map(|(_, spec)| (**spec).clone()).collect(),
            policy_violations: self.violations.iter().map(|(_, row)| row.spec.clone()).collect(),
            external_issues: self.external_issues.iter().map(|(_, spec)| (**spec).clone()).collect(),
            alerts: self.alerts.iter().map(|(_, row)| row.spec.clone()).collect(),
            is_evaluated: true,
        };
        // Said only where it does not follow from what there is, so that most worlds need not speak of it.
        world.newest_policy_id =
            Some(self.newest_policy).filter(|newest| *newest > newest_policy_seen(&world));
        world
    }

    fn export_project(&self, project: &Project) -> ProjectSpec {
        let id = project.spec.id;
        let modifications = ModificationType::ALL
            .iter()
            .map(|kind| (*kind, self.modifications.times(id, *kind)))
            .filter(|(_, times)| !times.is_empty());
        ProjectSpec {
            inventory: self.inventory(id).map(|(_, used)| (**used).clone()).collect(),
            modifications: modifications.collect(),
            ..project.spec.clone()
        }
    }

    /// The n-th modification of a project of one kind, counted from 0.
    pub fn modification_at(
        &self,
        project: u64,
        kind: ModificationType,
        place: usize,
    ) -> Option<jiff::Timestamp> {
        self.modifications.time_at(project, kind, place)
    }
}
