//! What comes too fast is answered with 429.

use fixtures::spec::jira::{JIRA_RATE_429, JIRA_RATE_REASON, JIRA_RATE_RESET, JIRA_RATE_RETRY_AFTER};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::Jira;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/limits";
    too_many_requests_429: JIRA_RATE_429, Control, too_many_requests_429;
    reason_names_the_limit: JIRA_RATE_REASON, Control, reason_names_the_limit;
    retry_after_in_seconds: JIRA_RATE_RETRY_AFTER, Control, retry_after_in_seconds;
    reset_is_when_the_limit_is_new: JIRA_RATE_RESET, Control, reset_is_when_the_limit_is_new;
}

/// The longest wait that is tried out.
const WAIT_MAX_SECONDS: i64 = 3_600;

fn limit(case: &Case, limits: &Value) -> Result<(), Stop> {
    case.happen(&json!({"type": "jira.limits_changed", "limits": limits})).map(|_| ())
}

fn read(api: Jira<'_>, key: &str) -> Result<(Reply, Evidence), Stop> {
    api.get(&format!("issue/{key}"))
}

/// The answer to the third request to an endpoint that may be asked twice a minute.
fn over_the_limit(case: &Case) -> Result<(Jira<'_>, &str, Reply, Evidence), Stop> {
    let api = case.jira()?;
    let key = api.some_key()?;
    limit(case, &json!({"burst": {"requests": 2, "per_ms": 60_000}}))?;
    for _ in 0..2 {
        api.issue(key)?;
    }
    let (reply, evidence) = read(api, key)?;
    Ok((api, key, reply, evidence))
}

fn limited(case: &Case) -> Result<(Jira<'_>, &str, Reply, Evidence), Stop> {
    let answer = over_the_limit(case)?;
    observed(answer.2.status == 429, format!("over the limit the answer is {}", answer.2.status))?;
    Ok(answer)
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.get(name)?.to_str().ok()
}

fn too_many_requests_429(case: &Case) -> Verdict {
    let (_, _, reply, evidence) = over_the_limit(case)?;
    if reply.status != 429 {
        return broken_at(&evidence, "429 over the limit", reply.status);
    }
    Held::once()
}

fn reason_names_the_limit(case: &Case) -> Verdict {
    let (api, key, of_endpoint, evidence) = limited(case)?;
    limit(case, &json!({"issue_writes": {"requests": 1, "per_ms": 60_000}}))?;
    let edit = json!({"fields": {"summary": "Written once"}});
    let (once, _) = api.put(&format!("issue/{key}"), &edit)?;
    observed(once.is_success(), format!("an edit answers {}", once.status))?;
    let (of_issue, of_issue_evidence) = api.put(&format!("issue/{key}"), &edit)?;
    observed(of_issue.status == 429, format!("over the limit of the issue: {}", of_issue.status))?;
    let limits = [
        (of_endpoint, evidence, "jira-burst-based"),
        (of_issue, of_issue_evidence, "jira-per-issue-on-write"),
    ];
    for (reply, evidence, expected) in &limits {
        let seen = header(reply, "ratelimit-reason").unwrap_or("nothing");
        if seen != *expected {
            return broken_at(evidence, format!("RateLimit-Reason: {expected}"), seen);
        }
    }
    Held::over(limits.len(), "no limit")
}

/// Waiting so long is enough.
fn retry_after_in_seconds(case: &Case) -> Verdict {
    let (api, key, reply, evidence) = limited(case)?;
    let text = header(&reply, "retry-after").unwrap_or("nothing");
    let Some(seconds) = text.parse::<i64>().ok().filter(|seconds| *seconds > 0) else {
        return broken_at(&evidence, "Retry-After: a number of seconds", text);
    };
    observed(seconds <= WAIT_MAX_SECONDS, "the wait is too long to be tried")?;
    case.sandbox()?.advance_seconds(seconds)?;
    let (reply, evidence) = read(api, key)?;
    if reply.status == 429 {
        return broken_at(&evidence, format!("no 429 after {seconds} seconds"), reply.status);
    }
    Held::once()
}

/// The page makes it the time of the request and the wait together, without seconds: it may be a minute off.
fn reset_is_when_the_limit_is_new(case: &Case) -> Verdict {
    let (_, _, reply, evidence) = limited(case)?;
    let text = header(&reply, "x-ratelimit-reset").unwrap_or("nothing");
    let has_minutes_alone = text.get(16..17).is_some_and(|next| next != ":");
    let Some(reset) = text.parse::<Timestamp>().ok().filter(|_| has_minutes_alone) else {
        return broken_at(&evidence, "X-RateLimit-Reset: an instant such as 2026-01-15T10:30Z", text);
    };
    let wait_seconds = header(&reply, "retry-after").and_then(|text| text.parse::<i64>().ok());
    let Some(wait_seconds) = wait_seconds else {
        return not_exercised("Retry-After is no number of seconds");
    };
    let off_by_seconds = reset.duration_since(case.sandbox()?.now()?).as_secs().saturating_sub(wait_seconds);
    if off_by_seconds.abs() > 60 {
        return broken_at(&evidence, format!("an instant in {wait_seconds} seconds, within a minute"), text);
    }
    Held::once()
}
