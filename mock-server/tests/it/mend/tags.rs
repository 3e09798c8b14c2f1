//! Tags of projects: reading, adding and taking away.

use fixtures::builders::{mend, world};
use jiff::SignedDuration;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, mend_body};

fn tagged() -> Api {
    let spec = world("2026-01-15T00:00:00Z".parse().unwrap())
        .mend_organization(mend::organization("Acme"))
        .mend_user(mend::user("ann"))
        .mend_project(mend::project("cart").tag("team", "red").tag("team", "blue").tag("tier", "1"))
        .mend_project(mend::project("plain"))
        .build();
    Api::with(MockServer::builder().world_spec(spec))
}

async fn change(api: &Api, request: &str, key: &str, value: &str) -> Value {
    let fields = json!({"projectToken": mend::token("project", "cart"), "tagKey": key, "tagValue": value});
    api.mend(request, fields).await.mend_ok()
}

async fn tags(api: &Api) -> Value {
    let fields = json!({"projectToken": mend::token("project", "cart")});
    let reply = api.mend("getProjectTags", fields).await.mend_ok();
    assert_eq!(reply["projectTags"].as_array().unwrap().len(), 1);
    reply["projectTags"][0]["tags"].clone()
}

/// When the project's name or tags last changed.
async fn metadata_changed(api: &Api) -> Option<String> {
    let fields = json!({"orgToken": api.server.mend().org_token(), "modificationTypes": ["METADATA"]});
    let rows = api.mend("getOrganizationLastModifiedProjects", fields).await.mend_ok();
    rows["lastModifiedProjects"][0]["lastModified"].as_str().map(str::to_owned)
}

/// MEND-TAGS-ORGANIZATION
#[tokio::test]
async fn every_project_is_listed_with_its_tags() {
    let api = tagged();
    let org = json!({"orgToken": api.server.mend().org_token()});
    let cart = json!({
        "name": "cart",
        "token": mend::token("project", "cart"),
        "tags": {"team": ["red", "blue"], "tier": ["1"]},
    });
    let plain = json!({"name": "plain", "token": mend::token("project", "plain"), "tags": {}});
    let expected = json!({"projectTags": [cart, plain]});
    assert_eq!(api.mend("getOrganizationProjectTags", org).await.mend_ok(), expected);
}

#[tokio::test]
async fn a_tag_is_a_list_or_its_last_value_by_reading() {
    let api = tagged();
    assert_eq!(tags(&api).await, json!({"team": ["red", "blue"], "tier": ["1"]}));
    api.control().set_readings([("mend.tag-values", "scalar")]).unwrap();
    assert_eq!(tags(&api).await, json!({"team": "blue", "tier": "1"}));
    change(&api, "saveProjectTag", "team", "red").await;
    assert_eq!(tags(&api).await, json!({"team": "red", "tier": "1"}));
}

/// MEND-TAGS-SAVE
#[tokio::test]
async fn saving_appends_a_value_once_and_answers_without_tags() {
    let api = tagged();
    api.control().advance(SignedDuration::from_secs(7));
    assert_eq!(metadata_changed(&api).await, None);
    let reply = change(&api, "saveProjectTag", "team", "green").await;
    assert_eq!(reply.as_object().unwrap().keys().collect::<Vec<_>>(), ["message"]);
    assert_eq!(tags(&api).await["team"], json!(["red", "blue", "green"]));
    assert_eq!(metadata_changed(&api).await.as_deref(), Some("2026-01-15 00:00:07"));
    // The same again changes nothing.
    api.control().advance(SignedDuration::from_secs(7));
    change(&api, "saveProjectTag", "team", "green").await;
    assert_eq!(tags(&api).await["team"], json!(["red", "blue", "green"]));
    assert_eq!(metadata_changed(&api).await.as_deref(), Some("2026-01-15 00:00:07"));
    change(&api, "saveProjectTag", "owner", "Zoë & Søn").await;
    assert_eq!(tags(&api).await["owner"], json!(["Zoë & Søn"]));
}

/// MEND-TAGS-REMOVE
#[tokio::test]
async fn removing_takes_exactly_that_value() {
    let api = tagged();
    api.control().advance(SignedDuration::from_secs(7));
    for (key, value) in [("team", "re"), ("team", "Red"), ("tea", "red"), ("tier", "red")] {
        let reply = change(&api, "removeProjectTag", key, value).await;
        assert_eq!(reply, json!({"message": "Nothing was removed: the project has no such tag"}));
    }
    assert_eq!(tags(&api).await, json!({"team": ["red", "blue"], "tier": ["1"]}));
    assert_eq!(metadata_changed(&api).await, None);
    let reply = change(&api, "removeProjectTag", "team", "red").await;
    assert_eq!(reply, json!({"message": "Successfully removed project tag"}));
    assert_eq!(tags(&api).await, json!({"team": ["blue"], "tier": ["1"]}));
    assert_eq!(metadata_changed(&api).await.as_deref(), Some("2026-01-15 00:00:07"));
    // A key goes with its last value.
    change(&api, "removeProjectTag", "tier", "1").await;
    assert_eq!(tags(&api).await, json!({"team": ["blue"]}));
}

#[tokio::test]
async fn a_tag_needs_key_and_value() {
    let api = tagged();
    let project = mend::token("project", "cart");
    for (request, rule) in [("saveProjectTag", "MEND-TAGS-SAVE"), ("removeProjectTag", "MEND-TAGS-REMOVE")] {
        for fields in
            [json!({"tagKey": "team"}), json!({"tagValue": "red"}), json!({"tagKey": "", "tagValue": "red"})]
        {
            let mut fields = fields;
            fields["projectToken"] = json!(project);
            api.mend(request, fields).await.mend_refused(3010, rule);
        }
        let fields = json!({"projectToken": project, "tagKey": "team", "tagValue": ["red"]});
        api.mend(request, fields).await.mend_refused(3000, rule);
    }
    assert_eq!(tags(&api).await, json!({"team": ["red", "blue"], "tier": ["1"]}));
}

#[tokio::test]
async fn an_auditor_tags_projects_unless_the_reading_forbids_it() {
    let spec = world("2026-01-15T00:00:00Z".parse().unwrap())
        .mend_user(mend::user("audrey").role(fixtures::world::mend::Role::Auditor))
        .mend_project(mend::project("cart"))
        .build();
    let api = Api::with(MockServer::builder().world_spec(spec));
    let key = api.server.mend().user_key().to_owned();
    let fields = json!({"projectToken": mend::token("project", "cart"), "tagKey": "a", "tagValue": "b"});
    api.mend_as(&key, "v1.3", mend_body("saveProjectTag", fields.clone())).await.mend_ok();
    api.control().set_readings([("mend.auditor-writes", "refused")]).unwrap();
    let reply = api.mend_as(&key, "v1.3", mend_body("removeProjectTag", fields)).await;
    reply.mend_refused(5001, "mend.auditor-writes");
    assert_eq!(tags(&api).await, json!({"a": ["b"]}));
}
