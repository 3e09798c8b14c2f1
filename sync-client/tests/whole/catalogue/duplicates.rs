//! Rows 1 to 15: two tickets for one thing.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use sync_client::core::model::{GroupId, OpKey, TicketKey};
use sync_client::core::policy::TargetGroups;
use sync_client::exit::Exit;
use sync_client::ledger::{Ledger, LedgerError};
use sync_client::ports::NewTicket;
use sync_client::sync::Options;

use super::odd::{
    DropsKeys, Stranger, creates_take_too_long, first, replies_to_creates_are_lost, rows_repeat,
    search_fails, three_crashes, updates_are_refused,
};
use super::sabotage::{self, Sabotage};
use super::scenes::{FIRST, SECOND, THIRD, several, ticket_of, ticket_of_violation, two_of_each, under};
use super::{
    Verdict, counts, details, ensure, equal, full_run, in_step, in_step_but_for, rows, run, settle,
    settled_and_in_step, tickets,
};
use crate::layers::{on_reply, on_send};
use crate::world::{Ended, World};

/// The most used Python client for Jira sends a create again when its reply is lost: three tickets from one call.
fn row_01_lost_reply_of_create_makes_one_ticket(world: &World) -> Verdict {
    world.put(replies_to_creates_are_lost(2));
    run(world)?;
    settled_and_in_step(world)
}

/// Snyk's tool for Jira takes any answer but success, a 500 or 504 too, for nothing done, and tries again.
fn row_02_silence_after_a_create_makes_one_ticket(world: &World) -> Verdict {
    world.put(creates_take_too_long(&world.clock, 2));
    run(world)?;
    run(world)?;
    settled_and_in_step(world)
}

/// Sync2Jira creates, makes up to four more calls, and only then attaches what it finds the ticket by.
fn row_03_crash_between_create_and_link_makes_one_ticket(world: &World) -> Verdict {
    for crash in three_crashes() {
        world.put(crash);
    }
    let mut killed = 0;
    while matches!(world.run(Options::default()), Ended::Killed) {
        killed += 1;
        ensure(killed < 10, || "it never ends by itself".to_owned())?;
    }
    equal("crashes", &killed, &3)?;
    settled_and_in_step(world)
}

/// Sync2Jira's search does not show a ticket that was just made, so it made another.
fn row_04_search_lag_without_a_ledger_makes_one_ticket(world: &World) -> Verdict {
    run(world)?;
    world.forget();
    run(world)?;
    settled_and_in_step(world)
}

/// tmt lost its cache at a redeployment while the copy it searched was stale; tenable's tool recreated all it knew.
fn row_05_lost_ledger_makes_no_new_tickets(world: &World) -> Verdict {
    run(world)?;
    let before = tickets(world);
    for _ in 0..3 {
        world.wait(60);
        world.forget();
        run(world)?;
    }
    equal("tickets", &tickets(world), &before)?;
    settled_and_in_step(world)
}

/// tenable's tool searches among open tickets only: what a person closed comes again as a new ticket.
fn row_06_ticket_closed_by_a_person_is_found(world: &World) -> Verdict {
    run(world)?;
    let violation = ticket_of_violation(world, 0).unwrap_or_default();
    let target = ticket_of(world, FIRST).unwrap_or_default();
    for key in [&violation, &target] {
        world.tracker.as_person("ada").close(&TicketKey::new(key.as_str()));
    }
    settle(world)?;
    world.forget();
    full_run(world)?;
    equal("tickets and those done", &counts(world), &(4, 2))?;
    settle(world)?;
    in_step_but_for(world, &[&violation, &target])
}

