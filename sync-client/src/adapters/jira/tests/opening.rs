//! What is proved before anything is believed or made.

use serde_json::{Value, json};

use super::{field, opens, settings, ticket};
use crate::adapters::jira::{Jira, JiraSettings};
use crate::adapters::scripted::Scripted;
use crate::ports::{NoReply, Tracker as _, TrackerError};

fn error(script: impl FnOnce(&Scripted)) -> TrackerError {
    let server = Scripted::new();
    script(&server);
    let jira = Jira::new(settings(), server.caller());
    let error = jira.identify().unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
    error
}

#[test]
fn only_a_credential_that_works_is_believed() {
    for status in [401, 403] {
        let error = error(|server| {
            server.reply("GET /rest/api/3/myself", status, &[], "<html>s3cret-token</html>");
        });
        assert!(matches!(error, TrackerError::Credential(_)), "{error}");
    }
    // The tell of a credential that failed, on a reply that looks as if nothing was wrong.
    let error = error(|server| {
        server.answer("GET /rest/api/3/myself", 200, &json!({"accountId": "me"})).reply(
            "GET /rest/api/3/project",
            200,
            &[("x-seraph-loginreason", "AUTHENTICATED_FAILED")],
            "{}",
        );
    });
    assert!(matches!(error, TrackerError::Credential(_)), "{error}");
}

#[test]
fn something_else_at_the_address_is_said_so() {
    let text = error(|server| {
        server.reply("GET /rest/api/3/myself", 404, &[], "").reply("GET /rest/api/2/myself", 404, &[], "");
    });
    assert_eq!(text, TrackerError::Refused("there is no Jira at this address".to_owned()));
    let text = error(|server| {
        server.reply("GET /rest/api/3/myself", 302, &[("location", "https://login.example")], "");
    });
    assert!(text.to_string().contains("is the address right?"), "{text}");
    for body in ["{}", "[]", r#"{"displayName": "x"}"#] {
        let text = error(|server| {
            server.reply("GET /rest/api/3/myself", 200, &[], body);
        });
        assert!(matches!(text, TrackerError::Refused(_)), "{text}");
    }
    let text = error(|server| {
        for _ in 0..5 {
            server.fail("GET /rest/api/3/myself", NoReply::Unknown("reset".to_owned()));
        }
    });
    assert!(matches!(text, TrackerError::Unavailable(_)), "{text}");
}

#[test]
fn a_project_that_is_not_seen_is_no_empty_one() {
    let text = error(|server| {
        server.answer("GET /rest/api/3/myself", 200, &json!({"accountId": "me"})).answer(
            "GET /rest/api/3/project/SEC",
            404,
            &json!({"errorMessages": ["No project"]}),
        );
    });
    assert!(text.to_string().contains("there is no project SEC, or this user may not see it"), "{text}");
}

/// Row 10 of the catalogue: without a field for its label no issue is made.
#[test]
fn a_screen_that_lacks_or_wants_a_field_is_refused_by_name() {
    let with_fields = |fields: &[Value]| {
        let server = Scripted::new();
        server
            .answer("GET /rest/api/3/myself", 200, &json!({"accountId": "me"}))
            .answer("GET /rest/api/3/project/SEC", 200, &json!({"id": "10000", "name": "Security"}))
            .answer(
                "GET /rest/api/3/issue/createmeta/10000/issuetypes?",
                200,
                &json!({"total": 1, "issueTypes": [{"id": "2", "name": "Bug"}]}),
            )
            .answer(
                "GET /rest/api/3/issue/createmeta/10000/issuetypes/2?",
                200,
                &json!({"total": fields.len(), "fields": fields}),
            );
        let jira = Jira::new(settings(), server.caller());
        jira.identify().map_err(|error| error.to_string())
    };
    let (labels, description) = (field("labels", false), field("description", false));
    assert!(with_fields(&[labels.clone(), description.clone()]).is_ok());
    let text = with_fields(std::slice::from_ref(&description)).unwrap_err();
    assert!(text.contains("has no field labels: add it"), "{text}");
    let text = with_fields(&[labels.clone(), description.clone(), field("Team", true)]).unwrap_err();
    assert!(text.contains("need Team, which the client can't fill in"), "{text}");
    let mut team = field("Team", true);
    team["hasDefaultValue"] = json!(true);
    assert!(with_fields(&[labels, description, team]).is_ok());
}

#[test]
fn the_kind_of_issue_is_the_one_that_is_named() {
    let identify = |wanted: Option<&str>| {
        let server = Scripted::new();
        opens(&server, 3);
        let settings = JiraSettings { issue_type: wanted.map(str::to_owned), ..settings() };
        let jira = Jira::new(settings, server.caller());
        jira.identify().map(|_| server.asked()).map_err(|error| error.to_string())
    };
    assert!(identify(Some("task")).unwrap()[3].contains("/issuetypes/2?"));
    let text = identify(Some("Bug")).unwrap_err();
    assert!(text.contains("no issue \"Bug\" in project SEC; there are: Epic, Sub-task, Task"), "{text}");
}

/// Older Data Centers do not tell what a project has.
#[test]
fn where_jira_does_not_tell_the_name_is_used_as_it_is() {
    let (server, wanted) = (Scripted::new(), Some("Defekt".to_owned()));
    server
        .answer("GET /rest/api/3/myself", 200, &json!({"accountId": "me"}))
        .answer("GET /rest/api/3/project/SEC", 200, &json!({"id": "10000"}))
        .answer("GET /rest/api/3/issue/createmeta/10000/issuetypes?", 404, &json!({}))
        .answer("POST /rest/api/3/issue", 400, &json!({"errors": {"issuetype": "is unknown"}}));
    let jira = Jira::new(JiraSettings { issue_type: wanted, ..settings() }, server.caller());
    let text = jira.create(&ticket()).unwrap_err().to_string();
    assert!(text.contains("POST /rest/api/3/issue answers 400: issuetype: is unknown"), "{text}");
    assert_eq!(server.got()[3].body["fields"]["issuetype"], json!({"name": "Defekt"}));
}
