//! What is needed to tell people's decisions from the client's own changes.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::scopes::timestamp;
use super::{Ledger, LedgerError};
use crate::core::model::{GroupId, OpKey};

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

    /// The tracker's changes were read up to here; what follows from them was done, or stands as unheard.
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

    /// This is how the ticket is, and all that follows from it was done. If the client left it open and it is done, people
    /// closed it.
    pub fn left(&mut self, group: &GroupId, is_done: bool) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached(
                    "UPDATE ticket SET left_done = ?2, is_unheard = 0,
                        closed_by_people = ?2 AND coalesce(left_done = 0 OR (left_done = 1 AND closed_by_people), 0)
                     WHERE group_id = ?1",
                )?
                .execute(params![group.as_str(), is_done])
        })?;
        Ok(())
    }

    /// Something that follows from how the ticket is could not be done: the next run looks at it again.
    pub fn unheard(&mut self, group: &GroupId) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached("UPDATE ticket SET is_unheard = 1 WHERE group_id = ?1")?
                .execute([group.as_str()])
        })?;
        Ok(())
    }

    /// The groups of which something could not be done.
    pub fn unheard_groups(&self) -> Result<Vec<GroupId>, LedgerError> {
        self.groups("SELECT group_id FROM ticket WHERE is_unheard = 1 AND state = 'made' ORDER BY group_id")
    }

    /// Nobody wants to know what people decide any more. Whoever wants to again begins with how the tickets are then.
    pub fn stop_hearing(&mut self) -> Result<(), LedgerError> {
        if self.tracker_mark()?.is_none() {
            return Ok(());
        }
        self.write(|write| {
            write.execute("DELETE FROM tracker_mark", [])?;
            write.execute("UPDATE ticket SET left_done = NULL, is_unheard = 0", [])
        })?;
        Ok(())
    }
}
