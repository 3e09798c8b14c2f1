//! The suite against simulators, healthy and sabotaged.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod healthy;
mod readings;
mod rule_ledger;
mod sabotaged;
mod support;
