//! A naive model of the vendor: brute force over plain data, written from the documents and not from the
//! simulator. What it answers is slow and obvious.

use std::collections::BTreeMap;

use fixtures::strategies::{FindingQuery, StatusGroup, TargetQuery};
use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::{Event, Misses, Observation};
use fixtures::world::data_theorem::{
    FindingSpec, Platform, ReleaseType, ScanStatus, StatusSpec, Subscription, TargetSpec, TargetStatus,
};
use jiff::Timestamp;
use serde_json::Value;

/// Parameters of the list of apps. What is `None` or empty is not sent.
#[derive(Debug, Clone, Default)]
pub(super) struct AppQuery {
    pub(super) platform: Option<Platform>,
    pub(super) release_type: Option<ReleaseType>,
    pub(super) scan_status: Option<&'static str>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) results_since: Option<Timestamp>,
}

/// A query of one of the three lists.
#[derive(Debug, Clone)]
pub(super) enum Query {
    Targets(TargetQuery),
    Findings(FindingQuery),
    Apps(AppQuery),
}

/// A row's place in a list: by time of change, then by id as text.
pub(super) type Place = (Timestamp, String);

/// A list that the key may not ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfScope;

impl Query {
    pub(super) fn list(&self) -> &'static str {
        match self {
            Self::Targets(_) => "security_finding_targets",
            Self::Findings(_) => "security_findings",
            Self::Apps(_) => "mobile_apps",
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Targets(query) => query.parameters(),
            Self::Findings(query) => query.parameters(),
            Self::Apps(query) => {
                let single = [
                    ("platform", query.platform.map(|value| value.to_string())),
                    ("release_type", query.release_type.map(|value| value.to_string())),
                    ("scan_status", query.scan_status.map(str::to_owned)),
                    ("results_since", query.results_since.map(|value| value.to_string())),
                ];
                let many = query.subscriptions.iter().map(|value| ("subscription", value.to_string()));
                single.into_iter().filter_map(|(name, value)| Some((name, value?))).chain(many).collect()
            }
        }
    }

    fn app(&self) -> Option<&str> {
        match self {
            Self::Targets(query) => query.mobile_app_id.as_deref(),
            Self::Findings(query) => query.mobile_app_id.as_deref(),
            Self::Apps(_) => None,
        }
    }

    /// The rows that answer this query for the key of this name, in ascending order.
    pub(super) fn rows(&self, world: &WorldSpec, key: &str) -> Result<Vec<Place>, OutOfScope> {
        let data = &world.data_theorem;
        let limit = &data.api_keys.iter().find(|spec| spec.name == key).unwrap().mobile_app_ids;
        let visible = |app: &str| limit.as_ref().is_none_or(|apps| apps.contains(app));
        if let Some(app) = self.app()
            && data.mobile_apps.iter().any(|known| known.id == app)
            && !visible(app)
        {
            return Err(OutOfScope);
        }
        let mut rows: Vec<Place> = match self {
            Self::Targets(query) => data
                .security_finding_targets
                .iter()
                .filter(|target| {
                    let finding = finding_of(world, target);
                    visible(&finding.mobile_app_id)
                        && wanted(query.mobile_app_id.as_ref(), &finding.mobile_app_id)
                        && wanted(query.security_finding_id.as_ref(), &finding.id)
                        && wanted(query.issue_type_id.as_ref(), &finding.issue_type_id)
                        && in_group(query.status_group, target.statuses[0].status)
                        && since(query.results_since, target.results_last_updated)
                })
                .map(|target| (target.results_last_updated, target.id.clone()))
                .collect(),
            Self::Findings(query) => data
                .security_findings
                .iter()
                .filter(|finding| {
                    let kind = data.issue_types.iter().find(|kind| kind.id == finding.issue_type_id).unwrap();
                    visible(&finding.mobile_app_id)
                        && wanted(query.mobile_app_id.as_ref(), &finding.mobile_app_id)
                        && (query.severities.is_empty() || query.severities.contains(&kind.severity))
                        && in_group(query.status_group, aggregated(world, finding))
                        && since(query.results_since, finding.results_last_updated)
                })
                .map(|finding| (finding.results_last_updated, finding.id.clone()))
                .collect(),
            Self::Apps(query) => data
                .mobile_apps
                .iter()
                .filter(|app| {
                    let none = [Subscription::NoSubscription].into();
                    let services = if app.subscription.is_empty() { &none } else { &app.subscription };
                    visible(&app.id)
                        && query.platform.is_none_or(|platform| platform == app.platform)
                        && query.release_type.is_none_or(|release_type| release_type == app.release_type)
                        && query.scan_status.is_none_or(|status| status == scan_status(world, &app.id))
                        && (query.subscriptions.is_empty()
                            || query.subscriptions.iter().any(|service| services.contains(service)))
                        && since(query.results_since, app.results_last_updated)
                })
                .map(|app| (app.results_last_updated, app.id.clone()))
                .collect(),
        };
        rows.sort();
        Ok(rows)
    }
}

