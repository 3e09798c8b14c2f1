//! `getProjectLibrariesInfo`: which libraries a project still has, and still has issues for.

use fixtures::builders::mend::{library, licenses, policy, project};
use fixtures::world::mend::{Event, Filter};
use serde_json::{Value, json};

use super::common::{
    assert_keys, fetch, mend_world, of_organization, play, project as token_of, texts, world,
};
use crate::support::{Api, mend_body};

const INFO: &str = "getProjectLibrariesInfo";

/// A project whose libraries are under one policy, two, or none, and another project.
fn libraries() -> Api {
    let of = |artifact: &str| library("com.example", artifact, "1.0");
    play(
        world()
            .mend_project(
                project("api")
                    .library(of("copyleft").license("GPL 2.0"))
                    .library(of("both").licenses(["GPL 2.0", "MPL 2.0"]))
                    .library(of("plain")),
            )
            .mend_project(project("app").library(of("elsewhere").license("GPL 2.0")))
            .mend_policy(policy("[License] GPL", licenses(["GPL 2.0"])))
            .mend_policy(policy("[License] MPL", licenses(["MPL 2.0"]))),
    )
}

fn uuid_of(artifact: &str) -> String {
    library("com.example", artifact, "1.0").key_uuid().to_owned()
}

async fn ask(api: &Api, key_uuids: Value) -> Value {
    let fields = json!({"projectToken": token_of(api, "api"), "keyUuids": key_uuids});
    api.mend(INFO, fields).await.mend_ok()
}

/// The artifacts that are answered when all there are are asked about.
async fn listed(api: &Api) -> Vec<String> {
    let all = ["copyleft", "both", "plain", "elsewhere"].map(uuid_of);
    let answer = ask(api, json!(all)).await;
    texts(&answer["libraries"], "/artifactId").into_iter().map(str::to_owned).collect()
}

async fn policies_do(api: &Api, request_type: &str, fields: Value) {
    let _ = api.mend(request_type, of_organization(api, fields)).await.mend_ok();
}

/// MEND-LIBRARIES-INFO, MEND-LIBRARIES-FIELDS
#[tokio::test]
async fn the_named_libraries_come_as_in_an_issue_but_for_url_and_paths() {
    let api = libraries();
    let uuid = uuid_of("copyleft");
    let answer = ask(&api, json!([uuid])).await;
    assert_keys(&answer, &["libraries"]);
    let [shown] = &answer["libraries"].as_array().unwrap()[..] else { panic!("{answer}") };
    let issues = fetch(&api, &token_of(&api, "api")).await;
    let issues = issues["issues"].as_array().unwrap();
    let mut expected =
        issues.iter().find(|issue| issue["library"]["keyUuid"] == *uuid).unwrap()["library"].clone();
    for field in ["url", "localPaths"] {
        expected.as_object_mut().unwrap().remove(field).unwrap();
    }
    assert_eq!(*shown, expected);
    let documented = [
        "keyUuid",
        "keyId",
        "filename",
        "type",
        "coordinates",
        "sha1",
        "name",
        "artifactId",
        "version",
        "groupId",
        "architecture",
        "languageVersion",
    ];
    assert_keys(shown, &documented);
}

/// MEND-LIBRARIES-INFO, MEND-LIBRARIES-KEY-UUIDS, `mend.key-uuids-type`, `mend.unknown-key-uuid`
#[tokio::test]
async fn unknown_ids_are_left_out_and_an_id_counts_once() {
    let api = libraries();
    let [copyleft, both] = ["copyleft", "both"].map(uuid_of);
    let of = |answer: &Value| answer["libraries"].as_array().unwrap().len();
    assert_eq!(of(&ask(&api, json!([copyleft, both, copyleft])).await), 2);
    assert_eq!(of(&ask(&api, json!([copyleft, "keyUuid_2", "", "\u{0}", both])).await), 2);
    assert_eq!(of(&ask(&api, json!([uuid_of("nowhere")])).await), 0);
    assert_eq!(of(&ask(&api, json!([])).await), 0);
    let alone = ask(&api, json!(copyleft)).await;
    assert_eq!(alone, ask(&api, json!([copyleft])).await, "a text is a list of one");
    let token = token_of(&api, "api");
    for wrong in [json!(1), json!({}), json!([1]), json!([null]), json!([[copyleft]]), json!(true)] {
        let reply = api.mend(INFO, json!({"projectToken": token, "keyUuids": wrong})).await;
        let message = reply.mend_refused(3000, "MEND-LIBRARIES-KEY-UUIDS");
        assert!(message.contains("keyUuids"), "{message}");
    }
    for absent in [json!({"projectToken": token}), json!({"projectToken": token, "keyUuids": null})] {
        let message = api.mend(INFO, absent).await.mend_refused(3010, "MEND-LIBRARIES-KEY-UUIDS");
        assert_eq!(message, "Missing fields: keyUuids");
    }
}

/// MEND-LIBRARIES-PROJECT-TOKEN
#[tokio::test]
async fn the_project_has_to_be_named_and_only_its_libraries_come() {
    let api = libraries();
    let missing = api.mend(INFO, json!({"keyUuids": []})).await.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN");
    assert_eq!(missing, "Missing fields: projectToken");
    assert_eq!(listed(&api).await, ["copyleft", "both", "plain"]);
    let fields = json!({"projectToken": token_of(&api, "app"), "keyUuids": [uuid_of("elsewhere")]});
    let answer = api.mend(INFO, fields).await.mend_ok();
    assert_eq!(texts(&answer["libraries"], "/artifactId"), ["elsewhere"]);
}

