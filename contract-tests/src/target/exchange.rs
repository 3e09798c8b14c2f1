//! A request, what came back, and both together as evidence.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

/// A request to a target.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address, with the query.
    pub url: String,
    /// The headers, credentials included: never print them as they are, see [`Exchange`].
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: String) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Adds a header. A value that can't be one is left out, so that the request is sent without it.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Sets a JSON body and says so in the headers.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.header("content-type", "application/json")
    }

    /// The address without scheme and host, from the first `/`.
    pub fn path_and_query(&self) -> &str {
        let after_scheme = self.url.find("://").map_or(0, |at| at + 3);
        self.url[after_scheme..].find('/').map_or("/", |at| &self.url[after_scheme + at..])
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or_default()
    }

    /// The body as JSON, if it is JSON.
    pub fn body_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// A reply, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// No reply: the connection could not be made or broke, or the reply took too long.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no answer: {0}")]
pub struct NoAnswer(pub String);

/// A request and what came of it. Shown without credentials.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub outcome: Result<Reply, NoAnswer>,
}

/// An exchange that several places refer to.
pub type Evidence = Arc<Exchange>;

/// How much of a body is shown.
const SHOWN_BYTES_MAX: usize = 4 << 10;
/// What stands where a credential was.
const REDACTED: &str = "[redacted]";

impl Exchange {
    /// Method and address.
    pub fn request_line(&self) -> String {
        format!("{} {}", self.request.method, self.request.url)
    }

    /// The request's body without credentials, as far as it is shown.
    pub fn request_body(&self) -> String {
        self.request_body_after(redact)
    }

    /// The same without what it quotes of an account: a policy's owner is named as the account names somebody.
    pub fn request_body_without_people(&self) -> String {
        self.request_body_after(|body| {
            redact(body);
            if let Some(owner) = body.pointer_mut("/policy/owner").and_then(Value::as_object_mut) {
                for name in ["name", "email"] {
                    if let Some(member) = owner.get_mut(name) {
                        *member = Value::from(REDACTED);
                    }
                }
            }
        })
    }

    fn request_body_after(&self, redact: impl Fn(&mut Value)) -> String {
        let body = match self.request.body_json() {
            Some(mut body) => {
                redact(&mut body);
                body.to_string()
            }
            None => String::from_utf8_lossy(&self.request.body).into_owned(),
        };
        cut(body)
    }

    /// Status of the reply, or why there is none.
    pub fn status_line(&self) -> String {
        match &self.outcome {
            Ok(reply) => {
                let reason = http::StatusCode::from_u16(reply.status).ok();
                let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
                format!("{} {reason}", reply.status).trim_end().to_owned()
            }
            Err(error) => error.to_string(),
        }
    }

    /// The reply's body without credentials, as far as it is shown.
    pub fn reply_body(&self) -> String {
        let Ok(reply) = &self.outcome else { return String::new() };
        let body = match reply.json() {
            Some(mut body) => {
                redact(&mut body);
                body.to_string()
            }
            None => String::from_utf8_lossy(&reply.body).into_owned(),
        };
        cut(body)
    }
}

/// Replaces what Mend's calls carry as credentials, wherever it stands.
fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if matches!(name.as_str(), "userKey" | "activationToken") {
                    *member = Value::from(REDACTED);
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn cut(mut text: String) -> String {
    if text.len() <= SHOWN_BYTES_MAX {
        return text;
    }
    let all = text.len();
    let end = (0..=SHOWN_BYTES_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
    text.truncate(end);
    text.push_str(&format!(" … ({all} bytes in all)"));
    text
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.request_line(), self.status_line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(body: &Value) -> Exchange {
        let request = Request::new(Method::POST, "http://127.0.0.1:1/api/v1.4?x=1".to_owned()).json(body);
        let reply = Reply { status: 200, headers: HeaderMap::new(), body: Bytes::from(body.to_string()) };
        Exchange { request, outcome: Ok(reply) }
    }

    #[test]
    fn the_path_of_an_address_is_found() {
        let request = exchange(&Value::Null).request;
        assert_eq!((request.path_and_query(), request.path()), ("/api/v1.4?x=1", "/api/v1.4"));
        assert_eq!(Request::new(Method::GET, "http://host".to_owned()).path(), "/");
    }

    #[test]
    fn credentials_are_not_shown() {
        let shown = exchange(&serde_json::json!({
            "userKey": "secret-1", "orgToken": "shown", "deep": [{"activationToken": "secret-2"}],
        }));
        let text = format!("{shown} {} {}", shown.request_body(), shown.reply_body());
        assert!(!text.contains("secret") && text.contains("shown"), "{text}");
    }

    #[test]
    fn long_bodies_are_cut_between_characters() {
        let text = "é".repeat(SHOWN_BYTES_MAX);
        assert!(cut(text).ends_with("(8192 bytes in all)"));
    }
}
