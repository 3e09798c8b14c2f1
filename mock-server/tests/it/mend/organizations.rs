//! Organizations: details, groups, products, and who may ask about them.

use std::collections::BTreeSet;

use fixtures::builders::{mend, world};
use fixtures::world::mend::{GroupSpec, Role};
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, mend_body};

/// Two organizations: Acme with two products and two projects, Other with one of each.
fn acme() -> Api {
    let other = mend::organization("Other");
    let other_token = mend::token("organization", "Other");
    let mut spec = world("2026-01-15T00:00:00Z".parse().unwrap())
        .mend_organization(mend::organization("Acme"))
        .mend_organization(other)
        .mend_user(mend::user("ann"))
        .mend_user(mend::user("audrey").role(Role::Auditor))
        .mend_user(mend::user("pat").products([mend::token("product", "Shop").as_str()]))
        .mend_user(mend::user("max").role(Role::Member))
        .mend_user(mend::user("olga").organization(&other_token))
        .mend_user(mend::user("gil").role(Role::GlobalAdministrator))
        .mend_product(mend::product("Shop"))
        .mend_product(mend::product("Back office"))
        .mend_product(mend::product("Elsewhere").organization(&other_token))
        .mend_project(mend::project("cart"))
        .mend_project(mend::project("ledger").product(&mend::token("product", "Back office")))
        .mend_project(mend::project("far").product(&mend::token("product", "Elsewhere")))
        .build();
    for (id, name, organization) in [(1, "security", "Acme"), (2, "legal", "Acme"), (3, "security", "Other")]
    {
        let organization_token = mend::token("organization", organization);
        spec.mend.groups.push(GroupSpec { id, name: name.to_owned(), organization_token });
    }
    Api::with(MockServer::builder().world_spec(spec))
}

fn org() -> Value {
    json!({"orgToken": mend::token("organization", "Acme")})
}

/// MEND-ORGANIZATION-DETAILS
#[tokio::test]
async fn details_count_what_belongs_to_the_organization() {
    let api = acme();
    let expected = json!({
        "orgName": "Acme",
        "orgToken": mend::token("organization", "Acme"),
        "creationDate": "2023-11-07",
        "numberOfProducts": 2,
        "numberOfProjects": 2,
        "numberOfUsers": 4,
        "numberOfGroups": 2,
    });
    assert_eq!(api.mend("getOrganizationDetails", org()).await.mend_ok(), expected);
}

/// MEND-PRODUCTS-LIST, MEND-LIST-MESSAGE
#[tokio::test]
async fn products_are_listed_with_their_numbers_and_tokens() {
    let reply = acme().mend("getAllProducts", org()).await.mend_ok();
    let product = |id: u64, name: &str| json!({"productId": id, "productName": name, "productToken": mend::token("product", name)});
    let expected = json!({
        "products": [product(400_001, "Shop"), product(400_002, "Back office")],
        "message": "Success",
    });
    assert_eq!(reply, expected);
}

/// MEND-VITALS-PRODUCTS, MEND-VITALS-DATES
#[tokio::test]
async fn vitals_of_products_date_their_creation_and_last_change() {
    let api = acme();
    let reply = api.mend("getOrganizationProductVitals", org()).await.mend_ok();
    let expected = json!({
        "id": 400_001,
        "name": "Shop",
        "token": mend::token("product", "Shop"),
        "creationDate": "2025-10-17 00:00:00 +0000",
        "lastUpdatedDate": "2026-01-14 00:00:00 +0000",
    });
    assert_eq!(reply["productVitals"][0], expected);
    assert_eq!(reply["productVitals"].as_array().unwrap().len(), 2);
    api.control().set_readings([("mend.dates", "days-everywhere")]).unwrap();
    let reply = api.mend("getOrganizationProductVitals", org()).await.mend_ok();
    assert_eq!(reply["productVitals"][0]["lastUpdatedDate"], "2026-01-14");
}

#[tokio::test]
async fn groups_are_those_of_the_organization() {
    let reply = acme().mend("getAllGroups", org()).await.mend_ok();
    assert_eq!(reply, json!({"groups": [{"id": 1, "name": "security"}, {"id": 2, "name": "legal"}]}));
}

