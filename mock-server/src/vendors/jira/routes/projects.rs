//! `project`

#![expect(clippy::unnecessary_wraps, reason = "handlers have one form, whether or not they ever refuse")]

use std::sync::Arc;

use fixtures::spec::jira as ledger;
use serde_json::{Value, json};

use super::{Account, Call, Denial, Denied, Reply};
use crate::vendors::jira::rules::denial::shortened;
use crate::vendors::jira::store::Project;
use crate::vendors::jira::wire::{directory, link};

/// `GET project`
pub(super) fn list_projects(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let seen = account.store.projects().filter(|project| call.sees(project));
    Ok(call.linked(200, &seen.map(|project| directory::project(&project.spec)).collect()))
}

/// `GET project/search`. With credentials that are not valid nothing is found.
pub(super) fn search_projects(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let keys: Vec<String> = call.parameters("keys").map(str::to_uppercase).collect();
    let text = call.parameter("query").unwrap_or_default().to_lowercase();
    let is_meant = |project: &&Arc<Project>| {
        let spec = &project.spec;
        let named = spec.key.to_lowercase().contains(&text) || spec.name.to_lowercase().contains(&text);
        call.sees(project) && named && (keys.is_empty() || keys.contains(&spec.key))
    };
    let mut found: Vec<&Arc<Project>> = account.store.projects().filter(is_meant).collect();
    found.sort_by(|left, right| left.spec.key.cmp(&right.spec.key));
    let page = call.counted(50, 100, found.len());
    let values: Vec<Value> =
        page.of(&found).iter().map(|project| directory::project(&project.spec)).collect();
    Ok(call.linked(
        200,
        &json!({
            "self": link("project/search"),
            "maxResults": page.max,
            "startAt": page.start,
            "total": page.total,
            "isLast": page.is_last(),
            "values": values,
        }),
    ))
}

/// The project that a path names by key or number, if the user may see it.
pub(super) fn project<'a>(account: &'a Account, call: &Call<'_>) -> Result<&'a Arc<Project>, Denied> {
    let name = call.id(0);
    let found = match name.parse() {
        Ok(id) => account.store.project(id),
        Err(_) => account.store.project_of_key(name),
    };
    found.filter(|project| call.sees(project)).ok_or_else(|| {
        let text = format!("No project could be found with key '{}'.", shortened(name));
        Denial::rule(404, &ledger::JIRA_PROJECT_404, text)
    })
}

/// `GET project/:id`
pub(super) fn get_project(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let project = project(account, call)?;
    Ok(call.linked(200, &directory::whole_project(project, account.store.directory())))
}
