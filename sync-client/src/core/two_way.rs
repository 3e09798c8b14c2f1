//! What people decide about a ticket, and what the vendor is to know of it.
//!
//! A decision is a difference between how the client left a ticket and how it is. What the client did itself is none,
//! and neither is a ticket that somebody closed without one of the words that are set up: the next scan says more about
//! that than people can, unless they say such a word later. Deliberately absent: how tickets are found that changed, and
//! asking the vendor.

use super::model::Standing;

/// Which words of a tracker say that a finding stays although nobody repairs it. Compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoWay {
    /// Words for `CLOSED_WONT_FIX`.
    pub wont_fix: Vec<String>,
    /// Words for `CLOSED_RISK_ACCEPTED`.
    pub risk_accepted: Vec<String>,
    /// Words for `CLOSED_COMPENSATING_CONTROL`.
    pub compensating_control: Vec<String>,
}

impl Default for TwoWay {
    /// The words that trackers come with, and the vendor's own.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            wont_fix: words(&["Won't Fix", "Won't Do", "Rejected"]),
            risk_accepted: words(&["Risk Accepted"]),
            compensating_control: words(&["Compensating Control"]),
        }
    }
}

/// What people want of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The findings are to count as closed, for this reason.
    Close(ClosedAs),
    /// They are to count as open again.
    Reopen,
}

/// Why a finding counts as closed without being repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedAs {
    /// Nobody will repair it.
    WontFix,
    /// Somebody answers for the risk.
    RiskAccepted,
    /// Something else takes care of it.
    CompensatingControl,
}

impl ClosedAs {
    /// Data Theorem's word.
    pub fn status(self) -> &'static str {
        match self {
            Self::WontFix => "CLOSED_WONT_FIX",
            Self::RiskAccepted => "CLOSED_RISK_ACCEPTED",
            Self::CompensatingControl => "CLOSED_COMPENSATING_CONTROL",
        }
    }
}

/// How the client left a ticket, as far as it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It does not know; nothing may be concluded from how the ticket is.
    Unknown,
    /// Open.
    Open,
    /// Done.
    Done {
        /// Whether it was people who closed it, and not the client.
        by_people: bool,
    },
}

impl Left {
    /// By whether the ticket was left done; `None`: that is not known.
    pub fn of(is_done: Option<bool>, by_people: bool) -> Self {
        match is_done {
            None => Self::Unknown,
            Some(false) => Self::Open,
            Some(true) => Self::Done { by_people },
        }
    }

    /// How it is left by whoever changes nothing, after people had their way with it.
    #[must_use]
    pub fn then_found(self, is_done: bool) -> Self {
        match (self, is_done) {
            (_, false) => Self::Open,
            (Self::Open | Self::Done { by_people: true }, true) => Self::Done { by_people: true },
            (Self::Unknown | Self::Done { by_people: false }, true) => Self::Done { by_people: false },
        }
    }

    /// Whether the ticket was left done; `None`: that is not known.
    pub fn is_done(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Open => Some(false),
            Self::Done { .. } => Some(true),
        }
    }
}

impl TwoWay {
    /// What people decided about a ticket that the client left so. `words` are its resolution and its status, the first
    /// that says something counts.
    pub fn wish<'a>(
        &self,
        left: Left,
        is_done: bool,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Option<Wish> {
        match (left, is_done) {
            // People may correct the word that they closed it with; the client's own says nothing.
            (Left::Open | Left::Done { by_people: true }, true) => {
                words.into_iter().find_map(|word| self.closed_as(word)).map(Wish::Close)
            }
            (Left::Done { .. }, false) => Some(Wish::Reopen),
            (Left::Unknown, _) | (Left::Open, false) | (Left::Done { by_people: false }, true) => None,
        }
    }

    fn closed_as(&self, word: &str) -> Option<ClosedAs> {
        let word = word.trim().to_lowercase();
        let says = |words: &[String]| words.iter().any(|known| known.trim().to_lowercase() == word);
        if says(&self.wont_fix) {
            Some(ClosedAs::WontFix)
        } else if says(&self.risk_accepted) {
            Some(ClosedAs::RiskAccepted)
        } else if says(&self.compensating_control) {
            Some(ClosedAs::CompensatingControl)
        } else {
            None
        }
    }
}

