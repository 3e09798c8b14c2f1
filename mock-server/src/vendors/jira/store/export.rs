//! From rows to a description of a world.

use fixtures::world::JiraWorld;
use fixtures::world::jira::{CommentSpec, IssueSpec, ProjectSpec};

use super::Store;
use super::document::Document;
use super::model::{Comment, Issue, Project};

impl Store {
    /// The rows as plain data, without users.
    pub fn export(&self) -> JiraWorld {
        let directory = &self.directory;
        JiraWorld {
            users: Vec::new(),
            issue_types: directory.issue_types.clone(),
            statuses: directory.statuses.clone(),
            priorities: directory.priorities.clone(),
            resolutions: directory.resolutions.clone(),
            custom_fields: directory.custom_fields.clone(),
            workflows: directory.workflows.values().cloned().collect(),
            projects: self.projects().map(|project| project.export()).collect(),
            issues: self.issues().map(|issue| issue.export()).collect(),
            limits: self.limits.clone(),
            newest: self.newest,
        }
    }
}

impl Project {
    /// The project as plain data.
    pub fn export(&self) -> ProjectSpec {
        ProjectSpec { newest_number: Some(self.newest_number), ..(*self.spec).clone() }
    }
}

impl Comment {
    /// The comment as plain data.
    pub fn export(&self) -> CommentSpec {
        CommentSpec {
            id: self.id,
            author: self.author.as_ref().map(ToString::to_string),
            body: self.body.export(),
            created: self.created,
            updated: self.updated,
        }
    }
}

impl Issue {
    /// The issue as plain data.
    pub fn export(&self) -> IssueSpec {
        IssueSpec {
            comments: self.comments.iter().map(|(_, comment)| comment.export()).collect(),
            remote_links: self.links.iter().map(|(_, link)| (**link).clone()).collect(),
            properties: self
                .properties
                .iter()
                .map(|(key, value)| (key.to_string(), (**value).clone()))
                .collect(),
            ..self.export_alone()
        }
    }

    /// The issue as plain data without what hangs on it.
    pub fn export_alone(&self) -> IssueSpec {
        let account = |id: &Option<smol_str::SmolStr>| id.as_ref().map(ToString::to_string);
        IssueSpec {
            id: self.id,
            key: self.key.to_string(),
            former_keys: self.former_keys.iter().map(ToString::to_string).collect(),
            issue_type: self.issue_type,
            status: self.status,
            resolution: self.resolution,
            resolution_date: self.resolution_date,
            summary: self.summary.to_string(),
            description: self.description.as_ref().map(Document::export),
            labels: self.labels.iter().map(ToString::to_string).collect(),
            priority: self.priority,
            assignee: account(&self.assignee),
            reporter: account(&self.reporter),
            creator: account(&self.creator),
            custom: (*self.custom).clone(),
            created: self.created,
            updated: self.updated,
            status_changed: (self.status_changed != self.created).then_some(self.status_changed),
            is_hidden: self.is_hidden,
            is_archived: self.is_archived,
            comments: Vec::new(),
            remote_links: Vec::new(),
            properties: std::collections::BTreeMap::new(),
        }
    }
}
