//! Asks Mend one thing and tells an answer from an error.
//!
//! Mend answers errors with HTTP status 200 and an `errorCode`, so that a body without the list that was asked for looks
//! like an empty one (row 56). Here every reply is either an object without an error or a [`Failure`]. What the object
//! must hold besides, whoever asked checks. Mend has no public list of its codes; what is known of them comes from its
//! clients, see [`Failure`].

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Value, json};

use super::Mend;
use super::wire::{self, Object};
use crate::adapters::caller::Repeat;
use crate::core::model::Source;
use crate::ports::{Reply, Request, VendorError};

/// The pauses before a question is asked again. SAP's client asks ten times, 3 seconds apart, as the error 3000 comes
/// and goes there; its usual meaning is a bad request, so fewer times have to do.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What a question is about, besides its request type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About<'a> {
    /// The organization of the settings.
    Organization,
    /// The project with this token.
    Project(&'a str),
    /// A policy violation of that project.
    Violation(&'a str, &'a str),
}

/// A question. All that are asked may be asked again: those that change something set what they say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// The `requestType`.
    pub(super) request_type: &'static str,
    /// What it is about; its token is added to the fields.
    pub(super) about: About<'a>,
}

/// An answer: an object without an error.
#[derive(Debug)]
pub(super) struct Answer {
    /// The object.
    pub(super) body: Object,
    /// What the server's clock showed, if it says so.
    pub(super) server_time: Option<Timestamp>,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It says no to this request: 3000 (invalid parameters, however often it was asked), 2021 (invalid option), 3010
    /// (missing fields), 8000 (invalid library), or a code that is not known.
    Refused {
        /// The code; `None` if it is no number.
        code: Option<i64>,
        /// What it says.
        reason: String,
    },
    /// 5001: the user may not do this, or there is no such thing. Mend does not tell the two apart.
    NotAllowed(String),
    /// The user or the organization is not what Mend works for: 2007 (not in organization), 2011 (no such user), 2015
    /// (inactive organization), or HTTP status 401 or 403.
    Credential(String),
    /// No reply, or 429 or 5xx to the end of the caller's patience.
    Unavailable(String),
    /// 4000 (unexpected error), however often it was asked.
    Unexpected(String),
    /// The reply is no JSON object, however often it was asked.
    Malformed(String),
}

impl Question<'_> {
    /// The question in words, for errors.
    pub(super) fn operation(&self) -> String {
        match self.about {
            About::Organization => self.request_type.to_owned(),
            About::Project(project) => format!("{} of project {project}", self.request_type),
            About::Violation(project, violation) => {
                format!("{} of violation {violation} in project {project}", self.request_type)
            }
        }
    }

    /// A failure as the client's callers see it.
    pub(super) fn error(&self, failure: Failure) -> VendorError {
        let operation = self.operation();
        match failure {
            Failure::Refused { reason, .. } => VendorError::Refused { operation, reason },
            // About the organization it can only be the key, its rights or the organization's token.
            Failure::NotAllowed(reason) if self.about == About::Organization => {
                VendorError::Credential { vendor: Source::Mend, reason }
            }
            Failure::NotAllowed(reason) => VendorError::NotFound { operation, reason },
            Failure::Credential(reason) => VendorError::Credential { vendor: Source::Mend, reason },
            Failure::Unavailable(reason) | Failure::Unexpected(reason) => {
                VendorError::Unavailable { operation, reason }
            }
            Failure::Malformed(reason) => VendorError::Malformed { operation, reason },
        }
    }

    /// The reply lacks what the page promises.
    pub(super) fn malformed(&self, reason: impl Into<String>) -> VendorError {
        self.error(Failure::Malformed(reason.into()))
    }
}

impl Mend {
    /// Asks, and asks again where the server has a hiccup.
    pub(super) fn ask(&self, question: Question<'_>, fields: &Object) -> Result<Answer, Failure> {
        let request = self.request(question, fields);
        let mut pauses = PAUSES.iter();
        loop {
            let failure = match self.ask_once(&request) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match pauses.next() {
                Some(pause) if is_hiccup(&failure) => self.caller.clock().sleep(*pause),
                _ => return Err(failure),
            }
        }
    }

    fn ask_once(&self, request: &Request) -> Result<Answer, Failure> {
        let reply = self
            .caller
            .call(request, Repeat::Harmless)
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        let key = self.settings.user_key.as_str();
        let answer = read(&reply, key)?;
        for warning in wire::list(&answer.body, "warningMessages").unwrap_or_default() {
            let warning = warning.as_str().map_or_else(|| warning.to_string(), str::to_owned);
            self.noticed.see(format!("Mend warns: {}", wire::shown(&without_key(&warning, key))));
        }
        Ok(answer)
    }

    fn request(&self, question: Question<'_>, fields: &Object) -> Request {
        let mut body = fields.clone();
        body.insert("requestType".to_owned(), json!(question.request_type));
        body.insert("userKey".to_owned(), json!(self.settings.user_key.as_str()));
        let (field, token) = match question.about {
            About::Organization => ("orgToken", self.settings.org_token.as_str()),
            About::Project(project) | About::Violation(project, _) => ("projectToken", project),
        };
        body.insert(field.to_owned(), json!(token));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Request {
            method: Method::POST,
            url: self.settings.endpoint(),
            headers,
            body: Bytes::from(Value::Object(body).to_string()),
        }
    }
}

