//! Projects: lists, vitals, last modifications, and how far a scan has got.

use fixtures::builders::{WorldBuilder, days, hours, mend, world};
use fixtures::world::mend::{Event, ModificationType, RequestState};
use jiff::SignedDuration;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, mend_body};

fn one_product() -> WorldBuilder {
    world("2026-01-15T00:00:00Z".parse().unwrap())
        .mend_organization(mend::organization("Acme"))
        .mend_organization(mend::organization("Other"))
        .mend_user(mend::user("ann"))
        .mend_user(mend::user("olga").organization(&mend::token("organization", "Other")))
        .mend_product(mend::product("Shop"))
        .mend_project(mend::project("cart").comment("nightly;branch:main"))
        .mend_project(mend::project("old").without_token().uuid("5f0c3e52-1c0a-4b1e-9a57-0d2a6f6a3f11"))
}

fn api(builder: WorldBuilder) -> Api {
    Api::with(MockServer::builder().world_spec(builder.build()))
}

fn cart() -> Value {
    json!({"projectToken": mend::token("project", "cart")})
}

async fn state(api: &Api, token: &str) -> Value {
    let fields = json!({"orgToken": mend::token("organization", "Acme"), "requestToken": token});
    api.mend("getRequestState", fields).await.mend_ok()["requestState"].clone()
}

fn scan(project_token: &str) -> Event {
    Event::Scan {
        project_token: project_token.to_owned(),
        added: Vec::new(),
        removed: Vec::new(),
        source_files_changed: false,
        comment: None,
    }
}

/// MEND-PROJECTS-LIST, MEND-LIST-MESSAGE
#[tokio::test]
async fn projects_are_listed_and_an_old_one_by_its_uuid() {
    let fields = json!({"productToken": mend::token("product", "Shop")});
    let reply = api(one_product()).mend("getAllProjects", fields).await.mend_ok();
    let expected = json!({
        "projects": [
            {"projectId": 1_500_001, "projectName": "cart", "projectToken": mend::token("project", "cart")},
            {"projectId": 1_500_002, "projectName": "old", "projectToken": "5f0c3e52-1c0a-4b1e-9a57-0d2a6f6a3f11"},
        ],
        "message": "Success",
    });
    assert_eq!(reply, expected);
}

/// MEND-VITALS-PROJECTS, MEND-VITALS-SCOPES, MEND-VITALS-DATES, MEND-VITALS-REQUEST-TOKEN
#[tokio::test]
async fn vitals_are_the_same_by_organization_product_and_project() {
    let api = api(one_product());
    let expected = json!({
        "pluginName": "unified-agent",
        "requestToken": mend::token("request", "cart")[..32],
        "id": 1_500_001,
        "name": "cart",
        "token": mend::token("project", "cart"),
        "productName": "Shop",
        "creationDate": "2025-11-16 00:00:00 +0000",
        "lastUpdatedDate": "2026-01-14 00:00:00 +0000",
        "lastScanComment": "nightly;branch:main",
    });
    let of_organization = json!({"orgToken": mend::token("organization", "Acme")});
    let of_product = json!({"productToken": mend::token("product", "Shop")});
    let all = api.mend("getOrganizationProjectVitals", of_organization).await.mend_ok();
    assert_eq!(all, api.mend("getProductProjectVitals", of_product).await.mend_ok());
    assert_eq!(all["projectVitals"][0], expected);
    assert_eq!(all["projectVitals"].as_array().unwrap().len(), 2);
    let one = api.mend("getProjectVitals", cart()).await.mend_ok();
    assert_eq!(one, json!({"projectVitals": [expected]}));
}

/// MEND-VITALS-WRONG-TOKEN
#[tokio::test]
async fn vitals_refuse_a_token_of_another_kind() {
    let api = api(one_product());
    let product = mend::token("product", "Shop");
    for (request, field) in
        [("getProjectVitals", "projectToken"), ("getOrganizationProjectVitals", "orgToken")]
    {
        api.mend(request, json!({field: product})).await.mend_refused(5001, "mend.unknown-scope-token");
        let fields = json!({"productToken": product});
        api.mend(request, fields).await.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN");
    }
}

