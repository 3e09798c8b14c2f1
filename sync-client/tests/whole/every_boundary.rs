//! One blow of every kind at every boundary of a run; afterwards both sides have to come in step, and stay quiet.

use std::collections::BTreeSet;

use contract_tests::judge::journal::Edited;
use serde_json::json;
use sync_client::core::model::TicketKey;
use sync_client::ports::Clock as _;
use sync_client::sync::Options;

use crate::blows::Blow;
use crate::machine::number;
use crate::pace;
use crate::quiet::setup;
use crate::record::capabilities;
use crate::step::problems;
use crate::trackers::Kind;
use crate::two_way;
use crate::world::{Ended, Setup, World};

/// So many runs after the blow both sides have to be in step.
const RUNS_MAX: usize = 4;

/// One in so many schedules over Jira is played, unless `SYNC_SHARE` says otherwise.
const SHARE: usize = 4;

/// What happens before the run with the blow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chapter {
    /// Nothing was ever exported.
    First,
    /// What was open is gone, and something new is there.
    Closings,
    /// What was gone is back; somebody closed a ticket meanwhile.
    Comebacks,
    /// Everything was exported, and the ledger is gone. For trackers whose tickets can be found again by then.
    Forgotten,
    /// People closed tickets as what they will not repair, and opened one again. For clients that act on that.
    Decisions,
}

impl Chapter {
    pub(crate) const ALL: [Self; 3] = [Self::First, Self::Closings, Self::Comebacks];

    /// Plays everything up to the run with the blow. Answers the tickets that people closed.
    fn play(self, world: &World) -> BTreeSet<String> {
        if self == Self::First {
            return BTreeSet::new();
        }
        world.run_in_peace();
        world.wait(3_600);
        match self {
            Self::Decisions => decisions(world),
            Self::Forgotten => {
                world.forget();
                world.record.ledger_lost(world.clock.now());
            }
            Self::First | Self::Closings | Self::Comebacks => return self.go_on(world),
        }
        BTreeSet::new()
    }

    /// What was open is gone, and it may come back.
    fn go_on(self, world: &World) -> BTreeSet<String> {
        scan(world, &[]);
        let project = &world.vendors_side().mend.projects[0].clone();
        let libraries: Vec<&String> = project.inventory.iter().map(|used| &used.key_uuid).collect();
        let token = project.token().to_owned();
        world.happen(json!({"type": "mend.scan", "project_token": token, "removed": libraries}));
        if self == Self::Closings {
            return BTreeSet::new();
        }
        world.run_in_peace();
        world.wait(3_600);
        let first = world.tracker.key(1);
        let (now, accepted) = (world.clock.now(), "We accept this.".to_owned());
        world.tracker.as_person("ada").comment(&TicketKey::new(&*first), &accepted);
        world.record.edited(now, &first, Edited::Commented(accepted));
        world.tracker.as_person("ada").close(&TicketKey::new(&*first));
        world.record.edited(now, &first, Edited::SetDone(true));
        let targets: Vec<String> = world
            .vendors_side()
            .data_theorem
            .security_finding_targets
            .iter()
            .map(|one| one.id.clone())
            .collect();
        scan(world, &targets);
        let added: Vec<_> = libraries.iter().map(|key| json!({"key_uuid": key})).collect();
        world.happen(json!({"type": "mend.scan", "project_token": token, "added": added}));
        BTreeSet::from([first])
    }
}

/// The first ticket is closed for good, the second was and is open again, and somebody works on the fourth.
fn decisions(world: &World) {
    two_way::decide(world, 2, "Risk Accepted", true);
    world.run_in_peace();
    world.wait(3_600);
    two_way::decide(world, 1, "Won't Fix", true);
    two_way::decide(world, 2, "Open", false);
    two_way::decide(world, 4, "In Progress", false);
    // A search that lags shows it by now.
    world.wait(60);
}

/// What of these decisions did not reach the vendors.
fn undone(world: &World) -> Vec<String> {
    let (statuses, told) = (two_way::statuses(world), two_way::told_to_mend(world));
    let rows = [(&statuses, 1, "CLOSED_WONT_FIX"), (&statuses, 2, "OPEN"), (&told, 4, "In Progress")];
    let rows = rows.map(|(have, number, wanted)| (have.get(&world.tracker.key(number)), number, wanted));
    let undone = rows.iter().filter(|(have, _, wanted)| have.is_none_or(|one| one != wanted));
    undone.map(|(have, number, wanted)| format!("ticket {number} is {have:?} instead of {wanted}")).collect()
}

/// A scan of the app that sees these targets, and no others.
fn scan(world: &World, observed: &[String]) {
    let observed: Vec<_> = observed.iter().map(|id| json!({"target_id": id})).collect();
    world.happen(json!({
        "type": "data_theorem.scan", "mobile_app_id": "643010001", "observed": observed, "missed": "everything_else",
    }));
}

/// One app with four targets, one of them closed from the start, and one project with one violation.
pub(crate) fn little(tracker: Kind) -> Setup {
    let mut setup = Setup { page_size: 2, tracker, ..setup("one-open") };
    let targets = &mut setup.world.data_theorem.security_finding_targets;
    let first = targets[0].clone();
    for number in 0..3 {
        let mut target = first.clone();
        target.id = format!("700000000000000{number}");
        target.text = format!("`com.example.Component{number}`");
        targets.push(target);
    }
    let closed = targets.last_mut().unwrap();
    closed.statuses[0].status = fixtures::world::data_theorem::TargetStatus::ClosedFixed;
    setup
}

