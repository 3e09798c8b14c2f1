//! Tickets in a SQLite file of their own: the tracker for those who have none, and for tests.
//!
//! One file, one writer at a time, one transaction per change, on disk before the answer (write-ahead log, full
//! synchronisation). The rules of the port are constraints of the schema. What people do to tickets is in [`Person`];
//! what `sync-client tickets` shows is in [`Summary`] and [`Details`]. Deliberately absent: a cache. What another process
//! changed shows at the next question.

mod error;
mod person;
mod schema;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

pub use error::LocalError;
pub use person::Person;
use schema::{LABEL_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX};
pub use view::{Comment, Details, Summary, Tickets};

use crate::core::model::{OpKey, TicketKey};
use crate::core::text::Units;
use crate::ports::{
    BrokenOff, Change, Clock, Created, NewTicket, Ticket, Tracker, TrackerError, TrackerTraits,
};

/// The author of the client's own comments.
pub const CLIENT: &str = "sync-client";
/// What the keys of new tickets begin with.
const KEY_PREFIX: &str = "LOCAL-";
/// The status of a ticket that nobody gave another one.
const OPEN: &str = "Open";
/// The status of a ticket that the client closed.
const DONE: &str = "Done";

/// Whether the tracker refuses a second ticket with the same [`OpKey`]. Real trackers are of both kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// It does, and finds every ticket at once.
    Key,
    /// It does not, and its search lags, as a search index does.
    None {
        /// A ticket younger than this is not found.
        search_lag: Duration,
    },
}

/// The tracker `local`.
pub struct LocalTracker {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    uniqueness: Uniqueness,
    database: Mutex<Connection>,
}

impl fmt::Debug for LocalTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalTracker({}, {:?})", self.path.display(), self.uniqueness)
    }
}

impl LocalTracker {
    /// Opens a ticket file, or makes it and its directory. A file made with the other kind of uniqueness is adapted;
    /// one that a newer version wrote is left untouched.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, uniqueness: Uniqueness) -> Result<Self, LocalError> {
        let database = Mutex::new(schema::open(path, uniqueness)?);
        Ok(Self { path: path.to_owned(), clock, uniqueness, database })
    }

    /// Tickets that are gone with this value.
    pub fn in_memory(clock: Arc<dyn Clock>, uniqueness: Uniqueness) -> Result<Self, LocalError> {
        let path = PathBuf::from(":memory:");
        let database = Mutex::new(schema::open_in_memory(&path, uniqueness)?);
        Ok(Self { path, clock, uniqueness, database })
    }

    /// What a person called `name` can do. The name may not be the client's.
    pub fn as_person(&self, name: impl Into<String>) -> Person<'_> {
        Person::new(self, name.into())
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked half-way has rolled its transaction back.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in one transaction, which is on disk when this returns. An error, the commit's too, leaves
    /// everything as it was.
    fn write<T>(&self, work: impl FnOnce(&Rows<'_>, i64) -> Result<T, LocalError>) -> Result<T, LocalError> {
        let now_ms = self.clock.now().as_millisecond();
        let mut database = self.database();
        let transaction = database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| LocalError::of(&self.path, error))?;
        let done = work(&self.rows(&transaction), now_ms)?;
        transaction.commit().map_err(|error| LocalError::of_commit(&self.path, error))?;
        Ok(done)
    }

    fn rows<'a>(&'a self, database: &'a Connection) -> Rows<'a> {
        Rows { database, path: &self.path }
    }

    /// The newest moment of making that a search sees.
    fn found_until_ms(&self) -> i64 {
        match self.uniqueness {
            Uniqueness::Key => i64::MAX,
            Uniqueness::None { search_lag } => {
                let lag_ms = i64::try_from(search_lag.as_millis()).unwrap_or(i64::MAX);
                self.clock.now().as_millisecond().saturating_sub(lag_ms)
            }
        }
    }

    fn create_or_find(&self, ticket: &NewTicket) -> Result<Created, LocalError> {
        check_title(&ticket.title)?;
        check_text("a description", &ticket.description)?;
        ticket.labels.iter().try_for_each(|label| check_label(label))?;
        if ticket.op.as_str().is_empty() {
            return Err(LocalError::Refused("a ticket needs a key to be found by".to_owned()));
        }
        self.write(|rows, now_ms| {
            if self.uniqueness == Uniqueness::Key
                && let Some((key, is_hidden)) = rows.key_of(&ticket.op)?
            {
                if is_hidden {
                    let text = format!("a ticket with the key {} exists, and may not be seen", ticket.op);
                    return Err(LocalError::Refused(text));
                }
                return Ok(Created::Existing(rows.ticket(&key)?));
            }
            let key = rows.insert(ticket, Some(&ticket.op), now_ms)?;
            Ok(Created::New(rows.ticket(&key)?))
        })
    }

    fn apply(&self, key: &TicketKey, change: &Change) -> Result<Ticket, LocalError> {
        self.write(|rows, now_ms| {
            let before = rows.ticket(key)?;
            if let Some(text) = &change.comment {
                rows.comment(key, CLIENT, text, now_ms)?;
            }
            // A ticket that is done in a person's own words stays so in these words.
            if let Some(is_done) = change.is_done
                && is_done != before.is_done
            {
                rows.set_status(key, if is_done { DONE } else { OPEN }, is_done, now_ms)?;
            }
            rows.ticket(key)
        })
    }
}

