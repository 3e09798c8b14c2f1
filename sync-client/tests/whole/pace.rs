//! How fast schedules are played: the one place of these tests that reads the machine's clock.

#![expect(
    clippy::disallowed_methods,
    reason = "it measures how long the tests take, and nothing depends on it"
)]

use std::time::Instant;

pub(crate) struct Pace(Instant);

impl Pace {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// How many there were, and how many a second.
    pub(crate) fn of(&self, schedules: usize) -> String {
        let milliseconds = self.0.elapsed().as_millis().max(1);
        let tenths = schedules as u128 * 10_000 / milliseconds;
        format!("{schedules} schedules, {}.{} a second", tenths / 10, tenths % 10)
    }
}
