//! From rows back to a description of the world.

use fixtures::world::data_theorem::{DataTheoremWorld, FindingSpec, MobileAppSpec, StatusSpec, TargetSpec};

use super::Store;
use super::load::last_closed;
use super::model::{App, Finding, Note, StatusEntry, Target};

impl Store {
    /// Everything there is, as plain data. Keys belong to the account and are not in here.
    pub fn export(&self) -> DataTheoremWorld {
        DataTheoremWorld {
            api_keys: Vec::new(),
            issue_types: self.issue_types.iter().map(|(_, issue_type)| issue_type.spec.clone()).collect(),
            mobile_apps: self.apps.iter().map(|(_, app)| app.export()).collect(),
            scans: self.scans.iter().map(|(_, scan)| (**scan).clone()).collect(),
            security_findings: self
                .findings
                .iter()
                .map(|(_, finding)| self.export_finding(finding))
                .collect(),
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
    fn export_finding(&self, finding: &Finding) -> FindingSpec {
        let notes = finding.notes.oldest_first().into_iter().map(|note| (**note).clone()).collect();
        FindingSpec { notes, ..self.export_finding_without_notes(finding) }
    }

    /// A finding as plain data, its notes aside.
    pub fn export_finding_without_notes(&self, finding: &Finding) -> FindingSpec {
        let targets = || finding.targets.iter().filter_map(|id| self.targets.get(id)).map(|row| &**row);
        let latest = last_closed(targets());
        let same_date =
            |target: &Target| latest.is_some_and(|latest| target.current.date == latest.current.date);
        let contested = targets()
            .filter(|target| target.current.status.is_closed() && same_date(target))
            .any(|target| latest.is_some_and(|latest| target.current.status != latest.current.status));
        let by_date = latest.map(|target| target.current.status).filter(|_| !contested);
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
            notes: Vec::new(),
        }
    }
}

impl Finding {
    /// The n-th note, counted from the oldest.
    pub fn note_at(&self, place: usize) -> Option<&Note> {
        let from_newest = self.notes.len().checked_sub(place + 1)?;
        self.notes.iter().nth(from_newest).map(|note| &**note)
    }
}

impl App {
    /// The app as plain data.
    pub fn export(&self) -> MobileAppSpec {
        MobileAppSpec {
            version: self.version.to_string(),
            results_last_updated: self.results_last_updated,
            ..(*self.facts).clone()
        }
    }
}

impl Target {
    /// The target as plain data.
    fn export(&self) -> TargetSpec {
        let statuses = self.statuses.iter().map(StatusEntry::export).collect();
        TargetSpec { statuses, ..self.export_without_statuses() }
    }

    /// The n-th status, counted from the oldest.
    pub fn status_at(&self, place: usize) -> Option<StatusSpec> {
        let from_newest = self.statuses.len().checked_sub(place + 1)?;
        self.statuses.iter().nth(from_newest).map(StatusEntry::export)
    }

    /// The target as plain data, its statuses aside.
    pub fn export_without_statuses(&self) -> TargetSpec {
        TargetSpec {
            id: self.facts.id.to_string(),
            security_finding_id: self.facts.security_finding_id.to_string(),
            text: self.facts.text.clone(),
            date_created: self.facts.date_created,
            results_last_updated: self.results_last_updated,
            statuses: Vec::new(),
            external_id: self.external_id.as_deref().map(str::to_owned),
            external_bug_tracker_url: self.external_bug_tracker_url.as_deref().map(str::to_owned),
            additional_contexts: self.facts.additional_contexts.clone(),
            associated_sdk_ids: self.facts.associated_sdk_ids.clone(),
        }
    }
}

impl StatusEntry {
    /// The entry as plain data.
    fn export(&self) -> StatusSpec {
        StatusSpec {
            status: self.status,
            date: self.date,
            build_version: self.build_version.as_deref().map(str::to_owned),
        }
    }
}
