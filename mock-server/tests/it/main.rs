//! What the mock server does, seen from outside: in process unless a test is about sockets or processes.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod admin;
mod data_theorem;
mod durable;
mod embedding;
mod faults;
mod hostile;
mod jira;
mod listeners;
mod mend;
mod rules_coverage;
mod sandboxes;
mod support;
