//! Finding and reading issues.

use serde_json::{Value, json};

use super::{comment, data_center, issue, jira, key, op};
use crate::core::model::TicketKey;
use crate::ports::{Tracker as _, TrackerError};

#[test]
fn an_issue_is_found_by_its_label() {
    let (server, jira) = jira();
    let found = json!({"issues": [issue("SEC-12", "new", &[])], "isLast": true});
    server.answer("POST /rest/api/3/search/jql", 200, &found);
    let tickets = jira.find(&op()).unwrap();
    assert_eq!((tickets[0].key.as_str(), tickets[0].op.as_ref()), ("SEC-12", Some(&op())));
    assert_eq!(tickets[0].url.as_deref(), Some("https://site.example/browse/SEC-12"));
    let sent = &server.got()[0].body;
    assert_eq!(sent["jql"], format!("labels = \"{}\" ORDER BY created ASC", op()));
    assert_eq!(sent["fields"], json!(["status", "resolution", "labels", "comment"]));
}

/// A clone has the label of its original, and is somebody's own issue. Without an original it is better than nothing.
#[test]
fn a_clone_is_not_taken_for_its_original() {
    let mut clone = issue("SEC-11", "new", &[]);
    (clone["id"], clone["properties"]) = (json!("10011"), json!({}));
    let find = |issues: Value| {
        let (server, jira) = jira();
        server.answer("POST /rest/api/3/search/jql", 200, &json!({"issues": issues, "isLast": true}));
        jira.find(&op()).unwrap().into_iter().map(|ticket| ticket.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(find(json!([clone, issue("SEC-12", "new", &[])])), ["SEC-12"]);
    assert_eq!(find(json!([clone])), ["SEC-11"]);
}

/// Row 12 of the catalogue: the oldest first, by number and not by text.
#[test]
fn all_pages_are_read_and_put_in_order() {
    let (server, jira) = jira();
    let numbered = |id: &str| {
        let mut issue = issue(&format!("SEC-{id}"), "new", &[]);
        issue["id"] = json!(id);
        issue
    };
    server
        .answer(
            "POST /rest/api/3/search/jql",
            200,
            &json!({"issues": [numbered("10000")], "nextPageToken": "t1", "isLast": false}),
        )
        .answer(
            "POST /rest/api/3/search/jql",
            200,
            &json!({"issues": [numbered("9999"), numbered("10000")], "nextPageToken": "t2", "isLast": true}),
        );
    let keys: Vec<_> = jira.find(&op()).unwrap().into_iter().map(|ticket| ticket.key.to_string()).collect();
    assert_eq!(keys, ["SEC-9999", "SEC-10000"]);
    let got = server.got();
    assert_eq!((got[0].body.get("nextPageToken"), &got[1].body["nextPageToken"]), (None, &json!("t1")));
}

/// Rows 8 and 25 of the catalogue.
#[test]
fn a_search_that_fails_or_says_something_else_proves_nothing() {
    let (server, jira) = jira();
    let same = json!({"issues": [], "nextPageToken": "t", "isLast": false});
    server.answer("POST /rest/api/3/search/jql", 200, &same).answer(
        "POST /rest/api/3/search/jql",
        200,
        &same,
    );
    assert!(matches!(jira.find(&op()), Err(TrackerError::Unavailable(_))));
    for body in ["{}", "", "<html>", r#"{"issues": [{"id": "1", "key": "SEC-1"}]}"#, r#"{"issues": null}"#] {
        server.reply("POST /rest/api/3/search/jql", 200, &[], body);
        assert!(matches!(jira.find(&op()), Err(TrackerError::Unavailable(_))), "{body}");
    }
    let mut other = issue("SEC-1", "new", &[]);
    other["fields"]["labels"] = json!([]);
    other["properties"] = json!({});
    server.answer("POST /rest/api/3/search/jql", 200, &json!({"issues": [other], "isLast": true}));
    assert!(matches!(jira.find(&op()), Err(TrackerError::Refused(_))), "it ignores what was asked for");
    server.answer(
        "POST /rest/api/3/search/jql",
        400,
        &json!({"errorMessages": ["Field 'labels' does not exist."]}),
    );
    let text = jira.find(&op()).unwrap_err().to_string();
    assert!(text.contains("answers 400: Field 'labels' does not exist."), "{text}");
    for _ in 0..5 {
        server.reply("POST /rest/api/3/search/jql", 503, &[], "<html>later</html>");
    }
    assert!(matches!(jira.find(&op()), Err(TrackerError::Unavailable(_))), "searching may be repeated");
    assert_eq!(server.unused(), 0);
}

/// Rows 61 to 63 of the catalogue.
#[test]
fn a_moved_issue_has_its_new_key_and_what_is_not_shown_is_none() {
    let (server, jira) = jira();
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &issue("OPS-3", "done", &[]));
    let ticket = jira.get(&key()).unwrap().unwrap();
    assert_eq!((ticket.key.as_str(), ticket.is_done), ("OPS-3", true));
    assert_eq!((ticket.status.as_str(), ticket.resolution.as_deref()), ("Done", Some("Fixed")));
    server.answer("GET /rest/api/3/issue/SEC-12", 404, &json!({"errorMessages": ["does not exist"]}));
    assert_eq!(jira.get(&key()).unwrap(), None);
    for (status, body) in [(403, "{}"), (410, "{}"), (200, "<html>"), (200, "{}")] {
        server.reply("GET /rest/api/3/issue/SEC-12", status, &[], body);
        assert!(jira.get(&key()).is_err(), "{status} {body}");
    }
    server.asked();
    for odd in ["SEC-1/../../myself", "#12", "LOCAL", ""] {
        assert_eq!(jira.get(&TicketKey::new(odd)).unwrap(), None, "{odd}");
    }
    assert!(server.asked().is_empty(), "what is no key goes into no address");
}

/// Somebody tidied the labels up: the property still says whose it is.
#[test]
fn an_issue_whose_label_was_taken_away_is_still_ours() {
    let (server, jira) = jira();
    let mut bare = issue("SEC-12", "new", &[]);
    bare["fields"]["labels"] = json!(["tidy"]);
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &bare);
    assert_eq!(jira.get(&key()).unwrap().unwrap().op, Some(op()));
    bare["properties"] = json!({"sync-client": {"key": "something else"}});
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &bare);
    assert_eq!(jira.get(&key()).unwrap().unwrap().op, None);
}

