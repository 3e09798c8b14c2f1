//! Jira's manners: credentials that fail as an empty site, pauses, limits, screens (rows 9, 10, 44 and 50 to 52 of the
//! catalogue).

use fixtures::world::jira::ScreenField;
use serde_json::json;
use sync_client::adapters::jira::{Api, JiraSettings, Login};
use sync_client::core::model::{GroupId, OpKey};
use sync_client::ports::{Change, Created, NewTicket, Tracker as _, TrackerError};

use crate::site::{Site, scene};

fn ticket(number: u32, description: &str) -> NewTicket {
    let op = OpKey::of(&GroupId::new(format!("test/{number}")));
    NewTicket {
        labels: vec!["data-theorem".to_owned(), op.as_str().to_owned()],
        op,
        title: format!("Finding {number}"),
        description: description.to_owned(),
    }
}

/// Row 9: nothing is made, and nothing is concluded.
#[test]
fn a_token_that_was_revoked_is_no_empty_site() {
    let mut site = Site::new(scene("one-open"));
    site.run();
    let before = site.issues();
    let user = site.world().jira.users[0].account_id.clone();
    site.happen(json!({"type": "jira.api_token_revoked", "account_id": user}));
    site.forget();
    for _ in 0..3 {
        site.wait(3_600);
        let report = site.run_full();
        assert_eq!(report.exit().code(), 3, "{report:?}");
        assert_eq!(site.writes(), Vec::<String>::new());
        assert!(site.asked().len() == 1, "{:?}", site.asked());
    }
    assert_eq!(site.issues(), before);
    site.settings.login = Login::new("nobody@site.example", "wrong").unwrap();
    assert!(matches!(site.tracker().identify(), Err(TrackerError::Credential(_))));
}

#[test]
fn both_versions_say_the_same() {
    for api in [Api::V3, Api::V2] {
        let mut site = Site::new(scene("one-open"));
        site.settings = JiraSettings { api, ..site.settings.clone() };
        let report = site.run();
        assert_eq!(report.exit().code(), 0, "{api:?}: {report:?}");
        assert_eq!(site.problems(), Vec::<String>::new(), "{api:?}");
        let target = site.world().data_theorem.security_finding_targets[0].id.clone();
        site.wait(3_600);
        site.happen(
            json!({"type": "data_theorem.target_status", "target_id": target, "status": "CLOSED_FIXED"}),
        );
        site.run_full();
        assert_eq!(site.problems(), Vec::<String>::new(), "{api:?}");
        site.run_full();
        assert_eq!(site.writes(), Vec::<String>::new(), "{api:?}");
    }
}

/// Row 44: a site that turns most requests away is served in the end, without a second ticket.
#[test]
fn a_strict_site_takes_longer_and_no_more() {
    let site = Site::new(scene("one-open"));
    site.happen(json!({"type": "jira.limits_changed", "limits": {
        "burst": {"requests": 1, "per_ms": 5_000}, "issue_writes": {"requests": 1, "per_ms": 20_000},
    }}));
    assert_eq!(site.settle(), Vec::<String>::new());
}

/// Row 10.
#[test]
fn a_project_without_labels_or_with_a_field_of_its_own_gets_no_ticket() {
    for screen in [
        vec![ScreenField::optional("description")],
        vec![ScreenField::optional("labels")],
        vec![
            ScreenField::optional("description"),
            ScreenField::optional("labels"),
            ScreenField::required("assignee"),
        ],
    ] {
        let mut world = scene("one-open");
        for project in &mut world.jira.projects {
            project.screen.clone_from(&screen);
        }
        let site = Site::new(world);
        let error = site.tracker().identify().unwrap_err();
        assert!(matches!(error, TrackerError::Refused(_)), "{error}");
        let report = site.run();
        assert_ne!(report.exit().code(), 0);
        assert_eq!(site.writes(), Vec::<String>::new(), "{report:?}");
    }
}

/// Rows 50 to 53.
#[test]
fn odd_and_long_texts_are_taken() {
    let site = Site::new(scene("one-open"));
    let tracker = site.tracker();
    let texts = [
        "",
        "# A\n\n> - ## b\n> ---\n>\n> | x | y |\n> |---|---|\n> | `1` | **2** |\n\n1. ```\n   code\n   ```\n\n---",
        "<script>alert(1)</script> &amp; <br> \u{fffd} [x](javascript:alert(1)) ![i](https://e.example/i.png)",
        "> > > > > > > > > > deep",
        "- - - - - - - - - - deep",
        "```\n\n```",
        "| |\n|-|\n| |",
        "****** __ `` ~~~~",
    ];
    for (number, text) in (0..).zip(texts) {
        let made = tracker.create(&ticket(number, text));
        assert!(matches!(made, Ok(Created::New(_))), "{text}: {made:?}");
    }
    for (number, text) in
        (100..).zip(["x".repeat(32_767), "😀 **b**\n\n".repeat(9_000), "- é\n".repeat(40_000)])
    {
        let Created::New(made) = tracker.create(&ticket(number, &text)).unwrap() else { panic!("it is new") };
        let change = Change { comment: Some(text), is_done: None };
        assert_eq!(tracker.update(&made.key, &change).unwrap().our_comments, 1);
    }
    let title: String = "é😀\"".repeat(100).chars().take(170).collect();
    let made = tracker.create(&NewTicket { title, ..ticket(200, "x") });
    assert!(matches!(made, Ok(Created::New(_))), "255 UTF-16 units: {made:?}");
}

#[test]
fn a_comment_is_read_back_as_it_was_said() {
    let site = Site::new(scene("one-open"));
    for api in [Api::V3, Api::V2] {
        let mut site_settings = site.settings.clone();
        site_settings.api = api;
        let tracker = sync_client::adapters::jira::Jira::new(site_settings, site.caller());
        let Created::New(made) = tracker.create(&ticket(api as u32, "x")).unwrap() else { panic!("new") };
        for text in [
            "Data Theorem: the status is now CLOSED_FIXED.\n\nThis closes the ticket.",
            "Mend:\n- a_b: **x**\n- c",
        ] {
            let change = Change { comment: Some(text.to_owned()), is_done: None };
            let ticket = tracker.update(&made.key, &change).unwrap();
            assert_eq!(ticket.our_last_comment, Some(tracker.as_stored(text)), "{api:?}");
        }
    }
}

/// People's changes, for those who want the vendors to hear of them.
#[test]
fn changes_of_tickets_of_ours_are_listed() {
    let site = Site::new(scene("one-open"));
    site.run();
    let all = site.tracker().changed(None).unwrap();
    assert_eq!(all.len(), site.issues().len(), "those of people are left out");
    site.wait(7_200);
    let since = site.control.now();
    site.wait(600);
    let tracker = site.tracker();
    assert_eq!(tracker.changed(Some(since)).unwrap(), []);
    let key = site.issue().key;
    site.happen(json!({"type": "jira.issue_transitioned", "issue": key, "status": "Won't Do", "resolution": "Won't Do"}));
    let changed = tracker.changed(Some(since)).unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].is_done, changed[0].resolution.as_deref()), (true, Some("Won't Do")));
}
