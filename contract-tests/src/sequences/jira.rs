//! Jira: issues that are made, edited, labelled, commented on, led through their workflow and deleted, with what hangs
//! on them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::Act;
use crate::suite::case::Case;
use crate::suite::check::Stop;
use crate::suite::jira::{document, required_fields};
use crate::target::exchange::{Evidence, Reply};

/// Something a client does: it makes an issue, or does something with one that the sequence made.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Makes an issue with some of the labels.
    Make { summary: u8, labels: BTreeSet<usize> },
    /// Does something with an issue.
    With(Index, Deed),
}

/// What is done with an issue.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// It gets another summary.
    Rename(u8),
    /// It gets a label.
    Label(usize),
    /// It loses a label.
    Unlabel(usize),
    /// It is commented on.
    Comment,
    /// It gets an entity property.
    Set { key: u8, value: u8 },
    /// It gets a remote link, or another one in its place.
    Link { global_id: u8, title: u8 },
    /// It follows a transition that requires no field.
    Follow(Index),
    /// It is deleted.
    Delete,
}

/// What the sequence made.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// By key.
    issues: BTreeMap<String, Issue>,
    /// Keys.
    deleted: BTreeSet<String>,
}

/// An issue as far as the pages say what becomes of it.
#[derive(Debug, Default)]
struct Issue {
    id: String,
    summary: String,
    labels: BTreeSet<&'static str>,
    comments: usize,
    properties: BTreeMap<String, Value>,
    /// Titles by `globalId`.
    links: BTreeMap<String, String>,
    /// Number of the status to which the last transition led.
    status: Option<Value>,
}

const LABELS: [&str; 3] = ["sequence-a", "sequence-b", "sequence-c"];

fn label(place: usize) -> &'static str {
    LABELS.get(place).copied().unwrap_or(LABELS[0])
}

impl Act for Step {
    type Model = Model;

    fn any() -> BoxedStrategy<Self> {
        let deed = prop_oneof![
            2 => (0..4_u8).prop_map(Deed::Rename),
            2 => (0..LABELS.len()).prop_map(Deed::Label),
            1 => (0..LABELS.len()).prop_map(Deed::Unlabel),
            1 => Just(Deed::Comment),
            2 => (0..2_u8, 0..3_u8).prop_map(|(key, value)| Deed::Set { key, value }),
            2 => (0..2_u8, 0..3_u8).prop_map(|(global_id, title)| Deed::Link { global_id, title }),
            2 => any::<Index>().prop_map(Deed::Follow),
            1 => Just(Deed::Delete),
        ];
        prop_oneof![
            1 => (0..4_u8, proptest::collection::btree_set(0..LABELS.len(), 0..3))
                .prop_map(|(summary, labels)| Self::Make { summary, labels }),
            2 => (any::<Index>(), deed).prop_map(|(issue, deed)| Self::With(issue, deed)),
        ]
        .boxed()
    }

    fn model(case: &Case) -> Result<Model, Stop> {
        case.jira()?.issue_type()?;
        Ok(Model::default())
    }

    fn take(&self, case: &Case, model: &mut Model) -> Result<Option<String>, Stop> {
        match self {
            Self::Make { summary, labels } => make(case, model, *summary, labels),
            Self::With(issue, deed) => {
                let keys: Vec<String> = model.issues.keys().cloned().collect();
                if keys.is_empty() {
                    return Ok(None);
                }
                let key = issue.get(&keys);
                match deed {
                    Deed::Delete => delete(case, model, key),
                    deed => model.issues.get_mut(key).map_or(Ok(None), |issue| do_to(case, key, issue, deed)),
                }
            }
        }
    }

    fn compare(case: &Case, model: &Model) -> Result<Option<String>, Stop> {
        for (key, issue) in &model.issues {
            if let Some(difference) = compare_issue(case, key, issue)? {
                return Ok(Some(difference));
            }
        }
        for key in &model.deleted {
            let (reply, _) = case.jira()?.get(&format!("issue/{key}"))?;
            if reply.status != 404 {
                return Ok(Some(format!("{key} is deleted, seen {}", reply.status)));
            }
        }
        compare_labels(case, model)
    }
}

/// The difference, if a request is answered otherwise.
fn unless_answered(status: u16, (reply, evidence): &(Reply, Evidence)) -> Option<String> {
    (reply.status != status).then(|| format!("{status} to {evidence}"))
}

fn summary_of(number: u8) -> String {
    format!("Issue of a sequence, {number}")
}

fn make(
    case: &Case,
    model: &mut Model,
    summary: u8,
    labels: &BTreeSet<usize>,
) -> Result<Option<String>, Stop> {
    let api = case.jira()?;
    let labels: BTreeSet<&str> = labels.iter().map(|place| label(*place)).collect();
    let summary = summary_of(summary);
    let fields = api.new_fields(&json!({"summary": summary, "labels": labels}))?;
    let answer = api.create(&json!({"fields": fields}))?;
    let json = answer.0.json().unwrap_or_default();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let issue = Issue { id: text("id"), summary, labels, ..Issue::default() };
    model.issues.insert(text("key"), issue);
    Ok(unless_answered(201, &answer))
}

