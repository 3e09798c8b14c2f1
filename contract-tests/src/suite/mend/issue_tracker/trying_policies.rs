//! Policies that checks add to see what becomes of them.

use serde_json::{Value, json};

use super::super::Mend;
use super::asking::project_of;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, not_exercised, observed};
use crate::suite::rows::Row;

/// Where a policy is tried: a project without policies of its own or of its product, and a licence that one of its
/// libraries has.
pub(super) struct TryingGround<'c> {
    case: &'c Case,
    pub(super) api: Mend<'c>,
    pub(super) project: String,
    owner: Value,
    license: Value,
}

/// The action that makes a policy one for issue trackers.
pub(super) fn create_issue() -> Value {
    json!({"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}})
}

/// A licence that an issue's policy is about and its library has.
fn license_of(issue: &Row) -> Option<&Value> {
    let violations = issue.list("policyViolations").iter();
    let named: Vec<&str> = violations.filter_map(|violation| violation["license"]["name"].as_str()).collect();
    let licenses = issue.json["policy"]["filter"]["licenses"].as_array()?;
    licenses.iter().find(|license| license["name"].as_str().is_some_and(|name| named.contains(&name)))
}

impl<'c> TryingGround<'c> {
    pub(super) fn find(case: &'c Case) -> Result<Self, Stop> {
        let api = case.mend()?;
        let issues = api.policy_issues()?;
        let is_narrow = |issue: &Row| issue.json["policy"]["policyContext"] != "DOMAIN";
        let what = "violation by licence in a project under the organization's policies only";
        let found = issues.find(what, |issue| {
            let mut of_project = issues.rows.iter().filter(|other| project_of(other) == project_of(issue));
            license_of(issue).is_some() && !of_project.any(is_narrow)
        })?;
        let owner = json!({"id": found.json["policy"]["owner"]["id"]});
        let license = license_of(found).cloned().unwrap_or_default();
        Ok(Self { case, api, project: project_of(found).to_owned(), owner, license })
    }

    /// A policy about the licence.
    pub(super) fn policy(&self, action: &Value) -> Value {
        json!({
            "name": "Contract suite",
            "owner": self.owner,
            "filter": {"type": "LICENSE", "licenses": [self.license]},
            "action": action,
            "priority": 1,
        })
    }

    /// Adds a policy to the project and has it scanned, so that the policy acts. Returns the policy's id.
    fn add(&self, action: &Value) -> Result<Value, Stop> {
        let fields = json!({"projectToken": self.project, "policy": self.policy(action)});
        let id = self.api.accepted("addProjectPolicy", &fields)?.json["id"].clone();
        observed(id.is_number(), "the added policy has no id")?;
        self.case.happen(&json!({"type": "mend.scan", "project_token": self.project}))?;
        Ok(id)
    }

    fn issue_of(&self, id: &Value) -> Result<Option<Row>, Stop> {
        let issues = self.api.policy_issues_of(&self.project)?;
        Ok(issues.rows.into_iter().find(|issue| issue.json["policy"]["id"] == *id))
    }

    /// A policy for issue trackers has an issue.
    pub(super) fn opens_issues(&self) -> Verdict {
        let id = self.add(&create_issue())?;
        match self.issue_of(&id)? {
            Some(_) => Held::once(),
            None => {
                let issues = self.api.policy_issues_of(&self.project)?;
                let seen = format!("{} issues, none of them of policy {id}", issues.rows.len());
                match issues.rows.first() {
                    Some(other) => {
                        broken_at(&other.evidence, "an issue of the policy with CREATE_ISSUE", seen)
                    }
                    None => not_exercised("the project has no issues any more"),
                }
            }
        }
    }

    /// A policy with this action has no issue, where one for issue trackers has.
    pub(super) fn opens_none(&self, action: &Value) -> Verdict {
        let id = self.add(action)?;
        let wrong = self.issue_of(&id)?;
        let fields = json!({"projectToken": self.project, "policyIds": [id]});
        self.api.accepted("removeProjectPolicies", &fields)?;
        let right = self.add(&create_issue())?;
        observed(self.issue_of(&right)?.is_some(), "a policy for issue trackers has no issue either")?;
        match wrong {
            Some(issue) => {
                let expected = format!("no issue of a policy with the action {action}");
                broken_at(&issue.evidence, expected, &issue.json["policy"])
            }
            None => Held::once(),
        }
    }
}
