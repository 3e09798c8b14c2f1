//! The ticket file: its format, and how it is opened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::{LocalError, Uniqueness};
use crate::core::model::OpKey;

/// The format this version writes, and the newest it reads.
pub(super) const FORMAT: u32 = 1;
/// Marks the file as a ticket file: "tckt" in ASCII.
const APPLICATION_ID: u32 = 0x7463_6b74;
/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for every statement of the tracker.
const CACHED_STATEMENTS_MAX: usize = 64;

/// The most characters of a title. The schema says the same.
pub(super) const TITLE_CHARS_MAX: usize = 255;
/// The most characters of a description or comment. The schema says the same.
pub(super) const TEXT_CHARS_MAX: usize = 32_767;
/// The most characters of a label. The schema says the same.
pub(super) const LABEL_CHARS_MAX: usize = 255;

/// Numbers are never given twice (AUTOINCREMENT). A ticket answers to every key it ever had; one of them is current.
const SCHEMA: &str = "
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    op TEXT CHECK (length(op) > 0),
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 255 AND instr(title, char(10)) = 0),
    description TEXT NOT NULL CHECK (length(description) <= 32767),
    status TEXT NOT NULL CHECK (length(status) BETWEEN 1 AND 255),
    is_done INTEGER NOT NULL CHECK (is_done IN (0, 1)),
    is_hidden INTEGER NOT NULL DEFAULT 0 CHECK (is_hidden IN (0, 1)),
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE keys (
    key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
    ticket INTEGER NOT NULL REFERENCES tickets (number) ON DELETE CASCADE,
    is_current INTEGER NOT NULL CHECK (is_current IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX keys_current ON keys (ticket) WHERE is_current = 1;
CREATE INDEX keys_of_ticket ON keys (ticket);
CREATE TABLE labels (
    ticket INTEGER NOT NULL REFERENCES tickets (number) ON DELETE CASCADE,
    label TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 255 AND instr(label, ' ') = 0),
    PRIMARY KEY (ticket, label)
) STRICT, WITHOUT ROWID;
CREATE TABLE comments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket INTEGER NOT NULL REFERENCES tickets (number) ON DELETE CASCADE,
    author TEXT NOT NULL CHECK (length(author) BETWEEN 1 AND 255),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 32767),
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX comments_of_ticket ON comments (ticket, author, number);
";
const UNIQUE_KEY: &str = "CREATE UNIQUE INDEX tickets_op_unique ON tickets (op) WHERE op IS NOT NULL";
const BY_CHANGE: &str =
    "CREATE INDEX IF NOT EXISTS tickets_by_change ON tickets (updated_ms) WHERE op IS NOT NULL";
const PLAIN_KEY: &str = "CREATE INDEX tickets_op ON tickets (op) WHERE op IS NOT NULL";

/// Opens a ticket file for writing, or makes it and its directory.
pub(super) fn open(path: &Path, uniqueness: Uniqueness) -> Result<Connection, LocalError> {
    let io_failed = |source| LocalError::Io { path: path.to_owned(), source };
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(io_failed)?;
    }
    match look(path)? {
        Found::Nothing => create_private(path).map_err(io_failed)?,
        Found::Empty | Found::Tickets => {}
    }
    let failed = |error| LocalError::of(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = Connection::open_with_flags(path, flags).map_err(failed)?;
    prepare(&mut database, path, uniqueness)?;
    Ok(database)
}

/// Opens a ticket file for reading; `None`: there is none yet. Nothing is created or changed.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, LocalError> {
    match look(path)? {
        Found::Nothing => return Ok(None),
        Found::Empty | Found::Tickets => {}
    }
    let failed = |error| LocalError::of(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(failed)?;
    database.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    if !exists(&database, "tickets").map_err(failed)? {
        return Ok(None);
    }
    check_format(&database, path)?;
    Ok(Some(database))
}

/// Tickets in memory; `path` stands in messages.
pub(super) fn open_in_memory(path: &Path, uniqueness: Uniqueness) -> Result<Connection, LocalError> {
    let mut database = Connection::open_in_memory().map_err(|error| LocalError::of(path, error))?;
    prepare(&mut database, path, uniqueness)?;
    Ok(database)
}

