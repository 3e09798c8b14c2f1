//! What an administrator set up: issue types, statuses, priorities, resolutions, projects, fields, transitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::world::jira::{
    IssueTypeSpec, NamedSpec, ProjectSpec, ScreenField, StatusCategory, StatusSpec, TransitionSpec,
};
use serde_json::{Map, Value, json};

use super::link;
use crate::vendors::jira::rules::edits::display_name;
use crate::vendors::jira::store::{Directory, Project};

/// What stands in every issue, as JSON with `HERE` in its links, rendered once: by number, people by account id.
#[derive(Debug, Default)]
pub struct Shown {
    /// Kinds of issue.
    pub issue_types: BTreeMap<u64, Arc<[u8]>>,
    /// Statuses.
    pub statuses: BTreeMap<u64, Arc<[u8]>>,
    /// What statuses mean, by the status.
    pub categories: BTreeMap<u64, Arc<[u8]>>,
    /// Priorities.
    pub priorities: BTreeMap<u64, Arc<[u8]>>,
    /// Resolutions.
    pub resolutions: BTreeMap<u64, Arc<[u8]>>,
    /// Users.
    pub people: BTreeMap<String, Arc<[u8]>>,
}

impl Shown {
    /// Renders what stands in the directory.
    pub fn of(known: &Directory) -> Self {
        let statuses = || known.statuses.iter();
        Self {
            issue_types: known.issue_types.iter().map(|row| (row.id, json(&issue_type(row)))).collect(),
            statuses: statuses().map(|row| (row.id, json(&status(row)))).collect(),
            categories: statuses().map(|row| (row.id, json(&category(row.category)))).collect(),
            priorities: known.priorities.iter().map(|row| (row.id, json(&priority(row)))).collect(),
            resolutions: known.resolutions.iter().map(|row| (row.id, json(&resolution(row)))).collect(),
            people: known.people.iter().map(|(id, user)| (id.clone(), json(user))).collect(),
        }
    }
}

/// A project as it stands in each of its issues.
pub fn project_of_issues(spec: &ProjectSpec) -> Arc<[u8]> {
    json(&project(spec))
}

fn json(value: &Value) -> Arc<[u8]> {
    value.to_string().into_bytes().into()
}

/// An issue type.
pub fn issue_type(spec: &IssueTypeSpec) -> Value {
    json!({
        "self": link(&format!("issuetype/{}", spec.id)),
        "id": spec.id.to_string(),
        "description": spec.description,
        "name": spec.name,
        "subtask": spec.is_subtask,
        "hierarchyLevel": if spec.is_subtask { -1 } else { 0 },
    })
}

/// What a status means.
pub fn category(category: StatusCategory) -> Value {
    let (id, colour, name) = match category {
        StatusCategory::New => (2, "blue-gray", "To Do"),
        StatusCategory::Indeterminate => (4, "yellow", "In Progress"),
        StatusCategory::Done => (3, "green", "Done"),
    };
    json!({
        "self": link(&format!("statuscategory/{id}")),
        "id": id,
        "key": category.as_str(),
        "colorName": colour,
        "name": name,
    })
}

/// A status.
pub fn status(spec: &StatusSpec) -> Value {
    json!({
        "self": link(&format!("status/{}", spec.id)),
        "description": "",
        "name": spec.name,
        "id": spec.id.to_string(),
        "statusCategory": category(spec.category),
    })
}

/// A priority.
pub fn priority(spec: &NamedSpec) -> Value {
    json!({"self": link(&format!("priority/{}", spec.id)), "name": spec.name, "id": spec.id.to_string()})
}

/// A resolution.
pub fn resolution(spec: &NamedSpec) -> Value {
    json!({
        "self": link(&format!("resolution/{}", spec.id)),
        "id": spec.id.to_string(),
        "description": "",
        "name": spec.name,
    })
}

