//! What is needed to tell people's decisions from the client's own changes.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::scopes::timestamp;
use super::story::remember;
use super::{Ledger, LedgerError};
use crate::core::model::{GroupId, ItemId, OpKey, Standing};

impl Ledger {
    /// Up to when the tracker's changes were read; `None`: they never were.
    pub fn tracker_mark(&self) -> Result<Option<Timestamp>, LedgerError> {
        let at = self
            .connection
            .prepare_cached("SELECT at FROM tracker_mark")?
            .query_row([], |row| row.get(0))
            .optional()?;
        timestamp(at)
    }

    /// The tracker's changes were read up to here, and everything that follows from them was done.
    pub fn heard_people(&mut self, at: Timestamp) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached(
                    "INSERT INTO tracker_mark (only, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = ?1",
                )?
                .execute([at.to_string()])
        })?;
        Ok(())
    }

    /// The group whose ticket carries a key.
    pub fn group_of(&self, op: &OpKey) -> Result<Option<GroupId>, LedgerError> {
        let group = self
            .connection
            .prepare_cached("SELECT group_id FROM ticket WHERE op = ?1")?
            .query_row([op.as_str()], |row| row.get::<_, String>(0))
            .optional()?;
        Ok(group.map(GroupId::new))
    }

    /// This is how the ticket is, and all that follows from it was done.
    pub fn left(&mut self, group: &GroupId, is_done: bool) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET left_done = ?2 WHERE group_id = ?1")?
                .execute(params![group.as_str(), is_done])
        })?;
        Ok(())
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
                .execute([item.as_str(), super::tickets::standing_text(standing), status])?;
            remember(write, run, group, at, text)
        })
    }
}
