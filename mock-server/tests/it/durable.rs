//! Durable mode: what was acknowledged is there after a restart, and nothing else is touched.

mod disk;
mod formats;
mod jira;
mod kill;
mod mend;
mod refusals;

use std::path::Path;
use std::time::Duration;

use fixtures::strategies::{event_sequences, worlds};
use fixtures::world::data_theorem::{Event, Misses, Observation};
use http::Method;
use jiff::SignedDuration;
use mock_server::durable::OpenError;
use mock_server::kernel::journal::Filter;
use mock_server::{Builder, Control, MockServer, SandboxRequest, StartError, WorldChoice};
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, proptest};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Api, block_on, proptest_cases, request};

const TARGET: &str = "4651453173202944";

fn docs_samples(directory: &Path) -> Builder {
    MockServer::builder().world("docs-samples").state(directory)
}

/// A server on a directory whose last server was dropped a moment ago and may be closing its files still.
pub(crate) fn open(builder: &Builder) -> Api {
    loop {
        match builder.clone().in_process() {
            Ok(server) => return Api::around(server),
            Err(StartError::State(OpenError::Locked { .. })) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) async fn reopened(directory: TempDir) -> (Api, TempDir) {
    let opened = tokio::task::spawn_blocking(move || {
        (open(&MockServer::builder().state(directory.path())), directory)
    });
    tokio::time::timeout(Duration::from_secs(10), opened).await.expect("the directory is let go").unwrap()
}

fn external_id(control: &Control, target: &str) -> Option<String> {
    let targets = control.export_world().data_theorem.security_finding_targets;
    targets.into_iter().find(|row| row.id == target).unwrap().external_id
}

#[tokio::test]
async fn rows_readings_time_and_credentials_are_there_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(docs_samples(directory.path()));
    let _ =
        api.patch(&format!("security_finding_targets/{TARGET}"), json!({"external_id": "SEC-1"})).await.ok();
    let close = json!({"status": "CLOSED_WONT_FIX", "reason": "Because."});
    api.post(&format!("security_finding_targets/{TARGET}/statuses"), close).await.no_content();
    api.post("security_findings/4567/notes", json!({"text": "A note."})).await.no_content();
    let _ = api.patch("security_findings/4567", json!({"priority": "P4"})).await.ok();
    api.control().advance(SignedDuration::from_hours(5));
    api.control().set_readings([("dt.total-count-type", "number")]).unwrap();
    assert!(api.control().saved().await);
    let before = (api.control().export_world(), api.control().now(), api.control().readings());
    let environment = api.control().environment().data_theorem_api_keys;
    let target = api.get(&format!("security_finding_targets/{TARGET}")).await.text;
    drop(api);

    let (api, _directory) = reopened(directory).await;
    assert_eq!((api.control().export_world(), api.control().now(), api.control().readings()), before);
    assert_eq!(api.control().environment().data_theorem_api_keys, environment);
    assert_eq!(api.get(&format!("security_finding_targets/{TARGET}")).await.text, target);
    assert_eq!(
        api.control().journal(&Filter { after: 1, ..Filter::default() }).entries,
        [],
        "journals are not kept"
    );
}

#[tokio::test]
async fn ids_go_on_where_they_were() {
    let directory = TempDir::new().unwrap();
    let note = async |api: &Api, text: &str| {
        api.post("security_findings/4567/notes", json!({"text": text})).await.no_content();
    };
    let api = Api::with(docs_samples(directory.path()));
    note(&api, "First.").await;
    drop(api);
    let (api, _directory) = reopened(directory).await;
    note(&api, "Second.").await;
    let findings = api.control().export_world().data_theorem.security_findings;
    let notes = &findings.iter().find(|finding| finding.id == "4567").unwrap().notes;
    let [.., first, second] = notes.as_slice() else { panic!("{notes:?}") };
    assert_eq!((first.text.as_str(), second.text.as_str()), ("First.", "Second."));
    let ids: std::collections::BTreeSet<_> = notes.iter().map(|note| &note.id).collect();
    assert_eq!(ids.len(), notes.len(), "no id is given twice");
}

#[tokio::test]
async fn sandboxes_and_their_cursors_outlive_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(docs_samples(directory.path()));
    let asked = SandboxRequest {
        world: Some(WorldChoice::Scene("two-pages".to_owned())),
        page_size: Some(2),
        seed: Some(7),
        epoch: Some("2025-03-01T00:00:00Z".parse().unwrap()),
        ..SandboxRequest::default()
    };
    let sandbox = api.server.create_sandbox(asked).await.unwrap();
    sandbox.advance(SignedDuration::from_secs(9));
    assert!(sandbox.saved().await);
    let key = sandbox.data_theorem().api_key().to_owned();
    let list = async |api: &Api, path: &str| api.raw(request(Method::GET, path, &key, "")).await.ok();
    let cursor =
        |page: &serde_json::Value| page["pagination_information"]["next_cursor"].as_str().unwrap().to_owned();
    let first = list(&api, "security_finding_targets").await;
    let next = format!("security_finding_targets?cursor={}", cursor(&first));
    let second = list(&api, &next).await;
    let (id, world, now) = (sandbox.id().to_owned(), sandbox.export_world(), sandbox.now());
    let gone = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    assert!(api.server.delete_sandbox(gone.id()).await.unwrap());
    drop((sandbox, gone, api));

    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.server.sandboxes(), ["default", id.as_str()]);
    let sandbox = api.server.control_of(&id).unwrap();
    assert_eq!((sandbox.export_world(), sandbox.now()), (world, now));
    assert_eq!(list(&api, &next).await, second, "the cursor still opens");
    let another = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    assert_ne!(another.id(), id);
}

