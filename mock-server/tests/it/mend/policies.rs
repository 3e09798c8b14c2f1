//! Adding, getting, updating and removing policies.

mod bodies;
mod traces;

use fixtures::builders::{days, mend};
use fixtures::strategies::EPOCH;
use fixtures::world::WorldSpec;
use fixtures::world::mend::{Filter, GlobalOrganizationSpec, GroupSpec, Role};
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

/// The four scopes: how requests call them, which token they take, and what their policies say of themselves.
const SCOPES: [(&str, &str, &str); 4] = [
    ("GlobalOrganization", "globalOrgToken", "DOMAIN"),
    ("Organization", "orgToken", "DOMAIN"),
    ("Product", "productToken", "PRODUCT"),
    ("Project", "projectToken", "PROJECT"),
];

/// One project with a library under the GPL and a library with a vulnerability; next to its organization another
/// one, and above both the global one.
fn world() -> WorldSpec {
    let (first, second) = (mend::token("organization", "First"), mend::token("organization", "Second"));
    let mut world = fixtures::builders::world(EPOCH)
        .mend_organization(mend::organization("First"))
        .mend_organization(mend::organization("Second"))
        .mend_user(mend::user("root").id(1).role(Role::GlobalAdministrator))
        .mend_user(mend::user("ada").id(2).organization(&first))
        .mend_user(mend::user("grace").id(3).organization(&second))
        .mend_product(mend::product("Wallet").organization(&first))
        .mend_product(mend::product("Elsewhere").organization(&second))
        .mend_project(
            mend::project("api")
                .product(&mend::token("product", "Wallet"))
                .library(mend::library("org.example", "copyleft", "1.0").licenses(["GPL 2.0", "MIT"]))
                .library(mend::library("org.example", "leaky", "1.0").vulnerability("CVE-2021-1")),
        )
        .build();
    world.mend.global_organization =
        Some(GlobalOrganizationSpec { name: "All".to_owned(), token: mend::token("global", "All") });
    world.mend.groups = [(31, first), (32, second)]
        .map(|(id, organization_token)| GroupSpec { id, name: format!("group {id}"), organization_token })
        .into();
    world
}

fn api() -> Api {
    Api::with(MockServer::builder().world_spec(world()))
}

fn under(readings: &[(&str, &str)]) -> Api {
    let builder = MockServer::builder().world_spec(world());
    let builder = readings.iter().fold(builder, |builder, (id, value)| builder.reading(id, value).unwrap());
    Api::with(builder)
}

/// The token of a scope, in its field.
fn scoped(scope: &str) -> Value {
    match scope {
        "GlobalOrganization" => json!({"globalOrgToken": mend::token("global", "All")}),
        "Organization" => json!({"orgToken": mend::token("organization", "First")}),
        "Product" => json!({"productToken": mend::token("product", "Wallet")}),
        _ => json!({"projectToken": mend::token("project", "api")}),
    }
}

