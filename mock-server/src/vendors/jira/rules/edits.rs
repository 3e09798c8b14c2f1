//! What a request wants to be different about an issue: its `fields` and `update`, read field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixtures::spec::jira as ledger;
use fixtures::world::jira::ScreenField;
use jiff::Timestamp;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::denial::FieldProblems;
use super::fields::{Reader, Wrong, wrong};
use crate::http::reject::Because;
use crate::vendors::jira::store::{Directory, Document, Issue, Project};

/// What becomes of a field that may be empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// It stays as it is.
    #[default]
    Stays,
    /// It gets this value, or none.
    Becomes(Option<T>),
}

/// What is different. What is not named stays.
#[derive(Debug, Default)]
pub struct Edit {
    /// One line.
    pub summary: Option<String>,
    /// What it is about, a document.
    pub description: Field<Value>,
    /// All labels from then on.
    pub labels: Option<BTreeSet<SmolStr>>,
    /// Priority.
    pub priority: Field<u64>,
    /// Who works on it.
    pub assignee: Field<SmolStr>,
    /// Who reported it.
    pub reporter: Field<SmolStr>,
    /// Resolution.
    pub resolution: Field<u64>,
    /// Issue type.
    pub issue_type: Option<u64>,
    /// Custom fields.
    pub custom: BTreeMap<u64, Option<String>>,
    /// Comments it gets.
    pub comments: Vec<Value>,
}

/// What a request may set.
pub struct Screen<'a> {
    /// Its fields.
    pub fields: &'a [ScreenField],
    /// Whether summary and issue type are on it, as on every screen of a project.
    pub is_project_screen: bool,
    /// The project.
    pub project: &'a Project,
    /// The labels that the issue has.
    pub labels: &'a BTreeSet<SmolStr>,
}

impl Screen<'_> {
    fn has(&self, name: &str) -> bool {
        match name {
            "summary" | "issuetype" => self.is_project_screen,
            "comment" => true,
            _ => self.fields.iter().any(|field| field.field == name),
        }
    }
}

/// Names of fields that a request for a new issue has besides those of the screen.
const OF_NEW_ISSUES: [&str; 2] = ["project", "issuetype"];

impl Edit {
    /// Reads `fields` and `update` of a body. What is wrong goes to `problems`; `is_new` is for an issue to be made,
    /// whose project and issue type are read elsewhere.
    pub fn read(
        body: &Map<String, Value>,
        screen: &Screen<'_>,
        reader: &Reader<'_>,
        is_new: bool,
        problems: &mut FieldProblems,
    ) -> Self {
        let mut edit = Self::default();
        let empty = Map::new();
        let mut member = |name: &str| match body.get(name) {
            None | Some(Value::Null) => empty.clone(),
            Some(Value::Object(members)) => members.clone(),
            Some(_) => {
                problems.message(Because::Rule(reader.invalid), format!("{name} is an object"));
                empty.clone()
            }
        };
        let (fields, update) = (member("fields"), member("update"));
        for (name, value) in
            fields.iter().filter(|(name, _)| !is_new || !OF_NEW_ISSUES.contains(&name.as_str()))
        {
            if update.contains_key(name) {
                let text =
                    format!("Field '{}' is in both fields and update.", super::denial::shortened(name));
                problems.field(Because::Rule(&ledger::JIRA_EDIT_BOTH), name, text);
            } else if name != "comment"
                && let Err(Wrong { because, text }) = edit.set(name, value, screen, reader)
            {
                problems.field(because, name, text);
            }
        }
        for (name, operations) in &update {
            if let Err(Wrong { because, text }) = edit.operate(name, operations, screen, reader) {
                problems.field(because, name, text);
            }
        }
        edit
    }

    fn set(
        &mut self,
        name: &str,
        value: &Value,
        screen: &Screen<'_>,
        reader: &Reader<'_>,
    ) -> Result<(), Wrong> {
        if !screen.has(name) {
            let name = super::denial::shortened(name);
            let text =
                format!("Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.");
            return wrong(&ledger::JIRA_FIELD_SCREEN, text);
        }
        match name {
            "summary" => self.summary = Some(reader.summary(value)?),
            "description" => self.description = Field::Becomes(reader.long_text(value)?),
            "labels" => self.labels = Some(reader.labels(value)?),
            "priority" => self.priority = Field::Becomes(reader.priority(value)?),
            "assignee" => self.assignee = Field::Becomes(reader.person(value)?),
            "reporter" => self.reporter = Field::Becomes(reader.person(value)?),
            "resolution" => self.resolution = Field::Becomes(reader.resolution(value)?),
            "issuetype" => {
                self.issue_type = Some(reader.issue_type(value, &screen.project.spec.issue_types)?.id);
            }
            _ => {
                if let Some(id) = name.strip_prefix("customfield_").and_then(|id| id.parse().ok()) {
                    self.custom.insert(id, reader.line(value)?);
                }
            }
        }
        Ok(())
    }

