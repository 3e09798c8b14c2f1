//! The page about security finding targets.

pub(super) mod fields;
pub(super) mod list;
pub(super) mod writes;
