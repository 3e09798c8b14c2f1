//! Calls of which it is not known beforehand whether they are refused.

use serde_json::{Value, json};

use super::super::client::{Answer, Mend};
use crate::suite::check::{Stop, not_exercised};
use crate::suite::rows::Row;
use crate::target::exchange::Request;

/// A call that was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The vendor's code, if the answer has one.
    pub(super) code: Option<i64>,
    /// What is said about it.
    pub(super) message: String,
}

/// What a call came to.
pub(super) type Tried<T> = Result<T, Refusal>;

/// Makes a call that may be refused.
pub(super) fn tried(api: Mend<'_>, request_type: &str, fields: &Value) -> Result<Tried<Answer>, Stop> {
    sent(api, api.request(request_type, fields))
}

/// Sends a request that may be refused: by a code, as Mend does, or by the status of a client's mistake.
pub(super) fn sent(api: Mend<'_>, request: Request) -> Result<Tried<Answer>, Stop> {
    let (reply, evidence) = api.send(request)?;
    let json = reply.json().unwrap_or_default();
    let has_code = json.get("errorCode").is_some();
    match reply.status {
        200 if json.is_object() && !has_code => Ok(Ok(Answer { json, evidence })),
        200 | 400 | 422 if has_code || reply.status != 200 => Ok(Err(Refusal {
            code: json["errorCode"].as_i64(),
            message: json["errorMessage"].as_str().unwrap_or_default().to_owned(),
        })),
        status => not_exercised(format!("the answer has status {status} and is neither data nor a refusal")),
    }
}

/// The value that belongs to a refusal's code.
pub(super) fn value_of_code(
    tried: Tried<Answer>,
    values: &[(i64, &'static str)],
) -> Result<&'static str, Stop> {
    let Err(refusal) = tried else { return not_exercised("the call is not refused") };
    let value = values.iter().find(|(code, _)| refusal.code == Some(*code));
    match value {
        Some((_, value)) => Ok(value),
        None => not_exercised(format!("the refusal's code is {:?}", refusal.code)),
    }
}

/// A library that stands in an issue: its project's token and its `keyUuid`.
pub(super) fn library(api: Mend<'_>) -> Result<(String, String), Stop> {
    let key = |row: &Row| row.json["library"]["keyUuid"].as_str().map(str::to_owned);
    let issue = api.policy_issues()?.find("issue with a library", |row| key(row).is_some())?;
    Ok((issue.text("projectToken").unwrap_or_default().to_owned(), key(issue).unwrap_or_default()))
}

/// The fields of `getProjectLibrariesInfo`.
pub(super) fn of_libraries(project: &str, key_uuids: &[&str]) -> Value {
    json!({"projectToken": project, "keyUuids": key_uuids})
}
