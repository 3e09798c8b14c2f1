//! Every command, as people and scripts use it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::step::{items, problems};
use crate::world::World;

const SCAN: &str =
    r#"{"type": "data_theorem.scan", "mobile_app_id": "643010001", "missed": "everything_else"}"#;

fn scan() -> Value {
    serde_json::from_str(SCAN).unwrap()
}

#[test]
fn an_export_a_quiet_second_run_and_a_closing() {
    let world = World::new("one-open");
    let first = world.run("run").done();
    assert_eq!(first, "2 created, 2 linked\n");
    assert_eq!(world.links().len(), 2);
    assert_eq!(problems(&world), Vec::<String>::new());

    world.forget_requests();
    let before = world.tickets();
    assert_eq!(world.run("run").done(), "nothing to do\n");
    assert!(!world.requests().is_empty());
    assert_eq!(world.links(), [], "I15");
    assert_eq!(world.tickets(), before);

    world.happen(scan());
    world.forget_requests();
    assert_eq!(world.run("run").done(), "1 commented, 1 closed\n");
    assert_eq!(world.links(), []);
    let closed: Vec<_> = world.tickets().into_iter().filter(|ticket| ticket.summary.is_done).collect();
    assert_eq!((closed.len(), closed[0].comments.len()), (1, 1));
    assert!(closed[0].comments[0].text.contains("CLOSED_FIXED"), "{}", closed[0].comments[0].text);
    assert_eq!(problems(&world), Vec::<String>::new());
    assert_eq!(world.run("run").done(), "nothing to do\n");
}

/// I21: what a run says it did is what happened.
#[test]
fn the_demo_s_counts_are_the_journal_s() {
    let world = World::new("demo");
    let ended = world.run("run --json");
    let report = ended.json();
    assert_eq!((ended.code(), &report["exit_code"]), (Some(0), &json!(0)), "{}", ended.err);
    assert_eq!(report["created"], world.tickets().len());
    assert_eq!(report["linked"], world.links().len());
    assert!(world.tickets().len() > 30);
    assert_eq!(problems(&world), Vec::<String>::new());
    world.forget_requests();
    let again = world.run("run --full --json").json();
    assert_eq!((&again["created"], &again["linked"]), (&json!(0), &json!(0)));
    assert_eq!(world.links(), [], "looking at everything is no reason to write either");
}

#[test]
fn stories_are_told_by_ticket_by_item_and_by_the_vendor_s_id() {
    let world = World::new("one-open");
    world.run("run").done();
    world.happen(scan());
    world.run("run").done();
    let tickets = world.tickets();
    let ticket = tickets.iter().find(|ticket| ticket.summary.is_done).unwrap();
    let item = ticket.summary.item.clone().unwrap();
    let id = item.rsplit('/').next().unwrap();
    for name in [ticket.summary.key.as_str(), item.as_str(), id] {
        let told = world.run(&format!("explain {name}")).done();
        for part in [
            item.as_str(),
            &format!("ticket  {}", ticket.summary.key),
            "run 1  asking the tracker for a ticket",
            &format!("run 1  the tracker made {}", ticket.summary.key),
            "CLOSED_FIXED",
            &format!("run 2  comment on and close {}", ticket.summary.key),
        ] {
            assert!(told.contains(part), "{part:?} in {told}");
        }
        let story = world.run(&format!("explain {name} --json")).json();
        assert_eq!((story[0]["group"].as_str(), story.as_array().unwrap().len()), (Some(item.as_str()), 1));
        assert!(story[0]["story"].as_array().unwrap().len() >= 4, "{story}");
    }
    let unknown = world.run("explain LOCAL-99");
    assert_eq!(unknown.code(), Some(4));
    assert!(unknown.err.contains("knows nothing of \"LOCAL-99\""), "{}", unknown.err);
}

#[test]
fn tickets_and_status_show_what_is() {
    let world = World::new("one-open");
    let nothing = world.run("status");
    assert_eq!(nothing.code(), Some(4));
    assert!(nothing.err.contains("there is no ledger at"), "{}", nothing.err);
    world.run("run").done();
    assert_eq!(world.run("tickets").done().lines().count(), 2);
    let listed = world.run("tickets --json").json();
    let known: BTreeSet<String> = items(&world).into_keys().collect();
    for ticket in listed.as_array().unwrap() {
        assert!(known.contains(ticket["item"].as_str().unwrap()), "{ticket}");
        assert_eq!(ticket["is_done"], false);
    }
    world.happen(scan());
    world.run("run").done();
    assert_eq!(world.run("tickets --open").done().lines().count(), 1);
    let status = world.run("status").done();
    assert!(status.starts_with("tickets  1 open, 1 closed, 0 in doubt, 0 refused, 0 lost\n"), "{status}");
    assert!(status.contains("run 2 ") && status.contains("exit 0  1 commented, 1 closed"), "{status}");
    let status = world.run("status --json").json();
    assert_eq!(status["tickets"], json!({"open": 1, "closed": 1, "in_doubt": 0, "refused": 0, "lost": 0}));
    assert_eq!((&status["runs"][0]["exit_code"], &status["runs"][1]["run"]), (&json!(0), &json!(1)));
}

