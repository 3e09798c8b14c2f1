//! Apps: the list and its filters, one app.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::builders::{api_key, app, days, hours, scan, world};
use fixtures::world::data_theorem::{Platform, ReleaseType, ScanStatus, Subscription};
use insta::assert_json_snapshot;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, instant};

const LIST: &str = "mobile_apps";

/// Apps that differ in everything the list filters by.
fn varied() -> Api {
    let mut spec = world("2026-01-15T00:00:00Z".parse().unwrap()).key(api_key("sync"));
    for (index, platform) in (1_i64..).zip(Platform::ALL) {
        let id = (100 + index).to_string();
        let mut one = app(&id).platform(*platform).updated(days(index));
        if index % 2 == 0 {
            one = one.release_type(ReleaseType::PreProd);
        }
        one = match index {
            1 => one.subscription([]),
            2 => one.subscription([Subscription::AppLogic, Subscription::P1Alerts]),
            3 => one.subscription([Subscription::Dynamic]),
            _ => one,
        };
        spec = spec.app(one);
        // The newer scan decides, whichever way they are listed.
        let scans = [(ScanStatus::Completed, 9), (ScanStatus::Ongoing, 3), (ScanStatus::Failed, 1)];
        let several = usize::try_from(index - 1).unwrap().min(scans.len());
        for (number, (status, age)) in scans.into_iter().take(several).enumerate() {
            spec = spec
                .scan(scan(&format!("{id}{number}"), &id).status(status).started(hours(24 * index + age)));
        }
    }
    let mut spec = spec.build();
    spec.data_theorem.mobile_apps[4].blocked_scan_reason = Some("MISSING_CREDENTIALS".to_owned());
    spec.data_theorem.mobile_apps[4].store_url = Some("https://store.example/105".to_owned());
    spec.data_theorem.mobile_apps[4].external_id = Some("wallet".to_owned());
    Api::with(MockServer::builder().world_spec(spec))
}

async fn rows(api: &Api, query: &str) -> Vec<Value> {
    let page = api.get(&format!("{LIST}?{query}")).await.ok();
    let rows = page[LIST].as_array().unwrap().clone();
    assert_eq!(page["pagination_information"], json!({"total_count": rows.len().to_string()}), "{query}");
    rows
}

