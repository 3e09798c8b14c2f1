//! What summaries, labels and long texts may be, in both versions.

use fixtures::spec::jira::{
    JIRA_DOCUMENT_NODES, JIRA_DOCUMENT_ROOT, JIRA_LABEL_SPACES, JIRA_SUMMARY_LENGTH, JIRA_SUMMARY_ONE_LINE,
    JIRA_TEXT_LENGTH, JIRA_V2_TEXTS, JIRA_V3_DOCUMENTS,
};
use serde_json::{Value, json};

use super::super::client::document;
use super::limit_of_fields;
use crate::suite::case::Case;
use crate::suite::check::{Held, Verdict, broken_at, checks, observed};
use crate::suite::shape::{Shape, brief};

checks! { "jira/texts";
    summary_of_255_at_most: JIRA_SUMMARY_LENGTH, Writing, summary_of_255_at_most;
    summary_of_one_line: JIRA_SUMMARY_ONE_LINE, Writing, summary_of_one_line;
    label_without_spaces: JIRA_LABEL_SPACES, Writing, label_without_spaces;
    text_of_32767_at_most: JIRA_TEXT_LENGTH, Writing, text_of_32767_at_most;
    version_3_has_documents: JIRA_V3_DOCUMENTS, Writing, version_3_has_documents;
    version_2_has_texts: JIRA_V2_TEXTS, Writing, version_2_has_texts;
    document_has_a_root: JIRA_DOCUMENT_ROOT, Writing, document_has_a_root;
    document_of_known_nodes: JIRA_DOCUMENT_NODES, Writing, document_of_known_nodes;
}

/// What a document is outside.
const DOCUMENT: Shape = Shape::Members(&[
    ("type", Shape::OneOf(&["doc"])),
    ("version", Shape::Integer),
    ("content", Shape::List),
]);

fn summary_of_255_at_most(case: &Case) -> Verdict {
    // All ASCII: whatever is counted, it is so many.
    let good = json!({"summary": "s".repeat(250)});
    let bad = [("a summary of 256 characters", json!({"summary": "s".repeat(256)}))];
    limit_of_fields(case.jira()?, &good, &bad)
}

fn summary_of_one_line(case: &Case) -> Verdict {
    let good = json!({"summary": "One line"});
    let bad = [("a summary of two lines", json!({"summary": "Two\nlines"}))];
    limit_of_fields(case.jira()?, &good, &bad)
}

fn label_without_spaces(case: &Case) -> Verdict {
    let good = json!({"labels": ["contract-suite"]});
    let bad = [("a label with a space", json!({"labels": ["contract suite"]}))];
    limit_of_fields(case.jira()?, &good, &bad)
}

/// The good one is short enough also where the JSON of a document is what counts.
fn text_of_32767_at_most(case: &Case) -> Verdict {
    let api = case.jira()?;
    let good = document(&"t".repeat(32_000));
    let bad = document(&"t".repeat(32_768));
    let fields = [("a description of 32,768 characters", json!({"description": bad}))];
    limit_of_fields(api, &json!({"description": good}), &fields)?;
    let made = api.make(&json!({}))?;
    let path = format!("issue/{}/comment", made.key);
    let (reply, evidence) = api.post(&path, &json!({"body": good}))?;
    observed(reply.is_success(), format!("a comment of 32,000 characters: {evidence}"))?;
    let (reply, evidence) = api.post(&path, &json!({"body": bad}))?;
    if reply.status != 400 {
        return broken_at(&evidence, "400 for a comment of 32,768 characters", reply.status);
    }
    Held::once()
}

/// Everything that a value says as text, in its order.
fn texts_in(value: &Value) -> String {
    match value {
        Value::Object(node) if node.get("type") == Some(&json!("text")) => {
            node.get("text").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        Value::Object(node) => node.get("content").map(texts_in).unwrap_or_default(),
        Value::Array(nodes) => nodes.iter().map(texts_in).collect(),
        _ => String::new(),
    }
}

fn version_3_has_documents(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({"description": document("A description.")}))?;
    let path = format!("issue/{}/comment", made.key);
    let (reply, _) = api.post(&path, &json!({"body": document("A comment.")}))?;
    let id = reply.json().unwrap_or_default()["id"].as_str().unwrap_or_default().to_owned();
    observed(reply.is_success(), format!("a comment answers {}", reply.status))?;
    let issue = api.issue(&made.key)?;
    let comment = api.item(&format!("{path}/{id}"))?;
    let shown = [
        (&issue, &issue.json["fields"]["description"], "A description."),
        (&comment, &comment.json["body"], "A comment."),
    ];
    for (row, text, sent) in shown {
        if !text.is_object() || texts_in(text) != sent {
            return broken_at(&row.evidence, format!("a document that says {sent:?}"), brief(text));
        }
    }
    Held::over(shown.len(), "no text")
}

fn version_2_has_texts(case: &Case) -> Verdict {
    let api = case.jira()?.version_2();
    let made = api.make(&json!({"description": "A description."}))?;
    let path = format!("issue/{}/comment", made.key);
    let (reply, _) = api.post(&path, &json!({"body": "A comment."}))?;
    let id = reply.json().unwrap_or_default()["id"].as_str().unwrap_or_default().to_owned();
    observed(reply.is_success(), format!("a comment answers {}", reply.status))?;
    let issue = api.issue(&made.key)?;
    let comment = api.item(&format!("{path}/{id}"))?;
    let shown = [
        (&issue, &issue.json["fields"]["description"], "A description."),
        (&comment, &comment.json["body"], "A comment."),
    ];
    for (row, text, sent) in shown {
        if text.as_str().map(str::trim) != Some(sent) {
            return broken_at(&row.evidence, format!("the text {sent:?}"), brief(text));
        }
    }
    Held::over(shown.len(), "no text")
}

/// What is given has it. That a server refuses what lacks it, the page does not say.
fn document_has_a_root(case: &Case) -> Verdict {
    let api = case.jira()?;
    let made = api.make(&json!({"description": document("A description.")}))?;
    let issue = api.issue(&made.key)?;
    let shown = &issue.json["fields"]["description"];
    observed(shown.is_object(), "the description is no document")?;
    if !DOCUMENT.fits(shown) || shown["version"] != 1 {
        return broken_at(&issue.evidence, format!("version 1 of {DOCUMENT}"), brief(shown));
    }
    Held::once()
}

fn document_of_known_nodes(case: &Case) -> Verdict {
    let with = |node: Value| json!({"description": {"type": "doc", "version": 1, "content": [node]}});
    let text = json!({"type": "text", "text": "A text."});
    let bad = [
        ("a document with a node of an unknown type", with(json!({"type": "html", "content": [text]}))),
        ("a document with a text where a block belongs", with(text.clone())),
    ];
    limit_of_fields(case.jira()?, &with(json!({"type": "paragraph", "content": [text]})), &bad)
}
