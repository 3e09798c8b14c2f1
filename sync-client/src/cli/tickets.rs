//! `tickets`: looking at the local tracker, and working on its tickets as a person.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::doctor::exit_of;
use super::output::{self, harmless};
use super::{ConfigArgs, Lookup};
use crate::adapters::local::{Details, LocalError, LocalTracker, Summary, Tickets};
use crate::adapters::system_clock::SystemClock;
use crate::config::{ConfigError, LocalTrackerSettings, Places};
use crate::core::model::TicketKey;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(super) struct TicketsArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// One ticket with everything in it: LOCAL-12, or just 12
    id: Option<String>,
    /// Only tickets that are not done
    #[arg(long, conflicts_with = "id")]
    open: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    work: WorkArgs,
}

/// What a person does to a ticket.
#[derive(Debug, Args)]
struct WorkArgs {
    /// Add a comment
    #[arg(long, value_name = "TEXT", requires = "id")]
    comment: Option<String>,
    /// Close it, as Done unless another status is given, e.g. --close="Won't Fix"
    #[arg(
        long,
        value_name = "STATUS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "Done",
        requires = "id",
        conflicts_with = "reopen"
    )]
    close: Option<String>,
    /// Open it again
    #[arg(long, requires = "id")]
    reopen: bool,
    /// Whose comment it is [default: $USER]
    #[arg(long = "as", value_name = "NAME", requires = "comment")]
    name: Option<String>,
}

/// What was looked for, and was not there or could not be had.
enum Failure {
    Local(LocalError),
    NoFile,
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        Self::Local(error)
    }
}

pub(super) fn tickets(args: &TicketsArgs, lookup: Lookup<'_>) -> Result<Exit, ConfigError> {
    let tracker = Places::load(args.config.config.as_deref(), lookup)?.tracker;
    let done = match &args.id {
        None => list(args, &tracker.file, lookup),
        Some(id) => one(args, &key(id), &tracker, lookup),
    };
    Ok(match done {
        Ok(()) => Exit::Done,
        Err(Failure::NoFile) => {
            output::say(format!("there is no ticket yet: {} does not exist", tracker.file.display()));
            Exit::Partial
        }
        Err(Failure::Local(error)) => {
            output::say(&error);
            exit_of(&error)
        }
    })
}

/// A key as people type it: a number alone is one of the tracker's own.
fn key(id: &str) -> TicketKey {
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    TicketKey::new(if is_number { format!("LOCAL-{id}") } else { id.to_owned() })
}

fn list(args: &TicketsArgs, file: &Path, lookup: Lookup<'_>) -> Result<(), Failure> {
    let mut tickets = match Tickets::open(file)? {
        Some(tickets) => tickets.list()?,
        None => Vec::new(),
    };
    if args.open {
        tickets.retain(|ticket| !ticket.is_done);
    }
    if args.json {
        output::print_json(&tickets);
    } else if tickets.is_empty() {
        let which = if args.open { "open tickets" } else { "tickets yet" };
        output::say(format!("no {which} in {}", file.display()));
    } else {
        output::print(table(&tickets, output::has_colour(lookup)));
    }
    Ok(())
}

fn table(tickets: &[Summary], has_colour: bool) -> String {
    let width = |of: fn(&Summary) -> &str| {
        tickets.iter().map(|ticket| harmless(of(ticket)).chars().count()).max().unwrap_or(0)
    };
    let item = |ticket: &Summary| harmless(ticket.item.as_deref().unwrap_or("-"));
    let key_width = width(|ticket| &ticket.key);
    let status_width = width(|ticket| &ticket.status);
    let item_width = width(|ticket| ticket.item.as_deref().unwrap_or("-"));
    let mut text = String::new();
    for ticket in tickets {
        let (key, status) = (harmless(&ticket.key), harmless(&ticket.status));
        let line = format!(
            "{key:key_width$}  {status:status_width$}  {:item_width$}  {}",
            item(ticket),
            harmless(&ticket.title)
        );
        // What is done steps back.
        text.push_str(&if has_colour && ticket.is_done {
            format!("\u{1b}[2m{line}\u{1b}[0m\n")
        } else {
            format!("{line}\n")
        });
    }
    text
}

fn one(
    args: &TicketsArgs,
    key: &TicketKey,
    tracker: &LocalTrackerSettings,
    lookup: Lookup<'_>,
) -> Result<(), Failure> {
    let Some(tickets) = Tickets::open(&tracker.file)? else { return Err(Failure::NoFile) };
    let found = |details: Option<Details>| details.ok_or_else(|| LocalError::NoTicket(key.clone()));
    found(tickets.details(key)?)?;
    if args.work.comment.is_some() || args.work.close.is_some() || args.work.reopen {
        work(&args.work, key, tracker, lookup)?;
    }
    let details = found(tickets.details(key)?)?;
    if args.json {
        output::print_json(&details);
    } else {
        output::print(page(&details, output::has_colour(lookup)));
    }
    Ok(())
}

fn work(
    args: &WorkArgs,
    key: &TicketKey,
    tracker: &LocalTrackerSettings,
    lookup: Lookup<'_>,
) -> Result<(), LocalError> {
    let user = || lookup("USER").and_then(|user| user.into_string().ok()).filter(|user| !user.is_empty());
    let name = args.name.clone().or_else(user).unwrap_or_else(|| "someone".to_owned());
    let tracker = LocalTracker::open(&tracker.file, Arc::new(SystemClock), tracker.uniqueness)?;
    let person = tracker.as_person(name);
    if let Some(text) = &args.comment {
        person.comment(key, text)?;
    }
    if let Some(status) = &args.close {
        person.set_status(key, status, true)?;
    }
    if args.reopen {
        person.reopen(key)?;
    }
    Ok(())
}

fn page(ticket: &Details, has_colour: bool) -> String {
    let bold = |text: &str| {
        if has_colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let summary = &ticket.summary;
    let mut text = format!("{}  {}\n\n", bold(&harmless(&summary.key)), bold(&harmless(&summary.title)));
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<9}{}\n", harmless(value)));
        }
    };
    row("status", &summary.status);
    row("item", summary.item.as_deref().unwrap_or_default());
    row("labels", &ticket.labels.join(" "));
    row("was", &ticket.former_keys.join(" "));
    row("key", ticket.op.as_deref().unwrap_or_default());
    row("made", &ticket.created.to_string());
    row("changed", &ticket.updated.to_string());
    row("hidden", if ticket.is_hidden { "from sync-client" } else { "" });
    if !ticket.description.is_empty() {
        text.push_str(&format!("\n{}\n", harmless(ticket.description.trim_end())));
    }
    for comment in &ticket.comments {
        let head = format!("{}, {}", harmless(&comment.author), comment.created);
        text.push_str(&format!("\n{}\n{}\n", bold(&head), harmless(comment.text.trim_end())));
    }
    text
}