#[tokio::test]
async fn a_reset_after_a_restart_goes_back_to_where_everything_began() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(docs_samples(directory.path()));
    let start = api.control().export_world();
    let _ =
        api.patch(&format!("security_finding_targets/{TARGET}"), json!({"external_id": "SEC-1"})).await.ok();
    api.control().set_readings([("dt.total-count-type", "number")]).unwrap();
    drop(api);
    let (api, directory) = reopened(directory).await;
    assert_eq!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-1"));
    api.control().reset();
    assert!(api.control().saved().await);
    assert_eq!(api.control().export_world(), start);
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), start);
    assert_eq!(api.control().readings()["dt.total-count-type"], "number");
}

#[tokio::test]
async fn a_reset_brings_a_revoked_key_back_whether_or_not_there_was_a_restart() {
    let after_reset = async |restart: bool| {
        let mut directory = TempDir::new().unwrap();
        let mut api = Api::with(docs_samples(directory.path()));
        let key = api.secret().to_owned();
        let name = api.control().export_world().data_theorem.api_keys[0].name.clone();
        api.control().happen(&Event::ApiKeyRevoked { name }).unwrap();
        assert!(api.control().saved().await);
        api.get("mobile_apps").await.refused(401, "DT-AUTH-REQUIRED");
        if restart {
            drop(api);
            (api, directory) = reopened(directory).await;
            api.show(&key);
            api.get("mobile_apps").await.refused(401, "DT-AUTH-REQUIRED");
        }
        api.control().reset();
        let status = api.get("mobile_apps").await.status;
        drop(directory);
        status
    };
    assert_eq!(after_reset(false).await, after_reset(true).await);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_keep_the_server_from_starting_again() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(docs_samples(directory.path()));
    api.control().advance(SignedDuration::from_hours(-24 * 365 * 20));
    let close = json!({"status": "CLOSED_WONT_FIX"});
    api.post(&format!("security_finding_targets/{TARGET}/statuses"), close).await.no_content();
    let world = api.control().export_world();
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), world);
}

#[tokio::test]
async fn targets_keep_the_order_in_which_they_were_found() {
    let directory = TempDir::new().unwrap();
    let api = Api::with(docs_samples(directory.path()));
    let world = api.control().export_world().data_theorem;
    let seen = |number: usize| Observation::Described {
        issue_type_id: world.issue_types[0].id.clone(),
        text: format!("`com.example.Seen{number}`"),
    };
    let scan = Event::Scan {
        mobile_app_id: world.mobile_apps[0].id.clone(),
        build_version: None,
        build_source: None,
        observed: (0..8).map(seen).collect(),
        missed: Misses::Nothing,
    };
    let created = api.control().happen(&scan).unwrap().created_targets;
    assert_eq!(created.len(), 8);
    assert!(api.control().saved().await);
    let before = api.control().export_world();
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), before);
}

#[tokio::test]
async fn stopping_lets_go_of_the_directory_at_once() {
    let directory = TempDir::new().unwrap();
    for round in 0..50 {
        let server = docs_samples(directory.path()).start().await;
        let server = server.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let key = server.data_theorem().api_key().to_owned();
        let url = format!("{}/security_finding_targets/{TARGET}", server.data_theorem().base_url());
        let patch = reqwest::Client::new().patch(url).header("authorization", format!("APIKey {key}"));
        let reply = patch.body(format!("{{\"external_id\":\"SEC-{round}\"}}")).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        server.stop().await;
    }
}

proptest! {
    #![proptest_config(proptest_cases(8))]

    #[test]
    fn any_history_is_the_same_after_a_restart(
        (world, events) in worlds().prop_flat_map(|world| (Just(world.clone()), event_sequences(&world, 10)))
    ) {
        let directory = TempDir::new().unwrap();
        let api = Api::with(MockServer::builder().world_spec(world).state(directory.path()));
        for event in &events {
            api.control().advance(SignedDuration::from_secs(1));
            api.control().happen(event).unwrap();
        }
        prop_assert!(block_on(api.control().saved()));
        let before = (api.control().export_world(), api.control().now());
        drop(api);
        let api = open(&MockServer::builder().state(directory.path()));
        prop_assert_eq!((api.control().export_world(), api.control().now()), before);
    }
}
