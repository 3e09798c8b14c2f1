//! From a description of a world to rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixtures::world::JiraWorld;
use fixtures::world::jira::{CommentSpec, IssueSpec, NumbersSpec, ProjectSpec};
use smol_str::SmolStr;

use super::document::Document;
use super::index::{CaughtUp, Index};
use super::labels::Labels;
use super::model::{Comment, Directory, Issue, Project, Rendered, number_of};
use super::{Readings, Store};
use crate::kernel::counted_map::CountedMap;
use crate::vendors::jira::wire::directory::{Shown, project_of_issues};
use crate::vendors::jira::wire::people;

impl Store {
    /// Rows for a valid world ([`fixtures::world::WorldSpec::validate`]). What refers to nothing is left out.
    pub fn load(world: &JiraWorld, readings: Readings) -> Self {
        let mut directory = Directory {
            issue_types: world.issue_types.clone(),
            statuses: world.statuses.clone(),
            priorities: world.priorities.clone(),
            resolutions: world.resolutions.clone(),
            custom_fields: world.custom_fields.clone(),
            workflows: world.workflows.iter().map(|row| (row.name.clone(), row.clone())).collect(),
            people: world.users.iter().map(|user| (user.account_id.clone(), people::user(user))).collect(),
            shown: Shown::default(),
        };
        directory.shown = Shown::of(&directory);
        let number_of_key: BTreeMap<&str, u64> =
            world.projects.iter().map(|project| (project.key.as_str(), project.id)).collect();
        let mut newest_numbers: BTreeMap<u64, u64> = BTreeMap::new();
        let mut newest = world.newest;
        let mut issues = Vec::with_capacity(world.issues.len());
        let mut keys = Vec::with_capacity(world.issues.len());
        let mut links = Vec::new();
        for spec in &world.issues {
            let project_of = |key: &str| number_of_key.get(key.rsplit_once('-')?.0).copied();
            let Some(project) = project_of(&spec.key) else { continue };
            for key in spec.former_keys.iter().chain([&spec.key]) {
                keys.push((SmolStr::new(key), spec.id));
                if let Some(project) = project_of(key) {
                    let newest = newest_numbers.entry(project).or_default();
                    *newest = (*newest).max(number_of(key));
                }
            }
            links.extend(spec.remote_links.iter().map(|link| (link.id, ())));
            let row = issue_row(spec, project);
            raise(&mut newest, &row);
            issues.push((spec.id, Arc::new(row)));
        }
        let project_row = |spec: &ProjectSpec| {
            let used = newest_numbers.get(&spec.id).copied().unwrap_or_default();
            let newest_number = spec.newest_number.unwrap_or_default().max(used);
            (
                spec.id,
                Arc::new(Project {
                    spec: Arc::new(ProjectSpec { newest_number: None, ..spec.clone() }),
                    newest_number,
                    shown: project_of_issues(spec),
                }),
            )
        };
        let issues: CountedMap<u64, Arc<Issue>> = issues.into_iter().collect();
        Self {
            readings,
            directory: Arc::new(directory),
            limits: world.limits.clone(),
            projects: world.projects.iter().map(project_row).collect(),
            index: Index::build(&issues),
            labels: Labels::build(issues.iter().map(|(_, issue)| &**issue)),
            issues,
            links: links.into_iter().collect(),
            keys: keys.into_iter().collect(),
            newest,
            pending: CountedMap::default(),
            caught_up: CaughtUp::default(),
            changes: BTreeSet::new(),
        }
    }
}

/// Numbers of an issue and of what hangs on it are not given again.
fn raise(newest: &mut NumbersSpec, row: &Issue) {
    newest.issue = newest.issue.max(row.id);
    let highest = |id: Option<u64>| id.unwrap_or_default();
    newest.comment = newest.comment.max(highest(row.comments.iter().last().map(|(id, _)| *id)));
    newest.remote_link = newest.remote_link.max(highest(row.links.iter().last().map(|(id, _)| *id)));
}

fn issue_row(spec: &IssueSpec, project: u64) -> Issue {
    let account = |id: &Option<String>| id.as_deref().map(SmolStr::new);
    Issue {
        id: spec.id,
        key: SmolStr::new(&spec.key),
        former_keys: Arc::new(spec.former_keys.iter().map(SmolStr::new).collect()),
        project,
        issue_type: spec.issue_type,
        status: spec.status,
        status_changed: spec.status_changed.unwrap_or(spec.created),
        resolution: spec.resolution,
        resolution_date: spec.resolution_date,
        summary: spec.summary.as_str().into(),
        description: spec.description.as_ref().map(Document::from),
        labels: Arc::new(spec.labels.iter().map(SmolStr::new).collect()),
        priority: spec.priority,
        assignee: account(&spec.assignee),
        reporter: account(&spec.reporter),
        creator: account(&spec.creator),
        custom: Arc::new(spec.custom.clone()),
        created: spec.created,
        updated: spec.updated,
        is_hidden: spec.is_hidden,
        is_archived: spec.is_archived,
        comments: spec.comments.iter().map(|comment| (comment.id, Arc::new(comment_row(comment)))).collect(),
        links: spec.remote_links.iter().map(|link| (link.id, Arc::new(link.clone()))).collect(),
        properties: spec
            .properties
            .iter()
            .map(|(key, value)| (SmolStr::new(key), Arc::new(value.clone())))
            .collect(),
        rendered: Rendered::default(),
    }
}

fn comment_row(spec: &CommentSpec) -> Comment {
    Comment {
        id: spec.id,
        author: spec.author.as_deref().map(SmolStr::new),
        body: Document::from(&spec.body),
        created: spec.created,
        updated: spec.updated,
    }
}
