//! What the vendor's documentation says about requests, as pure decisions.

pub mod access;
pub mod datetimes;
pub mod errors;
pub mod external_issues;
pub mod fields;
pub mod json;
pub mod nested;
pub mod policies;
pub mod policy_bodies;
pub mod windows;