/// Mend's tool for Azure finds work items by title, and the title contains what changes: counts and severities.
fn row_07_edited_title_is_no_new_ticket(world: &World) -> Verdict {
    run(world)?;
    for ticket in tickets(world) {
        let key = TicketKey::new(ticket.key);
        world.tracker.as_person("ada").edit_title(&key, "Ours now");
    }
    let name = &world.vendors_side().mend.vulnerabilities[0].name.clone();
    world.happen(json!({"type": "mend.vulnerability_rescored", "name": name, "score": 7.1}));
    settle(world)?;
    world.forget();
    full_run(world)?;
    equal("tickets and those done", &counts(world), &(4, 0))?;
    settled_and_in_step(world)
}

/// Mend's tool for Azure takes a search that fails for one that finds nothing.
fn row_08_failed_search_makes_no_ticket(world: &World) -> Verdict {
    run(world)?;
    world.wait(60);
    world.forget();
    world.put(search_fails());
    let report = run(world)?;
    ensure(report.created == 0 && report.exit() == Exit::Partial, || format!("{report:?}"))?;
    world.take_away();
    settled_and_in_step(world)
}

/// Jira and Redmine answer reads of a refused token like an empty tracker; clients of both recreated everything.
fn row_09_expired_token_makes_no_ticket(world: &World) -> Verdict {
    run(world)?;
    world.wait(60);
    world.forget();
    world.put(Arc::new(Stranger));
    let report = run(world)?;
    equal("exit", &report.exit(), &Exit::Credentials)?;
    world.take_away();
    settled_and_in_step(world)
}

/// Redmine and Request Tracker answer 201 and drop the field that the ticket would be found by.
fn row_10_dropped_key_is_told(world: &World) -> Verdict {
    world.put(Arc::new(DropsKeys));
    let report = run(world)?;
    ensure(report.created == 4 && report.exit() == Exit::Partial, || format!("nobody is told: {report:?}"))?;
    for _ in 0..3 {
        world.wait(60);
        equal("writes", &full_run(world)?.writes(), &0)?;
    }
    equal("tickets and those done", &counts(world), &(4, 0))
}

/// DefectDojo has two code paths that push the same finding; others are just started twice.
fn row_11_second_run_at_the_same_time_is_refused(world: &World) -> Verdict {
    let file = ledger_file(world);
    let mut other = None;
    let mut told = |_: sync_client::sync::Progress<'_>| {
        other.get_or_insert_with(|| world.run_with(|| Ledger::open(&file), Options::default(), &mut |_| {}));
    };
    let ended = world.run_with(|| Ledger::open(&file), Options::default(), &mut told);
    for name in ["db", "db.lock", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(file.with_extension(name));
    }
    super::report(ended)?;
    ensure(matches!(other, Some(Ended::Ledger(LedgerError::Locked { .. }))), || {
        format!("the other run: {:?}; tickets: {:?}", other.is_some(), counts(world))
    })?;
    in_step(world)
}

/// A ledger on disk, for this world.
pub(super) fn ledger_file(world: &World) -> PathBuf {
    std::env::temp_dir().join(format!("sync-client-{}-{}.db", std::process::id(), world.control.id()))
}

/// GitHub's ghas-jira-integration sorts the keys of duplicates as texts, and keeps 10000 rather than 9999.
fn row_12_oldest_of_two_tickets_stays(world: &World) -> Verdict {
    for number in 1..=8 {
        world.tracker.as_person("ada").create(&format!("Ticket {number}"));
    }
    let op = OpKey::of(&GroupId::new(format!("data-theorem/target/{FIRST}")));
    let (title, description) = ("Twice".to_owned(), "Made by a client without a memory.".to_owned());
    let twice = NewTicket { op, title, description, labels: Vec::new() };
    world.tracker.make(&twice);
    world.tracker.make(&twice);
    world.wait(60);
    settle(world)?;
    let is_done = |key: &str| details(world, key).summary.is_done;
    let [older, newer] = [9, 10].map(|number| world.tracker.key(number));
    equal("done", &(is_done(&older), is_done(&newer)), &(false, true))?;
    let last = details(world, &newer).comments.pop().map(|comment| comment.text).unwrap_or_default();
    ensure(last.contains(&older), || format!("the comment is {last:?}"))?;
    equal("link", &ticket_of(world, FIRST), &Some(older))
}

