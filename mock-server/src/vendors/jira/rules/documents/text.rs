//! What a document says as text, and the document of a text.

use serde_json::{Value, json};

use super::{attribute, kind};

fn content(node: &Value) -> &[Value] {
    node.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn attribute_text<'a>(node: &'a Value, name: &str) -> &'a str {
    attribute(node, name).and_then(Value::as_str).unwrap_or_default()
}

/// The document of a text.
pub fn from_text(text: &str) -> Value {
    let paragraph = |part: &str| {
        let mut content = Vec::new();
        for (place, line) in part.split('\n').enumerate() {
            if place > 0 {
                content.push(json!({"type": "hardBreak"}));
            }
            if !line.is_empty() {
                content.push(json!({"type": "text", "text": line}));
            }
        }
        json!({"type": "paragraph", "content": content})
    };
    let content: Vec<Value> =
        if text.is_empty() { Vec::new() } else { text.split("\n\n").map(paragraph).collect() };
    json!({"type": "doc", "version": 1, "content": content})
}

/// What a document says.
pub fn to_text(document: &Value) -> String {
    blocks(document, "\n\n")
}

fn blocks(node: &Value, between: &str) -> String {
    content(node).iter().map(block).collect::<Vec<_>>().join(between)
}

fn block(node: &Value) -> String {
    let marked = |mark: &str| {
        let items = content(node).iter().map(|item| format!("{mark} {}", blocks(item, "\n")));
        items.collect::<Vec<_>>().join("\n")
    };
    match kind(node) {
        "heading" => {
            let level = attribute(node, "level").and_then(Value::as_u64).unwrap_or(1);
            format!("h{level}. {}", inlines(node))
        }
        "codeBlock" => format!("{{code}}\n{}\n{{code}}", inlines(node)),
        "bulletList" | "taskList" | "decisionList" => marked("*"),
        "orderedList" => marked("#"),
        "rule" => "----".to_owned(),
        "table" => content(node).iter().map(row).collect::<Vec<_>>().join("\n"),
        "blockCard" | "embedCard" => attribute_text(node, "url").to_owned(),
        "paragraph" | "taskItem" | "decisionItem" | "caption" => inlines(node),
        _ => blocks(node, "\n\n"),
    }
}

fn row(node: &Value) -> String {
    let cells: Vec<String> = content(node).iter().map(|cell| blocks(cell, "\n")).collect();
    format!("|{}|", cells.join("|"))
}

fn inlines(node: &Value) -> String {
    content(node).iter().map(inline).collect()
}

fn inline(node: &Value) -> String {
    match kind(node) {
        "text" => marked_text(node),
        "hardBreak" => "\n".to_owned(),
        "emoji" => attribute_text(node, "shortName").to_owned(),
        "mention" | "status" => attribute_text(node, "text").to_owned(),
        "date" => attribute_text(node, "timestamp").to_owned(),
        "inlineCard" => attribute_text(node, "url").to_owned(),
        _ => String::new(),
    }
}

fn marked_text(node: &Value) -> String {
    let mut text = node.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    for mark in node.get("marks").and_then(Value::as_array).into_iter().flatten() {
        text = match kind(mark) {
            "code" => format!("{{{{{text}}}}}"),
            "strong" => format!("*{text}*"),
            "em" => format!("_{text}_"),
            "strike" => format!("-{text}-"),
            "underline" => format!("+{text}+"),
            "link" => format!("[{text}|{}]", attribute_text(mark, "href")),
            _ => text,
        };
    }
    text
}
