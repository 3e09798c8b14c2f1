//! Which group has which ticket, and what that was told.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::items::{RecordedItem, store_items};
use super::scopes::timestamp;
use super::story::remember;
use super::{Ledger, LedgerError};
use crate::core::model::{GroupId, Item, OpKey, Source, TicketKey};
use crate::core::plan::{Ticketing, Told};
use crate::core::two_way::Left;

/// What is known of a group's ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Whether there is a ticket.
    pub ticketing: Ticketing,
    /// Whether it was taken over from the vendor's link, so that it may be in another tracker.
    pub is_adopted: bool,
    /// What it was told last.
    pub told: Option<Told>,
    /// Keys that it had before it was moved.
    pub former_keys: Vec<TicketKey>,
    /// The items it is about.
    pub items: Vec<RecordedItem>,
    /// When making it was tried last.
    pub tried_at: Timestamp,
    /// Whether telling it something was interrupted, so that it is not known what it was told.
    pub is_telling: bool,
    /// How the client left it.
    pub left: Left,
    /// Whether something that follows from how it is could not be done yet.
    pub is_unheard: bool,
    /// In how many runs in a row it could not be seen.
    pub unseen_runs: u32,
}

/// How a ticket came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewRecord {
    /// The tracker made it.
    Created,
    /// It was there, with the group's key.
    Found,
}

/// How many tickets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Tickets that were told that their items are open.
    pub open: u64,
    /// Tickets that were told that their items are closed.
    pub closed: u64,
    /// Tickets of which it is not known whether they were made.
    pub in_doubt: u64,
    /// Groups for which the tracker refused to make a ticket.
    pub refused: u64,
    /// Tickets that people deleted or hid.
    pub lost: u64,
}

