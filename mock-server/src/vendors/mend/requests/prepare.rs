//! From a request to its handler, and from what the handler says to an answer.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use fixtures::spec::mend as ledger;
use http::{Method, header};
use jiff::Timestamp;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{Action, Call, REQUEST_TYPES, RequestType};
use crate::http::exchange::{Answer, Prepared, Request, Work};
use crate::http::reject::Refusal;
use crate::kernel::sandbox::Credential;
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::{
    ForeignScopeToken, JsonStrictness, Readings, UnknownRequestType, UnreadableBody,
};
use crate::vendors::mend::rules::access::{self, Scope, ScopeKind};
use crate::vendors::mend::rules::errors::{Code, Refused};
use crate::vendors::mend::rules::{fields, json};
use crate::vendors::mend::store::Version;
use crate::vendors::mend::{PATHS, VENDOR, wire};

/// What the journal calls a request that is of no known type, or unreadable.
const UNKNOWN: SmolStr = SmolStr::new_static("unknown requestType");

/// Fields that clients were seen to send with every request; nothing documents them.
const TOLERATED: [&str; 2] = ["agentInfo", "excludeExtraData"];

/// What the journal calls the requests of this API.
pub fn operations() -> impl Iterator<Item = SmolStr> {
    REQUEST_TYPES.iter().map(|known| SmolStr::new_static(known.name)).chain([UNKNOWN])
}

/// Looks at a request: of which type it is, whose it is, how to answer it.
#[expect(clippy::needless_pass_by_value, reason = "vendors prepare requests by functions of one form")]
pub fn prepare(request: Arc<Request>) -> Prepared {
    let message = Arc::new(Message::read(&request));
    let credential = message.text("userKey").map(|key| Credential {
        vendor: VENDOR,
        secret: key.to_owned(),
        is_sent_encoded: false,
    });
    let operation = message.request_type.map_or(UNKNOWN, |known| SmolStr::new_static(known.name));
    let nobodys = {
        let message = Arc::clone(&message);
        Box::new(move || message.nobodys())
    };
    let work = match message.request_type.map(|known| known.action) {
        Some(Action::Write(handler)) => Work::Write(Box::new(move |world, now| {
            let account = &mut world.mend;
            let readings = *account.readings();
            let call = message.call(account, &readings, now);
            answer(call, &message, &readings, |call| handler(account, call))
        })),
        Some(Action::Read(handler)) => Work::Read(Box::new(move |world, now| {
            let account = &world.mend;
            let readings = account.readings();
            answer(message.call(account, readings, now), &message, readings, |call| handler(account, call))
        })),
        None => Work::Read(Box::new(move |world, now| {
            let account = &world.mend;
            let readings = account.readings();
            // There is nothing to call; making the call says why.
            answer(message.call(account, readings, now), &message, readings, |_| Ok(b"{}".to_vec()))
        })),
    };
    Prepared { operation, credential, work, nobodys }
}

/// A request as far as it can be read without knowing whose it is.
struct Message {
    version: Version,
    method: Method,
    body: Body,
    request_type: Option<&'static RequestType>,
    broken: Option<Refusal>,
}

/// What a body holds.
enum Body {
    /// An object, in strict JSON.
    Strict(Map<String, Value>),
    /// An object, once comments and superfluous commas are taken out.
    Lenient(Map<String, Value>),
    /// Neither; why.
    Unreadable(String),
}

impl Message {
    fn read(request: &Request) -> Self {
        let version = if request.path == PATHS[0] { Version::V13 } else { Version::V14 };
        let body = Body::read(&request.body);
        let named = body.fields().and_then(|fields| fields.get("requestType")?.as_str());
        let request_type = named
            .filter(|_| request.method == Method::POST)
            .and_then(|name| REQUEST_TYPES.iter().find(|known| known.name == name));
        Self { version, method: request.method.clone(), body, request_type, broken: request.broken.clone() }
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.body.fields()?.get(field)?.as_str()
    }

    /// The fields, and of which type the request is, if all of that can be told.
    fn understood(
        &self,
        readings: &Readings,
    ) -> Result<(&Map<String, Value>, &'static RequestType), Refused> {
        if self.method != Method::POST {
            let reason = format!("the API takes POST, not {}", self.method);
            let refusal = Refusal::rule(405, &ledger::MEND_POST_ONLY, reason);
            return Err(Refused { code: Code::InvalidParameters, refusal });
        }
        if let Some(broken) = &self.broken {
            return Err(Refused { code: Code::InvalidParameters, refusal: broken.clone() });
        }
        let fields = match &self.body {
            Body::Strict(fields) => fields,
            Body::Lenient(fields) if readings.json_strictness == JsonStrictness::Lenient => fields,
            Body::Lenient(_) => {
                let reason = "the body has comments or superfluous commas, which JSON does not";
                return Err(unreadable(&ledger::MEND_JSON_STRICTNESS, reason.to_owned(), readings));
            }
            Body::Unreadable(reason) => {
                return Err(unreadable(&ledger::MEND_UNREADABLE_BODY, reason.clone(), readings));
            }
        };
        let name = fields::required_text(fields, "requestType", &ledger::MEND_REQUEST_TYPE, readings)?;
        match self.request_type {
            Some(known) => Ok((fields, known)),
            None => Err(unknown_request_type(name, readings)),
        }
    }

