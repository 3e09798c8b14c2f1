//! A run: what the vendors show becomes tickets, and what changed since reaches them.
//!
//! First what an earlier run left in doubt is settled, and what people decided about tickets reaches the vendors, where
//! that is wanted. Then each vendor's changed lists are read page by page; tickets
//! are made and linked on the way. At last the tickets whose items changed are told so: from the ledger, so that a
//! crash in between loses nothing, and all closings together, so that the brake sees how many there are.
//! Every step is decided by [`next_step`](crate::core::plan::next_step). Deliberately absent: threads. Trackers are
//! slow because of what they do per ticket, and one writer is what the ledger can vouch for.

mod data_theorem;
mod mend;
mod people;
mod pretend;
mod report;
mod telling;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use self::pretend::Pretend;
pub use self::report::{Failure, HeldBack, Report};
use crate::adapters::data_theorem::DataTheorem;
use crate::adapters::mend::Mend;
use crate::core::model::{ItemId, ScopeId, Source};
use crate::core::noticed::Noticed;
use crate::core::policy::Policy;
use crate::core::text::Wording;
use crate::ledger::{Ledger, LedgerError};
use crate::ports::{Clock, Ticket, Tracker, TrackerError, VendorError};

/// So many times in a row the tracker may be unavailable before the run gives up on it.
const UNAVAILABLE_MAX: u32 = 3;

/// The vendors that take part.
pub struct Vendors {
    /// Data Theorem.
    pub data_theorem: Option<DataTheorem>,
    /// Mend.
    pub mend: Option<Mend>,
    /// What was odd in their replies.
    pub noticed: Arc<Noticed>,
}

/// What is asked of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Look at everything, not only at what changed.
    pub is_full: bool,
    /// Make all closings, however many there are.
    pub allows_mass_change: bool,
    /// Write nothing to the vendors. The tracker is wrapped in [`Pretend`], and the ledger is a copy.
    pub is_dry: bool,
}

/// What a run says while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<'a> {
    /// This list is read now.
    Reading(&'a ScopeId),
    /// This was done, or would be: e.g. `link data-theorem/target/4567 to LOCAL-12`.
    Did(&'a str),
}

/// What ends a run early. All that was done is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The ledger can't be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The tracker does not accept the credential, or is gone; the report says so.
    #[error("the tracker can't be used")]
    Tracker,
}

/// One run.
pub struct Run<'a> {
    vendors: &'a Vendors,
    tracker: &'a dyn Tracker,
    clock: &'a dyn Clock,
    ledger: &'a mut Ledger,
    policy: &'a Policy,
    options: Options,
    progress: &'a mut dyn FnMut(Progress<'_>),
    report: Report,
    unavailable: u32,
}

