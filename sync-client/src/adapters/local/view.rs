//! Tickets as people look at them, hidden ones included.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row};
use serde::Serialize;

use super::{LocalError, LocalTracker, Rows, schema};
use crate::core::model::TicketKey;

/// A ticket in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Its key, e.g. `LOCAL-12`.
    pub key: String,
    /// Its status as people read it.
    pub status: String,
    /// Whether it is done.
    pub is_done: bool,
    /// Its title.
    pub title: String,
    /// The vendor's item it is about, e.g. `data-theorem/target/4567`: the first label that begins like one.
    pub item: Option<String>,
}

/// A ticket with everything in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: Summary,
    /// The key that the client gave it; absent in tickets of people.
    pub op: Option<String>,
    /// Keys it had before it was moved.
    pub former_keys: Vec<String>,
    /// Its labels, in order.
    pub labels: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When something about it changed last.
    pub updated: Timestamp,
    /// Whether the client may not see it.
    pub is_hidden: bool,
    /// Its description.
    pub description: String,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// [`super::CLIENT`], or a person.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// What.
    pub text: String,
}

/// A ticket file, opened to look at it and no more.
#[derive(Debug)]
pub struct Tickets {
    path: PathBuf,
    database: Connection,
}

impl Tickets {
    /// Opens a ticket file; `None`: there is none yet. Nothing is made or changed, and a run may go on meanwhile.
    pub fn open(path: &Path) -> Result<Option<Self>, LocalError> {
        let database = schema::open_to_read(path)?;
        Ok(database.map(|database| Self { path: path.to_owned(), database }))
    }

    /// Every ticket, oldest first.
    pub fn list(&self) -> Result<Vec<Summary>, LocalError> {
        self.rows().list()
    }

    /// A ticket by any key it ever had.
    pub fn details(&self, key: &TicketKey) -> Result<Option<Details>, LocalError> {
        self.rows().details(key)
    }

    /// Reads the whole file and says what is damaged; `None`: nothing. Takes about a second per 100 MB.
    pub fn damage(&self) -> Result<Option<String>, LocalError> {
        let found = self.rows().all("PRAGMA integrity_check(5)", [], |row| row.get::<_, String>(0))?;
        Ok(if found == ["ok"] { None } else { Some(found.join("; ")) })
    }

    fn rows(&self) -> Rows<'_> {
        Rows { database: &self.database, path: &self.path }
    }
}

impl LocalTracker {
    /// Every ticket, oldest first.
    pub fn list(&self) -> Result<Vec<Summary>, LocalError> {
        self.rows(&self.database()).list()
    }

    /// A ticket by any key it ever had.
    pub fn details(&self, key: &TicketKey) -> Result<Option<Details>, LocalError> {
        self.rows(&self.database()).details(key)
    }
}

/// The columns that [`read_summary`] reads.
const SUMMARY: &str = "
SELECT current.key, status, is_done, title,
    (SELECT min(label) FROM labels WHERE ticket = tickets.number
        AND (label GLOB 'data-theorem/*' OR label GLOB 'mend/*'))
FROM tickets JOIN keys AS current ON current.ticket = tickets.number AND current.is_current = 1";

fn read_summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    Ok(Summary {
        key: row.get(0)?,
        status: row.get(1)?,
        is_done: row.get(2)?,
        title: row.get(3)?,
        item: row.get(4)?,
    })
}

/// A time of the file; one that no calendar has is shown as the epoch.
fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_millisecond(row.get(column)?).unwrap_or(Timestamp::UNIX_EPOCH))
}

impl Rows<'_> {
    fn list(&self) -> Result<Vec<Summary>, LocalError> {
        self.all(&format!("{SUMMARY} ORDER BY tickets.number"), [], read_summary)
    }

    fn details(&self, key: &TicketKey) -> Result<Option<Details>, LocalError> {
        let number = match self.number(key) {
            Ok(number) => number,
            Err(LocalError::NoTicket(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let sql = "SELECT label FROM labels WHERE ticket = ?1 ORDER BY label";
        let labels = self.all(sql, [number], |row| row.get(0))?;
        let sql = "SELECT key FROM keys WHERE ticket = ?1 AND is_current = 0 ORDER BY key";
        let former_keys = self.all(sql, [number], |row| row.get(0))?;
        let sql = "SELECT author, created_ms, text FROM comments WHERE ticket = ?1 ORDER BY number";
        let comments = self.all(sql, [number], |row| {
            Ok(Comment { author: row.get(0)?, created: time(row, 1)?, text: row.get(2)? })
        })?;
        let Some(summary) =
            self.one(&format!("{SUMMARY} WHERE tickets.number = ?1"), [number], read_summary)?
        else {
            return Ok(None);
        };
        let sql = "SELECT op, description, is_hidden, created_ms, updated_ms FROM tickets WHERE number = ?1";
        self.one(sql, [number], |row| {
            Ok(Details {
                summary,
                op: row.get(0)?,
                former_keys,
                labels,
                created: time(row, 3)?,
                updated: time(row, 4)?,
                is_hidden: row.get(2)?,
                description: row.get(1)?,
                comments,
            })
        })
    }
}
