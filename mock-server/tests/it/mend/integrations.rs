//! `getIntegrationActivationToken` and `getPolicyMatchesConfiguration`.

use fixtures::samples;
use fixtures::world::mend::{Event, IntegrationType, MatchType, Role};
use mock_server::kernel::journal::Filter;
use serde_json::{Value, json};

use super::common::{assert_keys, fetch, first_project, mend_world, of_organization, texts};
use crate::support::{Api, mend_body};

const TOKEN: &str = "getIntegrationActivationToken";
const MATCHES: &str = "getPolicyMatchesConfiguration";

async fn token(api: &Api, integration_type: &str) -> String {
    let fields = of_organization(api, json!({"integrationType": integration_type}));
    let answer = api.mend(TOKEN, fields).await.mend_ok();
    assert_keys(&answer, &["activationToken"]);
    answer["activationToken"].as_str().unwrap().to_owned()
}

/// The service user of an integration, once there is one.
fn service_user(api: &Api, kind: IntegrationType) -> Option<u64> {
    mend_world(api).organizations[0].integrations.get(&kind)?.service_user_id
}

/// MEND-TOKEN-ACTIVATION, MEND-TOKEN-SERVICE-USER, MEND-TOKEN-KEY
#[tokio::test]
async fn the_token_makes_calls_as_a_service_user_of_its_own() {
    let api = Api::of("one-open");
    let users = mend_world(&api).users.len();
    let kind = IntegrationType::IssueTrackerIntegration;
    assert_eq!(service_user(&api, kind), None);
    let token = token(&api, kind.as_str()).await;
    let id = service_user(&api, kind).unwrap();
    let world = mend_world(&api);
    assert_eq!(world.users.len(), users + 1);
    let user = world.users.iter().find(|user| user.id == id).unwrap();
    assert_eq!(user.role, Role::Administrator);
    assert_eq!(user.organization_token.as_deref(), Some(api.server.mend().org_token()));

    let body = mend_body("fetchProjectPolicyIssues", json!({"projectToken": first_project(&api)}));
    let answer = api.mend_as(&token, "v1.4", body.clone()).await.mend_ok();
    assert_eq!(answer, fetch(&api, &first_project(&api)).await);

    api.control().happen(&Event::UserKeyRevoked { user_id: id }).unwrap();
    let reply = api.mend_as(&token, "v1.4", body).await;
    let _ = reply.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    let _ = fetch(&api, &first_project(&api)).await;
    assert_eq!(service_user(&api, kind), None);
    assert_eq!(api.control().export_world().validate(), []);
}

/// MEND-TOKEN-SERVICE-USER, MEND-ERROR-NOT-ALLOWED
#[tokio::test]
async fn a_revoked_token_stays_dead_and_the_next_one_has_another_user() {
    let api = Api::of("one-open");
    let kind = IntegrationType::AzureDevOps;
    let body = mend_body("fetchProjectPolicyIssues", json!({"projectToken": first_project(&api)}));
    let (mut tokens, mut ids) =
        (Vec::new(), mend_world(&api).users.iter().map(|user| user.id).collect::<Vec<_>>());
    for round in 0..3 {
        let given = token(&api, kind.as_str()).await;
        let id = service_user(&api, kind).unwrap();
        assert!(!tokens.contains(&given) && !ids.contains(&id), "round {round}: neither was there before");
        let _ = api.mend_as(&given, "v1.4", body.clone()).await.mend_ok();
        api.control().happen(&Event::UserKeyRevoked { user_id: id }).unwrap();
        tokens.push(given);
        ids.push(id);
        for dead in &tokens {
            let reply = api.mend_as(dead, "v1.4", body.clone()).await;
            let _ = reply.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
            let entry = api.last_entry();
            assert_eq!(entry.operation, "fetchProjectPolicyIssues", "it is still ours to refuse");
            assert!(!serde_json::to_string(&entry).unwrap().contains(dead.as_str()));
        }
    }
    assert_ne!(token(&api, "issueTrackerIntegration").await, tokens[0]);
    assert_eq!(api.control().export_world().validate(), []);
    api.control().reset();
    assert_eq!(token(&api, kind.as_str()).await, tokens[0], "a reset undoes all of that");
}

/// MEND-TOKEN-SERVICE-USER
#[tokio::test]
async fn before_it_was_handed_out_the_token_is_nobodys() {
    let api = Api::of("one-open");
    api.control().take_snapshot("before");
    let token_now = token(&api, "azureDevOps").await;
    api.control().restore_snapshot("before").unwrap();
    let body = mend_body("fetchProjectPolicyIssues", json!({"projectToken": first_project(&api)}));
    let reply = api.mend_as(&token_now, "v1.4", body.clone()).await;
    let _ = reply.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    assert_eq!(token(&api, "azureDevOps").await, token_now, "it is the same when it is handed out again");
    let _ = api.mend_as(&token_now, "v1.4", body).await.mend_ok();
}

/// MEND-TOKEN-ACTIVATION, MEND-TOKEN-INTEGRATION-TYPE
#[tokio::test]
async fn asking_again_gives_the_same_token_and_another_type_another() {
    let api = Api::of("one-open");
    let first = token(&api, "issueTrackerIntegration").await;
    let world = api.control().export_world();
    assert_eq!(token(&api, "issueTrackerIntegration").await, first);
    assert_eq!(api.control().export_world(), world, "and makes no second user");
    let other = token(&api, "azureDevOps").await;
    assert_ne!(other, first);
    let ids = [IntegrationType::IssueTrackerIntegration, IntegrationType::AzureDevOps]
        .map(|kind| service_user(&api, kind));
    assert!(ids[0].is_some() && ids[1].is_some() && ids[0] != ids[1], "{ids:?}");
    for token in [&first, &other] {
        assert!(token.len() >= 32, "a token is no guess: {token}");
    }
}

