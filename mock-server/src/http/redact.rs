//! What of a request nobody owns may be written down.
//!
//! Known secrets are taken out of everything by [`crate::kernel::secrets`]. A request that nobody owns may carry
//! secrets that nobody here knows, a real one of the vendor's by mistake, so what sounds secret goes too.

use bytes::Bytes;
use serde_json::Value;

use crate::kernel::secrets::REDACTED;

/// Names of parameters and fields whose values may be secrets.
const SECRET_NAMES: &[&str] = &["key", "token", "secret", "password", "authorization", "credential"];

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
        Err(_) => Bytes::from(format!("({} bytes that are not JSON)", body.len())),
    }
}

fn redact_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if sounds_secret(name) && !field.is_object() && !field.is_array() {
                    *field = Value::from(REDACTED);
                } else {
                    redact_fields(field);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact_fields),
        _ => {}
    }
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{unowned_body, unowned_query};

    #[test]
    fn unowned_requests_lose_what_sounds_secret() {
        assert_eq!(unowned_query("a=1&api_key=x&b"), "a=1&api_key=[redacted]&b");
        let body = Bytes::from_static(br#"{"userKey":"x","list":[{"token":"y","n":1}]}"#);
        assert_eq!(unowned_body(&body), r#"{"list":[{"n":1,"token":"[redacted]"}],"userKey":"[redacted]"}"#);
        assert_eq!(unowned_body(&Bytes::from_static(b"userKey=x")), "(9 bytes that are not JSON)");
    }
}
