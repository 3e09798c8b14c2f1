//! Who may call what.

use std::collections::BTreeSet;

use fixtures::builders::mend::{library, licenses, organization, policy, product, project, user};
use fixtures::world::mend::Role;
use http::Request;
use mock_server::kernel::journal::Filter;
use mock_server::{SandboxRequest, WorldChoice};
use serde_json::{Value, json};

use super::super::common::{mend_world, play, project as token_of, world};
use super::{FETCH, UPDATE, good, send};
use crate::support::{Api, mend_body, mend_request};

/// MEND-AUTH-USER-KEY, MEND-ERROR-NOT-ALLOWED
#[tokio::test]
async fn the_user_key_is_required_and_has_to_be_somebodys() {
    let api = Api::of("one-open");
    let of = |key: Value| {
        let mut body = good(&api);
        body["userKey"] = key;
        body.to_string()
    };
    let mut absent = good(&api);
    absent.as_object_mut().unwrap().remove("userKey");
    for body in [absent.to_string(), of(Value::Null), of(json!(""))] {
        let message = send(&api, body).await.mend_refused(3010, "MEND-AUTH-USER-KEY");
        assert_eq!(message, "Missing fields: userKey");
    }
    for wrong in [json!(1), json!([api.server.mend().user_key()])] {
        let _ = send(&api, of(wrong)).await.mend_refused(3000, "MEND-AUTH-USER-KEY");
    }
    let key = api.server.mend().user_key().to_owned();
    for unknown in ["0".repeat(64), key.to_uppercase() + " ", key[1..].to_owned(), api.secret().to_owned()] {
        let _ = send(&api, of(json!(unknown))).await.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    }
    let headers = mend_request("v1.4", absent.to_string());
    let (mut parts, body) = headers.into_parts();
    parts.headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
    let reply = api.raw(Request::from_parts(parts, body)).await;
    let _ = reply.mend_refused(3010, "MEND-AUTH-USER-KEY");
}

/// MEND-AUTH-SCOPE-TOKEN, MEND-ERROR-NOT-ALLOWED
#[tokio::test]
async fn a_user_sees_nothing_of_another_sandbox() {
    let api = Api::of("one-open");
    let request = SandboxRequest {
        world: Some(WorldChoice::Scene("mend-old-project".to_owned())),
        ..SandboxRequest::default()
    };
    let other = api.server.create_sandbox(request).await.unwrap();
    let theirs = other.mend();
    let their_project = other.export_world().mend.projects[0].token().to_owned();
    let fields = |token: &str| mend_body(FETCH, json!({"projectToken": token}));
    let key = api.server.mend().user_key().to_owned();
    let reply = api.mend_as(&key, "v1.4", fields(&their_project)).await;
    let _ = reply.mend_refused(5001, "mend.unknown-scope-token");
    let _ = api.mend_as(theirs.user_key(), "v1.4", fields(&their_project)).await.mend_ok();
    // Both worlds derive from the same seed; what is the same in both is each user's own.
    let own = other.journal(&Filter::default()).entries.len();
    assert_eq!(own, 1, "what our user asked is in our journal");
}

/// Two organizations, users of every kind, a product of ours that the product's administrator administers and one
/// that it doesn't.
fn organizations() -> Api {
    let epoch = world().build().epoch;
    let (ours, theirs) = (organization("Larkfield"), organization("Elsewhere"));
    let their_token = theirs.clone().build(epoch).token;
    let products = [product("Own"), product("Other"), product("Foreign").organization(&their_token)];
    let tokens = products.clone().map(|product| product.build(epoch).token);
    let mut described = world()
        .mend_organization(ours)
        .mend_organization(theirs)
        .mend_user(user("administrator"))
        .mend_user(user("auditor").role(Role::Auditor))
        .mend_user(user("member").role(Role::Member))
        .mend_user(user("product").products([tokens[0].as_str()]))
        .mend_user(user("global").role(Role::GlobalAdministrator))
        .mend_user(user("foreigner").organization(&their_token))
        .mend_policy(policy("[License] Copyleft", licenses(["GPL 2.0"])));
    for (product, name) in products.into_iter().zip(["own", "other", "foreign"]) {
        let token = product.clone().build(epoch).token;
        let copyleft = library("com.example", "copyleft", "1.0").license("GPL 2.0");
        described =
            described.mend_product(product).mend_project(project(name).product(&token).library(copyleft));
    }
    play(described)
}

