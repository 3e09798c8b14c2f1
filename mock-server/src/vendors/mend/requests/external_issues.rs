//! `updateExternalIntegrationIssues`: a plugin reports the issues it opened for a policy violation.

use fixtures::spec::mend as ledger;
use serde::Serialize;

use super::{Call, request_token};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::{KnownItemCounts, PolicyItemUuid, UnknownPolicyItem};
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::{Code, Refused};
use crate::vendors::mend::rules::{external_issues, fields};
use crate::vendors::mend::store::Upsert;
use crate::vendors::mend::wire;

/// How many issues turned out to be what; together as many as were reported.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counters {
    created_issues: usize,
    updated_issues: usize,
    unaffected_issues: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_token: Option<String>,
}

/// Stores all of the issues or none.
pub(super) fn update_external_integration_issues(
    account: &mut Account,
    call: &Call<'_>,
) -> Result<Vec<u8>, Refused> {
    let readings = call.readings;
    let violation = policy_item(account, call)?;
    external_issues::plugin_type(call.fields, readings)?;
    let items = external_issues::items(call.fields, readings, &|text| call.flag(text))?;
    let mut counters = Counters { request_token: request_token(call)?, ..Counters::default() };
    for item in items {
        let known = account.store.external_issue(&violation, &item.identifier);
        let issue = item.onto(&violation, known.map(|known| &**known), readings);
        match account.store.put_external_issue(issue) {
            Upsert::Created => counters.created_issues += 1,
            Upsert::Updated => counters.updated_issues += 1,
            Upsert::Unaffected => match readings.known_item_counts {
                KnownItemCounts::ByChange => counters.unaffected_issues += 1,
                KnownItemCounts::Updated => counters.updated_issues += 1,
            },
        }
    }
    Ok(wire::body(&counters))
}

/// The policy violation that the issues were opened for.
fn policy_item(account: &Account, call: &Call<'_>) -> Result<String, Refused> {
    let (field, rule, readings) = ("wsPolicyIssueItemUuid", &ledger::MEND_EXT_POLICY_ITEM, call.readings);
    let uuid = fields::required_text(call.fields, field, rule, readings)?;
    if readings.policy_item_uuid == PolicyItemUuid::Uuid && !external_issues::is_uuid(uuid) {
        let reason = format!("{field} is no UUID");
        return Err(Refused::bad_value(&ledger::MEND_POLICY_ITEM_UUID, reason, readings));
    }
    let of_project = match &call.scope {
        Scope::Project(project) => {
            account.store.violation(uuid).filter(|violation| violation.project == project.spec.id)
        }
        _ => None,
    };
    match of_project {
        Some(violation) => Ok(violation.spec.uuid.clone()),
        None => {
            let reason = format!("{field} is of no policy violation in this project");
            let code = match readings.unknown_policy_item {
                UnknownPolicyItem::InvalidParameters => Code::InvalidParameters,
                UnknownPolicyItem::NotAllowed => Code::NotAllowed,
            };
            Err(Refused::reading(code, &ledger::MEND_UNKNOWN_POLICY_ITEM, reason))
        }
    }
}
