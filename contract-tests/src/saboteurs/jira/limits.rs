//! Saboteurs of what is said to those who ask too fast.

use http::HeaderValue;

use super::super::Saboteur;
use super::super::layers::{Layer, reply_to};
use super::turns;

/// What the checks ask too fast for.
const LIMITED: &[&str] = &["GET issue/:id", "PUT issue/:id"];

fn says(name: &'static str, value: &'static str) -> Layer {
    reply_to(LIMITED, move |_, reply| {
        if reply.headers.contains_key(name) {
            reply.headers.insert(name, HeaderValue::from_static(value));
        }
    })
}

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/limits/too-many-requests-429",
            "answers 503 to who asks too fast",
            turns(LIMITED, 429, 503),
        ),
        Saboteur::new(
            "jira/limits/reason-names-the-limit",
            "says of an issue's limit that it is the endpoint's",
            says("ratelimit-reason", "jira-burst-based"),
        ),
        Saboteur::new(
            "jira/limits/retry-after-in-seconds",
            "says when to come again instead of how long to wait",
            says("retry-after", "Thu, 15 Jan 2026 00:00:30 GMT"),
        ),
        Saboteur::new(
            "jira/limits/reset-is-when-the-limit-is-new",
            "says when the limit is new in seconds since 1970",
            says("x-ratelimit-reset", "1768435230"),
        ),
    ]
}
