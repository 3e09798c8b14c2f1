//! What must be true of a vendor's API, checked from outside.
//!
//! [`suite`] holds the checks, one per rule of the ledger; [`target`] is what they are run against; [`run`] runs
//! them; [`saboteurs`] prove that each of them can fail. Deliberately absent so far: the judge of sync clients.

#![allow(clippy::enum_glob_use, reason = "tables of shapes read like prose without the enum's name")]

pub mod cli;
pub mod coverage;
pub mod run;
pub mod saboteurs;
pub mod suite;
pub mod target;
