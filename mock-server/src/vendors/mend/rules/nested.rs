//! Reading objects within a request body. A refusal names the field by its whole path, `policy.owner.id`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use fixtures::spec::Rule;
use fixtures::world::{UnknownValue, is_cvss_score};
use serde_json::{Map, Value};

use super::errors::{Code, Refused};
use super::fields;
use crate::http::reject::Because;
use crate::vendors::mend::readings::Readings;

/// An object within a body, or the body itself. `null` counts as absent everywhere.
#[derive(Debug)]
pub struct Object<'a> {
    path: String,
    fields: &'a Map<String, Value>,
    readings: &'a Readings,
}

impl<'a> Object<'a> {
    /// The body of a request.
    pub fn of_request(fields: &'a Map<String, Value>, readings: &'a Readings) -> Self {
        Self { path: String::new(), fields, readings }
    }

    /// The fields.
    pub fn fields(&self) -> &'a Map<String, Value> {
        self.fields
    }

    /// The readings in force.
    pub fn readings(&self) -> &'a Readings {
        self.readings
    }

    /// The refusal of a field that has to be there and is not.
    pub fn missing(&self, field: &str, because: impl Into<Because>) -> Refused {
        Refused::missing(&[&self.path_of(field)], because, self.readings)
    }

    /// The refusal of a field's value; `why` goes on from the field's name.
    pub fn refuse(&self, field: &str, because: impl Into<Because>, why: &str) -> Refused {
        Refused::bad_value(because, format!("{} {why}", self.path_of(field)), self.readings)
    }

    /// The refusal of the object as a whole.
    pub fn refuse_itself(&self, because: impl Into<Because>, why: &str) -> Refused {
        Refused::bad_value(because, format!("{} {why}", self.path), self.readings)
    }

    /// The refusal of what the object refers to, with a code of its own.
    pub fn refuse_reference(&self, code: Code, rule: &'static Rule, why: &str) -> Refused {
        Refused::rule(code, rule, format!("{} {why}", self.path))
    }

    /// An object that may be absent.
    pub fn object(&self, field: &str, because: impl Into<Because>) -> Result<Option<Self>, Refused> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(fields)) => {
                Ok(Some(Self { path: self.path_of(field), fields, readings: self.readings }))
            }
            Some(other) => Err(self.wrong_kind(field, because, "an object", other)),
        }
    }

    /// An object that has to be there.
    pub fn required_object(&self, field: &str, because: impl Into<Because>) -> Result<Self, Refused> {
        let because = because.into();
        self.object(field, because)?.ok_or_else(|| self.missing(field, because))
    }

    /// A list of objects that has to be there.
    pub fn required_objects(&self, field: &str, because: impl Into<Because>) -> Result<Vec<Self>, Refused> {
        let because = because.into();
        let values = match self.value(field) {
            None => return Err(self.missing(field, because)),
            Some(Value::Array(values)) => values,
            Some(other) => return Err(self.wrong_kind(field, because, "an array", other)),
        };
        let objects = values.iter().enumerate().map(|(place, value)| {
            let place = format!("{field}[{place}]");
            match value {
                Value::Object(fields) => {
                    Ok(Self { path: self.path_of(&place), fields, readings: self.readings })
                }
                other => Err(self.wrong_kind(&place, because, "an object", other)),
            }
        });
        objects.collect()
    }

    /// A text that may be absent.
    pub fn text(&self, field: &str, because: impl Into<Because>) -> Result<Option<&'a str>, Refused> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_kind(field, because, "a string", other)),
        }
    }

    /// A text that has to be there.
    pub fn required_text(&self, field: &str, because: impl Into<Because>) -> Result<&'a str, Refused> {
        let because = because.into();
        let text = self.text(field, because)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.missing(field, because))
    }

    /// One of the vendor's words, which has to be there.
    pub fn one_of<T: FromStr<Err = UnknownValue>>(
        &self,
        field: &str,
        because: impl Into<Because>,
    ) -> Result<T, Refused> {
        let because = because.into();
        let word = self.required_text(field, because)?;
        word.parse().map_err(|UnknownValue { expected }| {
            self.refuse(field, because, &format!("has to be one of {}", expected.join(", ")))
        })
    }

    /// A whole number that may be absent.
    pub fn number(
        &self,
        field: &str,
        range: RangeInclusive<u64>,
        because: impl Into<Because>,
    ) -> Result<Option<u64>, Refused> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let number = value.as_u64().filter(|number| range.contains(number));
        let (from, to) = (range.start(), range.end());
        let wanted = || format!("has to be a whole number from {from} to {to}");
        number.map(Some).ok_or_else(|| self.refuse(field, because, &wanted()))
    }

    /// A whole number that has to be there.
    pub fn required_number(
        &self,
        field: &str,
        range: RangeInclusive<u64>,
        because: impl Into<Because>,
    ) -> Result<u64, Refused> {
        let because = because.into();
        self.number(field, range, because)?.ok_or_else(|| self.missing(field, because))
    }

    /// Whether a field is there and is this number.
    pub fn is_number(&self, field: &str, number: i64) -> bool {
        self.value(field).and_then(Value::as_i64) == Some(number)
    }

    /// A CVSS score that has to be there.
    pub fn required_score(&self, field: &str, because: impl Into<Because>) -> Result<f64, Refused> {
        let because = because.into();
        let value = self.value(field).ok_or_else(|| self.missing(field, because))?;
        let score = value.as_f64().filter(|score| is_cvss_score(*score));
        score.ok_or_else(|| self.refuse(field, because, "has to be a number from 0 to 10"))
    }

    /// A boolean that may be absent.
    pub fn boolean(&self, field: &str, because: impl Into<Because>) -> Result<Option<bool>, Refused> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong_kind(field, because, "a boolean", other)),
        }
    }

    /// A boolean that has to be there.
    pub fn required_boolean(&self, field: &str, because: impl Into<Because>) -> Result<bool, Refused> {
        let because = because.into();
        self.boolean(field, because)?.ok_or_else(|| self.missing(field, because))
    }

    fn value(&self, field: &str) -> Option<&'a Value> {
        fields::value(self.fields, field)
    }

    fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    fn wrong_kind(&self, field: &str, because: impl Into<Because>, wanted: &str, got: &Value) -> Refused {
        self.refuse(field, because, &format!("has to be {wanted}, not {}", fields::kind(got)))
    }
}