/// MEND-LIST-UNSORTED
#[tokio::test]
async fn shuffled_lists_hold_the_same_elements() {
    let api = Api::of("mend-demo");
    let org = json!({"orgToken": api.server.mend().org_token()});
    let requests = [
        ("getAllProducts", "products"),
        ("getOrganizationProductVitals", "productVitals"),
        ("getOrganizationProjectVitals", "projectVitals"),
        ("getOrganizationProjectTags", "projectTags"),
        ("getOrganizationAlerts", "alerts"),
    ];
    let mut moved = 0;
    for (request, key) in requests {
        api.control().set_readings([("mend.list-order", "stable")]).unwrap();
        let stable = api.mend(request, org.clone()).await.mend_ok();
        api.control().set_readings([("mend.list-order", "shuffled")]).unwrap();
        let shuffled = api.mend(request, org.clone()).await.mend_ok();
        let set = |reply: &Value| -> BTreeSet<String> {
            reply[key].as_array().unwrap().iter().map(Value::to_string).collect()
        };
        assert_eq!(set(&stable), set(&shuffled), "{request}");
        assert_eq!(shuffled, api.mend(request, org.clone()).await.mend_ok(), "{request}");
        moved += usize::from(stable != shuffled);
    }
    assert!(moved >= 3, "only {moved} lists were shuffled");
}

/// MEND-ACCESS-ROLE, MEND-ACCESS-PRODUCT-ADMINISTRATOR, MEND-ACCESS-PRODUCT-ADMINISTRATOR-MORE
#[tokio::test]
async fn who_may_ask_about_organizations_products_and_projects() {
    let api = acme();
    let key = |name: &str| api.server.mend().user_key_of(&format!("{name}@example.com")).unwrap().to_owned();
    let acme = org();
    let shop = json!({"productToken": mend::token("product", "Shop")});
    let back = json!({"productToken": mend::token("product", "Back office")});
    let cart = json!({"projectToken": mend::token("project", "cart")});
    let ledger = json!({"projectToken": mend::token("project", "ledger")});
    let state = json!({"orgToken": mend::token("organization", "Acme"), "requestToken": "none"});
    for (user, request, fields, is_granted) in [
        ("audrey", "getOrganizationDetails", &acme, true),
        ("gil", "getOrganizationDetails", &acme, true),
        ("pat", "getOrganizationDetails", &acme, false),
        ("max", "getOrganizationDetails", &acme, false),
        ("olga", "getOrganizationDetails", &acme, false),
        ("pat", "getAllProjects", &shop, true),
        ("pat", "getAllProjects", &back, false),
        ("pat", "getProjectTags", &cart, true),
        ("pat", "getProjectTags", &ledger, false),
        ("pat", "getProjectVitals", &ledger, true),
        ("pat", "getRequestState", &state, true),
        ("max", "getProjectVitals", &cart, false),
        ("olga", "getProjectVitals", &cart, false),
    ] {
        let reply = api.mend_as(&key(user), "v1.4", mend_body(request, fields.clone())).await;
        if is_granted {
            reply.mend_ok();
        } else {
            reply.mend_refused(5001, "MEND-ACCESS-ROLE");
        }
    }
}

/// A global administrator is in these scenes so that what is above organizations can be called at all.
#[tokio::test]
async fn scenes_with_a_global_organization_have_a_user_who_may_ask_about_it() {
    for scene in ["demo", "mend-demo", "mend-every-match-type"] {
        let api = Api::of(scene);
        let world = api.control().export_world().mend;
        let environment = api.control().environment();
        let user = environment.mend_users.iter().find(|user| user.role == Role::GlobalAdministrator).unwrap();
        assert_ne!(user.user_key, api.server.mend().user_key(), "clients get an ordinary user");
        let of_global = json!({"globalOrgToken": world.global_organization.unwrap().token});
        let ask = async |request_type: &str, fields: Value| {
            let body = mend_body(request_type, fields);
            api.mend_as(&user.user_key, "v1.4", body).await.mend_ok()
        };
        let policy = json!({
            "name": "Everywhere", "owner": {"email": user.email},
            "filter": {"type": "RESOURCE_NAME_REGEX", "resourceName": "no-such-file"}, "action": {"type": "REJECT"},
        });
        let mut fields = of_global.clone();
        fields["policy"] = policy;
        let id = ask("addGlobalOrganizationPolicy", fields).await["id"].take();
        let mut fields = of_global.clone();
        fields["policy"] = json!({"id": id, "enabled": false});
        assert_eq!(ask("updateGlobalOrganizationPolicy", fields).await["enabled"], false);
        let listed = ask("getGlobalOrganizationPolicies", of_global.clone()).await;
        assert!(listed["policies"].as_array().unwrap().iter().any(|policy| policy["id"] == id), "{scene}");
        let mut fields = of_global;
        fields["policyIds"] = json!([id]);
        assert_eq!(ask("removeGlobalOrganizationPolicies", fields).await["removedPolicies"], 1);
    }
}
