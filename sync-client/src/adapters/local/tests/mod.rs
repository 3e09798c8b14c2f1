mod files;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Details, LocalError, LocalTracker, TEXT_CHARS_MAX, TITLE_CHARS_MAX, Uniqueness};
use crate::core::model::{OpKey, TicketKey};
use crate::ports::{Change, Clock, Created, NewTicket, Ticket, Tracker as _, TrackerError};

struct ManualClock(Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock(Mutex::new("2026-01-15T12:00:00Z".parse().unwrap())))
}

const LAG: Uniqueness = Uniqueness::None { search_lag: Duration::from_secs(30) };

fn tracker(uniqueness: Uniqueness) -> (LocalTracker, Arc<ManualClock>) {
    let clock = clock();
    (LocalTracker::in_memory(clock.clone(), uniqueness).unwrap(), clock)
}

fn ticket(op: &str) -> NewTicket {
    NewTicket {
        op: OpKey::new(op),
        title: format!("Ticket of {op}"),
        description: "Line one.\n\nLine two: ünïcode.".to_owned(),
        labels: vec!["data-theorem/target/7".to_owned(), "appsec".to_owned()],
    }
}

fn created(made: Result<Created, TrackerError>) -> Ticket {
    match made {
        Ok(Created::New(ticket)) => ticket,
        other => panic!("no new ticket: {other:?}"),
    }
}

fn key(text: &str) -> TicketKey {
    TicketKey::new(text)
}

fn details(tracker: &LocalTracker, text: &str) -> Details {
    tracker.details(&key(text)).unwrap().unwrap()
}

fn said(text: &str) -> Change {
    Change { comment: Some(text.to_owned()), is_done: None }
}

#[test]
fn a_new_ticket_is_open_and_found_by_both_keys() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    assert_eq!((made.key.as_str(), made.status.as_str(), made.is_done), ("LOCAL-1", "Open", false));
    assert_eq!((made.our_comments, made.our_last_comment.as_deref()), (0, None));
    assert_eq!(tracker.get(&made.key).unwrap().as_ref(), Some(&made));
    assert_eq!(tracker.find(&OpKey::new("sync-a")).unwrap(), [made]);
    assert_eq!(tracker.find(&OpKey::new("sync-b")).unwrap(), []);
    assert_eq!(tracker.get(&key("LOCAL-2")).unwrap(), None);
    let all = details(&tracker, "LOCAL-1");
    assert_eq!(all.labels, ["appsec", "data-theorem/target/7"]);
    assert_eq!(all.summary.item.as_deref(), Some("data-theorem/target/7"));
    assert_eq!(all.description, ticket("sync-a").description);
    assert_eq!(all.created, "2026-01-15T12:00:00Z".parse().unwrap());
}

#[test]
fn with_a_unique_key_a_second_ticket_is_the_first_even_if_closed() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let first = created(tracker.create(&ticket("sync-a")));
    tracker.as_person("ada").close(&first.key).unwrap();
    let Ok(Created::Existing(again)) = tracker.create(&ticket("sync-a")) else { panic!("a second one") };
    assert_eq!((again.key, again.is_done), (first.key, true));
    assert_eq!(tracker.list().unwrap().len(), 1);
}

#[test]
fn without_a_unique_key_there_can_be_two_and_the_search_lags() {
    let (tracker, clock) = tracker(LAG);
    assert!(!tracker.traits().has_unique_key);
    assert_eq!(tracker.traits().search_lag, Duration::from_secs(30));
    let first = created(tracker.create(&ticket("sync-a")));
    clock.sleep(Duration::from_secs(29));
    assert_eq!(tracker.find(&OpKey::new("sync-a")).unwrap(), [], "one second before the lag is over");
    assert_eq!(tracker.get(&first.key).unwrap().as_ref(), Some(&first), "only the search lags");
    let second = created(tracker.create(&ticket("sync-a")));
    clock.sleep(Duration::from_secs(1));
    assert_eq!(tracker.find(&OpKey::new("sync-a")).unwrap(), std::slice::from_ref(&first));
    clock.sleep(Duration::from_secs(30));
    assert_eq!(tracker.find(&OpKey::new("sync-a")).unwrap(), [first, second], "oldest first");
}

