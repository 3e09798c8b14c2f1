//! Which value of each reading a target shows, a file per file of the ledger's readings.

pub(super) mod effect;
pub(super) mod reply;
pub(super) mod request;
