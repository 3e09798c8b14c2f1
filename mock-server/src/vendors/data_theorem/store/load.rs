//! From a description of a world to rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::world::data_theorem::{DataTheoremWorld, FindingSpec, MobileAppSpec, ScanSpec, TargetSpec};
use smol_str::SmolStr;

use super::index::RowIndex;
use super::lists::{lists_of_finding, lists_of_target};
use super::model::{
    App, Finding, FindingFacts, IssueType, Number, Rendered, StatusEntry, Tally, Target, TargetFacts,
};
use super::{Readings, Store};
use crate::kernel::counted_map::CountedMap;
use crate::kernel::cursor::RowKey;
use crate::kernel::history::History;
use crate::vendors::data_theorem::rules::aggregate::aggregated_status;

impl Store {
    /// Rows for a valid world ([`fixtures::world::WorldSpec::validate`]). What refers to nothing is left out.
    pub fn load(world: &DataTheoremWorld, readings: Readings) -> Self {
        let mut number: Number = 0;
        let mut next = || {
            number += 1;
            number
        };
        let issue_types: CountedMap<SmolStr, Arc<IssueType>> = world
            .issue_types
            .iter()
            .map(|spec| (SmolStr::new(&spec.id), Arc::new(IssueType { number: next(), spec: spec.clone() })))
            .collect();
        let scans: CountedMap<SmolStr, Arc<ScanSpec>> =
            world.scans.iter().map(|scan| (SmolStr::new(&scan.id), Arc::new(scan.clone()))).collect();
        let scans_by_app = group_scans(&scans);
        let apps: CountedMap<SmolStr, Arc<App>> = world
            .mobile_apps
            .iter()
            .map(|spec| {
                let scans: Option<&CountedMap<RowKey, Arc<ScanSpec>>> = scans_by_app.get(spec.id.as_str());
                let latest = scans.and_then(|scans| scans.iter().last()).map(|(_, scan)| scan.status);
                (SmolStr::new(&spec.id), Arc::new(app_row(spec, next(), latest)))
            })
            .collect();

        let mut targets_of: BTreeMap<&str, Vec<&TargetSpec>> = BTreeMap::new();
        for target in &world.security_finding_targets {
            targets_of.entry(&target.security_finding_id).or_default().push(target);
        }
        let mut findings = Vec::with_capacity(world.security_findings.len());
        let mut targets = Vec::with_capacity(world.security_finding_targets.len());
        for spec in &world.security_findings {
            let (Some(app), Some(issue_type)) =
                (apps.get(spec.mobile_app_id.as_str()), issue_types.get(spec.issue_type_id.as_str()))
            else {
                continue;
            };
            let facts = Arc::new(finding_facts(spec, app.number, issue_type));
            let rows: Vec<Target> = targets_of
                .get(spec.id.as_str())
                .into_iter()
                .flatten()
                .filter_map(|target| target_row(target, &facts))
                .collect();
            findings.push(Arc::new(finding_row(spec, facts, &rows, &readings)));
            targets.extend(rows.into_iter().map(Arc::new));
        }
        let finding_lists = RowIndex::build(
            findings
                .iter()
                .map(|row| (lists_of_finding(row, &readings).to_vec(), row.key(), Arc::clone(row))),
        );
        let target_lists = RowIndex::build(
            targets.iter().map(|row| (lists_of_target(row, &readings).to_vec(), row.key(), Arc::clone(row))),
        );
        let by_type = |row: &Arc<Finding>| {
            let issue_type = SmolStr::new(&row.facts.issue_type.spec.id);
            ((row.facts.mobile_app_id.clone(), issue_type), row.facts.id.clone())
        };
        Self {
            readings,
            issue_types,
            apps_by_update: apps.iter().map(|(_, app)| (app.key(), Arc::clone(app))).collect(),
            apps,
            scans,
            scans_by_app,
            findings_by_type: findings.iter().map(by_type).collect(),
            findings: findings.into_iter().map(|row| (row.facts.id.clone(), row)).collect(),
            finding_lists,
            targets: targets.into_iter().map(|row| (row.facts.id.clone(), row)).collect(),
            target_lists,
            next_number: next(),
            changes: Vec::new(),
        }
    }
}

