//! What happened, in one order: requests to both sides, changes without the client, and the client's runs.
//!
//! A history knows neither the client's types nor which tracker it was. Whoever makes one from a simulator's journal
//! says what took effect and what the client could see of it; see [`super::from_simulator`] for the vendors.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::ids::{GroupId, ItemId, RunId, TicketKey};
use super::state::VendorItem;
pub use super::waits::{HowLong, Wait, WaitScope};

/// Everything that happened, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct History {
    /// What happened.
    pub events: Vec<Event>,
    /// How many entries of a journal were evicted before they could be read. Unless this is 0, nothing can be judged.
    pub evicted: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When: of a request, when the server saw it, by the clock of the world.
    pub at: Timestamp,
    /// The run that did it; absent: not the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What it was.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A run of the client began.
    RunStarted(RunStarted),
    /// It ended.
    RunEnded(RunEnded),
    /// The client asked a vendor.
    Vendor(VendorRequest),
    /// The client asked the tracker.
    Tracker(TrackerRequest),
    /// A vendor changed without the client.
    Happened(Change),
    /// A person changed a ticket.
    Edited(Edit),
    /// A person told the client that the create in doubt for this group may be tried again.
    CreateAllowed(GroupId),
    /// The client's ledger was deleted.
    LedgerLost,
    /// From here on no fault strikes, nothing changes without the client, and the tracker's search has caught up.
    Quiet,
}

/// How a run began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunStarted {
    /// Whether it may only say what it would do.
    pub is_dry: bool,
    /// Whether it looks at everything, whatever was seen before. The first run on an empty ledger does.
    pub is_full: bool,
    /// Whether it was told to close however many tickets.
    pub may_close_many: bool,
}

/// How a run ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunEnded {
    /// How.
    pub exit: Exit,
    /// The numbers it printed; absent ones were not printed.
    pub counts: Counts,
    /// What a dry run printed as its plan; absent: it printed none that could be read.
    pub plan: Option<Vec<Planned>>,
    /// The failed items, scopes or tickets that it named, anywhere in a text; absent: not looked for.
    pub named: Option<String>,
    /// The oddities that it reported, with their counts; absent: not looked for.
    pub noticed: Option<BTreeMap<String, u64>>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// It was killed on purpose.
    Killed,
}

/// What a run says it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Tickets made.
    pub created: Option<u64>,
    /// Comments added.
    pub commented: Option<u64>,
    /// Tickets closed.
    pub closed: Option<u64>,
    /// Tickets opened again.
    pub reopened: Option<u64>,
    /// Items whose ticket the vendor was told.
    pub linked: Option<u64>,
}

/// A write that a dry run announced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Planned {
    /// What it would do.
    pub action: Action,
    /// Whom it is about. Of what is done to a ticket, any item of the ticket's group.
    pub item: ItemId,
}

/// What a client does, as far as plans and counts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make a ticket.
    Create,
    /// Comment on it.
    Comment,
    /// Close it.
    Close,
    /// Open it again.
    Reopen,
    /// Tell the vendor an item's ticket.
    Link,
}

/// A request to a vendor. [`super::vendor_requests`] says what it means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VendorRequest {
    /// Which vendor.
    pub vendor: Vendor,
    /// The route, e.g. `PATCH security_finding_targets/:id`, or Mend's `requestType`.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query string without the question mark.
    pub query: String,
    /// JSON body; `null` if there was none or it was not JSON.
    pub body: Value,
    /// What came of it.
    pub answer: Answer,
}

/// A vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vendor {
    /// Data Theorem.
    DataTheorem,
    /// Mend.
    Mend,
}

/// A request to the tracker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackerRequest {
    /// What was asked.
    pub call: Call,
    /// What came of it.
    pub answer: Answer,
}

