//! Data Theorem: external ids, statuses set by hand, closes, priorities and notes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::Act;
use crate::suite::case::Case;
use crate::suite::check::Stop;
use crate::suite::data_theorem::{FINDINGS, TARGETS};
use crate::suite::rows::Row;

const CLOSING: [&str; 3] = ["CLOSED_WONT_FIX", "CLOSED_RISK_ACCEPTED", "CLOSED_COMPENSATING_CONTROL"];
const PRIORITIES: [&str; 5] = ["P0", "P1", "P2", "P3", "P4"];

/// Something a client does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    SetExternalId { target: Index, id: String },
    SetStatus { target: Index, status: &'static str, reason: Option<&'static str> },
    Close { finding: Index, status: &'static str, is_permanent: bool },
    SetPriority { finding: Index, priority: &'static str },
    Comment { finding: Index, is_question: bool },
}

/// What the account holds, as far as the pages say what becomes of it.
pub(super) struct Model {
    targets: BTreeMap<String, TargetModel>,
    findings: BTreeMap<String, FindingModel>,
}

struct TargetModel {
    finding: String,
    status: String,
    external_id: Option<String>,
    status_count: usize,
}

struct FindingModel {
    priority: Option<String>,
    note_count: usize,
    is_permanently_closed: bool,
}

fn is_open(status: &str) -> bool {
    !status.starts_with("CLOSED_")
}

impl Act for Step {
    type Model = Model;

    fn any() -> BoxedStrategy<Self> {
        let reason = select(vec![None, Some("A reason.")]);
        prop_oneof![
            (any::<Index>(), "[A-Z]{2,5}-[0-9]{1,4}")
                .prop_map(|(target, id)| Self::SetExternalId { target, id }),
            (any::<Index>(), select(&CLOSING[..]), reason.clone())
                .prop_map(|(target, status, reason)| Self::SetStatus { target, status, reason }),
            (any::<Index>(), Just("OPEN"), reason).prop_map(|(target, status, reason)| Self::SetStatus {
                target,
                status,
                reason
            }),
            (any::<Index>(), select(&CLOSING[..]), any::<bool>())
                .prop_map(|(finding, status, is_permanent)| Self::Close { finding, status, is_permanent }),
            (any::<Index>(), select(&PRIORITIES[..]))
                .prop_map(|(finding, priority)| Self::SetPriority { finding, priority }),
            (any::<Index>(), any::<bool>())
                .prop_map(|(finding, is_question)| Self::Comment { finding, is_question }),
        ]
        .boxed()
    }

    fn model(case: &Case) -> Result<Model, Stop> {
        let api = case.data_theorem()?;
        let targets = api.all(TARGETS, &[])?.rows.iter().map(target_model).collect();
        let findings = api.all(FINDINGS, &[])?.rows.iter().map(finding_model).collect();
        Ok(Model { targets, findings })
    }

    fn take(&self, case: &Case, model: &mut Model) -> Result<Option<String>, Stop> {
        match self {
            Self::SetExternalId { target, id } => {
                let target = nth(&model.targets, *target);
                set_external_id(case, model, &target, id)
            }
            Self::SetStatus { target, status, reason } => {
                let target = nth(&model.targets, *target);
                set_status(case, model, &target, status, *reason)
            }
            Self::Close { finding, status, is_permanent } => {
                let finding = nth(&model.findings, *finding);
                close(case, model, &finding, status, *is_permanent)
            }
            Self::SetPriority { finding, priority } => {
                let finding = nth(&model.findings, *finding);
                set_priority(case, model, &finding, priority)
            }
            Self::Comment { finding, is_question } => {
                let finding = nth(&model.findings, *finding);
                comment(case, model, &finding, *is_question)
            }
        }
    }

    fn compare(case: &Case, model: &Model) -> Result<Option<String>, Stop> {
        let api = case.data_theorem()?;
        let targets = api.all(TARGETS, &[])?;
        if targets.rows.len() != model.targets.len() {
            return Ok(Some(format!("{} targets, seen {}", model.targets.len(), targets.rows.len())));
        }
        let difference = targets.rows.iter().find_map(|row| compare_target(row, model));
        if difference.is_some() {
            return Ok(difference);
        }
        for (group, open) in [("OPEN", true), ("CLOSED", false)] {
            let listed = ids(&api.all(TARGETS, &[("status_group", group)])?.rows);
            // Whether a target that waits for a rescan is in the group is a reading.
            let decided = model.targets.iter().filter(|(_, target)| target.status != "OPEN_READY_TO_RESCAN");
            let wanted = |target: &TargetModel| is_open(&target.status) == open;
            let wrong = decided.into_iter().find(|(id, target)| wanted(target) != listed.contains(*id));
            if let Some((id, target)) = wrong {
                return Ok(Some(format!(
                    "{id} is {}: the list of {group} targets is wrong there",
                    target.status
                )));
            }
        }
        let findings = api.all(FINDINGS, &[])?;
        Ok(findings.rows.iter().find_map(|row| compare_finding(row, model)))
    }
}

fn target_model(row: &Row) -> (String, TargetModel) {
    let text = |name| row.text(name).unwrap_or_default().to_owned();
    let model = TargetModel {
        finding: text("security_finding_id"),
        status: text("current_status"),
        external_id: row.text("external_id").map(str::to_owned),
        status_count: row.list("statuses").len(),
    };
    (text("id"), model)
}

fn finding_model(row: &Row) -> (String, FindingModel) {
    let model = FindingModel {
        priority: row.text("priority").map(str::to_owned),
        note_count: row.list("notes").len(),
        is_permanently_closed: row.get("is_permanently_closed").and_then(Value::as_bool).unwrap_or_default(),
    };
    (row.text("id").unwrap_or_default().to_owned(), model)
}

/// A subject by an index that knows no number of subjects; empty if there is none.
fn nth<T>(rows: &BTreeMap<String, T>, index: Index) -> String {
    if rows.is_empty() {
        String::new()
    } else {
        rows.keys().nth(index.index(rows.len())).cloned().unwrap_or_default()
    }
}

fn ids(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row.text("id").map(str::to_owned)).collect()
}

