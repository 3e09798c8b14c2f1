//! A Jira site, what is in it, and what the client's requests to it mean.

use contract_tests::judge::journal::Call;
use fixtures::builders::jira::{DONE, IN_PROGRESS, TO_DO, WONT_DO, project, site as ordinary_site, user};
use fixtures::world::Event;
use fixtures::world::jira::{IssueSpec, JiraWorld, StatusCategory, StatusSpec, Text};
use http::Method;
use mock_server::Control;
use serde_json::{Value, json};
use sync_client::adapters::jira::{Api, JiraSettings, Login, ProjectKey};
use sync_client::adapters::local::{CLIENT, Comment, Details, Summary};
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::ports::Request;

use super::SEARCH_LAG;
use crate::record::{Record, fields};

/// What the keys of new issues begin with.
pub(crate) const PROJECT: &str = "APPSEC";
/// A project that issues are moved to.
const OTHER_PROJECT: &str = "TEAM";

/// What people call what is over, and what is not, besides the statuses of every site.
const STATUSES: [(&str, StatusCategory); 6] = [
    ("Won't Fix", StatusCategory::Done),
    ("Risk Accepted", StatusCategory::Done),
    ("Compensating Control", StatusCategory::Done),
    ("Verified", StatusCategory::Done),
    ("Open", StatusCategory::New),
    ("Done?", StatusCategory::Indeterminate),
];

/// A site with two projects and no issue, whose search lags. From every status there is a way to the end, where a
/// screen asks for a resolution, and from everything that is over a way back.
pub(crate) fn site() -> JiraWorld {
    let mut site = ordinary_site();
    site.users.push(user("ada"));
    site.projects =
        vec![project(10_000, PROJECT, "Application security"), project(10_001, OTHER_PROJECT, "Team")];
    let (mut open, mut over) = (vec![TO_DO, IN_PROGRESS], vec![DONE, WONT_DO]);
    for (number, (name, category)) in STATUSES.into_iter().enumerate() {
        let id = 10_100 + number as u64;
        site.statuses.push(StatusSpec { id, name: name.to_owned(), category });
        if category == StatusCategory::Done { over.push(id) } else { open.push(id) }
    }
    for way in &mut site.workflows[0].transitions {
        match way.to {
            DONE | WONT_DO => way.from.extend(&open),
            TO_DO if way.clears_resolution => way.from.extend(&over),
            _ => {}
        }
    }
    site.limits.search_lag_ms = u64::try_from(SEARCH_LAG.as_millis()).unwrap();
    site
}

/// How the client reaches the site at this address.
pub(crate) fn settings(control: &Control, url: &str) -> JiraSettings {
    let jira = control.jira();
    JiraSettings {
        url: url.parse().unwrap(),
        login: Login::new(jira.email(), jira.api_token()).unwrap(),
        project: ProjectKey::new(PROJECT).unwrap(),
        api: Api::Auto,
        issue_type: None,
        done_status: None,
        open_status: None,
        resolution: None,
        search_lag: SEARCH_LAG,
    }
}

/// Something happens at the site.
pub(super) fn happen(control: &Control, event: Value) {
    crate::world::happen(control, event);
}

pub(super) fn edit(control: &Control, key: &TicketKey, edit: &Value) {
    happen(control, json!({"type": "jira.issue_edited", "issue": key.as_str(), "edit": edit}));
}

pub(super) fn set_hidden(control: &Control, key: &TicketKey, is_hidden: bool) {
    happen(control, json!({"type": "jira.issue_hidden", "issue": key.as_str(), "is_hidden": is_hidden}));
}

pub(super) fn set_status(control: &Control, key: &TicketKey, status: &str, is_done: bool) {
    let statuses = control.export_world().jira.statuses;
    let known = statuses.iter().find(|known| known.name.eq_ignore_ascii_case(status)).unwrap();
    assert_eq!(known.category == StatusCategory::Done, is_done, "{status}");
    let event = json!({"type": "jira.issue_transitioned", "issue": key.as_str(), "status": known.name});
    let Event::Jira(event) = Event::try_from(event).unwrap() else { return };
    control.happen(&event).unwrap();
}

/// The account of somebody who works there.
pub(super) fn person(control: &Control) -> String {
    control.export_world().jira.users[1].account_id.clone()
}

/// Every issue, oldest first.
pub(super) fn tickets(control: &Control) -> Vec<Details> {
    let site = control.export_world().jira;
    let mut issues: Vec<&IssueSpec> = site.issues.iter().collect();
    issues.sort_unstable_by_key(|issue| issue.id);
    issues.into_iter().map(|issue| details(&site, issue)).collect()
}

