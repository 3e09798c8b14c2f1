//! The issue-tracker page.

pub(super) mod activation_token;
mod asking;
pub(super) mod external_issue_items;
pub(super) mod external_issues;
pub(super) mod libraries_info;
pub(super) mod modified_projects;
pub(super) mod overview;
pub(super) mod policy_issue_fields;
pub(super) mod policy_issues;
pub(super) mod policy_matches;
mod reporting;
mod trying_policies;
