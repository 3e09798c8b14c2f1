//! The members of replies, with their types, as the schemas of Atlassian's pages have them: every reply of the
//! simulator has no others.
//!
//! The tables are facts taken from the description of the API behind
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/>, in our words: what a reply may have, not what it
//! has. A schema that allows further members is `Open` here. The fields of an issue have no schema.

mod schemas;

use http::Method;
use serde_json::{Value, json};

use super::common::{Jira, doc, new_issue};
use schemas::Shape::{Anything, List};
use schemas::{
    ALL_MADE, CATEGORY, COMMENT, COMMENT_PAGE, CREATE_FIELDS, CREATE_TYPES, EDIT_META, ERRORS, FIELD, ISSUE,
    ISSUE_TYPE, LABEL_PAGE, LINK, LINK_MADE, MADE, OLD_SEARCH, PRIORITY, PROJECT, PROJECT_PAGE, PROPERTY,
    PROPERTY_KEYS, RESOLUTION, SEARCH, SERVER, STATUS, Shape, TRANSITIONS, USER, misfit,
};

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
