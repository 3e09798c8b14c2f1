//! Planned faults: a queue consumed in order, first match wins, never a probability.
//!
//! A fault says which request it waits for ([`Matcher`]), whether the request takes effect first ([`When`])
//! and what the client sees ([`Effect`]). So "applied, reply lost", "429 as HTML" and "one row twice" can all
//! be said. The HTTP layer performs the effects; this module only decides.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

/// A fault that was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which request it waits for.
    #[serde(rename = "match", default)]
    pub matcher: Matcher,
    /// Whether the request takes effect before the fault strikes.
    pub when: When,
    /// What the client sees.
    pub effect: Effect,
}

/// Which requests a fault waits for; what is absent matches everything. By default: the next request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// HTTP method, e.g. `PATCH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The operation as the journal names it, e.g. `PATCH security_finding_targets/:id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What the path must look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<TextPredicate>,
    /// What the query string must look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<TextPredicate>,
    /// What the body must look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyPredicate>,
    /// How many matching requests pass untouched first.
    #[serde(default)]
    pub skip: u32,
    /// How many matching requests are struck before the fault is used up.
    #[serde(default = "once")]
    pub times: u32,
}

impl Default for Matcher {
    fn default() -> Self {
        Self { method: None, operation: None, path: None, query: None, body: None, skip: 0, times: once() }
    }
}

fn once() -> u32 {
    1
}

/// A condition on a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPredicate {
    /// The whole text.
    Equals(String),
    /// A part of it.
    Contains(String),
}

/// A condition on a request body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyPredicate {
    /// The body contains this text.
    Contains(String),
    /// The body is JSON and has this value at this place.
    Json {
        /// JSON pointer, e.g. `/status`.
        pointer: String,
        /// The value that must stand there.
        equals: Value,
    },
}

/// Whether the request takes effect before the fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The fault strikes first. An effect that replaces the reply keeps the request from taking effect.
    BeforeApply,
    /// The request has taken effect; only its reply suffers.
    AfterApply,
}

/// What the client sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The reply comes later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// No reply ever comes; the connection stays open.
    Hang,
    /// Another reply comes instead.
    Reply {
        /// HTTP status.
        status: u16,
        /// Headers as name and value.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Body as text.
        #[serde(default)]
        body: String,
    },
    /// One value of the JSON reply is replaced.
    Rewrite {
        /// JSON pointer; a missing last member is added.
        pointer: String,
        /// The new value.
        value: Value,
    },
    /// The first rows of a list are sent twice.
    RepeatRows {
        /// How many rows.
        count: usize,
    },
    /// The connection is reset.
    ConnectionReset,
    /// The connection is closed without a byte.
    EmptyResponse,
    /// The reply breaks off in a malformed chunk.
    MalformedChunk,
    /// The JSON reply breaks off in the middle, with a matching length.
    TruncatedJson,
}

/// A fault that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The effect changes a reply that would not exist.
    #[error("{effect} changes the reply, so it needs \"when\": \"after_apply\"")]
    NeedsReply {
        /// Name of the effect.
        effect: &'static str,
    },
    /// The status is no HTTP status.
    #[error("{status} is not an HTTP status between 200 and 599")]
    Status {
        /// The number given.
        status: u16,
    },
    /// A header that can't be sent, or that says how the reply is framed, which is the server's to say.
    #[error(
        "{name:?} with that value is not a header that can be sent; wrong framing is what malformed_chunk is for"
    )]
    Header {
        /// Its name.
        name: String,
    },
    /// The text is no JSON pointer.
    #[error("{pointer:?} is no JSON pointer: it is empty or begins with /, e.g. /status")]
    Pointer {
        /// The text given.
        pointer: String,
    },
    /// No request is called that.
    #[error("no operation is called {operation:?}{}", suggestion.as_ref().map_or(String::new(), |nearest| format!("; did you mean {nearest:?}?")))]
    Operation {
        /// The name given.
        operation: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// The fault would never strike.
    #[error("\"times\" is 0, so the fault would never strike")]
    Never,
}

