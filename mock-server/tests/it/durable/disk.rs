//! A disk that fails: nothing is acknowledged that is not on it, and later writes succeed again.
//!
//! The disk "fails" through triggers that another connection puts into the state file.

use std::path::Path;

use http::Method;
use jiff::SignedDuration;
use mock_server::{MockServer, SandboxError, SandboxRequest};
use serde_json::json;
use tempfile::TempDir;

use super::{TARGET, docs_samples, external_id, reopened};
use crate::support::Api;

fn connection(directory: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(directory.join("state.sqlite")).unwrap()
}

/// Lets every write of this kind fail.
fn fail(directory: &Path, write: &str, table: &str) {
    let trigger = format!(
        "CREATE TRIGGER fail_{table} BEFORE {write} ON {table} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    );
    connection(directory).execute_batch(&trigger).unwrap();
}

fn heal(directory: &Path, table: &str) {
    connection(directory).execute_batch(&format!("DROP TRIGGER fail_{table}")).unwrap();
}

fn path() -> String {
    format!("security_finding_targets/{TARGET}")
}

/// A server whose target has the ticket SEC-1.
async fn api(directory: &Path) -> Api {
    let api = Api::with(docs_samples(directory));
    let _ = api.patch(&path(), json!({"external_id": "SEC-1"})).await.ok();
    api
}

#[tokio::test]
async fn a_write_that_cannot_be_kept_gets_507_and_is_taken_back() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    fail(directory.path(), "INSERT", "rows");
    api.patch(&path(), json!({"external_id": "SEC-2"})).await.refused(507, "server.storage");
    assert_eq!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-1"));
    heal(directory.path(), "rows");
    let _ = api.patch(&path(), json!({"external_id": "SEC-3"})).await.ok();
    assert_eq!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-3"));
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-3"));
}

#[tokio::test]
async fn a_write_at_mend_that_cannot_be_kept_gets_507_and_is_taken_back() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(MockServer::builder().world("mend-old-project").state(directory.path()));
    let before = api.control().export_world();
    let project = before.mend.projects[0].token().to_owned();
    let tag = json!({"projectToken": project, "tagKey": "team", "tagValue": "payments"});
    fail(directory.path(), "INSERT", "rows");
    api.mend("saveProjectTag", tag.clone()).await.refused(507, "server.storage");
    assert_eq!(api.control().export_world(), before);
    heal(directory.path(), "rows");
    let _ = api.mend("saveProjectTag", tag).await.mend_ok();
}

#[tokio::test]
async fn reads_and_refusals_go_on_after_a_write_was_taken_back() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    fail(directory.path(), "INSERT", "rows");
    api.patch(&path(), json!({"external_id": "SEC-2"})).await.refused(507, "server.storage");
    assert_eq!(api.get(&path()).await.ok()["external_id"], "SEC-1", "what is on disk can be shown");
    assert_eq!(api.get("mobile_apps/404").await.status, 404);
    assert_eq!(api.patch(&path(), json!({"external_id": 1})).await.status, 400);
    assert!(api.control().saved().await, "everything that has happened is on disk");
}

#[tokio::test]
async fn every_later_write_meets_the_failing_disk_for_itself() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    fail(directory.path(), "INSERT", "rows");
    for number in 2..6 {
        let body = json!({"external_id": format!("SEC-{number}")});
        api.patch(&path(), body).await.refused(507, "server.storage");
    }
    let close = json!({"status": "CLOSED_WONT_FIX", "reason": "Because."});
    api.post(&format!("{}/statuses", path()), close.clone()).await.refused(507, "server.storage");
    heal(directory.path(), "rows");
    api.post(&format!("{}/statuses", path()), close).await.no_content();
    let world = api.control().export_world();
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), world);
}

#[tokio::test]
async fn an_event_that_cannot_be_kept_gets_507_and_is_taken_back() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    let before = api.control().export_world();
    fail(directory.path(), "INSERT", "rows");
    let event = json!({"type": "data_theorem.target_status", "target_id": TARGET, "status": "CLOSED_FIXED"});
    let reply = api.admin(Method::POST, "sandboxes/default/events", Some(event)).await;
    assert_eq!(reply.status, 507, "{}", reply.text);
    assert_eq!(api.control().export_world(), before);
}

