//! How sandboxes come to be and end.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use fixtures::scenes::{self, SceneContext, SceneError};
use fixtures::world::{SECRET_FORM, WorldSpec, is_secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    DEFAULT_SANDBOX, IncoherentWorld, LOOPBACK_SECRETS, Listening, Server, coherent, default_epoch, listen,
};
use crate::durable::StoredSandbox;
use crate::http::pipeline::Scope;
use crate::kernel::clock::ClockMode;
use crate::kernel::ids::{IdSource, entropy};
use crate::kernel::sandbox::{Commit, Kept, RegistryError, Sandbox};
use crate::kernel::secrets::REDACTED;
use crate::vendors::readings::ReadingError;
use crate::vendors::{self, jira, mend};
use crate::world::{Identity, Readings, Scene, World, secret_of};

/// What a sandbox is made of; everything is optional. The body of `POST /__admin/sandboxes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxRequest {
    /// A scene's name, or a whole world; default: the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldChoice>,
    /// Seed; default: the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Epoch; default: the server's under the server's clock, else that clock's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Timestamp>,
    /// Clock; default: the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockMode>,
    /// Rows per list page; default: the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<usize>,
    /// Readings that differ from the server's, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: BTreeMap<String, String>,
    /// A port of its own, on which every request is this sandbox's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<Listen>,
    /// Credentials; random unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// Which world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum WorldChoice {
    /// A scene by name, e.g. `demo` or `scale:apps=10,targets=1000`.
    Scene(String),
    /// A world described in full.
    Spec(Box<WorldSpec>),
}

impl TryFrom<serde_json::Value> for WorldChoice {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::String(name) => Ok(Self::Scene(name)),
            other => serde_json::from_value(other)
                .map(|spec| Self::Spec(Box::new(spec)))
                .map_err(|error| error.to_string()),
        }
    }
}

impl From<WorldChoice> for serde_json::Value {
    fn from(choice: WorldChoice) -> Self {
        match choice {
            WorldChoice::Scene(name) => Self::String(name),
            WorldChoice::Spec(spec) => serde_json::to_value(spec).unwrap_or_default(),
        }
    }
}

/// Where a sandbox listens on its own: `true` for any port of the loopback interface, or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listen {
    /// Any free port of 127.0.0.1, if true.
    Anywhere(bool),
    /// This address.
    At(SocketAddr),
}

/// Credentials of a sandbox.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// Secret of the first Data Theorem API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_theorem_api_key: Option<String>,
    /// Key of the first Mend user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend_user_key: Option<String>,
    /// API token of the first Jira user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jira_api_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A sandbox that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The scene can't be built.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// The world can't be served.
    #[error(transparent)]
    World(#[from] IncoherentWorld),
    /// A reading or its value does not exist.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// There is no room, or a name or credential is taken.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A value makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Its own port can't be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It can't be written to disk.
    #[error("the change could not be written to disk and was taken back; see the server's log")]
    Storage,
}

/// Scenes that were built, for the next sandbox that starts from one.
#[derive(Default)]
pub(super) struct SceneCache {
    built: Mutex<VecDeque<(SceneKey, Arc<Scene>)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SceneKey {
    name: String,
    seed: u64,
    epoch: Timestamp,
    page_size: usize,
    readings: Readings,
}

/// How many scenes are kept; a test suite uses a handful.
const SCENES_MAX: usize = 16;

impl SceneCache {
    fn get(&self, key: &SceneKey) -> Option<Arc<Scene>> {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.iter().find(|(known, _)| known == key).map(|(_, scene)| Arc::clone(scene))
    }

    fn put(&self, key: SceneKey, scene: &Arc<Scene>) {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if built.len() >= SCENES_MAX {
            built.pop_front();
        }
        built.push_back((key, Arc::clone(scene)));
    }
}

/// A request with every default filled in.
struct Plan {
    world: WorldChoice,
    seed: u64,
    epoch: Timestamp,
    clock: ClockMode,
    page_size: usize,
    readings: Readings,
}

impl Server {
    /// Makes the default sandbox.
    pub(super) fn create_default(&self) -> Result<(), SandboxError> {
        let plan = self.plan(&SandboxRequest::default())?;
        let identity = Identity {
            sandbox: DEFAULT_SANDBOX.to_owned(),
            seed: plan.seed,
            page_size: plan.page_size,
            secrets: self.settings.default_secrets.0.clone().into_bytes(),
            data_theorem_api_key: None,
            mend_user_key: None,
            jira_api_token: None,
        };
        self.create(&plan, identity).map(|_| ())
    }

