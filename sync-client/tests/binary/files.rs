//! Files that are not what they should be: refused with a text that says which and what to do, and left as they are.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use rusqlite::Connection;

use crate::step::problems;
use crate::world::{Ended, World, ended, permit};

/// A world whose run was refused, with nothing sent and the file as it was.
fn refused(world: &World, name: &str, code: i32, parts: &[&str]) {
    let before = fs::read(world.file(name)).unwrap();
    world.forget_requests();
    for command in ["run", "plan", "run --every 1s"] {
        let ended = world.run(command);
        assert_eq!((ended.code(), ended.out.as_str()), (Some(code), ""), "{command}: {ended:?}");
        let file = world.file(name).display().to_string();
        for part in [file.as_str()].iter().chain(parts) {
            assert!(ended.err.contains(part), "{command}: {part:?} in {}", ended.err);
        }
    }
    let examined = world.run("doctor");
    assert_eq!(examined.code(), Some(code), "{examined:?}");
    assert!(examined.out.contains(parts[0]), "{examined:?}");
    assert_eq!(fs::read(world.file(name)).unwrap(), before, "a file that is refused is left as it is");
    assert_eq!(world.links(), []);
}

fn exported() -> World {
    let world = World::new("one-open");
    world.run("run").done();
    world
}

fn change(file: &Path, sql: &str) {
    let database = Connection::open(file).unwrap();
    database.execute_batch(sql).unwrap();
    // What stands in the log is not yet in the file.
    let _ = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

#[test]
fn a_newer_ledger_is_for_newer_versions() {
    let world = exported();
    change(&world.file("ledger.sqlite"), "PRAGMA user_version = 99");
    refused(&world, "ledger.sqlite", 2, &["has format 99", "use the version that wrote it"]);
    for command in ["status", "explain LOCAL-1"] {
        assert_eq!(world.run(command).code(), Some(2), "{command}");
    }
    change(&world.file("ledger.sqlite"), "PRAGMA user_version = 3");
    assert_eq!(world.run("run").done(), "nothing to do\n");
}

/// Format 1 knew nothing of what people decide, and format 2 not who closed a ticket.
#[test]
fn a_ledger_of_an_earlier_version_goes_on() {
    let to_format_2 = "ALTER TABLE ticket DROP COLUMN closed_by_people; PRAGMA user_version = 2;";
    let to_format_1 = "DROP INDEX ticket_unheard; ALTER TABLE ticket DROP COLUMN left_done;
         ALTER TABLE ticket DROP COLUMN is_telling; ALTER TABLE ticket DROP COLUMN is_unheard;
         ALTER TABLE ticket DROP COLUMN unseen_run; ALTER TABLE item DROP COLUMN reported;
         DROP TABLE tracker_mark; PRAGMA user_version = 1";
    for back in [to_format_2.to_owned(), format!("{to_format_2} {to_format_1}")] {
        let world = exported();
        change(&world.file("ledger.sqlite"), &back);
        for command in ["status", "explain LOCAL-1"] {
            assert_eq!(world.run(command).code(), Some(0), "{command}");
        }
        assert_eq!(world.run("run").done(), "nothing to do\n");
        assert_eq!(world.run("explain LOCAL-1").code(), Some(0));
    }
}

#[test]
fn newer_tickets_are_for_newer_versions() {
    let world = exported();
    change(&world.file("tickets.sqlite"), "PRAGMA user_version = 99");
    refused(&world, "tickets.sqlite", 2, &["has format 99", "use the version that wrote it"]);
}

#[test]
fn what_belongs_to_somebody_else_is_left_alone() {
    let world = World::new("one-open");
    fs::create_dir_all(&world.state).unwrap();
    for name in ["ledger.sqlite", "tickets.sqlite"] {
        let file = world.file(name);
        fs::write(&file, "notes that are longer than the header of a database".repeat(20)).unwrap();
        refused(&world, name, 2, &[" is no"]);
        fs::remove_file(&file).unwrap();
        change(&file, "CREATE TABLE recipes (title TEXT); INSERT INTO recipes VALUES ('soup')");
        refused(&world, name, 2, &[" is no"]);
        let database = Connection::open(&file).unwrap();
        let soup: String = database.query_row("SELECT title FROM recipes", [], |row| row.get(0)).unwrap();
        assert_eq!(soup, "soup");
        drop(database);
        fs::remove_file(&file).unwrap();
    }
    assert_eq!(world.settle("run"), Vec::<String>::new());
}

/// Without its ledger the client finds its tickets again by the keys they carry.
#[test]
fn a_damaged_ledger_is_said_to_be_and_moving_it_away_helps() {
    let world = exported();
    let file = world.file("ledger.sqlite");
    let whole = fs::read(&file).unwrap();
    let page = 4_096;
    let damages: [(&str, Vec<u8>); 4] = [
        ("from the second page on", {
            let mut bytes = whole.clone();
            bytes[page..].fill(0xa5);
            bytes
        }),
        ("half of it is gone", whole[..whole.len() / 2].to_vec()),
        ("it ends in the first page", whole[..1_000].to_vec()),
        ("the schema", {
            let mut bytes = whole.clone();
            bytes[120..page].fill(0xff);
            bytes
        }),
    ];
    for (what, damaged) in damages {
        fs::write(&file, &damaged).unwrap();
        world.forget_requests();
        for command in ["run", "plan", "status", "explain LOCAL-1", "doctor"] {
            let ended = world.run(command);
            let said = format!("{}{}", ended.out, ended.err);
            // A run that comes across the damage on its way ends with 4.
            assert!(matches!(ended.code(), Some(2 | 4)), "{what}, {command}: {ended:?}");
            assert!(said.contains(&file.display().to_string()), "{what}, {command}: {said}");
            assert!(
                said.contains("Restore a backup") || said.contains("move it away"),
                "{what}, {command}: {said}"
            );
        }
        assert_eq!(world.links(), [], "{what}");
        assert_eq!(world.tickets().len(), 2, "{what}");
    }
    for left in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::rename(world.file(left), world.directory.path().join(left));
    }
    assert_eq!(world.settle("run"), Vec::<String>::new());
    assert_eq!(world.tickets().len(), 2, "taken over, not made again");
}

