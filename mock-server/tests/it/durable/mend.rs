//! What changed at Mend is there after a restart, whichever row holds it.

mod memory;

use std::collections::BTreeSet;
use std::path::Path;

use fixtures::strategies::mend_worlds;
use fixtures::world::MendWorld;
use fixtures::world::mend::{AlertStatus, Event, LibrarySpec, LibraryUse, ProjectSpec, VulnerabilitySpec};
use jiff::SignedDuration;
use mock_server::{Control, MockServer};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{open, reopened};
use crate::support::{Api, block_on, mend_body, proptest_cases};

fn api(directory: &Path) -> Api {
    Api::with(MockServer::builder().world("mend-every-match-type").state(directory))
}

fn mend(control: &Control) -> MendWorld {
    control.export_world().mend
}

fn project(control: &Control, name: &str) -> ProjectSpec {
    mend(control).projects.into_iter().find(|project| project.name == name).unwrap()
}

fn library(control: &Control, artifact: &str) -> LibrarySpec {
    mend(control).libraries.into_iter().find(|library| library.artifact_id == artifact).unwrap()
}

fn happen(control: &Control, event: &Event) {
    control.advance(SignedDuration::from_secs(1));
    control.happen(event).unwrap();
}

fn found(key_uuid: &str, path: &str) -> LibraryUse {
    serde_json::from_value(json!({"key_uuid": key_uuid, "local_paths": [path]})).unwrap()
}

/// What happens without a client.
fn events(control: &Control) {
    let token = project(control, "wallet-api").token().to_owned();
    let (gone, moved, plain) =
        (library(control, "gav-match"), library(control, "low"), library(control, "matched-by-none"));
    let vulnerability = mend(control).vulnerabilities.remove(0);
    happen(
        control,
        &Event::Scan {
            project_token: token.clone(),
            added: vec![found(&moved.key_uuid, "/elsewhere/low.jar")],
            removed: vec![gone.key_uuid],
            source_files_changed: true,
            comment: Some("the second scan".to_owned()),
        },
    );
    happen(control, &Event::ScanStarted { project_token: token });
    let new = LibrarySpec {
        key_uuid: "00000000-0000-4000-8000-000000000001".to_owned(),
        key_id: 1,
        version: "2.0.0".to_owned(),
        ..plain.clone()
    };
    happen(control, &Event::LibraryAdded { library: Box::new(new.clone()) });
    let published = VulnerabilitySpec { name: "EXAMPLE-2026-0001".to_owned(), score: 9.5, ..vulnerability };
    let key_uuids = BTreeSet::from([plain.key_uuid.clone(), new.key_uuid]);
    happen(control, &Event::VulnerabilityPublished { vulnerability: Box::new(published), key_uuids });
    let name = moved.vulnerabilities.first().unwrap().clone();
    happen(control, &Event::VulnerabilityRescored { name, score: Some(9.9), cvss3: None });
    let licenses = BTreeSet::from(["GPL 3.0".to_owned()]);
    happen(control, &Event::LicensesChanged { key_uuid: plain.key_uuid, licenses });
    let alerts = mend(control).alerts;
    let alert = alerts.iter().find(|alert| alert.status == AlertStatus::Active).unwrap();
    let comments = Some("not ours".to_owned());
    happen(control, &Event::AlertIgnored { alert_uuid: alert.uuid.clone(), comments });
    let project_token = project(control, "business-api").token().to_owned();
    happen(control, &Event::ProjectRenamed { project_token, name: "business-gateway".to_owned() });
}

