//! Which matches there are, and how they look.

use fixtures::builders::mend::{library, licenses, policy, project, violation};
use fixtures::world::mend::{Cause, Cvss3Spec, Event, Filter, Severity};
use serde_json::{Value, json};

use super::{
    PRODUCT, PROJECT, VULNERABILITY, account, ask, ask_organization, count, fetch, first_violation, next_day,
    plain, put, scan, violations,
};
use crate::support::Api;

/// A project whose only library is matched by this policy of the product.
fn one_policy(api: &Api, filter: Filter, is_enabled: bool) {
    let library = library("g", "copyleft", "1").license("GPL 3.0").vulnerability(VULNERABILITY);
    let cause = Cause::License("GPL 3.0".to_owned());
    let policy = policy("Policy", filter).id(7).on_product(PRODUCT);
    let mut world = account(api);
    if !is_enabled {
        world = world.mend_evaluated().mend_violation(violation(7, PROJECT, library.key_uuid(), cause));
    }
    let policy = if is_enabled { policy } else { policy.disabled() };
    put(api, world.mend_policy(policy).mend_project(project("Api").token(PROJECT).library(library)).build());
}

fn copyleft() -> Filter {
    licenses(["GPL 3.0"])
}

async fn first_policy(api: &Api) -> Value {
    fetch(api, json!({})).await.mend_ok()["issues"][0]["policy"].take()
}

