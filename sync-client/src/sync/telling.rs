//! Telling tickets what their items are now: at the end of a run, from the ledger.

use super::tickets::{source_of, view};
use super::{HeldBack, Run, Stop};
use crate::core::model::{GroupId, ItemId, OpKey, Source, TicketKey};
use crate::core::plan::{Ticketing, Told, standing};
use crate::core::policy::OnChange;
use crate::core::text::{Consequence, StatusChange};
use crate::ledger::{Recorded, RecordedItem};
use crate::ports::{Change, Granted, Ticket, VendorError};

/// After so many runs in a row that could not see a ticket, or an item that a ticket decides about, it counts as gone.
/// One is no evidence: "not found" is also the answer for what is only hidden for a while.
pub(super) const UNSEEN_RUNS_MAX: u32 = 3;

/// How many tickets of the ledger are looked at per page of a full pass.
const PAGE: u32 = 500;

/// What looking at a ticket came to.
pub(super) enum Look {
    /// The ticket.
    At(Ticket),
    /// The vendor has a ticket that this tracker does not: somebody else's.
    Elsewhere,
    /// It can't be seen now, and the report says so.
    Nothing,
}

impl Run<'_> {
    /// Tells every ticket whose items are something else than what it was told.
    pub(super) fn tell_all(&mut self) -> Result<(), Stop> {
        let (mut closings, mut others) = (Vec::new(), Vec::new());
        for group in self.ledger.untold()? {
            let Some(recorded) = self.ledger.group(&group)? else { continue };
            let is_closing = standing(&view(&[], Some(&recorded)).items) == Some(Told::Closed);
            if is_closing { closings.push(group) } else { others.push(group) }
        }
        for group in others {
            self.tell(&group)?;
        }
        let (count, open_tickets) = (closings.len() as u64, self.ledger.counts()?.open);
        if !self.options.allows_mass_change && !self.policy.mass_change_max.allows(count, open_tickets) {
            self.report.held_back = Some(HeldBack { closings: count, open_tickets });
            return Ok(());
        }
        for group in closings {
            self.tell(&group)?;
        }
        Ok(())
    }

    fn tell(&mut self, group: &GroupId) -> Result<(), Stop> {
        let Some(recorded) = self.ledger.group(group)? else { return Ok(()) };
        let (Ticketing::Made(key), Some(told)) =
            (&recorded.ticketing, standing(&view(&[], Some(&recorded)).items))
        else {
            return Ok(());
        };
        // A ticket that was taken over says by itself that there is something to do.
        if recorded.told.is_none() && !recorded.is_telling && told == Told::Open {
            self.ledger.told(group, told, None, "the ticket goes on as it is", self.now())?;
            return Ok(());
        }
        let ticket = match self.look_at(group, &recorded, key)? {
            Look::At(ticket) => ticket,
            Look::Elsewhere => {
                return Ok(self.ledger.told(
                    group,
                    told,
                    None,
                    "this tracker does not have the ticket",
                    self.now(),
                )?);
            }
            Look::Nothing => return Ok(()),
        };
        let change = self.change(group, &recorded, &ticket, told);
        if change == Change::default() {
            let text = format!("{} needs no change: it is {}", ticket.key, ticket.status);
            self.ledger.told(group, told, Some(ticket.is_done), &text, self.now())?;
            return Ok(());
        }
        self.ledger.telling(group)?;
        match self.tracker.update(&ticket.key, &change) {
            Ok(ticket) => {
                self.changed(group, &ticket, &change, told)?;
                self.pass_on_status(group, &recorded, &ticket).map(|_| ())
            }
            Err(broken) => {
                if broken.left_all_as_it_was() {
                    self.ledger.told_nothing(group, &recorded)?;
                }
                self.report.granted(broken.granted);
                self.note_tracker(group.as_str(), &broken.error)
            }
        }
    }

    /// What has to change for the ticket to be told.
    fn change(&self, group: &GroupId, recorded: &Recorded, ticket: &Ticket, told: Told) -> Change {
        let (reaction, is_done) = match told {
            Told::Closed => (self.policy.on_close, true),
            Told::Open => (self.policy.on_reopen, false),
        };
        // Somebody closed it already, or what was interrupted came to nothing.
        if ticket.is_done == is_done && (is_done || recorded.told == Some(told)) {
            return Change::default();
        }
        let is_done = (reaction == OnChange::Transition && ticket.is_done != is_done).then_some(is_done);
        let comment = self.wording().status_comment(
            source_of(group),
            &changes(recorded),
            match is_done {
                Some(true) => Consequence::Closes,
                Some(false) => Consequence::Reopens,
                None => Consequence::CommentOnly,
            },
            None,
        );
        let comments_max = usize::try_from(self.policy.comments_per_ticket_max).unwrap_or(usize::MAX);
        let says_so = ticket.our_last_comment.as_ref() == Some(&self.tracker.as_stored(&comment))
            || ticket.our_comments >= comments_max;
        Change { comment: (!says_so).then_some(comment), is_done }
    }

    fn changed(&mut self, group: &GroupId, ticket: &Ticket, change: &Change, told: Told) -> Result<(), Stop> {
        let key = &ticket.key;
        let what = match (change.comment.is_some(), change.is_done) {
            (true, Some(true)) => "comment on and close",
            (true, Some(false)) => "comment on and reopen",
            (true, None) => "comment on",
            (false, Some(true)) => "close",
            (false, Some(false)) => "reopen",
            (false, None) => "leave",
        };
        self.report.granted(Granted { comment: change.comment.is_some(), is_done: change.is_done });
        self.unavailable = 0;
        let text = format!("{what} {key} of {group}: its items are {}", told.as_str());
        self.ledger.told(group, told, Some(ticket.is_done), &text, self.now())?;
        self.did(&text);
        Ok(())
    }

    /// Looks at the ticket of a group as the ledger knows it by now.
    pub(super) fn look_again(&mut self, group: &GroupId, key: &TicketKey) -> Result<Look, Stop> {
        match self.ledger.group(group)? {
            Some(recorded) => self.look_at(group, &recorded, key),
            None => Ok(Look::Nothing),
        }
    }

    /// Looks at the ticket, under the key that it has now.
    fn look_at(&mut self, group: &GroupId, recorded: &Recorded, key: &TicketKey) -> Result<Look, Stop> {
        let ticket = match self.tracker.get(key) {
            Ok(ticket) => ticket,
            Err(error) => {
                self.note_tracker(group.as_str(), &error)?;
                return Ok(Look::Nothing);
            }
        };
        self.unavailable = 0;
        // In another tracker than before the key may be somebody else's.
        let is_ours = |ticket: &Ticket| ticket.op.as_ref().is_none_or(|op| *op == OpKey::of(group));
        let Some(ticket) = ticket.filter(|ticket| recorded.is_adopted || is_ours(ticket)) else {
            if recorded.is_adopted {
                // Somebody's link to another tracker, or to a ticket that is none of ours.
                self.vendors.noticed.see("a vendor's link names a ticket that this tracker does not have");
                return Ok(Look::Elsewhere);
            }
            if self.ledger.unseen(group)? >= UNSEEN_RUNS_MAX {
                self.ledger.lost(group, self.now())?;
                self.did(&format!("leave {key} of {group} alone: it was deleted or hidden"));
            } else {
                self.report
                    .fail(key.as_str(), &"the tracker does not show this ticket; nothing is concluded yet");
            }
            return Ok(Look::Nothing);
        };
        if recorded.unseen_runs > 0 {
            self.ledger.seen(group)?;
        }
        if !is_same_key(&ticket.key, key) {
            self.follow(group, recorded, key, &ticket)?;
        }
        Ok(Look::At(ticket))
    }

    /// A ticket was moved: the vendor learns its new key.
    fn follow(
        &mut self,
        group: &GroupId,
        recorded: &Recorded,
        from: &TicketKey,
        ticket: &Ticket,
    ) -> Result<(), Stop> {
        self.ledger.moved(group, from, &ticket.key, self.now())?;
        self.report.moved += 1;
        self.did(&format!("follow {from} of {group}, which is {} now", ticket.key));
        for item in recorded.items.iter().filter(|item| item.linked.is_some()) {
            let is_ours = |link: &str| {
                link == from.as_str() || recorded.former_keys.iter().any(|key| key.as_str() == link)
            };
            let linked = match self.ticket_at_vendor(&item.id) {
                // Another ticket is somebody's decision.
                Ok(Some(link)) if !is_ours(&link) => continue,
                Ok(_) => self.link(&item.id, ticket),
                Err(error) => Err(error),
            };
            match linked {
                Ok(()) => {
                    self.ledger.linked(group, &item.id, ticket, self.now())?;
                    self.report.linked += 1;
                    self.did(&format!("link {} to {}", item.id, ticket.key));
                }
                // The next full pass sees the old key at the vendor, and links it then.
                Err(error) => self.vendor_failed(item.id.as_str(), &error),
            }
        }
        Ok(())
    }

    /// The ticket that the vendor has for an item now; Mend does not show it.
    fn ticket_at_vendor(&self, item: &ItemId) -> Result<Option<String>, VendorError> {
        let target = item.as_str().strip_prefix("data-theorem/target/");
        match (target, &self.vendors.data_theorem) {
            (Some(target), Some(vendor)) => Ok(vendor.target(target)?.external_id),
            _ => Ok(None),
        }
    }

    /// Looks at every ticket of a vendor's items, so that one that was moved or deleted is noticed although its items
    /// did not change.
    pub(super) fn look_at_every_ticket(&mut self, source: Source) -> Result<(), Stop> {
        let mut after = String::new();
        loop {
            let groups = self.ledger.groups_with_ticket(source, &after, PAGE)?;
            let Some(last) = groups.last() else { return Ok(()) };
            last.as_str().clone_into(&mut after);
            for group in &groups {
                let Some(recorded) = self.ledger.group(group)? else { continue };
                let Ticketing::Made(key) = &recorded.ticketing else { continue };
                if let Look::At(ticket) = self.look_at(group, &recorded, key)? {
                    self.hear(group, &ticket)?;
                }
            }
        }
    }
}

/// Whether two spellings are one key: people write `12` or `sec-12` for what the tracker calls `#12` or `SEC-12`.
fn is_same_key(one: &TicketKey, other: &TicketKey) -> bool {
    let bare = |key: &TicketKey| key.as_str().trim().trim_start_matches('#').to_ascii_lowercase();
    bare(one) == bare(other)
}

/// What the items of a ticket are now.
fn changes(recorded: &Recorded) -> Vec<StatusChange> {
    let is_shared = recorded.items.len() > 1;
    let change = |item: &RecordedItem| StatusChange {
        item: is_shared.then(|| item.id.to_string()),
        from: None,
        to: item.status.clone(),
        since: None,
        reason: None,
    };
    recorded.items.iter().map(change).collect()
}
