//! Writing for people and scripts.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::Lookup;

/// Prints a result. That its reader went away, as `| head` does, is no failure.
pub(super) fn print(text: impl Display) {
    let _ = write!(io::stdout().lock(), "{text}");
}

/// Prints a result as JSON.
pub(super) fn print_json(value: &impl Serialize) {
    // What is printed are structs of texts, numbers and lists: none of them can fail to be written as JSON.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    print(format!("{text}\n"));
}

/// Tells the person at the terminal something.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "sync-client: {text}");
}

/// An error with all its causes, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Whether results may have colours: stdout is a terminal, and nobody said no (no-color.org).
pub(super) fn has_colour(lookup: Lookup<'_>) -> bool {
    io::stdout().is_terminal() && allows_colour(lookup)
}

/// Whether the environment lets anything have colours.
pub(super) fn allows_colour(lookup: Lookup<'_>) -> bool {
    lookup("NO_COLOR").is_none_or(|value| value.is_empty())
        && lookup("TERM").is_none_or(|term| term != "dumb")
}

/// A text that can't steer a terminal: people and vendors wrote it.
pub(super) fn harmless(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "\u{fffd}")
}
