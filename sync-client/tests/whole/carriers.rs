//! Transport, tracker and clock of the harness: the real ones, with blows in between.

use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract_tests::judge::journal::Call;
use contract_tests::target::exchange;
use contract_tests::target::transport::{InProcess, Transport as _};
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use mock_server::Control;
use sync_client::adapters::local::LocalTracker;
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::ports::{
    BrokenOff, Change, Clock, Created, NewTicket, NoReply, Reply, Request, Ticket, Tracker, TrackerError,
    TrackerTraits, Transport,
};

use crate::blows::{Blow, Blows, JIRA, Killed};
use crate::record::Record;
use crate::trackers::jira;

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
    pub(crate) record: Arc<Record>,
    pub(crate) server: Arc<InProcess>,
    pub(crate) clock: VirtualClock,
    pub(crate) blows: Arc<Blows>,
}

impl Wire {
    fn deliver(&self, request: &Request) -> Result<Reply, NoReply> {
        let call = exchange::Request {
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
}

/// The name of the boundary: the method and path, or Mend's request type.
pub(crate) fn boundary(request: &Request) -> String {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match body["requestType"].as_str() {
        Some(request_type) => request_type.to_owned(),
        None => {
            let (side, root) = if is_jira(request) { (JIRA, "/rest/api/") } else { ("", "/v2/") };
            let path = request.url.split(root).nth(1).unwrap_or(&request.url);
            // Both versions of Jira's API have the same paths.
            let path =
                if side.is_empty() { path } else { path.split_once('/').map_or(path, |(_, path)| path) };
            format!("{side}{} {path}", request.method)
        }
    }
}

fn is_jira(request: &Request) -> bool {
    request.url.contains("/rest/api/")
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
        let blow = self.blows.pass(&boundary(request));
        let at = self.clock.now();
        let mut delivered = None;
        let mut deliver = || {
            let reply = self.deliver(request)?;
            delivered = Some(reply.clone());
            Ok(reply)
        };
        let lost = || Err(NoReply::Unknown("connection reset by peer".to_owned()));
        // None: the client is killed.
        let outcome = match blow {
            None => Some(deliver()),
            Some(Blow::Refused) => Some(Err(NoReply::NotSent("connection refused".to_owned()))),
            Some(Blow::LostBefore) => Some(lost()),
            Some(Blow::LostAfter) => Some(deliver().and_then(|_| lost())),
            Some(Blow::ErrorBefore(status)) => Some(Ok(answer(status, None, "{\"error\":\"try again\"}"))),
            Some(Blow::ErrorAfter) => Some(deliver().map(|_| answer(500, None, "oops"))),
            Some(Blow::TooMany(retry_after)) => Some(Ok(answer(429, retry_after, "{}"))),
            Some(Blow::TooManyInHtml) => Some(Ok(answer(429, None, HTML))),
            Some(Blow::Stall) => {
                self.clock.sleep(timeout);
                Some(deliver().and_then(|_| Err(NoReply::Unknown("timed out".to_owned()))))
            }
            Some(Blow::Truncated) => Some(deliver().map(|mut reply| {
                reply.body = reply.body.slice(..reply.body.len() / 2);
                reply
            })),
            Some(Blow::Html) => Some(deliver().map(|_| answer(200, None, HTML))),
            Some(Blow::NotFound) => Some(Ok(answer(404, None, "{}"))),
            Some(Blow::KillBefore) => None,
            Some(Blow::KillAfter) => deliver().err().map(Err),
            Some(Blow::Twice) => Some(deliver().and_then(|_| deliver())),
            Some(Blow::Anonymous) => {
                let mut stripped = request.clone();
                stripped.headers.remove("authorization");
                Some(self.deliver(&stripped))
            }
        };
        let shown = |reply: &Reply| (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default());
        let seen = outcome.as_ref().and_then(|outcome| outcome.as_ref().ok()).map(shown);
        let delivered = delivered.as_ref().map(shown);
        if is_jira(request) {
            let call = jira::call(&self.clock.0, &self.record, request, delivered.as_ref());
            self.record.jira(at, call, blow, delivered.as_ref(), seen);
        } else {
            self.record.vendor(at, request, blow, delivered.as_ref(), seen);
        }
        outcome.unwrap_or_else(|| panic_any(Killed))
    }
}

/// Calls the local tracker.
pub(crate) struct Desk {
    pub(crate) record: Arc<Record>,
    pub(crate) tracker: Arc<LocalTracker>,
    pub(crate) clock: VirtualClock,
    pub(crate) blows: Arc<Blows>,
}

impl Desk {
    /// Calls the tracker. `calls` says what that was for the judge, from what it led to.
    fn call<T>(
        &self,
        boundary: &str,
        call: impl Fn() -> Result<T, TrackerError>,
        calls: impl Fn(Option<&T>) -> Vec<Call>,
    ) -> Result<T, TrackerError> {
        let blow = self.blows.pass(boundary);
        let at = self.clock.now();
        let unknown = || Err(TrackerError::Unknown("the connection broke".to_owned()));
        let mut applied = None;
        // None: the client is killed.
        let outcome = match blow {
            None => Some(call()),
            Some(Blow::LostBefore) => Some(unknown()),
            Some(Blow::LostAfter) => {
                applied = Some(call()?);
                Some(unknown())
            }
            Some(Blow::Stall) => {
                self.clock.sleep(Duration::from_mins(1));
                applied = Some(call()?);
                Some(unknown())
            }
            Some(Blow::KillBefore) => None,
            Some(Blow::KillAfter) => {
                applied = Some(call()?);
                None
            }
            Some(_) => Some(Err(TrackerError::Unavailable("connection refused".to_owned()))),
        };
        let done = applied.as_ref().or(outcome.as_ref().and_then(|outcome| outcome.as_ref().ok()));
        let lost: Result<T, TrackerError> = unknown();
        self.record.tracker(at, calls(done), blow, done.is_some(), outcome.as_ref().unwrap_or(&lost));
        outcome.unwrap_or_else(|| panic_any(Killed))
    }
}

impl Tracker for Desk {
    fn traits(&self) -> TrackerTraits {
        self.tracker.traits()
    }

