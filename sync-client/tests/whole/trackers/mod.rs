//! The trackers that the client is tried with, looked at from outside: what is in them, and what people do there.
//!
//! `local` is called; Jira is a simulator, and the client reaches it as it reaches the vendors, so everything that can
//! go wrong with a request goes wrong there too.

pub(crate) mod jira;

use std::sync::Arc;
use std::time::Duration;

use mock_server::Control;
use serde_json::json;
use sync_client::adapters::local::{Details, LocalTracker, Person as LocalPerson, Summary, Uniqueness};
use sync_client::core::model::TicketKey;
use sync_client::ports::{NewTicket, Tracker as _};

use crate::carriers::VirtualClock;

/// How long searches lag where they do.
pub(crate) const SEARCH_LAG: Duration = Duration::from_secs(30);

/// A kind of tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Local(Uniqueness),
    Jira,
}

impl Kind {
    /// It keeps a second ticket with the same key out.
    pub(crate) const KEYED: Self = Self::Local(Uniqueness::Key);
    /// It does not, and its search lags.
    pub(crate) const LAGGING: Self = Self::Local(Uniqueness::None { search_lag: SEARCH_LAG });

    pub(crate) fn has_unique_key(self) -> bool {
        self == Self::KEYED
    }
}

/// A tracker.
#[derive(Clone)]
pub(crate) enum Office {
    Local(Arc<LocalTracker>),
    Jira(Control),
}

impl Office {
    pub(crate) fn new(kind: Kind, control: &Control, clock: &VirtualClock) -> Self {
        match kind {
            Kind::Local(uniqueness) => {
                Self::Local(Arc::new(LocalTracker::in_memory(Arc::new(clock.clone()), uniqueness).unwrap()))
            }
            Kind::Jira => Self::Jira(control.clone()),
        }
    }

    /// The tracker that is called, for what only it can do.
    pub(crate) fn local(&self) -> &Arc<LocalTracker> {
        match self {
            Self::Local(tracker) => tracker,
            Self::Jira(_) => panic!("Jira is not called"),
        }
    }

    /// What the keys begin with that it gives.
    fn prefix(&self) -> &'static str {
        match self {
            Self::Local(_) => "LOCAL",
            Self::Jira(_) => jira::PROJECT,
        }
    }

    /// The key of the ticket that was made as the n-th.
    pub(crate) fn key(&self, number: usize) -> String {
        format!("{}-{number}", self.prefix())
    }

    /// The key that a ticket had first, by which it is known whatever people call it.
    pub(crate) fn first_key(&self, ticket: &Details) -> String {
        let prefix = format!("{}-", self.prefix());
        let keys = ticket.former_keys.iter().chain([&ticket.summary.key]);
        keys.into_iter().find(|key| key.starts_with(&prefix)).unwrap().clone()
    }

    /// Every ticket, oldest first.
    pub(crate) fn list(&self) -> Vec<Summary> {
        match self {
            Self::Local(tracker) => tracker.list().unwrap(),
            Self::Jira(control) => jira::tickets(control).into_iter().map(|ticket| ticket.summary).collect(),
        }
    }

    /// Every ticket with everything in it, oldest first.
    pub(crate) fn tickets(&self) -> Vec<Details> {
        match self {
            Self::Local(_) => {
                let keys = self.list().into_iter().map(|ticket| TicketKey::new(ticket.key));
                keys.map(|key| self.details(&key).unwrap()).collect()
            }
            Self::Jira(control) => jira::tickets(control),
        }
    }

    /// A ticket by any key it ever had.
    pub(crate) fn details(&self, key: &TicketKey) -> Option<Details> {
        match self {
            Self::Local(tracker) => tracker.details(key).unwrap(),
            Self::Jira(control) => jira::tickets(control).into_iter().find(|ticket| {
                let mut keys = ticket.former_keys.iter().chain([&ticket.summary.key]);
                keys.any(|known| known == key.as_str())
            }),
        }
    }

    /// Makes a ticket as a client without a memory would.
    pub(crate) fn make(&self, ticket: &NewTicket) {
        match self {
            Self::Local(tracker) => drop(tracker.create(ticket).unwrap()),
            Self::Jira(control) => jira::happen(
                control,
                json!({"type": "jira.issue_created", "issue": {"project": jira::PROJECT,
                    "summary": ticket.title, "labels": [ticket.op.as_str()]}}),
            ),
        }
    }

    /// Somebody who works there.
    pub(crate) fn as_person(&self, name: &str) -> Person<'_> {
        match self {
            Self::Local(tracker) => Person::Local(tracker.as_person(name)),
            Self::Jira(control) => Person::Jira(control),
        }
    }
}

