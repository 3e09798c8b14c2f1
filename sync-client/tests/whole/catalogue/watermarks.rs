//! Rows 16 to 26: changes that are never seen.

use std::time::Duration;

use jiff::SignedDuration;
use sync_client::core::policy::TargetGroups;

use super::odd::{
    cursors_run_out, empty_pages_without_end, meanwhile, mend_error, target_rows, the_cursor_leads_back,
};
use super::sabotage::{self, Sabotage};
use super::scenes::{
    APP, FIRST, discovery, no_full_pass, no_overlap, project_scan, scan, several, ticket_of_violation,
    two_of_each, under,
};
use super::{Verdict, counts, details, ensure, equal, full_run, rows, run, settle, settled_and_in_step};
use crate::layers::{on_now, on_reply};
use crate::world::{Setup, World, happen};

/// Mend's tool for Azure reads up to the time before its run and remembers the time after it.
fn row_16_change_during_a_run_is_seen_by_the_next(world: &World) -> Verdict {
    let (control, found) = (world.control.clone(), discovery(world, "`com.example.Late`"));
    world.put(meanwhile("GET security_finding_targets?", move || {
        happen(&control, found.clone());
        control.advance(SignedDuration::from_mins(10));
    }));
    run(world)?;
    settled_and_in_step(world)
}

/// The same tool remembers that it was there although calls failed, and takes failed calls for "no issues".
fn row_17_project_that_failed_is_looked_at_again(world: &World) -> Verdict {
    settle(world)?;
    world.happen(project_scan(world, 0, false));
    world.happen(project_scan(world, 1, false));
    // Longer than any overlap, and than the days in which Mend counts.
    world.wait(3 * 86_400);
    let failing = world.vendors_side().mend.projects[1].token().to_owned();
    world.put(crate::layers::on_send(move |under, request, timeout| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let is_meant = body.contains("fetchProjectPolicyIssues") && body.contains(&failing);
        if is_meant { Ok(mend_error(4000)) } else { under.send(request, timeout) }
    }));
    let report = run(world)?;
    ensure(report.failed == 1 && report.closed == 1, || format!("{report:?}"))?;
    world.take_away();
    world.wait(3 * 86_400);
    settled_and_in_step(world)
}

/// The same tool writes local time as UTC: half an hour of changes is lost in India, more elsewhere.
fn row_18_a_slow_clock_and_time_zones_do_not_matter(world: &World) -> Verdict {
    world.put(on_now(|clock| clock.now() - SignedDuration::from_hours(1)));
    a_change_soon_after_the_first_run(world)
}

/// dynos-sync took the watermark from the client's clock, which was ahead of the server's.
fn row_19_a_fast_clock_does_not_matter(world: &World) -> Verdict {
    world.put(on_now(|clock| clock.now() + SignedDuration::from_hours(1)));
    a_change_soon_after_the_first_run(world)
}

fn a_change_soon_after_the_first_run(world: &World) -> Verdict {
    run(world)?;
    world.wait(15 * 60);
    world.happen(scan(APP, &[], &[FIRST]));
    world.wait(60);
    settled_and_in_step(world)?;
    equal("tickets and those done", &counts(world), &(4, 1))
}

/// Airbyte asked for what is strictly later than the newest row: a second row with the same time never came.
fn row_20_a_row_with_the_time_of_another_is_seen(world: &World) -> Verdict {
    world.happen(discovery(world, "`com.example.One`"));
    run(world)?;
    let mut spec = world.vendors_side();
    let targets = &mut spec.data_theorem.security_finding_targets;
    let mut twin = targets.last().unwrap().clone();
    (twin.id, twin.text, twin.external_id) = ("9000000000000001".into(), "`com.example.Two`".into(), None);
    targets.push(twin);
    world.control.replace_world(spec).unwrap();
    settled_and_in_step(world)?;
    equal("tickets and those done", &counts(world), &(6, 0))
}

/// Airbyte pages by offset: when a row leaves a page that was read, the first row of the next page is never read.
fn row_21_a_row_that_slipped_between_pages_is_found_by_the_full_pass(world: &World) -> Verdict {
    let number = std::sync::atomic::AtomicUsize::new(0);
    world.put(on_reply("GET security_finding_targets?", move |page| {
        if number.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 {
            target_rows(page).unwrap().remove(0);
        }
    }));
    let report = run(world)?;
    equal("created", &report.created, &3)?;
    world.wait(86_400);
    settled_and_in_step(world)
}

