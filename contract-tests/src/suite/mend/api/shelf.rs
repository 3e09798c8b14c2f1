//! Policies as checks handle them: what a scope has, what is put there, and what a new one looks like.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::client::{Answer, Mend};
use super::subjects::{changeable_project, merge, organization, rows_of};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, unclear};
use crate::suite::rows::{Row, Rows};

/// The policies of one scope, which are added, changed and removed.
pub(super) struct Shelf<'c> {
    pub(super) api: Mend<'c>,
    pub(super) scope: &'static str,
    pub(super) token: Value,
}

impl<'c> Shelf<'c> {
    /// Those of a project in which something may be changed.
    pub(super) fn of_project(api: Mend<'c>, project_token: &str) -> Self {
        Self { api, scope: "Project", token: json!({"projectToken": project_token}) }
    }

    pub(super) fn first(case: &'c Case) -> Result<Self, Stop> {
        let api = case.mend()?;
        Ok(Self::of_project(api, &changeable_project(api)?))
    }

    pub(super) fn fields(&self, more: &Value) -> Value {
        let mut fields = self.token.clone();
        merge(&mut fields, more);
        fields
    }

    pub(super) fn ask(&self, verb: &str, noun: &str, more: &Value) -> Result<Answer, Stop> {
        self.api.call(&format!("{verb}{}{noun}", self.scope), &self.fields(more))
    }

    pub(super) fn add(&self, policy: &Value) -> Result<Answer, Stop> {
        let answer = self.ask("add", "Policy", &json!({"policy": policy}))?;
        if let Some(id) = answer.json.get("id") {
            let request_type = format!("remove{}Policies", self.scope);
            let removal = self.fields(&json!({"policyIds": [id]}));
            self.api.case().undo_later(self.api.request(&request_type, &removal));
        }
        Ok(answer)
    }

    /// Adds a policy as a prerequisite and returns its id.
    pub(super) fn added(&self, policy: &Value) -> Result<Value, Stop> {
        let answer = self.add(policy)?;
        if answer.is_refused() {
            return unclear("a policy is not added", answer.refusal());
        }
        match answer.json.get("id").filter(|id| id.is_number()) {
            Some(id) => Ok(id.clone()),
            None => not_exercised("an added policy has no id"),
        }
    }

    pub(super) fn update(&self, policy: &Value) -> Result<Answer, Stop> {
        self.ask("update", "Policy", &json!({"policy": policy}))
    }

    pub(super) fn remove(&self, ids: &[&Value]) -> Result<Answer, Stop> {
        let answer = self.ask("remove", "Policies", &json!({"policyIds": ids}))?;
        observed(!answer.is_refused(), "removing policies is refused")?;
        Ok(answer)
    }

    pub(super) fn policies(&self) -> Result<Rows, Stop> {
        applying(self.api, &format!("get{}Policies", self.scope), &self.token, false)
    }

    /// The policy as it is listed, if it is.
    pub(super) fn find(&self, id: &Value) -> Result<Option<Row>, Stop> {
        Ok(self.policies()?.rows.into_iter().find(|row| row.json["id"] == *id))
    }

    /// The policy as it is listed, as a prerequisite.
    pub(super) fn listed(&self, id: &Value) -> Result<Row, Stop> {
        self.find(id)?.ok_or_else(|| Stop::NotExercised("an added policy is not listed".to_owned()))
    }
}

/// Who a policy of the account belongs to.
pub(super) fn an_owner(api: Mend<'_>) -> Result<Value, Stop> {
    let policies = rows_of(api, "getOrganizationPolicies", &organization(api), "policies", "a policy")?;
    let owned =
        policies.find("policy with an owner of known number", |row| row.json["owner"]["id"].is_number())?;
    Ok(owned.json["owner"].clone())
}

/// An action that asks for issues by this API.
pub(super) fn create_issue() -> Value {
    json!({"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}})
}

/// A policy that is not in force.
pub(super) fn draft(api: Mend<'_>) -> Result<Value, Stop> {
    Ok(json!({
        "name": "Contract suite",
        "owner": {"id": an_owner(api)?["id"]},
        "filter": {"type": "VULNERABILITY_SEVERITY", "vulnerabilitySeverity": "LOW"},
        "action": create_issue(),
        "enabled": false,
    }))
}

/// The ids of the policies in an answer.
pub(super) fn ids(policies: &Rows) -> BTreeSet<String> {
    policies.rows.iter().filter_map(|row| row.get("id")).map(ToString::to_string).collect()
}

/// The policies that apply in a scope, with or without those of wider ones.
pub(super) fn applying(
    api: Mend<'_>,
    request_type: &str,
    token: &Value,
    aggregated: bool,
) -> Result<Rows, Stop> {
    let mut fields = token.clone();
    merge(&mut fields, &json!({"aggregatePolicies": aggregated}));
    rows_of(api, request_type, &fields, "policies", "a policy")
}
