//! What can be set when an issue is made or edited.

use fixtures::spec::jira as ledger;
use fixtures::world::jira::ScreenField;
use serde_json::{Map, Value, json};

use super::projects::project;
use super::{Account, Call, Denial, Denied, Reply};
use crate::vendors::jira::store::{Directory, Project};
use crate::vendors::jira::wire::directory;

/// `GET issue/createmeta/:id/issuetypes`
pub(super) fn list_issue_types(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let project = project(account, call)?;
    let known = account.store.directory();
    let types: Vec<_> = project.spec.issue_types.iter().filter_map(|id| known.issue_type(*id)).collect();
    let page = call.counted(50, 200, types.len());
    let values: Vec<Value> = page.of(&types).iter().map(|row| directory::issue_type(row)).collect();
    Ok(call.linked(
        200,
        &json!({"maxResults": page.max, "startAt": page.start, "total": page.total, "issueTypes": values}),
    ))
}

/// The fields of a project's screen, those that every screen has among them.
fn fields(project: &Project, issue_type: Option<u64>, known: &Directory) -> Vec<Value> {
    let always = ["summary", "issuetype", "project"].map(ScreenField::required);
    let mut fields: Vec<Value> =
        always.iter().chain(&project.spec.screen).map(|field| directory::field(field, known)).collect();
    for field in &mut fields {
        if field["key"] == "project" {
            field["allowedValues"] = json!([directory::project(&project.spec)]);
        } else if field["key"] == "issuetype" {
            let types =
                project.spec.issue_types.iter().filter(|id| issue_type.is_none_or(|only| only == **id));
            field["allowedValues"] =
                types.filter_map(|id| known.issue_type(*id)).map(directory::issue_type).collect();
        }
    }
    fields
}

/// `GET issue/createmeta/:id/issuetypes/:id`
pub(super) fn list_fields(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let project = project(account, call)?;
    let id = call.id(1).parse::<u64>().ok().filter(|id| project.spec.issue_types.contains(id));
    let Some(id) = id else {
        let text = "The project has no issue type of that number.";
        return Err(Denial::rule(404, &ledger::JIRA_META_FIELDS, text));
    };
    let mut fields = fields(project, Some(id), account.store.directory());
    for field in &mut fields {
        field["fieldId"] = field["key"].clone();
    }
    let page = call.counted(50, 200, fields.len());
    Ok(call.linked(
        200,
        &json!({"maxResults": page.max, "startAt": page.start, "total": page.total, "fields": page.of(&fields)}),
    ))
}

/// `GET issue/:id/editmeta`
pub(super) fn get_edit_fields(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let project = account.store.project(issue.project).ok_or_else(Denial::no_issue)?;
    let fields = fields(project, None, account.store.directory());
    let named = fields.into_iter().filter(|field| field["key"] != "project");
    let named: Map<String, Value> =
        named.map(|field| (field["key"].as_str().unwrap_or_default().to_owned(), field)).collect();
    Ok(call.linked(200, &json!({"fields": named})))
}
