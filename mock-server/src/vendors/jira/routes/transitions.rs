//! `issue/:id/transitions`: the ways on through the workflow.

use std::sync::Arc;

use fixtures::spec::jira as ledger;
use fixtures::world::jira::TransitionSpec;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::issues::add_comments;
use super::{Account, Call, Denial, Denied, Reply};
use crate::http::reject::Because;
use crate::vendors::jira::rules::denial::{FieldProblems, shortened};
use crate::vendors::jira::rules::edits::{Edit, Screen};
use crate::vendors::jira::rules::fields::{Reader, id_of};
use crate::vendors::jira::store::{Directory, Issue, Project};
use crate::vendors::jira::wire::directory;

/// `GET issue/:id/transitions`
pub(super) fn list_transitions(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let known = account.store.directory();
    let project = account.store.project(issue.project).ok_or_else(Denial::no_issue)?;
    let with_fields = call.parameters("expand").any(|part| part == "transitions.fields");
    let only = call.parameter("transitionId");
    // Whoever may not change an issue has no way on.
    let may_write = call.may_write(account).is_ok() && !issue.is_archived;
    let ways = known
        .ways(project, issue.status)
        .filter(|way| may_write && only.is_none_or(|id| id == way.id.to_string()));
    let ways: Vec<Value> = ways.map(|way| directory::transition(way, known, with_fields)).collect();
    Ok(call.linked(200, &json!({"expand": "transitions", "transitions": ways})))
}

/// The way on that a request names.
pub(super) fn way(
    directory: &Directory,
    project: &Project,
    status: u64,
    named: &Value,
) -> Result<TransitionSpec, Denied> {
    let Some(id) = id_of(named) else {
        let text = "Missing 'transition' identifier";
        return Err(Denial::rule(400, &ledger::JIRA_TRANSITION_INVALID, text));
    };
    let found = directory.ways(project, status).find(|way| way.id == id).cloned();
    found.ok_or_else(|| {
        let text = format!("Transition id '{}' is not valid for this issue.", shortened(&id.to_string()));
        Denial::rule(400, &ledger::JIRA_TRANSITION_INVALID, text)
    })
}

/// Moves an issue along a way.
pub(super) fn follow(way: &TransitionSpec, row: &mut Issue, directory: &Directory, now: Timestamp) {
    if row.status != way.to {
        (row.status, row.status_changed) = (way.to, now);
    }
    if let Some(resolution) = way.sets_resolution.filter(|id| directory.resolution(*id).is_some()) {
        (row.resolution, row.resolution_date) = (Some(resolution), Some(now));
    }
    if way.clears_resolution {
        (row.resolution, row.resolution_date) = (None, None);
    }
    row.updated = now;
}

/// `POST issue/:id/transitions`
pub(super) fn do_transition(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let body = call.body()?;
    let project = account.store.project(issue.project).cloned().ok_or_else(Denial::no_issue)?;
    let directory = Arc::clone(account.store.directory());
    let way = way(&directory, &project, issue.status, body.get("transition").unwrap_or(&Value::Null))?;
    let shown = way.screen.clone().unwrap_or_default();
    let screen =
        Screen { fields: &shown, is_project_screen: false, project: &project, labels: &issue.labels };
    let reader = Reader { account, version: call.version, invalid: &ledger::JIRA_EDIT_INVALID };
    let mut problems = FieldProblems::default();
    let mut edit = Edit::read(&body, &screen, &reader, false, &mut problems);
    let required = Because::Rule(&ledger::JIRA_TRANSITION_REQUIRED);
    edit.check_required(&shown, Some(&issue), &directory, required, &mut problems);
    problems.denied()?;
    super::comments::room_for(account, issue.comments.len(), edit.comments.len())?;

    let comments = std::mem::take(&mut edit.comments);
    let mut row = (*issue).clone();
    edit.apply(&mut row, call.now);
    follow(&way, &mut row, &directory, call.now);
    account.store.put_issue(row, call.now);
    add_comments(account, call, issue.id, comments);
    Ok(Reply::no_content())
}
