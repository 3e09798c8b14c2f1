//! What the page says of the API as a whole.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_ALERTS_RESOLVED_BY_SCAN, MEND_API_VERSIONS, MEND_POLICY_ADD_CREATE_ISSUE, MEND_POLICY_ADD_SCOPES,
};
use serde_json::{Value, json};

use super::super::Mend;
use super::asking::{FETCH, MATCHES, MODIFIED, TOKEN, about, about_organization, project_of};
use super::reporting::{Plugin, UPDATE};
use super::trying_policies::{TryingGround, create_issue};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::suite::rows::{Row, Rows};
use crate::target::exchange::{Evidence, Reply};

checks! { "mend/overview";
    both_versions_read: MEND_API_VERSIONS, Reading, both_versions_read;
    both_versions_write: MEND_API_VERSIONS, Lasting, both_versions_write;
    alerts_resolved_by_scan: MEND_ALERTS_RESOLVED_BY_SCAN, Control, alerts_resolved_by_scan;
    policies_of_every_scope: MEND_POLICY_ADD_SCOPES, Lasting, policies_of_every_scope;
    create_issue_policy_opens_issues: MEND_POLICY_ADD_CREATE_ISSUE, Control,
        |case| TryingGround::find(case)?.opens_issues();
}

const VERSIONS: [&str; 2] = ["v1.3", "v1.4"];

/// A call that one version answers is answered by the other. A call that neither answers shows nothing.
fn in_both(api: Mend<'_>, calls: &[(&str, [Value; 2])], is_answered: impl Fn(&Value) -> bool) -> Verdict {
    let mut answered = 0;
    for (request_type, fields) in calls {
        let ask = |place: usize| -> Result<(bool, Evidence), Stop> {
            let (version, fields) = (VERSIONS[place], &fields[place]);
            let (reply, evidence): (Reply, Evidence) =
                api.send(api.version(version).request(request_type, fields))?;
            let json = reply.json().filter(|json| reply.status == 200 && json.get("errorCode").is_none());
            Ok((json.is_some_and(|json| is_answered(&json)), evidence))
        };
        let replies = [ask(0)?, ask(1)?];
        if !replies.iter().any(|(is_answered, _)| *is_answered) {
            continue;
        }
        for ((is_answered, evidence), version) in replies.iter().zip(VERSIONS) {
            if !is_answered {
                let seen = evidence.reply_body();
                return broken_at(evidence, format!("{request_type} is answered in {version}"), seen);
            }
        }
        answered += 1;
    }
    Held::over(answered, "no call is answered in either version")
}

fn both_versions_read(case: &Case) -> Verdict {
    let api = case.mend()?;
    let issue = api
        .policy_issues()?
        .find("issue with a violation", |row| !row.list("policyViolations").is_empty())?;
    let twice = |fields: Value| [fields.clone(), fields];
    let calls = [
        (FETCH, twice(about(project_of(issue)))),
        (MODIFIED, twice(about_organization(api))),
        (MATCHES, twice(about_organization(api))),
    ];
    in_both(api, &calls, |json| {
        let lists = ["issues", "lastModifiedProjects", "matches"];
        lists.iter().any(|list| json[*list].as_array().is_some_and(|rows| !rows.is_empty()))
    })
}

fn both_versions_write(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let token = json!({"orgToken": plugin.api.org_token(), "integrationType": "issueTrackerIntegration"});
    let report = |identifier: &str| plugin.fields(json!([{"identifier": identifier}]));
    let calls = [(UPDATE, [report("CONTRACT-13"), report("CONTRACT-14")]), (TOKEN, [token.clone(), token])];
    in_both(plugin.api, &calls, |json| json.as_object().is_some_and(|members| !members.is_empty()))
}

fn alerts_of(api: Mend<'_>, project: &str) -> Result<Rows, Stop> {
    Ok(api.accepted("getProjectAlerts", &json!({"projectToken": project}))?.rows("alerts", "an alert"))
}

fn library_of(alert: &Row) -> Option<&str> {
    alert.get("library")?.get("keyUuid")?.as_str()
}

fn alerts_resolved_by_scan(case: &Case) -> Verdict {
    let api = case.mend()?;
    for project in &api.projects()?.rows {
        let Some(token) = project.text("projectToken") else { continue };
        let before = alerts_of(api, token)?;
        let libraries: BTreeSet<&str> = before.rows.iter().filter_map(library_of).collect();
        // With a second one, something is left that shows the list to be a list still.
        if libraries.len() < 2 {
            continue;
        }
        let gone = libraries.first().copied().unwrap_or_default();
        case.happen(&json!({"type": "mend.scan", "project_token": token, "removed": [gone]}))?;
        let after = alerts_of(api, token)?;
        let is_left = after.rows.iter().any(|alert| library_of(alert).is_some_and(|library| library != gone));
        observed(is_left, "the scan left no alerts at all")?;
        let is_resolved =
            |alert: &Row| alert.text("status").is_some_and(|status| status.eq_ignore_ascii_case("resolved"));
        let standing = after.rows.iter().find(|alert| library_of(alert) == Some(gone) && !is_resolved(alert));
        return match standing {
            Some(alert) => {
                broken_at(&alert.evidence, "the alerts of a library that went are resolved", &alert.json)
            }
            None => Held::once(),
        };
    }
    not_exercised("no project has alerts about several libraries")
}

/// Policies of the global organization need a user and a token of its own, which no account names.
fn policies_of_every_scope(case: &Case) -> Verdict {
    let ground = TryingGround::find(case)?;
    let api = ground.api;
    let products = api.accepted("getAllProducts", &about_organization(api))?.rows("products", "a product");
    let product = products.find("product", |product| product.text("productToken").is_some())?;
    let product = product.text("productToken").unwrap_or_default();
    let scopes = [
        ("Organization", "orgToken", api.org_token()),
        ("Product", "productToken", product),
        ("Project", "projectToken", &ground.project),
    ];
    let (mut added, mut refused) = (0, None);
    for (scope, field, token) in scopes {
        let policy = ground.policy(&create_issue());
        let answer = api.call(&format!("add{scope}Policy"), &json!({field: token, "policy": policy}))?;
        if answer.is_refused() {
            refused = refused.or(Some((scope, answer)));
            continue;
        }
        let id = &answer.json["id"];
        observed(id.is_number(), "the added policy has no id")?;
        let fields = json!({field: token, "aggregatePolicies": false});
        let policies = api.accepted(&format!("get{scope}Policies"), &fields)?.rows("policies", "a policy");
        if !policies.rows.iter().any(|policy| policy.json["id"] == *id) {
            let expected = format!("the added policy is among those of its {scope}");
            return broken_at(&answer.evidence, expected, "others only");
        }
        added += 1;
    }
    match refused {
        Some((scope, answer)) if added > 0 => {
            let expected = format!("a policy can be added to a {scope} as to others");
            broken_at(&answer.evidence, expected, &answer.json)
        }
        _ => Held::over(added, "no policy can be added at all"),
    }
}