/// The status that a target gets by a wish; `None`: it stays as it is. What a scan closed, a scan opens again: that
/// somebody reopened its ticket does not bring a finding back.
pub fn new_status(wish: Wish, standing: &Standing, status: &str) -> Option<&'static str> {
    match (wish, standing) {
        (Wish::Close(as_), Standing::Open) => Some(as_.status()),
        (Wish::Reopen, Standing::Closed) => {
            let by_decision = [ClosedAs::WontFix, ClosedAs::RiskAccepted, ClosedAs::CompensatingControl];
            by_decision.iter().any(|closed| closed.status() == status).then_some("OPEN")
        }
        (Wish::Close(_), Standing::Closed | Standing::Unknown)
        | (Wish::Reopen, Standing::Open | Standing::Unknown) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_how_it_was_left_is_a_decision() {
        let two_way = TwoWay::default();
        let wont_fix = Some(Wish::Close(ClosedAs::WontFix));
        let rows = [
            (Left::Open, true, "Won't Fix", wont_fix),
            (Left::Open, true, " won't fix ", wont_fix),
            (Left::Open, true, "Risk accepted", Some(Wish::Close(ClosedAs::RiskAccepted))),
            (Left::Open, true, "Compensating Control", Some(Wish::Close(ClosedAs::CompensatingControl))),
            (Left::Open, true, "Done", None),
            (Left::Open, true, "", None),
            (Left::Done { by_people: false }, true, "Won't Fix", None),
            (Left::Done { by_people: true }, true, "Won't Fix", wont_fix),
            (Left::Done { by_people: true }, true, "Done", None),
            (Left::Unknown, true, "Won't Fix", None),
            (Left::Unknown, false, "Open", None),
            (Left::Open, false, "Won't Fix", None),
            (Left::Done { by_people: false }, false, "Open", Some(Wish::Reopen)),
            (Left::Done { by_people: true }, false, "Open", Some(Wish::Reopen)),
        ];
        for (left, is_done, word, wanted) in rows {
            assert_eq!(two_way.wish(left, is_done, ["Closed", word]), wanted, "{left:?} {is_done} {word:?}");
        }
    }

    #[test]
    fn who_closed_a_ticket_is_known_as_long_as_it_stays_closed() {
        let (theirs, not_theirs) = (Left::Done { by_people: true }, Left::Done { by_people: false });
        for left in [Left::Unknown, Left::Open, theirs, not_theirs] {
            assert_eq!(left.then_found(false), Left::Open);
        }
        let found: Vec<Left> =
            [Left::Open, theirs, Left::Unknown, not_theirs].map(|left| left.then_found(true)).into();
        assert_eq!(found, [theirs, theirs, not_theirs, not_theirs]);
    }

    #[test]
    fn a_wish_is_granted_only_where_it_changes_something_that_people_decide() {
        use Standing::{Closed, Open, Unknown};
        let close = Wish::Close(ClosedAs::RiskAccepted);
        let rows = [
            (close, Open, "OPEN", Some("CLOSED_RISK_ACCEPTED")),
            (close, Open, "NEW", Some("CLOSED_RISK_ACCEPTED")),
            (close, Closed, "CLOSED_FIXED", None),
            (close, Closed, "CLOSED_WONT_FIX", None),
            (close, Unknown, "SNOOZED", None),
            (Wish::Reopen, Closed, "CLOSED_WONT_FIX", Some("OPEN")),
            (Wish::Reopen, Closed, "CLOSED_RISK_ACCEPTED", Some("OPEN")),
            (Wish::Reopen, Closed, "CLOSED_COMPENSATING_CONTROL", Some("OPEN")),
            (Wish::Reopen, Closed, "CLOSED_FIXED", None),
            (Wish::Reopen, Closed, "LIBRARY_GONE", None),
            (Wish::Reopen, Open, "OPEN", None),
            (Wish::Reopen, Unknown, "SNOOZED", None),
        ];
        for (wish, standing, status, wanted) in rows {
            assert_eq!(new_status(wish, &standing, status), wanted, "{wish:?} {status}");
        }
    }
}
