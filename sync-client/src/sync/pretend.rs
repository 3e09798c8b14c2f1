//! A tracker for dry runs: reads are real, writes are only told.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::core::model::{OpKey, TicketKey};
use crate::ports::{BrokenOff, Change, Created, NewTicket, Ticket, Tracker, TrackerError, TrackerTraits};

/// Reads from a tracker and writes nothing to it.
pub struct Pretend<'a> {
    tracker: &'a dyn Tracker,
    /// Tickets as they would be, by key.
    pretended: Mutex<BTreeMap<TicketKey, Ticket>>,
}

impl<'a> Pretend<'a> {
    /// Over a tracker.
    pub fn new(tracker: &'a dyn Tracker) -> Self {
        Self { tracker, pretended: Mutex::default() }
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
        let mut pretended = self.pretended.lock().unwrap_or_else(PoisonError::into_inner);
        let made = Ticket {
            key: TicketKey::new(format!("NEW-{}", pretended.len() + 1)),
            url: None,
            is_done: false,
            status: "Open".to_owned(),
            resolution: None,
            op: Some(ticket.op.clone()),
            our_last_comment: None,
            our_comments: 0,
        };
        pretended.insert(made.key.clone(), made.clone());
        Ok(Created::New(made))
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        let pretended = self.pretended.lock().unwrap_or_else(PoisonError::into_inner);
        match pretended.get(key) {
            Some(ticket) => Ok(Some(ticket.clone())),
            None => self.tracker.get(key),
        }
    }

    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        self.tracker.changed(since)
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        let ticket = self.get(key)?;
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
    fn as_stored(&self, text: &str) -> String {
        self.tracker.as_stored(text)
    }
}
