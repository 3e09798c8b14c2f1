//! What must be true of Jira's REST API: a file per subject, in the ledger's order.

mod access;
mod client;
mod comments;
mod issues;
mod limits;
mod probes;
mod projects;
mod properties;
mod remote_links;
mod search;

pub use client::{Jira, Surveyed};
pub(crate) use client::{NOBODYS_TOKEN, document, required_fields};

use super::check::{Check, Probe};

/// Every check of this vendor.
pub(super) const CHECKS: &[&[Check]] = &[
    access::CHECKS,
    limits::CHECKS,
    projects::CHECKS,
    issues::create::CHECKS,
    issues::read::CHECKS,
    issues::edit::CHECKS,
    issues::transitions::CHECKS,
    issues::texts::CHECKS,
    comments::CHECKS,
    properties::CHECKS,
    remote_links::CHECKS,
    search::CHECKS,
];

/// Every probe of this vendor.
pub(super) const PROBES: &[&[Probe]] = &[probes::PROBES];
