//! Documents in Atlassian's format: whether they are well formed, and what they say as text.
//!
//! The table of nodes follows the format's public description. Text becomes paragraphs at empty lines and breaks at
//! others, and comes back exactly; what only a document can say comes out in the marks of the old wiki.

use serde_json::{Map, Value, json};

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

fn content(node: &Value) -> &[Value] {
    node.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn attribute<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    node.get("attrs")?.get(name)
}

fn attribute_text<'a>(node: &'a Value, name: &str) -> &'a str {
    attribute(node, name).and_then(Value::as_str).unwrap_or_default()
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

/// What may stand in a node, and what it needs.
struct Node {
    kind: &'static str,
    children: Children,
    /// Attributes it can't do without.
    attributes: &'static [&'static str],
}

enum Children {
    /// None at all.
    None,
    /// Any number of these, also none.
    Any(&'static [&'static str]),
    /// At least one of these.
    Some(&'static [&'static str]),
}

const INLINES: &[&str] =
    &["text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline", "inlineExtension", "placeholder"];
const BLOCKS: &[&str] = &[
    "paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "panel", "rule", "table", "mediaSingle",
    "mediaGroup", "expand", "taskList", "decisionList", "blockCard", "embedCard", "layoutSection", "extension",
    "bodiedExtension",
];
const IN_LIST: &[&str] = &["paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle", "taskList", "extension"];
const IN_QUOTE: &[&str] =
    &["paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle", "mediaGroup", "extension"];
const IN_PANEL: &[&str] = &[
    "paragraph", "heading", "bulletList", "orderedList", "blockCard", "mediaGroup", "mediaSingle", "codeBlock", "taskList",
    "rule", "decisionList", "extension",
];
const IN_CELL: &[&str] = &[
    "paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "panel", "rule", "mediaSingle",
    "mediaGroup", "nestedExpand", "taskList", "decisionList", "blockCard", "embedCard", "extension",
];

const fn node(kind: &'static str, children: Children, attributes: &'static [&'static str]) -> Node {
    Node { kind, children, attributes }
}

static NODES: &[Node] = &[
    node("doc", Children::Any(BLOCKS), &[]),
    node("paragraph", Children::Any(INLINES), &[]),
    node("heading", Children::Any(INLINES), &["level"]),
    node("codeBlock", Children::Any(&["text"]), &[]),
    node("bulletList", Children::Some(&["listItem"]), &[]),
    node("orderedList", Children::Some(&["listItem"]), &[]),
    node("listItem", Children::Some(IN_LIST), &[]),
    node("blockquote", Children::Some(IN_QUOTE), &[]),
    node("panel", Children::Some(IN_PANEL), &["panelType"]),
    node("rule", Children::None, &[]),
    node("table", Children::Some(&["tableRow"]), &[]),
    node("tableRow", Children::Any(&["tableCell", "tableHeader"]), &[]),
    node("tableCell", Children::Some(IN_CELL), &[]),
    node("tableHeader", Children::Some(IN_CELL), &[]),
    node("mediaSingle", Children::Some(&["media", "caption"]), &[]),
    node("mediaGroup", Children::Some(&["media"]), &[]),
    node("media", Children::None, &["type"]),
    node("caption", Children::Any(INLINES), &[]),
    node("expand", Children::Some(IN_CELL), &[]),
    node("nestedExpand", Children::Some(IN_PANEL), &[]),
    node("taskList", Children::Some(&["taskItem", "taskList"]), &["localId"]),
    node("taskItem", Children::Any(INLINES), &["localId", "state"]),
    node("decisionList", Children::Some(&["decisionItem"]), &["localId"]),
    node("decisionItem", Children::Any(INLINES), &["localId", "state"]),
    node("layoutSection", Children::Some(&["layoutColumn"]), &[]),
    node("layoutColumn", Children::Some(BLOCKS), &["width"]),
    node("blockCard", Children::None, &[]),
    node("embedCard", Children::None, &["url", "layout"]),
    node("extension", Children::None, &["extensionKey", "extensionType"]),
    node("bodiedExtension", Children::Some(BLOCKS), &["extensionKey", "extensionType"]),
    node("text", Children::None, &[]),
    node("hardBreak", Children::None, &[]),
    node("mention", Children::None, &["id"]),
    node("emoji", Children::None, &["shortName"]),
    node("date", Children::None, &["timestamp"]),
    node("status", Children::None, &["text", "color"]),
    node("inlineCard", Children::None, &[]),
    node("mediaInline", Children::None, &["id", "collection"]),
    node("inlineExtension", Children::None, &["extensionKey", "extensionType"]),
    node("placeholder", Children::None, &["text"]),
];

/// Marks with the attributes they can't do without.
const MARKS: &[(&str, &[&str])] = &[
    ("strong", &[]),
    ("em", &[]),
    ("strike", &[]),
    ("underline", &[]),
    ("code", &[]),
    ("link", &["href"]),
    ("subsup", &["type"]),
    ("textColor", &["color"]),
    ("backgroundColor", &["color"]),
    ("alignment", &["align"]),
    ("indentation", &["level"]),
    ("border", &["size", "color"]),
    ("breakout", &["mode"]),
    ("annotation", &["id", "annotationType"]),
];

/// A document that is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is not a document of version 1.
    #[error("a document is an object of type doc and version 1 with a list as its content")]
    Root,
    /// A node is not of a known type, or not an object.
    #[error("{at}: there is no node of type {kind:?}")]
    Unknown {
        /// JSON pointer to the node.
        at: String,
        /// The type.
        kind: String,
    },
    /// A node stands where it may not.
    #[error("{at}: a {kind} may not stand in a {parent}")]
    Misplaced {
        /// JSON pointer to the node.
        at: String,
        /// The type.
        kind: &'static str,
        /// The type of the node around it.
        parent: &'static str,
    },
    /// A node lacks something, or has something it may not have.
    #[error("{at}: {problem}")]
    Invalid {
        /// JSON pointer to the node.
        at: String,
        /// What is wrong.
        problem: String,
    },
}

