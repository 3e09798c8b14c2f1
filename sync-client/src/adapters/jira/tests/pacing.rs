//! Waiting, for as long and about what Jira says (rows 44 and 45 of the catalogue, I19).

use serde_json::json;

use super::{issue, jira, key, op, ticket};
use crate::core::model::TicketKey;
use crate::ports::{Change, Created, Tracker as _, TrackerError};

const MADE: &str = r#"{"id": "10012", "key": "SEC-12"}"#;

#[test]
fn being_turned_away_is_no_ticket_and_no_doubt() {
    for (headers, at_least_s) in [
        (&[("retry-after", "7")][..], 7),
        (&[("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT"), ("date", "Sun, 22 Nov 2026 10:00:00 GMT")], 30),
        (&[("x-ratelimit-reset", "2026-11-22T10:01Z")], 60),
        (&[("retry-after", "soon")], 0),
        (&[], 0),
    ] {
        let (server, jira) = jira();
        server
            .reply("POST /rest/api/3/issue", 429, headers, "<html>Rate limit exceeded</html>")
            .reply("POST /rest/api/3/issue", 201, &[], MADE)
            .answer("GET /rest/api/3/issue/10012", 200, &issue("SEC-12", "new", &[]));
        assert!(matches!(jira.create(&ticket()), Ok(Created::New(_))));
        let got = server.got();
        assert!(got[1].at_s >= at_least_s, "{headers:?}: {got:?}");
    }
}

/// Jira limits bursts per endpoint: the others go on, also when there is no time left to wait for that one.
#[test]
fn a_pause_of_an_endpoint_is_no_pause_of_the_others() {
    let (server, jira) = jira();
    let busy = [("retry-after", "4000"), ("ratelimit-reason", "jira-burst-based")];
    server.reply("POST /rest/api/3/issue", 429, &busy, "{}");
    assert!(matches!(jira.create(&ticket()), Err(TrackerError::Unavailable(_))));
    server.asked();
    assert!(matches!(jira.create(&ticket()), Err(TrackerError::Unavailable(_))), "it is not even asked");
    assert!(server.asked().is_empty());
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]));
    assert!(jira.get(&key()).unwrap().is_some());
    assert_eq!(server.got()[0].at_s, 0, "without waiting");
}

#[test]
fn a_pause_of_an_issue_is_no_pause_of_the_others() {
    let (server, jira) = jira();
    let busy = [("retry-after", "4000"), ("ratelimit-reason", "jira-per-issue-on-write")];
    let comment = Change { comment: Some("x".to_owned()), is_done: None };
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[])).reply(
        "POST /rest/api/3/issue/10012/comment",
        429,
        &busy,
        "{}",
    );
    let paused = jira.update(&key(), &comment).unwrap_err();
    assert!(matches!(paused.error, TrackerError::Unavailable(_)));
    let mut other = issue("SEC-13", "new", &[]);
    other["id"] = json!("10013");
    server
        .answer("GET /rest/api/3/issue/SEC-13", 200, &other)
        .answer("POST /rest/api/3/issue/10013/comment", 201, &json!({}))
        .answer("GET /rest/api/3/issue/SEC-13", 200, &other);
    jira.update(&TicketKey::new("SEC-13"), &comment).unwrap();
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]));
    let paused = jira.update(&key(), &comment).unwrap_err();
    assert!(matches!(paused.error, TrackerError::Unavailable(_)), "it still waits");
    assert_eq!(server.unused(), 0);
    assert!(server.got().iter().all(|got| got.at_s == 0));
}

#[test]
fn any_other_pause_is_one_of_everything() {
    for reason in ["jira-quota-global-based", "", "something-new"] {
        let (server, jira) = jira();
        let busy = [("retry-after", "4000"), ("ratelimit-reason", reason)];
        server.reply("POST /rest/api/3/search/jql", 429, &busy, "{}");
        assert!(matches!(jira.find(&op()), Err(TrackerError::Unavailable(_))));
        server.asked();
        assert!(matches!(jira.get(&key()), Err(TrackerError::Unavailable(_))), "{reason}");
        assert!(server.asked().is_empty(), "{reason}");
    }
}
