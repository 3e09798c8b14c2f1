//! What of a request may be written down.
//!
//! Known secrets are taken out of everything by [`crate::kernel::secrets`]. A request may also carry secrets that
//! nobody here knows, a real one of the vendor's by mistake. Where a body shows a credential, it goes in any case;
//! of a request that nobody owns, everything goes that sounds secret.

use bytes::Bytes;
use serde_json::Value;

use crate::kernel::secrets::REDACTED;

/// Names of parameters and fields whose values may be secrets.
const SECRET_NAMES: &[&str] = &["key", "token", "secret", "password", "authorization", "credential"];

/// Fields of a body in which a client shows who it is.
const CREDENTIAL_FIELDS: &[&str] = &["userKey"];

/// A query string that nobody owns: values of parameters that sound like secrets are taken out.
pub fn unowned_query(query: &str) -> String {
    let clean = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if sounds_secret(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    clean.collect::<Vec<_>>().join("&")
}

/// A body that nobody owns: JSON without the values of fields that sound like secrets; anything else is only
/// counted, because there is no telling what is in it.
pub fn unowned_body(body: &Bytes) -> Bytes {
    if body.is_empty() {
        return Bytes::new();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            redact_fields(&mut value);
            Bytes::from(value.to_string())
        }
        Err(_) => not_json(body),
    }
}

fn redact_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if sounds_secret(name) {
                    redact_values(field);
                } else {
                    redact_fields(field);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact_fields),
        _ => {}
    }
}

fn redact_values(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(redact_values),
        Value::Array(values) => values.iter_mut().for_each(redact_values),
        value => *value = Value::from(REDACTED),
    }
}

/// A body without the credential that it shows, otherwise as it was sent.
pub fn without_credentials(body: Bytes) -> Bytes {
    let text = String::from_utf8_lossy(&body);
    let (clean, is_plain) = without_plain_credentials(&text);
    // Names may be spelt with escapes, and values may be no texts.
    if !is_plain || clean.contains("\\u") {
        match serde_json::from_str::<Value>(&clean) {
            Ok(mut value) => {
                if redact_credentials(&mut value) {
                    return Bytes::from(value.to_string());
                }
            }
            Err(_) if !is_plain => return not_json(&body),
            Err(_) => {}
        }
    }
    if clean == text { body } else { Bytes::from(clean) }
}

/// The text without the values of credential fields, and whether all of them were written as a name, a colon and
/// a text.
fn without_plain_credentials(text: &str) -> (String, bool) {
    let mut clean = String::with_capacity(text.len());
    let (mut rest, mut is_plain) = (text, true);
    while let Some(start) = CREDENTIAL_FIELDS.iter().filter_map(|field| end_of(rest, field)).min() {
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(length) = value_length(rest) else {
            is_plain = false;
            continue;
        };
        let (value, after) = rest.split_at(length);
        let (before, value) = value.split_at(value.find(':').unwrap_or_default());
        let opening = value.find('"').map_or(value.len(), |quote| quote + 1);
        clean.push_str(before);
        clean.push_str(&value[..opening]);
        if opening < value.len() {
            clean.push_str(REDACTED);
        }
        rest = after;
    }
    clean.push_str(rest);
    (clean, is_plain)
}

/// Where the first mention of a name ends.
fn end_of(text: &str, name: &str) -> Option<usize> {
    Some(text.find(name)? + name.len())
}

/// How long `": "value` is, without the closing quote, if that is what follows a name.
fn value_length(rest: &str) -> Option<usize> {
    let value = rest.strip_prefix('"')?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let length = value.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    Some(rest.len() - value.len() + length.unwrap_or(value.len()))
}

/// Says whether there was anything to take out.
fn redact_credentials(value: &mut Value) -> bool {
    let mut is_changed = false;
    for field in CREDENTIAL_FIELDS {
        if let Some(shown) = value.get_mut(field).filter(|shown| **shown != REDACTED && **shown != "") {
            redact_values(shown);
            is_changed = true;
        }
    }
    is_changed
}

fn not_json(body: &Bytes) -> Bytes {
    Bytes::from(format!("({} bytes that are not JSON)", body.len()))
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::{prop_assert, proptest};

    use super::{unowned_body, unowned_query, without_credentials};

    #[test]
    fn unowned_requests_lose_what_sounds_secret() {
        assert_eq!(unowned_query("a=1&api_key=x&b"), "a=1&api_key=[redacted]&b");
        let body = Bytes::from_static(br#"{"userKey":["x"],"list":[{"token":"y","n":1}]}"#);
        assert_eq!(
            unowned_body(&body),
            r#"{"list":[{"n":1,"token":"[redacted]"}],"userKey":["[redacted]"]}"#
        );
        assert_eq!(unowned_body(&Bytes::from_static(b"userKey=x")), "(9 bytes that are not JSON)");
    }

    #[test]
    fn credentials_leave_a_body_that_otherwise_stays_as_it_was_sent() {
        for (sent, kept) in [
            (r#"{"b":1, "userKey" : "x", "a":2}"#, r#"{"b":1, "userKey" : "[redacted]", "a":2}"#),
            (r#"{"userKey":"x","userKey":"y"}"#, r#"{"userKey":"[redacted]","userKey":"[redacted]"}"#),
            (r#"{"userKey":"x\"y"} // z"#, r#"{"userKey":"[redacted]"} // z"#),
            (r#"{"userKey":"x"#, r#"{"userKey":"[redacted]"#),
            (r#"{"userKey":""}"#, r#"{"userKey":""}"#),
            (r#"{"userKey":"[redacted]"}"#, r#"{"userKey":"[redacted]"}"#),
            (r#"{"a":"userKey","b":"c"}"#, r#"{"a":"userKey","b":"c"}"#),
            (r#"{"user\u004bey":"x","a":1}"#, r#"{"a":1,"userKey":"[redacted]"}"#),
            (r#"{"userKey":["x",{"y":"z"}]}"#, r#"{"userKey":["[redacted]",{"y":"[redacted]"}]}"#),
            (r#"{"userKey":/**/"x"}"#, "(19 bytes that are not JSON)"),
            ("userKey=x", "(9 bytes that are not JSON)"),
            ("{}", "{}"),
        ] {
            assert_eq!(without_credentials(Bytes::from_static(sent.as_bytes())), kept, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_credential(before in ".{0,20}", after in ".{0,20}") {
            let sent = format!(r#"{before}"userKey":"c0ffee-c0ffee"{after}"#);
            let kept = without_credentials(Bytes::from(sent));
            prop_assert!(!String::from_utf8_lossy(&kept).contains("c0ffee-c0ffee"));
        }
    }
}