impl Ledger {
    /// What is known of a group; `None`: nothing was ever asked for it.
    pub fn group(&self, group: &GroupId) -> Result<Option<Recorded>, LedgerError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT state, key, told, tried_at, is_adopted, left_done, is_telling, unseen_runs, is_unheard,
                        closed_by_people
                 FROM ticket
                 WHERE group_id = ?1",
            )?
            .query_row([group.as_str()], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Option<String>>(1)?,
                    row.get::<_, Option<String>>(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                    row.get(8)?,
                    row.get(9)?,
                ))
            })
            .optional()?;
        let Some((
            state,
            key,
            told,
            tried_at,
            is_adopted,
            left_done,
            is_telling,
            unseen_runs,
            is_unheard,
            by_people,
        )) = row
        else {
            return Ok(None);
        };
        let ticketing = ticketing(&state, key)?;
        let tried_at = timestamp(tried_at)?.ok_or_else(|| LedgerError::Nonsense(state))?;
        let items = self.items("group_id", group.as_str())?.into_iter().map(|(_, item)| item).collect();
        let mut former = self.connection.prepare_cached("SELECT key FROM former_key WHERE group_id = ?1")?;
        let former_keys = former.query_map([group.as_str()], |row| row.get::<_, String>(0))?;
        let former_keys = former_keys.map(|key| key.map(TicketKey::new)).collect::<Result<_, _>>()?;
        Ok(Some(Recorded {
            ticketing,
            is_adopted,
            told: read_told(told.as_deref())?,
            former_keys,
            items,
            tried_at,
            is_telling,
            left: Left::of(left_done, by_people),
            unseen_runs,
            is_unheard,
        }))
    }

    /// A ticket is about to be asked for. What this has returned from is known after any crash.
    pub fn intend(
        &mut self,
        group: &GroupId,
        source: Source,
        items: &[Item],
        reference: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write
                .prepare_cached(
                    "INSERT INTO ticket (group_id, source, op, state, tried_at) VALUES (?1, ?2, ?3, 'intended', ?4)
                     ON CONFLICT (group_id) DO UPDATE SET state = 'intended', tried_at = ?4,
                        key = NULL, is_adopted = 0, told = NULL, left_done = NULL",
                )?
                .execute(params![group.as_str(), source.as_str(), OpKey::of(group).as_str(), at.to_string()])?;
            store_items(write, run, group, items, reference, at)?;
            remember(write, run, group, at, "asking the tracker for a ticket")
        })
    }

    /// The group has this ticket. Answers the groups that had a ticket with the same key until now: theirs is in some
    /// other tracker, and is left alone like one that was deleted.
    pub fn made(
        &mut self,
        group: &GroupId,
        key: &TicketKey,
        how: NewRecord,
        told: Option<Told>,
        at: Timestamp,
    ) -> Result<Vec<GroupId>, LedgerError> {
        let run = self.run;
        let (text, left_done) = match how {
            NewRecord::Created => (format!("the tracker made {key}"), Some(false)),
            NewRecord::Found => (format!("the tracker has {key} with this group's key: taken over"), None),
        };
        self.write(|write| {
            let robbed: Vec<GroupId> = write
                .prepare_cached(
                    "UPDATE ticket SET state = 'lost'
                     WHERE key = ?2 AND group_id <> ?1 AND is_adopted = 0 AND state = 'made' RETURNING group_id",
                )?
                .query_map([group.as_str(), key.as_str()], |row| row.get(0).map(|id: String| GroupId::new(id)))?
                .collect::<Result<_, _>>()?;
            for other in &robbed {
                let text = format!("{key} is the ticket of {group} now, in another tracker than before");
                remember(write, run, other, at, &text)?;
            }
            write
                .prepare_cached(
                    "UPDATE ticket SET state = 'made', key = ?2, is_adopted = 0, told = ?3, unseen_runs = 0,
                        left_done = ?4, closed_by_people = 0
                     WHERE group_id = ?1",
                )?
                .execute(params![group.as_str(), key.as_str(), told.map(Told::as_str), left_done])?;
            remember(write, run, group, at, &text)?;
            Ok(robbed)
        })
    }

    /// The vendor has this ticket as an item's: it is the group's from now on.
    pub fn adopt(
        &mut self,
        group: &GroupId,
        source: Source,
        items: &[Item],
        reference: &str,
        key: &TicketKey,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write
                .prepare_cached(
                    "INSERT INTO ticket (group_id, source, op, state, key, is_adopted, tried_at)
                     VALUES (?1, ?2, ?3, 'made', ?4, 1, ?5)
                     ON CONFLICT (group_id) DO UPDATE SET state = 'made', key = ?4, is_adopted = 1, told = NULL,
                        left_done = NULL",
                )?
                .execute(params![
                    group.as_str(),
                    source.as_str(),
                    OpKey::of(group).as_str(),
                    key.as_str(),
                    at.to_string()
                ])?;
            store_items(write, run, group, items, reference, at)?;
            remember(write, run, group, at, &format!("the vendor has {key} as its ticket: taken over"))
        })
    }

    /// No ticket was made, for certain.
    pub fn refused(&mut self, group: &GroupId, why: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.set_state(group, "refused", &format!("no ticket was made: {why}"), at)
    }

    /// It is not known whether a ticket was made, at the latest now.
    pub fn in_doubt(&mut self, group: &GroupId, why: &str, at: Timestamp) -> Result<(), LedgerError> {
        let (run, text) = (self.run, format!("whether a ticket was made is not known: {why}"));
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET state = 'in-doubt', tried_at = ?2 WHERE group_id = ?1")?
                .execute([group.as_str(), &at.to_string()])?;
            remember(write, run, group, at, &text)
        })
    }

    /// The ticket is gone; nothing more is done about it.
    pub fn lost(&mut self, group: &GroupId, at: Timestamp) -> Result<(), LedgerError> {
        self.set_state(
            group,
            "lost",
            "the ticket was deleted or hidden by somebody: left alone from now on",
            at,
        )
    }

    fn set_state(
        &mut self,
        group: &GroupId,
        state: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET state = ?2 WHERE group_id = ?1")?
                .execute([group.as_str(), state])?;
            remember(write, run, group, at, text)
        })
    }

    /// The ticket is about to be told what its items are. Until [`Self::told`] it counts as not told, and nothing may be
    /// concluded from how it is.
    pub fn telling(&mut self, group: &GroupId) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET is_telling = 1, left_done = NULL WHERE group_id = ?1")?
                .execute([group.as_str()])
        })?;
        Ok(())
    }

    /// The tracker did not take what the ticket was to be told: it is as it was before [`Self::telling`].
    pub fn told_nothing(&mut self, group: &GroupId, before: &Recorded) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET is_telling = ?2, left_done = ?3 WHERE group_id = ?1")?
                .execute(params![group.as_str(), before.is_telling, before.left.is_done()])
        })?;
        Ok(())
    }

    /// The ticket was told what its items are. `left_done`: whether it is done since then; `None`: that was not looked at.
    pub fn told(
        &mut self,
        group: &GroupId,
        told: Told,
        left_done: Option<bool>,
        text: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write
                .prepare_cached(
                    "UPDATE ticket SET told = ?2, left_done = coalesce(?3, left_done), is_telling = 0, unseen_runs = 0,
                        closed_by_people = iif(?3 IS NULL, closed_by_people, 0)
                     WHERE group_id = ?1",
                )?
                .execute(params![group.as_str(), told.as_str(), left_done])?;
            remember(write, run, group, at, text)
        })
    }

    /// The ticket was moved and has another key now.
    pub fn moved(
        &mut self,
        group: &GroupId,
        from: &TicketKey,
        to: &TicketKey,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write.execute(
                "INSERT INTO former_key (key, group_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                [from.as_str(), group.as_str()],
            )?;
            write.execute("UPDATE ticket SET key = ?2 WHERE group_id = ?1", [group.as_str(), to.as_str()])?;
            remember(write, run, group, at, &format!("{from} was moved and is {to} now"))
        })
    }

    /// The ticket could not be seen in this run, however often it was looked at; says in how many runs in a row.
    pub fn unseen(&mut self, group: &GroupId) -> Result<u32, LedgerError> {
        let run = self.run;
        self.write(|write| {
            write.query_row(
                "UPDATE ticket SET unseen_runs = unseen_runs + (unseen_run IS NOT ?2), unseen_run = ?2
                 WHERE group_id = ?1 RETURNING unseen_runs",
                params![group.as_str(), run.0],
                |row| row.get(0),
            )
        })
    }

    /// The ticket was seen.
    pub fn seen(&mut self, group: &GroupId) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET unseen_runs = 0, unseen_run = NULL WHERE group_id = ?1")?
                .execute([group.as_str()])
        })?;
        Ok(())
    }

    /// A run that ended without knowing what became of tickets it asked for, at the latest now.
    pub fn doubt_the_intended(&mut self, at: Timestamp) -> Result<(), LedgerError> {
        self.write(|write| {
            write.execute(
                "UPDATE ticket SET state = 'in-doubt', tried_at = ?1 WHERE state = 'intended'",
                [at.to_string()],
            )
        })?;
        Ok(())
    }

    /// The groups of a vendor of which it is not known whether a ticket was made.
    pub fn unsettled(&self) -> Result<Vec<GroupId>, LedgerError> {
        self.groups("SELECT group_id FROM ticket WHERE state IN ('intended', 'in-doubt') ORDER BY group_id")
    }

    /// The groups whose ticket was told something else than what its items are.
    pub fn untold(&self) -> Result<Vec<GroupId>, LedgerError> {
        self.groups(
            "SELECT ticket.group_id FROM ticket JOIN item USING (group_id) WHERE ticket.state = 'made'
             GROUP BY ticket.group_id
             HAVING (is_telling = 1 AND (max(standing = 'open') OR min(standing = 'closed')))
                 OR (told IS NOT 'open' AND max(standing = 'open'))
                 OR (told IS NOT 'closed' AND min(standing = 'closed'))
             ORDER BY ticket.group_id",
        )
    }

    /// The groups of a vendor's items with a ticket, a page at a time, from after `after`.
    pub fn groups_with_ticket(
        &self,
        source: Source,
        after: &str,
        count: u32,
    ) -> Result<Vec<GroupId>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT group_id FROM ticket WHERE state = 'made' AND source = ?1 AND group_id > ?2
             ORDER BY group_id LIMIT ?3",
        )?;
        let groups =
            statement.query_map(params![source.as_str(), after, count], |row| row.get::<_, String>(0))?;
        Ok(groups.map(|group| group.map(GroupId::new)).collect::<Result<_, _>>()?)
    }

    pub(super) fn groups(&self, sql: &str) -> Result<Vec<GroupId>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let groups = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(groups.map(|group| group.map(GroupId::new)).collect::<Result<_, _>>()?)
    }

    /// How many tickets there are.
    pub fn counts(&self) -> Result<Counts, LedgerError> {
        let count = |condition: &str| {
            let sql = format!("SELECT count(*) FROM ticket WHERE {condition}");
            self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
        };
        Ok(Counts {
            open: count("state = 'made' AND told IS NOT 'closed'")?,
            closed: count("state = 'made' AND told = 'closed'")?,
            in_doubt: count("state IN ('intended', 'in-doubt')")?,
            refused: count("state = 'refused'")?,
            lost: count("state = 'lost'")?,
        })
    }
}

fn ticketing(state: &str, key: Option<String>) -> Result<Ticketing, LedgerError> {
    match (state, key.map(TicketKey::new)) {
        ("intended" | "in-doubt", None) => Ok(Ticketing::InDoubt),
        ("refused", None) => Ok(Ticketing::Refused),
        ("made", Some(key)) => Ok(Ticketing::Made(key)),
        ("lost", Some(key)) => Ok(Ticketing::Lost(key)),
        _ => Err(LedgerError::Nonsense(state.to_owned())),
    }
}

fn read_told(text: Option<&str>) -> Result<Option<Told>, LedgerError> {
    match text {
        None => Ok(None),
        Some("open") => Ok(Some(Told::Open)),
        Some("closed") => Ok(Some(Told::Closed)),
        Some(other) => Err(LedgerError::Nonsense(other.to_owned())),
    }
}