/// What clients do.
async fn requests(api: &Api) {
    let control = api.control();
    let token = project(&control, "wallet-api").token().to_owned();
    let policy = json!({
        "name": "Everything vulnerable",
        "owner": {"email": mend(&control).users[0].email},
        "filter": {"type": "VULNERABILITY_SCORE", "scoreFrom": 0.0, "scoreTo": 10.0},
        "action": {"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}},
    });
    let send = async |request_type: &str, mut fields: Value| {
        control.advance(SignedDuration::from_secs(1));
        fields["projectToken"] = json!(token);
        api.mend(request_type, fields).await.mend_ok()
    };
    let before = mend(&control).policies;
    let _ = send("addProjectPolicy", json!({"policy": policy})).await;
    let disabled = json!({"policy": {"id": before[0].id, "enabled": false}});
    let _ = send("updateProjectPolicy", disabled).await;
    let _ = send("removeProjectPolicies", json!({"policyIds": [before[1].id]})).await;
    let violation = violation(&control, &token);
    for status in ["open", "done"] {
        let issue = json!({"identifier": "SEC-1", "url": "tracker.example/SEC-1", "status": status});
        let fields = json!({"wsPolicyIssueItemUuid": violation, "externalIssues": [issue]});
        let _ = send("updateExternalIntegrationIssues", fields).await;
    }
    let _ = send("saveProjectTag", json!({"tagKey": "team", "tagValue": "payments"})).await;
}

/// An open violation of a project.
fn violation(control: &Control, project_token: &str) -> String {
    let world = mend(control);
    let open = fixtures::world::mend::ViolationStatus::Open;
    let mine =
        world.policy_violations.iter().find(|row| row.project_token == project_token && row.status == open);
    mine.unwrap().uuid.clone()
}

/// What a client sees of everything that changed.
async fn shown(api: &Api) -> Vec<String> {
    let mut shown = Vec::new();
    for project in mend(&api.control()).projects {
        for request_type in ["fetchProjectPolicyIssues", "getProjectAlerts", "getProjectTags"] {
            let fields = json!({"projectToken": project.token(), "policyActionType": "CREATE_ISSUE"});
            shown.push(api.mend(request_type, fields).await.text);
        }
    }
    let fields = json!({"orgToken": api.server.mend().org_token()});
    for request_type in ["getOrganizationLastModifiedProjects", "getOrganizationPolicies"] {
        shown.push(api.mend(request_type, fields.clone()).await.text);
    }
    shown
}

#[tokio::test]
async fn every_kind_of_row_is_there_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let start = api.control().export_world();
    events(&api.control());
    requests(&api).await;
    assert!(api.control().saved().await);
    let before = (api.control().export_world(), api.control().now(), api.control().environment().mend_users);
    let seen = shown(&api).await;
    let database = rusqlite::Connection::open(directory.path().join("state.sqlite")).unwrap();
    let kinds = |condition: &str| -> Vec<String> {
        let query = format!("SELECT DISTINCT kind FROM rows WHERE {condition} ORDER BY kind");
        let mut statement = database.prepare(&query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let every_kind = [
        "alert",
        "external_issue",
        "inventory",
        "library",
        "modification",
        "policy",
        "product",
        "project",
        "violation",
        "vulnerability",
    ];
    assert_eq!(kinds("true"), every_kind.map(|kind| format!("mend.{kind}")), "nothing was written whole");
    assert_eq!(kinds("value = 'null'"), ["mend.inventory", "mend.policy"], "what is gone is said to be gone");
    drop(database);
    drop(api);

    let (api, _directory) = reopened(directory).await;
    let after = (api.control().export_world(), api.control().now(), api.control().environment().mend_users);
    assert_eq!(after, before);
    assert_eq!(shown(&api).await, seen);
    api.control().reset();
    assert_eq!(api.control().export_world(), start);
}

#[tokio::test]
async fn what_takes_other_things_with_it_is_there_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let control = api.control();
    let project_token = project(&control, "wallet-api").token().to_owned();
    let organization = api.server.mend().org_token().to_owned();
    let fields = json!({"orgToken": organization, "integrationType": "issueTrackerIntegration"});
    let _ = api.mend("getIntegrationActivationToken", fields).await.mend_ok();
    happen(&control, &Event::ProjectDeleted { project_token });
    let users = mend(&control).users;
    assert_eq!(users.len(), 3, "the token made a service user");
    for user in users {
        happen(&control, &Event::UserKeyRevoked { user_id: user.id });
    }
    assert!(control.saved().await);
    let before = control.export_world();
    drop((control, api));
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), before);
}

#[tokio::test]
async fn ids_at_mend_go_on_where_they_were() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let scan = |control: &Control| {
        let project_token = project(control, "wallet-api").token().to_owned();
        let scan = json!({"type": "mend.scan", "project_token": project_token});
        let scan: Event = serde_json::from_value(scan).unwrap();
        control.happen(&scan).unwrap().request_token.unwrap()
    };
    let first = scan(&api.control());
    assert!(api.control().saved().await);
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_ne!(scan(&api.control()), first, "no token is given twice");
}

#[tokio::test]
async fn user_keys_and_activation_tokens_work_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let (key, organization) =
        (api.server.mend().user_key().to_owned(), api.server.mend().org_token().to_owned());
    let ask = json!({"orgToken": organization, "integrationType": "issueTrackerIntegration"});
    let token = api.mend("getIntegrationActivationToken", ask.clone()).await.mend_ok();
    let token = token["activationToken"].as_str().unwrap().to_owned();
    drop(api);

    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.server.mend().user_key(), key);
    let details = mend_body("getOrganizationDetails", json!({"orgToken": organization}));
    for secret in [&key, &token] {
        let _ = api.mend_as(secret, "v1.4", details.clone()).await.mend_ok();
    }
    let again = api.mend("getIntegrationActivationToken", ask).await.mend_ok();
    assert_eq!(again["activationToken"], token.as_str());
    api.control().reset();
    api.mend_as(&token, "v1.4", details).await.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
}

