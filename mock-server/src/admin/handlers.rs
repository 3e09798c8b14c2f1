//! The handlers: read, call [`Control`], answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use fixtures::world::{Event, WorldSpec};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::problem::{Problem, Sent};
use crate::control::{Control, ReplaceError};
use crate::kernel::clock::ClockMode;
use crate::kernel::faults::Fault;
use crate::kernel::journal::Filter;
use crate::kernel::sandbox::RegistryError;
use crate::server::address::Environment;
use crate::server::{DEFAULT_SANDBOX, SandboxError, SandboxRequest, Server};
use crate::vendors::{data_theorem, jira, mend};

type Shared = State<Arc<Server>>;
type Answer = Result<Response, Problem>;

/// Longest a reader of the journal may wait.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// `GET /health`: says that this is a simulator, and which.
pub(super) async fn get_health(State(server): Shared) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "server": "mock-server",
        "version": env!("CARGO_PKG_VERSION"),
        "vendors": [data_theorem::VENDOR, mend::VENDOR, jira::VENDOR],
        "sandboxes": server.worlds.sandboxes.list().len(),
        "durable": server.worlds.durable.is_some(),
    }))
}

/// Query parameters of journals.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JournalQuery {
    after: u64,
    wait_ms: Option<u64>,
    operation: Option<String>,
    status: Option<u16>,
}

impl JournalQuery {
    fn filter(&self) -> Filter {
        Filter { after: self.after, operation: self.operation.clone(), status: self.status }
    }
}

/// `GET /journal`: requests that no sandbox owns.
pub(super) async fn get_unclaimed(State(server): Shared, query: JournalParameters) -> Answer {
    let query = query.map_err(|error| Problem::bad_request(error.body_text()))?.0;
    let wait = Duration::from_millis(query.wait_ms.unwrap_or(0)).min(WAIT_MAX);
    let page = if wait.is_zero() {
        server.worlds.unclaimed.read(&query.filter())
    } else {
        server.worlds.unclaimed.read_or_wait(&query.filter(), wait).await
    };
    Ok(Json(page).into_response())
}

/// `DELETE /journal`
pub(super) async fn delete_unclaimed(State(server): Shared) -> StatusCode {
    server.worlds.unclaimed.clear();
    StatusCode::NO_CONTENT
}

type JournalParameters = Result<Query<JournalQuery>, axum::extract::rejection::QueryRejection>;

/// `GET /sandboxes`
pub(super) async fn get_sandboxes(State(server): Shared) -> Json<Value> {
    let sandboxes: Vec<Value> = server
        .worlds
        .sandboxes
        .list()
        .iter()
        .map(|sandbox| {
            let world = sandbox.world();
            let (apps, findings, targets) = world.data_theorem.store.sizes();
            let (projects, libraries, violations) = world.mend.store.sizes();
            let (jira_projects, issues) = world.jira.store.sizes();
            json!({
                "id": sandbox.id(),
                "epoch": sandbox.epoch(),
                "clock": sandbox.clock.mode(),
                "now": sandbox.clock.now(),
                "idle_ms": u64::try_from(sandbox.idle().as_millis()).unwrap_or(u64::MAX),
                "own_address": server.own_address(sandbox.id()),
                "data_theorem": {"mobile_apps": apps, "security_findings": findings, "security_finding_targets": targets},
                "mend": {"projects": projects, "libraries": libraries, "policy_violations": violations},
                "jira": {"projects": jira_projects, "issues": issues},
            })
        })
        .collect();
    Json(json!({"sandboxes": sandboxes}))
}

/// Body of the answer to `POST /sandboxes`.
#[derive(Debug, Serialize)]
struct Made<'a> {
    id: &'a str,
    epoch: Timestamp,
    #[serde(flatten)]
    environment: Environment,
}

