//! Making issues, one or many.

use fixtures::spec::jira::{
    JIRA_BULK_MAX, JIRA_BULK_NONE, JIRA_BULK_SOME, JIRA_CREATE_201, JIRA_CREATE_INVALID,
    JIRA_CREATE_PROPERTIES, JIRA_CREATE_TRANSITION, JIRA_CREATE_UNAUTHORIZED, JIRA_FIELD_SCREEN,
    JIRA_META_FIELDS,
};
use http::Method;
use serde_json::{Value, json};

use super::super::client::{Jira, UNKNOWN, required_fields};
use super::refuses_to_make;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::{Shape, brief};
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/issues";
    create_201: JIRA_CREATE_201, Writing, create_201;
    create_without_login_401: JIRA_CREATE_UNAUTHORIZED, Writing, create_without_login_401;
    create_invalid_400: JIRA_CREATE_INVALID, Writing, create_invalid_400;
    create_with_properties: JIRA_CREATE_PROPERTIES, Writing, create_with_properties;
    create_with_transition: JIRA_CREATE_TRANSITION, Writing, create_with_transition;
    bulk_of_50_at_most: JIRA_BULK_MAX, Writing, bulk_of_50_at_most;
    bulk_of_which_some_are_made: JIRA_BULK_SOME, Writing, bulk_of_which_some_are_made;
    bulk_of_which_none_is_made: JIRA_BULK_NONE, Writing, bulk_of_which_none_is_made;
    create_metadata: JIRA_META_FIELDS, Writing, create_metadata;
    field_off_screen_400: JIRA_FIELD_SCREEN, Writing, field_off_screen_400;
}

/// What the answer says of an issue that was made.
const MADE: Shape =
    Shape::Members(&[("id", Shape::FilledText), ("key", Shape::FilledText), ("self", Shape::Url)]);

fn create_201(case: &Case) -> Verdict {
    let api = case.jira()?;
    let fields = api.new_fields(&json!({"summary": "Made to be read"}))?;
    let (reply, evidence) = api.create(&json!({"fields": fields}))?;
    observed(reply.is_success(), format!("POST issue answers {}", reply.status))?;
    let json = reply.json().unwrap_or_default();
    if reply.status != 201 || !MADE.fits(&json) {
        return broken_at(&evidence, format!("201 and {MADE}"), format!("{} {}", reply.status, brief(&json)));
    }
    for name in ["id", "key"] {
        let (reply, evidence) = api.get(&format!("issue/{}", json[name].as_str().unwrap_or_default()))?;
        let shown = reply.json().unwrap_or_default();
        if reply.status != 200 || shown["fields"]["summary"] != "Made to be read" {
            return broken_at(&evidence, format!("the new issue by its `{name}`"), reply.status);
        }
    }
    Held::once()
}

fn create_without_login_401(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.make(&json!({}))?;
    let body = json!({"fields": api.new_fields(&json!({}))?});
    for nobody in [api.stranger(), api.anonymous()] {
        let (reply, evidence) = nobody.create(&body)?;
        if reply.status != 401 {
            return broken_at(&evidence, "401 without valid credentials", reply.status);
        }
    }
    Held::once()
}

fn create_invalid_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.make(&json!({}))?;
    let with = |more: Value| Ok::<_, Stop>(json!({"fields": api.new_fields(&more)?}));
    let without = |name: &str| {
        let mut fields = api.new_fields(&json!({}))?;
        if let Some(fields) = fields.as_object_mut() {
            fields.remove(name);
        }
        Ok::<_, Stop>(json!({"fields": fields}))
    };
    let bad = [
        ("an issue without a summary", without("summary")?),
        ("an issue without a project", without("project")?),
        ("an issue without an issue type", without("issuetype")?),
        ("a project that does not exist", with(json!({"project": {"key": "NOSUCHPROJECT"}}))?),
        ("an issue type that does not exist", with(json!({"issuetype": {"id": UNKNOWN}}))?),
        ("a summary that is no text", with(json!({"summary": {"text": 7}}))?),
    ];
    refuses_to_make(api, &bad)
}

fn create_with_properties(case: &Case) -> Verdict {
    let api = case.jira()?;
    let value = json!({"target": "4651453173202944", "nested": [1, true, null]});
    let fields = api.new_fields(&json!({}))?;
    let made =
        api.make_of(&json!({"fields": fields, "properties": [{"key": "contract.suite", "value": value}]}))?;
    let (reply, evidence) = api.get(&format!("issue/{}/properties/contract.suite", made.key))?;
    let seen = reply.json().unwrap_or_default();
    if reply.status != 200 || seen["value"] != value {
        return broken_at(&evidence, "the property that was given with the issue", reply.status);
    }
    Held::once()
}

fn create_with_transition(case: &Case) -> Verdict {
    let api = case.jira()?;
    let first = api.make(&json!({}))?;
    let initial = api.field(&first.key, "status")?;
    let ways = api.transitions(&first.key)?;
    let leads_on = |to: &Value| to.is_string() && *to != initial["id"];
    let way = ways.find("transition without fields that leads on", |row| {
        row.text("id").is_some() && leads_on(&row.json["to"]["id"]) && required_fields(row).next().is_none()
    })?;
    let fields = api.new_fields(&json!({}))?;
    let made = api.make_of(&json!({"fields": fields, "transition": {"id": way.json["id"]}}))?;
    let status = api.field(&made.key, "status")?;
    expect(
        status["id"] == way.json["to"]["id"],
        format!("the status {}, to which the transition leads", way.json["to"]["id"]),
        &status["id"],
    )?;
    Held::once()
}