/// The body of a policy about a licence, owned by whoever owns the first.
async fn policy_about(api: &Api, name: &str, license: &str) -> Value {
    let owner = first_policy(api).await["owner"].take();
    let action =
        json!({"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}});
    let filter = json!({"type": "LICENSE", "licenses": [{"name": license}]});
    json!({"policy": {"name": name, "owner": owner, "filter": filter, "action": action}})
}

pub(super) fn cases() -> Vec<super::Case> {
    cases! {
        "mend.disabled-policies": |api| {
            one_policy(&api, copyleft(), false);
            let issues = fetch(&api, json!({})).await.mend_ok()["issues"].take();
            issues.pointer("/0/policy/enabled").map_or_else(|| "nothing".to_owned(), ToString::to_string)
        } => { "listed": "false", "omitted": "nothing" }
        "mend.resolved-violations": |api| {
            plain(&api);
            scan(&api, &[], &["copyleft"]);
            let issues = fetch(&api, json!({})).await.mend_ok()["issues"].take();
            let statuses = issues.as_array().unwrap().iter().map(|issue| &issue["policyViolations"][0]["status"]);
            let mut statuses: Vec<_> = statuses.map(ToString::to_string).collect();
            statuses.sort();
            statuses.join(" ")
        } => { "omitted": "\"OPEN\"", "listed": "\"OPEN\" \"RESOLVED\"" }
        "mend.policy-conflict": |api| {
            plain(&api);
            let mut added = policy_about(&api, "Licences", "MIT").await;
            added["policy"]["filter"]["licenses"] = json!([{"name": "GPL 3.0"}, {"name": "MIT"}]);
            let _ = ask_organization(&api, "addOrganizationPolicy", added).await.mend_ok();
            violations(&fetch(&api, json!({})).await)
        } => {
            "per-cause": "Copyleft GPL 3.0, High EXAMPLE-2024-0001, Licences MIT",
            "per-library": "Copyleft GPL 3.0, High EXAMPLE-2024-0001",
            "none": "Copyleft GPL 3.0, High EXAMPLE-2024-0001, Licences GPL 3.0, Licences MIT"
        }
        "mend.high-includes-critical": |api| {
            let of = |severity| Filter::VulnerabilitySeverity { severity, effective_only: false };
            let mut seen = Vec::new();
            for severity in [Severity::High, Severity::Critical] {
                one_policy(&api, of(severity), true);
                seen.push(count(&fetch(&api, json!({})).await, "issues"));
            }
            seen.join(" ")
        } => { "no": "0 1", "yes": "1 1" }
        "mend.other-violation-type": |api| {
            let pattern = "*.jar".to_owned();
            one_policy(&api, Filter::ResourceNameRegex { pattern }, true);
            first_violation(&api).await["violationType"].to_string()
        } => { "match-type": "\"RESOURCE_NAME_REGEX\"", "library": "\"LIBRARY\"" }
        "mend.match-again": |api| {
            one_policy(&api, copyleft(), true);
            let before = first_violation(&api).await;
            next_day(&api);
            scan(&api, &[], &["copyleft"]);
            assert_eq!(count(&fetch(&api, json!({})).await, "issues"), "0");
            scan(&api, &["copyleft"], &[]);
            let after = first_violation(&api).await;
            let same = |field: &str| before[field] == after[field];
            format!("same id {}, same creation {}", same("issueUuid"), same("created"))
        } => { "new-uuid": "same id false, same creation false", "same-uuid": "same id true, same creation true" }
        "mend.new-policy-acts": |api| {
            plain(&api);
            let added = policy_about(&api, "Permissive", "MIT").await;
            let _ = ask(&api, "addProjectPolicy", added).await.mend_ok();
            let before = count(&fetch(&api, json!({})).await, "issues");
            scan(&api, &[], &[]);
            format!("{before}, {} after a scan", count(&fetch(&api, json!({})).await, "issues"))
        } => { "at-once": "3, 3 after a scan", "next-scan": "2, 3 after a scan" }
        "mend.rescore-touches-violation": |api| {
            one_policy(&api, Filter::VulnerabilityScore { from: 7.0, to: 10.0 }, true);
            let before = first_violation(&api).await;
            next_day(&api);
            let (name, cvss3) = (VULNERABILITY.to_owned(), Some(Cvss3Spec { score: 8.1, vector: None }));
            let _ = api.control().happen(&Event::VulnerabilityRescored { name, score: None, cvss3 }).unwrap();
            let after = first_violation(&api).await;
            assert_eq!(after["issueUuid"], before["issueUuid"]);
            assert_eq!(after["vulnerability"]["cvss3_score"], 8.1);
            if after["lastModified"] == before["lastModified"] { "stayed" } else { "moved" }
        } => { "yes": "moved", "no": "stayed" }
        "mend.ignored-alert-violation": |api| {
            one_policy(&api, Filter::VulnerabilityScore { from: 7.0, to: 10.0 }, true);
            let asked = json!({"alertType": "SECURITY_VULNERABILITY"});
            let alert = ask(&api, "getProjectAlertsByType", asked).await.mend_ok()["alerts"][0]["alertUuid"].take();
            let mut seen = Vec::new();
            for status in ["Ignored", "Active"] {
                let change = json!({"alertUuids": [alert], "status": status});
                let _ = ask_organization(&api, "setAlertsStatus", change).await.mend_ok();
                seen.push(count(&fetch(&api, json!({})).await, "issues"));
            }
            seen.join(" then ")
        } => { "unaffected": "1 then 1", "resolved": "0 then 1" }
        "mend.policy-url-key": |api| {
            plain(&api);
            let policy = first_policy(&api).await;
            ["Url", "url"].into_iter().filter(|key| policy.get(key).is_some()).collect::<Vec<_>>().join(" ")
        } => { "capital": "Url", "lower": "url" }
        "mend.product-level": |api| {
            plain(&api);
            let issues = fetch(&api, json!({})).await.mend_ok()["issues"].take();
            let policies = issues.as_array().unwrap().iter().map(|issue| &issue["policy"]);
            let mut levels: Vec<_> =
                policies.map(|policy| format!("{} {}", policy["policyContext"], policy["productLevel"])).collect();
            levels.sort();
            levels.join(", ")
        } => {
            "false": "\"DOMAIN\" false, \"PRODUCT\" false",
            "by-scope": "\"DOMAIN\" false, \"PRODUCT\" true"
        }
    }
}
