//! What Redmine answers to what it does not like is mostly nothing: each of these would make or lose a ticket.

use serde_json::{Value, json};
use sync_client::adapters::redmine::{ApiKey, KeyField, RedmineSettings};
use sync_client::core::model::TicketKey;
use sync_client::ports::{Change, Created, NewTicket, Ticket, Tracker as _, TrackerError};

use crate::real::{KEY_FIELD, NO_FILTER, OF_CHOSEN_PROJECTS, OF_FEATURES, Project, Real, redmine, ticket};

fn made(created: Created) -> Ticket {
    match created {
        Created::New(ticket) => ticket,
        other => panic!("Redmine keeps no second ticket out: {other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, TrackerError>) -> String {
    match result {
        Err(TrackerError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn closes() -> Change {
    Change { comment: Some("Closed at the vendor.".to_owned()), is_done: Some(true) }
}

#[test]
fn a_ticket_is_made_found_closed_and_opened_again() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let tracker = redmine(real.settings(&project));
    assert_eq!(tracker.identify().unwrap(), format!("sync, project {}", project.identifier));
    let wanted = ticket(&project, 1);
    assert_eq!(tracker.find(&wanted.op).unwrap(), []);
    let new = made(tracker.create(&wanted).unwrap());
    assert_eq!(new.op.as_ref(), Some(&wanted.op));
    assert!(!new.is_done && new.status == "New");
    assert_eq!(tracker.find(&wanted.op).unwrap(), std::slice::from_ref(&new));
    assert_eq!(tracker.get(&new.key).unwrap(), Some(new.clone()));
    let done = tracker.update(&new.key, &closes()).unwrap();
    assert!(done.is_done && done.status == "Closed", "{done:?}");
    assert_eq!(done.our_last_comment, Some(tracker.as_stored("Closed at the vendor.")));
    let open = tracker.update(&new.key, &Change { comment: None, is_done: Some(false) }).unwrap();
    assert!(!open.is_done && open.our_comments == 1, "{open:?}");
    real.remove(&project);
}

/// With a wrong key lists answer 200 and are empty: who believes them makes every ticket again.
#[test]
fn a_wrong_key_is_no_empty_tracker() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let (status, body) = real.ask("wrong", "GET", "/issues.json?status_id=*", Value::Null);
    assert_eq!((status, &body["issues"]), (200, &json!([])), "this is the trap");
    let settings = RedmineSettings { api_key: ApiKey::new("wrong").unwrap(), ..real.settings(&project) };
    let tracker = redmine(settings);
    assert!(matches!(tracker.identify(), Err(TrackerError::Credential(_))));
    let wanted = ticket(&project, 1);
    assert!(matches!(tracker.find(&wanted.op), Err(TrackerError::Credential(_))), "nor is it believed later");
    assert!(matches!(tracker.create(&wanted), Err(TrackerError::Credential(_))));
    real.remove(&project);
}

/// A key that may read and not write is answered with words that say something else.
#[test]
fn a_key_that_may_only_read_makes_nothing() {
    let Some(real) = Real::there() else { return };
    let project = Project { identifier: "sec".to_owned() };
    let settings =
        RedmineSettings { api_key: ApiKey::new(&real.reader_key).unwrap(), ..real.settings(&project) };
    let tracker = redmine(settings);
    tracker.identify().unwrap();
    let text = refused(tracker.create(&ticket(&project, 1)));
    assert!(text.contains("POST /issues.json answers 422"), "{text}");
}

/// A status that is unknown, or that the workflow does not allow: 204, and nothing has changed.
#[test]
fn a_204_that_changed_nothing_is_no_success() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let tracker = redmine(real.settings(&project));
    let new = made(tracker.create(&ticket(&project, 1)).unwrap());
    let path = format!("/issues/{}.json", new.key.as_str().trim_start_matches('#'));
    let (status, _) = real.ask(&real.key, "PUT", &path, json!({"issue": {"status_id": 99}}));
    assert_eq!(status, 204, "this is the trap");
    assert_eq!(tracker.get(&new.key).unwrap().unwrap().status, "New");
    real.remove(&project);

    let project = real.project("Stuck");
    let tracker = redmine(real.settings(&project));
    let new = made(tracker.create(&ticket(&project, 1)).unwrap());
    let text = refused(tracker.update(&new.key, &closes()).map_err(|broken| broken.error));
    assert!(text.contains("gives") && text.contains("no closed status"), "{text}");
    let after = tracker.get(&new.key).unwrap().unwrap();
    assert_eq!(after.our_comments, 0, "nothing was said that is not so");
    real.remove(&project);
}

/// A custom field that this kind of ticket does not have is left out of a new ticket without a word.
#[test]
fn a_ticket_without_its_key_is_the_only_one() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let settings =
        RedmineSettings { key_field: KeyField::Id(real.field(OF_FEATURES)), ..real.settings(&project) };
    let tracker = redmine(settings.clone());
    tracker.identify().unwrap();
    let new = made(tracker.create(&ticket(&project, 1)).unwrap());
    assert_eq!(new.op, None, "this is the trap: it answers 201");
    let text = refused(tracker.create(&ticket(&project, 2)));
    assert!(text.contains(&format!("Redmine made {} without its key", new.key)), "{text}");
    // The next run sees that ticket and makes none at all.
    let text = refused(redmine(settings).identify());
    assert!(text.contains("would leave the key out without a word"), "{text}");
    assert_eq!(real.issues(&project).len(), 1);
    real.remove(&project);
}

/// A list that is filtered by a custom field that is no filter shows everything.
#[test]
fn a_field_that_is_no_filter_is_refused_before_anything_is_made() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    made(redmine(real.settings(&project)).create(&ticket(&project, 1)).unwrap());
    let field = real.field(NO_FILTER);
    let path = format!("/issues.json?status_id=*&cf_{field}=nobody");
    let (_, body) = real.ask(&real.key, "GET", &path, Value::Null);
    assert_ne!(body["total_count"], 0, "this is the trap");
    let settings = RedmineSettings { key_field: KeyField::Id(field), ..real.settings(&project) };
    let text = refused(redmine(settings).identify());
    assert!(text.contains("turn on \"Used as a filter\""), "{text}");
    real.remove(&project);
}

