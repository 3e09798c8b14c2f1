//! What all calls have in common.

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{
    AUDITOR, PROJECT, ask, ask_organization, count, fetch, first_violation, outcome, plain, playing, seen_in,
};
use crate::support::{Api, mend_body, mend_request};

/// A text with zeros for its digits.
fn form(text: &Value) -> String {
    text.as_str().unwrap().chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
}

/// What the sandbox's own port answers to this body, which nobody can be found by.
async fn status_and_outcome(api: &Api, body: &'static str) -> String {
    let router = api.server.sandbox_router("default").unwrap();
    let Ok(response) = router.oneshot(mend_request("v1.4", Body::from(body))).await;
    let (status, rule) = (response.status().as_u16(), response.headers()["x-mock-rule"].clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    format!("{status} {} {}", body["errorCode"], rule.to_str().unwrap())
}

pub(super) fn cases() -> Vec<super::Case> {
    let mut cases = form_cases();
    cases.extend(code_cases());
    cases.extend(list_cases());
    cases
}

fn form_cases() -> Vec<super::Case> {
    cases! {
        "mend.dates": |api| {
            plain(&api);
            let vitals = ask(&api, "getProjectVitals", json!({})).await.mend_ok()["projectVitals"][0].take();
            let rows = ask_organization(&api, "getOrganizationLastModifiedProjects", json!({})).await.mend_ok();
            let row = &rows["lastModifiedProjects"][0];
            let violation = first_violation(&api).await;
            format!("{}, {}, {}", form(&vitals["lastUpdatedDate"]), form(&row["lastModified"]), form(&violation["created"]))
        } => {
            "per-field": "0000-00-00 00:00:00 +0000, 0000-00-00 00:00:00, 0000-00-00",
            "days-everywhere": "0000-00-00, 0000-00-00, 0000-00-00"
        }
        "mend.json-strictness": |api| {
            plain(&api);
            let body = mend_body("getPolicyMatchesConfiguration", json!({"orgToken": api.server.mend().org_token()}));
            let user_key = api.server.mend().user_key().to_owned();
            let text = body.to_string().replacen('{', &format!("{{\"userKey\": \"{user_key}\", // mine\n"), 1);
            let text = text.replacen("\"}", "\",}", 1);
            let commented = outcome(&api.raw(mend_request("v1.4", text.clone())).await);
            format!("{commented}, {}", outcome(&api.raw(mend_request("v1.4", text.replace(',', ",,"))).await))
        } => {
            "strict": "3000 mend.json-strictness, 3000 mend.unreadable-body",
            "lenient": "ok, 3000 mend.unreadable-body"
        }
        "mend.request-token-flag": |api| {
            plain(&api);
            let mut seen = Vec::new();
            for flag in [json!(true), json!("true"), json!("false")] {
                let fields = json!({"includeRequestToken": flag});
                let reply = ask_organization(&api, "getOrganizationLastModifiedProjects", fields).await;
                seen.push(seen_in(&reply, |body| body["requestToken"].is_string().to_string()));
            }
            seen.join(", ").replace("3000 mend.request-token-flag", "no")
        } => { "boolean-or-string": "true, true, false", "boolean": "true, no, no" }
        "mend.other-integration-type": |api| {
            plain(&api);
            let fields = json!({"integrationType": "int__1"});
            let reply = ask_organization(&api, "getIntegrationActivationToken", fields).await;
            seen_in(&reply, |body| (!body["activationToken"].as_str().unwrap().is_empty()).to_string())
        } => { "refused": "3000 mend.other-integration-type", "accepted": "true" }
        "mend.foreign-scope-token": |api| {
            plain(&api);
            let reply = fetch(&api, json!({"orgToken": api.server.mend().org_token()})).await;
            format!("{} {}", count(&reply, "issues"), reply.json()["warningMessages"])
        } => { "silent": "2 null", "warned": "2 [\"Invalid input: orgToken\"]" }
    }
}

fn code_cases() -> Vec<super::Case> {
    cases! {
        "mend.missing-field-code": |api| {
            plain(&api);
            let token = outcome(&api.mend("fetchProjectPolicyIssues", json!({})).await);
            format!("{token}, {}", outcome(&ask(&api, "getProjectLibrariesInfo", json!({})).await))
        } => {
            "3010": "3010 MEND-AUTH-SCOPE-TOKEN, 3010 MEND-LIBRARIES-KEY-UUIDS",
            "3000": "3000 MEND-AUTH-SCOPE-TOKEN, 3000 MEND-LIBRARIES-KEY-UUIDS"
        }
        "mend.bad-value-code": |api| {
            plain(&api);
            let fields = json!({"fromDateTime": "yesterday", "toDateTime": "today"});
            let date = outcome(&fetch(&api, fields).await);
            format!("{date}, {}", outcome(&ask(&api, "getProjectAlertsByType", json!({"alertType": "x"})).await))
        } => {
            "3000": "3000 mend.fetch-window-format, 3000 MEND-ALERTS-TYPES",
            "2021": "2021 mend.fetch-window-format, 2021 MEND-ALERTS-TYPES"
        }
        "mend.unknown-scope-token": |api| {
            plain(&api);
            outcome(&api.mend("fetchProjectPolicyIssues", json!({"projectToken": "nope"})).await)
        } => { "5001": "5001 mend.unknown-scope-token", "3000": "3000 mend.unknown-scope-token" }
        "mend.unknown-policy-item": |api| {
            plain(&api);
            let uuid = "00000000-0000-4000-8000-000000000000";
            let fields = json!({"wsPolicyIssueItemUuid": uuid, "externalIssues": [{"identifier": "WPM-1"}]});
            outcome(&ask(&api, "updateExternalIntegrationIssues", fields).await)
        } => { "3000": "3000 mend.unknown-policy-item", "5001": "5001 mend.unknown-policy-item" }
        "mend.unknown-request-type": |api| {
            plain(&api);
            outcome(&ask(&api, "getProjectNothing", json!({})).await)
        } => { "3000": "3000 mend.unknown-request-type", "4000": "4000 mend.unknown-request-type" }
        "mend.unreadable-body": |api| {
            plain(&api);
            format!("{}, {}", status_and_outcome(&api, "{").await, status_and_outcome(&api, "[]").await)
        } => {
            "3000": "200 3000 mend.unreadable-body, 200 3000 mend.unreadable-body",
            "400": "400 3000 mend.unreadable-body, 400 3000 mend.unreadable-body"
        }
        "mend.auditor-writes": |api| {
            plain(&api);
            let auditor = api.server.mend().user_key_of(AUDITOR).unwrap().to_owned();
            let tag = json!({"projectToken": PROJECT, "tagKey": "team", "tagValue": "blue"});
            let wrote = outcome(&api.mend_as(&auditor, "v1.4", mend_body("saveProjectTag", tag)).await);
            let token = json!({"projectToken": PROJECT});
            let read = outcome(&api.mend_as(&auditor, "v1.4", mend_body("getProjectTags", token)).await);
            format!("{wrote}, {read}")
        } => { "allowed": "ok, ok", "refused": "5001 mend.auditor-writes, ok" }
    }
}

fn list_cases() -> Vec<super::Case> {
    cases! {
        "mend.tag-values": |api| {
            plain(&api);
            for value in ["blue", "green"] {
                let _ = ask(&api, "saveProjectTag", json!({"tagKey": "team", "tagValue": value})).await.mend_ok();
            }
            ask(&api, "getProjectTags", json!({})).await.mend_ok()["projectTags"][0]["tags"].to_string()
        } => { "list": "{\"team\":[\"blue\",\"green\"]}", "scalar": "{\"team\":\"green\"}" }
        "mend.list-order": |api| {
            playing(&api, "mend-window-edges");
            let mut days = Vec::new();
            for _ in 0..2 {
                let issues = fetch(&api, json!({})).await.mend_ok()["issues"].take();
                let keys = issues.as_array().unwrap().iter().map(|issue| issue["library"]["keyId"].as_u64().unwrap());
                days.push(keys.collect::<Vec<_>>());
            }
            let mut sorted = days[0].clone();
            sorted.sort_unstable();
            assert_eq!(sorted.len(), 14);
            format!("by number {}, twice the same {}", days[0] == sorted, days[0] == days[1])
        } => {
            "stable": "by number true, twice the same true",
            "shuffled": "by number false, twice the same true"
        }
    }
}
