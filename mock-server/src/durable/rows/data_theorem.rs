//! Data Theorem's rows. Statuses and notes are rows of their own, so a write costs the same however long a
//! history is.

use std::collections::BTreeMap;

use fixtures::world::data_theorem::{
    DataTheoremWorld, FindingSpec, IssueTypeSpec, MobileAppSpec, NoteSpec, ScanSpec, StatusSpec, TargetSpec,
};

use super::{Row, json, read};
use crate::durable::OpenError;
use crate::vendors::data_theorem::store::{Change, Store};

/// What a change writes; `None` if what changed is gone again.
pub(super) fn row(store: &Store, change: &Change) -> Option<Row> {
    let row = |kind: &str, key: &str, place, value| {
        Some(Row { kind: kind.to_owned(), key: key.to_owned(), place, value })
    };
    match change {
        Change::IssueType(id) => row("issue_type", id, 0, json(&store.issue_type(id)?.spec)),
        Change::App(id) => row("app", id, 0, json(&store.app(id)?.export())),
        Change::Scan(id) => row("scan", id, 0, json(&**store.scan(id)?)),
        Change::Finding(id) => {
            row("finding", id, 0, json(&store.export_finding_without_notes(store.finding(id)?)))
        }
        Change::Note(id, place) => row("note", id, *place, json(store.finding(id)?.note_at(*place)?)),
        Change::Target(id) => {
            // The place is the target's among its finding's, so that these keep their order.
            let target = store.target(id)?;
            let siblings = &store.finding(&target.facts.security_finding_id)?.targets;
            let place = siblings.iter().position(|sibling| sibling == id)?;
            row("target", id, place, json(&target.export_without_statuses()))
        }
        Change::Status(id, place) => row("status", id, *place, json(&store.target(id)?.status_at(*place)?)),
        // Written as a whole world instead.
        Change::AppRemoved(_) | Change::Keys => None,
    }
}

/// A world taken apart by id, so that rows can take their places.
#[derive(Default)]
pub(super) struct Overlay {
    issue_types: BTreeMap<String, IssueTypeSpec>,
    apps: BTreeMap<String, MobileAppSpec>,
    scans: BTreeMap<String, ScanSpec>,
    findings: BTreeMap<String, FindingSpec>,
    notes: BTreeMap<String, BTreeMap<usize, NoteSpec>>,
    /// By finding, then by place among the finding's targets.
    targets: BTreeMap<(String, usize), TargetSpec>,
    statuses: BTreeMap<String, BTreeMap<usize, StatusSpec>>,
}

impl Overlay {
    pub(super) fn take(world: &mut DataTheoremWorld) -> Self {
        let mut overlay = Self::default();
        let world = std::mem::take(world);
        overlay.issue_types.extend(world.issue_types.into_iter().map(|row| (row.id.clone(), row)));
        overlay.apps.extend(world.mobile_apps.into_iter().map(|row| (row.id.clone(), row)));
        overlay.scans.extend(world.scans.into_iter().map(|row| (row.id.clone(), row)));
        for mut finding in world.security_findings {
            let notes = std::mem::take(&mut finding.notes);
            overlay.notes.insert(finding.id.clone(), notes.into_iter().enumerate().collect());
            overlay.findings.insert(finding.id.clone(), finding);
        }
        let mut places = BTreeMap::new();
        for mut target in world.security_finding_targets {
            let statuses = std::mem::take(&mut target.statuses);
            overlay.statuses.insert(target.id.clone(), statuses.into_iter().rev().enumerate().collect());
            let place = places.entry(target.security_finding_id.clone()).or_insert(0_usize);
            overlay.targets.insert((target.security_finding_id.clone(), *place), target);
            *place += 1;
        }
        overlay
    }

    pub(super) fn add(
        &mut self,
        kind: &str,
        key: String,
        place: usize,
        value: &str,
    ) -> Result<(), OpenError> {
        match kind {
            "issue_type" => drop(self.issue_types.insert(key, read(value, kind)?)),
            "app" => drop(self.apps.insert(key, read(value, kind)?)),
            "scan" => drop(self.scans.insert(key, read(value, kind)?)),
            "finding" => drop(self.findings.insert(key, read(value, kind)?)),
            "note" => drop(self.notes.entry(key).or_default().insert(place, read(value, kind)?)),
            "target" => {
                let target: TargetSpec = read(value, kind)?;
                drop(self.targets.insert((target.security_finding_id.clone(), place), target));
            }
            "status" => drop(self.statuses.entry(key).or_default().insert(place, read(value, kind)?)),
            // A kind that this version does not know would have come with a newer format.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn world(mut self) -> DataTheoremWorld {
        for (id, finding) in &mut self.findings {
            finding.notes = self.notes.remove(id).unwrap_or_default().into_values().collect();
        }
        for target in self.targets.values_mut() {
            let statuses = self.statuses.remove(&target.id).unwrap_or_default();
            target.statuses = statuses.into_values().rev().collect();
        }
        DataTheoremWorld {
            api_keys: Vec::new(),
            issue_types: self.issue_types.into_values().collect(),
            mobile_apps: self.apps.into_values().collect(),
            scans: self.scans.into_values().collect(),
            security_findings: self.findings.into_values().collect(),
            security_finding_targets: self.targets.into_values().collect(),
        }
    }
}
