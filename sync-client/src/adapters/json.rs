//! Reads JSON as servers really send it.

use serde_json::Value;

/// What was read, and whether it had to be repaired first.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The value.
    pub value: Value,
    /// Characters that no text can have stand as U+FFFD in it.
    pub was_repaired: bool,
}

/// Reads a JSON text. Bytes that are no UTF-8 and halves of surrogate pairs (`\ud83d` alone) come from texts that
/// somebody cut in the middle of a character: one such text is no reason to lose the whole reply. The error says where,
/// never what.
pub fn read(bytes: &[u8]) -> Result<Read, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("the body is empty".to_owned());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(Read { value, was_repaired: false }),
        Err(error) => error,
    };
    let repaired = without_half_pairs(&String::from_utf8_lossy(bytes));
    serde_json::from_str(&repaired)
        .map(|value| Read { value, was_repaired: true })
        .map_err(|_| format!("the body is no JSON: {error}"))
}

/// Replaces escapes of surrogates that have no partner.
fn without_half_pairs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        out.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => {
                out.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // A backslash and what it escapes: the second backslash of a pair must not begin an escape.
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (whole, after) = escape.split_at(length);
        out.push_str(whole);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The surrogate that an escape at the start of a text stands for.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Read, read};

    fn value(text: &[u8]) -> (Value, bool) {
        let Read { value, was_repaired } = read(text).unwrap();
        (value, was_repaired)
    }

    #[test]
    fn what_is_json_is_read_as_it_is() {
        assert_eq!(value(br#"{"a": "\ud83d\ude00 \\ud83d"}"#), (json!({"a": "😀 \\ud83d"}), false));
        assert_eq!(value(b"\xef\xbb\xbf[1]"), (json!([1]), false));
    }

    /// Row 52 of the catalogue.
    #[test]
    fn halves_of_characters_are_replaced() {
        for (text, wanted) in [
            (&br#"["\ud83d"]"#[..], "\u{fffd}"),
            (br#"["\uDE00x"]"#, "\u{fffd}x"),
            (br#"["\ud83d\ud83d\ude00"]"#, "\u{fffd}😀"),
            (br#"["\ud83d\n\\ud83d"]"#, "\u{fffd}\n\\ud83d"),
            (b"[\"a\xff\"]", "a\u{fffd}"),
            (b"[\"\xf0\x9f\x98\"]", "\u{fffd}"),
        ] {
            assert_eq!(value(text), (json!([wanted]), true), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_an_error_without_its_text() {
        for text in ["", " \n", "<html>secret</html>", "{\"a\": \"secret", "[1,]", "{} {}"] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_text_with_any_escapes_is_read(text in r#"([a-zé"]|\\\\|\\u[0-9a-f]{4}|\\n){0,20}"#) {
            let body = format!("[\"{}\"]", text.replace('"', "\\\""));
            prop_assert!(read(body.as_bytes()).is_ok(), "{body}");
        }
    }
}
