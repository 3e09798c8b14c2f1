//! What a JSON value has to look like, as data, so that a failed check can say it.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

/// The form of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// A string.
    Text,
    /// A string with something in it.
    FilledText,
    /// A string that holds an integer of 64 bits.
    Int64Text,
    /// A string that holds a timestamp by RFC 3339, with an offset.
    Timestamp,
    /// A string that holds a day, such as `2021-01-26`.
    Day,
    /// A string that holds an absolute address.
    Url,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object,
    /// An object with these members, each of its own form. Others may stand beside them.
    Members(&'static [(&'static str, Shape)]),
    /// An array.
    List,
    /// An array whose items all have this form.
    ListOf(&'static Shape),
    /// A string that is one of these.
    OneOf(&'static [&'static str]),
    /// Either.
    Either(&'static Shape, &'static Shape),
}

impl Shape {
    /// Whether a value has this form.
    pub fn fits(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Text => text.is_some(),
            Self::FilledText => text.is_some_and(|text| !text.trim().is_empty()),
            Self::Int64Text => text.is_some_and(|text| text.parse::<i64>().is_ok()),
            Self::Timestamp => text.is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Self::Day => {
                text.is_some_and(|text| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok())
            }
            Self::Url => text.is_some_and(|text| text.starts_with("https://") || text.starts_with("http://")),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Members(members) => {
                members.iter().all(|(name, shape)| value.get(name).is_some_and(|member| shape.fits(member)))
            }
            Self::List => value.is_array(),
            Self::ListOf(shape) => {
                value.as_array().is_some_and(|items| items.iter().all(|item| shape.fits(item)))
            }
            Self::OneOf(values) => text.is_some_and(|text| values.contains(&text)),
            Self::Either(one, other) => one.fits(value) || other.fits(value),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a string"),
            Self::FilledText => f.write_str("a string that is not empty"),
            Self::Int64Text => f.write_str("an integer as a string"),
            Self::Timestamp => f.write_str("a timestamp by RFC 3339"),
            Self::Day => f.write_str("a day such as 2021-01-26"),
            Self::Url => f.write_str("an absolute address"),
            Self::Number => f.write_str("a number"),
            Self::Integer => f.write_str("an integer"),
            Self::Boolean => f.write_str("true or false"),
            Self::Object => f.write_str("an object"),
            Self::Members(members) => {
                f.write_str("an object with ")?;
                for (index, (name, shape)) in members.iter().enumerate() {
                    write!(f, "{}`{name}` ({shape})", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::List => f.write_str("a list"),
            Self::ListOf(shape) => write!(f, "a list in which each is {shape}"),
            Self::OneOf(values) => write!(f, "one of {}", values.join(", ")),
            Self::Either(one, other) => write!(f, "{one}, or {other}"),
        }
    }
}

/// A value as it is shown in a failed check: short.
pub fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 160 {
        return text;
    }
    text.chars().take(160).chain(" …".chars()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shape::{self, *};

    #[test]
    fn forms_tell_values_apart() {
        const PAIR: Shape = Members(&[("a", Text), ("b", Boolean)]);
        let table: &[(Shape, &[serde_json::Value], &[serde_json::Value])] = &[
            (Text, &[json!(""), json!("x")], &[json!(1), json!(null), json!([])]),
            (FilledText, &[json!("x")], &[json!(""), json!(" "), json!(1)]),
            (Int64Text, &[json!("1"), json!("-5")], &[json!(1), json!("x"), json!("99999999999999999999")]),
            (
                Timestamp,
                &[json!("2026-01-15T00:00:00Z"), json!("2021-08-17T19:25:16.664990-00:00")],
                &[json!("2026-01-15"), json!("2026-01-15T00:00:00"), json!(1)],
            ),
            (Day, &[json!("2021-01-26")], &[json!("2021-01-26T00:00:00Z"), json!("2021-13-26"), json!("")]),
            (Url, &[json!("https://x")], &[json!("x/y"), json!(null)]),
            (Number, &[json!(1), json!(1.5)], &[json!("1")]),
            (Integer, &[json!(1)], &[json!(1.5), json!("1")]),
            (Boolean, &[json!(true)], &[json!("true"), json!(0)]),
            (
                PAIR,
                &[json!({"a": "", "b": true, "c": 1})],
                &[json!({"a": ""}), json!({"a": "", "b": 1}), json!([])],
            ),
            (ListOf(&Text), &[json!([]), json!(["x"])], &[json!([1]), json!("x"), json!({})]),
            (OneOf(&["A", "B"]), &[json!("A")], &[json!("a"), json!("C"), json!(null)]),
            (Either(&Text, &Number), &[json!(1), json!("")], &[json!(null)]),
        ];
        for (shape, good, bad) in table {
            for value in *good {
                assert!(shape.fits(value), "{value} is {shape}");
            }
            for value in *bad {
                assert!(!shape.fits(value), "{value} is not {shape}");
            }
        }
    }
}
