//! Sandboxes: isolated worlds on one server, found by credential.
//!
//! A sandbox's world is a value whose copies share structure, so starting one from a shared scene, taking a
//! snapshot and going back all cost one pointer; what a sandbox costs is what it changed. The kernel does not
//! know what a world is: `W` is whatever the server simulates.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::clock::{Clock, ClockMode, ClockState, Stopwatch};
use super::faults::FaultQueue;
use super::journal::{Journal, Limits};
use super::kill_points::KillPoints;
use super::secrets::{REDACTED, SecretIndex};

/// An isolated world with its own clock, faults and journal.
#[derive(Debug)]
pub struct Sandbox<W> {
    id: String,
    /// What time it is in the sandbox.
    pub clock: Clock,
    /// What was asked of it.
    pub journal: Journal,
    /// Who waits at its kill points.
    pub kill_points: KillPoints,
    epoch: Timestamp,
    faults: Mutex<FaultQueue>,
    world: Mutex<Versions<W>>,
    snapshots: Mutex<BTreeMap<String, Snapshot<W>>>,
    started: Stopwatch,
    last_used_ms: AtomicU64,
}

/// The worlds a sandbox holds on to.
#[derive(Debug)]
pub struct Versions<W> {
    /// What requests see and change.
    pub current: Arc<W>,
    /// What a reset goes back to.
    pub origin: Arc<W>,
    /// What is on disk: a failed commit falls back to it. Without durable state it is never looked at.
    pub committed: Kept<W>,
    /// Goes up with every such fall, so that what was built on the lost world is known to be lost too.
    pub generation: u64,
    /// How the newest write fares on its way to disk; `None` without durable state, or before the first.
    pub last_commit: Option<Commit>,
}

/// What of a sandbox is kept on disk.
#[derive(Debug)]
pub struct Kept<W> {
    /// The world.
    pub world: Arc<W>,
    /// What a reset goes back to.
    pub origin: Arc<W>,
    /// The clock.
    pub clock: ClockState,
}

impl<W> Clone for Kept<W> {
    fn clone(&self) -> Self {
        Self { world: Arc::clone(&self.world), origin: Arc::clone(&self.origin), clock: self.clock }
    }
}

/// How a write fares on its way to disk.
#[derive(Debug, Clone)]
pub struct Commit(watch::Receiver<Option<bool>>);

/// Tells whoever waits for a write how it ended.
#[derive(Debug)]
pub struct CommitReport(watch::Sender<Option<bool>>);

impl Commit {
    /// A write on its way, and the end that reports.
    pub fn pending() -> (CommitReport, Self) {
        let (report, commit) = watch::channel(None);
        (CommitReport(report), Self(commit))
    }

    /// Waits until the write is on disk; `false` if it never will be.
    pub async fn done(mut self) -> bool {
        self.0.wait_for(Option::is_some).await.is_ok_and(|outcome| *outcome == Some(true))
    }
}

impl CommitReport {
    /// Reports that the write is on disk, or that it never will be.
    pub fn report(&self, on_disk: bool) {
        self.0.send_replace(Some(on_disk));
    }
}

#[derive(Debug)]
struct Snapshot<W> {
    world: Arc<W>,
    time: Timestamp,
}

impl<W> Sandbox<W> {
    /// A sandbox that starts as `world`; a manual clock starts at `epoch`.
    pub fn new(id: String, world: Arc<W>, mode: ClockMode, epoch: Timestamp, limits: Limits) -> Self {
        let clock = Clock::new(mode, epoch);
        let origin = Arc::clone(&world);
        let committed = Kept { world: Arc::clone(&world), origin: Arc::clone(&world), clock: clock.state() };
        let versions = Versions { current: world, origin, committed, generation: 0, last_commit: None };
        Self {
            id,
            clock,
            journal: Journal::new(limits),
            kill_points: KillPoints::default(),
            epoch,
            faults: Mutex::default(),
            world: Mutex::new(versions),
            snapshots: Mutex::default(),
            started: Stopwatch::start(),
            last_used_ms: AtomicU64::new(0),
        }
    }

    /// The sandbox's name within the server.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The instant the world was written relative to.
    pub fn epoch(&self) -> Timestamp {
        self.epoch
    }

    /// The world as it stands. Holding on to it does not hold anybody up.
    pub fn world(&self) -> Arc<W> {
        Arc::clone(&self.versions().current)
    }

