//! The worlds of the rows, and what happens in them.

use std::time::Duration;

use fixtures::world::data_theorem::{TargetSpec, TargetStatus};
use serde_json::{Value, json};
use sync_client::core::policy::Policy;

use crate::quiet::setup;
use crate::trackers::Kind;
use crate::world::{Setup, World};

pub(super) const APP: &str = "643010001";
pub(super) const OTHER_APP: &str = "643010002";
pub(super) const FIRST: &str = "4651453173202944";
pub(super) const SECOND: &str = "7000000000000001";
pub(super) const THIRD: &str = "7000000000000002";

/// An app with three open targets and one that was closed before anybody looked, two to a page; and a project with one
/// violation. The tracker keeps no second ticket out, and its search lags by half a minute.
pub(super) fn several() -> Setup {
    let mut setup = Setup { page_size: 2, tracker: Kind::LAGGING, ..setup("one-open") };
    let targets = &mut setup.world.data_theorem.security_finding_targets;
    for number in 1..=3 {
        let id = format!("700000000000000{number}");
        let text = format!("`com.example.Component{number}`");
        targets.push(TargetSpec { id, text, ..targets[0].clone() });
    }
    targets[3].statuses[0].status = TargetStatus::ClosedFixed;
    setup
}

/// A second app with the same issue, and a second project with the same library.
pub(super) fn two_of_each() -> Setup {
    let mut setup = several();
    let dt = &mut setup.world.data_theorem;
    let mut app = dt.mobile_apps[0].clone();
    (app.id, app.bundle_id) = (OTHER_APP.to_owned(), "com.example.other".to_owned());
    dt.mobile_apps.push(app);
    let mut finding = dt.security_findings[0].clone();
    (finding.id, finding.mobile_app_id) = ("053070".to_owned(), OTHER_APP.to_owned());
    dt.security_findings.push(finding);
    let mut target = dt.security_finding_targets[0].clone();
    (target.id, target.security_finding_id) = ("8000000000000001".to_owned(), "053070".to_owned());
    dt.security_finding_targets.push(target);
    let projects = &mut setup.world.mend.projects;
    let mut project = projects[0].clone();
    project.uuid = "0b0e6f0e-2222-4222-8222-222222222222".into();
    project.api_token = Some("2".repeat(64));
    (project.id, project.name) = (project.id + 1, "wallet-web".to_owned());
    projects.push(project);
    setup
}

/// The same world under another policy.
pub(super) fn under(mut setup: Setup, change: fn(&mut Policy)) -> Setup {
    change(&mut setup.policy);
    setup
}

/// A full pass is so far away that nothing is found by it.
pub(super) fn no_full_pass(policy: &mut Policy) {
    policy.full_pass_every = Duration::from_hours(24 * 3_650);
}

pub(super) fn no_overlap(policy: &mut Policy) {
    policy.overlap = Duration::ZERO;
}

/// A scan of an app that sees some targets, and misses others.
pub(super) fn scan(app: &str, seen: &[&str], missed: &[&str]) -> Value {
    let seen: Vec<_> = seen.iter().map(|id| json!({"target_id": id})).collect();
    json!({"type": "data_theorem.scan", "mobile_app_id": app, "observed": seen, "missed": {"targets": missed}})
}

/// A scan of the app that finds a component for the first time.
pub(super) fn discovery(world: &World, text: &str) -> Value {
    let issue_type = &world.vendors_side().data_theorem.issue_types[0].id;
    let observed = [json!({"issue_type_id": issue_type, "text": text})];
    json!({"type": "data_theorem.scan", "mobile_app_id": APP, "observed": observed})
}

/// A scan of a project that misses its libraries, or sees them again.
pub(super) fn project_scan(world: &World, project: usize, is_there: bool) -> Value {
    let project = &world.vendors_side().mend.projects[project];
    let token = project.token();
    // What is gone from the inventory is still known as a library.
    let libraries = world.vendors_side().mend.libraries;
    let keys = libraries.iter().map(|library| library.key_uuid.clone());
    if is_there {
        let added: Vec<_> = keys.map(|key| json!({"key_uuid": key})).collect();
        json!({"type": "mend.scan", "project_token": token, "added": added})
    } else {
        let removed: Vec<String> = project.inventory.iter().map(|used| used.key_uuid.clone()).collect();
        json!({"type": "mend.scan", "project_token": token, "removed": removed})
    }
}

/// The ticket that the vendor has for a target.
pub(super) fn ticket_of(world: &World, target: &str) -> Option<String> {
    let targets = world.vendors_side().data_theorem.security_finding_targets;
    targets.into_iter().find(|known| known.id == target).and_then(|known| known.external_id)
}

/// The ticket of the violation in a project, as the vendor has it.
pub(super) fn ticket_of_violation(world: &World, project: usize) -> Option<String> {
    let mend = world.vendors_side().mend;
    let token = mend.projects[project].token();
    let uuid = mend.policy_violations.iter().find(|one| one.project_token == token)?.uuid.clone();
    mend.external_issues.into_iter().find(|one| one.violation_uuid == uuid).map(|one| one.identifier)
}
