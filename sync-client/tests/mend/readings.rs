//! Whatever a server chose where the pages are silent, the same is read, apart from what the choice itself is about.

use std::collections::BTreeSet;

use fixtures::spec::Reading;
use fixtures::spec::mend::readings::ALL_READINGS;
use fixtures::world::mend::{Event, PolicySpec};
use sync_client::adapters::mend::TicketReport;
use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use crate::support::{Seen, World, open, scan, see, standings};

const SCENES: [&str; 4] = ["mend-demo", "mend-every-match-type", "mend-old-project", "mend-window-edges"];

/// Readings about which violations there are at all: there the world has others, and so has the client.
const DECLARE_WHAT_THERE_IS: [&str; 3] =
    ["mend.policy-conflict", "mend.high-includes-critical", "mend.ignored-alert-violation"];

/// What a reading declares to be different, taken out of what was seen; what is left must not differ.
fn without_the_declared(id: &str, mut seen: Seen) -> Seen {
    match id {
        "mend.dates" => seen.modified.iter_mut().for_each(|project| project.newest = None),
        "mend.modified-rows" => seen.modified.iter_mut().for_each(|project| project.kinds.clear()),
        "mend.modified-alerts" => {
            for project in &mut seen.modified {
                project.kinds.remove("ALERTS");
                project.newest = None;
            }
        }
        "mend.libraries-no-longer-applies" => seen.present.clear(),
        "mend.disabled-policies" => {
            for issues in seen.issues.values_mut() {
                issues.violations.retain(|violation| violation.policy.is_enabled);
            }
            seen.present.clear();
        }
        "mend.resolved-violations" => {
            for issues in seen.issues.values_mut() {
                issues.violations.retain(|violation| violation.standing != Standing::Closed);
            }
            // More libraries are asked about, which are not there.
        }
        "mend.other-violation-type" => {
            let issues = seen.issues.values_mut();
            for violation in issues.flat_map(|issues| &mut issues.violations) {
                violation.violation_type.clear();
            }
        }
        _ => {}
    }
    seen
}

/// A whole report, with everything that can be said.
fn report() -> TicketReport {
    TicketReport {
        identifier: "SEC-12".to_owned(),
        url: Some("https://tracker.example/browse/SEC-12".to_owned()),
        status: Some("In Progress".to_owned()),
        created: Some("2024-05-02T10:11:12.123Z".parse().unwrap()),
        last_modified: Some("2024-05-03T00:00:00Z".parse().unwrap()),
        extra: [("issuePriority".to_owned(), "MEDIUM".to_owned())].into(),
    }
}

/// A world in which something is over, so that there is something to list as resolved.
fn with_something_over(scene: &str) -> World {
    let world = World::new(scene);
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    if world.open()[&project].len() > 1 {
        world.advance(1);
        world.control.happen(&scan(&project, &[], &[&library])).unwrap();
    }
    world
}

fn check(world: &World, reading: &Reading, expected: Option<&Seen>) {
    let (project, violation) = world.an_open_violation();
    for value in reading.values {
        let about = format!("{}={}", reading.id, value.value);
        world.control.set_readings([(reading.id, value.value)]).unwrap();
        world.control.clear_journal();
        let (mend, noticed) = world.client();
        let found = see(&mend);
        assert_eq!(open(&found), world.open(), "{about}");
        assert!(found.issues.values().all(|issues| issues.is_complete), "{about}");
        if let Some(expected) = expected {
            let [found, expected] =
                [found, expected.clone()].map(|seen| without_the_declared(reading.id, seen));
            assert_eq!(found, expected, "{about}");
        }
        let counters = mend.report(&project, &violation.uuid, &report()).unwrap();
        assert_eq!(counters.created + counters.updated + counters.unaffected, 1, "{about}");
        assert_eq!(noticed.counts(), [].into(), "{about}");
    }
    world.control.set_readings([(reading.id, reading.default)]).unwrap();
    let stored = world.control.export_world().mend.external_issues;
    let stored = stored.iter().find(|issue| issue.identifier == "SEC-12").unwrap();
    assert_eq!(stored.violation_uuid, violation.uuid);
    assert_eq!(stored.status.as_deref(), Some("In Progress"));
    assert_eq!(stored.created, Some("2024-05-02T10:11:12Z".parse().unwrap()));
}

#[test]
fn every_reading_is_read_alike() {
    for scene in SCENES {
        let world = with_something_over(scene);
        let expected = see(&world.client().0);
        assert!(open(&expected).values().any(|open| !open.is_empty()), "{scene}");
        for reading in ALL_READINGS {
            if DECLARE_WHAT_THERE_IS.contains(&reading.id) {
                check(&with_something_over(scene), reading, None);
            } else {
                check(&world, reading, Some(&expected));
            }
        }
    }
}