async fn ids(api: &Api, query: &str) -> BTreeSet<String> {
    rows(api, query).await.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_apps_of_the_samples_are_listed_and_served() {
    let api = Api::docs_samples();
    assert_json_snapshot!("mobile_apps", api.get(LIST).await.ok());
    assert_json_snapshot!("mobile_app", api.get("mobile_apps/643010001").await.ok());
}

/// DT-APPS-LIST, DT-LIST-ENVELOPE, DT-APP-SUMMARY, DT-APP-LINKS, DT-APP-STORE-LINK
#[tokio::test]
async fn every_field_of_every_app_is_what_the_world_holds() {
    for api in [varied(), Api::of("demo"), Api::docs_samples(), Api::of("unicode")] {
        let apps = api.control().export_world().data_theorem.mobile_apps;
        let listed: BTreeMap<_, _> = rows(&api, "")
            .await
            .into_iter()
            .map(|row| (row["id"].as_str().unwrap().to_owned(), row))
            .collect();
        assert_eq!(listed.len(), apps.len());
        for spec in apps {
            let row = &listed[&spec.id];
            for (name, value) in [
                ("name", spec.name.as_str()),
                ("bundle_id", &spec.bundle_id),
                ("version", &spec.version),
                ("platform", spec.platform.as_str()),
                ("release_type", spec.release_type.as_str()),
                ("portal_url", &format!("https://www.securetheorem.com/mobile/app/{}", spec.id)),
            ] {
                assert_eq!(row[name], value, "{name} of {}", spec.id);
            }
            for (name, value) in [
                ("external_id", &spec.external_id),
                ("store_url", &spec.store_url),
                ("blocked_scan_reason", &spec.blocked_scan_reason),
            ] {
                assert_eq!(
                    row.get(name),
                    value.as_ref().map(|text| json!(text)).as_ref(),
                    "{name} of {}",
                    spec.id
                );
            }
            assert_eq!(instant(&row["results_last_updated"]), spec.results_last_updated);
            assert_eq!(instant(&row["date_created"]), spec.date_created);
            for link in row["links"].as_array().unwrap() {
                assert_eq!(link["type"], "GET");
                let _ = api.get(link["href"].as_str().unwrap()).await.ok();
            }
        }
    }
}

/// DT-APP-GET
#[tokio::test]
async fn a_single_app_is_the_listed_one() {
    let api = varied();
    for row in rows(&api, "").await {
        assert_eq!(api.get(&format!("{LIST}/{}", row["id"].as_str().unwrap())).await.ok(), row);
    }
}

/// DT-APPS-LIST-PLATFORM, DT-APPS-LIST-RELEASE-TYPE, DT-APPS-LIST-RESULTS-SINCE, DT-APPS-LIST-SCAN-STATUS,
/// DT-APPS-LIST-SUBSCRIPTION, DT-APPS-LIST-BLOCKED-SCAN-REASON
#[tokio::test]
async fn each_filter_limits_the_list() {
    let api = varied();
    for (query, expected) in [
        ("", "101 102 103 104 105"),
        ("platform=ANDROID", "101"),
        ("platform=ANDROID_AMAZON", "102"),
        ("platform=ANDROID_OCULUS", "103"),
        ("platform=WINDOWS_PHONE", "104"),
        ("platform=IOS", "105"),
        ("release_type=APP_STORE", "101 103 105"),
        ("release_type=PRE_PROD", "102 104"),
        ("results_since=2026-01-12T00:00:00.000000-00:00", "101 102 103"),
        ("results_since=2026-01-12T00:00:00.000001", "101 102"),
        ("scan_status=NO_SCANS_INITIATED", "101"),
        ("scan_status=SCAN_ONGOING", "103"),
        ("scan_status=SCAN_COMPLETED", "102 104 105"),
        ("subscription=NO_SUBSCRIPTION", "101"),
        ("subscription=APP_LOGIC", "102"),
        ("subscription=P1_ALERTS", "102"),
        ("subscription=STATIC", "104 105"),
        ("subscription=DYNAMIC&subscription=NO_SUBSCRIPTION", "101 103 104 105"),
        ("blocked_scan_reason=MISSING_CREDENTIALS", "105"),
        ("blocked_scan_reason=UNHEARD_OF", ""),
        ("release_type=APP_STORE&subscription=DYNAMIC&scan_status=SCAN_COMPLETED", "105"),
        ("release_type=APP_STORE&platform=WINDOWS_PHONE", ""),
    ] {
        let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
        assert_eq!(ids(&api, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn malformed_filters_are_refused_by_their_rule_and_unknown_ones_flagged() {
    let api = varied();
    for (query, rule) in [
        ("platform=SYMBIAN", "DT-APPS-LIST-PLATFORM"),
        ("platform=ios", "DT-APPS-LIST-PLATFORM"),
        ("release_type=ENTERPRISES", "DT-APPS-LIST-RELEASE-TYPE"),
        ("results_since=x", "DT-APPS-LIST-RESULTS-SINCE"),
        ("scan_status=ONGOING", "DT-APPS-LIST-SCAN-STATUS"),
        ("subscription=", "DT-APPS-LIST-SUBSCRIPTION"),
        ("subscription=STATIC,DYNAMIC", "DT-APPS-LIST-SUBSCRIPTION"),
    ] {
        api.get(&format!("{LIST}?{query}")).await.refused(400, rule);
    }
    assert_eq!(ids(&api, "status_group=OPEN").await.len(), 5);
    assert_eq!(api.last_entry().flags, [r#"unknown query parameter "status_group" ignored"#]);
}
