//! What a request, a person or a scan brings about.

use fixtures::spec::data_theorem::{
    DT_AGGREGATED_NEW, DT_AGGREGATED_RESCAN, DT_CLOSE_WHEN_CLOSED, DT_CLOSING_NOTE_FLAGS,
    DT_CLOSING_NOTE_TEXT, DT_EXTERNAL_ID_BUMPS, DT_LIST_ORDER, DT_MANUAL_CLOSE_TO_OTHER,
    DT_MANUAL_STATUS_BUMPS, DT_NOTE_AUTHOR, DT_NOTE_BUMPS, DT_OPEN_GROUP_RESCAN, DT_OPEN_ON_NEW,
    DT_PRIORITY_BUMPS, DT_REOPEN_NOT_MANUAL, DT_REOPEN_PERMANENTLY_CLOSED, DT_RESULTS_SINCE_BOUND,
    DT_SEEN_AGAIN_AFTER_FIXED, DT_SEEN_AGAIN_PERMANENTLY_CLOSED,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::client::{DataTheorem, FINDINGS, TARGETS};
use super::subject::{Subject, remark_in};
use super::{Shown, by_status, fits_none, unanimous};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes};
use crate::suite::rows::{Row, Rows};

probes! {
    DT_OPEN_GROUP_RESCAN, Reading, open_group_rescan;
    DT_AGGREGATED_NEW, Reading, aggregated_new;
    DT_AGGREGATED_RESCAN, Reading, aggregated_rescan;
    DT_CLOSING_NOTE_FLAGS, Lasting, closing_note_flags;
    DT_CLOSING_NOTE_TEXT, Lasting, closing_note_text;
    DT_CLOSE_WHEN_CLOSED, Lasting, close_when_closed;
    DT_MANUAL_CLOSE_TO_OTHER, Writing, manual_close_to_other;
    DT_REOPEN_NOT_MANUAL, Lasting, reopen_not_manual;
    DT_OPEN_ON_NEW, Lasting, open_on_new;
    DT_REOPEN_PERMANENTLY_CLOSED, Lasting, reopen_permanently_closed;
    DT_SEEN_AGAIN_PERMANENTLY_CLOSED, Control, seen_again_permanently_closed;
    DT_SEEN_AGAIN_AFTER_FIXED, Control, seen_again_after_fixed;
    DT_NOTE_AUTHOR, Lasting, note_author;
    DT_EXTERNAL_ID_BUMPS, Writing, external_id_bumps;
    DT_MANUAL_STATUS_BUMPS, Writing, manual_status_bumps;
    DT_NOTE_BUMPS, Lasting, note_bumps;
    DT_PRIORITY_BUMPS, Writing, priority_bumps;
    DT_RESULTS_SINCE_BOUND, Reading, results_since_bound;
    DT_LIST_ORDER, Reading, list_order;
}

fn status(target: &Row) -> &str {
    target.text("current_status").unwrap_or_default()
}

fn finding_of(target: &Row) -> &str {
    target.text("security_finding_id").unwrap_or_default()
}

fn is_same(one: &Row, other: &Row) -> bool {
    one.json["id"] == other.json["id"]
}

fn open_group_rescan(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let what = "target that is ready to rescan";
    let waiting = api.targets()?.find(what, |row| status(row) == "OPEN_READY_TO_RESCAN")?;
    let of_finding = ("security_finding_id", finding_of(waiting));
    let lists = |query: &[(&str, &str)]| {
        let page = api.page(TARGETS, query)?;
        Ok::<_, Stop>(page.rows.rows.iter().any(|row| is_same(row, waiting)))
    };
    observed(lists(&[of_finding])?, "the list of a finding's targets lacks one")?;
    observed(!lists(&[of_finding, ("status_group", "CLOSED")])?, "it is in the group CLOSED")?;
    Ok(if lists(&[of_finding, ("status_group", "OPEN")])? { "included" } else { "excluded" })
}

fn aggregated_new(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let targets = api.targets()?;
    let has_new =
        |finding: &str| targets.rows.iter().any(|row| status(row) == "NEW" && finding_of(row) == finding);
    let what = "finding with a target that is NEW and one that is OPEN";
    let open = targets.find(what, |row| status(row) == "OPEN" && has_new(finding_of(row)))?;
    let finding = api.finding(finding_of(open))?;
    match finding.text("aggregated_status") {
        Some("OPEN") => Ok("all-new"),
        Some("NEW") => Ok("any-new"),
        _ => fits_none(&finding.json["aggregated_status"]),
    }
}

