//! `PATCH security_findings/:id`.

use fixtures::spec::data_theorem::{
    DT_FINDING_PATCH_NULL_PRIORITY, DT_FINDING_PATCH_PERMISSION, DT_FINDING_PATCH_PRIORITY,
    DT_FINDING_PATCH_PRIORITY_VALUES, DT_FINDING_PATCH_REPLY,
};
use serde_json::{Value, json};

use super::super::client::{DataTheorem, FINDINGS};
use super::subjects::{key_without, needs_permission, refuses};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::Row;
use crate::target::exchange::{Evidence, Reply};

checks! { "data-theorem/findings";
    patch_reply: DT_FINDING_PATCH_REPLY, Writing, patch_reply;
    patch_permission: DT_FINDING_PATCH_PERMISSION, Control, patch_permission;
    patch_priority: DT_FINDING_PATCH_PRIORITY, Writing, patch_priority;
    patch_null_priority: DT_FINDING_PATCH_NULL_PRIORITY, Writing, patch_null_priority;
    patch_priority_values: DT_FINDING_PATCH_PRIORITY_VALUES, Writing, patch_priority_values;
}

/// The permission, by the name that the simulator gives it; the page names none.
const PERMISSION: &str = "results_api.can_set_issues_priority";

/// A finding whose priority may be changed, put back afterwards.
fn finding(case: &Case) -> Result<(DataTheorem<'_>, Row, String), Stop> {
    let api = case.data_theorem()?;
    let finding = api.changeable_finding()?;
    api.restore_priority(&finding);
    let id = finding.text("id").unwrap_or_default().to_owned();
    Ok((api, finding, id))
}

fn patch(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.patch(&format!("{FINDINGS}/{id}"), body)
}

/// Sets a priority, as a prerequisite.
fn set(api: DataTheorem<'_>, id: &str, priority: &str) -> Result<(Reply, Evidence), Stop> {
    let (reply, evidence) = patch(api, id, &json!({"priority": priority}))?;
    observed(reply.is_success(), format!("setting the priority {priority} answers {}", reply.status))?;
    Ok((reply, evidence))
}

fn patch_reply(case: &Case) -> Verdict {
    let (api, finding, id) = finding(case)?;
    let other = if finding.text("priority") == Some("P1") { "P2" } else { "P1" };
    let (reply, evidence) = set(api, &id, other)?;
    let shown = api.finding(&id)?;
    observed(shown.text("priority") == Some(other), "the PATCH had no effect")?;
    if reply.status != 200 {
        return broken_at(&evidence, "status 200", reply.status);
    }
    let replied = reply.json().unwrap_or_default();
    if replied != shown.json {
        let seen = format!("{replied}, where a GET shows {}", shown.json);
        return broken_at(&evidence, "the reply is what a GET shows", seen);
    }
    Held::once()
}

fn patch_priority(case: &Case) -> Verdict {
    let (api, _, id) = finding(case)?;
    let priorities = ["P0", "P1", "P2", "P3", "P4"];
    for priority in priorities {
        let (reply, evidence) = patch(api, &id, &json!({"priority": priority}))?;
        if !reply.is_success() {
            return broken_at(&evidence, format!("the priority can be set to {priority}"), reply.status);
        }
        let shown = api.finding(&id)?;
        let seen = shown.text("priority").unwrap_or("nothing");
        expect(seen == priority, format!("`priority` is {priority} afterwards"), seen)?;
    }
    Held::over(priorities.len(), "no priority")
}

fn patch_null_priority(case: &Case) -> Verdict {
    let (api, _, id) = finding(case)?;
    for priority in ["P1", "P2"] {
        set(api, &id, priority)?;
        let shown = api.finding(&id)?;
        observed(shown.text("priority") == Some(priority), format!("the priority is not {priority}"))?;
        for body in [json!({}), json!({"priority": null})] {
            let (reply, evidence) = patch(api, &id, &body)?;
            if !reply.is_success() {
                return broken_at(&evidence, format!("{body} is accepted"), reply.status);
            }
            let shown = api.finding(&id)?;
            let seen = shown.text("priority").unwrap_or("nothing");
            expect(seen == priority, format!("`priority` is {priority} still"), seen)?;
        }
    }
    Held::once()
}

fn patch_priority_values(case: &Case) -> Verdict {
    let (api, _, id) = finding(case)?;
    set(api, &id, "P1")?;
    let bad = ["P5", "P", "HIGH", ""].map(|value| json!({"priority": value}));
    refuses(api, &id, &bad, patch)?;
    refuses(api, &id, &[json!({"priority": 1}), json!({"priority": ["P1"]})], patch)
}

fn patch_permission(case: &Case) -> Verdict {
    let (api, finding, id) = finding(case)?;
    let other = if finding.text("priority") == Some("P1") { "P2" } else { "P1" };
    needs_permission(api, PERMISSION, &id, |api, id| patch(api, id, &json!({"priority": other})))?;
    let key = key_without(&api, PERMISSION)?;
    let (reply, evidence) = patch(api.with_key(&key.api_key), &id, &json!({}))?;
    if !reply.is_success() {
        return broken_at(&evidence, "no permission is needed to leave the priority as it is", reply.status);
    }
    Held::once()
}
