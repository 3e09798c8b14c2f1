use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::super::{LocalError, LocalTracker, TEXT_CHARS_MAX, Tickets, Uniqueness};
use super::{LAG, clock, created, ticket};
use crate::ports::{Created, Tracker as _, TrackerError};

fn open(path: &Path, uniqueness: Uniqueness) -> Result<LocalTracker, LocalError> {
    LocalTracker::open(path, clock(), uniqueness)
}

#[test]
fn tickets_outlive_the_process_and_two_can_look_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/er/tickets.sqlite");
    assert!(Tickets::open(&path).unwrap().is_none());
    assert!(!path.parent().unwrap().exists(), "looking makes nothing");
    let tracker = open(&path, Uniqueness::Key).unwrap();
    assert_eq!(Tickets::open(&path).unwrap().unwrap().list().unwrap(), []);
    created(tracker.create(&ticket("sync-a")));
    let beside = Tickets::open(&path).unwrap().unwrap();
    assert_eq!(beside.list().unwrap().len(), 1);
    assert_eq!(beside.damage().unwrap(), None);
    drop(tracker);
    let tracker = open(&path, Uniqueness::Key).unwrap();
    assert!(tracker.identify().unwrap().contains("1 tickets"));
    assert_eq!(created(tracker.create(&ticket("sync-b"))).key.as_str(), "LOCAL-2");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tickets.sqlite");
    open(&path, Uniqueness::Key).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_changes_its_kind_unless_keys_are_shared() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tickets.sqlite");
    let tracker = open(&path, LAG).unwrap();
    let first = created(tracker.create(&ticket("sync-a")));
    created(tracker.create(&ticket("sync-a")));
    drop(tracker);
    let refused = open(&path, Uniqueness::Key).unwrap_err();
    assert!(matches!(&refused, LocalError::SharedKey { count: 2, .. }), "{refused}");
    assert!(refused.to_string().contains("unique_key = false"), "{refused}");
    open(&path, LAG).unwrap().as_person("ada").delete(&first.key).unwrap();
    let tracker = open(&path, Uniqueness::Key).unwrap();
    assert!(matches!(tracker.create(&ticket("sync-a")), Ok(Created::Existing(_))));
    drop(tracker);
    created(open(&path, LAG).unwrap().create(&ticket("sync-a")));
}

#[test]
fn a_newer_or_foreign_file_is_left_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tickets.sqlite");
    open(&path, Uniqueness::Key).unwrap();
    let database = Connection::open(&path).unwrap();
    database.pragma_update(None, "user_version", 9).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    let untouched = |wanted: &str| {
        let before = std::fs::read(&path).unwrap();
        let refused = open(&path, Uniqueness::Key).unwrap_err();
        assert!(refused.to_string().contains(wanted), "{refused}");
        assert!(Tickets::open(&path).is_err_and(|error| error.to_string().contains(wanted)));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(matches!(TrackerError::from(refused), TrackerError::Unavailable(_)));
    };
    untouched("has format 9");
    std::fs::write(&path, "a letter to grandma\n".repeat(20)).unwrap();
    untouched("no ticket file");
    std::fs::write(&path, "short").unwrap();
    untouched("no ticket file");
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    untouched("no ticket file");
}

#[test]
fn a_newer_format_that_is_still_in_the_log_is_refused_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tickets.sqlite");
    open(&path, Uniqueness::Key).unwrap();
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 9).unwrap();
    let refused = open(&path, Uniqueness::Key).unwrap_err();
    assert!(matches!(refused, LocalError::Newer { found: 9, .. }), "{refused}");
}

#[test]
fn a_damaged_file_is_named_and_said_to_be_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tickets.sqlite");
    let tracker = open(&path, Uniqueness::Key).unwrap();
    for index in 0..200 {
        created(tracker.create(&ticket(&format!("sync-{index}"))));
    }
    drop(tracker);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let refused = open(&path, Uniqueness::Key).unwrap_err();
    assert!(matches!(refused, LocalError::Corrupt { .. }), "{refused:?}");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

#[test]
fn a_full_disk_and_a_second_writer_leave_everything_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tickets.sqlite");
    let tracker = open(&path, Uniqueness::Key).unwrap();
    created(tracker.create(&ticket("sync-a")));
    let pages: u32 = tracker.database().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    tracker.database().pragma_update(None, "max_page_count", pages).unwrap();
    let mut large = ticket("sync-b");
    large.description = "x".repeat(TEXT_CHARS_MAX);
    let full = tracker.create(&large);
    assert!(matches!(&full, Err(TrackerError::Unavailable(text)) if text.contains("no room")), "{full:?}");
    tracker.database().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(tracker.list().unwrap().len(), 1);

    tracker.database().busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = tracker.create(&large);
    assert!(
        matches!(&locked, Err(TrackerError::Unavailable(text)) if text.contains("another process")),
        "{locked:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    created(tracker.create(&large));
}