/// Whether a value is a well-formed document.
pub fn check(document: &Value) -> Result<(), DocumentError> {
    let is_root = kind(document) == "doc"
        && document.get("version").and_then(Value::as_i64) == Some(1)
        && document.get("content").is_some_and(Value::is_array);
    if is_root { check_node(document, &mut String::new()).map(|_| ()) } else { Err(DocumentError::Root) }
}

fn check_node(value: &Value, at: &mut String) -> Result<&'static str, DocumentError> {
    let found = NODES.iter().find(|node| node.kind == kind(value));
    let (Some(node), Some(fields)) = (found, value.as_object()) else {
        let kind = kind(value).chars().take(80).collect();
        return Err(DocumentError::Unknown { at: at.clone(), kind });
    };
    let invalid = |problem: String| DocumentError::Invalid { at: at.clone(), problem };
    for name in fields.keys() {
        let is_known = match name.as_str() {
            "type" | "attrs" | "marks" => true,
            "content" => !matches!(node.children, Children::None),
            "text" => node.kind == "text",
            "version" => node.kind == "doc",
            _ => false,
        };
        if !is_known {
            let name: String = name.chars().take(80).collect();
            return Err(invalid(format!("a {} has no {name:?}", node.kind)));
        }
    }
    if node.kind == "text" && !fields.get("text").and_then(Value::as_str).is_some_and(|text| !text.is_empty()) {
        return Err(invalid("a text is not empty".to_owned()));
    }
    check_attributes(node.kind, node.attributes, fields).map_err(&invalid)?;
    if node.kind == "heading" && !attribute(value, "level").and_then(Value::as_u64).is_some_and(|level| (1..=6).contains(&level)) {
        return Err(invalid("the level of a heading is 1 to 6".to_owned()));
    }
    check_marks(fields.get("marks")).map_err(&invalid)?;
    let (allowed, needs_one) = match node.children {
        Children::None => return Ok(node.kind),
        Children::Any(allowed) => (allowed, false),
        Children::Some(allowed) => (allowed, true),
    };
    let children = match fields.get("content") {
        None => &[][..],
        Some(Value::Array(children)) => children,
        Some(_) => return Err(invalid("content is a list".to_owned())),
    };
    if needs_one && children.is_empty() {
        return Err(invalid(format!("a {} is not empty", node.kind)));
    }
    let length = at.len();
    for (place, child) in children.iter().enumerate() {
        at.push_str(&format!("/content/{place}"));
        let kind = check_node(child, at)?;
        if !allowed.contains(&kind) {
            return Err(DocumentError::Misplaced { at: at.clone(), kind, parent: node.kind });
        }
        at.truncate(length);
    }
    Ok(node.kind)
}

