//! What a handler is given besides the site, and what it gives back.

use std::cell::RefCell;
use std::sync::Arc;

use fixtures::spec::jira as ledger;
use http::{HeaderName, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::Found;
use crate::http::exchange::Request;
use crate::vendors::jira::BASE_PATH;
use crate::vendors::jira::account::{Account, User};
use crate::vendors::jira::pacing::Scope;
use crate::vendors::jira::readings::{ArchivedIssue, WriteDenied};
use crate::vendors::jira::rules::auth;
use crate::vendors::jira::rules::denial::{Denial, Denied};
use crate::vendors::jira::rules::fields::Version;
use crate::vendors::jira::rules::lengths::{TOO_DEEP, is_shallow};
use crate::vendors::jira::store::{Issue, Project};
use crate::vendors::jira::wire::{self, Counted};

/// What a handler is given besides the site.
pub struct Call<'a> {
    /// The request.
    pub request: &'a Request,
    /// The `:id`s of the path, decoded.
    pub ids: &'a [String],
    /// Which version of the API was asked.
    pub version: Version,
    /// Who asks; `None`: nobody knows.
    pub user: Option<Arc<User>>,
    /// Whether credentials were shown, and are nobody's.
    pub is_failed_login: bool,
    /// What the sandbox's clock shows.
    pub now: Timestamp,
    /// The address of the API as the client calls it.
    pub here: String,
    /// What is tolerated and deserves a line in the journal.
    pub flags: RefCell<Vec<String>>,
    query: Vec<(String, String)>,
}

/// What a handler answers when it does not refuse.
pub struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// Whether the body says what was wrong with parts of the request.
    pub(super) has_complaints: bool,
}

impl Reply {
    /// A JSON body.
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, headers: Vec::new(), has_complaints: false }
    }

    /// Plain data, in which nothing stands for an address.
    pub(super) fn value(status: u16, value: &Value) -> Self {
        Self::json(status, value.to_string().into_bytes())
    }

    /// 204 with an empty body.
    pub(super) fn no_content() -> Self {
        Self::json(204, Vec::new())
    }
}

impl<'a> Call<'a> {
    pub(super) fn of(account: &Account, request: &'a Request, found: &'a Found, now: Timestamp) -> Self {
        let authorization = request.header(header::AUTHORIZATION);
        let shown = authorization.and_then(auth::basic);
        let user = shown.and_then(|shown| account.user(&shown.email, &shown.token).cloned());
        let version = match found.version {
            Version::V3 => 3,
            Version::V2 => 2,
        };
        Self {
            request,
            ids: found.ids(),
            version: found.version,
            is_failed_login: authorization.is_some() && user.is_none(),
            user,
            now,
            here: format!("{}{BASE_PATH}/{version}", request.origin()),
            flags: RefCell::default(),
            query: form_urlencoded::parse(request.query.as_bytes()).into_owned().collect(),
        }
    }

