//! What the people who run the client have decided.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::text::Credentials;
use super::two_way::TwoWay;

/// What to do about what is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which targets of Data Theorem share a ticket.
    pub group_targets: TargetGroups,
    /// Which violations of Mend share a ticket.
    pub group_violations: ViolationGroups,
    /// What follows when everything a ticket stands for is closed.
    pub on_close: OnChange,
    /// What follows when something a closed ticket stands for is open again.
    pub on_reopen: OnChange,
    /// From so many comments of the client on, a ticket gets no more of them.
    pub comments_per_ticket_max: u32,
    /// How far a watermark goes back behind the vendor's own time.
    pub overlap: Duration,
    /// How often everything is looked at, not only what changed.
    pub full_pass_every: Duration,
    /// How many closings in one run are too many to believe.
    pub mass_change_max: MassChangeMax,
    /// What happens to credentials in the texts of findings.
    pub credentials: Credentials,
    /// Ids of Data Theorem's apps that are left alone.
    pub leave_out_apps: BTreeSet<String>,
    /// Tokens of Mend's projects that are left alone.
    pub leave_out_projects: BTreeSet<String>,
    /// What people decide about tickets reaches the vendors; `None`: it does not.
    pub two_way: Option<TwoWay>,
}

/// Which targets of Data Theorem share a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetGroups {
    /// None: a ticket each.
    Target,
    /// Those of a finding.
    Finding,
}

/// Which violations of Mend share a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationGroups {
    /// None: a ticket each.
    Violation,
    /// Those of a library in a project.
    Library,
}

/// What follows from a change at the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// A comment: people decide.
    Comment,
    /// A comment, and the ticket is closed or opened again.
    Transition,
}

/// The mass-change brake (I6): a run that would close more than the larger of the two stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MassChangeMax {
    /// This many tickets.
    pub tickets: u32,
    /// This share of the linked open tickets, 0 to 100.
    pub percent: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            group_targets: TargetGroups::Target,
            group_violations: ViolationGroups::Violation,
            on_close: OnChange::Transition,
            on_reopen: OnChange::Transition,
            comments_per_ticket_max: 50,
            overlap: Duration::from_hours(1),
            full_pass_every: Duration::from_hours(24),
            mass_change_max: MassChangeMax { tickets: 10, percent: 20 },
            credentials: Credentials::Masked,
            leave_out_apps: BTreeSet::new(),
            leave_out_projects: BTreeSet::new(),
            two_way: None,
        }
    }
}

impl MassChangeMax {
    /// Whether so many closings may be made of so many open tickets.
    pub fn allows(self, closings: u64, open_tickets: u64) -> bool {
        let share = u128::from(open_tickets) * u128::from(self.percent);
        closings <= u64::from(self.tickets) || u128::from(closings) * 100 <= share
    }
}

#[cfg(test)]
mod tests {
    use super::Policy;

    #[test]
    fn the_brake_allows_ten_or_a_fifth_whichever_is_more() {
        let brake = Policy::default().mass_change_max;
        let rows = [
            (0, 0, true),
            (10, 10, true),
            (11, 11, false),
            (11, 54, false),
            (11, 55, true),
            (20, 100, true),
            (21, 100, false),
        ];
        for (closings, open, allowed) in rows {
            assert_eq!(brake.allows(closings, open), allowed, "{closings} of {open}");
        }
    }
}
