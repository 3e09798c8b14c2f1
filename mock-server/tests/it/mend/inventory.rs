//! What is in a project: hierarchy, licences, locations, dependencies.

use std::collections::BTreeSet;

use fixtures::builders::mend::{InventoryBuilder, LibraryBuilder, library, used};
use fixtures::builders::{mend, world};
use fixtures::world::mend::{Event, LibrarySpec, LibraryUse, LicenseSpec};
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, mend_body};

fn lib(artifact: &str) -> LibraryBuilder {
    library("com.example", artifact, "1.0")
}

fn uses(artifact: &str) -> InventoryBuilder {
    used(lib(artifact).key_uuid())
}

fn uuid(artifact: &str) -> String {
    lib(artifact).key_uuid().to_owned()
}

fn spec(artifact: &str) -> LibrarySpec {
    lib(artifact).build("2026-01-15T00:00:00Z".parse().unwrap())
}

/// A project that uses these libraries, described by artifact.
fn project_with(inventory: impl IntoIterator<Item = InventoryBuilder>, artifacts: &[&str]) -> Api {
    let project = inventory.into_iter().fold(mend::project("cart"), mend::ProjectBuilder::uses);
    let builder =
        artifacts.iter().fold(world("2026-01-15T00:00:00Z".parse().unwrap()), |builder, artifact| {
            builder.mend_library(lib(artifact))
        });
    Api::with(MockServer::builder().world_spec(builder.mend_project(project).build()))
}

/// `web` brings `core` and `log`, `core` brings `log`; `alone` is brought by nothing.
fn shop() -> Api {
    let inventory = [
        uses("web")
            .path("lib/web-1.0.jar")
            .path("war/web-1.0.jar")
            .dependency_file("pom.xml")
            .brings(&uuid("core"))
            .brings(&uuid("log")),
        uses("core").indirect().brings(&uuid("log")),
        uses("log").indirect().path("lib/log-1.0.jar"),
        uses("alone").indirect(),
    ];
    project_with(inventory, &["web", "core", "log", "alone", "unused"])
}

fn cart() -> Value {
    json!({"projectToken": mend::token("project", "cart")})
}

async fn hierarchy(api: &Api) -> Vec<Value> {
    let reply = api.mend("getProjectHierarchy", cart()).await.mend_ok();
    reply["libraries"].as_array().unwrap().clone()
}

async fn dependencies(api: &Api, version: &str, artifact: &str) -> Value {
    let mut fields = cart();
    fields["keyUuid"] = json!(uuid(artifact));
    let key = api.server.mend().user_key().to_owned();
    let reply = api.mend_as(&key, version, mend_body("getProjectLibraryDependencies", fields)).await;
    reply.mend_ok()["dependencies"].clone()
}

/// Artifacts of nodes, each with the artifacts below it, in the order of their names.
fn names(nodes: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = nodes
        .iter()
        .map(|node| {
            let below = names(node["dependencies"].as_array().map_or(&[], Vec::as_slice));
            let artifact = node["artifactId"].as_str().unwrap();
            if below.is_empty() { artifact.to_owned() } else { format!("{artifact}({})", below.join(" ")) }
        })
        .collect();
    names.sort();
    names
}

/// MEND-PROJECT-HIERARCHY
#[tokio::test]
async fn the_hierarchy_shows_which_libraries_bring_along_which() {
    let api = shop();
    let nodes = hierarchy(&api).await;
    let found = names(&nodes);
    // `log` is brought twice, and unfolded where it comes first.
    assert_eq!(found, ["alone", "web(core(log) log)"]);
    let log = spec("log");
    let web = nodes.iter().find(|node| node["artifactId"] == "web").unwrap();
    let below =
        web["dependencies"].as_array().unwrap().iter().find(|node| node["artifactId"] == "log").unwrap();
    let expected = json!({
        "keyUuid": log.key_uuid,
        "keyId": log.key_id,
        "filename": "log-1.0.jar",
        "name": "log",
        "groupId": "com.example",
        "artifactId": "log",
        "version": "1.0",
        "sha1": log.sha1,
        "type": "MAVEN_ARTIFACT",
        "coordinates": "com.example:log:1.0",
    });
    assert_eq!(*below, expected);
}

