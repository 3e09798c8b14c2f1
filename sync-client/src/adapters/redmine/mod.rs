//! Tickets in Redmine, by its REST API.
//!
//! A ticket carries its key in a custom field, which Redmine neither keeps unique nor insists on: what a new ticket
//! holds is read from the reply, and a field that was left out stops further tickets. A change that Redmine does not
//! like is answered with 204 like any other, so every change is read back. Deliberately absent: labels, which Redmine
//! does not have, and `lock_version`, which its API takes but never tells.

mod account;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::{HeaderName, Method};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::account::{Account, refused, unreadable};
pub use self::settings::{ApiKey, Identifier, KeyField, RedmineSettings, SEARCH_LAG, TextFormat};
use self::wire::{Issue, Status};
use super::caller::Caller;
use super::rest::{Ask, Rest};
use crate::core::markup::{Dialect, parse, wiki};
use crate::core::model::{OpKey, TicketKey};
use crate::core::text::Units;
use crate::ports::{
    BrokenOff, Change, Created, Granted, NewTicket, Ticket, Tracker, TrackerError, TrackerTraits,
};

/// More characters has no subject.
const TITLE_CHARS_MAX: usize = 255;
/// Redmine takes up to 16 MiB of a text; nobody reads more than this.
const TEXT_CHARS_MAX: usize = 100_000;
/// More rows than this Redmine gives at once to nobody.
const PAGE: usize = 100;
/// Tickets with the same key are no more than this, or something is very wrong.
const SAME_KEY_MAX: usize = 2_000;
/// So many tickets are looked through for those that people changed.
const CHANGED_MAX: usize = 1_000_000;

/// The tracker `redmine`.
pub struct Redmine {
    rest: Rest,
    settings: RedmineSettings,
    known: Mutex<Known>,
}

/// What was found out in this run.
#[derive(Default)]
struct Known {
    account: Option<Account>,
    /// A ticket that was made without its key. No other is made then.
    keyless: Option<TicketKey>,
}

impl fmt::Debug for Redmine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redmine({}, project {})", self.settings.url, self.settings.project.as_str())
    }
}

impl Redmine {
    /// A Redmine that was not asked anything yet.
    pub fn new(settings: RedmineSettings, caller: Caller) -> Self {
        let credential = (HeaderName::from_static("x-redmine-api-key"), settings.api_key.header());
        let rest = Rest::new(settings.url.as_str(), credential, settings.api_key.as_str(), caller);
        Self { rest, settings, known: Mutex::default() }
    }