/// Ten tickets: by text, LOCAL-10 comes before LOCAL-9.
#[test]
fn oldest_first_is_by_number_and_not_by_text() {
    let (tracker, clock) = tracker(LAG);
    for _ in 0..10 {
        created(tracker.create(&ticket("sync-a")));
    }
    clock.sleep(Duration::from_secs(30));
    let found = tracker.find(&OpKey::new("sync-a")).unwrap();
    assert_eq!(found.last().map(|ticket| ticket.key.as_str()), Some("LOCAL-10"));
}

#[test]
fn a_comment_comes_before_the_transition_and_both_are_optional() {
    let (tracker, clock) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    clock.sleep(Duration::from_mins(1));
    let closed =
        tracker.update(&made.key, &Change { comment: Some("fixed".to_owned()), is_done: Some(true) });
    let closed = closed.unwrap();
    assert_eq!((closed.is_done, closed.status.as_str(), closed.our_comments), (true, "Done", 1));
    assert_eq!(closed.our_last_comment.as_deref(), Some("fixed"));
    assert_eq!(details(&tracker, "LOCAL-1").updated, "2026-01-15T12:01:00Z".parse().unwrap());
    clock.sleep(Duration::from_mins(1));
    assert_eq!(tracker.update(&made.key, &Change::default()).unwrap(), closed);
    let done_again = Change { comment: None, is_done: Some(true) };
    assert_eq!(tracker.update(&made.key, &done_again).unwrap(), closed);
    let untouched = details(&tracker, "LOCAL-1").updated;
    assert_eq!(untouched, "2026-01-15T12:01:00Z".parse().unwrap(), "nothing changed, so nothing is newer");
    let reopened = tracker.update(&made.key, &Change { comment: None, is_done: Some(false) }).unwrap();
    assert_eq!((reopened.is_done, reopened.status.as_str()), (false, "Open"));
}

#[test]
fn a_persons_own_words_for_done_stay() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    tracker.as_person("ada").set_status(&made.key, "Won't fix", true).unwrap();
    let after = tracker.update(&made.key, &Change { comment: None, is_done: Some(true) }).unwrap();
    assert_eq!((after.status.as_str(), after.is_done), ("Won't fix", true));
}

#[test]
fn only_our_own_comments_count_as_ours() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    tracker.update(&made.key, &said("first")).unwrap();
    tracker.update(&made.key, &said("second")).unwrap();
    tracker.as_person("ada").comment(&made.key, "I look at it").unwrap();
    let now = tracker.get(&made.key).unwrap().unwrap();
    assert_eq!((now.our_comments, now.our_last_comment.as_deref()), (2, Some("second")));
    let authors: Vec<_> =
        details(&tracker, "LOCAL-1").comments.into_iter().map(|comment| comment.author).collect();
    assert_eq!(authors, ["sync-client", "sync-client", "ada"]);
    let posing = tracker.as_person("sync-client").comment(&made.key, "me too");
    assert!(matches!(posing, Err(LocalError::Refused(_))), "{posing:?}");
}

#[test]
fn a_moved_ticket_answers_its_old_keys_under_its_new_one() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    let person = tracker.as_person("ada");
    person.move_to(&made.key, &key("APP-9")).unwrap();
    person.move_to(&key("APP-9"), &key("WEB-1")).unwrap();
    for old in ["LOCAL-1", "APP-9", "WEB-1"] {
        assert_eq!(tracker.get(&key(old)).unwrap().unwrap().key.as_str(), "WEB-1", "{old}");
    }
    assert_eq!(tracker.update(&made.key, &said("seen")).unwrap().key.as_str(), "WEB-1");
    assert_eq!(details(&tracker, "LOCAL-1").former_keys, ["APP-9", "LOCAL-1"]);
    person.move_to(&key("WEB-1"), &key("LOCAL-1")).unwrap();
    assert_eq!(tracker.get(&key("APP-9")).unwrap().unwrap().key.as_str(), "LOCAL-1");

    let other = created(tracker.create(&ticket("sync-b")));
    for taken in ["APP-9", "LOCAL-1", "LOCAL-77"] {
        let refused = person.move_to(&other.key, &key(taken));
        assert!(matches!(refused, Err(LocalError::Refused(_))), "{taken}: {refused:?}");
    }
}

