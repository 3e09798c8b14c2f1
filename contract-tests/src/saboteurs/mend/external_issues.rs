//! Saboteurs of `updateExternalIntegrationIssues`.

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![]
}