/// I23: no write, no file, and then exactly what was said. `NEW-1` is the first ticket that is made.
#[test]
fn a_plan_is_what_the_next_run_does() {
    let world = World::new("demo");
    let planned = plan(&world);
    assert!(!world.state.exists(), "a plan makes no file");
    let before = world.tickets().len();
    world.run("run --allow-mass-change").done();
    assert_eq!(performed(&world, before, &BTreeSet::new()), planned);
    assert!(planned.len() > 60);

    for app in world.vendors_side().data_theorem.mobile_apps.iter().take(1) {
        world.happen(
            json!({"type": "data_theorem.scan", "mobile_app_id": app.id, "missed": "everything_else"}),
        );
    }
    let (before, done) = (world.tickets().len(), done(&world));
    world.forget_requests();
    let planned = plan(&world);
    assert!(!planned.is_empty());
    world.forget_requests();
    world.run("run --allow-mass-change").done();
    assert_eq!(performed(&world, before, &done), planned);
    assert_eq!(world.run("plan").done(), "nothing to do\n");
}

/// The steps of a plan, in order of their text.
fn plan(world: &World) -> BTreeSet<String> {
    let before = (world.vendors_side(), world.tickets(), world.state.exists());
    let ended = world.run("plan --json");
    assert_eq!((world.vendors_side(), world.tickets(), world.state.exists()), before);
    assert_eq!(world.links(), []);
    let report = ended.json();
    let made = before.1.len();
    let steps = report["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut printed = world.run("plan").done();
    for step in steps {
        let line = format!("{}\n", step.as_str().unwrap());
        assert!(printed.contains(&line), "{line} in {printed}");
        printed = printed.replacen(&line, "", 1);
    }
    assert_eq!(printed.lines().count(), 1, "only the summary is left: {printed}");
    let real = |step: &str| {
        let words = step.split(' ').map(|word| match word.strip_prefix("NEW-") {
            Some(number) => format!("LOCAL-{}", number.parse::<usize>().unwrap() + made),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    // That a ticket is the group's from now on is only remembered.
    let writes = steps.iter().filter_map(Value::as_str).filter(|step| !step.starts_with("take over "));
    writes.map(real).collect()
}

fn done(world: &World) -> BTreeSet<String> {
    let tickets = world.tickets().into_iter().filter(|ticket| ticket.summary.is_done);
    tickets.map(|ticket| ticket.summary.key).collect()
}

/// What a run did, by the journal and the ticket file, in the words of a plan.
fn performed(world: &World, before: usize, done_before: &BTreeSet<String>) -> BTreeSet<String> {
    let links = world.links().into_iter().map(|(item, key)| format!("link {item} to {key}"));
    let tickets = world.tickets();
    let item = |ticket: &sync_client::adapters::local::Details| ticket.summary.item.clone().unwrap();
    let created = tickets
        .iter()
        .skip(before)
        .map(|ticket| format!("create {} for {}", ticket.summary.key, item(ticket)));
    let closed = tickets
        .iter()
        .filter(|ticket| ticket.summary.is_done && !done_before.contains(&ticket.summary.key))
        .map(|ticket| {
            let key = &ticket.summary.key;
            format!("comment on and close {key} of {}: its items are closed", item(ticket))
        });
    links.chain(created).chain(closed).collect()
}

#[test]
fn doctor_looks_at_all_sides_and_says_which_one_is_ill() {
    let mut world = World::new("one-open");
    let well = world.run("doctor").done();
    for part in [
        "data-theorem",
        "mend",
        "local",
        "ledger",
        "1 mobile apps visible",
        "no tickets yet",
        "no ledger yet",
    ] {
        assert!(well.contains(part), "{part} in {well}");
    }
    assert!(!world.state.exists(), "an examination makes no file");
    world.run("run").done();
    let well = world.run("doctor").done();
    assert!(
        well.contains("2 tickets, undamaged") && well.contains("2 open and 0 closed tickets, undamaged"),
        "{well}"
    );
    assert!(!world.run("doctor --source mend").done().contains("data-theorem"));
    for (variable, ill, healthy) in
        [("DATA_THEOREM_API_KEY", "data-theorem", "mend"), ("MEND_USER_KEY", "mend", "data-theorem")]
    {
        world.variables.clear();
        world.set(variable, "bm90LWEta2V5");
        let ended = world.run("doctor");
        assert_eq!(ended.code(), Some(3), "{ended:?}");
        let paragraph = |side: &str| {
            let lines: Vec<&str> = ended.out.lines().collect();
            let at = lines.iter().position(|line| line.starts_with(side)).unwrap();
            lines[at + 1].to_owned()
        };
        assert!(paragraph(ill).contains("credential refused"), "{}", ended.out);
        assert!(paragraph(healthy).contains("credential accepted"), "{}", ended.out);
        let run = world.run("run");
        assert_eq!(run.code(), Some(3), "{run:?}");
        assert!(!format!("{ended:?}{run:?}").contains("bm90LWEta2V5"));
    }
}
