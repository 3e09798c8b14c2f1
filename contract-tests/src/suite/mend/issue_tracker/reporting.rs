//! A plugin that reports tickets, as the checks of `updateExternalIntegrationIssues` play it.

use serde_json::{Value, json};

use super::super::{Answer, Mend};
use super::asking::{is_refused, project_of};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, not_exercised, observed};
use crate::target::exchange::Evidence;

/// The call.
pub(super) const UPDATE: &str = "updateExternalIntegrationIssues";
/// Where its answer counts items.
pub(super) const COUNTERS: [&str; 3] = ["createdIssues", "updatedIssues", "unaffectedIssues"];

/// A plugin with a violation that it reports tickets for.
pub(super) struct Plugin<'c> {
    pub(super) api: Mend<'c>,
    pub(super) project: String,
    pub(super) violation: String,
}

/// A counter of an answer, also where it is written as a text.
pub(super) fn count(answer: &Answer, counter: &str) -> u64 {
    let value = &answer.json[counter];
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// An item of a call, with an identifier of its own and these fields.
pub(super) fn item(identifier: &str, fields: Value) -> Value {
    let mut item = json!({"identifier": format!("CONTRACT-{identifier}")});
    if let (Some(item), Value::Object(fields)) = (item.as_object_mut(), fields) {
        item.extend(fields);
    }
    item
}

impl<'c> Plugin<'c> {
    /// A plugin for a violation of the account.
    pub(super) fn find(case: &'c Case) -> Result<Self, Stop> {
        let api = case.mend()?;
        let issue = api.reportable_issue()?;
        let violation = issue.list("policyViolations").iter().find_map(|one| one["issueUuid"].as_str());
        let violation = violation.unwrap_or_default().to_owned();
        Ok(Self { api, project: project_of(&issue).to_owned(), violation })
    }

    /// The fields of a call about the violation.
    pub(super) fn fields(&self, items: Value) -> Value {
        let mut fields = json!({"projectToken": self.project, "wsPolicyIssueItemUuid": self.violation});
        fields["externalIssues"] = items;
        fields
    }

    /// Reports items; the answer may be a refusal.
    pub(super) fn report(&self, items: Value) -> Result<Answer, Stop> {
        self.api.call(UPDATE, &self.fields(items))
    }

    /// Reports items as a prerequisite: they are accepted and counted.
    pub(super) fn reported(&self, items: Value) -> Result<Answer, Stop> {
        let answer = self.api.accepted(UPDATE, &self.fields(items))?;
        let is_counted = COUNTERS.iter().any(|counter| count(&answer, counter) > 0);
        observed(is_counted, "the answer counts no item")?;
        Ok(answer)
    }

    /// Reports an item once more; whether it is still unknown then.
    pub(super) fn is_new(&self, item: &Value) -> Result<(bool, Evidence), Stop> {
        let answer = self.reported(json!([item]))?;
        Ok((count(&answer, "createdIssues") > 0, answer.evidence))
    }

    /// These items are accepted, each in a call of its own.
    pub(super) fn accepts(&self, expected: &str, items: &[Value]) -> Verdict {
        for item in items {
            let answer = self.report(json!([item]))?;
            if answer.is_refused() {
                return broken_at(&answer.evidence, expected, &answer.json);
            }
            if COUNTERS.iter().all(|counter| count(&answer, counter) == 0) {
                return not_exercised("the answer counts no item");
            }
        }
        Held::over(items.len(), "no item was reported")
    }

    /// These items are refused, each in a call of its own.
    pub(super) fn refuses(&self, offence: &str, items: &[Value]) -> Verdict {
        for item in items {
            self.refuses_call(offence, &self.fields(json!([item])))?;
        }
        Held::over(items.len(), "no item was reported")
    }

    /// A call that is refused.
    pub(super) fn refuses_call(&self, offence: &str, fields: &Value) -> Verdict {
        let (is_refused, evidence) = is_refused(self.api, self.api.request(UPDATE, fields))?;
        if !is_refused {
            return broken_at(&evidence, format!("{offence} is refused"), evidence.reply_body());
        }
        Held::once()
    }
}
