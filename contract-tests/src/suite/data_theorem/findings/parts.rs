//! What a finding's notes, links and compliance references look like.

use std::collections::BTreeMap;

use fixtures::spec::data_theorem::{
    DT_COMPLIANCE_LINK, DT_COMPLIANCE_MARKDOWN, DT_COMPLIANCE_POLICY, DT_LINK_HREF, DT_LINK_REL,
    DT_LINK_TYPE, DT_NOTE_AUTHOR_EMAIL, DT_NOTE_DATE_CREATED, DT_NOTE_ID, DT_NOTE_IS_INTERNAL_COMMENT,
    DT_NOTE_IS_QUESTION, DT_NOTE_IS_REPLY, DT_NOTE_TEXT,
};

use super::fields::seen;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks};
use crate::suite::rows::Rows;
use crate::suite::shape::Shape::*;

checks! { "data-theorem/findings";
    compliance_policy: DT_COMPLIANCE_POLICY, Reading, |case| references(case)?.each("compliance_policy", &FilledText);
    compliance_markdown: DT_COMPLIANCE_MARKDOWN, Reading, |case| references(case)?.each("markdown", &FilledText);
    compliance_link: DT_COMPLIANCE_LINK, Reading, |case| references(case)?.each("link", &Url);
    link_href: DT_LINK_HREF, Reading, link_href;
    link_type: DT_LINK_TYPE, Reading,
        |case| links(case)?.each("type", &OneOf(&["GET", "POST", "PATCH", "PUT", "DELETE"]));
    link_rel: DT_LINK_REL, Reading, |case| links(case)?.each("rel", &FilledText);
    note_author_email: DT_NOTE_AUTHOR_EMAIL, Reading, |case| notes(case)?.each("author_email", &FilledText);
    note_date_created: DT_NOTE_DATE_CREATED, Reading, |case| notes(case)?.each("date_created", &Timestamp);
    note_id: DT_NOTE_ID, Reading, note_id;
    note_is_internal_comment: DT_NOTE_IS_INTERNAL_COMMENT, Reading,
        |case| notes(case)?.each("is_internal_comment", &Boolean);
    note_is_question: DT_NOTE_IS_QUESTION, Reading,
        |case| notes(case)?.each("is_question_for_datatheorem", &Boolean);
    note_is_reply: DT_NOTE_IS_REPLY, Reading, |case| notes(case)?.each("is_reply_from_datatheorem", &Boolean);
    note_text: DT_NOTE_TEXT, Reading, |case| notes(case)?.each("text", &Text);
}

/// The objects in a list that findings have. That they are objects is another rule's business.
fn parts(case: &Case, name: &str, what: &'static str) -> Result<Rows, Stop> {
    Ok(seen(case)?.items_of(name, what).only(|part| part.json.is_object()))
}

fn references(case: &Case) -> Result<Rows, Stop> {
    parts(case, "compliance_policy_references", "a compliance reference")
}

fn links(case: &Case) -> Result<Rows, Stop> {
    parts(case, "links", "a link")
}

fn notes(case: &Case) -> Result<Rows, Stop> {
    parts(case, "notes", "a note")
}

fn link_href(case: &Case) -> Verdict {
    let links = links(case)?;
    links.each("href", &FilledText)?;
    links.all("`href` is a path relative to the base URL", |link| {
        let href = link.text("href").unwrap_or_default();
        (href.contains("://") || href.starts_with('/')).then(|| href.to_owned())
    })
}

/// The same id on two notes; one note may be seen twice.
fn note_id(case: &Case) -> Verdict {
    notes(case)?.each("id", &Int64Text)?;
    let mut owners = BTreeMap::new();
    for finding in &case.data_theorem()?.findings()?.rows {
        for (place, note) in finding.list("notes").iter().enumerate() {
            let Some(id) = note["id"].as_str() else { continue };
            let owner = (finding.text("id"), place);
            let other = *owners.entry(id).or_insert(owner);
            if other != owner {
                let seen = format!("{id} in {other:?} and {owner:?}");
                return broken_at(&finding.evidence, "no two notes have the same `id`", seen);
            }
        }
    }
    Held::over(owners.len(), "no note was seen")
}
