//! Whether a request is sent again, and when (I18, I19).
//!
//! Pure: the time, the randomness and what came back are arguments. Deliberately absent: what a reply says beyond its
//! status and headers. A 429 may well be a page of HTML.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};

use super::http_date;
use crate::ports::{NoReply, Reply};

/// The longest that the client waits of its own accord between two attempts.
const BACKOFF_MAX: Duration = Duration::from_mins(1);
/// The longest wait that a server is granted. Who asks for more is not asked again in this run.
pub const WAIT_MAX: Duration = Duration::from_hours(1);

/// Whether a request may be sent again when it is not known what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing, or has the same effect however often it arrives.
    Harmless,
    /// Sending it twice would do it twice.
    Never,
}

/// How patient the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// The most attempts per request.
    pub attempts_max: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// When the run has to be over, whatever the servers do (I18).
    pub deadline: Option<Timestamp>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts_max: 5, timeout: Duration::from_mins(1), deadline: None }
    }
}

impl Patience {
    /// Whether a wait that begins `now` is over before the run has to be, and is no longer than any server is granted.
    pub fn allows(&self, wait: Duration, now: Timestamp) -> bool {
        wait <= WAIT_MAX
            && self.deadline.is_none_or(|deadline| {
                SignedDuration::try_from(wait).is_ok_and(|wait| deadline.duration_since(now) > wait)
            })
    }
}

/// An attempt and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// What came back.
    pub result: &'a Result<Reply, NoReply>,
    /// Which attempt it was, from 1.
    pub number: u32,
    /// Whether the request may be sent again.
    pub repeat: Repeat,
    /// The time at which it came back.
    pub now: Timestamp,
    /// From 0 to 1, spreads the waits of clients that were turned away together.
    pub jitter: f64,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The reply says something: hand it out.
    Done,
    /// Send it again after this time, which is never 0.
    Again {
        /// How long to wait.
        after: Duration,
    },
    /// The reply says nothing, and sending it again is not allowed or has been done often enough.
    GiveUp,
}

/// Decides after an attempt.
///
/// A request that may not be repeated is sent again only where it surely had no effect: it could not be sent, or the
/// server turned it away with 429, or with 503 and a time to come back.
pub fn decide(attempt: &Attempt<'_>, patience: &Patience) -> Decision {
    let (had_no_effect, asked) = match attempt.result {
        Ok(Reply { status: 429, headers, .. }) => (true, asked_wait(headers, attempt.now)),
        Ok(Reply { status: status @ 500..=599, headers, .. }) => {
            let asked = asked_wait(headers, attempt.now);
            (*status == 503 && asked.is_some(), asked)
        }
        Ok(_) => return Decision::Done,
        Err(NoReply::NotSent(_)) => (true, None),
        Err(NoReply::Unknown(_)) => (false, None),
    };
    let may_repeat = had_no_effect || attempt.repeat == Repeat::Harmless;
    if !may_repeat || attempt.number >= patience.attempts_max {
        return Decision::GiveUp;
    }
    let after =
        asked.filter(|wait| !wait.is_zero()).unwrap_or_else(|| backoff(attempt.number, attempt.jitter));
    if patience.allows(after, attempt.now) { Decision::Again { after } } else { Decision::GiveUp }
}

/// How long a reply asks not to be followed by any other request to the same server; `None` if it does not.
pub fn pause(reply: &Reply, now: Timestamp) -> Option<Duration> {
    match reply.status {
        429 | 503 => asked_wait(&reply.headers, now).filter(|wait| !wait.is_zero()),
        _ => None,
    }
}

/// What a pause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseScope {
    /// Everything that is asked of the server.
    Everything,
    /// Requests of this method and kind of path.
    Endpoint,
    /// Changes of this ticket.
    Issue,
}

impl PauseScope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Everything, Self::Endpoint, Self::Issue];
}

/// What the pause of a reply is about. Jira Cloud limits in three independent ways and says which in the header
/// `RateLimit-Reason` (developer.atlassian.com/cloud/jira/platform/rate-limiting); without it everything waits.
pub fn pause_scope(reply: &Reply) -> PauseScope {
    let reason = reply.headers.get("ratelimit-reason").and_then(|value| value.to_str().ok());
    match reason.map(str::trim) {
        Some(reason) if reason.eq_ignore_ascii_case("jira-burst-based") => PauseScope::Endpoint,
        Some(reason) if reason.eq_ignore_ascii_case("jira-per-issue-on-write") => PauseScope::Issue,
        _ => PauseScope::Everything,
    }
}

