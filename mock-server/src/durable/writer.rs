//! The thread that writes: everything that was submitted meanwhile goes into one commit.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, mpsc};

use rusqlite::{Connection, Transaction, params};

use super::rows::{StoredSettings, json, keys_json, row};
use crate::kernel::sandbox::{CommitReport, Sandbox};
use crate::vendors::data_theorem::store::Change;
use crate::world::World;

/// Most submissions in one commit, so that nobody waits for ever behind a stream of others.
const BATCH_MAX: usize = 1_000;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Submission {
    /// A sandbox or a part of it.
    Write {
        sandbox: Arc<Sandbox<World>>,
        /// The sandbox's generation; what was built on a world that was lost is lost too.
        generation: u64,
        work: Work,
        report: CommitReport,
    },
    /// A sandbox has ended.
    Removal { id: String },
    /// Somebody wants to know when everything before this is done.
    Flush { report: CommitReport },
}

/// What of a sandbox is to be written.
pub(super) enum Work {
    /// These changes, which `world` shows.
    Changes { world: Arc<World>, changes: Vec<Change> },
    /// All of it.
    Whole { world: Arc<World>, origin: Arc<World> },
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changes { changes, .. } => f.debug_tuple("Changes").field(changes).finish(),
            Self::Whole { .. } => f.write_str("Whole"),
        }
    }
}

impl Work {
    fn world(&self) -> &Arc<World> {
        match self {
            Self::Changes { world, .. } | Self::Whole { world, .. } => world,
        }
    }
}

/// Writes until nobody can submit any more. The lock is held as long.
pub(super) fn run(mut database: Connection, lock: File, inbox: &mpsc::Receiver<Submission>) {
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        batch.extend(inbox.try_iter().take(BATCH_MAX - 1));
        let batch: Vec<Submission> = batch.into_iter().filter_map(still_valid).collect();
        match commit(&mut database, &batch) {
            Ok(()) => batch.into_iter().for_each(succeeded),
            Err(error) => {
                tracing::error!(%error, "state could not be written; the changes are taken back");
                fall_back(batch);
            }
        }
    }
    drop(lock);
}

/// Turns away what was built on a world that was lost.
fn still_valid(submission: Submission) -> Option<Submission> {
    match submission {
        Submission::Write { sandbox, generation, work, report } => {
            if sandbox.versions().generation == generation {
                return Some(Submission::Write { sandbox, generation, work, report });
            }
            report.report(false);
            None
        }
        other => Some(other),
    }
}

fn succeeded(submission: Submission) {
    match submission {
        Submission::Write { sandbox, work, report, .. } => {
            sandbox.versions().committed = Arc::clone(work.world());
            report.report(true);
        }
        Submission::Flush { report } => report.report(true),
        Submission::Removal { .. } => {}
    }
}

/// Takes every sandbox of a failed commit back to what is on disk.
fn fall_back(batch: Vec<Submission>) {
    let mut fallen = BTreeSet::new();
    for submission in &batch {
        if let Submission::Write { sandbox, .. } = submission
            && fallen.insert(sandbox.id().to_owned())
        {
            let mut versions = sandbox.versions();
            versions.current = Arc::clone(&versions.committed);
            versions.generation += 1;
        }
    }
    for submission in batch {
        match submission {
            Submission::Write { report, .. } | Submission::Flush { report } => report.report(false),
            Submission::Removal { .. } => {}
        }
    }
}

fn commit(database: &mut Connection, batch: &[Submission]) -> Result<(), rusqlite::Error> {
    let transaction = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for submission in batch {
        match submission {
            Submission::Write { sandbox, work, .. } => match work {
                Work::Changes { world, changes } => write_changes(&transaction, sandbox, world, changes)?,
                Work::Whole { world, origin } => write_whole(&transaction, sandbox, world, origin)?,
            },
            Submission::Removal { id } => {
                transaction.prepare_cached("DELETE FROM sandboxes WHERE id = ?1")?.execute(params![id])?;
                drop_unused_bases(&transaction)?;
            }
            Submission::Flush { .. } => {}
        }
    }
    transaction.commit()
}

fn write_changes(
    transaction: &Transaction<'_>,
    sandbox: &Sandbox<World>,
    world: &World,
    changes: &[Change],
) -> Result<(), rusqlite::Error> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO rows (sandbox, kind, key, place, value) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET value = excluded.value",
    )?;
    // One request may touch a row several times; its last state is what counts.
    let changes: BTreeSet<&Change> = changes.iter().collect();
    for change in changes {
        if let Some(row) = row(&world.data_theorem.store, change) {
            upsert.execute(params![sandbox.id(), row.kind, row.key, signed(row.place), row.value])?;
        }
    }
    let settings = json(&StoredSettings::of(sandbox, world));
    transaction
        .prepare_cached("UPDATE sandboxes SET settings = ?2, ids_made = ?3 WHERE id = ?1")?
        .execute(params![sandbox.id(), settings, ids_made(world)])?;
    Ok(())
}

fn write_whole(
    transaction: &Transaction<'_>,
    sandbox: &Sandbox<World>,
    world: &World,
    origin: &World,
) -> Result<(), rusqlite::Error> {
    let current = write_base(transaction, world)?;
    let origin = if std::ptr::eq(world, origin) { current.clone() } else { write_base(transaction, origin)? };
    transaction.prepare_cached("DELETE FROM rows WHERE sandbox = ?1")?.execute(params![sandbox.id()])?;
    transaction
        .prepare_cached(
            "INSERT INTO sandboxes (id, current, origin, settings, keys, ids_made) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET current = excluded.current, origin = excluded.origin,
                 settings = excluded.settings, keys = excluded.keys, ids_made = excluded.ids_made",
        )?
        .execute(params![
            sandbox.id(),
            current,
            origin,
            json(&StoredSettings::of(sandbox, world)),
            keys_json(world),
            ids_made(world),
        ])?;
    drop_unused_bases(transaction)
}

/// Writes a world under its hash, unless it is there; sandboxes that start from one scene share it.
fn write_base(transaction: &Transaction<'_>, world: &World) -> Result<String, rusqlite::Error> {
    let text = json(&world.export());
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    transaction
        .prepare_cached("INSERT INTO bases (hash, world) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![hash, text])?;
    Ok(hash)
}

fn drop_unused_bases(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "DELETE FROM bases WHERE hash NOT IN (SELECT current FROM sandboxes UNION SELECT origin FROM sandboxes)",
        )?
        .execute([])?;
    Ok(())
}

fn ids_made(world: &World) -> i64 {
    i64::try_from(world.data_theorem.ids.counter()).unwrap_or(i64::MAX)
}

fn signed(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
