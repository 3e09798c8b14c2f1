//! Saboteurs of `POST security_findings/:id/notes`.

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{body_of, json_reply, reply_to};
use super::super::rows::{each_of, findings};
use super::close::cut;
use super::{NOTES, acknowledge_refused};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/note-is-added",
            "keeps 255 characters of a comment",
            body_of(NOTES, cut("text")),
        ),
        Saboteur::new(
            "data-theorem/findings/note-by-key-author",
            "names the vendor as the author of comments through the API",
            findings(each_of("notes", |note| {
                let is_person = note["author_email"].as_str().is_none_or(|author| author.contains('@'));
                if note["is_internal_comment"] == true && !is_person {
                    note["author_email"] = json!("Data Theorem");
                }
            })),
        ),
        Saboteur::new(
            "data-theorem/findings/note-is-internal",
            "takes a comment for a question unless it says that it is none",
            body_of(NOTES, |body| {
                if body["text"].is_string() && body.get("is_question_for_datatheorem").is_none() {
                    body["is_question_for_datatheorem"] = json!(true);
                }
            }),
        )
        .also(&[(
            "data-theorem/findings/note-question-is-a-boolean",
            "its default is false by that rule too",
        )]),
        Saboteur::new(
            "data-theorem/findings/note-is-a-question",
            "takes a question for a comment",
            body_of(NOTES, |body| {
                if body["is_question_for_datatheorem"] == true {
                    body["is_question_for_datatheorem"] = json!(false);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/note-reply",
            "answers 200 with an empty object",
            reply_to(NOTES, |_, reply| {
                if reply.status == 204 {
                    *reply = json_reply(200, &json!({}));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/note-permission",
            "acknowledges a comment from a key that may not comment",
            acknowledge_refused(NOTES),
        ),
        Saboteur::new(
            "data-theorem/findings/note-body-is-an-object",
            "takes a bare text for a comment",
            body_of(NOTES, |body| {
                if let Some(text) = body.as_str() {
                    *body = json!({"text": text});
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/note-text-is-required",
            "takes a number for a text",
            body_of(NOTES, |body| {
                if let Some(number) = body["text"].as_i64() {
                    body["text"] = json!(number.to_string());
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/note-question-is-a-boolean",
            "takes \"true\" for true",
            body_of(NOTES, |body| {
                if body["is_question_for_datatheorem"] == "true" {
                    body["is_question_for_datatheorem"] = Value::Bool(true);
                }
            }),
        ),
    ]
}
