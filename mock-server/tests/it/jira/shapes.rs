//! The members of replies, with their types, as the schemas of Atlassian's pages have them: every reply of the
//! simulator has no others.
//!
//! The tables are facts taken from the description of the API behind
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/>, in our words: what a reply may have, not what it
//! has. A schema that allows further members is [`Open`] here. The fields of an issue have no schema.

use http::Method;
use serde_json::{Value, json};

use super::common::{Jira, doc, new_issue};
use Shape::{Anything, Closed, Flag, List, MapOf, Number, Open, Text, Texts};

/// What a value may be.
enum Shape {
    Text,
    Number,
    Flag,
    Texts,
    /// Whatever it likes to be.
    Anything,
    List(&'static Shape),
    /// An object with any members, all of this shape.
    MapOf(&'static Shape),
    /// An object with these members and no others.
    Closed(&'static [(&'static str, &'static Shape)]),
    /// An object with these members among others.
    Open(&'static [(&'static str, &'static Shape)]),
}

const AVATARS: Shape = Closed(&[("16x16", &Text), ("24x24", &Text), ("32x32", &Text), ("48x48", &Text)]);
const PERSON: Shape = Closed(&[
    ("accountId", &Text),
    ("accountType", &Text),
    ("active", &Flag),
    ("avatarUrls", &AVATARS),
    ("displayName", &Text),
    ("emailAddress", &Text),
    ("key", &Text),
    ("name", &Text),
    ("self", &Text),
    ("timeZone", &Text),
]);
const WRAPPED: Shape = Closed(&[("items", &List(&Anything)), ("max-results", &Number), ("size", &Number)]);
const USER: Shape = Closed(&[
    ("accountId", &Text),
    ("accountType", &Text),
    ("active", &Flag),
    ("appType", &Text),
    ("applicationRoles", &WRAPPED),
    ("avatarUrls", &AVATARS),
    ("displayName", &Text),
    ("emailAddress", &Text),
    ("expand", &Text),
    ("groups", &WRAPPED),
    ("key", &Text),
    ("locale", &Text),
    ("name", &Text),
    ("self", &Text),
    ("timeZone", &Text),
]);
const SERVER: Shape = Closed(&[
    ("baseUrl", &Text),
    ("buildDate", &Text),
    ("buildNumber", &Number),
    ("deploymentType", &Text),
    ("displayUrl", &Text),
    ("displayUrlConfluence", &Text),
    ("displayUrlServicedeskHelpCenter", &Text),
    ("healthChecks", &List(&Anything)),
    ("scmInfo", &Text),
    ("serverTime", &Text),
    ("serverTimeZone", &Text),
    ("serverTitle", &Text),
    ("version", &Text),
    ("versionNumbers", &List(&Number)),
]);
const ISSUE_TYPE: Shape = Closed(&[
    ("avatarId", &Number),
    ("description", &Text),
    ("entityId", &Text),
    ("hierarchyLevel", &Number),
    ("iconUrl", &Text),
    ("id", &Text),
    ("name", &Text),
    ("scope", &Anything),
    ("self", &Text),
    ("subtask", &Flag),
]);
const PROJECT: Shape = Closed(&[
    ("archived", &Flag),
    ("assigneeType", &Text),
    ("avatarUrls", &AVATARS),
    ("components", &List(&Anything)),
    ("deleted", &Flag),
    ("description", &Text),
    ("email", &Text),
    ("entityId", &Text),
    ("expand", &Text),
    ("favourite", &Flag),
    ("id", &Text),
    ("isPrivate", &Flag),
    ("issueTypes", &List(&ISSUE_TYPE)),
    ("key", &Text),
    ("lead", &USER),
    ("name", &Text),
    ("projectTypeKey", &Text),
    ("properties", &MapOf(&Anything)),
    ("roles", &MapOf(&Text)),
    ("self", &Text),
    ("simplified", &Flag),
    ("style", &Text),
    ("url", &Text),
    ("uuid", &Text),
    ("versions", &List(&Anything)),
]);
const PROJECT_PAGE: Shape = Closed(&[
    ("isLast", &Flag),
    ("maxResults", &Number),
    ("nextPage", &Text),
    ("self", &Text),
    ("startAt", &Number),
    ("total", &Number),
    ("values", &List(&PROJECT)),
]);
const LABEL_PAGE: Shape = Closed(&[
    ("isLast", &Flag),
    ("maxResults", &Number),
    ("nextPage", &Text),
    ("self", &Text),
    ("startAt", &Number),
    ("total", &Number),
    ("values", &Texts),
]);
const ERRORS: Shape = Closed(&[("errorMessages", &Texts), ("errors", &MapOf(&Text)), ("status", &Number)]);
const NESTED: Shape = Closed(&[
    ("errorCollection", &ERRORS),
    ("status", &Number),
    ("warningCollection", &Closed(&[("warnings", &Texts)])),
]);
const MADE: Shape =
    Closed(&[("id", &Text), ("key", &Text), ("self", &Text), ("transition", &NESTED), ("watchers", &NESTED)]);
const FAILURE: Shape =
    Closed(&[("elementErrors", &ERRORS), ("failedElementNumber", &Number), ("status", &Number)]);
const ALL_MADE: Shape = Closed(&[("errors", &List(&FAILURE)), ("issues", &List(&MADE))]);
const ISSUE: Shape = Closed(&[
    ("changelog", &Anything),
    ("editmeta", &Anything),
    ("expand", &Text),
    ("fields", &FIELDS),
    ("fieldsToInclude", &Anything),
    ("id", &Text),
    ("key", &Text),
    ("names", &MapOf(&Text)),
    ("operations", &Anything),
    ("properties", &MapOf(&Anything)),
    ("renderedFields", &MapOf(&Anything)),
    ("schema", &MapOf(&SCHEMA)),
    ("self", &Text),
    ("transitions", &List(&TRANSITION)),
    ("versionedRepresentations", &Anything),
]);
/// The page says nothing of these but what their parts are elsewhere.
const FIELDS: Shape = Open(&[
    ("comment", &COMMENT_PAGE),
    ("issuetype", &ISSUE_TYPE),
    ("labels", &Texts),
    ("project", &PROJECT),
    ("status", &STATUS),
    ("statusCategory", &CATEGORY),
    ("summary", &Text),
]);
const CATEGORY: Shape =
    Open(&[("colorName", &Text), ("id", &Number), ("key", &Text), ("name", &Text), ("self", &Text)]);
const STATUS: Shape = Open(&[
    ("description", &Text),
    ("iconUrl", &Text),
    ("id", &Text),
    ("name", &Text),
    ("self", &Text),
    ("statusCategory", &CATEGORY),
]);
const SCHEMA: Shape = Closed(&[
    ("configuration", &Anything),
    ("custom", &Text),
    ("customId", &Number),
    ("items", &Text),
    ("system", &Text),
    ("type", &Text),
]);
const FIELD_META: Shape = Closed(&[
    ("allowedValues", &List(&Anything)),
    ("autoCompleteUrl", &Text),
    ("configuration", &Anything),
    ("defaultValue", &Anything),
    ("hasDefaultValue", &Flag),
    ("key", &Text),
    ("name", &Text),
    ("operations", &Texts),
    ("required", &Flag),
    ("schema", &SCHEMA),
]);
const CREATE_FIELD: Shape = Closed(&[
    ("allowedValues", &List(&Anything)),
    ("autoCompleteUrl", &Text),
    ("configuration", &Anything),
    ("defaultValue", &Anything),
    ("fieldId", &Text),
    ("hasDefaultValue", &Flag),
    ("key", &Text),
    ("name", &Text),
    ("operations", &Texts),
    ("required", &Flag),
    ("schema", &SCHEMA),
]);
const CREATE_TYPES: Shape = Closed(&[
    ("issueTypes", &List(&ISSUE_TYPE)),
    ("maxResults", &Number),
    ("startAt", &Number),
    ("total", &Number),
]);
const CREATE_FIELDS: Shape = Closed(&[
    ("fields", &List(&CREATE_FIELD)),
    ("maxResults", &Number),
    ("startAt", &Number),
    ("total", &Number),
]);
const EDIT_META: Shape = Closed(&[("fields", &MapOf(&FIELD_META))]);
const TRANSITION: Shape = Open(&[
    ("expand", &Text),
    ("fields", &MapOf(&FIELD_META)),
    ("hasScreen", &Flag),
    ("id", &Text),
    ("isAvailable", &Flag),
    ("isConditional", &Flag),
    ("isGlobal", &Flag),
    ("isInitial", &Flag),
    ("looped", &Flag),
    ("name", &Text),
    ("to", &STATUS),
]);
const TRANSITIONS: Shape = Closed(&[("expand", &Text), ("transitions", &List(&TRANSITION))]);
const COMMENT: Shape = Open(&[
    ("author", &PERSON),
    ("created", &Text),
    ("id", &Text),
    ("jsdAuthorCanSeeRequest", &Flag),
    ("jsdPublic", &Flag),
    ("renderedBody", &Text),
    ("self", &Text),
    ("updateAuthor", &PERSON),
    ("updated", &Text),
]);
const COMMENT_PAGE: Shape =
    Open(&[("comments", &List(&COMMENT)), ("maxResults", &Number), ("startAt", &Number), ("total", &Number)]);
const PROPERTY: Shape = Closed(&[("key", &Text), ("value", &Anything)]);
const PROPERTY_KEYS: Shape = Closed(&[("keys", &List(&Closed(&[("key", &Text), ("self", &Text)])))]);
const LINK: Shape = Closed(&[
    ("application", &Open(&[("name", &Text), ("type", &Text)])),
    ("globalId", &Text),
    ("id", &Number),
    ("object", &Open(&[("summary", &Text), ("title", &Text), ("url", &Text)])),
    ("relationship", &Text),
    ("self", &Text),
]);
const LINK_MADE: Shape = Closed(&[("id", &Number), ("self", &Text)]);
const SEARCH: Shape = Closed(&[
    ("isLast", &Flag),
    ("issues", &List(&ISSUE)),
    ("names", &MapOf(&Text)),
    ("nextPageToken", &Text),
    ("schema", &MapOf(&SCHEMA)),
]);
const OLD_SEARCH: Shape = Closed(&[
    ("expand", &Text),
    ("issues", &List(&ISSUE)),
    ("maxResults", &Number),
    ("names", &MapOf(&Text)),
    ("schema", &MapOf(&SCHEMA)),
    ("startAt", &Number),
    ("total", &Number),
    ("warningMessages", &Texts),
]);
const FIELD: Shape = Closed(&[
    ("clauseNames", &Texts),
    ("custom", &Flag),
    ("id", &Text),
    ("key", &Text),
    ("name", &Text),
    ("navigable", &Flag),
    ("orderable", &Flag),
    ("schema", &SCHEMA),
    ("scope", &Anything),
    ("searchable", &Flag),
]);
const PRIORITY: Shape = Open(&[
    ("avatarId", &Number),
    ("description", &Text),
    ("iconUrl", &Text),
    ("id", &Text),
    ("isDefault", &Flag),
    ("name", &Text),
    ("self", &Text),
    ("statusColor", &Text),
]);
const RESOLUTION: Shape = Closed(&[("description", &Text), ("id", &Text), ("name", &Text), ("self", &Text)]);

/// What is wrong with a value, with the place of it.
fn misfit(value: &Value, shape: &Shape, at: &str) -> Option<String> {
    let members = |known: &[(&str, &'static Shape)], allows_others: bool| {
        let Value::Object(members) = value else { return Some(format!("{at} is no object: {value}")) };
        members.iter().find_map(|(name, member)| {
            let at = format!("{at}/{name}");
            match known.iter().find(|(known, _)| known == name) {
                Some((_, shape)) => misfit(member, shape, &at),
                None if allows_others => None,
                None => Some(format!("{at} is in no schema")),
            }
        })
    };
    let is = |fits: bool, what: &str| (!fits).then(|| format!("{at} is no {what}: {value}"));
    match shape {
        Text => is(value.is_string(), "text"),
        Number => is(value.is_i64() || value.is_u64(), "whole number"),
        Flag => is(value.is_boolean(), "flag"),
        Anything => None,
        Texts => misfit(value, &List(&Text), at),
        List(shape) => {
            let Value::Array(values) = value else { return Some(format!("{at} is no list: {value}")) };
            values
                .iter()
                .enumerate()
                .find_map(|(place, value)| misfit(value, shape, &format!("{at}/{place}")))
        }
        MapOf(shape) => {
            let Value::Object(members) = value else { return Some(format!("{at} is no object: {value}")) };
            members.iter().find_map(|(name, value)| misfit(value, shape, &format!("{at}/{name}")))
        }
        Closed(known) => members(known, false),
        Open(known) => members(known, true),
    }
}

/// Whether a body has one of the forms in which a request is refused.
pub(super) fn is_refusal(body: &Value) -> bool {
    misfit(body, &ERRORS, "").is_none() || misfit(body, &ALL_MADE, "").is_none()
}

#[test]
fn a_misfit_is_seen_and_placed() {
    let search = |issue: Value| misfit(&json!({"issues": [issue], "isLast": true}), &SEARCH, "");
    assert_eq!(search(json!({"id": "1"})), None);
    assert_eq!(search(json!({"id": 1})).unwrap(), "/issues/0/id is no text: 1");
    assert_eq!(search(json!({"id": "1", "x": 1})).unwrap(), "/issues/0/x is in no schema");
    assert_eq!(
        search(json!({"fields": {"status": null, "y": 1}})).unwrap(),
        "/issues/0/fields/status is no object: null"
    );
    assert_eq!(search(json!({"names": {"a": []}})).unwrap(), "/issues/0/names/a is no text: []");
    assert_eq!(misfit(&json!({"total": 1.5}), &PROJECT_PAGE, "").unwrap(), "/total is no whole number: 1.5");
}

/// What is asked, in this order, and the shape of its reply.
fn requests() -> Vec<(Method, &'static str, Option<Value>, u16, &'static Shape)> {
    let get = |path, shape| (Method::GET, path, None, 200, shape);
    let post = |path, body, status, shape| (Method::POST, path, Some(body), status, shape);
    let named = json!({
        "globalId": "g", "relationship": "r", "application": {"type": "t", "name": "n"},
        "object": {"url": "https://e.example", "title": "t", "summary": "s"},
    });
    let bare = json!({"object": {"url": "https://e.example", "title": "t"}});
    let two = json!({"issueUpdates": [new_issue(json!({"description": null})), new_issue(json!({"labels": ["a b"]}))]});
    vec![
        get("myself", &USER),
        get("serverInfo", &SERVER),
        get("project", &List(&PROJECT)),
        get("project/search", &PROJECT_PAGE),
        get("project/SEC", &PROJECT),
        get("project/DET", &PROJECT),
        post("issue", new_issue(json!({"labels": ["x"]})), 201, &MADE),
        post("issue/bulk", two, 201, &ALL_MADE),
        get("issue/createmeta/SEC/issuetypes", &CREATE_TYPES),
        get("issue/createmeta/SEC/issuetypes/10001", &CREATE_FIELDS),
        get("issue/createmeta/DET/issuetypes/10001", &CREATE_FIELDS),
        get("issue/SEC-1?properties=*all", &ISSUE),
        get("issue/SEC-3", &ISSUE),
        get("issue/DET-1?fields=summary,comment,customfield_10010", &ISSUE),
        get("issue/SEC-1/editmeta", &EDIT_META),
        get("issue/DET-1/editmeta", &EDIT_META),
        get("issue/SEC-1/transitions?expand=transitions.fields", &TRANSITIONS),
        get("issue/SEC-3/transitions", &TRANSITIONS),
        (
            Method::PUT,
            "issue/SEC-1?returnIssue=true",
            Some(json!({"fields": {"priority": null}})),
            200,
            &ISSUE,
        ),
        post("issue/SEC-1/remotelink", named, 201, &LINK_MADE),
        post("issue/SEC-1/remotelink", bare, 201, &LINK_MADE),
        get("issue/SEC-1/remotelink", &List(&LINK)),
        get("issue/SEC-1/remotelink?globalId=g", &LINK),
        get("issue/SEC-1/remotelink/10001", &LINK),
        (Method::PUT, "issue/SEC-1/properties/p", Some(json!([1])), 201, &Anything),
        get("issue/SEC-1/properties", &PROPERTY_KEYS),
        get("issue/SEC-1/properties/p", &PROPERTY),
        get("issue/SEC-1/comment", &COMMENT_PAGE),
        get("issue/SEC-1/comment/10000", &COMMENT),
        get("label", &LABEL_PAGE),
        get("search/jql?jql=project=SEC&maxResults=1", &SEARCH),
        get("search/jql?jql=project=SEC&fields=*all&properties=origin", &SEARCH),
        post("search/jql", json!({"jql": "labels = sync", "fields": ["summary", "comment"]}), 200, &SEARCH),
        get("field", &List(&FIELD)),
        get("issuetype", &List(&ISSUE_TYPE)),
        get("priority", &List(&PRIORITY)),
        get("resolution", &List(&RESOLUTION)),
        get("status", &List(&STATUS)),
        get("statuscategory", &List(&CATEGORY)),
        (Method::GET, "issue/SEC-99", None, 404, &ERRORS),
        (Method::GET, "project/NONE", None, 404, &ERRORS),
        (Method::GET, "search/jql?jql=x", None, 400, &ERRORS),
        post("issue", json!({}), 400, &ERRORS),
        post("issue", new_issue(json!({"labels": 1, "nothing": 2})), 400, &ERRORS),
        post("issue/SEC-1/transitions", json!({}), 400, &ERRORS),
    ]
}

#[tokio::test]
async fn every_reply_has_the_members_of_its_schema_and_no_others() {
    for jira in [Jira::new(), Jira::new().v2()] {
        for (method, path, body, status, shape) in requests() {
            let what = format!("{method} {path}");
            let reply = jira.send(method, path, body.map(|body| body.to_string())).await;
            assert_eq!(reply.status, status, "{what}: {}", reply.text);
            if let Some(problem) = misfit(&reply.json(), shape, "") {
                panic!("{what}: {problem}");
            }
        }
    }
}

/// What takes documents in one version takes texts in the other.
#[tokio::test]
async fn comments_have_their_members_in_both_versions() {
    for (jira, body) in [(Jira::new(), doc("Said.")), (Jira::new().v2(), json!("Said."))] {
        let made = jira.post("issue/SEC-1/comment", json!({"body": body})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let (comment, id) = (made.json(), made.json()["id"].clone());
        assert_eq!((misfit(&comment, &COMMENT, ""), &comment["body"]), (None, &body));
        let path = format!("issue/SEC-1/comment/{}", id.as_str().unwrap());
        let changed = jira.put(&path, json!({"body": body})).await.ok();
        assert_eq!(misfit(&changed, &COMMENT, ""), None);
    }
    let old = Jira::new().v2().get("search?jql=project=SEC").await.ok();
    assert_eq!(misfit(&old, &OLD_SEARCH, ""), None);
}

/// Every route that answers with JSON is asked above.
#[test]
fn every_route_is_asked() {
    use mock_server::vendors::jira::routes::{Action, ROUTES};
    let asked: Vec<(Method, String)> = requests()
        .into_iter()
        .map(|(method, path, ..)| (method, path.split('?').next().unwrap_or_default().to_owned()))
        .collect();
    let fits = |pattern: &str, path: &str| {
        pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(|(part, word)| part == ":id" || part == word)
    };
    for route in ROUTES.iter().filter(|route| !matches!(route.action, Action::NotSimulated)) {
        let has_body = !matches!(route.method, Method::DELETE) && !route.path.ends_with("assignee");
        let is_elsewhere = ["search", "issue/:id/comment", "issue/:id/comment/:id"].contains(&route.path);
        let answers_nothing = route.method == Method::PUT && route.path.contains("remotelink");
        if has_body && !is_elsewhere && !answers_nothing {
            let is_asked =
                asked.iter().any(|(method, path)| *method == route.method && fits(route.path, path));
            assert!(is_asked, "{} {}", route.method, route.path);
        }
    }
}