    /// The versions of the world, locked: hold it briefly and never across an await.
    pub fn versions(&self) -> MutexGuard<'_, Versions<W>> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The planned faults, locked: hold it briefly.
    pub fn faults(&self) -> MutexGuard<'_, FaultQueue> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes back to the world the sandbox started from: faults and journal are dropped, and a manual clock
    /// returns to the epoch. Snapshots stay. `then` runs before anybody else sees the world.
    pub fn reset(&self, then: impl FnOnce(&mut Versions<W>)) {
        {
            let mut versions = self.versions();
            versions.current = Arc::clone(&versions.origin);
            if self.clock.mode() == ClockMode::Manual {
                self.clock.set(self.epoch);
            }
            then(&mut versions);
        }
        *self.faults() = FaultQueue::default();
        self.journal.restart();
    }

    /// Remembers the world and the time under a name; an older snapshot of that name is replaced. Returns that
    /// time.
    pub fn take_snapshot(&self, name: &str) -> Timestamp {
        let time = self.clock.now();
        let snapshot = Snapshot { world: self.world(), time };
        self.snapshots_locked().insert(name.to_owned(), snapshot);
        time
    }

    /// Names of the snapshots with the time each was taken at.
    pub fn snapshots(&self) -> Vec<(String, Timestamp)> {
        self.snapshots_locked().iter().map(|(name, snapshot)| (name.clone(), snapshot.time)).collect()
    }

    /// The world and the time of a snapshot; `None` if there is none of that name.
    pub fn snapshot(&self, name: &str) -> Option<(Arc<W>, Timestamp)> {
        self.snapshots_locked().get(name).map(|snapshot| (Arc::clone(&snapshot.world), snapshot.time))
    }

    /// Notes that the sandbox is in use.
    pub fn touch(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_used_ms.store(now, Ordering::Relaxed);
    }

    /// How long the sandbox has not been used.
    pub fn idle(&self) -> Duration {
        self.started
            .elapsed()
            .saturating_sub(Duration::from_millis(self.last_used_ms.load(Ordering::Relaxed)))
    }

    fn snapshots_locked(&self) -> MutexGuard<'_, BTreeMap<String, Snapshot<W>>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A secret that a client shows, with the vendor it is meant for.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Which vendor reads it; keeps the vendors' secrets apart.
    pub vendor: &'static str,
    /// The secret.
    pub secret: String,
    /// Whether it is sent within a longer text in Base64, as Basic authentication does.
    pub is_sent_encoded: bool,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({}, {REDACTED})", self.vendor)
    }
}

/// All sandboxes of a server.
#[derive(Debug)]
pub struct Registry<W> {
    /// Every secret that leads, or ever led, to one of the sandboxes.
    pub secrets: SecretIndex,
    max: usize,
    inner: RwLock<Inner<W>>,
}

struct Inner<W> {
    by_id: BTreeMap<String, Member<W>>,
    by_secret: BTreeMap<&'static str, BTreeMap<String, Arc<Sandbox<W>>>>,
    made: u64,
}

struct Member<W> {
    sandbox: Arc<Sandbox<W>>,
    credentials: Vec<Credential>,
    /// Credentials it has had, the present ones included; they stay secret as long as it lives.
    secrets: Vec<Credential>,
}

impl<W> std::fmt::Debug for Inner<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_id.keys()).finish()
    }
}

/// A sandbox that can't be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// There are too many.
    #[error(
        "there are {max} sandboxes already, which is the most this server holds; delete some, or let idle ones expire"
    )]
    Full {
        /// The most there may be.
        max: usize,
    },
    /// Somebody else has that name.
    #[error("there is a sandbox named {id:?} already")]
    Taken {
        /// The name.
        id: String,
    },
    /// Two credentials of one sandbox are the same.
    #[error("two {vendor} credentials of the world are the same, so requests could not be told apart")]
    Twins {
        /// Whose credentials.
        vendor: &'static str,
    },
    /// Somebody else has that secret, so requests could not be told apart.
    #[error("another sandbox already uses one of the given {vendor} credentials")]
    SharedCredential {
        /// Whose credential.
        vendor: &'static str,
    },
}

impl<W> Registry<W> {
    /// A registry that holds at most `max` sandboxes.
    pub fn new(max: usize) -> Self {
        let inner = Inner { by_id: BTreeMap::new(), by_secret: BTreeMap::new(), made: 0 };
        Self { secrets: SecretIndex::default(), max, inner: RwLock::new(inner) }
    }

