//! The admin plane of a simulator, as far as checks need it: worlds of their own, time, and what happens at the
//! vendors without a client.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::account::{Account, ApiKey, DataTheoremAccount, JiraAccount, JiraUser, MendAccount, MendUser};
use super::exchange::{NoAnswer, Reply, Request};
use super::transport::SharedTransport;

/// The admin plane of one simulator.
#[derive(Clone)]
pub struct Plane {
    transport: SharedTransport,
    /// Scheme, host and port.
    url: String,
    token: Option<String>,
}

/// A world of its own in a simulator.
#[derive(Clone)]
pub struct Sandbox {
    plane: Plane,
    /// Its name.
    pub id: String,
    /// How to reach the vendors in it.
    pub account: Account,
}

/// What the admin plane did not do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlaneError {
    /// It did not answer.
    #[error("the admin plane gives {0}")]
    NoAnswer(#[from] NoAnswer),
    /// There is none.
    #[error("the target has no admin plane")]
    NotASimulator,
    /// It refused, or its answer is not understood.
    #[error("the admin plane answers {status} to {call}: {body}")]
    Refused {
        /// Method and path.
        call: String,
        /// The status.
        status: u16,
        /// The start of the body.
        body: String,
    },
}

/// What `GET /__admin/health` says.
#[derive(Deserialize)]
struct Health {
    server: String,
}

#[derive(Deserialize)]
struct NewSandbox {
    id: String,
    env: BTreeMap<String, String>,
    #[serde(default)]
    data_theorem_api_keys: Vec<ApiKey>,
    #[serde(default)]
    mend_users: Vec<MendUser>,
    #[serde(default)]
    jira_users: Vec<JiraUser>,
}

#[derive(Deserialize)]
struct ClockState {
    now: jiff::Timestamp,
}

impl Plane {
    /// Asks once whether there is a simulator's admin plane at this address.
    pub fn find(
        transport: &SharedTransport,
        url: &str,
        token: Option<String>,
    ) -> Result<Option<Self>, NoAnswer> {
        let plane = Self { transport: transport.clone(), url: url.trim_end_matches('/').to_owned(), token };
        let reply = plane.send(Method::GET, "health", None)?;
        let health: Option<Health> = serde_json::from_slice(&reply.body).ok();
        let is_simulator = reply.status == 200 && health.is_some_and(|health| health.server == "mock-server");
        Ok(is_simulator.then_some(plane))
    }

    /// Makes a sandbox under a manual clock.
    pub fn create_sandbox(
        &self,
        world: &str,
        page_size: usize,
        readings: &[(&str, &str)],
    ) -> Result<Sandbox, PlaneError> {
        let readings: serde_json::Map<String, Value> =
            readings.iter().map(|(id, value)| ((*id).to_owned(), Value::from(*value))).collect();
        let body = json!({"world": world, "page_size": page_size, "clock": "manual", "readings": readings});
        let made: NewSandbox = self.ask(Method::POST, "sandboxes", Some(&body))?;
        let variable = |name: &str| made.env.get(name).cloned();
        // A world may lack a vendor; what is there is complete.
        let mut account = Account::from_variables(variable).unwrap_or_default();
        // The server names its own address, which need not be the one it is reached by.
        if let Some(DataTheoremAccount { base_url, keys, .. }) = &mut account.data_theorem {
            *base_url = format!("{}{}", self.url, path_of(base_url));
            *keys = made.data_theorem_api_keys;
        }
        if let Some(MendAccount { url, users, .. }) = &mut account.mend {
            url.clone_from(&self.url);
            *users = made.mend_users;
        }
        if let Some(JiraAccount { base_url, users, .. }) = &mut account.jira {
            base_url.clone_from(&self.url);
            *users = made.jira_users;
        }
        Ok(Sandbox { plane: self.clone(), id: made.id, account })
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, PlaneError> {
        let call = format!("{method} {path}");
        let reply = self.send(method, path, body)?;
        let parsed = if reply.is_success() { serde_json::from_slice(&reply.body).ok() } else { None };
        parsed.ok_or_else(|| PlaneError::Refused {
            call,
            status: reply.status,
            body: String::from_utf8_lossy(&reply.body).chars().take(300).collect(),
        })
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply, NoAnswer> {
        let mut request = Request::new(method, format!("{}/__admin/{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.transport.send(request)
    }
}

impl Sandbox {
    /// Lets something happen at a vendor and returns what it changed.
    pub fn happen(&self, event: &Value) -> Result<Value, PlaneError> {
        self.plane.ask(Method::POST, &format!("sandboxes/{}/events", self.id), Some(event))
    }

    /// What the clock shows.
    pub fn now(&self) -> Result<jiff::Timestamp, PlaneError> {
        let clock: ClockState = self.plane.ask(Method::GET, &format!("sandboxes/{}/clock", self.id), None)?;
        Ok(clock.now)
    }

    /// Moves the clock and returns what it shows then.
    pub fn advance_seconds(&self, seconds: i64) -> Result<jiff::Timestamp, PlaneError> {
        let body = json!({"advance_ms": seconds * 1000});
        let clock: ClockState =
            self.plane.ask(Method::POST, &format!("sandboxes/{}/clock", self.id), Some(&body))?;
        Ok(clock.now)
    }

    /// Everything that exists in it.
    pub fn world(&self) -> Result<Value, PlaneError> {
        self.plane.ask(Method::GET, &format!("sandboxes/{}/world", self.id), None)
    }

    /// The value in force of every reading, by id.
    pub fn readings(&self) -> Result<BTreeMap<String, String>, PlaneError> {
        self.plane.ask(Method::GET, &format!("sandboxes/{}/readings", self.id), None)
    }

    /// Ends it. A sandbox that can't be ended expires by itself, so a failure is no news.
    pub fn delete(&self) {
        let _ = self.plane.send(Method::DELETE, &format!("sandboxes/{}", self.id), None);
    }
}

/// The path of an address.
fn path_of(url: &str) -> String {
    Request::new(Method::GET, url.to_owned()).path_and_query().to_owned()
}
