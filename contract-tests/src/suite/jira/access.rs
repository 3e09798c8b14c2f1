//! Who asks, and how a refusal looks.

use fixtures::spec::jira::{
    JIRA_AUTH_ISSUE_404, JIRA_AUTH_LOGIN_REASON, JIRA_AUTH_MYSELF_401, JIRA_AUTH_PROJECTS_EMPTY,
    JIRA_AUTH_SEARCH_EMPTY, JIRA_BODY_JSON, JIRA_ERROR_BODY, JIRA_MYSELF_ANONYMOUS, JIRA_MYSELF_USER,
};
use http::Method;
use serde_json::{Value, json};

use super::client::{Jira, UNKNOWN, with_query};
use crate::suite::case::Case;
use crate::suite::check::{Held, Verdict, broken_at, checks, observed};
use crate::suite::shape::{Shape, brief};
use crate::target::exchange::Reply;

checks! { "jira/access";
    search_of_strangers_is_empty: JIRA_AUTH_SEARCH_EMPTY, Reading, search_of_strangers_is_empty;
    projects_of_strangers_are_empty: JIRA_AUTH_PROJECTS_EMPTY, Reading, projects_of_strangers_are_empty;
    issue_of_strangers_404: JIRA_AUTH_ISSUE_404, Reading, issue_of_strangers_404;
    myself_of_strangers_401: JIRA_AUTH_MYSELF_401, Reading, myself_of_strangers_401;
    failed_login_says_so: JIRA_AUTH_LOGIN_REASON, Reading, failed_login_says_so;
    myself_is_the_user: JIRA_MYSELF_USER, Reading, myself_is_the_user;
    myself_without_credentials_401: JIRA_MYSELF_ANONYMOUS, Reading, myself_without_credentials_401;
    refusals_say_why: JIRA_ERROR_BODY, Reading, refusals_say_why;
    body_that_is_not_json_400: JIRA_BODY_JSON, Writing, body_that_is_not_json_400;
}

fn length(reply: &Reply, list: &str) -> Option<usize> {
    Some(reply.json()?.get(list)?.as_array()?.len())
}

/// A list that has rows for the account's user is answered with 200 and none.
fn is_empty_for_strangers(api: Jira<'_>, path: &str, list: &str) -> Verdict {
    let (own, _) = api.get(path)?;
    observed(own.status == 200, format!("with valid credentials GET {path} answers {}", own.status))?;
    observed(length(&own, list).is_some_and(|rows| rows > 0), format!("GET {path} lists nothing"))?;
    let (reply, evidence) = api.stranger().get(path)?;
    if reply.status != 200 || length(&reply, list) != Some(0) {
        return broken_at(&evidence, format!("200 and no {list}"), reply.status);
    }
    Held::once()
}

fn search_of_strangers_is_empty(case: &Case) -> Verdict {
    let api = case.jira()?;
    is_empty_for_strangers(api, &with_query("search/jql", &[("jql", &api.project_jql())]), "issues")
}

fn projects_of_strangers_are_empty(case: &Case) -> Verdict {
    is_empty_for_strangers(case.jira()?, "project/search", "values")
}

fn issue_of_strangers_404(case: &Case) -> Verdict {
    let api = case.jira()?;
    let key = api.some_key()?;
    api.issue(key)?;
    let (reply, evidence) = api.stranger().get(&format!("issue/{key}"))?;
    if reply.status != 404 {
        return broken_at(&evidence, "404, as if the issue did not exist", reply.status);
    }
    Held::once()
}

fn header(reply: &Reply, name: &str) -> String {
    reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn myself_of_strangers_401(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.item("myself")?;
    let (reply, evidence) = api.stranger().get("myself")?;
    let kind = header(&reply, "content-type");
    if reply.status != 401 || !kind.starts_with("text/html") {
        return broken_at(&evidence, "401 and a body of type text/html", format!("{} {kind}", reply.status));
    }
    Held::once()
}

fn failed_login_says_so(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.item("myself")?;
    let key = api.some_key()?;
    let search = with_query("search/jql", &[("jql", &api.project_jql())]);
    let paths = ["myself".to_owned(), search, format!("issue/{key}")];
    for path in &paths {
        let (reply, evidence) = api.stranger().get(path)?;
        let seen = header(&reply, "x-seraph-loginreason");
        if !seen.contains("AUTHENTICATED_FAILED") {
            return broken_at(&evidence, "x-seraph-loginreason: AUTHENTICATED_FAILED", format!("{seen:?}"));
        }
    }
    Held::over(paths.len(), "no path")
}

/// By the address, where the site shows it, and by the id, where a simulator tells it.
fn myself_is_the_user(case: &Case) -> Verdict {
    const USER: Shape = Shape::Members(&[("accountId", Shape::FilledText)]);
    let api = case.jira()?;
    let mut recognised = 0;
    let others =
        api.users().iter().map(|user| (api.with_user(user), user.email.as_str(), Some(&user.account_id)));
    for (seen_by, email, id) in others.chain([(api, api.email(), None)]) {
        let (reply, evidence) = seen_by.get("myself")?;
        let json = reply.json().filter(|_| reply.status == 200).unwrap_or_default();
        if !USER.fits(&json) {
            return broken_at(&evidence, format!("200 and {USER}"), reply.status);
        }
        let shown = json.get("emailAddress").filter(|shown| !shown.is_null());
        let is_other =
            shown.is_some_and(|shown| !shown.as_str().is_some_and(|shown| shown.eq_ignore_ascii_case(email)));
        if is_other || id.is_some_and(|id| json["accountId"] != id.as_str()) {
            return broken_at(&evidence, "the user whose credentials were shown", "somebody else");
        }
        recognised += usize::from(shown.is_some() || id.is_some());
    }
    Held::over(recognised, "the site shows no address of the user")
}

fn myself_without_credentials_401(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.item("myself")?;
    let (reply, evidence) = api.anonymous().get("myself")?;
    if reply.status != 401 {
        return broken_at(&evidence, "401 without credentials", reply.status);
    }
    Held::once()
}

/// The page lists both members and requires neither: what is there has its form.
fn refusals_say_why(case: &Case) -> Verdict {
    let api = case.jira()?;
    let key = format!("{}-{UNKNOWN}", api.project());
    let bad = [format!("issue/{key}"), with_query("search/jql", &[("jql", "project = ")])];
    let mut said = 0;
    for path in &bad {
        let (reply, evidence) = api.get(path)?;
        let Some(json) = reply.json().filter(|_| !reply.is_success()) else { continue };
        let (messages, errors) = (json.get("errorMessages"), json.get("errors"));
        said += usize::from(messages.is_some() || errors.is_some());
        let are_texts =
            |errors: &Value| errors.as_object().is_some_and(|errors| errors.values().all(Value::is_string));
        let is_list = messages.is_none_or(|messages| Shape::ListOf(&Shape::Text).fits(messages));
        if !is_list || !errors.is_none_or(are_texts) {
            let expected = "`errorMessages`, a list of texts, and `errors`, an object of texts";
            return broken_at(&evidence, expected, brief(&json));
        }
    }
    Held::over(said, "no refusal says why")
}

fn body_that_is_not_json_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.make(&json!({}))?;
    let mut request =
        api.request(Method::POST, "issue").json(&json!({"fields": api.new_fields(&json!({}))?}));
    request.body = request.body.slice(..request.body.len().saturating_sub(1));
    let (reply, evidence) = api.create_by(request)?;
    if reply.status != 400 {
        return broken_at(&evidence, "400 for a body that ends too early", reply.status);
    }
    Held::once()
}
