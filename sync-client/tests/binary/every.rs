//! `run --every`: it goes on until it is told to stop, and leaves a good ledger whenever that is.

use std::time::Duration;

use serde_json::json;

use crate::step::problems;
use crate::world::{World, end_within, signal};

/// What SQLite says of a file: `ok`.
pub(crate) fn integrity(world: &World, name: &str) -> String {
    let database = rusqlite::Connection::open(world.file(name)).unwrap();
    database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[test]
fn it_runs_again_and_again_and_ends_when_told_to() {
    let world = World::new("one-open");
    let mut child = world.start("run --every 1s");
    let goes_on = end_within(&mut child, Duration::from_millis(2_500));
    assert_eq!(goes_on, None, "{}", world.said());
    world.happen(
        json!({"type": "data_theorem.scan", "mobile_app_id": "643010001", "missed": "everything_else"}),
    );
    let goes_on = end_within(&mut child, Duration::from_millis(2_500));
    assert_eq!(goes_on, None, "{}", world.said());
    signal(&child, "TERM");
    let ended = end_within(&mut child, Duration::from_secs(2));
    assert!(ended.is_some(), "{}", world.said());
    assert_eq!(problems(&world), Vec::<String>::new());
    assert!(world.said().contains("2 created, 2 linked") && world.said().contains("1 commented, 1 closed"));
    assert_eq!(
        (integrity(&world, "ledger.sqlite"), integrity(&world, "tickets.sqlite")),
        ("ok".into(), "ok".into())
    );
    let status = world.run("status --json").json();
    assert!(status["runs"].as_array().unwrap().len() >= 3, "{status}");
    assert_eq!(world.run("run").done(), "nothing to do\n");
}

/// What does not get better by itself ends it; what may, does not.
#[test]
fn a_refused_credential_ends_it_and_a_vendor_in_trouble_does_not() {
    use mock_server::kernel::faults::{Effect, Fault};

    let mut world = World::new("one-open");
    let reply = Effect::Reply { status: 404, headers: Vec::new(), body: String::new() };
    world.control().plan_fault(Fault::before("GET mobile_apps", reply)).unwrap();
    let mut child = world.start("run --every 1s");
    assert_eq!(end_within(&mut child, Duration::from_secs(3)), None, "{}", world.said());
    signal(&child, "KILL");
    child.wait().unwrap();
    assert_eq!(world.settle("run"), Vec::<String>::new());
    world.set("MEND_USER_KEY", "d3Jvbmc");
    let mut child = world.start("run --every 1s");
    let ended = end_within(&mut child, Duration::from_secs(10)).unwrap();
    assert_eq!(ended.code(), Some(3), "{}", world.said());
}
