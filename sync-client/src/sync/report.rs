//! What a run did, and how it ended.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::exit::Exit;
use crate::ports::Granted;

/// The most failures that are kept with their reasons; the others are only counted.
const FAILURES_KEPT_MAX: usize = 1_000;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Tickets made.
    pub created: u64,
    /// Tickets that were there with a group's key, and were taken over.
    pub found: u64,
    /// Tickets that the vendor had as an item's, and were taken over.
    pub adopted: u64,
    /// Items whose ticket the vendor was told.
    pub linked: u64,
    /// Comments written.
    pub commented: u64,
    /// Tickets set to done.
    pub closed: u64,
    /// Tickets set back to open.
    pub reopened: u64,
    /// Items whose status at the vendor people decided, by what they did to the ticket.
    pub decided: u64,
    /// Tickets that had been moved, and are known by their new key now.
    pub moved: u64,
    /// Items and lists that could not be handled.
    pub failed: u64,
    /// The same, each with the reason.
    pub failures: Vec<Failure>,
    /// Creates of which it is not known whether they made a ticket.
    pub in_doubt: u64,
    /// Closings that wait for a person's word.
    pub held_back: Option<HeldBack>,
    /// Credentials that were not accepted.
    pub credentials: Vec<String>,
    /// What was odd in the vendors' replies and stopped nothing, with how often it was seen.
    pub noticed: BTreeMap<String, u64>,
}

/// Something that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The item, group or list.
    pub what: String,
    /// Why, and on which side.
    pub why: String,
}

/// Closings that wait for a person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// How many there are.
    pub closings: u64,
    /// Of how many open tickets.
    pub open_tickets: u64,
}

impl Report {
    /// Notes a failure.
    pub fn fail(&mut self, what: impl Into<String>, why: &(impl ToString + ?Sized)) {
        self.failed += 1;
        let failure = Failure { what: what.into(), why: why.to_string() };
        tracing::warn!(what = failure.what, why = failure.why, "failed");
        if self.failures.len() < FAILURES_KEPT_MAX {
            self.failures.push(failure);
        }
    }

    /// Counts what a tracker granted.
    pub fn granted(&mut self, granted: Granted) {
        self.commented += u64::from(granted.comment);
        self.closed += u64::from(granted.is_done == Some(true));
        self.reopened += u64::from(granted.is_done == Some(false));
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        if !self.credentials.is_empty() {
            Exit::Credentials
        } else if self.held_back.is_some() {
            Exit::MassChange
        } else if self.in_doubt > 0 {
            Exit::InDoubt
        } else if self.failed > 0 {
            Exit::Partial
        } else {
            Exit::Done
        }
    }

    /// How many writes were made, on either side.
    pub fn writes(&self) -> u64 {
        self.created + self.linked + self.commented + self.closed + self.reopened + self.decided
    }

    /// What was done, in one line.
    pub fn summary(&self) -> String {
        let counts = [
            (self.created, "created"),
            (self.found + self.adopted, "taken over"),
            (self.linked, "linked"),
            (self.commented, "commented"),
            (self.closed, "closed"),
            (self.reopened, "reopened"),
            (self.decided, "decided by people"),
            (self.moved, "moved"),
            (self.failed, "failed"),
            (self.in_doubt, "in doubt"),
        ];
        let shown = counts.iter().filter(|(count, _)| *count > 0);
        let shown: Vec<String> = shown.map(|(count, what)| format!("{count} {what}")).collect();
        if shown.is_empty() { "nothing to do".to_owned() } else { shown.join(", ") }
    }
}
