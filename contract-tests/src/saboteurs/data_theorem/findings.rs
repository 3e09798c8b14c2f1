//! Saboteurs of the page about security findings.

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![]
}
