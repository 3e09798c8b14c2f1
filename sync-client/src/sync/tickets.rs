//! Making a group's ticket, at most once, and letting the vendor know it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::telling::Look;
use super::{Run, Stop};
use crate::core::model::{GroupId, Item, Link, OpKey, Source, TicketKey};
use crate::core::plan::{Group, Member, Step, Ticketing, Told, apply, next_step};
use crate::core::text::{Facts, item_label};
use crate::ledger::{NewRecord, Recorded, RecordedItem};
use crate::ports::{Change, Created, Granted, Ticket, TrackerError, TrackerTraits, VendorError};

/// A search that lags no longer than this is waited for; a longer lag leaves it to a later run.
const LAG_WAITED_OUT_MAX: Duration = Duration::from_mins(2);

/// A group as one page of a list showed it.
pub(super) struct Seen<'f> {
    pub(super) source: Source,
    pub(super) group: GroupId,
    pub(super) items: Vec<Item>,
    /// What is needed later to ask the vendor about the items.
    pub(super) reference: String,
    /// What a ticket says, read from the vendor only when one is made.
    pub(super) facts: &'f mut dyn FnMut() -> Result<Facts, VendorError>,
}

impl Run<'_> {
    /// Brings a group's ticket and links in step. `false`: something is left for the next run.
    pub(super) fn handle(&mut self, mut seen: Seen<'_>) -> Result<bool, Stop> {
        let at = self.now();
        let recorded = self.ledger.group(&seen.group)?;
        if let Some(recorded) = &recorded {
            self.ledger.saw(&seen.group, recorded, &seen.items, &seen.reference, at)?;
        }
        let mut view = view(&seen.items, recorded.as_ref());
        let mut ticket: Option<Ticket> = None;
        // A step changes the group so that the next one is another; the bound is for a planner that does not.
        for _ in 0..view.items.len() + 4 {
            let Some(step) = next_step(&view) else { return Ok(true) };
            match &step {
                // Tickets are told at the end of the run, all together.
                Step::Tell(..) => return Ok(true),
                // It was tried at the start of the run, and it is too early to tell.
                Step::Settle => return Ok(false),
                Step::Create => match self.create(&mut seen)? {
                    Some(made) => ticket = Some(made),
                    None => return Ok(false),
                },
                Step::Adopt(key) => {
                    self.ledger.adopt(&seen.group, seen.source, &seen.items, &seen.reference, key, at)?;
                    self.report.adopted += 1;
                    self.did(&format!("take over {key} for {}", seen.group));
                }
                Step::Link(item, key) => {
                    let known = match ticket.clone().filter(|ticket| ticket.key == *key) {
                        Some(known) => known,
                        // No link may lead to a ticket that is gone (I2).
                        None => match self.look_again(&seen.group, key)? {
                            Look::At(ticket) if ticket.key == *key => ticket,
                            Look::Elsewhere => known_by_key(key),
                            Look::At(_) | Look::Nothing => return Ok(false),
                        },
                    };
                    match self.link(item, &known) {
                        Ok(()) => {
                            self.ledger.linked(&seen.group, item, &known, self.now())?;
                            self.report.linked += 1;
                            self.did(&format!("link {item} to {key}"));
                        }
                        Err(error) => {
                            self.vendor_failed(item.as_str(), &error);
                            return Ok(false);
                        }
                    }
                }
            }
            let made = ticket.as_ref().map(|ticket| ticket.key.clone());
            apply(&mut view, &step, &made.unwrap_or_else(|| TicketKey::new("")));
        }
        Ok(true)
    }

    /// Asks for a ticket; `None`: there is none yet, and the report says why.
    fn create(&mut self, seen: &mut Seen<'_>) -> Result<Option<Ticket>, Stop> {
        let facts = match (seen.facts)() {
            Ok(facts) => facts,
            Err(error) => {
                self.vendor_failed(seen.group.as_str(), &error);
                return Ok(None);
            }
        };
        let (group, op) = (&seen.group, OpKey::of(&seen.group));
        let traits = self.tracker.traits();
        if !self.is_old_enough(&traits)? {
            let why = "the ledger is new, and the tracker's search may not show yet what an earlier one made";
            self.report.fail(group.as_str(), &why);
            return Ok(None);
        }
        let ticket = self.wording().new_ticket(&op, &facts, &labels(seen.source, group, &op));
        self.ledger.intend(group, seen.source, &seen.items, &seen.reference, self.now())?;
        // Where nothing keeps a second ticket out, the ledger may be younger than the ticket.
        let found = if traits.has_unique_key { Ok(Vec::new()) } else { self.tracker.find(&op) };
        let created = match found {
            Ok(tickets) => match self.survivor(tickets)? {
                Some(existing) => Ok(Created::Existing(existing)),
                None => self.tracker.create(&ticket),
            },
            // Nothing was asked for yet, whatever the search came to.
            Err(TrackerError::Unknown(why)) => Err(TrackerError::Unavailable(why)),
            Err(error) => Err(error),
        };
        match created {
            Ok(Created::New(ticket)) => {
                self.unavailable = 0;
                self.made(group, &ticket)?;
                if ticket.op.as_ref() != Some(&op) {
                    let why = "the tracker made this ticket without its key: without the ledger it is not found again";
                    self.report.fail(ticket.key.as_str(), &why);
                }
                Ok(Some(ticket))
            }
            Ok(Created::Unseen(ticket, error)) => {
                self.made(group, &ticket)?;
                let what =
                    format!("{group}, whose ticket {} was made and could not be looked at", ticket.key);
                self.note_tracker(what, &error)?;
                Ok(Some(ticket))
            }
            Ok(Created::Existing(ticket)) => {
                self.unavailable = 0;
                self.take_over(group, &ticket)?;
                Ok(Some(ticket))
            }
            Err(error @ TrackerError::Unknown(_)) => {
                self.ledger.in_doubt(group, &error.to_string(), self.now())?;
                self.note_tracker(group.as_str(), &error)?;
                Ok(None)
            }
            Err(error) => {
                self.ledger.refused(group, &error.to_string(), self.now())?;
                self.note_tracker(group.as_str(), &error)?;
                Ok(None)
            }
        }
    }

    /// A ticket with the group's key is the group's. What it was told is not known.
    fn take_over(&mut self, group: &GroupId, ticket: &Ticket) -> Result<(), Stop> {
        let robbed = self.ledger.made(group, &ticket.key, NewRecord::Found, None, self.now())?;
        self.tell_of_robbed(&robbed, &ticket.key);
        self.report.found += 1;
        self.did(&format!("take over {} for {group}", ticket.key));
        Ok(())
    }

    fn made(&mut self, group: &GroupId, ticket: &Ticket) -> Result<(), Stop> {
        let told = Some(Told::Open);
        let robbed = self.ledger.made(group, &ticket.key, NewRecord::Created, told, self.now())?;
        self.tell_of_robbed(&robbed, &ticket.key);
        self.report.created += 1;
        self.did(&format!("create {} for {group}", ticket.key));
        Ok(())
    }

    /// A tracker gives a key once. If it gives it again, it is not the tracker that the ledger knows.
    fn tell_of_robbed(&mut self, robbed: &[GroupId], key: &TicketKey) {
        for group in robbed {
            let why = format!("its ticket {key} is another one now: is this another tracker than before?");
            self.report.fail(group.as_str(), &why);
        }
    }

    /// The one of several tickets with the same key that stays; the others are closed as its duplicates (I1c).
    fn survivor(&mut self, tickets: Vec<Ticket>) -> Result<Option<Ticket>, Stop> {
        let mut tickets = tickets.into_iter();
        let Some(survivor) = tickets.next() else { return Ok(None) };
        for extra in tickets.filter(|extra| !extra.is_done && extra.key != survivor.key) {
            let comment = Some(format!("Duplicate of {}, where this goes on.", survivor.key));
            match self.tracker.update(&extra.key, &Change { comment, is_done: Some(true) }) {
                Ok(_) => {
                    self.report.granted(Granted { comment: true, is_done: Some(true) });
                    self.did(&format!("close {} as a duplicate of {}", extra.key, survivor.key));
                }
                Err(broken) => {
                    self.report.granted(broken.granted);
                    self.note_tracker(extra.key.as_str(), &broken.error)?;
                }
            }
        }
        Ok(Some(survivor))
    }

    /// Finds out what became of the tickets that an earlier run, or this one, asked for without an answer.
    pub(super) fn settle_all(&mut self) -> Result<(), Stop> {
        for group in self.ledger.unsettled()? {
            self.settle(&group)?;
        }
        Ok(())
    }

    fn settle(&mut self, group: &GroupId) -> Result<(), Stop> {
        let traits = self.tracker.traits();
        let Some(recorded) = self.ledger.group(group)? else { return Ok(()) };
        self.wait_out_the_lag(recorded.tried_at, &traits);
        let asked_at = self.now();
        let tickets = match self.tracker.find(&OpKey::of(group)) {
            Ok(tickets) => tickets,
            Err(error) => return self.note_tracker(group.as_str(), &error),
        };
        match self.survivor(tickets)? {
            Some(ticket) => self.take_over(group, &ticket)?,
            // Seen late enough, absence is proof; and where the tracker keeps a second one out, none is needed.
            None if traits.has_unique_key || is_over(recorded.tried_at, asked_at, traits.search_lag) => {
                self.ledger.refused(group, "the tracker has none with this key", self.now())?;
            }
            None => {}
        }
        for item in &recorded.items {
            self.ledger.due_again(&item.scope, source_of(group))?;
        }
        Ok(())
    }

    /// Whether the tracker's search shows every ticket that was made before this ledger was: those of a ledger that was
    /// lost. Waits for it, if that is soon.
    fn is_old_enough(&mut self, traits: &TrackerTraits) -> Result<bool, Stop> {
        if traits.has_unique_key {
            return Ok(true);
        }
        let Some(began) = self.ledger.began()? else { return Ok(true) };
        self.wait_out_the_lag(began, traits);
        Ok(is_over(began, self.now(), traits.search_lag))
    }

    /// Waits until a ticket that was made then can't be invisible any more, if that is soon.
    fn wait_out_the_lag(&mut self, made_at: Timestamp, traits: &TrackerTraits) {
        let waited = self.now().duration_since(made_at);
        let lag = SignedDuration::try_from(traits.search_lag).unwrap_or(SignedDuration::MAX);
        let left = Duration::try_from(lag - waited).unwrap_or_default();
        if !traits.has_unique_key && !left.is_zero() && left <= LAG_WAITED_OUT_MAX {
            tracing::info!(seconds = left.as_secs(), "waiting until the tracker's search shows new tickets");
            self.clock.sleep(left);
        }
    }
}

