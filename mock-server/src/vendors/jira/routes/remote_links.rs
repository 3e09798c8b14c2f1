//! `issue/:id/remotelink`: links to places outside.

use std::sync::Arc;

use fixtures::spec::jira as ledger;
use fixtures::world::jira::RemoteLinkSpec;
use serde_json::{Value, json};

use super::{Account, Call, Denial, Denied, Reply};
use crate::http::reject::Because;
use crate::vendors::jira::readings::LinkBumps;
use crate::vendors::jira::rules::denial::{FieldProblems, shortened};
use crate::vendors::jira::rules::fields::text_of;
use crate::vendors::jira::rules::lengths::{SHORT_MAX, length};
use crate::vendors::jira::store::Issue;
use crate::vendors::jira::wire::parts;

fn of_global_id<'i>(issue: &'i Issue, global_id: &str) -> Option<&'i Arc<RemoteLinkSpec>> {
    issue.links.iter().map(|(_, link)| link).find(|link| link.global_id.as_deref() == Some(global_id))
}

fn no_link(what: &str) -> Denied {
    let text = format!("The remote link with id '{}' does not exist.", shortened(what));
    Denial::rule(404, &ledger::JIRA_LINK_404, text)
}

/// `GET issue/:id/remotelink`, all or the one that `globalId` names.
pub(super) fn list_remote_links(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    if let Some(global_id) = call.parameter("globalId") {
        let link = of_global_id(&issue, global_id).ok_or_else(|| no_link(global_id))?;
        return Ok(Reply::value(200, &parts::remote_link(&issue, link, &call.here)));
    }
    let links = issue.links.iter().map(|(_, link)| parts::remote_link(&issue, link, &call.here));
    Ok(Reply::value(200, &links.collect()))
}

fn link_of(account: &Account, call: &Call<'_>, issue: &Issue) -> Result<Arc<RemoteLinkSpec>, Denied> {
    let name = call.id(1);
    let refuse = |text: String| Err(Denial::rule(400, &ledger::JIRA_LINK_FOREIGN, text));
    let Ok(id) = name.parse::<u64>() else {
        return refuse(format!("'{}' is no id of a remote link.", shortened(name)));
    };
    match issue.links.get(&id) {
        Some(link) => Ok(Arc::clone(link)),
        None if account.store.has_remote_link(id) => {
            refuse(format!("The remote link with id '{id}' does not belong to this issue."))
        }
        None => Err(no_link(name)),
    }
}

/// `GET issue/:id/remotelink/:id`
pub(super) fn get_remote_link(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let link = link_of(account, call, &issue)?;
    Ok(Reply::value(200, &parts::remote_link(&issue, &link, &call.here)))
}

/// The link that a body describes. What it does not name is nothing.
fn described(account: &Account, call: &Call<'_>, id: u64) -> Result<RemoteLinkSpec, Denied> {
    let body = Value::Object(call.body()?);
    let invalid = Because::Rule(&ledger::JIRA_LINK_INVALID);
    let mut problems = FieldProblems::default();
    let object = body.get("object").filter(|object| object.is_object()).cloned().unwrap_or(Value::Null);
    for (name, text) in [("url", "a URL is required"), ("title", "a title is required")] {
        let given = text_of(&object, name).unwrap_or_default();
        if given.is_empty() {
            problems.field(invalid, name, text);
        } else if name == "title" && length(given, account.readings()) > SHORT_MAX {
            problems.field(invalid, name, "The title is longer than 255 characters.");
        }
    }
    let global_id = text_of(&body, "globalId");
    if global_id.is_some_and(|id| length(id, account.readings()) > SHORT_MAX) {
        problems.field(invalid, "globalId", "The globalId is longer than 255 characters.");
    }
    problems.denied()?;
    Ok(RemoteLinkSpec {
        id,
        global_id: global_id.map(str::to_owned),
        relationship: text_of(&body, "relationship").map(str::to_owned),
        application: body.get("application").filter(|application| application.is_object()).cloned(),
        object,
    })
}

fn put(account: &mut Account, call: &Call<'_>, issue: &Issue, id: u64, link: Option<RemoteLinkSpec>) {
    let bumps = account.readings().link_bumps == LinkBumps::Yes;
    let updated = if bumps { call.now } else { issue.updated };
    account.store.put_remote_link(issue, id, link, updated, call.now);
}

/// `POST issue/:id/remotelink`: replaces the link with that `globalId`, or makes one.
pub(super) fn post_remote_link(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let link = described(account, call, 0)?;
    let known = link.global_id.as_deref().and_then(|global_id| of_global_id(&issue, global_id));
    let (status, id) = match known {
        Some(known) => (200, known.id),
        None => {
            let most = account.store.limits().remote_links_per_issue;
            if issue.links.len() >= most {
                let text = format!("The issue has reached the limit of {most} remote links.");
                return Err(Denial::rule(413, &ledger::JIRA_LINK_MAX, text));
            }
            (201, account.store.next_remote_link_id())
        }
    };
    put(account, call, &issue, id, Some(RemoteLinkSpec { id, ..link }));
    let here = format!("{}/issue/{}/remotelink/{id}", call.here, issue.key);
    Ok(Reply::value(status, &json!({"id": id, "self": here})))
}

/// `PUT issue/:id/remotelink/:id`
pub(super) fn put_remote_link(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let known = link_of(account, call, &issue)?;
    let link = described(account, call, known.id)?;
    let other = link.global_id.as_deref().and_then(|global_id| of_global_id(&issue, global_id));
    if other.is_some_and(|other| other.id != known.id) {
        let mut problems = FieldProblems::default();
        let text = "A remote link with this globalId already exists for this issue.";
        problems.field(Because::Rule(&ledger::JIRA_LINK_GLOBAL_ID), "globalId", text);
        problems.denied()?;
    }
    put(account, call, &issue, known.id, Some(link));
    Ok(Reply::no_content())
}

/// `DELETE issue/:id/remotelink/:id`
pub(super) fn delete_remote_link(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let known = link_of(account, call, &issue)?;
    put(account, call, &issue, known.id, None);
    Ok(Reply::no_content())
}

/// `DELETE issue/:id/remotelink?globalId=…`
pub(super) fn delete_by_global_id(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let Some(global_id) = call.parameter("globalId").filter(|global_id| !global_id.is_empty()) else {
        return Err(Denial::rule(400, &ledger::JIRA_LINK_UNNAMED, "The globalId is missing."));
    };
    let known = of_global_id(&issue, global_id).ok_or_else(|| no_link(global_id))?.id;
    put(account, call, &issue, known, None);
    Ok(Reply::no_content())
}