/// What a matcher looks at.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Operation as the journal names it.
    pub operation: &'a str,
    /// Path.
    pub path: &'a str,
    /// Query string without the question mark.
    pub query: &'a str,
    /// Body.
    pub body: &'a [u8],
}

/// A planned fault with its number and how often it struck.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// Number within the sandbox, from 1.
    pub id: u64,
    /// The fault.
    pub fault: Fault,
    /// How many matching requests it let pass.
    pub skipped: u32,
    /// How many it struck.
    pub struck: u32,
}

/// The faults planned for one sandbox, in order.
#[derive(Debug, Default)]
pub struct FaultQueue {
    planned: Vec<Planned>,
    made: u64,
}

impl Fault {
    /// A fault that strikes the next request of this operation after it was applied.
    pub fn after(operation: &str, effect: Effect) -> Self {
        Self::on(operation, When::AfterApply, effect)
    }

    /// A fault that strikes the next request of this operation before it is applied.
    pub fn before(operation: &str, effect: Effect) -> Self {
        Self::on(operation, When::BeforeApply, effect)
    }

    fn on(operation: &str, when: When, effect: Effect) -> Self {
        let matcher = Matcher { operation: Some(operation.to_owned()), ..Matcher::default() };
        Self { matcher, when, effect }
    }

    /// Lets `skip` matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.matcher.skip = skip;
        self
    }

    /// Strikes `times` matching requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.matcher.times = times;
        self
    }

    /// Whether the fault makes sense and its operation, if it names one, is one of `operations`.
    pub fn check_for(&self, operations: &[SmolStr]) -> Result<(), FaultError> {
        self.check()?;
        let Some(wanted) = &self.matcher.operation else { return Ok(()) };
        if operations.iter().any(|operation| operation.eq_ignore_ascii_case(wanted)) {
            return Ok(());
        }
        let distance = |operation: &&SmolStr| strsim::levenshtein(operation, wanted);
        let suggestion = operations.iter().min_by_key(distance).map(SmolStr::to_string);
        Err(FaultError::Operation { operation: wanted.chars().take(80).collect(), suggestion })
    }

    fn check(&self) -> Result<(), FaultError> {
        if self.matcher.times == 0 {
            return Err(FaultError::Never);
        }
        let in_body = match &self.matcher.body {
            Some(BodyPredicate::Json { pointer, .. }) => Some(pointer),
            _ => None,
        };
        let in_effect = match &self.effect {
            Effect::Rewrite { pointer, .. } => Some(pointer),
            _ => None,
        };
        let is_wrong = |pointer: &&String| !pointer.is_empty() && !pointer.starts_with('/');
        if let Some(pointer) = in_body.into_iter().chain(in_effect).find(is_wrong) {
            return Err(FaultError::Pointer { pointer: pointer.clone() });
        }
        let needs_reply = match &self.effect {
            Effect::Rewrite { .. } => Some("rewrite"),
            Effect::RepeatRows { .. } => Some("repeat_rows"),
            Effect::TruncatedJson => Some("truncated_json"),
            Effect::Reply { status, headers, .. } => {
                if !(200..=599).contains(status) {
                    return Err(FaultError::Status { status: *status });
                }
                if let Some((name, _)) = headers.iter().find(|(name, value)| !sendable(name, value)) {
                    return Err(FaultError::Header { name: name.clone() });
                }
                None
            }
            Effect::Delay { .. }
            | Effect::Hang
            | Effect::ConnectionReset
            | Effect::EmptyResponse
            | Effect::MalformedChunk => None,
        };
        match needs_reply {
            Some(effect) if self.when == When::BeforeApply => Err(FaultError::NeedsReply { effect }),
            _ => Ok(()),
        }
    }
}