/// Plays a chapter, then a run for each list of blows, then runs in peace. An error says what was played and what is wrong.
pub(crate) fn play(setup: &Setup, chapter: Chapter, runs: &[Vec<(usize, Blow)>]) -> Result<(), String> {
    let world = World::new(setup);
    let left_to_people = chapter.play(&world);
    let mut struck = Vec::new();
    for blows in runs {
        world.blows.plan(blows);
        let ended = world.run(Options::default());
        struck.push(world.blows.struck());
        if let Ended::Ledger(error) = ended {
            return Err(format!("{chapter:?}, {struck:?}: the ledger failed: {error}"));
        }
        world.wait(60);
    }
    let told = |what: String| format!("{chapter:?}, {struck:?}: {what}");
    world.record.quiet(world.clock.now());
    for run in 0..RUNS_MAX {
        let report = world.run_in_peace();
        if report.writes() == 0 && report.failed == 0 && report.in_doubt == 0 && run > 0 {
            let mut problems = problems(&world, &left_to_people);
            if chapter == Chapter::Decisions {
                problems.extend(undone(&world));
            }
            let (has_key, end) = (setup.tracker.has_unique_key(), world.vendors_side());
            let capabilities = capabilities(has_key, setup.page_size);
            problems.extend(world.record.violations(&capabilities, &end, &world.tracker));
            return if problems.is_empty() { Ok(()) } else { Err(told(problems.join("; "))) };
        }
        if run + 1 == RUNS_MAX {
            return Err(told(format!("no peace after {RUNS_MAX} runs: {report:?}")));
        }
        world.wait(60);
    }
    Ok(())
}

/// The boundaries of a chapter's run when nothing goes wrong.
pub(crate) fn boundaries(setup: &Setup, chapter: Chapter) -> Vec<String> {
    let world = World::new(setup);
    chapter.play(&world);
    world.run_in_peace();
    world.blows.passed()
}

/// Plays one blow of every kind at every boundary of these chapters. Over Jira a run has three times the boundaries of
/// one over `local`, so one in `SYNC_SHARE` schedules is played there: of every boundary and of every kind as many.
pub(crate) fn every_single_blow(setup: &Setup, chapters: &[Chapter]) {
    let began = pace::begin();
    let share = if setup.tracker == Kind::Jira { number("SYNC_SHARE", SHARE) } else { 1 };
    let (mut played, mut all, mut failures) = (0_usize, 0_usize, Vec::new());
    for chapter in chapters {
        for (at, boundary) in boundaries(setup, *chapter).iter().enumerate() {
            for (kind, blow) in Blow::ALL.into_iter().enumerate().filter(|(_, blow)| blow.strikes(boundary)) {
                all += 1;
                if (at + kind).is_multiple_of(share) {
                    played += 1;
                    failures.extend(play(setup, *chapter, &[vec![(at, blow)]]).err());
                }
            }
        }
    }
    pace::say(&format!("of {all} schedules over {:?}", setup.tracker), played, began);
    let count = failures.len();
    failures.truncate(20);
    assert!(failures.is_empty(), "{count} of {played} schedules:\n{}", failures.join("\n"));
}

#[test]
fn a_tracker_with_a_unique_key() {
    every_single_blow(&little(Kind::KEYED), &Chapter::ALL);
}

#[test]
fn a_tracker_without_one_whose_search_lags() {
    every_single_blow(&little(Kind::LAGGING), &Chapter::ALL);
}

#[test]
fn jira() {
    every_single_blow(&little(Kind::Jira), &[&Chapter::ALL[..], &[Chapter::Forgotten]].concat());
}

/// A run is broken off while it closes or opens tickets, and before the next one everything at the vendor is as it was
/// before. What the tickets were told then is not what the ledger knows.
#[test]
fn a_change_that_was_broken_off_is_seen_although_the_vendor_changed_back() {
    let setup = little(Kind::KEYED);
    let play = |is_reopening: bool, blow: Option<(usize, Blow)>| {
        let world = World::new(&setup);
        world.run_in_peace();
        let spec = world.vendors_side().data_theorem.security_finding_targets;
        let targets: Vec<String> = spec.iter().map(|target| target.id.clone()).collect();
        let see = |is_there: bool| {
            world.wait(3_600);
            scan(&world, if is_there { &targets } else { &[] });
        };
        if is_reopening {
            see(false);
            world.run_in_peace();
        }
        see(is_reopening);
        world.blows.plan(&Vec::from_iter(blow));
        world.run(Options::default());
        (world, targets)
    };
    for is_reopening in [false, true] {
        let boundaries = play(is_reopening, None).0.blows.passed();
        let updates = boundaries.iter().enumerate().filter(|(_, boundary)| *boundary == "tracker update");
        let updates: Vec<usize> = updates.map(|(number, _)| number).collect();
        assert!(!updates.is_empty(), "{boundaries:?}");
        for number in updates {
            for blow in [Blow::KillBefore, Blow::KillAfter, Blow::LostBefore, Blow::LostAfter] {
                let (world, targets) = play(is_reopening, Some((number, blow)));
                world.wait(3_600);
                scan(&world, if is_reopening { &[] } else { &targets });
                world.run_in_peace();
                assert_eq!(problems(&world, &BTreeSet::new()), Vec::<String>::new(), "{number} {blow:?}");
                world.wait(60);
                assert_eq!(world.run_in_peace().writes(), 0, "{number} {blow:?}");
            }
        }
    }
}