fn group_scans(
    scans: &CountedMap<SmolStr, Arc<ScanSpec>>,
) -> CountedMap<SmolStr, CountedMap<RowKey, Arc<ScanSpec>>> {
    let mut by_app: BTreeMap<SmolStr, Vec<(RowKey, Arc<ScanSpec>)>> = BTreeMap::new();
    for (_, scan) in scans.iter() {
        by_app.entry(SmolStr::new(&scan.mobile_app_id)).or_default().push((scan_key(scan), Arc::clone(scan)));
    }
    by_app.into_iter().map(|(app, scans)| (app, scans.into_iter().collect())).collect()
}

/// Place of a scan in the list of its app: by start, then id.
pub(super) fn scan_key(scan: &ScanSpec) -> RowKey {
    RowKey { micros: scan.start_date.as_microsecond(), id: SmolStr::new(&scan.id) }
}

/// The row of an app.
pub(super) fn app_row(
    spec: &MobileAppSpec,
    number: Number,
    latest_scan: Option<fixtures::world::data_theorem::ScanStatus>,
) -> App {
    App {
        number,
        facts: Arc::new(spec.clone()),
        version: SmolStr::new(&spec.version),
        results_last_updated: spec.results_last_updated,
        latest_scan,
        rendered: Rendered::default(),
    }
}

/// What never changes about a finding.
pub(super) fn finding_facts(
    spec: &FindingSpec,
    app_number: Number,
    issue_type: &Arc<IssueType>,
) -> FindingFacts {
    FindingFacts {
        id: SmolStr::new(&spec.id),
        mobile_app_id: SmolStr::new(&spec.mobile_app_id),
        app_number,
        issue_type: Arc::clone(issue_type),
        date_created: spec.date_created,
        associated_cve_ids: spec.associated_cve_ids.clone(),
        screenshot_url: spec.screenshot_url.clone(),
    }
}

/// The row of a finding that has these targets.
pub(super) fn finding_row(
    spec: &FindingSpec,
    facts: Arc<FindingFacts>,
    targets: &[Target],
    readings: &Readings,
) -> Finding {
    let mut tally = Tally::default();
    for target in targets {
        tally.count(target.current.status, true);
    }
    let by_date = || last_closed(targets.iter()).map(|target| target.current.status);
    tally.last_closed_as = spec.last_closed_as.or_else(by_date);
    Finding {
        facts,
        results_last_updated: spec.results_last_updated,
        priority: spec.priority,
        is_permanently_closed: spec.is_permanently_closed,
        aggregated_status: aggregated_status(&tally, readings),
        tally,
        notes: History::from_oldest_first(spec.notes.iter().cloned().map(Arc::new)),
        targets: Arc::new(targets.iter().map(|target| target.facts.id.clone()).collect()),
        rendered: Rendered::default(),
    }
}

/// The target that was closed last, as far as dates tell; of equal dates the later target.
pub(super) fn last_closed<'a>(targets: impl Iterator<Item = &'a Target>) -> Option<&'a Target> {
    let closed = targets.filter(|target| target.current.status.is_closed());
    closed.max_by_key(|target| target.current.date)
}

/// The row of a target; `None` if it never had a status.
pub(super) fn target_row(spec: &TargetSpec, finding: &FindingFacts) -> Option<Target> {
    let entry = |status: &fixtures::world::data_theorem::StatusSpec| StatusEntry {
        status: status.status,
        date: status.date,
        build_version: status.build_version.as_deref().map(SmolStr::new),
    };
    let statuses = History::from_oldest_first(spec.statuses.iter().rev().map(entry));
    Some(Target {
        facts: Arc::new(TargetFacts {
            id: SmolStr::new(&spec.id),
            security_finding_id: finding.id.clone(),
            mobile_app_id: finding.mobile_app_id.clone(),
            app_number: finding.app_number,
            issue_type: Arc::clone(&finding.issue_type),
            text: spec.text.clone(),
            date_created: spec.date_created,
            additional_contexts: spec.additional_contexts.clone(),
            associated_sdk_ids: spec.associated_sdk_ids.clone(),
        }),
        results_last_updated: spec.results_last_updated,
        current: statuses.newest()?.clone(),
        statuses,
        external_id: spec.external_id.as_deref().map(Arc::from),
        external_bug_tracker_url: spec.external_bug_tracker_url.as_deref().map(Arc::from),
        rendered: Rendered::default(),
    })
}
