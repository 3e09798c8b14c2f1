//! The suite against simulators, healthy and sabotaged, and against targets that are none.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod accounts;
mod documents;
mod healthy;
mod mutations;
mod readings;
mod rule_ledger;
mod sabotaged;
mod sequences;
mod stand_in;
mod support;
mod worthless;