    fn identify(&self) -> Result<String, TrackerError> {
        self.call("tracker identify", || self.tracker.identify(), |_| vec![Call::Identify])
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        let find = || self.tracker.find(op);
        self.call("tracker find", find, |found| {
            let found = found.into_iter().flatten().map(|ticket| ticket.key.as_str().into()).collect();
            vec![Call::Find { group: self.record.group_of(op), found }]
        })
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        let create = || self.tracker.create(ticket);
        self.call("tracker create", create, |created| {
            let made = created.map(|created| created.ticket().key.as_str().into());
            let fields = [("title", &ticket.title), ("description", &ticket.description)];
            vec![Call::Create {
                group: self.record.group_of(&ticket.op),
                ticket: made,
                fields: fields.map(|(name, text)| (name.to_owned(), text.clone())).into(),
                labels: ticket.labels.iter().cloned().collect(),
            }]
        })
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        let get = || self.tracker.get(key);
        self.call("tracker get", get, |found| {
            let found = found.and_then(Option::as_ref).map(|ticket| ticket.key.as_str().into());
            vec![Call::Get { ticket: key.as_str().into(), found }]
        })
    }

    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        let changed = || self.tracker.changed(since);
        self.call("tracker changed", changed, |found| {
            let found = found.into_iter().flatten().map(|ticket| ticket.key.as_str().into()).collect();
            vec![Call::Find { group: None, found }]
        })
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        let update = || self.tracker.update(key, change).map_err(|broken| broken.error);
        // It does all or nothing.
        self.call("tracker update", update, |_| {
            let comment = change.comment.as_ref().map(|text| {
                let (ticket, text) = (key.as_str().into(), text.clone());
                Call::Comment { ticket, text }
            });
            let duplicate_of = change.comment.as_deref().and_then(|text| text.strip_prefix("Duplicate of "));
            let duplicate_of = duplicate_of.and_then(|text| text.split(',').next()).map(Into::into);
            let done = change.is_done.map(|is_done| {
                let ticket = key.as_str().into();
                Call::SetDone { ticket, is_done, duplicate_of }
            });
            comment.into_iter().chain(done).collect()
        })
        .map_err(BrokenOff::from)
    }
}
