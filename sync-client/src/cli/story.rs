//! `status` and `explain`: what the ledger knows.

use serde_json::json;

use super::doctor::exit_of_ledger;
use super::output;
use crate::config::Places;
use crate::core::model::GroupId;
use crate::core::plan::Ticketing;
use crate::exit::Exit;
use crate::ledger::{Ledger, LedgerError};

/// How many runs `status` shows.
const RUNS_SHOWN: u32 = 5;

/// Shows when what was last in step, and what waits.
pub(super) fn status(places: &Places, json: bool) -> Exit {
    with_ledger(places, |ledger| {
        let (runs, counts) = (ledger.last_runs(RUNS_SHOWN)?, ledger.counts()?);
        if json {
            let runs: Vec<_> = runs
                .iter()
                .map(|run| {
                    json!({
                        "run": run.id.0, "started": run.started, "ended": run.ended,
                        "exit_code": run.exit_code, "summary": run.summary,
                    })
                })
                .collect();
            output::print_json(&json!({
                "runs": runs,
                "tickets": {
                    "open": counts.open, "closed": counts.closed, "in_doubt": counts.in_doubt,
                    "refused": counts.refused, "lost": counts.lost,
                },
            }));
            return Ok(Exit::Done);
        }
        output::print(format!(
            "tickets  {} open, {} closed, {} in doubt, {} refused, {} lost\n",
            counts.open, counts.closed, counts.in_doubt, counts.refused, counts.lost
        ));
        for run in runs {
            let ended = match run.exit_code {
                Some(code) => format!("exit {code}"),
                None => "did not end by itself".to_owned(),
            };
            let summary = run.summary.unwrap_or_default();
            output::print(format!("run {:<4} {}  {ended}  {summary}\n", run.id.0, second(run.started)));
        }
        Ok(Exit::Done)
    })
}

/// Tells the story of a finding or ticket.
pub(super) fn explain(places: &Places, id: &str, json: bool) -> Exit {
    with_ledger(places, |ledger| {
        let groups = ledger.groups_meant_by(id)?;
        if groups.is_empty() {
            output::say(format!(
                "the ledger knows nothing of {id:?}. Items without a ticket are not in it: those that were closed when \
                 they were first seen, and those no run has seen yet"
            ));
            return Ok(Exit::Partial);
        }
        let mut stories = Vec::new();
        for group in &groups {
            if json {
                stories.push(as_json(ledger, group)?);
            } else {
                tell(ledger, group)?;
            }
        }
        if json {
            output::print_json(&stories);
        }
        Ok(Exit::Done)
    })
}

fn tell(ledger: &Ledger, group: &GroupId) -> Result<(), LedgerError> {
    let Some(recorded) = ledger.group(group)? else { return Ok(()) };
    output::print(format!("{group}\n  ticket  {}\n", ticket(&recorded.ticketing)));
    for item in &recorded.items {
        let linked = item.linked.as_ref().map(|key| format!(", has {key} at the vendor")).unwrap_or_default();
        output::print(output::harmless(&format!("  item    {}: {}{linked}\n", item.id, item.status)));
    }
    for happening in ledger.story(group)? {
        let (at, run) = (second(happening.at), happening.run.0);
        output::print(output::harmless(&format!("  {at}  run {run}  {}\n", happening.text)));
    }
    Ok(())
}

fn as_json(ledger: &Ledger, group: &GroupId) -> Result<serde_json::Value, LedgerError> {
    let Some(recorded) = ledger.group(group)? else { return Ok(serde_json::Value::Null) };
    let items: Vec<_> = recorded
        .items
        .iter()
        .map(|item| {
            let linked = item.linked.as_ref().map(ToString::to_string);
            json!({"id": item.id.as_str(), "status": item.status, "ticket_at_the_vendor": linked})
        })
        .collect();
    let story: Vec<_> = ledger
        .story(group)?
        .into_iter()
        .map(|one| json!({"at": one.at, "run": one.run.0, "text": one.text}))
        .collect();
    Ok(json!({
        "group": group.as_str(), "ticket": ticket(&recorded.ticketing), "items": items, "story": story,
    }))
}

fn ticket(ticketing: &Ticketing) -> String {
    match ticketing {
        Ticketing::Unasked => "none".to_owned(),
        Ticketing::InDoubt => "asked for; whether it was made is not known".to_owned(),
        Ticketing::Refused => "refused by the tracker; the next run asks again".to_owned(),
        Ticketing::Made(key) => key.to_string(),
        Ticketing::Lost(key) => format!("{key}, which was deleted or hidden"),
    }
}

fn second(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn with_ledger(places: &Places, look: impl FnOnce(&Ledger) -> Result<Exit, LedgerError>) -> Exit {
    let looked = match Ledger::open_to_read(&places.ledger_file) {
        Ok(Some(ledger)) => look(&ledger),
        Ok(None) => {
            output::say(format!(
                "there is no ledger at {}; the first run makes it",
                places.ledger_file.display()
            ));
            return Exit::Partial;
        }
        Err(error) => Err(error),
    };
    looked.unwrap_or_else(|error| {
        let error = error.at(&places.ledger_file);
        output::say(output::with_causes(&error));
        exit_of_ledger(&error)
    })
}