fn sendable(name: &str, value: &str) -> bool {
    let framing = ["connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"];
    http::HeaderName::try_from(name).is_ok_and(|name| !framing.contains(&name.as_str()))
        && http::HeaderValue::try_from(value).is_ok()
}

impl Matcher {
    fn matches(&self, request: &Request<'_>) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        is(&self.method, request.method)
            && is(&self.operation, request.operation)
            && self.path.as_ref().is_none_or(|path| path.matches(request.path))
            && self.query.as_ref().is_none_or(|query| query.matches(request.query))
            && self.body.as_ref().is_none_or(|body| body.matches(request.body))
    }
}

impl TextPredicate {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => text == wanted,
            Self::Contains(wanted) => text.contains(wanted.as_str()),
        }
    }
}

impl BodyPredicate {
    fn matches(&self, body: &[u8]) -> bool {
        match self {
            Self::Contains(wanted) => String::from_utf8_lossy(body).contains(wanted.as_str()),
            Self::Json { pointer, equals } => serde_json::from_slice::<Value>(body)
                .is_ok_and(|value| value.pointer(pointer) == Some(equals)),
        }
    }
}

impl FaultQueue {
    /// Puts a fault at the end of the queue and returns its number.
    pub fn plan(&mut self, fault: Fault) -> Result<u64, FaultError> {
        fault.check()?;
        self.made += 1;
        self.planned.push(Planned { id: self.made, fault, skipped: 0, struck: 0 });
        Ok(self.made)
    }

    /// The first fault that strikes this request. A fault that is used up leaves the queue; one that still
    /// lets requests pass counts this one and leaves it to the next.
    pub fn strike(&mut self, request: &Request<'_>) -> Option<(u64, Fault)> {
        for position in 0..self.planned.len() {
            let planned = &mut self.planned[position];
            if !planned.fault.matcher.matches(request) {
                continue;
            }
            if planned.skipped < planned.fault.matcher.skip {
                planned.skipped += 1;
                continue;
            }
            planned.struck += 1;
            if planned.struck < planned.fault.matcher.times {
                return Some((planned.id, planned.fault.clone()));
            }
            let used_up = self.planned.remove(position);
            return Some((used_up.id, used_up.fault));
        }
        None
    }

    /// The faults that have not been used up, in order.
    pub fn pending(&self) -> &[Planned] {
        &self.planned
    }

    /// Drops all planned faults and says how many there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.planned).len()
    }
}

/// Sets the value at a JSON pointer; a missing last member of an object is added. Says whether it could.
pub fn rewrite(body: &mut Value, pointer: &str, value: Value) -> bool {
    if let Some(place) = body.pointer_mut(pointer) {
        *place = value;
        return true;
    }
    let Some((parent, member)) = pointer.rsplit_once('/') else { return false };
    let Some(Value::Object(parent)) = body.pointer_mut(parent) else { return false };
    parent.insert(member.replace("~1", "/").replace("~0", "~"), value);
    true
}

