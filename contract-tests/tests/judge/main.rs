//! The judge: histories that it has to convict, histories that it has to let go.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod broken;
mod client;
mod healthy;
mod mutations;
mod simulators;
mod story;
