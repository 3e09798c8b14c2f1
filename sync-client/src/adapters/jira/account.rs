//! What has to be found out before a Jira can be used: who we are there, and that an issue can be made and found again.
//!
//! With credentials that fail Jira answers searches with an empty list and issues with 404, as to somebody who may see
//! nothing; only `myself` answers 401 (measured on two sites: github.com/brekkylab/backlot, issue 123).

use serde_json::Value;

use super::settings::{Api, JiraSettings};
use super::wire;
use crate::adapters::rest::{Ask, Rest, malformed};
use crate::ports::{Reply, TrackerError};

/// So many pages of kinds of issues, or of their fields, are read.
const PAGES_MAX: u64 = 20;
/// The fields that the client fills in.
const FILLED: [&str; 5] = ["project", "issuetype", "summary", "description", "labels"];
/// Kinds of issues to prefer where none is named.
const USUAL_TYPES: [&str; 2] = ["bug", "task"];

/// A version of the API that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V3,
    V2,
}

impl Version {
    /// What the paths begin with.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::V3 => "/rest/api/3",
            Self::V2 => "/rest/api/2",
        }
    }
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) version: Version,
    /// Who Jira takes us for.
    pub(super) user: String,
    pub(super) user_name: String,
    pub(super) project_id: String,
    pub(super) project_name: String,
    /// The kind of issue that is made, by its number; where Jira does not tell, by the name in the settings.
    pub(super) issue_type: IssueType,
}

/// A kind of issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IssueType {
    Id(String),
    Name(String),
}

impl Account {
    /// Finds it out. Writes nothing.
    pub(super) fn open(rest: &Rest, settings: &JiraSettings) -> Result<Self, TrackerError> {
        let (version, me) = myself(rest, settings.api)?;
        let user = wire::user(&me).map(str::to_owned);
        let user =
            user.ok_or_else(|| refused("something else than Jira answers at this address".to_owned()))?;
        let name = |value: &Value, names: &[&str]| {
            names.iter().find_map(|name| value.get(name)?.as_str()).unwrap_or_default().to_owned()
        };
        let project = project(rest, version, settings)?;
        let project_id = project.get("id").and_then(wire::number);
        let project_id =
            project_id.ok_or_else(|| refused("the project has no number".to_owned()))?.to_string();
        let issue_type = issue_type(rest, version, &project_id, settings)?;
        if let IssueType::Id(id) = &issue_type {
            prove_fields(rest, version, &project_id, id, settings)?;
        }
        Ok(Self {
            version,
            user,
            user_name: name(&me, &["displayName", "emailAddress", "name"]),
            project_id,
            project_name: name(&project, &["name", "key"]),
            issue_type,
        })
    }
}

/// Asks, and tells a refused credential from everything else, also where Jira answers as if nothing was wrong.
pub(super) fn send(rest: &Rest, ask: &Ask) -> Result<Reply, TrackerError> {
    let reply = rest.send(ask)?;
    let reason = reply.headers.get("x-seraph-loginreason").and_then(|value| value.to_str().ok());
    match reason {
        Some(reason)
            if reason.contains("AUTHENTICATED_FAILED") || reason.contains("AUTHENTICATION_DENIED") =>
        {
            Err(TrackerError::Credential(format!("{} answers {} ({reason})", ask.name(), reply.status)))
        }
        _ => Ok(reply),
    }
}

/// The same for a JSON reply that says it was done.
pub(super) fn json(rest: &Rest, ask: &Ask) -> Result<Value, TrackerError> {
    let reply = send(rest, ask)?;
    rest.done(ask, &reply)?;
    rest.body(ask, &reply)
}

fn myself(rest: &Rest, api: Api) -> Result<(Version, Value), TrackerError> {
    let versions: &[Version] = match api {
        Api::Auto => &[Version::V3, Version::V2],
        Api::V3 => &[Version::V3],
        Api::V2 => &[Version::V2],
    };
    for version in versions {
        let ask = Ask::get(format!("{}/myself", version.path()));
        let reply = send(rest, &ask)?;
        match reply.status {
            200 => return Ok((*version, rest.body(&ask, &reply)?)),
            // Data Center has no version 3.
            404 => {}
            403 => {
                let text = format!(
                    "{} answers 403: may this user log in, or has it to solve a captcha?",
                    ask.name()
                );
                return Err(TrackerError::Credential(text));
            }
            _ => return Err(rest.refusal(&ask, &reply)),
        }
    }
    Err(refused("there is no Jira at this address".to_owned()))
}

