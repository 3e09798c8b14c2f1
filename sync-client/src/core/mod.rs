//! What the client decides: pure functions of what was observed. No network, no clock, no randomness.

pub mod doctor;
pub mod http_date;
pub mod markup;
pub mod mend_text;
pub mod model;
pub mod noticed;
pub mod paging;
pub mod plan;
pub mod policy;
pub mod retry;
pub mod text;
pub mod two_way;
