//! Replies as a Redmine 5.0.4 gave them, in an order that one rarely sees.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ApiKey, Identifier, KeyField, Redmine, RedmineSettings, TextFormat};
use crate::adapters::scripted::Scripted;
use crate::core::model::{GroupId, OpKey, TicketKey};
use crate::ports::{Change, Created, Granted, NewTicket, NoReply, Tracker as _, TrackerError};

fn settings() -> RedmineSettings {
    RedmineSettings {
        url: "https://redmine.example/r".parse().unwrap(),
        api_key: ApiKey::new("s3cretkey").unwrap(),
        project: Identifier::new("sec").unwrap(),
        key_field: KeyField::Id(7),
        tracker: None,
        done_status: None,
        open_status: None,
        text_format: TextFormat::Textile,
        search_lag: Duration::from_secs(30),
    }
}

fn op() -> OpKey {
    OpKey::of(&GroupId::new("data-theorem/target/1"))
}

fn ticket() -> NewTicket {
    NewTicket {
        op: op(),
        title: "Finding".to_owned(),
        description: "It is **bad**.".to_owned(),
        labels: Vec::new(),
    }
}

fn issue(id: u64, status: u64, key: &str, journals: &Value) -> Value {
    let name = if status == 5 { "Closed" } else { "New" };
    json!({
        "id": id, "status": {"id": status, "name": name, "is_closed": status == 5},
        "custom_fields": [{"id": 7, "name": "Sync key", "value": key}],
        "journals": journals,
        "allowed_statuses": [
            {"id": 1, "name": "New", "is_closed": false}, {"id": 5, "name": "Closed", "is_closed": true},
        ],
    })
}

/// A Redmine that was asked who we are.
fn redmine() -> (Arc<Scripted>, Redmine) {
    let server = Scripted::new();
    opens(&server);
    let redmine = Redmine::new(settings(), server.caller());
    assert_eq!(redmine.identify().unwrap(), "sync, project Security");
    assert_eq!((server.asked().len(), server.unused()), (5, 0));
    (server, redmine)
}

fn opens(server: &Scripted) {
    let statuses = json!({"issue_statuses": [
        {"id": 1, "name": "New", "is_closed": false}, {"id": 5, "name": "Closed", "is_closed": true},
        {"id": 6, "name": "Rejected", "is_closed": true},
    ]});
    server
        .answer(
            "GET /r/users/current.json",
            200,
            &json!({"user": {"id": 3, "login": "sync", "api_key": "s3cretkey"}}),
        )
        .answer(
            "GET /r/projects/sec.json",
            200,
            &json!({"project": {"name": "Security", "trackers": [{"id": 1, "name": "Bug"}]}}),
        )
        .answer("GET /r/issue_statuses.json", 200, &statuses)
        .answer("GET /r/issues.json?project_id=sec", 200, &json!({"issues": [], "total_count": 0}))
        .answer("GET /r/issues.json?status_id=*&cf_7=", 200, &json!({"issues": [], "total_count": 0}));
}

#[test]
fn a_ticket_is_asked_for_once_whatever_is_answered() {
    for (status, headers, is_in_doubt) in [
        (500, &[][..], true),
        (502, &[], true),
        (503, &[], true),
        (503, &[("retry-after", "20")], true),
        (408, &[], true),
        (504, &[], true),
        (422, &[], false),
        (404, &[], false),
        (302, &[], false),
    ] {
        let (server, redmine) = redmine();
        server.reply("POST /r/issues.json", status, headers, "<html>database is locked</html>");
        let error = redmine.create(&ticket()).unwrap_err();
        assert_eq!(matches!(error, TrackerError::Unknown(_)), is_in_doubt, "{status}: {error}");
        assert_eq!(server.asked(), ["POST /r/issues.json"], "{status}");
    }
    let (server, redmine) = redmine();
    server.fail("POST /r/issues.json", NoReply::Unknown("reset".to_owned()));
    assert!(matches!(redmine.create(&ticket()), Err(TrackerError::Unknown(_))));
    assert_eq!(server.asked().len(), 1);
    // What says that it was done and can't be read may have been done.
    for body in ["", "{}", "{\"issue\": {", "<html>"] {
        server.reply("POST /r/issues.json", 201, &[], body);
        assert!(matches!(redmine.create(&ticket()), Err(TrackerError::Unknown(_))), "{body}");
    }
}

