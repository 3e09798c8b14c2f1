//! Reports of tickets for a violation, as a plugin sends them.
//!
//! What was reported can't be taken back, so all reports have the same identifier.

use serde_json::{Map, Value, json};

use super::super::client::{Answer, Mend};
use super::tried::{Tried, tried};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, unclear};

/// The ticket that is reported.
pub(super) const TICKET: &str = "CONTRACT-1";

/// Reports for one violation.
pub(super) struct Reporter<'c> {
    pub(super) api: Mend<'c>,
    pub(super) project: String,
    pub(super) violation: String,
}

/// What of the reported tickets was what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unaffected: u64,
}

impl Counters {
    fn read(answer: &Answer) -> Result<Self, Stop> {
        let count = |name: &str| answer.json.get(name).and_then(Value::as_u64);
        match (count("createdIssues"), count("updatedIssues"), count("unaffectedIssues")) {
            (Some(created), Some(updated), Some(unaffected)) => Ok(Self { created, updated, unaffected }),
            _ => not_exercised("the answer does not count what was created, updated and unaffected"),
        }
    }

    /// How many there were of all kinds.
    pub(super) fn sum(self) -> u64 {
        self.created.saturating_add(self.updated).saturating_add(self.unaffected)
    }
}

impl<'c> Reporter<'c> {
    /// For a violation that may be reported on, after a plain report was accepted.
    pub(super) fn find(case: &'c Case) -> Result<Self, Stop> {
        let api = case.mend()?;
        let issue = api.reportable_issue()?;
        let uuids = issue.list("policyViolations").iter().filter_map(|one| one["issueUuid"].as_str());
        let violation = uuids.map(str::to_owned).next().unwrap_or_default();
        let project = issue.text("projectToken").unwrap_or_default().to_owned();
        let found = Self { api, project, violation };
        observed(found.takes(&json!({}))?, "a ticket with nothing but an identifier is refused")?;
        Ok(found)
    }

    /// Makes the call, with these fields instead of or besides the usual ones.
    pub(super) fn call(&self, fields: &Value) -> Result<Tried<Answer>, Stop> {
        let mut all = Map::new();
        all.insert("projectToken".to_owned(), Value::from(self.project.as_str()));
        all.insert("wsPolicyIssueItemUuid".to_owned(), Value::from(self.violation.as_str()));
        all.insert("externalIssues".to_owned(), json!([{"identifier": TICKET}]));
        all.extend(fields.as_object().cloned().unwrap_or_default());
        tried(self.api, "updateExternalIntegrationIssues", &Value::Object(all))
    }

    /// The counters of a call, if it is accepted.
    pub(super) fn counted(&self, fields: &Value) -> Result<Tried<Counters>, Stop> {
        match self.call(fields)? {
            Ok(answer) => Ok(Ok(Counters::read(&answer)?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Whether a report of the ticket with these fields is accepted.
    pub(super) fn takes(&self, fields: &Value) -> Result<bool, Stop> {
        match self.counted(&json!({"externalIssues": [ticket(fields)]}))? {
            Err(_) => Ok(false),
            Ok(counters) if counters.sum() == 1 => Ok(true),
            Ok(counters) => not_exercised(format!("of one ticket there are {counters:?}")),
        }
    }

    /// Reports the ticket with these fields, which has to be accepted.
    pub(super) fn report(&self, fields: &Value) -> Result<Counters, Stop> {
        match self.counted(&json!({"externalIssues": [ticket(fields)]}))? {
            Ok(counters) if counters.sum() == 1 => Ok(counters),
            Ok(counters) => not_exercised(format!("of one ticket there are {counters:?}")),
            Err(refusal) => unclear("a report is refused", refusal.message),
        }
    }

    /// Sees that a report in which nothing is new counts otherwise than one in which something is.
    pub(super) fn counters_show_changes(&self) -> Result<(), Stop> {
        self.report(&json!({"status": "Open"}))?;
        let same = self.report(&json!({"status": "Open"}))?;
        let changed = self.report(&json!({"status": "Done"}))?;
        let are_told_apart = same.unaffected == 1 && changed.updated == 1;
        observed(are_told_apart, "the counters don't tell whether anything changed")
    }
}

/// The ticket with these fields.
fn ticket(fields: &Value) -> Value {
    let mut all = Map::new();
    all.insert("identifier".to_owned(), Value::from(TICKET));
    all.extend(fields.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}
