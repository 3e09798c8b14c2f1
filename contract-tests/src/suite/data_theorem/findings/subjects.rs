//! Findings to try something on, and what a refusal has to be.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::client::{DataTheorem, FINDINGS, TARGETS};
use crate::suite::check::{Held, Stop, Verdict, broken_at, expect, observed};
use crate::suite::rows::{Row, Rows};
use crate::target::account::ApiKey;
use crate::target::exchange::{Evidence, Reply};

/// Whether a status is one of those that are closed.
pub(super) fn is_closed(status: &str) -> bool {
    status.starts_with("CLOSED_")
}

/// Whether a row says that its finding is open.
pub(super) fn is_open(finding: &Row) -> bool {
    finding.text("aggregated_status").is_some_and(|status| !is_closed(status))
}

/// The ids of open findings, at least so many.
pub(super) fn open_findings(api: DataTheorem<'_>, wanted: usize) -> Result<Vec<String>, Stop> {
    let open = api.findings()?.only(is_open);
    let ids: Vec<String> = open.rows.iter().filter_map(|row| row.text("id")).map(str::to_owned).collect();
    observed(ids.len() >= wanted, format!("there are {} open findings, not {wanted}", ids.len()))?;
    Ok(ids)
}

/// The ids of open findings without a closed target, at least so many.
pub(super) fn wholly_open_findings(api: DataTheorem<'_>, wanted: usize) -> Result<Vec<String>, Stop> {
    let targets = api.targets()?;
    let closed = targets.only(|row| row.text("current_status").is_none_or(is_closed));
    let parent = |row: &Row| row.text("security_finding_id").map(str::to_owned);
    let parents: BTreeSet<String> = targets.rows.iter().filter_map(parent).collect();
    let of_closed: BTreeSet<String> = closed.rows.iter().filter_map(parent).collect();
    let mut ids = open_findings(api, wanted)?;
    ids.retain(|id| parents.contains(id) && !of_closed.contains(id));
    observed(ids.len() >= wanted, format!("there are {} findings with open targets only", ids.len()))?;
    Ok(ids)
}

/// A finding's targets.
pub(super) fn targets_of(api: DataTheorem<'_>, finding_id: &str) -> Result<Rows, Stop> {
    let listed = api.all(TARGETS, &[("security_finding_id", finding_id)])?;
    Ok(listed.only(|row| row.text("security_finding_id") == Some(finding_id)))
}

/// The status of a finding.
pub(super) fn aggregated_status(api: DataTheorem<'_>, id: &str) -> Result<String, Stop> {
    Ok(api.finding(id)?.text("aggregated_status").unwrap_or("nothing").to_owned())
}

/// The body of a close.
pub(super) fn closing(status: &str, reason: &str) -> Value {
    json!({"aggregated_status": status, "reason": reason})
}

/// Asks for a close.
pub(super) fn close(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.post(&format!("{FINDINGS}/{id}/close"), body)
}

/// Closes a finding, as a prerequisite.
pub(super) fn close_first(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
    let (reply, evidence) = close(api, id, body)?;
    observed(reply.is_success(), format!("closing an open finding answers {}", reply.status))?;
    let shown = aggregated_status(api, id)?;
    observed(is_closed(&shown), format!("after a close the finding is {shown}"))?;
    Ok((reply, evidence))
}

/// Posts a comment.
pub(super) fn comment(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.post(&format!("{FINDINGS}/{id}/notes"), body)
}

/// Posts a comment, as a prerequisite.
pub(super) fn comment_first(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<(), Stop> {
    let (reply, _) = comment(api, id, body)?;
    observed(reply.is_success(), format!("a comment answers {}", reply.status))
}

/// The note of a finding with this in its text.
pub(super) fn note_with(finding: &Row, text: &str) -> Option<Row> {
    let fits = |note: &&Value| note["text"].as_str().is_some_and(|shown| shown.contains(text));
    let note = finding.list("notes").iter().find(fits)?;
    Some(Row { json: note.clone(), evidence: finding.evidence.clone() })
}

/// Refusals of bad bodies, given that a good one was accepted: each status is one of a client's mistake, and the
/// finding is as it was.
pub(super) fn refuses(
    api: DataTheorem<'_>,
    id: &str,
    bad: &[Value],
    send: impl Fn(DataTheorem<'_>, &str, &Value) -> Result<(Reply, Evidence), Stop>,
) -> Verdict {
    let before = api.finding(id)?.json;
    for body in bad {
        let answer = send(api, id, body)?;
        refused(&answer, &format!("{body} is refused"))?;
        expect_unchanged(api, id, &before)?;
    }
    Held::over(bad.len(), "no bad body")
}

/// A reply is a refusal for a client's mistake.
pub(super) fn refused((reply, evidence): &(Reply, Evidence), expected: &str) -> Result<(), Stop> {
    if (400..500).contains(&reply.status) { Ok(()) } else { broken_at(evidence, expected, reply.status) }
}

/// What was refused changed nothing.
pub(super) fn expect_unchanged(api: DataTheorem<'_>, id: &str, before: &Value) -> Result<(), Stop> {
    let after = api.finding(id)?.json;
    expect(after == *before, "a refused request changes nothing", &after)
}

/// A key for all apps that lacks a permission which the account's own key has.
pub(super) fn key_without<'c>(api: &DataTheorem<'c>, permission: &str) -> Result<&'c ApiKey, Stop> {
    let own = api.own_key()?;
    observed(own.permissions.contains(permission), format!("the account's own key lacks {permission}"))?;
    let lacks = |key: &ApiKey| key.mobile_app_ids.is_none() && !key.permissions.contains(permission);
    api.find_key(&format!("for all apps without {permission}"), lacks)
}

/// What needs a permission is refused to a key that lacks it and changes nothing; the account's own key may do it.
pub(super) fn needs_permission(
    api: DataTheorem<'_>,
    permission: &str,
    id: &str,
    act: impl Fn(DataTheorem<'_>, &str) -> Result<(Reply, Evidence), Stop>,
) -> Verdict {
    let key = key_without(&api, permission)?;
    let without = api.with_key(&key.api_key);
    let before = without.finding(id)?.json;
    let answered = act(without, id)?;
    let after = api.finding(id)?.json;
    let (reply, _) = act(api, id)?;
    observed(reply.is_success(), format!("a key with {permission} is answered {}", reply.status))?;
    refused(&answered, &format!("a key without {permission} is refused"))?;
    expect(after == before, "a refused request changes nothing", &after)?;
    Held::once()
}
