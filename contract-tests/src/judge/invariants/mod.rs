//! The invariants, a file per family. Each is a pure function that looks through a history and notes what it sees.
//!
//! An invariant convicts only on what the history shows, and leaves alone what it can't tell. Where two could convict
//! the same act, the more specific one does.

mod bounds;
mod closing;
mod destruction;
mod duplicates;
mod failures;
mod groups;
mod honesty;
mod liveness;
mod people;
mod secrets;
mod single_writer;
mod writes;

use super::case::Case;
use super::journal::Event;
use super::{Verdict, Violation};

/// Something that must be true of every client.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// Its id, `I1a` to `I24`.
    pub id: &'static str,
    /// What must be true, in a sentence.
    pub text: &'static str,
    /// When it must be true.
    pub kind: Kind,
    /// Looks through a history.
    pub(super) judge: fn(&Case<'_>, &mut Findings),
}

/// When an invariant must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At every instant, under every fault and crash.
    Safety,
    /// Once faults stop and the world stands still.
    Liveness,
}

const fn safety(id: &'static str, text: &'static str, judge: fn(&Case<'_>, &mut Findings)) -> Invariant {
    Invariant { id, text, kind: Kind::Safety, judge }
}

const fn liveness(id: &'static str, text: &'static str, judge: fn(&Case<'_>, &mut Findings)) -> Invariant {
    Invariant { id, text, kind: Kind::Liveness, judge }
}

/// All invariants, in their order.
pub const INVARIANTS: &[Invariant] = &[
    safety(
        "I1a",
        "Where the tracker has a unique key, a group of items never has two tickets, even with the ledger deleted.",
        duplicates::with_unique_key,
    ),
    safety(
        "I1b",
        "Without a unique key but with the ledger, a group never has two tickets, and a create in doubt is tried \
         again only after proof that it did not happen.",
        duplicates::with_ledger,
    ),
    safety(
        "I1c",
        "Without either, a group ends up with one open ticket; the others are closed as duplicates of it.",
        duplicates::without_ledger,
    ),
    safety(
        "I2",
        "A ticket that the client tells the vendor exists and was made for that item.",
        duplicates::links_are_true,
    ),
    safety("I3", "A ticket is made only for an item that needs one.", duplicates::tickets_have_causes),
    safety("I4", "The client deletes nothing.", destruction::nothing_is_deleted),
    safety(
        "I5",
        "A ticket is closed, and a link cleared, because the vendor said so and not because it said nothing.",
        destruction::absence_is_no_evidence,
    ),
    safety(
        "I6",
        "A run that was not told to does not close more than ten tickets if that is more than a fifth of them.",
        destruction::brake,
    ),
    safety("I7", "Nothing is written to a vendor but what its pages ask for.", writes::documented),
    safety("I8", "Nothing is written that is there already.", writes::needed),
    safety("I9", "What a person wrote into a ticket stays.", people::fields_stay),
    safety(
        "I10",
        "What a person decided about a ticket stands until the vendor has news.",
        people::decisions_stand,
    ),
    safety(
        "I11",
        "A shared ticket is closed when all of its items are over and opened when one is not; all of them name it.",
        groups::shared_tickets,
    ),
    safety("I12", "No secret shows in output, ledger, ticket or comment.", secrets::secrets),
    safety(
        "I13",
        "Of two runs at once on one ledger, one writes nothing and says why.",
        single_writer::single_writer,
    ),
    liveness("I14", "After two runs in peace both sides are as they have to be.", liveness::convergence),
    liveness("I15", "After that, runs write nothing and read little.", liveness::quiescence),
    liveness("I16", "The first run after a change that succeeds has seen it.", liveness::no_skipped_update),
    liveness(
        "I17",
        "What always fails stops nothing else, is named, and is tried again by the next run.",
        liveness::isolation,
    ),
    safety("I18", "A run ends in time, and no request is tried too often.", bounds::bounded),
    safety("I19", "A wait that a server demands is kept.", bounds::waiting),
    safety(
        "I20",
        "A word that no page knows stops no run, changes no ticket, and is reported once.",
        bounds::unknown_is_kept,
    ),
    safety("I21", "Exit code and counts are true.", honesty::honest_exit),
    safety("I22", "What a crash left in doubt is repeated once at most.", honesty::restart),
    safety("I23", "A dry run writes nothing, and a run then does what it said.", honesty::dry_run),
    safety(
        "I24",
        "Nothing is believed to be absent before the credential was proved in the same run.",
        honesty::identity_first,
    ),
];

/// What an invariant saw.
#[derive(Debug, Default)]
pub struct Findings {
    observations: usize,
    violations: Vec<Violation>,
    reason: Option<String>,
}

impl Findings {
    /// The history showed what the invariant is about.
    fn saw(&mut self) {
        self.observations += 1;
    }

    /// It did not hold; the events of these indices show it.
    fn convict(&mut self, case: &Case<'_>, events: &[usize], text: impl Into<String>) {
        let mut events = events.to_vec();
        events.sort_unstable();
        events.dedup();
        let events = events.into_iter().filter_map(|index| case.events().get(index)).cloned();
        self.violations.push(Violation { text: text.into(), events: events.collect::<Vec<Event>>() });
    }

    /// Nothing can be said, for this reason, unless something was seen all the same.
    fn skip(&mut self, reason: impl Into<String>) {
        self.reason.get_or_insert(reason.into());
    }

    /// What follows from all that.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self { violations, .. } if !violations.is_empty() => Verdict::Violated { violations },
            Self { observations: 0, reason, .. } => Verdict::NotJudged {
                reason: reason.unwrap_or_else(|| "the history shows nothing of the kind".to_owned()),
            },
            Self { observations, .. } => Verdict::Held { observations },
        }
    }
}
