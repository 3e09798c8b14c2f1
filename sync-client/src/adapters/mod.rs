//! One file per concrete thing the client speaks to.

pub mod data_theorem;
