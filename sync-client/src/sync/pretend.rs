//! A tracker for dry runs: reads are real, writes are only told.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::model::{OpKey, TicketKey};
use crate::ports::{Change, Created, NewTicket, Ticket, Tracker, TrackerError, TrackerTraits};

/// Reads from a tracker and writes nothing to it.
pub struct Pretend<'a> {
    tracker: &'a dyn Tracker,
    made: AtomicU64,
}

impl<'a> Pretend<'a> {
    /// Over a tracker.
    pub fn new(tracker: &'a dyn Tracker) -> Self {
        Self { tracker, made: AtomicU64::new(0) }
    }
}

impl Tracker for Pretend<'_> {
    fn traits(&self) -> TrackerTraits {
        self.tracker.traits()
    }

    fn identify(&self) -> Result<String, TrackerError> {
        self.tracker.identify()
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        self.tracker.find(op)
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        // A tracker with a unique key would say so by itself.
        if let Some(existing) = self.tracker.find(&ticket.op)?.into_iter().next() {
            return Ok(Created::Existing(existing));
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Created::New(Ticket {
            key: TicketKey::new(format!("NEW-{number}")),
            url: None,
            is_done: false,
            status: "Open".to_owned(),
            op: Some(ticket.op.clone()),
            our_last_comment: None,
            our_comments: 0,
        }))
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        self.tracker.get(key)
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, TrackerError> {
        let ticket = self.tracker.get(key)?;
        let mut ticket = ticket.ok_or_else(|| TrackerError::Refused(format!("there is no {key}")))?;
        if let Some(is_done) = change.is_done {
            ticket.is_done = is_done;
        }
        if let Some(comment) = &change.comment {
            ticket.our_last_comment = Some(comment.clone());
            ticket.our_comments += 1;
        }
        Ok(ticket)
    }
}
