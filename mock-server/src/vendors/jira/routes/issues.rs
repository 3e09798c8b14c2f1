//! `issue`: making, reading, editing, assigning and deleting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixtures::spec::jira as ledger;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::transitions;
use super::{Account, Call, Denial, Denied, Reply};
use crate::http::reject::Because;
use crate::kernel::counted_map::CountedMap;
use crate::vendors::jira::readings::UnchangedEdit;
use crate::vendors::jira::rules::denial::{FieldProblems, shortened};
use crate::vendors::jira::rules::edits::{Edit, Screen};
use crate::vendors::jira::rules::fields::{Reader, id_of, text_of};
use crate::vendors::jira::rules::lengths::{PROPERTY_MAX, SHORT_MAX, length};
use crate::vendors::jira::store::{Comment, Document, Issue, Project, Rendered};
use crate::vendors::jira::wire::errors;
use crate::vendors::jira::wire::issue::{Wanted, push};

/// Most issues that one request makes.
const BULK_MAX: usize = 50;

/// `GET issue/:id`
pub(super) fn get_issue(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    Ok(render(account, call, &issue))
}

fn render(account: &Account, call: &Call<'_>, issue: &Issue) -> Reply {
    let mut names: Vec<&str> = call.parameters("fields").collect();
    if names.is_empty() {
        names.push("*all");
    }
    let properties = call.parameters("properties").map(SmolStr::new).collect();
    let wanted = Wanted { properties, ..Wanted::of(names) };
    let mut body = Vec::with_capacity(4_096);
    push(&mut body, issue, &wanted, &account.store, call.version, &call.here);
    Reply::json(200, body)
}

/// `POST issue`
pub(super) fn create_issue(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    call.may_write(account)?;
    let body = call.body()?;
    let row = create(account, call, &body)?;
    Ok(Reply::value(201, &made(call, &row)))
}

/// `POST issue/bulk`
pub(super) fn create_issues(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    call.may_write(account)?;
    let body = call.body()?;
    let Some(updates) = body.get("issueUpdates").and_then(Value::as_array) else {
        return Err(Denial::rule(400, &ledger::JIRA_CREATE_INVALID, "issueUpdates is a list of issues"));
    };
    if updates.len() > BULK_MAX {
        let text = format!("The number of issues to create is limited to {BULK_MAX}.");
        return Err(Denial::rule(400, &ledger::JIRA_BULK_MAX, text));
    }
    let (mut issues, mut failures, mut first) = (Vec::new(), Vec::new(), None);
    for (place, update) in updates.iter().enumerate() {
        let empty = Map::new();
        match create(account, call, update.as_object().unwrap_or(&empty)) {
            Ok(row) => issues.push(made(call, &row)),
            Err(denied) => {
                failures.push(json!({
                    "status": denied.refusal.status,
                    "elementErrors": errors(&denied),
                    "failedElementNumber": place,
                }));
                first.get_or_insert(denied);
            }
        }
    }
    let body = json!({"issues": issues, "errors": failures});
    let has_complaints = first.is_some();
    match first {
        Some(mut denied) if issues.is_empty() => {
            denied.refusal.status = 400;
            denied.body = Some(body.to_string().into_bytes());
            Err(denied)
        }
        None if issues.is_empty() => {
            Err(Denial::rule(400, &ledger::JIRA_CREATE_INVALID, "issueUpdates has no issues"))
        }
        _ => Ok(Reply { has_complaints, ..Reply::value(201, &body) }),
    }
}

fn made(call: &Call<'_>, row: &Issue) -> Value {
    json!({"id": row.id.to_string(), "key": row.key, "self": format!("{}/issue/{}", call.here, row.id)})
}

