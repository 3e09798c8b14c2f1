//! From the tree to the Atlassian Document Format, and back to plain text.
//!
//! What the format does not take inside of a list, quote or cell becomes what it does take there, as the schema says
//! (developer.atlassian.com/cloud/jira/platform/apis/document/structure): Jira refuses a whole ticket for one node in
//! the wrong place.

use serde_json::{Map, Value, json};

use crate::core::markup::{Block, Inline, Span, Style};

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Quote,
    Item,
}

/// A document of these blocks. It is never empty.
pub(super) fn document(blocks: &[Block]) -> Value {
    let mut content = Vec::new();
    put_all(blocks, Place::Document, &mut content);
    if content.is_empty() {
        content.push(json!({"type": "paragraph", "content": []}));
    }
    json!({"type": "doc", "version": 1, "content": content})
}

fn put_all(blocks: &[Block], place: Place, out: &mut Vec<Value>) {
    for block in blocks {
        put(block, place, out);
    }
}

fn put(block: &Block, place: Place, out: &mut Vec<Value>) {
    match (block, place) {
        (Block::Paragraph(line), _) => out.push(paragraph(line, false)),
        (Block::Heading(level, line), Place::Document) => {
            out.push(json!({
                "type": "heading", "attrs": {"level": (*level).clamp(1, 6)}, "content": nodes(line, false),
            }));
        }
        (Block::Heading(_, line), Place::Quote | Place::Item) => out.push(paragraph(line, true)),
        (Block::Code { language, text }, _) => {
            let mut node = Map::new();
            node.insert("type".to_owned(), json!("codeBlock"));
            if let Some(language) = language {
                node.insert("attrs".to_owned(), json!({"language": language}));
            }
            // A text node is never empty.
            let content = if text.is_empty() { json!([]) } else { json!([{"type": "text", "text": text}]) };
            node.insert("content".to_owned(), content);
            out.push(Value::Object(node));
        }
        (Block::Quote(blocks), Place::Document) => {
            let mut content = Vec::new();
            put_all(blocks, Place::Quote, &mut content);
            if !content.is_empty() {
                out.push(json!({"type": "blockquote", "content": content}));
            }
        }
        (Block::Quote(blocks), Place::Quote | Place::Item) => put_all(blocks, place, out),
        (Block::List { start, items }, _) => {
            let items: Vec<Value> = items.iter().map(|item| list_item(item)).collect();
            match start {
                Some(start) => {
                    out.push(json!({"type": "orderedList", "attrs": {"order": start}, "content": items}));
                }
                None => out.push(json!({"type": "bulletList", "content": items})),
            }
        }
        (Block::Table(rows), Place::Document) => out.push(table(rows)),
        (Block::Table(rows), Place::Quote | Place::Item) => {
            for row in rows {
                let line: Vec<Inline> =
                    row.join(&Inline::Text(Span { text: " | ".to_owned(), ..Span::default() }));
                out.push(paragraph(&line, false));
            }
        }
        (Block::Rule, Place::Document) => out.push(json!({"type": "rule"})),
        (Block::Rule, Place::Quote | Place::Item) => {}
    }
}

fn list_item(blocks: &[Block]) -> Value {
    let mut content = Vec::new();
    put_all(blocks, Place::Item, &mut content);
    // An item begins with a text or a block of code.
    let begins = content.first().and_then(|node| node.get("type")).and_then(Value::as_str);
    if !matches!(begins, Some("paragraph" | "codeBlock")) {
        content.insert(0, json!({"type": "paragraph", "content": []}));
    }
    json!({"type": "listItem", "content": content})
}

fn table(rows: &[Vec<Vec<Inline>>]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(number, row)| {
            let kind = if number == 0 { "tableHeader" } else { "tableCell" };
            let cells: Vec<Value> = row
                .iter()
                .map(|cell| json!({"type": kind, "attrs": {}, "content": [paragraph(cell, false)]}))
                .collect();
            json!({"type": "tableRow", "content": cells})
        })
        .collect();
    json!({"type": "table", "content": rows})
}

fn paragraph(line: &[Inline], is_strong: bool) -> Value {
    json!({"type": "paragraph", "content": nodes(line, is_strong)})
}

fn nodes(line: &[Inline], is_strong: bool) -> Vec<Value> {
    line.iter()
        .map(|part| match part {
            Inline::Break => json!({"type": "hardBreak"}),
            Inline::Text(span) => text(span, is_strong),
        })
        .collect()
}

fn text(span: &Span, is_strong: bool) -> Value {
    let mut marks = Vec::new();
    match span.style {
        // Code takes no other mark but a link.
        Style::Code => marks.push(json!({"type": "code"})),
        Style::Prose { strong, emphasis, strike } => {
            let wanted = [(strong || is_strong, "strong"), (emphasis, "em"), (strike, "strike")];
            marks.extend(wanted.iter().filter(|(is_on, _)| *is_on).map(|(_, mark)| json!({"type": mark})));
        }
    }
    if let Some(link) = &span.link {
        marks.push(json!({"type": "link", "attrs": {"href": link}}));
    }
    if marks.is_empty() {
        json!({"type": "text", "text": span.text})
    } else {
        json!({"type": "text", "text": span.text, "marks": marks})
    }
}

