//! What a client needs to know: addresses and credentials as environment variables.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{DEFAULT_SANDBOX, Server};
use crate::kernel::sandbox::Sandbox;
use crate::vendors::{data_theorem, jira, mend};
use crate::world::World;

/// The environment of one sandbox: variables in the order a person reads them.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Variables by name.
    pub env: BTreeMap<&'static str, String>,
    /// Every API key, for tests that need one with fewer permissions.
    pub data_theorem_api_keys: Vec<KeyInfo>,
    /// Every user of Mend who has a key, for tests that need one with other rights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mend_users: Vec<UserInfo>,
    /// Every user of Jira who has a token, for tests that need one with other rights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jira_users: Vec<JiraUserInfo>,
}

/// An API key as `env` shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// The key itself, name, permissions and apps.
    #[serde(rename = "api_key")]
    pub secret: String,
    /// Its name.
    pub name: String,
    /// What it may do besides reading.
    pub permissions: Vec<fixtures::world::data_theorem::Permission>,
    /// The apps it is limited to, if it is.
    pub mobile_app_ids: Option<Vec<String>>,
}

/// A user of Mend as `env` shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    /// The `userKey`.
    pub user_key: String,
    /// Name.
    pub name: String,
    /// Address, by which tests ask for a user.
    pub email: String,
    /// What the user may do.
    pub role: fixtures::world::mend::Role,
    /// The organization the user belongs to, unless it is the one above all organizations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_token: Option<String>,
    /// The products that a product administrator administers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product_tokens: Vec<String>,
}

/// A user of Jira as `env` shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct JiraUserInfo {
    /// The API token.
    pub api_token: String,
    /// The email that goes with it.
    pub email: String,
    /// Opaque id.
    pub account_id: String,
    /// Whether the user may look but not write.
    pub is_read_only: bool,
    /// Keys of the projects the user may see, if limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_keys: Option<Vec<String>>,
}

impl JiraUserInfo {
    /// `None` for a user whose token was revoked.
    fn of(user: &jira::account::User) -> Option<Self> {
        let spec = &user.spec;
        Some(Self {
            api_token: user.token.clone()?,
            email: spec.email.clone(),
            account_id: spec.account_id.clone(),
            is_read_only: spec.is_read_only,
            project_keys: spec.project_keys.as_ref().map(|keys| keys.iter().cloned().collect()),
        })
    }
}

impl std::fmt::Debug for JiraUserInfo {
    /// The email only: the token is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JiraUserInfo({})", self.email)
    }
}

impl UserInfo {
    /// `None` for a user whose key was revoked.
    fn of(user: &mend::account::User) -> Option<Self> {
        let spec = &user.spec;
        Some(Self {
            user_key: user.key.clone()?,
            name: spec.name.clone(),
            email: spec.email.clone(),
            role: spec.role,
            organization_token: spec.organization_token.clone(),
            product_tokens: spec.product_tokens.iter().cloned().collect(),
        })
    }
}

impl std::fmt::Debug for UserInfo {
    /// The address only: the key is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserInfo({})", self.email)
    }
}

impl std::fmt::Debug for KeyInfo {
    /// The name only: the key is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyInfo({})", self.name)
    }
}

impl std::fmt::Debug for Environment {
    /// The names only: values are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.env.keys()).finish()
    }
}

impl Server {
    /// The variables that lead a client to this sandbox.
    pub fn environment(&self, sandbox: &Sandbox<World>) -> Environment {
        let addresses = self.addresses();
        let own = self.own_address(sandbox.id());
        let plain = own.or_else(|| addresses.map(|addresses| addresses.plain));
        let origin = plain.map_or_else(
            || "http://mock-server.invalid".to_owned(),
            |address| format!("http://{}", reachable(address)),
        );
        let world = sandbox.world();
        let keys = &world.data_theorem.keys;
        let mut env = BTreeMap::new();
        env.insert("DATA_THEOREM_BASE_URL", format!("{origin}{}", data_theorem::BASE_PATH));
        if let Some(key) = keys.first() {
            env.insert("DATA_THEOREM_API_KEY", key.secret.clone());
        }
        let account = &world.mend;
        // A world without anything at Mend says nothing of it.
        let organization = account.store.organizations().first();
        if !account.users.is_empty() || organization.is_some() {
            env.insert("MEND_URL", origin.clone());
        }
        if let Some(key) = account.users.iter().find_map(|user| user.key.clone()) {
            env.insert("MEND_USER_KEY", key);
        }
        if let Some(organization) = organization {
            env.insert("MEND_ORG_TOKEN", organization.token.clone());
        }
        let site = &world.jira;
        // A world without anybody at Jira says nothing of it.
        let jira_users: Vec<JiraUserInfo> =
            site.users.iter().filter_map(|user| JiraUserInfo::of(user)).collect();
        if let Some(user) = jira_users.first() {
            env.insert("JIRA_BASE_URL", origin);
            env.insert("JIRA_EMAIL", user.email.clone());
            env.insert("JIRA_API_TOKEN", user.api_token.clone());
            if let Some(project) = site.store.projects().next() {
                env.insert("JIRA_PROJECT", project.spec.key.clone());
            }
        }
        if let Some(tls) = addresses.and_then(|addresses| addresses.tls).filter(|_| own.is_none()) {
            env.insert("MOCK_SERVER_TLS_URL", format!("https://{}", reachable(tls)));
            if let Some(file) = addresses.and_then(|addresses| addresses.ca_file.clone()) {
                env.insert("MOCK_SERVER_CA", file);
            }
        }
        let data_theorem_api_keys = keys.iter().map(|key| KeyInfo {
            secret: key.secret.clone(),
            name: key.spec.name.clone(),
            permissions: key.spec.permissions.iter().copied().collect(),
            mobile_app_ids: key.spec.mobile_app_ids.as_ref().map(|apps| apps.iter().cloned().collect()),
        });
        Environment {
            env,
            data_theorem_api_keys: data_theorem_api_keys.collect(),
            mend_users: account.users.iter().filter_map(|user| UserInfo::of(user)).collect(),
            jira_users,
        }
    }

    /// The default sandbox's environment; `None` only if somebody removed that sandbox.
    pub fn default_environment(&self) -> Option<Environment> {
        Some(self.environment(&*self.worlds.sandboxes.get(DEFAULT_SANDBOX)?))
    }
}

/// An address that a client on this machine can use: "all interfaces" is not one.
fn reachable(address: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A value quoted for a POSIX shell.
pub fn shell_quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-=+@%,".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Variables as `KEY=value` lines.
pub fn dotenv(env: &BTreeMap<&'static str, String>) -> String {
    let mut text = String::new();
    for (name, value) in env {
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{reachable, shell_quoted};

    #[test]
    fn values_survive_a_shell() {
        assert_eq!(shell_quoted("ab/c=="), "ab/c==");
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }

    #[test]
    fn all_interfaces_are_reached_through_loopback() {
        assert_eq!(reachable("0.0.0.0:8700".parse().unwrap()).to_string(), "127.0.0.1:8700");
        assert_eq!(reachable("127.0.0.2:8700".parse().unwrap()).to_string(), "127.0.0.2:8700");
    }
}