fn aggregated_rescan(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    for waiting in api.targets()?.rows.iter().filter(|row| status(row) == "OPEN_READY_TO_RESCAN") {
        let targets = api.page(TARGETS, &[("security_finding_id", finding_of(waiting))])?.rows;
        let is_open = |row: &&Row| !status(row).starts_with("CLOSED");
        let only_waiting = targets.rows.iter().filter(is_open).all(|row| status(row) == status(waiting));
        if !targets.is_complete || !only_waiting {
            continue;
        }
        let finding = api.finding(finding_of(waiting))?;
        return match finding.text("aggregated_status") {
            Some("OPEN") => Ok("open"),
            Some("OPEN_READY_TO_RESCAN") => Ok("verbatim"),
            _ => fits_none(&finding.json["aggregated_status"]),
        };
    }
    not_exercised("there is no finding whose only open targets are ready to rescan")
}

fn closing_note_flags(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let note = remark_in(&subject.close_finding(true)?)?;
    match (&note["is_reply_from_datatheorem"], &note["is_internal_comment"]) {
        (Value::Bool(true), Value::Bool(false)) => Ok("as-sampled"),
        (Value::Bool(false), Value::Bool(true)) => Ok("internal"),
        _ => fits_none(note),
    }
}

fn closing_note_text(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let note = remark_in(&subject.close_finding(false)?)?;
    let text = note["text"].as_str().unwrap_or_default();
    if text.starts_with("Issue permanently closed") {
        Ok("always-permanent")
    } else if text.starts_with("Issue closed") {
        Ok("only-permanent-says-so")
    } else {
        fits_none(note)
    }
}

fn close_when_closed(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    subject.close_finding(false)?;
    by_status(&subject.ask_to_close_finding(false)?, &[(409, "409"), (400, "400")])
}

fn manual_close_to_other(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    subject.set_status("CLOSED_WONT_FIX")?;
    subject.set_or_refused("CLOSED_RISK_ACCEPTED", &[(409, "409"), (400, "400")])
}

fn reopen_not_manual(case: &Case) -> Shown {
    Subject::open(case)?.can_be_reopened()?;
    Subject::in_status(case, "CLOSED_FIXED")?.set_or_refused("OPEN", &[(409, "409"), (400, "400")])
}

fn open_on_new(case: &Case) -> Shown {
    Subject::open(case)?.can_be_reopened()?;
    Subject::in_status(case, "NEW")?.set_or_refused("OPEN", &[(409, "409")])
}

fn reopen_permanently_closed(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    subject.can_be_reopened()?;
    subject.close_finding(true)?;
    subject.set_or_refused("OPEN", &[(409, "409")])
}

/// Has a scan of an app see these targets.
fn scan(case: &Case, seen: &[&Row]) -> Result<(), Stop> {
    let Some(first) = seen.first() else { return not_exercised("a scan of nothing") };
    let observed: Vec<Value> = seen.iter().map(|row| json!({"target_id": row.json["id"]})).collect();
    let app = &first.json["mobile_app_id"];
    case.happen(&json!({"type": "data_theorem.scan", "mobile_app_id": app, "observed": observed}))?;
    Ok(())
}

fn seen_again_after_fixed(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let fixed = api.targets()?.find("fixed target", |row| status(row) == "CLOSED_FIXED")?;
    let finding = api.finding(finding_of(fixed))?;
    observed(finding.json["is_permanently_closed"] != true, "its finding is permanently closed")?;
    scan(case, &[fixed])?;
    let shown = api.target(fixed.text("id").unwrap_or_default())?;
    match status(&shown) {
        "OPEN" => Ok("open"),
        "NEW" => Ok("new"),
        other => fits_none(other),
    }
}

/// A fixed target in a finding with an `OPEN` target, and another one in the same app: what a scan does to it tells
/// what it does to fixed targets.
fn fixed_beside_open(targets: &Rows) -> Option<(&Row, &Row, &Row)> {
    let fixed: Vec<&Row> = targets.rows.iter().filter(|row| status(row) == "CLOSED_FIXED").collect();
    let open =
        |finding: &str| targets.rows.iter().find(|row| status(row) == "OPEN" && finding_of(row) == finding);
    fixed.iter().find_map(|one| {
        let other = fixed.iter().find(|other| {
            finding_of(one) != finding_of(other) && one.json["mobile_app_id"] == other.json["mobile_app_id"]
        })?;
        Some((*one, open(finding_of(one))?, *other))
    })
}

