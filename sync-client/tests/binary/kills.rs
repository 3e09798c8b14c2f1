//! I22: a run that is killed at any moment, and then run again, comes to the same as one that was not.

use std::time::Duration;

use mock_server::kernel::faults::{Effect, Fault, Matcher, When};
use mock_server::kernel::kill_points::Point;
use serde_json::json;

use crate::every::integrity;
use crate::world::{PATCH, REPORT, World, end_within, signal, was_killed_by};

/// Random numbers that are the same for the same seed.
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// A number below `sides`.
    fn below(&mut self, sides: u64) -> u64 {
        self.thrown += 1;
        let hash = blake3::hash(&[self.seed.to_le_bytes(), self.thrown.to_le_bytes()].concat());
        let mut number = [0; 8];
        number.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(number) % sides
    }
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// `SYNC_KILLS`: how many, 25 unless it is said otherwise. `SYNC_SEED`: which.
#[test]
fn at_random_moments() {
    let (kills, seed) = (number("SYNC_KILLS", 25), number("SYNC_SEED", 1));
    let mut dice = Dice { seed, thrown: 0 };
    let world = World::new("demo");
    let slow = |when| Fault {
        matcher: Matcher { times: u32::MAX, ..Matcher::default() },
        when,
        effect: Effect::Delay { ms: 2 },
    };
    let apps: Vec<String> =
        world.vendors_side().data_theorem.mobile_apps.iter().map(|app| app.id.clone()).collect();
    let targets = world.vendors_side().data_theorem.security_finding_targets;
    let (mut killed, mut ended_before) = (0, 0);
    for round in 0..kills {
        world.control().clear_faults();
        let when = if dice.below(2) == 0 { When::BeforeApply } else { When::AfterApply };
        world.control().plan_fault(slow(when)).unwrap();
        // Once everything is exported a run has little to do: then something happens.
        if round % 3 == 2 {
            let app = &apps[usize::try_from(dice.below(apps.len() as u64)).unwrap()];
            world.happen(
                json!({"type": "data_theorem.scan", "mobile_app_id": app, "missed": "everything_else"}),
            );
            let status = if dice.below(2) == 0 { "OPEN" } else { "CLOSED_RISK_ACCEPTED" };
            for _ in 0..8 {
                let target = &targets[usize::try_from(dice.below(targets.len() as u64)).unwrap()].id;
                world.happen(
                    json!({"type": "data_theorem.target_status", "target_id": target, "status": status}),
                );
            }
        }
        let mut child = world.start("run --allow-mass-change --full");
        // Most of a run is in its first second; some kills come late.
        let longest_ms = if dice.below(4) == 0 { 2_500 } else { 500 };
        let moment = Duration::from_millis(10 + dice.below(longest_ms));
        let ended = end_within(&mut child, moment).unwrap_or_else(|| {
            signal(&child, "KILL");
            child.wait().unwrap()
        });
        // It may have ended by itself just before the signal.
        if was_killed_by(ended) == Some(9) {
            killed += 1;
        } else {
            assert_eq!(ended.code(), Some(0), "seed {seed}, round {round}: {}", world.said());
            ended_before += 1;
        }
    }
    world.control().clear_faults();
    let problems = world.settle("run --allow-mass-change");
    assert_eq!(problems, Vec::<String>::new(), "seed {seed}");
    let is_whole = [integrity(&world, "ledger.sqlite"), integrity(&world, "tickets.sqlite")];
    assert_eq!(is_whole, ["ok", "ok"], "seed {seed}");
    let tickets = world.tickets();
    let comments: usize = tickets.iter().map(|ticket| ticket.comments.len()).sum();
    eprintln!(
        "seed {seed}: {killed} killed, {ended_before} ended before; {} tickets, {comments} comments",
        tickets.len()
    );
    assert!(killed * 2 > ended_before, "seed {seed}: {killed} killed, {ended_before} ended before");
}

/// The two moments of every request: before it is acted upon, and after, while its reply is on its way.
#[test]
fn at_both_moments_of_every_request() {
    let world = World::new("one-open");
    world.run("run").done();
    let operations: Vec<String> = world.requests().iter().map(|entry| entry.operation.to_string()).collect();
    assert!(operations.iter().any(|one| one == PATCH) && operations.iter().any(|one| one == REPORT));
    for (number, operation) in operations.iter().enumerate() {
        for point in [Point::Seen, Point::Applied] {
            world.reset();
            let told = format!("{operation} (request {number}) {point:?}");
            kill_at(&world, number, point);
            let before = world.links();
            let problems = world.settle_counting("run", |links| {
                // What was told and not recorded may be told once more, and no more often.
                let mut links = [before.clone(), links].concat();
                let all = links.len();
                links.sort();
                links.dedup();
                let again = all - links.len();
                assert!(again <= usize::from(operation == REPORT), "{told}: {again} told again");
            });
            assert_eq!(problems, Vec::<String>::new(), "{told}");
            assert_eq!(world.tickets().len(), 2, "{told}");
            assert_eq!(integrity(&world, "ledger.sqlite"), "ok", "{told}");
        }
    }
}

/// Kills the client when its request with this number, from 0, has come to a point.
fn kill_at(world: &World, number: usize, point: Point) {
    let mut watcher = world.control().watch();
    let mut child = world.start("run");
    let waiting = world.runtime.block_on(async {
        let mut passed = 0;
        loop {
            let waiting = watcher.next().await.unwrap();
            if waiting.point == point {
                if passed == number {
                    return waiting;
                }
                passed += 1;
            }
        }
    });
    signal(&child, "KILL");
    child.wait().unwrap();
    drop(waiting);
}
