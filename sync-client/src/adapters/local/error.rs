//! Why the ticket file could not be used, and what to do next.

use std::path::PathBuf;

use rusqlite::{ErrorCode, ffi};

use super::schema::FORMAT;
use crate::core::model::{OpKey, TicketKey};
use crate::ports::TrackerError;

/// What stands between us and the tickets. Every text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The file or its directory can't be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A newer version wrote it.
    #[error(
        "{path} has format {found}, and this version reads up to {FORMAT}: use the version that wrote it; nothing was changed"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It is something else.
    #[error("{path} is no ticket file of sync-client: name another file; nothing was changed")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged.
    #[error(
        "{path} is damaged ({what}): stop using it and put back a copy from a backup; without one, move it aside and try `sqlite3 FILE .recover`"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// Another process writes, and went on doing so.
    #[error("{path} is being written by another process: try again when it is done")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// There is no room.
    #[error("no room on the disk for {path}: free some and run again; what was being written was not kept")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It may not be written.
    #[error("{path} may not be written: check the permissions of the file and of its directory")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed while a change was being committed.
    #[error("the disk failed while {path} was written, so the last change may or may not be kept: {what}")]
    InDoubt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// A unique key is wanted, and there are tickets that share one.
    #[error(
        "{path} holds {count} tickets with the key {op}, so it can't promise unique keys: delete all but one, or set `unique_key = false`"
    )]
    SharedKey {
        /// The file.
        path: PathBuf,
        /// The key.
        op: OpKey,
        /// How many tickets have it.
        count: u64,
    },
    /// There is no such ticket, or it is hidden.
    #[error("there is no ticket {0}")]
    NoTicket(TicketKey),
    /// A ticket may not become like this.
    #[error("{0}")]
    Refused(String),
    /// Anything else that SQLite says.
    #[error("{path}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
}

impl LocalError {
    /// What an error of SQLite means for the file.
    pub(super) fn of(path: &std::path::Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, what: error.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            // Even reading needs a little room: for the index of the write-ahead log.
            Some(ErrorCode::SystemIoFailure) if extended_code(&error) == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
                Self::Full { path }
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { path }
            }
            // The rules of the schema: a text or label that the checks before it let through.
            Some(ErrorCode::ConstraintViolation) => {
                Self::Refused(format!("the ticket file refuses it: {error}"))
            }
            _ => Self::Database { path, source: error },
        }
    }

    /// The same for an error of a commit. Where the disk fails at that moment, SQLite rolls back, and yet what it had
    /// already put into its log may be found there after a crash.
    pub(super) fn of_commit(path: &std::path::Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => {
                Self::InDoubt { path: path.to_owned(), what: error.to_string() }
            }
            _ => Self::of(path, error),
        }
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

impl From<LocalError> for TrackerError {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::NoTicket(_) | LocalError::Refused(_) => Self::Refused(error.to_string()),
            LocalError::InDoubt { .. } => Self::Unknown(error.to_string()),
            LocalError::Io { .. }
            | LocalError::Newer { .. }
            | LocalError::Foreign { .. }
            | LocalError::Corrupt { .. }
            | LocalError::Locked { .. }
            | LocalError::Full { .. }
            | LocalError::ReadOnly { .. }
            | LocalError::SharedKey { .. }
            | LocalError::Database { .. } => Self::Unavailable(error.to_string()),
        }
    }
}
