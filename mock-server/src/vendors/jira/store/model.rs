//! The rows themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use fixtures::world::jira::{
    IssueTypeSpec, NamedSpec, ProjectSpec, RemoteLinkSpec, StatusCategory, StatusSpec, TransitionSpec,
    WorkflowSpec,
};
use jiff::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use super::document::Document;
use crate::kernel::counted_map::CountedMap;
use crate::vendors::jira::wire::directory::Shown;
use crate::vendors::jira::wire::issue::RenderedField;

/// What an administrator set up. It does not change while the site is played.
#[derive(Debug, Default)]
pub struct Directory {
    /// Kinds of issue.
    pub issue_types: Vec<IssueTypeSpec>,
    /// Statuses of all workflows.
    pub statuses: Vec<StatusSpec>,
    /// Priorities, the highest first.
    pub priorities: Vec<NamedSpec>,
    /// Resolutions.
    pub resolutions: Vec<NamedSpec>,
    /// Fields of the site's own.
    pub custom_fields: Vec<NamedSpec>,
    /// Workflows by name.
    pub workflows: BTreeMap<String, WorkflowSpec>,
    /// Users as the wire shows them, by account id.
    pub people: BTreeMap<String, Value>,
    /// What of all this stands in every issue, as JSON.
    pub shown: Shown,
}

impl Directory {
    /// The issue type with this number.
    pub fn issue_type(&self, id: u64) -> Option<&IssueTypeSpec> {
        self.issue_types.iter().find(|row| row.id == id)
    }

    /// The status with this number.
    pub fn status(&self, id: u64) -> Option<&StatusSpec> {
        self.statuses.iter().find(|row| row.id == id)
    }

    /// What a status means.
    pub fn category(&self, status: u64) -> Option<StatusCategory> {
        self.status(status).map(|status| status.category)
    }

    /// Whether an issue in this status is over.
    pub fn is_done(&self, status: u64) -> bool {
        self.category(status) == Some(StatusCategory::Done)
    }

    /// The priority with this number.
    pub fn priority(&self, id: u64) -> Option<&NamedSpec> {
        self.priorities.iter().find(|row| row.id == id)
    }

    /// The resolution with this number.
    pub fn resolution(&self, id: u64) -> Option<&NamedSpec> {
        self.resolutions.iter().find(|row| row.id == id)
    }

    /// The workflow of a project.
    pub fn workflow(&self, project: &Project) -> Option<&WorkflowSpec> {
        self.workflows.get(&project.spec.workflow)
    }

    /// The ways on from a status in the workflow of a project. A way to where one is leads nowhere.
    pub fn ways<'a>(
        &'a self,
        project: &Project,
        status: u64,
    ) -> impl Iterator<Item = &'a TransitionSpec> + use<'a> {
        let ways = self.workflow(project).map(|workflow| workflow.transitions.as_slice()).unwrap_or_default();
        ways.iter().filter(move |way| way.from.contains(&status) || (way.from.is_empty() && way.to != status))
    }
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Everything but what the other fields hold newer values of.
    pub spec: Arc<ProjectSpec>,
    /// The highest number an issue of it has had.
    pub newest_number: u64,
    /// What of it stands in every issue, as JSON.
    pub shown: Arc<[u8]>,
}

/// A comment.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Number among all comments of the site.
    pub id: u64,
    /// Account id of who wrote it.
    pub author: Option<SmolStr>,
    /// What it says.
    pub body: Document,
    /// When it was written.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Number among all issues of the site.
    pub id: u64,
    /// Key.
    pub key: SmolStr,
    /// Keys it had in other projects, the oldest first.
    pub former_keys: Arc<Vec<SmolStr>>,
    /// Number of its project.
    pub project: u64,
    /// Number of its issue type.
    pub issue_type: u64,
    /// Number of its status.
    pub status: u64,
    /// When it got its status.
    pub status_changed: Timestamp,
    /// Number of its resolution.
    pub resolution: Option<u64>,
    /// When it was resolved.
    pub resolution_date: Option<Timestamp>,
    /// One line.
    pub summary: Arc<str>,
    /// What it is about.
    pub description: Option<Document>,
    /// Labels.
    pub labels: Arc<BTreeSet<SmolStr>>,
    /// Number of its priority.
    pub priority: Option<u64>,
    /// Account id of who works on it.
    pub assignee: Option<SmolStr>,
    /// Account id of who reported it.
    pub reporter: Option<SmolStr>,
    /// Account id of who made it.
    pub creator: Option<SmolStr>,
    /// Values of custom fields by number.
    pub custom: Arc<BTreeMap<u64, String>>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Whether the users of the API may not see it.
    pub is_hidden: bool,
    /// Whether it was put away.
    pub is_archived: bool,
    /// Comments.
    pub comments: CountedMap<u64, Arc<Comment>>,
    /// Links to places outside.
    pub links: CountedMap<u64, Arc<RemoteLinkSpec>>,
    /// Entity properties.
    pub properties: CountedMap<SmolStr, Arc<Value>>,
    /// Its fields as JSON.
    pub rendered: Rendered,
}

impl Issue {
    /// The number behind the hyphen of its key.
    pub fn number(&self) -> u64 {
        number_of(&self.key)
    }
}

/// The number behind the hyphen of a key.
pub(super) fn number_of(key: &str) -> u64 {
    key.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

/// An issue's fields as JSON, rendered once per version of the row. A changed row is a clone of the old one, so cloning
/// forgets what was rendered.
#[derive(Debug, Default)]
pub struct Rendered(OnceLock<Vec<RenderedField>>);

impl Clone for Rendered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Rendered {
    /// The fields, rendered by `render` if this version has not been rendered yet.
    pub fn get(&self, render: impl FnOnce() -> Vec<RenderedField>) -> &[RenderedField] {
        self.0.get_or_init(render)
    }
}
