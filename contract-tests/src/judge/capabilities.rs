//! What a client and its tracker promise, and what the client was told to do.

use serde::{Deserialize, Serialize};

/// What may be expected of a client. What a file leaves out is as the vendors' pages suggest, or as weak as possible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent promises, each read by its name in a file")]
pub struct Capabilities {
    /// Whether the tracker refuses a second ticket with the same key.
    pub tracker_has_unique_key: bool,
    /// The longest time, in seconds, that a new ticket stays invisible to the tracker's search.
    pub search_lag_s: u64,
    /// Whether the client keeps something between its runs.
    pub keeps_ledger: bool,
    /// Which items share a ticket.
    pub grouping: Grouping,
    /// What becomes of a ticket when its items are over.
    pub closes: Closes,
    /// Whether a ticket that the client closed is opened again when one of its items is.
    pub reopens: bool,
    /// Whether the client reports what people decide about tickets back to the vendors.
    pub is_two_way: bool,
    /// The most attempts per request, the first one included.
    pub attempts_max: u32,
    /// The longest a run may take, in seconds.
    pub deadline_s: u64,
    /// How far before the last known time, in seconds, the client looks again for what came late.
    pub overlap_s: u64,
    /// How many requests the client has under way at once, at most.
    pub workers: usize,
    /// Rows on a page of the vendors' lists.
    pub page_size: usize,
    /// Whether Mend's lists show violations that are resolved, so that one list is a positive statement.
    pub resolved_are_listed: bool,
    /// What the client's exit codes mean.
    pub exits: Exits,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            tracker_has_unique_key: false,
            search_lag_s: 300,
            keeps_ledger: true,
            grouping: Grouping::default(),
            closes: Closes::default(),
            reopens: false,
            is_two_way: false,
            attempts_max: 10,
            deadline_s: 24 * 60 * 60,
            overlap_s: 4 * 24 * 60 * 60,
            workers: 1,
            page_size: 100,
            resolved_are_listed: false,
            exits: Exits::default(),
        }
    }
}

/// Which items share a ticket, by vendor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grouping {
    /// At Data Theorem: all targets of a finding. Otherwise each target has its own ticket.
    pub by_finding: bool,
    /// At Mend: all violations of a library in a project. Otherwise each violation has its own ticket.
    pub by_library: bool,
}

/// What becomes of a ticket when its items are over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closes {
    /// A comment says so, and people close it.
    #[default]
    Comment,
    /// The client closes it.
    Transition,
}

/// Exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exits {
    /// Everything that was due was handled.
    pub done: i32,
    /// The settings can't be used.
    pub configuration: i32,
    /// A credential was refused.
    pub credentials: i32,
    /// Something named failed.
    pub partial: i32,
    /// Stopped before closing too many tickets.
    pub brake: i32,
    /// Another run holds the ledger.
    pub locked: i32,
    /// Creates in doubt wait.
    pub in_doubt: i32,
}

impl Default for Exits {
    fn default() -> Self {
        Self { done: 0, configuration: 2, credentials: 3, partial: 4, brake: 5, locked: 6, in_doubt: 7 }
    }
}

impl Exits {
    /// Whether the code is one of them.
    pub fn contains(&self, code: i32) -> bool {
        let Self { done, configuration, credentials, partial, brake, locked, in_doubt } = *self;
        [done, configuration, credentials, partial, brake, locked, in_doubt].contains(&code)
    }
}
