//! Runs in which nothing goes wrong: what is exported, and that a second run writes nothing.

use std::collections::BTreeMap;

use fixtures::scenes::SceneContext;
use fixtures::world::WorldSpec;
use serde_json::json;
use sync_client::core::policy::Policy;
use sync_client::sync::{Options, Progress};

use crate::trackers::Kind;
use crate::world::{Setup, World};

pub(crate) fn scene(name: &str) -> WorldSpec {
    let context = SceneContext { seed: 1, epoch: "2026-01-15T12:00:00Z".parse().unwrap(), page_size: 3 };
    fixtures::scenes::build(name, context).unwrap()
}

pub(crate) fn setup(name: &str) -> Setup {
    Setup {
        world: scene(name),
        page_size: 3,
        readings: BTreeMap::new(),
        tracker: Kind::KEYED,
        policy: Policy::default(),
    }
}

/// Every target with its status and ticket.
fn targets(world: &World) -> BTreeMap<String, (String, Option<String>)> {
    let targets = world.vendors_side().data_theorem.security_finding_targets;
    let status = |target: &fixtures::world::data_theorem::TargetSpec| {
        serde_json::to_value(target.statuses.first().map(|one| one.status)).unwrap()
    };
    targets
        .iter()
        .map(|target| {
            let status = status(target).as_str().unwrap_or_default().to_owned();
            (target.id.clone(), (status, target.external_id.clone()))
        })
        .collect()
}

#[test]
fn the_demo_is_exported_and_a_second_run_writes_nothing() {
    let world = World::new(&Setup { page_size: 100, ..setup("demo") });
    let first = world.run_in_peace();
    assert_eq!((first.failed, first.in_doubt), (0, 0), "{first:?}");
    assert!(first.created > 30, "{first:?}");
    world.wait(60);
    for _ in 0..3 {
        let again = world.run_in_peace();
        assert_eq!(again.writes(), 0, "{again:?}");
        assert_eq!(again.failed, 0, "{again:?}");
    }
}

#[test]
fn a_scan_that_misses_a_target_closes_its_ticket() {
    let world = World::new(&setup("one-open"));
    let first = world.run_in_peace();
    assert_eq!(first.created, 2, "a target and a violation: {first:?}");
    let target = targets(&world).into_values().next().unwrap();
    let key = target.1.unwrap();
    assert!(!world.ticket(&key).unwrap().is_done);
    world.wait(3_600);
    world.happen(
        json!({"type": "data_theorem.scan", "mobile_app_id": "643010001", "missed": "everything_else"}),
    );
    let second = world.run_in_peace();
    assert_eq!((second.closed, second.commented), (1, 1), "{second:?}");
    assert!(world.ticket(&key).unwrap().is_done);
    assert_eq!(world.run_in_peace().writes(), 0);
}

/// I23: what a dry run prints is what the run after it does, and it does nothing itself.
#[test]
fn a_dry_run_writes_nothing_and_says_what_a_run_will_do() {
    let world = World::new(&Setup { page_size: 100, ..setup("demo") });
    let before = world.vendors_side();
    let (report, planned) = world.plan();
    assert_eq!((report.failed, report.in_doubt), (0, 0), "{report:?}");
    assert_eq!(world.vendors_side(), before);
    assert!(world.tracker.list().is_empty());
    assert_eq!(world.ledger().last_runs(1).unwrap(), []);
    let mut done = Vec::new();
    world.run_told(Options::default(), &mut |progress| {
        if let Progress::Did(step) = progress {
            done.push(step.replace("LOCAL-", "NEW-"));
        }
    });
    assert!(planned.len() > 100);
    assert_eq!(planned, done);
    assert_eq!(world.plan().1, Vec::<String>::new());
}