/// `POST /sandboxes`
pub(super) async fn post_sandboxes(State(server): Shared, Sent(body): Sent) -> Answer {
    let request: SandboxRequest = if body.is_empty() { SandboxRequest::default() } else { read(&body)? };
    let sandbox = server.create_sandbox(request).await.map_err(|error| {
        let status = match &error {
            SandboxError::Registry(RegistryError::Full { .. }) => StatusCode::TOO_MANY_REQUESTS,
            SandboxError::Registry(_) => StatusCode::CONFLICT,
            SandboxError::Storage => StatusCode::INSUFFICIENT_STORAGE,
            SandboxError::Scene(_)
            | SandboxError::World(_)
            | SandboxError::Reading(_)
            | SandboxError::Invalid(_)
            | SandboxError::Listen { .. } => StatusCode::BAD_REQUEST,
        };
        Problem::from_error(status, &error)
    })?;
    let made = Made { id: sandbox.id(), epoch: sandbox.epoch(), environment: server.environment(&sandbox) };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// `DELETE /sandboxes/{id}`
pub(super) async fn delete_sandbox(State(server): Shared, Path(id): Path<String>) -> Answer {
    if id == DEFAULT_SANDBOX {
        return Err(Problem::conflict("the default sandbox always exists; reset it instead"));
    }
    match server.delete_sandbox(&id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(false) => Err(no_sandbox(&id)),
        Err(error) => Err(Problem::from_error(StatusCode::INSUFFICIENT_STORAGE, &error)),
    }
}

/// `GET …/env`
pub(super) async fn get_env(State(server): Shared, Path(id): Path<String>) -> Answer {
    let control = control(&server, &id)?;
    saved(&control, Json(control.environment()).into_response()).await
}

#[derive(Debug, Serialize)]
struct ClockState {
    now: Timestamp,
    mode: ClockMode,
    epoch: Timestamp,
}

impl ClockState {
    fn of(control: &Control) -> Self {
        Self { now: control.now(), mode: control.clock_mode(), epoch: control.epoch() }
    }
}

/// `GET …/clock`
pub(super) async fn get_clock(State(server): Shared, Path(id): Path<String>) -> Answer {
    let control = control(&server, &id)?;
    saved(&control, Json(ClockState::of(&control)).into_response()).await
}

/// Body of `POST …/clock`: one way to move the clock.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClockMove {
    /// By milliseconds, forwards or backwards.
    AdvanceMs(i64),
    /// By a duration such as `2h 30m` or `-5s`.
    Advance(SignedDuration),
    /// To an instant.
    Set(Timestamp),
    /// Into another mode.
    Mode(ClockMode),
}

/// `POST …/clock`
pub(super) async fn post_clock(State(server): Shared, Path(id): Path<String>, Sent(body): Sent) -> Answer {
    let control = control(&server, &id)?;
    let clock_move = serde_json::from_slice(&body).map_err(|error| {
        let forms =
            r#"{"advance_ms": 500}, {"advance": "2h30m"}, {"set": "2026-01-31T00:00:00Z"}, {"mode": "manual"}"#;
        Problem::bad_request(format!("the body does not fit: {error}; send one of {forms}"))
    })?;
    match clock_move {
        ClockMove::AdvanceMs(ms) => control.advance(SignedDuration::from_millis(ms)),
        ClockMove::Advance(step) => control.advance(step),
        ClockMove::Set(to) => control.set_clock(to),
        ClockMove::Mode(mode) => control.switch_clock(mode),
    };
    saved(&control, Json(ClockState::of(&control)).into_response()).await
}

/// `GET …/faults`
pub(super) async fn get_faults(State(server): Shared, Path(id): Path<String>) -> Answer {
    Ok(Json(json!({"faults": control(&server, &id)?.pending_faults()})).into_response())
}

/// `POST …/faults`: one fault, or a list of them, planned all or none.
pub(super) async fn post_faults(State(server): Shared, Path(id): Path<String>, Sent(body): Sent) -> Answer {
    let control = control(&server, &id)?;
    let faults: Vec<Fault> = match read::<Value>(&body)? {
        Value::Array(_) => read(&body)?,
        _ => vec![read(&body)?],
    };
    for fault in &faults {
        control.check_fault(fault).map_err(|error| Problem::from_error(StatusCode::BAD_REQUEST, &error))?;
    }
    let ids: Result<Vec<u64>, _> = faults.into_iter().map(|fault| control.plan_fault(fault)).collect();
    let ids = ids.map_err(|error| Problem::from_error(StatusCode::BAD_REQUEST, &error))?;
    Ok((StatusCode::CREATED, Json(json!({"ids": ids}))).into_response())
}

/// `DELETE …/faults`
pub(super) async fn delete_faults(State(server): Shared, Path(id): Path<String>) -> Answer {
    Ok(Json(json!({"dropped": control(&server, &id)?.clear_faults()})).into_response())
}

/// `GET …/journal`
pub(super) async fn get_journal(
    State(server): Shared,
    Path(id): Path<String>,
    query: JournalParameters,
) -> Answer {
    let query = query.map_err(|error| Problem::bad_request(error.body_text()))?.0;
    let control = control(&server, &id)?;
    let wait = Duration::from_millis(query.wait_ms.unwrap_or(0)).min(WAIT_MAX);
    let page = if wait.is_zero() {
        control.journal(&query.filter())
    } else {
        control.wait_for_journal(&query.filter(), wait).await
    };
    Ok(Json(page).into_response())
}

