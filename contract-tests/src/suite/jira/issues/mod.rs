//! Issues, a file per thing that is done with them.

pub(super) mod create;
pub(super) mod edit;
pub(super) mod read;
pub(super) mod texts;
pub(super) mod transitions;

use serde_json::Value;

use super::client::Jira;
use crate::suite::check::{Held, Stop, Verdict, broken_at};

/// Makes of each body a request for an issue, which has to be refused with 400.
fn refuses_to_make(api: Jira<'_>, bad: &[(&str, Value)]) -> Verdict {
    for (what, body) in bad {
        let (reply, evidence) = api.create(body)?;
        if reply.status != 400 {
            return broken_at(&evidence, format!("400 for {what}"), reply.status);
        }
    }
    Held::over(bad.len(), "no bad request")
}

/// Fields of which an issue is made, and others of which none may be.
fn limit_of_fields(api: Jira<'_>, good: &Value, bad: &[(&str, Value)]) -> Verdict {
    api.make(good)?;
    let bodies =
        bad.iter().map(|(what, fields)| Ok((*what, serde_json::json!({"fields": api.new_fields(fields)?}))));
    refuses_to_make(api, &bodies.collect::<Result<Vec<_>, Stop>>()?)
}
