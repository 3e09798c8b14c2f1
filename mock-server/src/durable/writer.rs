//! The thread that writes: everything that was submitted meanwhile goes into one commit.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, mpsc};

use rusqlite::{Connection, Transaction, params};

use super::rows::{StoredSettings, credentials_json, json, row};
use crate::kernel::sandbox::{CommitReport, Kept, Sandbox};
use crate::world::{Change, World};

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
        /// The sandbox as the write leaves it.
        kept: Kept<World>,
        extent: Extent,
        report: CommitReport,
    },
    /// A sandbox has ended.
    Removal { id: String, report: CommitReport },
    /// Nothing follows.
    Close { report: CommitReport },
}

/// How much of a sandbox is to be written.
#[derive(Debug)]
pub(super) enum Extent {
    /// These changes, and its settings.
    Changes(Vec<Change>),
    /// All of it, unless it has ended meanwhile.
    Whole,
    /// All of it, for the first time.
    New,
}

impl Submission {
    fn report(&self) -> &CommitReport {
        match self {
            Self::Write { report, .. } | Self::Removal { report, .. } | Self::Close { report } => report,
        }
    }
}

/// Writes until nobody can submit any more, or somebody closes; then lets go of the directory.
pub(super) fn run(mut database: Connection, lock: File, inbox: &mpsc::Receiver<Submission>) {
    let mut closing = Vec::new();
    while closing.is_empty()
        && let Ok(first) = inbox.recv()
    {
        let mut batch = vec![first];
        batch.extend(inbox.try_iter().take(BATCH_MAX - 1));
        let close = batch.iter().position(|submission| matches!(submission, Submission::Close { .. }));
        closing = close.map_or_else(Vec::new, |close| batch.split_off(close));
        write(&mut database, batch);
    }
    // The database first: it tidies up its files, and only the holder of the lock may.
    drop(database);
    // Unlocked by name: a child process that is being started may hold a copy of the file for a moment.
    if let Err(error) = lock.unlock() {
        tracing::warn!(%error, "the state directory could not be unlocked");
    }
    drop(lock);
    for (place, submission) in closing.iter().enumerate() {
        submission.report().report(place == 0);
    }
}

/// Writes a batch in one go; if that fails, one by one, so that nobody suffers for another's failure.
fn write(database: &mut Connection, batch: Vec<Submission>) {
    let batch: Vec<Submission> = batch.into_iter().filter(still_valid).collect();
    match commit(database, &batch) {
        Ok(()) => batch.into_iter().for_each(succeeded),
        Err(error) if batch.len() == 1 => {
            tracing::error!(%error, "state could not be written; the change is taken back");
            batch.iter().for_each(failed);
        }
        Err(_) => {
            for submission in batch {
                write(database, vec![submission]);
            }
        }
    }
}

/// Turns away what was built on a world that was lost.
fn still_valid(submission: &Submission) -> bool {
    match submission {
        Submission::Write { sandbox, generation, report, .. }
            if sandbox.versions().generation != *generation =>
        {
            report.report(false);
            false
        }
        _ => true,
    }
}

fn succeeded(submission: Submission) {
    submission.report().report(true);
    if let Submission::Write { sandbox, kept, .. } = submission {
        sandbox.versions().committed = kept;
    }
}

/// Takes the sandbox of a failed write back to what is on disk.
fn failed(submission: &Submission) {
    if let Submission::Write { sandbox, .. } = submission {
        let mut versions = sandbox.versions();
        let kept = versions.committed.clone();
        versions.current = kept.world;
        versions.origin = kept.origin;
        versions.generation += 1;
        // What is there now is on disk; there is nothing to wait for.
        versions.last_commit = None;
        sandbox.clock.restore(kept.clock);
    }
    submission.report().report(false);
}

fn commit(database: &mut Connection, batch: &[Submission]) -> Result<(), rusqlite::Error> {
    let transaction = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for submission in batch {
        match submission {
            Submission::Write { sandbox, kept, extent: Extent::Changes(changes), .. } => {
                write_changes(&transaction, sandbox, kept, changes)?;
            }
            Submission::Write { sandbox, kept, extent: Extent::Whole, .. } => {
                if is_known(&transaction, sandbox.id())? {
                    write_whole(&transaction, sandbox, kept)?;
                }
            }
            Submission::Write { sandbox, kept, extent: Extent::New, .. } => {
                write_whole(&transaction, sandbox, kept)?;
            }
            Submission::Removal { id, .. } => {
                transaction.prepare_cached("DELETE FROM sandboxes WHERE id = ?1")?.execute(params![id])?;
                drop_unused_bases(&transaction)?;
            }
            Submission::Close { .. } => {}
        }
    }
    transaction.commit()
}

fn write_changes(
    transaction: &Transaction<'_>,
    sandbox: &Sandbox<World>,
    kept: &Kept<World>,
    changes: &[Change],
) -> Result<(), rusqlite::Error> {
    let settings = json(&StoredSettings::of(sandbox, kept));
    let known = transaction
        .prepare_cached("UPDATE sandboxes SET settings = ?2, ids_made = ?3 WHERE id = ?1")?
        .execute(params![sandbox.id(), settings, ids_made(&kept.world)])?;
    if known == 0 {
        // The sandbox ended while the request was under way; its changes end with it.
        return Ok(());
    }
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO rows (sandbox, kind, key, place, value) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET value = excluded.value",
    )?;
    // One request may touch a row several times; its last state is what counts.
    let changes: BTreeSet<&Change> = changes.iter().collect();
    for change in changes {
        if let Some(row) = row(&kept.world, change) {
            upsert.execute(params![sandbox.id(), row.kind, row.key, signed(row.place), row.value])?;
        }
    }
    Ok(())
}

/// Whether a sandbox is on disk. One that has ended stays ended, whatever was still under way.
fn is_known(transaction: &Transaction<'_>, id: &str) -> Result<bool, rusqlite::Error> {
    transaction.prepare_cached("SELECT 1 FROM sandboxes WHERE id = ?1")?.exists(params![id])
}

fn write_whole(
    transaction: &Transaction<'_>,
    sandbox: &Sandbox<World>,
    kept: &Kept<World>,
) -> Result<(), rusqlite::Error> {
    let Kept { world, origin, .. } = kept;
    let current_hash = write_base(transaction, world)?;
    let origin_hash =
        if Arc::ptr_eq(world, origin) { current_hash.clone() } else { write_base(transaction, origin)? };
    transaction.prepare_cached("DELETE FROM rows WHERE sandbox = ?1")?.execute(params![sandbox.id()])?;
    transaction
        .prepare_cached(
            "INSERT INTO sandboxes (id, current, origin, settings, current_keys, origin_keys, ids_made)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET current = excluded.current, origin = excluded.origin,
                 settings = excluded.settings, current_keys = excluded.current_keys,
                 origin_keys = excluded.origin_keys, ids_made = excluded.ids_made",
        )?
        .execute(params![
            sandbox.id(),
            current_hash,
            origin_hash,
            json(&StoredSettings::of(sandbox, kept)),
            credentials_json(world),
            credentials_json(origin),
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
