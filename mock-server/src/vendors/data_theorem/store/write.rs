//! Changes to rows. Each keeps what follows from it in step: lists, tallies, times upwards.

use std::sync::Arc;

use fixtures::world::data_theorem::{
    FindingSpec, IssueTypeSpec, MobileAppSpec, Priority, ScanSpec, TargetSpec,
};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::Store;
use super::lists::{lists_of_finding, lists_of_target};
use super::load::{app_row, finding_facts, finding_row, scan_key, target_row};
use super::model::{App, Finding, IssueType, Note, StatusEntry, Target};
use crate::vendors::data_theorem::rules::aggregate::aggregated_status;

/// Which row changed, for whoever keeps rows on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// An API key went.
    Keys,
    /// An issue type appeared.
    IssueType(SmolStr),
    /// An app appeared or changed.
    App(SmolStr),
    /// An app left, with everything that belongs to it.
    AppRemoved(SmolStr),
    /// A scan appeared or changed.
    Scan(SmolStr),
    /// A finding appeared or changed, its notes aside.
    Finding(SmolStr),
    /// A finding got its n-th note, counted from 0.
    Note(SmolStr, usize),
    /// A target appeared or changed, its statuses aside.
    Target(SmolStr),
    /// A target got its n-th status, counted from 0.
    Status(SmolStr, usize),
}

/// Whether a change counts as activity: if so, when.
type Bump = Option<Timestamp>;

impl Store {
    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Notes a change of something that the store does not hold.
    pub fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Sets a target's ticket.
    pub fn set_external_id(&mut self, target: &Arc<Target>, id: Option<&str>, url: Option<&str>, bump: Bump) {
        let mut changed = Target::clone(target);
        changed.external_id = id.map(Arc::from);
        changed.external_bug_tracker_url = url.map(Arc::from);
        self.store_target(target, changed, bump);
        self.bump_upwards(target, bump);
    }

    /// Gives a target a new current status.
    pub fn push_status(&mut self, target: &Arc<Target>, entry: StatusEntry, bump: Bump) {
        debug_assert!(
            self.targets.get(&target.facts.id).is_some_and(|row| Arc::ptr_eq(row, target)),
            "the row is the one that is stored"
        );
        let mut changed = Target::clone(target);
        let before = changed.current.status;
        // A clock may be set back; a history does not run backwards for that.
        let entry = StatusEntry { date: entry.date.max(changed.current.date), ..entry };
        changed.current = entry.clone();
        changed.statuses.push(entry);
        self.changes.push(Change::Status(target.facts.id.clone(), changed.statuses.len() - 1));
        let after = changed.current.status;
        self.store_target(target, changed, bump);
        if let Some(finding) = self.findings.get(&target.facts.security_finding_id).cloned() {
            let mut changed = Finding::clone(&finding);
            changed.tally.count(before, false);
            changed.tally.count(after, true);
            if after.is_closed() {
                changed.tally.last_closed_as = Some(after);
            }
            self.store_finding(&finding, changed, bump);
        }
        self.bump_app(&target.facts.mobile_app_id, bump);
    }

    /// Notes that a scan saw a target without changing its status.
    pub fn touch_target(&mut self, target: &Arc<Target>, now: Timestamp) {
        self.store_target(target, Target::clone(target), Some(now));
        self.bump_upwards(target, Some(now));
    }

    /// Sets a finding's priority.
    pub fn set_priority(&mut self, finding: &Arc<Finding>, priority: Priority, bump: Bump) {
        let mut changed = Finding::clone(finding);
        changed.priority = Some(priority);
        self.store_finding(finding, changed, bump);
        self.bump_app(&finding.facts.mobile_app_id, bump);
    }

    /// Says whether later scans may not open targets of a finding.
    pub fn set_permanently_closed(&mut self, finding: &Arc<Finding>, permanently: bool) {
        let mut changed = Finding::clone(finding);
        changed.is_permanently_closed = permanently;
        self.store_finding(finding, changed, None);
    }

    /// Adds a comment to a finding.
    pub fn add_note(&mut self, finding: &Arc<Finding>, note: Note, bump: Bump) {
        let mut changed = Finding::clone(finding);
        changed.notes.push(Arc::new(note));
        self.changes.push(Change::Note(finding.facts.id.clone(), changed.notes.len() - 1));
        self.store_finding(finding, changed, bump);
        self.bump_app(&finding.facts.mobile_app_id, bump);
    }

