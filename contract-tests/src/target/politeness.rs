//! A request budget and a pause between requests, for accounts that are somebody's.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::exchange::{NoAnswer, Reply, Request};
use super::transport::{SharedTransport, Transport};
use crate::clock;

/// How much a run may ask of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in all.
    pub requests_max: u32,
    /// Pause between two requests.
    pub pause: Duration,
}

impl Default for Limits {
    /// Two thousand requests, four a second.
    fn default() -> Self {
        Self { requests_max: 2_000, pause: Duration::from_millis(250) }
    }
}

/// A transport that keeps to limits. It sends one request at a time.
pub struct Polite {
    inner: SharedTransport,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sent: u32,
    last: Option<Instant>,
}

impl Polite {
    /// Keeps what goes through `inner` to these limits.
    pub fn new(inner: SharedTransport, limits: Limits) -> Self {
        Self { inner, limits, state: Mutex::default() }
    }
}

impl Transport for Polite {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.sent >= self.limits.requests_max {
            let budget = self.limits.requests_max;
            return Err(NoAnswer(format!(
                "the budget of {budget} requests is spent; --requests-max raises it"
            )));
        }
        state.sent += 1;
        let wait = state.last.map_or(Duration::ZERO, |last| self.limits.pause.saturating_sub(last.elapsed()));
        std::thread::sleep(wait);
        let outcome = self.inner.send(request);
        state.last = Some(clock::instant());
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, Method};

    use super::*;

    struct Ok200;

    impl Transport for Ok200 {
        fn send(&self, _: Request) -> Result<Reply, NoAnswer> {
            Ok(Reply { status: 200, headers: HeaderMap::new(), body: bytes::Bytes::new() })
        }
    }

    #[test]
    fn the_budget_holds_and_requests_keep_their_distance() {
        let limits = Limits { requests_max: 3, pause: Duration::from_millis(20) };
        let polite = Polite::new(Arc::new(Ok200), limits);
        let start = clock::instant();
        let answers: Vec<bool> =
            (0..4).map(|_| polite.send(Request::new(Method::GET, "http://x/".to_owned())).is_ok()).collect();
        assert_eq!(answers, [true, true, true, false]);
        assert!(start.elapsed() >= Duration::from_millis(40));
    }
}