fn wanted(filter: Option<&String>, value: &str) -> bool {
    filter.is_none_or(|filter| filter == value)
}

fn since(bound: Option<Timestamp>, updated: Timestamp) -> bool {
    bound.is_none_or(|bound| updated >= bound)
}

fn in_group(group: Option<StatusGroup>, status: TargetStatus) -> bool {
    match group {
        None => true,
        Some(StatusGroup::Open) => !status.as_str().starts_with("CLOSED"),
        Some(StatusGroup::Closed) => status.as_str().starts_with("CLOSED"),
    }
}

fn finding_of<'a>(world: &'a WorldSpec, target: &TargetSpec) -> &'a FindingSpec {
    let findings = &world.data_theorem.security_findings;
    findings.iter().find(|finding| finding.id == target.security_finding_id).unwrap()
}

fn scan_status(world: &WorldSpec, app: &str) -> &'static str {
    let of_app = world.data_theorem.scans.iter().filter(|scan| scan.mobile_app_id == app);
    match of_app.max_by_key(|scan| (scan.start_date, &scan.id)).map(|scan| scan.status) {
        None => "NO_SCANS_INITIATED",
        Some(ScanStatus::Ongoing) => "SCAN_ONGOING",
        Some(_) => "SCAN_COMPLETED",
    }
}

/// The status of a finding, from its targets as they are described.
fn aggregated(world: &WorldSpec, finding: &FindingSpec) -> TargetStatus {
    let targets: Vec<&StatusSpec> = world
        .data_theorem
        .security_finding_targets
        .iter()
        .filter(|target| target.security_finding_id == finding.id)
        .map(|target| &target.statuses[0])
        .collect();
    let closed = targets.iter().filter(|entry| entry.status.is_closed());
    let latest = closed.max_by_key(|entry| entry.date).map(|entry| entry.status);
    let statuses: Vec<TargetStatus> = targets.iter().map(|entry| entry.status).collect();
    aggregate(&statuses, finding.last_closed_as.or(latest))
}

fn aggregate(statuses: &[TargetStatus], last_closed_as: Option<TargetStatus>) -> TargetStatus {
    let open: Vec<_> = statuses.iter().filter(|status| !status.is_closed()).collect();
    if open.is_empty() {
        last_closed_as.unwrap()
    } else if open.iter().all(|status| **status == TargetStatus::New) {
        TargetStatus::New
    } else {
        TargetStatus::Open
    }
}

/// What a client may ask for.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Status { target: String, status: TargetStatus, reason: bool },
    Close { finding: String, status: TargetStatus, permanently: bool },
    ExternalId { target: String, body: Value },
    Note { finding: String },
    Event(Event),
    Advance { ms: i64 },
}

/// Statuses, tickets and notes of a world, as clients and scans move them.
#[derive(Debug)]
pub(super) struct StatusModel {
    pub(super) targets: BTreeMap<String, TargetModel>,
    pub(super) findings: BTreeMap<String, FindingModel>,
}

#[derive(Debug)]
pub(super) struct TargetModel {
    finding: String,
    text: String,
    /// Newest first.
    pub(super) statuses: Vec<TargetStatus>,
    pub(super) external_id: Option<String>,
}

#[derive(Debug)]
pub(super) struct FindingModel {
    app: String,
    issue_type: String,
    permanently: bool,
    last_closed_as: Option<TargetStatus>,
    pub(super) notes: usize,
}

