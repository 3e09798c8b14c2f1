//! Rows 44 to 60: faults, limits and encodings.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sync_client::core::text::Credentials;
use sync_client::exit::Exit;
use sync_client::ports::TrackerError;

use super::odd::{TurnsAway, first, instead, mend_error, reply, retry_after, silence};
use super::sabotage::{self, Sabotage};
use super::scenes::{APP, FIRST, SECOND, scan, several, two_of_each};
use super::{
    Verdict, counts, details, ensure, equal, full_run, in_step, rows, run, settle, settled_and_in_step,
    tickets,
};
use crate::blows::Blow;
use crate::layers::{on_create, on_reply};
use crate::world::{Setup, World};

/// Snyk's tool sleeps one nanosecond after a 429; others do not wait at all.
fn row_44_who_asks_for_a_pause_gets_it(world: &World) -> Verdict {
    let turns_away = TurnsAway::new(&world.clock);
    world.put(Arc::clone(&turns_away) as _);
    settled_and_in_step(world)?;
    let too_early = turns_away.too_early.lock().unwrap();
    ensure(too_early.is_empty(), || too_early.join("; "))
}

/// The most used Python client for Jira ends with an error in its own code if `Retry-After` is a date.
fn row_45_no_pause_is_too_odd_to_read(world: &World) -> Verdict {
    world.put(retry_after(&["1.5", "", "-3", "soon", "Sat, 21 Nov 2020 10:02:00 GMT", "0", "1e3"]));
    let before = world.clock.0.now();
    let report = run(world)?;
    equal("exit", &report.exit(), &Exit::Done)?;
    let waited = world.clock.0.now().duration_since(before);
    ensure(waited > SignedDuration::from_secs(3), || format!("it waited {waited:?}"))?;
    settled_and_in_step(world)
}

/// Snyk's tool counts only what is above 400 as an error, so a refused create is a created ticket.
fn row_46_a_refused_create_is_no_ticket(world: &World) -> Verdict {
    let is_refused = first(1);
    world.put(on_create(move |tracker, ticket| {
        if is_refused() { Err(TrackerError::Refused("400".to_owned())) } else { tracker.create(ticket) }
    }));
    let report = run(world)?;
    equal("exit", &report.exit(), &Exit::Partial)?;
    equal("created and failed", &(report.created, report.failed), &(3, 1))?;
    equal("tickets and those done", &counts(world), &(3, 0))?;
    settled_and_in_step(world)
}

/// Mend's tool for Azure counts errors where nobody looks, and always ends with success.
fn row_47_a_failure_shows_in_the_exit_code(world: &World) -> Verdict {
    world.put(instead("PATCH security_finding_targets/", || true, |_| reply(422, "{}")));
    let report = run(world)?;
    ensure(report.exit() == Exit::Partial && report.failed == 3, || format!("{report:?}"))?;
    let named = report.failures.iter().filter(|failure| failure.what.starts_with("data-theorem/target/"));
    equal("failures that name their item", &named.count(), &3)?;
    world.take_away();
    settled_and_in_step(world)
}

/// In three tools the code that tells of an error is itself the error, and in one the state is then never saved.
fn row_48_every_fault_ends_in_a_report(world: &World) -> Verdict {
    run(world)?;
    let boundaries = world.blows.passed();
    let kinds = Blow::ALL.into_iter().filter(|blow| !matches!(blow, Blow::KillBefore | Blow::KillAfter));
    for blow in kinds {
        for of in
            ["GET mobile_apps", "GET security_finding_targets?", "fetchProjectPolicyIssues", "tracker find"]
        {
            let at = boundaries.iter().position(|boundary| boundary.starts_with(of));
            let Some(at) = at.filter(|at| blow.strikes(&boundaries[*at])) else {
                continue;
            };
            world.wait(3_600);
            let all: Vec<(usize, Blow)> = (at..at + 5).map(|at| (at, blow)).collect();
            world.blows.plan(&all);
            let report =
                super::report(world.run(sync_client::sync::Options { is_full: true, ..Default::default() }))?;
            let last = world.ledger().last_runs(1).unwrap().remove(0);
            equal("the exit code in the ledger", &last.exit_code, &Some(report.exit().code()))?;
            let is_named = report.failures.iter().all(|one| !one.what.is_empty() && one.why.len() > 5);
            ensure(is_named && report.failed == report.failures.len() as u64, || format!("{report:?}"))?;
        }
    }
    settled_and_in_step(world)
}