fn details(site: &JiraWorld, issue: &IssueSpec) -> Details {
    let status = site.statuses.iter().find(|status| status.id == issue.status).unwrap();
    let client = site.users[0].account_id.as_str();
    let comments = issue.comments.iter().map(|comment| Comment {
        author: if comment.author.as_deref() == Some(client) { CLIENT } else { "ada" }.to_owned(),
        created: comment.created,
        text: words(&comment.body),
    });
    let is_item = |label: &&String| label.starts_with("data-theorem/") || label.starts_with("mend/");
    Details {
        summary: Summary {
            key: issue.key.clone(),
            status: status.name.clone(),
            is_done: status.category == StatusCategory::Done,
            title: issue.summary.clone(),
            item: issue.labels.iter().find(is_item).cloned(),
        },
        op: issue.properties.get("sync-client").and_then(|value| Some(value["key"].as_str()?.to_owned())),
        former_keys: issue.former_keys.clone(),
        labels: issue.labels.iter().cloned().collect(),
        created: issue.created,
        updated: issue.updated,
        is_hidden: issue.is_hidden || issue.is_archived,
        description: issue.description.as_ref().map(words).unwrap_or_default(),
        comments: comments.collect(),
    }
}

/// The words of a text, without its markup.
fn words(text: &Text) -> String {
    match text {
        Text::Plain(text) => text.clone(),
        Text::Document(document) => words_of(document),
    }
}

fn words_of(node: &Value) -> String {
    if let Some(text) = node["text"].as_str() {
        return text.to_owned();
    }
    let parts = node["content"].as_array().into_iter().flatten().map(words_of);
    let between = if node["type"] == "paragraph" { "" } else { "\n" };
    parts.collect::<Vec<_>>().join(between)
}

/// What a request to Jira is to the judge; `None`: nothing that it knows, such as a look at a project. `delivered` is
/// what the site answered, if it got the request. It is asked after the request was acted upon.
pub(crate) fn call(
    control: &Control,
    record: &Record,
    request: &Request,
    delivered: Option<&(u16, Value)>,
) -> Option<Call> {
    let path = request.url.split("/rest/api/").nth(1)?;
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let answered = delivered.filter(|(status, _)| (200..300).contains(status)).map(|(_, body)| body);
    let (is_read, is_write) = (request.method == Method::GET, request.method == Method::POST);
    match parts.as_slice() {
        ["myself"] => Some(Call::Identify),
        ["search", ..] => {
            let jql = body["jql"].as_str().unwrap_or_default();
            let op = jql.strip_prefix("labels = \"").and_then(|rest| rest.split('"').next());
            let rows = answered.and_then(|body| body["issues"].as_array());
            let found = rows.into_iter().flatten().filter_map(|row| Some(row["key"].as_str()?.into()));
            Some(Call::Find {
                group: op.and_then(|op| record.group_of(&OpKey::new(op))),
                found: found.collect(),
            })
        }
        ["issue"] if is_write => {
            let ticket = answered.and_then(|body| body["key"].as_str());
            let made = ticket.and_then(|key| find(control, key)).map(|(_, details)| details);
            let op = body["properties"][0]["value"]["key"].as_str().unwrap_or_default();
            Some(Call::Create {
                group: record.group_of(&OpKey::new(op)),
                ticket: ticket.map(Into::into),
                fields: made.as_ref().map(fields).unwrap_or_default(),
                labels: made.map(|made| made.labels.into_iter().collect()).unwrap_or_default(),
            })
        }
        ["issue", issue] if is_read => {
            let found = answered.and_then(|body| Some(body["key"].as_str()?.into()));
            Some(Call::Get { ticket: key_of(control, issue).as_str().into(), found })
        }
        ["issue", issue, "comment"] if is_write => Some(Call::Comment {
            ticket: key_of(control, issue).as_str().into(),
            text: if body["body"].is_string() {
                body["body"].as_str()?.to_owned()
            } else {
                words_of(&body["body"])
            },
        }),
        ["issue", issue, "transitions"] if is_write => {
            let (site, ticket) = (control.export_world().jira, key_of(control, issue));
            let id = body["transition"]["id"].as_str().unwrap_or_default();
            let mut ways = site.workflows.iter().flat_map(|workflow| &workflow.transitions);
            let way = ways.find(|way| way.id.to_string() == id)?;
            let said = find(control, issue)?.1.comments.pop().map(|comment| comment.text);
            let repeats = said.as_deref().and_then(|text| text.strip_prefix("Duplicate of "));
            Some(Call::SetDone {
                ticket: ticket.as_str().into(),
                is_done: matches!(way.to, DONE | WONT_DO),
                duplicate_of: repeats.and_then(|text| text.split(',').next()).map(Into::into),
            })
        }
        _ => None,
    }
}

/// An issue by its key, a former one, or its number.
fn find(control: &Control, name: &str) -> Option<(u64, Details)> {
    let site = control.export_world().jira;
    let is_it = |issue: &&IssueSpec| {
        issue.key == name || issue.id.to_string() == name || issue.former_keys.iter().any(|key| key == name)
    };
    let issue = site.issues.iter().find(is_it)?;
    Some((issue.id, details(&site, issue)))
}

/// The key of an issue that may be named by its number.
fn key_of(control: &Control, name: &str) -> String {
    if name.contains('-') {
        return name.to_owned();
    }
    find(control, name).map_or_else(|| name.to_owned(), |(_, details)| details.summary.key)
}