impl Tracker for LocalTracker {
    fn traits(&self) -> TrackerTraits {
        let (has_unique_key, search_lag) = match self.uniqueness {
            Uniqueness::Key => (true, Duration::ZERO),
            Uniqueness::None { search_lag } => (false, search_lag),
        };
        TrackerTraits {
            name: "local",
            has_unique_key,
            search_lag,
            title_chars_max: TITLE_CHARS_MAX,
            text_chars_max: TEXT_CHARS_MAX,
            units: Units::Characters,
        }
    }

    /// There is no credential; that the file answers is the proof.
    fn identify(&self) -> Result<String, TrackerError> {
        let count = self.rows(&self.database()).count()?;
        Ok(format!("{CLIENT}, {count} tickets in {}", self.path.display()))
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        let until_ms = self.found_until_ms();
        Ok(self.rows(&self.database()).find(op, until_ms)?)
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        Ok(self.create_or_find(ticket)?)
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        Ok(self.rows(&self.database()).get(key)?)
    }

    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        let since_ms = since.map_or(i64::MIN, Timestamp::as_millisecond);
        let until_ms = self.found_until_ms();
        Ok(self.rows(&self.database()).changed(since_ms, until_ms)?)
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        Ok(self.apply(key, change).map_err(TrackerError::from)?)
    }
}

fn check_title(title: &str) -> Result<(), LocalError> {
    let chars = title.chars().count();
    let refused = if title.trim().is_empty() {
        "a title may not be empty".to_owned()
    } else if title.chars().any(char::is_control) {
        "a title is one line without control characters".to_owned()
    } else if chars > TITLE_CHARS_MAX {
        format!("a title has at most {TITLE_CHARS_MAX} characters, not {chars}")
    } else {
        return Ok(());
    };
    Err(LocalError::Refused(refused))
}

fn check_text(what: &str, text: &str) -> Result<(), LocalError> {
    let chars = text.chars().count();
    if chars > TEXT_CHARS_MAX {
        return Err(LocalError::Refused(format!(
            "{what} has at most {TEXT_CHARS_MAX} characters, not {chars}"
        )));
    }
    // SQLite keeps NUL, and counts characters only up to it.
    if text.contains('\0') {
        return Err(LocalError::Refused(format!("{what} may not contain NUL")));
    }
    Ok(())
}

fn check_label(label: &str) -> Result<(), LocalError> {
    let chars = label.chars().count();
    if label.is_empty() || label.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(LocalError::Refused(format!("a label is one word, not {label:?}")));
    }
    if chars > LABEL_CHARS_MAX {
        return Err(LocalError::Refused(format!(
            "a label has at most {LABEL_CHARS_MAX} characters, not {chars}"
        )));
    }
    Ok(())
}

/// The columns that [`read_ticket`] reads.
const TICKET: &str = "
SELECT current.key, tickets.op, tickets.is_done, tickets.status,
    (SELECT text FROM comments WHERE ticket = tickets.number AND author = 'sync-client'
        ORDER BY number DESC LIMIT 1),
    (SELECT count(*) FROM comments WHERE ticket = tickets.number AND author = 'sync-client')
FROM tickets JOIN keys AS current ON current.ticket = tickets.number AND current.is_current = 1";

fn read_ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    Ok(Ticket {
        key: TicketKey::new(row.get::<_, String>(0)?),
        url: None,
        op: row.get::<_, Option<String>>(1)?.map(OpKey::new),
        is_done: row.get(2)?,
        status: row.get(3)?,
        resolution: None,
        our_last_comment: row.get(4)?,
        our_comments: row.get(5)?,
    })
}

/// The tables, within a transaction or a single question.
struct Rows<'a> {
    database: &'a Connection,
    path: &'a Path,
}

