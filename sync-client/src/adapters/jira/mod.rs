//! Tickets in Jira: Cloud by version 3 of its REST API, Data Center by version 2.
//!
//! An issue carries its key twice, as a label, which can be searched for, and as a property, which people do not see and
//! do not change. Jira keeps no second issue with the same label out, and its search shows new ones late. Statuses are
//! told apart by their category, and reached by whatever transition leads there. Deliberately absent: links between
//! issues, and remote links; what points where stands at the vendor.

mod account;
mod adf;
mod settings;
#[cfg(test)]
mod tests;
mod wire;
mod workflow;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::Method;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::account::{Account, IssueType, Version, refused};
pub use self::settings::{Api, JiraSettings, Login, ProjectKey, SEARCH_LAG};
use self::wire::{Comments, FIELDS, FIELDS_OF_LISTS, Issue, PROPERTY};
use self::workflow::{Wanted, choose};
use super::caller::{Caller, Scopes};
use super::rest::{Ask, Rest, malformed};
use crate::core::markup::{Block, Dialect, fit, parse, wiki};
use crate::core::model::{OpKey, Source, TicketKey};
use crate::core::text::Units;
use crate::ports::{
    BrokenOff, Change, Created, Granted, NewTicket, Ticket, Tracker, TrackerError, TrackerTraits,
};

/// More has no summary (facts of many clients: github.com/release-engineering/Sync2Jira/pull/119).
const TITLE_MAX: usize = 255;
/// More has no description or comment (jira.atlassian.com/browse/JRACLOUD-59124).
const TEXT_MAX: usize = 32_767;
/// So many pages of a search are read.
const PAGES_MAX: usize = 20_000;
/// Issues of a page of a search.
const PAGE: usize = 100;
/// An issue has no more comments.
const COMMENTS_MAX: u64 = 5_000;

/// The tracker `jira`.
pub struct Jira {
    rest: Rest,
    caller: Caller,
    settings: JiraSettings,
    known: Mutex<Known>,
}

/// What was found out in this run.
#[derive(Default)]
struct Known {
    account: Option<Account>,
    /// An issue that was made without its label. No other is made then.
    unlabelled: Option<TicketKey>,
}

impl fmt::Debug for Jira {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jira({}, project {})", self.settings.url, self.settings.project.as_str())
    }
}

impl Jira {
    /// A Jira that was not asked anything yet.
    pub fn new(settings: JiraSettings, caller: Caller) -> Self {
        let credential = (AUTHORIZATION, settings.login.header());
        let rest = Rest::new(settings.url.as_str(), credential, settings.login.token(), caller.clone());
        Self { rest, caller, settings, known: Mutex::default() }
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
        let ours: Vec<&String> = issue
            .comments
            .read
            .iter()
            .filter(|(user, _)| *user == account.user)
            .map(|(_, text)| text)
            .collect();
        Ticket {
            key: issue.key.clone(),
            url: Some(self.address(&issue.key)),
            is_done: issue.is_done,
            status: issue.status.clone(),
            resolution: issue.resolution.clone(),
            op: issue.op(),
            our_last_comment: ours.last().map(|text| (*text).clone()),
            our_comments: ours.len(),
        }
    }

    fn address(&self, key: &TicketKey) -> String {
        format!("{}/browse/{key}", self.rest.base_url())
    }

    /// An issue with all its comments, by its key or number.
    fn issue(&self, account: &Account, key: &str) -> Result<Option<Issue>, TrackerError> {
        let path = account.version.path();
        let mut ask = Ask::get(format!("{path}/issue/{key}?fields={FIELDS}&properties={PROPERTY}"));
        ask.scopes = scopes("GET issue", None);
        let reply = account::send(&self.rest, &ask)?;
        if reply.status == 404 {
            return Ok(None);
        }
        self.rest.done(&ask, &reply)?;
        let body = self.rest.body(&ask, &reply)?;
        let issue = wire::issue(&body).ok_or_else(|| unreadable(&ask))?;
        self.with_all_comments(account, issue).map(Some)
    }

