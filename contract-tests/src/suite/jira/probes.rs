//! Which value of each reading a target shows, in the ledger's order.
//!
//! A probe convicts nobody, and it does not guess: what fits no value, or two of them, is not exercised.

use fixtures::spec::jira::{
    JIRA_ARCHIVED_ISSUE, JIRA_BAD_PAGE_TOKEN, JIRA_CONTENT_TYPE, JIRA_DEFAULT_ORDER, JIRA_DOCUMENT_LENGTH,
    JIRA_ERROR_STATUS, JIRA_LABEL_CASE, JIRA_LABEL_LENGTH, JIRA_LENGTH_UNIT, JIRA_LINK_BUMPS,
    JIRA_OLD_SEARCH, JIRA_PROPERTY_BUMPS, JIRA_UNCHANGED_EDIT, JIRA_UNKNOWN_KEY, JIRA_WRITE_DENIED,
};
use http::Method;
use serde_json::{Value, json};

use super::client::{Jira, Made, UNKNOWN, document, with_query};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes};
use crate::target::exchange::{Evidence, Reply};

probes! {
    JIRA_LENGTH_UNIT, Writing, length_unit;
    JIRA_DOCUMENT_LENGTH, Writing, document_length;
    JIRA_LABEL_LENGTH, Writing, label_length;
    JIRA_LABEL_CASE, Writing, label_case;
    JIRA_UNKNOWN_KEY, Reading, unknown_key;
    JIRA_OLD_SEARCH, Reading, old_search;
    JIRA_UNCHANGED_EDIT, Writing, unchanged_edit;
    JIRA_PROPERTY_BUMPS, Writing, property_bumps;
    JIRA_LINK_BUMPS, Writing, link_bumps;
    JIRA_ARCHIVED_ISSUE, Control, archived_issue;
    JIRA_DEFAULT_ORDER, Reading, default_order;
    JIRA_ERROR_STATUS, Reading, error_status;
    JIRA_WRITE_DENIED, Control, write_denied;
    JIRA_CONTENT_TYPE, Writing, content_type;
    JIRA_BAD_PAGE_TOKEN, Reading, bad_page_token;
}

/// What a probe tells.
type Shown = Result<&'static str, Stop>;
/// A reply and the exchange that it came in.
type Answer = (Reply, Evidence);

/// What the suite says of a reply that stands for no value.
fn no_value_fits(evidence: &Evidence) -> Shown {
    not_exercised(format!("this fits no value: {evidence}"))
}

