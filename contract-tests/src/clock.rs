//! The machine's clock: the one file of the crate that reads it. Verdicts never depend on it.

use std::time::Instant;

use jiff::Timestamp;

/// For measuring how long things take.
#[expect(clippy::disallowed_methods, reason = "the one place that measures durations")]
pub fn instant() -> Instant {
    Instant::now()
}

/// For saying in a report when a run began.
#[expect(clippy::disallowed_methods, reason = "the one place that says what time it is")]
pub fn timestamp() -> Timestamp {
    Timestamp::now()
}
