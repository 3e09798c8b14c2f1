//! Documents in Atlassian's format: whether they are well formed, and what they say as text.
//!
//! The table of nodes follows the format's public description. Text becomes paragraphs at empty lines and breaks at
//! others, and comes back exactly; what only a document can say comes out in the marks of the old wiki.

mod nodes;
mod text;

use serde_json::{Map, Value};

use nodes::{Children, MARKS, NODES};
pub use text::{from_text, to_text};

fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn attribute<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    node.get("attrs")?.get(name)
}

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
    if node.kind == "text" && fields.get("text").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(invalid("a text is not empty".to_owned()));
    }
    check_attributes(node.kind, node.attributes, fields).map_err(&invalid)?;
    if node.kind == "heading"
        && !attribute(value, "level").and_then(Value::as_u64).is_some_and(|level| (1..=6).contains(&level))
    {
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

    fn doc(content: &serde_json::Value) -> serde_json::Value {
        json!({"type": "doc", "version": 1, "content": content})
    }

    #[test]
    fn documents_are_told_from_what_looks_like_one() {
        let text = json!({"type": "text", "text": "x", "marks": [{"type": "code"}, {"type": "link", "attrs": {"href": "https://e.example"}}]});
        let paragraph = json!({"type": "paragraph", "content": [text]});
        let list = json!({"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph]}]});
        let table = json!({"type": "table", "content": [{"type": "tableRow", "content": [{"type": "tableCell", "content": [paragraph]}]}]});
        let heading =
            json!({"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "T"}]});
        let good = doc(&json!([heading, paragraph, list, table, {"type": "rule"}]));
        assert_eq!(check(&good), Ok(()));
        assert_eq!(
            to_text(&good),
            "h2. T\n\n[{{x}}|https://e.example]\n\n* [{{x}}|https://e.example]\n\n|[{{x}}|https://e.example]|\n\n----"
        );

        assert_eq!(check(&json!("x")), Err(DocumentError::Root));
        assert_eq!(check(&json!({"type": "doc", "version": 2, "content": []})), Err(DocumentError::Root));
        for (content, problem) in [
            (json!([text]), "/content/0: a text may not stand in a doc"),
            (json!([{"type": "html"}]), "/content/0: there is no node of type \"html\""),
            (
                json!([{"type": "paragraph", "content": [{"type": "text", "text": ""}]}]),
                "/content/0/content/0: a text is not empty",
            ),
            (json!([{"type": "bulletList", "content": []}]), "/content/0: a bulletList is not empty"),
            (json!([{"type": "heading"}]), "/content/0: a heading needs the attribute level"),
            (
                json!([{"type": "heading", "attrs": {"level": 7}}]),
                "/content/0: the level of a heading is 1 to 6",
            ),
            (json!([{"type": "rule", "content": []}]), "/content/0: a rule has no \"content\""),
            (
                json!([{"type": "paragraph", "marks": [{"type": "blink"}]}]),
                "/content/0: there is no such mark",
            ),
            (
                json!([{"type": "paragraph", "marks": [{"type": "link"}]}]),
                "/content/0: a link needs the attribute href",
            ),
            (
                json!([{"type": "paragraph", "content": [{"type": "text", "text": "x", "marks": [{"type": "code"}, {"type": "strong"}]}]}]),
                "/content/0/content/0: code goes together with links and annotations alone",
            ),
        ] {
            assert_eq!(check(&doc(&content)).unwrap_err().to_string(), problem);
        }
    }
}
