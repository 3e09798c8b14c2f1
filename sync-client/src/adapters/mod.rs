//! One file or folder per concrete thing the client speaks to.

pub mod caller;
pub mod data_theorem;
pub mod http;
pub mod local;
pub mod mend;
pub mod system_clock;