fn prepare(database: &mut Connection, path: &Path, uniqueness: Uniqueness) -> Result<(), LocalError> {
    let failed = |error| LocalError::of(path, error);
    database.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    database.set_prepared_statement_cache_capacity(CACHED_STATEMENTS_MAX);
    database.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    database.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    database.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    let transaction =
        database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let is_new = !exists(&transaction, "tickets").map_err(failed)?;
    if is_new {
        transaction.execute_batch(SCHEMA).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", FORMAT).map_err(failed)?;
    }
    check_format(&transaction, path)?;
    // Files from before tickets were listed by change lack it, and need nothing else.
    transaction.execute_batch(BY_CHANGE).map_err(failed)?;
    let changed = set_uniqueness(&transaction, path, uniqueness)?;
    transaction.commit().map_err(|error| LocalError::of_commit(path, error))?;
    if is_new || changed {
        // The format belongs into the file itself, where `look` reads it; the log would hold it back. That another
        // process reads meanwhile only puts it off.
        database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    }
    Ok(())
}

/// The format once more, from the log too: a crash may have left it there.
fn check_format(database: &Connection, path: &Path) -> Result<(), LocalError> {
    let found = database.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    match found.map_err(|error| LocalError::of(path, error))? {
        0..=FORMAT => Ok(()),
        found => Err(LocalError::Newer { path: path.to_owned(), found }),
    }
}

/// Makes the file promise unique keys, or no longer; says whether that changed anything.
fn set_uniqueness(database: &Connection, path: &Path, uniqueness: Uniqueness) -> Result<bool, LocalError> {
    let failed = |error| LocalError::of(path, error);
    match uniqueness {
        Uniqueness::Key => {
            if exists(database, "tickets_op_unique").map_err(failed)? {
                return Ok(false);
            }
            let shared =
                "SELECT op, count(*) FROM tickets WHERE op IS NOT NULL GROUP BY op HAVING count(*) > 1";
            let shared = database.query_row(shared, [], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
            if let Some((op, count)) = shared.optional().map_err(failed)? {
                return Err(LocalError::SharedKey { path: path.to_owned(), op: OpKey::new(op), count });
            }
            database.execute_batch("DROP INDEX IF EXISTS tickets_op").map_err(failed)?;
            database.execute_batch(UNIQUE_KEY).map_err(failed)?;
        }
        Uniqueness::None { .. } => {
            if exists(database, "tickets_op").map_err(failed)? {
                return Ok(false);
            }
            database.execute_batch("DROP INDEX IF EXISTS tickets_op_unique").map_err(failed)?;
            database.execute_batch(PLAIN_KEY).map_err(failed)?;
        }
    }
    Ok(true)
}

fn exists(database: &Connection, name: &str) -> Result<bool, rusqlite::Error> {
    let found = database.query_row("SELECT 1 FROM sqlite_schema WHERE name = ?1", [name], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

/// What is at a path.
enum Found {
    Nothing,
    /// A file without content: a crash between its making and its first commit leaves that.
    Empty,
    Tickets,
}

/// Reads a file's format from its header, without opening it as a database and so without touching it.
fn look(path: &Path) -> Result<Found, LocalError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let read = File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header));
    match read {
        Ok(0) => return Ok(Found::Empty),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(source) => return Err(LocalError::Io { path: path.to_owned(), source }),
    }
    let foreign = || LocalError::Foreign { path: path.to_owned() };
    if header.len() < HEADER_BYTES || !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign());
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    // Offsets 40, 60 and 68 of SQLite's header: schema cookie, user_version, application_id.
    match (number(40), number(60), number(68)) {
        (0, 0, 0) => Ok(Found::Empty),
        (_, found, APPLICATION_ID) if found > FORMAT => {
            Err(LocalError::Newer { path: path.to_owned(), found })
        }
        (_, _, APPLICATION_ID) => Ok(Found::Tickets),
        _ => Err(foreign()),
    }
}

/// The size of SQLite's file header.
const HEADER_BYTES: usize = 100;

/// Findings are in it: it is the owner's alone from the first byte.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(|_| ()),
    }
}
