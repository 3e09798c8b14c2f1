//! A world: what all simulated vendors of one sandbox hold, as one value whose copies share structure.

use std::sync::Arc;

use fixtures::spec::Reading;
use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::ApiKeySpec;
use fixtures::world::jira::UserSpec;
use jiff::Timestamp;

use crate::kernel::cursor::CursorKey;
use crate::kernel::ids::IdSource;
use crate::kernel::sandbox::Credential;
use crate::vendors::data_theorem::account::ApiKey;
use crate::vendors::jira;
use crate::vendors::mend::account::{Secrets, Users};
use crate::vendors::readings::ReadingError;
use crate::vendors::{data_theorem, mend};

/// The choices in force for every reading of every vendor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Readings {
    /// Data Theorem's.
    pub data_theorem: data_theorem::readings::Readings,
    /// Mend's.
    pub mend: mend::readings::Readings,
    /// Jira's.
    pub jira: jira::readings::Readings,
}

impl Readings {
    /// Every reading that can be chosen.
    pub fn ledger() -> impl Iterator<Item = &'static Reading> {
        let vendors = [
            data_theorem::readings::Readings::LEDGER,
            mend::readings::Readings::LEDGER,
            jira::readings::Readings::LEDGER,
        ];
        vendors.into_iter().flatten().copied()
    }

    /// Chooses a value for a reading.
    pub fn set(&mut self, id: &str, value: &str) -> Result<(), ReadingError> {
        match id.split_once('.') {
            Some(("mend", _)) => self.mend.set(id, value),
            Some(("jira", _)) => self.jira.set(id, value),
            _ => self.data_theorem.set(id, value),
        }
    }

    /// Every reading's id with the value in force.
    pub fn list(&self) -> Vec<(&'static str, &'static str)> {
        [self.data_theorem.list(), self.mend.list(), self.jira.list()].concat()
    }
}

/// Which row of which vendor changed, for whoever keeps rows on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// One of Data Theorem's.
    DataTheorem(data_theorem::store::Change),
    /// One of Mend's.
    Mend(mend::store::Change),
    /// One of Jira's.
    Jira(jira::store::Change),
}

impl Change {
    /// Whether the change takes more with it than a row of its own would say, so that the world has to be written
    /// whole.
    pub fn concerns_whole_world(&self) -> bool {
        use data_theorem::store::Change as DataTheorem;
        use mend::store::Change as Mend;
        matches!(
            self,
            Self::DataTheorem(DataTheorem::AppRemoved(_) | DataTheorem::Keys)
                | Self::Mend(Mend::ProjectRemoved(_) | Mend::Users)
                | Self::Jira(jira::store::Change::Users)
        )
    }
}

impl Change {
    /// Whether keys came or went.
    pub fn concerns_credentials(&self) -> bool {
        use data_theorem::store::Change as DataTheorem;
        use mend::store::Change as Mend;
        matches!(
            self,
            Self::DataTheorem(DataTheorem::Keys)
                | Self::Mend(Mend::Users)
                | Self::Jira(jira::store::Change::Users)
        )
    }
}

/// What exists at the vendors of one sandbox.
#[derive(Clone)]
pub struct World {
    /// The instant the world was written relative to.
    pub epoch: Timestamp,
    /// The account at Data Theorem.
    pub data_theorem: data_theorem::account::Account,
    /// The account at Mend.
    pub mend: mend::account::Account,
    /// The site at Jira.
    pub jira: jira::account::Account,
}

/// What a scene turns into once, for all sandboxes that start from it.
#[derive(Clone)]
pub struct Scene {
    /// The instant the scene was written relative to.
    pub epoch: Timestamp,
    data_theorem_keys: Vec<ApiKeySpec>,
    data_theorem: data_theorem::store::Store,
    mend_users: Users,
    mend: mend::store::Store,
    jira_users: Vec<UserSpec>,
    jira: jira::store::Store,
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
    /// The key of the first Mend user, if it was asked for.
    pub mend_user_key: Option<String>,
    /// The API token of the first Jira user, if it was asked for.
    pub jira_api_token: Option<String>,
}

impl Scene {
    /// Loads a valid world under these readings.
    pub fn load(spec: &WorldSpec, readings: &Readings) -> Self {
        Self {
            epoch: spec.epoch,
            data_theorem_keys: spec.data_theorem.api_keys.clone(),
            data_theorem: data_theorem::store::Store::load(&spec.data_theorem, readings.data_theorem),
            mend_users: Users::of(&spec.mend),
            mend: mend::store::Store::load(&spec.mend, spec.epoch, readings.mend),
            jira_users: spec.jira.users.clone(),
            jira: jira::store::Store::load(&spec.jira, readings.jira),
        }
    }

