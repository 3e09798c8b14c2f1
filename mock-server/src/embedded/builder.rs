//! How a server is set up, and what can keep it from starting.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fixtures::world::WorldSpec;
use jiff::Timestamp;

use super::{EXPIRY_INTERVAL, MockServer, everything};
use crate::durable::{Durable, OpenError, Origin};
use crate::kernel::clock::ClockMode;
use crate::kernel::journal::Limits;
use crate::kernel::secrets::Secret;
use crate::server::tls::{TlsError, TlsSettings, acceptor};
use crate::server::{
    Addresses, DEFAULT_SANDBOX, SandboxError, Server, Settings, WorldChoice, default_epoch, listen,
};
use crate::vendors::readings::ReadingError;
use crate::world::Readings;

/// A server that can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its world can't be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A port can't be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Whether it is the one for TLS.
        tls: bool,
        /// Why.
        source: std::io::Error,
    },
    /// An address beyond the loopback interface, without a token.
    #[error(
        "{address} can be reached from other machines, so the admin plane needs a token: pass --admin-token or set MOCK_SERVER_ADMIN_TOKEN"
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
    },
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The state directory can't be used.
    #[error(transparent)]
    State(#[from] OpenError),
    /// The state directory holds something else than what was asked for.
    #[error(
        "the state was made with {what} {kept}, not {asked}: leave {flag} out to go on with it, or choose another --state directory"
    )]
    OtherState {
        /// What differs.
        what: &'static str,
        /// What is in the directory.
        kept: String,
        /// What was asked for.
        asked: String,
        /// The flag that asked.
        flag: &'static str,
    },
}

/// Sets up a [`MockServer`].
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use mock_server::MockServer;
///
/// let server = MockServer::builder()
///     .world("two-pages")
///     .page_size(10)
///     .reading("dt.last-page-cursor", "null").unwrap()
///     .start().await.unwrap();
/// # drop(server);
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    settings: Settings,
    explicit: Explicit,
    bind: SocketAddr,
    tls: Option<(SocketAddr, TlsSettings)>,
    state: Option<PathBuf>,
}

/// What was asked for by name, as opposed to what is merely the default.
#[derive(Debug, Clone, Copy, Default)]
struct Explicit {
    world: bool,
    seed: bool,
    readings: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            explicit: Explicit::default(),
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            state: None,
        }
    }
}

impl Builder {
    /// Plays this scene, e.g. `one-open` or `scale:apps=10,targets=1000`.
    #[must_use]
    pub fn world(mut self, scene: &str) -> Self {
        self.settings.world = WorldChoice::Scene(scene.to_owned());
        self.explicit.world = true;
        self
    }

    /// Plays this world.
    #[must_use]
    pub fn world_spec(mut self, spec: WorldSpec) -> Self {
        self.settings.world = WorldChoice::Spec(Box::new(spec));
        self.explicit.world = true;
        self
    }

