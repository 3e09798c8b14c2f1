//! Scans: the list of an app's scans, one scan.

use std::collections::BTreeSet;

use fixtures::builders::{api_key, app, hours, scan, world};
use fixtures::world::data_theorem::{BuildSource, ScanStatus};
use fixtures::world::data_theorem::{Event, Misses};
use insta::assert_json_snapshot;
use insta::internals::Content;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, instant};

/// Two apps: 101 with scans of every status, 102 with one.
fn scanned() -> Api {
    let mut spec =
        world("2026-01-15T00:00:00Z".parse().unwrap()).key(api_key("sync")).app(app("101")).app(app("102"));
    for (index, status) in (1_i64..).zip(ScanStatus::ALL) {
        let one = scan(&format!("900{index}"), "101").started(hours(index)).status(*status);
        spec = spec.scan(match index {
            2 => one.parts(None, Some(*status)),
            3 => one.parts(Some(*status), None),
            _ => one,
        });
    }
    let mut spec = spec.scan(scan("8001", "102")).build();
    for (scan, source) in spec.data_theorem.scans.iter_mut().zip(BuildSource::ALL) {
        scan.build_source = (scan.id != "9002").then_some(*source);
    }
    spec.data_theorem.scans[0].release_id = Some("release-7".to_owned());
    Api::with(MockServer::builder().world_spec(spec))
}

/// Hides an id made by the server, if it looks like one.
fn made_up_id(id: &Content) -> Content {
    let text = id.as_str().unwrap();
    assert!(text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
    Content::from("[16 digits]")
}

/// Hides a path that ends in an id made by the server, if it does.
fn made_up_path(path: &Content) -> Content {
    let text = path.as_str().unwrap();
    let id = text.strip_prefix("mobile_apps/643010001/scans/").unwrap();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
    Content::from("mobile_apps/643010001/scans/[16 digits]")
}

#[tokio::test]
async fn an_app_without_scans_has_an_empty_list_and_then_the_scan_that_ran() {
    let api = Api::docs_samples();
    assert_json_snapshot!("scans_none", api.get("mobile_apps/643010001/scans").await.ok());
    let scan = Event::Scan {
        mobile_app_id: "643010001".to_owned(),
        build_version: Some("1.1.0".to_owned()),
        build_source: Some(BuildSource::ItunesStore),
        observed: vec![],
        missed: Misses::Nothing,
    };
    let id = api.control().happen(&scan).unwrap().scan_id.unwrap();
    assert_json_snapshot!("scans", api.get("mobile_apps/643010001/scans").await.ok(), {
        ".scans[0].id" => insta::dynamic_redaction(|value, _| made_up_id(&value)),
        ".scans[0].links[0].href" => insta::dynamic_redaction(|value, _| made_up_path(&value)),
    });
    assert_json_snapshot!("scan", api.get(&format!("mobile_apps/643010001/scans/{id}")).await.ok(), {
        ".id" => insta::dynamic_redaction(|value, _| made_up_id(&value)),
        ".links[0].href" => insta::dynamic_redaction(|value, _| made_up_path(&value)),
    });
}

/// DT-SCANS-LIST, DT-SCANS-TOTAL
#[tokio::test]
async fn the_list_has_the_scans_of_that_app_newest_first() {
    let api = scanned();
    let page = api.get("mobile_apps/101/scans").await.ok();
    let ids: Vec<_> =
        page["scans"].as_array().unwrap().iter().map(|scan| scan["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["9001", "9002", "9003", "9004", "9005"]);
    assert_eq!(page["pagination_information"], json!({"total_count": "5"}));
    let page = api.get("mobile_apps/102/scans").await.ok();
    assert_eq!((page["scans"][0]["id"].clone(), page["scans"].as_array().unwrap().len()), (json!("8001"), 1));
}

/// DT-SCAN-GET, DT-SCAN-ID, DT-SCAN-STATUS-VALUES, DT-SCAN-START-DATE, DT-SCAN-PARTS, DT-SCAN-BUILD-SOURCE
#[tokio::test]
async fn every_field_of_every_scan_is_what_the_world_holds() {
    for api in [scanned(), Api::of("demo")] {
        let mut seen = BTreeSet::new();
        for spec in api.control().export_world().data_theorem.scans {
            let path = format!("mobile_apps/{}/scans/{}", spec.mobile_app_id, spec.id);
            let row = api.get(&path).await.ok();
            assert!(seen.insert(spec.id.clone()), "{} is the id of two scans", spec.id);
            assert_eq!(row["id"], spec.id);
            assert_eq!(row["mobile_app_id"], spec.mobile_app_id);
            assert_eq!(row["status"], spec.status.as_str());
            assert_eq!(instant(&row["start_date"]), spec.start_date);
            assert_eq!(row.get("end_date").map(instant), spec.end_date);
            let part = |status: Option<ScanStatus>| status.map(|status| json!({"status": status.as_str()}));
            let texts = [
                ("static_scan", part(spec.static_scan)),
                ("dynamic_scan", part(spec.dynamic_scan)),
                ("build_source", spec.build_source.map(|source| json!(source.as_str()))),
                ("build_version", spec.build_version.map(Value::from)),
                ("release_id", spec.release_id.map(Value::from)),
            ];
            for (name, value) in texts {
                assert_eq!(row.get(name), value.as_ref(), "{name} of {}", spec.id);
            }
            let links = row["links"].as_array().unwrap();
            assert_eq!(links[0], json!({"href": path, "rel": "self", "type": "GET"}));
            assert_eq!(api.get(links[1]["href"].as_str().unwrap()).await.ok()["id"], spec.mobile_app_id);
        }
        assert!(!seen.is_empty());
    }
}

#[tokio::test]
async fn a_scan_is_found_under_its_own_app_only() {
    let api = scanned();
    let _ = api.get("mobile_apps/101/scans/9001").await.ok();
    api.get("mobile_apps/102/scans/9001").await.refused(404, "dt.unknown-id");
    api.get("mobile_apps/101/scans/1").await.refused(404, "dt.unknown-id");
    api.get("mobile_apps/103/scans").await.refused(404, "dt.unknown-id");
}

/// The status of an app's newest scan is the app's `scan_status`.
///
/// DT-APPS-LIST-SCAN-STATUS
#[tokio::test]
async fn an_apps_scan_status_follows_its_newest_scan() {
    let api = scanned();
    let status = async |app: &str| api.get(&format!("mobile_apps/{app}")).await.ok()["scan_status"].clone();
    assert_eq!((status("101").await, status("102").await), (json!("SCAN_ONGOING"), json!("SCAN_COMPLETED")));
}
