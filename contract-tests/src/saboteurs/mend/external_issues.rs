//! Saboteurs of `updateExternalIntegrationIssues`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{Layer, body_of, edit_body, edit_json, is_any, json_of};
use super::answers::{UPDATE, does_without, list, refuses, remove, rows};

const NAME: &str = "updateExternalIntegrationIssues";

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [calls(), items()].into_iter().flatten().collect()
}

fn counted(created: usize) -> Value {
    json!({"createdIssues": created, "updatedIssues": 0, "unaffectedIssues": 0})
}

fn calls() -> Vec<Saboteur> {
    vec![
        Saboteur::new("mend/external-issues/report-is-kept", "forgets what was reported", forgets()),
        Saboteur::new(
            "mend/external-issues/policy-item",
            "acknowledges tickets of no violation",
            does_without(NAME, "wsPolicyIssueItemUuid", counted(1)),
        ),
        Saboteur::new(
            "mend/external-issues/project-token",
            "acknowledges tickets of no project",
            does_without(NAME, "projectToken", counted(1)),
        ),
        Saboteur::new(
            "mend/external-issues/plugin-type-may-be-absent-or-jira",
            "refuses any `issueTrackerPluginType`",
            refuses(NAME, |_, body| body.get("issueTrackerPluginType").is_some()),
        ),
        Saboteur::new(
            "mend/external-issues/items-required",
            "counts nothing where no items are",
            does_without(NAME, "externalIssues", counted(0)),
        ),
        Saboteur::new(
            "mend/external-issues/request-token",
            "always adds a token of the request",
            json_of(UPDATE, |json| {
                if json.get("createdIssues").is_some() {
                    json["requestToken"] = Value::from("0123456789abcdef0123456789abcdef");
                }
            }),
        ),
        Saboteur::new(
            "mend/external-issues/many-items-in-one-call",
            "stores the last of several items only",
            stores_the_last(),
        ),
        Saboteur::new(
            "mend/external-issues/counters-add-up",
            "counts an item that was not reported",
            json_of(UPDATE, |json| {
                if let Some(count) = json["unaffectedIssues"].as_u64() {
                    json["unaffectedIssues"] = Value::from(count + 1);
                }
            }),
        ),
    ]
}

/// Stores each item under an identifier that nobody will use again.
fn forgets() -> Layer {
    let calls = AtomicUsize::new(0);
    body_of(UPDATE, move |body| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        for item in rows(body, "externalIssues") {
            if let Some(text) = item["identifier"].as_str().filter(|text| (1..100).contains(&text.len())) {
                item["identifier"] = Value::from(format!("{text} ({call})"));
            }
        }
    })
}

/// Counts the others as created, all the same.
fn stores_the_last() -> Layer {
    Arc::new(|mut request, healthy| {
        let body = request.body_json().unwrap_or_default();
        let others = body["externalIssues"].as_array().map_or(0, |items| items.len().saturating_sub(1));
        if !is_any(&request, UPDATE) || others == 0 {
            return healthy.send(request);
        }
        edit_body(&mut request, |body| {
            if let Some(items) = list(body, "externalIssues") {
                items.drain(..others);
            }
        });
        let mut reply = healthy.send(request)?;
        edit_json(&mut reply, |json| {
            if let Some(count) = json["createdIssues"].as_u64() {
                json["createdIssues"] = Value::from(count + others as u64);
            }
        });
        Ok(reply)
    })
}

/// Changes every item on its way in.
fn incoming(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    body_of(UPDATE, move |body| rows(body, "externalIssues").for_each(&edit))
}

/// Changes a text of every item, if it is one.
fn text(pointer: &'static str, edit: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Layer {
    incoming(move |item| {
        if let Some(value) = item.pointer_mut(pointer)
            && let Some(changed) = value.as_str().and_then(&edit)
        {
            *value = Value::from(changed);
        }
    })
}

/// The text, cut to a length that it exceeds by one.
fn cut(most: usize) -> impl Fn(&str) -> Option<String> + Send + Sync {
    move |text| (text.chars().count() == most + 1).then(|| text.chars().take(most).collect())
}

fn items() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/external-issues/identifier-required",
            "gives an item without an identifier one",
            incoming(|item| {
                if item.is_object() && item.get("identifier").is_none() {
                    item["identifier"] = Value::from("WS-1");
                }
            }),
        ),
        Saboteur::new(
            "mend/external-issues/other-fields-may-be-absent",
            "wants a URL where there is more to say of a ticket",
            refuses(NAME, |_, body| {
                let mut items = body["externalIssues"].as_array().into_iter().flatten();
                items.any(|item| item["extraData"].is_object() && item.get("url").is_none())
            }),
        ),
        Saboteur::new(
            "mend/external-issues/priority-label-and-policy-id",
            "takes no notice of a policy's id",
            incoming(|item| {
                let is_harmless =
                    |text: &str| text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
                if item["extraData"]["policyId"].as_str().is_some_and(is_harmless) {
                    remove(&mut item["extraData"], "policyId");
                }
            }),
        ),
        Saboteur::new(
            "mend/external-issues/every-item-is-checked",
            "takes a bad status of a later item for none",
            body_of(UPDATE, |body| {
                for item in rows(body, "externalIssues").skip(1) {
                    if item["status"].as_str().is_some_and(|text| text.contains('<')) {
                        remove(item, "status");
                    }
                }
            }),
        ),
        Saboteur::new(
            "mend/external-issues/text-of-255-characters",
            "cuts a status of 256 characters",
            text("/status", cut(255)),
        ),
        Saboteur::new(
            "mend/external-issues/url-of-2000-characters",
            "cuts a URL of 2001 characters",
            text("/url", cut(2_000)),
        ),
        Saboteur::new(
            "mend/external-issues/date-times",
            "takes a month 13 for a twelfth",
            text("/created", |text| text.contains("-13-").then(|| text.replace("-13-", "-12-"))),
        ),
        Saboteur::new(
            "mend/external-issues/forbidden-characters",
            "takes the character % out of a status",
            text("/status", |text| text.contains('%').then(|| text.replace('%', ""))),
        ),
        Saboteur::new(
            "mend/external-issues/extra-data-is-a-map-of-strings",
            "takes numbers for texts",
            incoming(|item| {
                let extra = item.get_mut("extraData").and_then(Value::as_object_mut);
                for value in extra.into_iter().flat_map(|extra| extra.values_mut()) {
                    if value.is_number() {
                        *value = Value::from(value.to_string());
                    }
                }
            }),
        ),
    ]
}
