//! The samples of both pages, served back as they are printed (row 55).

use fixtures::samples::sample;
use mock_server::kernel::faults::{Effect, Fault};
use sync_client::adapters::mend::{Cause, TicketReport};
use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use crate::support::World;

/// The next question of this type is answered by a sample, as printed: with a comma behind the last issue.
fn serve(world: &World, operation: &str) {
    let body = sample(&format!("mend/{operation}")).unwrap().printed();
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body };
    world.control.plan_fault(Fault::before(operation, effect)).unwrap();
}

#[test]
fn the_sample_of_policy_issues_is_read() {
    let world = World::new("one-open");
    serve(&world, "fetchProjectPolicyIssues");
    let (mend, noticed) = world.client();
    let mut issues = mend.policy_issues("proj_token").unwrap();
    assert_eq!(
        [&issues.organization, &issues.product, &issues.project].map(|name| name.as_deref().unwrap()),
        ["To Vul Based 1", "WST_468", "WST_468"]
    );
    assert_eq!((issues.violations.len(), issues.is_complete), (1, true));
    let violation = issues.violations.remove(0);
    assert_eq!(violation.uuid, "d9367135-7d7c-496f-ba32-a85b8d2df71a");
    assert_eq!((violation.standing.clone(), violation.is_open()), (Standing::Open, true));
    assert_eq!(violation.violation_type, "LICENSE");
    assert_eq!(violation.cause, Some(Cause::License { name: "Apache 2.0".to_owned() }));
    assert_eq!(violation.created, Some("2021-01-26T00:00:00Z".parse().unwrap()));
    assert_eq!(violation.last_modified, violation.created);
    let library = &violation.library;
    assert_eq!(library.key_uuid.as_deref(), Some("9fc3c814-f194-4c32-9949-417f33a05527"));
    assert_eq!(library.coordinates.as_deref(), Some("org.spockframework:spock-core:0.7-groovy-1.8"));
    assert_eq!(library.version.as_deref(), Some("0.7-groovy-1.8"));
    let policy = &violation.policy;
    assert_eq!((policy.id.as_deref(), policy.name.as_deref()), (Some("11203"), Some("LicensePolicy")));
    assert_eq!(policy.url.as_deref(), Some("https://tware.com/Wss/WSS.html#!p;project=1461100;policy=03"));
    assert_eq!((policy.priority, policy.match_type.as_deref()), (Some(1), Some("LICENSE")));
    assert_eq!(noticed.counts(), [].into());
    assert_eq!(world.requests("fetchProjectPolicyIssues").len(), 1);
}

#[test]
fn the_sample_of_modified_projects_is_read() {
    let world = World::new("one-open");
    serve(&world, "getOrganizationLastModifiedProjects");
    let (mend, noticed) = world.client();
    let projects = mend.modified_projects(None).unwrap();
    let tokens: Vec<&str> = projects.iter().map(|project| project.token.as_str()).collect();
    assert_eq!(tokens, ["proj1_token", "token"]);
    assert_eq!(projects[1].uuid.as_deref(), Some("2d017b44-abec-452e-953b-1d4f90dcca0d"));
    assert_eq!(projects[1].newest, Some("2021-07-19T13:34:24Z".parse().unwrap()));
    assert_eq!(noticed.counts(), [].into());
}

/// It has a library that was not asked for, and lacks the two that were.
#[test]
fn the_sample_of_libraries_is_read() {
    let world = World::new("one-open");
    serve(&world, "getProjectLibrariesInfo");
    let (mend, _) = world.client();
    let asked = ["9fc3c814-f194-4c32-9949-417f33a05527".to_owned(), "keyUuid_2".to_owned()];
    assert_eq!(mend.libraries_present("token", &asked).unwrap(), [].into());
    serve(&world, "getProjectLibrariesInfo");
    let asked = ["68AED19C-66e6-46d8-9245-23d85fae410e".to_owned()];
    assert_eq!(mend.libraries_present("token", &asked).unwrap(), asked.into());
}

/// It counts the four items of the page's request, and the client sends one.
#[test]
fn the_sample_of_counters_is_no_answer_to_one_item() {
    let world = World::new("one-open");
    serve(&world, "updateExternalIntegrationIssues");
    let report = TicketReport { identifier: "WPM-1".to_owned(), ..TicketReport::default() };
    let found = world.client().0.report("proj_token", "123345", &report);
    assert!(matches!(found, Err(VendorError::Malformed { .. })), "{found:?}");
}