    /// Seeds everything random.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self.explicit.seed = true;
        self
    }

    /// Writes scenes relative to this instant.
    #[must_use]
    pub fn epoch(mut self, epoch: Timestamp) -> Self {
        self.settings.epoch = Some(epoch);
        self
    }

    /// Lets clocks run like this.
    #[must_use]
    pub fn clock(mut self, clock: ClockMode) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Puts this many rows on a list page.
    #[must_use]
    pub fn page_size(mut self, rows: usize) -> Self {
        self.settings.page_size = rows;
        self
    }

    /// Chooses a value for a reading.
    pub fn reading(mut self, id: &str, value: &str) -> Result<Self, ReadingError> {
        self.settings.readings.set(id, value)?;
        self.explicit.readings = true;
        Ok(self)
    }

    /// Asks for this token on the admin plane.
    #[must_use]
    pub fn admin_token(mut self, token: &str) -> Self {
        self.settings.admin_token = Some(Secret(token.to_owned()));
        self
    }

    /// Holds at most this many sandboxes.
    #[must_use]
    pub fn sandboxes_max(mut self, sandboxes: usize) -> Self {
        self.settings.sandboxes_max = sandboxes;
        self
    }

    /// Lets sandboxes expire that nobody has used for this long.
    #[must_use]
    pub fn sandbox_idle_max(mut self, idle: Duration) -> Self {
        self.settings.sandbox_idle_max = idle;
        self
    }

    /// Keeps this much in each journal.
    #[must_use]
    pub fn journal_limits(mut self, limits: Limits) -> Self {
        self.settings.journal_limits = limits;
        self
    }

    /// Listens here instead of on a free port of 127.0.0.1.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.bind = address;
        self
    }

    /// Listens here too, with TLS.
    #[must_use]
    pub fn tls(mut self, address: SocketAddr, settings: TlsSettings) -> Self {
        self.tls = Some((address, settings));
        self
    }

    /// Keeps state in this directory.
    #[must_use]
    pub fn state(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state = Some(directory.into());
        self
    }

    /// Makes the server without opening a port; use [`MockServer::router`]. Needs no runtime.
    pub fn in_process(mut self) -> Result<MockServer, StartError> {
        let server = self.server()?;
        Ok(MockServer { server, listening: Vec::new(), expiry: None })
    }

    /// Starts the server. Its ports are bound when this returns.
    pub async fn start(mut self) -> Result<MockServer, StartError> {
        let tls_address = self.tls.as_ref().map(|(address, _)| *address);
        for address in [Some(self.bind), tls_address].into_iter().flatten() {
            if !address.ip().is_loopback() {
                if self.settings.admin_token.is_none() {
                    return Err(StartError::Exposed { address });
                }
                // Beyond this machine, well-known credentials are no credentials.
                let random = blake3::Hash::from_bytes(crate::kernel::ids::entropy());
                self.settings.default_secrets = Secret(random.to_hex().to_string());
            }
        }
        let tls = match &self.tls {
            Some((address, settings)) => Some((*address, acceptor(settings)?, settings.ca_out.clone())),
            None => None,
        };
        let server = self.server()?;
        let router = everything(&server);
        let bind = async |address, acceptor: Option<_>| {
            let tls = acceptor.is_some();
            listen(address, acceptor, router.clone(), server.ended())
                .await
                .map_err(|source| StartError::Bind { address, tls, source })
        };
        let plain = bind(self.bind, None).await?;
        let mut addresses = Addresses { plain: plain.address(), tls: None, ca_file: None };
        let mut listening = vec![plain];
        if let Some((address, acceptor, ca_file)) = tls {
            let secure = bind(address, Some(acceptor)).await?;
            addresses.tls = Some(secure.address());
            addresses.ca_file = ca_file.map(|path| path.display().to_string());
            listening.push(secure);
        }
        server.set_addresses(addresses);
        let expiring = Arc::downgrade(&server);
        let expiry = tokio::spawn(async move {
            loop {
                tokio::time::sleep(EXPIRY_INTERVAL).await;
                let Some(server) = expiring.upgrade() else { return };
                server.expire_idle();
            }
        });
        Ok(MockServer { server, listening, expiry: Some(expiry) })
    }

    fn server(&mut self) -> Result<Arc<Server>, StartError> {
        let Some(directory) = self.state.take() else { return Ok(Server::new(self.settings.clone())?) };
        let asked = Origin {
            world: world_name(&self.settings.world),
            seed: self.settings.seed,
            epoch: self.settings.epoch.unwrap_or_else(|| default_epoch(self.settings.clock)),
        };
        let found = Durable::open(&directory, asked.clone())?;
        let kept = found.origin;
        let differs = |what, kept: &dyn std::fmt::Display, asked: &dyn std::fmt::Display, flag| {
            StartError::OtherState { what, kept: kept.to_string(), asked: asked.to_string(), flag }
        };
        if self.explicit.world && kept.world != asked.world {
            return Err(differs("world", &kept.world, &asked.world, "--world"));
        }
        if self.explicit.seed && kept.seed != asked.seed {
            return Err(differs("seed", &kept.seed, &asked.seed, "--seed"));
        }
        if self.settings.epoch.is_some_and(|epoch| epoch != kept.epoch) {
            return Err(differs("epoch", &kept.epoch, &asked.epoch, "--epoch"));
        }
        let mut settings = self.settings.clone();
        settings.seed = kept.seed;
        settings.epoch = Some(kept.epoch);
        if !self.explicit.world && !kept.world.starts_with(FILE_WORLD) {
            settings.world = WorldChoice::Scene(kept.world);
        }
        let asked = self.settings.readings;
        let server = Server::with_state(settings, found.durable, found.sandboxes)?;
        let kept = server.worlds.sandboxes.get(DEFAULT_SANDBOX).map(|sandbox| sandbox.world().readings());
        match kept {
            Some(kept) if self.explicit.readings && kept != asked => {
                let differing = |these: &Readings, those: &Readings| {
                    let others = those.list();
                    let these = these.list().into_iter().filter(|choice| !others.contains(choice));
                    these.map(|(id, value)| format!("{id}={value}")).collect::<Vec<_>>().join(", ")
                };
                let (kept, asked) = (differing(&kept, &asked), differing(&asked, &kept));
                Err(differs("the readings", &kept, &asked, "--reading"))
            }
            _ => Ok(server),
        }
    }
}

/// How a world that is no scene is named in a state directory: by its content.
const FILE_WORLD: &str = "file:";

fn world_name(world: &WorldChoice) -> String {
    match world {
        WorldChoice::Scene(name) => name.clone(),
        WorldChoice::Spec(spec) => {
            let text = serde_json::to_vec(spec).unwrap_or_default();
            format!("{FILE_WORLD}{}", &blake3::hash(&text).to_hex()[..16])
        }
    }
}