    fn account(&self) -> Result<Account, TrackerError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = &known.account {
            return Ok(account.clone());
        }
        let account = Account::open(&self.rest, &self.settings)?;
        known.account = Some(account.clone());
        Ok(account)
    }

    fn ticket(&self, account: &Account, issue: &Issue) -> Ticket {
        let ours: Vec<&String> =
            issue.notes.iter().filter(|(user, _)| *user == account.user_id).map(|(_, text)| text).collect();
        Ticket {
            key: issue.key(),
            url: Some(format!("{}/issues/{}", self.rest.base_url(), issue.id)),
            is_done: account.is_done(issue.status_id),
            status: issue.status.clone(),
            // Redmine has none: a status says it all.
            resolution: None,
            op: issue.op(account.field_id),
            our_last_comment: ours.last().map(|text| (*text).clone()),
            our_comments: ours.len(),
        }
    }

    /// A ticket with its notes, and the statuses it may be given.
    fn issue(&self, id: u64) -> Result<Option<Issue>, TrackerError> {
        let ask = Ask::get(format!("/issues/{id}.json?include=journals,allowed_statuses"));
        let reply = self.rest.send(&ask)?;
        match reply.status {
            // 403: it is there, and not for us.
            403 | 404 => Ok(None),
            _ => {
                self.rest.done(&ask, &reply)?;
                let body = self.rest.body(&ask, &reply)?;
                let issue = body.get("issue").and_then(wire::issue);
                issue.map(Some).ok_or_else(|| unreadable(&ask))
            }
        }
    }

    /// The numbers of the tickets with this key, the lowest first.
    fn numbers(&self, account: &Account, op: &OpKey) -> Result<Vec<u64>, TrackerError> {
        let filter = format!("cf_{}={op}", account.field_id);
        let rows = self.rows(&filter, SAME_KEY_MAX)?;
        if let Some(other) = rows.iter().find(|row| row.op(account.field_id).as_ref() != Some(op)) {
            return Err(refused(format!(
                "Redmine shows {} although it was asked for tickets with the key {op}: is the custom field still used \
                 as a filter?",
                other.key()
            )));
        }
        Ok(rows.iter().map(|row| row.id).collect())
    }

    /// The tickets that a filter lets through, without their notes, the lowest first.
    fn rows(&self, filter: &str, most: usize) -> Result<Vec<Issue>, TrackerError> {
        let mut rows: Vec<Issue> = Vec::new();
        let mut offset = 0;
        loop {
            // Without `status_id` closed tickets are left out; with `project_id` those that were moved.
            let ask =
                Ask::get(format!("/issues.json?status_id=*&{filter}&sort=id&limit={PAGE}&offset={offset}"));
            let body = self.rest.json(&ask)?;
            let total = body.get("total_count").and_then(Value::as_u64);
            let (Some(total), Some(page)) = (total, body.get("issues").and_then(Value::as_array)) else {
                return Err(unreadable(&ask));
            };
            for row in page {
                rows.push(wire::issue(row).ok_or_else(|| unreadable(&ask))?);
            }
            // Redmine may give fewer than it was asked for: what counts is what came.
            offset += page.len() as u64;
            if page.is_empty() || offset >= total {
                rows.sort_unstable_by_key(|row| row.id);
                rows.dedup_by_key(|row| row.id);
                return Ok(rows);
            }
            if rows.len() >= most {
                return Err(refused(format!("there are more than {most} tickets with {filter}")));
            }
        }
    }

    /// The status to give, for a ticket to be done or not.
    fn target(&self, account: &Account, issue: &Issue, is_done: bool) -> Result<Status, TrackerError> {
        let wanted = if is_done { &self.settings.done_status } else { &self.settings.open_status };
        let allowed = issue.allowed.as_deref().unwrap_or(&account.statuses);
        let fits = |status: &&Status| {
            status.is_closed == is_done && wanted.as_ref().is_none_or(|name| *name == status.name)
        };
        allowed.iter().find(fits).cloned().ok_or_else(|| {
            let reachable: Vec<&str> = allowed.iter().map(|status| status.name.as_str()).collect();
            let kind = if is_done { "closed" } else { "open" };
            let named = wanted.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
            refused(format!(
                "the workflow gives {} no {kind} status{named}: from {:?} this user may go to: {}",
                issue.key(),
                issue.status,
                reachable.join(", ")
            ))
        })
    }
}

impl Tracker for Redmine {
    fn traits(&self) -> TrackerTraits {
        TrackerTraits {
            name: "redmine",
            has_unique_key: false,
            search_lag: self.settings.search_lag,
            title_chars_max: TITLE_CHARS_MAX,
            text_chars_max: TEXT_CHARS_MAX,
            units: Units::Characters,
        }
    }

