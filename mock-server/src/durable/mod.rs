//! Durable mode: what was acknowledged survives a crash.
//!
//! One thread owns a SQLite file (write-ahead log, full synchronisation) and commits what was submitted
//! meanwhile in one go. A reply waits for its commit, and so does a read that shows it; see
//! [`crate::http::pipeline`]. A commit that fails takes the world back to what is on disk.
//!
//! Kept: rows, credentials, readings, the clock, the count of ids made. Not kept: journals, planned faults,
//! snapshots, and ports of sandboxes' own.

mod open;
mod rows;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use fixtures::world::WorldSpec;
use jiff::Timestamp;

pub use open::{OpenError, Origin};
use writer::{Extent, Submission};

use crate::kernel::clock::ClockState;
use crate::kernel::sandbox::{Commit, Kept, Sandbox, Versions};
use crate::world::{Change, World};

/// The way to the disk.
#[derive(Debug)]
pub struct Durable {
    submissions: mpsc::Sender<Submission>,
}

/// A sandbox as it was found on disk.
#[derive(Debug, Clone)]
pub struct StoredSandbox {
    /// Its name.
    pub id: String,
    /// Seed of its ids and cursors.
    pub seed: u64,
    /// The instant its world was written relative to.
    pub epoch: Timestamp,
    /// Its clock.
    pub clock: ClockState,
    /// Rows per list page.
    pub page_size: usize,
    /// Readings by id.
    pub readings: BTreeMap<String, String>,
    /// How many ids were made at Data Theorem.
    pub ids_made: u64,
    /// How many ids were made at Mend.
    pub mend_ids_made: u64,
    /// What a reset goes back to.
    pub origin: WorldSpec,
    /// Its world.
    pub current: WorldSpec,
}

/// What was found in a state directory.
#[derive(Debug)]
pub struct Found {
    /// The way to the disk.
    pub durable: Durable,
    /// What the server was started with when the directory was new.
    pub origin: Origin,
    /// The sandboxes it held.
    pub sandboxes: Vec<StoredSandbox>,
}

impl Durable {
    /// Opens a state directory, or makes one that remembers `origin`.
    pub fn open(directory: &Path, origin: Origin) -> Result<Found, OpenError> {
        let opened = open::open(directory, origin)?;
        let sandboxes = rows::load(&opened.database)?;
        let (submissions, inbox) = mpsc::channel();
        let (database, lock) = (opened.database, opened.lock);
        std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || writer::run(database, lock, &inbox))
            .map_err(OpenError::Thread)?;
        Ok(Found { durable: Self { submissions }, origin: opened.origin, sandboxes })
    }

    /// Hands over changes of a sandbox. The caller holds its versions, so the order of submissions is the
    /// order of writes.
    pub(crate) fn submit_changes(
        &self,
        sandbox: &Arc<Sandbox<World>>,
        versions: &mut Versions<World>,
        changes: Vec<Change>,
    ) {
        let whole = changes.iter().any(Change::concerns_whole_world);
        self.submit(sandbox, versions, if whole { Extent::Whole } else { Extent::Changes(changes) });
    }

    /// Hands over a new sandbox.
    pub(crate) fn submit_new(&self, sandbox: &Arc<Sandbox<World>>, versions: &mut Versions<World>) {
        self.submit(sandbox, versions, Extent::New);
    }

    /// Hands over a sandbox as it stands.
    pub(crate) fn submit_whole(&self, sandbox: &Arc<Sandbox<World>>, versions: &mut Versions<World>) {
        self.submit(sandbox, versions, Extent::Whole);
    }

    /// Hands over a sandbox's clock.
    pub(crate) fn submit_clock(&self, sandbox: &Arc<Sandbox<World>>, versions: &mut Versions<World>) {
        self.submit(sandbox, versions, Extent::Changes(Vec::new()));
    }

    /// Hands over the end of a sandbox.
    pub(crate) fn submit_removal(&self, id: &str) -> Commit {
        let (report, commit) = Commit::pending();
        let _ = self.submissions.send(Submission::Removal { id: id.to_owned(), report });
        commit
    }

    /// Writes everything handed over so far and lets go of the directory.
    pub(crate) async fn close(&self) {
        let (report, commit) = Commit::pending();
        if self.submissions.send(Submission::Close { report }).is_ok() {
            commit.done().await;
        }
    }

    fn submit(&self, sandbox: &Arc<Sandbox<World>>, versions: &mut Versions<World>, extent: Extent) {
        let (report, commit) = Commit::pending();
        let kept = Kept {
            world: Arc::clone(&versions.current),
            origin: Arc::clone(&versions.origin),
            clock: sandbox.clock.state(),
        };
        let (sandbox, generation) = (Arc::clone(sandbox), versions.generation);
        let submission = Submission::Write { sandbox, generation, kept, extent, report };
        // If the thread is gone, the report is dropped with the submission and the wait ends in failure.
        let _ = self.submissions.send(submission);
        versions.last_commit = Some(commit);
    }
}
