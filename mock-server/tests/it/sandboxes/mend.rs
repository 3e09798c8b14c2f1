//! Sandboxes as clients of Mend see them: the `userKey` decides.

use fixtures::world::mend::Role;
use http::Method;
use jiff::SignedDuration;
use mock_server::kernel::journal::Filter;
use mock_server::{Control, Credentials, Listen, MockServer, SandboxRequest};
use serde_json::{Value, json};

use super::scene;
use crate::support::{Api, MEND, Reply, mend_body};

const WORLD: &str = "mend-every-match-type";

fn with_user_key(key: &str) -> SandboxRequest {
    let credentials = Credentials { mend_user_key: Some(key.to_owned()), ..Credentials::default() };
    SandboxRequest { credentials: Some(credentials), ..scene(WORLD) }
}

async fn ask(api: &Api, sandbox: &Control, request_type: &str, fields: Value) -> Reply {
    api.mend_as(sandbox.mend().user_key(), "v1.4", mend_body(request_type, fields)).await
}

fn project_token(sandbox: &Control) -> String {
    sandbox.export_world().mend.projects[0].token().to_owned()
}

async fn tags(api: &Api, sandbox: &Control) -> Value {
    let fields = json!({"projectToken": project_token(sandbox)});
    ask(api, sandbox, "getProjectTags", fields).await.mend_ok()
}

async fn save_tag(api: &Api, sandbox: &Control) {
    let fields = json!({"projectToken": project_token(sandbox), "tagKey": "team", "tagValue": "payments"});
    let _ = ask(api, sandbox, "saveProjectTag", fields).await.mend_ok();
}

#[tokio::test]
async fn nothing_passes_from_one_sandbox_to_another() {
    let api = Api::of(WORLD);
    let one = api.server.create_sandbox(scene(WORLD)).await.unwrap();
    let two = api.server.create_sandbox(scene(WORLD)).await.unwrap();
    assert_ne!(one.mend().user_key(), two.mend().user_key());
    assert_eq!(one.mend().org_token(), two.mend().org_token(), "only keys are secret");
    let before = two.export_world();
    let untouched = tags(&api, &two).await;
    save_tag(&api, &one).await;
    assert_ne!(tags(&api, &one).await, untouched);
    assert_eq!(tags(&api, &two).await, untouched);
    assert_eq!(two.export_world(), before);
    let journal = |sandbox: &Control| sandbox.journal(&Filter::default()).entries.len();
    assert_eq!((journal(&one), journal(&two), journal(&api.control())), (2, 2, 0));
}

#[tokio::test]
async fn a_token_that_only_another_sandbox_has_is_not_allowed() {
    let api = Api::of(WORLD);
    let other = SandboxRequest { seed: Some(77), ..scene(WORLD) };
    let other = api.server.create_sandbox(other).await.unwrap();
    let theirs = json!({"orgToken": other.mend().org_token()});
    assert_ne!(api.server.mend().org_token(), other.mend().org_token());
    let _ = ask(&api, &other, "getOrganizationDetails", theirs.clone()).await.mend_ok();
    api.mend("getOrganizationDetails", theirs).await.mend_refused(5001, "mend.unknown-scope-token");
}

#[tokio::test]
async fn a_user_key_can_be_supplied_and_has_one_owner() {
    let api = Api::of(WORLD);
    let key = "0123456789abcdef".repeat(4);
    let body = json!({"world": WORLD, "credentials": {"mend_user_key": key}});
    let reply = api.admin(Method::POST, "sandboxes", Some(body.clone())).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let made = reply.json();
    assert_eq!(made["env"]["MEND_USER_KEY"], key);
    assert_eq!(made["mend_users"][0]["user_key"], key);
    let details = mend_body("getOrganizationDetails", json!({"orgToken": made["env"]["MEND_ORG_TOKEN"]}));
    let _ = api.mend_as(&key, "v1.3", details.clone()).await.mend_ok();

    let refused = api.admin(Method::POST, "sandboxes", Some(body)).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(!refused.text.contains(&key), "a refusal does not show the secret: {}", refused.text);
    assert!(api.server.create_sandbox(with_user_key(&key)).await.is_err());
    let id = made["id"].as_str().unwrap();
    api.admin(Method::DELETE, &format!("sandboxes/{id}"), None).await.no_content();
    api.mend_as(&key, "v1.4", details).await.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    api.server.create_sandbox(with_user_key(&key)).await.unwrap();
    let short = json!({"credentials": {"mend_user_key": "short"}});
    let refused = api.admin(Method::POST, "sandboxes", Some(short)).await;
    assert!(refused.status == 400 && refused.text.contains("mend_user_key"), "{}", refused.text);
}