/// Ids that the simulator gave to what a scan found, in the order it found them.
pub(super) struct Created {
    pub(super) findings: Vec<String>,
    pub(super) targets: Vec<String>,
}

impl StatusModel {
    pub(super) fn of(world: &WorldSpec) -> Self {
        let mut model = Self { targets: BTreeMap::new(), findings: BTreeMap::new() };
        for finding in &world.data_theorem.security_findings {
            let last_closed_as = Some(aggregated(world, finding)).filter(|status| status.is_closed());
            model.add_finding(finding, last_closed_as);
        }
        for target in &world.data_theorem.security_finding_targets {
            model.add_target(target);
        }
        model
    }

    fn add_finding(&mut self, finding: &FindingSpec, last_closed_as: Option<TargetStatus>) {
        let row = FindingModel {
            app: finding.mobile_app_id.clone(),
            issue_type: finding.issue_type_id.clone(),
            permanently: finding.is_permanently_closed,
            last_closed_as,
            notes: finding.notes.len(),
        };
        self.findings.insert(finding.id.clone(), row);
    }

    fn add_target(&mut self, target: &TargetSpec) {
        let row = TargetModel {
            finding: target.security_finding_id.clone(),
            text: target.text.clone(),
            statuses: target.statuses.iter().map(|entry| entry.status).collect(),
            external_id: target.external_id.clone(),
        };
        self.targets.insert(target.id.clone(), row);
    }

    /// The finding's status now.
    pub(super) fn aggregated(&self, finding: &str) -> TargetStatus {
        let targets = self.targets.values().filter(|target| target.finding == finding);
        let statuses: Vec<_> = targets.map(|target| target.statuses[0]).collect();
        aggregate(&statuses, self.findings[finding].last_closed_as)
    }

    fn push(&mut self, target: &str, status: TargetStatus) {
        let row = self.targets.get_mut(target).unwrap();
        row.statuses.insert(0, status);
        if status.is_closed() {
            self.findings.get_mut(&row.finding).unwrap().last_closed_as = Some(status);
        }
    }

    /// The status code that a target's new status is answered with; the change is made.
    pub(super) fn post_status(&mut self, target: &str, status: TargetStatus, reason: bool) -> u16 {
        let Some(row) = self.targets.get(target) else { return 404 };
        let current = row.statuses[0];
        let finding = row.finding.clone();
        let reopens = current.is_manual_close() && !self.findings[&finding].permanently;
        let allowed = if status == TargetStatus::Open { reopens } else { !current.is_closed() };
        if !allowed {
            return 409;
        }
        self.push(target, status);
        self.findings.get_mut(&finding).unwrap().notes += usize::from(reason);
        204
    }

    /// The status code that closing a finding is answered with; the change is made.
    pub(super) fn close(&mut self, finding: &str, status: TargetStatus, permanently: bool) -> u16 {
        if !self.findings.contains_key(finding) {
            return 404;
        }
        if self.aggregated(finding).is_closed() {
            return 409;
        }
        let open = |row: &TargetModel| row.finding == finding && !row.statuses[0].is_closed();
        let open: Vec<String> =
            self.targets.iter().filter(|(_, row)| open(row)).map(|(id, _)| id.clone()).collect();
        for target in open {
            self.push(&target, status);
        }
        let row = self.findings.get_mut(finding).unwrap();
        row.notes += 1;
        row.permanently |= permanently;
        200
    }

    /// The status code that a target's PATCH is answered with; the change is made.
    pub(super) fn patch(&mut self, target: &str, body: &Value) -> u16 {
        let Some(row) = self.targets.get_mut(target) else { return 404 };
        if let Some(text) = body["external_id"].as_str() {
            row.external_id = Some(text.to_owned()).filter(|text| !text.is_empty());
        }
        200
    }

    /// The status code that a note is answered with; it is written.
    pub(super) fn note(&mut self, finding: &str) -> u16 {
        let Some(row) = self.findings.get_mut(finding) else { return 404 };
        row.notes += 1;
        204
    }

