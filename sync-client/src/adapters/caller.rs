//! Sends requests to a vendor, again where that is allowed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::core::retry::{Attempt, Decision, decide, pause, pause_scope};
pub use crate::core::retry::{Patience, PauseScope, Repeat};
use crate::ports::{Clock, NoReply, Reply, Request, Transport};

/// Waits longer than this are told in the log.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(2);

/// Sends requests with [`Patience`]. Clones know of each other's waits: a server that asked for a pause is not bothered
/// by any of them.
#[derive(Clone)]
pub struct Caller {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    patience: Patience,
    /// Until when a server, by scheme, host and port, does not want to be asked anything, or a part of it about
    /// something.
    pauses: Arc<Mutex<BTreeMap<String, Timestamp>>>,
}

/// What a pause may be limited to, where the server says that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes {
    /// The method and the kind of path, e.g. `POST issue`.
    pub endpoint: Option<String>,
    /// What is changed, e.g. `SEC-12`.
    pub issue: Option<String>,
}

impl Scopes {
    /// The scope as a key in the list of pauses; `None`: the request does not belong to one of that kind.
    fn key(&self, origin: &str, scope: PauseScope) -> Option<String> {
        match scope {
            PauseScope::Everything => Some(origin.to_owned()),
            PauseScope::Endpoint => self.endpoint.as_ref().map(|name| format!("{origin} endpoint {name}")),
            PauseScope::Issue => self.issue.as_ref().map(|key| format!("{origin} issue {key}")),
        }
    }
}

impl Caller {
    /// A caller over a transport.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, patience: Patience) -> Self {
        Self { transport, clock, patience, pauses: Arc::default() }
    }

    /// The clock it waits by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Sends a request until a reply comes that says something: any but 429 and 5xx. The last reply is handed out when
    /// patience is at its end, be it what it may. A server that asked for a longer pause than there is time for is not
    /// asked; neither is any, once the run has to be over.
    pub fn call(&self, request: &Request, repeat: Repeat) -> Result<Reply, NoReply> {
        self.call_within(request, repeat, &Scopes::default())
    }

    /// The same for a server that may limit a pause to a part of itself: the others are asked meanwhile.
    pub fn call_within(&self, request: &Request, repeat: Repeat, scopes: &Scopes) -> Result<Reply, NoReply> {
        let mut number = 1;
        loop {
            self.keep_pause(request, scopes)?;
            let result = self.transport.send(request, self.timeout()?);
            let now = self.clock.now();
            if let Ok(reply) = &result {
                self.note_pause(request, scopes, reply, now);
            }
            let attempt =
                Attempt { result: &result, number, repeat, now, jitter: jitter(request, number, now) };
            match decide(&attempt, &self.patience) {
                Decision::Done | Decision::GiveUp => return result,
                Decision::Again { after } => {
                    let outcome = match &result {
                        Ok(reply) => format!("it answers {}", reply.status),
                        Err(error) => error.to_string(),
                    };
                    self.wait(request, after, &outcome);
                    number += 1;
                }
            }
        }
    }

    /// How long the next attempt may take.
    fn timeout(&self) -> Result<Duration, NoReply> {
        let Some(deadline) = self.patience.deadline else { return Ok(self.patience.timeout) };
        match Duration::try_from(deadline.duration_since(self.clock.now())) {
            Ok(left) if !left.is_zero() => Ok(left.min(self.patience.timeout)),
            _ => Err(NoReply::NotSent("the time for this run is up".to_owned())),
        }
    }

    /// Waits until the server wants to be asked again, if it said when.
    fn keep_pause(&self, request: &Request, scopes: &Scopes) -> Result<(), NoReply> {
        let origin = origin(request);
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = PauseScope::ALL.iter().filter_map(|scope| scopes.key(origin, *scope));
        let until = keys.filter_map(|key| pauses.get(&key).copied()).max();
        drop(pauses);
        let now = self.clock.now();
        let left = until.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
        match left.filter(|left| !left.is_zero()) {
            None => Ok(()),
            Some(left) if self.patience.allows(left, now) => {
                self.wait(request, left, "the server asked for a pause");
                Ok(())
            }
            Some(left) => {
                let seconds = left.as_secs();
                Err(NoReply::NotSent(format!("the server asked for a pause that goes on for {seconds} s")))
            }
        }
    }

    fn note_pause(&self, request: &Request, scopes: &Scopes, reply: &Reply, now: Timestamp) {
        let Some(pause) = pause(reply, now) else { return };
        let until = SignedDuration::try_from(pause).ok().and_then(|pause| now.checked_add(pause).ok());
        let origin = origin(request);
        let key = scopes.key(origin, pause_scope(reply)).unwrap_or_else(|| origin.to_owned());
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.insert(key, until.unwrap_or(Timestamp::MAX));
    }

    fn wait(&self, request: &Request, wait: Duration, why: &str) {
        if wait > QUIET_WAIT_MAX {
            tracing::info!(wait_s = wait.as_secs_f64(), ?request, why, "waiting");
        }
        self.clock.sleep(wait);
    }
}