    fn identify(&self) -> Result<String, TrackerError> {
        let account = self.account()?;
        Ok(format!("{}, project {}", account.user_name, account.project_name))
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        let account = self.account()?;
        let mut tickets = Vec::new();
        for number in self.numbers(&account, op)? {
            // It may be gone by now.
            if let Some(issue) = self.issue(number)? {
                tickets.push(self.ticket(&account, &issue));
            }
        }
        Ok(tickets)
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        let account = self.account()?;
        if let Some(keyless) = &self.known.lock().unwrap_or_else(PoisonError::into_inner).keyless {
            return Err(refused(format!(
                "Redmine made {keyless} without its key, so no other ticket is made: turn the custom field {} on for \
                 the project and for the tracker",
                self.settings.key_field
            )));
        }
        let body = json!({"issue": {
            "project_id": self.settings.project.as_str(),
            "tracker_id": account.tracker_id,
            "subject": ticket.title,
            "description": self.as_stored(&ticket.description),
            "custom_fields": [{"id": account.field_id, "value": ticket.op.as_str()}],
        }});
        let ask = Ask::write(Method::POST, "/issues.json", body);
        let reply = self.rest.send(&ask)?;
        self.rest.done(&ask, &reply)?;
        let body = self.rest.body(&ask, &reply)?;
        let issue = body.get("issue").and_then(wire::issue).ok_or_else(|| unreadable(&ask))?;
        let made = self.ticket(&account, &issue);
        if made.op.as_ref() != Some(&ticket.op) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.keyless = Some(made.key.clone());
        }
        Ok(Created::New(made))
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        let account = self.account()?;
        // A link that somebody set may name anything.
        let Some(number) = wire::number(key) else { return Ok(None) };
        Ok(self.issue(number)?.map(|issue| self.ticket(&account, &issue)))
    }

    /// The comments are left out: lists do not show them.
    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        let account = self.account()?;
        let mut filter = format!("cf_{}=*", account.field_id);
        if let Some(since) = since {
            // In whole seconds, as Redmine reads them; `>=` has to be escaped.
            filter.push_str(&format!("&updated_on=%3E%3D{}", since.strftime("%Y-%m-%dT%H:%M:%SZ")));
        }
        let rows = self.rows(&filter, CHANGED_MAX)?;
        let ours = |row: &&Issue| row.op(account.field_id).is_some();
        Ok(rows.iter().filter(ours).map(|row| self.ticket(&account, row)).collect())
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        let account = self.account()?;
        let gone = || refused(format!("there is no ticket {key}, or it may not be seen"));
        let number = wire::number(key).ok_or_else(gone)?;
        let before = self.issue(number)?.ok_or_else(gone)?;
        let is_done = change.is_done.filter(|is_done| *is_done != account.is_done(before.status_id));
        let status = is_done.map(|is_done| self.target(&account, &before, is_done)).transpose()?;
        let note = change.comment.as_deref().map(|text| self.as_stored(text));
        if status.is_none() && note.is_none() {
            return Ok(self.ticket(&account, &before));
        }
        let mut members = serde_json::Map::new();
        if let Some(note) = &note {
            members.insert("notes".to_owned(), json!(note));
        }
        if let Some(status) = &status {
            members.insert("status_id".to_owned(), json!(status.id));
        }
        let ask = Ask::write(Method::PUT, format!("/issues/{number}.json"), json!({"issue": members}));
        let reply = self.rest.send(&ask)?;
        self.rest.done(&ask, &reply)?;
        // Redmine grants much that it does not do, so until this look nothing is known.
        let unknown =
            |why: String| TrackerError::Unknown(format!("{key} was not seen after its change: {why}"));
        let after = self.issue(number).map_err(|error| unknown(error.to_string()))?;
        let after = after.ok_or_else(|| unknown("it is not there".to_owned()))?;
        let ticket = self.ticket(&account, &after);
        let was_commented = ticket.our_comments > self.ticket(&account, &before).our_comments;
        if is_done.is_some_and(|is_done| is_done != ticket.is_done) {
            let error = refused(format!(
                "Redmine answers {} and leaves {key} as it is, {:?}: does the workflow allow the change?",
                reply.status, after.status
            ));
            return Err(BrokenOff { granted: Granted { comment: was_commented, is_done: None }, error });
        }
        if note.is_some() && !was_commented {
            let error = refused(format!(
                "Redmine answers {} and leaves the comment on {key} out: may this user add notes?",
                reply.status
            ));
            return Err(BrokenOff { granted: Granted { comment: false, is_done }, error });
        }
        Ok(ticket)
    }

    fn as_stored(&self, text: &str) -> String {
        match self.settings.text_format {
            TextFormat::Textile => wire::stored(&wiki(&parse(text), Dialect::Textile)),
            TextFormat::Markdown => wire::stored(text),
        }
    }
}
