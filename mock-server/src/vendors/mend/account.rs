//! The account at Mend: the part of a world that this vendor owns.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::world::MendWorld;
use fixtures::world::mend::{IntegrationSpec, IntegrationType, Role, UserSpec};

use super::readings::Readings;
use super::store::{Change, Store};
use crate::kernel::ids::IdSource;

/// One account: its data, its users, and how the simulator plays it. Copies share structure.
#[derive(Clone)]
pub struct Account {
    /// What exists.
    pub store: Store,
    /// Who may ask.
    pub users: Arc<Vec<Arc<User>>>,
    /// What can be integrated with which organization.
    pub integrations: Arc<Vec<Integration>>,
    /// Makes the ids of what is created.
    pub ids: IdSource,
    /// From what the secrets are derived that nobody gave.
    material: Arc<[u8]>,
}

/// A user, with the key unless it was revoked.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The `userKey`, or the activation token of a service user. Never printed by anything but `env`. `None` if it
    /// was revoked: the user still owns policies, and no number is given twice.
    pub key: Option<String>,
    /// Name, role and the rest; `user_key` in here is unused.
    pub spec: UserSpec,
}

/// An integration with an organization. Its token exists from the start, so that it leads to this sandbox as
/// soon as it is handed out; until then nobody is behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct Integration {
    /// The organization.
    pub organization_token: String,
    /// What it is.
    pub kind: IntegrationType,
    /// The activation token. Never printed.
    pub activation_token: String,
    /// The service user, once somebody asked for the token.
    pub service_user_id: Option<u64>,
    /// How many tokens were revoked before this one.
    pub tokens_revoked: u64,
}

/// From what the secrets of an account are made, where a world gives none.
pub struct Secrets<'a> {
    /// Material of derived secrets.
    pub material: &'a [u8],
    /// The key of the first user, if it was asked for.
    pub first_user_key: Option<&'a str>,
}

impl Account {
    /// An account with these rows; `spec` gives its users and integrations.
    pub fn new(store: Store, spec: &Users, ids: IdSource, secrets: &Secrets<'_>) -> Self {
        let mut users: Vec<Arc<User>> = Vec::with_capacity(spec.users.len());
        let mut integrations = Vec::new();
        for (organization, known) in &spec.integrations {
            for kind in IntegrationType::ALL {
                let known = known.get(kind).cloned().unwrap_or_default();
                let revoked = known.tokens_revoked;
                integrations.push(Integration {
                    organization_token: organization.clone(),
                    kind: *kind,
                    activation_token: known
                        .activation_token
                        .unwrap_or_else(|| activation_token(secrets.material, organization, *kind, revoked)),
                    service_user_id: known.service_user_id,
                    tokens_revoked: revoked,
                });
            }
        }
        for (place, user) in spec.users.iter().enumerate() {
            let wanted = secrets.first_user_key.filter(|_| place == 0).map(str::to_owned);
            let service =
                integrations.iter().find(|integration| integration.service_user_id == Some(user.id));
            let key = wanted
                .or_else(|| service.map(|integration| integration.activation_token.clone()))
                .or_else(|| user.user_key.clone())
                .unwrap_or_else(|| user_key(secrets.material, user));
            let key = Some(key).filter(|_| !user.is_revoked);
            users.push(Arc::new(User { key, spec: UserSpec { user_key: None, ..user.clone() } }));
        }
        Self {
            store,
            users: Arc::new(users),
            integrations: Arc::new(integrations),
            ids,
            material: secrets.material.into(),
        }
    }