/// The value that a reply's status stands for.
fn by_status((reply, evidence): &Answer, values: &[(u16, &'static str)]) -> Shown {
    match values.iter().find(|(status, _)| *status == reply.status) {
        Some((_, value)) => Ok(value),
        None => no_value_fits(evidence),
    }
}

/// Whether an issue with these fields is taken, where one with others is; as one value or the other.
fn taken(case: &Case, good: &Value, tried: &Value, yes: &'static str, no: &'static str) -> Shown {
    let api = case.jira()?;
    api.make(good)?;
    let answer = api.create(&json!({"fields": api.new_fields(tried)?}))?;
    by_status(&answer, &[(201, yes), (400, no)])
}

/// Two hundred signs of two units each.
fn length_unit(case: &Case) -> Shown {
    let summary = |sign: &str| json!({"summary": sign.repeat(200)});
    taken(case, &summary("s"), &summary("\u{1f980}"), "characters", "utf16")
}

/// A text that fits, in a document that does not.
fn document_length(case: &Case) -> Shown {
    let of_length = |length| json!({"description": document(&"t".repeat(length))});
    taken(case, &of_length(30_000), &of_length(32_740), "text", "json")
}

fn label_length(case: &Case) -> Shown {
    let of_length = |length| json!({"labels": ["l".repeat(length)]});
    taken(case, &of_length(200), &of_length(256), "unlimited", "255")
}

fn label_case(case: &Case) -> Shown {
    let api = case.jira()?;
    let made = api.make(&json!({"labels": ["contract-suite-Case"]}))?;
    let project = api.changeable_project()?;
    let finds = |label: &str| {
        let jql = format!("project = \"{project}\" AND labels = \"{label}\"");
        let page = api.search(&[("jql", &jql), ("reconcileIssues", &made.id)])?;
        Ok::<_, Stop>(page.list("issues").iter().any(|issue| issue["id"] == made.id.as_str()))
    };
    observed(finds("contract-suite-Case")?, "a search does not find a label as it was given")?;
    Ok(if finds("CONTRACT-SUITE-CASE")? { "insensitive" } else { "sensitive" })
}

fn unknown_key(case: &Case) -> Shown {
    let api = case.jira()?;
    let key = api.some_key()?;
    let of_key = |key: &str| api.ask_search(&[("jql", &format!("key = {key}"))]);
    let (known, _) = of_key(key)?;
    observed(count(&known) == Some(1), "a search does not find an issue by its key")?;
    let answer = of_key(&format!("{}-{UNKNOWN}", api.project()))?;
    match answer.0.status {
        200 if count(&answer.0) != Some(0) => no_value_fits(&answer.1),
        _ => by_status(&answer, &[(400, "refused"), (200, "empty")]),
    }
}

fn count(reply: &Reply) -> Option<usize> {
    Some(reply.json()?.get("issues")?.as_array()?.len())
}

fn old_search(case: &Case) -> Shown {
    let api = case.jira()?.version_2();
    let answer = api.get(&with_query("search", &[("jql", &api.project_jql())]))?;
    observed(answer.0.status != 200 || count(&answer.0).is_some(), "the reply has no list of issues")?;
    by_status(&answer, &[(200, "v2-only"), (410, "gone")])
}

/// An issue whose `updated` moves when it is edited; at least a minute lies between its last edit and what follows.
fn watched(case: &Case) -> Result<(Jira<'_>, Made, Value), Stop> {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let updated = || api.field(&made.key, "updated");
    let minute_passes = || match case.sandbox() {
        Ok(sandbox) => sandbox.advance_seconds(60).map(|_| ()).map_err(Stop::from),
        // Time passes by itself, at least as long as a request takes.
        Err(_) => Ok(()),
    };
    let before = updated()?;
    observed(before.is_string(), "an issue has no `updated`")?;
    minute_passes()?;
    let (edited, _) = api.put(&format!("issue/{}", made.key), &json!({"fields": {"summary": "Watched"}}))?;
    observed(edited.is_success(), format!("an edit answers {}", edited.status))?;
    let after = updated()?;
    observed(after != before, "an edit does not move `updated`")?;
    minute_passes()?;
    Ok((api, made, after))
}

/// Whether what was done has moved `updated`.
fn moves(
    case: &Case,
    values: [&'static str; 2],
    act: impl FnOnce(Jira<'_>, &Made) -> Result<Answer, Stop>,
) -> Shown {
    let (api, made, before) = watched(case)?;
    let (reply, evidence) = act(api, &made)?;
    observed(reply.is_success(), format!("it is refused: {evidence}"))?;
    let is_moved = api.field(&made.key, "updated")? != before;
    Ok(values[usize::from(is_moved)])
}

fn unchanged_edit(case: &Case) -> Shown {
    moves(case, ["keeps", "bumps"], |api, made| {
        api.put(&format!("issue/{}", made.key), &json!({"fields": {"summary": "Watched"}}))
    })
}

fn property_bumps(case: &Case) -> Shown {
    moves(case, ["no", "yes"], |api, made| {
        api.put(&format!("issue/{}/properties/contract.suite", made.key), &json!(1))
    })
}

fn link_bumps(case: &Case) -> Shown {
    moves(case, ["no", "yes"], |api, made| {
        let link = json!({"object": {"url": "https://finding.example/1", "title": "A finding"}});
        api.post(&format!("issue/{}/remotelink", made.key), &link)
    })
}

fn archived_issue(case: &Case) -> Shown {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    api.issue(&made.key)?;
    case.happen(&json!({"type": "jira.issue_archived", "issue": made.key, "is_archived": true}))?;
    let read = api.get(&format!("issue/{}", made.key))?;
    let value = by_status(&read, &[(200, "read-only"), (404, "not-found")])?;
    let (edit, evidence) = api.put(&format!("issue/{}", made.key), &json!({"fields": {"summary": "x"}}))?;
    if edit.is_success() { no_value_fits(&evidence) } else { Ok(value) }
}

/// Numbers grow with time, so they tell the order in which issues were made.
fn default_order(case: &Case) -> Shown {
    let api = case.jira()?;
    let page = api.search(&[("jql", &api.project_jql())])?;
    let numbers = page.list("issues").iter().map(|issue| issue["id"].as_str()?.parse::<u64>().ok());
    let Some(numbers) = numbers.collect::<Option<Vec<u64>>>().filter(|numbers| numbers.len() > 2) else {
        return not_exercised("the project has less than three issues");
    };
    match (numbers.is_sorted(), numbers.iter().rev().is_sorted()) {
        (true, false) => Ok("oldest-first"),
        (false, true) => Ok("newest-first"),
        _ => not_exercised("the issues are in no order by their numbers"),
    }
}

fn error_status(case: &Case) -> Shown {
    let api = case.jira()?;
    let (reply, evidence) = api.get(&format!("issue/{}-{UNKNOWN}", api.project()))?;
    let json = reply.json().filter(|json| reply.status == 404 && json.is_object());
    match json.as_ref().map(|json| json.get("status")) {
        Some(None) => Ok("absent"),
        Some(Some(status)) if *status == 404 => Ok("present"),
        _ => no_value_fits(&evidence),
    }
}

fn write_denied(case: &Case) -> Shown {
    let api = case.jira()?;
    let user = api.find_user("who may look but not write", |user| user.is_read_only)?;
    let made = api.make(&json!({}))?;
    let reader = api.with_user(user);
    reader.issue(&made.key)?;
    let answer = reader.put(&format!("issue/{}", made.key), &json!({"fields": {"summary": "x"}}))?;
    by_status(&answer, &[(403, "403"), (400, "400")])
}

fn content_type(case: &Case) -> Shown {
    let api = case.jira()?;
    api.make(&json!({}))?;
    let body = json!({"fields": api.new_fields(&json!({}))?});
    let request = api.request(Method::POST, "issue").json(&body).header("content-type", "text/plain");
    let answer = api.create_by(request)?;
    by_status(&answer, &[(415, "required"), (201, "tolerant")])
}

fn bad_page_token(case: &Case) -> Shown {
    let api = case.jira()?;
    let jql = api.project_jql();
    let first = api.search(&[("jql", &jql)])?;
    let answer = api.ask_search(&[("jql", &jql), ("nextPageToken", "notatokenofthissearch")])?;
    let again = answer.0.json().unwrap_or_default();
    match answer.0.status {
        200 if again["issues"] != first.json["issues"] => no_value_fits(&answer.1),
        _ => by_status(&answer, &[(400, "refused"), (200, "first-page")]),
    }
}
