//! What the client remembers between runs: which group has which ticket, what was told, and how far it has read.
//!
//! A SQLite file with write-ahead log and full synchronisation: what a call has returned from is on disk. One process
//! writes at a time; a lock file beside the ledger says who may. Deliberately absent: secrets, and the vendors' texts.

mod items;
mod people;
mod schema;
mod scopes;
mod story;
mod tickets;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi};

pub use items::RecordedItem;
pub use scopes::Scope;
pub use story::{Happening, RunId, RunRecord};
pub use tickets::{Counts, NewRecord, Recorded};

/// Enough for every statement of the ledger.
const CACHED_STATEMENTS_MAX: usize = 64;

/// The ledger.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    run: RunId,
    /// Held as long as the ledger is open for writing.
    _lock: Option<File>,
}

/// A ledger that can't be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes.
    #[error("another run holds the ledger {path}; wait until it is over, or end it")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "the ledger {path} has format {found}, and this version knows formats up to {known}: use the version that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i32,
        /// The newest format that this version knows.
        known: i32,
    },
    /// The file is no ledger.
    #[error("{path} is not a ledger of this client; give another file, or move it away")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "the ledger {path} is damaged: {problem}. Restore a backup; or move it away: tickets are then found again by \
         the keys they carry"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// The disk is full. What was begun is undone.
    #[error(
        "no room on the disk for the ledger {path}: free some and run again; what was done until then is in it, and \
         the next run finds out about the rest"
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file may not be read or written.
    #[error(
        "the ledger {path} may not be used: check the permissions of the file and of its directory ({problem})"
    )]
    Forbidden {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// The file can't be read or written.
    #[error("the ledger {path} can't be used; check the permissions of the file and of its directory")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite can't do it, be it for a reason that [`LedgerError::at`] has a name for. What was begun is undone.
    #[error("the ledger can't be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// SQLite can't do it, and there is no better name for why. What was begun is undone.
    #[error("the ledger {path} can't be used: {problem}. Nothing that was done before is lost; run again")]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// What stands in it is not what this client writes.
    #[error("the ledger says {0:?}, which this client never writes; restore a backup")]
    Nonsense(String),
}

impl LedgerError {
    /// The same with the file's name, and with what SQLite's error means for it.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        match self {
            Self::Database(error) => unusable(path, &error),
            other => other,
        }
    }
}

impl Ledger {
    /// Opens a ledger for writing and makes it if there is none. The directory has to be there.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let lock = lock(path)?;
        let connection = Connection::open(path).map_err(|error| unusable(path, &error))?;
        let ledger = Self { connection, run: RunId(0), _lock: Some(lock) };
        ledger.prepare(path)?;
        Ok(ledger)
    }

    /// Opens a ledger for reading beside a run that may be writing. `None`: there is none.
    pub fn open_to_read(path: &Path) -> Result<Option<Self>, LedgerError> {
        if !path.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|error| unusable(path, &error))?;
        let ledger = Self { connection, run: RunId(0), _lock: None };
        let found = ledger.format(path)?;
        if found == schema::FORMAT {
            return Ok(Some(ledger));
        }
        // One of an earlier version is read as it will be once a run has opened it.
        let copy = ledger.copy_in_memory()?;
        copy.migrate(path, found)?;
        Ok(Some(copy))
    }

    /// A ledger that is gone when it is dropped.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::over(Connection::open_in_memory()?)
    }

    /// A ledger over a connection that somebody else opened. What was not committed when the last ledger over it was
    /// dropped is gone, as after a crash.
    pub fn over(connection: Connection) -> Result<Self, LedgerError> {
        let ledger = Self { connection, run: RunId(0), _lock: None };
        ledger.prepare(Path::new(":memory:"))?;
        Ok(ledger)
    }

    /// The connection, for the next ledger over it.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// A copy in memory, to try out what a run would do.
    pub fn copy_in_memory(&self) -> Result<Self, LedgerError> {
        let mut connection = Connection::open_in_memory()?;
        {
            let backup = rusqlite::backup::Backup::new(&self.connection, &mut connection)?;
            backup.run_to_completion(1_000, std::time::Duration::ZERO, None)?;
        }
        Ok(Self { connection, run: self.run, _lock: None })
    }

    /// Reads the whole ledger and says what is damaged; `None`: nothing. Takes about a second per 100 MB.
    pub fn damage(&self) -> Result<Option<String>, LedgerError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(5)")?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?;
        let found: Vec<String> = found.collect::<Result<_, _>>()?;
        Ok(if found == ["ok"] { None } else { Some(found.join("; ")) })
    }

    fn prepare(&self, path: &Path) -> Result<(), LedgerError> {
        self.connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS_MAX);
        let found = self.format(path)?;
        self.connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(|error| unusable(path, &error))?;
        self.migrate(path, found)
    }

    /// Brings the tables from the format that was found to this version's.
    fn migrate(&self, path: &Path, found: i32) -> Result<(), LedgerError> {
        for (index, migration) in schema::MIGRATIONS.iter().enumerate() {
            let format = i32::try_from(index + 1).unwrap_or(i32::MAX);
            if format > found {
                self.connection
                    .execute_batch(&format!(
                        "BEGIN IMMEDIATE; {migration} PRAGMA user_version = {format}; COMMIT;"
                    ))
                    .map_err(|error| unusable(path, &error))?;
            }
        }
        if found == 0 {
            self.connection
                .pragma_update(None, "application_id", schema::APPLICATION_ID)
                .map_err(|error| unusable(path, &error))?;
        }
        Ok(())
    }

    /// The format of the file; 0: it is empty.
    fn format(&self, path: &Path) -> Result<i32, LedgerError> {
        let number = |pragma: &str| {
            self.connection
                .pragma_query_value(None, pragma, |row| row.get::<_, i32>(0))
                .map_err(|error| unusable(path, &error))
        };
        let (format, application) = (number("user_version")?, number("application_id")?);
        let tables: i64 = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| unusable(path, &error))?;
        let path = path.to_owned();
        match (application, format) {
            (schema::APPLICATION_ID, found) if found > schema::FORMAT => {
                Err(LedgerError::Newer { path, found, known: schema::FORMAT })
            }
            (schema::APPLICATION_ID, found) => Ok(found),
            // A process that ended while it made the file leaves tables, but not yet the mark.
            (0, 0..=schema::FORMAT) if tables == 0 || self.has_our_tables() => Ok(format),
            _ => Err(LedgerError::Foreign { path }),
        }
    }

    fn has_our_tables(&self) -> bool {
        self.connection.prepare("SELECT group_id, op, told FROM ticket").is_ok()
    }

    /// Runs a write that is on disk when this returns, or undone.
    fn write<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = write(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// Takes the lock beside the ledger, which the system takes back when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, LedgerError> {
    let io = |source| LedgerError::Io { path: path.to_owned(), source };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(name).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// What SQLite's refusal of a file means.
fn unusable(path: &Path, error: &rusqlite::Error) -> LedgerError {
    let (path, problem) = (path.to_owned(), error.to_string());
    let extended_code = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged { path, problem },
        Some(ErrorCode::NotADatabase) => LedgerError::Foreign { path },
        Some(ErrorCode::DiskFull) => LedgerError::Full { path },
        // Even reading needs a little room: for the index of the write-ahead log.
        Some(ErrorCode::SystemIoFailure) if extended_code == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
            LedgerError::Full { path }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            LedgerError::Forbidden { path, problem }
        }
        _ => LedgerError::Failed { path, problem },
    }
}
