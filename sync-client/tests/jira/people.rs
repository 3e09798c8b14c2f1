//! What people do in Jira meanwhile (rows 6, 28, 39, 40, 61 to 64 of the catalogue).

use std::time::Duration;

use serde_json::json;

use crate::site::{Site, scene};

fn exported() -> Site {
    let site = Site::new(scene("one-open"));
    let report = site.run();
    assert_eq!(report.exit().code(), 0, "{report:?}");
    assert_eq!(site.problems(), Vec::<String>::new());
    site
}

fn target(site: &Site) -> String {
    site.world().data_theorem.security_finding_targets[0].id.clone()
}

fn link(site: &Site) -> Option<String> {
    site.world().data_theorem.security_finding_targets[0].external_id.clone()
}

fn vendor_says(site: &Site, status: &str) {
    site.wait(3_600);
    site.happen(json!({"type": "data_theorem.target_status", "target_id": target(site), "status": status}));
}

#[test]
fn demo_is_exported_and_a_second_run_writes_nothing() {
    let site = Site::new(scene("demo"));
    let report = site.run();
    assert_eq!(report.exit().code(), 0, "{report:?}");
    assert_eq!(site.problems(), Vec::<String>::new());
    let before = site.issues();
    assert_eq!(report.created, before.len() as u64);
    assert!(before.len() > 50, "{}", before.len());
    site.wait(60);
    let report = site.run_full();
    assert_eq!((report.writes(), site.writes()), (0, Vec::new()));
    assert_eq!(site.issues(), before);
}

#[test]
fn what_the_vendor_closes_is_closed_and_opened_again() {
    let site = exported();
    for (status, is_done) in [("CLOSED_FIXED", true), ("OPEN", false), ("CLOSED_RISK_ACCEPTED", true)] {
        vendor_says(&site, status);
        let report = site.run_full();
        assert_eq!(report.exit().code(), 0, "{report:?}");
        assert_eq!(site.is_done(&site.issue()), is_done, "{status}");
        assert_eq!(site.problems(), Vec::<String>::new());
        site.run_full();
        assert_eq!(site.writes(), Vec::<String>::new(), "{status}");
    }
    assert_eq!(site.issue().comments.len(), 3);
}

#[test]
fn what_people_wrote_stays() {
    let site = exported();
    let key = site.issue().key;
    site.happen(json!({"type": "jira.issue_edited", "issue": key, "edit": {
        "summary": "Ours now", "labels_added": ["human"], "labels_removed": ["data-theorem"],
    }}));
    site.happen(json!({"type": "jira.issue_commented", "issue": key, "body": "We look at it."}));
    let before = site.issue();
    site.wait(3_600);
    site.run_full();
    assert_eq!(site.issue(), before);
    vendor_says(&site, "CLOSED_FIXED");
    site.run_full();
    let after = site.issue();
    assert!(site.is_done(&after));
    assert_eq!((after.summary, after.labels), (before.summary, before.labels));
    assert_eq!(after.comments.len(), 2);
}

/// Rows 6 and 28: nobody's decision is turned over.
#[test]
fn a_ticket_that_people_closed_stays_closed_and_gets_no_second_one() {
    let site = exported();
    let key = site.issue().key;
    let wont_do = json!({"type": "jira.issue_transitioned", "issue": key, "status": "Won't Do", "resolution": "Won't Do"});
    site.happen(wont_do);
    for _ in 0..3 {
        site.wait(3_600);
        let report = site.run_full();
        assert_eq!((report.exit().code(), report.writes()), (0, 0), "{report:?}");
    }
    assert_eq!(site.issues().values().flatten().filter(|issue| issue.key == key).count(), 1);
    // The vendor closes it too: there is nothing left to say.
    vendor_says(&site, "CLOSED_FIXED");
    site.run_full();
    assert_eq!(site.issue().comments.len(), 0);
}