impl Rows<'_> {
    fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T, LocalError> {
        result.map_err(|error| LocalError::of(self.path, error))
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, LocalError> {
        self.sql(self.database.prepare_cached(sql).and_then(|mut statement| statement.execute(values)))
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, LocalError> {
        let mut statement = self.sql(self.database.prepare_cached(sql))?;
        self.sql(statement.query_row(values, read).optional())
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LocalError> {
        let mut statement = self.sql(self.database.prepare_cached(sql))?;
        self.sql(statement.query_map(values, read).and_then(Iterator::collect))
    }

    fn count(&self) -> Result<u64, LocalError> {
        Ok(self.one("SELECT count(*) FROM tickets", [], |row| row.get(0))?.unwrap_or(0))
    }

    /// A ticket by any key it ever had, unless it is hidden.
    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, LocalError> {
        let sql = format!(
            "{TICKET} JOIN keys AS asked ON asked.ticket = tickets.number
             WHERE asked.key = ?1 AND tickets.is_hidden = 0"
        );
        self.one(&sql, [key.as_str()], read_ticket)
    }

    fn ticket(&self, key: &TicketKey) -> Result<Ticket, LocalError> {
        self.get(key)?.ok_or_else(|| LocalError::NoTicket(key.clone()))
    }

    fn find(&self, op: &OpKey, until_ms: i64) -> Result<Vec<Ticket>, LocalError> {
        let sql = format!(
            "{TICKET} WHERE tickets.op = ?1 AND tickets.is_hidden = 0 AND tickets.created_ms <= ?2
             ORDER BY tickets.number"
        );
        self.all(&sql, params![op.as_str(), until_ms], read_ticket)
    }

    fn changed(&self, since_ms: i64, until_ms: i64) -> Result<Vec<Ticket>, LocalError> {
        let sql = format!(
            "{TICKET} WHERE tickets.op IS NOT NULL AND tickets.is_hidden = 0
             AND tickets.updated_ms BETWEEN ?1 AND ?2 ORDER BY tickets.updated_ms, tickets.number"
        );
        self.all(&sql, params![since_ms, until_ms], read_ticket)
    }

    /// The ticket that carries a key, and whether it is hidden.
    fn key_of(&self, op: &OpKey) -> Result<Option<(TicketKey, bool)>, LocalError> {
        let sql = "SELECT key, is_hidden FROM tickets JOIN keys ON ticket = tickets.number AND is_current = 1
                   WHERE op = ?1 ORDER BY tickets.number LIMIT 1";
        self.one(sql, [op.as_str()], |row| Ok((TicketKey::new(row.get::<_, String>(0)?), row.get(1)?)))
    }

    fn insert(&self, ticket: &NewTicket, op: Option<&OpKey>, now_ms: i64) -> Result<TicketKey, LocalError> {
        let sql = "INSERT INTO tickets (op, title, description, status, is_done, created_ms, updated_ms)
                   VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)";
        let op = op.map(OpKey::as_str);
        self.execute(sql, params![op, ticket.title, ticket.description, OPEN, now_ms])?;
        let number = self.database.last_insert_rowid();
        let key = TicketKey::new(format!("{KEY_PREFIX}{number}"));
        let sql = "INSERT INTO keys (key, ticket, is_current) VALUES (?1, ?2, 1)";
        self.execute(sql, params![key.as_str(), number])?;
        for label in &ticket.labels {
            self.label(number, label)?;
        }
        Ok(key)
    }

    fn label(&self, number: i64, label: &str) -> Result<(), LocalError> {
        let sql = "INSERT INTO labels (ticket, label) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.execute(sql, params![number, label]).map(|_| ())
    }

    fn number(&self, key: &TicketKey) -> Result<i64, LocalError> {
        let number = self.one("SELECT ticket FROM keys WHERE key = ?1", [key.as_str()], |row| row.get(0))?;
        number.ok_or_else(|| LocalError::NoTicket(key.clone()))
    }

    fn comment(&self, key: &TicketKey, author: &str, text: &str, now_ms: i64) -> Result<(), LocalError> {
        check_text("a comment", text)?;
        if text.is_empty() {
            return Err(LocalError::Refused("a comment may not be empty".to_owned()));
        }
        let number = self.number(key)?;
        let sql = "INSERT INTO comments (ticket, author, text, created_ms) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![number, author, text, now_ms])?;
        self.touch(number, now_ms)
    }

    fn set_status(
        &self,
        key: &TicketKey,
        status: &str,
        is_done: bool,
        now_ms: i64,
    ) -> Result<(), LocalError> {
        let number = self.number(key)?;
        let sql = "UPDATE tickets SET status = ?2, is_done = ?3 WHERE number = ?1";
        self.execute(sql, params![number, status, is_done])?;
        self.touch(number, now_ms)
    }

    fn touch(&self, number: i64, now_ms: i64) -> Result<(), LocalError> {
        self.execute("UPDATE tickets SET updated_ms = ?2 WHERE number = ?1", params![number, now_ms])
            .map(|_| ())
    }
}