/// What never began is asked for again: it could not be sent, or there was too much to do.
#[test]
fn what_surely_was_not_done_is_asked_for_again() {
    let (server, redmine) = redmine();
    server
        .fail("POST /r/issues.json", NoReply::NotSent("refused".to_owned()))
        .reply("POST /r/issues.json", 429, &[("retry-after", "20")], "")
        .answer("POST /r/issues.json", 201, &json!({"issue": issue(12, 1, op().as_str(), &json!([]))}));
    let Created::New(made) = redmine.create(&ticket()).unwrap() else { panic!("it is new") };
    assert_eq!(
        (made.key.as_str(), made.url.as_deref()),
        ("#12", Some("https://redmine.example/r/issues/12"))
    );
    let got = server.got();
    assert!(got[2].at_s - got[1].at_s >= 20, "{got:?}");
    let sent = &got[2].body["issue"];
    assert_eq!(sent["description"], "It is *bad*.");
    assert_eq!(sent["custom_fields"], json!([{"id": 7, "value": op().as_str()}]));
    assert_eq!((&sent["project_id"], &sent["tracker_id"]), (&json!("sec"), &json!(1)));
}

#[test]
fn a_comment_and_a_closing_are_one_request_and_read_back() {
    let (server, redmine) = redmine();
    let people = json!({"user": {"id": 9}, "notes": "Closed."});
    let ours = json!({"user": {"id": 3}, "notes": "Closed.\r\n"});
    let key = TicketKey::new("#12");
    let change = Change { comment: Some("Closed.".to_owned()), is_done: Some(true) };
    server
        .answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 1, "k", &json!([people]))}))
        .answer("PUT /r/issues/12.json", 204, &Value::Null)
        .answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 5, "k", &json!([people, ours]))}));
    let ticket = redmine.update(&key, &change).unwrap();
    assert!(ticket.is_done);
    assert_eq!((ticket.our_comments, ticket.our_last_comment), (1, Some(redmine.as_stored("Closed."))));
    assert_eq!(server.got()[1].body, json!({"issue": {"notes": "Closed.", "status_id": 5}}));

    // 204, and neither has happened.
    let before = json!({"issue": issue(12, 1, "k", &json!([people]))});
    server
        .answer("GET /r/issues/12.json", 200, &before)
        .answer("PUT /r/issues/12.json", 204, &Value::Null)
        .answer("GET /r/issues/12.json", 200, &before);
    let text = redmine.update(&key, &change).unwrap_err().to_string();
    assert!(text.contains("answers 204 and leaves #12 as it is, \"New\""), "{text}");
    server
        .answer("GET /r/issues/12.json", 200, &before)
        .answer("PUT /r/issues/12.json", 204, &Value::Null)
        .answer("GET /r/issues/12.json", 200, &before);
    let comment = Change { is_done: None, ..change.clone() };
    let text = redmine.update(&key, &comment).unwrap_err().to_string();
    assert!(text.contains("leaves the comment on #12 out"), "{text}");

    // Nothing to do, nothing written.
    server.answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 5, "k", &json!([]))}));
    server.asked();
    let again = Change { comment: None, ..change };
    assert!(redmine.update(&key, &again).unwrap().is_done);
    assert_eq!(server.asked(), ["GET /r/issues/12.json?include=journals,allowed_statuses"]);
}

