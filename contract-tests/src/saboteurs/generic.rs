//! Saboteurs that nobody wrote: every member of the vendors' sample responses is taken away, and its JSON type
//! changed, one at a time. Of Jira no samples are kept; there it is every member of what some operations answer to a
//! healthy run. What the suite misses of these is listed in `unconvicted.txt`, each with the reason.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fixtures::samples;
use serde_json::{Value, json};

use super::layers::{Layer, Sabotaged, edit_json, is, paths_of};
use crate::run::Run;
use crate::target::transport::SharedTransport;

/// A member of an operation's replies that is changed wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mutation {
    /// The operation, or Mend's request type.
    pub operation: &'static str,
    /// The names that lead to the member; `*` stands for every item of a list.
    pub path: Vec<String>,
    /// What happens to it.
    pub change: Change,
}

/// What happens to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is left out.
    Removed,
    /// It has another JSON type.
    OtherType,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match self.change {
            Change::Removed => "removed",
            Change::OtherType => "of another type",
        };
        write!(f, "{} /{} {change}", self.operation, self.path.join("/"))
    }
}

/// Jira's operations of whose replies some rule says what is in them. An edit that answers the issue answers it as a read
/// does, so that one is enough.
const OF_JIRA: &[&str] = &[
    "GET myself",
    "GET project/search",
    "POST issue",
    "POST issue/bulk",
    "GET issue/createmeta/:id/issuetypes",
    "GET issue/createmeta/:id/issuetypes/:id",
    "GET issue/:id",
    "GET issue/:id/transitions",
    "POST issue/:id/comment",
    "GET issue/:id/comment/:id",
    "PUT issue/:id/comment/:id",
    "GET issue/:id/properties/:id",
    "POST issue/:id/remotelink",
    "GET issue/:id/remotelink/:id",
    "GET search/jql",
    "GET search",
];

/// Every mutation of the samples of responses.
pub fn mutations() -> BTreeSet<Mutation> {
    let mut mutations = BTreeSet::new();
    for sample in samples::all().iter().filter(|sample| !sample.name.ends_with("-request")) {
        add_all(&mut mutations, sample.operation, &sample.value());
    }
    mutations
}

/// Every mutation of what Jira answered to a run, as far as `OF_JIRA` goes.
pub fn mutations_of(run: &Run) -> BTreeSet<Mutation> {
    let mut mutations = BTreeSet::new();
    for exchange in run.checks.iter().flat_map(|check| &check.exchanges) {
        let Ok(reply) = &exchange.outcome else { continue };
        let operation = OF_JIRA.iter().find(|operation| is(&exchange.request, operation));
        if let (Some(operation), Some(json)) = (operation, reply.json().filter(|_| reply.is_success())) {
            add_all(&mut mutations, operation, &json);
        }
    }
    mutations
}

fn add_all(mutations: &mut BTreeSet<Mutation>, operation: &'static str, value: &Value) {
    let mut paths = Vec::new();
    collect(value, &mut Vec::new(), &mut paths);
    for path in paths {
        for change in [Change::Removed, Change::OtherType] {
            mutations.insert(Mutation { operation, path: path.clone(), change });
        }
    }
}

fn collect(value: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                path.push(name.clone());
                paths.push(path.clone());
                collect(member, path, paths);
                path.pop();
            }
        }
        Value::Array(items) => {
            path.push("*".to_owned());
            for item in items {
                collect(item, path, paths);
            }
            path.pop();
        }
        _ => {}
    }
}

impl Mutation {
    /// The vendor whose replies it changes, as its checks' paths name it.
    pub fn vendor(&self) -> &'static str {
        // Mend's operations are one word, the others' a method and a path.
        match self.operation {
            of_jira if OF_JIRA.contains(&of_jira) => "jira",
            path if path.contains(' ') => "data-theorem",
            _ => "mend",
        }
    }

    /// The transport with the mutation in it, and whether it has changed anything yet.
    pub fn sabotage(&self, healthy: SharedTransport) -> (SharedTransport, Arc<AtomicBool>) {
        let changed = Arc::new(AtomicBool::new(false));
        let (mutation, has_changed) = (self.clone(), Arc::clone(&changed));
        let layer: Layer = Arc::new(move |request, healthy| {
            let is_meant = is(&request, mutation.operation);
            let mut reply = healthy.send(request)?;
            if is_meant {
                edit_json(&mut reply, |json| {
                    if change(json, &mutation.path, mutation.change) {
                        has_changed.store(true, Ordering::Relaxed);
                    }
                });
            }
            Ok(reply)
        });
        (Arc::new(Sabotaged { inner: healthy, paths: paths_of(self.vendor()), layer }), changed)
    }
}

/// Changes what a path leads to; says whether there was anything.
fn change(value: &mut Value, path: &[String], how: Change) -> bool {
    match path {
        [] => false,
        [name] if name != "*" => match (value.as_object_mut(), how) {
            (Some(members), Change::Removed) => members.remove(name).is_some(),
            (Some(members), Change::OtherType) => match members.get_mut(name) {
                Some(member) => {
                    *member = of_another_type(member);
                    true
                }
                None => false,
            },
            (None, _) => false,
        },
        [name, rest @ ..] if name == "*" => {
            let mut changed = false;
            for item in value.as_array_mut().into_iter().flatten() {
                changed |= change(item, rest, how);
            }
            changed
        }
        [name, rest @ ..] => value.get_mut(name).is_some_and(|member| change(member, rest, how)),
    }
}

fn of_another_type(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(value.to_string()),
        Value::Number(value) => json!(value.to_string()),
        Value::String(text) => text.parse::<i64>().map_or_else(|_| json!(7), |number| json!(number)),
        Value::Null | Value::Array(_) => json!({}),
        Value::Object(_) => json!([]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Change, change, mutations};

    #[test]
    fn every_member_of_every_sample_is_mutated_twice() {
        let mutations = mutations();
        let names: Vec<String> = mutations.iter().map(ToString::to_string).collect();
        for wanted in [
            "GET security_findings /security_findings/*/notes/*/text removed",
            "fetchProjectPolicyIssues /issues/*/library/keyUuid of another type",
        ] {
            assert!(names.iter().any(|name| name == wanted), "{wanted}");
        }
        let removed = mutations.iter().filter(|mutation| mutation.change == Change::Removed).count();
        assert_eq!(removed * 2, mutations.len());
    }

    #[test]
    fn a_path_leads_to_every_item_of_a_list() {
        let mut value = json!({"rows": [{"a": "1"}, {"a": "x"}, {"b": 1}]});
        let path = ["rows", "*", "a"].map(str::to_owned);
        assert!(change(&mut value, &path, Change::OtherType));
        assert_eq!(value, json!({"rows": [{"a": 1}, {"a": 7}, {"b": 1}]}));
        assert!(change(&mut value, &path, Change::Removed));
        assert_eq!(value, json!({"rows": [{}, {}, {"b": 1}]}));
        assert!(!change(&mut value, &path, Change::Removed));
    }
}