#[test]
fn comments_are_ours_by_the_account_and_all_are_read() {
    let (server, jira) = jira();
    let mut cut = issue("SEC-12", "new", &[comment("me", "first")]);
    cut["fields"]["comment"]["total"] = json!(3);
    let page = |comments: &[Value]| json!({"comments": comments, "total": 3});
    server
        .answer("GET /rest/api/3/issue/SEC-12", 200, &cut)
        .answer(
            "GET /rest/api/3/issue/10012/comment?startAt=0",
            200,
            &page(&[comment("me", "first"), comment("me", "second")]),
        )
        .answer("GET /rest/api/3/issue/10012/comment?startAt=2", 200, &page(&[comment("you", "second")]));
    let ticket = jira.get(&key()).unwrap().unwrap();
    assert_eq!((ticket.our_comments, ticket.our_last_comment), (2, Some(jira.as_stored("second"))));
}

/// People's changes are asked for by minutes, which no time zone changes.
#[test]
fn changes_are_asked_for_relative_to_now() {
    let (server, jira) = jira();
    let mut people = issue("SEC-13", "new", &[]);
    people["id"] = json!("10013");
    people["fields"]["labels"] = json!(["mend"]);
    people["properties"] = json!({});
    let found = json!({"issues": [issue("SEC-12", "done", &[]), people], "isLast": true});
    server.answer("POST /rest/api/3/search/jql", 200, &found);
    let changed = jira.changed(Some("2026-11-22T08:29:30Z".parse().unwrap())).unwrap();
    assert_eq!(changed.len(), 1, "only what carries a key of ours");
    let jql = server.got()[0].body["jql"].clone();
    assert_eq!(jql, "labels in (\"data-theorem\", \"mend\") AND updated >= \"-91m\"");
}

#[test]
fn data_center_is_searched_the_old_way_and_cloud_the_new_one() {
    let (server, jira) = data_center();
    let mut old = issue("SEC-12", "new", &[]);
    old["fields"]["comment"] = json!({"comments": [{"author": {"key": "me", "name": "sync"}, "body": "*Closed.*\r\nx"}], "total": 1});
    server.answer("POST /rest/api/2/search", 200, &json!({"issues": [old], "total": 1, "startAt": 0}));
    let tickets = jira.find(&op()).unwrap();
    assert_eq!(tickets[0].our_last_comment, Some(jira.as_stored("**Closed.**\nx")));
    assert_eq!(server.got()[0].body["startAt"], 0);
    // Cloud, by version 2: the old search is gone.
    server.answer("POST /rest/api/2/search", 410, &json!({"errorMessages": ["gone"]})).answer(
        "POST /rest/api/2/search/jql",
        200,
        &json!({"issues": [], "isLast": true}),
    );
    assert_eq!(jira.find(&op()).unwrap(), []);
}
