//! From rows back to a description of the world.

use fixtures::world::data_theorem::{
    DataTheoremWorld, FindingSpec, MobileAppSpec, StatusSpec, TargetSpec,
};

use super::load::last_closed;
use super::model::{App, Finding, StatusEntry, Target};
use super::Store;

impl Store {
    /// Everything there is, as plain data. Keys belong to the account and are not in here.
    pub fn export(&self) -> DataTheoremWorld {
        DataTheoremWorld {
            api_keys: Vec::new(),
            issue_types: self.issue_types.iter().map(|(_, issue_type)| issue_type.spec.clone()).collect(),
            mobile_apps: self.apps.iter().map(|(_, app)| app.export()).collect(),
            scans: self.scans.iter().map(|(_, scan)| (**scan).clone()).collect(),
            security_findings: self.findings.iter().map(|(_, finding)| self.export_finding(finding)).collect(),
            security_finding_targets: self.export_targets(),
        }
    }

    /// A finding's targets stay together and in the order they were added, because of several targets closed
    /// at one instant the later one decides the finding's status.
    fn export_targets(&self) -> Vec<TargetSpec> {
        let ids = self.findings.iter().flat_map(|(_, finding)| finding.targets.iter());
        ids.filter_map(|id| Some(self.targets.get(id)?.export())).collect()
    }

    /// A finding as plain data.
    pub(super) fn export_finding(&self, finding: &Finding) -> FindingSpec {
        let by_date = last_closed(finding.targets.iter().filter_map(|id| self.targets.get(id)).map(|row| &**row));
        let decided = finding.tally.last_closed_as.filter(|_| !finding.tally.any_open());
        FindingSpec {
            id: finding.facts.id.to_string(),
            mobile_app_id: finding.facts.mobile_app_id.to_string(),
            issue_type_id: finding.facts.issue_type.spec.id.clone(),
            date_created: finding.facts.date_created,
            results_last_updated: finding.results_last_updated,
            priority: finding.priority,
            is_permanently_closed: finding.is_permanently_closed,
            last_closed_as: decided.filter(|status| by_date != Some(*status)),
            associated_cve_ids: finding.facts.associated_cve_ids.clone(),
            screenshot_url: finding.facts.screenshot_url.clone(),
            notes: finding.notes.oldest_first().into_iter().map(|note| (**note).clone()).collect(),
        }
    }
}

impl App {
    /// The app as plain data.
    pub(super) fn export(&self) -> MobileAppSpec {
        MobileAppSpec {
            version: self.version.to_string(),
            results_last_updated: self.results_last_updated,
            ..(*self.facts).clone()
        }
    }
}

impl Target {
    /// The target as plain data.
    pub(super) fn export(&self) -> TargetSpec {
        TargetSpec {
            id: self.facts.id.to_string(),
            security_finding_id: self.facts.security_finding_id.to_string(),
            text: self.facts.text.clone(),
            date_created: self.facts.date_created,
            results_last_updated: self.results_last_updated,
            statuses: self.statuses.iter().map(StatusEntry::export).collect(),
            external_id: self.external_id.as_deref().map(str::to_owned),
            external_bug_tracker_url: self.external_bug_tracker_url.as_deref().map(str::to_owned),
            additional_contexts: self.facts.additional_contexts.clone(),
            associated_sdk_ids: self.facts.associated_sdk_ids.clone(),
        }
    }
}

impl StatusEntry {
    /// The entry as plain data.
    pub(super) fn export(&self) -> StatusSpec {
        StatusSpec {
            status: self.status,
            date: self.date,
            build_version: self.build_version.as_deref().map(str::to_owned),
        }
    }
}