    /// Adds a finding with its targets, which must be at least one and refer to it. Says whether app and issue
    /// type exist.
    pub fn add_finding(&mut self, spec: &FindingSpec, targets: &[TargetSpec]) -> bool {
        let (Some(app), Some(issue_type)) =
            (self.apps.get(spec.mobile_app_id.as_str()), self.issue_types.get(spec.issue_type_id.as_str()))
        else {
            return false;
        };
        let facts = Arc::new(finding_facts(spec, app.number, issue_type));
        let rows: Vec<Target> = targets.iter().filter_map(|target| target_row(target, &facts)).collect();
        let row = Arc::new(finding_row(spec, Arc::clone(&facts), &rows, &self.readings));
        let id = facts.id.clone();
        self.finding_lists.insert(&lists_of_finding(&row, &self.readings), &row.key(), &row);
        self.findings.insert(id.clone(), row);
        let by_type = (facts.mobile_app_id.clone(), SmolStr::new(&facts.issue_type.spec.id));
        self.findings_by_type.insert(by_type, id.clone());
        self.changes.push(Change::Finding(id.clone()));
        self.changes.extend((0..spec.notes.len()).map(|place| Change::Note(id.clone(), place)));
        for row in rows {
            self.place_target(row);
        }
        self.bump_app(&facts.mobile_app_id, Some(spec.results_last_updated));
        true
    }

    /// Adds a target to a finding that exists, as activity of `now`.
    pub fn add_target(&mut self, finding: &Arc<Finding>, spec: &TargetSpec, now: Timestamp) {
        let Some(row) = target_row(spec, &finding.facts) else { return };
        let mut changed = Finding::clone(finding);
        changed.tally.count(row.current.status, true);
        if row.current.status.is_closed() {
            changed.tally.last_closed_as = Some(row.current.status);
        }
        Arc::make_mut(&mut changed.targets).push(row.facts.id.clone());
        self.place_target(row);
        self.store_finding(finding, changed, Some(now));
        self.bump_app(&finding.facts.mobile_app_id, Some(now));
    }

    /// Adds an app, or replaces the one with its id.
    pub fn add_app(&mut self, spec: &MobileAppSpec) {
        let number = self.apps.get(spec.id.as_str()).map_or(self.next_number, |app| app.number);
        self.next_number += 1;
        let latest = self.latest_scan(&spec.id).map(|scan| scan.status);
        self.store_app(app_row(spec, number, latest));
    }

    /// Removes an app with its scans, findings and targets.
    pub fn remove_app(&mut self, app: &Arc<App>) {
        let id = SmolStr::new(&app.facts.id);
        let findings: Vec<Arc<Finding>> = self
            .findings
            .iter()
            .map(|(_, row)| row)
            .filter(|row| row.facts.mobile_app_id == id)
            .cloned()
            .collect();
        for finding in findings {
            for target in finding.targets.iter() {
                if let Some(row) = self.targets.remove(target) {
                    self.target_lists.remove(&lists_of_target(&row, &self.readings), &row.key());
                }
            }
            self.finding_lists.remove(&lists_of_finding(&finding, &self.readings), &finding.key());
            let by_type = (id.clone(), SmolStr::new(&finding.facts.issue_type.spec.id));
            self.findings_by_type.remove(&by_type);
            self.findings.remove(&finding.facts.id);
        }
        if let Some(scans) = self.scans_by_app.remove(&id) {
            for (_, scan) in scans.iter() {
                self.scans.remove(scan.id.as_str());
            }
        }
        self.apps_by_update.remove(&app.key());
        self.apps.remove(&id);
        self.changes.push(Change::AppRemoved(id));
    }

    /// Adds an issue type, unless there is one with its id.
    pub fn add_issue_type(&mut self, spec: IssueTypeSpec) -> bool {
        let id = SmolStr::new(&spec.id);
        if self.issue_types.contains_key(&id) {
            return false;
        }
        self.issue_types.insert(id.clone(), Arc::new(IssueType { number: self.next_number, spec }));
        self.next_number += 1;
        self.changes.push(Change::IssueType(id));
        true
    }