/// How long a server asks not to be asked, if a reply says so: 0 if that time is past. Reads `Retry-After` in seconds,
/// with a fraction or as a date, and else `X-RateLimit-Reset` as an ISO 8601 time. `None`: the headers are absent, or
/// nothing can be made of them.
///
/// A date is compared with the `Date` of the same reply, so that it does not matter what the client's clock shows.
pub fn asked_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let server_now = text(DATE.as_str()).and_then(http_date::read).unwrap_or(now);
    let until = |time: Timestamp| {
        let wait = time.duration_since(server_now).max(SignedDuration::ZERO);
        Duration::try_from(wait).unwrap_or_default()
    };
    let retry_after = text(RETRY_AFTER.as_str())
        .and_then(|value| seconds(value).or_else(|| http_date::read(value).map(until)));
    retry_after.or_else(|| text("x-ratelimit-reset").and_then(iso_time).map(until))
}

/// A number of seconds, with or without a fraction, and not negative.
fn seconds(text: &str) -> Option<Duration> {
    // Signs, exponents and words such as `inf` parse as numbers, too.
    if !text.starts_with(|first: char| first.is_ascii_digit())
        || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let seconds = text.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// An ISO 8601 time in UTC or with an offset, with or without seconds, e.g. `2026-03-02T10:15Z`.
fn iso_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Between half of 1 s, 2 s, 4 s … and the whole, at most [`BACKOFF_MAX`].
fn backoff(number: u32, jitter: f64) -> Duration {
    let doublings = number.saturating_sub(1).min(16);
    let whole = Duration::from_secs(1 << doublings).min(BACKOFF_MAX);
    // A jitter that is no number is none.
    let share = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 1.0 };
    whole.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderName, HeaderValue};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{Attempt, Decision, Patience, Repeat, WAIT_MAX, decide, pause};
    use crate::ports::{NoReply, Reply};

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is one of the things that come back")]
    fn reply(status: u16, headers: &[(&str, &str)]) -> Result<Reply, NoReply> {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        Ok(Reply { status, headers: headers.collect(), body: Bytes::new() })
    }

    fn first(result: &Result<Reply, NoReply>, repeat: Repeat) -> Decision {
        decide(&Attempt { result, number: 1, repeat, now: now(), jitter: 1.0 }, &Patience::default())
    }

    fn again(seconds: f64) -> Decision {
        Decision::Again { after: Duration::from_secs_f64(seconds) }
    }

    /// Rows 44 and 45 of the catalogue. Without a usable time the first wait is a second.
    #[test]
    fn a_429_waits_as_long_as_it_says_and_never_not_at_all() {
        for (headers, wanted) in [
            (&[("retry-after", "2")][..], 2.0),
            (&[("retry-after", " 7 ")], 7.0),
            (&[("retry-after", "300")], 300.0),
            (&[("retry-after", "1.5")], 1.5),
            (&[("retry-after", "Sat, 21 Nov 2026 10:02:00 GMT")], 120.0),
            (&[("retry-after", "Saturday, 21-Nov-26 10:02:00 GMT")], 120.0),
            // The server's clock is an hour ahead, or behind: what counts is the difference.
            (
                &[
                    ("retry-after", "Sat, 21 Nov 2026 11:00:30 GMT"),
                    ("date", "Sat, 21 Nov 2026 11:00:00 GMT"),
                ],
                30.0,
            ),
            (
                &[
                    ("retry-after", "Sat, 21 Nov 2026 09:00:30 GMT"),
                    ("date", "Sat, 21 Nov 2026 09:00:00 GMT"),
                ],
                30.0,
            ),
            (&[("x-ratelimit-reset", "2026-11-21T10:05Z")], 300.0),
            (&[("x-ratelimit-reset", "2026-11-21T12:01:00+02:00")], 60.0),
            (&[("retry-after", "soon"), ("x-ratelimit-reset", "2026-11-21T10:01Z")], 60.0),
            (&[("retry-after", "3"), ("x-ratelimit-reset", "2026-11-21T10:01Z")], 3.0),
            (&[], 1.0),
            (&[("retry-after", "")], 1.0),
            (&[("retry-after", "0")], 1.0),
            (&[("retry-after", "-5")], 1.0),
            (&[("retry-after", "1.2.3")], 1.0),
            (&[("retry-after", "inf")], 1.0),
            (&[("retry-after", "1e9")], 1.0),
            (&[("retry-after", "Sat, 21 Nov 2026 09:00:00 GMT")], 1.0),
            (&[("x-ratelimit-reset", "2026-11-21T09:59Z")], 1.0),
            (&[("x-ratelimit-reset", "later")], 1.0),
        ] {
            for repeat in [Repeat::Harmless, Repeat::Never] {
                assert_eq!(first(&reply(429, headers), repeat), again(wanted), "{headers:?} {repeat:?}");
            }
        }
    }

    #[test]
    fn what_may_have_had_an_effect_is_repeated_only_where_that_is_harmless() {
        let later = &[("retry-after", "4")][..];
        let unknown = Err(NoReply::Unknown("reset".to_owned()));
        let not_sent = Err(NoReply::NotSent("refused".to_owned()));
        for (result, harmless, never) in [
            (reply(500, &[]), again(1.0), Decision::GiveUp),
            (reply(500, later), again(4.0), Decision::GiveUp),
            (reply(502, &[]), again(1.0), Decision::GiveUp),
            (reply(504, later), again(4.0), Decision::GiveUp),
            (reply(503, &[]), again(1.0), Decision::GiveUp),
            (reply(503, &[("retry-after", "soon")]), again(1.0), Decision::GiveUp),
            (reply(503, later), again(4.0), again(4.0)),
            (unknown, again(1.0), Decision::GiveUp),
            (not_sent, again(1.0), again(1.0)),
            (reply(200, &[]), Decision::Done, Decision::Done),
            (reply(302, later), Decision::Done, Decision::Done),
            (reply(404, later), Decision::Done, Decision::Done),
        ] {
            assert_eq!(first(&result, Repeat::Harmless), harmless, "{result:?}");
            assert_eq!(first(&result, Repeat::Never), never, "{result:?}");
        }
    }

    #[test]
    fn attempts_are_bounded_and_waits_double() {
        let result = reply(500, &[]);
        let waits: Vec<Decision> = (1..=5)
            .map(|number| {
                let attempt =
                    Attempt { result: &result, number, repeat: Repeat::Harmless, now: now(), jitter: 0.0 };
                decide(&attempt, &Patience::default())
            })
            .collect();
        assert_eq!(waits, [again(0.5), again(1.0), again(2.0), again(4.0), Decision::GiveUp]);
    }

    #[test]
    fn no_wait_ends_after_the_run_has_to_be_over() {
        let result = reply(429, &[("retry-after", "60")]);
        let attempt =
            Attempt { result: &result, number: 1, repeat: Repeat::Harmless, now: now(), jitter: 0.0 };
        let until = |deadline: &str| {
            let patience = Patience { deadline: deadline.parse().ok(), ..Patience::default() };
            decide(&attempt, &patience)
        };
        assert_eq!(until("2026-11-21T10:01:01Z"), again(60.0));
        assert_eq!(until("2026-11-21T10:01:00Z"), Decision::GiveUp);
        assert_eq!(until("2026-11-21T09:00:00Z"), Decision::GiveUp);
    }

    #[test]
    fn who_asks_for_ages_is_not_asked_again() {
        for (wait, wanted) in [("3600", again(3600.0)), ("3601", Decision::GiveUp)] {
            assert_eq!(first(&reply(429, &[("retry-after", wait)]), Repeat::Harmless), wanted);
        }
        for wait in ["99999999999999999999999", "Sat, 21 Nov 9998 10:00:00 GMT"] {
            let result = reply(429, &[("retry-after", wait)]);
            assert_eq!(first(&result, Repeat::Harmless), Decision::GiveUp, "{wait}");
            assert!(pause(&result.unwrap(), now()).is_some_and(|pause| pause > WAIT_MAX));
        }
    }

    proptest! {
        /// No header, however odd, makes the client panic, wait not at all, or come back before the time it was told.
        #[test]
        fn odd_headers_neither_stop_the_client_nor_hurry_it(
            status in prop_oneof![Just(429), Just(500), Just(503)],
            retry_after in prop_oneof!["[ -~]{0,24}", "[0-9.+-]{0,12}"],
            reset in proptest::option::of("[0-9TZ:+-]{0,24}"),
            number in 1_u32..40,
            jitter in any::<f64>(),
        ) {
            let mut headers = vec![("retry-after", retry_after.as_str())];
            headers.extend(reset.as_deref().map(|reset| ("x-ratelimit-reset", reset)));
            let result = reply(status, &headers);
            let patience = Patience { attempts_max: 40, ..Patience::default() };
            let attempt = Attempt { result: &result, number, repeat: Repeat::Harmless, now: now(), jitter };
            let decision = decide(&attempt, &patience);
            let whole = retry_after.trim().parse::<u64>().ok().filter(|_| !retry_after.contains('+'));
            match (decision, whole) {
                (Decision::Again { after }, Some(seconds)) => prop_assert!(after >= Duration::from_secs(seconds)),
                (Decision::Again { after }, None) => prop_assert!(!after.is_zero()),
                (Decision::GiveUp, _) => prop_assert!(pause(&result.unwrap(), now()).is_none_or(|pause| pause > WAIT_MAX)),
                (Decision::Done, _) => prop_assert!(false, "a {status} says nothing"),
            }
        }
    }
}
