//! The client against simulated vendors, in one binary.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

mod data_theorem;
mod doctor;
mod http;
mod support;
