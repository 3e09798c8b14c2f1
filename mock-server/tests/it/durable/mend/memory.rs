//! What is over is remembered after a restart: requests, numbers and tokens that must not be given again.

use serde_json::json;
use tempfile::TempDir;

use fixtures::world::mend::Event;
use mock_server::Control;

use super::super::reopened;
use super::{api, happen, mend, project};
use crate::support::{Api, mend_body};

fn scanned(control: &Control) -> String {
    let project_token = project(control, "wallet-api").token().to_owned();
    let scan = json!({"type": "mend.scan", "project_token": project_token});
    let scan: Event = serde_json::from_value(scan).unwrap();
    control.happen(&scan).unwrap().request_token.unwrap()
}

async fn state(api: &Api, request_token: &str) -> String {
    let fields = json!({"orgToken": api.server.mend().org_token(), "requestToken": request_token});
    let answer = api.mend("getRequestState", fields).await.mend_ok();
    answer["requestState"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_tokens_of_earlier_scans_are_known_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let original = project(&api.control(), "wallet-api").request_token.unwrap();
    let first = scanned(&api.control());
    let project_token = project(&api.control(), "wallet-api").token().to_owned();
    let begun = api.control().happen(&Event::ScanStarted { project_token: project_token.clone() }).unwrap();
    let begun = begun.request_token.unwrap();
    let next = api.control().happen(&Event::ScanStarted { project_token }).unwrap().request_token.unwrap();
    assert!(api.control().saved().await);
    drop(api);
    let (api, _directory) = reopened(directory).await;
    for (token, expected) in
        [(original, "FINISHED"), (first, "FINISHED"), (begun, "SKIPPED"), (next, "IN_PROGRESS")]
    {
        assert_eq!(state(&api, &token).await, expected);
    }
}

/// The id of a new policy that matches nothing.
async fn added(api: &Api) -> u64 {
    let policy = json!({
        "name": "Nothing", "owner": {"id": mend(&api.control()).users[0].id},
        "filter": {"type": "RESOURCE_NAME_REGEX", "resourceName": "no-such-file"}, "action": {"type": "REJECT"},
    });
    let fields = json!({"orgToken": api.server.mend().org_token(), "policy": policy});
    api.mend("addOrganizationPolicy", fields).await.mend_ok()["id"].as_u64().unwrap()
}

#[tokio::test]
async fn the_number_of_a_removed_policy_is_not_given_again_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let first = added(&api).await;
    let fields = json!({"orgToken": api.server.mend().org_token(), "policyIds": [first]});
    let _ = api.mend("removeOrganizationPolicies", fields.clone()).await.mend_ok();
    let world = api.control().export_world();
    assert_eq!(world.mend.newest_policy_id, Some(first));
    drop(api);
    let (api, directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), world);
    // From rows, and from a world that was written whole.
    api.control().replace_world(world.clone()).unwrap();
    assert!(api.control().saved().await);
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), world);
    assert_eq!(added(&api).await, first + 1);
}

#[tokio::test]
async fn a_revoked_token_is_dead_after_a_restart_and_the_next_one_lives() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let ask = json!({"orgToken": api.server.mend().org_token(), "integrationType": "azureDevOps"});
    let token = async |api: &Api| {
        let answer = api.mend("getIntegrationActivationToken", ask.clone()).await.mend_ok();
        answer["activationToken"].as_str().unwrap().to_owned()
    };
    let revoked = token(&api).await;
    let user_id = mend(&api.control()).users.last().unwrap().id;
    happen(&api.control(), &Event::UserKeyRevoked { user_id });
    let next = token(&api).await;
    assert_ne!(next, revoked);
    let world = api.control().export_world();
    assert!(api.control().saved().await);
    drop(api);

    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), world);
    assert_eq!(token(&api).await, next);
    let details = mend_body("getOrganizationDetails", json!({"orgToken": api.server.mend().org_token()}));
    let _ = api.mend_as(&next, "v1.4", details.clone()).await.mend_ok();
    api.mend_as(&revoked, "v1.4", details).await.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    let users = mend(&api.control()).users;
    assert!(users.iter().any(|user| user.id == user_id && user.is_revoked), "the user is remembered");
}
