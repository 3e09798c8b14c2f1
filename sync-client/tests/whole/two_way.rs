//! What people decide about tickets reaches the vendors, once, and nothing else does.

use std::collections::BTreeMap;

use contract_tests::judge::journal::Edited;
use serde_json::json;
use sync_client::core::model::TicketKey;
use sync_client::core::policy::Policy;
use sync_client::core::two_way::TwoWay;
use sync_client::ports::{Clock as _, NoReply, Tracker as _, TrackerError};

use crate::blows::Blow;
use crate::carriers::boundary;
use crate::every_boundary::{Chapter, every_single_blow, little, scan};
use crate::layers::{on_changed, on_get, on_send, on_update};
use crate::trackers::Kind;
use crate::world::{Setup, World};

/// The little world of [`little`], two-way.
fn two_way(tracker: Kind) -> Setup {
    let policy = Policy { two_way: Some(TwoWay::default()), ..Policy::default() };
    Setup { policy, ..little(tracker) }
}

fn keyed() -> World {
    World::new(&two_way(Kind::KEYED))
}

/// Somebody gives the n-th ticket a status.
pub(crate) fn decide(world: &World, number: usize, status: &str, is_done: bool) {
    let key = world.tracker.key(number);
    world.tracker.as_person("ada").set_status(&TicketKey::new(&*key), status, is_done);
    world.record.edited(world.clock.now(), &key, Edited::SetDone(is_done));
}

