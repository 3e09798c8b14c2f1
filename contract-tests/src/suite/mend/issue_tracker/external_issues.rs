//! `updateExternalIntegrationIssues`: the call, and what it counts.

use fixtures::spec::mend::{
    MEND_EXT_COUNTERS, MEND_EXT_ISSUES_REQUIRED, MEND_EXT_MANY_ITEMS, MEND_EXT_PLUGIN_TYPE,
    MEND_EXT_POLICY_ITEM, MEND_EXT_PROJECT_TOKEN, MEND_EXT_REPORT, MEND_EXT_REQUEST_TOKEN,
};
use serde_json::{Value, json};

use super::asking::{RequestTokens, project_of, with, without};
use super::reporting::{COUNTERS, Plugin, UPDATE, item};
use crate::suite::case::Case;
use crate::suite::check::{Held, Verdict, broken_at, checks, not_exercised, unclear};

checks! { "mend/external-issues";
    report_is_kept: MEND_EXT_REPORT, Lasting, report_is_kept;
    policy_item: MEND_EXT_POLICY_ITEM, Lasting, policy_item;
    project_token: MEND_EXT_PROJECT_TOKEN, Lasting, project_token;
    plugin_type_may_be_absent_or_jira: MEND_EXT_PLUGIN_TYPE, Lasting, plugin_type_may_be_absent_or_jira;
    items_required: MEND_EXT_ISSUES_REQUIRED, Lasting, items_required;
    request_token: MEND_EXT_REQUEST_TOKEN, Lasting, request_token;
    many_items_in_one_call: MEND_EXT_MANY_ITEMS, Lasting, many_items_in_one_call;
    counters_add_up: MEND_EXT_COUNTERS, Lasting, counters_add_up;
}

/// A ticket, and the fields of a call that reports it.
fn one(plugin: &Plugin<'_>) -> Value {
    plugin.fields(json!([item("1", json!({}))]))
}

fn report_is_kept(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let ticket = item("1", json!({}));
    plugin.reported(json!([ticket]))?;
    let (is_new, evidence) = plugin.is_new(&ticket)?;
    if is_new {
        return broken_at(&evidence, "a reported ticket is known from then on", evidence.reply_body());
    }
    // Another one is new: what was seen is no server that calls nothing new.
    match plugin.is_new(&item("2", json!({})))? {
        (true, _) => Held::once(),
        (false, _) => not_exercised("a ticket that was never reported is not counted as created"),
    }
}

fn policy_item(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let (name, good) = ("wsPolicyIssueItemUuid", one(&plugin));
    plugin.reported(good["externalIssues"].clone())?;
    plugin.refuses_call("a call without `wsPolicyIssueItemUuid`", &without(&good, name))?;
    let unknown = with(&good, name, Value::from("00000000-0000-4000-8000-000000000000"));
    plugin.refuses_call("the id of no violation", &unknown)
}

fn project_token(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let (name, good) = ("projectToken", one(&plugin));
    plugin.reported(good["externalIssues"].clone())?;
    plugin.refuses_call("a call without `projectToken`", &without(&good, name))?;
    let api = plugin.api;
    let other = api.policy_issues()?.find("issue in another project", |issue| {
        project_of(issue) != plugin.project && !issue.list("policyViolations").is_empty()
    })?;
    let elsewhere = with(&good, name, Value::from(project_of(other)));
    plugin.refuses_call("a violation of another project", &elsewhere)
}

fn plugin_type_may_be_absent_or_jira(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    plugin.reported(json!([item("1", json!({}))]))?;
    let fields = plugin.fields(json!([item("2", json!({}))]));
    let answer = plugin.api.call(UPDATE, &with(&fields, "issueTrackerPluginType", Value::from("JIRA")))?;
    if answer.is_refused() {
        return broken_at(&answer.evidence, "`issueTrackerPluginType` may be `JIRA`", &answer.json);
    }
    Held::once()
}

fn items_required(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let (name, good) = ("externalIssues", one(&plugin));
    plugin.reported(good[name].clone())?;
    plugin.refuses_call("a call without `externalIssues`", &without(&good, name))?;
    for wrong in [json!("CONTRACT-2"), item("2", json!({})), json!(2), json!(["CONTRACT-2"]), json!([2])] {
        let offence = format!("`externalIssues` that is {wrong}");
        plugin.refuses_call(&offence, &with(&good, name, wrong))?;
    }
    Held::once()
}

fn request_token(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let fields = |call: &str| plugin.fields(json!([item(call, json!({}))]));
    RequestTokens::ask(plugin.api, UPDATE, fields)?.come_when_asked_for("createdIssues")
}

fn many_items_in_one_call(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let tickets = ["1", "2", "3"].map(|identifier| item(identifier, json!({})));
    let answer = plugin.report(json!(tickets))?;
    if answer.is_refused() {
        plugin.reported(json!([tickets[0]]))?;
        return broken_at(&answer.evidence, "several tickets in one call", &answer.json);
    }
    let mut forgotten = None;
    let mut kept = 0;
    for ticket in &tickets {
        match plugin.is_new(ticket)? {
            (true, evidence) => forgotten = Some((ticket, evidence)),
            (false, _) => kept += 1,
        }
    }
    match forgotten {
        Some((ticket, evidence)) if kept > 0 => {
            let expected = format!("{ticket} was reported with the others");
            broken_at(&evidence, expected, evidence.reply_body())
        }
        _ => Held::over(kept, "no reported ticket is kept"),
    }
}

fn counters_add_up(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let tickets = ["1", "2", "3"].map(|identifier| item(identifier, json!({"status": "New"})));
    let moved = item("1", json!({"status": "Done"}));
    let calls = [
        tickets[..1].to_vec(),
        tickets.to_vec(),
        vec![moved, tickets[1].clone(), item("4", json!({})), item("5", json!({}))],
    ];
    let mut counted = 0;
    for items in calls {
        let answer = plugin.report(json!(items))?;
        if answer.is_refused() {
            return unclear("the call is refused", answer.refusal());
        }
        let counters: Option<Vec<u64>> =
            COUNTERS.iter().map(|counter| answer.json[*counter].as_u64()).collect();
        let sum: Option<u64> = counters.map(|counters| counters.iter().sum());
        if sum != u64::try_from(items.len()).ok() {
            let expected = format!("three numbers that make {}", items.len());
            return broken_at(&answer.evidence, expected, &answer.json);
        }
        counted += items.len();
    }
    Held::over(counted, "nothing was counted")
}
