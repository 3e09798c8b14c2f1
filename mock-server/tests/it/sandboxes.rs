//! Sandboxes: isolated worlds on one server.

mod mend;

use std::collections::BTreeMap;
use std::time::Duration;

use fixtures::builders::{api_key, app, world};
use fixtures::spec;
use http::Method;
use jiff::SignedDuration;
use mock_server::kernel::journal::Filter;
use mock_server::kernel::kill_points::Point;
use mock_server::{Control, Credentials, Listen, MockServer, SandboxError, SandboxRequest, WorldChoice};
use serde_json::{Value, json};

use crate::support::{Api, DATA_THEOREM, Reply, request};

fn scene(name: &str) -> SandboxRequest {
    SandboxRequest { world: Some(WorldChoice::Scene(name.to_owned())), ..SandboxRequest::default() }
}

fn with_key(secret: &str) -> SandboxRequest {
    let credentials = Credentials { data_theorem_api_key: Some(secret.to_owned()), ..Credentials::default() };
    SandboxRequest { credentials: Some(credentials), ..scene("one-open") }
}

fn key_of(sandbox: &Control) -> String {
    sandbox.data_theorem().api_key().to_owned()
}

async fn get(api: &Api, sandbox: &Control, path: &str) -> Reply {
    api.raw(request(Method::GET, path, &key_of(sandbox), "")).await
}

async fn patch(api: &Api, sandbox: &Control, path: &str, body: Value) -> Reply {
    api.raw(request(Method::PATCH, path, &key_of(sandbox), body.to_string())).await
}

/// The first target of a sandbox.
fn a_target(sandbox: &Control) -> String {
    sandbox.export_world().data_theorem.security_finding_targets[0].id.clone()
}

fn external_id(sandbox: &Control, target: &str) -> Option<String> {
    let targets = sandbox.export_world().data_theorem.security_finding_targets;
    targets.into_iter().find(|row| row.id == target).unwrap().external_id
}

async fn set_external_id(api: &Api, sandbox: &Control, target: &str, value: &str) {
    let path = format!("security_finding_targets/{target}");
    let _ = patch(api, sandbox, &path, json!({"external_id": value})).await.ok();
}

