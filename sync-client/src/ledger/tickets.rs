//! Which group has which ticket, and what its items were when they were seen last.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::scopes::timestamp;
use super::story::remember;
use super::{Ledger, LedgerError, RunId};
use crate::core::model::{GroupId, Item, ItemId, OpKey, ScopeId, Source, Standing, TicketKey};
use crate::core::plan::{Ticketing, Told};
use crate::ports::Ticket;

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
    /// Whether it was done when the client left it; `None`: that is not known.
    pub left_done: Option<bool>,
    /// The status that the vendor was told it has, where the vendor wants to know.
    pub reported: Option<String>,
}

/// An item as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedItem {
    /// Which one.
    pub id: ItemId,
    /// Where it was listed.
    pub scope: ScopeId,
    /// What the vendor said of it.
    pub standing: Standing,
    /// The vendor's own word.
    pub status: String,
    /// What the client needs to ask the vendor about it, e.g. a library's key.
    pub reference: String,
    /// The ticket that the vendor was told last.
    pub linked: Option<TicketKey>,
    /// How many complete lists in a row left it out.
    pub absences: u32,
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

const ITEM_COLUMNS: &str = "id, scope, standing, status, reference, linked, absences";

impl Ledger {
    /// What is known of a group; `None`: nothing was ever asked for it.
    pub fn group(&self, group: &GroupId) -> Result<Option<Recorded>, LedgerError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT state, key, told, tried_at, is_adopted, left_done, reported, is_telling FROM ticket
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
                ))
            })
            .optional()?;
        let Some((state, key, told, tried_at, is_adopted, left_done, reported, is_telling)) = row else {
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
            left_done,
            reported,
        }))
    }

    /// The items of a list that have, or had, a ticket asked for, with their groups.
    pub fn items_of_scope(&self, scope: &ScopeId) -> Result<Vec<(GroupId, RecordedItem)>, LedgerError> {
        self.items("scope", scope.as_str())
    }

    fn items(&self, column: &str, value: &str) -> Result<Vec<(GroupId, RecordedItem)>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ITEM_COLUMNS}, group_id FROM item WHERE {column} = ?1 ORDER BY id"
        ))?;
        let rows = statement.query_map([value], |row| Ok((read_item(row)?, row.get::<_, String>(7)?)))?;
        rows.map(|row| {
            let ((item, standing), group) = row?;
            let standing = read_standing(&standing)?;
            Ok((GroupId::new(group), RecordedItem { standing, ..item }))
        })
        .collect()
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
                        key = NULL, is_adopted = 0, told = NULL, left_done = NULL, reported = NULL",
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
                        left_done = ?4
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
                        left_done = NULL, reported = NULL",
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

    /// The vendor knows the item's ticket now, and the status it has.
    pub fn linked(
        &mut self,
        group: &GroupId,
        item: &ItemId,
        ticket: &Ticket,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let (run, key) = (self.run, &ticket.key);
        self.write(|write| {
            write
                .prepare_cached("UPDATE item SET linked = ?2 WHERE id = ?1")?
                .execute([item.as_str(), key.as_str()])?;
            write
                .prepare_cached("UPDATE ticket SET reported = ?2 WHERE group_id = ?1 AND source = 'mend'")?
                .execute([group.as_str(), &ticket.status])?;
            remember(write, run, group, at, &format!("{item} has {key} as its ticket at the vendor"))
        })
    }

    /// Items of a group that has a ticket were seen. Writes only what changed.
    pub fn saw(
        &mut self,
        group: &GroupId,
        recorded: &Recorded,
        items: &[Item],
        reference: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let is_known = |item: &Item| {
            recorded.items.iter().any(|known| {
                known.id == item.id
                    && known.status == item.status
                    && known.standing == item.standing
                    && known.absences == 0
            })
        };
        if items.iter().all(is_known) {
            return Ok(());
        }
        let run = self.run;
        self.write(|write| store_items(write, run, group, items, reference, at))
    }

    /// A complete list left an item out; says how many in a row did.
    pub fn absent(&mut self, item: &ItemId) -> Result<u32, LedgerError> {
        self.write(|write| {
            write
                .prepare_cached("UPDATE item SET absences = absences + 1 WHERE id = ?1 RETURNING absences")?
                .query_row([item.as_str()], |row| row.get(0))
        })
    }

    /// The item is over although no list says so any more; `why` is that in words.
    pub fn over_because(
        &mut self,
        group: &GroupId,
        item: &ItemId,
        why: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write
                .prepare_cached(
                    "UPDATE item SET standing = 'closed', status = ?2, absences = 0 WHERE id = ?1",
                )?
                .execute([item.as_str(), why])?;
            remember(write, run, group, at, &format!("{item} is over: {why}"))
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
                    "UPDATE ticket SET told = ?2, left_done = coalesce(?3, left_done), is_telling = 0, unseen_runs = 0
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

    /// The ticket could not be seen in this run; says in how many in a row.
    pub fn unseen(&mut self, group: &GroupId) -> Result<u32, LedgerError> {
        self.write(|write| {
            write.query_row(
                "UPDATE ticket SET unseen_runs = unseen_runs + 1 WHERE group_id = ?1 RETURNING unseen_runs",
                [group.as_str()],
                |row| row.get(0),
            )
        })
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

    fn groups(&self, sql: &str) -> Result<Vec<GroupId>, LedgerError> {
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

fn store_items(
    write: &Transaction<'_>,
    run: RunId,
    group: &GroupId,
    items: &[Item],
    reference: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    for item in items {
        let changed = write
            .prepare_cached(
                "INSERT INTO item (id, group_id, scope, standing, status, reference) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET scope = ?3, standing = ?4, status = ?5, reference = ?6, absences = 0
                 WHERE (scope, standing, status, reference, absences) IS NOT (?3, ?4, ?5, ?6, 0)",
            )?
            .execute(params![
                item.id.as_str(),
                group.as_str(),
                item.scope.as_str(),
                standing_text(&item.standing),
                item.status,
                reference
            ])?;
        if changed > 0 {
            remember(write, run, group, at, &format!("{} is {}", item.id, item.status))?;
        }
    }
    Ok(())
}

fn read_item(row: &Row<'_>) -> rusqlite::Result<(RecordedItem, String)> {
    let item = RecordedItem {
        id: ItemId::new(row.get::<_, String>(0)?),
        scope: ScopeId::new(row.get::<_, String>(1)?),
        standing: Standing::Unknown,
        status: row.get(3)?,
        reference: row.get(4)?,
        linked: row.get::<_, Option<String>>(5)?.map(TicketKey::new),
        absences: row.get(6)?,
    };
    Ok((item, row.get(2)?))
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

pub(super) fn standing_text(standing: &Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Closed => "closed",
        Standing::Unknown => "unknown",
    }
}

fn read_standing(text: &str) -> Result<Standing, LedgerError> {
    match text {
        "open" => Ok(Standing::Open),
        "closed" => Ok(Standing::Closed),
        "unknown" => Ok(Standing::Unknown),
        other => Err(LedgerError::Nonsense(other.to_owned())),
    }
}