/// The project that a new issue names, if the user may see it.
fn project_of(account: &Account, call: &Call<'_>, fields: &Value) -> Result<Arc<Project>, &'static str> {
    let Some(value) = fields.get("project").filter(|value| !value.is_null()) else {
        return Err("project is required");
    };
    let found = match (id_of(value), text_of(value, "key")) {
        (Some(id), _) => account.store.project(id),
        (None, Some(key)) => account.store.project_of_key(key),
        (None, None) => None,
    };
    found.filter(|project| call.sees(project)).cloned().ok_or("valid project is required")
}

/// Makes an issue from `fields`, `update`, `properties` and `transition`.
fn create(account: &mut Account, call: &Call<'_>, body: &Map<String, Value>) -> Result<Arc<Issue>, Denied> {
    let invalid = Because::Rule(&ledger::JIRA_CREATE_INVALID);
    let mut problems = FieldProblems::default();
    let fields = body.get("fields").cloned().unwrap_or_else(|| json!({}));
    let project = match project_of(account, call, &fields) {
        Ok(project) => project,
        Err(text) => {
            problems.field(invalid, "project", text);
            return Err(refused(problems));
        }
    };
    let directory = Arc::clone(account.store.directory());
    let reader = Reader { account, version: call.version, invalid: &ledger::JIRA_CREATE_INVALID };
    let issue_type = match fields.get("issuetype") {
        None => Err("Specify an issue type".to_owned()),
        Some(value) => reader.issue_type(value, &project.spec.issue_types).map_err(|wrong| wrong.text),
    };
    let issue_type = match issue_type {
        Ok(row) => row.id,
        Err(text) => {
            problems.field(invalid, "issuetype", text);
            return Err(refused(problems));
        }
    };
    let initial = directory.workflow(&project).map_or(0, |workflow| workflow.initial);
    let way = body.get("transition").filter(|way| !way.is_null());
    let way = way.map(|way| transitions::way(&directory, &project, initial, way)).transpose()?;
    let mut shown = project.spec.screen.clone();
    shown.extend(way.iter().flat_map(|way| way.screen.iter().flatten().cloned()));
    let none = BTreeSet::new();
    let screen = Screen { fields: &shown, is_project_screen: true, project: &project, labels: &none };
    let edit = Edit::read(body, &screen, &reader, true, &mut problems);
    if edit.summary.is_none() {
        problems.field(invalid, "summary", "You must specify a summary of the issue.");
    }
    edit.check_required(&shown, None, &directory, invalid, &mut problems);
    let properties = properties_of(body, account, &mut problems);
    problems.denied()?;
    super::comments::room_for(account, 0, edit.comments.len())?;

    let own = call.user.as_ref().map(|user| SmolStr::new(&user.spec.account_id));
    let id = account.store.next_issue_id();
    let mut row = Issue {
        id,
        key: account.store.next_key(&project),
        former_keys: Arc::default(),
        project: project.spec.id,
        issue_type,
        status: initial,
        status_changed: call.now,
        resolution: None,
        resolution_date: None,
        summary: "".into(),
        description: None,
        labels: Arc::default(),
        priority: usual_priority(&directory),
        assignee: None,
        reporter: own.clone(),
        creator: own,
        custom: Arc::new(BTreeMap::new()),
        created: call.now,
        updated: call.now,
        is_hidden: false,
        is_archived: false,
        comments: CountedMap::default(),
        links: CountedMap::default(),
        properties: properties.iter().cloned().collect(),
        rendered: Rendered::default(),
    };
    let mut edit = edit;
    let comments = std::mem::take(&mut edit.comments);
    edit.apply(&mut row, call.now);
    if let Some(way) = way {
        transitions::follow(&way, &mut row, &directory, call.now);
    }
    account.store.note_properties(id, properties.into_iter().map(|(key, _)| key));
    account.store.put_issue(row, call.now);
    add_comments(account, call, id, comments);
    account.store.issue(id).cloned().ok_or_else(Denial::no_issue)
}

/// The priority of an issue that names none: the middle one.
pub(in crate::vendors::jira) fn usual_priority(
    directory: &crate::vendors::jira::store::Directory,
) -> Option<u64> {
    directory.priorities.get(directory.priorities.len() / 2).map(|row| row.id)
}

/// Adds comments that came with an edit.
pub(super) fn add_comments(account: &mut Account, call: &Call<'_>, id: u64, bodies: Vec<Value>) {
    for body in bodies {
        let Some(issue) = account.store.issue(id).cloned() else { return };
        let comment = Comment {
            id: account.store.next_comment_id(),
            author: call.user.as_ref().map(|user| SmolStr::new(&user.spec.account_id)),
            body: Document::of(&body),
            created: call.now,
            updated: call.now,
        };
        account.store.put_comment(&issue, comment, call.now);
    }
}

fn refused(problems: FieldProblems) -> Denied {
    match problems.denied() {
        Err(denied) => denied,
        Ok(()) => Denial::rule(400, &ledger::JIRA_CREATE_INVALID, "the request makes no sense"),
    }
}

/// Entity properties that come with an issue: `[{key, value}]`.
fn properties_of(
    body: &Map<String, Value>,
    account: &Account,
    problems: &mut FieldProblems,
) -> Vec<(SmolStr, Arc<Value>)> {
    let mut found = Vec::new();
    let list = match body.get("properties") {
        None | Some(Value::Null) => return found,
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => {
            problems.message(Because::Rule(&ledger::JIRA_CREATE_INVALID), "properties is a list");
            return found;
        }
    };
    for property in list {
        let (key, value) = (text_of(property, "key").unwrap_or_default(), property.get("value"));
        match check_property(key, value, account) {
            Ok(value) => found.push((SmolStr::new(key), Arc::new(value.clone()))),
            Err(denied) => problems.message(denied.refusal.because, denied.refusal.reason.into_owned()),
        }
    }
    found
}

/// Whether key and value of an entity property are short enough, and there.
pub(super) fn check_property<'v>(
    key: &str,
    value: Option<&'v Value>,
    account: &Account,
) -> Result<&'v Value, Denied> {
    if key.is_empty() || length(key, account.readings()) > SHORT_MAX {
        let text = "The property key has to be between 1 and 255 characters long.";
        return Err(Denial::rule(400, &ledger::JIRA_PROPERTY_KEY, text));
    }
    let refuse = |text: String| Err(Denial::rule(400, &ledger::JIRA_PROPERTY_VALUE, text));
    let Some(value) = value else { return refuse("The property value is missing.".to_owned()) };
    if length(&value.to_string(), account.readings()) > PROPERTY_MAX {
        return refuse(format!("The property value is longer than {PROPERTY_MAX} characters."));
    }
    Ok(value)
}