/// hyades made a ticket for each time that a list named a finding, and lists repeat rows when they shift.
fn row_13_repeated_row_makes_one_ticket(world: &World) -> Verdict {
    world.put(on_reply("GET security_finding_targets?", rows_repeat()));
    let report = run(world)?;
    equal("created", &report.created, &4)?;
    settled_and_in_step(world)
}

/// DefectDojo makes a ticket for each finding of a group; people want one for all.
fn row_14_targets_of_a_finding_share_a_ticket(world: &World) -> Verdict {
    let links = first(1);
    world.put(on_send(move |under, request, timeout| {
        let reply = under.send(request, timeout);
        // The client is killed when it has linked the first of them.
        if super::odd::is_link(request) && links() {
            std::panic::panic_any(crate::blows::Killed)
        }
        reply
    }));
    let ended = world.run(Options::default());
    ensure(matches!(ended, Ended::Killed), || format!("{ended:?}"))?;
    settle(world)?;
    equal("tickets and those done", &counts(world), &(2, 0))?;
    let keys = [FIRST, SECOND, THIRD].map(|target| ticket_of(world, target));
    ensure(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), || format!("{keys:?}"))
}

/// ClusterFuzz makes a blank ticket and fills it afterwards; where that fails, the blank ones stay.
fn row_15_ticket_is_whole_from_the_start(world: &World) -> Verdict {
    world.put(updates_are_refused());
    run(world)?;
    equal("tickets and those done", &counts(world), &(4, 0))?;
    for ticket in tickets(world) {
        let details = details(world, &ticket.key);
        let is_whole = details.description.lines().count() > 3 && details.labels.len() == 3;
        ensure(is_whole && details.comments.is_empty(), || format!("{details:?}"))?;
    }
    world.take_away();
    settled_and_in_step(world)
}

fn by_finding() -> crate::world::Setup {
    under(several(), |policy| policy.group_targets = TargetGroups::Finding)
}

rows! {
    row_01_lost_reply_of_create_makes_one_ticket(several, Sabotage::Port(sabotage::create_again));
    row_02_silence_after_a_create_makes_one_ticket(several, Sabotage::Port(sabotage::no_reply_is_no));
    row_03_crash_between_create_and_link_makes_one_ticket(several, Sabotage::Port(sabotage::no_search));
    row_04_search_lag_without_a_ledger_makes_one_ticket(several, Sabotage::Port(sabotage::no_lag));
    row_05_lost_ledger_makes_no_new_tickets(several, Sabotage::Port(sabotage::no_search));
    row_06_ticket_closed_by_a_person_is_found(several, Sabotage::Port(sabotage::open_tickets_only));
    row_07_edited_title_is_no_new_ticket(several, Sabotage::Port(sabotage::titles_are_identities));
    row_08_failed_search_makes_no_ticket(several, Sabotage::Port(sabotage::failed_search_is_empty));
    row_09_expired_token_makes_no_ticket(several, Sabotage::Port(sabotage::no_identity));
    row_10_dropped_key_is_told(several, Sabotage::Port(sabotage::created_as_wished));
    row_11_second_run_at_the_same_time_is_refused(two_of_each, Sabotage::Port(sabotage::no_lock));
    row_12_oldest_of_two_tickets_stays(several, Sabotage::Port(sabotage::sorted_as_texts));
    row_13_repeated_row_makes_one_ticket(several, Sabotage::Port(sabotage::rows_are_findings));
    row_14_targets_of_a_finding_share_a_ticket(by_finding, Sabotage::Policy(|policy| {
        policy.group_targets = TargetGroups::Target;
    }));
    row_15_ticket_is_whole_from_the_start(several, Sabotage::Port(sabotage::blank_then_filled));
}
