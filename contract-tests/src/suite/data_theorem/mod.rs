//! What must be true of Data Theorem's Results API: a folder per page, in the page's order.

mod api;
mod client;
mod findings;
mod lists;
mod probes;
mod targets;
mod workflows;

pub use client::{APPS, DataTheorem, FINDINGS, Page, Surveyed, TARGETS, list_in, total_count, with_query};

use super::check::{Check, Probe};

/// Every check of this vendor.
pub(super) const CHECKS: &[&[Check]] = &[
    workflows::CHECKS,
    targets::list::CHECKS,
    targets::fields::CHECKS,
    targets::writes::CHECKS,
    findings::list::CHECKS,
    findings::fields::CHECKS,
    findings::parts::CHECKS,
    findings::patch::CHECKS,
    findings::close::CHECKS,
    findings::notes::CHECKS,
    api::auth::CHECKS,
    api::formats::CHECKS,
    api::lists::CHECKS,
    api::apps::CHECKS,
    api::scans::CHECKS,
    api::statuses::CHECKS,
];

/// Every probe of this vendor.
pub(super) const PROBES: &[&[Probe]] =
    &[probes::reply::PROBES, probes::request::PROBES, probes::effect::PROBES];
