//! Transport, tracker and clock of the harness: the real ones, with blows in between.

use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract_tests::target::exchange::Request as Call;
use contract_tests::target::transport::{InProcess, Transport as _};
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use mock_server::Control;
use sync_client::adapters::local::LocalTracker;
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::ports::{
    Change, Clock, Created, NewTicket, NoReply, Reply, Request, Ticket, Tracker, TrackerError, TrackerTraits,
    Transport,
};

use crate::blows::{Blow, Blows, Killed};

/// Time as the sandbox shows it; waiting moves it.
#[derive(Clone)]
pub(crate) struct VirtualClock(pub(crate) Control);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) {
        self.0.advance(SignedDuration::try_from(duration).unwrap());
    }
}

/// Carries requests to the simulators.
pub(crate) struct Wire {
    pub(crate) server: Arc<InProcess>,
    pub(crate) clock: VirtualClock,
    pub(crate) blows: Arc<Blows>,
}

impl Wire {
    fn deliver(&self, request: &Request) -> Result<Reply, NoReply> {
        let call = Call {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let reply = self.server.send(call).map_err(|error| NoReply::Unknown(error.to_string()))?;
        let mut headers = reply.headers;
        // A server on a socket says what time it is.
        let date = self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.insert("date", HeaderValue::from_str(&date).unwrap());
        Ok(Reply { status: reply.status, headers, body: reply.body })
    }

    /// The name of the boundary: the method and path, or Mend's request type.
    fn boundary(request: &Request) -> String {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match body["requestType"].as_str() {
            Some(request_type) => request_type.to_owned(),
            None => {
                let path = request.url.split("/v2/").nth(1).unwrap_or(&request.url);
                format!("{} {path}", request.method)
            }
        }
    }
}

fn answer(status: u16, retry_after: Option<&'static str>, body: &'static str) -> Reply {
    let mut headers = HeaderMap::new();
    if let Some(retry_after) = retry_after {
        headers.insert("retry-after", HeaderValue::from_static(retry_after));
    }
    Reply { status, headers, body: Bytes::from_static(body.as_bytes()) }
}

const HTML: &str = "<html><body>Please wait.</body></html>";

impl Transport for Wire {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        let lost = || Err(NoReply::Unknown("connection reset by peer".to_owned()));
        match self.blows.pass(&Self::boundary(request)) {
            None => self.deliver(request),
            Some(Blow::Refused) => Err(NoReply::NotSent("connection refused".to_owned())),
            Some(Blow::LostBefore) => lost(),
            Some(Blow::LostAfter) => {
                self.deliver(request)?;
                lost()
            }
            Some(Blow::ErrorBefore(status)) => Ok(answer(status, None, "{\"error\":\"try again\"}")),
            Some(Blow::ErrorAfter) => {
                self.deliver(request)?;
                Ok(answer(500, None, "oops"))
            }
            Some(Blow::TooMany(retry_after)) => Ok(answer(429, retry_after, "{}")),
            Some(Blow::TooManyInHtml) => Ok(answer(429, None, HTML)),
            Some(Blow::Stall) => {
                self.clock.sleep(timeout);
                self.deliver(request)?;
                Err(NoReply::Unknown("timed out".to_owned()))
            }
            Some(Blow::Truncated) => {
                let mut reply = self.deliver(request)?;
                reply.body = reply.body.slice(..reply.body.len() / 2);
                Ok(reply)
            }
            Some(Blow::Html) => {
                self.deliver(request)?;
                Ok(answer(200, None, HTML))
            }
            Some(Blow::NotFound) => Ok(answer(404, None, "{}")),
            Some(Blow::KillBefore) => panic_any(Killed),
            Some(Blow::KillAfter) => {
                self.deliver(request)?;
                panic_any(Killed)
            }
            Some(Blow::Twice) => {
                self.deliver(request)?;
                self.deliver(request)
            }
        }
    }
}

/// Calls the local tracker.
pub(crate) struct Desk {
    pub(crate) tracker: Arc<LocalTracker>,
    pub(crate) clock: VirtualClock,
    pub(crate) blows: Arc<Blows>,
}

impl Desk {
    fn call<T>(&self, boundary: &str, call: impl Fn() -> Result<T, TrackerError>) -> Result<T, TrackerError> {
        let unknown = || Err(TrackerError::Unknown("the connection broke".to_owned()));
        match self.blows.pass(boundary) {
            None => call(),
            Some(Blow::LostBefore) => unknown(),
            Some(Blow::LostAfter) => {
                call()?;
                unknown()
            }
            Some(Blow::Stall) => {
                self.clock.sleep(Duration::from_mins(1));
                call()?;
                unknown()
            }
            Some(Blow::KillBefore) => panic_any(Killed),
            Some(Blow::KillAfter) => {
                call()?;
                panic_any(Killed)
            }
            Some(_) => Err(TrackerError::Unavailable("connection refused".to_owned())),
        }
    }
}

impl Tracker for Desk {
    fn traits(&self) -> TrackerTraits {
        self.tracker.traits()
    }

    fn identify(&self) -> Result<String, TrackerError> {
        self.call("tracker identify", || self.tracker.identify())
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        self.call("tracker find", || self.tracker.find(op))
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        self.call("tracker create", || self.tracker.create(ticket))
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        self.call("tracker get", || self.tracker.get(key))
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, TrackerError> {
        self.call("tracker update", || self.tracker.update(key, change))
    }
}
