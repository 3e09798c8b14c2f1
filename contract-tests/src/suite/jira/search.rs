//! Searching.

use std::collections::BTreeSet;

use fixtures::spec::jira::{
    JIRA_SEARCH_BOUNDED, JIRA_SEARCH_FIELDS, JIRA_SEARCH_GONE, JIRA_SEARCH_INVALID, JIRA_SEARCH_LABEL_SPACES,
    JIRA_SEARCH_NO_TOTAL, JIRA_SEARCH_PAGES, JIRA_SEARCH_RECONCILE, JIRA_SEARCH_RECONCILE_MAX,
};
use serde_json::json;

use super::client::{Jira, with_query};
use crate::suite::case::Case;
use crate::suite::check::{Held, Verdict, broken_at, checks, expect, observed};
use crate::suite::shape::{Shape, brief};

checks! { "jira/search";
    ids_alone_unless_fields_are_asked_for: JIRA_SEARCH_FIELDS, Reading, ids_alone_unless_fields_are_asked_for;
    page_tokens_lead_to_the_end: JIRA_SEARCH_PAGES, Reading, page_tokens_lead_to_the_end;
    no_total: JIRA_SEARCH_NO_TOTAL, Reading, no_total;
    invalid_400: JIRA_SEARCH_INVALID, Reading, invalid_400;
    reconciles_50_at_most: JIRA_SEARCH_RECONCILE_MAX, Reading, reconciles_50_at_most;
    reconciled_issues_are_as_they_are: JIRA_SEARCH_RECONCILE, Writing, reconciled_issues_are_as_they_are;
    without_a_restriction_400: JIRA_SEARCH_BOUNDED, Reading, without_a_restriction_400;
    label_with_a_space_400: JIRA_SEARCH_LABEL_SPACES, Reading, label_with_a_space_400;
    old_search_410: JIRA_SEARCH_GONE, Reading, old_search_410;
}

/// How many pages are followed before a search counts as endless.
const PAGES_MAX: usize = 50;

fn ids_alone_unless_fields_are_asked_for(case: &Case) -> Verdict {
    const WITH_SUMMARY: Shape = Shape::Members(&[
        ("id", Shape::FilledText),
        ("key", Shape::FilledText),
        ("fields", Shape::Members(&[("summary", Shape::Text)])),
    ]);
    let api = case.jira()?;
    let jql = api.project_jql();
    let (reply, evidence) = api.ask_search(&[("jql", &jql)])?;
    observed(reply.status == 200, format!("a search answers {}", reply.status))?;
    if !reply.json().is_some_and(|json| json["issues"].is_array()) {
        return broken_at(&evidence, "a list of `issues`", "none");
    }
    let bare = api.found(&[("jql", &jql)])?;
    bare.each("id", &Shape::FilledText)?;
    bare.all("no fields where none are asked for", |row| {
        let fields = row.get("fields").filter(|fields| fields.as_object().is_none_or(|all| !all.is_empty()));
        fields.map(brief)
    })?;
    let full = api.found(&[("jql", &jql), ("fields", "summary")])?;
    full.all(&format!("with the field summary, {WITH_SUMMARY}"), |row| {
        (!WITH_SUMMARY.fits(&row.json)).then(|| brief(&row.json))
    })
}

/// The pages together have every issue once, as far as they were followed.
fn page_tokens_lead_to_the_end(case: &Case) -> Verdict {
    let api = case.jira()?;
    let jql = api.project_jql();
    let mut ids = BTreeSet::new();
    let (mut token, mut pages): (Option<String>, usize) = (None, 0);
    // In an account people work meanwhile, and the index may show it late.
    let is_still = case.writes().is_none();
    loop {
        let mut query = vec![("jql", jql.as_str()), ("maxResults", "4")];
        query.extend(token.as_deref().map(|token| ("nextPageToken", token)));
        let page = api.search(&query)?;
        pages += 1;
        for issue in page.list("issues") {
            let id = issue["id"].as_str().unwrap_or_default().to_owned();
            if !ids.insert(id.clone()) {
                return broken_at(&page.evidence, "no issue comes twice", id);
            }
        }
        let is_last = page.get("nextPageToken").is_none();
        if page.json.get("isLast").is_some_and(|said| *said != json!(is_last)) {
            return broken_at(&page.evidence, format!("`isLast` is {is_last}"), "it is not");
        }
        match page.get("nextPageToken") {
            None => break,
            Some(next) if next.as_str().is_none() || (is_still && page.list("issues").is_empty()) => {
                return broken_at(&page.evidence, "a token leads on, and the last page has none", next);
            }
            Some(_) if pages == PAGES_MAX => break,
            Some(next) => token = next.as_str().map(str::to_owned),
        }
    }
    let all = api.search(&[("jql", &jql), ("maxResults", "5000")])?;
    let at_once: BTreeSet<String> =
        all.list("issues").iter().filter_map(|issue| issue["id"].as_str().map(str::to_owned)).collect();
    if is_still && all.get("nextPageToken").is_none() && pages < PAGES_MAX {
        expect(at_once == ids, "the pages have what one page has", format!("{} issues", ids.len()))?;
    }
    observed(pages > 1, "the project's issues are on one page")?;
    Held::over(pages, "no page")
}

