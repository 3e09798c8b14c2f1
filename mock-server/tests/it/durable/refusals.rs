//! State directories that are not this server's to use.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mock_server::durable::OpenError;
use mock_server::{MockServer, StartError};
use tempfile::TempDir;

use super::{docs_samples, reopened};
use crate::support::Api;

/// Every file of a directory with its bytes.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// A directory that a server has used and let go of.
async fn used() -> TempDir {
    let directory = TempDir::new().unwrap();
    drop(Api::with(docs_samples(directory.path())));
    let (api, directory) = reopened(directory).await;
    drop(api);
    // Whoever gets the lock knows that the files are closed.
    let lock = fs::File::open(directory.path().join("lock")).unwrap();
    tokio::task::spawn_blocking(move || lock.lock().unwrap()).await.unwrap();
    directory
}

#[tokio::test]
async fn a_different_world_seed_or_epoch_is_refused_by_its_flag() {
    let directory = used().await;
    let base = MockServer::builder().state(directory.path());
    for (builder, flag) in [
        (base.clone().world("demo"), "--world"),
        (
            base.clone()
                .world_spec(fixtures::world::WorldSpec::empty(mock_server::kernel::clock::manual_epoch())),
            "--world",
        ),
        (base.clone().seed(2), "--seed"),
        (base.clone().epoch("2025-01-01T00:00:00Z".parse().unwrap()), "--epoch"),
    ] {
        let before = contents(directory.path());
        let Err(error) = builder.in_process() else { panic!("{flag} is taken") };
        assert!(matches!(error, StartError::OtherState { .. }), "{error}");
        assert!(error.to_string().contains(flag), "{error}");
        let lock = fs::File::open(directory.path().join("lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(contents(directory.path())["state.sqlite"], before["state.sqlite"], "{flag}");
    }
    let same = base.world("docs-samples").seed(1).epoch(mock_server::kernel::clock::manual_epoch());
    drop(same.in_process().unwrap());
}

#[tokio::test]
async fn a_directory_in_use_is_refused() {
    let directory = TempDir::new().unwrap();
    let first = docs_samples(directory.path()).in_process().unwrap();
    let Err(error) = docs_samples(directory.path()).in_process() else {
        panic!("two servers on one directory")
    };
    assert!(matches!(error, StartError::State(OpenError::Locked { .. })), "{error}");
    assert!(error.to_string().contains("--state"), "{error}");
    drop(first);
}

#[tokio::test]
async fn a_newer_format_is_refused_untouched() {
    let directory = used().await;
    let path = directory.path().join("state.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let version = u32::from_be_bytes(bytes[60..64].try_into().unwrap());
    bytes[60..64].copy_from_slice(&(version + 1).to_be_bytes());
    fs::write(&path, bytes).unwrap();
    let before = contents(directory.path());
    let Err(error) = MockServer::builder().state(directory.path()).in_process() else {
        panic!("it is opened")
    };
    assert!(matches!(error, StartError::State(OpenError::Newer { .. })), "{error}");
    assert_eq!(contents(directory.path()), before);
}

#[tokio::test]
async fn foreign_files_are_refused_untouched() {
    let database = |setup: &str| {
        let directory = TempDir::new().unwrap();
        let connection = rusqlite::Connection::open(directory.path().join("theirs")).unwrap();
        connection.execute_batch(setup).unwrap();
        connection.close().unwrap();
        fs::read(directory.path().join("theirs")).unwrap()
    };
    let theirs = [
        ("a text", b"not a database\n".to_vec()),
        ("a long text", b"not a database\n".repeat(100)),
        ("another program's database", database("PRAGMA application_id = 7; CREATE TABLE things (a)")),
        (
            "a database of nobody in particular",
            database("CREATE TABLE things (a); INSERT INTO things VALUES (1)"),
        ),
        (
            "a database with a table of the same name",
            database("CREATE TABLE origin (settings); CREATE TABLE b (a)"),
        ),
    ];
    for (what, bytes) in theirs {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("state.sqlite");
        fs::write(&path, &bytes).unwrap();
        let result = docs_samples(directory.path()).in_process();
        let refused = matches!(result, Err(StartError::State(OpenError::Foreign { .. })));
        drop(result);
        assert!(refused, "{what} is taken for state");
        assert!(fs::read(&path).unwrap() == bytes, "{what} was changed");
    }
}

#[tokio::test]
async fn a_state_path_that_is_a_file_is_refused_with_its_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let Err(error) = docs_samples(file.path()).in_process() else { panic!("a file is no directory") };
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_state_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new().unwrap();
    let server = docs_samples(directory.path()).in_process().unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lock" {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?} holds credentials", entry.file_name());
        }
    }
    drop(server);
}

#[tokio::test]
async fn other_readings_than_the_kept_ones_are_refused_with_both() {
    let directory = TempDir::new().unwrap();
    let with = |value: &str| docs_samples(directory.path()).reading("dt.total-count-type", value).unwrap();
    with("number").start().await.unwrap().stop().await;
    let Err(error) = with("string").in_process() else { panic!("the reading asked for would be ignored") };
    let text = error.to_string();
    assert!(text.contains("dt.total-count-type=number, not dt.total-count-type=string"), "{text}");
    assert!(text.contains("--reading"), "{text}");
}

#[tokio::test]
async fn the_kept_readings_and_none_at_all_are_taken() {
    let directory = TempDir::new().unwrap();
    let with = || docs_samples(directory.path()).reading("dt.total-count-type", "number").unwrap();
    with().start().await.unwrap().stop().await;
    with().start().await.unwrap().stop().await;
    let api = docs_samples(directory.path()).in_process().unwrap();
    assert_eq!(api.control().readings()["dt.total-count-type"], "number");
}
