//! What a check holds while it runs: the way to the target, and the record of what it did.

use std::cell::RefCell;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::check::Stop;
use super::data_theorem::{self, DataTheorem};
use super::jira::{self, Jira};
use super::mend::{self, Mend};
use crate::target::account::Account;
use crate::target::exchange::{Evidence, Exchange, Reply, Request};
use crate::target::plane::Sandbox;
use crate::target::transport::SharedTransport;
use crate::target::{Target, Writes};

/// One check's way to its target.
pub struct Case {
    transport: SharedTransport,
    account: Account,
    ground: Ground,
    /// What was read of the account already; the checks that only read share it.
    surveyed: Arc<Surveyed>,
    exchanges: RefCell<Vec<Evidence>>,
    undo: RefCell<Vec<Request>>,
}

/// What a check stands on.
pub enum Ground {
    /// A world in a simulator. Whether other checks use it too is the runner's business.
    Sandbox(Box<Sandbox>),
    /// An account that is somebody's, with what may be changed in it.
    Account(Writes),
}

/// Rows that checks which only read have in common, so that each is asked for once.
#[derive(Default)]
pub struct Surveyed {
    pub(super) data_theorem: data_theorem::Surveyed,
    pub(super) mend: mend::Surveyed,
    pub(super) jira: jira::Surveyed,
}

impl Case {
    /// A case on this ground.
    pub fn new(target: &Target, account: Account, ground: Ground, surveyed: Arc<Surveyed>) -> Self {
        Self {
            transport: Arc::clone(&target.transport),
            account,
            ground,
            surveyed,
            exchanges: RefCell::default(),
            undo: RefCell::default(),
        }
    }

    /// Data Theorem as the account's key sees it.
    pub fn data_theorem(&self) -> Result<DataTheorem<'_>, Stop> {
        let account = self.account.data_theorem.as_ref();
        let account = account.ok_or_else(|| Stop::Skipped("no credentials for Data Theorem".to_owned()))?;
        Ok(DataTheorem::new(self, account))
    }

    /// Mend as the account's user sees it.
    pub fn mend(&self) -> Result<Mend<'_>, Stop> {
        let account = self.account.mend.as_ref();
        let account = account.ok_or_else(|| Stop::Skipped("no credentials for Mend".to_owned()))?;
        Ok(Mend::new(self, account))
    }

    /// Jira as the account's user sees it.
    pub fn jira(&self) -> Result<Jira<'_>, Stop> {
        let account = self.account.jira.as_ref();
        let account = account.ok_or_else(|| Stop::Skipped("no credentials for Jira".to_owned()))?;
        Ok(Jira::new(self, account))
    }

    /// The simulator's controls of the world that the case stands on.
    pub fn sandbox(&self) -> Result<&Sandbox, Stop> {
        match &self.ground {
            Ground::Sandbox(sandbox) => Ok(sandbox),
            Ground::Account(_) => Err(Stop::Skipped("only a simulator can be told what happens".to_owned())),
        }
    }

    /// What may be changed, if the account is not the suite's own.
    pub fn writes(&self) -> Option<&Writes> {
        match &self.ground {
            Ground::Sandbox(_) => None,
            Ground::Account(writes) => Some(writes),
        }
    }

    /// Lets something happen at the vendor and returns what it changed.
    pub fn happen(&self, event: &Value) -> Result<Value, Stop> {
        Ok(self.sandbox()?.happen(event)?)
    }

    /// Sends a request and keeps the exchange as evidence.
    pub fn send(&self, request: Request) -> Result<(Reply, Evidence), Stop> {
        let outcome = self.transport.send(request.clone());
        let evidence = Arc::new(Exchange { request, outcome });
        self.exchanges.borrow_mut().push(Arc::clone(&evidence));
        match &evidence.outcome {
            Ok(reply) => Ok((reply.clone(), evidence)),
            Err(error) => Err(Stop::NoAnswer(error.clone())),
        }
    }

    /// Has a request sent when the check is over, the last one first, to put back what it changed. A world of a
    /// simulator is thrown away instead.
    pub fn undo_later(&self, request: Request) {
        if self.writes().is_some() {
            self.undo.borrow_mut().push(request);
        }
    }

    /// Puts back what the check changed; returns what could not be put back.
    pub fn undo(&self) -> Vec<String> {
        let requests: Vec<Request> = self.undo.borrow_mut().drain(..).rev().collect();
        let mut failures = Vec::new();
        for request in requests {
            let deletes = request.method == Method::DELETE;
            match self.send(request) {
                // What is to be deleted may be gone already.
                Ok((reply, _)) if deletes && reply.status == 404 => {}
                // A conflict says that it is as it was already.
                Ok((reply, _)) if is_accepted(&reply) || reply.status == 409 => {}
                Ok((_, evidence)) => failures.push(evidence.to_string()),
                Err(stop) => failures.push(format!("{stop:?}")),
            }
        }
        failures
    }

    /// Everything that was exchanged, in order.
    pub fn exchanges(&self) -> Vec<Evidence> {
        self.exchanges.borrow().clone()
    }

    pub(super) fn surveyed(&self) -> &Surveyed {
        &self.surveyed
    }
}

/// Whether a request was accepted. Mend refuses with the status 200 and a code in the body.
fn is_accepted(reply: &Reply) -> bool {
    reply.is_success() && reply.json().is_none_or(|json| json.get("errorCode").is_none())
}
