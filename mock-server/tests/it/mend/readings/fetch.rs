//! What `fetchProjectPolicyIssues` takes.

use fixtures::builders::days;
use fixtures::builders::mend::{library, licenses, policy, project, violation};
use fixtures::world::mend::Cause;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    PRODUCT, PROJECT, account, ask, count, fetch, first_violation, outcome, plain, playing, put, seen_in,
};
use crate::support::Api;

const SPACE: &str = "%Y-%m-%d %H:%M:%S";
const SLASHES: &str = "%Y/%m/%d-%H:%M";
const DASHES: &str = "%Y-%m-%d-%H:%M";

const NOON: i64 = 43_200;

/// The scene `mend-window-edges`, whose violations came up at known seconds of a day.
fn edges(api: &Api) {
    playing(api, "mend-window-edges");
}

/// The instant that many seconds after the day of the scene began.
fn second(api: &Api, seconds: i64) -> Timestamp {
    let day = SignedDuration::from_hours(24);
    let midnight = api.control().epoch().as_second().div_euclid(day.as_secs()) * day.as_secs();
    Timestamp::from_second(midnight - 2 * day.as_secs() + seconds).unwrap()
}

fn written(instant: Timestamp, form: &str) -> Value {
    json!(instant.to_zoned(TimeZone::UTC).strftime(form).to_string())
}

/// How many issues lie between these seconds of the scene's day.
async fn between(api: &Api, form: &str, from: i64, to: i64) -> String {
    let bounds = [from, to].map(|seconds| written(second(api, seconds), form));
    count(&fetch(api, json!({"fromDateTime": bounds[0], "toDateTime": bounds[1]})).await, "issues")
}

/// A library with two violations: one that came up nine days ago and changed yesterday, and one of three days ago.
fn two_violations(api: &Api) {
    let library = library("g", "copyleft", "1").licenses(["GPL 3.0", "MIT"]);
    let of = |license: &str| violation(7, PROJECT, library.key_uuid(), Cause::License(license.to_owned()));
    put(
        api,
        account(api)
            .mend_evaluated()
            .mend_violation(of("GPL 3.0").created(days(9)).modified(days(1)))
            .mend_violation(of("MIT").created(days(3)))
            .mend_policy(policy("Copyleft", licenses(["GPL 3.0", "MIT"])).id(7).on_product(PRODUCT))
            .mend_project(project("Api").token(PROJECT).library(library))
            .build(),
    );
}

