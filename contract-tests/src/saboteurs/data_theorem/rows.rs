//! Changes of the objects that replies hold, wherever they stand.

use serde_json::Value;

use super::super::layers::{Layer, edit_json, is_any, reply_to};

const LIST_TARGETS: &str = "GET security_finding_targets";
const TARGET_OPERATIONS: &[&str] =
    &[LIST_TARGETS, "GET security_finding_targets/:id", "PATCH security_finding_targets/:id"];
const LIST_FINDINGS: &str = "GET security_findings";
const FINDING_OPERATIONS: &[&str] = &[
    LIST_FINDINGS,
    "GET security_findings/:id",
    "PATCH security_findings/:id",
    "POST security_findings/:id/close",
];

/// Changes every target that is answered, listed or alone.
pub(super) fn targets(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    rows(TARGET_OPERATIONS, &[LIST_TARGETS], "security_finding_targets", edit)
}

/// Changes every finding that is answered, listed or alone.
pub(super) fn findings(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    rows(FINDING_OPERATIONS, &[LIST_FINDINGS], "security_findings", edit)
}

/// Changes every row that a list answers, or the object that one of the other operations does.
pub(super) fn rows(
    operations: &'static [&'static str],
    lists: &'static [&'static str],
    name: &'static str,
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Layer {
    reply_to(operations, move |request, reply| {
        edit_json(reply, |json| {
            if is_any(request, lists) {
                json.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(&edit);
            } else {
                edit(json);
            }
        });
    })
}

/// Takes a member away.
pub(in crate::saboteurs) fn without(name: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |row| {
        if let Some(members) = row.as_object_mut() {
            members.remove(name);
        }
    }
}

/// Puts this in place of a member that is there.
pub(in crate::saboteurs) fn with(name: &'static str, value: Value) -> impl Fn(&mut Value) + Send + Sync {
    move |row| {
        if let Some(member) = row.get_mut(name) {
            *member = value.clone();
        }
    }
}

/// Changes each item of a member that is a list.
pub(in crate::saboteurs) fn each_of(
    name: &'static str,
    edit: impl Fn(&mut Value) + Send + Sync,
) -> impl Fn(&mut Value) + Send + Sync {
    move |row| row.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(&edit)
}