#[test]
fn a_deleted_ticket_is_gone_and_its_key_is_not_given_again() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    tracker.as_person("ada").delete(&made.key).unwrap();
    assert_eq!(tracker.get(&made.key).unwrap(), None);
    let refused = tracker.update(&made.key, &said("hello"));
    assert_eq!(refused, Err(TrackerError::Refused("there is no ticket LOCAL-1".to_owned()).into()));
    assert_eq!(created(tracker.create(&ticket("sync-a"))).key.as_str(), "LOCAL-2");
    assert!(matches!(tracker.as_person("ada").delete(&made.key), Err(LocalError::NoTicket(_))));
}

#[test]
fn a_hidden_ticket_is_not_seen_and_its_key_stays_taken() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    let person = tracker.as_person("ada");
    person.hide(&made.key).unwrap();
    assert_eq!(tracker.get(&made.key).unwrap(), None);
    assert_eq!(tracker.find(&OpKey::new("sync-a")).unwrap(), []);
    assert!(matches!(tracker.update(&made.key, &said("x")).unwrap_err().error, TrackerError::Refused(_)));
    let again = tracker.create(&ticket("sync-a"));
    assert!(
        matches!(&again, Err(TrackerError::Refused(text)) if text.contains("may not be seen")),
        "{again:?}"
    );
    person.show(&made.key).unwrap();
    assert!(tracker.get(&made.key).unwrap().is_some());
}

#[test]
fn people_edit_what_the_client_never_does() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let made = created(tracker.create(&ticket("sync-a")));
    let person = tracker.as_person("ada");
    person.edit_title(&made.key, "Better").unwrap();
    person.edit_description(&made.key, "Shorter").unwrap();
    person.add_label(&made.key, "mine").unwrap();
    person.add_label(&made.key, "mine").unwrap();
    person.remove_label(&made.key, "appsec").unwrap();
    let own = person.create("A person's own ticket").unwrap();
    let now = details(&tracker, "LOCAL-1");
    assert_eq!((now.summary.title.as_str(), now.description.as_str()), ("Better", "Shorter"));
    assert_eq!(now.labels, ["data-theorem/target/7", "mine"]);
    assert_eq!(tracker.get(&own).unwrap().unwrap().op, None);
    let summary = &tracker.list().unwrap()[1];
    assert_eq!((summary.key.as_str(), summary.item.as_deref()), ("LOCAL-2", None));
}

#[test]
fn limits_are_exact_and_a_refusal_does_nothing() {
    let (tracker, _) = tracker(Uniqueness::Key);
    let with = |change: fn(&mut NewTicket)| {
        let mut ticket = ticket("sync-a");
        change(&mut ticket);
        tracker.create(&ticket)
    };
    let refusals: [fn(&mut NewTicket); 9] = [
        |ticket| ticket.title = String::new(),
        |ticket| ticket.title = "two\nlines".to_owned(),
        |ticket| ticket.title = "ü".repeat(TITLE_CHARS_MAX + 1),
        |ticket| ticket.description = "😀".repeat(TEXT_CHARS_MAX + 1),
        |ticket| ticket.description = "a\0b".to_owned(),
        |ticket| ticket.labels = vec!["two words".to_owned()],
        |ticket| ticket.labels = vec![String::new()],
        |ticket| ticket.labels = vec!["x".repeat(256)],
        |ticket| ticket.op = OpKey::new(""),
    ];
    for (index, refusal) in refusals.into_iter().enumerate() {
        let answer = with(refusal);
        assert!(matches!(answer, Err(TrackerError::Refused(_))), "{index}: {answer:?}");
    }
    assert_eq!(tracker.list().unwrap(), []);
    created(with(|ticket| {
        ticket.title = "ü".repeat(TITLE_CHARS_MAX);
        ticket.description = "😀".repeat(TEXT_CHARS_MAX);
        ticket.labels = vec!["x".repeat(255)];
    }));
    let long = Change { comment: Some("é".repeat(TEXT_CHARS_MAX + 1)), is_done: Some(true) };
    assert!(matches!(tracker.update(&key("LOCAL-1"), &long).unwrap_err().error, TrackerError::Refused(_)));
    assert!(!tracker.get(&key("LOCAL-1")).unwrap().unwrap().is_done, "the transition was not done either");
}

