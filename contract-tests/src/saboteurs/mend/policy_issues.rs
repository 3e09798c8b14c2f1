//! Saboteurs of the page's overview and of `fetchProjectPolicyIssues`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{Layer, body_of, edit_json, is, json_of};
use super::answers::{FETCH, ask, does_without, issues, list, part, refuses, remove, rename, violations};

const ADD: &[&str] = &["addProjectPolicy"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [overview(), calls(), fields()].into_iter().flatten().collect()
}

fn overview() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/overview/both-versions-read",
            "has no types of matches in version 1.3",
            refuses("getPolicyMatchesConfiguration", |request, _| request.url.ends_with("/v1.3")),
        ),
        Saboteur::new(
            "mend/overview/both-versions-write",
            "takes no reports in version 1.3",
            refuses("updateExternalIntegrationIssues", |request, _| request.url.ends_with("/v1.3")),
        ),
        Saboteur::new(
            "mend/overview/alerts-resolved-by-scan",
            "goes on listing the alerts of a library that went",
            remembers_alerts(),
        ),
        Saboteur::new(
            "mend/overview/policies-of-every-scope",
            "takes no policies of products",
            refuses("addProductPolicy", |_, _| true),
        ),
        Saboteur::new(
            "mend/overview/create-issue-policy-opens-issues",
            "keeps added policies out of force",
            body_of(ADD, |body| {
                if body["policy"]["action"]["issueSettings"].is_object() {
                    remove(&mut body["policy"]["action"], "issueSettings");
                }
            }),
        )
        .also(&[("mend/policies/issue-settings", "a policy that is not in force matches nothing")]),
    ]
}

/// Keeps the alerts it saw of a project, and lists again those whose library the project has no more.
fn remembers_alerts() -> Layer {
    type Alerts = BTreeMap<String, Value>;
    let seen: Mutex<BTreeMap<String, Alerts>> = Mutex::default();
    let id = |alert: &Value| alert["alertUuid"].as_str().unwrap_or_default().to_owned();
    Arc::new(move |request, healthy| {
        let mut reply = healthy.send(request.clone())?;
        let Some(mut shown) = reply.json().filter(|_| is(&request, "getProjectAlerts")) else {
            return Ok(reply);
        };
        let licensed = ask(&request, healthy, "getProjectLicenses", &json!({}))?.json().unwrap_or_default();
        let libraries = licensed["libraries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_gone = |alert: &Value| {
            !libraries.iter().any(|library| library["keyUuid"] == alert["library"]["keyUuid"])
        };
        let body = request.body_json().unwrap_or_default();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let of_project = seen.entry(format!("{}/{}", body["userKey"], body["projectToken"])).or_default();
        if let Some(alerts) = list(&mut shown, "alerts") {
            let now: BTreeSet<String> = alerts.iter().map(id).collect();
            let gone = of_project.iter().filter(|(uuid, alert)| !now.contains(*uuid) && is_gone(alert));
            let gone: Vec<Value> = gone.map(|(_, alert)| alert.clone()).collect();
            of_project.extend(alerts.iter().map(|alert| (id(alert), alert.clone())));
            alerts.extend(gone);
            edit_json(&mut reply, |json| *json = shown.clone());
        }
        Ok(reply)
    })
}

