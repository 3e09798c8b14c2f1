//! A client that will keep a tracker in step with security vendors' findings.
//!
//! A beginning: it reads its settings ([`config`]) and checks a credential against Data Theorem ([`shell`]).
//! [`core`] decides and is pure, [`adapters`] speak to one concrete thing each, [`cli`] is the command line.
//! Deliberately absent so far: the sync. Deliberately absent for good: the simulator's wire types; this crate
//! reads the vendor's documents on its own, so that one mistake cannot hide on both sides.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod core;
pub mod exit;
pub mod shell;
