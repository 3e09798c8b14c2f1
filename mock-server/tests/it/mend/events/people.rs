//! What people do in the user interface: projects get other names or are deleted, keys are revoked.

use fixtures::world::mend::Event;
use serde_json::json;

use super::super::common::{fetch, issue_uuids, mend_world, of_organization, project as token_of, texts};
use super::{alerts, assert_reloads, matched, modified_now, only, two_projects, vitals};
use crate::support::mend_body;

#[tokio::test]
async fn a_renamed_project_has_its_new_name_everywhere_and_its_old_token() {
    let api = two_projects();
    let token = token_of(&api, "api");
    let event = Event::ProjectRenamed { project_token: token.clone(), name: "api-2".to_owned() };
    api.control().happen(&event).unwrap();
    assert_eq!(modified_now(&api).await, only(&[("api-2", &["METADATA"])]));
    let project = fetch(&api, &token).await["project"].clone();
    assert_eq!(project, json!({"projectName": "api-2", "projectToken": token}));
    assert_eq!(vitals(&api, "api-2").await["name"], "api-2");
    let product = mend_world(&api).products[0].token.clone();
    let listed = api.mend("getAllProjects", json!({"productToken": product})).await.mend_ok();
    let mut listed = texts(&listed["projects"], "/projectName");
    listed.sort_unstable();
    assert_eq!(listed, ["api-2", "app"]);
    assert!(alerts(&api, "api-2").await.iter().all(|alert| alert["project"] == "api-2"));
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_deleted_project_is_gone_with_all_that_belonged_to_it() {
    let api = two_projects();
    let token = token_of(&api, "api");
    let requested = vitals(&api, "api").await["requestToken"].clone();
    let violation = issue_uuids(&fetch(&api, &token).await).into_iter().next().unwrap();
    let items = json!([{"identifier": "WPM-1"}, {"identifier": "\u{10ffff}\u{10ffff}"}]);
    let fields = json!({"projectToken": token, "wsPolicyIssueItemUuid": violation, "externalIssues": items});
    let _ = api.mend("updateExternalIntegrationIssues", fields).await.mend_ok();
    let of_project = json!({
        "projectToken": token,
        "policy": {
            "name": "own", "owner": {"email": "sync@example.com"},
            "filter": {"type": "RESOURCE_NAME_REGEX", "resourceName": "*"}, "action": {"type": "REJECT"},
        },
    });
    let _ = api.mend("addProjectPolicy", of_project).await.mend_ok();
    let others = matched(&api, "app").await;
    api.control().happen(&Event::ProjectDeleted { project_token: token.clone() }).unwrap();
    let reply = api.mend("fetchProjectPolicyIssues", json!({"projectToken": token})).await;
    let _ = reply.mend_refused(5001, "mend.unknown-scope-token");
    let all = of_organization(&api, json!({}));
    let modified = api.mend("getOrganizationLastModifiedProjects", all.clone()).await.mend_ok();
    assert!(!texts(&modified["lastModifiedProjects"], "/apiToken").contains(&token.as_str()));
    let vitals = api.mend("getOrganizationProjectVitals", all.clone()).await.mend_ok();
    assert_eq!(texts(&vitals["projectVitals"], "/name"), ["app"]);
    let alerts = api.mend("getOrganizationAlerts", all.clone()).await.mend_ok();
    assert!(!texts(&alerts["alerts"], "/projectToken").contains(&token.as_str()));
    let mut state = all;
    state["requestToken"] = requested;
    assert_eq!(api.mend("getRequestState", state).await.mend_ok()["requestState"], "UNKNOWN");
    assert_eq!(matched(&api, "app").await, others);
    let world = serde_json::to_string(&mend_world(&api)).unwrap();
    for trace in [token.as_str(), violation.as_str(), "WPM-1", "\u{10ffff}", "\"own\""] {
        assert!(!world.contains(trace), "{trace} is still there");
    }
    assert_reloads(&api).await;
}

/// MEND-ERROR-NOT-ALLOWED
#[tokio::test]
async fn a_revoked_key_stops_working_and_the_policies_of_its_user_stay() {
    let api = two_projects();
    let before = matched(&api, "api").await;
    let id = mend_world(&api).users[0].id;
    let token = of_organization(&api, json!({"integrationType": "azureDevOps"}));
    let service = api.mend("getIntegrationActivationToken", token).await.mend_ok()["activationToken"].clone();
    let key = api.server.mend().user_key().to_owned();
    api.control().happen(&Event::UserKeyRevoked { user_id: id }).unwrap();
    let body = mend_body("fetchProjectPolicyIssues", json!({"projectToken": token_of(&api, "api")}));
    let _ = api.mend_as(&key, "v1.4", body.clone()).await.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    let answer = api.mend_as(service.as_str().unwrap(), "v1.4", body).await.mend_ok();
    assert_eq!(issue_uuids(&answer), before.values().map(|(uuid, _)| uuid.clone()).collect());
    let owner = json!({"id": id, "email": "sync@example.com", "name": "sync"});
    assert_eq!(answer["issues"][0]["policy"]["owner"], owner, "the owner is known as before");
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_key_is_revoked_once_and_its_user_stays_a_user() {
    let api = two_projects();
    let user = mend_world(&api).users.remove(0);
    let revoke = || api.control().happen(&Event::UserKeyRevoked { user_id: user.id });
    let _ = revoke().unwrap();
    let after = mend_world(&api).users.remove(0);
    assert!(after.is_revoked);
    assert_eq!((after.id, &after.email, &after.name), (user.id, &user.email, &user.name));
    let environment = api.control().environment();
    assert!(environment.mend_users.is_empty() && !environment.env.contains_key("MEND_USER_KEY"));
    let before = api.control().export_world();
    assert!(revoke().is_err(), "there is no key any more");
    assert_eq!(api.control().export_world(), before);
    // The same world, put in place again, gives the key to nobody.
    api.control().replace_world(before.clone()).unwrap();
    assert_eq!(api.control().export_world(), before);
    assert!(api.control().environment().mend_users.is_empty());
}
