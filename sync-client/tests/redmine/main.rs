//! The tracker `redmine` against a real Redmine: what it answers to what it does not like, and the whole client.
//!
//! `install.sh` installs and starts one and prints the variables that these tests read. Without them each test says
//! that it was not run.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

mod real;
mod traps;
mod whole;