/// Repeats the first `count` rows of the reply's list. Says whether there was a list.
pub fn repeat_rows(body: &mut Value, count: usize) -> bool {
    let Value::Object(members) = body else { return false };
    let Some(rows) = members.values_mut().find_map(Value::as_array_mut) else { return false };
    let again: Vec<Value> = rows.iter().take(count).cloned().collect();
    rows.extend(again);
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Effect, Fault, FaultError, FaultQueue, Matcher, Request, When, repeat_rows, rewrite};

    fn patch(body: &[u8]) -> Request<'_> {
        Request { method: "PATCH", operation: "PATCH things/:id", path: "/things/1", query: "", body }
    }

    #[test]
    fn faults_are_consumed_in_order_and_first_match_wins() {
        let mut queue = FaultQueue::default();
        let first = queue.plan(Fault::after("PATCH things/:id", Effect::ConnectionReset).skip(1)).unwrap();
        let second = queue.plan(Fault::before("patch things/:id", Effect::Hang).times(2)).unwrap();
        let struck: Vec<u64> = (0..4).filter_map(|_| queue.strike(&patch(b"{}")).map(|(id, _)| id)).collect();
        assert_eq!(struck, [second, first, second]);
        assert!(queue.pending().is_empty());
    }

    #[test]
    fn a_body_predicate_reads_json() {
        let fault: Fault = serde_json::from_value(json!({
            "match": {"method": "PATCH", "body": {"json": {"pointer": "/external_id", "equals": "A-1"}}},
            "when": "after_apply",
            "effect": {"reply": {"status": 500}},
        }))
        .unwrap();
        assert_eq!(fault.matcher.times, 1);
        let mut queue = FaultQueue::default();
        queue.plan(fault).unwrap();
        assert!(queue.strike(&patch(br#"{"external_id":"A-2"}"#)).is_none());
        assert!(queue.strike(&patch(b"not json")).is_none());
        assert!(queue.strike(&patch(br#"{"external_id":"A-1"}"#)).is_some());
    }

    #[test]
    fn a_misspelt_operation_is_refused_with_a_suggestion() {
        let known = ["PATCH things/:id".into(), "GET things".into()];
        assert_eq!(Fault::after("patch things/:id", Effect::Hang).check_for(&known), Ok(()));
        let refused = Fault::after("PATCH thing/:id", Effect::Hang).check_for(&known).unwrap_err();
        let told = r#"no operation is called "PATCH thing/:id"; did you mean "PATCH things/:id"?"#;
        assert_eq!(refused.to_string(), told);
    }

    #[test]
    fn a_fault_without_a_matcher_strikes_the_next_request() {
        let fault: Fault = serde_json::from_value(json!({"when": "after_apply", "effect": "hang"})).unwrap();
        let mut queue = FaultQueue::default();
        queue.plan(fault).unwrap();
        assert!(queue.strike(&patch(b"")).is_some());
        assert!(queue.strike(&patch(b"")).is_none());
    }

    #[test]
    fn faults_that_make_no_sense_are_refused() {
        let mut queue = FaultQueue::default();
        let plan = |queue: &mut FaultQueue, effect, when, times| {
            queue.plan(Fault { matcher: Matcher { times, ..Matcher::default() }, when, effect })
        };
        let refused = plan(&mut queue, Effect::TruncatedJson, When::BeforeApply, 1);
        assert_eq!(refused, Err(FaultError::NeedsReply { effect: "truncated_json" }));
        assert_eq!(plan(&mut queue, Effect::Hang, When::AfterApply, 0), Err(FaultError::Never));
        let reply = Effect::Reply { status: 99, headers: vec![], body: String::new() };
        assert_eq!(plan(&mut queue, reply, When::AfterApply, 1), Err(FaultError::Status { status: 99 }));
        let headers = vec![("bad name".to_owned(), "x".to_owned())];
        let reply = Effect::Reply { status: 500, headers, body: String::new() };
        assert!(matches!(plan(&mut queue, reply, When::AfterApply, 1), Err(FaultError::Header { .. })));
    }

    #[test]
    fn replies_are_rewritten_in_place() {
        let mut body = json!({"rows": [{"id": "1"}, {"id": "2"}], "page": {"total": "2"}});
        assert!(rewrite(&mut body, "/page/total", json!(2)));
        assert!(rewrite(&mut body, "/page/new", json!("x")));
        assert!(!rewrite(&mut body, "/nowhere/at/all", json!(1)));
        assert!(repeat_rows(&mut body, 1));
        assert_eq!(
            body,
            json!({"rows": [{"id": "1"}, {"id": "2"}, {"id": "1"}], "page": {"total": 2, "new": "x"}})
        );
        assert!(!repeat_rows(&mut json!({"id": "1"}), 1));
    }
}