    /// What a handler is given, if the request may be answered at all.
    fn call<'a>(
        &'a self,
        account: &Account,
        readings: &'a Readings,
        now: Timestamp,
    ) -> Result<Call<'a>, Refused> {
        let (fields, known) = self.understood(readings)?;
        let key = fields::required_text(fields, "userKey", &ledger::MEND_AUTH_USER_KEY, readings)?;
        let Some(user) = account.user(key).cloned() else {
            return Err(unknown_user("no user of this sandbox has that userKey"));
        };
        let field = known.scope.field();
        let token = fields::required_text(fields, field, &ledger::MEND_AUTH_SCOPE_TOKEN, readings)?;
        let scope = Scope::find(known.scope, token, &account.store)
            .ok_or_else(|| access::unknown_token(known.scope, readings))?;
        let writes = matches!(known.action, Action::Write(_));
        access::check(&user, &scope, known.name, writes, &account.store, readings)?;
        let call =
            Call { fields, version: self.version, user, scope, readings, now, flags: RefCell::default() };
        call.flag_unknown_fields(known);
        Ok(call)
    }

    /// The answer to a request that no sandbox owns.
    fn nobodys(&self) -> Answer {
        let readings = Readings::default();
        let refused = self
            .understood(&readings)
            .and_then(|(fields, _)| {
                fields::required_text(fields, "userKey", &ledger::MEND_AUTH_USER_KEY, &readings)
            })
            .err()
            .unwrap_or_else(|| unknown_user("no sandbox of this server has a user with that userKey"));
        refuse(refused)
    }

    /// Tokens of other scopes than the one the request takes.
    fn foreign_tokens(&self) -> Vec<&'static str> {
        let (Some(known), Some(fields)) = (self.request_type, self.body.fields()) else { return Vec::new() };
        let others = ScopeKind::ALL.into_iter().filter(|kind| *kind != known.scope);
        others.map(ScopeKind::field).filter(|field| fields.contains_key(*field)).collect()
    }
}

impl Body {
    fn read(body: &Bytes) -> Self {
        let strict = match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(fields)) => return Self::Strict(fields),
            Ok(_) => return Self::Unreadable("the body is JSON, but not an object".to_owned()),
            Err(error) => error,
        };
        let lenient = std::str::from_utf8(body).ok().map(json::without_comments_and_commas);
        match lenient.and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
            Some(Value::Object(fields)) => Self::Lenient(fields),
            _ => Self::Unreadable(format!(
                "the body is not JSON: {} at line {} column {}",
                kind_of(&strict),
                strict.line(),
                strict.column()
            )),
        }
    }

    fn fields(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Strict(fields) | Self::Lenient(fields) => Some(fields),
            Self::Unreadable(_) => None,
        }
    }
}

/// What is wrong with a text that is no JSON; never a part of the text itself.
fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        _ => "a syntax mistake",
    }
}

impl Call<'_> {
    fn flag_unknown_fields(&self, known: &RequestType) {
        for field in self.fields.keys() {
            let field = field.as_str();
            let is_known = ["requestType", "userKey"].contains(&field)
                || TOLERATED.contains(&field)
                || ScopeKind::ALL.iter().any(|kind| kind.field() == field)
                || known.fields.contains(&field);
            if !is_known {
                let field: String = field.chars().take(60).collect();
                self.flag(format!("ignored the unknown field {field:?}"));
            }
        }
    }
}

fn unreadable(reading: &'static fixtures::spec::Reading, reason: String, readings: &Readings) -> Refused {
    let mut refused = Refused::reading(Code::InvalidParameters, reading, reason);
    if readings.unreadable_body == UnreadableBody::BadRequest {
        refused.refusal.status = 400;
    }
    refused
}

fn unknown_request_type(name: &str, readings: &Readings) -> Refused {
    let code = match readings.unknown_request_type {
        UnknownRequestType::InvalidParameters => Code::InvalidParameters,
        UnknownRequestType::Unexpected => Code::Unexpected,
    };
    let name: String = name.chars().take(100).collect();
    let nearest = REQUEST_TYPES.iter().min_by_key(|known| strsim::levenshtein(known.name, &name));
    let nearest = nearest.map_or("", |known| known.name);
    let reason =
        format!("there is no requestType {name:?}, or it is not simulated; the nearest is {nearest}");
    Refused::reading(code, &ledger::MEND_UNKNOWN_REQUEST_TYPE, reason)
}

fn unknown_user(reason: &'static str) -> Refused {
    Refused::rule(Code::NotAllowed, &ledger::MEND_ERROR_NOT_ALLOWED, reason)
}

fn answer(
    call: Result<Call<'_>, Refused>,
    message: &Message,
    readings: &Readings,
    handler: impl FnOnce(&Call<'_>) -> Result<Vec<u8>, Refused>,
) -> Answer {
    let call = match call {
        Ok(call) => call,
        Err(refused) => return refuse(refused),
    };
    let result = handler(&call);
    let flags = call.flags.into_inner();
    match result {
        Ok(mut body) => {
            if readings.foreign_scope_token == ForeignScopeToken::Warned {
                wire::add_warnings(&mut body, &message.foreign_tokens());
            }
            Answer { flags, ..Answer::json(200, body) }
        }
        Err(refused) => Answer { flags, ..refuse(refused) },
    }
}

/// The answer of a refusal: mostly 200, with the code in the body.
fn refuse(refused: Refused) -> Answer {
    let body = wire::error(refused.code.number(), &refused.message());
    let mut answer = Answer::refused(refused.refusal, body);
    if answer.status == 405 {
        answer.headers.push((header::ALLOW, Method::POST.to_string()));
    }
    answer
}
