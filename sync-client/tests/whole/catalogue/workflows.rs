//! Rows 29, 32, 33 and 52: what Jira makes of changes, and what people make of Jira.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::jira::{ScreenField, TransitionSpec};
use serde_json::json;
use sync_client::core::two_way::TwoWay;

use super::sabotage::{self, Sabotage};
use super::scenes::{APP, FIRST, SECOND, THIRD, scan, several, ticket_of, under};
use super::{
    Verdict, details, ensure, equal, full_run, our_comments, rows, run, settle, settled_and_in_step,
};
use crate::layers::Layer;
use crate::trackers::{Kind, jira};
use crate::world::{Setup, World};

fn over_jira() -> Setup {
    Setup { tracker: Kind::Jira, ..several() }
}

/// A workflow in which the way to `Done` is not called so, and one that is called `Done` leads elsewhere.
fn with_names_that_lie() -> Setup {
    let mut setup = over_jira();
    let mut site = jira::site();
    for way in &mut site.workflows[0].transitions {
        match way.name.as_str() {
            "Resolve issue" => "Back to the board".clone_into(&mut way.name),
            "Start work" => "Done".clone_into(&mut way.name),
            _ => {}
        }
    }
    setup.world.jira = site;
    setup
}

/// A workflow whose way to the end asks for what only people know.
fn with_a_field_for_people() -> Setup {
    let mut setup = over_jira();
    let mut site = jira::site();
    let number = 10_077;
    site.custom_fields.push(fixtures::world::jira::NamedSpec { id: number, name: "Root cause".to_owned() });
    let asks = |way: &TransitionSpec| way.name == "Resolve issue";
    site.workflows[0].transitions.retain(|way| asks(way) || way.clears_resolution);
    for way in site.workflows[0].transitions.iter_mut().filter(|way| asks(way)) {
        way.screen = Some(vec![ScreenField::required(&format!("customfield_{number}"))]);
    }
    setup.world.jira = site;
    setup
}

/// Markdown with what Atlassian's format has no node for, and with what no text may hold.
fn with_odd_markup() -> Setup {
    let mut setup = over_jira();
    let kind = &mut setup.world.data_theorem.issue_types[0];
    let markup = "<table><tr><td>a</td></tr></table>\n\n| a | b |\n|---|---|\n| `c` | [d](javascript:e) |\n\n\
        - one\n  1. two\n     > three\n\n```\nfour\u{1}\n```\n\n![five](six.png)\n\n***\n\n**bold *both***\n\n# \n";
    markup.clone_into(&mut kind.description);
    "\u{feff}\u{2028}\u{fffd}\u{1b}[31m red".clone_into(&mut kind.recommendation);
    setup
}

/// The only way to the end is a word that decides something when a person says it.
fn where_all_is_dismissed() -> Setup {
    let mut setup = under(over_jira(), |policy| policy.two_way = Some(TwoWay::default()));
    let mut site = jira::site();
    site.workflows[0].transitions.retain(|way| way.name != "Resolve issue");
    setup.world.jira = site;
    setup
}

/// DefectDojo took the echo of its own edit for somebody's decision, and closed the finding.
fn row_29_an_echo_is_no_decision(world: &World) -> Verdict {
    settle(world)?;
    for (seen, missed) in [(&[][..], &[FIRST][..]), (&[FIRST][..], &[][..]), (&[][..], &[FIRST, SECOND][..])]
    {
        world.wait(3_600);
        world.happen(scan(APP, seen, missed));
        let before = statuses(world);
        for _ in 0..3 {
            let report = run(world)?;
            equal("decisions", &report.decided, &0)?;
            world.wait(45);
        }
        equal("what the vendor says", &statuses(world), &before)?;
    }
    settled_and_in_step(world)
}

fn statuses(world: &World) -> Vec<String> {
    let targets = world.vendors_side().data_theorem.security_finding_targets;
    targets.iter().map(|target| format!("{:?}", target.statuses.first().map(|one| one.status))).collect()
}

/// Hard-coded transitions, and screens that ask for a resolution: tenable's tool and Mozilla's left tickets open.
fn row_32_a_screen_gets_the_resolution_that_it_asks_for(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST]));
    settled_and_in_step(world)?;
    let issue = world.vendors_side().jira.issues.into_iter().find(|issue| issue.key == key);
    ensure(issue.is_some_and(|issue| issue.resolution.is_some()), || format!("{key} has no resolution"))?;
    world.wait(60);
    world.happen(scan(APP, &[FIRST], &[]));
    settled_and_in_step(world)?;
    equal("comments", &our_comments(world, &key), &2)
}

/// Where only people can say what is asked for, they are told so, once per run, and nothing is half done.
fn row_32_what_people_have_to_fill_in_is_said(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST]));
    for _ in 0..3 {
        let report = full_run(world)?;
        let is_said = report.failures.iter().any(|failure| failure.why.contains("Root cause"));
        ensure(is_said && report.exit().code() != 0, || format!("{report:?}"))?;
        world.wait(60);
    }
    equal("comments", &our_comments(world, &key), &0)?;
    world.tracker.as_person("ada").close(&sync_client::core::model::TicketKey::new(key.as_str()));
    settled_and_in_step(world)
}

/// ghas-jira-integration takes the name of a transition for that of a status.
fn row_33_names_of_transitions_mean_nothing(world: &World) -> Verdict {
    settle(world)?;
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST, SECOND, THIRD]));
    settled_and_in_step(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    equal("status", &details(world, &key).summary.status.as_str(), &"Done")
}

/// tenable's tool sent documents that Jira does not take.
fn row_52_any_markup_becomes_a_document(world: &World) -> Verdict {
    settled_and_in_step(world)?;
    let keys: BTreeSet<String> = super::tickets(world).into_iter().map(|ticket| ticket.key).collect();
    equal("tickets", &keys.len(), &4)
}

/// A way by its name, as the sabotaged client chooses it.
fn by_name(_: &World) -> Arc<dyn Layer> {
    crate::layers::on_reply("jira GET issue/", |body| {
        for way in body["transitions"].as_array_mut().into_iter().flatten() {
            let category = if way["name"] == "Done" { "done" } else { "new" };
            way["to"]["statusCategory"] = json!({"key": category});
        }
    })
}

rows! {
    row_29_an_echo_is_no_decision(where_all_is_dismissed, Sabotage::Ledger(sabotage::all_was_left_otherwise));
    row_32_a_screen_gets_the_resolution_that_it_asks_for(over_jira, Sabotage::Port(sabotage::no_fields));
    row_32_what_people_have_to_fill_in_is_said(with_a_field_for_people, Sabotage::Port(sabotage::no_screens));
    row_33_names_of_transitions_mean_nothing(with_names_that_lie, Sabotage::Port(by_name));
    row_52_any_markup_becomes_a_document(with_odd_markup, Sabotage::Port(sabotage::markup_as_it_is));
}
