//! `POST security_findings/:id/notes`.

use fixtures::spec::data_theorem::{
    DT_FINDING_NOTE, DT_FINDING_NOTE_AUTHOR, DT_FINDING_NOTE_INTERNAL, DT_FINDING_NOTE_OBJECT,
    DT_FINDING_NOTE_PERMISSION, DT_FINDING_NOTE_QUESTION, DT_FINDING_NOTE_QUESTION_TYPE,
    DT_FINDING_NOTE_REPLY, DT_FINDING_NOTE_TEXT,
};
use serde_json::{Value, json};

use super::super::client::DataTheorem;
use super::subjects::{comment, comment_first, needs_permission, note_with, refuses};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, not_exercised, observed};
use crate::suite::rows::Row;

checks! { "data-theorem/findings";
    note_is_added: DT_FINDING_NOTE, Lasting, note_is_added;
    note_by_key_author: DT_FINDING_NOTE_AUTHOR, Lasting, note_by_key_author;
    note_is_internal: DT_FINDING_NOTE_INTERNAL, Lasting, note_is_internal;
    note_is_a_question: DT_FINDING_NOTE_QUESTION, Lasting, note_is_a_question;
    note_reply: DT_FINDING_NOTE_REPLY, Lasting, note_reply;
    note_permission: DT_FINDING_NOTE_PERMISSION, Control, note_permission;
    note_body_is_an_object: DT_FINDING_NOTE_OBJECT, Lasting, note_body_is_an_object;
    note_text_is_required: DT_FINDING_NOTE_TEXT, Lasting, note_text_is_required;
    note_question_is_a_boolean: DT_FINDING_NOTE_QUESTION_TYPE, Lasting, note_question_is_a_boolean;
}

/// A finding to comment on.
fn finding(case: &Case) -> Result<(DataTheorem<'_>, String), Stop> {
    let api = case.data_theorem()?;
    let row = api.findings()?.find("finding", |row| row.text("id").is_some())?;
    Ok((api, row.text("id").unwrap_or_default().to_owned()))
}

/// The note that a comment makes, as a prerequisite.
fn made(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<Row, Stop> {
    comment_first(api, id, body)?;
    let text = body["text"].as_str().unwrap_or_default();
    match note_with(&api.finding(id)?, text) {
        Some(note) => Ok(note),
        None => not_exercised("the comment is not among the finding's notes"),
    }
}

/// The author of a note is the key: its name, says the prose, or an address, shows a sample.
pub(super) fn is_key(api: DataTheorem<'_>, note: &Row) -> Verdict {
    let name = &api.own_key()?.name;
    let author = note.text("author_email").unwrap_or_default();
    if author != name && !author.contains('@') {
        let expected = format!("the name of the key, {name}, or an address");
        return broken_at(&note.evidence, expected, &note.json["author_email"]);
    }
    Held::once()
}

/// A text of some length, and not only of ASCII, is kept as it was sent.
fn note_is_added(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let text = format!("Contract suite:\n{}the end – ☃.", "much to say, ".repeat(24));
    let before = api.finding(&id)?.list("notes").len();
    let (reply, evidence) = comment(api, &id, &json!({"text": text}))?;
    if !reply.is_success() {
        return broken_at(&evidence, "a comment on a finding is accepted", reply.status);
    }
    let after = api.finding(&id)?;
    let seen = after.list("notes").len();
    expect(seen == before + 1, "one note more", format!("{before} before, {seen} after"))?;
    let is_kept = after.list("notes").iter().any(|note| note["text"] == text.as_str());
    if !is_kept {
        return broken_at(&after.evidence, format!("a note whose text is {text:?}"), &after.json["notes"]);
    }
    Held::once()
}

fn note_by_key_author(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let note = made(api, &id, &json!({"text": "Contract suite: who wrote this?"}))?;
    is_key(api, &note)
}

fn note_is_internal(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let bodies = [
        json!({"text": "Contract suite: internal by default."}),
        json!({"text": "Contract suite: no question.", "is_question_for_datatheorem": false}),
    ];
    for body in &bodies {
        let note = made(api, &id, body)?;
        if note.json["is_internal_comment"] != true {
            return broken_at(&note.evidence, "an internal comment", &note.json);
        }
    }
    Held::over(bodies.len(), "no comment")
}

fn note_is_a_question(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let body = json!({"text": "Contract suite: a question?", "is_question_for_datatheorem": true});
    let note = made(api, &id, &body)?;
    if note.json["is_question_for_datatheorem"] != true {
        return broken_at(&note.evidence, "a question for the vendor's support", &note.json);
    }
    Held::once()
}

/// Prose and sample differ: 204 without a body, or the note.
fn note_reply(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let text = "Contract suite: what is the answer?";
    let (reply, evidence) = comment(api, &id, &json!({"text": text}))?;
    let shown = api.finding(&id)?;
    observed(note_with(&shown, text).is_some(), "the comment is not among the finding's notes")?;
    let is_note = reply.is_success() && reply.json().is_some_and(|note| note["text"] == text);
    if !(is_note || reply.status == 204 && reply.body.is_empty()) {
        let seen = format!("{} with {:?}", reply.status, String::from_utf8_lossy(&reply.body));
        return broken_at(&evidence, "204 without a body, or the created note", seen);
    }
    Held::once()
}

fn note_permission(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    needs_permission(api, "results_api.can_comment_on_issues", &id, |api, id| {
        comment(api, id, &json!({"text": "Contract suite: with and without permission."}))
    })
}

fn note_body_is_an_object(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let good = json!({"text": "Contract suite: an object."});
    comment_first(api, &id, &good)?;
    refuses(api, &id, &[json!("A bare text."), json!([good]), json!(["x"]), json!(1), json!(null)], comment)
}

fn note_text_is_required(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    comment_first(api, &id, &json!({"text": "Contract suite: a text."}))?;
    refuses(api, &id, &[json!({}), json!({"is_question_for_datatheorem": false})], comment)?;
    let bad = [json!(null), json!(1), json!(["x"]), json!({"text": "x"}), json!(true)];
    refuses(api, &id, &bad.map(|text| json!({"text": text})), comment)
}

fn note_question_is_a_boolean(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let with =
        |value: Value| json!({"text": "Contract suite: yes or no?", "is_question_for_datatheorem": value});
    for body in [with(json!(true)), with(json!(false))] {
        let (reply, evidence) = comment(api, &id, &body)?;
        if !reply.is_success() {
            return broken_at(&evidence, format!("{body} is accepted"), reply.status);
        }
    }
    let note = made(api, &id, &json!({"text": "Contract suite: neither yes nor no."}))?;
    let asked = note.json["is_question_for_datatheorem"] == true;
    expect(!asked, "a comment that does not say so is no question", &note.json)?;
    refuses(api, &id, &[json!("true"), json!("false"), json!(1), json!([true])].map(with), comment)
}
