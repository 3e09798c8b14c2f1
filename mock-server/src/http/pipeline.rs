//! The way of a request, the same for every vendor:
//!
//! 1. **read** it to its end, within bounds of size and time;
//! 2. **prepare**: the vendor says what it is, whose it is and how to answer it;
//! 3. **claim**: the credential, or the listener, decides the sandbox; what nobody owns is answered and
//!    journalled apart;
//! 4. **record** it in the journal, **strike** it with a planned fault, let watchers of *seen* hold it;
//! 5. **apply** it to the world, a read without holding anybody up, a write alone;
//! 6. let watchers of *applied* hold it, **wait** until what it shows is on disk;
//! 7. **reply**, or do to the connection what the fault wants.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{DATE, HOST};
use http::{HeaderValue, Method};
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::exchange::{Answer, Encrypted, Prepared, Request, Work};
use super::redact;
use super::reject::{Because, Refusal};
use super::reply::{faulty_response, response, status_of};
use crate::kernel::faults::{self, Effect, Fault, When};
use crate::kernel::journal::{Body as JournalBody, Outcome, Phases, RequestRecord, Ticket};
use crate::kernel::kill_points::Point;
use crate::kernel::sandbox::{Commit, Sandbox};
use crate::kernel::secrets::SecretIndex;
use crate::world::World;
use crate::worlds::Worlds;

/// Most bytes of a request body. The vendors document nothing that comes near.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest method that is told apart from others.
const METHOD_BYTES_MAX: usize = 32;
/// How long a sender may take over its body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whose requests a listener takes.
#[derive(Clone)]
pub enum Scope {
    /// Everybody's: the credential decides.
    Shared,
    /// One sandbox's, whatever they show.
    Sandbox(Arc<Sandbox<World>>),
}

/// How a vendor looks at a request.
pub type Prepare = fn(Arc<Request>) -> Prepared;

/// Takes a request all the way to its response.
pub async fn run(worlds: &Worlds, scope: &Scope, prepare: Prepare, request: http::Request<Body>) -> Response {
    let request = Arc::new(read(request).await);
    let Prepared { operation, credential, work, nobodys } = prepare(Arc::clone(&request));
    let owner = match scope {
        Scope::Sandbox(sandbox) => Some(Arc::clone(sandbox)),
        Scope::Shared => {
            credential.and_then(|credential| worlds.sandboxes.owner_of(credential.vendor, &credential.secret))
        }
    };
    match owner {
        Some(sandbox) => run_owned(worlds, &sandbox, operation, &request, work).await,
        None => run_unclaimed(worlds, operation, &request, nobodys()),
    }
}

/// Reads a request to its end. A body that is too large or too slow leaves a broken request, which the
/// vendor answers in its own shape.
async fn read(request: http::Request<Body>) -> Request {
    let (mut parts, body) = request.into_parts();
    // HTTP/2 says the host beside the headers.
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.entry(HOST).or_insert(host);
    }
    let collected = tokio::select! {
        biased;
        collected = Limited::new(body, BODY_BYTES_MAX).collect() => Ok(collected),
        () = patience(BODY_TIMEOUT) => Err(()),
    };
    let (body, broken) = match collected {
        Ok(Ok(body)) => (body.to_bytes(), None),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let reason = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            (Bytes::new(), Some(Refusal::server(413, "server.body-too-large", reason)))
        }
        Ok(Err(_)) => {
            let reason = "the body broke off or was malformed";
            (Bytes::new(), Some(Refusal::server(400, "server.body-broken", reason)))
        }
        Err(()) => {
            let reason = format!("the body did not arrive within {} seconds", BODY_TIMEOUT.as_secs());
            (Bytes::new(), Some(Refusal::server(408, "server.body-timeout", reason)))
        }
    };
    // Longer methods than any that exists are as good as any other that does not.
    let method = if parts.method.as_str().len() > METHOD_BYTES_MAX { Method::TRACE } else { parts.method };
    Request {
        method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        broken,
        is_encrypted: parts.extensions.get::<Encrypted>().is_some(),
    }
}

/// Ends after a while. Most bodies have arrived with their head; setting a timer for those would wake the thread
/// that minds the timers once per request, which costs more than the rest of the request.
async fn patience(limit: Duration) {
    for _ in 0..2 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(limit).await;
}