/// The licences of the violations that lie in these days before the epoch.
async fn licenses_between(api: &Api, from: i64, to: i64) -> String {
    let bounds = [from, to].map(|age| written(api.control().epoch() - days(age), SPACE));
    let reply = fetch(api, json!({"fromDateTime": bounds[0], "toDateTime": bounds[1]})).await;
    let issues = reply.mend_ok()["issues"].take();
    let violations = issues.pointer("/0/policyViolations").and_then(Value::as_array).cloned();
    let names = violations.unwrap_or_default();
    names.iter().map(|row| row["license"]["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

pub(super) fn cases() -> Vec<super::Case> {
    let mut cases = window_cases();
    cases.extend(other_cases());
    cases
}

fn window_cases() -> Vec<super::Case> {
    cases! {
        "mend.fetch-window-format": |api| {
            edges(&api);
            let mut seen = Vec::new();
            for form in [SPACE, SLASHES, DASHES] {
                seen.push(between(&api, form, NOON, NOON).await.replace("3000 mend.fetch-window-format", "no"));
            }
            seen.join(" ")
        } => { "any": "1 3 3", "space": "1 no no", "slashes": "no 3 no", "dashes": "no no 3" }
        "mend.fetch-window-unparsable": |api| {
            edges(&api);
            let to = written(second(&api, 0), SPACE);
            count(&fetch(&api, json!({"fromDateTime": "2022-02-30 00:00:00", "toDateTime": to})).await, "issues")
        } => { "refused": "3000 mend.fetch-window-format", "ignored": "14" }
        "mend.fetch-window-missing": |api| {
            edges(&api);
            count(&fetch(&api, json!({})).await, "issues")
        } => { "all": "14", "refused": "3010 mend.fetch-window-missing" }
        "mend.fetch-window-one-bound": |api| {
            edges(&api);
            let noon = written(second(&api, NOON), SPACE);
            let since = count(&fetch(&api, json!({"fromDateTime": noon})).await, "issues");
            format!("{since}, {}", count(&fetch(&api, json!({"toDateTime": noon})).await, "issues"))
        } => {
            "all": "14, 14",
            "half-open": "6, 9",
            "refused": "3010 mend.fetch-window-one-bound, 3010 mend.fetch-window-one-bound"
        }
        "mend.fetch-window-reversed": |api| {
            edges(&api);
            let bounds = [60, 0].map(|seconds| written(second(&api, seconds), SPACE));
            let reply = fetch(&api, json!({"fromDateTime": bounds[0], "toDateTime": bounds[1]})).await;
            seen_in(&reply, |body| format!("{} in {}", body["issues"], body["project"]["projectName"]))
        } => { "empty": "[] in \"wallet-api\"", "refused": "3000 mend.fetch-window-reversed" }
        "mend.fetch-window-field": |api| {
            two_violations(&api);
            format!("{}, {}", licenses_between(&api, 10, 8).await, licenses_between(&api, 2, 0).await)
        } => { "created": "GPL 3.0, ", "last-modified": ", GPL 3.0" }
        "mend.fetch-window-bounds": |api| {
            edges(&api);
            format!("{} {}", between(&api, SPACE, 0, 59).await, between(&api, SPACE, 0, 0).await)
        } => { "inclusive": "3 1", "to-exclusive": "2 0" }
        "mend.fetch-window-minutes": |api| {
            edges(&api);
            let inclusive = format!("{} {}", between(&api, DASHES, 0, 0).await, between(&api, SPACE, 0, 0).await);
            api.control().set_readings([("mend.fetch-window-bounds", "to-exclusive")]).unwrap();
            format!("{inclusive}, then {}", between(&api, DASHES, 0, 0).await)
        } => { "whole-minute": "3 1, then 2", "start-of-minute": "1 1, then 0" }
        "mend.fetch-window-rows": |api| {
            two_violations(&api);
            format!("{}, {}", licenses_between(&api, 4, 2).await, licenses_between(&api, 2, 0).await)
        } => { "violations-inside": "MIT, ", "whole-issue": "GPL 3.0 MIT, " }
    }
}

fn other_cases() -> Vec<super::Case> {
    cases! {
        "mend.fetch-paging": |api| {
            edges(&api);
            let page = |page: u64| json!({"page": page, "pageSize": 10});
            let first = count(&fetch(&api, page(1)).await, "issues");
            format!("{first}, {}", count(&fetch(&api, page(2)).await, "issues"))
        } => {
            "honoured": "10, 4",
            "ignored": "14, 14",
            "refused": "3000 mend.fetch-paging, 3000 mend.fetch-paging"
        }
        "mend.fetch-first-page": |api| {
            edges(&api);
            let page = |page: u64| json!({"page": page, "pageSize": 10});
            let zeroth = count(&fetch(&api, page(0)).await, "issues");
            format!("{zeroth}, {}", count(&fetch(&api, page(1)).await, "issues"))
        } => { "1": "3000 MEND-FETCH-PAGE, 10", "0": "10, 4" }
        "mend.policy-action-type": |api| {
            plain(&api);
            let reply = fetch(&api, json!({"policyActionType": "REJECT"})).await;
            seen_in(&reply, |body| format!("{} in {}", body["issues"], body["project"]["projectName"]))
        } => { "refused": "3000 mend.policy-action-type", "empty": "[] in \"Api\"" }
        "mend.action-type-spelling": |api| {
            plain(&api);
            let fetched = count(&fetch(&api, json!({"policyActionType": "Create Issue"})).await, "issues");
            let owner = first_owner(&api).await;
            let (name, filter) = ("Prose", json!({"type": "LICENSE", "licenses": [{"name": "MIT"}]}));
            let action = json!({"type": "Create Issue"});
            let policy = json!({"name": name, "owner": owner, "filter": filter, "action": action});
            let added = outcome(&ask(&api, "addProjectPolicy", json!({"policy": policy})).await);
            format!("{fetched}, {added}")
        } => { "constant": "3000 mend.policy-action-type, 3000 mend.action-type-spelling", "prose-too": "2, ok" }
    }
}

async fn first_owner(api: &Api) -> Value {
    assert_eq!(first_violation(api).await["status"], "OPEN");
    fetch(api, json!({})).await.mend_ok()["issues"][0]["policy"]["owner"].take()
}