/// The status of the target that has each ticket.
pub(crate) fn statuses(world: &World) -> BTreeMap<String, String> {
    let targets = world.vendors_side().data_theorem.security_finding_targets;
    let linked = targets.iter().filter_map(|target| Some((target.external_id.clone()?, target)));
    linked
        .map(|(key, target)| {
            let status = serde_json::to_value(target.statuses.first().map(|one| one.status)).unwrap();
            (key, status.as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

/// The status of each ticket as Mend was told.
pub(crate) fn told_to_mend(world: &World) -> BTreeMap<String, String> {
    let issues = world.vendors_side().mend.external_issues;
    issues.into_iter().map(|issue| (issue.identifier, issue.status.unwrap_or_default())).collect()
}

/// Every target.
fn targets(world: &World) -> Vec<String> {
    let targets = world.vendors_side().data_theorem.security_finding_targets;
    targets.into_iter().map(|target| target.id).collect()
}

fn quiet(world: &World) {
    for _ in 0..3 {
        world.wait(60);
        let report = world.run_in_peace();
        assert_eq!((report.writes(), report.failed), (0, 0), "{report:?}");
    }
}

fn comments(world: &World, key: &str) -> usize {
    world.tracker.details(&TicketKey::new(key)).unwrap().comments.len()
}

#[test]
fn a_ticket_closed_as_wont_fix_closes_its_target_and_hears_nothing_of_it() {
    for (word, status) in [
        ("Won't Fix", "CLOSED_WONT_FIX"),
        ("risk accepted", "CLOSED_RISK_ACCEPTED"),
        ("Compensating Control", "CLOSED_COMPENSATING_CONTROL"),
    ] {
        let world = keyed();
        world.run_in_peace();
        world.wait(3_600);
        decide(&world, 1, word, true);
        let report = world.run_in_peace();
        assert_eq!((report.decided, report.writes(), report.failed), (1, 1, 0), "{report:?}");
        assert_eq!(statuses(&world)["LOCAL-1"], status);
        assert_eq!(comments(&world, "LOCAL-1"), 0);
        quiet(&world);
        // A scan that sees it again does not open what people closed.
        scan(&world, &targets(&world));
        world.run_in_peace();
        assert_eq!(statuses(&world)["LOCAL-1"], status);
        assert!(world.ticket("LOCAL-1").unwrap().is_done);
    }
}

#[test]
fn a_ticket_opened_again_opens_what_people_closed() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Won't Fix", true);
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Open", false);
    let report = world.run_in_peace();
    assert_eq!((report.decided, report.writes()), (1, 1), "{report:?}");
    assert_eq!(statuses(&world)["LOCAL-1"], "OPEN");
    assert_eq!(comments(&world, "LOCAL-1"), 0);
    quiet(&world);
}

#[test]
fn closing_a_ticket_without_such_a_word_waits_for_the_next_scan() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    let before = statuses(&world);
    decide(&world, 1, "Done", true);
    quiet(&world);
    assert_eq!(statuses(&world), before);
    assert!(world.ticket("LOCAL-1").unwrap().is_done);
}

/// People close a ticket in a hurry, and say why later. What the client closed has no word of theirs.
#[test]
fn a_word_that_is_corrected_later_counts() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Done", true);
    assert_eq!(world.run_in_peace().decided, 0);
    world.wait(3_600);
    decide(&world, 1, "Risk Accepted", true);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_RISK_ACCEPTED");
    quiet(&world);
    scan(&world, &[]);
    assert!(world.run_in_peace().closed > 0);
    world.wait(3_600);
    decide(&world, 2, "Won't Fix", true);
    scan(&world, &targets(&world));
    let report = world.run_in_peace();
    assert_eq!(report.decided, 0, "{report:?}");
    assert_eq!(statuses(&world)["LOCAL-2"], "OPEN");
}

/// What was decided is done once. What the vendor says later is news, however often the ticket is looked at.
#[test]
fn a_decision_that_was_carried_out_is_not_carried_out_again() {
    for (is_full, wait_s) in [(false, 60), (true, 60), (true, 86_400)] {
        let world = keyed();
        world.run_in_peace();
        world.wait(3_600);
        decide(&world, 1, "Won't Fix", true);
        assert_eq!(world.run_in_peace().decided, 1);
        world.wait(wait_s);
        let spec = world.vendors_side().data_theorem.security_finding_targets;
        let target = spec.iter().find(|target| target.external_id.as_deref() == Some("LOCAL-1")).unwrap();
        world.happen(json!({"type": "data_theorem.target_status", "target_id": target.id, "status": "OPEN"}));
        world.tracker.as_person("ada").comment(&TicketKey::new("LOCAL-1"), "What now?");
        world.blows.plan(&[]);
        let options = sync_client::sync::Options { is_full, ..sync_client::sync::Options::default() };
        let report = world.run(options).report();
        assert_eq!(report.decided, 0, "{report:?}");
        assert_eq!(statuses(&world)["LOCAL-1"], "OPEN", "{is_full} {wait_s}");
        world.wait(86_400);
        world.run_in_peace();
        assert_eq!(statuses(&world)["LOCAL-1"], "OPEN");
        assert!(!world.ticket("LOCAL-1").unwrap().is_done);
    }
}

/// Where a tracker has resolutions, they say it, whatever the status is called.
#[test]
fn at_jira_a_resolution_says_it() {
    let world = World::new(&two_way(Kind::Jira));
    world.run_in_peace();
    world.wait(3_600);
    let key = world.tracker.key(1);
    let dismissed = |resolution: &str| {
        world.happen(json!({"type": "jira.issue_transitioned", "issue": key, "status": "Done",
            "resolution": resolution}));
        world.wait(60);
        world.run_in_peace().decided
    };
    assert_eq!(dismissed("Cannot Reproduce"), 0);
    assert_eq!(dismissed("Won't Do"), 1);
    assert_eq!(statuses(&world)[&key], "CLOSED_WONT_FIX");
    assert!(world.tracker.details(&TicketKey::new(&*key)).unwrap().comments.is_empty());
    quiet(&world);
}

#[test]
fn what_the_client_does_itself_is_nobodys_decision() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    scan(&world, &[]);
    let closed = world.run_in_peace();
    assert!(closed.closed > 0, "{closed:?}");
    world.wait(3_600);
    assert_eq!(world.run_in_peace().decided, 0);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_FIXED");
    scan(&world, &targets(&world));
    let reopened = world.run_in_peace();
    assert!(reopened.reopened > 0, "{reopened:?}");
    assert_eq!(reopened.decided, 0);
    world.wait(3_600);
    assert_eq!(world.run_in_peace().decided, 0);
    quiet(&world);
}

/// A scan found it repaired. That its ticket is opened again does not bring it back.
#[test]
fn what_a_scan_closed_no_ticket_opens() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    scan(&world, &[]);
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Open", false);
    assert_eq!(world.run_in_peace().decided, 0);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_FIXED");
    quiet(&world);
}

#[test]
fn what_was_decided_before_anybody_wanted_this_is_left_alone() {
    let mut world = World::new(&little(Kind::KEYED));
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Won't Fix", true);
    world.run_in_peace();
    world.policy.two_way = Some(TwoWay::default());
    world.wait(3_600);
    let before = statuses(&world);
    assert_eq!(world.run_in_peace().decided, 0);
    assert_eq!(statuses(&world), before);
    world.wait(3_600);
    decide(&world, 2, "Won't Fix", true);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-2"], "CLOSED_WONT_FIX");
}