fn check_attributes(kind: &str, needed: &[&str], fields: &Map<String, Value>) -> Result<(), String> {
    let attributes = match fields.get("attrs") {
        None => None,
        Some(Value::Object(attributes)) => Some(attributes),
        Some(_) => return Err("attrs is an object".to_owned()),
    };
    match needed.iter().find(|name| attributes.is_none_or(|attributes| !attributes.contains_key(**name))) {
        Some(name) => Err(format!("a {kind} needs the attribute {name}")),
        None => Ok(()),
    }
}

fn check_marks(marks: Option<&Value>) -> Result<(), String> {
    let marks = match marks {
        None => return Ok(()),
        Some(Value::Array(marks)) => marks,
        Some(_) => return Err("marks is a list".to_owned()),
    };
    for mark in marks {
        let Some((kind, needed)) = MARKS.iter().find(|(known, _)| *known == kind(mark)) else {
            return Err("there is no such mark".to_owned());
        };
        if let Some(fields) = mark.as_object() {
            check_attributes(kind, needed, fields)?;
        }
    }
    let has = |name: &str| marks.iter().any(|mark| kind(mark) == name);
    let beside_code = |mark: &Value| matches!(kind(mark), "code" | "link" | "annotation");
    if has("code") && !marks.iter().all(beside_code) {
        return Err("code goes together with links and annotations alone".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use serde_json::json;

    use super::{DocumentError, check, from_text, to_text};

    proptest! {
        #[test]
        fn a_text_comes_back_exactly(text in "[a-z \\n*\u{1f980}]{0,60}") {
            let document = from_text(&text);
            prop_assert_eq!(check(&document), Ok(()));
            prop_assert_eq!(to_text(&document), text);
        }

        #[test]
        fn any_json_is_judged(kind in "doc|text|table|x", nested in any::<bool>(), number in any::<i64>()) {
            let inner = json!({"type": kind, "content": [{"type": kind, "attrs": number}], "marks": kind});
            let document = if nested { json!({"type": "doc", "version": 1, "content": [inner]}) } else { inner };
            prop_assert!(check(&document).is_err());
            let _ = to_text(&document);
        }
    }

    fn doc(content: serde_json::Value) -> serde_json::Value {
        json!({"type": "doc", "version": 1, "content": content})
    }

    #[test]
    fn documents_are_told_from_what_looks_like_one() {
        let text = json!({"type": "text", "text": "x", "marks": [{"type": "code"}, {"type": "link", "attrs": {"href": "https://e.example"}}]});
        let paragraph = json!({"type": "paragraph", "content": [text]});
        let list = json!({"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph]}]});
        let table = json!({"type": "table", "content": [{"type": "tableRow", "content": [{"type": "tableCell", "content": [paragraph]}]}]});
        let heading = json!({"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "T"}]});
        let good = doc(json!([heading, paragraph, list, table, {"type": "rule"}]));
        assert_eq!(check(&good), Ok(()));
        assert_eq!(to_text(&good), "h2. T\n\n[{{x}}|https://e.example]\n\n* [{{x}}|https://e.example]\n\n|[{{x}}|https://e.example]|\n\n----");

        assert_eq!(check(&json!("x")), Err(DocumentError::Root));
        assert_eq!(check(&json!({"type": "doc", "version": 2, "content": []})), Err(DocumentError::Root));
        for (content, problem) in [
            (json!([text]), "/content/0: a text may not stand in a doc"),
            (json!([{"type": "html"}]), "/content/0: there is no node of type \"html\""),
            (json!([{"type": "paragraph", "content": [{"type": "text", "text": ""}]}]), "/content/0/content/0: a text is not empty"),
            (json!([{"type": "bulletList", "content": []}]), "/content/0: a bulletList is not empty"),
            (json!([{"type": "heading"}]), "/content/0: a heading needs the attribute level"),
            (json!([{"type": "heading", "attrs": {"level": 7}}]), "/content/0: the level of a heading is 1 to 6"),
            (json!([{"type": "rule", "content": []}]), "/content/0: a rule has no \"content\""),
            (json!([{"type": "paragraph", "marks": [{"type": "blink"}]}]), "/content/0: there is no such mark"),
            (json!([{"type": "paragraph", "marks": [{"type": "link"}]}]), "/content/0: a link needs the attribute href"),
            (
                json!([{"type": "paragraph", "content": [{"type": "text", "text": "x", "marks": [{"type": "code"}, {"type": "strong"}]}]}]),
                "/content/0/content/0: code goes together with links and annotations alone",
            ),
        ] {
            assert_eq!(check(&doc(content)).unwrap_err().to_string(), problem);
        }
    }
}
