//! The tables of nodes and marks.

/// What may stand in a node, and what it needs.
pub(super) struct Node {
    pub(super) kind: &'static str,
    pub(super) children: Children,
    /// Attributes it can't do without.
    pub(super) attributes: &'static [&'static str],
}

pub(super) enum Children {
    /// None at all.
    None,
    /// Any number of these, also none.
    Any(&'static [&'static str]),
    /// At least one of these.
    Some(&'static [&'static str]),
}

const INLINES: &[&str] = &[
    "text",
    "hardBreak",
    "mention",
    "emoji",
    "date",
    "status",
    "inlineCard",
    "mediaInline",
    "inlineExtension",
    "placeholder",
];
const BLOCKS: &[&str] = &[
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "codeBlock",
    "blockquote",
    "panel",
    "rule",
    "table",
    "mediaSingle",
    "mediaGroup",
    "expand",
    "taskList",
    "decisionList",
    "blockCard",
    "embedCard",
    "layoutSection",
    "extension",
    "bodiedExtension",
];
const IN_LIST: &[&str] =
    &["paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle", "taskList", "extension"];
const IN_QUOTE: &[&str] =
    &["paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle", "mediaGroup", "extension"];
const IN_PANEL: &[&str] = &[
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "blockCard",
    "mediaGroup",
    "mediaSingle",
    "codeBlock",
    "taskList",
    "rule",
    "decisionList",
    "extension",
];
const IN_CELL: &[&str] = &[
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "codeBlock",
    "blockquote",
    "panel",
    "rule",
    "mediaSingle",
    "mediaGroup",
    "nestedExpand",
    "taskList",
    "decisionList",
    "blockCard",
    "embedCard",
    "extension",
];

const fn node(kind: &'static str, children: Children, attributes: &'static [&'static str]) -> Node {
    Node { kind, children, attributes }
}

pub(super) static NODES: &[Node] = &[
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
pub(super) const MARKS: &[(&str, &[&str])] = &[
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
