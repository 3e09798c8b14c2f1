//! Making and changing issues.

use serde_json::{Value, json};

use super::{comment, data_center, issue, jira, key, op, ticket};
use crate::core::text::Units;
use crate::ports::{Change, Created, Granted, NewTicket, NoReply, Tracker as _, TrackerError};

const MADE: &str =
    r#"{"id": "10012", "key": "SEC-12", "self": "https://site.example/rest/api/3/issue/10012"}"#;

fn way(id: &str, status: &str, category: &str) -> Value {
    json!({"id": id, "to": {"id": "5", "name": status, "statusCategory": {"key": category}}, "fields": {}})
}

fn closes() -> Change {
    Change { comment: Some("Closed.".to_owned()), is_done: Some(true) }
}

#[test]
fn an_issue_is_made_in_one_request_with_label_and_property() {
    let (server, jira) = jira();
    server.reply("POST /rest/api/3/issue", 201, &[], MADE).answer(
        "GET /rest/api/3/issue/10012",
        200,
        &issue("SEC-12", "new", &[]),
    );
    let Created::New(made) = jira.create(&ticket()).unwrap() else { panic!("it is new") };
    assert_eq!((made.key.as_str(), made.op), ("SEC-12", Some(op())));
    let sent = server.got().remove(0).body;
    assert_eq!(sent["properties"], json!([{"key": "sync-client", "value": {"key": op().as_str()}}]));
    let fields = &sent["fields"];
    assert_eq!(fields["labels"], json!(["data-theorem", op().as_str()]));
    assert_eq!((&fields["project"], &fields["issuetype"]), (&json!({"id": "10000"}), &json!({"id": "2"})));
    assert_eq!(fields["description"]["type"], "doc");
}

/// Rows 1 and 2 of the catalogue.
#[test]
fn an_issue_is_asked_for_once_whatever_is_answered() {
    for (status, is_in_doubt) in [
        (500, true),
        (502, true),
        (503, true),
        (504, true),
        (400, false),
        (403, false),
        (413, false),
        (422, false),
    ] {
        let (server, jira) = jira();
        server.reply("POST /rest/api/3/issue", status, &[], "<html>oops</html>");
        let error = jira.create(&ticket()).unwrap_err();
        assert_eq!(matches!(error, TrackerError::Unknown(_)), is_in_doubt, "{status}: {error}");
        assert_eq!(server.asked().len(), 1);
    }
    let (server, jira) = jira();
    server.fail("POST /rest/api/3/issue", NoReply::Unknown("timeout".to_owned()));
    assert!(matches!(jira.create(&ticket()), Err(TrackerError::Unknown(_))));
    for body in ["", "{}", "<html>", r#"{"id": "10012"}"#] {
        server.reply("POST /rest/api/3/issue", 201, &[], body);
        assert!(matches!(jira.create(&ticket()), Err(TrackerError::Unknown(_))), "{body}");
    }
    server.reply("POST /rest/api/3/issue", 401, &[], "");
    assert!(matches!(jira.create(&ticket()), Err(TrackerError::Credential(_))));
}

/// An issue that was made is made, also if it can't be looked at.
#[test]
fn what_was_made_is_known_although_it_can_not_be_read() {
    let (server, jira) = jira();
    server.reply("POST /rest/api/3/issue", 201, &[], MADE).reply("GET /rest/api/3/issue/10012", 404, &[], "");
    let Created::Unseen(made, _) = jira.create(&ticket()).unwrap() else { panic!("nobody saw it") };
    assert_eq!((made.key.as_str(), made.op), ("SEC-12", Some(op())));
}

/// Row 10 of the catalogue.
#[test]
fn an_issue_without_its_label_is_the_only_one() {
    let (server, jira) = jira();
    let mut bare = issue("SEC-12", "new", &[]);
    bare["fields"]["labels"] = json!([&op().as_str()[..20]]);
    server.reply("POST /rest/api/3/issue", 201, &[], MADE).answer("GET /rest/api/3/issue/10012", 200, &bare);
    let Created::New(made) = jira.create(&ticket()).unwrap() else { panic!("it is new") };
    assert_eq!((made.key.as_str(), made.op), ("SEC-12", None));
    server.asked();
    let text = jira.create(&ticket()).unwrap_err().to_string();
    assert!(text.contains("Jira made SEC-12 without its label, so no other issue is made"), "{text}");
    assert!(server.asked().is_empty());

    let (server, jira) = super::jira();
    let text = "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown.";
    server.answer("POST /rest/api/3/issue", 400, &json!({"errorMessages": [], "errors": {"labels": text}}));
    let said = jira.create(&ticket()).unwrap_err().to_string();
    assert!(said.contains(&format!("labels: {text}")), "{said}");
    assert_eq!(server.asked().len(), 1, "none is made without it");
}

#[test]
fn a_ticket_is_commented_on_and_closed_and_read_back() {
    let (server, jira) = jira();
    server
        .answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]))
        .answer(
            "GET /rest/api/3/issue/10012/transitions",
            200,
            &json!({"transitions": [way("11", "Doing", "indeterminate"), way("31", "Fertig", "done")]}),
        )
        .answer("POST /rest/api/3/issue/10012/comment", 201, &json!({"id": "1"}))
        .answer("POST /rest/api/3/issue/10012/transitions", 204, &Value::Null)
        .answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "done", &[comment("me", "Closed.")]));
    let ticket = jira.update(&key(), &closes()).unwrap();
    assert!(ticket.is_done);
    assert_eq!(ticket.our_last_comment, Some(jira.as_stored("Closed.")));
    let got = server.got();
    assert_eq!(got[2].body["body"]["content"][0]["content"][0]["text"], "Closed.");
    assert_eq!(got[3].body, json!({"transition": {"id": "31"}}));
}

