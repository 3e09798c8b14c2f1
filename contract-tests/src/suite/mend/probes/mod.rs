//! Which value of each reading a target shows, a file per file of the ledger's readings.
//!
//! [`tried`] tells answers from refusals; [`windows`], [`own_policies`] and [`reports`] are what several probes ask
//! through.

mod own_policies;
mod reports;
mod tried;
mod windows;

pub(super) mod changes;
pub(super) mod envelope;
pub(super) mod external;
pub(super) mod fetch;
pub(super) mod matches;