fn delete(case: &Case, model: &mut Model, key: &str) -> Result<Option<String>, Stop> {
    let answer = case.jira()?.delete(&format!("issue/{key}"))?;
    model.issues.remove(key);
    model.deleted.insert(key.to_owned());
    Ok(unless_answered(204, &answer))
}

fn do_to(case: &Case, key: &str, issue: &mut Issue, deed: &Deed) -> Result<Option<String>, Stop> {
    let api = case.jira()?;
    let path = format!("issue/{key}");
    let (status, answer) = match deed {
        Deed::Rename(number) => {
            issue.summary = summary_of(*number);
            (204, api.put(&path, &json!({"fields": {"summary": issue.summary}}))?)
        }
        Deed::Label(place) => {
            issue.labels.insert(label(*place));
            (204, api.put(&path, &json!({"update": {"labels": [{"add": label(*place)}]}}))?)
        }
        Deed::Unlabel(place) => {
            issue.labels.remove(label(*place));
            (204, api.put(&path, &json!({"update": {"labels": [{"remove": label(*place)}]}}))?)
        }
        Deed::Comment => {
            issue.comments += 1;
            (201, api.post(&format!("{path}/comment"), &json!({"body": document("A remark.")}))?)
        }
        Deed::Set { key, value } => {
            let key = format!("sequence.{key}");
            let answer = api.put(&format!("{path}/properties/{key}"), &json!(value))?;
            (if issue.properties.insert(key, json!(value)).is_some() { 200 } else { 201 }, answer)
        }
        Deed::Link { global_id, title } => {
            let (global_id, title) = (format!("sequence-{global_id}"), format!("Title {title}"));
            let object = json!({"url": "https://finding.example/1", "title": title});
            let answer =
                api.post(&format!("{path}/remotelink"), &json!({"globalId": global_id, "object": object}))?;
            (if issue.links.insert(global_id, title).is_some() { 200 } else { 201 }, answer)
        }
        Deed::Follow(which) => {
            let ways = api.transitions(key)?;
            let plain: Vec<_> =
                ways.rows.iter().filter(|way| required_fields(way).next().is_none()).collect();
            if plain.is_empty() {
                return Ok(None);
            }
            let way = &which.get(&plain).json;
            issue.status = Some(way["to"]["id"].clone());
            (204, api.post(&format!("{path}/transitions"), &json!({"transition": {"id": way["id"]}}))?)
        }
        Deed::Delete => return Ok(None),
    };
    Ok(unless_answered(status, &answer))
}

fn compare_issue(case: &Case, key: &str, issue: &Issue) -> Result<Option<String>, Stop> {
    let api = case.jira()?;
    let shown = api.issue(key)?.json;
    let fields = &shown["fields"];
    let labels: BTreeSet<&str> =
        fields["labels"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let comments = fields["comment"]["comments"].as_array().map_or(0, Vec::len);
    let is_there = fields["status"]["id"] != Value::Null
        && issue.status.as_ref().is_none_or(|status| *status == fields["status"]["id"]);
    if fields["summary"] != issue.summary.as_str()
        || labels != issue.labels
        || comments != issue.comments
        || !is_there
    {
        return Ok(Some(format!("{key} is {issue:?}, seen {fields}")));
    }
    for (name, value) in &issue.properties {
        let seen = api.item(&format!("issue/{key}/properties/{name}"))?.json["value"].clone();
        if seen != *value {
            return Ok(Some(format!("{name} of {key} is {value}, seen {seen}")));
        }
    }
    let (reply, _) = api.get(&format!("issue/{key}/remotelink"))?;
    let links = reply.json().unwrap_or_default();
    let text = |link: &Value, place: &str| {
        link.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let links: Vec<(String, String)> = links
        .as_array()
        .into_iter()
        .flatten()
        .map(|link| (text(link, "/globalId"), text(link, "/object/title")))
        .collect();
    let seen: BTreeMap<String, String> = links.iter().cloned().collect();
    let is_same = seen == issue.links && links.len() == seen.len();
    Ok((!is_same).then(|| format!("the links of {key} are {:?}, seen {links:?}", issue.links)))
}

/// A search finds exactly the issues that have a label, once their changes are reconciled.
fn compare_labels(case: &Case, model: &Model) -> Result<Option<String>, Stop> {
    let api = case.jira()?;
    for label in LABELS {
        let jql = format!("project = \"{}\" AND labels = {label}", api.changeable_project()?);
        let mut query = vec![("jql", jql.as_str()), ("maxResults", "100")];
        query.extend(model.issues.values().map(|issue| ("reconcileIssues", issue.id.as_str())));
        let page = api.search(&query)?;
        let seen: BTreeSet<&str> =
            page.list("issues").iter().filter_map(|issue| issue["id"].as_str()).collect();
        let labelled = model.issues.values().filter(|issue| issue.labels.contains(label));
        let wanted: BTreeSet<&str> = labelled.map(|issue| issue.id.as_str()).collect();
        if seen != wanted {
            return Ok(Some(format!("{label} is a label of {wanted:?}, seen {seen:?}")));
        }
    }
    Ok(None)
}