    /// The n-th `:id` of the path.
    pub(super) fn id(&self, place: usize) -> &str {
        self.ids.get(place).map_or("", String::as_str)
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter, those within one parted by commas.
    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.query.iter().filter(move |(known, _)| known == name);
        values.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Whether a query parameter is `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The page that `startAt` and `maxResults` ask for. What is no number is as if it were not there, which is noted.
    pub(super) fn counted(&self, usual: usize, most: usize, total: usize) -> Counted {
        let number = |name: &str| {
            let text = self.parameter(name)?;
            let number = text.parse().ok();
            if number.is_none() {
                self.flags.borrow_mut().push(format!("{name} is no number"));
            }
            number
        };
        let max = number("maxResults").unwrap_or(usual).min(most);
        Counted { start: number("startAt").unwrap_or(0), max, total }
    }

    /// The body as an object.
    pub(super) fn body(&self) -> Result<Map<String, Value>, Denied> {
        match serde_json::from_slice(&self.request.body) {
            Ok(value) if !is_shallow(&value) => Err(Denial::server(400, "server.json-too-deep", TOO_DEEP)),
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) | Err(_) => {
                let text = "There was an error parsing JSON. Check that your request body is valid.";
                Err(Denial::rule(400, &ledger::JIRA_BODY_JSON, text))
            }
        }
    }

    /// Whether the user may see a project.
    pub(super) fn sees(&self, project: &Project) -> bool {
        self.user.as_ref().is_some_and(|user| user.sees(&project.spec.key))
    }

    /// Whether the user may see an issue, archived or not.
    pub(super) fn sees_issue(&self, account: &Account, issue: &Issue) -> bool {
        !issue.is_hidden && account.store.project(issue.project).is_some_and(|project| self.sees(project))
    }

    /// The issue that the path names, if the user may see it.
    pub(super) fn issue(&self, account: &Account) -> Result<Arc<Issue>, Denied> {
        let visible = account.store.issue_of(self.id(0)).filter(|issue| self.sees_issue(account, issue));
        let gone = |issue: &&Arc<Issue>| {
            issue.is_archived && account.readings().archived_issue == ArchivedIssue::NotFound
        };
        match visible.cloned() {
            Some(issue) if gone(&&issue) => {
                let text = "Issue does not exist or you do not have permission to see it.";
                Err(Denial::reading(404, &ledger::JIRA_ARCHIVED_ISSUE, text))
            }
            Some(issue) => Ok(issue),
            None if self.user.is_none() => {
                let text = "Issue does not exist or you do not have permission to see it.";
                Err(Denial::rule(404, &ledger::JIRA_AUTH_ISSUE_404, text))
            }
            None => Err(Denial::no_issue()),
        }
    }

    /// The issue that the path names, if the user may change it.
    pub(super) fn writable_issue(&self, account: &Account) -> Result<Arc<Issue>, Denied> {
        let issue = self.issue(account)?;
        self.may_write(account)?;
        if issue.is_archived {
            let text = "The issue is archived and can't be changed.";
            return Err(Denial::reading(403, &ledger::JIRA_ARCHIVED_ISSUE, text));
        }
        if let Some(rate) = account.store.limits().issue_writes
            && let Err(wait) = account.pacing.take(Scope::Issue(issue.id), rate, self.now)
        {
            return Err(too_many("jira-per-issue-on-write", rate.requests, wait, self.now));
        }
        Ok(issue)
    }

    /// Whether the user may change anything.
    pub(super) fn may_write(&self, account: &Account) -> Result<(), Denied> {
        let Some(user) = &self.user else {
            let text = "You are not authenticated. Authentication required to perform this operation.";
            return Err(Denial::rule(401, &ledger::JIRA_CREATE_UNAUTHORIZED, text));
        };
        if user.spec.is_read_only {
            let status = match account.readings().write_denied {
                WriteDenied::Forbidden => 403,
                WriteDenied::BadRequest => 400,
            };
            let text = "You do not have permission to edit issues in this project.";
            return Err(Denial::reading(status, &ledger::JIRA_WRITE_DENIED, text));
        }
        Ok(())
    }

    /// Refuses what comes too fast for the endpoint.
    pub(super) fn keep_pace(&self, account: &Account, operation: SmolStr) -> Result<(), Denied> {
        let Some(rate) = account.store.limits().burst else { return Ok(()) };
        let taken = account.pacing.take(Scope::Endpoint(operation), rate, self.now);
        taken.map_err(|wait| too_many("jira-burst-based", rate.requests, wait, self.now))
    }

    /// A value in which [`wire::HERE`] stands for the address of the API, and which holds nothing that people wrote.
    pub(super) fn linked(&self, status: u16, value: &Value) -> Reply {
        Reply::json(status, wire::render(value, &self.here))
    }
}

/// The refusal of what comes too fast.
fn too_many(reason: &'static str, limit: u32, wait: SignedDuration, now: Timestamp) -> Denied {
    let seconds = i64::try_from(wait.as_millis().max(1)).unwrap_or(i64::MAX).saturating_add(999) / 1_000;
    let until = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    // The minute in which the limit is new has to be over, since the header has no seconds.
    let until = until.checked_add(SignedDuration::from_secs(59)).unwrap_or(Timestamp::MAX);
    let mut denied = Denial::rule(429, &ledger::JIRA_RATE_429, "Rate limit exceeded.");
    denied.headers = [
        ("retry-after", seconds.to_string()),
        ("ratelimit-reason", reason.to_owned()),
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", "0".to_owned()),
        ("x-ratelimit-reset", until.strftime("%Y-%m-%dT%H:%MZ").to_string()),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value))
    .into();
    denied
}