    /// A name that no sandbox of this run has had: `sandbox-1`, `sandbox-2`, …
    pub fn fresh_id(&self) -> String {
        let mut inner = self.write();
        loop {
            inner.made += 1;
            let id = format!("sandbox-{}", inner.made);
            if !inner.by_id.contains_key(&id) {
                return id;
            }
        }
    }

    /// Adds a sandbox that owns these credentials.
    pub fn add(&self, sandbox: Arc<Sandbox<W>>, credentials: Vec<Credential>) -> Result<(), RegistryError> {
        let mut inner = self.write();
        if inner.by_id.len() >= self.max {
            return Err(RegistryError::Full { max: self.max });
        }
        if inner.by_id.contains_key(sandbox.id()) {
            return Err(RegistryError::Taken { id: sandbox.id().to_owned() });
        }
        if let Some(shared) = credentials.iter().find(|credential| inner.owner(credential).is_some()) {
            return Err(RegistryError::SharedCredential { vendor: shared.vendor });
        }
        no_twins(&credentials)?;
        inner.claim(&sandbox, &credentials);
        self.learn(&credentials);
        let secrets = credentials.clone();
        inner.by_id.insert(sandbox.id().to_owned(), Member { sandbox, credentials, secrets });
        Ok(())
    }

    /// Gives a sandbox other credentials.
    pub fn replace_credentials(&self, id: &str, credentials: Vec<Credential>) -> Result<(), RegistryError> {
        let mut inner = self.write();
        let Some(member) = inner.by_id.get(id) else { return Ok(()) };
        no_twins(&credentials)?;
        let (sandbox, old) = (Arc::clone(&member.sandbox), member.credentials.clone());
        let foreign = |credential: &&Credential| {
            inner.owner(credential).is_some_and(|owner| !Arc::ptr_eq(owner, &sandbox))
        };
        if let Some(shared) = credentials.iter().find(foreign) {
            return Err(RegistryError::SharedCredential { vendor: shared.vendor });
        }
        inner.release(&old);
        inner.claim(&sandbox, &credentials);
        if let Some(member) = inner.by_id.get_mut(id) {
            let is_new = |credential: &&Credential| !member.secrets.contains(credential);
            let new: Vec<Credential> = credentials.iter().filter(is_new).cloned().collect();
            self.learn(&new);
            member.secrets.extend(new);
            member.credentials = credentials;
        }
        Ok(())
    }

    /// Gives a sandbox further credentials. Those that it has stay, also if nobody is behind one any more: requests
    /// with it are still this sandbox's to refuse.
    pub fn add_credentials(&self, id: &str, credentials: Vec<Credential>) -> Result<(), RegistryError> {
        let Some(mut all) = self.read().by_id.get(id).map(|member| member.credentials.clone()) else {
            return Ok(());
        };
        for credential in credentials {
            if !all.contains(&credential) {
                all.push(credential);
            }
        }
        self.replace_credentials(id, all)
    }

    /// The sandbox with this name.
    pub fn get(&self, id: &str) -> Option<Arc<Sandbox<W>>> {
        self.read().by_id.get(id).map(|member| Arc::clone(&member.sandbox))
    }

    /// The sandbox that owns this secret.
    pub fn owner_of(&self, vendor: &'static str, secret: &str) -> Option<Arc<Sandbox<W>>> {
        self.read().by_secret.get(vendor)?.get(secret).cloned()
    }

    /// All sandboxes, by name.
    pub fn list(&self) -> Vec<Arc<Sandbox<W>>> {
        self.read().by_id.values().map(|member| Arc::clone(&member.sandbox)).collect()
    }

    /// Removes a sandbox.
    pub fn remove(&self, id: &str) -> Option<Arc<Sandbox<W>>> {
        let mut inner = self.write();
        let member = inner.by_id.remove(id)?;
        inner.release(&member.credentials);
        for Credential { secret, is_sent_encoded, .. } in &member.secrets {
            self.secrets.remove(secret);
            if *is_sent_encoded {
                self.secrets.remove_encoded(secret);
            }
        }
        Some(member.sandbox)
    }

    /// Puts a sandbox back that was removed, if nobody has taken its place or its credentials meanwhile.
    pub fn put_back(&self, sandbox: Arc<Sandbox<W>>, credentials: Vec<Credential>) {
        // Whoever came in between has the better claim; the sandbox is then gone as was asked.
        let _ = self.add(sandbox, credentials);
    }