    /// Makes a sandbox. With a port of its own it listens when this returns.
    pub async fn create_sandbox(
        self: &Arc<Self>,
        request: SandboxRequest,
    ) -> Result<Arc<Sandbox<World>>, SandboxError> {
        self.expire_idle();
        let plan = self.plan(&request)?;
        let Credentials { data_theorem_api_key, mend_user_key, jira_api_token } =
            request.credentials.unwrap_or_default();
        check_secret("data_theorem_api_key", data_theorem_api_key.as_deref())?;
        check_secret("mend_user_key", mend_user_key.as_deref())?;
        check_secret("jira_api_token", jira_api_token.as_deref())?;
        let identity = Identity {
            sandbox: self.worlds.sandboxes.fresh_id(),
            seed: plan.seed,
            page_size: plan.page_size,
            secrets: entropy().to_vec(),
            data_theorem_api_key,
            mend_user_key,
            jira_api_token,
        };
        let (sandbox, commit) = self.create(&plan, identity)?;
        if let Some(commit) = commit
            && !commit.done().await
        {
            self.worlds.sandboxes.remove(sandbox.id());
            return Err(SandboxError::Storage);
        }
        if let Some(address) = request.listen.and_then(Listen::address)
            && let Err(error) = self.listen_for(&sandbox, address).await
        {
            self.delete_sandbox(sandbox.id()).await?;
            return Err(error);
        }
        Ok(sandbox)
    }

    /// Ends a sandbox. Says whether there was one. One whose end can't be written to disk goes on.
    pub async fn delete_sandbox(&self, id: &str) -> Result<bool, SandboxError> {
        let Some(sandbox) = self.worlds.sandboxes.remove(id) else { return Ok(false) };
        if let Some(durable) = &self.worlds.durable
            && !durable.submit_removal(id).done().await
        {
            let credentials = sandbox.world().credentials();
            self.worlds.sandboxes.put_back(sandbox, credentials);
            return Err(SandboxError::Storage);
        }
        // Dropping the listener ends it.
        drop(self.own_listeners().remove(id));
        Ok(true)
    }

    /// Ends the sandboxes that nobody has used for long.
    pub fn expire_idle(&self) {
        for sandbox in self.worlds.sandboxes.expire(self.settings.sandbox_idle_max, DEFAULT_SANDBOX) {
            tracing::info!(sandbox = sandbox.id(), "expired after being idle");
            drop(self.own_listeners().remove(sandbox.id()));
            if let Some(durable) = &self.worlds.durable {
                // Nobody waits for it: if it fails, the sandbox is back after a restart and expires again.
                let _ = durable.submit_removal(sandbox.id());
            }
        }
    }

    /// The port of a sandbox's own, if it has one.
    pub fn own_address(&self, id: &str) -> Option<SocketAddr> {
        self.own_listeners().get(id).map(Listening::address)
    }

    async fn listen_for(
        self: &Arc<Self>,
        sandbox: &Arc<Sandbox<World>>,
        address: SocketAddr,
    ) -> Result<(), SandboxError> {
        if !address.ip().is_loopback() && self.settings.admin_token.is_none() {
            let problem = format!("a sandbox can listen on {address} only if the server has an admin token");
            return Err(SandboxError::Invalid(problem));
        }
        let router = vendors::router(&self.worlds, Scope::Sandbox(Arc::clone(sandbox)));
        let listening = listen(address, None, router, self.ended())
            .await
            .map_err(|source| SandboxError::Listen { address, source })?;
        self.own_listeners().insert(sandbox.id().to_owned(), listening);
        Ok(())
    }

    fn plan(&self, request: &SandboxRequest) -> Result<Plan, SandboxError> {
        let settings = &self.settings;
        let clock = request.clock.unwrap_or(settings.clock);
        let same_kind = (clock == ClockMode::Manual) == (settings.clock == ClockMode::Manual);
        let epoch =
            request.epoch.or(settings.epoch.filter(|_| same_kind)).unwrap_or_else(|| default_epoch(clock));
        let page_size = request.page_size.unwrap_or(settings.page_size);
        if !(1..=10_000).contains(&page_size) {
            return Err(SandboxError::Invalid(format!(
                "page_size must lie between 1 and 10000, not {page_size}"
            )));
        }
        let mut readings = settings.readings;
        for (id, value) in &request.readings {
            readings.set(id, value)?;
        }
        Ok(Plan {
            world: request.world.clone().unwrap_or_else(|| settings.world.clone()),
            seed: request.seed.unwrap_or(settings.seed),
            epoch,
            clock,
            page_size,
            readings,
        })
    }

