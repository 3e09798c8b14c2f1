//! Remote links of an issue.

use fixtures::spec::jira::{
    JIRA_LINK_404, JIRA_LINK_FOREIGN, JIRA_LINK_INVALID, JIRA_LINK_MAX, JIRA_LINK_NULLS, JIRA_LINK_UNNAMED,
    JIRA_LINK_UPSERT,
};
use serde_json::{Value, json};

use super::client::{Jira, UNKNOWN};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::suite::rows::Row;
use crate::suite::shape::brief;
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/remote-links";
    upsert_by_global_id: JIRA_LINK_UPSERT, Writing, upsert_by_global_id;
    replaced_link_loses_the_rest: JIRA_LINK_NULLS, Writing, replaced_link_loses_the_rest;
    add_invalid_400: JIRA_LINK_INVALID, Writing, add_invalid_400;
    unknown_404: JIRA_LINK_404, Writing, unknown_404;
    of_another_issue_400: JIRA_LINK_FOREIGN, Writing, of_another_issue_400;
    delete_of_none_in_particular_400: JIRA_LINK_UNNAMED, Writing, delete_of_none_in_particular_400;
    add_beyond_the_most_413: JIRA_LINK_MAX, Control, add_beyond_the_most_413;
}

/// Remote links of an issue that the check made.
struct Links<'c> {
    api: Jira<'c>,
    path: String,
}

impl<'c> Links<'c> {
    fn of_new_issue(case: &'c Case) -> Result<Self, Stop> {
        let api = case.jira()?;
        let made = api.make(&json!({}))?;
        Ok(Self { api, path: format!("issue/{}/remotelink", made.key) })
    }

    fn post(&self, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.api.post(&self.path, body)
    }

    /// Makes or replaces one and returns its number, as a prerequisite.
    fn posted(&self, body: &Value) -> Result<String, Stop> {
        let (reply, evidence) = self.post(body)?;
        let id = reply.json().filter(|_| reply.is_success()).unwrap_or_default()["id"].clone();
        match id {
            Value::Number(id) => Ok(id.to_string()),
            _ => Err(Stop::NotExercised(format!("no remote link is made: {evidence}"))),
        }
    }

    fn link(&self, id: &str) -> Result<Row, Stop> {
        self.api.item(&format!("{}/{id}", self.path))
    }
}

fn link(global_id: &str, title: &str) -> Value {
    json!({"globalId": global_id, "object": {"url": "https://finding.example/1", "title": title}})
}

fn upsert_by_global_id(case: &Case) -> Verdict {
    let links = Links::of_new_issue(case)?;
    let mut ids = Vec::new();
    for (global_id, title, status) in [("a", "First", 201), ("a", "Second", 200), ("b", "Other", 201)] {
        let (reply, evidence) = links.post(&link(global_id, title))?;
        observed(reply.is_success(), format!("a remote link answers {}", reply.status))?;
        let json = reply.json().unwrap_or_default();
        if reply.status != status || !json["id"].is_number() || !json["self"].is_string() {
            let expected = format!("{status} with `id`, a number, and `self`");
            return broken_at(&evidence, expected, format!("{} {}", reply.status, brief(&json)));
        }
        let id = json["id"].to_string();
        let shown = links.link(&id)?;
        let (object, sent) = (&shown.json["object"], &link(global_id, title)["object"]);
        let is_same = object["title"] == sent["title"] && object["url"] == sent["url"];
        if shown.json["globalId"] != global_id || shown.json["id"] != json["id"] || !is_same {
            return broken_at(&shown.evidence, "the link as it was last made", brief(&shown.json));
        }
        ids.push((id, evidence));
    }
    match ids.as_slice() {
        [(first, _), (again, _), (other, _)] if first == again && first != other => Held::once(),
        [_, (_, evidence), ..] => broken_at(evidence, "one link per `globalId`", "others"),
        _ => Err(Stop::NotExercised("no link".to_owned())),
    }
}

fn replaced_link_loses_the_rest(case: &Case) -> Verdict {
    let links = Links::of_new_issue(case)?;
    let mut full = link("a", "Full");
    full["relationship"] = json!("causes");
    full["object"]["summary"] = json!("A summary.");
    let id = links.posted(&full)?;
    let before = links.link(&id)?.json;
    let has_all = before["relationship"] == "causes" && before["object"]["summary"] == "A summary.";
    observed(has_all, "a remote link does not show what it was made with")?;
    links.posted(&link("a", "Bare"))?;
    let after = links.link(&id)?;
    if !after.json["relationship"].is_null() || !after.json["object"]["summary"].is_null() {
        return broken_at(&after.evidence, "neither `relationship` nor `summary`", brief(&after.json));
    }
    Held::once()
}

fn add_invalid_400(case: &Case) -> Verdict {
    let links = Links::of_new_issue(case)?;
    links.posted(&link("a", "Good"))?;
    let bad = [
        ("no url", json!({"object": {"title": "Without a url"}})),
        ("no title", json!({"object": {"url": "https://finding.example/2"}})),
        ("no object", json!({"globalId": "b"})),
    ];
    for (what, body) in &bad {
        let (reply, evidence) = links.post(body)?;
        if reply.status != 400 {
            return broken_at(&evidence, format!("400 for a link with {what}"), reply.status);
        }
    }
    Held::over(bad.len(), "no bad link")
}

fn unknown_404(case: &Case) -> Verdict {
    let links = Links::of_new_issue(case)?;
    let id = links.posted(&link("a", "Known"))?;
    links.link(&id)?;
    let (reply, evidence) = links.api.get(&format!("{}/{UNKNOWN}", links.path))?;
    if reply.status != 404 {
        return broken_at(&evidence, "404 for a remote link that does not exist", reply.status);
    }
    Held::once()
}

fn of_another_issue_400(case: &Case) -> Verdict {
    let (links, others) = (Links::of_new_issue(case)?, Links::of_new_issue(case)?);
    let id = links.posted(&link("a", "Own"))?;
    links.link(&id)?;
    let foreign = others.posted(&link("a", "Of another issue"))?;
    for asked in [foreign.as_str(), "nonumber"] {
        let (reply, evidence) = links.api.get(&format!("{}/{asked}", links.path))?;
        if reply.status != 400 {
            return broken_at(&evidence, "400 for another issue's link, and for no number", reply.status);
        }
    }
    Held::once()
}

fn delete_of_none_in_particular_400(case: &Case) -> Verdict {
    let links = Links::of_new_issue(case)?;
    links.posted(&link("a", "Known"))?;
    let (bare, evidence) = links.api.delete(&links.path)?;
    let (named, _) = links.api.delete(&format!("{}?globalId=a", links.path))?;
    // Where the bare one was granted there may be nothing left to delete.
    observed(
        named.is_success() || bare.is_success(),
        format!("with `globalId` it answers {}", named.status),
    )?;
    if bare.status != 400 {
        return broken_at(&evidence, "400 without a `globalId`", bare.status);
    }
    Held::once()
}

fn add_beyond_the_most_413(case: &Case) -> Verdict {
    let links = Links::of_new_issue(case)?;
    case.happen(&json!({"type": "jira.limits_changed", "limits": {"remote_links_per_issue": 1}}))?;
    links.posted(&link("a", "The only one"))?;
    let (reply, evidence) = links.post(&link("b", "One too many"))?;
    if reply.status != 413 {
        return broken_at(&evidence, "413 for a remote link beyond the most", reply.status);
    }
    Held::once()
}
