//! What the suite is run against, and what each kind of target allows.
//!
//! A *simulator* has an admin plane: checks get worlds of their own there, and things happen at the vendor when a
//! check wants. Anything else is an *account*: it is read, written to only by permission, never asked for more
//! than its budget, and whatever it lacks for a check is a reason to skip it.

pub mod account;
pub mod exchange;
pub mod plane;
pub mod politeness;
pub mod transport;

use std::sync::Arc;

use self::account::Account;
use self::exchange::NoAnswer;
use self::plane::{Plane, PlaneError};
use self::politeness::{Limits, Polite};
use self::transport::{InProcess, SharedTransport, Sockets, SocketsError};

/// What the suite is run against.
pub struct Target {
    /// How the user named it.
    pub name: String,
    /// How requests get there.
    pub transport: SharedTransport,
    /// What kind of target it is.
    pub kind: Kind,
}

/// The kinds of target.
pub enum Kind {
    /// A simulator with an admin plane.
    Simulator {
        /// Makes worlds for checks.
        plane: Plane,
        /// Readings that its worlds are to have, where they differ from the simulator's own.
        readings: Vec<(String, String)>,
    },
    /// One account at something that has no admin plane: a vendor, or somebody else's stand-in.
    Account {
        /// How to reach it.
        account: Box<Account>,
        /// What may be changed there.
        writes: Writes,
        /// Whether it is the vendor itself, at its own host.
        is_vendor: bool,
    },
}

/// What the suite may change in an account that is not its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writes {
    /// The Data Theorem app whose targets and findings may be changed.
    pub mobile_app_id: Option<String>,
    /// The Mend project in which policies, a tag and the status of alerts may be changed.
    pub project_token: Option<String>,
    /// Key of the Jira project in which issues may be made, changed and deleted.
    pub jira_project: Option<String>,
}

/// A target that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The simulator in this process does not start.
    #[error("the simulator in this process does not start")]
    InProcess(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client can't be set up.
    #[error(transparent)]
    Sockets(#[from] SocketsError),
    /// Nobody answers at the address.
    #[error("nobody answers at {url}")]
    NoAnswer {
        /// The address.
        url: String,
        /// Why.
        #[source]
        cause: NoAnswer,
    },
    /// The simulator makes no world.
    #[error("the simulator makes no world for the checks")]
    Plane(#[from] PlaneError),
    /// The environment does not say how to reach a vendor.
    #[error(transparent)]
    Account(#[from] account::AccountError),
    /// The address is no simulator and nothing says how to log in.
    #[error(
        "{0} has no admin plane, so it is treated like a vendor; {1}. Point the variables at it and use the target `env`, \
         or start the simulator: mock-server"
    )]
    NoCredentials(String, account::AccountError),
}

impl Target {
    /// The simulator in this process, without a socket.
    pub fn in_process(readings: &[(String, String)]) -> Result<Self, TargetError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| TargetError::InProcess(error);
        let server = mock_server::MockServer::builder()
            .world("empty")
            .sandboxes_max(10_000)
            .in_process()
            .map_err(|error| failed(error.into()))?;
        let transport = InProcess::new(server).map_err(|error| failed(error.into()))?;
        Self::simulator("in-process", Arc::new(transport), "http://localhost", None, readings)?
            .ok_or_else(|| failed("it has no admin plane".into()))
    }

    /// A simulator behind this transport; `None` if there is no admin plane.
    pub fn simulator(
        name: &str,
        transport: SharedTransport,
        url: &str,
        admin_token: Option<String>,
        readings: &[(String, String)],
    ) -> Result<Option<Self>, TargetError> {
        let plane = Plane::find(&transport, url, admin_token)
            .map_err(|cause| TargetError::NoAnswer { url: url.to_owned(), cause })?;
        Ok(plane.map(|plane| Self {
            name: name.to_owned(),
            transport,
            kind: Kind::Simulator { plane, readings: readings.to_vec() },
        }))
    }

    /// What answers at this address: a simulator if it has an admin plane, otherwise an account whose credentials
    /// are in the environment.
    pub fn at(
        url: &str,
        admin_token: Option<String>,
        readings: &[(String, String)],
        variable: impl Fn(&str) -> Option<String>,
        writes: Writes,
        limits: Limits,
    ) -> Result<Self, TargetError> {
        let transport: SharedTransport = Arc::new(Sockets::new()?);
        if let Some(simulator) = Self::simulator(url, Arc::clone(&transport), url, admin_token, readings)? {
            return Ok(simulator);
        }
        let account = Account::from_variables(variable)
            .map_err(|error| TargetError::NoCredentials(url.to_owned(), error))?;
        let transport: SharedTransport = Arc::new(Polite::new(transport, limits));
        Ok(Self {
            name: url.to_owned(),
            transport,
            kind: Kind::Account { account: Box::new(account), writes, is_vendor: false },
        })
    }

    /// The vendors themselves, as the environment names them.
    pub fn vendors(
        variable: impl Fn(&str) -> Option<String>,
        writes: Writes,
        limits: Limits,
    ) -> Result<Self, TargetError> {
        let account = Account::from_variables(variable)?;
        let transport: SharedTransport = Arc::new(Polite::new(Arc::new(Sockets::new()?), limits));
        Ok(Self {
            name: "env".to_owned(),
            transport,
            kind: Kind::Account { account: Box::new(account), writes, is_vendor: true },
        })
    }

    /// Whether it is a vendor itself.
    pub fn is_vendor(&self) -> bool {
        matches!(self.kind, Kind::Account { is_vendor: true, .. })
    }

    /// Whether checks get worlds of their own.
    pub fn is_simulator(&self) -> bool {
        matches!(self.kind, Kind::Simulator { .. })
    }
}
