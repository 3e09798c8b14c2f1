//! One account at Data Theorem: the part of a world that this vendor owns.

use std::sync::Arc;

use fixtures::world::data_theorem::{ApiKeySpec, DataTheoremWorld, Permission};

use super::readings::Readings;
use super::store::Store;
use crate::kernel::cursor::CursorKey;
use crate::kernel::ids::IdSource;

/// One account: its data, its keys, and how the simulator plays it. Copies share structure.
#[derive(Clone)]
pub struct Account {
    /// What exists.
    pub store: Store,
    /// Who may ask.
    pub keys: Arc<Vec<Arc<ApiKey>>>,
    /// Makes the ids of what is created.
    pub ids: IdSource,
    /// Seals this sandbox's cursors.
    pub cursor_key: CursorKey,
    /// Rows per list page.
    pub page_size: usize,
}

/// An API key with its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The secret. Never printed by anything but `env`.
    pub secret: String,
    /// Name, permissions and apps; `secret` in here is unused.
    pub spec: ApiKeySpec,
}

impl ApiKey {
    /// Whether the key may do this.
    pub fn may(&self, permission: Permission) -> bool {
        self.spec.permissions.contains(&permission)
    }

    /// Whether the key may see this app.
    pub fn sees(&self, mobile_app_id: &str) -> bool {
        self.spec.mobile_app_ids.as_ref().is_none_or(|apps| apps.contains(mobile_app_id))
    }
}

impl Account {
    /// The key with this secret.
    pub fn key(&self, secret: &str) -> Option<&Arc<ApiKey>> {
        self.keys.iter().find(|key| key.secret == secret)
    }

    /// The readings in force.
    pub fn readings(&self) -> &Readings {
        self.store.readings()
    }

    /// The account as plain data, without the keys' secrets.
    pub fn export(&self) -> DataTheoremWorld {
        let mut world = self.store.export();
        world.api_keys =
            self.keys.iter().map(|key| ApiKeySpec { secret: None, ..key.spec.clone() }).collect();
        world
    }
}