#[test]
fn what_a_reading_declares_is_seen_as_what_it_is() {
    let world = World::new("mend-demo");
    let (_, violation) = world.an_open_violation();
    let mut spec = world.control.export_world();
    let of_policy = |policy: &&mut PolicySpec| Some(policy.id.to_string()) == violation.policy.id;
    spec.mend.policies.iter_mut().find(of_policy).unwrap().is_enabled = false;
    world.control.replace_world(spec).unwrap();
    let seen = see(&world.client().0);
    assert_eq!(open(&seen), world.open());
    let disabled = |seen: &Seen| {
        let violations = seen.issues.values().flat_map(|issues| &issues.violations);
        violations.filter(|violation| !violation.policy.is_enabled).count()
    };
    assert!(disabled(&seen) > 0);
    world.control.set_readings([("mend.disabled-policies", "omitted")]).unwrap();
    let seen = see(&world.client().0);
    assert_eq!((disabled(&seen), open(&seen)), (0, world.open()));
    let world = with_something_over("mend-demo");
    let over = || standings(&see(&world.client().0)).get(&Standing::Closed).copied();
    assert_eq!(over(), None);
    world.control.set_readings([("mend.resolved-violations", "listed")]).unwrap();
    assert!(over() > Some(0));
}

/// Each server that insists on a window gets one in a form it takes, is asked for it once, and leaves nothing out.
#[test]
fn a_server_that_insists_on_a_window_gets_the_widest() {
    for scene in ["mend-demo", "mend-window-edges"] {
        let world = World::new(scene);
        let expected = see(&world.client().0).issues;
        world.control.set_readings([("mend.fetch-window-missing", "refused")]).unwrap();
        for (id, value) in [
            ("mend.fetch-window-format", "any"),
            ("mend.fetch-window-format", "space"),
            ("mend.fetch-window-format", "slashes"),
            ("mend.fetch-window-format", "dashes"),
            ("mend.missing-field-code", "3000"),
            ("mend.fetch-window-bounds", "to-exclusive"),
            ("mend.fetch-window-minutes", "start-of-minute"),
            ("mend.fetch-window-rows", "whole-issue"),
            ("mend.fetch-window-field", "last-modified"),
            ("mend.fetch-window-one-bound", "refused"),
            ("mend.fetch-window-unparsable", "ignored"),
        ] {
            world.control.set_readings([(id, value)]).unwrap();
            let (mend, _) = world.client();
            for (token, expected) in &expected {
                world.control.clear_journal();
                assert_eq!(mend.policy_issues(token).as_ref(), Ok(expected), "{scene}, {id}={value}");
            }
            let last = world.requests("fetchProjectPolicyIssues");
            assert!(expected.len() == 1 || last.len() == 1, "{id}={value}: the form is not remembered");
        }
    }
}

/// A project from before projects had tokens is asked for by its UUID.
#[test]
fn a_project_without_a_token_goes_by_its_uuid() {
    let world = World::new("mend-old-project");
    let seen = see(&world.client().0);
    let old = seen.modified.iter().find(|project| project.uuid.as_ref() == Some(&project.token)).unwrap();
    assert_eq!(seen.issues[&old.token].violations.len(), 1);
}

/// The window begins where it is said to, to the second, and has no end.
#[test]
fn only_what_was_modified_since_is_listed() {
    let world = World::new("mend-demo");
    let (mend, _) = world.client();
    let before = world.advance(1);
    assert_eq!(mend.modified_projects(Some(before)).unwrap(), []);
    let token = world.project_tokens().remove(0);
    let renamed = Event::ProjectRenamed { project_token: token.clone(), name: "renamed".to_owned() };
    world.control.happen(&renamed).unwrap();
    let modified = mend.modified_projects(Some(before)).unwrap();
    assert_eq!(modified.iter().map(|project| &project.token).collect::<Vec<_>>(), [&token]);
    assert_eq!(modified[0].kinds, BTreeSet::from(["METADATA".to_owned()]));
    assert_eq!(modified[0].newest, Some(before));
    assert_eq!(mend.modified_projects(Some(world.advance(1))).unwrap(), []);
    let all: BTreeSet<String> =
        mend.modified_projects(None).unwrap().into_iter().map(|project| project.token).collect();
    assert_eq!(all, world.project_tokens().into_iter().collect());
}

/// I24: the call that proves the credential fails on a bad key and on a bad token, under every reading.
#[test]
fn bad_credentials_are_told_apart_from_everything_else() {
    let world = World::new("mend-demo");
    let account = world.control.mend();
    assert!(world.client().0.identify().unwrap().organization.is_some());
    for (id, value) in [
        ("mend.unknown-scope-token", "5001"),
        ("mend.unknown-scope-token", "3000"),
        ("mend.bad-value-code", "2021"),
    ] {
        world.control.set_readings([(id, value)]).unwrap();
        for (user_key, org_token) in
            [("0".repeat(64).as_str(), account.org_token()), (account.user_key(), "1".repeat(64).as_str())]
        {
            let (mend, _) = world.client_with(user_key, org_token);
            let error = mend.identify().unwrap_err();
            assert!(matches!(error, VendorError::Credential { .. }), "{id}={value}: {error}");
            assert!(!error.to_string().contains(user_key) && !format!("{mend:?}").contains(user_key));
        }
        let (mend, _) = world.client_with(&"0".repeat(64), account.org_token());
        assert!(matches!(mend.modified_projects(None), Err(VendorError::Credential { .. })));
        assert!(matches!(mend.projects(), Err(VendorError::Credential { .. })));
    }
}
