//! Opening a state directory: lock it, look at its format before touching it, make it if it is new.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// The format this version writes, and the newest it reads. Older ones are brought up to it.
const FORMAT: u32 = 4;
/// Marks the file as this program's: "mock" in ASCII.
const APPLICATION_ID: u32 = 0x6d6f_636b;
const DATABASE: &str = "state.sqlite";
const LOCK: &str = "lock";

const SCHEMA: &str = "
CREATE TABLE origin (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    settings TEXT NOT NULL CHECK (json_valid(settings))
) STRICT;
CREATE TABLE bases (
    hash TEXT PRIMARY KEY,
    world TEXT NOT NULL CHECK (json_valid(world))
) STRICT;
CREATE TABLE sandboxes (
    id TEXT PRIMARY KEY,
    current TEXT NOT NULL REFERENCES bases (hash),
    origin TEXT NOT NULL REFERENCES bases (hash),
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    current_keys TEXT NOT NULL CHECK (json_valid(current_keys)),
    origin_keys TEXT NOT NULL CHECK (json_valid(origin_keys)),
    ids_made INTEGER NOT NULL CHECK (ids_made >= 0)
) STRICT;
CREATE TABLE rows (
    sandbox TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    place INTEGER NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (sandbox, kind, key, place)
) STRICT, WITHOUT ROWID;
";

/// What takes a state file from format 1 to format 2: credentials were a plain list of Data Theorem's keys.
const CREDENTIALS_BY_VENDOR: &str = "
UPDATE sandboxes SET
    current_keys = json_object('data_theorem', json(current_keys)),
    origin_keys = json_object('data_theorem', json(origin_keys));
";

/// What a server was started with when its state directory was new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The world, as it was named on the command line.
    pub world: String,
    /// The seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: jiff::Timestamp,
}

/// A state directory that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or a file in it can't be used.
    #[error("cannot use {path}")]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server uses the directory.
    #[error("{path} is in use by another server; stop it, or choose another --state directory")]
    Locked {
        /// The directory.
        path: PathBuf,
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
    #[error("{path} is not a state file of mock-server; nothing was changed")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database refuses.
    #[error("the state file cannot be read or written")]
    Database(#[from] rusqlite::Error),
    /// What is in it makes no sense.
    #[error("the state file holds something unreadable: {what}")]
    Corrupt {
        /// What.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The thread that writes can't be started.
    #[error("cannot start the thread that writes state")]
    Thread(#[source] io::Error),
}

/// An opened state directory.
pub(super) struct Opened {
    pub(super) database: Connection,
    pub(super) lock: File,
    pub(super) origin: Origin,
}

/// Opens the directory, or makes it.
pub(super) fn open(directory: &Path, origin: Origin) -> Result<Opened, OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    let lock_path = directory.join(LOCK);
    let lock = File::create(&lock_path).map_err(failed(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(OpenError::Io { path: lock_path, source }),
    }
    let path = directory.join(DATABASE);
    let exists = check_format(&path)?;
    if !exists {
        // Credentials are in it: it is the owner's alone from the first byte.
        create_private(&path).map_err(failed(&path))?;
    }
    let database = Connection::open(&path)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "foreign_keys", true)?;
    let known = |database: &Connection| -> Result<Option<String>, rusqlite::Error> {
        use rusqlite::OptionalExtension as _;
        let table = "SELECT 1 FROM sqlite_schema WHERE name = 'origin'";
        if database.query_row(table, [], |_| Ok(())).optional()?.is_none() {
            return Ok(None);
        }
        database.query_row("SELECT settings FROM origin", [], |row| row.get(0)).optional()
    };
    let origin = match known(&database)? {
        Some(settings) => {
            bring_up_to_date(&database)?;
            serde_json::from_str(&settings)
                .map_err(|source| OpenError::Corrupt { what: "origin".to_owned(), source })?
        }
        None => {
            create_schema(&database, &origin)?;
            origin
        }
    };
    Ok(Opened { database, lock, origin })
}

fn create_schema(database: &Connection, origin: &Origin) -> Result<(), OpenError> {
    let settings = serde_json::to_string(origin)
        .map_err(|source| OpenError::Corrupt { what: "origin".to_owned(), source })?;
    let transaction = database.unchecked_transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute("INSERT INTO origin (only, settings) VALUES (1, ?1)", params![settings])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    put_log_into_file(database)?;
    Ok(())
}

/// Brings a state file of an older format up to this one.
fn bring_up_to_date(database: &Connection) -> Result<(), OpenError> {
    let transaction = database.unchecked_transaction()?;
    let format: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format >= FORMAT {
        return Ok(());
    }
    if format < 2 {
        transaction.execute_batch(CREDENTIALS_BY_VENDOR)?;
    }
    // Format 3 says more of Mend's users, requests and policies than format 2, and format 4 has Jira beside the
    // others; neither says anything in other words.
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    put_log_into_file(database)?;
    Ok(())
}

/// Writes the log into the file, so that the format is in the file itself, where [`check_format`] looks for it.
fn put_log_into_file(database: &Connection) -> Result<(), rusqlite::Error> {
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Reads a file's format from its header, without opening it as a database and so without touching it. Says
/// whether there is anything in it.
fn check_format(path: &Path) -> Result<bool, OpenError> {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read(&mut header));
    let length = match read {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(OpenError::Io { path: path.to_owned(), source }),
    };
    if length == 0 {
        return Ok(true);
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (schema_changes, format, application) = (number(40), number(60), number(68));
    if length < header.len() || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    // A crash between creating the file and its first commit leaves a database with nothing in it.
    if format == 0 && application == 0 && schema_changes == 0 {
        return Ok(true);
    }
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    if format > FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found: format });
    }
    Ok(true)
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}
