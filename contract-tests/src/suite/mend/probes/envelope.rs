//! Transport, refusals and the remaining calls.

use bytes::Bytes;
use fixtures::spec::mend::{
    MEND_AUDITOR_WRITES, MEND_BAD_VALUE_CODE, MEND_DATES, MEND_FOREIGN_SCOPE_TOKEN, MEND_JSON_STRICTNESS,
    MEND_LIST_ORDER, MEND_MISSING_FIELD_CODE, MEND_OTHER_INTEGRATION_TYPE, MEND_REQUEST_TOKEN_FLAG,
    MEND_TAG_VALUES, MEND_UNKNOWN_POLICY_ITEM, MEND_UNKNOWN_REQUEST_TYPE, MEND_UNKNOWN_SCOPE_TOKEN,
    MEND_UNREADABLE_BODY,
};
use serde_json::{Value, json};

use super::super::client::Mend;
use super::reports::Reporter;
use super::tried::{Tried, library, of_libraries, sent, tried, value_of_code};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes};
use crate::suite::rows::Row;
use crate::suite::shape::Shape;
use crate::target::exchange::Request;

probes! {
    MEND_DATES, Reading, dates;
    MEND_JSON_STRICTNESS, Reading, json_strictness;
    MEND_REQUEST_TOKEN_FLAG, Reading, request_token_flag;
    MEND_OTHER_INTEGRATION_TYPE, Lasting, other_integration_type;
    MEND_MISSING_FIELD_CODE, Reading, missing_field_code;
    MEND_BAD_VALUE_CODE, Reading, bad_value_code;
    MEND_UNKNOWN_SCOPE_TOKEN, Reading, unknown_scope_token;
    MEND_UNKNOWN_POLICY_ITEM, Lasting, unknown_policy_item;
    MEND_UNKNOWN_REQUEST_TYPE, Reading, unknown_request_type;
    MEND_UNREADABLE_BODY, Reading, unreadable_body;
    MEND_FOREIGN_SCOPE_TOKEN, Reading, foreign_scope_token;
    MEND_AUDITOR_WRITES, Control, auditor_writes;
    MEND_TAG_VALUES, Reading, tag_values;
    MEND_LIST_ORDER, Reading, list_order;
}

/// How many rows a list needs before their order is more than chance.
const ORDERED_MIN: usize = 6;

fn dates(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let answer =
        api.accepted("getOrganizationLastModifiedProjects", &json!({"orgToken": api.org_token()}))?;
    let modified = answer.rows("lastModifiedProjects", "a modification");
    let mut shown: Vec<&Value> = modified.rows.iter().filter_map(|row| row.get("lastModified")).collect();
    observed(!shown.is_empty(), "no project was modified")?;
    shown.extend(api.projects()?.rows.iter().filter_map(|row| row.get("lastUpdatedDate")));
    let has_time = |date: &Value| date.as_str().is_some_and(|text| text.contains(':'));
    if shown.iter().all(|date| Shape::Day.fits(date)) {
        Ok("days-everywhere")
    } else if shown.iter().all(|date| has_time(date)) {
        Ok("per-field")
    } else {
        not_exercised("dates of modifications and of vitals are of the same form and no days, or none")
    }
}

/// A call that needs nothing but the organization.
fn plain_request(api: Mend<'_>) -> Result<Request, Stop> {
    let request = api.request("getPolicyMatchesConfiguration", &json!({"orgToken": api.org_token()}));
    let answer = api.answer(request.clone())?;
    let has_matches = answer.json["matches"].as_array().is_some_and(|matches| !matches.is_empty());
    observed(has_matches, "`getPolicyMatchesConfiguration` has no matches")?;
    Ok(request)
}

/// The same call with a comment and a comma too many.
fn relaxed(request: &Request) -> Request {
    let text = String::from_utf8_lossy(&request.body).replacen('{', "{ // a comment\n", 1);
    let text = text.strip_suffix('}').map_or_else(|| text.clone(), |start| format!("{start},}}"));
    Request { body: Bytes::from(text), ..request.clone() }
}

