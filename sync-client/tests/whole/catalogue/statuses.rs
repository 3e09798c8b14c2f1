//! Rows 27 to 38: tickets closed or opened wrongly.

use sync_client::core::model::TicketKey;
use sync_client::core::policy::{OnChange, TargetGroups};

use super::odd::{instead, lost, mend_error, reply};
use super::sabotage::{self, Sabotage};
use super::scenes::{
    APP, FIRST, OTHER_APP, SECOND, THIRD, project_scan, scan, several, ticket_of, ticket_of_violation,
    two_of_each, under,
};
use super::{
    Verdict, counts, details, ensure, equal, full_run, in_step_but_for, our_comments, rows, run, settle,
    settled_and_in_step,
};
use crate::layers::on_update;
use crate::trackers::Kind;
use crate::world::{Setup, World};

/// GitHub's ghas-jira-integration took one 404 for a repository that is gone, and deleted all of its tickets.
fn row_27_a_vendor_that_shows_nothing_closes_nothing(world: &World) -> Verdict {
    settle(world)?;
    let empty = r#"{"security_finding_targets": [], "pagination_information": {"total_count": 0}}"#;
    for (status, body) in [(404, "{}"), (200, empty), (200, "{}"), (403, "")] {
        world.wait(60);
        world.put(instead("GET security_finding_targets?", || true, move |_| reply(status, body)));
        world.put(instead("fetchProjectPolicyIssues", || true, |_| mend_error(5001)));
        world.put(instead("getProjectLibrariesInfo", || true, |_| mend_error(5001)));
        let report = full_run(world)?;
        equal("tickets and those done", &counts(world), &(6, 0))?;
        equal("writes", &report.writes(), &0)?;
        world.take_away();
    }
    settled_and_in_step(world)
}

/// Several tools reopen within minutes what a person closed with a reason.
fn row_28_what_a_person_closed_stays_closed(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    world.tracker.as_person("ada").set_status(&TicketKey::new(key.as_str()), "Won't Fix", true);
    for _ in 0..3 {
        world.wait(60);
        let report = full_run(world)?;
        equal("status", &details(world, &key).summary.status.as_str(), &"Won't Fix")?;
        equal("writes", &report.writes(), &0)?;
    }
    // Closed and open again at the vendor is news: then it is opened, once.
    world.happen(scan(APP, &[], &[FIRST]));
    settle(world)?;
    world.wait(60);
    world.happen(scan(APP, &[FIRST], &[]));
    settled_and_in_step(world)?;
    world.tracker.as_person("ada").close(&TicketKey::new(key.as_str()));
    settle(world)?;
    in_step_but_for(world, &[&key])
}

/// DefectDojo took a ticket for closed by its resolution; workflows without one were never closed, or reopened.
fn row_30_done_is_what_the_tracker_says_not_a_word(world: &World) -> Verdict {
    settle(world)?;
    let [verified, done] = [FIRST, SECOND].map(|target| ticket_of(world, target).unwrap_or_default());
    let person = world.tracker.as_person("ada");
    person.set_status(&TicketKey::new(verified.as_str()), "Verified", true);
    person.set_status(&TicketKey::new(done.as_str()), "Done?", false);
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST, SECOND]));
    settled_and_in_step(world)?;
    equal("the status of a closed one", &details(world, &verified).summary.status.as_str(), &"Verified")?;
    equal("comments", &(our_comments(world, &verified), our_comments(world, &done)), &(0, 1))
}

/// Sentry reopened a shared ticket for each of its issues, and closed it for the first.
fn row_31_a_shared_ticket_closes_when_all_is_closed(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    world.wait(60);
    world.happen(scan(APP, &[SECOND, THIRD], &[FIRST]));
    settle(world)?;
    equal("done and comments", &state(world, &key), &(false, 0))?;
    world.happen(scan(APP, &[], &[SECOND, THIRD]));
    settle(world)?;
    equal("done and comments", &state(world, &key), &(true, 1))?;
    world.wait(60);
    world.happen(scan(APP, &[FIRST, SECOND], &[]));
    settle(world)?;
    equal("done and comments", &state(world, &key), &(false, 2))
}

fn state(world: &World, key: &str) -> (bool, usize) {
    (details(world, key).summary.is_done, our_comments(world, key))
}

/// Closing what is closed: an error at some vendors, a second comment in some tools.
fn row_34_closing_twice_is_closing_once(world: &World) -> Verdict {
    settle(world)?;
    let is_lost = super::odd::first(1);
    world.put(on_update(move |tracker, key, change| {
        let ticket = tracker.update(key, change)?;
        if is_lost() { Err(lost().into()) } else { Ok(ticket) }
    }));
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST]));
    run(world)?;
    settled_and_in_step(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    equal("done and comments", &state(world, &key), &(true, 1))
}

/// Snyk's tool only creates, and Mend's never asks whether a library is still there: nothing ever closes.
fn row_36_a_library_that_left_closes_its_ticket(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of_violation(world, 0).unwrap_or_default();
    world.wait(60);
    world.happen(project_scan(world, 0, false));
    settled_and_in_step(world)?;
    let comment = details(world, &key).comments.pop().map(|comment| comment.text).unwrap_or_default();
    ensure(comment.contains("LIBRARY_GONE"), || format!("the comment is {comment:?}"))
}

/// ghas-jira-integration makes a ticket for what is closed already, and closes it then.
fn row_37_what_was_closed_at_first_sight_gets_no_ticket(world: &World) -> Verdict {
    let report = run(world)?;
    equal("created and closed", &(report.created, report.closed), &(4, 0))?;
    settled_and_in_step(world)
}

/// Dependency-Track took the same vulnerability in another project for the same, or for ever new.
fn row_38_the_same_issue_in_two_places_has_two_tickets(world: &World) -> Verdict {
    settle(world)?;
    equal("tickets and those done", &counts(world), &(6, 0))?;
    world.wait(60);
    world.happen(scan(OTHER_APP, &[], &["8000000000000001"]));
    world.happen(project_scan(world, 1, false));
    settled_and_in_step(world)?;
    equal("tickets and those done", &counts(world), &(6, 2))
}

fn by_finding() -> Setup {
    under(several(), |policy| policy.group_targets = TargetGroups::Finding)
}

fn two_of_each_and_a_unique_key() -> Setup {
    Setup { tracker: Kind::KEYED, ..two_of_each() }
}

rows! {
    row_27_a_vendor_that_shows_nothing_closes_nothing(two_of_each, Sabotage::Port(sabotage::errors_are_empty));
    row_28_what_a_person_closed_stays_closed(several, Sabotage::Ledger(sabotage::tells_again));
    row_30_done_is_what_the_tracker_says_not_a_word(several, Sabotage::Port(sabotage::done_is_a_word));
    row_31_a_shared_ticket_closes_when_all_is_closed(by_finding, Sabotage::Ledger(sabotage::one_closes_all));
    row_34_closing_twice_is_closing_once(several, Sabotage::Port(sabotage::blind_updates));
    row_36_a_library_that_left_closes_its_ticket(several, Sabotage::Policy(|policy| {
        policy.on_close = OnChange::Comment;
    }));
    row_37_what_was_closed_at_first_sight_gets_no_ticket(several, Sabotage::Port(sabotage::open_at_first_sight));
    row_38_the_same_issue_in_two_places_has_two_tickets(
        two_of_each_and_a_unique_key, Sabotage::Port(sabotage::one_ticket_per_kind)
    );
}
