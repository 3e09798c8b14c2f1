//! One file or folder per concrete thing the client speaks to.

pub mod caller;
pub mod data_theorem;
pub mod http;
pub mod jira;
pub mod json;
pub mod local;
pub mod mend;
pub mod redmine;
pub mod rest;
#[cfg(test)]
pub(crate) mod scripted;
pub mod system_clock;
