//! What the client needs from outside: something that carries requests, a clock, and a tracker.
//!
//! Calls block. A sync is one line of questions and answers, its speed is that of the tracker, and what a crash can
//! interrupt is easier to see in a straight line. Deliberately absent: the ledger, which is SQLite on disk and in
//! memory alike, so that tests run its real constraints.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;

use crate::core::model::{OpKey, Source, TicketKey};
use crate::core::text::Units;

/// A request, with its whole body.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute address.
    pub url: String,
    /// The headers; those with a credential are marked sensitive.
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    /// Neither body nor headers: Mend's credentials stand in the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// A reply, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// There was no reply. The texts name no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// The request surely did not arrive: no connection came about.
    #[error("it could not be sent: {0}")]
    NotSent(String),
    /// It may have arrived and may have been acted upon: the connection broke, the reply was cut off or never came.
    #[error("no complete reply came: {0}")]
    Unknown(String),
}

/// Carries requests.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole reply, at most `timeout`.
    fn send(&self, request: &Request, timeout: Duration) -> Result<Reply, NoReply>;
}

/// Time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Waits.
    fn sleep(&self, duration: Duration);
}

/// Where tickets live. Implementations retry what can be retried without harm; an error is final for this run.
pub trait Tracker: Send + Sync {
    /// What this tracker is like.
    fn traits(&self) -> TrackerTraits;

    /// Proves that the credential works, and says whom the tracker takes us for. Before this has succeeded no "not
    /// found" may be believed (I24).
    fn identify(&self) -> Result<String, TrackerError>;

    /// Every ticket that carries this key, open or closed, oldest first. Where search lags, a ticket made within
    /// [`TrackerTraits::search_lag`] may be missing.
    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError>;

    /// Makes a ticket that carries `ticket.op`, in one request, never repeated within the call once it may have
    /// arrived. A tracker with a unique key answers [`Created::Existing`] instead of making a second one.
    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError>;

    /// A ticket by its key; `None`: there is none, or none that we may see. A ticket that was moved is answered under
    /// its new key.
    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError>;

    /// The tickets with a key of ours that were changed since then, whoever changed them, in any order; `None`: all.
    /// Where search lags, changes younger than [`TrackerTraits::search_lag`] may be missing. Comments may be left out.
    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError>;

    /// Adds a comment, then changes whether the ticket is done; either may be absent. Answers the ticket as it is then.
    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff>;

    /// A text as [`Ticket::our_last_comment`] shows it after it was added as a comment. Trackers with a markup of their
    /// own show another text than they were given.
    fn as_stored(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// What a tracker is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackerTraits {
    /// Its name, e.g. `local`.
    pub name: &'static str,
    /// Whether it refuses a second ticket with the same [`OpKey`].
    pub has_unique_key: bool,
    /// How long a new ticket may stay invisible to [`Tracker::find`].
    pub search_lag: Duration,
    /// The most that a title may have, in `units`.
    pub title_chars_max: usize,
    /// The most that a description or comment may have, in `units`, before it becomes markup of the tracker's own.
    pub text_chars_max: usize,
    /// How it counts.
    pub units: Units,
}

/// A ticket to be made. The texts fit the tracker's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// The key by which it is found again.
    pub op: OpKey,
    /// One line.
    pub title: String,
    /// Plain text, or Markdown as the vendor writes it.
    pub description: String,
    /// Labels, without spaces.
    pub labels: Vec<String>,
}

/// A ticket as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its key, e.g. `LOCAL-12`.
    pub key: TicketKey,
    /// Its address for people, if it has one.
    pub url: Option<String>,
    /// Whether it is done, by the category of its status.
    pub is_done: bool,
    /// The status as people read it.
    pub status: String,
    /// Why it is done, in the tracker's words, where it has any besides the status.
    pub resolution: Option<String>,
    /// The key that the client gave it; `None` for tickets of people.
    pub op: Option<OpKey>,
    /// The text of the client's own newest comment.
    pub our_last_comment: Option<String>,
    /// How many comments the client wrote.
    pub our_comments: usize,
}

/// What came of making a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    New(Ticket),
    /// One with this key was there.
    Existing(Ticket),
    /// It is new, and could not be looked at: whether it carries its key is not known.
    Unseen(Ticket, TrackerError),
}

impl Created {
    /// The ticket, however it came about.
    pub fn ticket(&self) -> &Ticket {
        match self {
            Self::New(ticket) | Self::Existing(ticket) | Self::Unseen(ticket, _) => ticket,
        }
    }
}

/// A change of a ticket. Titles, labels and fields are people's: the client writes them once, when it makes the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// A comment to add.
    pub comment: Option<String>,
    /// Whether the ticket is done from now on; `None`: as it is.
    pub is_done: Option<bool>,
}

/// Why a tracker did not do what was asked. The texts name no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackerError {
    /// It says no to this request; nothing was done.
    #[error("the tracker refuses it: {0}")]
    Refused(String),
    /// It does not accept the credential; nothing was done.
    #[error("the tracker does not accept the credential: {0}")]
    Credential(String),
    /// It can't now; nothing was done.
    #[error("the tracker is not available: {0}")]
    Unavailable(String),
    /// It may have been done.
    #[error("whether the tracker did it is not known: {0}")]
    Unknown(String),
}

/// A change of a ticket that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BrokenOff {
    /// What the tracker had granted by then; nothing else is known to be done.
    pub granted: Granted,
    /// Why it went no further. Its promise that nothing was done is about the step that failed.
    #[source]
    pub error: TrackerError,
}

impl From<TrackerError> for BrokenOff {
    /// Nothing was granted before.
    fn from(error: TrackerError) -> Self {
        Self { granted: Granted::default(), error }
    }
}

impl BrokenOff {
    /// Whether the ticket is surely as it was before.
    pub fn left_all_as_it_was(&self) -> bool {
        self.granted == Granted::default() && !matches!(self.error, TrackerError::Unknown(_))
    }
}

/// The parts of a [`Change`] that a tracker granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Granted {
    /// Whether the comment was added.
    pub comment: bool,
    /// Whether the ticket became done, or open again; `None`: it stayed as it was, as far as is known.
    pub is_done: Option<bool>,
}

/// Why a vendor did not do what was asked, after the retries that were allowed. The texts name the operation and no
/// credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// It does not accept the credential.
    #[error("{vendor} does not accept the credential: {reason}")]
    Credential {
        /// The vendor.
        vendor: Source,
        /// What it says.
        reason: String,
    },
    /// It says no to this request.
    #[error("{operation} is refused: {reason}")]
    Refused {
        /// E.g. `PATCH security_finding_targets/4567`.
        operation: String,
        /// What it says.
        reason: String,
    },
    /// It has no such thing, or does not show it to us.
    #[error("{operation}: there is no such thing, or it may not be seen: {reason}")]
    NotFound {
        /// E.g. `GET security_findings/053069`.
        operation: String,
        /// What it says.
        reason: String,
    },
    /// It did not answer, or not usefully, however often it was asked; or time was up.
    #[error("{operation} does not succeed: {reason}")]
    Unavailable {
        /// The operation.
        operation: String,
        /// What came back last.
        reason: String,
    },
    /// Its reply is not what the pages promise, so nothing may be concluded from it.
    #[error("{operation} answers what can't be understood: {reason}")]
    Malformed {
        /// The operation.
        operation: String,
        /// What is wrong with it.
        reason: String,
    },
}