#[tokio::test]
async fn a_sandbox_is_made_with_what_was_asked_for() {
    let api = Api::docs_samples();
    let epoch = "2024-02-29T00:00:00Z".parse().unwrap();
    let readings = BTreeMap::from([("dt.last-page-cursor".to_owned(), "null".to_owned())]);
    let asked = SandboxRequest {
        epoch: Some(epoch),
        page_size: Some(2),
        readings,
        seed: Some(9),
        ..scene("two-pages")
    };
    let sandbox = api.server.create_sandbox(asked).await.unwrap();
    assert_eq!((sandbox.epoch(), sandbox.now()), (epoch, epoch));
    assert!(!sandbox.is_default() && sandbox.id() != "default");
    let page = get(&api, &sandbox, "security_finding_targets").await.ok();
    assert_eq!(page["security_finding_targets"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.readings()["dt.last-page-cursor"], "null");
    assert_eq!(api.control().readings()["dt.last-page-cursor"], "absent", "readings are per sandbox");
    assert!(api.server.sandboxes().contains(&sandbox.id().to_owned()));
}

#[tokio::test]
async fn post_sandboxes_answers_201_with_id_and_variables() {
    let api = Api::docs_samples();
    let body = json!({"world": "one-open", "credentials": {"data_theorem_api_key": "given/key=="}});
    let reply = api.admin(Method::POST, "sandboxes", Some(body)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let made = reply.json();
    assert_eq!(made["env"]["DATA_THEOREM_API_KEY"], "given/key==");
    assert!(made["env"]["DATA_THEOREM_BASE_URL"].as_str().unwrap().ends_with(DATA_THEOREM));
    let _ = api.raw(request(Method::GET, "mobile_apps", "given/key==", "")).await.ok();
    let id = made["id"].as_str().unwrap();
    api.admin(Method::DELETE, &format!("sandboxes/{id}"), None).await.no_content();
    api.raw(request(Method::GET, "mobile_apps", "given/key==", "")).await.refused(401, "DT-AUTH-REQUIRED");
}

#[tokio::test]
async fn nothing_passes_from_one_sandbox_to_another() {
    let api = Api::docs_samples();
    let one =
        api.server.create_sandbox(SandboxRequest { page_size: Some(1), ..scene("two-pages") }).await.unwrap();
    let two =
        api.server.create_sandbox(SandboxRequest { page_size: Some(1), ..scene("two-pages") }).await.unwrap();
    assert_ne!(key_of(&one), key_of(&two));
    let before = two.export_world();

    let target = a_target(&one);
    set_external_id(&api, &one, &target, "SEC-1").await;
    one.advance(SignedDuration::from_hours(1));
    assert_eq!(external_id(&one, &target).as_deref(), Some("SEC-1"));
    assert_eq!((two.export_world(), two.now()), (before, two.epoch()));

    let page = get(&api, &one, "security_finding_targets").await.ok();
    let cursor = page["pagination_information"]["next_cursor"].as_str().unwrap();
    let next = format!("security_finding_targets?cursor={cursor}");
    let _ = get(&api, &one, &next).await.ok();
    get(&api, &two, &next).await.refused(400, "dt.malformed-cursor");

    let journal = |sandbox: &Control| sandbox.journal(&Filter::default()).entries.len();
    assert_eq!((journal(&one), journal(&two), journal(&api.control())), (3, 1, 0));
}

#[tokio::test]
async fn five_hundred_demo_sandboxes_in_parallel_do_not_see_each_other() {
    let api = std::sync::Arc::new(Api::of("demo"));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..500 {
        let api = std::sync::Arc::clone(&api);
        clients.spawn(async move {
            let sandbox = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
            let target = a_target(&sandbox);
            let mine = format!("SEC-{number}");
            set_external_id(&api, &sandbox, &target, &mine).await;
            tokio::task::yield_now().await;
            let path = format!("security_finding_targets/{target}");
            let shown = get(&api, &sandbox, &path).await.ok();
            assert_eq!(shown["external_id"], mine.as_str());
            let journal = sandbox.journal(&Filter::default());
            assert_eq!(journal.last_seq, 2);
            (key_of(&sandbox), sandbox.id().to_owned())
        });
    }
    let made = clients.join_all().await;
    let (keys, ids): (std::collections::BTreeSet<_>, std::collections::BTreeSet<_>) =
        made.into_iter().unzip();
    assert_eq!((keys.len(), ids.len(), api.server.sandboxes().len()), (500, 500, 501));
}

#[tokio::test]
async fn supplied_credentials_have_one_owner() {
    let api = Api::docs_samples();
    let first = api.server.create_sandbox(with_key("one/two==")).await.unwrap();
    assert_eq!(key_of(&first), "one/two==");
    let refused = api.server.create_sandbox(with_key("one/two==")).await.unwrap_err();
    assert!(matches!(refused, SandboxError::Registry(_)), "{refused}");
    let body = json!({"credentials": {"data_theorem_api_key": "one/two=="}});
    let reply = api.admin(Method::POST, "sandboxes", Some(body)).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    assert!(!reply.text.contains("one/two=="), "a refusal does not show the secret: {}", reply.text);
    assert_eq!(api.server.sandboxes().len(), 2, "what was refused leaves nothing behind");
    assert!(api.server.delete_sandbox(first.id()).await.unwrap());
    api.server.create_sandbox(with_key("one/two==")).await.unwrap();
}

#[tokio::test]
async fn a_credential_that_no_request_can_show_is_refused() {
    let api = Api::docs_samples();
    for secret in ["", " ", "a\nb", " padded ", "APIKey x", "schlüssel"] {
        let body = json!({"credentials": {"data_theorem_api_key": secret}});
        let reply = api.admin(Method::POST, "sandboxes", Some(body)).await;
        assert_eq!(reply.status, 400, "{secret:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn two_keys_of_one_world_cannot_share_a_secret() {
    let api = Api::docs_samples();
    let epoch = api.control().epoch();
    let spec = world(epoch)
        .key(api_key("a").secret("the-same"))
        .key(api_key("b").secret("the-same").read_only())
        .build();
    let asked =
        SandboxRequest { world: Some(WorldChoice::Spec(Box::new(spec))), ..SandboxRequest::default() };
    assert!(
        api.server.create_sandbox(asked).await.is_err(),
        "which of them a request shows could not be told"
    );
}

#[tokio::test]
async fn idle_sandboxes_expire_and_the_default_one_does_not() {
    let builder = MockServer::builder().world("one-open").sandbox_idle_max(Duration::ZERO);
    let api = Api::with(builder);
    let first = api.server.create_sandbox(scene("one-open")).await.unwrap();
    let second = api.server.create_sandbox(scene("one-open")).await.unwrap();
    assert_eq!(api.server.sandboxes(), ["default", second.id()]);
    get(&api, &first, "mobile_apps").await.refused(401, "DT-AUTH-REQUIRED");
    let reply = api.admin(Method::GET, &format!("sandboxes/{}/env", first.id()), None).await;
    assert_eq!(reply.status, 404);
    assert!(reply.text.contains("expired"), "{}", reply.text);
}

#[tokio::test]
async fn a_sandbox_in_use_does_not_expire() {
    let builder = MockServer::builder().world("one-open").sandbox_idle_max(Duration::from_mins(10));
    let api = Api::with(builder);
    let first = api.server.create_sandbox(scene("one-open")).await.unwrap();
    api.server.create_sandbox(scene("one-open")).await.unwrap();
    let _ = get(&api, &first, "mobile_apps").await.ok();
    assert_eq!(api.server.sandboxes().len(), 3);
}

#[tokio::test]
async fn one_sandbox_too_many_is_refused_with_what_to_do() {
    let api = Api::with(MockServer::builder().world("one-open").sandboxes_max(2));
    api.server.create_sandbox(scene("one-open")).await.unwrap();
    let reply = api.admin(Method::POST, "sandboxes", None).await;
    assert_eq!(reply.status, 429);
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("2 sandboxes already") && message.contains("delete some"), "{message}");
    assert_eq!(api.server.sandboxes().len(), 2);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_leaves_nothing_behind() {
    let api = Api::docs_samples();
    for (body, part) in [
        (json!({"world": "demi"}), "demo"),
        (json!({"page_size": 0}), "page_size"),
        (json!({"page_size": 10_001}), "page_size"),
        (json!({"readings": {"dt.no-such": "x"}}), "dt.no-such"),
        (json!({"readings": {"dt.last-page-cursor": "sometimes"}}), "empty-page"),
        (json!({"clock": "sundial"}), "system"),
        (json!({"wrold": "demo"}), "wrold"),
        (json!({"world": {"epoch": "2026-01-01T00:00:00Z", "data_theorem": {"apps": []}}}), "apps"),
        (json!({"listen": "0.0.0.0:0"}), "admin token"),
    ] {
        let reply = api.admin(Method::POST, "sandboxes", Some(body.clone())).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
        assert!(reply.text.contains(part), "{body}: {}", reply.text);
        assert_eq!(api.server.sandboxes(), ["default"]);
    }
}

#[tokio::test]
async fn a_reset_goes_back_to_the_start_and_keeps_readings_and_credentials() {
    let api = Api::docs_samples();
    let control = api.control();
    let start = control.export_world();
    let target = a_target(&control);
    set_external_id(&api, &control, &target, "SEC-1").await;
    control.advance(SignedDuration::from_hours(1));
    control.set_readings([("dt.total-count-type", "number")]).unwrap();
    let fault = json!({"when": "before_apply", "effect": {"reply": {"status": 500}}});
    let _ = api.admin(Method::POST, "sandboxes/default/faults", Some(fault)).await;
    control.reset();
    assert_eq!((control.export_world(), control.now()), (start, control.epoch()));
    assert!(control.pending_faults().is_empty());
    assert_eq!(control.journal(&Filter::default()).last_seq, 0);
    let page = api.get("mobile_apps").await.ok();
    assert!(page["pagination_information"]["total_count"].is_number(), "readings stay");
}

#[tokio::test]
async fn a_request_that_was_under_way_during_a_reset_does_not_disturb_the_new_journal() {
    let api = std::sync::Arc::new(Api::docs_samples());
    let control = api.control();
    let mut watcher = control.watch();
    let slow = tokio::spawn({
        let api = std::sync::Arc::clone(&api);
        async move { api.get("mobile_apps/404").await.status }
    });
    let waiting = watcher.next().await.unwrap();
    assert_eq!(waiting.point, Point::Seen);
    control.reset();
    let new = tokio::spawn({
        let api = std::sync::Arc::clone(&api);
        async move { api.get("mobile_apps").await.status }
    });
    drop(watcher.next().await.unwrap());
    drop(watcher.next().await.unwrap());
    assert_eq!(new.await.unwrap(), 200);
    drop(waiting);
    drop(watcher);
    assert_eq!(slow.await.unwrap(), 404);
    let entries = control.journal(&Filter::default()).entries;
    let shown: Vec<_> = entries.iter().map(|entry| (entry.operation.as_str(), entry.status)).collect();
    assert_eq!(shown, [("GET mobile_apps", Some(200))], "the journal began anew with the reset");
}

#[tokio::test]
async fn snapshots_bring_back_world_and_time_and_leave_readings_alone() {
    let api = Api::docs_samples();
    let control = api.control();
    let target = a_target(&control);
    set_external_id(&api, &control, &target, "SEC-1").await;
    control.advance(SignedDuration::from_hours(1));
    control.take_snapshot("one");
    let (kept, time) = (control.export_world(), control.now());
    set_external_id(&api, &control, &target, "SEC-2").await;
    control.advance(SignedDuration::from_hours(1));
    control.set_readings([("dt.total-count-type", "number")]).unwrap();
    assert!(control.restore_snapshot("one").unwrap());
    assert_eq!((control.export_world(), control.now()), (kept.clone(), time));
    assert_eq!(control.readings()["dt.total-count-type"], "number");
    let page = api.get("mobile_apps").await.ok();
    assert!(page["pagination_information"]["total_count"].is_number());
    set_external_id(&api, &control, &target, "SEC-3").await;
    assert!(control.restore_snapshot("one").unwrap(), "a snapshot can be restored again");
    assert_eq!(control.export_world(), kept);
    assert!(!control.restore_snapshot("two").unwrap());
    assert_eq!(control.snapshots(), [("one".to_owned(), time)]);
}

#[tokio::test]
async fn a_replaced_world_is_what_a_reset_goes_back_to_and_keys_of_the_same_name_keep_their_secrets() {
    let api = Api::docs_samples();
    let control = api.control();
    let name = control.export_world().data_theorem.api_keys[0].name.clone();
    let epoch = control.epoch();
    let spec = world(epoch).key(api_key(&name)).key(api_key("new")).app(app("77")).build();
    control.replace_world(spec.clone()).unwrap();
    assert_eq!(api.get("mobile_apps").await.ok()["mobile_apps"][0]["id"], "77");
    let new = control.api_key_named("new").unwrap();
    let _ = api.raw(request(Method::GET, "mobile_apps", &new, "")).await.ok();
    control.reset();
    assert_eq!(api.get("mobile_apps").await.ok()["mobile_apps"][0]["id"], "77");
    assert_eq!(control.export_world().data_theorem.mobile_apps, spec.data_theorem.mobile_apps);
}

#[tokio::test]
async fn a_world_with_another_sandboxs_key_is_refused_and_changes_nothing() {
    let api = Api::docs_samples();
    let other = api.server.create_sandbox(with_key("theirs/01==")).await.unwrap();
    let before = api.control().export_world();
    let spec = world(api.control().epoch()).key(api_key("sync").secret("theirs/01==")).build();
    let reply =
        api.admin(Method::PUT, "sandboxes/default/world", Some(serde_json::to_value(&spec).unwrap())).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    assert_eq!(api.control().export_world(), before);
    let _ = api.get("mobile_apps").await.ok();
    let _ = get(&api, &other, "mobile_apps").await.ok();
}

#[tokio::test]
async fn readings_can_be_chosen_per_sandbox_all_or_none() {
    let api = Api::docs_samples();
    let other = api.server.create_sandbox(scene("docs-samples")).await.unwrap();
    let control = api.control();
    assert!(control.set_readings([("dt.total-count-type", "number"), ("dt.no-such", "x")]).is_err());
    assert_eq!(control.readings()["dt.total-count-type"], "string");
    control.set_readings([("dt.total-count-type", "number")]).unwrap();
    let total = |page: Value| page["pagination_information"]["total_count"].clone();
    assert!(total(api.get("mobile_apps").await.ok()).is_number());
    assert!(total(get(&api, &other, "mobile_apps").await.ok()).is_string());
    assert_eq!(control.readings().len(), spec::readings().count());
}

#[tokio::test]
async fn a_port_of_its_own_takes_every_request_into_the_sandboxs_journal() {
    let server = MockServer::builder().world("one-open").start().await.unwrap();
    let asked = SandboxRequest { listen: Some(Listen::Anywhere(true)), ..scene("one-open") };
    let sandbox = server.create_sandbox(asked).await.unwrap();
    let base = sandbox.data_theorem().base_url().to_owned();
    assert_ne!(base, server.data_theorem().base_url());
    let client = reqwest::Client::new();
    let ask = async |url: String, key: &str| {
        let request = client.get(url).header("authorization", format!("APIKey {key}"));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(format!("{base}/mobile_apps"), sandbox.data_theorem().api_key()).await, 200);
    assert_eq!(ask(format!("{base}/mobile_apps"), "wrong").await, 401);
    assert_eq!(ask(format!("{base}/mobile_apps"), server.data_theorem().api_key()).await, 401);
    assert_eq!(ask(format!("{base}/mobile_appz"), sandbox.data_theorem().api_key()).await, 404);
    let origin = base.strip_suffix(DATA_THEOREM).unwrap();
    assert_eq!(ask(format!("{origin}/nowhere"), "wrong").await, 404);
    assert_eq!(
        ask(format!("{origin}/__admin/health"), "wrong").await,
        404,
        "a client's port has no control plane"
    );
    let statuses = |control: &Control| -> Vec<Option<u16>> {
        control.journal(&Filter::default()).entries.iter().map(|entry| entry.status).collect()
    };
    assert_eq!(statuses(&sandbox), [200, 401, 401, 404, 404, 404].map(Some));
    assert_eq!(statuses(&server.control()), []);
    assert_eq!(server.unclaimed(&Filter::default()).last_seq, 0);

    assert!(server.delete_sandbox(sandbox.id()).await.unwrap());
    let gone = async { while client.get(format!("{base}/mobile_apps")).send().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("the port closes");
    assert_eq!(
        ask(format!("{}/mobile_apps", server.data_theorem().base_url()), "x").await,
        401,
        "the shared port stays"
    );
}

#[tokio::test]
async fn the_default_sandbox_cannot_be_deleted() {
    let api = Api::docs_samples();
    assert!(!api.server.delete_sandbox("default").await.unwrap());
    let reply = api.admin(Method::DELETE, "sandboxes/default", None).await;
    assert_eq!(reply.status, 409);
    let _ = api.get("mobile_apps").await.ok();
}