fn no_total(case: &Case) -> Verdict {
    let api = case.jira()?;
    let page = api.search(&[("jql", &api.project_jql())])?;
    for name in ["total", "startAt"] {
        if page.json.get(name).is_some() {
            return broken_at(&page.evidence, format!("no `{name}`"), "there is one");
        }
    }
    Held::once()
}

/// A good search is answered, and each of these is refused with 400.
fn refuses(api: Jira<'_>, bad: &[(&str, String)]) -> Verdict {
    api.search(&[("jql", &api.project_jql())])?;
    for (what, jql) in bad {
        let (reply, evidence) = api.ask_search(&[("jql", jql)])?;
        if reply.status != 400 {
            return broken_at(&evidence, format!("400 for a search {what}"), reply.status);
        }
    }
    Held::over(bad.len(), "no bad search")
}

fn invalid_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    let known = api.project_jql();
    let bad = [
        ("that breaks off", format!("{known} AND")),
        ("for a field that does not exist", format!("{known} AND nosuchfieldhere = 1")),
        ("for a project that does not exist", "project = NOSUCHPROJECT".to_owned()),
    ];
    refuses(api, &bad)
}

fn without_a_restriction_400(case: &Case) -> Verdict {
    refuses(case.jira()?, &[("without a restriction", "ORDER BY created DESC".to_owned())])
}

fn label_with_a_space_400(case: &Case) -> Verdict {
    let api = case.jira()?;
    let label = format!("{} AND labels = \"contract suite\"", api.project_jql());
    refuses(api, &[("for a label with a space", label)])
}

fn reconciles_50_at_most(case: &Case) -> Verdict {
    let api = case.jira()?;
    let jql = api.project_jql();
    let id = api.issues()?.find("issue with an id", |row| row.text("id").is_some())?;
    let id = id.text("id").unwrap_or_default();
    api.search(&[("jql", &jql), ("reconcileIssues", id)])?;
    let numbers: Vec<String> =
        (0..51).map(|more: u64| (id.parse().unwrap_or(1_u64) + more).to_string()).collect();
    let mut query = vec![("jql", jql.as_str())];
    query.extend(numbers.iter().map(|number| ("reconcileIssues", number.as_str())));
    let (reply, evidence) = api.ask_search(&query)?;
    if !(400..500).contains(&reply.status) {
        return broken_at(&evidence, "51 ids of reconcileIssues are refused", reply.status);
    }
    Held::once()
}

/// In a simulator the search lags by a minute, so that nothing else could show it.
fn reconciled_issues_are_as_they_are(case: &Case) -> Verdict {
    let api = case.jira()?;
    if case.writes().is_none() {
        case.happen(&json!({"type": "jira.limits_changed", "limits": {"search_lag_ms": 60_000}}))?;
    }
    let made = api.make(&json!({"summary": "Before"}))?;
    let jql = format!("project = \"{}\" AND created > -1d ORDER BY created DESC", api.changeable_project()?);
    for summary in ["Before", "After"] {
        let (edited, _) =
            api.put(&format!("issue/{}", made.key), &json!({"fields": {"summary": summary}}))?;
        observed(edited.is_success(), format!("an edit answers {}", edited.status))?;
        let query = [("jql", jql.as_str()), ("fields", "summary"), ("reconcileIssues", &made.id)];
        let page = api.search(&query)?;
        let shown = page.list("issues").iter().find(|issue| issue["id"] == made.id.as_str());
        let seen = shown.map(|issue| &issue["fields"]["summary"]);
        if seen != Some(&json!(summary)) {
            let expected = format!("issue {} with the summary {summary:?}", made.id);
            return broken_at(&page.evidence, expected, if seen.is_some() { "another" } else { "nothing" });
        }
    }
    Held::once()
}

fn old_search_410(case: &Case) -> Verdict {
    let api = case.jira()?;
    let query = [("jql", api.project_jql())];
    api.search(&[("jql", &query[0].1)])?;
    let (reply, evidence) = api.get(&with_query("search", &[("jql", &query[0].1)]))?;
    if reply.status != 410 {
        return broken_at(&evidence, "410 for the old search of version 3", reply.status);
    }
    Held::once()
}
