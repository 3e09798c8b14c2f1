//! What plugins need to begin: an activation token, and what policies can match by.

use fixtures::spec::mend as ledger;
use fixtures::world::mend::IntegrationType;
use serde::Serialize;

use super::Call;
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::OtherIntegrationType;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::fields;
use crate::vendors::mend::wire;
use crate::vendors::mend::wire::policy_matches::MATCHES;

/// `getIntegrationActivationToken`: makes a service user, and gives out the token that stands for it.
pub(super) fn get_integration_activation_token(
    account: &mut Account,
    call: &Call<'_>,
) -> Result<Vec<u8>, Refused> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        activation_token: String,
    }
    let (field, readings) = ("integrationType", call.readings);
    let text = fields::required_text(call.fields, field, &ledger::MEND_TOKEN_INTEGRATION_TYPE, readings)?;
    let kind = match text.parse::<IntegrationType>() {
        Ok(kind) => kind,
        Err(_) if readings.other_integration_type == OtherIntegrationType::Accepted => {
            IntegrationType::IssueTrackerIntegration
        }
        Err(error) => {
            let reason = format!("{field}: {error}");
            return Err(Refused::bad_value(&ledger::MEND_OTHER_INTEGRATION_TYPE, reason, readings));
        }
    };
    let organization = match &call.scope {
        Scope::Organization(id) => account.store.organization(*id).map(|row| row.token.clone()),
        _ => None,
    };
    let activation_token = organization.and_then(|token| account.activate(&token, kind)).unwrap_or_default();
    Ok(wire::body(&Reply { activation_token }))
}

/// `getPolicyMatchesConfiguration`: everything that policies can match by.
#[expect(clippy::unnecessary_wraps, reason = "the table has handlers of one form")]
pub(super) fn get_policy_matches_configuration(_: &Account, _: &Call<'_>) -> Result<Vec<u8>, Refused> {
    #[derive(Serialize)]
    struct Reply {
        matches: &'static [wire::policy_matches::PolicyMatch],
    }
    Ok(wire::body(&Reply { matches: MATCHES }))
}
