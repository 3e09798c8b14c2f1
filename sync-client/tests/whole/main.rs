//! The whole client against the simulators, in one process: no sockets, virtual time, and a ledger whose crash falls
//! back to its last commit. Everything between two questions is the client's own code.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

mod blows;
mod carriers;
mod catalogue;
mod every_boundary;
mod layers;
mod machine;
mod pace;
mod pairs;
mod quiet;
mod readings;
mod record;
mod step;
mod trackers;
mod two_way;
mod world;
