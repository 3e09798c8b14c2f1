//! What people decide about tickets reaches the vendors, where that is wanted.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::telling::{Look, UNSEEN_RUNS_MAX};
use super::tickets::{source_of, view};
use super::{Run, Stop};
use crate::core::model::{GroupId, Source, Standing};
use crate::core::plan::{Ticketing, Told, standing};
use crate::core::two_way::{Left, Wish, new_status};
use crate::ledger::{Recorded, RecordedItem};
use crate::ports::{Ticket, VendorError};

impl Run<'_> {
    /// Does at the vendors what people decided about tickets since the last run. The first time, how the tickets are is
    /// only remembered: what was decided before somebody asked for this is not acted upon.
    pub(super) fn hear_people(&mut self) -> Result<(), Stop> {
        if self.policy.two_way.is_none() {
            return Ok(self.ledger.stop_hearing()?);
        }
        let asked_at = self.now();
        let mark = self.ledger.tracker_mark()?;
        let rows = match self.tracker.changed(mark.map(|mark| self.unread_since(mark))) {
            Ok(rows) => rows,
            Err(error) => return self.note_tracker("the list of changed tickets", &error),
        };
        self.unavailable = 0;
        let mut due = BTreeSet::from_iter(self.ledger.unheard_groups()?);
        for row in &rows {
            due.extend(self.group_that_changed(row, mark.is_none())?);
        }
        for group in due {
            // Search shows tickets as they were some time ago: what is decided, is decided by the ticket as it is.
            let recorded = self.ledger.group(&group)?;
            let Some(Ticketing::Made(key)) = recorded.map(|recorded| recorded.ticketing) else { continue };
            match self.look_again(&group, &key)? {
                Look::At(ticket) => self.hear(&group, &ticket)?,
                Look::Elsewhere => {}
                Look::Nothing => self.ledger.unheard(&group)?,
            }
        }
        Ok(self.ledger.heard_people(asked_at)?)
    }

    /// From when on changes may not have been listed: before the mark by the overlap, for clocks that differ, and by
    /// what the search lags.
    fn unread_since(&self, mark: Timestamp) -> Timestamp {
        let back = self.policy.overlap.saturating_add(self.tracker.traits().search_lag);
        let back = SignedDuration::try_from(back).unwrap_or(SignedDuration::MAX);
        mark.checked_sub(back).unwrap_or(Timestamp::MIN)
    }

    /// The group of a row of the list, if something may follow from how its ticket is now.
    fn group_that_changed(&mut self, row: &Ticket, is_first: bool) -> Result<Option<GroupId>, Stop> {
        let group = match &row.op {
            Some(op) => self.ledger.group_of(op)?,
            None => None,
        };
        let Some(group) = group else { return Ok(None) };
        let Some(recorded) = self.ledger.group(&group)? else { return Ok(None) };
        if is_first {
            // A row that is out of date only means that the next change is not taken for a decision.
            if recorded.left.is_done() != Some(row.is_done) {
                // What was decided before anybody listened is nobody's decision, however it is put later.
                self.ledger.left(&group, Left::of(Some(row.is_done), false))?;
            }
            return Ok(None);
        }
        let is_known = recorded.left.is_done() == Some(row.is_done)
            && !self.wants_status(&group, &recorded, row)
            && !(source_of(&group) == Source::DataTheorem && self.wish(&recorded, row).is_some());
        Ok((!is_known).then_some(group))
    }

    /// Does what follows from a ticket as it is. What can't be done now is left for the next run.
    pub(super) fn hear(&mut self, group: &GroupId, ticket: &Ticket) -> Result<(), Stop> {
        if self.policy.two_way.is_none() {
            return Ok(());
        }
        let Some(recorded) = self.ledger.group(group)? else { return Ok(()) };
        let mut is_complete = true;
        let wish = self.wish(&recorded, ticket);
        if let Some(wish) = wish {
            for item in &recorded.items {
                is_complete &= self.fulfil(group, item, wish, ticket)?;
            }
            self.tell_nothing_new(group, ticket)?;
        }
        is_complete &= self.pass_on_status(group, &recorded, ticket)?;
        let left = match wish {
            // What was granted once is not asked for again, whatever happens at the vendor later.
            Some(Wish::Close(_)) => Left::Done { by_people: false },
            Some(Wish::Reopen) | None => recorded.left.then_found(ticket.is_done),
        };
        if !is_complete {
            self.ledger.unheard(group)?;
        } else if recorded.left != left || recorded.is_unheard {
            self.ledger.left(group, left)?;
        }
        Ok(())
    }

    /// What people decided about a ticket since the client left it.
    fn wish(&self, recorded: &Recorded, ticket: &Ticket) -> Option<Wish> {
        let words = [ticket.resolution.as_deref(), Some(ticket.status.as_str())];
        self.policy.two_way.as_ref()?.wish(recorded.left, ticket.is_done, words.into_iter().flatten())
    }

    /// Sets the status that people want an item to have, if it can be set and is another one.
    fn fulfil(
        &mut self,
        group: &GroupId,
        item: &RecordedItem,
        wish: Wish,
        ticket: &Ticket,
    ) -> Result<bool, Stop> {
        let (Some(target), Some(vendor)) =
            (item.id.as_str().strip_prefix("data-theorem/target/"), &self.vendors.data_theorem)
        else {
            // Mend's violations have no status that anybody could set.
            return Ok(source_of(group) == Source::Mend);
        };
        let current = match vendor.target(target) {
            Ok(current) => current,
            Err(error) => {
                self.vendor_failed(item.id.as_str(), &error);
                // Vendors answer "not found" for what they only hide for a while.
                let is_gone = matches!(error, VendorError::NotFound { .. });
                return Ok(is_gone && self.ledger.absent(&item.id)? >= UNSEEN_RUNS_MAX);
            }
        };
        let Some(status) = new_status(wish, &current.standing, &current.status) else { return Ok(true) };
        let word = ticket.resolution.as_ref().unwrap_or(&ticket.status);
        let key = &ticket.key;
        let (done, new_standing) = match wish {
            Wish::Close(_) => (format!("Ticket {key} was closed: {word}."), Standing::Closed),
            Wish::Reopen => (format!("Ticket {key} was opened again."), Standing::Open),
        };
        if !self.options.is_dry
            && let Err(error) = vendor.set_status(target, status, &done)
        {
            self.vendor_failed(item.id.as_str(), &error);
            return Ok(false);
        }
        let text = format!("set {} to {status}: {key} is {word}", item.id);
        self.ledger.decided(group, &item.id, &new_standing, status, &text, self.now())?;
        self.report.decided += 1;
        self.did(&text);
        Ok(true)
    }

    /// A ticket that people closed or opened need not be told what follows from that.
    fn tell_nothing_new(&mut self, group: &GroupId, ticket: &Ticket) -> Result<(), Stop> {
        let Some(recorded) = self.ledger.group(group)? else { return Ok(()) };
        let told = standing(&view(&[], Some(&recorded)).items);
        let Some(told) = told.filter(|told| (*told == Told::Closed) == ticket.is_done) else { return Ok(()) };
        if recorded.told != Some(told) {
            let text = format!("{} is {} by somebody's decision", ticket.key, told.as_str());
            self.ledger.told(group, told, None, &text, self.now())?;
        }
        Ok(())
    }

    /// Whether Mend has to be told the status of a ticket for one of its items.
    fn wants_status(&self, group: &GroupId, recorded: &Recorded, ticket: &Ticket) -> bool {
        let is_asked_for = self.policy.two_way.is_some() && source_of(group) == Source::Mend;
        is_asked_for && recorded.items.iter().any(|item| is_told_otherwise(item, ticket))
    }

    /// Lets Mend know the status of a ticket, if that is wanted and it is another one than Mend was told. `false`: it is
    /// left for the next run.
    pub(super) fn pass_on_status(
        &mut self,
        group: &GroupId,
        recorded: &Recorded,
        ticket: &Ticket,
    ) -> Result<bool, Stop> {
        if !self.wants_status(group, recorded, ticket) {
            return Ok(true);
        }
        let mut is_complete = true;
        for item in recorded.items.iter().filter(|item| is_told_otherwise(item, ticket)) {
            match self.link(&item.id, ticket) {
                Ok(()) => {
                    self.ledger.linked(group, &item.id, ticket, self.now())?;
                    self.report.linked += 1;
                    self.did(&format!("tell Mend that {} of {} is {}", ticket.key, item.id, ticket.status));
                }
                Err(error) => {
                    self.vendor_failed(item.id.as_str(), &error);
                    is_complete = false;
                }
            }
        }
        Ok(is_complete)
    }
}

/// Whether the vendor was told another status of an item's ticket. A violation that is over takes no more reports.
fn is_told_otherwise(item: &RecordedItem, ticket: &Ticket) -> bool {
    item.linked.is_some() && item.standing == Standing::Open && item.reported.as_ref() != Some(&ticket.status)
}
