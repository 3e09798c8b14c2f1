//! The tracker `jira` and the whole client against the simulators: in one process with virtual time, and once as a
//! process over sockets.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

mod manners;
mod people;
mod process;
mod site;
