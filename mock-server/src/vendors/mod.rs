//! The simulated vendors, one folder each, every folder with the same rooms.

pub mod data_theorem;
mod router;

pub(crate) use router::{operations, router};
