//! What the client talks about: vendors' items, the tickets they belong to, and their keys.

use std::fmt;

/// A vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Data Theorem's Results API.
    DataTheorem,
    /// Mend's issue tracker API.
    Mend,
}

impl Source {
    /// Its name in keys, on the command line and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataTheorem => "data-theorem",
            Self::Mend => "mend",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! text_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// From its text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_key! {
    /// What a vendor calls an item, with the vendor: `data-theorem/target/4567` or
    /// `mend/violation/PROJECT_TOKEN/ISSUE_UUID`.
    ItemId
}
text_key! {
    /// The items that share a ticket: `data-theorem/target/4567`, `data-theorem/finding/053069`,
    /// `mend/violation/PROJECT_TOKEN/ISSUE_UUID`, `mend/library/PROJECT_TOKEN/KEY_UUID`.
    GroupId
}
text_key! {
    /// What is listed by itself and has its own watermark: `data-theorem/app/13`, `mend/project/PROJECT_TOKEN`.
    ScopeId
}
text_key! {
    /// A ticket in its tracker, e.g. `LOCAL-12`.
    TicketKey
}
text_key! {
    /// The key that a ticket carries in its tracker, so that it is found again without the ledger: `sync-` and 24
    /// hexadecimal digits. The same group always gets the same key.
    OpKey
}

impl OpKey {
    /// The key of a group's ticket.
    pub fn of(group: &GroupId) -> Self {
        let hash = blake3::hash(group.as_str().as_bytes());
        Self(format!("sync-{}", hash.to_hex().chars().take(24).collect::<String>()))
    }
}

/// What the vendor says of an item, as far as a ticket depends on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It needs a ticket.
    Open,
    /// It is over.
    Closed,
    /// The vendor used a word that the client does not know. It changes nothing (I20).
    Unknown,
}

/// Whether the vendor knows an item's ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// No ticket is set.
    Unset,
    /// This one.
    Set(TicketKey),
    /// The vendor does not show it (Mend).
    NotShown,
}

/// An item as the vendor showed it in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which one.
    pub id: ItemId,
    /// The items it shares a ticket with.
    pub group: GroupId,
    /// Where it was listed.
    pub scope: ScopeId,
    /// What the vendor says of it.
    pub standing: Standing,
    /// The vendor's own word for that, e.g. `CLOSED_FIXED`.
    pub status: String,
    /// Its ticket, as the vendor knows it.
    pub link: Link,
}

#[cfg(test)]
mod tests {
    use super::{GroupId, OpKey};

    #[test]
    fn a_group_always_has_the_same_key_and_no_other_group_has_it() {
        let key = |text: &str| OpKey::of(&GroupId::new(text));
        assert_eq!(key("data-theorem/target/1"), key("data-theorem/target/1"));
        assert_ne!(key("data-theorem/target/1"), key("data-theorem/target/2"));
        assert_eq!(key("data-theorem/target/1").as_str().len(), 29);
    }
}
