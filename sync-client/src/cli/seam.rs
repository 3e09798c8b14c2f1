//! Where the command line meets the sync. Nothing of it is wired yet: each function says so.

use std::time::Duration;

use super::output;
use crate::config::{MendVariables, Places, Settings};
use crate::exit::Exit;

/// How a run is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Whether anything is changed, and how often.
    pub(super) manner: Manner,
    /// Look at everything.
    pub(super) is_full: bool,
    /// No mass-change brake.
    pub(super) allows_mass_change: bool,
    /// Print the result as JSON.
    pub(super) json: bool,
}

/// Whether a run changes anything, and how often it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Print the plan, and change nothing.
    DryRun,
    /// One run.
    Once,
    /// For ever, a run each time this long has passed since the last one began.
    Every(Duration),
}

/// Brings findings and tickets in step, or shows what that would change.
pub(super) fn run(settings: &Settings, order: &Order) -> Exit {
    tracing::debug!(?settings, ?order, "run");
    not_wired("run")
}

/// Shows when what was last in step.
pub(super) fn status(places: &Places, json: bool) -> Exit {
    tracing::debug!(?places, json, "status");
    not_wired("status")
}

/// Tells the story of a finding or ticket.
pub(super) fn explain(places: &Places, id: &str, json: bool) -> Exit {
    tracing::debug!(?places, id, json, "explain");
    not_wired("explain")
}

/// Checks Mend's address and credentials: what to print, and how it ends.
pub(super) fn doctor_mend(variables: &MendVariables) -> (String, Exit) {
    tracing::debug!(?variables, "doctor");
    ("set up, but not checked: that is not wired yet".to_owned(), Exit::Partial)
}

fn not_wired(command: &str) -> Exit {
    output::say(format!("`{command}` is not wired yet; nothing was read or changed"));
    Exit::Configuration
}
