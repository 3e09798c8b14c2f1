//! What happens at Data Theorem without a client: scans, people in the portal, apps that come and go.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::data_theorem::{Event, Misses, Observation};
use fixtures::world::data_theorem::{
    FindingSpec, NoteSpec, ScanSpec, ScanStatus, StatusSpec, TargetSpec, TargetStatus,
};
use fixtures::world::{is_app_id, is_cvss_score};
use jiff::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;

use super::account::Account;
use super::rules::statuses;
use super::store::{App, Change, Finding, StatusEntry, Target};
use crate::vendors::happening::{EventError, Happening};
use crate::world::World;

/// What an event changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// The scan it left behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_id: Option<String>,
    /// Findings it created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub created_findings: Vec<String>,
    /// Targets it created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub created_targets: Vec<String>,
    /// Targets whose status it changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_targets: Vec<String>,
    /// Components it saw and did not record, because their finding is permanently closed.
    #[serde(skip_serializing_if = "is_zero")]
    pub suppressed: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Happening for Event {
    type Effects = Effects;

    fn happen(&self, world: &mut World, now: Timestamp) -> Result<Effects, EventError> {
        world.data_theorem.apply(self, now)
    }
}

impl Account {
    /// Lets an event happen at `now`. An event that can't happen changes nothing.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Result<Effects, EventError> {
        match event {
            Event::Scan { mobile_app_id, build_version, build_source, observed, missed } => {
                let app = self.app(mobile_app_id)?;
                let build = build_version.as_deref();
                let plan = self.plan_scan(&app, observed, missed)?;
                let mut effects = self.perform_scan(&app, build, plan, now);
                let scan = self.finish_scan(&app, build_version.clone(), now);
                let scan = ScanSpec { build_source: build_source.or(scan.build_source), ..scan };
                effects.scan_id = Some(scan.id.clone());
                let app = self.app(mobile_app_id)?;
                self.store.put_scan(&app, scan, now);
                Ok(effects)
            }
            Event::ScanStarted { mobile_app_id, build_version } => {
                let app = self.app(mobile_app_id)?;
                let scan = self.new_scan(&app, build_version.clone(), ScanStatus::Ongoing, now);
                let scan_id = Some(scan.id.clone());
                self.store.put_scan(&app, scan, now);
                Ok(Effects { scan_id, ..Effects::default() })
            }
            Event::TargetStatus { target_id, status } => {
                let target = self.target(target_id)?;
                self.set_status(&target, *status, None, now);
                Ok(Effects { changed_targets: vec![target_id.clone()], ..Effects::default() })
            }
            Event::Note { finding_id, author_email, kind, text } => {
                let finding = self.finding(finding_id)?;
                let id = self.ids.datastore_id(|_| false);
                let author_email = author_email.clone();
                let note = NoteSpec { id, author_email, date_created: now, kind: *kind, text: text.clone() };
                self.store.add_note(&finding, note, Some(now));
                Ok(Effects::default())
            }
            Event::ExternalId { target_id, external_id, external_bug_tracker_url } => {
                let target = self.target(target_id)?;
                let url = external_bug_tracker_url.as_deref();
                self.store.set_external_id(&target, external_id.as_deref(), url, None);
                Ok(Effects { changed_targets: vec![target_id.clone()], ..Effects::default() })
            }
            Event::AppAdded { mobile_app } => {
                if self.store.app(&mobile_app.id).is_some() {
                    return Err(EventError::Exists { kind: "mobile app", id: mobile_app.id.clone() });
                }
                if !is_app_id(&mobile_app.id) {
                    return Err(EventError::Incoherent(format!(
                        "app id {:?} is not a 64-bit integer",
                        mobile_app.id
                    )));
                }
                self.store.add_app(mobile_app);
                Ok(Effects::default())
            }
            Event::AppRemoved { mobile_app_id } => {
                let app = self.app(mobile_app_id)?;
                self.store.remove_app(&app);
                Ok(Effects::default())
            }
            Event::IssueTypeAdded { issue_type } => {
                if !is_cvss_score(issue_type.cvss_score) {
                    let problem =
                        format!("a CVSS score lies between 0 and 10, not {}", issue_type.cvss_score);
                    return Err(EventError::Incoherent(problem));
                }
                if self.store.add_issue_type((**issue_type).clone()) {
                    Ok(Effects::default())
                } else {
                    Err(EventError::Exists { kind: "issue type", id: issue_type.id.clone() })
                }
            }
            Event::FindingAdded { finding, targets } => self.add_finding(finding, targets),
            Event::ApiKeyRevoked { name } => {
                let keys = Arc::make_mut(&mut self.keys);
                let before = keys.len();
                keys.retain(|key| key.spec.name != *name);
                if keys.len() == before {
                    return Err(EventError::Unknown { kind: "API key", id: name.clone() });
                }
                self.store.note(Change::Keys);
                Ok(Effects::default())
            }
        }
    }

    fn app(&self, id: &str) -> Result<Arc<App>, EventError> {
        let unknown = || EventError::Unknown { kind: "mobile app", id: id.to_owned() };
        self.store.app(id).cloned().ok_or_else(unknown)
    }

    fn finding(&self, id: &str) -> Result<Arc<Finding>, EventError> {
        let unknown = || EventError::Unknown { kind: "security finding", id: id.to_owned() };
        self.store.finding(id).cloned().ok_or_else(unknown)
    }

    fn target(&self, id: &str) -> Result<Arc<Target>, EventError> {
        let unknown = || EventError::Unknown { kind: "security finding target", id: id.to_owned() };
        self.store.target(id).cloned().ok_or_else(unknown)
    }

    fn add_finding(&mut self, finding: &FindingSpec, targets: &[TargetSpec]) -> Result<Effects, EventError> {
        self.app(&finding.mobile_app_id)?;
        if self.store.issue_type(&finding.issue_type_id).is_none() {
            return Err(EventError::Unknown { kind: "issue type", id: finding.issue_type_id.clone() });
        }
        if self.store.finding(&finding.id).is_some() {
            return Err(EventError::Exists { kind: "security finding", id: finding.id.clone() });
        }
        if targets.is_empty() {
            return Err(EventError::Incoherent("a finding has at least one target".to_owned()));
        }
        let mut ids = BTreeSet::new();
        for target in targets {
            if self.store.target(&target.id).is_some() || !ids.insert(&target.id) {
                return Err(EventError::Exists { kind: "security finding target", id: target.id.clone() });
            }
            if target.security_finding_id != finding.id {
                return Err(EventError::Incoherent(format!("target {:?} names another finding", target.id)));
            }
            if target.statuses.is_empty() {
                return Err(EventError::Incoherent(format!("target {:?} has no status", target.id)));
            }
            if target.statuses.is_sorted_by(|newer, older| newer.date >= older.date) {
                continue;
            }
            let problem =
                format!("the statuses of target {:?} do not run from the newest to the oldest", target.id);
            return Err(EventError::Incoherent(problem));
        }
        self.store.add_finding(finding, targets);
        let created_targets = targets.iter().map(|target| target.id.clone()).collect();
        Ok(Effects { created_findings: vec![finding.id.clone()], created_targets, ..Effects::default() })
    }

    fn set_status(
        &mut self,
        target: &Arc<Target>,
        status: TargetStatus,
        build: Option<&str>,
        now: Timestamp,
    ) {
        let entry = StatusEntry { status, date: now, build_version: build.map(SmolStr::new) };
        self.store.push_status(target, entry, Some(now));
    }
}