#[tokio::test]
async fn libraries_that_bring_each_other_along_end_somewhere() {
    let api = project_with([], &["a", "b", "c"]);
    let brings = [("a", "b"), ("b", "c"), ("c", "a")];
    let found = brings.map(|(artifact, brought)| LibraryUse {
        key_uuid: uuid(artifact),
        is_direct: false,
        local_paths: Vec::new(),
        dependency_file: None,
        dependencies: [uuid(brought)].into(),
        ineffective_vulnerabilities: BTreeSet::new(),
    });
    let scan = Event::Scan {
        project_token: mend::token("project", "cart"),
        added: found.to_vec(),
        removed: Vec::new(),
        source_files_changed: false,
        comment: None,
    };
    api.control().happen(&scan).unwrap();
    let found = names(&hierarchy(&api).await);
    let [circle] = &found[..] else { panic!("{found:?}") };
    assert!(["a(b(c(a)))", "b(c(a(b)))", "c(a(b(c)))"].contains(&circle.as_str()), "{circle}");
}

#[tokio::test]
async fn shared_and_deep_hierarchies_stay_small() {
    // Twenty layers of two libraries, each of which brings both of the next layer: a million paths.
    let artifact = |layer: usize, place: usize| format!("layer{layer}-{place}");
    let mut inventory = Vec::new();
    for layer in 0..20 {
        for place in 0..2 {
            let mut one = uses(&artifact(layer, place));
            if layer > 0 {
                one = one.indirect();
            }
            if layer < 19 {
                one = one.brings(&uuid(&artifact(layer + 1, 0))).brings(&uuid(&artifact(layer + 1, 1)));
            }
            inventory.push(one);
        }
    }
    // And a chain of five hundred.
    let chain = (0..500).map(|place| {
        let link = uses(&format!("link{place}")).indirect();
        if place < 499 { link.brings(&uuid(&format!("link{}", place + 1))) } else { link }
    });
    let artifacts: Vec<String> = (0..20)
        .flat_map(|layer| (0..2).map(move |place| artifact(layer, place)))
        .chain((0..500).map(|place| format!("link{place}")))
        .collect();
    let artifacts: Vec<&str> = artifacts.iter().map(String::as_str).collect();
    let api = project_with(inventory.into_iter().chain(chain), &artifacts);
    let reply = api.mend("getProjectHierarchy", cart()).await;
    assert!(reply.text.len() < 200_000, "{} bytes", reply.text.len());
    reply.mend_ok();
}

/// MEND-PROJECT-LICENSES
#[tokio::test]
async fn licences_are_listed_per_library_with_its_project() {
    let mut world = world("2026-01-15T00:00:00Z".parse().unwrap())
        .mend_license(LicenseSpec { id: 7, name: "House".to_owned(), spdx_name: None, url: None })
        .mend_project(
            mend::project("cart")
                .library(lib("web").licenses(["Apache 2.0", "House"]))
                .uses(uses("log").indirect()),
        )
        .mend_library(lib("log").licenses([]))
        .build();
    world.mend.libraries.iter_mut().find(|known| known.artifact_id == "web").unwrap().description =
        "A web.".to_owned();
    let api = Api::with(MockServer::builder().world_spec(world));
    let reply = api.mend("getProjectLicenses", cart()).await.mend_ok();
    let libraries = reply["libraries"].as_array().unwrap();
    let of = |artifact: &str| libraries.iter().find(|row| row["artifactId"] == artifact).unwrap();
    let web = spec("web");
    let expected = json!({
        "keyUuid": web.key_uuid,
        "keyId": web.key_id,
        "filename": "web-1.0.jar",
        "type": "Java",
        "description": "A web.",
        "sha1": web.sha1,
        "name": "web",
        "artifactId": "web",
        "version": "1.0",
        "groupId": "com.example",
        "licenses": [
            {
                "name": "Apache 2.0",
                "spdxName": "Apache-2.0",
                "url": of("web")["licenses"][0]["url"],
                "references": [],
            },
            {"name": "House", "references": []},
        ],
        "directDependency": true,
        "projects": [{"projectName": "cart", "projectToken": mend::token("project", "cart")}],
    });
    assert_eq!(*of("web"), expected);
    assert_eq!(of("log")["licenses"], json!([]));
    assert_eq!(of("log")["directDependency"], false);
    for flag in [json!(true), json!("true")] {
        let mut fields = cart();
        fields["excludeProjectOccurrences"] = flag;
        let reply = api.mend("getProjectLicenses", fields).await.mend_ok();
        assert_eq!(reply["libraries"][0]["projects"], Value::Null);
    }
}

