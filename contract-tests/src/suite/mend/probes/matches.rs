//! Policies and what they match.

use fixtures::spec::mend::{
    MEND_DISABLED_POLICIES, MEND_HIGH_INCLUDES_CRITICAL, MEND_IGNORED_ALERT_VIOLATION, MEND_MATCH_AGAIN,
    MEND_NEW_POLICY_ACTS, MEND_OTHER_VIOLATION_TYPE, MEND_POLICY_CONFLICT, MEND_POLICY_URL_KEY,
    MEND_PRODUCT_LEVEL, MEND_RESCORE_TOUCHES_VIOLATION, MEND_RESOLVED_VIOLATIONS,
};
use serde_json::{Value, json};

use super::super::client::Mend;
use super::own_policies::{Ground, OwnPolicy};
use super::windows::violation_of;
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes};
use crate::suite::rows::Row;

probes! {
    MEND_DISABLED_POLICIES, Lasting, disabled_policies;
    MEND_RESOLVED_VIOLATIONS, Lasting, resolved_violations;
    MEND_POLICY_CONFLICT, Lasting, policy_conflict;
    MEND_HIGH_INCLUDES_CRITICAL, Lasting, high_includes_critical;
    MEND_OTHER_VIOLATION_TYPE, Reading, other_violation_type;
    MEND_MATCH_AGAIN, Lasting, match_again;
    MEND_NEW_POLICY_ACTS, Control, new_policy_acts;
    MEND_RESCORE_TOUCHES_VIOLATION, Control, rescore_touches_violation;
    MEND_IGNORED_ALERT_VIOLATION, Lasting, ignored_alert_violation;
    MEND_POLICY_URL_KEY, Reading, policy_url_key;
    MEND_PRODUCT_LEVEL, Reading, product_level;
}

const DAY: i64 = 86_400;

fn disabled_policies(case: &Case) -> Result<&'static str, Stop> {
    let own = OwnPolicy::acting(case.mend()?)?;
    own.disable()?;
    match own.issue()? {
        None => Ok("omitted"),
        Some(issue) if issue.json["policy"]["enabled"] == false => Ok("listed"),
        Some(_) => not_exercised("a disabled policy is listed as if it were not"),
    }
}

fn resolved_violations(case: &Case) -> Result<&'static str, Stop> {
    let own = OwnPolicy::acting(case.mend()?)?;
    let Some(uuid) = own.open_violation()? else { return not_exercised("a violation is gone by itself") };
    own.match_instead(&own.other)?;
    let issue = own.issue()?;
    let found = issue.as_ref().and_then(|issue| violation_of(issue, |one| one["issueUuid"] == uuid.as_str()));
    match found.map(|violation| violation["status"].as_str()) {
        None => Ok("omitted"),
        Some(Some(status)) if status != "OPEN" => Ok("listed"),
        Some(status) => not_exercised(format!("a violation that no longer applies is {status:?}")),
    }
}

/// Two policies of a project: the first about one licence of a library, the second about that and another one.
fn policy_conflict(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (ground, library) =
        Ground::find(api, "a library with two licences", |ground| Ok(ground.with_licenses(2)))?;
    let mut licenses = library.licenses.iter();
    let (Some(one), Some(other)) = (licenses.next(), licenses.next()) else {
        return not_exercised("the library has one licence only");
    };
    let (first, second) = (ground.add(1, &[one])?, ground.add(2, &[one, other])?);
    let has = |policy: &Value, license: &String| -> Result<bool, Stop> {
        let issue = ground.issue(policy, &library)?;
        let about = |violation: &Value| violation["license"]["name"] == license.as_str();
        Ok(issue.is_some_and(|issue| violation_of(&issue, about).is_some()))
    };
    match (has(&first, one)?, has(&second, one)?, has(&second, other)?) {
        (true, false, true) => Ok("per-cause"),
        (true, false, false) => Ok("per-library"),
        (true, true, true) => Ok("none"),
        seen => not_exercised(format!(
            "of the first, and of both licences of the second policy, there are {seen:?}"
        )),
    }
}

/// A policy about critical vulnerabilities finds one; is it still found when the policy is about high ones?
fn high_includes_critical(case: &Case) -> Result<&'static str, Stop> {
    let what = "a library whose vulnerabilities are critical";
    let (ground, (library, name)) = Ground::find(case.mend()?, what, Ground::critical_alone)?;
    let finds_it = |priority, severity| -> Result<bool, Stop> {
        let filter = json!({"type": "VULNERABILITY_SEVERITY", "vulnerabilitySeverity": severity});
        let policy = ground.add_policy(priority, &filter)?;
        let is_it = |one: &Value| one["vulnerability"]["name"] == name.as_str();
        let issues = ground.issues_of(&policy)?;
        let mut of_library =
            issues.iter().filter(|issue| issue.json["library"]["keyUuid"] == library.as_str());
        Ok(of_library.any(|issue| violation_of(issue, is_it).is_some()))
    };
    // The policy about high ones comes first, so that the other one takes nothing from it.
    let by_high = finds_it(1, "HIGH")?;
    observed(
        by_high || finds_it(2, "CRITICAL")?,
        "a policy about critical vulnerabilities does not match one",
    )?;
    Ok(if by_high { "yes" } else { "no" })
}

fn other_violation_type(case: &Case) -> Result<&'static str, Stop> {
    let is_other = |one: &Value| one["license"].is_null() && one["vulnerability"].is_null();
    let what = "violation that is about neither a licence nor a vulnerability";
    let issues = case.mend()?.policy_issues()?;
    let issue = issues.find(what, |issue| violation_of(issue, is_other).is_some())?;
    let shown = violation_of(issue, is_other).and_then(|one| one["violationType"].as_str());
    match shown {
        Some("LIBRARY") => Ok("library"),
        Some(shown) if issue.json["policy"]["filter"]["type"] == shown => Ok("match-type"),
        _ => not_exercised(format!("its type is {shown:?}")),
    }
}

