//! What a request may say, and what follows from it. Pure.

pub mod auth;
pub mod denial;
pub mod documents;
pub mod edits;
pub mod fields;
pub mod jql;
pub mod lengths;
