//! Which value of each reading a target shows, a file per file of the ledger's readings.

pub(super) mod changes;
pub(super) mod envelope;
pub(super) mod external;
pub(super) mod fetch;
pub(super) mod matches;