/// Somebody who works with tickets.
pub(crate) enum Person<'t> {
    Local(LocalPerson<'t>),
    Jira(&'t Control),
}

impl Person<'_> {
    /// Makes a ticket that the client has nothing to do with.
    pub(crate) fn create(&self, title: &str) {
        match self {
            Self::Local(person) => drop(person.create(title).unwrap()),
            Self::Jira(control) => jira::happen(
                control,
                json!({"type": "jira.issue_created", "issue": {"project": jira::PROJECT, "summary": title}}),
            ),
        }
    }

    pub(crate) fn edit_title(&self, key: &TicketKey, title: &str) {
        match self {
            Self::Local(person) => person.edit_title(key, title).unwrap(),
            Self::Jira(control) => jira::edit(control, key, &json!({"summary": title})),
        }
    }

    pub(crate) fn edit_description(&self, key: &TicketKey, text: &str) {
        match self {
            Self::Local(person) => person.edit_description(key, text).unwrap(),
            Self::Jira(control) => jira::edit(control, key, &json!({"description": text})),
        }
    }

    pub(crate) fn add_label(&self, key: &TicketKey, label: &str) {
        match self {
            Self::Local(person) => person.add_label(key, label).unwrap(),
            Self::Jira(control) => jira::edit(control, key, &json!({"labels_added": [label]})),
        }
    }

    pub(crate) fn remove_label(&self, key: &TicketKey, label: &str) {
        match self {
            Self::Local(person) => person.remove_label(key, label).unwrap(),
            Self::Jira(control) => jira::edit(control, key, &json!({"labels_removed": [label]})),
        }
    }

    pub(crate) fn comment(&self, key: &TicketKey, text: &str) {
        match self {
            Self::Local(person) => person.comment(key, text).unwrap(),
            Self::Jira(control) => jira::happen(
                control,
                json!({"type": "jira.issue_commented", "issue": key.as_str(), "author": jira::person(control),
                    "body": text}),
            ),
        }
    }

    pub(crate) fn close(&self, key: &TicketKey) {
        match self {
            Self::Local(person) => person.close(key).unwrap(),
            Self::Jira(_) => self.set_status(key, "Done", true),
        }
    }

    pub(crate) fn reopen(&self, key: &TicketKey) {
        match self {
            Self::Local(person) => person.reopen(key).unwrap(),
            Self::Jira(_) => self.set_status(key, "To Do", false),
        }
    }

    /// Gives a ticket a status by its name. At Jira a site has the statuses that it has, [`jira::site`].
    pub(crate) fn set_status(&self, key: &TicketKey, status: &str, is_done: bool) {
        match self {
            Self::Local(person) => person.set_status(key, status, is_done).unwrap(),
            Self::Jira(control) => jira::set_status(control, key, status, is_done),
        }
    }

    pub(crate) fn delete(&self, key: &TicketKey) {
        match self {
            Self::Local(person) => person.delete(key).unwrap(),
            Self::Jira(control) => {
                jira::happen(control, json!({"type": "jira.issue_deleted", "issue": key.as_str()}));
            }
        }
    }

    /// Moves a ticket to where keys begin otherwise. Which number it gets there is Jira's business.
    pub(crate) fn move_to(&self, key: &TicketKey, to: &TicketKey) {
        match self {
            Self::Local(person) => person.move_to(key, to).unwrap(),
            Self::Jira(control) => {
                let project = |key: &TicketKey| key.as_str().split('-').next().map(str::to_owned);
                if project(key) != project(to) {
                    let (issue, project) = (key.as_str(), project(to));
                    jira::happen(
                        control,
                        json!({"type": "jira.issue_moved", "issue": issue, "project": project}),
                    );
                }
            }
        }
    }

    pub(crate) fn hide(&self, key: &TicketKey) {
        match self {
            Self::Local(person) => person.hide(key).unwrap(),
            Self::Jira(control) => jira::set_hidden(control, key, true),
        }
    }

    pub(crate) fn show(&self, key: &TicketKey) {
        match self {
            Self::Local(person) => person.show(key).unwrap(),
            Self::Jira(control) => jira::set_hidden(control, key, false),
        }
    }
}
