//! Rows of one site: what exists, and what a search sees of it.
//!
//! Rows are immutable once stored; a change stores a new row. Two things keep issues: the rows as they are, which a
//! request for one issue reads, and the search index, which takes in a change only once it is as old as the site's
//! search lag. The store knows nothing of who may ask for what.

mod document;
mod export;
mod index;
mod labels;
mod load;
mod model;
mod walk;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::jira::{LimitsSpec, NumbersSpec};
use smol_str::SmolStr;

pub use document::Document;
pub use index::{Candidates, Searchable};
pub use labels::LabelList;
pub use model::{Comment, Directory, Issue, Project, Rendered};
pub use write::Change;

use super::readings::Readings;
use crate::kernel::counted_map::CountedMap;
use index::{CaughtUp, Index, Pending};
use labels::Labels;

/// All rows of one site.
#[derive(Clone)]
pub struct Store {
    readings: Readings,
    directory: Arc<Directory>,
    limits: LimitsSpec,
    projects: CountedMap<u64, Arc<Project>>,
    issues: CountedMap<u64, Arc<Issue>>,
    /// Present and former keys of all issues.
    keys: CountedMap<SmolStr, u64>,
    /// Remote links of all issues.
    links: CountedMap<u64, ()>,
    newest: NumbersSpec,
    index: Index,
    /// Changes that the index has not taken in, in the order they happened.
    pending: CountedMap<u64, Pending>,
    caught_up: CaughtUp,
    labels: Labels,
    changes: BTreeSet<Change>,
}

impl Store {
    /// The readings in force.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// What an administrator set up: issue types, statuses, workflows and the like.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// What the site puts up with.
    pub fn limits(&self) -> &LimitsSpec {
        &self.limits
    }

    /// The highest numbers given.
    pub fn newest(&self) -> &NumbersSpec {
        &self.newest
    }

    /// All projects, by number.
    pub fn projects(&self) -> impl Iterator<Item = &Arc<Project>> {
        self.projects.iter().map(|(_, project)| project)
    }

    /// The project with this number.
    pub fn project(&self, id: u64) -> Option<&Arc<Project>> {
        self.projects.get(&id)
    }

    /// The project with this key, whatever its case.
    pub fn project_of_key(&self, key: &str) -> Option<&Arc<Project>> {
        self.projects().find(|project| project.spec.key.eq_ignore_ascii_case(key))
    }

    /// The issue with this number.
    pub fn issue(&self, id: u64) -> Option<&Arc<Issue>> {
        self.issues.get(&id)
    }

    /// The issue with this number, present key or former key, whatever its case.
    pub fn issue_of(&self, id_or_key: &str) -> Option<&Arc<Issue>> {
        if let Ok(id) = id_or_key.parse::<u64>() {
            return self.issue(id);
        }
        self.issue(*self.keys.get(id_or_key.to_ascii_uppercase().as_str())?)
    }

    /// Whether any issue has the remote link of this number.
    pub fn has_remote_link(&self, id: u64) -> bool {
        self.links.contains_key(&id)
    }

    /// All issues, by number.
    pub fn issues(&self) -> impl Iterator<Item = &Arc<Issue>> {
        self.issues.iter().map(|(_, issue)| issue)
    }

    /// Number of projects and issues.
    pub fn sizes(&self) -> (usize, usize) {
        (self.projects.len(), self.issues.len())
    }
}