/// A project in a list or in an issue.
pub fn project(spec: &ProjectSpec) -> Value {
    json!({
        "self": link(&format!("project/{}", spec.id)),
        "id": spec.id.to_string(),
        "key": spec.key,
        "name": spec.name,
        "projectTypeKey": "software",
        "simplified": false,
        "style": "classic",
        "isPrivate": false,
        "avatarUrls": {},
    })
}

/// A project with what a request for it alone shows.
pub fn whole_project(row: &Project, directory: &Directory) -> Value {
    let mut value = project(&row.spec);
    let types = row.spec.issue_types.iter().filter_map(|id| directory.issue_type(*id));
    value["issueTypes"] = types.map(issue_type).collect();
    value["description"] = "".into();
    if let Some(lead) = row.spec.lead.as_ref().and_then(|lead| directory.people.get(lead)) {
        value["lead"] = lead.clone();
    }
    value["assigneeType"] = "UNASSIGNED".into();
    value["components"] = json!([]);
    value["versions"] = json!([]);
    value
}

/// What a field holds: kind of schema, kind of its items, name in the system, values, operations.
fn nature(field: &str, directory: &Directory) -> (Value, Option<Vec<Value>>, &'static [&'static str]) {
    let simple = |kind: &str| json!({"type": kind, "system": field});
    match field {
        "labels" => {
            (json!({"type": "array", "items": "string", "system": field}), None, &["add", "set", "remove"])
        }
        "priority" => {
            (simple("priority"), Some(directory.priorities.iter().map(priority).collect()), &["set"])
        }
        "resolution" => {
            (simple("resolution"), Some(directory.resolutions.iter().map(resolution).collect()), &["set"])
        }
        "assignee" | "reporter" => (simple("user"), None, &["set"]),
        "summary" | "description" => (simple("string"), None, &["set"]),
        "project" => (simple("project"), None, &["set"]),
        "issuetype" => (simple("issuetype"), None, &[]),
        "status" => (simple("status"), None, &[]),
        "created" | "updated" => (simple("datetime"), None, &[]),
        custom => {
            let id: u64 = custom.trim_start_matches("customfield_").parse().unwrap_or_default();
            let kind = "com.atlassian.jira.plugin.system.customfieldtypes:textfield";
            (json!({"type": "string", "custom": kind, "customId": id}), None, &["set"])
        }
    }
}

/// A field of a screen as metadata.
pub fn field(field: &ScreenField, directory: &Directory) -> Value {
    let (schema, values, operations) = nature(&field.field, directory);
    let mut value = json!({
        "required": field.is_required,
        "schema": schema,
        "name": display_name(&field.field, directory),
        "key": field.field,
        "hasDefaultValue": false,
        "operations": operations,
    });
    if let Some(values) = values {
        value["allowedValues"] = values.into();
    }
    value
}

/// A field in the list of all fields.
pub fn known_field(name: &str, directory: &Directory) -> Value {
    let is_custom = name.starts_with("customfield_");
    json!({
        "id": name,
        "key": name,
        "name": display_name(name, directory),
        "custom": is_custom,
        "orderable": true,
        "navigable": true,
        "searchable": true,
        "clauseNames": [name],
        "schema": nature(name, directory).0,
    })
}

/// A transition.
pub fn transition(way: &TransitionSpec, directory: &Directory, with_fields: bool) -> Value {
    let mut value = json!({
        "id": way.id.to_string(),
        "name": way.name,
        "to": directory.status(way.to).map_or(Value::Null, status),
        "hasScreen": way.screen.is_some(),
        "isGlobal": way.from.is_empty(),
        "isInitial": false,
        "isAvailable": true,
        "isConditional": false,
        "isLooped": false,
    });
    if with_fields {
        let screen = way.screen.as_deref().unwrap_or_default();
        let fields: Map<String, Value> =
            screen.iter().map(|shown| (shown.field.clone(), field(shown, directory))).collect();
        value["fields"] = fields.into();
    }
    value
}
