//! What must be true of a vendor's API, checked from outside.
//!
//! [`suite`] holds the checks, one per rule of the ledger; [`target`] is what they are run against; [`mod@run`] runs
//! them and [`report`] says what came of it; [`saboteurs`] prove that each of them can fail. Deliberately absent so
//! far: the judge of sync clients.

#![allow(clippy::enum_glob_use, reason = "tables of shapes read like prose without the enum's name")]

pub mod cli;
pub mod clock;
pub mod coverage;
pub mod judge;
pub mod known_failures;
pub mod report;
pub mod run;
pub mod saboteurs;
pub mod sequences;
pub mod suite;
pub mod target;
pub mod validated;
