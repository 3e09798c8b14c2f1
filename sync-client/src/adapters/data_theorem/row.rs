//! The fields of a row, whatever their types. What is not of the wanted type is as good as absent, and noted.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::core::noticed::Noticed;

/// A row whose fields are taken out one by one.
pub(super) struct Row<'a> {
    what: &'static str,
    fields: Map<String, Value>,
    noticed: &'a Noticed,
}

impl<'a> Row<'a> {
    pub(super) fn new(what: &'static str, row: Value, noticed: &'a Noticed) -> Option<Self> {
        match row {
            Value::Object(fields) => Some(Self { what, fields, noticed }),
            _ => {
                noticed.see(format!("data-theorem: {what} that is no JSON object"));
                None
            }
        }
    }

    /// The id, which also has to make an address of its own.
    pub(super) fn id(&mut self) -> Option<String> {
        let id = self.text("id").filter(|id| !matches!(id.trim(), "" | "." | ".."));
        if id.is_none() {
            self.noticed.see(format!("data-theorem: {} without a usable id", self.what));
        }
        id
    }

    fn field(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty. Whole numbers are as good: ids come as either.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.field(name)? {
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            other => {
                let text = as_text(other);
                if text.is_none() {
                    self.odd(name, "text");
                }
                text
            }
        }
    }

    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let time = timestamp(&text);
        if time.is_none() {
            self.odd(name, "date");
        }
        time
    }

    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        let number = match self.field(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| number.is_finite());
        if number.is_none() {
            self.odd(name, "number");
        }
        number
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.field(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.odd(name, "list");
                Vec::new()
            }
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        self.list(name).into_iter().filter_map(as_text).collect()
    }

    fn odd(&self, name: &str, wanted: &str) {
        self.noticed.see(format!("data-theorem: {} whose {name} is no {wanted}", self.what));
    }
}

/// A text that is not empty, or a whole number as text.
pub(super) fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// With an offset, or without one: then it is UTC, as the vendor's conventions say.
fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let time: DateTime = text.parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn dates_are_read_in_every_form() {
        let wanted = "2021-08-17T13:45:25.3Z".parse().ok();
        for text in [
            "2021-08-17T13:45:25.300000+00:00",
            "2021-08-17T13:45:25.300000-00:00",
            "2021-08-17T13:45:25.300000Z",
            "2021-08-17T13:45:25.300000",
            "2021-08-17T15:45:25.3+02:00",
        ] {
            assert_eq!(timestamp(text), wanted, "{text}");
        }
        for text in ["", "12", "2017-13-02T19:25:16.664998-00:00", "2017-02-30T00:00:00Z"] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }
}
