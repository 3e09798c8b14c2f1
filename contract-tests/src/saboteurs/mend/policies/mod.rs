//! Saboteurs of policies and alerts.

mod alerts;
mod changes;

use super::super::Saboteur;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [changes::saboteurs(), alerts::saboteurs()].into_iter().flatten().collect()
}