impl<'a> Run<'a> {
    /// A run that has not begun.
    pub fn new(
        vendors: &'a Vendors,
        tracker: &'a dyn Tracker,
        clock: &'a dyn Clock,
        ledger: &'a mut Ledger,
        policy: &'a Policy,
        options: Options,
        progress: &'a mut dyn FnMut(Progress<'_>),
    ) -> Self {
        let report = Report::default();
        Self { vendors, tracker, clock, ledger, policy, options, progress, report, unavailable: 0 }
    }

    /// Does it. Fails only if the ledger does; everything else is in the report.
    pub fn perform(mut self) -> Result<Report, LedgerError> {
        self.ledger.begin_run(self.clock.now())?;
        match self.go() {
            Ok(()) | Err(Stop::Tracker) => {}
            Err(Stop::Ledger(error)) => return Err(error),
        }
        self.report.in_doubt = self.ledger.counts()?.in_doubt;
        self.report.noticed = self.vendors.noticed.counts();
        let exit = self.report.exit();
        self.ledger.end_run(self.clock.now(), exit.code(), &self.report.summary())?;
        Ok(self.report)
    }

    fn go(&mut self) -> Result<(), Stop> {
        // Before the credential is proved, "there is no such ticket" may only mean that we may not see it (I24).
        match self.tracker.identify() {
            Ok(_) => {}
            Err(error) => return Err(self.tracker_failed("identity", &error)),
        }
        self.settle_all()?;
        self.hear_people()?;
        if let Some(data_theorem) = &self.vendors.data_theorem {
            self.data_theorem(data_theorem)?;
        }
        if let Some(mend) = &self.vendors.mend {
            self.mend(mend)?;
        }
        self.tell_all()?;
        self.settle_all()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How texts for the tracker are written.
    fn wording(&self) -> Wording {
        Wording::new(&self.tracker.traits(), self.policy.credentials)
    }

    /// Says that something was done, or would be.
    fn did(&mut self, what: &str) {
        // The log says what was done. What a dry run would do is its result.
        if !self.options.is_dry {
            tracing::info!("{what}");
        }
        (self.progress)(Progress::Did(what));
    }

    /// Notes what a vendor did not do. A credential that is not accepted is more than a failed item.
    fn vendor_failed(&mut self, what: impl Into<String>, error: &VendorError) {
        if let VendorError::Credential { .. } = error {
            let text = error.to_string();
            if !self.report.credentials.contains(&text) {
                self.report.credentials.push(text);
            }
        }
        self.report.fail(what, error);
    }

    /// Notes what the tracker did not do, and gives up on it if it is of no use any more.
    fn note_tracker(&mut self, what: impl Into<String>, error: &TrackerError) -> Result<(), Stop> {
        self.report.fail(what, error);
        match error {
            TrackerError::Credential(_) => {
                self.report.credentials.push(error.to_string());
                return Err(Stop::Tracker);
            }
            TrackerError::Unavailable(_) | TrackerError::Unknown(_) => self.unavailable += 1,
            TrackerError::Refused(_) => self.unavailable = 0,
        }
        if self.unavailable >= UNAVAILABLE_MAX { Err(Stop::Tracker) } else { Ok(()) }
    }

    fn tracker_failed(&mut self, what: &str, error: &TrackerError) -> Stop {
        match self.note_tracker(what, error) {
            Err(stop) => stop,
            Ok(()) => Stop::Tracker,
        }
    }

    /// Lets a vendor know an item's ticket.
    fn link(&mut self, item: &ItemId, ticket: &Ticket) -> Result<(), VendorError> {
        if self.options.is_dry {
            return Ok(());
        }
        let unknown = || VendorError::Refused {
            operation: format!("link {item}"),
            reason: "the vendor of this item takes no part in this run".to_owned(),
        };
        let mut parts = item.as_str().splitn(4, '/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("data-theorem"), Some("target"), Some(target), None) => {
                let vendor = self.vendors.data_theorem.as_ref().ok_or_else(unknown)?;
                vendor.link(target, ticket.key.as_str())
            }
            (Some("mend"), Some("violation"), Some(project), Some(violation)) => {
                let vendor = self.vendors.mend.as_ref().ok_or_else(unknown)?;
                mend::report(vendor, project, violation, ticket)
            }
            _ => Err(unknown()),
        }
    }

    /// Whether it is time to look at everything of a vendor.
    fn is_full_pass_due(&self, scope: &crate::ledger::Scope) -> bool {
        let is_old = |at: Timestamp| {
            let age = Duration::try_from(self.now().duration_since(at));
            age.is_ok_and(|age| age >= self.policy.full_pass_every)
        };
        self.options.is_full || scope.full_at.is_none_or(is_old)
    }

    /// From when on a list is read: some time before the mark, for what the vendor publishes late. `None`: all of it.
    fn since(&self, is_full: bool, mark: Option<Timestamp>) -> Option<Timestamp> {
        let overlap = SignedDuration::try_from(self.policy.overlap).unwrap_or(SignedDuration::MAX);
        mark.filter(|_| !is_full).and_then(|mark| mark.checked_sub(overlap).ok())
    }
}

/// The list of all of a vendor's apps or projects.
fn whole(source: Source) -> ScopeId {
    ScopeId::new(source.as_str())
}