/// What a scan saw and missed, with everything it refers to looked up.
struct ScanPlan {
    seen: Vec<Arc<Target>>,
    described: Vec<Described>,
    missed: Vec<Arc<Target>>,
}

struct Described {
    issue_type_id: String,
    text: String,
}

impl Account {
    /// Looks up what a scan of `app` refers to, so that a scan that can't happen changes nothing.
    fn plan_scan(
        &self,
        app: &App,
        observed: &[Observation],
        missed: &Misses,
    ) -> Result<ScanPlan, EventError> {
        let app_id = &app.facts.id;
        let of_app = |id: &str| {
            let target = self.target(id)?;
            if target.facts.mobile_app_id != *app_id {
                let problem =
                    format!("target {id:?} belongs to app {:?}, not {app_id:?}", target.facts.mobile_app_id);
                return Err(EventError::Incoherent(problem));
            }
            Ok(target)
        };
        let mut plan = ScanPlan { seen: Vec::new(), described: Vec::new(), missed: Vec::new() };
        let mut seen = BTreeSet::new();
        for observation in observed {
            match observation {
                Observation::Known { target_id } => {
                    if seen.insert(SmolStr::new(target_id)) {
                        plan.seen.push(of_app(target_id)?);
                    }
                }
                Observation::Described { issue_type_id, text } => {
                    if self.store.issue_type(issue_type_id).is_none() {
                        return Err(EventError::Unknown { kind: "issue type", id: issue_type_id.clone() });
                    }
                    match self.target_described(app_id, issue_type_id, text) {
                        Some(target) if seen.insert(target.facts.id.clone()) => plan.seen.push(target),
                        Some(_) => {}
                        None => plan
                            .described
                            .push(Described { issue_type_id: issue_type_id.clone(), text: text.clone() }),
                    }
                }
            }
        }
        let missed = match missed {
            Misses::Nothing => Vec::new(),
            Misses::EverythingElse => self.store.open_targets_of_app(app_id),
            Misses::Targets(ids) => ids.iter().map(SmolStr::new).collect(),
        };
        for id in missed {
            if seen.insert(id.clone()) {
                plan.missed.push(of_app(&id)?);
            }
        }
        Ok(plan)
    }

    fn target_described(&self, app: &str, issue_type: &str, text: &str) -> Option<Arc<Target>> {
        let finding = self.store.finding_of_type(app, issue_type)?;
        let targets = finding.targets.iter().filter_map(|id| self.store.target(id));
        targets.into_iter().find(|target| target.facts.text == text).cloned()
    }