    /// Jira may show only some of the comments with an issue.
    fn with_all_comments(&self, account: &Account, mut issue: Issue) -> Result<Issue, TrackerError> {
        if issue.comments.read.len() as u64 >= issue.comments.total {
            return Ok(issue);
        }
        let mut all = Comments::default();
        loop {
            let mut ask = Ask::get(format!(
                "{}/issue/{}/comment?startAt={}&maxResults=100&orderBy=created",
                account.version.path(),
                issue.id,
                all.read.len()
            ));
            ask.scopes = scopes("GET issue/comment", None);
            let page = wire::comments(&account::json(&self.rest, &ask)?);
            let is_last = page.read.is_empty();
            all.read.extend(page.read);
            all.total = page.total;
            if is_last || all.read.len() as u64 >= all.total.min(COMMENTS_MAX) {
                issue.comments = all;
                return Ok(issue);
            }
        }
    }

    /// The issues that a query finds, with these fields, by their numbers.
    fn search(&self, account: &Account, jql: &str, fields: &[&str]) -> Result<Vec<Issue>, TrackerError> {
        let mut issues: Vec<Issue> = Vec::new();
        let (mut token, mut is_old) = (None::<String>, account.version == Version::V2);
        for _ in 0..PAGES_MAX {
            let mut ask = search_ask(account.version, is_old, jql, fields, issues.len(), token.as_deref());
            ask.scopes = scopes("POST search", None);
            let reply = account::send(&self.rest, &ask)?;
            // Cloud took the old search away.
            if is_old && matches!(reply.status, 404 | 410) {
                is_old = false;
                continue;
            }
            self.rest.done(&ask, &reply)?;
            let body = self.rest.body(&ask, &reply)?;
            let rows = body.get("issues").and_then(Value::as_array).ok_or_else(|| unreadable(&ask))?;
            for row in rows {
                issues.push(wire::issue(row).ok_or_else(|| unreadable(&ask))?);
            }
            let next = body.get("nextPageToken").and_then(Value::as_str).map(str::to_owned);
            let is_last = if is_old {
                let total = body.get("total").and_then(Value::as_u64).ok_or_else(|| unreadable(&ask))?;
                rows.is_empty() || issues.len() as u64 >= total
            } else {
                body.get("isLast").and_then(Value::as_bool) == Some(true) || next.is_none()
            };
            if is_last {
                issues.sort_unstable_by_key(|issue| issue.id);
                issues.dedup_by_key(|issue| issue.id);
                return Ok(issues);
            }
            if !is_old && next == token {
                return Err(malformed(&ask, "the same page comes again and again"));
            }
            token = next;
        }
        Err(TrackerError::Unavailable("a search goes on for ever".to_owned()))
    }

    /// A text as it is sent, cut if need be. What exactly Jira counts is not said anywhere; the JSON of a document is
    /// the longest of all that it can be.
    fn body(version: Version, text: &str) -> Value {
        let blocks = parse(text);
        match version {
            Version::V3 => {
                let length = |blocks: &[Block]| Units::Utf16.count(&adf::document(blocks).to_string());
                adf::document(&fit(blocks, TEXT_MAX, length))
            }
            Version::V2 => {
                let length = |blocks: &[Block]| Units::Utf16.count(&wiki(blocks, Dialect::Jira));
                json!(wiki(&fit(blocks, TEXT_MAX, length), Dialect::Jira))
            }
        }
    }

    /// Makes an issue; its number and key.
    fn post(&self, account: &Account, ticket: &NewTicket) -> Result<(u64, TicketKey), TrackerError> {
        let mut labels = ticket.labels.clone();
        if !labels.iter().any(|label| label == ticket.op.as_str()) {
            labels.push(ticket.op.as_str().to_owned());
        }
        let body = json!({
            "fields": {
                "project": {"id": account.project_id},
                "issuetype": match &account.issue_type {
                    IssueType::Id(id) => json!({"id": id}),
                    IssueType::Name(name) => json!({"name": name}),
                },
                "summary": ticket.title,
                "description": Self::body(account.version, &ticket.description),
                "labels": labels,
            },
            "properties": [{"key": PROPERTY, "value": wire::property(&ticket.op)}],
        });
        let mut ask = Ask::write(Method::POST, format!("{}/issue", account.version.path()), body);
        ask.scopes = scopes("POST issue", None);
        let reply = account::send(&self.rest, &ask)?;
        self.rest.done(&ask, &reply)?;
        let body = self.rest.body(&ask, &reply)?;
        let id = body.get("id").and_then(wire::number);
        let key = body.get("key").and_then(Value::as_str);
        match (id, key) {
            (Some(id), Some(key)) => Ok((id, TicketKey::new(key))),
            _ => Err(unreadable(&ask)),
        }
    }

