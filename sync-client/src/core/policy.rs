//! What the people who run the client have decided.

use std::collections::BTreeSet;

use jiff::SignedDuration;

/// What the people who run the client have decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which of Data Theorem's targets share a ticket.
    pub group_targets: GroupTargets,
    /// Which of Mend's policy violations share a ticket.
    pub group_violations: GroupViolations,
    /// What happens to a ticket when its items are over.
    pub on_close: Reaction,
    /// What happens to a ticket when its items come back.
    pub on_reopen: Reaction,
    /// The most comments that the client writes to one ticket; a finding that comes and goes for years stays readable.
    pub comments_per_ticket_max: usize,
    /// How far before the last mark a list is read again: what the vendor publishes late is seen all the same.
    pub overlap: SignedDuration,
    /// How often everything is looked at, not only what changed.
    pub full_pass_every: SignedDuration,
    /// When so many closings at once need a person's word.
    pub brake: Brake,
    /// Whether credentials in the vendors' texts are masked in tickets.
    pub masks_credentials: bool,
    /// Apps and projects that are left out, by id or token.
    pub left_out: BTreeSet<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            group_targets: GroupTargets::Target,
            group_violations: GroupViolations::Violation,
            on_close: Reaction::Transition,
            on_reopen: Reaction::Transition,
            comments_per_ticket_max: 50,
            overlap: SignedDuration::from_hours(1),
            full_pass_every: SignedDuration::from_hours(24),
            brake: Brake::default(),
            masks_credentials: true,
            left_out: BTreeSet::new(),
        }
    }
}

/// Which of Data Theorem's targets share a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupTargets {
    /// None: each has its own.
    Target,
    /// Those of a finding.
    Finding,
}

/// Which of Mend's policy violations share a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupViolations {
    /// None: each has its own.
    Violation,
    /// Those of a library in a project.
    Library,
}

/// What happens to a ticket when its items change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// A comment says so.
    Comment,
    /// A comment says so, and the ticket's status follows.
    Transition,
}

/// When so many closings at once need a person's word (I6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// So many are always allowed.
    pub closings_allowed: u64,
    /// So many of a hundred open tickets are allowed.
    pub percent_allowed: u64,
}

impl Default for Brake {
    fn default() -> Self {
        Self { closings_allowed: 10, percent_allowed: 20 }
    }
}

impl Brake {
    /// Whether so many closings may be made of so many open tickets.
    pub fn allows(self, closings: u64, open_tickets: u64) -> bool {
        let share = u128::from(open_tickets) * u128::from(self.percent_allowed);
        closings <= self.closings_allowed || u128::from(closings) * 100 <= share
    }
}

#[cfg(test)]
mod tests {
    use super::Brake;

    #[test]
    fn the_brake_allows_ten_or_a_fifth_whichever_is_more() {
        let brake = Brake::default();
        for (closings, open, allowed) in [
            (0, 0, true),
            (10, 10, true),
            (11, 11, false),
            (11, 54, false),
            (11, 55, true),
            (20, 100, true),
            (21, 100, false),
        ] {
            assert_eq!(brake.allows(closings, open), allowed, "{closings} of {open}");
        }
    }
}