/// Scheme, host and port of a request's address.
fn origin(request: &Request) -> &str {
    let url = request.url.as_str();
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    url.get(host..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url, |end| &url[..host + end])
}

/// Spreads waits between 0 and 1: different for every request, attempt and time, and the same whenever these are.
fn jitter(request: &Request, number: u32, now: Timestamp) -> f64 {
    let text = format!("{} {} {number} {}", request.method, request.url, now.as_nanosecond());
    let hash = blake3::hash(text.as_bytes());
    let share = u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]);
    f64::from(share) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};
    use jiff::{SignedDuration, Timestamp};

    use super::{Caller, Patience, Repeat, jitter, origin};
    use crate::ports::{Clock, NoReply, Reply, Request, Transport};

    /// Time that passes by sleeping only, and a server that says what it was told to say.
    struct Script {
        now: Mutex<Timestamp>,
        replies: Mutex<VecDeque<Result<Reply, NoReply>>>,
        sent: Mutex<Vec<(String, String, Duration)>>,
    }

    impl Clock for Script {
        fn now(&self) -> Timestamp {
            *self.now.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) {
            *self.now.lock().unwrap() += SignedDuration::try_from(duration).unwrap();
        }
    }

    impl Transport for Script {
        fn send(&self, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
            let time = self.now().strftime("%H:%M:%S").to_string();
            self.sent.lock().unwrap().push((time, request.url.clone(), timeout));
            self.replies.lock().unwrap().pop_front().unwrap_or_else(|| reply(200, None))
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is one of the things that a server says")]
    fn reply(status: u16, retry_after: Option<&'static str>) -> Result<Reply, NoReply> {
        let header = retry_after.map(|text| (http::header::RETRY_AFTER, HeaderValue::from_static(text)));
        Ok(Reply { status, headers: HeaderMap::from_iter(header), body: Bytes::new() })
    }

    fn request(url: &str) -> Request {
        Request { method: Method::GET, url: url.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    fn caller(
        replies: impl IntoIterator<Item = Result<Reply, NoReply>>,
        deadline: Option<&str>,
    ) -> (Arc<Script>, Caller) {
        let script = Arc::new(Script {
            now: Mutex::new("2026-11-21T10:00:00Z".parse().unwrap()),
            replies: Mutex::new(replies.into_iter().collect()),
            sent: Mutex::default(),
        });
        let patience =
            Patience { deadline: deadline.map(|time| time.parse().unwrap()), ..Patience::default() };
        (Arc::clone(&script), Caller::new(Arc::clone(&script) as _, Arc::clone(&script) as _, patience))
    }

    fn times(script: &Script) -> Vec<String> {
        script.sent.lock().unwrap().iter().map(|(time, ..)| time.clone()).collect()
    }

    #[test]
    fn it_comes_back_when_it_was_told_to() {
        let (script, caller) = caller([reply(429, Some("300")), reply(503, Some("10"))], None);
        let last = caller.call(&request("https://a.example/x"), Repeat::Never).unwrap();
        assert_eq!(last.status, 200);
        assert_eq!(times(&script), ["10:00:00", "10:05:00", "10:05:10"]);
    }

    #[test]
    fn the_last_reply_is_handed_out() {
        let (script, caller) = caller((0..9).map(|_| reply(429, None)), None);
        assert_eq!(caller.call(&request("https://a.example/x"), Repeat::Harmless).unwrap().status, 429);
        assert_eq!(times(&script).len(), 5);
        let waits_s =
            caller.clock().now().duration_since("2026-11-21T10:00:00Z".parse().unwrap()).as_secs_f64();
        assert!((7.5..=15.0).contains(&waits_s), "{waits_s}");
    }

    /// Row 1 of the catalogue.
    #[test]
    fn what_must_not_happen_twice_is_sent_once() {
        for result in [reply(500, None), reply(503, None), Err(NoReply::Unknown("reset".to_owned()))] {
            let (script, caller) = caller([result.clone()], None);
            let last = caller.call(&request("https://a.example/x"), Repeat::Never);
            assert_eq!(last.as_ref().ok().map(|reply| reply.status), result.ok().map(|reply| reply.status));
            assert_eq!(times(&script).len(), 1);
        }
    }

    /// I19: who gave up on one request must not bother the server with the next one; others may go on.
    #[test]
    fn a_pause_holds_for_every_request_to_that_server() {
        let (script, caller) = caller([reply(429, Some("100"))], Some("2026-11-21T10:01:00Z"));
        let other = caller.clone();
        assert_eq!(caller.call(&request("https://a.example/x"), Repeat::Harmless).unwrap().status, 429);
        let refused = other.call(&request("https://a.example/y?z"), Repeat::Harmless).unwrap_err();
        assert_eq!(
            refused,
            NoReply::NotSent("the server asked for a pause that goes on for 100 s".to_owned())
        );
        assert_eq!(other.call(&request("https://a.example:444/x"), Repeat::Harmless).unwrap().status, 200);
        assert_eq!(times(&script).len(), 2);
        other.clock().sleep(Duration::from_secs(30));
        assert!(matches!(other.call(&request("https://a.example"), Repeat::Never), Err(NoReply::NotSent(_))));
    }

    #[test]
    fn no_attempt_goes_beyond_the_end_of_the_run() {
        let (script, caller) = caller([], Some("2026-11-21T10:00:45Z"));
        caller.call(&request("https://a.example"), Repeat::Harmless).unwrap();
        caller.clock().sleep(Duration::from_secs(45));
        let refused = caller.call(&request("https://a.example"), Repeat::Harmless).unwrap_err();
        assert_eq!(refused, NoReply::NotSent("the time for this run is up".to_owned()));
        let timeouts: Vec<Duration> =
            script.sent.lock().unwrap().iter().map(|(.., timeout)| *timeout).collect();
        assert_eq!(timeouts, [Duration::from_secs(45)]);
    }

    #[test]
    fn servers_are_told_apart_by_scheme_host_and_port() {
        for (url, wanted) in [
            ("https://a.example/x/y?z", "https://a.example"),
            ("https://a.example?z", "https://a.example"),
            ("http://127.0.0.1:8700/x", "http://127.0.0.1:8700"),
            ("https://a.example", "https://a.example"),
            ("a", "a"),
        ] {
            assert_eq!(origin(&request(url)), wanted);
        }
    }

    #[test]
    fn waits_are_spread_and_can_be_repeated() {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let jitters: Vec<f64> =
            (1..100).map(|number| jitter(&request("https://a.example"), number, now)).collect();
        assert!(jitters.iter().all(|jitter| (0.0..=1.0).contains(jitter)));
        assert!(jitters.iter().any(|jitter| *jitter < 0.2) && jitters.iter().any(|jitter| *jitter > 0.8));
        assert_eq!(jitters[0].to_bits(), jitter(&request("https://a.example"), 1, now).to_bits());
    }
}
