//! A world: what all simulated vendors of one sandbox hold, as one value whose copies share structure.

use std::sync::Arc;

use fixtures::spec::Reading;
use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::ApiKeySpec;
use jiff::Timestamp;

use crate::kernel::cursor::CursorKey;
use crate::kernel::ids::IdSource;
use crate::kernel::sandbox::Credential;
use crate::vendors::data_theorem;
use crate::vendors::data_theorem::account::{Account, ApiKey};
use crate::vendors::data_theorem::readings::ReadingError;
use crate::vendors::data_theorem::store::{Change, Store};

/// The choices in force for every reading of every vendor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Readings {
    /// Data Theorem's.
    pub data_theorem: data_theorem::readings::Readings,
}

impl Readings {
    /// Every reading that can be chosen.
    pub fn ledger() -> impl Iterator<Item = &'static Reading> {
        data_theorem::readings::Readings::LEDGER.iter().copied()
    }

    /// Chooses a value for a reading.
    pub fn set(&mut self, id: &str, value: &str) -> Result<(), ReadingError> {
        self.data_theorem.set(id, value)
    }

    /// Every reading's id with the value in force.
    pub fn list(&self) -> Vec<(&'static str, &'static str)> {
        self.data_theorem.list()
    }
}

/// What exists at the vendors of one sandbox.
#[derive(Clone)]
pub struct World {
    /// The instant the world was written relative to.
    pub epoch: Timestamp,
    /// The account at Data Theorem.
    pub data_theorem: Account,
}

/// What a scene turns into once, for all sandboxes that start from it.
#[derive(Clone)]
pub struct Scene {
    /// The instant the scene was written relative to.
    pub epoch: Timestamp,
    keys: Vec<ApiKeySpec>,
    store: Store,
}

/// What makes one sandbox's copy of a scene its own.
#[derive(Clone)]
pub struct Identity {
    /// Name of the sandbox.
    pub sandbox: String,
    /// Seed of ids and cursors.
    pub seed: u64,
    /// Rows per list page.
    pub page_size: usize,
    /// From what the keys' secrets are derived, where the scene gives none.
    pub secrets: Vec<u8>,
    /// The secret of the first Data Theorem key, if it was asked for.
    pub data_theorem_api_key: Option<String>,
}

impl Scene {
    /// Loads a valid world under these readings.
    pub fn load(spec: &WorldSpec, readings: &Readings) -> Self {
        Self {
            epoch: spec.epoch,
            keys: spec.data_theorem.api_keys.clone(),
            store: Store::load(&spec.data_theorem, readings.data_theorem),
        }
    }

    /// A sandbox's own copy, which shares everything with the scene until it is changed.
    pub fn world(&self, identity: &Identity) -> World {
        let keys = self.keys.iter().enumerate().map(|(place, spec)| {
            let wanted = identity.data_theorem_api_key.as_ref().filter(|_| place == 0);
            let secret = wanted
                .or(spec.secret.as_ref())
                .cloned()
                .unwrap_or_else(|| secret_of(&identity.secrets, spec));
            Arc::new(ApiKey { secret, spec: ApiKeySpec { secret: None, ..spec.clone() } })
        });
        World {
            epoch: self.epoch,
            data_theorem: Account {
                store: self.store.clone(),
                keys: Arc::new(keys.collect()),
                ids: IdSource::new(identity.seed),
                cursor_key: CursorKey::derive(identity.seed, &identity.sandbox),
                page_size: identity.page_size,
            },
        }
    }
}

/// The secret of a key that was given none.
pub(crate) fn secret_of(material: &[u8], key: &ApiKeySpec) -> String {
    crate::kernel::ids::api_key(&[material, key.name.as_bytes()].concat())
}

impl std::fmt::Debug for World {
    /// Sizes only: a world is large and holds secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (apps, findings, targets) = self.data_theorem.store.sizes();
        write!(f, "World({apps} apps, {findings} findings, {targets} targets)")
    }
}

impl World {
    /// The world as plain data, without secrets.
    pub fn export(&self) -> WorldSpec {
        WorldSpec { epoch: self.epoch, data_theorem: self.data_theorem.export() }
    }

    /// The readings in force.
    pub fn readings(&self) -> Readings {
        Readings { data_theorem: *self.data_theorem.readings() }
    }

    /// The same world under other readings.
    #[must_use]
    pub fn under(&self, readings: &Readings) -> Self {
        if self.readings() == *readings {
            return self.clone();
        }
        let store = Store::load(&self.data_theorem.store.export(), readings.data_theorem);
        Self { epoch: self.epoch, data_theorem: Account { store, ..self.data_theorem.clone() } }
    }

    /// The same sandbox with another world in it: keys of the same name keep their secrets.
    #[must_use]
    pub fn replaced_by(&self, spec: &WorldSpec, identity: &Identity) -> Self {
        let mut spec = spec.clone();
        for key in &mut spec.data_theorem.api_keys {
            let same = self.data_theorem.keys.iter().find(|same| same.spec.name == key.name);
            key.secret = key.secret.take().or_else(|| same.map(|same| same.secret.clone()));
        }
        let mut world = Scene::load(&spec, &self.readings()).world(identity);
        world.data_theorem.ids = self.data_theorem.ids;
        world
    }

    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.data_theorem.store.take_changes()
    }

    /// The credentials that lead to this world.
    pub fn credentials(&self) -> Vec<Credential> {
        let secrets = self.data_theorem.keys.iter().map(|key| key.secret.clone());
        secrets.map(|secret| Credential { vendor: data_theorem::VENDOR, secret }).collect()
    }
}
