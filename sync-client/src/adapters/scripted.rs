//! For tests: a server that says what it was told to say, and time that passes by sleeping only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::caller::{Caller, Patience};
use crate::ports::{Clock, NoReply, Reply, Request, Transport};

/// A request that the server got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Got {
    /// E.g. `GET /issues/1.json`, with the query.
    pub(crate) what: String,
    pub(crate) body: Value,
    /// Seconds since the script began.
    pub(crate) at_s: i64,
}

/// An answer of the server: to the next request that begins with this.
struct Line {
    to: String,
    answer: Result<Reply, NoReply>,
}

/// The server. What nothing was said about is an error of the test.
pub(crate) struct Scripted {
    lines: Mutex<VecDeque<Line>>,
    got: Mutex<Vec<Got>>,
    now: Mutex<Timestamp>,
}

const START: &str = "2026-11-22T10:00:00Z";

impl Scripted {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            lines: Mutex::default(),
            got: Mutex::default(),
            now: Mutex::new(START.parse().unwrap()),
        })
    }

    /// The next request that begins with `to` is answered so.
    pub(crate) fn answer(&self, to: &str, status: u16, body: &Value) -> &Self {
        self.reply(to, status, &[], &body.to_string())
    }

    /// The same with headers, and with a body that may be anything.
    pub(crate) fn reply(&self, to: &str, status: u16, headers: &[(&str, &str)], body: &str) -> &Self {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        let body = Bytes::copy_from_slice(if body == "null" { b"" } else { body.as_bytes() });
        let answer = Ok(Reply { status, headers: headers.collect::<HeaderMap>(), body });
        self.lines.lock().unwrap().push_back(Line { to: to.to_owned(), answer });
        self
    }

    /// The next request that begins with `to` gets no reply.
    pub(crate) fn fail(&self, to: &str, error: NoReply) -> &Self {
        self.lines.lock().unwrap().push_back(Line { to: to.to_owned(), answer: Err(error) });
        self
    }

    pub(crate) fn caller(self: &Arc<Self>) -> Caller {
        Caller::new(Arc::clone(self) as _, Arc::clone(self) as _, Patience::default())
    }

    /// What the server got since this was asked last.
    pub(crate) fn got(&self) -> Vec<Got> {
        std::mem::take(&mut self.got.lock().unwrap())
    }

    /// The same, without bodies and times.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.what).collect()
    }

    /// How many answers nobody asked for.
    pub(crate) fn unused(&self) -> usize {
        self.lines.lock().unwrap().len()
    }
}

impl Clock for Scripted {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        *self.now.lock().unwrap() += SignedDuration::try_from(duration).unwrap();
    }
}

impl Transport for Scripted {
    fn send(&self, request: &Request, _: Duration) -> Result<Reply, NoReply> {
        let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
        let what = format!("{} /{path}", request.method);
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let began: Timestamp = START.parse().unwrap();
        let at_s = self.now().duration_since(began).as_secs();
        self.got.lock().unwrap().push(Got { what: what.clone(), body, at_s });
        let mut lines = self.lines.lock().unwrap();
        let place = lines.iter().position(|line| what.starts_with(&line.to));
        let line = place.and_then(|place| lines.remove(place));
        line.unwrap_or_else(|| panic!("nothing was said about {what}")).answer
    }
}
