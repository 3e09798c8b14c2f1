//! What the client decides: pure functions of what was observed. No network, no clock, no randomness.

pub mod doctor;
pub mod model;
pub mod noticed;
pub mod text;