/// Single bits that flip go unnoticed by SQLite where they are only data; no second ticket may come of them.
#[test]
fn a_flipped_byte_makes_no_second_ticket() {
    let world = exported();
    let file = world.file("ledger.sqlite");
    let whole = fs::read(&file).unwrap();
    let mut noticed = 0;
    for step in 0..12 {
        let mut bytes = whole.clone();
        // Where the pages end, rows are.
        let at = (step % (whole.len() / 4_096)) * 4_096 + 4_096 - 40 - step * 7;
        bytes[at] ^= 0x20;
        fs::write(&file, bytes).unwrap();
        let ended = world.run("run");
        noticed += usize::from(ended.code() != Some(0));
        assert_eq!(world.tickets().len(), 2, "byte {at}: {ended:?}");
        assert!(matches!(ended.code(), Some(0 | 2 | 4 | 7)), "byte {at}: {ended:?}");
        let _ = fs::remove_file(world.file("ledger.sqlite-wal"));
        let _ = fs::remove_file(world.file("ledger.sqlite-shm"));
    }
    eprintln!("{noticed} of 12 flipped bytes ended a run");
    fs::write(&file, whole).unwrap();
    assert_eq!(world.settle("run"), Vec::<String>::new());
}

/// As somebody to whom the permissions of files mean something.
fn as_anybody(world: &World, arguments: &str) -> Option<Ended> {
    let binary = world.directory.path().join("sync-client");
    fs::copy(env!("CARGO_BIN_EXE_sync-client"), &binary).unwrap();
    permit(world.directory.path(), 0o755);
    permit(&binary, 0o755);
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = std::process::Command::new(binary);
    command.args(arguments.split_whitespace());
    world.equip(&mut command);
    if is_root {
        command.uid(65_534).gid(65_534);
    }
    if let Err(error) = command.status() {
        eprintln!("not run: another user can't start the client: {error}");
        return None;
    }
    Some(ended(&mut command))
}

#[test]
fn a_directory_that_may_not_be_written_is_said_to_be() {
    let world = World::new("one-open");
    fs::create_dir_all(&world.state).unwrap();
    permit(&world.state, 0o555);
    let Some(refused) = as_anybody(&world, "run") else { return };
    assert_eq!((refused.code(), refused.out.as_str()), (Some(2), ""), "{refused:?}");
    let file = world.file("ledger.sqlite").display().to_string();
    assert!(refused.err.contains(&file) && refused.err.contains("check the permissions"), "{refused:?}");
    assert_eq!(world.links(), []);
    permit(&world.state, 0o755);

    world.run("run").done();
    for name in ["ledger.sqlite", "tickets.sqlite", "ledger.sqlite.lock"] {
        permit(&world.file(name), 0o444);
    }
    permit(&world.state, 0o555);
    world.forget_requests();
    for command in ["run", "status"] {
        let refused = as_anybody(&world, command).unwrap();
        assert_eq!((refused.code(), refused.out.as_str()), (Some(2), ""), "{command}: {refused:?}");
        assert!(refused.err.contains(&file) && refused.err.contains("check the permissions"), "{refused:?}");
    }
    assert_eq!(world.requests().len(), 0);
    permit(&world.state, 0o755);
    assert_eq!(problems(&world), Vec::<String>::new());
    assert_eq!(world.run("run").done(), "nothing to do\n");
}
