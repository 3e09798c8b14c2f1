//! What must be true of a vendor's API, checked from outside.
//!
//! A beginning: [`coverage`] says which rules of the ledger have a check, and [`cli`] prints it. Deliberately
//! absent so far: the checks themselves, targets to run them against, and the judge of sync clients.

pub mod cli;
pub mod coverage;
