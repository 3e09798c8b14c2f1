//! The issue-tracker page.

pub(super) mod activation_token;
pub(super) mod external_issues;
pub(super) mod libraries_info;
pub(super) mod modified_projects;
pub(super) mod overview;
pub(super) mod policy_issues;
pub(super) mod policy_matches;