/// More than a hundred rows are never answered, whatever is asked for: paging goes by what came.
#[test]
fn pages_are_as_long_as_redmine_wants() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let field = real.field(KEY_FIELD);
    let key = ticket(&project, 1).op;
    for _ in 0..103 {
        let body = json!({"issue": {
            "project_id": project.identifier, "subject": "one of many", "status_id": 1,
            "custom_fields": [{"id": field, "value": key.as_str()}],
        }});
        let (status, body) = real.ask(&real.key, "POST", "/issues.json", body);
        assert_eq!(status, 201, "{body}");
    }
    let path = format!("/issues.json?status_id=*&cf_{field}={key}&limit=1000");
    let (_, body) = real.ask(&real.key, "GET", &path, Value::Null);
    assert_eq!((&body["limit"], body["issues"].as_array().unwrap().len()), (&json!(100), 100));
    let found = redmine(real.settings(&project)).find(&key).unwrap();
    assert_eq!(found.len(), 103);
    let numbers: Vec<u64> = found.iter().map(|ticket| ticket.key.as_str()[1..].parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "the oldest first, by number and not by text");
    real.remove(&project);
}

/// Lists leave closed tickets out unless they are asked for; a ticket that was moved stays the same ticket.
#[test]
fn a_ticket_that_was_closed_or_moved_is_found() {
    let Some(real) = Real::there() else { return };
    let (project, other) = (real.project("Sync"), real.project("Sync"));
    let tracker = redmine(real.settings(&project));
    let wanted = ticket(&project, 1);
    let new = made(tracker.create(&wanted).unwrap());
    tracker.update(&new.key, &closes()).unwrap();
    let path = format!("/issues.json?cf_{}={}", real.field(KEY_FIELD), wanted.op);
    let (_, body) = real.ask(&real.key, "GET", &path, Value::Null);
    assert_eq!(body["total_count"], 0, "this is the trap");
    assert_eq!(tracker.find(&wanted.op).unwrap().len(), 1);
    let id = new.key.as_str().trim_start_matches('#').to_owned();
    let move_it = json!({"issue": {"project_id": other.identifier}});
    assert_eq!(real.admin("PUT", &format!("/issues/{id}.json"), move_it).0, 204);
    assert_eq!(tracker.find(&wanted.op).unwrap()[0].key, new.key);
    assert_eq!(tracker.get(&new.key).unwrap().unwrap().key, new.key);
    real.remove(&other);
    assert_eq!(tracker.find(&wanted.op).unwrap(), [], "it went with the project");
    assert_eq!(tracker.get(&new.key).unwrap(), None);
    real.remove(&project);
}