/// The rules hold for any writer: the schema says them too.
#[test]
fn the_schema_itself_refuses_what_the_rules_forbid() {
    let (tracker, _) = tracker(Uniqueness::Key);
    created(tracker.create(&ticket("sync-a")));
    for statement in [
        "INSERT INTO tickets (op, title, description, status, is_done, created_ms, updated_ms) VALUES ('sync-a', 't', '', 'Open', 0, 0, 0)",
        "UPDATE tickets SET title = 'a' || char(10) || 'b'",
        "UPDATE tickets SET is_done = 2",
        "UPDATE tickets SET created_ms = 'yesterday'",
        "INSERT INTO keys VALUES ('APP-1', 1, 1)",
        "INSERT INTO keys VALUES ('APP-1', 99, 0)",
        "INSERT INTO labels VALUES (1, 'two words')",
        "INSERT INTO comments (ticket, author, text, created_ms) VALUES (1, '', 't', 0)",
    ] {
        let refused = tracker.database().execute_batch(statement);
        assert!(refused.is_err(), "{statement}");
    }
}

/// An error of the disk while a commit is under way leaves open whether it counts after a crash.
#[test]
fn a_disk_error_in_a_commit_is_in_doubt_and_any_other_is_not() {
    let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    let meaning = |code| TrackerError::from(LocalError::of_commit(Path::new("f"), error(code)));
    assert!(matches!(meaning(rusqlite::ffi::SQLITE_IOERR_FSYNC), TrackerError::Unknown(_)));
    assert!(matches!(meaning(rusqlite::ffi::SQLITE_FULL), TrackerError::Unavailable(_)));
    assert!(matches!(meaning(rusqlite::ffi::SQLITE_BUSY), TrackerError::Unavailable(_)));
    assert!(matches!(meaning(rusqlite::ffi::SQLITE_CONSTRAINT), TrackerError::Refused(_)));
}

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Close(u8),
    Delete(u8),
    Move(u8, u8),
    Comment(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8).prop_map(Step::Create),
        1 => (1..8_u8).prop_map(Step::Close),
        1 => (1..8_u8).prop_map(Step::Delete),
        1 => (1..8_u8, 0..3_u8).prop_map(|(from, to)| Step::Move(from, to)),
        1 => (1..8_u8).prop_map(Step::Comment),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is done in whatever order: per key at most one live ticket, and `find` and `get` agree on it.
    #[test]
    fn at_most_one_ticket_per_key(steps in prop::collection::vec(step(), 1..40)) {
        let (tracker, _) = tracker(Uniqueness::Key);
        let person = tracker.as_person("ada");
        let mut live: BTreeMap<String, i64> = BTreeMap::new();
        let mut made = 0;
        for step in steps {
            match step {
                Step::Create(op) => {
                    let op = format!("sync-{op}");
                    match (tracker.create(&ticket(&op)).unwrap(), live.contains_key(&op)) {
                        (Created::New(_), false) => {
                            made += 1;
                            live.insert(op, made);
                        }
                        (Created::Existing(found), true) => prop_assert_eq!(found.op, Some(OpKey::new(op))),
                        (answer, _) => prop_assert!(false, "{:?}", answer),
                    }
                }
                Step::Delete(number) => {
                    if person.delete(&key(&format!("LOCAL-{number}"))).is_ok() {
                        live.retain(|_, live| *live != i64::from(number));
                    }
                }
                Step::Close(number) => drop(person.close(&key(&format!("LOCAL-{number}")))),
                Step::Move(from, to) => {
                    drop(person.move_to(&key(&format!("LOCAL-{from}")), &key(&format!("APP-{to}"))));
                }
                Step::Comment(number) => drop(tracker.update(&key(&format!("LOCAL-{number}")), &said("x"))),
            }
            for (op, number) in &live {
                let found = tracker.find(&OpKey::new(op.as_str())).unwrap();
                prop_assert_eq!(found.len(), 1);
                let by_key = tracker.get(&key(&format!("LOCAL-{number}"))).unwrap();
                prop_assert_eq!(found.first(), by_key.as_ref());
            }
            prop_assert_eq!(tracker.list().unwrap().len(), live.len());
        }
    }
}