/// Row 32 of the catalogue. Where there is no way nothing is said either.
#[test]
fn where_no_way_leads_nothing_is_written() {
    let (server, jira) = jira();
    let mut strict = way("31", "Done", "done");
    strict["fields"] =
        json!({"customfield_1": {"required": true, "hasDefaultValue": false, "name": "Cause"}});
    for (ways, wanted) in [
        (json!([]), "leads to no done status"),
        (json!([way("11", "Doing", "indeterminate")]), "from here it leads to Doing"),
        (json!([strict]), "asks for \"Cause\""),
    ] {
        server.answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[])).answer(
            "GET /rest/api/3/issue/10012/transitions",
            200,
            &json!({"transitions": ways}),
        );
        let text = jira.update(&key(), &closes()).unwrap_err().to_string();
        assert!(text.contains(wanted) && text.contains("SEC-12"), "{text}");
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn what_needs_no_change_is_not_written() {
    let (server, jira) = jira();
    server.answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "done", &[]));
    let change = Change { comment: None, is_done: Some(true) };
    assert!(jira.update(&key(), &change).unwrap().is_done);
    assert_eq!(server.asked().len(), 1);
    server.answer("GET /rest/api/3/issue/SEC-12", 404, &json!({}));
    assert!(matches!(jira.update(&key(), &change).unwrap_err().error, TrackerError::Refused(_)));
}

/// A comment and a transition may have been done: neither is sent again, and what came of it is looked at next time.
#[test]
fn a_change_of_unknown_outcome_is_not_repeated() {
    for lost in ["comment", "transitions"] {
        let (server, jira) = jira();
        server
            .answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]))
            .answer(
                "GET /rest/api/3/issue/10012/transitions",
                200,
                &json!({"transitions": [way("31", "Done", "done")]}),
            )
            .fail(&format!("POST /rest/api/3/issue/10012/{lost}"), NoReply::Unknown("reset".to_owned()))
            .answer("POST /rest/api/3/issue/10012/comment", 201, &json!({}));
        assert!(
            matches!(jira.update(&key(), &closes()).unwrap_err().error, TrackerError::Unknown(_)),
            "{lost}"
        );
        let writes =
            server.asked().iter().filter(|what| what.contains(lost) && what.starts_with("POST")).count();
        assert_eq!(writes, 1, "{lost}");
    }
}

/// What was granted before the change broke off is told, so that a run does not count less than it did.
#[test]
fn what_was_granted_of_a_change_that_broke_off_is_told() {
    for (granted, then) in [
        (Granted { comment: true, is_done: None }, 403),
        (Granted { comment: true, is_done: Some(true) }, 204),
    ] {
        let (server, jira) = jira();
        server
            .answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]))
            .answer(
                "GET /rest/api/3/issue/10012/transitions",
                200,
                &json!({"transitions": [way("31", "Done", "done")]}),
            )
            .answer("POST /rest/api/3/issue/10012/comment", 201, &json!({}))
            .answer("POST /rest/api/3/issue/10012/transitions", then, &Value::Null)
            .answer("GET /rest/api/3/issue/SEC-12", 404, &json!({}));
        let broken = jira.update(&key(), &closes()).unwrap_err();
        assert_eq!(broken.granted, granted, "{broken}");
        assert!(!broken.left_all_as_it_was());
    }
}

/// A workflow that sends the ticket back, or a 204 that did nothing.
#[test]
fn a_ticket_that_did_not_stay_done_is_no_success() {
    let (server, jira) = jira();
    server
        .answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]))
        .answer(
            "GET /rest/api/3/issue/10012/transitions",
            200,
            &json!({"transitions": [way("31", "Done", "done")]}),
        )
        .answer("POST /rest/api/3/issue/10012/transitions", 204, &Value::Null)
        .answer("GET /rest/api/3/issue/SEC-12", 200, &issue("SEC-12", "new", &[]));
    let change = Change { comment: None, is_done: Some(true) };
    let text = jira.update(&key(), &change).unwrap_err().to_string();
    assert!(text.contains("it is still \"To Do\""), "{text}");
}

/// Row 50 of the catalogue: whatever Jira counts, the text fits, and no character or node is broken.
#[test]
fn a_text_fits_however_jira_counts_it() {
    let description = format!("{}\n\n---\nKept in step ({}).", "- a **b** | 😀\n".repeat(3_000), op());
    for is_cloud in [true, false] {
        let (server, jira) = if is_cloud { jira() } else { data_center() };
        let api = if is_cloud { 3 } else { 2 };
        server.reply(&format!("POST /rest/api/{api}/issue"), 201, &[], MADE).answer(
            &format!("GET /rest/api/{api}/issue/10012"),
            200,
            &issue("SEC-12", "new", &[]),
        );
        jira.create(&NewTicket { description: description.clone(), ..ticket() }).unwrap();
        let sent = server.got().remove(0).body["fields"]["description"].take();
        let text = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
        assert!(Units::Utf16.count(&text) <= 32_767, "{is_cloud}");
        assert!(Units::Utf16.count(&text) > 32_500, "{is_cloud}: as much as fits");
        assert!(text.contains("… cut") && text.contains(op().as_str()), "{is_cloud}: the end stays");
    }
}

#[test]
fn data_center_gets_wiki_markup() {
    let (server, jira) = data_center();
    server.reply("POST /rest/api/2/issue", 201, &[], MADE).answer(
        "GET /rest/api/2/issue/10012",
        200,
        &issue("SEC-12", "new", &[]),
    );
    jira.create(&ticket()).unwrap();
    assert_eq!(server.got()[0].body["fields"]["description"], "It is *bad*.");
}
