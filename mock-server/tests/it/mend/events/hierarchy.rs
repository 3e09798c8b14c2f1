//! What scans do to the hierarchy: which library brings which along.

use std::collections::BTreeSet;

use fixtures::world::mend::{Event, LibraryUse};
use mock_server::vendors::happening::EventError;

use super::super::common::{mend_world, project as token_of};
use super::{assert_reloads, found, two_projects, uuid_of};
use crate::support::Api;

fn bringing(artifact: &str, others: &[&str]) -> LibraryUse {
    LibraryUse { dependencies: others.iter().map(|other| uuid_of(other)).collect(), ..found(artifact) }
}

fn scan(api: &Api, added: Vec<LibraryUse>, removed: &[&str]) -> Event {
    Event::Scan {
        project_token: token_of(api, "api"),
        added,
        removed: removed.iter().map(|artifact| uuid_of(artifact)).collect(),
        source_files_changed: false,
        comment: None,
    }
}

fn brought_by(api: &Api, artifact: &str) -> BTreeSet<String> {
    let world = mend_world(api);
    let project = world.projects.iter().find(|project| project.name == "api").unwrap();
    let uuid = uuid_of(artifact);
    project.inventory.iter().find(|used| used.key_uuid == uuid).unwrap().dependencies.clone()
}

#[tokio::test]
async fn a_library_that_leaves_is_brought_along_by_nobody_any_more() {
    let api = two_projects();
    api.control().happen(&scan(&api, vec![bringing("parser", &["plain", "copyleft"])], &[])).unwrap();
    assert_eq!(brought_by(&api, "parser"), [uuid_of("plain"), uuid_of("copyleft")].into());
    api.control().happen(&scan(&api, vec![], &["plain"])).unwrap();
    assert_eq!(brought_by(&api, "parser"), [uuid_of("copyleft")].into());
    assert_reloads(&api).await;
}

#[tokio::test]
async fn only_other_libraries_of_the_project_can_be_brought_along() {
    let api = two_projects();
    let before = api.control().export_world();
    for (added, removed) in [
        (vec![bringing("parser", &["parser"])], vec![]),
        (vec![bringing("parser", &["unused"])], vec![]),
        (vec![bringing("parser", &["plain"])], vec!["plain"]),
    ] {
        let refused = api.control().happen(&scan(&api, added, &removed));
        assert!(matches!(refused, Err(EventError::Incoherent(_))), "{refused:?}");
    }
    assert_eq!(api.control().export_world(), before);
    let together = vec![bringing("parser", &["unused"]), found("unused")];
    api.control().happen(&scan(&api, together, &[])).unwrap();
    assert_eq!(brought_by(&api, "parser"), [uuid_of("unused")].into());
    assert_reloads(&api).await;
}