#[test]
fn nothing_reaches_the_vendors_unless_it_is_wanted() {
    let world = World::new(&little(Kind::KEYED));
    world.run_in_peace();
    world.wait(3_600);
    let before = (statuses(&world), told_to_mend(&world));
    decide(&world, 1, "Won't Fix", true);
    decide(&world, 4, "In Progress", false);
    quiet(&world);
    assert_eq!((statuses(&world), told_to_mend(&world)), before);
}

#[test]
fn mend_learns_how_a_ticket_is() {
    let world = keyed();
    world.run_in_peace();
    assert_eq!(told_to_mend(&world)["LOCAL-4"], "Open");
    world.wait(3_600);
    decide(&world, 4, "In Progress", false);
    let report = world.run_in_peace();
    assert_eq!((report.linked, report.writes()), (1, 1), "{report:?}");
    assert_eq!(told_to_mend(&world)["LOCAL-4"], "In Progress");
    quiet(&world);
    decide(&world, 4, "Won't Fix", true);
    world.wait(60);
    world.run_in_peace();
    assert_eq!(told_to_mend(&world)["LOCAL-4"], "Won't Fix");
    quiet(&world);
}

/// What a dry run says is what the run after it does.
#[test]
fn a_dry_run_says_what_people_decided() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Won't Fix", true);
    let before = world.vendors_side();
    let (report, steps) = world.plan();
    assert_eq!(report.decided, 1);
    assert_eq!(world.vendors_side(), before);
    let mut done = Vec::new();
    let ended = world.run_told(sync_client::sync::Options::default(), &mut |progress| {
        if let sync_client::sync::Progress::Did(step) = progress {
            done.push(step.to_owned());
        }
    });
    assert_eq!(ended.report().decided, 1);
    assert_eq!(steps, done);
}

/// What somebody does right after the client changed a ticket is told from what the client did.
#[test]
fn a_decision_right_after_the_clients_own_change_counts() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    scan(&world, &[]);
    world.run_in_peace();
    world.wait(3_600);
    scan(&world, &targets(&world));
    assert!(world.run_in_peace().reopened > 0);
    decide(&world, 1, "Won't Fix", true);
    world.wait(60);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_WONT_FIX");
}

/// The client opens a ticket, is killed before it can remember that, and in the portal somebody closes the target for
/// good. That the ticket is open is nobody's wish.
#[test]
fn a_crash_makes_no_decision_of_the_clients_own_change() {
    let setup = Setup { policy: two_way(Kind::KEYED).policy, ..crate::quiet::setup("one-open") };
    let play = |kill: Option<usize>| {
        let world = World::new(&setup);
        world.run_in_peace();
        world.wait(3_600);
        let target = world.vendors_side().data_theorem.security_finding_targets[0].id.clone();
        let scan = json!({"type": "data_theorem.scan", "mobile_app_id": "643010001"});
        let with = |field: &str, value: serde_json::Value| {
            let mut scan = scan.clone();
            scan[field] = value;
            world.happen(scan);
        };
        with("missed", json!("everything_else"));
        world.run_in_peace();
        world.wait(3_600);
        with("observed", json!([{"target_id": target}]));
        world.blows.plan(&kill.map(|at| (at, Blow::KillAfter)).into_iter().collect::<Vec<_>>());
        world.run(sync_client::sync::Options::default());
        (world, target)
    };
    let boundaries = play(None).0.blows.passed();
    let update = boundaries.iter().position(|boundary| boundary == "tracker update").unwrap();
    let (world, target) = play(Some(update));
    world.happen(
        json!({"type": "data_theorem.target_status", "target_id": target, "status": "CLOSED_WONT_FIX"}),
    );
    world.wait(60);
    let report = world.run_in_peace();
    assert_eq!((report.decided, report.closed), (0, 1), "{report:?}");
    let key = statuses(&world).into_iter().next().unwrap();
    assert_eq!(key.1, "CLOSED_WONT_FIX");
    assert!(world.ticket(&key.0).unwrap().is_done);
}

/// A decision that could not be carried out is carried out later, however long that takes.
#[test]
fn a_decision_that_the_vendor_did_not_take_is_not_forgotten() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Won't Fix", true);
    world.wait(2 * 3_600);
    world.put(on_send(|under, request, timeout| {
        if request.url.ends_with("/statuses") {
            return Err(NoReply::NotSent("connection refused".to_owned()));
        }
        under.send(request, timeout)
    }));
    let report = world.run_in_peace();
    assert_eq!((report.decided, report.failed), (0, 1), "{report:?}");
    assert!(report.failures[0].what.starts_with("data-theorem/target/"), "{report:?}");
    world.take_away();
    world.wait(10 * 3_600);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_WONT_FIX");
    quiet(&world);
}

