//! Long texts.

use std::fmt;
use std::sync::Arc;

use fixtures::world::jira::Text;
use serde_json::Value;

use crate::vendors::jira::rules::documents;

/// A long text: a document in Atlassian's format, and what it says. Both are kept as bytes; as a tree a document takes
/// ten times the memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    json: Arc<str>,
    text: Arc<str>,
}

impl Document {
    /// The document of this JSON.
    pub fn of(value: &Value) -> Self {
        Self { json: value.to_string().into(), text: documents::to_text(value).into() }
    }

    /// Its JSON, as version 3 shows it.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// What it says, as version 2 shows it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its JSON as a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// As plain data: as text where that says all.
    pub fn export(&self) -> Text {
        let document = self.value();
        if documents::from_text(&self.text) == document {
            Text::Plain(self.text.to_string())
        } else {
            Text::Document(document)
        }
    }
}

impl From<&Text> for Document {
    fn from(text: &Text) -> Self {
        match text {
            Text::Plain(text) => Self::of(&documents::from_text(text)),
            Text::Document(document) => Self::of(document),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?})", self.text)
    }
}