/// Whether asking again may help: codes 3000 and 4000 come and go, and a reply may break off once. Where there was no
/// reply, and at 429 and 5xx, the caller has been patient already.
fn is_hiccup(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { code, .. } => *code == Some(3000),
        Failure::Unexpected(_) | Failure::Malformed(_) => true,
        Failure::Unavailable(_) | Failure::NotAllowed(_) | Failure::Credential(_) => false,
    }
}

/// A server may repeat what it was sent.
fn without_key(text: &str, key: &str) -> String {
    text.replace(key, "(user key)")
}

fn read(reply: &Reply, key: &str) -> Result<Answer, Failure> {
    let body = wire::parse(&reply.body);
    if let Some(failure) = body.as_ref().and_then(Value::as_object).and_then(|body| error_in(body, key)) {
        return Err(failure);
    }
    let status = reply.status;
    match status {
        200..=299 => {}
        401 | 403 => return Err(Failure::Credential(format!("HTTP status {status}"))),
        429 | 500..=599 => return Err(Failure::Unavailable(format!("HTTP status {status}"))),
        _ => {
            let reason = format!("HTTP status {status}, which Mend does not use: is the address right?");
            return Err(Failure::Refused { code: None, reason });
        }
    }
    match body {
        Some(Value::Object(body)) => Ok(Answer { body, server_time: server_time(&reply.headers) }),
        Some(_) => Err(Failure::Malformed("the reply is JSON but no object".to_owned())),
        None => {
            let length = reply.body.len();
            Err(Failure::Malformed(format!("the reply, {length} bytes, is no JSON or only a part of it")))
        }
    }
}

/// The error that a body tells of. Some clients take 0 for no error.
fn error_in(body: &Object, key: &str) -> Option<Failure> {
    let code = body.get("errorCode").filter(|code| !code.is_null());
    let message = wire::text(body, "errorMessage");
    if code.is_none() && message.is_none() {
        return None;
    }
    let number = code.and_then(|code| match code {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    });
    if number == Some(0) {
        return None;
    }
    let said = message
        .map_or_else(|| "no message".to_owned(), |message| wire::shown_long(&without_key(&message, key)));
    let named =
        number.map_or_else(|| "an error without a code".to_owned(), |number| format!("error {number}"));
    let reason = format!("{named}: {said}");
    Some(match number {
        Some(4000) => Failure::Unexpected(reason),
        Some(5001) => Failure::NotAllowed(reason),
        Some(2007 | 2011 | 2015) => Failure::Credential(reason),
        code => Failure::Refused { code, reason },
    })
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    use super::{Failure, is_hiccup, read};
    use crate::ports::Reply;

    fn reply(status: u16, body: &str) -> Result<(), Failure> {
        let body = Bytes::from(body.to_owned());
        read(&Reply { status, headers: HeaderMap::new(), body }, "very-secret").map(drop)
    }

    #[test]
    fn an_error_is_one_whatever_its_status_and_type() {
        for (status, body) in [
            (200, r#"{"errorCode": 5001, "errorMessage": "no"}"#),
            (200, r#"{"errorCode": "5001"}"#),
            (500, r#"{"errorCode": 5001, "projects": []}"#),
        ] {
            assert!(matches!(reply(status, body), Err(Failure::NotAllowed(_))), "{body}");
        }
        for body in [r#"{"errorMessage": "no"}"#, r#"{"errorCode": {}}"#, r#"{"errorCode": 17}"#] {
            assert!(matches!(reply(200, body), Err(Failure::Refused { .. })), "{body}");
        }
        assert_eq!(reply(200, r#"{"errorCode": 0, "errorMessage": ""}"#), Ok(()));
        assert_eq!(reply(200, r#"{"errorCode": null}"#), Ok(()));
    }

    #[test]
    fn what_may_help_to_ask_again_is_asked_again() {
        let again = |status, body| is_hiccup(&reply(status, body).unwrap_err());
        for body in [r#"{"errorCode": 3000}"#, r#"{"errorCode": 4000}"#, "<html>", "[]", "", "{\"issues\": ["]
        {
            assert!(again(200, body), "{body}");
        }
        for body in [r#"{"errorCode": 5001}"#, r#"{"errorCode": 2015}"#, r#"{"errorCode": 8000}"#] {
            assert!(!again(200, body), "{body}");
        }
        // The caller has been patient already.
        assert!(!again(503, "busy") && !again(429, "{}") && !again(401, ""));
    }

    #[test]
    fn a_key_that_the_server_repeats_is_not_shown() {
        for padding in [0, 280, 295, 300] {
            let body = format!(r#"{{"errorCode": 1, "errorMessage": "{}very-secret"}}"#, "x".repeat(padding));
            let error = format!("{:?}", reply(200, &body).unwrap_err());
            assert!(!error.contains("very") && error.contains("xxx") == (padding > 0), "{error}");
        }
    }

    #[test]
    fn a_status_is_told_apart() {
        assert!(matches!(reply(401, ""), Err(Failure::Credential(_))));
        assert!(matches!(reply(404, "{}"), Err(Failure::Refused { code: None, .. })));
        assert!(matches!(reply(302, ""), Err(Failure::Refused { code: None, .. })));
        assert!(matches!(reply(502, "{}"), Err(Failure::Unavailable(_))));
    }

    #[test]
    fn the_servers_clock_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        let answer =
            read(&Reply { status: 200, headers, body: Bytes::from_static(b"{}") }, "very-secret").unwrap();
        assert_eq!(answer.server_time, Some("1994-11-06T08:49:37Z".parse().unwrap()));
    }
}
