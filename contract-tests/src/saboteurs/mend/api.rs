//! Saboteurs of transport, refusals and projects.

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![]
}
