//! Reading the fields of a request body.

use serde_json::{Map, Value};

use super::errors::Refused;
use crate::http::reject::Because;
use crate::vendors::mend::readings::Readings;

/// The value of a field; `null` counts as absent.
pub fn value<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// A text that has to be there.
pub fn required_text<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    because: impl Into<Because>,
    readings: &Readings,
) -> Result<&'a str, Refused> {
    let because = because.into();
    optional_text(fields, name, because, readings)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refused::missing(&[name], because, readings))
}

/// A text that may be absent.
pub fn optional_text<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    because: impl Into<Because>,
    readings: &Readings,
) -> Result<Option<&'a str>, Refused> {
    match value(fields, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let reason = format!("{name} has to be a string, not {}", kind(other));
            Err(Refused::bad_value(because, reason, readings))
        }
    }
}

/// A list of texts that has to be there.
pub fn required_texts<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    because: impl Into<Because>,
    readings: &Readings,
) -> Result<Vec<&'a str>, Refused> {
    let because = because.into();
    let Some(value) = value(fields, name) else { return Err(Refused::missing(&[name], because, readings)) };
    let texts = value.as_array().and_then(|values| values.iter().map(Value::as_str).collect());
    texts
        .ok_or_else(|| Refused::bad_value(because, format!("{name} has to be an array of strings"), readings))
}

/// What a JSON value is, in a word.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
