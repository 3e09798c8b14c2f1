//! Saboteurs of searching.

use serde_json::json;

use super::super::Saboteur;
use super::super::layers::{edit_query, json_of, json_reply, reply_to, request_of, without_parameter};
use super::parameter;
use crate::target::exchange::Request;

const SEARCH: &[&str] = &["GET search/jql"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/search/ids-alone-unless-fields-are-asked-for",
            "shows summaries that nobody asked for",
            request_of(SEARCH, |request| {
                if parameter(request, "fields").is_none() && parameter(request, "maxResults").is_none() {
                    edit_query(request, |all| all.push(("fields".to_owned(), "summary".to_owned())));
                }
            }),
        ),
        Saboteur::new(
            "jira/search/page-tokens-lead-to-the-end",
            "forgets the last issue of a page that has a successor",
            json_of(SEARCH, |json| {
                if json.get("nextPageToken").is_some()
                    && let Some(issues) = json["issues"].as_array_mut()
                {
                    issues.pop();
                }
            }),
        ),
        Saboteur::new(
            "jira/search/no-total",
            "counts what it finds",
            json_of(SEARCH, |json| {
                let total = json["issues"].as_array().map_or(0, Vec::len);
                json["total"] = json!(total);
            }),
        ),
        Saboteur::new(
            "jira/search/invalid-400",
            "ignores a clause that it does not understand",
            of_jql(|jql| jql.replace(" AND nosuchfieldhere = 1", "")),
        ),
        Saboteur::new(
            "jira/search/reconciles-50-at-most",
            "reconciles the first fifty of more issues",
            request_of(SEARCH, |request| {
                edit_query(request, |all| {
                    let mut left = 50;
                    all.retain(|(name, _)| {
                        let is_one = name == "reconcileIssues";
                        left -= i32::from(is_one);
                        !is_one || left >= 0
                    });
                });
            }),
        ),
        Saboteur::new(
            "jira/search/reconciled-issues-are-as-they-are",
            "reconciles nothing",
            without_parameter(SEARCH, "reconcileIssues"),
        )
        .also(&[(
            "jira/search/reconciles-50-at-most",
            "whoever does not read the ids does not count them either",
        )]),
        Saboteur::new(
            "jira/search/without-a-restriction-400",
            "shows everything to who names no restriction",
            of_jql(|jql| match jql.strip_prefix("ORDER BY") {
                Some(order) => format!("created > \"2000-01-01\" ORDER BY{order}"),
                None => jql.to_owned(),
            }),
        ),
        Saboteur::new(
            "jira/search/label-with-a-space-400",
            "finds no issue with a label that no issue can have",
            reply_to(SEARCH, |request, reply| {
                if is_for_label_with_space(request) {
                    *reply = json_reply(200, &json!({"issues": [], "isLast": true}));
                }
            }),
        ),
        Saboteur::new(
            "jira/search/old-search-410",
            "still has the old search in version 3",
            request_of(&["GET search"], |request| {
                request.url = request.url.replace("/rest/api/3/", "/rest/api/2/");
            }),
        ),
    ]
}

fn is_for_label_with_space(request: &Request) -> bool {
    parameter(request, "jql").is_some_and(|jql| jql.contains("labels = \"contract suite\""))
}

/// Changes what is searched for.
fn of_jql(edit: impl Fn(&str) -> String + Send + Sync + 'static) -> super::Layer {
    request_of(SEARCH, move |request| {
        edit_query(request, |all| {
            for (_, value) in all.iter_mut().filter(|(name, _)| name == "jql") {
                *value = edit(value);
            }
        });
    })
}