    /// Makes a sandbox, and says what to wait for until it is on disk.
    fn create(
        &self,
        plan: &Plan,
        identity: Identity,
    ) -> Result<(Arc<Sandbox<World>>, Option<Commit>), SandboxError> {
        let scene = self.scene(plan)?;
        let world = Arc::new(scene.world(&identity));
        let credentials = world.credentials();
        let limits = self.settings.journal_limits;
        let sandbox = Arc::new(Sandbox::new(identity.sandbox, world, plan.clock, scene.epoch, limits));
        self.worlds.sandboxes.add(Arc::clone(&sandbox), credentials)?;
        let commit = self.worlds.durable.as_ref().and_then(|durable| {
            // Read before the lock is given back: a write that has failed leaves nothing to wait for.
            let mut versions = sandbox.versions();
            durable.submit_new(&sandbox, &mut versions);
            versions.last_commit.clone()
        });
        Ok((sandbox, commit))
    }

    fn scene(&self, plan: &Plan) -> Result<Arc<Scene>, SandboxError> {
        let name = match &plan.world {
            WorldChoice::Spec(spec) => {
                return Ok(Arc::new(Scene::load(&coherent((**spec).clone())?, &plan.readings)));
            }
            WorldChoice::Scene(name) => name,
        };
        let key = SceneKey {
            name: name.clone(),
            seed: plan.seed,
            epoch: plan.epoch,
            page_size: plan.page_size,
            readings: plan.readings,
        };
        if let Some(scene) = self.scenes.get(&key) {
            return Ok(scene);
        }
        let context = SceneContext { seed: plan.seed, epoch: plan.epoch, page_size: plan.page_size };
        let spec = coherent(scenes::build(name, context)?)?;
        let scene = Arc::new(Scene::load(&spec, &plan.readings));
        self.scenes.put(key, &scene);
        Ok(scene)
    }

    /// Takes well-known secrets out of a stored world when the server can be reached from other machines; keys
    /// without a secret get a new one.
    fn forget_well_known(&self, spec: &mut WorldSpec) {
        if self.settings.default_secrets.0 == LOOPBACK_SECRETS {
            return;
        }
        for key in &mut spec.data_theorem.api_keys {
            if key.secret.as_ref() == Some(&secret_of(LOOPBACK_SECRETS.as_bytes(), key)) {
                key.secret = None;
            }
        }
        mend::account::forget_secrets_of(&mut spec.mend, LOOPBACK_SECRETS.as_bytes());
        jira::account::forget_secrets_of(&mut spec.jira, LOOPBACK_SECRETS.as_bytes());
    }

    /// Brings back a sandbox from disk.
    pub(super) fn revive(&self, stored: StoredSandbox) -> Result<(), SandboxError> {
        let mut readings = Readings::default();
        for (id, value) in &stored.readings {
            readings.set(id, value)?;
        }
        let identity = Identity {
            sandbox: stored.id.clone(),
            seed: stored.seed,
            page_size: stored.page_size,
            secrets: if stored.id == DEFAULT_SANDBOX {
                self.settings.default_secrets.0.clone().into_bytes()
            } else {
                entropy().to_vec()
            },
            data_theorem_api_key: None,
            mend_user_key: None,
            jira_api_token: None,
        };
        let load = |mut spec: WorldSpec| -> Result<Arc<World>, SandboxError> {
            self.forget_well_known(&mut spec);
            let mut world = Scene::load(&coherent(spec)?, &readings).world(&identity);
            world.data_theorem.ids = IdSource::resumed(stored.seed, stored.ids_made);
            world.mend.ids = IdSource::resumed(stored.seed, stored.mend_ids_made);
            Ok(Arc::new(world))
        };
        let origin = load(stored.origin)?;
        let current = load(stored.current)?;
        let limits = self.settings.journal_limits;
        let sandbox = Sandbox::new(stored.id, Arc::clone(&origin), ClockMode::Manual, stored.epoch, limits);
        sandbox.clock.restore(stored.clock);
        {
            let mut versions = sandbox.versions();
            versions.committed = Kept { world: Arc::clone(&current), origin, clock: stored.clock };
            versions.current = current;
        }
        let credentials = sandbox.world().credentials();
        self.worlds.sandboxes.add(Arc::new(sandbox), credentials)?;
        Ok(())
    }
}

/// Refuses a secret that no request can show. The message leaves the secret out.
fn check_secret(name: &str, secret: Option<&str>) -> Result<(), SandboxError> {
    match secret {
        Some(secret) if !is_secret(secret) => Err(SandboxError::Invalid(format!("{name}: {SECRET_FORM}"))),
        _ => Ok(()),
    }
}

impl Listen {
    fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Anywhere(false) => None,
            Self::Anywhere(true) => Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            Self::At(address) => Some(address),
        }
    }
}