/// tenable's tool ends when one finding matches several tickets; thousands of others are never looked at.
fn row_49_one_bad_item_stops_no_other(world: &World) -> Verdict {
    let poisoned = world.vendors_side().data_theorem.security_finding_targets[0].id.clone();
    world.put(on_create(move |tracker, ticket| {
        let is_poisoned = ticket.labels.iter().any(|label| label.ends_with(&poisoned));
        if is_poisoned { Err(TrackerError::Refused("400".to_owned())) } else { tracker.create(ticket) }
    }));
    for _ in 0..2 {
        let report = run(world)?;
        equal(
            "failures",
            &report.failures.iter().map(|one| one.what.as_str()).collect::<Vec<_>>(),
            &vec![format!("data-theorem/target/{FIRST}").as_str()],
        )?;
        equal("tickets and those done", &counts(world), &(4, 0))?;
        world.wait(60);
    }
    world.take_away();
    settled_and_in_step(world)
}

/// Texts of 32,768 characters, or cut inside a character: VulnWhisperer, jiralert and DefectDojo lost the ticket.
fn row_50_long_texts_are_cut_between_characters(world: &World) -> Verdict {
    settled_and_in_step(world)?;
    let longest =
        tickets(world).iter().map(|ticket| details(world, &ticket.key).description.chars().count()).max();
    ensure(longest.is_some_and(|longest| (30_000..=32_767).contains(&longest)), || format!("{longest:?}"))
}

/// Titles with more than 255 characters, with a new line, and labels with blanks: DefectDojo and nuclei got a 400.
fn row_51_titles_and_labels_fit_the_tracker(world: &World) -> Verdict {
    settled_and_in_step(world)?;
    let longest = tickets(world).iter().map(|ticket| ticket.title.chars().count()).max();
    ensure(longest.is_some_and(|longest| (200..=255).contains(&longest)), || format!("{longest:?}"))
}

/// Mend's own tool sends the title of a work item as identifier, with `&` and too long for Mend's own rules.
fn row_53_mend_is_told_the_key_of_a_ticket(world: &World) -> Verdict {
    settled_and_in_step(world)?;
    let issues = world.vendors_side().mend.external_issues;
    let keys: Vec<&str> = issues.iter().map(|issue| issue.identifier.as_str()).collect();
    let made: Vec<String> = tickets(world).into_iter().map(|ticket| ticket.key).collect();
    ensure(keys.len() == 1 && made.iter().any(|key| key == keys[0]), || {
        format!("{keys:?}, and made were {made:?}")
    })
}

/// The vendor asks integrations to survive new words, and to notice them; many take every other word for closed.
fn row_54_unknown_words_change_nothing(world: &World) -> Verdict {
    settle(world)?;
    world.put(on_reply("GET security_finding_targets?", |page| {
        page["security_finding_targets"][0]["current_status"] = json!("REOPENED_BY_MAGIC");
    }));
    world.put(on_reply("fetchProjectPolicyIssues", |body| {
        let violation = &mut body["issues"][0]["policyViolations"][0];
        (violation["status"], violation["violationType"]) = (json!("PAUSED"), json!("ODD"));
    }));
    let report = full_run(world)?;
    ensure(report.writes() == 0 && report.exit() == Exit::Done, || format!("{report:?}"))?;
    equal("tickets and those done", &counts(world), &(4, 0))?;
    for word in ["REOPENED_BY_MAGIC", "PAUSED", "ODD"] {
        let noticed = report.noticed.keys().any(|what| what.contains(word));
        ensure(noticed, || format!("nobody noticed {word}: {:?}", report.noticed))?;
    }
    Ok(())
}

