//! Runs, and what happened to each ticket, for `status` and `explain`.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::scopes::timestamp;
use super::{Ledger, LedgerError};
use crate::core::model::GroupId;

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// A run as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None`: it did not end by itself.
    pub ended: Option<Timestamp>,
    /// What the process exited with.
    pub exit_code: Option<u8>,
    /// What it did, in one line.
    pub summary: Option<String>,
}

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// In which run.
    pub run: RunId,
    /// What.
    pub text: String,
}

impl Ledger {
    /// Begins a run.
    pub fn begin_run(&mut self, at: Timestamp) -> Result<RunId, LedgerError> {
        let id = self.write(|write| {
            write.execute("INSERT INTO run (started) VALUES (?1)", [at.to_string()])?;
            Ok(write.last_insert_rowid())
        })?;
        self.run = RunId(id);
        Ok(self.run)
    }

    /// When the first run over this ledger began; `None`: none did.
    pub fn began(&self) -> Result<Option<Timestamp>, LedgerError> {
        let mut statement = self.connection.prepare_cached("SELECT started FROM run ORDER BY id LIMIT 1")?;
        timestamp(statement.query_row([], |row| row.get::<_, String>(0)).optional()?)
    }

    /// Ends the run.
    pub fn end_run(&mut self, at: Timestamp, exit_code: u8, summary: &str) -> Result<(), LedgerError> {
        let run = self.run.0;
        self.write(|write| {
            write.execute(
                "UPDATE run SET ended = ?2, exit_code = ?3, summary = ?4 WHERE id = ?1",
                params![run, at.to_string(), exit_code, summary],
            )
        })?;
        Ok(())
    }

    /// The last runs, the newest first.
    pub fn last_runs(&self, count: u32) -> Result<Vec<RunRecord>, LedgerError> {
        let mut statement = self
            .connection
            .prepare("SELECT id, started, ended, exit_code, summary FROM run ORDER BY id DESC LIMIT ?1")?;
        let rows = statement.query_map([count], |row| {
            Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
        rows.map(|row| {
            let (id, started, ended, exit_code, summary) = row?;
            let started = timestamp(started)?
                .ok_or_else(|| LedgerError::Nonsense("a run without a start".to_owned()))?;
            Ok(RunRecord { id: RunId(id), started, ended: timestamp(ended)?, exit_code, summary })
        })
        .collect()
    }

    /// What happened to a group's ticket, in order.
    pub fn story(&self, group: &GroupId) -> Result<Vec<Happening>, LedgerError> {
        let mut statement = self
            .connection
            .prepare("SELECT at, run, text FROM happening WHERE group_id = ?1 ORDER BY seq")?;
        let rows = statement.query_map([group.as_str()], |row| {
            Ok((row.get::<_, Option<String>>(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.map(|row| {
            let (at, run, text) = row?;
            let at = timestamp(at)?
                .ok_or_else(|| LedgerError::Nonsense("a happening without a time".to_owned()))?;
            Ok(Happening { at, run: RunId(run), text })
        })
        .collect()
    }

    /// The groups that a person may mean by an id: a group, an item, a vendor's own id, or a ticket's key.
    pub fn groups_meant_by(&self, id: &str) -> Result<Vec<GroupId>, LedgerError> {
        let exact = self
            .connection
            .query_row("SELECT group_id FROM ticket WHERE group_id = ?1", [id], |row| row.get::<_, String>(0))
            .optional()?;
        if let Some(group) = exact {
            return Ok(vec![GroupId::new(group)]);
        }
        let mut statement = self.connection.prepare(
            "SELECT group_id FROM ticket WHERE key = ?1 OR op = ?1
             UNION SELECT group_id FROM former_key WHERE key = ?1
             UNION SELECT group_id FROM item WHERE id = ?1 OR id LIKE '%/' || ?2 ESCAPE '\\'
             UNION SELECT group_id FROM ticket WHERE group_id LIKE '%/' || ?2 ESCAPE '\\'
             ORDER BY 1",
        )?;
        let pattern = id.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let groups = statement.query_map([id, &pattern], |row| row.get::<_, String>(0))?;
        Ok(groups.map(|group| group.map(GroupId::new)).collect::<Result<_, _>>()?)
    }
}

/// Remembers what happened, as part of the write that makes it so.
pub(super) fn remember(
    write: &Transaction<'_>,
    run: RunId,
    group: &GroupId,
    at: Timestamp,
    text: &str,
) -> rusqlite::Result<()> {
    write
        .prepare_cached("INSERT INTO happening (at, run, group_id, text) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![at.to_string(), run.0, group.as_str(), text])?;
    Ok(())
}
