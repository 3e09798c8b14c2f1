//! What the documents say, as pure functions: from a request and what is known to a decision.
//!
//! No rows, no clock, no HTTP types. Each refusal names the rule or reading it rests on.

pub mod aggregate;
pub mod auth;
pub mod bodies;
pub mod filters;
pub mod statuses;
pub mod timestamps;