    fn perform_scan(&mut self, app: &App, build: Option<&str>, plan: ScanPlan, now: Timestamp) -> Effects {
        let readings = *self.readings();
        let mut effects = Effects::default();
        for target in plan.seen {
            let finding = self.store.finding(&target.facts.security_finding_id);
            let permanently_closed = finding.is_some_and(|finding| finding.is_permanently_closed);
            match statuses::seen_by_scan(target.current.status, permanently_closed, &readings) {
                Some(status) => {
                    self.set_status(&target, status, build, now);
                    effects.changed_targets.push(target.facts.id.to_string());
                }
                None => self.store.touch_target(&target, now),
            }
        }
        for target in plan.missed {
            if let Some(status) = statuses::missed_by_scan(target.current.status) {
                self.set_status(&target, status, build, now);
                effects.changed_targets.push(target.facts.id.to_string());
            }
        }
        for described in plan.described {
            self.open_target(app, build, described, now, &mut effects);
        }
        effects
    }

    /// Opens a new target, in a new finding where the app has none of that issue type.
    fn open_target(
        &mut self,
        app: &App,
        build: Option<&str>,
        described: Described,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let app_id = &app.facts.id;
        let Described { issue_type_id, text } = described;
        // An observation earlier in the same scan may have opened it.
        if self.target_described(app_id, &issue_type_id, &text).is_some() {
            return;
        }
        let finding = self.store.finding_of_type(app_id, &issue_type_id).cloned();
        if finding.as_ref().is_some_and(|finding| finding.is_permanently_closed) {
            effects.suppressed += 1;
            return;
        }
        let store = &self.store;
        let finding_id = match &finding {
            Some(finding) => finding.facts.id.to_string(),
            None => self.ids.finding_id(|id| store.finding(id).is_some()),
        };
        let id = self.ids.datastore_id(|id| store.target(id).is_some());
        let status =
            StatusSpec { status: TargetStatus::New, date: now, build_version: build.map(str::to_owned) };
        let target = TargetSpec {
            id,
            security_finding_id: finding_id.clone(),
            text,
            date_created: now,
            results_last_updated: now,
            statuses: vec![status],
            external_id: None,
            external_bug_tracker_url: None,
            additional_contexts: Vec::new(),
            associated_sdk_ids: Vec::new(),
        };
        effects.created_targets.push(target.id.clone());
        if let Some(finding) = finding {
            self.store.add_target(&finding, &target, now);
            return;
        }
        effects.created_findings.push(finding_id.clone());
        let finding = FindingSpec {
            id: finding_id,
            mobile_app_id: app_id.clone(),
            issue_type_id,
            date_created: now,
            results_last_updated: now,
            priority: None,
            is_permanently_closed: false,
            last_closed_as: None,
            associated_cve_ids: Vec::new(),
            screenshot_url: None,
            notes: Vec::new(),
        };
        self.store.add_finding(&finding, &[target]);
    }

    /// The record of a scan that has just ended: the app's ongoing one, completed, or a new one.
    fn finish_scan(&mut self, app: &App, build_version: Option<String>, now: Timestamp) -> ScanSpec {
        let done = Some(ScanStatus::Completed);
        let scan = match self.store.ongoing_scan(&app.facts.id) {
            Some(ongoing) => {
                let build_version = build_version.or_else(|| ongoing.build_version.clone());
                ScanSpec { build_version, ..(*ongoing).clone() }
            }
            None => self.new_scan(app, build_version, ScanStatus::Completed, now),
        };
        let dynamic_scan = scan.dynamic_scan.and(done);
        ScanSpec {
            status: ScanStatus::Completed,
            end_date: Some(now),
            static_scan: done,
            dynamic_scan,
            ..scan
        }
    }

    fn new_scan(
        &mut self,
        app: &App,
        build_version: Option<String>,
        status: ScanStatus,
        now: Timestamp,
    ) -> ScanSpec {
        use fixtures::world::data_theorem::Subscription;
        let store = &self.store;
        let id = self.ids.datastore_id(|id| store.scan(id).is_some());
        let dynamic = app.facts.subscription.contains(&Subscription::Dynamic);
        // The newest scan is the one that started last, also while a clock stands still or was set back.
        let after_latest = self
            .store
            .latest_scan_start(&app.facts.id)
            .and_then(|latest| latest.checked_add(jiff::SignedDuration::from_micros(1)).ok());
        let start_date = after_latest.map_or(now, |after_latest| after_latest.max(now));
        ScanSpec {
            id,
            mobile_app_id: app.facts.id.clone(),
            status,
            start_date,
            end_date: None,
            build_source: None,
            build_version: build_version.or_else(|| Some(app.version.to_string())),
            release_id: None,
            static_scan: Some(status),
            dynamic_scan: dynamic.then_some(status),
        }
    }
}