fn answered(what: &str, wanted: u16, seen: u16) -> Option<String> {
    (wanted != seen).then(|| format!("{what} is answered with {wanted}, seen {seen}"))
}

fn set_external_id(
    case: &Case,
    model: &mut Model,
    id: &str,
    external_id: &str,
) -> Result<Option<String>, Stop> {
    let Some(target) = model.targets.get_mut(id) else { return Ok(None) };
    let body = json!({"external_id": external_id});
    let (reply, _) = case.data_theorem()?.patch(&format!("{TARGETS}/{id}"), &body)?;
    target.external_id = Some(external_id.to_owned());
    Ok(answered("a new external_id", 200, reply.status))
}

fn set_status(
    case: &Case,
    model: &mut Model,
    id: &str,
    status: &str,
    reason: Option<&str>,
) -> Result<Option<String>, Stop> {
    let Some(target) = model.targets.get_mut(id) else { return Ok(None) };
    let Some(finding) = model.findings.get_mut(&target.finding) else { return Ok(None) };
    let is_same = target.status == status;
    let is_legal = match status {
        // Of other targets, and of those of a permanently closed finding, the pages do not say what happens.
        "OPEN" => CLOSING.contains(&target.status.as_str()) && !finding.is_permanently_closed,
        _ => is_open(&target.status),
    };
    if !is_same && !is_legal {
        return Ok(None);
    }
    let mut body = json!({"status": status});
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    let (reply, _) = case.data_theorem()?.post(&format!("{TARGETS}/{id}/statuses"), &body)?;
    if is_same {
        return Ok(answered(&format!("{status} for a target that is {status}"), 409, reply.status));
    }
    let what = format!("{status} for a target that is {}", target.status);
    status.clone_into(&mut target.status);
    target.status_count += 1;
    finding.note_count += usize::from(reason.is_some());
    Ok(answered(&what, 204, reply.status))
}

fn close(
    case: &Case,
    model: &mut Model,
    id: &str,
    status: &str,
    is_permanent: bool,
) -> Result<Option<String>, Stop> {
    let Some(finding) = model.findings.get_mut(id) else { return Ok(None) };
    let open = model.targets.values_mut().filter(|target| target.finding == id && is_open(&target.status));
    let open: Vec<&mut TargetModel> = open.collect();
    if open.is_empty() {
        return Ok(None);
    }
    let body =
        json!({"aggregated_status": status, "is_permanently_closed": is_permanent, "reason": "A reason."});
    let (reply, _) = case.data_theorem()?.post(&format!("{FINDINGS}/{id}/close"), &body)?;
    for target in open {
        status.clone_into(&mut target.status);
        target.status_count += 1;
    }
    finding.note_count += 1;
    finding.is_permanently_closed = is_permanent;
    Ok(answered("closing an open finding", 200, reply.status))
}

fn set_priority(case: &Case, model: &mut Model, id: &str, priority: &str) -> Result<Option<String>, Stop> {
    let Some(finding) = model.findings.get_mut(id) else { return Ok(None) };
    let (reply, _) =
        case.data_theorem()?.patch(&format!("{FINDINGS}/{id}"), &json!({"priority": priority}))?;
    finding.priority = Some(priority.to_owned());
    Ok(answered("a new priority", 200, reply.status))
}

fn comment(case: &Case, model: &mut Model, id: &str, is_question: bool) -> Result<Option<String>, Stop> {
    let Some(finding) = model.findings.get_mut(id) else { return Ok(None) };
    let body = json!({"text": "A comment.", "is_question_for_datatheorem": is_question});
    let (reply, _) = case.data_theorem()?.post(&format!("{FINDINGS}/{id}/notes"), &body)?;
    finding.note_count += 1;
    let seen = reply.status;
    Ok((!reply.is_success()).then(|| format!("a comment is accepted, seen {seen}")))
}

fn compare_target(row: &Row, model: &Model) -> Option<String> {
    let (id, seen) = target_model(row);
    let Some(wanted) = model.targets.get(&id) else {
        return Some(format!("a target {id} that was not there"));
    };
    let same = wanted.status == seen.status
        && wanted.external_id == seen.external_id
        && wanted.status_count == seen.status_count;
    let shown = |target: &TargetModel| {
        format!(
            "{} with {} statuses and external_id {:?}",
            target.status, target.status_count, target.external_id
        )
    };
    (!same).then(|| format!("target {id} is {}, seen {}", shown(wanted), shown(&seen)))
}

fn compare_finding(row: &Row, model: &Model) -> Option<String> {
    let (id, seen) = finding_model(row);
    let Some(wanted) = model.findings.get(&id) else {
        return Some(format!("a finding {id} that was not there"));
    };
    let open = model.targets.values().any(|target| target.finding == id && is_open(&target.status));
    let aggregated = row.text("aggregated_status").unwrap_or_default();
    if is_open(aggregated) != open {
        let what = if open { "has open targets" } else { "has no open target" };
        return Some(format!("finding {id} {what} and is {aggregated}"));
    }
    let same = wanted.priority == seen.priority && wanted.note_count == seen.note_count;
    let shown = |finding: &FindingModel| format!("{:?} with {} notes", finding.priority, finding.note_count);
    (!same).then(|| format!("finding {id} is {}, seen {}", shown(wanted), shown(&seen)))
}
