//! Asks a tracker that speaks JSON over HTTP, and tells what a reply means for the ticket.
//!
//! What a status means is the same for all trackers; what a body holds is for the adapter. Deliberately absent: sending
//! a request again that may have done something. That would make a second ticket or comment.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::caller::{Caller, Repeat, Scopes};
use super::json;
use crate::ports::{NoReply, Reply, Request, TrackerError};

/// The most characters of a tracker's explanation that go into an error.
const REASON_CHARS_MAX: usize = 300;

/// A tracker's API.
#[derive(Clone)]
pub struct Rest {
    base_url: String,
    credential: (HeaderName, HeaderValue),
    secret: String,
    caller: Caller,
}

/// What a request does to the tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it may be asked again.
    Read,
    /// Something that must not be done twice.
    Write,
}

/// A request to the API.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The path behind the base address, with its query; it begins with a slash.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
    /// What it does.
    pub effect: Effect,
    /// What a pause that the tracker asks for may be limited to.
    pub scopes: Scopes,
}

impl Ask {
    /// A question without a body.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
            effect: Effect::Read,
            scopes: Scopes::default(),
        }
    }

    /// Something that is to be done once.
    pub fn write(method: Method, path: impl Into<String>, body: Value) -> Self {
        Self { method, path: path.into(), body: Some(body), effect: Effect::Write, scopes: Scopes::default() }
    }

    /// What it is called in errors: the method and the path without its query.
    pub fn name(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {path}", self.method)
    }
}

impl Rest {
    /// An API at an address. `credential` is a header that every request carries, and `secret` what is in it: neither
    /// may stand in an error.
    pub fn new(base_url: &str, credential: (HeaderName, HeaderValue), secret: &str, caller: Caller) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { base_url, credential, secret: secret.to_owned(), caller }
    }

    /// The address without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Sends a request and hands out whatever reply comes.
    pub fn send(&self, ask: &Ask) -> Result<Reply, TrackerError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let (name, mut value) = self.credential.clone();
        value.set_sensitive(true);
        headers.insert(name, value);
        let request = Request {
            method: ask.method.clone(),
            url: format!("{}{}", self.base_url, ask.path),
            headers,
            body: ask.body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
        };
        let repeat = match ask.effect {
            Effect::Read => Repeat::Harmless,
            Effect::Write => Repeat::Never,
        };
        self.caller.call_within(&request, repeat, &ask.scopes).map_err(|error| match (&error, ask.effect) {
            (NoReply::NotSent(_), _) | (NoReply::Unknown(_), Effect::Read) => {
                TrackerError::Unavailable(format!("{}: {error}", ask.name()))
            }
            (NoReply::Unknown(_), Effect::Write) => TrackerError::Unknown(format!("{}: {error}", ask.name())),
        })
    }

    /// Sends a request and reads the JSON of a reply that says it was done.
    pub fn json(&self, ask: &Ask) -> Result<Value, TrackerError> {
        let reply = self.send(ask)?;
        self.done(ask, &reply)?;
        self.body(ask, &reply)
    }

    /// Fails unless a reply says that what was asked was done.
    pub fn done(&self, ask: &Ask, reply: &Reply) -> Result<(), TrackerError> {
        match reply.status {
            200 | 201 | 204 => Ok(()),
            _ => Err(self.refusal(ask, reply)),
        }
    }

    /// The JSON of a reply that says it was done.
    pub fn body(&self, ask: &Ask, reply: &Reply) -> Result<Value, TrackerError> {
        let read = json::read(&reply.body)
            .map_err(|problem| malformed(ask, &format!("it answers {}, but {problem}", reply.status)))?;
        Ok(read.value)
    }

    /// What a reply means that does not say it was done.
    pub fn refusal(&self, ask: &Ask, reply: &Reply) -> TrackerError {
        let status = reply.status;
        let text = match explanation(&reply.body, |text| self.mask(text)) {
            Some(why) => format!("{} answers {status}: {why}", ask.name()),
            None => format!("{} answers {status}", ask.name()),
        };
        match (status, ask.effect) {
            (401, _) => TrackerError::Credential(text),
            (429, _) | (408 | 500..=599, Effect::Read) => TrackerError::Unavailable(text),
            // A gateway says 408 and 503 of what the server behind it may have done.
            (408 | 500..=599, Effect::Write) => TrackerError::Unknown(text),
            (300..=399, _) => TrackerError::Refused(format!("{text}: is the address right?")),
            (400..=499, _) => TrackerError::Refused(text),
            _ => malformed(ask, &format!("it answers {status}, which this API never does")),
        }
    }

    /// A text without the credential.
    fn mask(&self, text: &str) -> String {
        // The word before the space is the scheme.
        let header = self.credential.1.to_str().unwrap_or_default();
        let header = header.rsplit(' ').next().unwrap_or_default();
        [header, self.secret.as_str()]
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }
}