/// `DELETE …/journal`
pub(super) async fn delete_journal(State(server): Shared, Path(id): Path<String>) -> Answer {
    control(&server, &id)?.clear_journal();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET …/world`
pub(super) async fn get_world(State(server): Shared, Path(id): Path<String>) -> Answer {
    let control = control(&server, &id)?;
    saved(&control, Json(control.export_world()).into_response()).await
}

/// `PUT …/world`
pub(super) async fn put_world(State(server): Shared, Path(id): Path<String>, Sent(body): Sent) -> Answer {
    let control = control(&server, &id)?;
    let spec: WorldSpec = read(&body)?;
    control.replace_world(spec).map_err(|error| {
        let status = match error {
            ReplaceError::Incoherent(_) => StatusCode::BAD_REQUEST,
            ReplaceError::Credential(_) => StatusCode::CONFLICT,
        };
        Problem::from_error(status, &error)
    })?;
    saved(&control, StatusCode::NO_CONTENT.into_response()).await
}

/// `POST …/events`: one event, or a list of them, in order; the first that can't happen ends the list.
pub(super) async fn post_events(State(server): Shared, Path(id): Path<String>, Sent(body): Sent) -> Answer {
    let control = control(&server, &id)?;
    let (events, single): (Vec<Event>, bool) = match read::<Value>(&body)? {
        Value::Array(_) => (read(&body)?, false),
        _ => (vec![read(&body)?], true),
    };
    let mut effects = Vec::new();
    for (place, event) in events.iter().enumerate() {
        match control.happen(event) {
            Ok(effect) => effects.push(effect),
            Err(error) if single => return Err(Problem::from_error(StatusCode::CONFLICT, &error)),
            Err(error) => {
                let message = format!("event {place}: {error}; the {place} events before it have happened");
                return saved(&control, Problem::conflict(message).into_response()).await;
            }
        }
    }
    let body = if single { json!(effects.first()) } else { json!({"effects": effects}) };
    saved(&control, Json(body).into_response()).await
}

/// `GET …/readings`
pub(super) async fn get_readings(State(server): Shared, Path(id): Path<String>) -> Answer {
    let control = control(&server, &id)?;
    saved(&control, Json(control.readings()).into_response()).await
}

/// `POST …/readings`: values by id, all or none.
pub(super) async fn post_readings(State(server): Shared, Path(id): Path<String>, Sent(body): Sent) -> Answer {
    let control = control(&server, &id)?;
    let choices: BTreeMap<String, String> = read(&body)?;
    let choices = choices.iter().map(|(id, value)| (id.as_str(), value.as_str()));
    control.set_readings(choices).map_err(|error| Problem::from_error(StatusCode::BAD_REQUEST, &error))?;
    saved(&control, Json(control.readings()).into_response()).await
}

/// `POST …/reset`
pub(super) async fn post_reset(State(server): Shared, Path(id): Path<String>) -> Answer {
    let control = control(&server, &id)?;
    control.reset();
    saved(&control, StatusCode::NO_CONTENT.into_response()).await
}

/// Body of `POST …/snapshots`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSnapshot {
    name: String,
}

/// `GET …/snapshots`
pub(super) async fn get_snapshots(State(server): Shared, Path(id): Path<String>) -> Answer {
    let snapshots = control(&server, &id)?.snapshots();
    let snapshots: Vec<Value> =
        snapshots.iter().map(|(name, time)| json!({"name": name, "time": time})).collect();
    Ok(Json(json!({"snapshots": snapshots})).into_response())
}

/// `POST …/snapshots`
pub(super) async fn post_snapshots(
    State(server): Shared,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let control = control(&server, &id)?;
    let NewSnapshot { name } = read(&body)?;
    let time = control.take_snapshot(&name);
    Ok((StatusCode::CREATED, Json(json!({"name": name, "time": time}))).into_response())
}

/// `POST …/snapshots/{name}/restore`
pub(super) async fn post_restore(State(server): Shared, Path((id, name)): Path<(String, String)>) -> Answer {
    let control = control(&server, &id)?;
    let restored = control.restore_snapshot(&name);
    if !restored.map_err(|error| Problem::from_error(StatusCode::CONFLICT, &error))? {
        return Err(Problem::not_found(format!("sandbox {id:?} has no snapshot {name:?}")));
    }
    saved(&control, StatusCode::NO_CONTENT.into_response()).await
}

/// Any path that does not exist.
pub(super) async fn unknown_route(OriginalUri(uri): OriginalUri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::not_found(format!("the admin plane has no path {path:?}; docs/admin-api.md lists them"))
}

/// Any method that a path does not take.
pub(super) async fn other_method(method: http::Method) -> Problem {
    Problem::other_method(format!("this path does not take {method}; the Allow header says what it takes"))
}

fn control(server: &Arc<Server>, id: &str) -> Result<Control, Problem> {
    let sandbox = server.worlds.sandboxes.get(id).ok_or_else(|| no_sandbox(id))?;
    sandbox.touch();
    Ok(Control::new(Arc::clone(server), sandbox))
}

fn no_sandbox(id: &str) -> Problem {
    let id: String = id.chars().take(80).collect();
    Problem::not_found(format!(
        "there is no sandbox {id:?}: it was deleted, expired after being idle, or never existed"
    ))
}

/// The response, once what it speaks of is on disk.
async fn saved(control: &Control, response: Response) -> Answer {
    if control.saved().await { Ok(response) } else { Err(Problem::storage()) }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("the body does not fit: {error}")))
}
