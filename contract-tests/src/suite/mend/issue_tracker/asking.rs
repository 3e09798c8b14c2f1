//! How the checks of this page ask, and how they tell that they were refused.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::{Answer, Mend};
use crate::suite::check::{Held, Stop, Verdict, broken_at, not_exercised};
use crate::suite::rows::{Row, Rows};
use crate::target::exchange::{Evidence, Request};

/// The calls of this page.
pub(super) const FETCH: &str = "fetchProjectPolicyIssues";
pub(super) const MODIFIED: &str = "getOrganizationLastModifiedProjects";
pub(super) const LIBRARIES: &str = "getProjectLibrariesInfo";
pub(super) const TOKEN: &str = "getIntegrationActivationToken";
pub(super) const MATCHES: &str = "getPolicyMatchesConfiguration";

/// Whether a request is refused, in whichever way.
pub(super) fn is_refused(api: Mend<'_>, request: Request) -> Result<(bool, Evidence), Stop> {
    let (reply, evidence) = api.send(request)?;
    match reply.status {
        200 => Ok((reply.json().is_some_and(|json| json.get("errorCode").is_some()), evidence)),
        400..500 => Ok((true, evidence)),
        status => not_exercised(format!("the call is answered with status {status}")),
    }
}

/// Each of these calls is refused. The same call without the offence has to have been accepted before.
pub(super) fn refuses(api: Mend<'_>, request_type: &str, offences: &[(&str, Value)]) -> Verdict {
    for (offence, fields) in offences {
        let (is_refused, evidence) = is_refused(api, api.request(request_type, fields))?;
        if !is_refused {
            let seen = evidence.reply_body();
            return broken_at(&evidence, format!("{request_type} {offence} is refused"), seen);
        }
    }
    Held::over(offences.len(), "nothing was tried")
}

/// The fields but for one.
pub(super) fn without(fields: &Value, name: &str) -> Value {
    let mut fields = fields.clone();
    if let Some(members) = fields.as_object_mut() {
        members.remove(name);
    }
    fields
}

/// The fields with one more, or with another value of it.
pub(super) fn with(fields: &Value, name: &str, value: Value) -> Value {
    let mut fields = fields.clone();
    if let Some(members) = fields.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    fields
}

/// What asks about a project's issues.
pub(super) fn about(project_token: &str) -> Value {
    json!({"projectToken": project_token, "policyActionType": "CREATE_ISSUE"})
}

/// What asks about the organization.
pub(super) fn about_organization(api: Mend<'_>) -> Value {
    json!({"orgToken": api.org_token()})
}

/// The ids of the violations in these issues.
pub(super) fn violation_ids(issues: &Rows) -> BTreeSet<String> {
    let violations = issues.rows.iter().flat_map(|issue| issue.list("policyViolations"));
    violations.filter_map(|violation| violation["issueUuid"].as_str().map(str::to_owned)).collect()
}

/// The id of an issue's library.
pub(super) fn key_uuid(issue: &Row) -> Option<&str> {
    issue.get("library")?.get("keyUuid")?.as_str()
}

/// The project whose issue this is.
pub(super) fn project_of(issue: &Row) -> &str {
    issue.text("projectToken").unwrap_or_default()
}

/// The day with which a date begins, whatever follows.
pub(super) fn day_of(text: Option<&str>) -> Option<Date> {
    text?.get(..10)?.parse().ok()
}

/// The answers without the flag `includeRequestToken`, with the flag false, and with it true; and what only the
/// last one has.
pub(super) struct RequestTokens {
    pub(super) without: [Answer; 2],
    pub(super) with: Answer,
    pub(super) added: Vec<String>,
}

impl RequestTokens {
    /// Makes the calls; `fields` may differ from call to call.
    pub(super) fn ask(
        api: Mend<'_>,
        request_type: &str,
        fields: impl Fn(&str) -> Value,
    ) -> Result<Self, Stop> {
        let ask = |call: &str, flag: Option<bool>| {
            let fields = fields(call);
            let flagged = flag.map(|flag| with(&fields, "includeRequestToken", Value::from(flag)));
            api.accepted(request_type, &flagged.unwrap_or(fields))
        };
        let without = [ask("1", None)?, ask("2", Some(false))?];
        let with = ask("3", Some(true))?;
        let names = |answer: &Answer| -> BTreeSet<String> {
            answer.json.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        let added = names(&with).difference(&names(&without[0])).cloned().collect();
        Ok(Self { without, with, added })
    }

    /// The token comes when it is asked for, and only then. `usual` is what the answer has anyway.
    pub(super) fn come_when_asked_for(&self, usual: &str) -> Verdict {
        let [by_default, _] = &self.without;
        if by_default.json.get(usual).is_none() {
            return not_exercised(format!("the answer has no `{usual}`"));
        }
        for answer in &self.without {
            if answer.json.get("requestToken").is_some_and(|token| !token.is_null()) {
                let seen = &answer.json["requestToken"];
                return broken_at(&answer.evidence, "no token unless it is asked for", seen);
            }
        }
        if self.added.is_empty() {
            let seen = "the same members as without";
            return broken_at(&self.with.evidence, "`includeRequestToken` adds a token", seen);
        }
        Held::once()
    }
}
