//! The way of an issue through its workflow.

use fixtures::spec::jira::{
    JIRA_TRANSITION_204, JIRA_TRANSITION_INVALID, JIRA_TRANSITION_REQUIRED, JIRA_TRANSITIONS_FIELDS,
    JIRA_TRANSITIONS_FROM_STATUS,
};
use serde_json::{Map, Value, json};

use super::super::client::{Jira, Made, UNKNOWN, required_fields};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::Row;
use crate::suite::shape::{Shape, brief};
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/issues";
    transitions_lead_on: JIRA_TRANSITIONS_FROM_STATUS, Writing, transitions_lead_on;
    transitions_show_their_fields: JIRA_TRANSITIONS_FIELDS, Reading, transitions_show_their_fields;
    transition_204: JIRA_TRANSITION_204, Writing, transition_204;
    transition_invalid_400: JIRA_TRANSITION_INVALID, Writing, transition_invalid_400;
    transition_without_a_required_field_400: JIRA_TRANSITION_REQUIRED, Writing,
        transition_without_a_required_field_400;
}

/// How many steps an issue is led through its workflow.
const STEPS: usize = 3;

fn follow(api: Jira<'_>, made: &Made, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.post(&format!("issue/{}/transitions", made.key), body)
}

fn status(api: Jira<'_>, made: &Made) -> Result<Value, Stop> {
    Ok(api.field(&made.key, "status")?["id"].clone())
}

/// Whatever is listed leads on from where the issue is, step by step.
fn transitions_lead_on(case: &Case) -> Verdict {
    const TRANSITION: Shape = Shape::Members(&[
        ("id", Shape::FilledText),
        ("name", Shape::Text),
        ("to", Shape::Members(&[("id", Shape::FilledText), ("name", Shape::Text)])),
    ]);
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let (reply, evidence) = api.get(&format!("issue/{}/transitions", made.key))?;
    let is_list = reply.json().is_some_and(|json| json["transitions"].is_array());
    if reply.status != 200 || !is_list {
        return broken_at(&evidence, "200 and a list of `transitions`", reply.status);
    }
    let mut steps = 0;
    for _ in 0..STEPS {
        let ways = api.transitions(&made.key)?;
        let wrong = |row: &Row| (!TRANSITION.fits(&row.json)).then(|| brief(&row.json));
        ways.all(&format!("each transition is {TRANSITION}"), wrong)?;
        let from = status(api, &made)?;
        let leads_on = |row: &&Row| row.json["to"]["id"] != from && required_fields(row).next().is_none();
        let Some(way) = ways.rows.iter().find(leads_on) else { break };
        let (reply, evidence) = follow(api, &made, &json!({"transition": {"id": way.json["id"]}}))?;
        // A workflow may ask for more than its screens show, and send an issue on by itself.
        let is_plain = case.writes().is_none();
        if !reply.is_success() {
            observed(is_plain, format!("a listed transition is answered with {}", reply.status))?;
            let expected = format!("the listed transition {} leads on from {from}", way.json["id"]);
            return broken_at(&evidence, expected, reply.status);
        }
        let seen = status(api, &made)?;
        observed(is_plain || seen != from, "something sends the issue back")?;
        expect(seen == way.json["to"]["id"], format!("the status {}", way.json["to"]["id"]), seen)?;
        steps += 1;
    }
    Held::over(steps, "no transition leads on without fields")
}

/// Every transition of the first issues in each status.
fn transitions_show_their_fields(case: &Case) -> Verdict {
    const FIELD: Shape = Shape::Members(&[
        ("key", Shape::FilledText),
        ("name", Shape::Text),
        ("operations", Shape::ListOf(&Shape::Text)),
        ("required", Shape::Boolean),
        ("schema", Shape::Members(&[("type", Shape::FilledText)])),
    ]);
    let api = case.jira()?;
    let (mut statuses, mut fields) = (Vec::new(), 0);
    for issue in &api.issues()?.rows {
        let status = &issue.json["fields"]["status"]["id"];
        let Some(key) = issue.text("key").filter(|_| !statuses.contains(&status)) else { continue };
        statuses.push(status);
        for way in &api.transitions(key)?.rows {
            let Some(shown) = way.get("fields").and_then(Value::as_object) else {
                return broken_at(&way.evidence, "a transition shows its fields", brief(&way.json));
            };
            if let Some(wrong) = shown.values().find(|field| !FIELD.fits(field)) {
                return broken_at(&way.evidence, format!("a field of a transition is {FIELD}"), brief(wrong));
            }
            fields += shown.len();
        }
    }
    Held::over(fields, "no transition has a screen with fields")
}

fn transition_204(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let way = api.plain_transition(&made.key)?;
    let (reply, evidence) = follow(api, &made, &json!({"transition": {"id": way.json["id"]}}))?;
    observed(reply.is_success(), format!("a transition answers {}", reply.status))?;
    if reply.status != 204 {
        return broken_at(&evidence, "204", reply.status);
    }
    Held::once()
}

fn transition_invalid_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let way = api.plain_transition(&made.key)?;
    let (good, _) = follow(api, &made, &json!({"transition": {"id": way.json["id"]}}))?;
    observed(good.is_success(), format!("a good transition answers {}", good.status))?;
    let before = status(api, &made)?;
    let unknown = json!({"transition": {"id": UNKNOWN}});
    let mut bad = vec![("one that does not exist", unknown), ("none", json!({}))];
    let listed = api.transitions(&made.key)?;
    if !listed.rows.iter().any(|row| row.json["id"] == way.json["id"]) {
        bad.push(("one that leads on from another status", json!({"transition": {"id": way.json["id"]}})));
    }
    for (what, body) in &bad {
        let (reply, evidence) = follow(api, &made, body)?;
        if reply.status != 400 {
            return broken_at(&evidence, format!("400 for {what}"), reply.status);
        }
        let after = status(api, &made)?;
        expect(after == before, "a refused transition leads nowhere", after)?;
    }
    Held::over(bad.len(), "no bad transition")
}

/// A value that a field allows.
fn allowed(field: &Value) -> Option<Value> {
    Some(json!({"id": field["allowedValues"].as_array()?.first()?["id"]}))
}

fn transition_without_a_required_field_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let ways = api.transitions(&made.key)?;
    let can_be_filled = |row: &Row| {
        let mut required = required_fields(row).peekable();
        required.peek().is_some() && required.all(|(_, field)| allowed(field).is_some())
    };
    let way = ways.find("transition that requires a field of some values", can_be_filled)?;
    let values: Map<String, Value> =
        required_fields(way).filter_map(|(name, field)| Some((name.clone(), allowed(field)?))).collect();
    let before = status(api, &made)?;
    let (bare, evidence) = follow(api, &made, &json!({"transition": {"id": way.json["id"]}}))?;
    let after = status(api, &made)?;
    let (full, _) = follow(api, &made, &json!({"transition": {"id": way.json["id"]}, "fields": values}))?;
    // Where the bare one was granted the full one may find the issue elsewhere.
    observed(full.is_success() || bare.is_success(), format!("with the field it answers {}", full.status))?;
    if bare.status != 400 || before != after {
        return broken_at(&evidence, "400 without the required field", bare.status);
    }
    Held::once()
}
