//! `doctor`: do settings, credentials and files work?

use super::output;
use crate::adapters::local::{LocalError, Tickets};
use crate::config::{LocalTrackerSettings, Settings};
use crate::exit::Exit;
use crate::shell;

/// Checks everything that is set up, prints a paragraph each, and ends with the first code that is not 0.
pub(super) fn doctor(settings: &Settings) -> Exit {
    let mut worst = Exit::Done;
    let mut report = |name: &str, place: &str, found: &str, exit: Exit| {
        output::print(format!("{name:<14}{place}\n{:14}{found}\n", ""));
        if worst == Exit::Done {
            worst = exit;
        }
    };
    if let Some(data_theorem) = &settings.sources.data_theorem {
        let address = data_theorem.base_url.to_string();
        let diagnosis = shell::doctor(data_theorem.clone());
        report("data-theorem", &address, &diagnosis.to_string(), diagnosis.exit());
    }
    if let Some(mend) = &settings.sources.mend {
        let diagnosis = shell::doctor_mend(mend);
        report("mend", mend.url.as_str(), &diagnosis.to_string(), diagnosis.exit());
    }
    let tracker = &settings.places.tracker;
    let (found, exit) = examine(tracker);
    report("local", &tracker.file.display().to_string(), &found, exit);
    worst
}

fn examine(tracker: &LocalTrackerSettings) -> (String, Exit) {
    let tickets = match Tickets::open(&tracker.file) {
        Ok(Some(tickets)) => tickets,
        Ok(None) => return ("no tickets yet; the first run makes the file".to_owned(), Exit::Done),
        Err(error) => return (error.to_string(), exit_of(&error)),
    };
    let examined = tickets.damage().and_then(|damage| Ok((damage, tickets.list()?.len())));
    match examined {
        Ok((None, count)) => (format!("{count} tickets, undamaged"), Exit::Done),
        Ok((Some(damage), count)) => (format!("{count} tickets, and it is damaged: {damage}"), Exit::Partial),
        Err(error) => (error.to_string(), exit_of(&error)),
    }
}

/// How a command ends that can't use the ticket file.
pub(super) fn exit_of(error: &LocalError) -> Exit {
    match error {
        LocalError::Io { .. }
        | LocalError::Newer { .. }
        | LocalError::Foreign { .. }
        | LocalError::ReadOnly { .. }
        | LocalError::SharedKey { .. } => Exit::Configuration,
        LocalError::Corrupt { .. }
        | LocalError::Locked { .. }
        | LocalError::Full { .. }
        | LocalError::InDoubt { .. }
        | LocalError::NoTicket(_)
        | LocalError::Refused(_)
        | LocalError::Database { .. } => Exit::Partial,
    }
}
