//! The bugs of real sync tools, each as a regression test: `row_NN_…` after the row of the catalogue it stands for.
//!
//! A row is a scenario over both sides and the whole client. It has to come out well with the client as it is, and
//! badly with the client broken in the way of the tool that had the bug: a [`Sabotage`] at a port, of the policy, or of
//! what the ledger remembers. [`every_sabotage_is_convicted`] prints who was convicted of what.
//!
//! Absent are
//! * 35: the kind of issue is what the settings say when a ticket is made, and nothing of a ticket depends on it later;
//! * 65, webhooks: the client asks, and is not called;
//! * 59, the certificates: they are below the port that is played here, and the tests of the real transport have it.

#![expect(clippy::doc_markdown, reason = "names of tools are no code")]

mod duplicates;
mod faults;
mod moved;
mod odd;
mod sabotage;
mod scenes;
mod statuses;
mod watermarks;
mod workflows;
mod writes;

use std::collections::BTreeSet;

use sabotage::Sabotage;
use sync_client::adapters::local::{Details, Summary};
use sync_client::core::model::TicketKey;
use sync_client::sync::{Options, Report};

use crate::step::problems;
use crate::trackers::Kind;
use crate::world::{Ended, Setup, World};

/// What is wrong, if anything.
type Verdict = Result<(), String>;

/// A row of the catalogue.
struct Row {
    name: &'static str,
    setup: fn() -> Setup,
    sabotage: Sabotage,
    scenario: fn(&World) -> Verdict,
}

impl Row {
    fn setup_over(&self, tracker: Option<Kind>) -> Setup {
        let setup = (self.setup)();
        Setup { tracker: tracker.unwrap_or(setup.tracker), ..setup }
    }

    fn healthy(&self, tracker: Option<Kind>) -> Verdict {
        (self.scenario)(&World::new(&self.setup_over(tracker)))
    }

    /// What the scenario says of the broken client.
    fn sabotaged(&self, tracker: Option<Kind>) -> Verdict {
        let mut world = World::new(&self.setup_over(tracker));
        self.sabotage.commit(&mut world);
        (self.scenario)(&world)
    }
}

/// Makes rows, and a test of each, out of scenarios: `name(setup, sabotage)`.
macro_rules! rows {
    ($($name:ident($setup:expr, $sabotage:expr);)+) => {
        pub(super) const ROWS: &[$crate::catalogue::Row] = &[$($crate::catalogue::Row {
            name: stringify!($name),
            setup: $setup,
            sabotage: $sabotage,
            scenario: $name,
        }),+];

        mod tests {
            $(#[test]
            fn $name() {
                let row = super::ROWS.iter().find(|row| row.name == stringify!($name)).unwrap();
                assert_eq!(row.healthy(None), Ok(()));
                assert!(row.sabotaged(None).is_err(), "the broken client passes as well");
            })+
        }
    };
}
use rows;

/// Every row.
const FAMILIES: [&[Row]; 7] = [
    duplicates::ROWS,
    watermarks::ROWS,
    statuses::ROWS,
    writes::ROWS,
    faults::ROWS,
    moved::ROWS,
    workflows::ROWS,
];

#[test]
fn every_sabotage_is_convicted() {
    let rows: Vec<&Row> = FAMILIES.into_iter().flatten().collect();
    let mut acquitted = Vec::new();
    for row in &rows {
        match row.sabotaged(None) {
            Err(why) => eprintln!("{}: {}", row.name, why.chars().take(200).collect::<String>()),
            Ok(()) => acquitted.push(row.name),
        }
    }
    eprintln!("sabotages convicted / total: {} / {}", rows.len() - acquitted.len(), rows.len());
    assert!(acquitted.is_empty(), "not convicted: {acquitted:?}");
}

/// Rows that are not played over Jira as well, and why.
const NOT_OVER_JIRA: [(&str, &str); 2] = [
    (
        "row_50",
        "its adapter cuts texts once more, whatever the client does; the adapter's own tests have that",
    ),
    ("row_64", "the other project is played by a tracker of its own"),
];

#[test]
fn every_row_holds_over_jira() {
    let is_played = |row: &&Row| NOT_OVER_JIRA.iter().all(|(name, _)| !row.name.starts_with(name));
    let rows: Vec<&Row> = FAMILIES.into_iter().flatten().filter(is_played).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        wrong.extend(row.healthy(Some(Kind::Jira)).err().map(|why| format!("{}: {why}", row.name)));
        if row.sabotaged(Some(Kind::Jira)).is_ok() {
            wrong.push(format!("{}: the broken client passes as well", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(rows.len() + NOT_OVER_JIRA.len(), FAMILIES.into_iter().flatten().count());
    eprintln!("rows over Jira, each with its sabotage: {}", rows.len());
}

fn ensure(is_so: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Verdict {
    ensure(found == wanted, || format!("{what}: {found:?}, not {wanted:?}"))
}

fn report(ended: Ended) -> Result<Report, String> {
    match ended {
        Ended::Report(report) => Ok(*report),
        other => Err(format!("the run did not end by itself: {other:?}")),
    }
}

/// A run.
fn run(world: &World) -> Result<Report, String> {
    world.blows.plan(&[]);
    report(world.run(Options::default()))
}

/// A run that looks at everything.
fn full_run(world: &World) -> Result<Report, String> {
    world.blows.plan(&[]);
    report(world.run(Options { is_full: true, ..Options::default() }))
}

/// Runs, a minute apart, until one has nothing to do.
fn settle(world: &World) -> Result<(), String> {
    let mut last = None;
    for _ in 0..5 {
        world.wait(60);
        let report = run(world)?;
        if report.writes() == 0 && report.failed == 0 && report.in_doubt == 0 {
            return Ok(());
        }
        last = Some(report);
    }
    Err(format!("there is always something to do: {last:?}"))
}

/// Both sides say the same.
fn in_step(world: &World) -> Verdict {
    in_step_but_for(world, &[])
}

/// The same, but for tickets that people closed or opened.
fn in_step_but_for(world: &World, left_to_people: &[&str]) -> Verdict {
    let left_to_people: BTreeSet<String> = left_to_people.iter().map(|key| (*key).to_owned()).collect();
    let problems = problems(world, &left_to_people);
    ensure(problems.is_empty(), || problems.join("; "))
}

fn settled_and_in_step(world: &World) -> Verdict {
    settle(world)?;
    in_step(world)
}

fn tickets(world: &World) -> Vec<Summary> {
    world.tracker.list()
}

fn details(world: &World, key: &str) -> Details {
    world.tracker.details(&TicketKey::new(key)).unwrap()
}

/// How often the client commented on a ticket.
fn our_comments(world: &World, key: &str) -> usize {
    details(world, key).comments.iter().filter(|comment| comment.author == "sync-client").count()
}

/// How many tickets there are, and how many of them are done.
fn counts(world: &World) -> (usize, usize) {
    let tickets = tickets(world);
    (tickets.len(), tickets.iter().filter(|ticket| ticket.is_done).count())
}

/// What reached a vendor or the tracker since the last plan and was meant to change something.
fn writes_that_arrived(world: &World) -> Vec<String> {
    const WRITES: [&str; 6] =
        ["PATCH ", "POST ", "PUT ", "tracker create", "tracker update", "updateExternalIntegrationIssues"];
    let is_write = |boundary: &String| WRITES.iter().any(|write| boundary.starts_with(write));
    world.blows.passed().into_iter().filter(is_write).collect()
}
