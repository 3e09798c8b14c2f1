//! What probes that write act upon: a target that may be changed, and its finding.

use http::Method;
use serde_json::{Value, json};

use super::super::client::{DataTheorem, FINDINGS, TARGETS};
use super::{Answer, Shown, by_status};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed};
use crate::suite::rows::Row;
use crate::target::account::ApiKey;

/// What a probe says as its reason or note.
pub(super) const REMARK: &str = "A remark of the contract suite.";

/// A target with the way to it and to its finding.
pub(super) struct Subject<'c> {
    pub(super) api: DataTheorem<'c>,
    pub(super) target: Row,
    pub(super) id: String,
    pub(super) finding_id: String,
}

impl<'c> Subject<'c> {
    /// A target that is `OPEN`.
    pub(super) fn open(case: &'c Case) -> Result<Self, Stop> {
        Self::in_status(case, "OPEN")
    }

    /// A target in this status.
    pub(super) fn in_status(case: &'c Case, status: &str) -> Result<Self, Stop> {
        let api = case.data_theorem()?;
        let target = api.changeable_target(&[status])?;
        let id = target.text("id").unwrap_or_default().to_owned();
        let finding_id = target.text("security_finding_id").unwrap_or_default().to_owned();
        Ok(Self { api, target, id, finding_id })
    }

    /// The same, seen with another key.
    pub(super) fn seen_with(&self, key: &'c ApiKey) -> Self {
        Self {
            api: self.api.with_key(&key.api_key),
            target: self.target.clone(),
            id: self.id.clone(),
            finding_id: self.finding_id.clone(),
        }
    }

    pub(super) fn path(&self) -> String {
        format!("{TARGETS}/{}", self.id)
    }

    pub(super) fn finding(&self) -> Result<Row, Stop> {
        self.api.finding(&self.finding_id)
    }

    /// Asks for a status, and for the target to be opened again in the end.
    pub(super) fn ask_for(&self, status: &str) -> Result<Answer, Stop> {
        self.api.reopen_later(&self.id);
        self.api.post(&format!("{}/statuses", self.path()), &json!({"status": status}))
    }

    /// Sets a status, as a prerequisite.
    pub(super) fn set_status(&self, status: &str) -> Result<(), Stop> {
        let answer = self.ask_for(status)?;
        self.stands(&answer, status)
    }

    /// Sets a status or is refused: `allowed`, or the value that the refusal stands for.
    pub(super) fn set_or_refused(&self, status: &str, refusals: &[(u16, &'static str)]) -> Shown {
        let answer = self.ask_for(status)?;
        if answer.0.is_success() {
            self.stands(&answer, status)?;
            return Ok("allowed");
        }
        by_status(&answer, refusals)
    }

    /// A status was set: the reply and the target say so.
    pub(super) fn stands(&self, (reply, evidence): &Answer, status: &str) -> Result<(), Stop> {
        observed(reply.is_success(), evidence)?;
        let target = self.api.target(&self.id)?;
        let shown = target.text("current_status").unwrap_or("nothing");
        observed(shown == status, format!("{evidence}, but the target is {shown} and not {status}"))
    }

    /// A target that was closed by hand can be opened again: without that, a refusal says nothing.
    pub(super) fn can_be_reopened(&self) -> Result<(), Stop> {
        self.set_status("CLOSED_WONT_FIX")?;
        self.set_status("OPEN")
    }

    /// Closes the whole finding, as a prerequisite, and returns it.
    pub(super) fn close_finding(&self, permanently: bool) -> Result<Row, Stop> {
        let (reply, evidence) = self.ask_to_close_finding(permanently)?;
        observed(reply.is_success(), &evidence)?;
        let finding = self.finding()?;
        let status = finding.text("aggregated_status").unwrap_or("nothing");
        observed(status == "CLOSED_RISK_ACCEPTED", format!("{evidence}, but the finding is {status}"))?;
        let is_permanent = finding.json["is_permanently_closed"] == true;
        observed(is_permanent == permanently, "the finding does not say how it was closed")?;
        Ok(finding)
    }

    pub(super) fn ask_to_close_finding(&self, permanently: bool) -> Result<Answer, Stop> {
        let body = json!({
            "aggregated_status": "CLOSED_RISK_ACCEPTED",
            "is_permanently_closed": permanently,
            "reason": REMARK,
        });
        self.api.post(&format!("{FINDINGS}/{}/close", self.finding_id), &body)
    }

    /// Comments on the finding.
    pub(super) fn comment(&self) -> Result<Answer, Stop> {
        self.api.post(&format!("{FINDINGS}/{}/notes", self.finding_id), &json!({"text": REMARK}))
    }

    /// Sends a PATCH of the target, and has its `external_id` put back in the end.
    pub(super) fn patch(&self, body: &Value) -> Result<Answer, Stop> {
        self.api.restore_external_id(&self.target);
        self.api.patch(&self.path(), body)
    }

    /// Sets the `external_id`, as a prerequisite.
    pub(super) fn set_external_id(&self, value: &str) -> Result<(), Stop> {
        let (reply, evidence) = self.patch(&json!({"external_id": value}))?;
        observed(reply.status == 200, &evidence)?;
        let is_set = self.external_id()?.as_deref() == Some(value);
        observed(is_set, format!("{evidence}, but the external id is another"))
    }

    /// The `external_id` that a GET shows.
    pub(super) fn external_id(&self) -> Result<Option<String>, Stop> {
        Ok(self.api.target(&self.id)?.text("external_id").map(str::to_owned))
    }

    /// A finding with a priority in the target's app; the priority is put back in the end.
    pub(super) fn prioritized(&self, case: &Case) -> Result<Row, Stop> {
        let app = self.target.text("mobile_app_id").unwrap_or_default();
        let page = self.api.page(FINDINGS, &[("mobile_app_id", app)])?;
        let has_priority = |row: &Row| row.text("priority").is_some() && row.text("id").is_some();
        let finding = page.rows.find("finding with a priority in the app", has_priority)?.clone();
        let path = format!("{FINDINGS}/{}", finding.text("id").unwrap_or_default());
        let back =
            self.api.request(Method::PATCH, &path).json(&json!({"priority": finding.json["priority"]}));
        case.undo_later(self.api.authorized(back));
        Ok(finding)
    }
}

/// The finding's note that holds [`REMARK`].
pub(super) fn remark_in(finding: &Row) -> Result<Value, Stop> {
    let is_remark = |note: &&Value| note["text"].as_str().is_some_and(|text| text.contains(REMARK));
    match finding.list("notes").iter().find(is_remark) {
        Some(note) => Ok(note.clone()),
        None => not_exercised("the finding has no note with what was said"),
    }
}
