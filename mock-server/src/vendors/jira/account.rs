//! One site at Jira: the part of a world that this vendor owns.

use std::sync::Arc;

use base64::Engine as _;
use fixtures::world::JiraWorld;
use fixtures::world::jira::UserSpec;

use super::VENDOR;
use super::pacing::Pacing;
use super::readings::Readings;
use super::store::{Change, Store};
use crate::kernel::cursor::CursorKey;
use crate::kernel::sandbox::Credential;

/// One site: its data, its users, and how the simulator plays it. Copies share structure.
#[derive(Clone)]
pub struct Account {
    /// What exists.
    pub store: Store,
    /// Who may ask.
    pub users: Arc<Vec<Arc<User>>>,
    /// Seals this sandbox's page tokens.
    pub cursor_key: CursorKey,
    /// Most issues on a page of a search that shows fields.
    pub page_size: usize,
    /// How often was asked lately. All versions of a sandbox's world share it.
    pub pacing: Arc<Pacing>,
}

/// A user with the API token.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The token. Never printed by anything but `env`. `None` if it was revoked.
    pub token: Option<String>,
    /// Name, email and the rest; `api_token` in here is unused.
    pub spec: UserSpec,
}

impl User {
    /// Whether the user may see this project.
    pub fn sees(&self, project_key: &str) -> bool {
        self.spec.project_keys.as_ref().is_none_or(|keys| keys.contains(project_key))
    }
}

/// From what the tokens of a site are made, where a world gives none.
pub struct Secrets<'a> {
    /// Material of derived secrets.
    pub material: &'a [u8],
    /// The token of the first user, if it was asked for.
    pub first_token: Option<&'a str>,
}

impl Account {
    /// A site with these rows and users.
    pub fn new(
        store: Store,
        users: &[UserSpec],
        cursor_key: CursorKey,
        page_size: usize,
        secrets: &Secrets<'_>,
    ) -> Self {
        let users = users.iter().enumerate().map(|(place, spec)| {
            let wanted = secrets.first_token.filter(|_| place == 0).map(str::to_owned);
            let token = wanted
                .or_else(|| spec.api_token.clone())
                .unwrap_or_else(|| api_token(secrets.material, spec));
            let token = Some(token).filter(|_| !spec.is_revoked);
            Arc::new(User { token, spec: UserSpec { api_token: None, ..spec.clone() } })
        });
        Self { store, users: Arc::new(users.collect()), cursor_key, page_size, pacing: Arc::default() }
    }

    /// A site where nothing is and nobody has an account: what answers where no sandbox owns a request.
    pub fn nobodys() -> Self {
        let store = Store::load(&JiraWorld::default(), Readings::default());
        let secrets = Secrets { material: &[], first_token: None };
        Self::new(store, &[], CursorKey::derive(0, ""), 100, &secrets)
    }

    /// The user with this email and token.
    pub fn user(&self, email: &str, token: &str) -> Option<&Arc<User>> {
        let is_theirs = |user: &&Arc<User>| {
            user.token.as_deref() == Some(token) && user.spec.email.eq_ignore_ascii_case(email)
        };
        self.users.iter().find(is_theirs)
    }

    /// The user with this account id.
    pub fn user_of_id(&self, account_id: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.spec.account_id == account_id)
    }

    /// The readings in force.
    pub fn readings(&self) -> &Readings {
        self.store.readings()
    }

    /// Takes a user's token away. Says whether there is such a user, and it had one.
    pub fn revoke(&mut self, account_id: &str) -> bool {
        let users = Arc::make_mut(&mut self.users);
        let Some(user) =
            users.iter_mut().find(|user| user.spec.account_id == account_id && user.token.is_some())
        else {
            return false;
        };
        *user = Arc::new(User { token: None, spec: UserSpec { is_revoked: true, ..user.spec.clone() } });
        self.store.note(Change::Users);
        true
    }

    /// Gives the users of another world the tokens that they have here, where it names none.
    pub fn lend_secrets(&self, world: &mut JiraWorld) {
        for user in &mut world.users {
            let same = self.users.iter().find(|same| same.spec.account_id == user.account_id);
            let token = same.and_then(|same| same.token.clone()).filter(|_| !user.is_revoked);
            user.api_token = user.api_token.take().or(token);
        }
    }

    /// What leads to this site.
    pub fn credentials(&self) -> impl Iterator<Item = Credential> {
        let tokens = self.users.iter().filter_map(|user| user.token.clone());
        tokens.map(|secret| Credential { vendor: VENDOR, secret, is_sent_encoded: true })
    }

    /// The site as plain data, without tokens.
    pub fn export(&self) -> JiraWorld {
        let mut world = self.store.export();
        world.users = self.users.iter().map(|user| user.spec.clone()).collect();
        world
    }

    /// The users as plain data, with their tokens.
    pub fn users_with_secrets(&self) -> Vec<UserSpec> {
        self.users
            .iter()
            .map(|user| UserSpec { api_token: user.token.clone(), ..user.spec.clone() })
            .collect()
    }
}

/// Takes those tokens out of a world that are derived from this material, as they are on every machine where it is the
/// same.
pub fn forget_secrets_of(world: &mut JiraWorld, material: &[u8]) {
    for user in &mut world.users {
        if user.api_token.as_ref() == Some(&api_token(material, user)) {
            user.api_token = None;
        }
    }
}

/// The token of a user who was given none, in the vendor's form: a prefix and letters of base64.
pub fn api_token(material: &[u8], user: &UserSpec) -> String {
    let material = [material, b"\0", user.account_id.as_bytes()].concat();
    let mut hasher = blake3::Hasher::new_derive_key("mock-server jira api token");
    hasher.update(&material);
    let mut bytes = [0; 48];
    hasher.finalize_xof().fill(&mut bytes);
    format!("ATATT3x{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