    fn operate(
        &mut self,
        name: &str,
        operations: &Value,
        screen: &Screen<'_>,
        reader: &Reader<'_>,
    ) -> Result<(), Wrong> {
        let Some(operations) = operations.as_array() else {
            return wrong(reader.invalid, "operations are a list");
        };
        let steps = operations.iter().flat_map(|step| step.as_object().into_iter().flatten());
        for (verb, value) in steps {
            match (name, verb.as_str()) {
                ("labels", "add" | "remove") if screen.has(name) => {
                    let label = reader.label(value)?;
                    let labels = self.labels.get_or_insert_with(|| screen.labels.clone());
                    if verb == "add" {
                        labels.insert(label);
                    } else {
                        labels.remove(&label);
                    }
                }
                ("comment", "add") => {
                    let body = value.get("body").unwrap_or(&Value::Null);
                    match reader.long_text(body)? {
                        Some(body) => self.comments.push(body),
                        None => {
                            return wrong(&ledger::JIRA_COMMENT_INVALID, "Comment body can not be empty!");
                        }
                    }
                }
                ("comment", _) => return wrong(reader.invalid, "a comment can be added and nothing else"),
                (_, "set") => self.set(name, value, screen, reader)?,
                _ if screen.has(name) => {
                    let verb = super::denial::shortened(verb);
                    return wrong(reader.invalid, format!("there is no operation '{verb}' for this field"));
                }
                _ => self.set(name, value, screen, reader)?,
            }
        }
        Ok(())
    }

    /// Notes the fields that the screen requires and neither this edit nor the issue fills in.
    pub fn check_required(
        &self,
        fields: &[ScreenField],
        issue: Option<&Issue>,
        directory: &Directory,
        because: Because,
        problems: &mut FieldProblems,
    ) {
        for field in fields.iter().filter(|field| field.is_required) {
            let name = field.field.as_str();
            let custom = name.strip_prefix("customfield_").and_then(|id| id.parse::<u64>().ok());
            let is_filled = match name {
                "description" => {
                    filled(&self.description, issue.is_some_and(|row| row.description.is_some()))
                }
                "labels" => match &self.labels {
                    Some(labels) => !labels.is_empty(),
                    None => issue.is_some_and(|row| !row.labels.is_empty()),
                },
                "priority" => filled(&self.priority, issue.is_some_and(|row| row.priority.is_some())),
                "assignee" => filled(&self.assignee, issue.is_some_and(|row| row.assignee.is_some())),
                "reporter" => filled(&self.reporter, issue.is_some_and(|row| row.reporter.is_some())),
                "resolution" => filled(&self.resolution, issue.is_some_and(|row| row.resolution.is_some())),
                _ => custom.is_some_and(|id| match self.custom.get(&id) {
                    Some(value) => value.is_some(),
                    None => issue.is_some_and(|row| row.custom.contains_key(&id)),
                }),
            };
            if !is_filled {
                let text = format!("{} is required.", display_name(name, directory));
                problems.field(because, name, text);
            }
        }
    }

    /// Makes an issue different. Says whether that changed anything.
    pub fn apply(self, row: &mut Issue, now: Timestamp) -> bool {
        let mut is_changed = false;
        let mut note = |changed: bool| is_changed |= changed;
        if let Some(summary) = self.summary {
            note(*summary != *row.summary);
            row.summary = summary.into();
        }
        if let Field::Becomes(description) = self.description {
            let description = description.as_ref().map(Document::of);
            note(description != row.description);
            row.description = description;
        }
        if let Some(labels) = self.labels
            && labels != *row.labels
        {
            note(true);
            row.labels = Arc::new(labels);
        }
        note(replace(&mut row.priority, self.priority));
        note(replace(&mut row.assignee, self.assignee));
        note(replace(&mut row.reporter, self.reporter));
        if replace(&mut row.resolution, self.resolution) {
            note(true);
            row.resolution_date = row.resolution.map(|_| now);
        }
        if let Some(issue_type) = self.issue_type {
            note(row.issue_type != issue_type);
            row.issue_type = issue_type;
        }
        for (id, value) in self.custom {
            if row.custom.get(&id) == value.as_ref() {
                continue;
            }
            note(true);
            let custom = Arc::make_mut(&mut row.custom);
            match value {
                Some(value) => drop(custom.insert(id, value)),
                None => drop(custom.remove(&id)),
            }
        }
        is_changed
    }
}

/// Whether a field has a value, from what an edit says or, where it says nothing, from what there is.
fn filled<T>(said: &Field<T>, is_there: bool) -> bool {
    match said {
        Field::Stays => is_there,
        Field::Becomes(value) => value.is_some(),
    }
}

fn replace<T: PartialEq>(place: &mut Option<T>, said: Field<T>) -> bool {
    match said {
        Field::Becomes(value) if *place != value => {
            *place = value;
            true
        }
        _ => false,
    }
}

/// What people call a field.
pub fn display_name(field: &str, directory: &Directory) -> String {
    let custom = field.strip_prefix("customfield_").and_then(|id| id.parse::<u64>().ok());
    if let Some(known) = custom.and_then(|id| directory.custom_fields.iter().find(|known| known.id == id)) {
        return known.name.clone();
    }
    match field {
        "issuetype" => "Issue Type".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}