/// Answers a request that no sandbox owns. Faults and watchers belong to sandboxes, so there are none here.
fn run_unclaimed(worlds: &Worlds, operation: SmolStr, request: &Request, answer: Answer) -> Response {
    let secrets = &worlds.sandboxes.secrets;
    let answer = clean(answer, secrets);
    let body = clean_body(&redact::unowned_body(&request.body), secrets);
    let record = RequestRecord {
        method: SmolStr::new(secrets.redact(request.method.as_str())),
        path: secrets.redact(&request.path).into_owned(),
        query: secrets.redact(&redact::unowned_query(&request.query)).into_owned(),
        body: (!body.is_empty()).then_some(JournalBody(body)),
    };
    let ticket = worlds.unclaimed.begin(worlds.clock.now(), operation, record);
    let response = response(&answer);
    let phases = Phases { seen: true, applied: false, committed: true, replied: true };
    let outcome = Outcome { status: status_of(&response), phases, ..outcome_of(answer) };
    worlds.unclaimed.finish(ticket, outcome);
    response
}

/// Answers a request in the sandbox that owns it.
async fn run_owned(
    worlds: &Worlds,
    sandbox: &Arc<Sandbox<World>>,
    operation: SmolStr,
    request: &Request,
    work: Work,
) -> Response {
    sandbox.touch();
    let secrets = &worlds.sandboxes.secrets;
    let ticket = record(sandbox, secrets, operation.clone(), request);
    let seq = ticket.seq;
    let struck = strike(sandbox, &operation, request);
    let mut progress = Unfinished { sandbox, ticket, outcome: Outcome::default() };
    progress.outcome.phases.seen = true;
    progress.outcome.fault = struck.as_ref().map(|(id, _)| *id);
    let fault = struck.map(|(_, fault)| fault);

    sandbox.kill_points.reach(seq, &operation, Point::Seen).await;
    let before = fault.as_ref().filter(|fault| fault.when == When::BeforeApply).map(|fault| &fault.effect);
    match before {
        Some(Effect::Delay { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        Some(effect) => {
            // It changes nothing, so nothing is left to be written.
            progress.outcome.phases.committed = true;
            return leave(progress, faulty_response(&Answer::empty(200), effect)).await;
        }
        None => {}
    }

    let (answer, commit) = apply(worlds, sandbox, work);
    progress.outcome.phases.applied = true;
    sandbox.kill_points.reach(seq, &operation, Point::Applied).await;
    let answer = if committed(commit).await { clean(answer, secrets) } else { storage_failed() };
    progress.outcome.phases.committed = answer.status != STORAGE_FAILED;

    let after = fault.as_ref().filter(|fault| fault.when == When::AfterApply).map(|fault| &fault.effect);
    let response = match after {
        Some(effect) => faulty_response(&answer, effect),
        None => Some(response(&answer)),
    };
    progress.note(answer);
    if let Some(Effect::Delay { ms }) = after {
        tokio::time::sleep(Duration::from_millis(*ms)).await;
    }
    leave(progress, response).await
}

/// Applies a request: a read to the world as it stands, a write alone with the world.
fn apply(worlds: &Worlds, sandbox: &Arc<Sandbox<World>>, work: Work) -> (Answer, Option<Commit>) {
    let now = sandbox.clock.now();
    match work {
        Work::Read(work) => {
            let (world, commit) = {
                let versions = sandbox.versions();
                (Arc::clone(&versions.current), versions.last_commit.clone())
            };
            (work(&world, now), commit)
        }
        Work::Write(work) => {
            let mut versions = sandbox.versions();
            let world = Arc::make_mut(&mut versions.current);
            let answer = work(world, now);
            let changes = world.take_changes();
            if let Some(durable) = &worlds.durable
                && !changes.is_empty()
            {
                durable.submit_changes(sandbox, &mut versions, changes);
            }
            (answer, versions.last_commit.clone())
        }
    }
}

const STORAGE_FAILED: u16 = 507;

async fn committed(commit: Option<Commit>) -> bool {
    match commit {
        None => true,
        Some(commit) => commit.done().await,
    }
}

fn storage_failed() -> Answer {
    let reason = "the change could not be written to disk and was taken back; see the server's log";
    let body = format!(r#"{{"error":{{"code":{STORAGE_FAILED},"message":"{reason}"}}}}"#);
    Answer::refused(Refusal::server(STORAGE_FAILED, "server.storage", reason), body)
}

fn record(sandbox: &Sandbox<World>, secrets: &SecretIndex, operation: SmolStr, request: &Request) -> Ticket {
    let body = redact::without_credentials(clean_body(&request.body, secrets));
    let record = RequestRecord {
        method: SmolStr::new(secrets.redact(request.method.as_str())),
        path: secrets.redact(&request.path).into_owned(),
        query: secrets.redact(&request.query).into_owned(),
        body: (!body.is_empty()).then_some(JournalBody(body)),
    };
    sandbox.journal.begin(sandbox.clock.now(), operation, record)
}

/// A body without secrets.
fn clean_body(body: &Bytes, secrets: &SecretIndex) -> Bytes {
    let text = String::from_utf8_lossy(body);
    match secrets.redact(&text) {
        Cow::Borrowed(_) => body.clone(),
        Cow::Owned(clean) => Bytes::from(clean),
    }
}

/// An answer whose talk about the request has no secrets. Data is not censored: only refusals and complaints echo
/// requests.
fn clean(mut answer: Answer, secrets: &SecretIndex) -> Answer {
    if let Some((_, reason)) = &mut answer.refusal {
        *reason = Cow::Owned(secrets.redact(reason).into_owned());
    }
    if answer.refusal.is_some() || answer.has_complaints {
        answer.body = clean_body(&answer.body, secrets);
    }
    for flag in &mut answer.flags {
        if let Cow::Owned(clean) = secrets.redact(flag) {
            *flag = clean;
        }
    }
    answer
}

fn strike(sandbox: &Sandbox<World>, operation: &str, request: &Request) -> Option<(u64, Fault)> {
    sandbox.faults().strike(&faults::Request {
        method: request.method.as_str(),
        operation,
        path: &request.path,
        query: &request.query,
        body: &request.body,
    })
}

/// A request whose end is not in the journal yet. Clients that hang up drop it half-way; what is known by
/// then is recorded all the same.
struct Unfinished<'a> {
    sandbox: &'a Sandbox<World>,
    ticket: Ticket,
    outcome: Outcome,
}

impl Unfinished<'_> {
    /// Notes what the vendor answered.
    fn note(&mut self, answer: Answer) {
        let known = std::mem::take(&mut self.outcome);
        self.outcome = Outcome { fault: known.fault, phases: known.phases, ..outcome_of(answer) };
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.sandbox.journal.finish(self.ticket, std::mem::take(&mut self.outcome));
    }
}

fn outcome_of(answer: Answer) -> Outcome {
    let (rule, reason, reply) = match answer.refusal {
        Some((because, reason)) => {
            // What a vendor would not even have is most likely a mistake in the client, and worth a word to
            // the person who watches the terminal.
            if matches!(answer.status, 404 | 405 | 501) && matches!(because, Because::Server(_)) {
                tracing::warn!("{reason}");
            }
            let reply = (!answer.body.is_empty()).then_some(answer.body);
            (Some(because.id()), Some(reason.into_owned()), reply)
        }
        None => (None, None, None),
    };
    Outcome { status: Some(answer.status), rule, reason, flags: answer.flags, reply, ..Outcome::default() }
}

/// Hands the response over, or lets the client wait for ever.
async fn leave(mut progress: Unfinished<'_>, response: Option<Response>) -> Response {
    let Some(mut response) = response else {
        progress.outcome.status = None;
        drop(progress);
        return std::future::pending().await;
    };
    date(&mut response, progress.sandbox.clock.now());
    progress.outcome.status = status_of(&response);
    progress.outcome.phases.replied = progress.outcome.status.is_some();
    response
}

/// Says what the sandbox's clock shows, unless a planned reply says something else. Otherwise the listener would say what
/// the machine's clock shows, which contradicts every time in the reply wherever the two differ.
fn date(response: &mut Response, now: Timestamp) {
    let text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().entry(DATE).or_insert(value);
    }
}