/// MEND-PROJECT-LOCATIONS
#[tokio::test]
async fn locations_name_each_path_and_the_file_that_asks_for_the_library() {
    let reply = shop().mend("getProjectLibraryLocations", cart()).await.mend_ok();
    let rows = reply["libraryLocations"].as_array().unwrap();
    let of = |artifact: &str| rows.iter().find(|row| row["artifactId"] == artifact).unwrap();
    assert_eq!(rows.len(), 4);
    let web = spec("web");
    let expected = json!({
        "keyUuid": web.key_uuid,
        "keyId": web.key_id,
        "name": "web-1.0.jar",
        "filename": "web-1.0.jar",
        "type": "MAVEN_ARTIFACT",
        "sha1": web.sha1,
        "artifactId": "web",
        "version": "1.0",
        "groupId": "com.example",
        "coordinates": "com.example:web:1.0",
        "locations": [
            {"matchType": "SHA1", "path": "lib/web-1.0.jar", "dependencyFile": "pom.xml"},
            {"matchType": "SHA1", "path": "war/web-1.0.jar", "dependencyFile": "pom.xml"},
        ],
    });
    assert_eq!(*of("web"), expected);
    assert_eq!(of("log")["locations"], json!([{"matchType": "SHA1", "path": "lib/log-1.0.jar"}]));
    assert_eq!(of("alone")["locations"], json!([{"matchType": "SHA1"}]));
}

/// MEND-PROJECT-DEPENDENCIES
#[tokio::test]
async fn dependencies_of_a_library_stand_one_list_deeper_in_the_newer_version() {
    let api = shop();
    let older = dependencies(&api, "v1.3", "web").await;
    let newer = dependencies(&api, "v1.4", "web").await;
    assert_eq!(newer, json!([older]));
    assert_eq!(names(older.as_array().unwrap()), ["core(log)", "log"]);
    let log = spec("log");
    let nodes = older.as_array().unwrap();
    let found = nodes.iter().find(|node| node["artifactId"] == "log").unwrap();
    let expected = json!({
        "keyUuid": log.key_uuid,
        "fileName": "log-1.0.jar",
        "name": "log",
        "groupId": "com.example",
        "artifactId": "log",
        "version": "1.0",
        "classifier": "",
        "scope": "COMPILE",
        "extension": "jar",
        "sha1": log.sha1,
        "dependencies": [],
        "licenses": found["licenses"],
    });
    assert_eq!(*found, expected);
    assert_eq!(found["licenses"][0]["name"], "Apache 2.0");
    for version in ["v1.3", "v1.4"] {
        assert_eq!(dependencies(&api, version, "log").await, json!([]));
    }
}

/// MEND-ERROR-LIBRARY-UUID, MEND-ERROR-NO-DEPENDENCIES
#[tokio::test]
async fn a_library_that_is_not_in_the_project_has_no_dependencies_to_tell() {
    let api = shop();
    for key_uuid in [uuid("unused"), "no-such-library".to_owned()] {
        let mut fields = cart();
        fields["keyUuid"] = json!(key_uuid);
        let reply = api.mend("getProjectLibraryDependencies", fields).await;
        reply.mend_refused(8000, "MEND-ERROR-LIBRARY-UUID");
    }
    let reply = api.mend("getProjectLibraryDependencies", cart()).await;
    reply.mend_refused(3010, "MEND-PROJECT-DEPENDENCIES");
}

#[tokio::test]
async fn every_project_of_the_demo_answers_what_the_vendors_tracker_client_asks() {
    let api = Api::of("mend-demo");
    let spec = api.control().export_world().mend;
    let own = api.server.mend().org_token().to_owned();
    let of_own = |token: &str| {
        spec.products.iter().any(|product| product.token == token && product.organization_token == own)
    };
    for project in spec.projects.iter().filter(|project| of_own(&project.product_token)) {
        let fields = json!({"projectToken": project.token(), "orgToken": own});
        for (request, key) in
            [("getProjectLicenses", "libraries"), ("getProjectLibraryLocations", "libraryLocations")]
        {
            let reply = api.mend(request, fields.clone()).await.mend_ok();
            assert_eq!(reply[key].as_array().unwrap().len(), project.inventory.len(), "{request}");
        }
        let reply = api.mend("getProjectHierarchy", fields.clone()).await.mend_ok();
        let text = reply.to_string();
        for library in &project.inventory {
            assert!(text.contains(&library.key_uuid), "{} is not in the hierarchy", library.key_uuid);
            let mut fields = fields.clone();
            fields["keyUuid"] = json!(library.key_uuid);
            let reply = api.mend("getProjectLibraryDependencies", fields).await.mend_ok();
            for node in reply["dependencies"][0].as_array().into_iter().flatten() {
                assert!(node["fileName"].is_string(), "{node}");
            }
        }
    }
}
