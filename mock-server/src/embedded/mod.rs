//! The server as a test embeds it.

mod builder;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

pub use builder::{Builder, StartError};

use crate::admin;
use crate::control::Control;
use crate::http::pipeline::Scope;
use crate::kernel::journal::{Filter, Page};
use crate::server::address::{Environment, JiraUserInfo, UserInfo};
use crate::server::{Addresses, DEFAULT_SANDBOX, Listening, SandboxError, SandboxRequest, Server, Settings};
use crate::vendors::{self, data_theorem};

/// How often idle sandboxes are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_mins(1);

/// A mock server: an isolated world, or many of them.
///
/// Dropping it closes its ports. By default it plays the scene `demo` under a manual clock, listens on a free
/// port of the loopback interface, and keeps nothing on disk.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use mock_server::MockServer;
///
/// let server = MockServer::start().await;
/// let url = format!("{}/mobile_apps", server.data_theorem().base_url());
/// let apps: serde_json::Value = reqwest::Client::new()
///     .get(url)
///     .header("Authorization", format!("APIKey {}", server.data_theorem().api_key()))
///     .send().await.unwrap()
///     .json().await.unwrap();
/// assert!(apps["mobile_apps"].as_array().is_some_and(|apps| apps.len() > 10));
/// # });
/// ```
#[must_use = "the server stops when it is dropped; bind it for as long as it shall run"]
pub struct MockServer {
    server: Arc<Server>,
    listening: Vec<Listening>,
    expiry: Option<tokio::task::JoinHandle<()>>,
}

/// What the shared port answers: the admin plane, and the vendors.
fn everything(server: &Arc<Server>) -> Router {
    admin::router(server).fallback_service(vendors::router(&server.worlds, Scope::Shared))
}

impl MockServer {
    /// Starts a server with all defaults on a free port of the loopback interface.
    ///
    /// # Panics
    /// If no port can be bound, which leaves a test nothing to do.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(server) => server,
            Err(error) => panic!("the mock server cannot start: {error}"),
        }
    }

    /// Sets up a server that differs from the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Everything the server answers, without a socket. Planned faults that break connections show as bodies
    /// that fail; see [`crate::http::reply::ConnectionFault`].
    pub fn router(&self) -> Router {
        everything(&self.server)
    }

    /// Everything one sandbox answers, as on a port of its own; `None` if there is no such sandbox.
    pub fn sandbox_router(&self, id: &str) -> Option<Router> {
        let scope = Scope::Sandbox(self.server.worlds.sandboxes.get(id)?);
        Some(vendors::router(&self.server.worlds, scope))
    }

    /// Where and how to reach Data Theorem in the default sandbox.
    pub fn data_theorem(&self) -> DataTheorem {
        self.control().data_theorem()
    }

    /// Where and how to reach Mend in the default sandbox.
    pub fn mend(&self) -> Mend {
        self.control().mend()
    }

    /// Where and how to reach Jira in the default sandbox.
    pub fn jira(&self) -> Jira {
        self.control().jira()
    }

    /// Controls the default sandbox.
    ///
    /// # Panics
    /// Never: the default sandbox can't be deleted.
    pub fn control(&self) -> Control {
        match self.control_of(DEFAULT_SANDBOX) {
            Some(control) => control,
            None => unreachable!("the default sandbox always exists"),
        }
    }

    /// Controls the sandbox with this name.
    pub fn control_of(&self, id: &str) -> Option<Control> {
        Some(Control::new(Arc::clone(&self.server), self.server.worlds.sandboxes.get(id)?))
    }

    /// Makes a sandbox: another isolated world on the same server.
    pub async fn create_sandbox(&self, request: SandboxRequest) -> Result<Control, SandboxError> {
        let sandbox = self.server.create_sandbox(request).await?;
        Ok(Control::new(Arc::clone(&self.server), sandbox))
    }

    /// Ends a sandbox. Says whether there was one; the default one can't be ended.
    pub async fn delete_sandbox(&self, id: &str) -> Result<bool, SandboxError> {
        if id == DEFAULT_SANDBOX { Ok(false) } else { self.server.delete_sandbox(id).await }
    }

    /// Names of all sandboxes.
    pub fn sandboxes(&self) -> Vec<String> {
        self.server.worlds.sandboxes.list().iter().map(|sandbox| sandbox.id().to_owned()).collect()
    }

    /// Requests that no sandbox owns.
    pub fn unclaimed(&self, filter: &Filter) -> Page {
        self.server.worlds.unclaimed.read(filter)
    }

    /// How the server is set up; what durable state holds is already in it.
    pub fn settings(&self) -> &Settings {
        self.server.settings()
    }

    /// Where the server listens; `None` in process.
    pub fn addresses(&self) -> Option<&Addresses> {
        self.server.addresses()
    }

    /// Finishes: no new connections, open requests get some seconds, everything acknowledged is on disk.
    pub async fn stop(mut self) {
        self.server.end();
        for listening in std::mem::take(&mut self.listening) {
            listening.finished().await;
        }
        self.server.own_listeners_finished().await;
        self.server.close().await;
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.server.end();
        if let Some(expiry) = self.expiry.take() {
            expiry.abort();
        }
    }
}

