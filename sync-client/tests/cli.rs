//! The binary as people and scripts use it.

#![expect(clippy::unwrap_used, reason = "in a test's helper, a panic is a failed test")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sync_client::adapters::local::{LocalTracker, Uniqueness};
use sync_client::core::model::{GroupId, OpKey};
use sync_client::ports::{Change, Clock, NewTicket, Tracker as _};

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        "2026-01-15T12:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _: Duration) {}
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the binary with these variables and no others.
fn client(directory: &Path, arguments: &str, variables: &[(&str, &str)]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_sync-client"))
        .args(arguments.split_whitespace().map(|word| word.replace('_', " ")))
        .env_clear()
        .env("SYNC_STATE_DIR", directory)
        .envs(variables.iter().copied())
        .current_dir(directory)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Two tickets: an open one with a comment, and one that is done and steers terminals.
fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tickets.sqlite");
    let tracker = LocalTracker::open(&file, Arc::new(StoppedClock), Uniqueness::Key).unwrap();
    for id in [7, 8] {
        let group = format!("data-theorem/target/{id}");
        let ticket = NewTicket {
            op: OpKey::of(&GroupId::new(&*group)),
            title: format!("Finding {id}"),
            description: "What to do.".to_owned(),
            labels: vec![group],
        };
        tracker.create(&ticket).unwrap();
    }
    let done = Change { comment: Some("fixed\u{1b}[2J".to_owned()), is_done: Some(true) };
    let second = sync_client::core::model::TicketKey::new("LOCAL-2");
    tracker.update(&second, &done).unwrap();
    directory
}