/// A policy about the GPL that asks for issues.
fn copyleft() -> Value {
    json!({
        "name": "[License] Copyleft",
        "owner": {"email": "ada@example.com"},
        "filter": {"type": "LICENSE", "licenses": [{"id": 1, "name": "GPL 2.0"}]},
        "action": {"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}},
    })
}

/// The same with another value at a pointer; `null` takes the value away.
fn with(mut policy: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    policy.pointer_mut(parent).unwrap()[field] = value;
    policy
}

async fn ask(api: &Api, verb: &str, scope: &str, field: &str, value: Value) -> Reply {
    let mut body = scoped(scope);
    body[field] = value;
    let noun = if verb == "remove" || verb == "get" { "Policies" } else { "Policy" };
    api.mend(&format!("{verb}{scope}{noun}"), body).await
}

async fn add(api: &Api, scope: &str, policy: Value) -> Reply {
    ask(api, "add", scope, "policy", policy).await
}

async fn update(api: &Api, scope: &str, policy: Value) -> Reply {
    ask(api, "update", scope, "policy", policy).await
}

async fn listed(api: &Api, scope: &str, with_inherited: bool) -> Vec<Value> {
    let reply = ask(api, "get", scope, "aggregatePolicies", json!(with_inherited)).await.mend_ok();
    assert_eq!(reply.as_object().unwrap().len(), 1);
    reply["policies"].as_array().unwrap().clone()
}

async fn issues(api: &Api) -> Vec<Value> {
    let reply = api.mend("fetchProjectPolicyIssues", scoped("Project")).await.mend_ok();
    reply["issues"].as_array().unwrap().clone()
}

/// Asserts that a policy's fields come in the order of the page's example.
fn assert_order(text: &str) {
    let fields = [
        "id",
        "name",
        "owner",
        "creationTime",
        "priority",
        "filter",
        "inclusive",
        "action",
        "productLevel",
        "enabled",
        "policyContext",
    ];
    let places = fields.map(|field| text.find(&format!("{field:?}:")).unwrap());
    assert!(places.is_sorted(), "{text}");
}

/// MEND-POLICY-ADD, MEND-POLICY-ADD-ANSWER, MEND-POLICY-CONTEXT, MEND-POLICY-GET
#[tokio::test]
async fn a_policy_is_added_in_each_scope_and_shown_there() {
    let api = api();
    let mut ids = Vec::new();
    for (scope, token, context) in SCOPES {
        assert!(scoped(scope).get(token).is_some());
        let reply = add(&api, scope, copyleft()).await;
        assert_order(&reply.text);
        let added = reply.mend_ok();
        let expected = json!({
            "id": added["id"],
            "name": "[License] Copyleft",
            "owner": {"id": 2, "email": "ada@example.com", "name": "ada"},
            "creationTime": api.control().now().strftime("%Y-%m-%d").to_string(),
            "priority": 1,
            "filter": {
                "type": "LICENSE",
                "licenses": [{"id": 1, "name": "GPL 2.0"}],
                "scoreFrom": 0.0,
                "scoreTo": 0.0,
            },
            "inclusive": false,
            "action": {"type": "CREATE_ISSUE", "failPolicyCheck": false},
            "productLevel": false,
            "enabled": true,
            "policyContext": context,
        });
        assert_eq!(added, expected);
        assert_eq!(listed(&api, scope, false).await, std::slice::from_ref(&added));
        ids.push(added["id"].as_u64().unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(issues(&api).await.len(), 1, "the project's policy has the say");
    assert_eq!(issues(&api).await[0]["policy"]["id"], ids[3]);
}

/// MEND-FETCH-POLICY-MATCH
#[tokio::test]
async fn a_policy_of_a_match_says_what_matches_and_where_to_look() {
    for (value, key) in [("capital", "Url"), ("lower", "url")] {
        let api = under(&[("mend.policy-url-key", value)]);
        let filter = json!({"type": "LICENSE", "licenses": [{"name": "MIT"}, {"name": "GPL 2.0"}]});
        let added = add(&api, "Project", with(copyleft(), "/filter", filter)).await.mend_ok();
        let reply = api.mend("fetchProjectPolicyIssues", scoped("Project")).await;
        let first =
            format!(r#""policy":{{"policyMatch":{{"type":"LICENSE","value":"GPL 2.0, MIT"}},"{key}":""#);
        assert!(reply.text.contains(&first), "{}", reply.text);
        let policy = reply.mend_ok()["issues"][0]["policy"].as_object().unwrap().clone();
        let url = policy[key].as_str().unwrap();
        assert!(url.ends_with(&format!(";policy={}", added["id"])), "{url}");
        let mut without = policy;
        without.remove("policyMatch");
        without.remove(key);
        assert_eq!(Value::Object(without), added);
    }
}

/// MEND-POLICY-ISSUE-SETTINGS, MEND-POLICY-ISSUE-SETTINGS-UNSEEN, MEND-FETCH-NEW-TRACKER
#[tokio::test]
async fn only_policies_with_issue_settings_are_served_and_the_settings_are_not_shown() {
    let api = api();
    let legacy = with(copyleft(), "/action/issueSettings", Value::Null);
    let legacy = add(&api, "Project", legacy).await.mend_ok();
    assert_eq!(issues(&api).await, [] as [Value; 0]);
    assert_eq!(
        listed(&api, "Project", false).await[0]["action"],
        json!({"type": "CREATE_ISSUE", "failPolicyCheck": false})
    );
    let settings =
        json!({"type": "CREATE_ISSUE", "issueSettings": {"issueTrackerType": "COMMON_ISSUE_TRACKER"}});
    let change = json!({"id": legacy["id"], "action": settings});
    assert_eq!(update(&api, "Project", change).await.mend_ok(), legacy);
    assert_eq!(issues(&api).await.len(), 1);
    // Sending back what is shown does not lose the settings; another type of action does.
    let shown = listed(&api, "Project", false).await.remove(0);
    update(&api, "Project", shown.clone()).await.mend_ok();
    assert_eq!(issues(&api).await.len(), 1);
    update(&api, "Project", json!({"id": legacy["id"], "action": {"type": "REJECT"}})).await.mend_ok();
    update(&api, "Project", shown).await.mend_ok();
    assert_eq!(issues(&api).await, [] as [Value; 0]);
}

/// MEND-POLICY-UPDATE-GIVEN, MEND-POLICY-UPDATE-ANSWER
#[tokio::test]
async fn an_update_changes_what_it_gives_and_nothing_else() {
    let api = api();
    for (scope, ..) in SCOPES {
        let added = add(&api, scope, copyleft()).await.mend_ok();
        let before = listed(&api, scope, false).await;
        for (pointer, value) in [
            ("/name", json!("Renamed")),
            ("/owner", json!({"id": 1, "email": "root@example.com", "name": "root"})),
            ("/priority", json!(7)),
            ("/enabled", json!(false)),
            ("/inclusive", json!(true)),
            ("/filter", bodies::filters().remove(2)),
            ("/action", json!({"type": "REJECT", "failPolicyCheck": false})),
        ] {
            let change = with(json!({"id": added["id"]}), pointer, value.clone());
            let updated = update(&api, scope, change).await.mend_ok();
            assert_eq!(updated, with(added.clone(), pointer, value.clone()));
            assert_eq!(listed(&api, scope, false).await, [updated]);
            let back = update(&api, scope, added.clone()).await.mend_ok();
            assert_eq!(back, added, "the other way round");
        }
        assert_eq!(listed(&api, scope, false).await, before);
        ask(&api, "remove", scope, "policyIds", json!([added["id"]])).await.mend_ok();
    }
}

/// MEND-POLICY-UPDATE-ID
#[tokio::test]
async fn an_update_names_a_policy_of_its_scope() {
    let api = api();
    let added = add(&api, "Product", copyleft()).await.mend_ok();
    let message =
        update(&api, "Product", json!({"name": "x"})).await.mend_refused(3010, "MEND-POLICY-UPDATE-ID");
    assert_eq!(message, "Missing fields: policy.id");
    for id in [json!(999), json!("1"), json!(-1), json!(1.5)] {
        update(&api, "Product", json!({"id": id, "name": "x"}))
            .await
            .mend_refused(3000, "MEND-POLICY-UPDATE-ID");
    }
    for scope in ["GlobalOrganization", "Organization", "Project"] {
        let change = json!({"id": added["id"], "name": "x"});
        update(&api, scope, change).await.mend_refused(3000, "MEND-POLICY-UPDATE-ID");
    }
    assert_eq!(listed(&api, "Product", false).await, [added]);
}

/// MEND-POLICY-REMOVE-IDS, MEND-POLICY-REMOVE-ANSWER
#[tokio::test]
async fn removing_counts_the_policies_of_the_scope() {
    let api = api();
    for (scope, ..) in SCOPES {
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(add(&api, scope, copyleft()).await.mend_ok()["id"].clone());
        }
        let other = if scope == "Project" { "Product" } else { "Project" };
        let others = add(&api, other, copyleft()).await.mend_ok()["id"].clone();
        let remove = |ids: Value| ask(&api, "remove", scope, "policyIds", ids);
        let reply = remove(json!([ids[0], ids[0], ids[2], others, 1])).await.mend_ok();
        assert_eq!(reply, json!({"removedPolicies": 2}));
        assert_eq!(listed(&api, scope, false).await.len(), 1);
        assert_eq!(remove(json!([])).await.mend_ok(), json!({"removedPolicies": 0}));
        for bad in [json!("1"), json!(["1"]), json!([-1]), json!({}), json!([1.5])] {
            remove(bad).await.mend_refused(3000, "MEND-POLICY-REMOVE-IDS");
        }
        let message = remove(Value::Null).await.mend_refused(3010, "MEND-POLICY-REMOVE-IDS");
        assert_eq!(message, "Missing fields: policyIds");
        assert_eq!(remove(json!([ids[1]])).await.mend_ok(), json!({"removedPolicies": 1}));
        let reply = ask(&api, "remove", other, "policyIds", json!([others])).await.mend_ok();
        assert_eq!(reply, json!({"removedPolicies": 1}));
    }
    assert_eq!(issues(&api).await, [] as [Value; 0]);
}

/// MEND-POLICY-AGGREGATE
#[tokio::test]
async fn inherited_policies_are_shown_unless_declined_narrow_scopes_and_low_priorities_first() {
    let api = api();
    let mut ids = Vec::new();
    for (scope, ..) in SCOPES {
        let second = add(&api, scope, with(copyleft(), "/priority", json!(2))).await.mend_ok();
        let first = add(&api, scope, with(copyleft(), "/priority", json!(1))).await.mend_ok();
        let also_first = add(&api, scope, with(copyleft(), "/priority", json!(1))).await.mend_ok();
        let last = add(&api, scope, copyleft()).await.mend_ok();
        assert_eq!(last["priority"], 3, "after the others of its scope");
        ids.push([&first, &also_first, &second, &last].map(|policy| policy["id"].clone()));
        let shown =
            |policies: &[Value]| policies.iter().map(|policy| policy["id"].clone()).collect::<Vec<_>>();
        assert_eq!(shown(&listed(&api, scope, false).await), ids[ids.len() - 1]);
        let inherited: Vec<Value> = ids.iter().rev().flatten().cloned().collect();
        assert_eq!(shown(&listed(&api, scope, true).await), inherited);
        let default = api.mend(&format!("get{scope}Policies"), scoped(scope)).await.mend_ok();
        assert_eq!(shown(default["policies"].as_array().unwrap()), inherited);
    }
    let reply = ask(&api, "get", "Project", "aggregatePolicies", json!("false")).await;
    reply.mend_refused(3000, "MEND-POLICY-AGGREGATE");
    let of_another = json!({"orgToken": mend::token("organization", "Second")});
    let of_another = api.mend("getOrganizationPolicies", of_another).await.mend_ok();
    assert_eq!(of_another["policies"].as_array().unwrap().len(), 4, "those of the global organization");
}

#[tokio::test]
async fn shuffled_lists_have_the_same_policies_in_another_order() {
    let ids = async |order| {
        let api = under(&[("mend.list-order", order)]);
        let mut ids = Vec::new();
        for _ in 0..12 {
            add(&api, "Project", copyleft()).await.mend_ok();
        }
        for policy in listed(&api, "Project", true).await {
            ids.push(policy["id"].as_u64().unwrap());
        }
        ids
    };
    let (stable, mut shuffled) = (ids("stable").await, ids("shuffled").await);
    assert!(stable.is_sorted());
    assert_ne!(shuffled, stable);
    shuffled.sort_unstable();
    assert_eq!(shuffled, stable);
}

#[tokio::test]
async fn product_level_is_false_or_says_that_the_policy_is_a_products() {
    for (reading, of_product) in [("false", false), ("by-scope", true)] {
        let api = under(&[("mend.product-level", reading)]);
        for (scope, ..) in SCOPES {
            let added = add(&api, scope, copyleft()).await.mend_ok();
            assert_eq!(added["productLevel"], of_product && scope == "Product", "{scope}");
        }
    }
}

#[tokio::test]
async fn an_owner_whose_key_was_revoked_keeps_name_and_email() {
    let api = api();
    let owner = add(&api, "Project", copyleft()).await.mend_ok()["owner"].take();
    api.control().happen(&fixtures::world::mend::Event::UserKeyRevoked { user_id: 2 }).unwrap();
    assert_eq!(listed(&api, "Project", true).await[0]["owner"], owner);
    assert_eq!(issues(&api).await[0]["policy"]["owner"], owner);
}

#[tokio::test]
async fn a_new_policy_has_another_number_than_those_that_matched_something() {
    let api = api();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let id = add(&api, "Project", copyleft()).await.mend_ok()["id"].clone();
        assert!(!seen.contains(&id), "{id}");
        ask(&api, "remove", "Project", "policyIds", json!([id])).await.mend_ok();
        seen.push(id);
    }
}

/// MEND-POLICY-INCLUSIVE
#[tokio::test]
async fn an_inclusive_policy_matches_only_if_all_licences_are_among_its_own() {
    let api = api();
    let added = add(&api, "Project", with(copyleft(), "/inclusive", json!(true))).await.mend_ok();
    assert_eq!(issues(&api).await, [] as [Value; 0]);
    let both = json!({"type": "LICENSE", "licenses": [{"name": "MIT"}, {"name": "GPL 2.0"}]});
    update(&api, "Project", json!({"id": added["id"], "filter": both})).await.mend_ok();
    let issues = issues(&api).await;
    assert_eq!(issues[0]["policyViolations"].as_array().unwrap().len(), 2, "one for each licence");
}

/// A policy of the world's own, defined before anybody called.
#[tokio::test]
async fn a_policy_that_was_there_is_shown_with_the_day_of_its_definition() {
    let mut world = world();
    let name = "[Old] Stale";
    let old = mend::policy(name, Filter::LibraryStaleness { older_than_days: 10 }).created(days(45)).id(7);
    let old =
        old.scope(fixtures::world::mend::PolicyScope::Organization(mend::token("organization", "First")));
    world.mend.policies.push(old.owner(2).priority(1).build(EPOCH));
    let api = Api::with(MockServer::builder().world_spec(world));
    let shown = listed(&api, "Project", true).await.remove(0);
    assert_eq!((&shown["name"], &shown["id"]), (&json!(name), &json!(7)));
    assert_eq!(
        shown["creationTime"],
        json!(mend::second_before(EPOCH, days(45)).strftime("%Y-%m-%d").to_string())
    );
    let next = add(&api, "Organization", copyleft()).await.mend_ok();
    assert_eq!((&next["id"], &next["priority"]), (&json!(8), &json!(2)));
}