/// MEND-SCAN-LAST-MODIFICATION
#[tokio::test]
async fn last_modifications_come_newest_first_and_the_first_names_the_last_request() {
    let inventoried = mend::project("cart")
        .modified(ModificationType::Metadata, hours(1))
        .modified(ModificationType::Alerts, days(3));
    let other = mend::project("never-scanned");
    let mut spec =
        world("2026-01-15T00:00:00Z".parse().unwrap()).mend_project(inventoried).mend_project(other).build();
    spec.mend.projects[1].request_token = None;
    spec.mend.projects[1].modifications.clear();
    let api = Api::with(MockServer::builder().world_spec(spec));
    let extra = json!({"requestToken": mend::token("request", "cart")[..32]});
    let row =
        |kind: &str, time: &str| json!({"modificationType": kind, "lastModified": time, "extraData": extra});
    let expected = json!({"projectLastModifications": [
        row("METADATA", "2026-01-14 23:00:00"),
        row("SCAN", "2026-01-14 00:00:00"),
        row("ALERTS", "2026-01-12 00:00:00"),
    ]});
    assert_eq!(api.mend("getProjectLastModification", cart()).await.mend_ok(), expected);
    // Shuffled lists keep this one as it is: clients look only at the first.
    api.control().set_readings([("mend.list-order", "shuffled")]).unwrap();
    assert_eq!(api.mend("getProjectLastModification", cart()).await.mend_ok(), expected);
    let never = json!({"projectToken": mend::token("project", "never-scanned")});
    let reply = api.mend("getProjectLastModification", never).await.mend_ok();
    assert_eq!(reply, json!({"projectLastModifications": []}));
}

/// MEND-SCAN-REQUEST-STATE, MEND-SCAN-STATES
#[tokio::test]
async fn the_state_of_a_request_is_that_of_its_project() {
    let states = RequestState::ALL.iter().fold(one_product(), |builder, known| {
        builder.mend_project(mend::project(known.as_str()).state(*known))
    });
    let api = api(states);
    for known in RequestState::ALL {
        let token = &mend::token("request", known.as_str())[..32];
        assert_eq!(state(&api, token).await, known.as_str());
    }
    assert_eq!(state(&api, &mend::token("request", "cart")[..32]).await, "FINISHED");
    assert_eq!(state(&api, "00000000000000000000000000000000").await, "UNKNOWN");
    let fields = json!({"orgToken": mend::token("organization", "Acme")});
    api.mend("getRequestState", fields).await.mend_refused(3010, "MEND-SCAN-REQUEST-STATE");
}

/// MEND-SCAN-REQUEST-STATE
#[tokio::test]
async fn a_request_of_another_organization_is_unknown() {
    let api = api(one_product());
    let olga = api.server.mend().user_key_of("olga@example.com").unwrap().to_owned();
    let fields = json!({
        "orgToken": mend::token("organization", "Other"),
        "requestToken": mend::token("request", "cart")[..32],
    });
    let reply = api.mend_as(&olga, "v1.3", mend_body("getRequestState", fields)).await.mend_ok();
    assert_eq!(reply, json!({"requestState": "UNKNOWN"}));
}

/// MEND-SCAN-LAST-MODIFICATION, MEND-SCAN-REQUEST-STATE
#[tokio::test]
async fn a_client_waits_for_a_scan_as_the_vendors_script_does() {
    let api = api(one_product());
    let token = mend::token("project", "cart");
    let before = mend::token("request", "cart")[..32].to_owned();
    api.control().advance(SignedDuration::from_mins(5));
    let started = api.control().happen(&Event::ScanStarted { project_token: token.clone() }).unwrap();
    let request = started.request_token.unwrap();
    assert_ne!(request, before);
    assert_eq!(state(&api, &request).await, "IN_PROGRESS");
    assert_eq!(state(&api, &before).await, "FINISHED", "the scan before this one is over");
    api.control().advance(SignedDuration::from_mins(5));
    api.control().happen(&scan(&token)).unwrap();
    let rows = api.mend("getProjectLastModification", cart()).await.mend_ok();
    let first = &rows["projectLastModifications"][0];
    assert_eq!(first["lastModified"], "2026-01-15 00:10:00");
    assert_eq!(first["extraData"]["requestToken"], request);
    assert_eq!(state(&api, &request).await, "FINISHED");
    let vitals = api.mend("getProjectVitals", cart()).await.mend_ok();
    assert_eq!(vitals["projectVitals"][0]["requestToken"], request);
    assert_eq!(vitals["projectVitals"][0]["lastUpdatedDate"], "2026-01-15 00:10:00 +0000");
}

#[tokio::test]
async fn a_renamed_project_has_its_new_name_everywhere_and_a_deleted_one_is_gone() {
    let api = api(one_product());
    let token = mend::token("project", "cart");
    let name = "basket".to_owned();
    api.control().happen(&Event::ProjectRenamed { project_token: token.clone(), name }).unwrap();
    let vitals = api.mend("getProjectVitals", cart()).await.mend_ok();
    assert_eq!(vitals["projectVitals"][0]["name"], "basket");
    api.control().happen(&Event::ProjectDeleted { project_token: token }).unwrap();
    api.mend("getProjectVitals", cart()).await.mend_refused(5001, "mend.unknown-scope-token");
    assert_eq!(state(&api, &mend::token("request", "cart")[..32]).await, "UNKNOWN");
}