#[test]
fn tickets_are_listed_for_people_and_for_scripts() {
    let directory = filled();
    let listed = client(directory.path(), "tickets", &[]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    assert_eq!(
        listed.out,
        "LOCAL-1  Open  data-theorem/target/7  Finding 7\nLOCAL-2  Done  data-theorem/target/8  Finding 8\n"
    );
    assert_eq!(client(directory.path(), "tickets --open", &[]).out.lines().count(), 1);
    let listed: Value = serde_json::from_str(&client(directory.path(), "tickets --json", &[]).out).unwrap();
    assert_eq!(listed[1]["key"], "LOCAL-2");
    assert_eq!(listed[1]["is_done"], true);
    assert_eq!(listed[0]["item"], "data-theorem/target/7");
}

#[test]
fn one_ticket_is_shown_whole_and_steers_no_terminal() {
    let directory = filled();
    for id in ["LOCAL-2", "2"] {
        let shown = client(directory.path(), &format!("tickets {id}"), &[]);
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        for part in [
            "Finding 8",
            "What to do.",
            "sync-client, 2026-01-15T12:00:00Z",
            "fixed\u{fffd}[2J",
            "status   Done",
        ] {
            assert!(shown.out.contains(part), "{part:?} in {}", shown.out);
        }
    }
    let shown: Value =
        serde_json::from_str(&client(directory.path(), "tickets LOCAL-2 --json", &[]).out).unwrap();
    assert_eq!(shown["comments"][0]["author"], "sync-client");
    assert_eq!((&shown["key"], &shown["description"]), (&"LOCAL-2".into(), &"What to do.".into()));
}

#[test]
fn people_work_on_tickets() {
    let directory = filled();
    let closed =
        client(directory.path(), "tickets 1 --comment a_false_alarm --close --json", &[("USER", "ada")]);
    assert_eq!(closed.code, Some(0), "{}", closed.err);
    let closed: Value = serde_json::from_str(&closed.out).unwrap();
    assert_eq!(closed["is_done"], true);
    assert_eq!(closed["comments"][0]["author"], "ada");
    assert_eq!(closed["comments"][0]["text"], "a false alarm");
    let reopened = client(directory.path(), "tickets 1 --reopen", &[]);
    assert!(reopened.out.contains("status   Open"), "{}", reopened.out);
    let posing = client(directory.path(), "tickets 1 --comment x --as sync-client", &[]);
    assert_eq!(posing.code, Some(4));
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let none = client(directory.path(), "tickets", &[]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.err.contains("no tickets yet in"), "{}", none.err);
    assert_eq!(client(directory.path(), "tickets --json", &[]).out, "[]\n");
    let one = client(directory.path(), "tickets LOCAL-1", &[]);
    assert_eq!(one.code, Some(4), "{}", one.err);
    let closed = client(directory.path(), "tickets LOCAL-1 --close", &[]);
    assert_eq!(closed.code, Some(4), "{}", closed.err);
    let rejected = client(filled().path(), "tickets 1 --close=Rejected --json", &[]);
    assert!(rejected.out.contains(r#""status": "Rejected""#), "{}", rejected.out);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "looking makes no file");

    let unknown = client(filled().path(), "tickets LOCAL-9", &[]);
    assert_eq!(unknown.code, Some(4));
    assert!(unknown.err.contains("there is no ticket LOCAL-9"), "{}", unknown.err);
}

#[test]
fn a_file_that_is_something_else_is_refused_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tickets.sqlite");
    std::fs::write(&file, "notes").unwrap();
    for command in ["tickets", "tickets 1 --close"] {
        let refused = client(directory.path(), command, &[]);
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(refused.err.contains("no ticket file") && refused.err.contains("tickets.sqlite"));
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"notes");
}

#[test]
fn settings_that_are_wrong_end_with_2_before_anything_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("sync.toml"), "[policy]\non_closed = 1\n").unwrap();
    for (arguments, wanted) in [
        ("run", "no vendor is set up"),
        ("plan", "no vendor is set up"),
        ("doctor", "no vendor is set up"),
        ("run --source mend", "MEND_URL is not set"),
        ("run --tracker jira", "JIRA_BASE_URL is not set"),
        ("plan --tracker redmine", "REDMINE_URL is not set"),
        ("run --config sync.toml", "sync.toml:2:1: unknown field `on_closed`"),
        ("tickets --config sync.toml", "did you mean `on_close`?"),
        ("run --config nowhere.toml", "cannot read the settings file nowhere.toml"),
        ("run --every 5", "write e.g. 90s"),
        ("walk", "unrecognized subcommand"),
    ] {
        let ended = client(directory.path(), arguments, &[]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments}: {}", ended.err);
        assert!(ended.err.contains(wanted), "{arguments}: {}", ended.err);
    }
}

#[test]
fn no_secret_shows_even_in_the_most_talkative_log() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [
        ("DATA_THEOREM_BASE_URL", "http://127.0.0.1:9/v2"),
        ("DATA_THEOREM_API_KEY", "c2VjcmV0LWtleQ=="),
        ("MEND_URL", "http://127.0.0.1:9"),
        ("MEND_USER_KEY", "secret-user-key"),
        ("MEND_ORG_TOKEN", "org-token"),
        ("RUST_LOG", "trace"),
    ];
    for arguments in ["run -vv", "plan -vv", "status -vv", "explain 1 -vv", "doctor -vv"] {
        let ended = client(directory.path(), arguments, &variables);
        let said = ended.out + &ended.err;
        assert!(!said.contains("c2VjcmV0") && !said.contains("secret-user"), "{arguments}: {said}");
        assert!(!said.contains('\u{1b}'), "no colours where nobody watches: {said}");
    }
}

#[test]
fn help_teaches() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, parts) in [
        ("--help", ["Examples:", "Exit codes:", "sync-client explain LOCAL-12"]),
        ("run --help", ["Examples:", "--allow-mass-change", "--every <DURATION>"]),
        ("tickets --help", ["Examples:", "--json", "--close"]),
    ] {
        let help = client(directory.path(), arguments, &[]);
        assert_eq!(help.code, Some(0));
        for part in parts {
            assert!(help.out.contains(part), "{part} in {}", help.out);
        }
    }
}