/// MEND-LIBRARIES-GONE
#[tokio::test]
async fn a_library_that_left_the_inventory_is_left_out() {
    let api = libraries();
    let removed = vec![uuid_of("copyleft"), uuid_of("plain")];
    let scan = Event::Scan {
        project_token: token_of(&api, "api"),
        added: vec![],
        removed,
        source_files_changed: false,
        comment: None,
    };
    api.control().happen(&scan).unwrap();
    assert_eq!(listed(&api).await, ["both"]);
}

/// MEND-LIBRARIES-NOT-APPLYING, `mend.libraries-no-longer-applies`
#[tokio::test]
async fn a_library_all_of_whose_policies_are_disabled_or_gone_is_left_out() {
    let api = libraries();
    let ids: Vec<u64> = mend_world(&api).policies.iter().map(|policy| policy.id).collect();
    let enabled = |id: u64, enabled: bool| json!({"policy": {"id": id, "enabled": enabled}});
    policies_do(&api, "updateOrganizationPolicy", enabled(ids[0], false)).await;
    assert_eq!(listed(&api).await, ["both", "plain"], "one policy still applies to the second");
    policies_do(&api, "updateOrganizationPolicy", enabled(ids[1], false)).await;
    assert_eq!(listed(&api).await, ["plain"], "no policy ever applied to the third");
    policies_do(&api, "updateOrganizationPolicy", enabled(ids[0], true)).await;
    assert_eq!(listed(&api).await, ["copyleft", "both", "plain"]);
    policies_do(&api, "removeOrganizationPolicies", json!({"policyIds": ids})).await;
    assert_eq!(listed(&api).await, ["plain"]);
}

/// MEND-LIBRARIES-NOT-APPLYING
#[tokio::test]
async fn a_library_whose_match_is_gone_is_left_out_and_comes_back_with_the_match() {
    let api = libraries();
    let change = |names: &[&str]| Event::LicensesChanged {
        key_uuid: uuid_of("copyleft"),
        licenses: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    api.control().happen(&change(&["Apache 2.0"])).unwrap();
    assert_eq!(listed(&api).await, ["both", "plain"]);
    api.control().happen(&change(&["GPL 2.0", "Apache 2.0"])).unwrap();
    assert_eq!(listed(&api).await, ["copyleft", "both", "plain"]);
}

/// MEND-LIBRARIES-NOT-APPLYING
#[tokio::test]
async fn one_vulnerability_of_two_may_go_while_the_library_stays() {
    let parser =
        library("com.example", "parser", "1.0").vulnerability("EXAMPLE-1").vulnerability("EXAMPLE-2");
    let uuid = parser.key_uuid().to_owned();
    let api = play(
        world()
            .mend_project(project("api").library(parser))
            .mend_policy(policy("[Security] High", Filter::VulnerabilityScore { from: 7.0, to: 10.0 })),
    );
    for (name, left) in [("EXAMPLE-1", 1), ("EXAMPLE-2", 0)] {
        let cvss3 = Some(fixtures::world::mend::Cvss3Spec { score: 1.0, vector: None });
        let event = Event::VulnerabilityRescored { name: name.to_owned(), score: None, cvss3 };
        api.control().happen(&event).unwrap();
        assert_eq!(ask(&api, json!([uuid])).await["libraries"].as_array().unwrap().len(), left, "{name}");
    }
}

/// MEND-API-VERSIONS, `mend.libraries-info-version`
#[tokio::test]
async fn both_versions_have_the_call() {
    let api = libraries();
    let fields = json!({"projectToken": token_of(&api, "api"), "keyUuids": [uuid_of("copyleft")]});
    let key = api.server.mend().user_key().to_owned();
    let old = api.mend_as(&key, "v1.3", mend_body(INFO, fields.clone())).await.mend_ok();
    assert_eq!(old, api.mend(INFO, fields).await.mend_ok());
}

/// MEND-LIBRARIES-GONE, `mend.unknown-key-uuid`
#[tokio::test]
async fn a_refused_id_is_that_of_no_library_of_the_project() {
    let api = libraries();
    api.control().set_readings([("mend.unknown-key-uuid", "refused")]).unwrap();
    let ask = async |artifact: &str| {
        let fields =
            json!({"projectToken": token_of(&api, "api"), "keyUuids": [uuid_of("plain"), uuid_of(artifact)]});
        api.mend(INFO, fields).await
    };
    let message = ask("elsewhere").await.mend_refused(8000, "mend.unknown-key-uuid");
    assert!(message.contains("keyUuids[1]"), "{message}");
    let _ = ask("nowhere").await.mend_refused(8000, "mend.unknown-key-uuid");
    let scan = Event::Scan {
        project_token: token_of(&api, "api"),
        added: vec![],
        removed: vec![uuid_of("copyleft")],
        source_files_changed: false,
        comment: None,
    };
    api.control().happen(&scan).unwrap();
    let answer = ask("copyleft").await.mend_ok();
    assert_eq!(texts(&answer["libraries"], "/artifactId"), ["plain"], "that it is gone is no mistake");
}
