//! `issue/:id/properties`: what programs remember about an issue.

use fixtures::spec::jira as ledger;
use serde_json::{Value, json};

use super::issues::check_property;
use super::{Account, Call, Denial, Denied, Reply};
use crate::vendors::jira::readings::PropertyBumps;
use crate::vendors::jira::rules::lengths::{TOO_DEEP, is_shallow};
use crate::vendors::jira::store::Issue;
use crate::vendors::jira::wire::parts;

/// `GET issue/:id/properties`
pub(super) fn list_properties(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let keys = issue.properties.iter().map(|(key, _)| parts::property_key(&issue, key, &call.here));
    Ok(Reply::value(200, &json!({"keys": keys.collect::<Vec<_>>()})))
}

fn no_property(key: &str) -> Denied {
    let text =
        format!("The property with key '{}' does not exist.", super::super::rules::denial::shortened(key));
    Denial::rule(404, &ledger::JIRA_PROPERTY_404, text)
}

/// `GET issue/:id/properties/:id`
pub(super) fn get_property(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let key = call.id(1);
    let value = issue.properties.get(key).ok_or_else(|| no_property(key))?;
    Ok(Reply::value(200, &json!({"key": key, "value": **value})))
}

fn put(account: &mut Account, call: &Call<'_>, issue: &Issue, value: Option<Value>) {
    let bumps = account.readings().property_bumps == PropertyBumps::Yes;
    let updated = if bumps { call.now } else { issue.updated };
    account.store.put_property(issue, call.id(1), value, updated, call.now);
}

/// `PUT issue/:id/properties/:id`
pub(super) fn put_property(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let key = call.id(1);
    let value: Option<Value> = serde_json::from_slice(&call.request.body).ok();
    if value.as_ref().is_some_and(|value| !is_shallow(value)) {
        return Err(Denial::server(400, "server.json-too-deep", TOO_DEEP));
    }
    let value = check_property(key, value.as_ref(), account)?.clone();
    let status = if issue.properties.contains_key(key) { 200 } else { 201 };
    put(account, call, &issue, Some(value));
    Ok(Reply::value(status, &json!({})))
}

/// `DELETE issue/:id/properties/:id`
pub(super) fn delete_property(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    if !issue.properties.contains_key(call.id(1)) {
        return Err(no_property(call.id(1)));
    }
    put(account, call, &issue, None);
    Ok(Reply::no_content())
}
