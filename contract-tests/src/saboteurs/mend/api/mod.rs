//! Saboteurs of transport, refusals and projects.

mod calls;
mod errors;
mod projects;

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [calls::saboteurs(), errors::saboteurs(), projects::saboteurs()].into_iter().flatten().collect()
}
