//! Every reading of Data Theorem's pages, with each of its values: the client reads the same.

use std::collections::BTreeMap;

use fixtures::spec::{Reading, readings};
use sync_client::core::model::Standing;

use super::{Everything, everything, rows};
use crate::support::Simulated;

/// What tickets depend on.
#[derive(Debug, PartialEq)]
struct Essence {
    apps: Vec<(String, Option<String>, Option<String>)>,
    targets: BTreeMap<String, (Standing, [Option<String>; 5])>,
    findings: BTreeMap<String, [Option<String>; 4]>,
    since: Vec<String>,
    linked: Option<String>,
}

fn essence(simulated: &Simulated) -> Essence {
    let vendor = simulated.data_theorem();
    assert!(vendor.identify().unwrap().apps.is_some());
    let Everything { apps, targets, findings } = everything(&vendor).unwrap();
    let epoch = simulated.control().epoch();
    // Between the times of the scene, so that it does not matter whether its own moment is included.
    let since = epoch - jiff::SignedDuration::from_mins(104 * 60 + 30);
    let recent = apps.iter().flat_map(|app| rows(vendor.targets(&app.id, Some(since))).unwrap());
    let mut recent: Vec<String> = recent.map(|target| target.id).collect();
    recent.sort();
    vendor.link(&targets[0].id, "LOCAL-1").unwrap();
    vendor.link(&targets[0].id, "LOCAL-1").unwrap();
    let mut apps: Vec<_> = apps.into_iter().map(|app| (app.id, app.name, app.platform)).collect();
    apps.sort();
    let first = targets.iter().map(|target| target.id.clone()).min().unwrap();
    vendor.link(&first, "LOCAL-2").unwrap();
    let targets = targets.into_iter().map(|one| {
        let texts = [Some(one.status), one.external_id, one.text, one.mobile_app_id, one.security_finding_id];
        (one.id, (one.standing, texts))
    });
    let findings = findings.into_iter().map(|one| {
        let score = one.cvss_score.map(|score| score.to_string());
        (one.id, [one.title, one.severity, one.recommendation, score])
    });
    Essence {
        apps,
        targets: targets.collect(),
        findings: findings.collect(),
        since: recent,
        linked: vendor.target(&first).unwrap().external_id,
    }
}

#[test]
fn the_client_reads_the_same_under_every_reading() {
    let usual = essence(&Simulated::scene("every-status", 3));
    assert_eq!((usual.targets.len(), usual.linked.as_deref()), (20, Some("LOCAL-2")));
    assert!(!usual.since.is_empty() && usual.since.len() < usual.targets.len(), "{:?}", usual.since);
    let mut tried = 0;
    for reading in readings().filter(|reading| reading.id.starts_with("dt.")) {
        for value in others(reading) {
            let simulated = Simulated::under("every-status", 3, &[(reading.id, value)]);
            assert_eq!(essence(&simulated), usual, "{}={value}", reading.id);
            assert!(simulated.noticed.counts().is_empty(), "{}={value}", reading.id);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

/// The readings that change what a reply looks like, all at once.
#[test]
fn the_client_reads_the_same_under_all_odd_forms_together() {
    let usual = essence(&Simulated::scene("every-status", 3));
    for last_page in ["null", "empty", "empty-page"] {
        let odd = [
            ("dt.last-page-cursor", last_page),
            ("dt.total-count-type", "number"),
            ("dt.targets-list-key", "targets"),
            ("dt.cvss-names", "cvss3"),
            ("dt.timestamp-offset", "minus"),
            ("dt.sampled-fields", "as-sampled"),
            ("dt.null-fields", "null"),
            ("dt.empty-lists", "omitted"),
            ("dt.cursor-filters", "repeated"),
            ("dt.unknown-parameter", "refused"),
            ("dt.unknown-body-field", "refused"),
            ("dt.content-type", "required"),
            ("dt.list-order", "updated-ascending"),
        ];
        assert_eq!(essence(&Simulated::under("every-status", 3, &odd)), usual, "{last_page}");
    }
}

fn others(reading: &'static Reading) -> impl Iterator<Item = &'static str> {
    reading.values.iter().map(|known| known.value).filter(|value| *value != reading.default)
}
