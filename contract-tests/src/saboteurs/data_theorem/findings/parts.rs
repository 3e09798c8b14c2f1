//! Saboteurs of a finding's notes, links and compliance references.

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::Layer;
use super::super::rows::{each_of, with, without};
use super::listed;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [references_and_links(), notes()].into_iter().flatten().collect()
}

fn in_references(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    listed(each_of("compliance_policy_references", edit))
}

fn in_links(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    listed(each_of("links", edit))
}

fn in_notes(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    listed(each_of("notes", edit))
}

/// Shows a boolean as a string.
fn quoted(name: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |note| {
        let text = json!(note[name].to_string());
        with(name, text)(note);
    }
}

fn references_and_links() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/compliance-policy",
            "leaves the policy out of compliance references",
            in_references(without("compliance_policy")),
        ),
        Saboteur::new(
            "data-theorem/findings/compliance-markdown",
            "shows compliance references with an empty citation",
            in_references(with("markdown", json!(""))),
        ),
        Saboteur::new(
            "data-theorem/findings/compliance-link",
            "shows a place in the policy instead of its address",
            in_references(with("link", json!("Art. 32"))),
        ),
        Saboteur::new(
            "data-theorem/findings/link-href",
            "lists links with the whole address",
            in_links(|link| {
                if link["rel"] == "self" {
                    let path = link["href"].as_str().unwrap_or_default();
                    link["href"] = json!(format!("https://api.securetheorem.com/{path}"));
                }
            }),
        )
        .also(&[(
            "data-theorem/findings/link-rels",
            "the link to the finding itself is not the path it knows",
        )]),
        Saboteur::new(
            "data-theorem/findings/link-type",
            "shows a media type instead of a method",
            in_links(with("type", json!("application/json"))),
        ),
        Saboteur::new(
            "data-theorem/findings/link-rel",
            "leaves out what a link is for",
            in_links(without("rel")),
        ),
    ]
}

fn notes() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/note-author-email",
            "lists notes without an author",
            in_notes(without("author_email")),
        ),
        Saboteur::new(
            "data-theorem/findings/note-date-created",
            "lists the day of a note instead of its timestamp",
            in_notes(with("date_created", json!("2016-11-02"))),
        ),
        Saboteur::new(
            "data-theorem/findings/note-id",
            "gives all listed notes the id of the sample",
            in_notes(with("id", json!("77777"))),
        ),
        Saboteur::new(
            "data-theorem/findings/note-is-internal-comment",
            "lists `is_internal_comment` as a string",
            in_notes(quoted("is_internal_comment")),
        ),
        Saboteur::new(
            "data-theorem/findings/note-is-question",
            "lists `is_question_for_datatheorem` as a string",
            in_notes(quoted("is_question_for_datatheorem")),
        ),
        Saboteur::new(
            "data-theorem/findings/note-is-reply",
            "leaves `is_reply_from_datatheorem` out of listed notes",
            in_notes(without("is_reply_from_datatheorem")),
        ),
        Saboteur::new(
            "data-theorem/findings/note-text",
            "lists notes without their text",
            in_notes(without("text")),
        ),
    ]
}
