//! What is listed, and how it is asked for.

use std::collections::BTreeSet;

use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use super::{everything, rows};
use crate::support::Simulated;

#[test]
fn every_row_is_read_whatever_the_page_size() {
    for (scene, page_size) in
        [("two-pages", 2), ("every-status", 1), ("every-status", 7), ("unicode", 3), ("demo", 50)]
    {
        let simulated = Simulated::scene(scene, page_size);
        let world = simulated.control().export_world().data_theorem;
        let read = everything(&simulated.data_theorem()).unwrap();
        assert!(!world.security_finding_targets.is_empty(), "{scene}");

        let ids = |ids: &mut dyn Iterator<Item = &String>| ids.cloned().collect::<BTreeSet<String>>();
        let apps = ids(&mut world.mobile_apps.iter().map(|app| &app.id));
        assert_eq!(ids(&mut read.apps.iter().map(|app| &app.id)), apps, "{scene}");
        let findings = ids(&mut world.security_findings.iter().map(|finding| &finding.id));
        assert_eq!(ids(&mut read.findings.iter().map(|finding| &finding.id)), findings, "{scene}");

        assert_eq!(read.targets.len(), world.security_finding_targets.len(), "{scene}: each target once");
        for spec in &world.security_finding_targets {
            let target = read.targets.iter().find(|target| target.id == spec.id).unwrap();
            assert_eq!(target.text.as_deref(), Some(spec.text.as_str()));
            assert_eq!(target.external_id, spec.external_id);
            assert_eq!(target.security_finding_id.as_ref(), Some(&spec.security_finding_id));
            assert_eq!(target.status, spec.statuses[0].status.as_str());
            let standing =
                if target.status.starts_with("CLOSED_") { Standing::Closed } else { Standing::Open };
            assert_eq!(target.standing, standing, "{}", target.status);
            assert_eq!(target.status_date, Some(spec.statuses[0].date));
            assert_eq!(target.results_last_updated, Some(spec.results_last_updated));
        }
        assert!(simulated.noticed.counts().is_empty(), "{scene}: {:?}", simulated.noticed.counts());
        assert!(simulated.journal().iter().all(|entry| entry.flags.is_empty() && entry.status == Some(200)));
    }
}

/// What one item says of itself is what its list says.
#[test]
fn items_are_as_listed() {
    let simulated = Simulated::scene("every-status", 100);
    let vendor = simulated.data_theorem();
    let read = everything(&vendor).unwrap();
    for target in &read.targets {
        assert_eq!(vendor.target(&target.id).as_ref(), Ok(target));
    }
    for finding in &read.findings {
        assert_eq!(vendor.finding(&finding.id).as_ref(), Ok(finding));
    }
    assert_eq!(vendor.app(&read.apps[0].id).as_ref(), Ok(&read.apps[0]));
    for (id, found) in [("1", vendor.target("1").err()), ("a/b?c", vendor.target("a/b?c").err())] {
        let Some(VendorError::NotFound { operation, .. }) = found else { panic!("{found:?}") };
        assert!(operation.starts_with("GET security_finding_targets/"), "{id}: {operation}");
    }
}

/// Row 57 of the catalogue: a `+` that is not encoded arrives as a space.
#[test]
fn the_watermark_arrives_as_it_was_meant() {
    let simulated = Simulated::scene("two-pages", 2);
    let vendor = simulated.data_theorem();
    let app = rows(vendor.apps(None)).unwrap().remove(0);
    let all = rows(vendor.targets(&app.id, None)).unwrap();
    let times: BTreeSet<_> = all.iter().filter_map(|target| target.results_last_updated).collect();
    for since in times {
        let since = since - jiff::SignedDuration::from_micros(1);
        let wanted = all.iter().filter(|target| target.results_last_updated >= Some(since)).count();
        assert_eq!(rows(vendor.targets(&app.id, Some(since))).unwrap().len(), wanted, "{since}");
        assert_eq!(rows(vendor.apps(Some(since))).unwrap().len(), 1);
    }
    let queries: Vec<String> = simulated.journal().into_iter().map(|entry| entry.request.query).collect();
    assert!(queries.iter().any(|query| query.contains("results_since=") && query.contains("%2B00%3A00")));
    assert!(queries.iter().all(|query| !query.contains('+')), "{queries:?}");
}

#[test]
fn the_key_is_proved_by_one_read() {
    let simulated = Simulated::scene("two-pages", 2);
    let identity = simulated.data_theorem().identify().unwrap();
    assert_eq!(identity.apps, Some(1));
    assert_eq!(identity.server_time, Some(simulated.control().now()));
    assert_eq!(simulated.operations(), ["GET mobile_apps"]);

    let wrong =
        simulated.data_theorem_with("bm90LWEta2V5==", sync_client::adapters::caller::Patience::default());
    assert!(matches!(wrong.identify(), Err(VendorError::Credential { .. })));
}

/// I7: one field, and no other.
#[test]
fn a_link_is_one_field_of_one_target() {
    let simulated = Simulated::scene("every-status", 100);
    let vendor = simulated.data_theorem();
    let before = everything(&vendor).unwrap();
    let target = &before.targets[3];
    vendor.link(&target.id, "LOCAL-7").unwrap();
    let entry = simulated.journal().pop().unwrap();
    assert_eq!(entry.operation, "PATCH security_finding_targets/:id");
    assert_eq!(entry.request.body.unwrap().0, r#"{"external_id":"LOCAL-7"}"#);

    let after = everything(&vendor).unwrap();
    for (before, after) in before.targets.iter().zip(&after.targets) {
        let link =
            if before.id == target.id { Some("LOCAL-7".to_owned()) } else { before.external_id.clone() };
        assert_eq!(after.external_id, link);
        assert_eq!(after.status, before.status);
    }
    assert!(matches!(vendor.link("1", "LOCAL-7"), Err(VendorError::NotFound { .. })));
}
