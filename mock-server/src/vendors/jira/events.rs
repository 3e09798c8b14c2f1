//! What happens at Jira without a client: people at work.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::jira::{Event, IssueEdit, NamedSpec, NewIssue, RateSpec, Text};
use jiff::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;

use super::account::Account;
use super::routes::usual_priority;
use super::rules::documents;
use super::rules::lengths::{TOO_DEEP, is_shallow};
use super::store::{Comment, Document, Issue, Project, Rendered};
use crate::kernel::counted_map::CountedMap;
use crate::vendors::happening::{EventError, Happening};
use crate::world::World;

/// What an event changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// Number of the issue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue_id: Option<String>,
    /// Its key from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Number of the comment that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<String>,
}

impl Effects {
    fn of(issue: &Issue) -> Self {
        Self { issue_id: Some(issue.id.to_string()), key: Some(issue.key.to_string()), comment_id: None }
    }
}

impl Happening for Event {
    type Effects = Effects;

    fn happen(&self, world: &mut World, now: Timestamp) -> Result<Effects, EventError> {
        world.jira.apply(self, now)
    }
}

fn unknown(kind: &'static str, id: &str) -> EventError {
    EventError::Unknown { kind, id: id.to_owned() }
}

/// The row with this name or number.
fn named(rows: &[NamedSpec], name: &str, kind: &'static str) -> Result<u64, EventError> {
    let found = rows.iter().find(|row| row.name == name || row.id.to_string() == name);
    found.map(|row| row.id).ok_or_else(|| unknown(kind, name))
}

fn check_summary(summary: &str) -> Result<(), EventError> {
    if summary.trim().is_empty() || summary.contains(['\n', '\r']) {
        return Err(EventError::Incoherent("a summary is one line that is not empty".to_owned()));
    }
    Ok(())
}

fn check_labels<'l>(labels: impl IntoIterator<Item = &'l String>) -> Result<(), EventError> {
    if labels.into_iter().any(|label| label.is_empty() || label.contains(char::is_whitespace)) {
        return Err(EventError::Incoherent("a label has no spaces and is not empty".to_owned()));
    }
    Ok(())
}

fn check_text(text: &Text) -> Result<(), EventError> {
    match text {
        Text::Plain(_) => Ok(()),
        Text::Document(value) if !is_shallow(value) => Err(EventError::Incoherent(TOO_DEEP.to_owned())),
        Text::Document(value) => {
            documents::check(value).map_err(|error| EventError::Incoherent(error.to_string()))
        }
    }
}

