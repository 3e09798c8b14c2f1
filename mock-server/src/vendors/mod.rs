//! The simulated vendors, one folder each, every folder with the same rooms.

#[macro_use]
pub mod readings;

pub mod data_theorem;
pub mod happening;
pub mod jira;
pub mod mend;
mod router;

pub(crate) use router::{operations, router};