fn json_strictness(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    match sent(api, relaxed(&plain_request(api)?))? {
        Err(_) => Ok("strict"),
        Ok(answer) if answer.json["matches"].is_array() => Ok("lenient"),
        Ok(_) => not_exercised("the answer to a body with a comment has no matches"),
    }
}

/// A body with a comment is no JSON either, and the key in it says whose it is where several accounts share a port.
fn unreadable_body(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let request = plain_request(api)?;
    let cut = Request { body: Bytes::from_static(b"{"), ..request.clone() };
    for unreadable in [relaxed(&request), cut] {
        let (reply, _) = api.send(unreadable)?;
        let json = reply.json().unwrap_or_default();
        match (reply.status, json["errorCode"].as_i64()) {
            (400, _) => return Ok("400"),
            (200, Some(3000)) => return Ok("3000"),
            (200, None) if json["matches"].is_array() => {}
            (status, code) => {
                return not_exercised(format!("it is answered with status {status}, code {code:?}"));
            }
        }
    }
    not_exercised("every body can be read")
}

fn request_token_flag(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let asked = |flag: Value| -> Result<Tried<bool>, Stop> {
        let fields = json!({"orgToken": api.org_token(), "includeRequestToken": flag});
        let answer = tried(api, "getOrganizationLastModifiedProjects", &fields)?;
        Ok(answer.map(|answer| answer.json["requestToken"].is_string()))
    };
    observed(asked(json!(true))?.unwrap_or(false), "there is no token where one is asked for")?;
    match asked(json!("true"))? {
        Err(_) => Ok("boolean"),
        Ok(true) => Ok("boolean-or-string"),
        Ok(false) => not_exercised("a string is neither refused nor heeded"),
    }
}

fn other_integration_type(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let asked = |kind: &str| -> Result<Tried<bool>, Stop> {
        let fields = json!({"orgToken": api.org_token(), "integrationType": kind});
        let answer = tried(api, "getIntegrationActivationToken", &fields)?;
        Ok(answer
            .map(|answer| answer.json["activationToken"].as_str().is_some_and(|token| !token.is_empty())))
    };
    observed(asked("issueTrackerIntegration")?.unwrap_or(false), "the type of the page gets no token")?;
    match asked("contractSuite")? {
        Err(_) => Ok("refused"),
        Ok(true) => Ok("accepted"),
        Ok(false) => not_exercised("the answer has no token"),
    }
}

fn missing_field_code(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (project, key) = library(api)?;
    let whole = api.accepted("getProjectLibrariesInfo", &of_libraries(&project, &[&key]))?;
    observed(whole.json["libraries"].is_array(), "no libraries are listed")?;
    let lacking = tried(api, "getProjectLibrariesInfo", &json!({"projectToken": project}))?;
    value_of_code(lacking, &[(3010, "3010"), (3000, "3000")])
}

fn bad_value_code(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (project, _) = library(api)?;
    let asked = |kind: &str| {
        tried(api, "getProjectAlertsByType", &json!({"projectToken": project, "alertType": kind}))
    };
    let is_known = asked("SECURITY_VULNERABILITY")?.is_ok_and(|answer| answer.json["alerts"].is_array());
    observed(is_known, "the type of security alerts is not accepted")?;
    value_of_code(asked("CONTRACT_SUITE")?, &[(3000, "3000"), (2021, "2021")])
}

/// The token is as long as a real one.
fn unknown_scope_token(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (project, _) = library(api)?;
    let asked = |token: &str| tried(api, "getProjectVitals", &json!({"projectToken": token}));
    let is_known = asked(&project)?.is_ok_and(|answer| answer.json["projectVitals"].is_array());
    observed(is_known, "a project has no vitals")?;
    value_of_code(asked(&"0".repeat(project.len()))?, &[(5001, "5001"), (3000, "3000")])
}

