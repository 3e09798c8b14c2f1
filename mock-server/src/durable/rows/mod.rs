//! Rows on disk: what each change writes, and how a sandbox is put together again.
//!
//! A sandbox is a base, its world when it was last written whole, and rows that replace, extend or remove what
//! is in the base. Which rows there are is each vendor's matter.

mod data_theorem;
mod jira;
mod mend;

use std::collections::BTreeMap;

use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::ApiKeySpec;
use fixtures::world::jira::UserSpec;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{OpenError, StoredSandbox};
use crate::kernel::clock::ClockState;
use crate::kernel::sandbox::{Kept, Sandbox};
use crate::vendors::mend::account::Users;
use crate::world::{Change, World};

/// A sandbox's settings as they are stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredSettings {
    seed: u64,
    epoch: jiff::Timestamp,
    clock: ClockState,
    page_size: usize,
    readings: BTreeMap<String, String>,
    /// How many ids were made at Mend; at Data Theorem a column says so. Format 1 has none.
    #[serde(default)]
    mend_ids_made: u64,
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
            mend_ids_made: kept.world.mend.ids.counter(),
        }
    }
}

/// A sandbox's credentials with their secrets.
#[derive(Serialize, Deserialize)]
struct StoredCredentials {
    data_theorem: Vec<ApiKeySpec>,
    #[serde(default)]
    mend: Users,
    #[serde(default)]
    jira: Vec<UserSpec>,
}

impl StoredCredentials {
    fn put_into(self, world: &mut WorldSpec) {
        world.data_theorem.api_keys = self.data_theorem;
        self.mend.put_into(&mut world.mend);
        world.jira.users = self.jira;
    }
}

/// A sandbox's credentials with their secrets.
pub(super) fn credentials_json(world: &World) -> String {
    let keys = world.data_theorem.keys.iter();
    let keys = keys.map(|key| ApiKeySpec { secret: Some(key.secret.clone()), ..key.spec.clone() });
    json(&StoredCredentials {
        data_theorem: keys.collect(),
        mend: world.mend.users_with_secrets(),
        jira: world.jira.users_with_secrets(),
    })
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
    pub(super) kind: String,
    pub(super) key: String,
    pub(super) place: usize,
    pub(super) value: String,
}

/// What a change writes; `None` if there is nothing to write.
pub(super) fn row(world: &World, change: &Change) -> Option<Row> {
    match change {
        Change::DataTheorem(change) => data_theorem::row(&world.data_theorem.store, change),
        Change::Mend(change) => mend::row(&world.mend.store, change),
        Change::Jira(change) => jira::row(&world.jira.store, change),
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
    let mut data_theorem = data_theorem::Overlay::take(&mut current.data_theorem);
    let mut mend = mend::Overlay::take(&mut current.mend);
    let mut jira = jira::Overlay::take(&mut current.jira);
    let mut statement = database
        .prepare("SELECT kind, key, place, value FROM rows WHERE sandbox = ?1 ORDER BY kind, key, place")?;
    let mut rows = statement.query(params![id])?;
    while let Some(row) = rows.next()? {
        let (kind, key, place): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (place, value): (_, String) = (usize::try_from(place).unwrap_or(0), row.get(3)?);
        match kind.split_once('.') {
            Some((mend::KINDS, kind)) => mend.add(kind, key, place, &value)?,
            Some((jira::KINDS, kind)) => jira.add(kind, &key, &value)?,
            _ => data_theorem.add(&kind, key, place, &value)?,
        }
    }
    current.data_theorem = data_theorem.world();
    current.mend = mend.world();
    current.jira = jira.world();
    read::<StoredCredentials>(&sandbox.current_keys, &id)?.put_into(&mut current);
    read::<StoredCredentials>(&sandbox.origin_keys, &id)?.put_into(&mut origin);
    Ok(StoredSandbox {
        id,
        seed: settings.seed,
        epoch: settings.epoch,
        clock: settings.clock,
        page_size: settings.page_size,
        readings: settings.readings,
        ids_made: u64::try_from(sandbox.ids_made).unwrap_or(0),
        mend_ids_made: settings.mend_ids_made,
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