/// A reply that says "done" and can't be understood: what was to be done may have been.
pub fn malformed(ask: &Ask, problem: &str) -> TrackerError {
    let text = format!("{}: {problem}", ask.name());
    match ask.effect {
        Effect::Read => TrackerError::Unavailable(text),
        Effect::Write => TrackerError::Unknown(text),
    }
}

/// What the body of an error says, in one line. Trackers say it in many places: a list `errors` or `errorMessages`, an
/// object `errors` by field, a list of objects with such members, `message`, `errorMessage`. A page of HTML explains
/// nothing. `mask` takes credentials out, before anything is cut.
pub fn explanation(body: &[u8], mask: impl Fn(&str) -> String) -> Option<String> {
    let body = json::read(body).ok()?.value;
    let mut texts = Vec::new();
    collect(&body, &mut texts, 0);
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(char::is_control, " ");
        if !line.is_empty() && !kept.contains(&line) {
            kept.push(line);
        }
    }
    let line = mask(&kept.join("; "));
    match line.chars().count() {
        0 => None,
        count if count > REASON_CHARS_MAX => Some(line.chars().take(REASON_CHARS_MAX).chain(['…']).collect()),
        _ => Some(line),
    }
}

fn collect(value: &Value, texts: &mut Vec<String>, depth: usize) {
    let Value::Object(members) = value else { return };
    for name in ["errorMessages", "errors", "message", "errorMessage", "error", "warningMessages"] {
        match members.get(name) {
            Some(Value::String(text)) => texts.push(text.clone()),
            Some(Value::Array(parts)) => {
                for part in parts.iter().take(20) {
                    match part {
                        Value::String(text) => texts.push(text.clone()),
                        // A bulk reply tells by element.
                        Value::Object(part) if depth < 3 => {
                            collect(&Value::Object(part.clone()), texts, depth + 1);
                            if let Some(inner) = part.get("elementErrors") {
                                collect(inner, texts, depth + 1);
                            }
                        }
                        _ => {}
                    }
                }
            }
            Some(Value::Object(by_field)) => {
                for (field, why) in by_field.iter().take(20) {
                    match why {
                        Value::String(why) => texts.push(format!("{field}: {why}")),
                        other => texts.push(format!("{field}: {other}")),
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::explanation;

    /// The shapes that Redmine and Jira were seen to use; the last ones explain nothing.
    #[test]
    fn every_shape_of_an_error_is_understood() {
        for (body, wanted) in [
            (
                r#"{"errors":["Subject cannot be blank","Tracker is invalid"]}"#,
                "Subject cannot be blank; Tracker is invalid",
            ),
            (
                r#"{"errorMessages":["No."],"errors":{"summary":"too long"},"status":400}"#,
                "No.; summary: too long",
            ),
            (
                r#"{"issues":[],"errors":[{"status":400,"elementErrors":{"errorMessages":[],"errors":{"labels":"no spaces"}},"failedElementNumber":0}]}"#,
                "labels: no spaces",
            ),
            (r#"{"message":"not\n now"}"#, "not now"),
            (r#"{"errorMessage":"no","errorMessages":["no"]}"#, "no"),
            (r#"{"errors":{"customfield_1":["a","b"]}}"#, r#"customfield_1: ["a","b"]"#),
            (r#"{"warningMessages":["old"]}"#, "old"),
        ] {
            assert_eq!(explanation(body.as_bytes(), str::to_owned).as_deref(), Some(wanted), "{body}");
        }
        for body in ["", "<html>429</html>", "[]", "{}", r#"{"errors":[]}"#, r#"{"errors":null}"#, "\"no\""] {
            assert_eq!(explanation(body.as_bytes(), str::to_owned), None, "{body}");
        }
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(9_000));
        assert_eq!(explanation(long.as_bytes(), str::to_owned).unwrap().chars().count(), 301);
        let secret = format!("{{\"message\":\"{}t0ken-t0ken\"}}", "a".repeat(super::REASON_CHARS_MAX - 5));
        let shown = explanation(secret.as_bytes(), |text| text.replace("t0ken-t0ken", "…")).unwrap();
        assert!(!shown.contains("t0k"), "{shown}");
    }
}