    /// The transition that leads to where a ticket has to go, with what it has to be given.
    fn transition(&self, account: &Account, issue: &Issue, is_done: bool) -> Result<Value, TrackerError> {
        let mut ask = Ask::get(format!(
            "{}/issue/{}/transitions?expand=transitions.fields",
            account.version.path(),
            issue.id
        ));
        ask.scopes = scopes("GET issue/transitions", None);
        let body = account::json(&self.rest, &ask)?;
        let transitions =
            body.get("transitions").and_then(Value::as_array).ok_or_else(|| unreadable(&ask))?;
        let settings = &self.settings;
        let status = if is_done { &settings.done_status } else { &settings.open_status };
        let wanted =
            Wanted { is_done, status: status.as_deref(), resolution: settings.resolution.as_deref() };
        let chosen = choose(transitions, &wanted).map_err(|why| refused(format!("{}: {why}", issue.key)))?;
        let mut body = Map::new();
        body.insert("transition".to_owned(), json!({"id": chosen.id}));
        if !chosen.fields.is_empty() {
            body.insert("fields".to_owned(), Value::Object(chosen.fields));
        }
        Ok(Value::Object(body))
    }

    /// Writes something below an issue.
    fn write_to(
        &self,
        account: &Account,
        issue: &Issue,
        what: &'static str,
        body: Value,
    ) -> Result<(), TrackerError> {
        let path = format!("{}/issue/{}/{what}", account.version.path(), issue.id);
        let mut ask = Ask::write(Method::POST, path, body);
        ask.scopes = scopes(&format!("POST issue/{what}"), Some(issue));
        let reply = account::send(&self.rest, &ask)?;
        self.rest.done(&ask, &reply)
    }
}

/// The request for a page of a search. Searching changes nothing, although it is a `POST`.
fn search_ask(
    version: Version,
    is_old: bool,
    jql: &str,
    fields: &[&str],
    start: usize,
    token: Option<&str>,
) -> Ask {
    let mut body = json!({"jql": jql, "maxResults": PAGE, "fields": fields, "properties": [PROPERTY]});
    if let Some(members) = body.as_object_mut() {
        match (is_old, token) {
            (true, _) => {
                members.insert("startAt".to_owned(), json!(start));
            }
            (false, Some(token)) => {
                members.insert("nextPageToken".to_owned(), json!(token));
            }
            (false, None) => {}
        }
    }
    let path = if is_old { "search" } else { "search/jql" };
    Ask { method: Method::POST, body: Some(body), ..Ask::get(format!("{}/{path}", version.path())) }
}

fn scopes(endpoint: &str, issue: Option<&Issue>) -> Scopes {
    Scopes { endpoint: Some(endpoint.to_owned()), issue: issue.map(|issue| issue.id.to_string()) }
}

fn unreadable(ask: &Ask) -> TrackerError {
    malformed(ask, "the reply is not what Atlassian's pages describe")
}

impl Tracker for Jira {
    fn traits(&self) -> TrackerTraits {
        TrackerTraits {
            name: "jira",
            has_unique_key: false,
            search_lag: self.settings.search_lag,
            title_chars_max: TITLE_MAX,
            text_chars_max: TEXT_MAX,
            units: Units::Utf16,
        }
    }