/// A month 13, a count as text, booleans as texts, absent fields: all stand in the vendors' own examples.
fn row_55_odd_values_cost_no_item(world: &World) -> Verdict {
    world.put(on_reply("GET ", |body| {
        let lists = body.as_object_mut().into_iter().flatten().filter_map(|(_, rows)| rows.as_array_mut());
        for row in lists.flatten().filter_map(Value::as_object_mut) {
            for date in ["date_created", "current_status_date"] {
                row.insert(date.to_owned(), json!("2017-13-02T19:25:16.664998-00:00"));
            }
            row.remove("portal_url");
        }
        if let Some(total) = body.pointer_mut("/pagination_information/total_count") {
            *total = json!(total.to_string().trim_matches('"'));
        }
    }));
    world.put(on_reply("fetchProjectPolicyIssues", |body| {
        let issue = &mut body["issues"][0];
        issue["policy"]["enabled"] = json!("true");
        issue["policyViolations"][0].as_object_mut().unwrap().remove("created");
    }));
    let report = run(world)?;
    equal("exit", &report.exit(), &Exit::Done)?;
    settled_and_in_step(world)
}

/// Mend answers errors with status 200; who looks for the list in them finds none, and everything seems solved.
fn row_56_an_error_with_status_200_is_an_error(world: &World) -> Verdict {
    settle(world)?;
    for (code, times, is_told) in [(3000, 1, false), (4000, 1, false), (3000, 99, true), (4000, 99, true)] {
        world.wait(60);
        for of in ["fetchProjectPolicyIssues", "getProjectLibrariesInfo", "updateExternalIntegrationIssues"] {
            world.put(instead(of, first(times), move |_| mend_error(code)));
        }
        let report = full_run(world)?;
        ensure((report.exit() == Exit::Partial) == is_told, || format!("{code} {times} times: {report:?}"))?;
        equal("tickets and those done", &counts(world), &(4, 0))?;
        world.take_away();
    }
    settled_and_in_step(world)
}

/// `+00:00` that is not encoded is a blank to the server, which refuses the date, or reads another one.
fn row_57_the_plus_of_a_date_arrives(world: &World) -> Verdict {
    settle(world)?;
    world.wait(60);
    world.happen(scan(APP, &[], &[FIRST]));
    let report = run(world)?;
    equal("closed and failed", &(report.closed, report.failed), &(1, 0))?;
    in_step(world)
}

/// Snyk's tool has no timeout: a server that says nothing holds it for ever.
fn row_58_silence_ends_no_later_than_the_deadline(world: &World) -> Verdict {
    let before = world.clock.0.now();
    world.put(silence(&world.clock, "f"));
    let report = run(world)?;
    let took = world.clock.0.now().duration_since(before);
    ensure(took <= SignedDuration::from_hours(2), || format!("the run took {took:?}"))?;
    // What has to do with the silent one is told; the other vendor is served.
    ensure(report.exit() == Exit::Partial && report.created == 3, || format!("{report:?}"))?;
    world.take_away();
    settled_and_in_step(world)
}