/// A search index shows tickets as they were. Rows from before the client's own change are no decision.
#[test]
fn what_a_search_shows_late_is_no_decision() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    let before = world.tracker.local().changed(None).unwrap();
    scan(&world, &[]);
    assert!(world.run_in_peace().closed > 0);
    // People close what the scan closed for good; the client hears of that from the vendor alone.
    for target in world.vendors_side().data_theorem.security_finding_targets {
        world.happen(json!({"type": "data_theorem.target_status", "target_id": target.id,
            "status": "CLOSED_RISK_ACCEPTED"}));
    }
    world.put(on_changed(move |_, _| Ok(before.clone())));
    world.wait(60);
    assert_eq!(world.run_in_peace().decided, 0);
    assert!(statuses(&world).values().all(|status| status == "CLOSED_RISK_ACCEPTED"));
    assert!(world.ticket("LOCAL-1").unwrap().is_done);
}

/// One report that Mend never takes holds back no other ticket's decision.
#[test]
fn a_report_that_is_never_taken_costs_no_decision() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    world.put(on_send(|under, request, timeout| {
        if boundary(request) == "updateExternalIntegrationIssues" {
            return Err(NoReply::NotSent("connection refused".to_owned()));
        }
        under.send(request, timeout)
    }));
    decide(&world, 4, "In Progress", false);
    world.wait(2 * 3_600);
    for number in [1, 2] {
        world.run_in_peace();
        world.wait(10 * 3_600);
        decide(&world, number, "Won't Fix", true);
        assert_eq!(world.run_in_peace().decided, 1, "{number}");
        assert_eq!(statuses(&world)[&world.tracker.key(number)], "CLOSED_WONT_FIX");
    }
    world.take_away();
    world.wait(10 * 3_600);
    world.run_in_peace();
    assert_eq!(told_to_mend(&world)["LOCAL-4"], "In Progress");
}

/// The ticket can't be looked at in the one run whose list shows it.
#[test]
fn a_decision_that_could_not_be_looked_at_is_not_forgotten() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    decide(&world, 1, "Won't Fix", true);
    world.wait(2 * 3_600);
    world.put(on_get(|_, _| Err(TrackerError::Unavailable("connection refused".to_owned()))));
    assert_eq!(world.run_in_peace().decided, 0);
    world.take_away();
    world.wait(10 * 3_600);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_WONT_FIX");
}

/// What is decided while nobody wants to know is not acted upon when somebody wants to again.
#[test]
fn switched_off_and_on_it_begins_anew() {
    let mut world = keyed();
    world.run_in_peace();
    world.policy.two_way = None;
    world.wait(3_600);
    decide(&world, 1, "Won't Fix", true);
    world.run_in_peace();
    world.policy.two_way = Some(TwoWay::default());
    world.wait(60);
    assert_eq!(world.run_in_peace().decided, 0);
    quiet(&world);
    decide(&world, 1, "Open", false);
    decide(&world, 2, "Won't Fix", true);
    world.wait(60);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-2"], "CLOSED_WONT_FIX");
}

/// The tracker takes no word of the client; people's words count all the same.
#[test]
fn a_change_that_was_refused_makes_no_decision_unheard() {
    let world = keyed();
    world.run_in_peace();
    world.wait(3_600);
    world.put(on_update(|_, _, _| Err(TrackerError::Refused("no permission to comment".to_owned()).into())));
    // Something to tell the ticket, which is refused: its target is closed, and open again.
    scan(&world, &[]);
    assert!(world.run_in_peace().failed > 0);
    scan(&world, &targets(&world));
    decide(&world, 1, "Won't Fix", true);
    world.wait(60);
    assert_eq!(world.run_in_peace().decided, 1);
    assert_eq!(statuses(&world)["LOCAL-1"], "CLOSED_WONT_FIX");
}

/// Runs in which people decide, and those in which the client closes and opens tickets by itself.
const CHAPTERS: [Chapter; 3] = [Chapter::Closings, Chapter::Comebacks, Chapter::Decisions];

#[test]
fn decisions_survive_every_blow_where_keys_are_unique() {
    every_single_blow(&two_way(Kind::KEYED), &CHAPTERS);
}

#[test]
fn decisions_survive_every_blow_where_search_lags() {
    every_single_blow(&two_way(Kind::LAGGING), &CHAPTERS);
}

#[test]
fn decisions_survive_every_blow_over_jira() {
    every_single_blow(&two_way(Kind::Jira), &CHAPTERS);
}