/// Row 61.
#[test]
fn a_ticket_that_was_moved_is_followed() {
    let mut world = scene("one-open");
    let other = fixtures::builders::jira::project(10_009, "OPS", "Operations");
    world.jira.projects.push(other);
    let site = Site::new(world);
    site.run();
    let key = site.issue().key;
    site.happen(json!({"type": "jira.issue_moved", "issue": key, "project": "OPS"}));
    site.wait(3_600);
    let report = site.run_full();
    assert_eq!((report.exit().code(), report.moved, report.created), (0, 1, 0), "{report:?}");
    assert_eq!(link(&site), Some(site.issue().key));
    assert!(site.issue().key.starts_with("OPS-"));
    site.wait(60);
    site.run_full();
    assert_eq!(site.writes(), Vec::<String>::new());
}

/// Rows 62 and 63.
#[test]
fn a_ticket_that_is_deleted_or_hidden_is_not_made_again() {
    let site = exported();
    let key = site.issue().key;
    let count = site.issues().len();
    site.happen(json!({"type": "jira.issue_hidden", "issue": key, "is_hidden": true}));
    site.wait(3_600);
    let report = site.run_full();
    assert_eq!((report.created, report.exit().code()), (0, 4), "{report:?}");
    site.happen(json!({"type": "jira.issue_hidden", "issue": key, "is_hidden": false}));
    site.wait(3_600);
    assert_eq!(site.run_full().exit().code(), 0, "it was only hidden");
    site.happen(json!({"type": "jira.issue_deleted", "issue": key}));
    for _ in 0..5 {
        site.wait(3_600);
        assert_eq!(site.run_full().created, 0);
    }
    assert_eq!(site.issues().len(), count - 1);
    assert_eq!(site.run_full().exit().code(), 0, "it is left alone by now");
}

/// Rows 4 and 5: the search does not show what was made a moment ago, and the ledger is lost.
#[test]
fn a_lost_ledger_makes_no_second_ticket_although_the_search_lags() {
    for (lag_s, wait_s) in [(90, 0), (90, 30), (110, 300), (600, 0)] {
        let mut site = Site::new(scene("one-open"));
        site.lags(Duration::from_secs(lag_s));
        let first = site.run();
        if lag_s > 120 {
            assert_eq!((first.created, first.exit().code()), (0, 4), "it is too early to tell: {first:?}");
            site.wait(i64::try_from(lag_s).unwrap());
            site.run();
        }
        assert_eq!(site.problems(), Vec::<String>::new(), "{lag_s} {wait_s}");
        let before = site.issues();
        // The vendor knows nothing either.
        site.happen(
            json!({"type": "data_theorem.external_id", "target_id": target(&site), "external_id": null}),
        );
        site.forget();
        site.wait(wait_s);
        site.run_full();
        site.wait(i64::try_from(lag_s).unwrap());
        let found = site.settle();
        assert_eq!(found, Vec::<String>::new(), "{lag_s} {wait_s}");
        assert_eq!(site.issues().len(), before.len(), "{lag_s} {wait_s}");
    }
}

/// The workflow leads to the end only by way of another status: the run says so, and writes nothing.
#[test]
fn a_workflow_without_a_way_is_said_by_name() {
    let mut world = scene("one-open");
    for project in &mut world.jira.projects {
        project.workflow = "detour".to_owned();
    }
    let site = Site::new(world);
    site.run();
    vendor_says(&site, "CLOSED_FIXED");
    for _ in 0..2 {
        let report = site.run_full();
        assert_eq!(report.exit().code(), 4);
        let why = report.failures.iter().map(|failure| failure.why.as_str()).collect::<Vec<_>>().join("; ");
        assert!(why.contains("leads to no done status: from here it leads to In Progress"), "{why}");
        assert_eq!(site.writes(), Vec::<String>::new());
    }
    let key = site.issue().key;
    site.happen(json!({"type": "jira.issue_transitioned", "issue": key, "status": "In Progress"}));
    assert_eq!(site.run_full().exit().code(), 0);
    assert_eq!(site.problems(), Vec::<String>::new());
}
