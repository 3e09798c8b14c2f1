//! What has to be found out before a Redmine can be used: who we are there, and that the key of a ticket will stick.
//!
//! Redmine ignores what it does not know: a custom field that is not there, or not for this kind of ticket, is left out
//! of a new ticket without a word, and a list that is filtered by a field that is no filter shows everything. Either
//! would make duplicates, so both are tried before anything is believed.

use serde_json::Value;

use super::settings::{KeyField, RedmineSettings};
use super::wire::{self, Status};
use crate::adapters::rest::{Ask, Rest};
use crate::ports::TrackerError;

/// A key that no ticket has.
const NOBODYS_KEY: &str = "sync-0000000000000000-nobody";

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Who Redmine takes us for.
    pub(super) user_id: u64,
    pub(super) user_name: String,
    pub(super) project_name: String,
    /// The kind of ticket that is made.
    pub(super) tracker_id: u64,
    /// The custom field that a ticket's key stands in.
    pub(super) field_id: u64,
    /// In the order of the workflow.
    pub(super) statuses: Vec<Status>,
}

impl Account {
    /// Finds it out. Writes nothing.
    pub(super) fn open(rest: &Rest, settings: &RedmineSettings) -> Result<Self, TrackerError> {
        let (user_id, user_name) = user(rest)?;
        let project = project(rest, settings)?;
        let tracker = tracker(&project, settings)?;
        let statuses = statuses(rest, settings)?;
        let sample = sample(rest, settings, tracker)?;
        let field_id = field(rest, settings, &project, sample.as_ref())?;
        if let Some(sample) = &sample {
            let fields = wire::list(sample, "custom_fields");
            if !fields.iter().any(|field| wire::id(field) == Some(field_id)) {
                return Err(refused(format!(
                    "tickets of this kind in project {} have no custom field {}: Redmine would leave the key out \
                     without a word. Turn the field on for the project and for the tracker, and make it visible",
                    settings.project.as_str(),
                    settings.key_field
                )));
            }
        }
        prove_filter(rest, settings, field_id)?;
        let project_name = wire::name(&project).unwrap_or_default().to_owned();
        Ok(Self { user_id, user_name, project_name, tracker_id: tracker, field_id, statuses })
    }

    /// Whether tickets of a status are done.
    pub(super) fn is_done(&self, status_id: u64) -> bool {
        self.statuses.iter().any(|status| status.id == status_id && status.is_closed)
    }
}

/// Nothing else tells a wrong key from an empty Redmine: with one, lists are those of people who are not logged in, and
/// answer 200.
fn user(rest: &Rest) -> Result<(u64, String), TrackerError> {
    let ask = Ask::get("/users/current.json");
    let reply = rest.send(&ask)?;
    match reply.status {
        200 => {}
        403 => return Err(TrackerError::Credential("GET /users/current.json answers 403".to_owned())),
        404 => return Err(refused("there is no Redmine at this address".to_owned())),
        _ => return Err(rest.refusal(&ask, &reply)),
    }
    // The reply holds the key itself: nothing of it may go into an error.
    let body = rest.body(&ask, &reply)?;
    let user = body.get("user").and_then(|user| Some((wire::id(user)?, user.get("login")?.as_str()?)));
    match user {
        Some((id, login)) => Ok((id, login.to_owned())),
        None => Err(refused("something else than Redmine answers at this address".to_owned())),
    }
}

fn project(rest: &Rest, settings: &RedmineSettings) -> Result<Value, TrackerError> {
    let identifier = settings.project.as_str();
    let ask = Ask::get(format!("/projects/{identifier}.json?include=trackers,issue_custom_fields"));
    let reply = rest.send(&ask)?;
    match reply.status {
        200 => {}
        403 | 404 => {
            return Err(refused(format!(
                "there is no project {identifier}, or this user may not see it: use its identifier, and make the user \
                 a member"
            )));
        }
        _ => return Err(rest.refusal(&ask, &reply)),
    }
    let body = rest.body(&ask, &reply)?;
    body.get("project").cloned().ok_or_else(|| unreadable(&ask))
}

