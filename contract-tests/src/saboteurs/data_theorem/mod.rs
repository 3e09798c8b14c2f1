//! Saboteurs of Data Theorem, a file per page as in the suite.

mod api;
mod findings;
mod list_layers;
pub(super) mod rows;
mod targets;
mod workflows;

use super::Saboteur;

/// In the order of the suite.
pub(super) fn saboteurs() -> Vec<Saboteur> {
    let pages = [workflows::saboteurs(), targets::saboteurs(), findings::saboteurs(), api::saboteurs()];
    pages.into_iter().flatten().collect()
}
