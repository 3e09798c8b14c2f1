//! Mend: reported tickets, and alerts that are ignored and active again.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::strategy::BoxedStrategy;
use serde_json::{Map, Value, json};

use super::Act;
use crate::suite::case::Case;
use crate::suite::check::Stop;

/// Something a client does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Reports tickets for one violation: by which number each, and how it stands.
    Report { violation: Index, tickets: Vec<(u8, u8)> },
    /// Sets the status of alerts of the organization.
    SetAlerts { alerts: Vec<Index>, status: &'static str },
}

/// What the account holds, as far as the pages say what becomes of it.
pub(super) struct Model {
    /// Token of the project and id of each violation.
    violations: Vec<(String, String)>,
    /// What was reported, by violation and identifier.
    tickets: BTreeMap<(String, String), Map<String, Value>>,
    /// Ids of the alerts, and which of them are ignored.
    alerts: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

const STATUSES: [&str; 3] = ["To Do", "In Progress", "Done"];

impl Act for Step {
    type Model = Model;

    fn any() -> BoxedStrategy<Self> {
        prop_oneof![
            3 => (any::<Index>(), proptest::collection::vec((0..4_u8, 0..3_u8), 1..4))
                .prop_map(|(violation, tickets)| Self::Report { violation, tickets }),
            1 => proptest::collection::vec(any::<Index>(), 1..4)
                .prop_map(|alerts| Self::SetAlerts { alerts, status: "Ignored" }),
            1 => proptest::collection::vec(any::<Index>(), 1..4)
                .prop_map(|alerts| Self::SetAlerts { alerts, status: "Active" }),
        ]
        .boxed()
    }

    fn model(case: &Case) -> Result<Model, Stop> {
        let api = case.mend()?;
        let mut violations = Vec::new();
        // Two projects are enough for a sequence to come back to the same violation.
        for project in api.projects()?.rows.iter().take(2) {
            let token = project.text("projectToken").unwrap_or_default();
            let issues = api.policy_issues_of(token)?.items_of("policyViolations", "a violation");
            let ids = issues.rows.iter().filter_map(|row| row.text("issueUuid"));
            violations.extend(ids.take(4).map(|id| (token.to_owned(), id.to_owned())));
        }
        let alerts = alerts(case, "getOrganizationAlerts")?;
        let ignored = alerts_ignored(case)?;
        Ok(Model { violations, tickets: BTreeMap::new(), alerts, ignored })
    }

    fn take(&self, case: &Case, model: &mut Model) -> Result<Option<String>, Stop> {
        match self {
            Self::Report { violation, tickets } => report(case, model, *violation, tickets),
            Self::SetAlerts { alerts, status } => set_alerts(case, model, alerts, status),
        }
    }

    /// Reporting everything again changes nothing: each ticket is there as it was last reported.
    fn compare(case: &Case, model: &Model) -> Result<Option<String>, Stop> {
        for ((violation, identifier), ticket) in &model.tickets {
            let Some((project, _)) = model.violations.iter().find(|(_, id)| id == violation) else {
                continue;
            };
            let items = json!([ticket]);
            let seen = counters(case, project, violation, &items)?;
            if seen != Some([0, 0, 1]) {
                return Ok(Some(format!("{identifier} is there as reported, seen counters {seen:?}")));
            }
        }
        let ignored = alerts_ignored(case)?;
        let difference = ignored.symmetric_difference(&model.ignored).next();
        Ok(difference.map(|id| {
            let wanted = if model.ignored.contains(id) { "ignored" } else { "active" };
            format!("alert {id} is {wanted}, seen otherwise")
        }))
    }
}

fn report(
    case: &Case,
    model: &mut Model,
    violation: Index,
    tickets: &[(u8, u8)],
) -> Result<Option<String>, Stop> {
    if model.violations.is_empty() {
        return Ok(None);
    }
    let (project, violation) = violation.get(&model.violations).clone();
    // What the same identifier twice in one call means is left open.
    let distinct: BTreeMap<u8, u8> = tickets.iter().copied().collect();
    let items: Vec<Map<String, Value>> =
        distinct.iter().map(|(number, status)| ticket(*number, *status)).collect();
    let mut wanted = [0; 3];
    for item in &items {
        let key = (violation.clone(), item["identifier"].as_str().unwrap_or_default().to_owned());
        let before = model.tickets.insert(key, item.clone());
        let counter = match before {
            None => 0,
            Some(before) if before != *item => 1,
            Some(_) => 2,
        };
        wanted[counter] += 1;
    }
    let seen = counters(case, &project, &violation, &json!(items))?;
    Ok((seen != Some(wanted)).then(|| format!("created, updated, unaffected {wanted:?}, seen {seen:?}")))
}

fn ticket(number: u8, status: u8) -> Map<String, Value> {
    let mut ticket = Map::new();
    ticket.insert("identifier".to_owned(), json!(format!("WPM-{number}")));
    ticket.insert("status".to_owned(), json!(STATUSES[usize::from(status) % STATUSES.len()]));
    ticket
}

/// How many tickets a report created, updated and left as they are; none if it was refused.
fn counters(case: &Case, project: &str, violation: &str, items: &Value) -> Result<Option<[u64; 3]>, Stop> {
    let fields = json!({
        "projectToken": project, "wsPolicyIssueItemUuid": violation, "issueTrackerPluginType": "JIRA",
        "externalIssues": items,
    });
    let answer = case.mend()?.call("updateExternalIntegrationIssues", &fields)?;
    let counter = |name: &str| answer.json.get(name).and_then(Value::as_u64);
    let all = [counter("createdIssues"), counter("updatedIssues"), counter("unaffectedIssues")];
    Ok(if let [Some(created), Some(updated), Some(unaffected)] = all {
        Some([created, updated, unaffected])
    } else {
        None
    })
}

fn set_alerts(
    case: &Case,
    model: &mut Model,
    alerts: &[Index],
    status: &str,
) -> Result<Option<String>, Stop> {
    if model.alerts.is_empty() {
        return Ok(None);
    }
    let all: Vec<&String> = model.alerts.iter().collect();
    let chosen: BTreeSet<String> = alerts.iter().map(|index| (*index.get(&all)).clone()).collect();
    let api = case.mend()?;
    let fields = json!({
        "orgToken": api.org_token(), "alertUuids": chosen, "status": status, "comments": "A comment.",
    });
    let answer = api.call("setAlertsStatus", &fields)?;
    if status == "Ignored" {
        model.ignored.extend(chosen);
    } else {
        model.ignored.retain(|id| !chosen.contains(id));
    }
    Ok(answer.is_refused().then(|| format!("alerts can be set to {status}, seen {}", answer.json)))
}

fn alerts_ignored(case: &Case) -> Result<BTreeSet<String>, Stop> {
    alerts(case, "getOrganizationIgnoredAlerts")
}

fn alerts(case: &Case, request_type: &str) -> Result<BTreeSet<String>, Stop> {
    let api = case.mend()?;
    let answer = api.accepted(request_type, &json!({"orgToken": api.org_token()}))?;
    let rows = answer.rows("alerts", "an alert");
    Ok(rows.rows.iter().filter_map(|row| row.text("alertUuid").map(str::to_owned)).collect())
}
