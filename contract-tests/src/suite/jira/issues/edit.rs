//! Editing, assigning and deleting.

use fixtures::spec::jira::{
    JIRA_ASSIGN_204, JIRA_DELETE_204, JIRA_EDIT_204, JIRA_EDIT_BOTH, JIRA_EDIT_INVALID,
    JIRA_EDIT_NO_TRANSITION,
};
use serde_json::{Value, json};

use super::super::client::{Jira, Made, required_fields};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/issues";
    edit_204_or_the_issue: JIRA_EDIT_204, Writing, edit_204_or_the_issue;
    edit_invalid_400: JIRA_EDIT_INVALID, Writing, edit_invalid_400;
    edit_ignores_a_transition: JIRA_EDIT_NO_TRANSITION, Writing, edit_ignores_a_transition;
    edit_in_one_way_per_field: JIRA_EDIT_BOTH, Writing, edit_in_one_way_per_field;
    assign_204: JIRA_ASSIGN_204, Writing, assign_204;
    delete_204: JIRA_DELETE_204, Writing, delete_204;
}

fn edit(api: Jira<'_>, made: &Made, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.put(&format!("issue/{}", made.key), body)
}

/// Edits, as a prerequisite.
fn edited(api: Jira<'_>, made: &Made, body: &Value) -> Result<(), Stop> {
    let (reply, _) = edit(api, made, body)?;
    observed(reply.is_success(), format!("a good edit answers {}", reply.status))
}

fn edit_204_or_the_issue(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let (reply, evidence) = edit(api, &made, &json!({"fields": {"summary": "Edited"}}))?;
    observed(reply.is_success(), format!("an edit answers {}", reply.status))?;
    if reply.status != 204 {
        return broken_at(&evidence, "204", reply.status);
    }
    let path = format!("issue/{}?returnIssue=true", made.key);
    let (reply, evidence) = api.put(&path, &json!({"fields": {"summary": "Edited again"}}))?;
    let json = reply.json().unwrap_or_default();
    if reply.status != 200 || json["key"] != made.key.as_str() || json["fields"]["summary"] != "Edited again"
    {
        return broken_at(&evidence, "200 and the issue", reply.status);
    }
    Held::once()
}

/// The page names 400 for the field; of the value it does not say what a refusal is.
fn edit_invalid_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    edited(api, &made, &json!({"fields": {"summary": "As it is"}}))?;
    let of_no_field = json!({"fields": {"summary": "Changed", "customfield_999999": "x"}});
    let (reply, evidence) = edit(api, &made, &of_no_field)?;
    if reply.status != 400 {
        return broken_at(&evidence, "400 for a field that does not exist", reply.status);
    }
    let of_no_text = json!({"fields": {"summary": {"text": "Changed"}}});
    let (reply, evidence) = edit(api, &made, &of_no_text)?;
    if !(400..500).contains(&reply.status) {
        return broken_at(&evidence, "a summary that is no text is refused", reply.status);
    }
    Held::once()
}

fn edit_ignores_a_transition(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let status = api.field(&made.key, "status")?["id"].clone();
    let ways = api.transitions(&made.key)?;
    let way = ways.find("transition without fields that leads on", |row| {
        row.json["to"]["id"] != status && required_fields(row).next().is_none()
    })?;
    let body = json!({"fields": {"summary": "Edited"}, "transition": {"id": way.json["id"]}});
    let (reply, evidence) = edit(api, &made, &body)?;
    let fields = api.issue(&made.key)?.json["fields"].clone();
    if !reply.is_success() || fields["summary"] != "Edited" || fields["status"]["id"] != status {
        let expected = format!("the edit is done and the status stays {status}");
        return broken_at(&evidence, expected, format!("{} {}", reply.status, fields["status"]["id"]));
    }
    Held::once()
}

fn edit_in_one_way_per_field(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let fields = json!({"summary": "In fields"});
    let update = json!({"summary": [{"set": "In update"}]});
    edited(api, &made, &json!({"fields": fields}))?;
    edited(api, &made, &json!({"update": update}))?;
    let (reply, evidence) = edit(api, &made, &json!({"fields": fields, "update": update}))?;
    if !(400..500).contains(&reply.status) {
        return broken_at(&evidence, "a field that is in `fields` and in `update` is refused", reply.status);
    }
    Held::once()
}

fn assign_204(case: &Case) -> Verdict {
    let api = case.jira()?;
    let own = api.item("myself")?.json["accountId"].clone();
    let made = api.make(&json!({}))?;
    let assign = |id: &Value| api.put(&format!("issue/{}/assignee", made.key), &json!({"accountId": id}));
    let (reply, evidence) = assign(&own)?;
    observed(reply.is_success(), format!("an assignment answers {}", reply.status))?;
    if reply.status != 204 {
        return broken_at(&evidence, "204", reply.status);
    }
    let shown = api.field(&made.key, "assignee")?;
    observed(shown["accountId"] == own, "the issue is not assigned to the user")?;
    let (reply, evidence) = assign(&Value::Null)?;
    let shown = api.field(&made.key, "assignee")?;
    if reply.status != 204 || !shown.is_null() {
        return broken_at(&evidence, "204, and nobody is assigned", reply.status);
    }
    Held::once()
}

fn delete_204(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    api.issue(&made.key)?;
    let path = format!("issue/{}", made.key);
    let (reply, evidence) = api.delete(&path)?;
    observed(reply.is_success(), format!("a deletion answers {}", reply.status))?;
    if reply.status != 204 {
        return broken_at(&evidence, "204", reply.status);
    }
    let (reply, evidence) = api.get(&path)?;
    if reply.is_success() {
        return broken_at(&evidence, "a deleted issue is gone", reply.status);
    }
    Held::once()
}