fn match_again(case: &Case) -> Result<&'static str, Stop> {
    let own = OwnPolicy::acting(case.mend()?)?;
    let before = own.open_violation()?;
    own.match_instead(&own.other)?;
    observed(
        own.open_violation()?.is_none(),
        "a violation stays open when its policy looks for something else",
    )?;
    own.match_instead(&own.library)?;
    match own.open_violation()? {
        Some(after) if before.as_deref() == Some(after.as_str()) => Ok("same-uuid"),
        Some(_) => Ok("new-uuid"),
        None => not_exercised("a match does not come back"),
    }
}

fn new_policy_acts(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let what = "a library that no policy matches";
    let (ground, (library, _)) = Ground::find(api, what, |ground| Ok(ground.unmatched_pair()))?;
    let id = ground.add(1, &library.licenses.iter().collect::<Vec<_>>())?;
    if ground.issue(&id, &library)?.is_some() {
        return Ok("at-once");
    }
    case.happen(&json!({"type": "mend.scan", "project_token": ground.project}))?;
    observed(ground.issue(&id, &library)?.is_some(), "a new policy does not match after a scan either")?;
    Ok("next-scan")
}

fn rescore_touches_violation(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (issue, violation) = vulnerable(api)?;
    let vulnerability = &violation["vulnerability"];
    let score = if vulnerability["score"] == 6.1 { 6.2 } else { 6.1 };
    case.sandbox()?.advance_seconds(3 * DAY)?;
    let event = json!({"type": "mend.vulnerability_rescored", "name": vulnerability["name"], "score": score});
    case.happen(&event)?;
    let Some(after) = standing(api, &issue, &violation)? else {
        return not_exercised("a violation ends with another score of CVSS 2");
    };
    observed(after["vulnerability"]["score"] == score, "a violation does not show a new score")?;
    Ok(if after["lastModified"] == violation["lastModified"] { "no" } else { "yes" })
}

fn ignored_alert_violation(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (issue, violation) = vulnerable(api)?;
    let fields = json!({"projectToken": issue.text("projectToken"), "alertType": "SECURITY_VULNERABILITY"});
    let alerts = api.accepted("getProjectAlertsByType", &fields)?.rows("alerts", "an alert");
    let alert = alerts.find("alert about the vulnerability of a violation", |alert| {
        alert.json["vulnerability"]["name"] == violation["vulnerability"]["name"]
            && alert.json["library"]["keyUuid"] == issue.json["library"]["keyUuid"]
    })?;
    let uuid = &alert.json["alertUuid"];
    let change = json!({"orgToken": api.org_token(), "alertUuids": [uuid], "status": "Ignored"});
    api.accepted("setAlertsStatus", &change)?;
    let ignored =
        api.accepted("getProjectIgnoredAlerts", &json!({"projectToken": issue.text("projectToken")}))?;
    let ignored = ignored.rows("alerts", "an ignored alert");
    observed(ignored.rows.iter().any(|row| row.json["alertUuid"] == *uuid), "an alert can't be ignored")?;
    match standing(api, &issue, &violation)? {
        Some(_) => Ok("unaffected"),
        None => Ok("resolved"),
    }
}

/// A violation by a vulnerability, with its issue.
fn vulnerable(api: Mend<'_>) -> Result<(Row, Value), Stop> {
    let is_vulnerable = |one: &Value| one["vulnerability"]["name"].is_string();
    let what = "violation by a vulnerability";
    let issue = api.find_issue(what, |issue| violation_of(issue, is_vulnerable).is_some())?;
    match violation_of(&issue, is_vulnerable).cloned() {
        Some(violation) => Ok((issue, violation)),
        None => not_exercised(format!("there is no {what}")),
    }
}

/// A violation as it is now, if it is still open.
fn standing(api: Mend<'_>, issue: &Row, violation: &Value) -> Result<Option<Value>, Stop> {
    let issues = api.policy_issues_of(issue.text("projectToken").unwrap_or_default())?;
    let is_it =
        |one: &Value| one["issueUuid"] == violation["issueUuid"] && one["status"] == violation["status"];
    Ok(issues.rows.iter().find_map(|issue| violation_of(issue, is_it).cloned()))
}

fn policy_url_key(case: &Case) -> Result<&'static str, Stop> {
    let issues = case.mend()?.policy_issues()?;
    let has = |key: &str| issues.rows.iter().any(|issue| issue.json["policy"][key].is_string());
    match (has("Url"), has("url")) {
        (true, false) => Ok("capital"),
        (false, true) => Ok("lower"),
        _ => not_exercised("policies have no link, or two"),
    }
}

fn product_level(case: &Case) -> Result<&'static str, Stop> {
    let issues = case.mend()?.policy_issues()?;
    let levels = |is_product: bool| {
        let policies = issues.rows.iter().map(|issue| &issue.json["policy"]);
        let of_scope = policies.filter(move |one| (one["policyContext"] == "PRODUCT") == is_product);
        of_scope.map(|policy| policy["productLevel"].as_bool()).collect::<Vec<_>>()
    };
    let (products, others) = (levels(true), levels(false));
    observed(!products.is_empty(), "there is no issue of a product's policy")?;
    let are = |levels: &[Option<bool>], value: bool| levels.iter().all(|level| *level == Some(value));
    observed(are(&others, false), "`productLevel` of a policy that is no product's is not false")?;
    match (are(&products, false), are(&products, true)) {
        (true, false) => Ok("false"),
        (false, true) => Ok("by-scope"),
        _ => not_exercised("`productLevel` of the policies of products differs"),
    }
}