/// What was granted of a change that broke off is told, and nothing that was not seen.
#[test]
fn what_is_known_of_a_change_that_broke_off_is_told() {
    let change = Change { comment: Some("Closed.".to_owned()), is_done: Some(true) };
    let ours = json!([{"user": {"id": 3}, "notes": "Closed."}]);
    let rows = [
        (issue(12, 1, "k", &ours), Granted { comment: true, is_done: None }),
        (issue(12, 5, "k", &json!([])), Granted { comment: false, is_done: Some(true) }),
        (issue(12, 1, "k", &json!([])), Granted::default()),
    ];
    for (after, granted) in rows {
        let (server, redmine) = redmine();
        server
            .answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 1, "k", &json!([]))}))
            .answer("PUT /r/issues/12.json", 204, &Value::Null)
            .answer("GET /r/issues/12.json", 200, &json!({"issue": after}));
        let broken = redmine.update(&TicketKey::new("#12"), &change).unwrap_err();
        assert_eq!(broken.granted, granted, "{broken}");
        assert!(matches!(broken.error, TrackerError::Refused(_)), "{broken}");
    }
    for (status, body) in [(404, "{}"), (403, "{}"), (401, "{}"), (200, "<html>")] {
        let (server, redmine) = redmine();
        server
            .answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 1, "k", &json!([]))}))
            .answer("PUT /r/issues/12.json", 204, &Value::Null)
            .reply("GET /r/issues/12.json", status, &[], body);
        let broken = redmine.update(&TicketKey::new("#12"), &change).unwrap_err();
        assert!(matches!(broken.error, TrackerError::Unknown(_)), "{status}: {broken}");
        assert!(!broken.left_all_as_it_was());
    }
}