/// PostHog and others missed rows that were published late, with a time before the watermark.
fn row_22_a_row_that_is_published_late_is_seen(world: &World) -> Verdict {
    run(world)?;
    world.wait(60);
    let ten_minutes_ago = world.control.now() - SignedDuration::from_mins(10);
    let mut spec = world.vendors_side();
    let dt = &mut spec.data_theorem;
    let target = &mut dt.security_finding_targets[0];
    let mut closed = target.statuses[0].clone();
    (closed.status, closed.date) =
        (fixtures::world::data_theorem::TargetStatus::ClosedFixed, ten_minutes_ago);
    target.statuses.insert(0, closed);
    target.results_last_updated = ten_minutes_ago;
    dt.security_findings[0].results_last_updated = ten_minutes_ago;
    dt.mobile_apps[0].results_last_updated = ten_minutes_ago;
    world.control.replace_world(spec).unwrap();
    settled_and_in_step(world)?;
    equal("tickets and those done", &counts(world), &(4, 1))
}

/// `results_since` means scans: what a person closes in the portal may not show. Tools that rely on it never close.
fn row_23_a_change_without_a_scan_is_found_by_the_full_pass(world: &World) -> Verdict {
    run(world)?;
    world.wait(60);
    let mut spec = world.vendors_side();
    let target = &mut spec.data_theorem.security_finding_targets[0];
    let mut closed = target.statuses[0].clone();
    closed.status = fixtures::world::data_theorem::TargetStatus::ClosedRiskAccepted;
    closed.date = world.control.now();
    target.statuses.insert(0, closed);
    world.control.replace_world(spec).unwrap();
    run(world)?;
    world.wait(86_400);
    settled_and_in_step(world)?;
    equal("tickets and those done", &counts(world), &(4, 1))
}

/// Several tools read the first page only; it looks fine until there is a second one.
fn row_24_every_page_is_read(world: &World) -> Verdict {
    settled_and_in_step(world)
}

/// prowler and others follow a cursor that leads back for ever.
fn row_25_a_list_without_an_end_is_an_error(world: &World) -> Verdict {
    run(world)?;
    for odd in [the_cursor_leads_back(), empty_pages_without_end(), cursors_run_out()] {
        world.put(odd);
        let report = full_run(world)?;
        let asked = world.blows.passed().len();
        ensure(asked < 50, || format!("{asked} requests"))?;
        ensure(report.closed == 0, || format!("{report:?}"))?;
        world.take_away();
        world.wait(60);
    }
    settled_and_in_step(world)
}

/// tenable's tool lost a cache in the middle of a run, found a parent without open children, and closed it.
fn row_26_a_run_without_news_closes_nothing(world: &World) -> Verdict {
    settle(world)?;
    for _ in 0..2 {
        world.wait(60);
        let report = run(world)?;
        equal("writes", &report.writes(), &0)?;
    }
    equal("tickets and those done", &counts(world), &(2, 0))?;
    let violation = ticket_of_violation(world, 0).unwrap_or_default();
    ensure(details(world, &violation).comments.is_empty(), || "somebody commented".to_owned())?;
    Ok(())
}

fn without_full_passes() -> Setup {
    under(two_of_each(), no_full_pass)
}

fn no_second_chance() -> Setup {
    under(under(several(), no_overlap), no_full_pass)
}

fn with_little_overlap() -> Setup {
    under(several(), |policy| policy.overlap = Duration::from_mins(10))
}

fn by_finding() -> Setup {
    under(several(), |policy| policy.group_targets = TargetGroups::Finding)
}

rows! {
    row_16_change_during_a_run_is_seen_by_the_next(no_second_chance, Sabotage::Ledger(sabotage::mark_after_the_run));
    row_17_project_that_failed_is_looked_at_again(without_full_passes, Sabotage::Ledger(sabotage::mark_after_the_run));
    row_18_a_slow_clock_and_time_zones_do_not_matter(several, Sabotage::Port(sabotage::kolkata_is_utc));
    row_19_a_fast_clock_does_not_matter(with_little_overlap, Sabotage::Ledger(sabotage::mark_by_a_fast_clock));
    row_20_a_row_with_the_time_of_another_is_seen(several, Sabotage::Port(sabotage::strictly_later));
    row_21_a_row_that_slipped_between_pages_is_found_by_the_full_pass(several, Sabotage::Policy(no_full_pass));
    row_22_a_row_that_is_published_late_is_seen(several, Sabotage::Policy(no_overlap));
    row_23_a_change_without_a_scan_is_found_by_the_full_pass(several, Sabotage::Policy(no_full_pass));
    row_24_every_page_is_read(several, Sabotage::Port(sabotage::first_page_only));
    row_25_a_list_without_an_end_is_an_error(several, Sabotage::Port(sabotage::cursors_without_end));
    row_26_a_run_without_news_closes_nothing(by_finding, Sabotage::Ledger(sabotage::all_seem_closed));
}