    fn identify(&self) -> Result<String, TrackerError> {
        let account = self.account()?;
        Ok(format!("{}, project {}", account.user_name, account.project_name))
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        let account = self.account()?;
        let jql = format!("labels = \"{op}\" ORDER BY created ASC");
        let fields: Vec<&str> = FIELDS.split(',').collect();
        let mut issues = self.search(&account, &jql, &fields)?;
        // Whoever clones an issue copies its label. What was made as ours has the property as well.
        if issues.iter().any(|issue| issue.property.as_ref() == Some(op)) {
            issues.retain(|issue| issue.property.as_ref() == Some(op));
        }
        let mut tickets = Vec::new();
        for issue in issues {
            // A label that somebody took away may still be in the index.
            if issue.op().as_ref() != Some(op) && !issue.has_label(op) {
                return Err(refused(format!(
                    "Jira shows {} although it was asked for issues with the label {op}",
                    issue.key
                )));
            }
            let issue = self.with_all_comments(&account, issue)?;
            tickets.push(Ticket { op: Some(op.clone()), ..self.ticket(&account, &issue) });
        }
        Ok(tickets)
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        let account = self.account()?;
        if let Some(key) = &self.known.lock().unwrap_or_else(PoisonError::into_inner).unlabelled {
            return Err(refused(format!(
                "Jira made {key} without its label, so no other issue is made: may this user set labels?"
            )));
        }
        let (id, key) = self.post(&account, ticket)?;
        let gone = || refused(format!("{key} is not there"));
        let made = match self.issue(&account, &id.to_string()).and_then(|made| made.ok_or_else(gone)) {
            Ok(made) => made,
            Err(error) => {
                let unseen = Ticket {
                    url: Some(self.address(&key)),
                    key,
                    is_done: false,
                    status: String::new(),
                    resolution: None,
                    op: Some(ticket.op.clone()),
                    our_last_comment: None,
                    our_comments: 0,
                };
                return Ok(Created::Unseen(unseen, error));
            }
        };
        let is_labelled = made.has_label(&ticket.op);
        let shown = self.ticket(&account, &made);
        if is_labelled {
            return Ok(Created::New(shown));
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).unlabelled = Some(key);
        Ok(Created::New(Ticket { op: None, ..shown }))
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        let account = self.account()?;
        // A link that somebody set may name anything.
        if !wire::is_issue(key.as_str()) {
            return Ok(None);
        }
        Ok(self.issue(&account, key.as_str())?.map(|issue| self.ticket(&account, &issue)))
    }

    /// Found by the labels that tickets of each vendor carry, and without their comments.
    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        let account = self.account()?;
        let labels = format!("labels in (\"{}\", \"{}\")", Source::DataTheorem, Source::Mend);
        let jql = match since {
            // A time of day would be read in the time zone of the user's profile; so many minutes ago is the same to
            // everybody.
            Some(since) => {
                let passed = self.caller.clock().now().duration_since(since);
                format!("{labels} AND updated >= \"-{}m\"", passed.as_mins().max(0) + 1)
            }
            None => labels,
        };
        let issues = self.search(&account, &jql, &FIELDS_OF_LISTS)?;
        Ok(issues
            .iter()
            .filter(|issue| issue.op().is_some())
            .map(|issue| self.ticket(&account, issue))
            .collect())
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        let account = self.account()?;
        let gone = || refused(format!("there is no issue {key}, or it may not be seen"));
        if !wire::is_issue(key.as_str()) {
            return Err(gone().into());
        }
        let before = self.issue(&account, key.as_str())?.ok_or_else(gone)?;
        let is_done = change.is_done.filter(|is_done| *is_done != before.is_done);
        // Before the comment, which says what is done.
        let transition = is_done.map(|is_done| self.transition(&account, &before, is_done)).transpose()?;
        if change.comment.is_none() && transition.is_none() {
            return Ok(self.ticket(&account, &before));
        }
        let mut granted = Granted::default();
        if let Some(comment) = &change.comment {
            let body = json!({"body": Self::body(account.version, comment)});
            self.write_to(&account, &before, "comment", body)?;
            granted.comment = true;
        }
        if let Some(transition) = transition {
            let moved = self.write_to(&account, &before, "transitions", transition);
            moved.map_err(|error| BrokenOff { granted, error })?;
            granted.is_done = is_done;
        }
        let after = self.issue(&account, key.as_str()).and_then(|after| after.ok_or_else(gone));
        let after = after.map_err(|error| BrokenOff { granted, error })?;
        if is_done.is_some_and(|is_done| is_done != after.is_done) {
            let error = refused(format!(
                "Jira says that {key} went on, and it is still {:?}: does something send it back?",
                after.status
            ));
            return Err(BrokenOff { granted: Granted { is_done: None, ..granted }, error });
        }
        Ok(self.ticket(&account, &after))
    }

    fn as_stored(&self, text: &str) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let version = known.account.as_ref().map_or(Version::V3, |account| account.version);
        wire::words(&Self::body(version, text))
    }
}
