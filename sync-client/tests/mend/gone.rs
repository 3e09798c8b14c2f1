//! What leaves a project is said to be gone; what can't be asked is not.

use std::collections::BTreeSet;

use fixtures::world::mend::Event;
use mock_server::kernel::faults::{Effect, Fault};
use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use crate::support::{World, scan};

#[test]
fn a_library_that_left_the_project_is_not_present_and_one_that_came_back_is() {
    let world = World::new("mend-demo");
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    let (mend, _) = world.client();
    let libraries: Vec<String> = {
        let issues = mend.policy_issues(&project).unwrap();
        let found = issues.violations.iter().filter(|violation| violation.is_open());
        found.filter_map(|violation| violation.library.key_uuid.clone()).collect()
    };
    let all: BTreeSet<String> = libraries.iter().cloned().collect();
    assert_eq!(mend.libraries_present(&project, &libraries).unwrap(), all);
    world.advance(1);
    world.control.happen(&scan(&project, &[], &[&library])).unwrap();
    let present = mend.libraries_present(&project, &libraries).unwrap();
    assert_eq!(all.difference(&present).collect::<Vec<_>>(), [&library]);
    let issues = mend.policy_issues(&project).unwrap();
    assert!(issues.is_complete);
    assert!(!issues.violations.iter().any(|left| left.uuid == violation.uuid));
    world.control.set_readings([("mend.resolved-violations", "listed")]).unwrap();
    let issues = mend.policy_issues(&project).unwrap();
    let left = issues.violations.iter().find(|left| left.uuid == violation.uuid).unwrap();
    assert_eq!((left.standing.clone(), left.status.as_str()), (Standing::Closed, "RESOLVED"));
    world.advance(1);
    world.control.happen(&scan(&project, &[&library], &[])).unwrap();
    assert_eq!(mend.libraries_present(&project, &libraries).unwrap(), all);
}

#[test]
fn many_libraries_are_asked_in_batches_each_once() {
    let world = World::new("mend-demo");
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    let mut asked: Vec<String> =
        (0..250).map(|index| format!("9fc3c814-0000-4c32-9949-{index:012}")).collect();
    asked.push(library.clone());
    asked.push(library.clone());
    let (mend, noticed) = world.client();
    assert_eq!(mend.libraries_present(&project, &asked).unwrap(), [library].into());
    assert_eq!(world.requests("getProjectLibrariesInfo").len(), 3);
    assert_eq!(noticed.counts(), [].into());
    assert_eq!(mend.libraries_present(&project, &[]).unwrap(), [].into());
    assert_eq!(world.requests("getProjectLibrariesInfo").len(), 3);
}

/// A server that refuses all for one id it does not know has not said that this one is gone, and still tells about
/// the others.
#[test]
fn a_library_that_the_server_refuses_to_look_up_is_not_gone() {
    let world = World::new("mend-demo");
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    world.control.happen(&scan(&project, &[], &[&library])).unwrap();
    world.control.set_readings([("mend.unknown-key-uuid", "refused")]).unwrap();
    let unknown = "9fc3c814-0000-4c32-9949-000000000000".to_owned();
    let (mend, noticed) = world.client();
    assert_eq!(mend.libraries_present(&project, &[library, unknown.clone()]).unwrap(), [unknown].into());
    assert_eq!(noticed.counts().len(), 1);
}

/// I5: a server that writes an id in other letters has not said that the library is gone.
#[test]
fn an_id_in_other_letters_is_the_same_id() {
    let world = World::new("mend-demo");
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    let value = serde_json::Value::from(library.to_uppercase());
    let effect = Effect::Rewrite { pointer: "/libraries/0/keyUuid".to_owned(), value };
    world.control.plan_fault(Fault::after("getProjectLibrariesInfo", effect)).unwrap();
    let present = world.client().0.libraries_present(&project, std::slice::from_ref(&library)).unwrap();
    assert_eq!(present, [library].into());
}

#[test]
fn of_a_project_that_is_gone_nothing_is_said() {
    let world = World::new("mend-demo");
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    world.control.happen(&Event::ProjectDeleted { project_token: project.clone() }).unwrap();
    for (value, expected) in [("5001", "NotFound"), ("3000", "Refused")] {
        world.control.set_readings([("mend.unknown-scope-token", value)]).unwrap();
        let (mend, _) = world.client();
        let found = mend.policy_issues(&project).unwrap_err();
        assert!(format!("{found:?}").starts_with(expected), "{found:?}");
        let found = mend.libraries_present(&project, std::slice::from_ref(&library)).unwrap_err();
        assert!(format!("{found:?}").starts_with(expected), "{found:?}");
    }
}

#[test]
fn a_key_that_stops_working_is_a_credential_and_no_empty_organization() {
    let world = World::new("mend-demo");
    let (mend, _) = world.client();
    let key = world.control.mend().user_key().to_owned();
    let users = world.control.export_world().mend.users;
    for user in &users {
        world.control.happen(&Event::UserKeyRevoked { user_id: user.id }).unwrap();
    }
    let found = mend.identify().unwrap_err();
    assert!(matches!(found, VendorError::Credential { .. }), "{found}");
    assert!(!found.to_string().contains(&key));
    assert!(matches!(mend.projects(), Err(VendorError::Credential { .. })));
}