fn calls() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/policy-issues/matched-library-is-an-issue",
            "leaves out libraries of which it knows no path",
            json_of(FETCH, |json| {
                if let Some(issues) = list(json, "issues") {
                    issues.retain(|issue| issue["library"]["localPaths"] != json!([]));
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/legacy-policies-left-out",
            "takes every policy that creates issues for one of this tracker",
            body_of(ADD, |body| {
                if let Some(action) = body.pointer_mut("/policy/action").and_then(Value::as_object_mut)
                    && action.get("type") == Some(&json!("CREATE_ISSUE"))
                {
                    action.insert(
                        "issueSettings".to_owned(),
                        json!({"issueTrackerType": "COMMON_ISSUE_TRACKER"}),
                    );
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/other-actions-left-out",
            "shows what policies that reject match",
            rejecting_creates_issues(),
        ),
        Saboteur::new(
            "mend/policy-issues/scope-is-that-of-the-project",
            "names the organization where the product belongs",
            json_of(FETCH, |json| {
                let organization = json["organization"]["orgToken"].clone();
                if let Some(token) = json.pointer_mut("/product/productToken") {
                    *token = organization;
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/issue-comes-with-its-parts",
            "shows old libraries without what violates",
            issues(|issue| {
                if issue["policy"]["policyMatch"]["type"] == "LIBRARY_STALENESS"
                    && let Some(violations) = list(issue, "policyViolations")
                {
                    violations.clear();
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/request-type-required",
            "takes a call without a name for one about issues",
            nameless_fetches(),
        ),
        Saboteur::new(
            "mend/policy-issues/project-token",
            "answers no issues where no project is named",
            does_without(
                "fetchProjectPolicyIssues",
                "projectToken",
                json!({"organization": {}, "product": {}, "project": {}, "issues": []}),
            ),
        ),
        Saboteur::new(
            "mend/policy-issues/action-type-may-be-absent",
            "wants to be told the type of action",
            refuses("fetchProjectPolicyIssues", |_, body| body.get("policyActionType").is_none()),
        ),
        Saboteur::new(
            "mend/policy-issues/window",
            "ignores both bounds",
            body_of(FETCH, |body| {
                remove(body, "fromDateTime");
                remove(body, "toDateTime");
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/user-key-required",
            "tells everybody the types of matches",
            does_without("getPolicyMatchesConfiguration", "userKey", json!({"matches": []})),
        ),
    ]
}

/// Makes an added policy that rejects one that creates issues, and does not say so.
fn rejecting_creates_issues() -> Layer {
    Arc::new(|request, healthy| {
        let mut request = request;
        let body = request.body_json().unwrap_or_default();
        let rejects = is(&request, "addProjectPolicy") && body["policy"]["action"]["type"] == "REJECT";
        if !rejects {
            return healthy.send(request);
        }
        super::super::layers::edit_body(&mut request, |body| {
            let settings = json!({"issueTrackerType": "COMMON_ISSUE_TRACKER"});
            body["policy"]["action"] = json!({"type": "CREATE_ISSUE", "issueSettings": settings});
        });
        let mut reply = healthy.send(request)?;
        edit_json(&mut reply, |json| {
            if let Some(kind) = json.pointer_mut("/action/type") {
                *kind = Value::from("REJECT");
            }
        });
        Ok(reply)
    })
}

fn nameless_fetches() -> Layer {
    Arc::new(|request, healthy| match request.body_json() {
        Some(body) if body.get("projectToken").is_some() && body.get("requestType").is_none() => {
            ask(&request, healthy, "fetchProjectPolicyIssues", &json!({}))
        }
        _ => healthy.send(request),
    })
}

#[expect(clippy::too_many_lines, reason = "a table, one entry per check")]
fn fields() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/policy-issues/scope-fields",
            "leaves out the organization's name",
            json_of(FETCH, |json| {
                if let Some(organization) = json.get_mut("organization") {
                    remove(organization, "domainName");
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/issue-fields",
            "shows an only violation without a list around it",
            issues(|issue| {
                if issue["policy"]["policyMatch"]["type"] == "LIBRARY_STALENESS"
                    && let [violation] =
                        issue["policyViolations"].as_array().map(Vec::as_slice).unwrap_or_default()
                {
                    issue["policyViolations"] = violation.clone();
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/policy-match",
            "names the first licence of several only",
            part("/policy/policyMatch", |matched| {
                if let Some(value) = matched.get_mut("value")
                    && let Some((first, _)) = value.as_str().and_then(|text| text.split_once(','))
                {
                    *value = Value::from(first);
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/policy-fields",
            "leaves out whether a policy is inclusive",
            issues(|issue| {
                if issue["policy"].is_object() {
                    remove(&mut issue["policy"], "inclusive");
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/policy-owner",
            "leaves out the owner's address",
            part("/policy/owner", |owner| drop(owner.remove("email"))),
        ),
        Saboteur::new(
            "mend/policy-issues/policy-filter",
            "leaves scores out of filters by licence",
            part("/policy/filter", |filter| {
                if filter.contains_key("licenses") {
                    filter.remove("scoreTo");
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/policy-action",
            "writes `failPolicyCheck` as a text",
            part("/policy/action", |action| {
                if let Some(fails) = action.get_mut("failPolicyCheck") {
                    *fails = Value::from(fails.to_string());
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/policy-creation-time-is-a-day",
            "adds the time of day to a policy's creation",
            part("/policy", |policy| {
                if let Some(time) = policy.get_mut("creationTime") {
                    *time = Value::from(format!("{} 00:00:00", time.as_str().unwrap_or_default()));
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/library-fields",
            "writes `keyId` as a text",
            part("/library", |library| {
                if let Some(id) = library.get_mut("keyId") {
                    *id = Value::from(id.to_string());
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/violation-fields",
            "leaves out when a violation changed",
            violations(|violation| remove(violation, "lastModified")),
        ),
        Saboteur::new(
            "mend/policy-issues/violation-dates-are-days",
            "adds the time of day to when a violation came up",
            violations(|violation| {
                if let Some(time) = violation.get_mut("created") {
                    *time = Value::from(format!("{} 00:00:00", time.as_str().unwrap_or_default()));
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/standing-violation-is-open",
            "calls a violation that stands ACTIVE",
            violations(|violation| {
                if let Some(status) = violation.get_mut("status") {
                    *status = Value::from("ACTIVE");
                }
            }),
        )
        .also(&[("mend/policies/issue-settings", "it counts violations that are OPEN")]),
        Saboteur::new(
            "mend/policy-issues/violation-by-license",
            "leaves out the references of a licence",
            violations(|violation| {
                if violation["license"].is_object() {
                    remove(&mut violation["license"], "references");
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/violation-by-vulnerability",
            "shows the score of a vulnerability as `cvssScore`",
            violations(|violation| {
                if violation["vulnerability"].is_object() {
                    rename(&mut violation["vulnerability"], "score", "cvssScore");
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-issues/violation-is-about-one-thing",
            "shows a vulnerability beside the licence",
            violations(|violation| {
                if violation["license"].is_object() {
                    violation["vulnerability"] = json!({"name": "EXAMPLE-2020-0001"});
                }
            }),
        ),
    ]
}