    /// A sandbox's own copy, which shares everything with the scene until it is changed.
    pub fn world(&self, identity: &Identity) -> World {
        let keys = self.data_theorem_keys.iter().enumerate().map(|(place, spec)| {
            let wanted = identity.data_theorem_api_key.as_ref().filter(|_| place == 0);
            let secret = wanted
                .or(spec.secret.as_ref())
                .cloned()
                .unwrap_or_else(|| secret_of(&identity.secrets, spec));
            Arc::new(ApiKey { secret, spec: ApiKeySpec { secret: None, ..spec.clone() } })
        });
        let secrets =
            Secrets { material: &identity.secrets, first_user_key: identity.mend_user_key.as_deref() };
        World {
            epoch: self.epoch,
            data_theorem: data_theorem::account::Account {
                store: self.data_theorem.clone(),
                keys: Arc::new(keys.collect()),
                ids: IdSource::new(identity.seed),
                cursor_key: CursorKey::derive(identity.seed, &identity.sandbox),
                page_size: identity.page_size,
            },
            mend: mend::account::Account::new(
                self.mend.clone(),
                &self.mend_users,
                IdSource::new(identity.seed),
                &secrets,
            ),
            jira: jira::account::Account::new(
                self.jira.clone(),
                &self.jira_users,
                CursorKey::derive(identity.seed, &identity.sandbox),
                identity.page_size,
                &jira::account::Secrets {
                    material: &identity.secrets,
                    first_token: identity.jira_api_token.as_deref(),
                },
            ),
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
        let (projects, _, _) = self.mend.store.sizes();
        let (_, issues) = self.jira.store.sizes();
        write!(
            f,
            "World({apps} apps, {findings} findings, {targets} targets; {projects} projects; {issues} issues)"
        )
    }
}

impl World {
    /// The world as plain data, without secrets.
    pub fn export(&self) -> WorldSpec {
        WorldSpec {
            epoch: self.epoch,
            data_theorem: self.data_theorem.export(),
            mend: self.mend.export(),
            jira: self.jira.export(),
        }
    }

    /// The readings in force.
    pub fn readings(&self) -> Readings {
        Readings {
            data_theorem: *self.data_theorem.readings(),
            mend: *self.mend.readings(),
            jira: *self.jira.readings(),
        }
    }

    /// The same world under other readings.
    #[must_use]
    pub fn under(&self, readings: &Readings) -> Self {
        let mut world = self.clone();
        let before = self.readings();
        if before.data_theorem != readings.data_theorem {
            let spec = self.data_theorem.store.export();
            world.data_theorem.store = data_theorem::store::Store::load(&spec, readings.data_theorem);
        }
        if before.mend != readings.mend {
            let mut spec = self.mend.store.export();
            // Under these, other matches stand.
            let decisive = |readings: &mend::readings::Readings| {
                (readings.policy_conflict, readings.high_includes_critical, readings.ignored_alert_violation)
            };
            spec.is_evaluated = decisive(&before.mend) == decisive(&readings.mend);
            world.mend.store = mend::store::Store::load(&spec, self.epoch, readings.mend);
        }
        if before.jira != readings.jira {
            world.jira.store = jira::store::Store::load(&self.jira.export(), readings.jira);
        }
        world
    }

    /// The same sandbox with another world in it: keys of the same name, and users of the same number, keep their
    /// secrets.
    #[must_use]
    pub fn replaced_by(&self, spec: &WorldSpec, identity: &Identity) -> Self {
        let mut spec = spec.clone();
        for key in &mut spec.data_theorem.api_keys {
            let same = self.data_theorem.keys.iter().find(|same| same.spec.name == key.name);
            key.secret = key.secret.take().or_else(|| same.map(|same| same.secret.clone()));
        }
        self.mend.lend_secrets(&mut spec.mend);
        self.jira.lend_secrets(&mut spec.jira);
        let mut world = Scene::load(&spec, &self.readings()).world(identity);
        world.data_theorem.ids = self.data_theorem.ids;
        world.mend.ids = self.mend.ids;
        world
    }

    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let data_theorem = self.data_theorem.store.take_changes().into_iter().map(Change::DataTheorem);
        let mend = self.mend.store.take_changes().into_iter().map(Change::Mend);
        let jira = self.jira.store.take_changes().into_iter().map(Change::Jira);
        data_theorem.chain(mend).chain(jira).collect()
    }

    /// The credentials that lead to this world.
    pub fn credentials(&self) -> Vec<Credential> {
        let keys = self.data_theorem.keys.iter().map(|key| key.secret.clone());
        let plain = |vendor| move |secret| Credential { vendor, secret, is_sent_encoded: false };
        let keys = keys.map(plain(data_theorem::VENDOR));
        let users = self.mend.secrets().map(plain(mend::VENDOR));
        keys.chain(users).chain(self.jira.credentials()).collect()
    }
}
