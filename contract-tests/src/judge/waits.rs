//! Waits that servers demand.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// A wait that a server demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// For how long.
    pub how_long: HowLong,
    /// What has to wait.
    pub scope: WaitScope,
}

/// What a `Retry-After` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HowLong {
    /// That many seconds.
    Seconds(u64),
    /// Until then.
    Until(Timestamp),
    /// Nothing that can be read: the client waits as it sees fit, but not at all is too short.
    Unsaid,
}

impl HowLong {
    /// Reads the header's value, seconds or an HTTP date.
    pub fn parse(header: Option<&str>) -> Self {
        let Some(text) = header.map(str::trim) else { return Self::Unsaid };
        if let Ok(seconds) = text.parse() {
            return Self::Seconds(seconds);
        }
        let date = jiff::fmt::rfc2822::parse(text);
        date.map_or(Self::Unsaid, |date| Self::Until(date.timestamp()))
    }

    /// The first instant that is not too early after an answer at `at`.
    pub fn end(self, at: Timestamp) -> Timestamp {
        let after = |wait| at.checked_add(wait).unwrap_or(Timestamp::MAX);
        match self {
            Self::Seconds(seconds) => {
                after(SignedDuration::from_secs(seconds.try_into().unwrap_or(i64::MAX)))
            }
            Self::Until(end) => end,
            Self::Unsaid => after(SignedDuration::from_nanos(1)),
        }
    }
}

/// What a wait is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitScope {
    /// The same operation at the same server.
    Operation,
    /// The same ticket.
    Ticket,
    /// Everything at the same server.
    Server,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::HowLong;

    #[test]
    fn a_wait_is_read_as_seconds_or_date_and_otherwise_is_not_nothing() {
        let at: Timestamp = "2025-11-21T10:00:00Z".parse().unwrap();
        let end = |header| HowLong::parse(header).end(at).to_string();
        assert_eq!(end(Some("90")), "2025-11-21T10:01:30Z");
        assert_eq!(end(Some("Fri, 21 Nov 2025 10:02:00 GMT")), "2025-11-21T10:02:00Z");
        for header in [None, Some(""), Some("-1"), Some("1.5"), Some("soon")] {
            assert_eq!(HowLong::parse(header), HowLong::Unsaid, "{header:?}");
            assert!(HowLong::parse(header).end(at) > at);
        }
    }
}
