//! Comments of an issue.

use fixtures::spec::jira::{
    JIRA_COMMENT_201, JIRA_COMMENT_404, JIRA_COMMENT_INVALID, JIRA_COMMENT_MAX, JIRA_COMMENT_ORDER,
    JIRA_COMMENT_UPDATE,
};
use serde_json::{Value, json};

use super::client::{Jira, UNKNOWN, document};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::suite::rows::Row;
use crate::suite::shape::{Shape, brief};
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/comments";
    ordered_by_their_date_alone: JIRA_COMMENT_ORDER, Reading, ordered_by_their_date_alone;
    add_201: JIRA_COMMENT_201, Writing, add_201;
    add_invalid_400: JIRA_COMMENT_INVALID, Writing, add_invalid_400;
    add_beyond_the_most_413: JIRA_COMMENT_MAX, Control, add_beyond_the_most_413;
    unknown_404: JIRA_COMMENT_404, Writing, unknown_404;
    update_200: JIRA_COMMENT_UPDATE, Writing, update_200;
}

/// Comments of an issue that the check made.
struct Comments<'c> {
    api: Jira<'c>,
    path: String,
}

impl<'c> Comments<'c> {
    fn of_new_issue(case: &'c Case) -> Result<Self, Stop> {
        let api = case.jira()?;
        let made = api.make(&json!({}))?;
        Ok(Self { api, path: format!("issue/{}/comment", made.key) })
    }

    fn add(&self, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.api.post(&self.path, body)
    }

    /// Adds one and returns its number, as a prerequisite.
    fn added(&self, text: &str) -> Result<String, Stop> {
        let (reply, evidence) = self.add(&json!({"body": document(text)}))?;
        let id = reply.json().filter(|_| reply.is_success()).unwrap_or_default()["id"].clone();
        match id.as_str() {
            Some(id) => Ok(id.to_owned()),
            None => Err(Stop::NotExercised(format!("no comment is added: {evidence}"))),
        }
    }

    fn read(&self, id: &str) -> Result<Row, Stop> {
        self.api.item(&format!("{}/{id}", self.path))
    }

    /// The comment is shown under its number with this body.
    fn shows(&self, id: &str, body: &Value) -> Verdict {
        let row = self.read(id)?;
        if row.json["id"] != id || row.json["body"] != *body {
            return broken_at(&row.evidence, format!("comment {id} as it was written"), brief(&row.json));
        }
        Held::once()
    }
}

/// A comment as the page's schema shows it.
const COMMENT: Shape = Shape::Members(&[
    ("id", Shape::FilledText),
    ("self", Shape::Url),
    ("body", Shape::Object),
    ("author", Shape::Members(&[("accountId", Shape::FilledText)])),
    ("created", Shape::FilledText),
    ("updated", Shape::FilledText),
]);

fn ordered_by_their_date_alone(case: &Case) -> Verdict {
    let api = case.jira()?;
    let path = format!("issue/{}/comment", api.some_key()?);
    api.item(&format!("{path}?orderBy=-created"))?;
    let (reply, evidence) = api.get(&format!("{path}?orderBy=author"))?;
    if reply.status != 400 {
        return broken_at(&evidence, "400 for an order by anything but `created`", reply.status);
    }
    Held::once()
}

fn add_201(case: &Case) -> Verdict {
    let comments = Comments::of_new_issue(case)?;
    let body = document("A remark of the contract suite.");
    let (reply, evidence) = comments.add(&json!({"body": body}))?;
    observed(reply.is_success(), format!("a comment answers {}", reply.status))?;
    let json = reply.json().unwrap_or_default();
    if reply.status != 201 || !COMMENT.fits(&json) || json["body"] != body {
        return broken_at(&evidence, format!("201 and the comment: {COMMENT}"), brief(&json));
    }
    comments.shows(json["id"].as_str().unwrap_or_default(), &body)
}

fn add_invalid_400(case: &Case) -> Verdict {
    let comments = Comments::of_new_issue(case)?;
    comments.added("A good one.")?;
    let html = json!({"type": "doc", "version": 1, "content": [{"type": "html"}]});
    let bad = [("no body", json!({})), ("a body that is no document", json!({"body": html}))];
    for (what, body) in &bad {
        let (reply, evidence) = comments.add(body)?;
        if reply.status != 400 {
            return broken_at(&evidence, format!("400 for {what}"), reply.status);
        }
    }
    Held::over(bad.len(), "no bad comment")
}

fn add_beyond_the_most_413(case: &Case) -> Verdict {
    let comments = Comments::of_new_issue(case)?;
    case.happen(&json!({"type": "jira.limits_changed", "limits": {"comments_per_issue": 1}}))?;
    comments.added("The only one.")?;
    let (reply, evidence) = comments.add(&json!({"body": document("One too many.")}))?;
    if reply.status != 413 {
        return broken_at(&evidence, "413 for a comment beyond the most", reply.status);
    }
    Held::once()
}

fn unknown_404(case: &Case) -> Verdict {
    let comments = Comments::of_new_issue(case)?;
    let id = comments.added("A known one.")?;
    comments.read(&id)?;
    let (reply, evidence) = comments.api.get(&format!("{}/{UNKNOWN}", comments.path))?;
    if reply.status != 404 {
        return broken_at(&evidence, "404 for a comment that does not exist", reply.status);
    }
    Held::once()
}

fn update_200(case: &Case) -> Verdict {
    let comments = Comments::of_new_issue(case)?;
    let id = comments.added("Before.")?;
    let body = document("After.");
    let (reply, evidence) = comments.api.put(&format!("{}/{id}", comments.path), &json!({"body": body}))?;
    observed(reply.is_success(), format!("a change answers {}", reply.status))?;
    let json = reply.json().unwrap_or_default();
    if reply.status != 200 || !COMMENT.fits(&json) || json["id"] != id.as_str() || json["body"] != body {
        return broken_at(&evidence, format!("200 and the comment: {COMMENT}"), brief(&json));
    }
    comments.shows(&id, &body)
}