fn bulk(api: Jira<'_>, of: &[Value]) -> Result<(Reply, Evidence), Stop> {
    let updates: Vec<Value> = of.iter().map(|fields| json!({"fields": fields})).collect();
    api.create_by(api.request(Method::POST, "issue/bulk").json(&json!({"issueUpdates": updates})))
}

fn made_by(reply: &Reply) -> usize {
    let json = reply.json().unwrap_or_default();
    json.get("issues").and_then(Value::as_array).map_or(0, Vec::len)
}

/// A good and a bad issue; together they show what a bulk does.
fn good_and_bad(api: Jira<'_>) -> Result<[Value; 2], Stop> {
    let good = api.new_fields(&json!({}))?;
    let (reply, evidence) = bulk(api, std::slice::from_ref(&good))?;
    observed(reply.is_success() && made_by(&reply) == 1, format!("a bulk of one good issue: {evidence}"))?;
    Ok([good, api.new_fields(&json!({"summary": ""}))?])
}

/// A server may make fifty of more, or none.
fn bulk_of_50_at_most(case: &Case) -> Verdict {
    let api = case.jira()?;
    let [good, _] = good_and_bad(api)?;
    let (reply, evidence) = bulk(api, &vec![good; 51])?;
    let made = made_by(&reply);
    if made > 50 {
        return broken_at(&evidence, "at most 50 issues of one request", made);
    }
    Held::once()
}

fn bulk_of_which_some_are_made(case: &Case) -> Verdict {
    let api = case.jira()?;
    let [good, bad] = good_and_bad(api)?;
    let (reply, evidence) = bulk(api, &[good, bad])?;
    let json = reply.json().unwrap_or_default();
    let places: Vec<&Value> =
        json["errors"].as_array().into_iter().flatten().map(|error| &error["failedElementNumber"]).collect();
    let are_made = Shape::ListOf(&MADE).fits(&json["issues"]);
    if reply.status != 201 || !are_made || made_by(&reply) != 1 || places != [&json!(1)] {
        let expected = "201, one issue, and in `errors` the second one's `failedElementNumber`, 1";
        return broken_at(
            &evidence,
            expected,
            format!("{}, {} made, {places:?}", reply.status, made_by(&reply)),
        );
    }
    Held::once()
}

fn bulk_of_which_none_is_made(case: &Case) -> Verdict {
    let api = case.jira()?;
    let [_, bad] = good_and_bad(api)?;
    let (reply, evidence) = bulk(api, &[bad.clone(), bad])?;
    if reply.status != 400 {
        return broken_at(&evidence, "400 if no issue was made", reply.status);
    }
    Held::once()
}

/// The fields that the metadata lists for new issues of the type that the suite makes.
fn metadata(api: Jira<'_>) -> Result<Rows, Stop> {
    let (project, issue_type) = (api.changeable_project()?, api.issue_type()?);
    let path = format!("issue/createmeta/{project}/issuetypes/{issue_type}");
    let (reply, evidence) = api.get(&path)?;
    let json = reply.json().filter(|_| reply.status == 200);
    let Some(json) = json.filter(|json| json["fields"].is_array()) else {
        return broken_at(&evidence, "200 and a list of `fields`", reply.status);
    };
    let page = Row { json, evidence };
    Ok(Rows { what: "a page", rows: vec![page], is_complete: true }.items_of("fields", "a field"))
}

/// What an issue was just made of is listed.
fn create_metadata(case: &Case) -> Verdict {
    const FIELD: Shape = Shape::Members(&[
        ("fieldId", Shape::FilledText),
        ("key", Shape::FilledText),
        ("name", Shape::FilledText),
        ("operations", Shape::ListOf(&Shape::Text)),
        ("required", Shape::Boolean),
        ("schema", Shape::Members(&[("type", Shape::FilledText)])),
    ]);
    let api = case.jira()?;
    api.make(&json!({}))?;
    let fields = metadata(api)?;
    fields
        .all(&format!("each field is {FIELD}"), |row| (!FIELD.fits(&row.json)).then(|| brief(&row.json)))?;
    let is_listed = fields.rows.iter().any(|row| row.text("fieldId") == Some("summary"));
    expect(is_listed, "`summary`, which can be set, is listed", "it is not")?;
    Held::over(fields.rows.len(), "no field is listed")
}

fn field_off_screen_400(case: &Case) -> Verdict {
    const NAME: &str = "customfield_999999";
    let api = case.jira()?;
    api.make(&json!({}))?;
    let fields = api.new_fields(&json!({NAME: "a value"}))?;
    let (reply, evidence) = api.create(&json!({"fields": fields}))?;
    let json = reply.json().unwrap_or_default();
    // A site says so in its user's language.
    let is_english = case.writes().is_none();
    let says = json["errors"][NAME]
        .as_str()
        .is_some_and(|text| !text.is_empty() && (!is_english || text.contains("cannot be set")));
    if reply.status != 400 || !says {
        let expected = format!("400 and a text under {NAME} that says that it cannot be set");
        return broken_at(&evidence, expected, reply.status);
    }
    Held::once()
}