/// MEND-ACCESS-ROLE, MEND-ACCESS-PRODUCT-ADMINISTRATOR, MEND-ACCESS-PRODUCT-ADMINISTRATOR-MORE,
/// `mend.auditor-writes`
#[tokio::test]
async fn who_may_call_what_follows_from_role_organization_and_product() {
    let api = organizations();
    let world = mend_world(&api);
    let organizations: Vec<&str> = world.organizations.iter().map(|row| row.token.as_str()).collect();
    let products: Vec<&str> = world.products.iter().map(|row| row.token.as_str()).collect();
    let request_token = world.projects[0].request_token.clone();
    let violation =
        world.policy_violations.iter().find(|row| row.project_token == token_of(&api, "own")).unwrap();
    let calls = [
        ("own project", mend_body(FETCH, json!({"projectToken": token_of(&api, "own")}))),
        ("other project", mend_body(FETCH, json!({"projectToken": token_of(&api, "other")}))),
        ("foreign project", mend_body(FETCH, json!({"projectToken": token_of(&api, "foreign")}))),
        ("own product", mend_body("getProductProjectVitals", json!({"productToken": products[0]}))),
        ("other product", mend_body("getProductProjectVitals", json!({"productToken": products[1]}))),
        ("organization", mend_body("getOrganizationDetails", json!({"orgToken": organizations[0]}))),
        ("foreign organization", mend_body("getOrganizationDetails", json!({"orgToken": organizations[1]}))),
        (
            "request state",
            mend_body(
                "getRequestState",
                json!({"orgToken": organizations[0], "requestToken": request_token}),
            ),
        ),
        (
            "foreign request state",
            mend_body(
                "getRequestState",
                json!({"orgToken": organizations[1], "requestToken": request_token}),
            ),
        ),
        (
            "vitals of another product's project",
            mend_body("getProjectVitals", json!({"projectToken": token_of(&api, "other")})),
        ),
        (
            "write",
            mend_body(
                UPDATE,
                json!({
                    "projectToken": token_of(&api, "own"), "wsPolicyIssueItemUuid": violation.uuid,
                    "externalIssues": [{"identifier": "WPM-1"}],
                }),
            ),
        ),
    ];
    let ours = [
        "own project",
        "other project",
        "own product",
        "other product",
        "organization",
        "request state",
        "vitals of another product's project",
        "write",
    ];
    let everything: BTreeSet<&str> = calls.iter().map(|(name, _)| *name).collect();
    let allowed: [(&str, BTreeSet<&str>); 6] = [
        ("administrator", ours.into()),
        ("auditor", ours.into()),
        ("member", BTreeSet::new()),
        (
            "product",
            ["own project", "own product", "request state", "vitals of another product's project", "write"]
                .into(),
        ),
        ("global", everything),
        ("foreigner", ["foreign project", "foreign organization", "foreign request state"].into()),
    ];
    for (name, allowed) in allowed {
        let key = api.control().user_key_of(&format!("{name}@example.com")).unwrap();
        for (call, body) in &calls {
            let reply = api.mend_as(&key, "v1.4", body.clone()).await;
            if allowed.contains(call) {
                let _ = reply.mend_ok();
            } else {
                let message = reply.mend_refused(5001, "MEND-ACCESS-ROLE");
                assert_eq!(message, "User is not allowed to perform this action", "{name}: {call}");
            }
        }
    }
    api.control().set_readings([("mend.auditor-writes", "refused")]).unwrap();
    let auditor = api.control().user_key_of("auditor@example.com").unwrap();
    for (call, body) in calls.iter().filter(|(call, _)| ours.contains(call)) {
        let reply = api.mend_as(&auditor, "v1.4", body.clone()).await;
        match *call {
            "write" => drop(reply.mend_refused(5001, "mend.auditor-writes")),
            _ => drop(reply.mend_ok()),
        }
    }
}
