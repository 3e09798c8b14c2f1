//! Issues.

use std::sync::Arc;

use serde_json::Value;
use smol_str::{SmolStr, format_smolstr};

use super::{Counted, parts, time, with_links};
use crate::vendors::jira::rules::fields::Version;
use crate::vendors::jira::store::{Document, Issue, Store};

/// A field of an issue as JSON.
#[derive(Debug)]
pub struct RenderedField {
    name: SmolStr,
    json: Form,
}

/// How a field is kept.
#[derive(Debug)]
enum Form {
    /// Shared by many issues, with [`super::HERE`] in its links, and nothing in it that people wrote.
    Linked(Arc<[u8]>),
    /// As it is.
    Plain(Box<[u8]>),
    /// The same in all issues.
    Fixed(&'static str),
    /// Another one in each version.
    Long(Document),
}

const NULL: Form = Form::Fixed("null");

/// Which fields of an issue a request wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether all, or all that a list usually shows, are wanted.
    pub all: bool,
    /// Fields wanted by name.
    pub names: Vec<SmolStr>,
    /// Fields not wanted after all.
    pub without: Vec<SmolStr>,
    /// Entity properties wanted by key; `*all` for all.
    pub properties: Vec<SmolStr>,
}

impl Wanted {
    /// Reads names as a request gives them: `*all`, `*navigable`, `-comment`, `summary`.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut wanted = Self::default();
        for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
            match name.strip_prefix('-') {
                Some(name) => wanted.without.push(SmolStr::new(name)),
                None if name == "*all" || name == "*navigable" => wanted.all = true,
                None => wanted.names.push(SmolStr::new(name)),
            }
        }
        // Whoever names only what he does not want wants the rest.
        wanted.all |= wanted.names.is_empty() && !wanted.without.is_empty();
        wanted
    }

    fn wants(&self, name: &str) -> bool {
        (self.all || self.names.iter().any(|known| known == name))
            && !self.without.iter().any(|known| known == name)
    }
}

/// The fields of an issue, in the order they are shown.
fn fields(issue: &Issue, store: &Store) -> Vec<RenderedField> {
    let known = store.directory();
    let mut found = Vec::with_capacity(24);
    let mut put = |name: SmolStr, json: Form| found.push(RenderedField { name, json });
    let shown = &known.shown;
    let plain = |value: Value| Form::Plain(value.to_string().into_bytes().into_boxed_slice());
    let linked = |json: Option<&Arc<[u8]>>| json.map_or(NULL, |json| Form::Linked(Arc::clone(json)));
    let person = |id: &Option<SmolStr>| linked(id.as_ref().and_then(|id| shown.people.get(id.as_str())));

    put("summary".into(), plain((*issue.summary).into()));
    put("issuetype".into(), linked(shown.issue_types.get(&issue.issue_type)));
    put("project".into(), linked(store.project(issue.project).map(|project| &project.shown)));
    put("status".into(), linked(shown.statuses.get(&issue.status)));
    put("statusCategory".into(), linked(shown.categories.get(&issue.status)));
    put("statuscategorychangedate".into(), plain(time(issue.status_changed).into()));
    put("resolution".into(), linked(issue.resolution.and_then(|id| shown.resolutions.get(&id))));
    put("resolutiondate".into(), plain(issue.resolution_date.map(time).into()));
    put("priority".into(), linked(issue.priority.and_then(|id| shown.priorities.get(&id))));
    put("labels".into(), plain(issue.labels.iter().map(SmolStr::as_str).collect()));
    put("assignee".into(), person(&issue.assignee));
    put("reporter".into(), person(&issue.reporter));
    put("creator".into(), person(&issue.creator));
    put("created".into(), plain(time(issue.created).into()));
    put("updated".into(), plain(time(issue.updated).into()));
    put("description".into(), issue.description.clone().map_or(NULL, Form::Long));
    for empty in ["components", "fixVersions", "versions", "issuelinks", "subtasks", "attachment"] {
        put(empty.into(), Form::Fixed("[]"));
    }
    put("duedate".into(), NULL);
    put("environment".into(), NULL);
    for field in &known.custom_fields {
        let value = issue.custom.get(&field.id).cloned();
        put(format_smolstr!("customfield_{}", field.id), plain(value.into()));
    }
    found
}

/// Adds an issue with the fields that are wanted.
pub fn push(out: &mut Vec<u8>, issue: &Issue, wanted: &Wanted, store: &Store, version: Version, here: &str) {
    let expand = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations";
    out.extend_from_slice(
        format!(
            r#"{{"expand":"{expand}","id":"{}","self":"{here}/issue/{}","key":"{}","fields":{{"#,
            issue.id, issue.id, issue.key
        )
        .as_bytes(),
    );
    let mut is_first = true;
    let mut begin = |out: &mut Vec<u8>, name: &str| {
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        out.extend_from_slice(format!("{}:", Value::from(name)).as_bytes());
    };
    for field in issue.rendered.get(|| fields(issue, store)).iter().filter(|field| wanted.wants(&field.name))
    {
        begin(out, &field.name);
        match (&field.json, version) {
            (Form::Linked(json), _) => with_links(json, here, out),
            (Form::Plain(json), _) => out.extend_from_slice(json),
            (Form::Fixed(json), _) => out.extend_from_slice(json.as_bytes()),
            (Form::Long(document), Version::V3) => out.extend_from_slice(document.json().as_bytes()),
            (Form::Long(document), Version::V2) => {
                out.extend_from_slice(Value::from(document.text()).to_string().as_bytes());
            }
        }
    }
    if wanted.wants("comment") {
        begin(out, "comment");
        let total = issue.comments.len();
        let page = Counted { start: 0, max: total, total };
        let mut comments = parts::comments(issue, &page, false, store.directory(), version, here);
        comments["self"] = format!("{here}/issue/{}/comment", issue.id).into();
        out.extend_from_slice(comments.to_string().as_bytes());
    }
    out.push(b'}');
    if !wanted.properties.is_empty() {
        let all = wanted.properties.iter().any(|key| key == "*all");
        let is_wanted = |key: &SmolStr| all || wanted.properties.contains(key);
        let shown: serde_json::Map<String, Value> = issue
            .properties
            .iter()
            .filter(|(key, _)| is_wanted(key))
            .map(|(key, value)| (key.to_string(), (**value).clone()))
            .collect();
        out.extend_from_slice(format!(r#","properties":{}"#, Value::Object(shown)).as_bytes());
    }
    out.push(b'}');
}

/// Adds an issue of which nothing but the number is wanted.
pub fn push_id(out: &mut Vec<u8>, issue: &Issue) {
    out.extend_from_slice(format!(r#"{{"id":"{}"}}"#, issue.id).as_bytes());
}
