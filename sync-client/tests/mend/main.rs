//! The Mend adapter against the simulator, in process and in virtual time.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

mod faults;
mod gone;
mod readings;
mod reports;
mod samples;
mod support;