/// What people can search for: the vendor, the item, and the key that the ticket is found again by.
fn labels(source: Source, group: &GroupId, op: &OpKey) -> Vec<String> {
    vec![source.as_str().to_owned(), item_label(group), op.as_str().to_owned()]
}

/// Whether a ticket that was made then would be found by now.
fn is_over(made_at: Timestamp, now: Timestamp, lag: Duration) -> bool {
    let waited = now.duration_since(made_at);
    Duration::try_from(waited).is_ok_and(|waited| waited >= lag)
}

/// The vendor of a group, which its name begins with.
pub(super) fn source_of(group: &GroupId) -> Source {
    if group.as_str().starts_with("mend/") { Source::Mend } else { Source::DataTheorem }
}

/// A ticket of which nothing but the key is known.
fn known_by_key(key: &TicketKey) -> Ticket {
    Ticket {
        key: key.clone(),
        url: None,
        is_done: false,
        status: String::new(),
        resolution: None,
        op: None,
        our_last_comment: None,
        our_comments: 0,
    }
}

/// A ticket that somebody gave to a group is the group's for as long as the vendor has it there: whoever takes it away
/// does not want it back.
fn is_taken_back(seen: &[Item], recorded: &Recorded) -> bool {
    let is_unset = |known: &RecordedItem| {
        seen.iter().any(|item| item.id == known.id && item.link == Link::Unset && known.linked.is_none())
    };
    recorded.is_adopted && !recorded.items.is_empty() && recorded.items.iter().all(is_unset)
}