#[test]
fn a_ticket_is_read_as_it_is() {
    let (server, redmine) = redmine();
    let notes = [(3, "first"), (9, "theirs"), (3, "second"), (3, "")];
    let notes: Vec<_> =
        notes.iter().map(|(user, text)| json!({"user": {"id": user}, "notes": text})).collect();
    server.answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 1, "", &json!(notes))}));
    let ticket = redmine.get(&TicketKey::new("12")).unwrap().unwrap();
    assert_eq!((ticket.op, ticket.is_done), (None, false), "an empty field is no key");
    assert_eq!((ticket.our_comments, ticket.our_last_comment.as_deref()), (2, Some("second")));
    // There is none for us, whatever Redmine calls it.
    for status in [403, 404] {
        server.reply("GET /r/issues/12.json", status, &[], "");
        assert_eq!(redmine.get(&TicketKey::new("#12")).unwrap(), None, "{status}");
    }
    server.asked();
    for key in ["SEC-12", "#", "#x", "", "+12"] {
        assert_eq!(redmine.get(&TicketKey::new(key)).unwrap(), None, "{key}");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

/// Redmine gives at most so many rows as its settings say, closed tickets only if they are asked for, and rows twice
/// where a list moves.
#[test]
fn a_list_is_read_to_its_end() {
    let (server, redmine) = redmine();
    let row = |id| issue(id, 1, op().as_str(), &json!([]));
    server
        .answer("GET /r/issues.json", 200, &json!({"issues": [row(1), row(2)], "total_count": 4, "limit": 2}))
        .answer(
            "GET /r/issues.json",
            200,
            &json!({"issues": [row(2), row(3)], "total_count": 4, "limit": 2}),
        );
    for id in 1..=3 {
        server.answer(&format!("GET /r/issues/{id}.json"), 200, &json!({"issue": row(id)}));
    }
    let keys: Vec<_> =
        redmine.find(&op()).unwrap().into_iter().map(|ticket| ticket.key.to_string()).collect();
    assert_eq!(keys, ["#1", "#2", "#3"]);
    let asked = server.asked();
    assert!(asked[0].contains("status_id=*") && asked[0].contains(&format!("cf_7={}", op())), "{asked:?}");
    assert!(asked[1].contains("offset=2"), "{asked:?}");
}

/// The workflow says where a ticket may go, and the settings which of that is meant.
#[test]
fn the_status_is_one_that_may_be_given_and_is_wanted() {
    let statuses = |names: &[(u64, &str, bool)]| {
        let row = |(id, name, is_closed): &(u64, &str, bool)| json!({"id": id, "name": name, "is_closed": is_closed});
        json!(names.iter().map(row).collect::<Vec<_>>())
    };
    let change = Change { comment: None, is_done: Some(true) };
    let given = |allowed: Option<Value>, done_status: Option<&str>| {
        let server = Scripted::new();
        opens(&server);
        let settings = RedmineSettings { done_status: done_status.map(str::to_owned), ..settings() };
        let redmine = Redmine::new(settings, server.caller());
        redmine.identify().unwrap();
        let mut before = issue(12, 1, "k", &json!([]));
        match allowed {
            Some(allowed) => before["allowed_statuses"] = allowed,
            None => drop(before.as_object_mut().unwrap().remove("allowed_statuses")),
        }
        server
            .answer("GET /r/issues/12.json", 200, &json!({"issue": before}))
            .answer("PUT /r/issues/12.json", 204, &Value::Null)
            .answer("GET /r/issues/12.json", 200, &json!({"issue": issue(12, 5, "k", &json!([]))}));
        match redmine.update(&TicketKey::new("#12"), &change) {
            Ok(_) => {
                Ok(server.got().iter().find(|one| !one.body.is_null()).unwrap().body["issue"]["status_id"]
                    .clone())
            }
            Err(broken) => Err(broken.to_string()),
        }
    };
    let both = statuses(&[(1, "New", false), (5, "Closed", true), (6, "Rejected", true)]);
    assert_eq!(given(Some(both.clone()), None), Ok(json!(5)));
    assert_eq!(given(Some(both), Some("Rejected")), Ok(json!(6)));
    let none = Some(statuses(&[(1, "New", false), (5, "Closed", true)]));
    let text = given(none, Some("Rejected")).unwrap_err();
    assert!(text.contains("no closed status \"Rejected\"") && text.contains("New, Closed"), "{text}");
    let text = given(Some(statuses(&[(1, "New", false)])), None).unwrap_err();
    assert!(text.contains("no closed status"), "{text}");
    assert_eq!(given(None, None), Ok(json!(5)), "a Redmine that does not tell lets try");
}

/// A ticket without its key is not found again, so there is never a second one.
#[test]
fn a_ticket_without_its_key_is_the_only_one() {
    let (server, redmine) = redmine();
    server.answer("POST /r/issues.json", 201, &json!({"issue": issue(12, 1, "", &json!([]))}));
    let Created::New(made) = redmine.create(&ticket()).unwrap() else { panic!("it is new") };
    assert_eq!(made.op, None);
    server.asked();
    let text = redmine.create(&ticket()).unwrap_err().to_string();
    assert!(text.contains("made #12 without its key"), "{text}");
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn a_list_that_shows_other_tickets_proves_nothing() {
    let (server, redmine) = redmine();
    let rows = json!({"issues": [issue(1, 1, "sync-other", &json!([]))], "total_count": 1, "limit": 100});
    server.answer("GET /r/issues.json", 200, &rows);
    assert!(matches!(redmine.find(&op()), Err(TrackerError::Refused(_))));
    for body in [json!({}), json!({"issues": [{}], "total_count": 1}), json!([])] {
        server.answer("GET /r/issues.json", 200, &body);
        assert!(matches!(redmine.find(&op()), Err(TrackerError::Unavailable(_))), "{body}");
    }
}

#[test]
fn lists_that_never_end_are_left() {
    let (server, redmine) = redmine();
    let row = issue(1, 1, op().as_str(), &json!([]));
    let page = json!({"issues": vec![row; 100], "total_count": 99_999_999, "limit": 100});
    for _ in 0..20 {
        server.answer("GET /r/issues.json", 200, &page);
    }
    assert!(matches!(redmine.find(&op()), Err(TrackerError::Refused(_))));
    assert_eq!(server.unused(), 0);
}

#[test]
fn no_error_shows_the_key() {
    let (server, redmine) = redmine();
    let body = r#"{"errors": ["s3cretkey is no key"]}"#;
    for status in [401, 422, 500] {
        server.reply("POST /r/issues.json", status, &[], body);
        let text = redmine.create(&ticket()).unwrap_err().to_string();
        assert!(text.contains("… is no key") && !text.contains("s3cret"), "{text}");
    }
    assert!(!format!("{:?} {redmine:?}", settings()).contains("s3cret"));
    // The reply about ourselves holds the key.
    let server = Scripted::new();
    let cut = r#"{"user": {"id": 3, "api_key": "s3cretkey", "login""#;
    for _ in 0..5 {
        server.reply("GET /r/users/current.json", 200, &[], cut);
    }
    let error = Redmine::new(settings(), server.caller()).identify().unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
}