fn project(rest: &Rest, version: Version, settings: &JiraSettings) -> Result<Value, TrackerError> {
    let key = settings.project.as_str();
    let ask = Ask::get(format!("{}/project/{key}", version.path()));
    let reply = send(rest, &ask)?;
    match reply.status {
        200 => rest.body(&ask, &reply),
        404 => Err(refused(format!("there is no project {key}, or this user may not see it"))),
        _ => Err(rest.refusal(&ask, &reply)),
    }
}

/// All rows of a list that comes in pages with `startAt`. `None`: there is no such list here.
fn rows(rest: &Rest, path: &str, names: [&str; 2]) -> Result<Option<Vec<Value>>, TrackerError> {
    let mut rows: Vec<Value> = Vec::new();
    for _ in 0..PAGES_MAX {
        let ask = Ask::get(format!("{path}?startAt={}&maxResults=200", rows.len()));
        let reply = send(rest, &ask)?;
        if matches!(reply.status, 403 | 404 | 405 | 501) {
            return Ok(None);
        }
        rest.done(&ask, &reply)?;
        let body = rest.body(&ask, &reply)?;
        let page = names.iter().find_map(|name| body.get(name)?.as_array());
        let page = page.ok_or_else(|| malformed(&ask, "the reply has no list"))?;
        let is_last = page.is_empty();
        rows.extend(page.iter().cloned());
        let total = body.get("total").and_then(Value::as_u64).unwrap_or(rows.len() as u64);
        if is_last || rows.len() as u64 >= total {
            return Ok(Some(rows));
        }
    }
    Ok(Some(rows))
}

fn issue_type(
    rest: &Rest,
    version: Version,
    project_id: &str,
    settings: &JiraSettings,
) -> Result<IssueType, TrackerError> {
    let path = format!("{}/issue/createmeta/{project_id}/issuetypes", version.path());
    let project = settings.project.as_str();
    let Some(types) = rows(rest, &path, ["issueTypes", "values"])? else {
        return settings.issue_type.clone().map(IssueType::Name).ok_or_else(|| {
            refused(format!(
                "Jira does not tell which kinds of issues project {project} has: name one, as `issue_type`"
            ))
        });
    };
    let name = |value: &Value| value.get("name").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let is_whole = |value: &&Value| value.get("subtask").and_then(Value::as_bool) != Some(true);
    let found = match &settings.issue_type {
        Some(wanted) => types.iter().find(|one| name(one) == wanted.to_lowercase()),
        None => types.iter().filter(is_whole).min_by_key(|one| {
            let name = name(one);
            USUAL_TYPES.iter().position(|usual| *usual == name).unwrap_or(USUAL_TYPES.len())
        }),
    };
    let id = found.and_then(|one| one.get("id")).and_then(wire::number);
    id.map(|id| IssueType::Id(id.to_string())).ok_or_else(|| {
        let names: Vec<&str> = types.iter().filter_map(|one| one.get("name")?.as_str()).collect();
        let wanted = settings.issue_type.as_deref().unwrap_or("of any kind");
        refused(format!(
            "this user can make no issue {wanted:?} in project {project}; there are: {}",
            names.join(", ")
        ))
    })
}

/// Without a label an issue whose number got lost is never found again: nothing is made then.
fn prove_fields(
    rest: &Rest,
    version: Version,
    project_id: &str,
    issue_type: &str,
    settings: &JiraSettings,
) -> Result<(), TrackerError> {
    let path = format!("{}/issue/createmeta/{project_id}/issuetypes/{issue_type}", version.path());
    let Some(fields) = rows(rest, &path, ["fields", "values"])? else { return Ok(()) };
    let id = |field: &Value| {
        let id = ["fieldId", "key"].iter().find_map(|name| field.get(name)?.as_str());
        id.unwrap_or_default().to_owned()
    };
    let project = settings.project.as_str();
    for needed in ["labels", "description"] {
        if !fields.iter().any(|field| id(field) == needed) {
            return Err(refused(format!(
                "the screen for new issues of project {project} has no field {needed}: add it. Without the label \
                 that carries its key an issue could not be found again"
            )));
        }
    }
    let is = |field: &Value, name: &str| field.get(name).and_then(Value::as_bool).unwrap_or(false);
    let unfilled: Vec<&str> = fields
        .iter()
        .filter(|field| is(field, "required") && !is(field, "hasDefaultValue"))
        .filter(|field| !FILLED.contains(&id(field).as_str()) && id(field) != "reporter")
        .filter_map(|field| field.get("name").and_then(Value::as_str))
        .collect();
    if unfilled.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "new issues of project {project} need {}, which the client can't fill in: give them a default, or choose \
         another `issue_type`",
        unfilled.join(", ")
    )))
}

pub(super) fn refused(text: String) -> TrackerError {
    TrackerError::Refused(text)
}
