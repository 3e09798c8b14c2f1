//! A fault at every request of a run, and what is there afterwards (I1b, I14, I15, I22).

use std::time::Duration;

use serde_json::json;

use crate::site::{Blow, Site, scene};

const BLOWS: [Blow; 13] = [
    Blow::Refused,
    Blow::LostBefore,
    Blow::LostAfter,
    Blow::Late,
    Blow::ErrorBefore,
    Blow::ErrorAfter,
    Blow::TooMany,
    Blow::TooManyInHtml,
    Blow::Truncated,
    Blow::Html,
    Blow::Anonymous,
    Blow::KillBefore,
    Blow::KillAfter,
];

/// Makes a site in which a run has something to do.
type Prepare = fn() -> Site;

fn export() -> Site {
    let mut site = Site::new(scene("one-open"));
    site.lags(Duration::from_secs(20));
    site
}

fn closing() -> Site {
    let site = export();
    assert_eq!(site.run().exit().code(), 0);
    let target = site.world().data_theorem.security_finding_targets[0].id.clone();
    site.wait(3_600);
    site.happen(json!({"type": "data_theorem.target_status", "target_id": target, "status": "CLOSED_FIXED"}));
    site
}

fn without_ledger() -> Site {
    let site = export();
    assert_eq!(site.run().exit().code(), 0);
    site.wait(3_600);
    site.forget();
    site
}

fn strike(prepare: Prepare) {
    let site = prepare();
    site.run_full();
    let requests = site.asked();
    assert!(requests.len() > 10, "{requests:?}");
    let mut problems = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        for blow in BLOWS {
            let site = prepare();
            site.run_struck(
                sync_client::sync::Options { is_full: true, ..Default::default() },
                Some((number, blow)),
            );
            let found = site.settle();
            let issue = site.issue();
            let mut texts: Vec<_> =
                issue.comments.iter().map(|comment| format!("{:?}", comment.body)).collect();
            let all = texts.len();
            texts.dedup();
            if texts.len() < all {
                problems.push(format!("{blow:?} at {request}: {} says something twice", issue.key));
            }
            problems
                .extend(found.iter().map(|what| format!("{blow:?} at request {number}, {request}: {what}")));
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems, e.g.\n{}",
        problems.len(),
        problems[..problems.len().min(12)].join("\n")
    );
    eprintln!("{} requests x {} faults", requests.len(), BLOWS.len());
}

#[test]
fn an_export_survives_a_fault_at_every_request() {
    strike(export);
}

#[test]
fn a_closing_survives_a_fault_at_every_request() {
    strike(closing);
}

#[test]
fn a_run_without_its_ledger_survives_a_fault_at_every_request() {
    strike(without_ledger);
}
