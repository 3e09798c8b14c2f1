//! Replies as a Redmine 5.0.4 gave them, in an order that one rarely sees.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ApiKey, Identifier, KeyField, Redmine, RedmineSettings, TextFormat};
use crate::adapters::scripted::Scripted;
use crate::core::model::{GroupId, OpKey, TicketKey};
use crate::ports::{Change, Created, NewTicket, NoReply, Tracker as _, TrackerError};

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

/// What never began is asked for again: it could not be sent, or was turned away with a time to come back.
#[test]
fn what_surely_was_not_done_is_asked_for_again() {
    let (server, redmine) = redmine();
    server
        .fail("POST /r/issues.json", NoReply::NotSent("refused".to_owned()))
        .reply("POST /r/issues.json", 503, &[("retry-after", "20")], "")
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
