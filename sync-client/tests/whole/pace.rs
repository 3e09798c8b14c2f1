//! How fast schedules are played, for whoever wants to play more of them.

use std::time::Instant;

/// A moment before the first schedule.
#[expect(
    clippy::disallowed_methods,
    reason = "how long this machine takes is what is asked; nothing depends on it"
)]
pub(crate) fn begin() -> Instant {
    Instant::now()
}

/// Says how many there were, and how many in a second.
pub(crate) fn say(what: &str, count: usize, began: Instant) {
    let passed_ms = began.elapsed().as_millis().max(1);
    let in_ten_seconds = count as u128 * 10_000 / passed_ms;
    eprintln!("{count} {what}, {}.{} a second", in_ten_seconds / 10, in_ten_seconds % 10);
}
