//! The typed control plane of one sandbox: what the admin plane offers over HTTP, and tests in process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fixtures::world::WorldSpec;
use jiff::{SignedDuration, Timestamp};

use crate::kernel::clock::{Clock, ClockMode};
use crate::kernel::faults::{Fault, FaultError, Planned};
use crate::kernel::journal::{Filter, Page};
use crate::kernel::kill_points::Watcher;
use crate::kernel::sandbox::{Commit, RegistryError, Sandbox};
use crate::kernel::secrets::REDACTED;
use crate::server::address::Environment;
use crate::server::{DEFAULT_SANDBOX, IncoherentWorld, Server, coherent};
use crate::vendors;
use crate::vendors::happening::{EventError, Happening};
use crate::vendors::readings::ReadingError;
use crate::world::{Change, Identity, World};

/// Controls one sandbox: its clock, faults, journal, world and readings.
#[derive(Clone)]
pub struct Control {
    server: Arc<Server>,
    sandbox: Arc<Sandbox<World>>,
    /// How often the world had been taken back when this was last asked; see [`Control::saved`].
    generation: Arc<AtomicU64>,
}

/// A world that can't take the place of another.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// It is not coherent.
    #[error(transparent)]
    Incoherent(#[from] IncoherentWorld),
    /// One of its secrets belongs to another sandbox.
    #[error(transparent)]
    Credential(#[from] RegistryError),
}

impl Control {
    /// Controls this sandbox of this server.
    pub(crate) fn new(server: Arc<Server>, sandbox: Arc<Sandbox<World>>) -> Self {
        let generation = Arc::new(AtomicU64::new(sandbox.versions().generation));
        Self { server, sandbox, generation }
    }

    /// The sandbox's name.
    pub fn id(&self) -> &str {
        self.sandbox.id()
    }

    /// Whether this is the sandbox that always exists.
    pub fn is_default(&self) -> bool {
        self.id() == DEFAULT_SANDBOX
    }

    /// Addresses and credentials as environment variables.
    pub fn environment(&self) -> Environment {
        self.server.environment(&self.sandbox)
    }

    /// The instant the world was written relative to.
    pub fn epoch(&self) -> Timestamp {
        self.sandbox.epoch()
    }

    /// What the sandbox's clock shows.
    pub fn now(&self) -> Timestamp {
        self.sandbox.clock.now()
    }

    /// How the clock runs.
    pub fn clock_mode(&self) -> ClockMode {
        self.sandbox.clock.mode()
    }

    /// Moves the clock and returns what it shows then.
    pub fn advance(&self, step: SignedDuration) -> Timestamp {
        self.move_clock(|clock| clock.advance(step))
    }

    /// Sets the clock and returns what it shows then.
    pub fn set_clock(&self, to: Timestamp) -> Timestamp {
        self.move_clock(|clock| clock.set(to))
    }

    /// Lets the clock run in another way and returns what it shows then.
    pub fn switch_clock(&self, mode: ClockMode) -> Timestamp {
        self.move_clock(|clock| clock.switch(mode))
    }

    /// Plans a fault behind those already planned and returns its number.
    pub fn plan_fault(&self, fault: Fault) -> Result<u64, FaultError> {
        self.check_fault(&fault)?;
        self.sandbox.faults().plan(fault)
    }

    /// Whether a fault makes sense and waits for something that can be asked.
    pub fn check_fault(&self, fault: &Fault) -> Result<(), FaultError> {
        fault.check_for(&vendors::operations())
    }

    /// The faults that have not been used up, in order.
    pub fn pending_faults(&self) -> Vec<Planned> {
        self.sandbox.faults().pending().to_vec()
    }

    /// Drops all planned faults and says how many there were.
    pub fn clear_faults(&self) -> usize {
        self.sandbox.faults().clear()
    }

    /// Reads the journal.
    pub fn journal(&self, filter: &Filter) -> Page {
        self.sandbox.journal.read(filter)
    }

    /// Reads the journal, and waits up to `timeout` until it has a matching entry.
    pub async fn wait_for_journal(&self, filter: &Filter, timeout: Duration) -> Page {
        self.sandbox.journal.read_or_wait(filter, timeout).await
    }

    /// Drops all journal entries. Numbers go on where they were.
    pub fn clear_journal(&self) {
        self.sandbox.journal.clear();
    }

    /// Learns of every request at the moments it was seen and applied; requests wait meanwhile.
    pub fn watch(&self) -> Watcher {
        self.sandbox.kill_points.watch()
    }

    /// The world as plain data, without secrets.
    pub fn export_world(&self) -> WorldSpec {
        self.sandbox.world().export()
    }

    /// Puts another world into the sandbox; a reset goes back to it. Keys of the same name keep their secrets.
    pub fn replace_world(&self, spec: WorldSpec) -> Result<(), ReplaceError> {
        let spec = coherent(spec)?;
        let mut versions = self.sandbox.versions();
        let before = Arc::clone(&versions.current);
        let identity = Identity {
            sandbox: self.id().to_owned(),
            seed: before.data_theorem.ids.seed(),
            page_size: before.data_theorem.page_size,
            secrets: crate::kernel::ids::entropy().to_vec(),
            data_theorem_api_key: None,
            mend_user_key: None,
            jira_api_token: None,
        };
        let world = Arc::new(before.replaced_by(&spec, &identity));
        self.server.worlds.sandboxes.replace_credentials(self.id(), world.credentials())?;
        versions.origin = Arc::clone(&world);
        versions.current = world;
        self.save_whole(&mut versions);
        Ok(())
    }

    /// Number of Data Theorem's apps, findings and targets.
    pub fn sizes(&self) -> (usize, usize, usize) {
        self.sandbox.world().data_theorem.store.sizes()
    }

    /// Number of Mend's projects, of libraries that they use, and of policy violations that stand.
    pub fn mend_sizes(&self) -> (usize, usize, usize) {
        self.sandbox.world().mend.store.sizes()
    }

    /// Number of Jira's projects and issues.
    pub fn jira_sizes(&self) -> (usize, usize) {
        self.sandbox.world().jira.store.sizes()
    }

    /// Lets something happen at a vendor, at the instant the clock shows.
    pub fn happen<E: Happening>(&self, event: &E) -> Result<E::Effects, EventError> {
        let now = self.now();
        let mut versions = self.sandbox.versions();
        let world = Arc::make_mut(&mut versions.current);
        let effects = event.happen(world, now)?;
        let changes = world.take_changes();
        if changes.iter().any(Change::concerns_credentials) {
            // Where a token was revoked, another one may be given out next. Nobody else can have that already.
            let _ = self.server.worlds.sandboxes.add_credentials(self.id(), world.credentials());
        }
        if let Some(durable) = &self.server.worlds.durable {
            durable.submit_changes(&self.sandbox, &mut versions, changes);
        }
        Ok(effects)
    }

    /// Every reading with the value in force.
    pub fn readings(&self) -> BTreeMap<&'static str, &'static str> {
        self.sandbox.world().readings().list().into_iter().collect()
    }

    /// Chooses values for readings, all or none. They stay through a reset.
    pub fn set_readings<'a>(
        &self,
        choices: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), ReadingError> {
        let mut versions = self.sandbox.versions();
        let mut readings = versions.current.readings();
        for (id, value) in choices {
            readings.set(id, value)?;
        }
        let shared = Arc::ptr_eq(&versions.current, &versions.origin);
        versions.current = Arc::new(versions.current.under(&readings));
        versions.origin =
            if shared { Arc::clone(&versions.current) } else { Arc::new(versions.origin.under(&readings)) };
        self.save_whole(&mut versions);
        Ok(())
    }

    /// Goes back to the world the sandbox started from: faults and journal are dropped, a manual clock returns
    /// to the epoch. Readings, credentials and snapshots stay.
    pub fn reset(&self) {
        self.sandbox.reset(|versions| {
            // The origin's keys were this sandbox's own from the start. One that was revoked before a restart may
            // be another sandbox's by now, which then keeps it.
            let credentials = versions.current.credentials();
            let _ = self.server.worlds.sandboxes.replace_credentials(self.id(), credentials);
            self.save_whole(versions);
        });
    }

    /// Remembers world and time under a name and returns that time.
    pub fn take_snapshot(&self, name: &str) -> Timestamp {
        self.sandbox.take_snapshot(name)
    }

    /// Names of the snapshots with the time each was taken at.
    pub fn snapshots(&self) -> Vec<(String, Timestamp)> {
        self.sandbox.snapshots()
    }

    /// Goes back to a snapshot: the world with its credentials, and the time of a manual clock. Readings stay.
    /// Says whether there is such a snapshot; fails if another sandbox has taken one of its credentials.
    pub fn restore_snapshot(&self, name: &str) -> Result<bool, RegistryError> {
        let Some((world, time)) = self.sandbox.snapshot(name) else { return Ok(false) };
        let mut versions = self.sandbox.versions();
        self.server.worlds.sandboxes.replace_credentials(self.id(), world.credentials())?;
        if self.clock_mode() == ClockMode::Manual {
            self.sandbox.clock.set(time);
        }
        let readings = versions.current.readings();
        versions.current = Arc::new(world.under(&readings));
        self.save_whole(&mut versions);
        Ok(true)
    }

    /// Waits until everything that was done through this control is on disk; `false` if something was taken back
    /// since this was last asked. Without durable state there is nothing to wait for.
    pub async fn saved(&self) -> bool {
        let commit: Option<Commit> = self.sandbox.versions().last_commit.clone();
        if let Some(commit) = commit {
            commit.done().await;
        }
        let versions = self.sandbox.versions();
        let kept = self.generation.swap(versions.generation, Ordering::Relaxed) == versions.generation;
        if !kept {
            // The world was taken back, and its keys with it.
            let credentials = versions.current.credentials();
            let _ = self.server.worlds.sandboxes.replace_credentials(self.id(), credentials);
        }
        kept
    }

    /// Moves the clock and hands it over to be kept, before anybody else can.
    fn move_clock(&self, how: impl FnOnce(&Clock) -> Timestamp) -> Timestamp {
        let mut versions = self.sandbox.versions();
        let now = how(&self.sandbox.clock);
        if let Some(durable) = &self.server.worlds.durable {
            durable.submit_clock(&self.sandbox, &mut versions);
        }
        now
    }

    fn save_whole(&self, versions: &mut crate::kernel::sandbox::Versions<World>) {
        if let Some(durable) = &self.server.worlds.durable {
            durable.submit_whole(&self.sandbox, versions);
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("sandbox", &self.id())
            .field("credentials", &REDACTED)
            .finish_non_exhaustive()
    }
}