/// Well-known credentials are those that a server on the loopback interface gives everywhere.
#[tokio::test]
async fn well_known_credentials_are_forgotten_when_the_server_can_be_reached_from_elsewhere() {
    let directory = TempDir::new().unwrap();
    let api = api(directory.path());
    let organization = api.server.mend().org_token().to_owned();
    let ask = json!({"orgToken": organization, "integrationType": "issueTrackerIntegration"});
    let token = api.mend("getIntegrationActivationToken", ask.clone()).await.mend_ok();
    let key = api.server.mend().user_key().to_owned();
    drop(api);

    let everywhere = "0.0.0.0:0".parse().unwrap();
    let server = loop {
        match MockServer::builder().state(directory.path()).bind(everywhere).admin_token("t").start().await {
            Ok(server) => break server,
            Err(mock_server::StartError::State(mock_server::durable::OpenError::Locked { .. })) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let api = Api::around(server);
    assert_ne!(api.server.mend().user_key(), key);
    let now = api.mend("getIntegrationActivationToken", ask).await.mend_ok();
    assert_ne!(now["activationToken"], token["activationToken"]);
    let details = mend_body("getOrganizationDetails", json!({"orgToken": organization}));
    for well_known in [key.as_str(), token["activationToken"].as_str().unwrap()] {
        let refused = api.mend_as(well_known, "v1.4", details.clone()).await;
        refused.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    }
    let current = now["activationToken"].as_str().unwrap();
    let _ = api.mend_as(current, "v1.4", details).await.mend_ok();
}

proptest! {
    #![proptest_config(proptest_cases(8))]

    #[test]
    fn any_history_at_mend_is_the_same_after_a_restart(
        world in mend_worlds(),
        steps in proptest::collection::vec((0..6_u8, any::<usize>(), any::<usize>()), 1..12),
    ) {
        let directory = TempDir::new().unwrap();
        let api = Api::with(MockServer::builder().world_spec(world).state(directory.path()));
        for (kind, one, other) in steps {
            api.control().advance(SignedDuration::from_secs(1));
            if let Some(event) = step(&mend(&api.control()), kind, one, other) {
                // What can't happen changes nothing.
                let _ = api.control().happen(&event);
                prop_assert_eq!(api.control().export_world().validate(), []);
            }
        }
        prop_assert!(block_on(api.control().saved()));
        let before = api.control().export_world();
        drop(api);
        let api = open(&MockServer::builder().state(directory.path()));
        prop_assert_eq!(api.control().export_world(), before);
    }
}

/// Something that may happen in a world; the numbers say to what.
fn step(world: &MendWorld, kind: u8, one: usize, other: usize) -> Option<Event> {
    let project = world.projects.get(one % world.projects.len().max(1))?;
    let library = world.libraries.get(other % world.libraries.len().max(1))?;
    let project_token = project.token().to_owned();
    let is_there = project.inventory.iter().any(|used| used.key_uuid == library.key_uuid);
    let key_uuid = library.key_uuid.clone();
    Some(match kind {
        0 | 1 => Event::Scan {
            project_token,
            added: if is_there { vec![] } else { vec![found(&key_uuid, "/lib.jar")] },
            removed: if is_there { vec![key_uuid] } else { vec![] },
            source_files_changed: kind == 1,
            comment: None,
        },
        2 => {
            let licenses = world.licenses.get(one % world.licenses.len().max(1))?;
            Event::LicensesChanged { key_uuid, licenses: BTreeSet::from([licenses.name.clone()]) }
        }
        3 => {
            let known = world.vulnerabilities.get(one % world.vulnerabilities.len().max(1))?;
            let score = [1.0, 5.5, 7.0, 9.8][other % 4];
            Event::VulnerabilityRescored { name: known.name.clone(), score: Some(score), cvss3: None }
        }
        4 => {
            let alert = world.alerts.get(other % world.alerts.len().max(1))?;
            Event::AlertIgnored { alert_uuid: alert.uuid.clone(), comments: None }
        }
        _ if one.is_multiple_of(5) => Event::ProjectDeleted { project_token },
        _ => Event::ProjectRenamed { project_token, name: format!("renamed {other}") },
    })
}