    /// The user behind a `userKey`.
    pub fn user(&self, key: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.key.as_deref() == Some(key))
    }

    /// The user with this number.
    pub fn user_of_id(&self, id: u64) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.spec.id == id)
    }

    /// The readings in force.
    pub fn readings(&self) -> &Readings {
        self.store.readings()
    }

    /// Hands out the activation token of an integration, with a service user behind it; the same again whenever
    /// it is asked for, until it is revoked. `None` if there is no such organization.
    pub fn activate(&mut self, organization_token: &str, kind: IntegrationType) -> Option<String> {
        let place = self.integrations.iter().position(|integration| {
            integration.organization_token == organization_token && integration.kind == kind
        })?;
        let integration = &self.integrations[place];
        let token = integration.activation_token.clone();
        if integration.service_user_id.is_none() {
            let id = self.users.iter().map(|user| user.spec.id).max().unwrap_or_default().saturating_add(1);
            Arc::make_mut(&mut self.integrations)[place].service_user_id = Some(id);
            let spec = UserSpec {
                id,
                name: format!("{kind} service user"),
                email: format!("service-{id}@users.example"),
                user_key: None,
                role: Role::Administrator,
                organization_token: Some(organization_token.to_owned()),
                product_tokens: std::collections::BTreeSet::new(),
                is_revoked: false,
            };
            Arc::make_mut(&mut self.users).push(Arc::new(User { key: Some(token.clone()), spec }));
            self.store.note(Change::Users);
        }
        Some(token)
    }

    /// Takes a user's key away. Says whether there is such a user, and it had one.
    pub fn revoke(&mut self, user_id: u64) -> bool {
        let users = Arc::make_mut(&mut self.users);
        let Some(user) = users.iter_mut().find(|user| user.spec.id == user_id && user.key.is_some()) else {
            return false;
        };
        *user = Arc::new(User { key: None, spec: UserSpec { is_revoked: true, ..user.spec.clone() } });
        for integration in Arc::make_mut(&mut self.integrations) {
            if integration.service_user_id == Some(user_id) {
                // The token stays dead: whoever asks again gets another one, and another user behind it.
                let revoked = integration.tokens_revoked.saturating_add(1);
                let (organization, kind) = (&integration.organization_token, integration.kind);
                integration.activation_token = activation_token(&self.material, organization, kind, revoked);
                integration.tokens_revoked = revoked;
                integration.service_user_id = None;
            }
        }
        self.store.note(Change::Users);
        true
    }

    /// Gives the users and integrations of another world the secrets that they have here, where it names none.
    pub fn lend_secrets(&self, world: &mut MendWorld) {
        let handed_out: Vec<&String> =
            self.integrations.iter().map(|integration| &integration.activation_token).collect();
        for user in &mut world.users {
            let same =
                self.users.iter().find(|same| same.spec.id == user.id && same.spec.email == user.email);
            let key = same.and_then(|same| same.key.as_ref()).filter(|key| !handed_out.contains(key));
            let key = key.filter(|_| !user.is_revoked);
            user.user_key = user.user_key.take().or_else(|| key.cloned());
        }
        for organization in &mut world.organizations {
            for integration in self.integrations.iter() {
                if integration.organization_token == organization.token {
                    let theirs = organization.integrations.entry(integration.kind).or_default();
                    let token = theirs.activation_token.take();
                    theirs.activation_token = token.or_else(|| Some(integration.activation_token.clone()));
                }
            }
        }
    }

    /// Everything that leads to this account, whether or not somebody is behind it yet.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        let tokens = self.integrations.iter().map(|integration| &integration.activation_token);
        let handed_out: std::collections::BTreeSet<&String> = tokens.clone().collect();
        let keys = self
            .users
            .iter()
            .filter_map(|user| user.key.as_ref())
            .filter(move |key| !handed_out.contains(key));
        keys.chain(tokens).cloned().collect::<Vec<_>>().into_iter()
    }

    /// The account as plain data, without secrets.
    pub fn export(&self) -> MendWorld {
        let mut world = self.store.export();
        self.users_without_secrets().put_into(&mut world);
        world
    }

    /// Users and integrations as plain data, with their secrets.
    pub fn users_with_secrets(&self) -> Users {
        let tokens = self.integrations.iter().map(|integration| &integration.activation_token);
        let handed_out: Vec<&String> = tokens.collect();
        let own_key = |user: &User| user.key.clone().filter(|key| !handed_out.contains(&key));
        self.users_as(own_key, |integration| Some(integration.activation_token.clone()))
    }

    fn users_without_secrets(&self) -> Users {
        self.users_as(|_| None, |_| None)
    }

    fn users_as(
        &self,
        key: impl Fn(&User) -> Option<String>,
        token: impl Fn(&Integration) -> Option<String>,
    ) -> Users {
        let users = self.users.iter().map(|user| UserSpec { user_key: key(user), ..user.spec.clone() });
        let mut integrations: BTreeMap<String, BTreeMap<IntegrationType, IntegrationSpec>> = BTreeMap::new();
        for integration in self.integrations.iter() {
            let spec = IntegrationSpec {
                activation_token: token(integration),
                service_user_id: integration.service_user_id,
                tokens_revoked: integration.tokens_revoked,
            };
            if spec != IntegrationSpec::default() {
                let of_organization = integrations.entry(integration.organization_token.clone()).or_default();
                of_organization.insert(integration.kind, spec);
            }
        }
        Users { users: users.collect(), integrations }
    }
}

/// Users and integrations as plain data: what of a world belongs to the account and not to the store.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Users {
    users: Vec<UserSpec>,
    /// By organization.
    integrations: BTreeMap<String, BTreeMap<IntegrationType, IntegrationSpec>>,
}

impl Users {
    /// The users and integrations of a world.
    pub fn of(world: &MendWorld) -> Self {
        let integrations = world
            .organizations
            .iter()
            .map(|organization| (organization.token.clone(), organization.integrations.clone()));
        Self { users: world.users.clone(), integrations: integrations.collect() }
    }

    /// Puts them into a world.
    pub fn put_into(self, world: &mut MendWorld) {
        let Self { users, mut integrations } = self;
        world.users = users;
        for organization in &mut world.organizations {
            organization.integrations = integrations.remove(&organization.token).unwrap_or_default();
        }
    }
}

/// Takes those secrets out of a world that are derived from this material, as they are on every machine where it
/// is the same.
pub fn forget_secrets_of(world: &mut MendWorld, material: &[u8]) {
    for user in &mut world.users {
        if user.user_key.as_ref() == Some(&user_key(material, user)) {
            user.user_key = None;
        }
    }
    for organization in &mut world.organizations {
        for (kind, integration) in &mut organization.integrations {
            let derived = activation_token(material, &organization.token, *kind, integration.tokens_revoked);
            if integration.activation_token.as_ref() == Some(&derived) {
                integration.activation_token = None;
            }
        }
    }
}

/// The key of a user that was given none, in the vendor's form: 64 hex digits.
pub fn user_key(material: &[u8], user: &UserSpec) -> String {
    let material = [material, b"\0", &user.id.to_be_bytes()].concat();
    blake3::Hash::from_bytes(blake3::derive_key("mock-server mend user key", &material)).to_hex().to_string()
}

/// The token of an integration that was given none: opaque base64, as long as a bundle of keys would be. `revoked`
/// tokens went before it.
pub fn activation_token(
    material: &[u8],
    organization_token: &str,
    kind: IntegrationType,
    revoked: u64,
) -> String {
    use base64::Engine as _;
    let material = [material, b"\0", organization_token.as_bytes(), b"\0", kind.as_str().as_bytes()].concat();
    let mut hasher = blake3::Hasher::new_derive_key("mock-server mend activation token");
    hasher.update(&material);
    if revoked > 0 {
        hasher.update(b"\0").update(&revoked.to_be_bytes());
    }
    let mut bytes = [0; 96];
    hasher.finalize_xof().fill(&mut bytes);
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
