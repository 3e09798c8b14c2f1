//! Who one is, what the site is, and what an administrator set up.

#![expect(clippy::unnecessary_wraps, reason = "handlers have one form, whether or not they ever refuse")]

use fixtures::spec::jira as ledger;
use fixtures::world::jira::StatusCategory;
use http::HeaderName;
use serde_json::{Value, json};

use super::{Account, Call, Denial, Denied, Reply};
use crate::vendors::jira::BASE_PATH;
use crate::vendors::jira::wire::{directory, people, time};

/// `GET myself`
pub(super) fn get_myself(_: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let Some(user) = &call.user else {
        let rule =
            if call.is_failed_login { &ledger::JIRA_AUTH_MYSELF_401 } else { &ledger::JIRA_MYSELF_ANONYMOUS };
        let text = "Client must be authenticated to access this resource.";
        let mut denied = Denial::rule(401, rule, text);
        denied.is_page = true;
        denied.headers.push((HeaderName::from_static("www-authenticate"), "OAuth realm=\"/\"".to_owned()));
        return Err(denied);
    };
    let mut shown = people::user(&user.spec);
    shown["locale"] = "en_US".into();
    shown["groups"] = json!({"size": 0, "items": []});
    shown["applicationRoles"] = json!({"size": 0, "items": []});
    Ok(call.linked(200, &shown))
}

/// `GET serverInfo`, which everybody may ask.
pub(super) fn get_server_info(_: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let origin = call.here.split(BASE_PATH).next().unwrap_or_default();
    Ok(Reply::value(
        200,
        &json!({
            "baseUrl": origin,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100_000,
            "buildDate": "2026-01-01T00:00:00.000+0000",
            "serverTime": time(call.now),
            "scmInfo": "mock-server",
            "serverTitle": "Jira",
        }),
    ))
}

/// `GET label`
pub(super) fn list_labels(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let labels = account.store.labels(|project| call.sees(project));
    let page = call.counted(1_000, 1_000, labels.len());
    Ok(Reply::value(
        200,
        &json!({
            "maxResults": page.max,
            "startAt": page.start,
            "total": page.total,
            "isLast": page.is_last(),
            "values": labels.slice(page.places()),
        }),
    ))
}

/// What is shown to users alone; nobody else sees anything.
fn listed(call: &Call<'_>, values: Vec<Value>) -> Result<Reply, Denied> {
    let values = if call.user.is_some() { values } else { Vec::new() };
    Ok(call.linked(200, &values.into()))
}

/// `GET field`
pub(super) fn list_fields(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let known = account.store.directory();
    let system = [
        "summary",
        "description",
        "issuetype",
        "project",
        "status",
        "priority",
        "labels",
        "assignee",
        "reporter",
        "resolution",
        "created",
        "updated",
    ];
    let custom = known.custom_fields.iter().map(|field| format!("customfield_{}", field.id));
    let names = system.map(str::to_owned).into_iter().chain(custom);
    listed(call, names.map(|name| directory::known_field(&name, known)).collect())
}

/// `GET issuetype`
pub(super) fn list_issue_types(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    listed(call, account.store.directory().issue_types.iter().map(directory::issue_type).collect())
}

/// `GET priority`
pub(super) fn list_priorities(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    listed(call, account.store.directory().priorities.iter().map(directory::priority).collect())
}

/// `GET resolution`
pub(super) fn list_resolutions(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    listed(call, account.store.directory().resolutions.iter().map(directory::resolution).collect())
}

/// `GET status`
pub(super) fn list_statuses(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    listed(call, account.store.directory().statuses.iter().map(directory::status).collect())
}

/// `GET statuscategory`
pub(super) fn list_categories(_: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    listed(call, StatusCategory::ALL.iter().map(|category| directory::category(*category)).collect())
}
