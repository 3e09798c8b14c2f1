//! Saboteurs of the page's other calls.

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![]
}
