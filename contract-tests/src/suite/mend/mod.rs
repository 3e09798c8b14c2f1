//! What must be true of Mend's issue-tracker API: a file per request type, in the page's order.

mod api;
mod client;
mod issue_tracker;
mod probes;

pub use client::{Answer, Mend, Surveyed};

use super::check::{Check, Probe};

/// Every check of this vendor.
pub(super) const CHECKS: &[&[Check]] = &[
    issue_tracker::overview::CHECKS,
    issue_tracker::policy_issues::CHECKS,
    issue_tracker::policy_issue_fields::CHECKS,
    issue_tracker::modified_projects::CHECKS,
    issue_tracker::libraries_info::CHECKS,
    issue_tracker::external_issues::CHECKS,
    issue_tracker::external_issue_items::CHECKS,
    issue_tracker::activation_token::CHECKS,
    issue_tracker::policy_matches::CHECKS,
    api::calls::CHECKS,
    api::errors::CHECKS,
    api::policies::CHECKS,
    api::alerts::CHECKS,
    api::projects::CHECKS,
];

/// Every probe of this vendor.
pub(super) const PROBES: &[&[Probe]] = &[
    probes::fetch::PROBES,
    probes::matches::PROBES,
    probes::changes::PROBES,
    probes::external::PROBES,
    probes::envelope::PROBES,
];
