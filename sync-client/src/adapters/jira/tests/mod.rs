//! Replies in the shapes that Atlassian's pages show, in an order that one rarely sees.

mod asking;
mod changing;
mod opening;
mod pacing;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Api, Jira, JiraSettings, Login, ProjectKey};
use crate::adapters::scripted::Scripted;
use crate::core::model::{GroupId, OpKey, TicketKey};
use crate::ports::{NewTicket, Tracker as _};

fn settings() -> JiraSettings {
    JiraSettings {
        url: "https://site.example".parse().unwrap(),
        login: Login::new("sync@site.example", "s3cret-token").unwrap(),
        project: ProjectKey::new("SEC").unwrap(),
        api: Api::Auto,
        issue_type: None,
        done_status: None,
        open_status: None,
        resolution: None,
        search_lag: Duration::from_mins(2),
    }
}

fn op() -> OpKey {
    OpKey::of(&GroupId::new("data-theorem/target/1"))
}

fn key() -> TicketKey {
    TicketKey::new("SEC-12")
}

fn ticket() -> NewTicket {
    NewTicket {
        op: op(),
        title: "Finding".to_owned(),
        description: "It is **bad**.".to_owned(),
        labels: vec!["data-theorem".to_owned(), op().as_str().to_owned()],
    }
}

/// A comment by an account.
fn comment(author: &str, text: &str) -> Value {
    let body = json!({"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": text}]},
    ]});
    json!({"author": {"accountId": author, "displayName": "x"}, "body": body})
}

/// An issue as version 3 shows it.
fn issue(key: &str, category: &str, comments: &[Value]) -> Value {
    json!({
        "id": "10012", "key": key,
        "fields": {
            "status": {"name": if category == "done" { "Done" } else { "To Do" }, "statusCategory": {"key": category}},
            "resolution": if category == "done" { json!({"name": "Fixed"}) } else { Value::Null },
            "labels": ["data-theorem", op().as_str()],
            "comment": {"comments": comments, "total": comments.len(), "startAt": 0, "maxResults": 5_000},
        },
        "properties": {"sync-client": {"key": op().as_str()}},
    })
}

fn field(id: &str, is_required: bool) -> Value {
    json!({"fieldId": id, "name": id, "required": is_required, "hasDefaultValue": false})
}

/// What is asked before anything else, and answered as usual.
fn opens(server: &Scripted, version: u8) {
    let api = format!("GET /rest/api/{version}");
    let types = json!({"total": 3, "issueTypes": [
        {"id": "1", "name": "Epic", "subtask": false}, {"id": "3", "name": "Sub-task", "subtask": true},
        {"id": "2", "name": "Task", "subtask": false},
    ]});
    let fields = ["summary", "issuetype", "project", "labels", "description", "reporter"];
    let fields: Vec<Value> = fields.iter().map(|id| field(id, *id != "labels")).collect();
    let me = if version == 3 { "accountId" } else { "key" };
    server
        .answer(&format!("{api}/myself"), 200, &json!({me: "me", "displayName": "Sync"}))
        .answer(&format!("{api}/project/SEC"), 200, &json!({"id": "10000", "key": "SEC", "name": "Security"}))
        .answer(&format!("{api}/issue/createmeta/10000/issuetypes?"), 200, &types)
        .answer(
            &format!("{api}/issue/createmeta/10000/issuetypes/2?"),
            200,
            &json!({"total": fields.len(), "fields": fields}),
        );
}

/// A Jira of version 3 that was asked who we are.
fn jira() -> (Arc<Scripted>, Jira) {
    let server = Scripted::new();
    opens(&server, 3);
    let jira = Jira::new(settings(), server.caller());
    assert_eq!(jira.identify().unwrap(), "Sync, project Security");
    assert_eq!((server.asked().len(), server.unused()), (4, 0));
    (server, jira)
}

/// A Jira that has version 2 alone.
fn data_center() -> (Arc<Scripted>, Jira) {
    let server = Scripted::new();
    server.reply("GET /rest/api/3/myself", 404, &[], "<html>dead link</html>");
    opens(&server, 2);
    let jira = Jira::new(settings(), server.caller());
    jira.identify().unwrap();
    assert_eq!((server.asked().len(), server.unused()), (5, 0));
    (server, jira)
}