fn seen_again_permanently_closed(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let Some((fixed, open, other)) = fixed_beside_open(api.targets()?) else {
        return not_exercised("no finding has a fixed and an open target, and its app another fixed one");
    };
    let id = |row: &Row| row.text("id").unwrap_or_default().to_owned();
    let finding_id = finding_of(fixed).to_owned();
    Subject { api, target: open.clone(), id: id(open), finding_id }.close_finding(true)?;
    let before = api.target(&id(fixed))?;
    observed(status(&before) == "CLOSED_FIXED", "closing the finding changed its fixed target")?;
    scan(case, &[fixed, other])?;
    let reopened = |row: &Row| Ok::<_, Stop>(!status(&api.target(&id(row))?).starts_with("CLOSED"));
    observed(reopened(other)?, "a scan does not reopen fixed targets")?;
    Ok(if reopened(fixed)? { "reopened" } else { "stays-closed" })
}

fn note_author(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let (reply, evidence) = subject.comment()?;
    observed(reply.is_success(), &evidence)?;
    let note = remark_in(&subject.finding()?)?;
    match note["author_email"].as_str() {
        Some(address) if address.contains('@') => Ok("address"),
        Some(name) if name == subject.api.own_key()?.name => Ok("key-name"),
        _ => fits_none(note),
    }
}

/// Whether an act moves a finding's `results_last_updated`. Every value that says yes says it of the finding.
fn moves(api: DataTheorem<'_>, finding_id: &str, act: impl FnOnce() -> Result<(), Stop>) -> Shown {
    let time = || api.finding(finding_id)?.time("results_last_updated").ok_or_else(no_time);
    let before = time()?;
    act()?;
    Ok(if time()? == before { "no" } else { "yes" })
}

fn no_time() -> Stop {
    Stop::NotExercised("the finding has no `results_last_updated`".to_owned())
}

fn external_id_bumps(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    moves(subject.api, &subject.finding_id, || subject.set_external_id("CONTRACT-BUMP"))
}

fn manual_status_bumps(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    moves(subject.api, &subject.finding_id, || subject.set_status("CLOSED_WONT_FIX"))
}

fn note_bumps(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    moves(subject.api, &subject.finding_id, || {
        let (reply, evidence) = subject.comment()?;
        observed(reply.is_success(), &evidence)?;
        remark_in(&subject.finding()?).map(|_| ())
    })
}

fn priority_bumps(case: &Case) -> Shown {
    let subject = Subject::open(case)?;
    let finding = subject.prioritized(case)?;
    let id = finding.text("id").unwrap_or_default();
    let other = if finding.text("priority") == Some("P0") { "P1" } else { "P0" };
    moves(subject.api, id, || {
        let (reply, evidence) =
            subject.api.patch(&format!("{FINDINGS}/{id}"), &json!({"priority": other}))?;
        let shown = subject.api.finding(id)?;
        observed(reply.is_success() && shown.text("priority") == Some(other), &evidence)
    })
}

fn results_since_bound(case: &Case) -> Shown {
    let api = case.data_theorem()?;
    let timed = api.targets()?.rows.iter().filter_map(|row| Some((row.time("results_last_updated")?, row)));
    let Some((time, newest)) = timed.max_by_key(|(time, _)| *time) else {
        return not_exercised("no target has `results_last_updated`");
    };
    let lists_since = |since: Timestamp| {
        let since = since.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string();
        let page = api.page(TARGETS, &[("results_since", &since)])?;
        Ok::<_, Stop>(page.rows.rows.iter().any(|row| is_same(row, newest)))
    };
    let just_before = time.saturating_sub(SignedDuration::from_micros(1)).unwrap_or(time);
    observed(lists_since(just_before)?, "what changed just after `results_since` is not listed")?;
    Ok(if lists_since(time)? { "inclusive" } else { "exclusive" })
}

fn list_order(case: &Case) -> Shown {
    let rows = &case.data_theorem()?.targets()?.rows;
    let times: Vec<Timestamp> = rows.iter().filter_map(|row| row.time("results_last_updated")).collect();
    let steps = times.iter().zip(times.iter().skip(1)).filter(|(one, next)| one != next);
    let directions =
        steps.map(|(one, next)| Ok(if one > next { "updated-descending" } else { "updated-ascending" }));
    unanimous("pair of targets updated at different times", directions)
}