#[tokio::test]
async fn readings_that_cannot_be_kept_are_taken_back() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    fail(directory.path(), "INSERT", "sandboxes");
    let body = json!({"dt.total-count-type": "number"});
    let reply = api.admin(Method::POST, "sandboxes/default/readings", Some(body)).await;
    assert_eq!(reply.status, 507, "{}", reply.text);
    assert_eq!(api.control().readings()["dt.total-count-type"], "string");
    heal(directory.path(), "sandboxes");
    api.control().reset();
    assert_eq!(api.control().readings()["dt.total-count-type"], "string", "the origin was taken back too");
}

#[tokio::test]
async fn a_world_that_cannot_be_kept_is_taken_back_with_its_keys() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    let before = api.control().export_world();
    let spec = fixtures::builders::world(api.control().epoch()).app(fixtures::builders::app("77"));
    let spec = spec.key(fixtures::builders::api_key("other")).build();
    fail(directory.path(), "INSERT", "sandboxes");
    let reply =
        api.admin(Method::PUT, "sandboxes/default/world", Some(serde_json::to_value(spec).unwrap())).await;
    assert_eq!(reply.status, 507, "{}", reply.text);
    heal(directory.path(), "sandboxes");
    assert_eq!(api.control().export_world(), before);
    let _ = api.patch(&path(), json!({"external_id": "SEC-4"})).await.ok();
    api.control().reset();
    let apps = &api.control().export_world().data_theorem.mobile_apps;
    assert_eq!(*apps, before.data_theorem.mobile_apps, "a reset goes back to the world that was kept");
}

#[tokio::test]
async fn a_clock_that_cannot_be_kept_is_taken_back() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    let before = api.control().now();
    fail(directory.path(), "UPDATE", "sandboxes");
    let reply = api.admin(Method::POST, "sandboxes/default/clock", Some(json!({"advance": "1h"}))).await;
    assert_eq!(reply.status, 507, "{}", reply.text);
    assert_eq!(api.control().now(), before, "the reply says that the change was taken back");
}

#[tokio::test]
async fn a_sandbox_that_cannot_be_kept_is_not_made() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    fail(directory.path(), "INSERT", "sandboxes");
    let error = api.server.create_sandbox(SandboxRequest::default()).await.unwrap_err();
    assert!(matches!(error, SandboxError::Storage), "{error}");
    let reply = api.admin(Method::POST, "sandboxes", None).await;
    assert_eq!(reply.status, 507, "{}", reply.text);
    assert_eq!(api.server.sandboxes(), ["default"]);
}

#[tokio::test]
async fn a_sandbox_that_was_deleted_stays_deleted_or_the_deletion_is_refused() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(MockServer::builder().world("one-open").state(directory.path()));
    let sandbox = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    let path = format!("sandboxes/{}", sandbox.id());
    fail(directory.path(), "DELETE", "sandboxes");
    let status = api.admin(Method::DELETE, &path, None).await.status;
    drop((sandbox, api));
    let (api, _directory) = reopened(directory).await;
    let deleted = api.server.sandboxes() == ["default"];
    assert_eq!(deleted, status == 204, "a deletion that was acknowledged with {status}");
}

#[tokio::test]
async fn one_failing_write_takes_nothing_of_another_sandbox_with_it() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path()).await;
    let other = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    let only_default = "CREATE TRIGGER fail_rows BEFORE INSERT ON rows WHEN NEW.sandbox = 'default' \
                        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    connection(directory.path()).execute_batch(only_default).unwrap();
    api.patch(&path(), json!({"external_id": "SEC-2"})).await.refused(507, "server.storage");
    other.advance(SignedDuration::from_secs(1));
    assert!(other.saved().await);
    let key = other.data_theorem().api_key().to_owned();
    let body = json!({"external_id": "SEC-2"}).to_string();
    let patch = crate::support::request(Method::PATCH, &path(), &key, body);
    let _ = api.raw(patch).await.ok();
    assert_eq!(external_id(&other, TARGET).as_deref(), Some("SEC-2"));
}