    /// Adds a scan of an app, or replaces the one with its id. The app takes over the scan's version and is
    /// active at `now`.
    pub fn put_scan(&mut self, app: &Arc<App>, scan: ScanSpec, now: Timestamp) {
        let id = SmolStr::new(&scan.id);
        let app_id = SmolStr::new(&app.facts.id);
        let scan = Arc::new(scan);
        if let Some(before) = self.scans.insert(id.clone(), Arc::clone(&scan))
            && let Some(scans) = self.scans_by_app.get_mut(&app_id)
        {
            scans.remove(&scan_key(&before));
        }
        if !self.scans_by_app.contains_key(&app_id) {
            self.scans_by_app.insert(app_id.clone(), crate::kernel::counted_map::CountedMap::default());
        }
        if let Some(scans) = self.scans_by_app.get_mut(&app_id) {
            scans.insert(scan_key(&scan), Arc::clone(&scan));
        }
        self.changes.push(Change::Scan(id));
        let mut changed = App::clone(app);
        if let Some(version) = &scan.build_version {
            changed.version = SmolStr::new(version);
        }
        changed.latest_scan = self.latest_scan(&app_id).map(|scan| scan.status);
        changed.results_last_updated = changed.results_last_updated.max(now);
        self.store_app(changed);
    }

    /// Puts a new target into all lists, but not into its finding.
    fn place_target(&mut self, row: Target) {
        let row = Arc::new(row);
        let id = row.facts.id.clone();
        self.target_lists.insert(&lists_of_target(&row, &self.readings), &row.key(), &row);
        self.changes.push(Change::Target(id.clone()));
        self.changes.extend((0..row.statuses.len()).map(|place| Change::Status(id.clone(), place)));
        self.targets.insert(id, row);
    }

    fn store_target(&mut self, before: &Arc<Target>, mut changed: Target, bump: Bump) {
        if let Some(now) = bump {
            changed.results_last_updated = changed.results_last_updated.max(now);
        }
        let row = Arc::new(changed);
        let (old, new) = (lists_of_target(before, &self.readings), lists_of_target(&row, &self.readings));
        if old != new || before.results_last_updated != row.results_last_updated {
            self.target_lists.remove(&old, &before.key());
        }
        self.target_lists.insert(&new, &row.key(), &row);
        self.changes.push(Change::Target(row.facts.id.clone()));
        self.targets.insert(row.facts.id.clone(), row);
    }

    fn store_finding(&mut self, before: &Arc<Finding>, mut changed: Finding, bump: Bump) {
        if let Some(now) = bump {
            changed.results_last_updated = changed.results_last_updated.max(now);
        }
        changed.aggregated_status = aggregated_status(&changed.tally, &self.readings);
        let row = Arc::new(changed);
        let (old, new) = (lists_of_finding(before, &self.readings), lists_of_finding(&row, &self.readings));
        if old != new || before.results_last_updated != row.results_last_updated {
            self.finding_lists.remove(&old, &before.key());
        }
        self.finding_lists.insert(&new, &row.key(), &row);
        self.changes.push(Change::Finding(row.facts.id.clone()));
        self.findings.insert(row.facts.id.clone(), row);
    }

    fn store_app(&mut self, row: App) {
        let row = Arc::new(row);
        let id = SmolStr::new(&row.facts.id);
        if let Some(before) = self.apps.insert(id.clone(), Arc::clone(&row)) {
            self.apps_by_update.remove(&before.key());
        }
        self.apps_by_update.insert(row.key(), row);
        self.changes.push(Change::App(id));
    }

    fn bump_upwards(&mut self, target: &Target, bump: Bump) {
        if bump.is_none() {
            return;
        }
        if let Some(finding) = self.findings.get(&target.facts.security_finding_id).cloned() {
            self.store_finding(&finding, Finding::clone(&finding), bump);
        }
        self.bump_app(&target.facts.mobile_app_id, bump);
    }

    fn bump_app(&mut self, mobile_app_id: &str, bump: Bump) {
        let Some(now) = bump else { return };
        if let Some(app) = self.apps.get(mobile_app_id)
            && app.results_last_updated < now
        {
            let changed = App { results_last_updated: now, ..App::clone(app) };
            self.store_app(changed);
        }
    }
}