/// Where and how to reach Data Theorem in one sandbox.
#[derive(Clone)]
pub struct DataTheorem {
    base_url: String,
    api_key: String,
}

impl DataTheorem {
    /// Everything up to and including `/apis/mobile_security/results/v2`. In process the host is a placeholder.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The account's first API key; empty if the account has none.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }
}

/// Where and how to reach Mend in one sandbox.
#[derive(Clone)]
pub struct Mend {
    url: String,
    user_key: String,
    org_token: String,
    users: Vec<UserInfo>,
}

impl Mend {
    /// Scheme, host and port; a version's path follows, `/api/v1.4`. In process the host is a placeholder.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The `userKey` of the account's first user; empty if the account has none.
    pub fn user_key(&self) -> &str {
        &self.user_key
    }

    /// The `orgToken` of the account's first organization; empty if the account has none.
    pub fn org_token(&self) -> &str {
        &self.org_token
    }

    /// The `userKey` of the user with this address, e.g. one with other rights.
    pub fn user_key_of(&self, email: &str) -> Option<&str> {
        self.users.iter().find(|user| user.email == email).map(|user| user.user_key.as_str())
    }
}

/// Where and how to reach Jira in one sandbox.
#[derive(Clone)]
pub struct Jira {
    base_url: String,
    email: String,
    api_token: String,
    project: String,
    users: Vec<JiraUserInfo>,
}

impl Jira {
    /// Scheme, host and port; a version's path follows, `/rest/api/3`. In process the host is a placeholder.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The email of the site's first user; empty if the site has none.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The API token of the site's first user; empty if the site has none.
    pub fn api_token(&self) -> &str {
        &self.api_token
    }

    /// The key of the site's first project; empty if the site has none.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The API token of the user with this email, e.g. one with other rights.
    pub fn api_token_of(&self, email: &str) -> Option<&str> {
        self.users.iter().find(|user| user.email == email).map(|user| user.api_token.as_str())
    }
}

impl Control {
    /// Where and how to reach Data Theorem in this sandbox.
    pub fn data_theorem(&self) -> DataTheorem {
        let environment = self.environment();
        DataTheorem {
            base_url: environment
                .env
                .get("DATA_THEOREM_BASE_URL")
                .cloned()
                .unwrap_or_else(|| data_theorem::BASE_PATH.into()),
            api_key: environment.env.get("DATA_THEOREM_API_KEY").cloned().unwrap_or_default(),
        }
    }

    /// The key with this name, e.g. one with fewer permissions.
    pub fn api_key_named(&self, name: &str) -> Option<String> {
        let keys = self.environment().data_theorem_api_keys;
        keys.into_iter().find(|key| key.name == name).map(|key| key.secret)
    }

    /// Where and how to reach Mend in this sandbox.
    pub fn mend(&self) -> Mend {
        let Environment { env, mend_users: users, .. } = self.environment();
        let variable = |name| env.get(name).cloned().unwrap_or_default();
        let (url, user_key) = (variable("MEND_URL"), variable("MEND_USER_KEY"));
        Mend { url, user_key, org_token: variable("MEND_ORG_TOKEN"), users }
    }

    /// Where and how to reach Jira in this sandbox.
    pub fn jira(&self) -> Jira {
        let Environment { env, jira_users: users, .. } = self.environment();
        let variable = |name| env.get(name).cloned().unwrap_or_default();
        let (base_url, email) = (variable("JIRA_BASE_URL"), variable("JIRA_EMAIL"));
        Jira {
            base_url,
            email,
            api_token: variable("JIRA_API_TOKEN"),
            project: variable("JIRA_PROJECT"),
            users,
        }
    }

    /// The key of the Mend user with this address, e.g. one with other rights.
    pub fn user_key_of(&self, email: &str) -> Option<String> {
        self.mend().user_key_of(email).map(str::to_owned)
    }
}
