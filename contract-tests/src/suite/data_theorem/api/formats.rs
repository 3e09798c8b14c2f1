//! JSON, timestamps, and the version in the path.

use bytes::Bytes;
use fixtures::spec::data_theorem::{
    DT_JSON_BODY, DT_JSON_RESPONSE, DT_TIMESTAMP_FORMAT, DT_TIMESTAMP_OFFSET_OPTIONAL, DT_TIMESTAMP_UTC,
    DT_VERSION_PATH,
};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::client::{APPS, FINDINGS, TARGETS, list_in};
use super::super::lists::{moment_between, spelled_alike};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::Row;
use crate::suite::shape::brief;

checks! { "data-theorem/formats";
    version_in_the_path: DT_VERSION_PATH, Reading, version_in_the_path;
    responses_are_json: DT_JSON_RESPONSE, Reading, responses_are_json;
    form_is_no_body: DT_JSON_BODY, Writing, form_is_no_body;
    timestamps_by_rfc_3339: DT_TIMESTAMP_FORMAT, Reading,
        |case| timestamps(case, "a timestamp by RFC 3339", |text| Some(text.parse::<Timestamp>().is_ok()));
    offset_optional_in_requests: DT_TIMESTAMP_OFFSET_OPTIONAL, Reading, offset_optional_in_requests;
    timestamps_in_utc: DT_TIMESTAMP_UTC, Reading, |case| timestamps(case, "a timestamp in UTC", is_utc);
}

fn version_in_the_path(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    api.page(APPS, &[])?;
    let there = api.request(Method::GET, APPS);
    observed(there.url.contains("/v2/"), "the account's base address names no version")?;
    let others = ["/", "/v0/", "/v2000/"];
    for other in others {
        let mut request = there.clone();
        request.url = request.url.replacen("/v2/", other, 1);
        let (reply, evidence) = api.send(request)?;
        let lists_apps = list_in(APPS, &reply.json().unwrap_or_default()).is_some();
        if reply.is_success() && lists_apps {
            return broken_at(&evidence, "no such list where the path does not say `v2`", reply.status);
        }
    }
    Held::over(others.len(), "no other path")
}

/// What is served and what is refused, each with a body that is JSON if it has one.
fn responses_are_json(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    api.page(APPS, &[])?;
    let mut replies = vec![api.anonymous().get(APPS)?];
    for list in [APPS, FINDINGS, TARGETS] {
        replies.push(api.get(list)?);
        replies.push(api.get(&format!("{list}/0"))?);
    }
    let refused = replies.iter().filter(|(reply, _)| !reply.is_success()).count();
    observed(refused > 0, "a request without a key and unknown ids are answered with success")?;
    let bodies = replies.iter().filter(|(reply, _)| !reply.body.is_empty());
    let mut seen = 0;
    for (reply, evidence) in bodies {
        if reply.json().is_none() {
            return broken_at(evidence, "a body that is JSON", String::from_utf8_lossy(&reply.body));
        }
        seen += 1;
    }
    Held::over(seen, "no reply has a body")
}

fn form_is_no_body(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let target = api.changeable_target(&["OPEN", "NEW"])?;
    let id = target.text("id").unwrap_or_default();
    let path = format!("{TARGETS}/{id}");
    let external_id = || Ok::<_, Stop>(api.target(id)?.text("external_id").map(str::to_owned));
    api.restore_external_id(&target);
    let (reply, _) = api.patch(&path, &json!({"external_id": "CONTRACT-JSON"}))?;
    observed(reply.status == 200, format!("PATCH with JSON answers {}", reply.status))?;
    observed(external_id()?.as_deref() == Some("CONTRACT-JSON"), "PATCH with JSON had no effect")?;
    let mut form = api.request(Method::PATCH, &path);
    form = form.header("content-type", "application/x-www-form-urlencoded");
    form.body = Bytes::from_static(b"external_id=CONTRACT-FORM");
    let (reply, evidence) = api.send(form)?;
    if reply.is_success() {
        return broken_at(&evidence, "a form is refused", reply.status);
    }
    let after = external_id()?.unwrap_or_default();
    expect(after == "CONTRACT-JSON", "a refused form changes nothing", after)?;
    Held::once()
}

/// Every date and time that is answered passes; a text of which the test says nothing is another rule's business.
fn timestamps(case: &Case, expected: &str, passes: impl Fn(&str) -> Option<bool>) -> Verdict {
    let api = case.data_theorem()?;
    let mut seen = 0;
    for rows in [api.apps()?, api.findings()?, api.targets()?, api.scans()?] {
        for row in &rows.rows {
            if let Some(text) = first_wrong(row, &passes, &mut seen) {
                return broken_at(&row.evidence, expected, format!("{text} in {}", brief(&row.json)));
            }
        }
    }
    Held::over(seen, "no timestamp was seen")
}

fn first_wrong(row: &Row, passes: &impl Fn(&str) -> Option<bool>, seen: &mut usize) -> Option<String> {
    let mut texts = Vec::new();
    dates_in(&row.json, &mut texts);
    texts.into_iter().find(|text| {
        let verdict = passes(text);
        *seen += usize::from(verdict.is_some());
        verdict == Some(false)
    })
}

/// The texts that begin with a day and go on, under names that speak of dates.
fn dates_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name.contains("date") && is_day_and_more(text) => {
                        found.push(text.to_owned());
                    }
                    _ => dates_in(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| dates_in(item, found)),
        _ => {}
    }
}

fn is_day_and_more(text: &str) -> bool {
    text.len() > 10 && text.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok())
}

/// Whether the offset is none. Nothing is said of what is no timestamp.
fn is_utc(text: &str) -> Option<bool> {
    text.parse::<Timestamp>().ok()?;
    Some(["Z", "z", "+00:00", "-00:00"].iter().any(|offset| text.ends_with(offset)))
}

fn offset_optional_in_requests(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let apps = api.apps()?;
    let with = format!("results_since={:.6}", moment_between(apps, "results_last_updated")?);
    spelled_alike(api, apps, APPS, &with, &[with.trim_end_matches('Z')])
}
