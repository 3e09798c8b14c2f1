//! The server: its sandboxes, and how they come to be, listen and end.

pub mod address;
mod connection;
mod listen;
mod sandboxes;
pub mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use fixtures::world::WorldSpec;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::durable::Durable;
use crate::kernel::clock::{Clock, ClockMode};
use crate::kernel::journal::{Journal, Limits};
use crate::kernel::sandbox::Registry;
use crate::kernel::secrets::Secret;
use crate::world::Readings;
use crate::worlds::Worlds;

pub(crate) use listen::{Listening, listen};
use sandboxes::SceneCache;
pub use sandboxes::{Credentials, Listen, SandboxError, SandboxRequest, WorldChoice};

/// Name of the sandbox that always exists.
pub const DEFAULT_SANDBOX: &str = "default";

/// From what the default sandbox's secrets are derived on loopback, where they are the same on every machine.
const LOOPBACK_SECRETS: &str = "default sandbox on loopback";

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// World of the default sandbox, and of sandboxes that name none.
    pub world: WorldChoice,
    /// Seed of everything random.
    pub seed: u64,
    /// The instant worlds are written relative to; `None`: today under a system clock, a fixed one under a
    /// manual clock.
    pub epoch: Option<Timestamp>,
    /// How sandboxes' clocks run unless they say otherwise.
    pub clock: ClockMode,
    /// Rows per list page unless a sandbox says otherwise.
    pub page_size: usize,
    /// Readings in force unless a sandbox says otherwise.
    pub readings: Readings,
    /// From what the default sandbox's secrets are derived. Fixed on loopback, random beyond it.
    pub default_secrets: Secret,
    /// What the admin plane asks for, if anything.
    pub admin_token: Option<Secret>,
    /// Most sandboxes at a time.
    pub sandboxes_max: usize,
    /// How long a sandbox may idle before it expires.
    pub sandbox_idle_max: Duration,
    /// How much each sandbox's journal keeps.
    pub journal_limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            world: WorldChoice::Scene("demo".to_owned()),
            seed: 1,
            epoch: None,
            clock: ClockMode::Manual,
            page_size: 100,
            readings: Readings::default(),
            default_secrets: Secret(LOOPBACK_SECRETS.to_owned()),
            admin_token: None,
            sandboxes_max: 2_000,
            sandbox_idle_max: Duration::from_hours(1),
            journal_limits: Limits::default(),
        }
    }
}

/// A running server, whether or not it listens anywhere.
pub struct Server {
    /// Its worlds.
    pub worlds: Arc<Worlds>,
    settings: Settings,
    scenes: SceneCache,
    addresses: OnceLock<Addresses>,
    own_listeners: Mutex<BTreeMap<String, Listening>>,
    ending: watch::Sender<bool>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Without TLS.
    pub plain: SocketAddr,
    /// With TLS, if at all.
    pub tls: Option<SocketAddr>,
    /// File that holds the certificate of the authority that signed the server's, if one was written.
    pub ca_file: Option<String>,
}

impl Server {
    /// A server with its default sandbox, listening nowhere yet.
    pub fn new(settings: Settings) -> Result<Arc<Self>, SandboxError> {
        let server = Self::without_sandboxes(settings, None);
        server.create_default()?;
        Ok(server)
    }

    /// A server whose sandboxes are the ones in `durable`, or a new default one.
    pub(crate) fn with_state(
        settings: Settings,
        durable: Durable,
        stored: Vec<crate::durable::StoredSandbox>,
    ) -> Result<Arc<Self>, SandboxError> {
        let server = Self::without_sandboxes(settings, Some(durable));
        for stored in stored {
            server.revive(stored)?;
        }
        if server.worlds.sandboxes.get(DEFAULT_SANDBOX).is_none() {
            server.create_default()?;
        }
        Ok(server)
    }

    fn without_sandboxes(settings: Settings, durable: Option<Durable>) -> Arc<Self> {
        let epoch = settings.epoch.unwrap_or_else(|| default_epoch(settings.clock));
        Arc::new(Self {
            worlds: Arc::new(Worlds {
                sandboxes: Registry::new(settings.sandboxes_max),
                unclaimed: Journal::new(settings.journal_limits),
                clock: Clock::new(settings.clock, epoch),
                durable,
            }),
            scenes: SceneCache::default(),
            addresses: OnceLock::new(),
            own_listeners: Mutex::default(),
            ending: watch::Sender::new(false),
            settings,
        })
    }

    /// How the server is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the server listens, once it does.
    pub fn addresses(&self) -> Option<&Addresses> {
        self.addresses.get()
    }

    /// Notes where the server listens; the first call counts.
    pub(crate) fn set_addresses(&self, addresses: Addresses) {
        let _ = self.addresses.set(addresses);
    }

    /// Tells all listeners and connections to finish.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Resolves once the server is told to finish.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut ending = self.ending.subscribe();
        async move {
            let _ = ending.wait_for(|ended| *ended).await;
        }
    }

    /// Waits until everything that was acknowledged is on disk, and lets go of it.
    pub(crate) async fn close(&self) {
        if let Some(durable) = &self.worlds.durable {
            durable.close().await;
        }
    }

    /// Waits until the ports of sandboxes' own have finished; they have been told to.
    pub(crate) async fn own_listeners_finished(&self) {
        let listening = std::mem::take(&mut *self.own_listeners());
        for listening in listening.into_values() {
            listening.finished().await;
        }
    }

    fn own_listeners(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Listening>> {
        self.own_listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The epoch under a clock, where none was given.
pub fn default_epoch(clock: ClockMode) -> Timestamp {
    match clock {
        ClockMode::System { .. } => crate::kernel::clock::today(),
        ClockMode::Manual => crate::kernel::clock::manual_epoch(),
    }
}

/// Why a world description can't be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the world is not coherent: {}", first_problems(.0))]
pub struct IncoherentWorld(pub Vec<fixtures::world::WorldError>);

fn first_problems(problems: &[fixtures::world::WorldError]) -> String {
    let mut text = problems.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if problems.len() > 5 {
        text.push_str(&format!("; and {} more", problems.len() - 5));
    }
    text
}

/// A world, if it is coherent.
pub(crate) fn coherent(spec: WorldSpec) -> Result<WorldSpec, IncoherentWorld> {
    let problems = spec.validate();
    if problems.is_empty() { Ok(spec) } else { Err(IncoherentWorld(problems)) }
}