/// `PUT issue/:id`
pub(super) fn edit_issue(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let body = call.body()?;
    if body.contains_key("transition") {
        call.flags
            .borrow_mut()
            .push(format!("{}: the transition is ignored", ledger::JIRA_EDIT_NO_TRANSITION.id));
    }
    for name in body.keys().filter(|name| {
        !["fields", "update", "properties", "transition", "historyMetadata"].contains(&name.as_str())
    }) {
        call.flags.borrow_mut().push(format!("{} is unknown", shortened(name)));
    }
    let mut problems = FieldProblems::default();
    let project = account.store.project(issue.project).cloned().ok_or_else(Denial::no_issue)?;
    let directory = Arc::clone(account.store.directory());
    let reader = Reader { account, version: call.version, invalid: &ledger::JIRA_EDIT_INVALID };
    let screen = Screen {
        fields: &project.spec.screen,
        is_project_screen: true,
        project: &project,
        labels: &issue.labels,
    };
    let mut edit = Edit::read(&body, &screen, &reader, false, &mut problems);
    let invalid = Because::Rule(&ledger::JIRA_EDIT_INVALID);
    edit.check_required(&project.spec.screen, Some(&issue), &directory, invalid, &mut problems);
    let properties = properties_of(&body, account, &mut problems);
    problems.denied()?;
    super::comments::room_for(account, issue.comments.len(), edit.comments.len())?;

    let comments = std::mem::take(&mut edit.comments);
    let mut row = (*issue).clone();
    let is_changed =
        edit.apply(&mut row, call.now) || account.readings().unchanged_edit == UnchangedEdit::Bumps;
    if is_changed {
        row.updated = call.now;
    }
    for (key, value) in &properties {
        row.properties.insert(key.clone(), Arc::clone(value));
    }
    account.store.note_properties(issue.id, properties.into_iter().map(|(key, _)| key));
    account.store.put_issue(row, call.now);
    add_comments(account, call, issue.id, comments);
    if call.flag("returnIssue") {
        let row = call.issue(account)?;
        return Ok(render(account, call, &row));
    }
    Ok(Reply::no_content())
}

/// `PUT issue/:id/assignee`
pub(super) fn assign_issue(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let body = Value::Object(call.body()?);
    let reader = Reader { account, version: call.version, invalid: &ledger::JIRA_EDIT_INVALID };
    // -1 is whoever gets issues of the project by default, and here that is nobody.
    let nobody = body.get("accountId").is_some_and(|id| id.is_null() || id == "-1");
    let assignee = if nobody { Ok(None) } else { reader.person(&body) };
    let assignee = assignee.map_err(|wrong| {
        let mut problems = FieldProblems::default();
        problems.field(wrong.because, "assignee", wrong.text);
        refused(problems)
    })?;
    if issue.assignee != assignee {
        let row = Issue { assignee, updated: call.now, ..(*issue).clone() };
        account.store.put_issue(row, call.now);
    }
    Ok(Reply::no_content())
}

/// `DELETE issue/:id`
pub(super) fn delete_issue(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    account.store.remove_issue(issue.id, call.now);
    Ok(Reply::no_content())
}
