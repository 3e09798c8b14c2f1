//! How a call is refused.

use fixtures::spec::mend::{
    MEND_ERROR_BODY, MEND_ERROR_INVALID_PARAMETERS, MEND_ERROR_LIBRARY_UUID, MEND_ERROR_MISSING_FIELDS,
    MEND_ERROR_NOT_ALLOWED, MEND_ERROR_USERS,
};
use serde_json::{Value, json};

use super::super::client::Answer;
use super::shelf::{Shelf, draft};
use super::subjects::{
    NOBODYS_TOKEN, call, details, grants, licensed_libraries, merge, organization, project, rows_of, tokens,
};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};

checks! { "mend/errors";
    body: MEND_ERROR_BODY, Reading, body;
    not_allowed: MEND_ERROR_NOT_ALLOWED, Control, not_allowed;
    invalid_parameters: MEND_ERROR_INVALID_PARAMETERS, Reading, invalid_parameters;
    missing_fields: MEND_ERROR_MISSING_FIELDS, Reading, missing_fields;
    library_uuid: MEND_ERROR_LIBRARY_UUID, Reading, library_uuid;
    unknown_users_and_groups: MEND_ERROR_USERS, Writing, unknown_users_and_groups;
}

fn body(case: &Case) -> Verdict {
    let api = case.mend()?;
    let vitals = call("getProjectVitals", json!({"projectToken": project(api)?}), "projectVitals");
    vitals.granted(api)?;
    let mut refused = 0;
    for offence in
        [json!({}), json!({"projectToken": NOBODYS_TOKEN}), json!({"projectToken": {"token": true}})]
    {
        let (reply, evidence) = api.send(api.request(vitals.request_type, &offence))?;
        if grants(&reply, vitals.member) {
            continue;
        }
        if reply.status != 200 {
            return broken_at(&evidence, "a refusal with the status 200", reply.status);
        }
        let body = reply.json().unwrap_or_default();
        if !body["errorCode"].is_number() || !body["errorMessage"].is_string() {
            let expected = "an object with `errorCode`, a number, and `errorMessage`";
            return broken_at(&evidence, expected, body);
        }
        refused += 1;
    }
    Held::over(refused, "no call is refused")
}

fn not_allowed(case: &Case) -> Verdict {
    let api = case.mend()?;
    let details = details(api)?;
    let member = api.find_user("who is a plain member", |user| user.role == "member")?;
    let answer =
        api.with_user_key(&member.user_key).answer(details.request(api.with_user_key(&member.user_key)))?;
    observed(answer.is_refused(), "the call is granted to everybody")?;
    let message = answer.json["errorMessage"].as_str();
    if message != Some("User is not allowed to perform this action") {
        return broken_at(&answer.evidence, "\"User is not allowed to perform this action\"", &answer.json);
    }
    has_code(&answer, &[5001], "a call that its user may not make")
}

/// Whether a bad value counts as a bad parameter or as a bad option is left open.
fn invalid_parameters(case: &Case) -> Verdict {
    let api = case.mend()?;
    let fields = json!({"projectToken": project(api)?, "alertType": "SECURITY_VULNERABILITY"});
    let alerts = call("getProjectAlertsByType", fields, "alerts");
    alerts.granted(api)?;
    let bad = alerts.with(&json!({"alertType": "NO_SUCH_TYPE_OF_ALERT"}));
    let answer = api.answer(bad.request(api))?;
    observed(answer.is_refused(), "an unknown type of alert is taken")?;
    has_code(&answer, &[3000, 2021], "a field with a bad value")
}

/// Whether a missing field has a code of its own everywhere is left open.
fn missing_fields(case: &Case) -> Verdict {
    let api = case.mend()?;
    let tags = call("getProjectTags", json!({"projectToken": project(api)?}), "projectTags");
    tags.granted(api)?;
    let answer = api.call(tags.request_type, &json!({}))?;
    observed(answer.is_refused(), "a call without a token is granted")?;
    has_code(&answer, &[3010, 3000], "a call that lacks a field")
}

fn library_uuid(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = project(api)?;
    let of_library = |key_uuid: &str| {
        let fields = json!({"projectToken": project, "keyUuid": key_uuid});
        api.call("getProjectLibraryDependencies", &fields)
    };
    let libraries = tokens(&licensed_libraries(api, &project)?, "keyUuid");
    let mut is_granted = false;
    for key_uuid in libraries.iter().take(5) {
        let answer = of_library(key_uuid)?;
        is_granted |= !answer.is_refused() && answer.json["dependencies"].is_array();
        if is_granted {
            break;
        }
    }
    observed(is_granted, "the call is granted for no library")?;
    let answer = of_library("00000000-0000-4000-8000-000000000000")?;
    if !answer.is_refused() {
        return not_exercised("the id of no library is taken");
    }
    has_code(&answer, &[8000], "the id of no library")
}

/// Policies name users and groups. A user that nobody knows is in no organization either.
fn unknown_users_and_groups(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let api = shelf.api;
    let groups = rows_of(api, "getAllGroups", &organization(api), "groups", "a group")?;
    let group = groups.find("group with a number", |row| row.json["id"].is_u64())?;
    let of_group = |id: &Value| json!({"action": {"type": "REASSIGN", "group": {"id": id}}});
    let largest = groups.rows.iter().filter_map(|row| row.json["id"].as_u64()).max().unwrap_or_default();
    let nobody = json!({"owner": {"email": "nobody@contract-suite.invalid"}});
    let no_group = of_group(&json!(largest.saturating_add(1_000_000)));
    for (known, unknown, codes, what) in [
        (json!({}), nobody, &[2011, 2007][..], "an unknown user"),
        (of_group(&group.json["id"]), no_group, &[2008][..], "an unknown group"),
    ] {
        let mut policy = draft(api)?;
        merge(&mut policy, &known);
        shelf.added(&policy)?;
        merge(&mut policy, &unknown);
        let answer = shelf.add(&policy)?;
        observed(answer.is_refused(), format!("{what} is taken"))?;
        has_code(&answer, codes, what)?;
    }
    Held::once()
}

/// A refusal has one of these codes.
fn has_code(answer: &Answer, codes: &[i64], what: &str) -> Result<Held, Stop> {
    if answer.error_code().is_some_and(|code| codes.contains(&code)) {
        return Held::once();
    }
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    broken_at(&answer.evidence, format!("{} for {what}", codes.join(" or ")), &answer.json["errorCode"])
}
