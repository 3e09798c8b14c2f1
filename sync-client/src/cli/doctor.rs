//! `doctor`: do settings, credentials and files work?

use std::path::Path;

use super::output;
use crate::adapters::local::{LocalError, Tickets};
use crate::config::{LocalTrackerSettings, Settings, TrackerSettings};
use crate::exit::Exit;
use crate::ledger::{Ledger, LedgerError};
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
    let authorities = settings.authorities.as_deref();
    if let Some(data_theorem) = &settings.sources.data_theorem {
        let address = data_theorem.base_url.to_string();
        let diagnosis = shell::doctor(data_theorem.clone(), authorities);
        report("data-theorem", &address, &diagnosis.to_string(), diagnosis.exit());
    }
    if let Some(mend) = &settings.sources.mend {
        let diagnosis = shell::doctor_mend(mend, authorities);
        report("mend", mend.url.as_str(), &diagnosis.to_string(), diagnosis.exit());
    }
    match &settings.tracker {
        TrackerSettings::Local => {
            let tracker = &settings.places.tracker;
            let (found, exit) = examine(tracker);
            report("local", &tracker.file.display().to_string(), &found, exit);
        }
        TrackerSettings::Jira(jira) => {
            let diagnosis = shell::doctor_jira(jira.clone(), authorities);
            report("jira", jira.url.as_str(), &diagnosis.to_string(), diagnosis.exit());
        }
        TrackerSettings::Redmine(redmine) => {
            let diagnosis = shell::doctor_redmine(redmine.clone(), authorities);
            report("redmine", redmine.url.as_str(), &diagnosis.to_string(), diagnosis.exit());
        }
    }
    let ledger = &settings.places.ledger_file;
    let (found, exit) = examine_ledger(ledger);
    report("ledger", &ledger.display().to_string(), &found, exit);
    worst
}

fn examine_ledger(file: &Path) -> (String, Exit) {
    let examined = Ledger::open_to_read(file).and_then(|ledger| {
        let Some(ledger) = ledger else { return Ok(None) };
        Ok(Some((ledger.damage()?, ledger.counts()?)))
    });
    match examined {
        Ok(None) => ("no ledger yet; the first run makes the file".to_owned(), Exit::Done),
        Ok(Some((None, counts))) => {
            (format!("{} open and {} closed tickets, undamaged", counts.open, counts.closed), Exit::Done)
        }
        Ok(Some((Some(problem), _))) => {
            let error = LedgerError::Damaged { path: file.to_owned(), problem };
            (error.to_string(), exit_of_ledger(&error))
        }
        Err(error) => {
            let error = error.at(file);
            (output::with_causes(&error), exit_of_ledger(&error))
        }
    }
}

/// How a command ends that can't use the ledger.
pub(super) fn exit_of_ledger(error: &LedgerError) -> Exit {
    match error {
        LedgerError::Locked { .. } => Exit::Locked,
        LedgerError::Newer { .. }
        | LedgerError::Foreign { .. }
        | LedgerError::Damaged { .. }
        | LedgerError::Forbidden { .. }
        | LedgerError::Io { .. }
        | LedgerError::Nonsense(_) => Exit::Configuration,
        LedgerError::Full { .. } | LedgerError::Failed { .. } | LedgerError::Database(_) => Exit::Partial,
    }
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
