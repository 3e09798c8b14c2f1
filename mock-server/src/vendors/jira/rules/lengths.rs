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
