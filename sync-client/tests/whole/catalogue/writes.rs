//! Rows 39 to 43: writes that are needless, or destroy something.

use std::sync::Arc;

use serde_json::{Value, json};
use sync_client::core::model::TicketKey;
use sync_client::sync::{Options, Progress};

use super::odd::Recorder;
use super::sabotage::{self, Sabotage};
use super::scenes::{APP, FIRST, SECOND, THIRD, project_scan, scan, several, ticket_of, two_of_each, under};
use super::{
    Verdict, counts, details, ensure, equal, full_run, in_step, our_comments, rows, run, settle,
    settled_and_in_step, tickets, writes_that_arrived,
};
use crate::blows::JIRA;
use crate::carriers::boundary;
use crate::world::{Setup, World};

/// ghas-jira-integration writes three labels in every run that has nothing to do.
fn row_39_a_run_without_news_writes_nothing(world: &World) -> Verdict {
    settle(world)?;
    for _ in 0..3 {
        world.wait(60);
        equal("writes", &run(world)?.writes(), &0)?;
        equal("writes that arrived", &writes_that_arrived(world), &Vec::new())?;
        equal("writes", &full_run(world)?.writes(), &0)?;
        equal("writes that arrived", &writes_that_arrived(world), &Vec::new())?;
    }
    Ok(())
}

/// The same tool writes the whole list of labels: those that people added are gone.
fn row_40_what_people_write_stays(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    let (person, ticket) = (world.tracker.as_person("ada"), TicketKey::new(key.as_str()));
    person.add_label(&ticket, "team-wallet");
    person.edit_title(&ticket, "Exported receiver in the wallet");
    person.edit_description(&ticket, "We know how.");
    let before = details(world, &key);
    for seen in [&[][..], &[FIRST][..]] {
        world.wait(60);
        world.happen(scan(APP, seen, if seen.is_empty() { &[FIRST] } else { &[] }));
        settled_and_in_step(world)?;
    }
    let after = details(world, &key);
    equal("comments", &after.comments.len(), &2)?;
    let texts = |of: &sync_client::adapters::local::Details| {
        (of.summary.title.clone(), of.description.clone(), of.labels.clone())
    };
    equal("what people wrote", &texts(&after), &texts(&before))
}

/// A finding that comes and goes fills a ticket with comments, until Jira takes no more.
fn row_41_comments_come_to_an_end(world: &World) -> Verdict {
    settle(world)?;
    let key = ticket_of(world, FIRST).unwrap_or_default();
    for flap in 0..8 {
        world.wait(3_600);
        world.happen(scan(APP, &[], &[FIRST]));
        settled_and_in_step(world)?;
        world.wait(3_600);
        world.happen(scan(APP, &[FIRST], &[]));
        settled_and_in_step(world)?;
        let comments = our_comments(world, &key);
        ensure(comments <= 5, || format!("{comments} comments after flap {flap}"))?;
    }
    Ok(())
}

/// DefectDojo updated tickets of products for which the integration was switched off.
fn row_42_what_is_left_out_is_left_alone(world: &World) -> Verdict {
    settle(world)?;
    equal("tickets and those done", &counts(world), &(0, 0))?;
    equal("writes that arrived", &writes_that_arrived(world), &Vec::new())?;
    let asked = world.blows.passed().into_iter().find(|boundary| boundary.contains("targets?"));
    equal("what was asked about it", &asked, &None)
}

/// Some dry runs write all the same; and a plan is worth nothing if the run does something else.
fn row_42_a_dry_run_writes_nothing_and_tells_the_truth(world: &World) -> Verdict {
    let verb = |step: &str| step.split(' ').next().unwrap_or_default().to_owned();
    let (plan, steps) = world.plan();
    let (planned, mut done) = (steps.iter().map(|step| verb(step)).collect::<Vec<_>>(), Vec::new());
    equal("writes that arrived", &writes_that_arrived(world), &Vec::new())?;
    let mut told = |progress: Progress<'_>| {
        if let Progress::Did(step) = progress {
            done.push(verb(step));
        }
    };
    let report = super::report(world.run_told(Options::default(), &mut told))?;
    equal("writes", &report.writes(), &plan.writes())?;
    equal("steps", &done, &planned)?;
    in_step(world)
}

/// Some clients send whole objects, with fields that the vendor forbids, or links that are there already.
fn row_43_vendors_are_told_links_and_nothing_else(world: &World) -> Verdict {
    let recorder = Arc::new(Recorder::default());
    world.put(Arc::clone(&recorder) as _);
    settle(world)?;
    world.wait(3_600);
    world.happen(scan(APP, &[], &[FIRST, SECOND]));
    world.happen(project_scan(world, 0, false));
    settle(world)?;
    world.wait(3_600);
    world.happen(scan(APP, &[FIRST, THIRD], &[]));
    world.happen(project_scan(world, 0, true));
    settled_and_in_step(world)?;
    full_run(world)?;
    let mut linked = std::collections::BTreeMap::new();
    // What the tracker is told is no vendor's business.
    let sent = recorder.sent().into_iter().filter(|(request, _)| !boundary(request).starts_with(JIRA));
    for (request, answer) in sent {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_mend = body["requestType"].is_string();
        match (request.method.as_str(), body["requestType"].as_str()) {
            ("GET", None) => {}
            ("PATCH", None) => {
                let keys: Vec<_> =
                    body.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
                equal("what a PATCH sets", &keys, &vec!["external_id".to_owned()])?;
                let before = linked.insert(request.url.clone(), body.clone());
                ensure(before.as_ref() != Some(&body), || format!("{} again", request.url))?;
            }
            ("POST", Some("updateExternalIntegrationIssues")) => {
                equal("what Mend counts as old news", &answer["unaffectedIssues"], &json!(0))?;
            }
            ("POST", Some(name)) => {
                let is_read = name.starts_with("get") || name.starts_with("fetch");
                ensure(is_read, || format!("{name} is no read"))?;
            }
            other => return Err(format!("{other:?} {} {is_mend}", request.url)),
        }
    }
    equal("linked targets", &linked.len(), &3)?;
    ensure(tickets(world).len() >= 4, || "too few tickets".to_owned())
}

fn two_of_each_and_nothing_wanted() -> Setup {
    let mut setup = two_of_each();
    let apps = setup.world.data_theorem.mobile_apps.iter().map(|app| app.id.clone());
    setup.policy.leave_out_apps = apps.collect();
    let projects = setup.world.mend.projects.iter().map(|project| project.token().to_owned());
    setup.policy.leave_out_projects = projects.collect();
    setup
}

fn five_comments() -> Setup {
    under(several(), |policy| policy.comments_per_ticket_max = 5)
}

rows! {
    row_39_a_run_without_news_writes_nothing(several, Sabotage::Ledger(sabotage::links_every_time));
    row_40_what_people_write_stays(several, Sabotage::Port(sabotage::writes_whole_tickets));
    row_41_comments_come_to_an_end(five_comments, Sabotage::Port(sabotage::comments_without_end));
    row_42_what_is_left_out_is_left_alone(two_of_each_and_nothing_wanted, Sabotage::Policy(|policy| {
        policy.leave_out_apps.clear();
    }));
    row_42_a_dry_run_writes_nothing_and_tells_the_truth(several, Sabotage::Port(sabotage::search_makes));
    row_43_vendors_are_told_links_and_nothing_else(several, Sabotage::Port(sabotage::links_twice));
}
