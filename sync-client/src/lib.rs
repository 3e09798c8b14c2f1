//! A client that keeps tickets in step with security vendors' findings.
//!
//! [`core`] decides and is pure; [`ports`] says what it needs from outside; [`adapters`] speak to one concrete thing
//! each; [`config`] reads settings; [`cli`] is the command line. Deliberately absent: the simulator's wire types. This
//! crate reads the vendors' documents on its own, so that one mistake can't hide on both sides.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod core;
pub mod exit;
pub mod ledger;
pub mod ports;
pub mod shell;
pub mod sync;