fn tracker(project: &Value, settings: &RedmineSettings) -> Result<u64, TrackerError> {
    let trackers = wire::list(project, "trackers");
    let found = match &settings.tracker {
        Some(wanted) => trackers.iter().find(|tracker| wire::name(tracker) == Some(wanted)),
        None => trackers.first(),
    };
    found.and_then(wire::id).ok_or_else(|| {
        let names = trackers.iter().filter_map(wire::name).collect::<Vec<_>>().join(", ");
        let wanted = settings.tracker.as_deref().unwrap_or("at all");
        refused(format!("project {} has no tracker {wanted}; it has: {names}", settings.project.as_str()))
    })
}

fn statuses(rest: &Rest, settings: &RedmineSettings) -> Result<Vec<Status>, TrackerError> {
    let body = rest.json(&Ask::get("/issue_statuses.json"))?;
    let statuses: Vec<Status> = wire::list(&body, "issue_statuses").iter().filter_map(wire::status).collect();
    for (wanted, is_closed) in [(&settings.done_status, true), (&settings.open_status, false)] {
        let fits = |status: &Status| {
            status.is_closed == is_closed && wanted.as_ref().is_none_or(|name| *name == status.name)
        };
        if !statuses.iter().any(fits) {
            let kind = if is_closed { "closed" } else { "open" };
            let named = wanted.as_ref().map(|name| format!(" named {name:?}")).unwrap_or_default();
            return Err(refused(format!("Redmine has no status{named} that counts as {kind}")));
        }
    }
    Ok(statuses)
}

/// Some ticket of the kind that is made.
fn sample(rest: &Rest, settings: &RedmineSettings, tracker: u64) -> Result<Option<Value>, TrackerError> {
    let project = settings.project.as_str();
    let ask = Ask::get(format!(
        "/issues.json?project_id={project}&tracker_id={tracker}&status_id=*&sort=id:desc&limit=1"
    ));
    let body = rest.json(&ask)?;
    Ok(wire::list(&body, "issues").first().cloned())
}

/// The number of the field. Names are told to administrators, by a project that lists its own fields, and by tickets.
fn field(
    rest: &Rest,
    settings: &RedmineSettings,
    project: &Value,
    sample: Option<&Value>,
) -> Result<u64, TrackerError> {
    let wanted = match &settings.key_field {
        KeyField::Id(id) => return Ok(*id),
        KeyField::Name(name) => name.as_str(),
    };
    let named =
        |fields: &[Value]| fields.iter().find(|field| wire::name(field) == Some(wanted)).and_then(wire::id);
    let ask = Ask::get("/custom_fields.json");
    let reply = rest.send(&ask)?;
    let known = match reply.status {
        200 => {
            let body = rest.body(&ask, &reply)?;
            let of_issues = |field: &&Value| {
                field.get("customized_type").and_then(Value::as_str).is_none_or(|of| of == "issue")
            };
            let fields: Vec<Value> =
                wire::list(&body, "custom_fields").iter().filter(of_issues).cloned().collect();
            named(&fields)
        }
        // Only administrators may see it.
        403 | 404 => named(wire::list(project, "issue_custom_fields"))
            .or_else(|| sample.and_then(|sample| named(wire::list(sample, "custom_fields")))),
        _ => return Err(rest.refusal(&ask, &reply)),
    };
    known.ok_or_else(|| {
        refused(format!(
            "no custom field {wanted:?} for tickets is shown to this user: make one of format text, for all projects \
             and used as a filter. If there is one, say its number instead of its name, since Redmine tells names to \
             administrators only as long as a project is empty"
        ))
    })
}

/// A list that is filtered by what is no filter shows everything.
fn prove_filter(rest: &Rest, settings: &RedmineSettings, field_id: u64) -> Result<(), TrackerError> {
    let ask = Ask::get(format!("/issues.json?status_id=*&cf_{field_id}={NOBODYS_KEY}&limit=1"));
    let body = rest.json(&ask)?;
    if wire::list(&body, "issues").is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "Redmine can't search for tickets by the custom field {}: turn on \"Used as a filter\" for it",
        settings.key_field
    )))
}

pub(super) fn refused(text: String) -> TrackerError {
    TrackerError::Refused(text)
}

pub(super) fn unreadable(ask: &Ask) -> TrackerError {
    crate::adapters::rest::malformed(ask, "the reply is not what Redmine's pages describe")
}
