//! Reads Mend's JSON with patience: what is absent is absent, what has another type than the samples is read if it can
//! be, and nothing here fails.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// An object of a reply.
pub(super) type Object = Map<String, Value>;

/// A reply's body as JSON. The page prints a list with a comma behind its last element; should a server do so too, or
/// begin with a byte order mark, it is read all the same. A body that breaks off is no JSON under any of this.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_slice(&without_trailing_commas(body)).ok())
}

fn without_trailing_commas(body: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::with_capacity(body.len());
    let (mut is_in_string, mut is_escaped) = (false, false);
    let (mut comma, mut before) = (None, b'[');
    for byte in body {
        if is_in_string {
            is_in_string = is_escaped || *byte != b'"';
            is_escaped = !is_escaped && *byte == b'\\';
        } else {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                // A comma behind nothing is no slip that leaves the meaning clear.
                b',' => comma = (!matches!(before, b'[' | b'{' | b',')).then_some(kept.len()),
                b']' | b'}' => {
                    if let Some(place) = comma.take() {
                        kept.remove(place);
                    }
                }
                _ => {
                    is_in_string = *byte == b'"';
                    comma = None;
                }
            }
        }
        if !byte.is_ascii_whitespace() {
            before = *byte;
        }
        kept.push(*byte);
    }
    kept
}

/// A text; a number is one too. Blank counts as absent.
pub(super) fn text(object: &Object, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, or a text that is one.
pub(super) fn number(object: &Object, key: &str) -> Option<f64> {
    let number = match object.get(key)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A count, or a text that is one.
pub(super) fn count(object: &Object, key: &str) -> Option<u64> {
    match object.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A truth value, or a text that is one.
pub(super) fn flag(object: &Object, key: &str) -> Option<bool> {
    match object.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// An object within an object.
pub(super) fn object<'a>(object: &'a Object, key: &str) -> Option<&'a Object> {
    object.get(key)?.as_object()
}

/// A list within an object.
pub(super) fn list<'a>(object: &'a Object, key: &str) -> Option<&'a [Value]> {
    object.get(key)?.as_array().map(Vec::as_slice)
}

/// An instant in any form that Mend was seen to write: a day, a second, a second with a zone, ISO 8601, or milliseconds
/// since 1970. What names no zone is in UTC.
pub(super) fn instant(object: &Object, key: &str) -> Option<Timestamp> {
    match object.get(key)? {
        Value::String(text) => instant_of(text.trim()),
        Value::Number(number) => Timestamp::from_millisecond(number.as_i64()?).ok(),
        _ => None,
    }
}

fn instant_of(text: &str) -> Option<Timestamp> {
    let with_zone = || Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok();
    let in_utc = || Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse().ok().or_else(with_zone).or_else(in_utc)
}

/// A foreign word, as far as it may stand in a message: short and on one line.
pub(super) fn shown(word: &str) -> String {
    cut(word, 60)
}

/// A foreign sentence, as far as it may stand in a message: not too long and on one line.
pub(super) fn shown_long(sentence: &str) -> String {
    cut(sentence, 300)
}

fn cut(text: &str, chars_max: usize) -> String {
    let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut shown: String = line.clone().take(chars_max).collect();
    if line.count() > chars_max {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{count, flag, instant_of, number, parse, shown, text};

    #[test]
    fn a_comma_too_many_is_read_and_half_a_reply_is_not() {
        assert_eq!(parse(b"\xEF\xBB\xBF{\"a\": [1, {\"b\": \"x,]\\\",}\",}, ] ,\n}\n"), {
            Some(json!({"a": [1, {"b": "x,]\",}"}]}))
        });
        for broken in [&b"{\"a\": [1,"[..], b"{\"a\": [1,]", b"", b"<html></html>", b"[,]", b"{\"a\"}"] {
            assert_eq!(parse(broken), None, "{}", String::from_utf8_lossy(broken));
        }
    }

    #[test]
    fn every_form_of_date_is_read_and_a_month_13_is_not() {
        let read = |text| instant_of(text).map(|instant| instant.to_string());
        for (text, expected) in [
            ("2021-03-14", "2021-03-14T00:00:00Z"),
            ("2021-03-14 13:08:27", "2021-03-14T13:08:27Z"),
            ("2021-03-14 13:08:27 +0000", "2021-03-14T13:08:27Z"),
            ("2021-03-14 13:08:27 +0200", "2021-03-14T11:08:27Z"),
            ("2021-03-14T13:08:27.5+02:00", "2021-03-14T11:08:27.5Z"),
            ("2021-03-14T13:08:27Z", "2021-03-14T13:08:27Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["2021-13-14", "yesterday", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn types_other_than_those_of_the_samples_are_read() {
        let Value::Object(object) = json!({"s": "7.5", "n": 7, "t": "TRUE", "b": false, "e": " ", "o": {}})
        else {
            unreachable!()
        };
        assert_eq!((number(&object, "s"), number(&object, "n")), (Some(7.5), Some(7.0)));
        assert_eq!(
            (flag(&object, "t"), flag(&object, "b"), flag(&object, "s")),
            (Some(true), Some(false), None)
        );
        assert_eq!(
            (text(&object, "n"), text(&object, "e"), text(&object, "o")),
            (Some("7".to_owned()), None, None)
        );
        assert_eq!((count(&object, "n"), count(&object, "s")), (Some(7), None));
    }

    #[test]
    fn foreign_words_are_shown_short_and_on_one_line() {
        assert_eq!(shown("a\nb"), "a b");
        assert_eq!(shown(&"x".repeat(61)).chars().count(), 61);
        assert!(shown(&"x".repeat(61)).ends_with('…'));
    }
}