    /// Lets an event happen that applies to the world as it is.
    pub(super) fn happen(&mut self, event: &Event, created: Created) {
        match event {
            Event::Scan { mobile_app_id, observed, missed, .. } => {
                self.scan(mobile_app_id, observed, missed, created);
            }
            Event::TargetStatus { target_id, status } => self.push(target_id, *status),
            Event::Note { finding_id, .. } => self.findings.get_mut(finding_id).unwrap().notes += 1,
            Event::ExternalId { target_id, external_id, .. } => {
                self.targets.get_mut(target_id).unwrap().external_id.clone_from(external_id);
            }
            Event::AppRemoved { mobile_app_id } => {
                self.findings.retain(|_, row| row.app != *mobile_app_id);
                self.targets.retain(|_, row| self.findings.contains_key(&row.finding));
            }
            Event::FindingAdded { finding, targets } => {
                self.add_finding(finding, None);
                for target in targets {
                    self.add_target(target);
                }
            }
            Event::ScanStarted { .. }
            | Event::AppAdded { .. }
            | Event::IssueTypeAdded { .. }
            | Event::ApiKeyRevoked { .. } => {}
        }
    }

    fn scan(&mut self, app: &str, observed: &[Observation], missed: &Misses, created: Created) {
        let mut seen: Vec<String> = Vec::new();
        let mut unknown: Vec<(&str, &str)> = Vec::new();
        for observation in observed {
            match observation {
                Observation::Known { target_id } => seen.push(target_id.clone()),
                Observation::Described { issue_type_id, text } => {
                    match self.described(app, issue_type_id, text) {
                        Some(target) => seen.push(target),
                        None => unknown.push((issue_type_id, text)),
                    }
                }
            }
        }
        seen.sort();
        seen.dedup();
        let missed: Vec<String> = match missed {
            Misses::Nothing => Vec::new(),
            Misses::Targets(ids) => ids.clone(),
            Misses::EverythingElse => self
                .targets
                .iter()
                .filter(|(_, row)| self.findings[&row.finding].app == app)
                .map(|(id, _)| id.clone())
                .collect(),
        };
        for target in &seen {
            let row = &self.targets[target];
            let current = row.statuses[0];
            // Under the default reading a permanent close keeps scans from reopening anything.
            if current.is_closed() && self.findings[&row.finding].permanently {
                continue;
            }
            match current {
                TargetStatus::New
                | TargetStatus::OpenReadyToRescan
                | TargetStatus::ClosedFixed
                | TargetStatus::ClosedPartiallyFixed
                | TargetStatus::ClosedItemNotFound => self.push(target, TargetStatus::Open),
                _ => {}
            }
        }
        for target in missed.iter().filter(|target| !seen.contains(target)) {
            if !self.targets[target].statuses[0].is_closed() {
                self.push(target, TargetStatus::ClosedFixed);
            }
        }
        let (mut findings, mut targets) = (created.findings.into_iter(), created.targets.into_iter());
        for (issue_type, text) in unknown {
            if self.described(app, issue_type, text).is_some() {
                continue;
            }
            let of_type = |row: &FindingModel| row.app == app && row.issue_type == issue_type;
            let known = self
                .findings
                .iter()
                .find(|(_, row)| of_type(row))
                .map(|(id, row)| (id.clone(), row.permanently));
            let finding = match known {
                Some((_, true)) => continue,
                Some((id, false)) => id,
                None => {
                    let id = findings.next().unwrap();
                    let (app, issue_type) = (app.to_owned(), issue_type.to_owned());
                    let row =
                        FindingModel { app, issue_type, permanently: false, last_closed_as: None, notes: 0 };
                    self.findings.insert(id.clone(), row);
                    id
                }
            };
            let text = text.to_owned();
            let row = TargetModel { finding, text, statuses: vec![TargetStatus::New], external_id: None };
            self.targets.insert(targets.next().unwrap(), row);
        }
        assert_eq!((findings.next(), targets.next()), (None, None), "the scan created more than it saw");
    }

    /// The target of this app and issue type with this text.
    fn described(&self, app: &str, issue_type: &str, text: &str) -> Option<String> {
        let fits = |row: &TargetModel| {
            let finding = &self.findings[&row.finding];
            finding.app == app && finding.issue_type == issue_type && row.text == text
        };
        self.targets.iter().find(|(_, row)| fits(row)).map(|(id, _)| id.clone())
    }
}