/// The words of a document, with single spaces between them: what is left of it whatever Jira does to its nodes.
pub(super) fn words(document: &Value) -> String {
    let mut text = String::new();
    collect(document, &mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The reader of JSON bounds how deep this goes.
fn collect(node: &Value, out: &mut String) {
    match node.get("type").and_then(Value::as_str) {
        Some("text") => out.push_str(node.get("text").and_then(Value::as_str).unwrap_or_default()),
        Some("hardBreak") => out.push('\n'),
        _ => {}
    }
    for child in node.get("content").and_then(Value::as_array).into_iter().flatten() {
        collect(child, out);
    }
    if !matches!(node.get("type").and_then(Value::as_str), Some("text" | "hardBreak")) {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{document, words};
    use crate::core::markup::parse;

    fn content(markdown: &str) -> Value {
        document(&parse(markdown))["content"].take()
    }

    #[test]
    fn styles_links_and_blocks_have_their_nodes() {
        assert_eq!(
            content("## A\n\n**b** `c` [d](https://e.example)\nf"),
            json!([
                {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "A"}]},
                {"type": "paragraph", "content": [
                    {"type": "text", "text": "b", "marks": [{"type": "strong"}]},
                    {"type": "text", "text": " "},
                    {"type": "text", "text": "c", "marks": [{"type": "code"}]},
                    {"type": "text", "text": " "},
                    {"type": "text", "text": "d", "marks": [
                        {"type": "link", "attrs": {"href": "https://e.example"}},
                    ]},
                    {"type": "hardBreak"},
                    {"type": "text", "text": "f"},
                ]},
            ])
        );
        assert_eq!(
            content("```java\nx\n```\n\n---\n\n3. a"),
            json!([
                {"type": "codeBlock", "attrs": {"language": "java"}, "content": [{"type": "text", "text": "x"}]},
                {"type": "rule"},
                {"type": "orderedList", "attrs": {"order": 3}, "content": [
                    {"type": "listItem", "content": [
                        {"type": "paragraph", "content": [{"type": "text", "text": "a"}]},
                    ]},
                ]},
            ])
        );
        assert_eq!(document(&[])["content"], json!([{"type": "paragraph", "content": []}]));
    }

    #[test]
    fn the_words_of_a_document_stay_when_its_nodes_change() {
        assert_eq!(words(&document(&parse("A **b**c\nd\n\n- e\n- f"))), "A bc d e f");
        assert_eq!(
            words(&json!({"type": "doc", "content": [{"type": "panel", "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": "x"}, {"type": "mention"}]},
            ]}]})),
            "x"
        );
        assert_eq!(words(&json!("no document")), "");
    }

    /// What may stand where, by the schema, for the nodes that are made here.
    fn check(node: &Value, parent: &str) -> Result<(), String> {
        let kind = node["type"].as_str().unwrap_or_default();
        let allowed: &[&str] = match parent {
            "doc" => &[
                "paragraph",
                "heading",
                "codeBlock",
                "blockquote",
                "bulletList",
                "orderedList",
                "table",
                "rule",
            ],
            "blockquote" | "listItem" => &["paragraph", "codeBlock", "bulletList", "orderedList"],
            "bulletList" | "orderedList" => &["listItem"],
            "table" => &["tableRow"],
            "tableRow" => &["tableHeader", "tableCell"],
            "tableHeader" | "tableCell" => &["paragraph"],
            "paragraph" | "heading" => &["text", "hardBreak"],
            "codeBlock" => &["text"],
            _ => &[],
        };
        if !parent.is_empty() && !allowed.contains(&kind) {
            return Err(format!("{kind} in {parent}"));
        }
        if kind == "text" && node["text"].as_str().is_none_or(str::is_empty) {
            return Err("an empty text".to_owned());
        }
        let children = node["content"].as_array().cloned().unwrap_or_default();
        let needs_content =
            ["doc", "blockquote", "bulletList", "orderedList", "listItem", "table", "tableRow"];
        if needs_content.contains(&kind) && children.is_empty() {
            return Err(format!("{kind} without content"));
        }
        children.iter().try_for_each(|child| check(child, kind))
    }

    proptest! {
        /// Row 52 of the catalogue.
        #[test]
        fn any_text_becomes_a_document_that_the_schema_allows(
            text in r"([a-z*_`>#|\[\](){}<~!é😀-]|\n|\n\n| |\\|- |> |1\. |    |\|-\|\n|```\n){0,120}",
        ) {
            let document = document(&parse(&text));
            prop_assert_eq!(check(&document, ""), Ok(()), "{}", document);
        }
    }
}