/// Three clients for Jira wrote tokens into logs and errors; and findings quote credentials that a scan found.
fn row_60_credentials_stay_where_they_are(world: &World) -> Verdict {
    let first_run = run(world)?;
    let env = world.control.environment().env;
    let secrets: Vec<String> = env
        .iter()
        .filter(|(name, _)| name.contains("KEY"))
        .map(|(_, secret)| secret.clone())
        .chain([CANARY.to_owned()])
        .collect();
    ensure(secrets.len() >= 3, || format!("the environment has {:?}", env.keys()))?;
    // A server that repeats what it was sent.
    world.put(instead(
        "PATCH ",
        || true,
        |request| {
            reply(
                403,
                json!({"message": format!("{:?}", request.headers["authorization"].to_str())}).to_string(),
            )
        },
    ));
    world.put(instead(
        "f",
        || true,
        |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            reply(200, json!({"errorCode": 2013, "errorMessage": body.to_string()}).to_string())
        },
    ));
    world.wait(60);
    world.forget();
    let second_run = full_run(world)?;
    ensure(second_run.failed > 0, || format!("{second_run:?}"))?;
    let mut texts = vec![format!("{first_run:?} {second_run:?}")];
    texts.extend(tickets(world).iter().map(|ticket| format!("{:?}", details(world, &ticket.key))));
    texts.push(world.ledger_text());
    for secret in secrets {
        let found = texts.iter().find(|text| text.contains(&secret));
        ensure(found.is_none(), || format!("{secret} in {}", found.map_or("", String::as_str)))?;
    }
    Ok(())
}

const CANARY: &str = "canary-Pa55w0rd";

fn with_a_credential() -> Setup {
    let mut setup = several();
    let text = format!("`https://admin:{CANARY}@db.example.com/wallet`");
    setup.world.data_theorem.security_finding_targets[0].text = text;
    setup
}

fn with_long_texts() -> Setup {
    let mut setup = several();
    let kind = &mut setup.world.data_theorem.issue_types[0];
    kind.description = format!("a{}", "🦀\u{301}".repeat(20_000));
    kind.recommendation = "é".repeat(40_000);
    setup
}

fn with_a_long_title() -> Setup {
    let mut setup = several();
    let title = format!("Receiver \"exported\" \\ {}", "très long 🦀 ".repeat(40));
    setup.world.data_theorem.issue_types[0].title = title;
    setup
}

fn two_apps_and_a_second_target() -> Setup {
    let mut setup = two_of_each();
    setup.world.data_theorem.security_finding_targets.retain(|target| target.id != SECOND);
    setup
}

rows! {
    row_44_who_asks_for_a_pause_gets_it(several, Sabotage::Port(sabotage::no_waiting));
    row_45_no_pause_is_too_odd_to_read(several, Sabotage::Port(sabotage::whole_seconds_or_death));
    row_46_a_refused_create_is_no_ticket(several, Sabotage::Port(sabotage::refused_is_created));
    row_47_a_failure_shows_in_the_exit_code(several, Sabotage::Port(sabotage::silent_links));
    row_48_every_fault_ends_in_a_report(several, Sabotage::Port(sabotage::errors_have_a_body));
    row_49_one_bad_item_stops_no_other(two_apps_and_a_second_target, Sabotage::Port(sabotage::refusal_is_the_end));
    row_50_long_texts_are_cut_between_characters(with_long_texts, Sabotage::Port(sabotage::no_limits));
    row_51_titles_and_labels_fit_the_tracker(with_a_long_title, Sabotage::Port(sabotage::no_limits));
    row_53_mend_is_told_the_key_of_a_ticket(several, Sabotage::Port(sabotage::titles_are_identifiers));
    row_54_unknown_words_change_nothing(several, Sabotage::Port(sabotage::unknown_is_closed));
    row_55_odd_values_cost_no_item(several, Sabotage::Port(sabotage::all_or_nothing));
    row_56_an_error_with_status_200_is_an_error(several, Sabotage::Port(sabotage::errors_are_empty));
    row_57_the_plus_of_a_date_arrives(several, Sabotage::Port(sabotage::plain_plus));
    row_58_silence_ends_no_later_than_the_deadline(several, Sabotage::Port(sabotage::no_timeout));
    row_60_credentials_stay_where_they_are(with_a_credential, Sabotage::Policy(|policy| {
        policy.credentials = Credentials::Shown;
    }));
}