#[test]
fn what_is_hidden_or_no_ticket_is_none() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let tracker = redmine(real.settings(&project));
    let new = made(tracker.create(&ticket(&project, 1)).unwrap());
    for key in ["#999999999", "99999999999999999999999", "SEC-1", "#", "", "#1/../2", "#-1"] {
        assert_eq!(tracker.get(&TicketKey::new(key)).unwrap(), None, "{key}");
    }
    let number = new.key.as_str().trim_start_matches('#').to_owned();
    assert_eq!(tracker.get(&TicketKey::new(number)).unwrap().map(|ticket| ticket.key), Some(new.key.clone()));
    // An archived project shows its tickets to nobody.
    let path = format!("/projects/{}/archive.json", project.identifier);
    assert_eq!(real.admin("PUT", &path, Value::Null).0, 204);
    assert_eq!(tracker.get(&new.key).unwrap(), None);
    let text = refused(tracker.update(&new.key, &closes()).map_err(|broken| broken.error));
    assert!(text.contains("may not be seen"), "{text}");
    let text = refused(redmine(real.settings(&project)).identify());
    assert!(text.contains("there is no project"), "{text}");
    real.remove(&project);
}

/// 255 characters are a subject, 256 are an error with a reason; a text may be long, and may hold anything.
#[test]
fn texts_at_their_limits_are_taken() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let tracker = redmine(real.settings(&project));
    let long = |chars: usize| NewTicket {
        title: "é😀".repeat(200).chars().take(chars).collect(),
        ..ticket(&project, 1)
    };
    let text = refused(tracker.create(&long(256)));
    assert!(text.contains("Subject is too long"), "{text}");
    made(tracker.create(&long(255)).unwrap());
    let limit = tracker.traits().text_chars_max;
    let wide = NewTicket { description: "😀".repeat(limit), ..ticket(&project, 2) };
    made(tracker.create(&wide).unwrap());
    let odd = "\u{fffd}<b>&amp;\"'\\ %s #1 {{toc}} !x! \u{202e}".to_owned();
    let new = made(tracker.create(&NewTicket { title: odd.clone(), ..ticket(&project, 3) }).unwrap());
    let path = format!("/issues/{}.json", new.key.as_str().trim_start_matches('#'));
    assert_eq!(real.admin("GET", &path, Value::Null).1["issue"]["subject"], odd.as_str());
    real.remove(&project);
}

/// The name of a field is known to administrators, and to others from tickets.
#[test]
fn a_field_is_known_by_its_name_where_redmine_tells() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let named = |name: &str| RedmineSettings {
        key_field: KeyField::Name(name.to_owned()),
        ..real.settings(&project)
    };
    let text = refused(redmine(named(KEY_FIELD)).identify());
    assert!(text.contains("say its number instead"), "{text}");
    made(redmine(real.settings(&project)).create(&ticket(&project, 1)).unwrap());
    redmine(named(KEY_FIELD)).identify().unwrap();
    for name in ["Nothing", OF_CHOSEN_PROJECTS, OF_FEATURES] {
        let text = refused(redmine(named(name)).identify());
        assert!(text.contains("no custom field"), "{name}: {text}");
    }
    real.remove(&project);
}

#[test]
fn settings_that_name_nothing_are_refused_with_what_there_is() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let usual = real.settings(&project);
    let settings = RedmineSettings { tracker: Some("Defect".to_owned()), ..usual.clone() };
    let text = refused(redmine(settings).identify());
    assert!(text.contains("no tracker Defect; it has: Bug, Feature"), "{text}");
    let settings = RedmineSettings { done_status: Some("New".to_owned()), ..usual.clone() };
    let text = refused(redmine(settings).identify());
    assert!(text.contains("no status named \"New\" that counts as closed"), "{text}");
    let settings = RedmineSettings {
        done_status: Some("Rejected".to_owned()),
        open_status: Some("Feedback".to_owned()),
        ..usual
    };
    let tracker = redmine(settings);
    let new = made(tracker.create(&ticket(&project, 1)).unwrap());
    assert_eq!(tracker.update(&new.key, &closes()).unwrap().status, "Rejected");
    let open = Change { comment: None, is_done: Some(false) };
    assert_eq!(tracker.update(&new.key, &open).unwrap().status, "Feedback");
    real.remove(&project);
}

