//! What exists on both sides at one moment.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::ids::{GroupId, ItemId, ScopeId, TicketKey};
use super::journal::Vendor;

/// Both sides.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct State {
    /// What the vendors know.
    pub items: BTreeMap<ItemId, VendorItem>,
    /// What the tracker knows; deleted tickets stay, marked as such.
    pub tickets: BTreeMap<TicketKey, Ticket>,
}

/// Something at a vendor that may need a ticket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VendorItem {
    /// Which one.
    pub id: ItemId,
    /// The items it shares a ticket with, by the policy of the client.
    pub group: GroupId,
    /// Where it is listed.
    pub scope: ScopeId,
    /// What it belongs to: the id of the finding, or the `keyUuid` of the library.
    pub parent: String,
    /// Whether it needs a ticket.
    pub standing: Standing,
    /// The vendor's word for that, e.g. `CLOSED_FIXED`.
    pub status: String,
    /// What the vendor knows of its ticket.
    pub link: Link,
}

impl VendorItem {
    /// The vendor it is from.
    pub fn vendor(&self) -> Vendor {
        if self.id.as_str().starts_with("mend/") { Vendor::Mend } else { Vendor::DataTheorem }
    }
}

/// Whether an item needs a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does.
    Open,
    /// It is over.
    Closed,
    /// The vendor uses a word that is on none of its pages.
    Unknown,
}

/// What a vendor knows of an item's ticket.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Data Theorem: its `external_id`.
    External(Option<TicketKey>),
    /// Mend: the reported issues by identifier, with what was said about each.
    Reports(BTreeMap<TicketKey, Map<String, Value>>),
}

impl Link {
    /// The tickets that it names.
    pub fn tickets(&self) -> Vec<&TicketKey> {
        match self {
            Self::External(ticket) => ticket.iter().collect(),
            Self::Reports(reports) => reports.keys().collect(),
        }
    }
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// Its key.
    pub key: TicketKey,
    /// The keys it had before it was moved.
    pub former_keys: BTreeSet<TicketKey>,
    /// Whom the client made it for; absent: the client did not make it.
    pub origin: Option<GroupId>,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Whether it is done.
    pub is_done: bool,
    /// Who last said whether it is done; absent: nobody has, since it was made.
    pub decided_by: Option<Author>,
    /// The ticket it is said to repeat.
    pub duplicate_of: Option<TicketKey>,
    /// Texts by name.
    pub fields: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeSet<String>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Who wrote it.
    pub by: Author,
    /// What it says.
    pub text: String,
}

/// Who did something in the tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The client.
    Client,
    /// Somebody else.
    Person,
}

impl Ticket {
    /// A new ticket, open and empty.
    pub fn new(key: TicketKey, origin: Option<GroupId>) -> Self {
        Self {
            key,
            former_keys: BTreeSet::new(),
            origin,
            is_deleted: false,
            is_done: false,
            decided_by: None,
            duplicate_of: None,
            fields: BTreeMap::new(),
            labels: BTreeSet::new(),
            comments: Vec::new(),
        }
    }

    /// Whether it exists and the client made it for this group.
    pub fn is_live_for(&self, group: &GroupId) -> bool {
        !self.is_deleted && self.origin.as_ref() == Some(group)
    }
}

impl State {
    /// A ticket by the key that it has or had.
    pub fn ticket(&self, key: &TicketKey) -> Option<&Ticket> {
        self.tickets
            .get(key)
            .or_else(|| self.tickets.values().find(|ticket| ticket.former_keys.contains(key)))
    }

    /// The same, to change it.
    pub fn ticket_mut(&mut self, key: &TicketKey) -> Option<&mut Ticket> {
        let key = self.ticket(key)?.key.clone();
        self.tickets.get_mut(&key)
    }

    /// The items of a group.
    pub fn group<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a VendorItem> {
        self.items.values().filter(move |item| item.group == *group)
    }

    /// The tickets that the client made for a group and that exist.
    pub fn live<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a Ticket> {
        self.tickets.values().filter(move |ticket| ticket.is_live_for(group))
    }

    /// Whom a ticket is for, by the client's own word.
    pub fn origin(&self, key: &TicketKey) -> Option<&GroupId> {
        self.ticket(key)?.origin.as_ref()
    }

    /// Of several tickets of a group, the one that stays: the one that the vendor names, otherwise the oldest.
    pub fn survivor<'a>(&'a self, group: &'a GroupId) -> Option<&'a Ticket> {
        let is_linked = |ticket: &&Ticket| {
            self.group(group)
                .flat_map(|item| item.link.tickets())
                .any(|key| self.ticket(key).is_some_and(|linked| linked.key == ticket.key))
        };
        self.live(group)
            .filter(is_linked)
            .chain(self.live(group))
            .min_by_key(|ticket| (!is_linked(ticket), ticket.key.number(), ticket.key.clone()))
    }
}