/// The group as the planner looks at it: what was seen now, and what the ledger remembers besides.
pub(super) fn view(seen: &[Item], recorded: Option<&Recorded>) -> Group {
    let known = |item: &Item| recorded?.items.iter().find(|known| known.id == item.id);
    let mut items: Vec<Member> = seen
        .iter()
        .map(|item| Member {
            id: item.id.clone(),
            standing: item.standing.clone(),
            link: Some(item.link.clone()),
            linked: known(item).and_then(|known| known.linked.clone()),
            is_recorded: known(item).is_some(),
        })
        .collect();
    let remembered = recorded.iter().flat_map(|recorded| &recorded.items);
    items.extend(remembered.filter(|known| !seen.iter().any(|item| item.id == known.id)).map(|known| {
        Member {
            id: known.id.clone(),
            standing: known.standing.clone(),
            link: None,
            linked: known.linked.clone(),
            is_recorded: true,
        }
    }));
    let ticketing = match recorded {
        Some(recorded) if is_taken_back(seen, recorded) => Ticketing::Refused,
        Some(recorded) => recorded.ticketing.clone(),
        None => Ticketing::Unasked,
    };
    Group {
        items,
        ticketing,
        told: recorded.and_then(|recorded| recorded.told),
        former_keys: recorded.map(|recorded| recorded.former_keys.clone()).unwrap_or_default(),
    }
}
