//! Reading issues by their key or number.

use fixtures::spec::jira::{JIRA_ISSUE_404, JIRA_ISSUE_DIRECT, JIRA_ISSUE_KEY_CASE, JIRA_ISSUE_MOVED};
use serde_json::{Value, json};

use super::super::client::{UNKNOWN, document};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};

checks! { "jira/issues";
    unknown_issue_404: JIRA_ISSUE_404, Reading, unknown_issue_404;
    issue_out_of_sight_404: JIRA_ISSUE_404, Control, issue_out_of_sight_404;
    moved_issue_by_its_old_key: JIRA_ISSUE_MOVED, Control, moved_issue_by_its_old_key;
    key_in_any_case: JIRA_ISSUE_KEY_CASE, Reading, key_in_any_case;
    reads_show_every_write: JIRA_ISSUE_DIRECT, Writing, reads_show_every_write;
}

fn unknown_issue_404(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.issue(api.some_key()?)?;
    for unknown in [format!("{}-{UNKNOWN}", api.project()), UNKNOWN.to_owned()] {
        let (reply, evidence) = api.get(&format!("issue/{unknown}"))?;
        if reply.status != 404 {
            return broken_at(&evidence, "404 for an issue that does not exist", reply.status);
        }
    }
    Held::once()
}

/// To a user who may not see its project, and to everybody when it is hidden.
fn issue_out_of_sight_404(case: &Case) -> Verdict {
    let api = case.jira()?;
    let user = api.find_user("who sees some projects", |user| user.project_keys.is_some())?;
    let limited = api.with_user(user);
    let sees = |key: &str| {
        let project = key.rsplit_once('-').map_or("", |(project, _)| project);
        user.project_keys.as_ref().is_some_and(|keys| keys.contains(project))
    };
    let everywhere = api.found(&[("jql", "created > \"2000-01-01\""), ("fields", "summary")])?;
    let foreign = everywhere
        .find("issue that the user may not see", |row| row.text("key").is_some_and(|key| !sees(key)))?;
    let own = api.some_key()?;
    limited.issue(own)?;
    let foreign = foreign.text("key").unwrap_or_default();
    let hidden = api.make(&json!({}))?.key;
    for key in [foreign, &hidden] {
        api.issue(key)?;
    }
    case.happen(&json!({"type": "jira.issue_hidden", "issue": hidden, "is_hidden": true}))?;
    for (api, key) in [(limited, foreign), (api, &hidden)] {
        let (reply, evidence) = api.get(&format!("issue/{key}"))?;
        if reply.status != 404 {
            return broken_at(&evidence, "404 for an issue that the user may not see", reply.status);
        }
    }
    Held::once()
}

fn moved_issue_by_its_old_key(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({}))?;
    let projects = api.item("project/search")?;
    let others = projects.list("values").iter().filter_map(|project| project["key"].as_str());
    let Some(other) = others.into_iter().find(|key| *key != api.project()) else {
        return Err(Stop::NotExercised("the site has one project only".to_owned()));
    };
    case.happen(&json!({"type": "jira.issue_moved", "issue": made.key, "project": other}))?;
    let (reply, evidence) = api.get(&format!("issue/{}", made.key))?;
    let json = reply.json().unwrap_or_default();
    let key = json["key"].as_str().unwrap_or_default();
    if reply.status != 200 || !key.starts_with(&format!("{other}-")) || json["id"] != made.id.as_str() {
        let expected = format!("200 and the issue with its key in {other}");
        return broken_at(&evidence, expected, format!("{} {key}", reply.status));
    }
    Held::once()
}

fn key_in_any_case(case: &Case) -> Verdict {
    let api = case.jira()?;
    let key = api.some_key()?;
    let issue = api.issue(key)?;
    let other = key.to_ascii_lowercase();
    observed(other != key, "the key has no letters in upper case")?;
    let (reply, evidence) = api.get(&format!("issue/{other}"))?;
    if reply.status != 200 || reply.json().unwrap_or_default()["id"] != issue.json["id"] {
        return broken_at(&evidence, format!("{key} is found as {other}"), reply.status);
    }
    Held::once()
}

/// By the key and by the number, after everything that was answered.
fn reads_show_every_write(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({"summary": "Before"}))?;
    let shows = |what: &str, is_shown: &dyn Fn(&Value) -> bool| {
        for name in [&made.id, &made.key] {
            let (reply, evidence) = api.get(&format!("issue/{name}"))?;
            let json = reply.json().unwrap_or_default();
            if reply.status != 200 || !is_shown(&json["fields"]) {
                return broken_at(&evidence, format!("a read shows {what}"), reply.status);
            }
        }
        Held::once()
    };
    shows("the new issue", &|fields| fields["summary"] == "Before")?;
    let (edited, _) = api.put(&format!("issue/{}", made.key), &json!({"fields": {"summary": "After"}}))?;
    observed(edited.is_success(), format!("an edit answers {}", edited.status))?;
    shows("the edit", &|fields| fields["summary"] == "After")?;
    let path = format!("issue/{}/comment", made.key);
    let (comment, _) = api.post(&path, &json!({"body": document("A remark.")}))?;
    observed(comment.is_success(), format!("a comment answers {}", comment.status))?;
    shows("the comment", &|fields| {
        fields["comment"]["comments"].as_array().is_some_and(|comments| comments.len() == 1)
    })
}
