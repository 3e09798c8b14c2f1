//! The page about security findings.

pub(super) mod close;
pub(super) mod fields;
pub(super) mod list;
pub(super) mod notes;
pub(super) mod parts;
pub(super) mod patch;
mod subjects;
