//! The items that tickets are about, as they were seen last.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::story::remember;
use super::tickets::Recorded;
use super::{Ledger, LedgerError, RunId};
use crate::core::model::{GroupId, Item, ItemId, ScopeId, Standing, TicketKey};
use crate::ports::Ticket;

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
    /// The status that the vendor was told its ticket has, where the vendor wants to know.
    pub reported: Option<String>,
}

const ITEM_COLUMNS: &str = "id, scope, standing, status, reference, linked, absences, reported";

impl Ledger {
    /// The items of a list that have, or had, a ticket asked for, with their groups.
    pub fn items_of_scope(&self, scope: &ScopeId) -> Result<Vec<(GroupId, RecordedItem)>, LedgerError> {
        self.items("scope", scope.as_str())
    }

    pub(super) fn items(
        &self,
        column: &str,
        value: &str,
    ) -> Result<Vec<(GroupId, RecordedItem)>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ITEM_COLUMNS}, group_id FROM item WHERE {column} = ?1 ORDER BY id"
        ))?;
        let rows = statement.query_map([value], |row| Ok((read_item(row)?, row.get::<_, String>(8)?)))?;
        rows.map(|row| {
            let ((item, standing), group) = row?;
            let standing = read_standing(&standing)?;
            Ok((GroupId::new(group), RecordedItem { standing, ..item }))
        })
        .collect()
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
            write.prepare_cached("UPDATE item SET linked = ?2, reported = ?3 WHERE id = ?1")?.execute([
                item.as_str(),
                key.as_str(),
                &ticket.status,
            ])?;
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

    /// The vendor took over what people decided about an item.
    pub fn decided(
        &mut self,
        group: &GroupId,
        item: &ItemId,
        standing: &Standing,
        status: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let run = self.run;
        self.write(|write| {
            write
                .prepare_cached("UPDATE item SET standing = ?2, status = ?3, absences = 0 WHERE id = ?1")?
                .execute([item.as_str(), standing_text(standing), status])?;
            remember(write, run, group, at, text)
        })
    }
}

pub(super) fn store_items(
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
        reported: row.get(7)?,
    };
    Ok((item, row.get(2)?))
}

fn standing_text(standing: &Standing) -> &'static str {
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
