//! Where the vendors' pages leave a point open, either answer has to lead to the same tickets. The same story is played
//! under every value of every reading, one at a time.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::builders::mend::{library, token};
use fixtures::world::WorldSpec;
use serde_json::json;
use sync_client::core::model::{GroupId, OpKey, TicketKey};
use sync_client::core::policy::Policy;
use sync_client::ports::Tracker as _;

use crate::machine::stage::{APPS, COPYLEFT, LIBRARIES, PROJECTS, little_world};
use crate::step::{items, problems};
use crate::trackers::Kind;
use crate::world::{Setup, World};

/// Under these the vendors' own side of the story comes out otherwise, and the tickets follow.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "mend.policy-conflict=per-library",
        "a library that both policies match violates only the first of them",
    ),
    (
        "mend.disabled-policies=omitted",
        "a violation of a switched-off policy counts as over only when left out twice",
    ),
    ("mend.match-again=same-uuid", "the violation that comes back is the old one, and so is its ticket"),
];

/// What is left of an item in the end: who it is, and in short how both sides have it.
type Outcome = BTreeMap<String, String>;

fn scan(world: &World, app: &str, seen: &[&str], missed: &[&str]) {
    let seen: Vec<_> = seen.iter().map(|id| json!({"target_id": id})).collect();
    world.happen(json!({"type": "data_theorem.scan", "mobile_app_id": app, "observed": seen,
        "missed": {"targets": missed}}));
}

fn mend_scan(world: &World, project: usize, added: &[usize], removed: &[usize]) {
    let key = |index: &usize| library("com.example", LIBRARIES[*index], "1.0.0").key_uuid().to_owned();
    let added: Vec<_> = added.iter().map(|index| json!({"key_uuid": key(index)})).collect();
    let removed: Vec<_> = removed.iter().map(key).collect();
    let project = token("project", PROJECTS[project]);
    world.happen(json!({"type": "mend.scan", "project_token": project, "added": added, "removed": removed}));
}

fn licenses(world: &World, library_index: usize, license: &str) {
    let key = library("com.example", LIBRARIES[library_index], "1.0.0").key_uuid().to_owned();
    world.happen(json!({"type": "mend.licenses_changed", "key_uuid": key, "licenses": [license]}));
}

fn enable_policy(world: &World, is_enabled: bool) {
    let id = world.vendors_side().mend.policies[0].id;
    let changed =
        world.ask_mend("updateOrganizationPolicy", json!({"policy": {"id": id, "enabled": is_enabled}}));
    assert_eq!(changed["enabled"], is_enabled, "{changed}");
}

/// A first run; findings come and go, and a second run; some come back, and runs until all is quiet. The last look is
/// a full one, as it is every day.
fn story(readings: BTreeMap<String, String>) -> Result<Outcome, String> {
    let (tracker, policy) = (Kind::KEYED, Policy::default());
    let world = World::new(&Setup { world: little_world(), page_size: 2, readings, tracker, policy });
    let target = |number: usize| format!("465145317320{:04}", 2_900 + number);
    let targets: Vec<String> = [0, 1, 10, 11, 20, 21].into_iter().map(target).collect();
    world.run_in_peace();
    world.wait(7_200);
    scan(&world, APPS[0], &[&targets[3]], &[&targets[0]]);
    world.happen(json!({"type": "data_theorem.target_status", "target_id": targets[4], "status": "CLOSED_RISK_ACCEPTED"}));
    mend_scan(&world, 0, &[3], &[1]);
    mend_scan(&world, 1, &[1], &[]);
    licenses(&world, 2, COPYLEFT);
    mend_scan(&world, 1, &[2], &[]);
    world.run_in_peace();
    let group = GroupId::new(format!("data-theorem/target/{}", targets[2]));
    let ticket = world.tracker.local().find(&OpKey::of(&group)).unwrap()[0].key.to_string();
    world.tracker.as_person("ada").close(&TicketKey::new(&*ticket));
    world.wait(7_200);
    scan(&world, APPS[0], &[&targets[0]], &[]);
    scan(&world, APPS[1], &[&targets[4]], &[]);
    mend_scan(&world, 0, &[1], &[]);
    licenses(&world, 2, "MIT");
    enable_policy(&world, false);
    world.run_in_peace();
    world.wait(7_200);
    enable_policy(&world, true);
    world.run_in_peace();
    for run in 0..5 {
        world.wait(86_400);
        let report = world.run_in_peace();
        if report.failed > 0 || report.in_doubt > 0 {
            return Err(format!("{:?}", report.failures));
        }
        if run > 2 && report.writes() > 0 {
            return Err(format!("it does not come to rest: {report:?}"));
        }
    }
    let mut problems = problems(&world, &BTreeSet::from([ticket]));
    // It has somebody's ticket from the start.
    problems.retain(|problem| !problem.contains(&targets[5]));
    if problems.is_empty() { Ok(outcome(&world)) } else { Err(problems.join("; ")) }
}

