//! Saboteurs of what summaries, labels and long texts may be.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{body_of, edit_json, is, json_of, reply_to};
use super::{CREATE, READ, edit_field};

/// Everything that takes or gives a long text.
const COMMENT: &[&str] = &["POST issue/:id/comment"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/texts/summary-of-255-at-most",
            "cuts a summary that is too long",
            body_of(CREATE, |body| {
                edit_field(body, "summary", |summary| {
                    let text = summary.as_str()?;
                    (text.len() > 255).then(|| json!(text.chars().take(255).collect::<String>()))
                });
            }),
        ),
        Saboteur::new(
            "jira/texts/summary-of-one-line",
            "makes one line of a summary",
            body_of(CREATE, |body| {
                edit_field(body, "summary", |summary| Some(json!(summary.as_str()?.replace('\n', " "))));
            }),
        ),
        Saboteur::new(
            "jira/texts/label-without-spaces",
            "writes a hyphen for the space in a label",
            body_of(CREATE, |body| {
                edit_field(body, "labels", |labels| {
                    let labels = labels.as_array()?.iter();
                    Some(labels.map(|label| label.as_str().unwrap_or_default().replace(' ', "-")).collect())
                });
            }),
        ),
        Saboteur::new(
            "jira/texts/text-of-32767-at-most",
            "cuts a comment that is too long",
            body_of(COMMENT, |body| {
                let place = "/body/content/0/content/0/text";
                if let Some(text) = body.pointer_mut(place)
                    && let Some(long) = text.as_str().filter(|text| text.len() > 32_767)
                {
                    *text = json!(long.chars().take(32_767).collect::<String>());
                }
            }),
        ),
        Saboteur::new(
            "jira/texts/version-3-has-documents",
            "gives comments of version 3 as texts",
            reply_to(&["GET issue/:id/comment/:id"], |request, reply| {
                if request.url.contains("/rest/api/3/") {
                    edit_json(reply, |json| {
                        let text = json.pointer("/body/content/0/content/0/text").cloned();
                        json["body"] = text.unwrap_or_default();
                    });
                }
            }),
        )
        .also(&[
            ("jira/comments/add-201", "it reads the comment again, which is no document"),
            ("jira/comments/update-200", "it reads the comment again, which is no document"),
        ]),
        Saboteur::new(
            "jira/texts/version-2-has-texts",
            "gives descriptions of version 2 as documents",
            Arc::new(|request, healthy| {
                let mut reply = healthy.send(request.clone())?;
                if is(&request, READ[0]) && request.url.contains("/rest/api/2/") {
                    edit_json(&mut reply, |json| {
                        json["fields"]["description"] = json!({"type": "doc", "version": 1, "content": []});
                    });
                }
                Ok(reply)
            }),
        ),
        Saboteur::new(
            "jira/texts/document-has-a-root",
            "gives descriptions in version 2 of the format",
            json_of(READ, |json| {
                if let Some(version) = json.pointer_mut("/fields/description/version") {
                    *version = json!(2);
                }
            }),
        ),
        Saboteur::new(
            "jira/texts/document-of-known-nodes",
            "takes a node of an unknown type for a paragraph",
            body_of(CREATE, |body| {
                edit_field(body, "description", |document| {
                    let mut document: Value = document.clone();
                    let kind = document.pointer_mut("/content/0/type").filter(|kind| *kind == "html")?;
                    *kind = json!("paragraph");
                    Some(document)
                });
            }),
        ),
    ]
}
