//! Saboteurs of Mend, by what they break.

mod answers;
mod api;
mod external_issues;
mod other_calls;
mod policies;
mod policy_issues;
mod steps;

use super::Saboteur;

/// In the order of the suite.
pub(super) fn saboteurs() -> Vec<Saboteur> {
    let parts = [
        policy_issues::saboteurs(),
        other_calls::saboteurs(),
        external_issues::saboteurs(),
        api::saboteurs(),
        policies::saboteurs(),
    ];
    parts.into_iter().flatten().collect()
}