impl Account {
    /// Lets an event happen at `now`. An event that can't happen changes nothing.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Result<Effects, EventError> {
        match event {
            Event::IssueCreated { issue } => self.people_create(issue, now),
            Event::IssueEdited { issue, edit } => {
                let row = self.named_issue(issue)?;
                self.people_edit(&row, edit, now)
            }
            Event::IssueCommented { issue, author, body } => {
                let row = self.named_issue(issue)?;
                check_text(body)?;
                self.known_account(author.as_deref())?;
                let id = self.store.next_comment_id();
                let author = author.as_deref().map(SmolStr::new);
                let comment = Comment { id, author, body: body.into(), created: now, updated: now };
                self.store.put_comment(&row, comment, now);
                Ok(Effects { comment_id: Some(id.to_string()), ..Effects::of(&row) })
            }
            Event::IssueTransitioned { issue, status, resolution } => {
                let row = self.named_issue(issue)?;
                let known = self.store.directory();
                let found =
                    known.statuses.iter().find(|row| row.name == *status || row.id.to_string() == *status);
                let status = found.map(|row| row.id).ok_or_else(|| unknown("status", status))?;
                let resolution =
                    resolution.as_deref().map(|name| named(&known.resolutions, name, "resolution"));
                let resolution = resolution.transpose()?;
                let mut changed = Issue { status, resolution, updated: now, ..(*row).clone() };
                changed.resolution_date = resolution.map(|_| now);
                if row.status != status {
                    changed.status_changed = now;
                }
                Ok(self.put(changed, now))
            }
            Event::IssueMoved { issue, project } => {
                let row = self.named_issue(issue)?;
                let project = self.named_project(project)?;
                if project.spec.id == row.project {
                    return Err(EventError::Incoherent(format!("{} is in that project already", row.key)));
                }
                let mut former_keys = (*row.former_keys).clone();
                former_keys.push(row.key.clone());
                let key = self.store.next_key(&project);
                let changed = Issue {
                    key,
                    former_keys: Arc::new(former_keys),
                    project: project.spec.id,
                    updated: now,
                    ..(*row).clone()
                };
                Ok(self.put(changed, now))
            }
            Event::IssueDeleted { issue } => {
                let row = self.named_issue(issue)?;
                self.store.remove_issue(row.id, now);
                Ok(Effects::of(&row))
            }
            Event::IssueHidden { issue, is_hidden } => {
                let row = self.named_issue(issue)?;
                Ok(self.put(Issue { is_hidden: *is_hidden, ..(*row).clone() }, now))
            }
            Event::IssueArchived { issue, is_archived } => {
                let row = self.named_issue(issue)?;
                Ok(self.put(Issue { is_archived: *is_archived, updated: now, ..(*row).clone() }, now))
            }
            Event::IssueAssigned { issue, assignee } => {
                let row = self.named_issue(issue)?;
                self.known_account(assignee.as_deref())?;
                let assignee = assignee.as_deref().map(SmolStr::new);
                Ok(self.put(Issue { assignee, updated: now, ..(*row).clone() }, now))
            }
            Event::ApiTokenRevoked { account_id } => {
                if self.revoke(account_id) {
                    Ok(Effects::default())
                } else {
                    Err(unknown("user with a token", account_id))
                }
            }
            Event::LimitsChanged { limits } => {
                let is_zero =
                    |rate: Option<RateSpec>| rate.is_some_and(|rate| rate.requests == 0 || rate.per_ms == 0);
                if limits.search_lag_ms > 3_600_000 || is_zero(limits.burst) || is_zero(limits.issue_writes) {
                    let text =
                        "a search lags at most an hour, and a limit allows at least one request in some time";
                    return Err(EventError::Incoherent(text.to_owned()));
                }
                self.store.set_limits(limits.clone(), now);
                Ok(Effects::default())
            }
        }
    }

    fn put(&mut self, row: Issue, now: Timestamp) -> Effects {
        let effects = Effects::of(&row);
        self.store.put_issue(row, now);
        effects
    }

    fn named_issue(&self, name: &str) -> Result<Arc<Issue>, EventError> {
        self.store.issue_of(name).cloned().ok_or_else(|| unknown("issue", name))
    }

    fn named_project(&self, key: &str) -> Result<Arc<Project>, EventError> {
        self.store.project_of_key(key).cloned().ok_or_else(|| unknown("project", key))
    }

    fn known_account(&self, account_id: Option<&str>) -> Result<(), EventError> {
        match account_id.filter(|id| self.user_of_id(id).is_none()) {
            Some(id) => Err(unknown("user", id)),
            None => Ok(()),
        }
    }

    fn people_create(&mut self, new: &NewIssue, now: Timestamp) -> Result<Effects, EventError> {
        let project = self.named_project(&new.project)?;
        check_summary(&new.summary)?;
        check_labels(&new.labels)?;
        new.description.as_ref().map_or(Ok(()), check_text)?;
        let directory = Arc::clone(self.store.directory());
        let types = || project.spec.issue_types.iter().filter_map(|id| directory.issue_type(*id));
        let issue_type = match &new.issue_type {
            None => types().next(),
            Some(name) => types().find(|row| row.name == *name),
        };
        let issue_type =
            issue_type.ok_or_else(|| unknown("issue type", new.issue_type.as_deref().unwrap_or("")))?;
        let row = Issue {
            id: self.store.next_issue_id(),
            key: self.store.next_key(&project),
            former_keys: Arc::default(),
            project: project.spec.id,
            issue_type: issue_type.id,
            status: directory.workflow(&project).map_or(0, |workflow| workflow.initial),
            status_changed: now,
            resolution: None,
            resolution_date: None,
            summary: new.summary.as_str().into(),
            description: new.description.as_ref().map(Document::from),
            labels: Arc::new(new.labels.iter().map(SmolStr::new).collect()),
            priority: usual_priority(&directory),
            assignee: None,
            reporter: None,
            creator: None,
            custom: Arc::default(),
            created: now,
            updated: now,
            is_hidden: false,
            is_archived: false,
            comments: CountedMap::default(),
            links: CountedMap::default(),
            properties: CountedMap::default(),
            rendered: Rendered::default(),
        };
        Ok(self.put(row, now))
    }

    fn people_edit(&mut self, row: &Issue, edit: &IssueEdit, now: Timestamp) -> Result<Effects, EventError> {
        let IssueEdit { summary, description, priority, labels_added, labels_removed } = edit;
        let mut changed = Issue { updated: now, ..row.clone() };
        if let Some(summary) = summary {
            check_summary(summary)?;
            changed.summary = summary.as_str().into();
        }
        if let Some(description) = description {
            check_text(description)?;
            let is_empty = matches!(description, Text::Plain(text) if text.is_empty());
            changed.description = (!is_empty).then(|| description.into());
        }
        if let Some(priority) = priority {
            changed.priority = Some(named(&self.store.directory().priorities, priority, "priority")?);
        }
        check_labels(labels_added)?;
        let mut labels: BTreeSet<SmolStr> = (*row.labels).clone();
        labels.retain(|label| !labels_removed.contains(label.as_str()));
        labels.extend(labels_added.iter().map(SmolStr::new));
        changed.labels = Arc::new(labels);
        Ok(self.put(changed, now))
    }
}
