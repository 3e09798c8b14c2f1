//! What becomes of the requests that scanned a project.

use fixtures::world::mend::{Event, RequestState};
use serde_json::json;

use super::super::common::{mend_world, of_organization, project as token_of};
use super::{assert_reloads, scan, two_projects};
use crate::support::Api;

async fn state(api: &Api, token: &str) -> String {
    let fields = of_organization(api, json!({"requestToken": token}));
    api.mend("getRequestState", fields).await.mend_ok()["requestState"].as_str().unwrap().to_owned()
}

fn begun(api: &Api) -> String {
    let project_token = token_of(api, "api");
    api.control().happen(&Event::ScanStarted { project_token }).unwrap().request_token.unwrap()
}

/// MEND-SCAN-STATES
#[tokio::test]
async fn a_scan_that_another_overtakes_was_skipped() {
    let api = two_projects();
    let (first, second) = (begun(&api), begun(&api));
    assert_eq!(state(&api, &first).await, "SKIPPED");
    assert_eq!(state(&api, &second).await, "IN_PROGRESS");
    assert_reloads(&api).await;
    let ended = api.control().happen(&scan(&api, &[], &[])).unwrap().request_token.unwrap();
    assert_eq!(ended, second);
    assert_eq!(state(&api, &first).await, "SKIPPED", "it never finished");
    assert_eq!(state(&api, &second).await, "FINISHED");
}

/// MEND-SCAN-REQUEST-STATE
#[tokio::test]
async fn a_hundred_earlier_requests_are_known_with_their_states() {
    let api = two_projects();
    let mut world = api.control().export_world();
    world.mend.projects[0].request_state = Some(RequestState::Failed);
    api.control().replace_world(world).unwrap();
    let failed = mend_world(&api).projects[0].request_token.clone().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..100 {
        tokens.push(api.control().happen(&scan(&api, &[], &[])).unwrap().request_token.unwrap());
    }
    assert_eq!(state(&api, &failed).await, "FAILED");
    assert_eq!(mend_world(&api).projects[0].earlier_requests.len(), 100);
    tokens.push(api.control().happen(&scan(&api, &[], &[])).unwrap().request_token.unwrap());
    assert_eq!(state(&api, &failed).await, "UNKNOWN", "the oldest is forgotten");
    for token in &tokens {
        assert_eq!(state(&api, token).await, "FINISHED");
    }
    assert_reloads(&api).await;
    let project_token = token_of(&api, "api");
    api.control().happen(&Event::ProjectDeleted { project_token }).unwrap();
    for token in tokens {
        assert_eq!(state(&api, &token).await, "UNKNOWN");
    }
}
