//! Rows 61 to 64: tickets that are not where they were.

use std::sync::Arc;

use sync_client::adapters::local::{LocalTracker, Uniqueness};
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::ports::{BrokenOff, Change, Created, NewTicket, Ticket, Tracker, TrackerError};

use super::sabotage::{self, Sabotage};
use super::scenes::{APP, FIRST, discovery, project_scan, scan, several, ticket_of, ticket_of_violation};
use super::{Verdict, counts, ensure, equal, full_run, rows, run, settle, settled_and_in_step};
use crate::layers::Layer;
use crate::world::World;

/// Sentry lost a ticket that was moved to another project: its key is another one then.
fn row_61_a_moved_ticket_is_followed(world: &World) -> Verdict {
    settle(world)?;
    let [target, violation] =
        [ticket_of(world, FIRST), ticket_of_violation(world, 0)].map(Option::unwrap_or_default);
    let person = world.tracker.as_person("ada");
    person.move_to(&TicketKey::new(target), &TicketKey::new("TEAM-1"));
    person.move_to(&TicketKey::new(violation), &TicketKey::new("TEAM-2"));
    world.wait(60);
    let report = full_run(world)?;
    equal("moved and linked", &(report.moved, report.linked), &(2, 2))?;
    equal("the vendor's link", &ticket_of(world, FIRST).as_deref(), &Some("TEAM-1"))?;
    world.wait(60);
    equal("writes afterwards", &full_run(world)?.writes(), &0)?;
    world.happen(scan(APP, &[], &[FIRST]));
    settle(world)?;
    ensure(world.ticket("TEAM-1").is_some_and(|ticket| ticket.is_done), || "TEAM-1 is open".to_owned())
}

/// Several tools ask for a deleted ticket for ever, or make it anew in every run.
fn row_62_a_deleted_ticket_is_not_made_again(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of_violation(world, 0).unwrap_or_default();
    world.tracker.as_person("ada").delete(&TicketKey::new(key));
    for _ in 0..6 {
        world.wait(60);
        let report = full_run(world)?;
        equal("created", &report.created, &0)?;
    }
    equal("tickets and those done", &counts(world), &(3, 0))?;
    equal("lost tickets in the ledger", &world.ledger().counts().unwrap().lost, &1)?;
    world.wait(60);
    let report = full_run(world)?;
    equal("failed and written", &(report.failed, report.writes()), &(0, 0))
}

/// A 404 may mean a permission that is missing for a while; devlake took such tickets for deleted.
fn row_63_a_hidden_ticket_is_not_a_deleted_one(world: &World) -> Verdict {
    settle(world)?;
    let key = TicketKey::new(ticket_of(world, FIRST).unwrap_or_default());
    world.tracker.as_person("ada").hide(&key);
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST]));
    let report = run(world)?;
    ensure(report.failed > 0 && report.created == 0, || format!("{report:?}"))?;
    world.tracker.as_person("ada").show(&key);
    settled_and_in_step(world)?;
    equal("tickets and those done", &counts(world), &(4, 1))
}

/// A tool was pointed at another project, where its old keys are missing, or are somebody else's tickets.
fn row_64_another_project_has_other_tickets(world: &World) -> Verdict {
    settle(world)?;
    let uniqueness = Uniqueness::None { search_lag: std::time::Duration::ZERO };
    let other = Arc::new(LocalTracker::in_memory(Arc::new(world.clock.clone()), uniqueness).unwrap());
    // The first ticket there has the same key as one that the ledger knows, and belongs to something else.
    let (title, description) = ("Another".to_owned(), "Another team's.".to_owned());
    let op = OpKey::new("sync-another-teams");
    other.create(&NewTicket { op, title, description, labels: Vec::new() }).unwrap();
    world.put(Arc::new(Elsewhere(Arc::clone(&other))));
    let first = world.vendors_side().data_theorem.security_finding_targets;
    let owner = first.into_iter().find(|target| target.external_id.as_deref() == Some("LOCAL-1"));
    world.happen(match &owner {
        Some(target) => scan(APP, &[], &[&target.id]),
        None => project_scan(world, 0, false),
    });
    world.happen(discovery(world, "`com.example.New`"));
    for _ in 0..6 {
        world.wait(60);
        full_run(world)?;
    }
    let there = other.list().unwrap();
    ensure(there.len() == 2, || format!("the other project has {there:?}"))?;
    let strange = other.details(&TicketKey::new("LOCAL-1")).unwrap().unwrap();
    ensure(!strange.summary.is_done && strange.comments.is_empty(), || format!("{strange:?}"))?;
    let report = full_run(world)?;
    equal("failed and written", &(report.failed, report.writes()), &(0, 0))
}

/// Another tracker than before.
struct Elsewhere(Arc<LocalTracker>);

impl Layer for Elsewhere {
    fn find(&self, _: &dyn Tracker, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        self.0.find(op)
    }

    fn create(&self, _: &dyn Tracker, ticket: &NewTicket) -> Result<Created, TrackerError> {
        self.0.create(ticket)
    }

    fn get(&self, _: &dyn Tracker, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        self.0.get(key)
    }

    fn update(&self, _: &dyn Tracker, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        self.0.update(key, change)
    }
}

rows! {
    row_61_a_moved_ticket_is_followed(several, Sabotage::Port(sabotage::keys_never_change));
    row_62_a_deleted_ticket_is_not_made_again(several, Sabotage::Ledger(sabotage::lost_is_forgotten));
    row_63_a_hidden_ticket_is_not_a_deleted_one(several, Sabotage::Ledger(sabotage::unseen_is_lost));
    row_64_another_project_has_other_tickets(several, Sabotage::Port(sabotage::anybodys_ticket));
}
