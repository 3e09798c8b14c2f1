//! The real binary over real sockets: what people and scripts see, and what a process leaves behind that is killed,
//! runs out of disk, or finds files that are not its own.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

mod commands;
mod disk;
mod every;
mod files;
mod kills;
mod measure;
mod secrets;
mod step;
mod time_zones;
mod trust;
mod two_at_once;
mod world;
