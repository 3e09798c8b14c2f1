//! The one clock that drives everything a client can see.
//!
//! This is the only file of the crate that reads the machine's clock. A sandbox's clock either follows the
//! machine's, with an offset, or stands still until it is moved.

use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How a clock runs: `system`, `manual`, `system+OFFSET` or `system-OFFSET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClockMode {
    /// The machine's clock plus an offset.
    System {
        /// How far ahead of the machine's clock; negative: behind.
        offset: SignedDuration,
    },
    /// Stands still until it is moved.
    Manual,
}

impl ClockMode {
    /// The machine's clock as it is.
    pub const SYSTEM: Self = Self::System { offset: SignedDuration::ZERO };
}

/// A text that is no clock mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a clock is `system`, `manual`, `system+OFFSET` or `system-OFFSET` with an offset such as `90s` or `2h30m`, not {text:?}"
)]
pub struct ClockModeError {
    text: String,
}

impl FromStr for ClockMode {
    type Err = ClockModeError;

    fn from_str(text: &str) -> Result<Self, ClockModeError> {
        let error = || ClockModeError { text: text.to_owned() };
        match text {
            "manual" => return Ok(Self::Manual),
            "system" => return Ok(Self::SYSTEM),
            _ => {}
        }
        let offset = text.strip_prefix("system").ok_or_else(error)?;
        let (sign, amount) = match offset.as_bytes().first() {
            Some(b'+') => (1, &offset[1..]),
            Some(b'-') => (-1, &offset[1..]),
            _ => return Err(error()),
        };
        let amount: SignedDuration = amount.parse().map_err(|_| error())?;
        let offset = amount.checked_mul(sign).ok_or_else(error)?;
        Ok(Self::System { offset })
    }
}

impl TryFrom<String> for ClockMode {
    type Error = ClockModeError;

    fn try_from(text: String) -> Result<Self, ClockModeError> {
        text.parse()
    }
}

impl From<ClockMode> for String {
    fn from(mode: ClockMode) -> Self {
        mode.to_string()
    }
}

impl std::fmt::Display for ClockMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Manual => f.write_str("manual"),
            Self::System { offset } if offset.is_zero() => f.write_str("system"),
            Self::System { offset } if offset.is_negative() => write!(f, "system-{:#}", offset.abs()),
            Self::System { offset } => write!(f, "system+{offset:#}"),
        }
    }
}

/// A clock with microseconds, like the vendors' timestamps.
#[derive(Debug)]
pub struct Clock {
    state: Mutex<ClockState>,
}

/// All there is to know about a clock, for keeping it and bringing it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Runs with the machine's clock.
    System {
        /// How far ahead of it.
        offset: SignedDuration,
    },
    /// Stands still.
    Manual {
        /// What it shows.
        now: Timestamp,
    },
}

impl Clock {
    /// A clock in this mode; a manual one starts at `epoch`.
    pub fn new(mode: ClockMode, epoch: Timestamp) -> Self {
        let state = match mode {
            ClockMode::System { offset } => ClockState::System { offset },
            ClockMode::Manual => ClockState::Manual { now: epoch },
        };
        Self { state: Mutex::new(state) }
    }

    /// What the clock shows, cut to microseconds.
    pub fn now(&self) -> Timestamp {
        match *self.lock() {
            ClockState::Manual { now } => now,
            ClockState::System { offset } => {
                to_micros(machine_now().saturating_add(offset).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// All there is to know about it.
    pub fn state(&self) -> ClockState {
        *self.lock()
    }

    /// Brings a clock back.
    pub fn restore(&self, state: ClockState) {
        *self.lock() = state;
    }

    /// How the clock runs.
    pub fn mode(&self) -> ClockMode {
        match *self.lock() {
            ClockState::Manual { .. } => ClockMode::Manual,
            ClockState::System { offset } => ClockMode::System { offset },
        }
    }

    /// Moves the clock by `step`, forwards or backwards, and returns what it shows then. A system clock keeps
    /// running from there.
    pub fn advance(&self, step: SignedDuration) -> Timestamp {
        {
            let mut state = self.lock();
            match &mut *state {
                ClockState::Manual { now } => *now = to_micros(now.saturating_add(step).unwrap_or(*now)),
                ClockState::System { offset } => *offset = offset.saturating_add(step),
            }
        }
        self.now()
    }

    /// Sets a manual clock to `to`, or the offset of a system clock so that it shows `to` now.
    pub fn set(&self, to: Timestamp) -> Timestamp {
        {
            let mut state = self.lock();
            match &mut *state {
                ClockState::Manual { now } => *now = to_micros(to),
                ClockState::System { offset } => *offset = to.duration_since(machine_now()),
            }
        }
        self.now()
    }

    /// Goes over to another mode; a manual clock starts at what the clock shows.
    pub fn switch(&self, mode: ClockMode) -> Timestamp {
        let now = self.now();
        *self.lock() = match mode {
            ClockMode::Manual => ClockState::Manual { now },
            ClockMode::System { offset } => ClockState::System { offset },
        };
        self.now()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::new(time.as_second(), time.subsec_nanosecond() / 1_000 * 1_000).unwrap_or(time)
}

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "this file is the one place that reads the machine's clock")]
fn machine_now() -> Timestamp {
    Timestamp::now()
}

/// Today 00:00 UTC by the machine's clock: the default epoch under a system clock.
pub fn today() -> Timestamp {
    let now = machine_now();
    let day = 86_400;
    Timestamp::from_second(now.as_second().div_euclid(day) * day).unwrap_or(now)
}

/// The default epoch under a manual clock: 2026-01-15T00:00:00Z.
pub fn manual_epoch() -> Timestamp {
    Timestamp::constant(1_768_435_200, 0)
}

/// Time since the process started to care, for idle expiry and durations that no client sees.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one place that reads the machine's clock"
    )]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Clock, ClockMode, manual_epoch};

    #[test]
    fn modes_read_as_they_print() {
        for text in ["system", "manual", "system+1h 30m", "system-2s"] {
            let mode: ClockMode = text.parse().unwrap();
            assert_eq!(mode.to_string().parse::<ClockMode>().unwrap(), mode, "{text}");
        }
        for text in ["", "systems", "system+", "system*2h", "system+soon", "2h"] {
            assert!(text.parse::<ClockMode>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_manual_clock_stands_until_moved() {
        let clock = Clock::new(ClockMode::Manual, manual_epoch());
        assert_eq!(clock.now(), manual_epoch());
        let later = clock.advance(SignedDuration::from_hours(2));
        assert_eq!(later.duration_since(manual_epoch()), SignedDuration::from_hours(2));
        assert_eq!(clock.now(), later);
        assert_eq!(manual_epoch().to_string(), "2026-01-15T00:00:00Z");
    }

    #[test]
    fn a_clock_stops_at_the_end_of_time() {
        let clock = Clock::new(ClockMode::Manual, manual_epoch());
        let end = clock.advance(SignedDuration::MAX);
        assert_eq!(end.subsec_nanosecond() % 1_000, 0, "{end}");
        assert_eq!(clock.advance(SignedDuration::from_secs(1)), end);
    }

    #[test]
    fn an_offset_clock_runs_ahead() {
        let ahead = Clock::new("system+2h".parse().unwrap(), manual_epoch());
        let plain = Clock::new(ClockMode::SYSTEM, manual_epoch());
        let difference = ahead.now().duration_since(plain.now());
        assert!((difference - SignedDuration::from_hours(2)).abs() < SignedDuration::from_mins(1));
    }
}