/// Notes of people are not ours, even if they say the same.
#[test]
fn comments_of_people_are_not_ours() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let tracker = redmine(real.settings(&project));
    let new = made(tracker.create(&ticket(&project, 1)).unwrap());
    let path = format!("/issues/{}.json", new.key.as_str().trim_start_matches('#'));
    let note = json!({"issue": {"notes": "Closed at the vendor.", "status_id": 5}});
    assert_eq!(real.admin("PUT", &path, note).0, 204);
    let ticket = tracker.get(&new.key).unwrap().unwrap();
    assert_eq!((ticket.is_done, ticket.our_comments, ticket.our_last_comment), (true, 0, None));
    real.remove(&project);
}

/// What people do shows in the list of changes, and only what was changed since.
#[test]
fn changes_of_tickets_of_ours_are_listed() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let tracker = redmine(real.settings(&project));
    let (one, two) = (ticket(&project, 1), ticket(&project, 2));
    let one = made(tracker.create(&one).unwrap());
    made(tracker.create(&two).unwrap());
    real.admin(
        "POST",
        "/issues.json",
        json!({"issue": {"project_id": project.identifier, "subject": "of people"}}),
    );
    let ops = |tickets: Vec<Ticket>| -> Vec<_> {
        let of_this = real.issues(&project);
        let is_of_this =
            |ticket: &Ticket| of_this.iter().any(|issue| format!("#{}", issue["id"]) == ticket.key.as_str());
        tickets.into_iter().filter(is_of_this).map(|ticket| (ticket.key.to_string(), ticket.status)).collect()
    };
    assert_eq!(ops(tracker.changed(None).unwrap()).len(), 2);
    let times = real
        .issues(&project)
        .into_iter()
        .map(|issue| -> jiff::Timestamp { issue["updated_on"].as_str().unwrap().parse().unwrap() });
    // Redmine keeps fractions of a second and shows none: what it lists may be a second older than what was asked for.
    let since = times.max().unwrap() + jiff::SignedDuration::from_secs(2);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let path = format!("/issues/{}.json", one.key.as_str().trim_start_matches('#'));
    assert_eq!(real.admin("PUT", &path, json!({"issue": {"status_id": 6}})).0, 204);
    assert_eq!(ops(tracker.changed(Some(since)).unwrap()), [(one.key.to_string(), "Rejected".to_owned())]);
    real.remove(&project);
}

/// A busy SQLite answers 500 to some of many writers and has written nothing then; whatever it answers, a key is found
/// as often as its ticket was made.
#[test]
fn whatever_many_writers_are_answered_can_be_found_out() {
    let Some(real) = Real::there() else { return };
    let project = real.project("Sync");
    let settings = real.settings(&project);
    let outcomes: Vec<(u32, Result<(), TrackerError>)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (settings, project) = (settings.clone(), &project);
                scope.spawn(move || {
                    let tracker = redmine(settings);
                    let numbers = writer * 10..writer * 10 + 10;
                    let one = |number| (number, tracker.create(&ticket(project, number)).map(|_| ()));
                    numbers.map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let tracker = redmine(settings);
    let (mut lost, mut doubted) = (0, 0);
    for (number, outcome) in outcomes {
        let found = tracker.find(&ticket(&project, number).op).unwrap().len();
        match outcome {
            Ok(()) => assert_eq!(found, 1, "{number}"),
            Err(TrackerError::Unknown(text)) => {
                assert!(found <= 1, "{number}: {text}");
                doubted += 1;
                lost += 1 - found;
            }
            Err(other) => panic!("{number}: {other}"),
        }
    }
    eprintln!("of 80 tickets {doubted} were in doubt, and {lost} of those were not made");
    real.remove(&project);
}
