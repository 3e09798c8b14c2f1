//! Keeps secrets out of journals.

use std::borrow::Cow;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Names of parameters and fields whose values may be secrets.
const SECRET_NAMES: &[&str] = &["key", "token", "secret", "password", "authorization", "credential"];

/// Removes known secrets from texts: the owner of a request is known, and so are the owner's secrets.
#[derive(Debug, Clone)]
pub struct KnownSecrets<'a>(pub Vec<&'a str>);

impl KnownSecrets<'_> {
    /// The text without secrets, as they are or percent-encoded.
    pub fn text<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        if self.0.iter().any(|secret| text.contains(secret)) {
            let clean = self.0.iter().fold(text.into_owned(), |text, secret| text.replace(secret, REDACTED));
            return Cow::Owned(clean);
        }
        if text.contains('%') {
            let decoded = percent_decode_str(&text).decode_utf8_lossy();
            if self.0.iter().any(|secret| decoded.contains(secret)) {
                return Cow::Borrowed(REDACTED);
            }
        }
        text
    }

    /// The body without secrets.
    pub fn body(&self, body: &Bytes) -> Bytes {
        let found = self.0.iter().any(|secret| contains(body, secret.as_bytes()));
        if !found {
            return body.clone();
        }
        Bytes::from(self.text(String::from_utf8_lossy(body)).into_owned())
    }
}

fn contains(body: &[u8], secret: &[u8]) -> bool {
    !secret.is_empty() && body.len() >= secret.len() && body.windows(secret.len()).any(|window| window == secret)
}

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

    use super::{KnownSecrets, unowned_body, unowned_query};

    #[test]
    fn known_secrets_leave_in_every_spelling() {
        let secrets = KnownSecrets(vec!["ab/c=="]);
        assert_eq!(secrets.text("k=ab/c==&x=1".into()), "k=[redacted]&x=1");
        assert_eq!(secrets.text("k=ab%2Fc%3D%3D".into()), "[redacted]");
        assert_eq!(secrets.text("k=ab%2Fd".into()), "k=ab%2Fd");
        assert_eq!(secrets.body(&Bytes::from_static(b"{\"t\":\"ab/c==\"}")), "{\"t\":\"[redacted]\"}");
        assert_eq!(secrets.body(&Bytes::from_static(b"{}")), "{}");
    }

    #[test]
    fn unowned_requests_lose_what_sounds_secret() {
        assert_eq!(unowned_query("a=1&api_key=x&b"), "a=1&api_key=[redacted]&b");
        let body = Bytes::from_static(br#"{"userKey":"x","list":[{"token":"y","n":1}]}"#);
        assert_eq!(unowned_body(&body), r#"{"list":[{"n":1,"token":"[redacted]"}],"userKey":"[redacted]"}"#);
        assert_eq!(unowned_body(&Bytes::from_static(b"userKey=x")), "(9 bytes that are not JSON)");
    }
}
