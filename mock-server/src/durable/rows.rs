//! Rows on disk: what each change writes, and how a sandbox is put together again.
//!
//! A sandbox is a base, its world when it was last written whole, and rows that replace or extend what is in
//! the base. Statuses and notes are rows of their own, so a write costs the same however long a history is.

use std::collections::BTreeMap;

use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::{
    ApiKeySpec, DataTheoremWorld, FindingSpec, IssueTypeSpec, MobileAppSpec, NoteSpec, ScanSpec, StatusSpec,
    TargetSpec,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{OpenError, StoredSandbox};
use crate::kernel::clock::ClockState;
use crate::kernel::sandbox::{Kept, Sandbox};
use crate::vendors::data_theorem::store::{Change, Store};
use crate::world::World;

/// A sandbox's settings as they are stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredSettings {
    seed: u64,
    epoch: jiff::Timestamp,
    clock: ClockState,
    page_size: usize,
    readings: BTreeMap<String, String>,
}

impl StoredSettings {
    pub(super) fn of(sandbox: &Sandbox<World>, kept: &Kept<World>) -> Self {
        let account = &kept.world.data_theorem;
        let readings = kept.world.readings().list();
        Self {
            seed: account.ids.seed(),
            epoch: sandbox.epoch(),
            clock: kept.clock,
            page_size: account.page_size,
            readings: readings.into_iter().map(|(id, value)| (id.into(), value.into())).collect(),
        }
    }
}

/// A sandbox's keys with their secrets.
pub(super) fn keys_json(world: &World) -> String {
    let keys = world.data_theorem.keys.iter();
    let keys: Vec<ApiKeySpec> =
        keys.map(|key| ApiKeySpec { secret: Some(key.secret.clone()), ..key.spec.clone() }).collect();
    json(&keys)
}

/// Plain data as JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    // Plain data does not fail to serialise; if it ever did, the CHECK on the column refuses the empty text
    // and the write fails as a whole.
    serde_json::to_string(value).unwrap_or_default()
}

/// A row to be written.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) key: String,
    pub(super) place: usize,
    pub(super) value: String,
}

/// What a change writes; `None` if what changed is gone again.
pub(super) fn row(store: &Store, change: &Change) -> Option<Row> {
    let row = |kind, key: &str, place, value| Some(Row { kind, key: key.to_owned(), place, value });
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
        Change::AppRemoved(_) => None,
    }
}

/// A sandbox as its table holds it.
struct SandboxRow {
    id: String,
    current: String,
    origin: String,
    settings: String,
    current_keys: String,
    origin_keys: String,
    ids_made: i64,
}

/// Reads every sandbox.
pub(super) fn load(database: &Connection) -> Result<Vec<StoredSandbox>, OpenError> {
    let mut statement = database.prepare(
        "SELECT id, current, origin, settings, current_keys, origin_keys, ids_made FROM sandboxes ORDER BY id",
    )?;
    let found: Vec<SandboxRow> = statement
        .query_map([], |row| {
            Ok(SandboxRow {
                id: row.get(0)?,
                current: row.get(1)?,
                origin: row.get(2)?,
                settings: row.get(3)?,
                current_keys: row.get(4)?,
                origin_keys: row.get(5)?,
                ids_made: row.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    found.into_iter().map(|sandbox| load_sandbox(database, sandbox)).collect()
}

fn load_sandbox(database: &Connection, sandbox: SandboxRow) -> Result<StoredSandbox, OpenError> {
    let id = sandbox.id;
    let settings: StoredSettings = read(&sandbox.settings, &id)?;
    let mut origin = load_base(database, &sandbox.origin)?;
    let mut current = load_base(database, &sandbox.current)?;
    let mut overlay = Overlay::take(&mut current.data_theorem);
    let mut statement = database
        .prepare("SELECT kind, key, place, value FROM rows WHERE sandbox = ?1 ORDER BY kind, key, place")?;
    let mut rows = statement.query(params![id])?;
    while let Some(row) = rows.next()? {
        let (kind, key, place): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let value: String = row.get(3)?;
        overlay.add(&kind, key, usize::try_from(place).unwrap_or(0), &value)?;
    }
    current.data_theorem = overlay.world();
    current.data_theorem.api_keys = read(&sandbox.current_keys, &id)?;
    origin.data_theorem.api_keys = read(&sandbox.origin_keys, &id)?;
    Ok(StoredSandbox {
        id,
        seed: settings.seed,
        epoch: settings.epoch,
        clock: settings.clock,
        page_size: settings.page_size,
        readings: settings.readings,
        ids_made: u64::try_from(sandbox.ids_made).unwrap_or(0),
        origin,
        current,
    })
}

fn load_base(database: &Connection, hash: &str) -> Result<WorldSpec, OpenError> {
    let world: Option<String> = database
        .query_row("SELECT world FROM bases WHERE hash = ?1", params![hash], |row| row.get(0))
        .optional()?;
    read(&world.unwrap_or_default(), "base world")
}

fn read<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, OpenError> {
    serde_json::from_str(text).map_err(|source| OpenError::Corrupt { what: what.to_owned(), source })
}

/// A world taken apart by id, so that rows can take their places.
#[derive(Default)]
struct Overlay {
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
    fn take(world: &mut DataTheoremWorld) -> Self {
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

    fn add(&mut self, kind: &str, key: String, place: usize, value: &str) -> Result<(), OpenError> {
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

    fn world(mut self) -> DataTheoremWorld {
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