#[tokio::test]
async fn env_gives_the_variables_and_every_user() {
    let api = Api::of("demo");
    let env = api.admin(Method::GET, "sandboxes/default/env", None).await.ok();
    for name in ["MEND_URL", "MEND_USER_KEY", "MEND_ORG_TOKEN", "DATA_THEOREM_API_KEY"] {
        assert!(env["env"][name].is_string(), "{name}");
    }
    let users = env["mend_users"].as_array().unwrap();
    assert_eq!(users[0]["user_key"], env["env"]["MEND_USER_KEY"]);
    assert_eq!(users[0]["organization_token"], env["env"]["MEND_ORG_TOKEN"]);
    let world = api.control().export_world().mend;
    assert_eq!(users.len(), world.users.len());
    for (shown, user) in users.iter().zip(&world.users) {
        assert_eq!((&shown["email"], &shown["name"]), (&json!(user.email), &json!(user.name)));
        assert_eq!(shown["role"], json!(user.role));
        assert_eq!(shown.get("product_tokens").is_some(), user.role == Role::ProductAdministrator);
        assert!(user.user_key.is_none(), "an export shows no secret");
    }
}

#[tokio::test]
async fn another_world_keeps_the_keys_of_the_same_users_and_its_activation_tokens() {
    let api = Api::of(WORLD);
    let fields =
        json!({"orgToken": api.server.mend().org_token(), "integrationType": "issueTrackerIntegration"});
    let token = api.mend("getIntegrationActivationToken", fields.clone()).await.mend_ok();
    let key = api.server.mend().user_key().to_owned();
    let mut world = api.control().export_world();
    world.mend.projects[0].name = "renamed".to_owned();
    api.control().replace_world(world.clone()).unwrap();
    assert_eq!(api.control().export_world(), world);
    assert_eq!(api.server.mend().user_key(), key);
    let details = mend_body("getOrganizationDetails", json!({"orgToken": api.server.mend().org_token()}));
    let service = token["activationToken"].as_str().unwrap();
    let _ = api.mend_as(service, "v1.4", details).await.mend_ok();
    assert_eq!(api.mend("getIntegrationActivationToken", fields).await.mend_ok(), token);
}

#[tokio::test]
async fn events_happen_over_http_and_those_that_cannot_are_refused() {
    let api = Api::of(WORLD);
    let token = project_token(&api.control());
    api.control().advance(SignedDuration::from_secs(1));
    let post = async |body: Value| api.admin(Method::POST, "sandboxes/default/events", Some(body)).await;
    let scan = json!({"type": "mend.scan", "project_token": token, "comment": "nightly"});
    let effects = post(scan.clone()).await.ok();
    assert_eq!(effects["request_token"].as_str().map(str::len), Some(32), "{effects}");
    assert_eq!(effects["changed_projects"], json!([token]));
    let unknown = json!({"type": "mend.project_deleted", "project_token": "none"});
    let reply = post(json!([scan, unknown])).await;
    assert!(reply.status == 409 && reply.text.contains("event 1"), "{}", reply.text);
    for (body, part) in [
        (json!({"type": "mend.earthquake"}), "earthquake"),
        (json!({"type": "mend.scan"}), "project_token"),
        (json!({"type": "redmine.comment"}), "mend.scan"),
    ] {
        let reply = post(body).await;
        assert!(reply.status == 400 && reply.text.contains(part), "{}", reply.text);
    }
}

#[tokio::test]
async fn on_a_port_of_its_own_every_request_is_the_sandboxes() {
    let server = MockServer::builder().world(WORLD).start().await.unwrap();
    let asked = SandboxRequest { listen: Some(Listen::Anywhere(true)), ..scene(WORLD) };
    let sandbox = server.create_sandbox(asked).await.unwrap();
    let url = sandbox.mend().url().to_owned();
    assert_ne!(url, server.mend().url());
    let strange = "f".repeat(64);
    let body = json!({"userKey": strange, "orgToken": sandbox.mend().org_token()});
    let request = reqwest::Client::new().post(format!("{url}{MEND}"));
    let reply = request.body(mend_body("getOrganizationDetails", body).to_string()).send().await.unwrap();
    let reply: Value = reply.json().await.unwrap();
    assert_eq!(reply["errorCode"], 5001);
    let journal = sandbox.journal(&Filter::default());
    assert_eq!(journal.entries.len(), 1);
    let text = serde_json::to_string(&journal).unwrap();
    assert!(text.contains("getOrganizationDetails") && !text.contains(&strange), "{text}");
}
