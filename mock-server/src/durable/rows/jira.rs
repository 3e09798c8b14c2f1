//! Jira's rows. What hangs on an issue is rows of its own, so a comment costs the same however many there are.
//!
//! A row whose value is JSON `null` says that what the base has under its key is gone.

use std::collections::BTreeMap;

use fixtures::world::JiraWorld;
use fixtures::world::jira::{CommentSpec, IssueSpec, ProjectSpec, RemoteLinkSpec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Row, json, read};
use crate::durable::OpenError;
use crate::vendors::jira::store::{Change, Store};

/// What all of these kinds begin with on disk; a point follows.
pub(super) const KINDS: &str = "jira";

/// What a change writes; `None` if it is written as a whole world instead.
pub(super) fn row(store: &Store, change: &Change) -> Option<Row> {
    let issue = |id: &u64| store.issue(*id);
    Some(match change {
        Change::Issue(id) => one("issue", id, issue(id).map(|row| row.export_alone()).as_ref()),
        Change::Comment(id, comment) => {
            let row = issue(id).and_then(|row| row.comments.get(comment));
            one("comment", &json(&(id, comment)), row.map(|row| row.export()).as_ref())
        }
        Change::RemoteLink(id, link) => {
            let row = issue(id).and_then(|row| row.links.get(link));
            one("remote_link", &json(&(id, link)), row.map(|row| &**row))
        }
        Change::Property(id, key) => {
            let value = issue(id).and_then(|row| row.properties.get(key));
            // A property may be `null`, so it stands in a list.
            one("property", &json(&(id, key)), value.map(|value| [&**value]).as_ref())
        }
        Change::Project(id) => one("project", id, store.project(*id).map(|row| row.export()).as_ref()),
        Change::Numbers => one("numbers", "", Some(store.newest())),
        Change::Limits => one("limits", "", Some(store.limits())),
        Change::Users => return None,
    })
}

fn one(kind: &str, key: &(impl ToString + ?Sized), value: Option<&impl Serialize>) -> Row {
    Row { kind: format!("{KINDS}.{kind}"), key: key.to_string(), place: 0, value: json(&value) }
}

/// A world taken apart by the keys of its rows, so that rows can take their places.
pub(super) struct Overlay {
    /// What no row replaces.
    rest: JiraWorld,
    projects: BTreeMap<u64, ProjectSpec>,
    issues: BTreeMap<u64, IssueSpec>,
    /// By issue and number.
    comments: BTreeMap<(u64, u64), CommentSpec>,
    /// By issue and number.
    remote_links: BTreeMap<(u64, u64), RemoteLinkSpec>,
    /// By issue and key.
    properties: BTreeMap<(u64, String), [Value; 1]>,
}

impl Overlay {
    pub(super) fn take(world: &mut JiraWorld) -> Self {
        let mut rest = std::mem::take(world);
        let (mut comments, mut remote_links, mut properties) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for issue in &mut rest.issues {
            let id = issue.id;
            comments.extend(std::mem::take(&mut issue.comments).into_iter().map(|row| ((id, row.id), row)));
            remote_links
                .extend(std::mem::take(&mut issue.remote_links).into_iter().map(|row| ((id, row.id), row)));
            let of_issue = std::mem::take(&mut issue.properties).into_iter();
            properties.extend(of_issue.map(|(key, value)| ((id, key), [value])));
        }
        let projects = std::mem::take(&mut rest.projects).into_iter().map(|row| (row.id, row)).collect();
        let issues = std::mem::take(&mut rest.issues).into_iter().map(|row| (row.id, row)).collect();
        Self { rest, projects, issues, comments, remote_links, properties }
    }

    /// Takes a row of this kind, named without [`KINDS`].
    pub(super) fn add(&mut self, kind: &str, key: &str, value: &str) -> Result<(), OpenError> {
        match kind {
            "issue" => put(&mut self.issues, read(key, kind)?, value, kind),
            "comment" => put(&mut self.comments, read(key, kind)?, value, kind),
            "remote_link" => put(&mut self.remote_links, read(key, kind)?, value, kind),
            "property" => put(&mut self.properties, read(key, kind)?, value, kind),
            "project" => put(&mut self.projects, read(key, kind)?, value, kind),
            "numbers" => {
                self.rest.newest = read(value, kind)?;
                Ok(())
            }
            "limits" => {
                self.rest.limits = read(value, kind)?;
                Ok(())
            }
            // A kind that this version does not know would have come with a newer format.
            _ => Ok(()),
        }
    }

    pub(super) fn world(mut self) -> JiraWorld {
        // What hung on an issue that is gone is gone with it.
        for ((issue, _), row) in self.comments {
            if let Some(issue) = self.issues.get_mut(&issue) {
                issue.comments.push(row);
            }
        }
        for ((issue, _), row) in self.remote_links {
            if let Some(issue) = self.issues.get_mut(&issue) {
                issue.remote_links.push(row);
            }
        }
        for ((issue, key), [value]) in self.properties {
            if let Some(issue) = self.issues.get_mut(&issue) {
                issue.properties.insert(key, value);
            }
        }
        let projects = self.projects.into_values().collect();
        JiraWorld { projects, issues: self.issues.into_values().collect(), ..self.rest }
    }
}

/// Puts a row in its place, or takes away what was there.
fn put<K: Ord, T: DeserializeOwned>(
    rows: &mut BTreeMap<K, T>,
    key: K,
    value: &str,
    kind: &str,
) -> Result<(), OpenError> {
    match read::<Option<T>>(value, kind)? {
        Some(row) => drop(rows.insert(key, row)),
        None => drop(rows.remove(&key)),
    }
    Ok(())
}
