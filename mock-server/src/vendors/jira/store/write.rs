//! Changes to rows.

use std::sync::Arc;

use fixtures::world::jira::{LimitsSpec, RemoteLinkSpec};
use jiff::Timestamp;
use serde_json::Value;
use smol_str::{SmolStr, format_smolstr};

use super::Store;
use super::model::{Comment, Issue, Project};

/// Which row changed, came or went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// An issue, without what hangs on it.
    Issue(u64),
    /// A comment of an issue.
    Comment(u64, u64),
    /// A remote link of an issue.
    RemoteLink(u64, u64),
    /// An entity property of an issue.
    Property(u64, SmolStr),
    /// A project.
    Project(u64),
    /// The highest numbers given.
    Numbers,
    /// What the site puts up with.
    Limits,
    /// A user's token.
    Users,
}

impl Store {
    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes).into_iter().collect()
    }

    /// Notes a change for whoever keeps rows on disk.
    pub fn note(&mut self, change: Change) {
        self.changes.insert(change);
    }

    /// A number for a new issue.
    pub fn next_issue_id(&mut self) -> u64 {
        self.newest.issue = self.newest.issue.max(9_999).saturating_add(1);
        self.note(Change::Numbers);
        self.newest.issue
    }

    /// A number for a new comment.
    pub fn next_comment_id(&mut self) -> u64 {
        self.newest.comment = self.newest.comment.max(9_999).saturating_add(1);
        self.note(Change::Numbers);
        self.newest.comment
    }

    /// A number for a new remote link.
    pub fn next_remote_link_id(&mut self) -> u64 {
        self.newest.remote_link = self.newest.remote_link.max(9_999).saturating_add(1);
        self.note(Change::Numbers);
        self.newest.remote_link
    }

    /// A key for an issue that is new in a project.
    pub fn next_key(&mut self, project: &Project) -> SmolStr {
        let newest =
            self.projects.get(&project.spec.id).map_or(project.newest_number, |row| row.newest_number);
        let newest_number = newest.saturating_add(1);
        let row = Project { newest_number, ..(*project).clone() };
        self.projects.insert(project.spec.id, Arc::new(row));
        self.note(Change::Project(project.spec.id));
        format_smolstr!("{}-{newest_number}", project.spec.key)
    }

    /// Stores an issue, new or changed.
    pub fn put_issue(&mut self, row: Issue, now: Timestamp) {
        let id = row.id;
        for key in row.former_keys.iter().chain([&row.key]) {
            if self.keys.get(key.as_str()) != Some(&id) {
                self.keys.insert(key.clone(), id);
            }
        }
        let row = Arc::new(row);
        let old = self.issues.insert(id, Arc::clone(&row));
        self.labels.change(old.as_deref(), Some(&row));
        self.note(Change::Issue(id));
        self.index_change(id, now);
    }

    /// Removes an issue with everything that hangs on it.
    pub fn remove_issue(&mut self, id: u64, now: Timestamp) {
        let Some(row) = self.issues.remove(&id) else { return };
        self.labels.change(Some(&row), None);
        for (link, _) in row.links.iter() {
            self.links.remove(link);
        }
        for key in row.former_keys.iter().chain([&row.key]) {
            self.keys.remove(key.as_str());
        }
        self.note(Change::Issue(id));
        self.index_change(id, now);
    }

    /// Stores a comment, new or changed.
    pub fn put_comment(&mut self, issue: &Issue, comment: Comment, now: Timestamp) {
        self.note(Change::Comment(issue.id, comment.id));
        let mut row = issue.clone();
        row.updated = now;
        row.comments.insert(comment.id, Arc::new(comment));
        self.put_issue(row, now);
    }

    /// Removes a comment.
    pub fn remove_comment(&mut self, issue: &Issue, comment: u64, now: Timestamp) {
        self.note(Change::Comment(issue.id, comment));
        let mut row = issue.clone();
        row.updated = now;
        row.comments.remove(&comment);
        self.put_issue(row, now);
    }

    /// Stores a remote link, new or changed, or removes it. `updated` is when the issue last changed from then on.
    pub fn put_remote_link(
        &mut self,
        issue: &Issue,
        id: u64,
        link: Option<RemoteLinkSpec>,
        updated: Timestamp,
        now: Timestamp,
    ) {
        self.note(Change::RemoteLink(issue.id, id));
        let mut row = issue.clone();
        row.updated = updated;
        match link {
            Some(link) => {
                row.links.insert(id, Arc::new(link));
                self.links.insert(id, ());
            }
            None => {
                row.links.remove(&id);
                self.links.remove(&id);
            }
        }
        self.put_issue(row, now);
    }

    /// Sets an entity property, or removes it. `updated` is when the issue last changed from then on.
    pub fn put_property(
        &mut self,
        issue: &Issue,
        key: &str,
        value: Option<Value>,
        updated: Timestamp,
        now: Timestamp,
    ) {
        let key = SmolStr::new(key);
        self.note(Change::Property(issue.id, key.clone()));
        let mut row = issue.clone();
        row.updated = updated;
        match value {
            Some(value) => drop(row.properties.insert(key, Arc::new(value))),
            None => drop(row.properties.remove(&key)),
        }
        self.put_issue(row, now);
    }

    /// Gives a new issue its properties before it is stored.
    pub fn note_properties(&mut self, issue: u64, keys: impl IntoIterator<Item = SmolStr>) {
        for key in keys {
            self.note(Change::Property(issue, key));
        }
    }

    /// Changes what the site puts up with.
    pub fn set_limits(&mut self, limits: LimitsSpec, now: Timestamp) {
        self.limits = limits;
        self.note(Change::Limits);
        self.take_in(now);
    }
}
