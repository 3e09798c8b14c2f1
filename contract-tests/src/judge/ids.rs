//! What things are called in a history, whoever made it.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What stands behind the last slash: the id as the vendor or the tracker writes it.
            pub fn last_part(&self) -> &str {
                self.0.rsplit('/').next().unwrap_or_default()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
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

text_id! {
    /// What a ticket is for: `data-theorem/target/4567` or `mend/violation/PROJECT_TOKEN/ISSUE_UUID`.
    ItemId
}
text_id! {
    /// Items that share a ticket: `data-theorem/target/4567`, `data-theorem/finding/053069`,
    /// `mend/violation/PROJECT_TOKEN/ISSUE_UUID`, `mend/library/PROJECT_TOKEN/KEY_UUID`.
    GroupId
}
text_id! {
    /// What is listed by itself: `data-theorem/app/13` or `mend/project/PROJECT_TOKEN`.
    ScopeId
}
text_id! {
    /// A ticket in its tracker, e.g. `SEC-12`.
    TicketKey
}

impl TicketKey {
    /// The number at its end, by which tickets are older or younger: of `SEC-10000` it is 10000.
    pub fn number(&self) -> Option<u64> {
        let digits = self.0.rsplit(|letter: char| !letter.is_ascii_digit()).next()?;
        digits.parse().ok()
    }
}

/// Number of a run of the client within a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RunId(pub u32);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TicketKey;

    #[test]
    fn a_ticket_is_older_by_number_and_not_by_spelling() {
        let number = |text: &str| TicketKey::from(text).number();
        assert!(number("SEC-9999") < number("SEC-10000"));
        assert_eq!((number("12"), number("SEC")), (Some(12), None));
    }
}