    fn learn(&self, credentials: &[Credential]) {
        for Credential { secret, is_sent_encoded, .. } in credentials {
            self.secrets.add(secret);
            if *is_sent_encoded {
                self.secrets.add_encoded(secret);
            }
        }
    }

    /// Removes the sandboxes that were idle for `limit`, except those that `keep` names, and returns them.
    pub fn expire(&self, limit: Duration, keep: &str) -> Vec<Arc<Sandbox<W>>> {
        let idle: Vec<String> = {
            let inner = self.read();
            let idle = inner.by_id.values().filter(|member| member.sandbox.idle() >= limit);
            idle.map(|member| member.sandbox.id().to_owned()).filter(|id| id != keep).collect()
        };
        idle.iter().filter_map(|id| self.remove(id)).collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner<W>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner<W>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a credential that stands in the list twice: which of the two a request shows could not be told.
fn no_twins(credentials: &[Credential]) -> Result<(), RegistryError> {
    let twin = |place: &usize| credentials[..*place].contains(&credentials[*place]);
    match (0..credentials.len()).find(twin) {
        Some(place) => Err(RegistryError::Twins { vendor: credentials[place].vendor }),
        None => Ok(()),
    }
}

impl<W> Inner<W> {
    fn owner(&self, credential: &Credential) -> Option<&Arc<Sandbox<W>>> {
        self.by_secret.get(credential.vendor)?.get(&credential.secret)
    }

    fn claim(&mut self, sandbox: &Arc<Sandbox<W>>, credentials: &[Credential]) {
        for credential in credentials {
            let of_vendor = self.by_secret.entry(credential.vendor).or_default();
            of_vendor.insert(credential.secret.clone(), Arc::clone(sandbox));
        }
    }

    fn release(&mut self, credentials: &[Credential]) {
        for credential in credentials {
            if let Some(of_vendor) = self.by_secret.get_mut(credential.vendor) {
                of_vendor.remove(&credential.secret);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::{Credential, Registry, RegistryError, Sandbox};
    use crate::kernel::clock::{ClockMode, manual_epoch};
    use crate::kernel::journal::Limits;

    fn sandbox(id: &str) -> Arc<Sandbox<i32>> {
        Arc::new(Sandbox::new(
            id.to_owned(),
            Arc::new(1),
            ClockMode::Manual,
            manual_epoch(),
            Limits::default(),
        ))
    }

    fn credential(secret: &str) -> Credential {
        Credential { vendor: "v", secret: secret.to_owned(), is_sent_encoded: false }
    }

    #[test]
    fn a_secret_has_one_owner() {
        let registry = Registry::new(2);
        registry.add(sandbox("a"), vec![credential("s")]).unwrap();
        let refused = registry.add(sandbox("b"), vec![credential("s")]);
        assert_eq!(refused, Err(RegistryError::SharedCredential { vendor: "v" }));
        assert_eq!(registry.add(sandbox("a"), vec![]), Err(RegistryError::Taken { id: "a".to_owned() }));
        registry.add(sandbox("b"), vec![credential("t")]).unwrap();
        assert_eq!(registry.add(sandbox("c"), vec![]), Err(RegistryError::Full { max: 2 }));
        assert_eq!(registry.owner_of("v", "t").unwrap().id(), "b");
        assert!(registry.owner_of("other", "t").is_none());
        registry.replace_credentials("b", vec![credential("u")]).unwrap();
        assert!(registry.owner_of("v", "t").is_none());
        assert!(registry.replace_credentials("b", vec![credential("s")]).is_err());
        registry.remove("a");
        assert!(registry.owner_of("v", "s").is_none());
        assert_eq!(registry.expire(Duration::ZERO, "default").len(), 1);
    }

    #[test]
    fn going_back_restores_world_and_manual_time() {
        let sandbox = sandbox("a");
        sandbox.versions().current = Arc::new(2);
        sandbox.clock.advance(SignedDuration::from_secs(5));
        sandbox.take_snapshot("two");
        sandbox.versions().current = Arc::new(3);
        sandbox.reset(|_| {});
        assert_eq!((*sandbox.world(), sandbox.clock.now()), (1, manual_epoch()));
        let (world, time) = sandbox.snapshot("two").unwrap();
        assert_eq!(*world, 2);
        assert_eq!(time.duration_since(manual_epoch()), SignedDuration::from_secs(5));
        assert!(sandbox.snapshot("three").is_none());
    }
}