fn unknown_policy_item(case: &Case) -> Result<&'static str, Stop> {
    let unknown = json!({"wsPolicyIssueItemUuid": "00000000-0000-4000-8000-000000000000"});
    value_of_code(Reporter::find(case)?.call(&unknown)?, &[(3000, "3000"), (5001, "5001")])
}

fn unknown_request_type(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    plain_request(api)?;
    let unknown = tried(api, "getContractSuite", &json!({"orgToken": api.org_token()}))?;
    value_of_code(unknown, &[(3000, "3000"), (4000, "4000")])
}

fn foreign_scope_token(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let (project, _) = library(api)?;
    let warnings = |fields: Value| -> Result<String, Stop> {
        let answer = api.accepted("getProjectVitals", &fields)?;
        observed(answer.json["projectVitals"].is_array(), "a project has no vitals")?;
        Ok(answer.json["warningMessages"].to_string())
    };
    let own = warnings(json!({"projectToken": project}))?;
    observed(!own.contains("orgToken"), "a call is warned of a token that it does not have")?;
    let foreign = warnings(json!({"projectToken": project, "orgToken": api.org_token()}))?;
    Ok(if foreign.contains("orgToken") { "warned" } else { "silent" })
}

fn auditor_writes(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let auditor = api.find_user("who is an auditor", |user| user.role == "auditor")?;
    let auditor = api.with_user_key(&auditor.user_key);
    let project = api.projects()?.find("project", |row| row.text("projectToken").is_some())?;
    let project = project.text("projectToken").unwrap_or_default();
    let tag = |key: &str| json!({"projectToken": project, "tagKey": key, "tagValue": "suite"});
    let has_tag = |key: &str| -> Result<bool, Stop> {
        let answer = auditor.accepted("getProjectTags", &json!({"projectToken": project}))?;
        Ok(answer.json.pointer("/projectTags/0/tags").is_some_and(|tags| tags.get(key).is_some()))
    };
    api.accepted("saveProjectTag", &tag("administrator"))?;
    observed(has_tag("administrator")?, "an auditor does not see a tag that an administrator saved")?;
    match tried(auditor, "saveProjectTag", &tag("auditor"))? {
        Err(_) => Ok("refused"),
        Ok(_) if has_tag("auditor")? => Ok("allowed"),
        Ok(_) => not_exercised("what an auditor wrote is not there"),
    }
}

fn tag_values(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let answer = api.accepted("getOrganizationProjectTags", &json!({"orgToken": api.org_token()}))?;
    let projects = answer.rows("projectTags", "a project with tags");
    let tags = projects.rows.iter().filter_map(|row| row.json["tags"].as_object());
    let values: Vec<&Value> = tags.flat_map(|tags| tags.values()).collect();
    observed(!values.is_empty(), "no project has a tag")?;
    if values.iter().all(|value| Shape::ListOf(&Shape::Text).fits(value)) {
        Ok("list")
    } else if values.iter().all(|value| value.is_string()) {
        Ok("scalar")
    } else {
        not_exercised("the values of tags are of several types, or of another one")
    }
}

/// The order of the projects. One by name is not arbitrary, but no value says it.
fn list_order(case: &Case) -> Result<&'static str, Stop> {
    let api = case.mend()?;
    let projects = api.accepted("getOrganizationProjectVitals", &json!({"orgToken": api.org_token()}))?;
    let rows = projects.rows("projectVitals", "a project").rows;
    observed(rows.len() >= ORDERED_MIN, "there are too few projects to tell their order")?;
    let is_sorted = |name: &str| {
        let key = |row: &Row| (row.json[name].as_i64(), row.text(name).map(str::to_owned));
        let keys: Vec<_> = rows.iter().map(key).collect();
        let varies = keys.windows(2).any(|pair| pair.first() != pair.last());
        varies && (keys.is_sorted() || keys.iter().rev().is_sorted())
    };
    if ["id", "creationDate", "lastUpdatedDate"].into_iter().any(is_sorted) {
        return Ok("stable");
    }
    observed(!is_sorted("name"), "projects come by name")?;
    Ok("shuffled")
}