/// What a client can ask of a tracker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Who am I? It fails if the credential does not work.
    Identify,
    /// Which tickets are there for this group? Also a search for all of the client's tickets.
    Find {
        /// The group; absent: no group in particular.
        group: Option<GroupId>,
        /// The tickets of the reply.
        found: Vec<TicketKey>,
    },
    /// A ticket by its key.
    Get {
        /// The key that was asked for.
        ticket: TicketKey,
        /// The key of the reply, which differs after a move; absent: it was not found.
        found: Option<TicketKey>,
    },
    /// Make a ticket. It made one if it took effect; a tracker with a unique key may answer the one that was there.
    Create {
        /// Whom the ticket is for; absent if the client wrote nothing into it that says so.
        group: Option<GroupId>,
        /// The ticket that was made or was there.
        ticket: Option<TicketKey>,
        /// Texts by name: `title`, `description` …
        fields: BTreeMap<String, String>,
        /// Labels.
        labels: BTreeSet<String>,
    },
    /// Add a comment.
    Comment {
        /// The ticket.
        ticket: TicketKey,
        /// The comment.
        text: String,
    },
    /// Close a ticket or open it again.
    SetDone {
        /// The ticket.
        ticket: TicketKey,
        /// Whether it is done from now on.
        is_done: bool,
        /// The ticket it is said to repeat.
        duplicate_of: Option<TicketKey>,
    },
    /// Put a text in the place of another.
    SetField {
        /// The ticket.
        ticket: TicketKey,
        /// The field, `labels` if all labels are replaced.
        name: String,
        /// Its new value; labels are separated by spaces.
        value: String,
    },
    /// Add and remove single labels.
    Label {
        /// The ticket.
        ticket: TicketKey,
        /// Labels to add.
        added: BTreeSet<String>,
        /// Labels to remove.
        removed: BTreeSet<String>,
    },
    /// Delete a ticket, a comment or anything else.
    Delete {
        /// The ticket.
        ticket: TicketKey,
        /// What is to go; absent: the ticket itself.
        part: Option<String>,
    },
}

impl Call {
    /// Its name, which stands for the endpoint.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Find { .. } => "find",
            Self::Get { .. } => "get",
            Self::Create { .. } => "create",
            Self::Comment { .. } => "comment",
            Self::SetDone { .. } => "set-done",
            Self::SetField { .. } => "set-field",
            Self::Label { .. } => "label",
            Self::Delete { .. } => "delete",
        }
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Identify | Self::Find { .. } | Self::Get { .. })
    }

    /// The ticket that it names.
    pub fn ticket(&self) -> Option<&TicketKey> {
        match self {
            Self::Identify | Self::Find { .. } | Self::Create { .. } => None,
            Self::Get { ticket, .. }
            | Self::Comment { ticket, .. }
            | Self::SetDone { ticket, .. }
            | Self::SetField { ticket, .. }
            | Self::Label { ticket, .. }
            | Self::Delete { ticket, .. } => Some(ticket),
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whether it took effect at the server: of a read, whether it was answered from the world.
    pub is_applied: bool,
    /// What the client saw.
    pub reply: Reply,
    /// The fault that struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the fault made a whole reply say what is not true.
    pub is_rewritten: bool,
    /// The wait that the reply demands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
}

impl Answer {
    /// An answer without fault and wait.
    pub fn new(is_applied: bool, reply: Reply) -> Self {
        Self { is_applied, reply, fault: None, is_rewritten: false, wait: None }
    }
}

/// What the client could see of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A whole reply that grants what was asked.
    Done,
    /// There is no such thing, or it is not shown.
    NotFound,
    /// A no to the credential.
    Denied,
    /// Another no, with its status.
    Refused(u16),
    /// Not now: 429.
    TooMany,
    /// The server failed, with its status. The request may have taken effect.
    Failed(u16),
    /// No reply, or none that is whole. The request may have taken effect.
    Lost,
    /// No connection came about, so the request surely took no effect.
    NotSent,
}

impl Reply {
    /// Whether the client can't know if the request took effect.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Failed(_) | Self::Lost)
    }

    /// Whether the request may have taken effect, as far as the client knows.
    pub fn may_have_taken_effect(self) -> bool {
        self == Self::Done || self.is_doubtful()
    }

    /// Whether trying again later may help.
    pub fn is_passing(self) -> bool {
        self.is_doubtful() || matches!(self, Self::TooMany | Self::NotSent)
    }
}

/// What changed at a vendor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The change.
    pub what: Changed,
    /// The time under which lists that are asked for what is new show it, which may be before it happened; absent:
    /// they don't show it, and only a look at everything does.
    pub listed_at: Option<Timestamp>,
}

/// An item that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// The item is new, or is like this from now on.
    Item(VendorItem),
    /// The vendor has it no more, nor says anything about it.
    Gone(ItemId),
}

/// What a person did to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The ticket.
    pub ticket: TicketKey,
    /// What was done.
    pub what: Edited,
}

/// What people do to tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edited {
    /// Made it.
    Made,
    /// Closed it or opened it again.
    SetDone(bool),
    /// Changed a text.
    SetField {
        /// The field.
        name: String,
        /// Its new value.
        value: String,
    },
    /// Added a label.
    LabelAdded(String),
    /// Removed a label.
    LabelRemoved(String),
    /// Wrote a comment.
    Commented(String),
    /// Moved it to another project, where it has this key.
    Moved(TicketKey),
    /// Deleted it.
    Deleted,
}
