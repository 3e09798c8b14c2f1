//! Saboteurs of the page's overview and of `fetchProjectPolicyIssues`.

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![]
}
