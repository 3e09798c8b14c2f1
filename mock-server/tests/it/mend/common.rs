//! What tests of Mend's calls have in common.

use std::collections::BTreeSet;

use fixtures::builders::{self, WorldBuilder};
use fixtures::world::MendWorld;
use jiff::Timestamp;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::Api;

/// A world of which a test says what matters; its epoch is the first second of 2026-01-15.
pub(super) fn world() -> WorldBuilder {
    builders::world("2026-01-15T00:00:00Z".parse().unwrap())
}

/// A server that plays this world.
pub(super) fn play(world: WorldBuilder) -> Api {
    Api::with(MockServer::builder().world_spec(world.build()))
}

/// What exists at Mend now.
pub(super) fn mend_world(api: &Api) -> MendWorld {
    api.control().export_world().mend
}

/// What stands for the project of this name in requests.
pub(super) fn project(api: &Api, name: &str) -> String {
    let world = mend_world(api);
    world.projects.iter().find(|project| project.name == name).unwrap().token().to_owned()
}

/// What stands for the first project in requests.
pub(super) fn first_project(api: &Api) -> String {
    mend_world(api).projects[0].token().to_owned()
}

/// `fields` and the token of the first organization.
pub(super) fn of_organization(api: &Api, mut fields: Value) -> Value {
    fields["orgToken"] = Value::from(api.server.mend().org_token());
    fields
}

/// What `fetchProjectPolicyIssues` answers for a project.
pub(super) async fn fetch(api: &Api, project_token: &str) -> Value {
    api.mend("fetchProjectPolicyIssues", json!({"projectToken": project_token})).await.mend_ok()
}

/// The values of a field of each element of a list.
pub(super) fn texts<'a>(list: &'a Value, pointer: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|row| row.pointer(pointer).unwrap().as_str().unwrap()).collect()
}

/// The ids of all violations in an answer of `fetchProjectPolicyIssues`.
pub(super) fn issue_uuids(answer: &Value) -> BTreeSet<String> {
    let issues = answer["issues"].as_array().unwrap().iter();
    let violations = issues.flat_map(|issue| issue["policyViolations"].as_array().unwrap());
    violations.map(|violation| violation["issueUuid"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that an object has exactly these keys.
pub(super) fn assert_keys(object: &Value, expected: &[&str]) {
    let keys: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, expected.iter().copied().collect(), "{object}");
}

/// `YYYY-MM-DD HH:mm:ss`
pub(super) fn second(second: i64) -> String {
    Timestamp::from_second(second).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string()
}