/// MEND-TOKEN-INTEGRATION-TYPE, MEND-TOKEN-ORG-TOKEN, `mend.other-integration-type`
#[tokio::test]
async fn organization_and_type_have_to_be_named() {
    let api = Api::of("one-open");
    let before = api.control().export_world();
    let fields = json!({"integrationType": "azureDevOps"});
    let missing = api.mend(TOKEN, fields).await.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN");
    assert_eq!(missing, "Missing fields: orgToken");
    for absent in [json!({}), json!({"integrationType": null}), json!({"integrationType": ""})] {
        let reply = api.mend(TOKEN, of_organization(&api, absent)).await;
        let message = reply.mend_refused(3010, "MEND-TOKEN-INTEGRATION-TYPE");
        assert_eq!(message, "Missing fields: integrationType");
    }
    for other in ["int__1", "azuredevops", "azureDevOps ", "jira"] {
        let fields = of_organization(&api, json!({"integrationType": other}));
        let message = api.mend(TOKEN, fields).await.mend_refused(3000, "mend.other-integration-type");
        assert!(message.contains("integrationType"), "{message}");
    }
    for wrong in [json!(1), json!(["azureDevOps"])] {
        let fields = of_organization(&api, json!({"integrationType": wrong}));
        let _ = api.mend(TOKEN, fields).await.mend_refused(3000, "MEND-TOKEN-INTEGRATION-TYPE");
    }
    assert_eq!(api.control().export_world(), before);
}

#[tokio::test]
async fn neither_journal_nor_export_shows_the_token() {
    let api = Api::of("one-open");
    let token = token(&api, "issueTrackerIntegration").await;
    let body =
        mend_body("fetchProjectPolicyIssues", json!({"projectToken": first_project(&api), "x": token}));
    let _ = api.mend_as(&token, "v1.4", body).await.mend_ok();
    let journal = serde_json::to_string(&api.control().journal(&Filter::default())).unwrap();
    assert!(!journal.contains(&token), "{journal}");
    let export = serde_json::to_string(&api.control().export_world()).unwrap();
    assert!(!export.contains(&token));
}

/// MEND-MATCHES-LIST, MEND-MATCHES-FIELDS, MEND-MATCHES-TEN
#[tokio::test]
async fn the_match_types_are_those_of_the_sample() {
    let api = Api::of("one-open");
    let answer = api.mend(MATCHES, of_organization(&api, json!({}))).await.mend_ok();
    assert_eq!(answer, samples::sample("mend/getPolicyMatchesConfiguration").unwrap().value());
    let mut types = texts(&answer["matches"], "/type");
    types.sort_unstable();
    let mut all: Vec<&str> = MatchType::ALL.iter().map(|kind| kind.as_str()).collect();
    all.sort_unstable();
    assert_eq!(types, all);
    for row in answer["matches"].as_array().unwrap() {
        assert_keys(row, &["type", "name", "description"]);
    }
}

/// MEND-MATCHES-ORG-TOKEN, MEND-MATCHES-EXISTING-ORG, MEND-MATCHES-MEMBER
#[tokio::test]
async fn the_match_types_are_for_members_of_an_existing_organization() {
    use super::common::{play, world};
    use fixtures::builders::mend::{organization, product, token, user};

    let missing = Api::of("one-open").mend(MATCHES, json!({})).await;
    assert_eq!(missing.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN"), "Missing fields: orgToken");
    let elsewhere = organization("Elsewhere");
    let their_token = elsewhere.clone().build(world().build().epoch).token;
    let own_product = token("product", "Wallet");
    let api = play(
        world()
            .mend_organization(organization("Larkfield"))
            .mend_organization(elsewhere)
            .mend_user(user("sync"))
            .mend_user(user("member").role(Role::Member))
            .mend_user(user("auditor").role(Role::Auditor))
            .mend_user(user("product").products([own_product.as_str()]))
            .mend_user(user("root").role(Role::GlobalAdministrator))
            .mend_user(user("stranger").role(Role::Member).organization(&their_token))
            .mend_product(product("Wallet")),
    );
    for nothing in ["no-such-organization", " ", "\u{0}"] {
        let reply = api.mend(MATCHES, json!({"orgToken": nothing})).await;
        let _ = reply.mend_refused(5001, "mend.unknown-scope-token");
    }
    let stranger = api.control().user_key_of("stranger@example.com").unwrap();
    let roles = ["member", "product", "auditor", "sync", "root"];
    let ask = |key: String, fields: Value| {
        let api = &api;
        async move { api.mend_as(&key, "v1.4", mend_body(MATCHES, fields)).await }
    };
    let ours = of_organization(&api, json!({}));
    let _ = ask(stranger.clone(), ours.clone()).await.mend_refused(5001, "MEND-ACCESS-ROLE");
    let _ = ask(stranger, json!({"orgToken": their_token})).await.mend_ok();
    for name in roles {
        let key = api.control().user_key_of(&format!("{name}@example.com")).unwrap();
        let _ = ask(key.clone(), ours.clone()).await.mend_ok();
        let elsewhere = ask(key, json!({"orgToken": their_token})).await;
        if name == "root" {
            let _ = elsewhere.mend_ok();
        } else {
            let _ = elsewhere.mend_refused(5001, "MEND-ACCESS-ROLE");
        }
    }
}