fn outcome(world: &World) -> Outcome {
    let spec = world.vendors_side();
    let tickets = world.tracker.list();
    let details = tickets.iter().map(|ticket| world.tracker.details(&TicketKey::new(&*ticket.key)).unwrap());
    let by_op: BTreeMap<String, _> = details.map(|ticket| (ticket.op.clone().unwrap(), ticket)).collect();
    let mut left: BTreeSet<String> = by_op.keys().cloned().collect();
    let mut outcome = Outcome::new();
    for (group, side) in items(&spec) {
        let op = OpKey::of(&GroupId::new(group.as_str())).as_str().to_owned();
        left.remove(&op);
        let ticket = by_op.get(&op).map(|ticket| {
            let links: Vec<bool> = side.links.iter().map(|link| *link == ticket.summary.key).collect();
            format!("{}, {} comments, links {links:?}", ticket.summary.status, ticket.comments.len())
        });
        let ticket = ticket.unwrap_or_else(|| format!("no ticket, links {:?}", side.links));
        outcome.insert(name(&spec, &group), format!("open: {}, {ticket}", side.is_open));
    }
    // Of what is gone only the title is left.
    for ticket in left.iter().map(|op| &by_op[op]) {
        let told = format!("{}, {} comments", ticket.summary.status, ticket.comments.len());
        outcome.insert(format!("gone: {}", ticket.summary.title), told);
    }
    outcome
}

/// An item's name that does not depend on the server's choice of ids.
fn name(spec: &WorldSpec, group: &str) -> String {
    let violation = spec.mend.policy_violations.iter().find(|one| group.ends_with(&one.uuid));
    violation.map_or(group.to_owned(), |one| {
        format!("{} {} {} {:?}", one.project_token, one.key_uuid, one.policy_id, one.cause)
    })
}

#[test]
fn the_same_story_ends_the_same_under_every_reading() {
    let expected = story(BTreeMap::new()).unwrap();
    assert!(expected.len() >= 9, "{expected:#?}");
    let (mut compared, mut wrong, mut same) = (0, Vec::new(), BTreeSet::new());
    for reading in fixtures::spec::readings() {
        for value in reading.values.iter().filter(|value| value.value != reading.default) {
            let choice = format!("{}={}", reading.id, value.value);
            let readings = BTreeMap::from([(reading.id.to_owned(), value.value.to_owned())]);
            let may_differ = OTHERWISE.iter().any(|(otherwise, _)| *otherwise == choice);
            compared += 1;
            match story(readings) {
                Err(problem) => wrong.push(format!("{choice}: {problem}")),
                Ok(ended) if ended != expected && !may_differ => {
                    let differs = ended.iter().filter(|(name, how)| expected.get(*name) != Some(*how));
                    let differs: Vec<_> =
                        differs.map(|(name, how)| (name, how, expected.get(name))).collect();
                    let missing: Vec<_> = expected.keys().filter(|name| !ended.contains_key(*name)).collect();
                    wrong.push(format!("{choice}: {differs:#?}, missing: {missing:?}"));
                }
                Ok(ended) if ended == expected && may_differ => {
                    same.insert(choice);
                }
                Ok(_) => {}
            }
        }
    }
    eprintln!("{compared} values of readings compared, {} of them may end otherwise", OTHERWISE.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same.is_empty(), "these end the same, and need no exception: {same:?}");
}
