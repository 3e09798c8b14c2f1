//! How long texts are, and may be.

use serde_json::Value;

use super::documents;
use crate::vendors::jira::readings::{DocumentLength, LengthUnit, Readings};

/// Longest summary, label and key of a property.
pub const SHORT_MAX: usize = 255;
/// Longest description or comment.
pub const TEXT_MAX: usize = 32_767;
/// Longest value of a property, as JSON.
pub const PROPERTY_MAX: usize = 32_768;

/// How long a text is.
pub fn length(text: &str, readings: &Readings) -> usize {
    match readings.length_unit {
        LengthUnit::Utf16 => text.encode_utf16().count(),
        LengthUnit::Characters => text.chars().count(),
    }
}

/// Whether a document is short enough for a description or a comment.
pub fn fits(document: &Value, readings: &Readings) -> bool {
    let text = match readings.document_length {
        DocumentLength::Text => documents::to_text(document),
        DocumentLength::Json => document.to_string(),
    };
    length(&text, readings) <= TEXT_MAX
}

/// Deepest nesting of JSON that a site keeps. In a file that describes its world a value stands some levels deeper, and
/// no file of more than 128 is read.
const DEPTH_MAX: usize = 100;

/// What is said of JSON that is nested deeper.
pub const TOO_DEEP: &str = "this simulator keeps no JSON that is nested deeper than 100 levels";

/// Whether a value is nested no deeper than a site keeps it. Whoever read it saw to it that it can be walked.
pub fn is_shallow(value: &Value) -> bool {
    fn fits(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(values) => left > 0 && values.iter().all(|value| fits(value, left - 1)),
            Value::Object(members) => left > 0 && members.values().all(|value| fits(value, left - 1)),
            _ => true,
        }
    }
    fits(value, DEPTH_MAX)
}
