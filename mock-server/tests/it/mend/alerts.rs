//! Alerts: what they say, which are listed, and setting their status.

mod status;

use std::collections::BTreeSet;

use fixtures::builders::mend::{library, licenses, policy, used, vulnerability};
use fixtures::builders::{WorldBuilder, days, mend, world};
use fixtures::world::mend::{ActionType, AlertType, Cvss3Spec, Event, ThreatSpec};
use jiff::{SignedDuration, Timestamp};
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::{Api, Reply, mend_body};

const CVE: &str = "CVE-2025-1000";
const WS: &str = "WS-2025-0001";

/// A project whose `web` has two vulnerabilities, two licences, a newer major version and a second version; `core`
/// is rejected by a policy and has a newer minor version.
fn alarming() -> WorldBuilder {
    let epoch: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
    let web = library("com.example", "web", "1.0").licenses(["MIT", "Apache 2.0"]).newest("2.0");
    let web = web.vulnerability(CVE).vulnerability(WS);
    let core = library("com.example", "core", "1.0").license("GPL 2.0").newest("1.1");
    let older = library("com.example", "web", "0.9");
    let mut assessed = vulnerability(CVE).cvss3(9.8).fix("com.example:web:1.2").build(epoch);
    assessed.threat = Some(ThreatSpec { epss_percentage: 97.5, exploit_code_maturity: "HIGH".to_owned() });
    let core_uuid = core.key_uuid().to_owned();
    world(epoch)
        .mend_organization(mend::organization("Acme"))
        .mend_organization(mend::organization("Other"))
        .mend_user(mend::user("ann"))
        .mend_user(mend::user("olga").organization(&mend::token("organization", "Other")))
        .mend_product(mend::product("Shop"))
        .mend_product(mend::product("Back office"))
        .mend_vulnerability(assessed.into())
        .mend_vulnerability(vulnerability(WS).cvss2(3.5).cvss3(None).published(days(10)))
        .mend_library(core)
        .mend_project(mend::project("cart").library(web).library(older).uses(used(&core_uuid).indirect()))
        .mend_project(
            mend::project("ledger").product(&mend::token("product", "Back office")).uses(used(&core_uuid)),
        )
        .mend_policy(
            policy("No copyleft", licenses(["GPL 2.0"])).action(ActionType::Reject).created(days(20)),
        )
}

fn api() -> Api {
    Api::with(MockServer::builder().world_spec(alarming().build()))
}

fn cart() -> Value {
    json!({"projectToken": mend::token("project", "cart")})
}

fn org() -> Value {
    json!({"orgToken": mend::token("organization", "Acme")})
}

fn with(mut fields: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    fields
}

async fn alerts(api: &Api, request: &str, fields: Value) -> Vec<Value> {
    rows(api.mend(request, fields).await)
}

fn rows(reply: Reply) -> Vec<Value> {
    let reply = reply.mend_ok();
    assert_eq!(reply.as_object().unwrap().len(), 1);
    reply["alerts"].as_array().unwrap().clone()
}

async fn of_type(api: &Api, kind: &str) -> Vec<Value> {
    alerts(api, "getProjectAlertsByType", with(cart(), &json!({"alertType": kind}))).await
}

async fn uuid_of(api: &Api, vulnerability: &str) -> String {
    let found = of_type(api, "SECURITY_VULNERABILITY").await;
    let one = found.iter().find(|alert| alert["vulnerability"]["name"] == vulnerability).unwrap();
    one["alertUuid"].as_str().unwrap().to_owned()
}

fn uuids(alerts: &[Value]) -> BTreeSet<&str> {
    alerts.iter().map(|alert| alert["alertUuid"].as_str().unwrap()).collect()
}

/// MEND-ALERT-FIELDS, MEND-ALERT-LEVEL, MEND-ALERT-VULNERABILITY, MEND-ALERT-OPEN, MEND-ALERT-DATES,
/// MEND-ALERT-LIBRARY-TYPE, MEND-ALERT-REACHABILITY
#[tokio::test]
async fn a_security_alert_has_the_fields_of_captures_and_of_the_newer_version() {
    let api = api();
    let found = of_type(&api, "SECURITY_VULNERABILITY").await;
    let alert = found.iter().find(|alert| alert["vulnerability"]["name"] == CVE).unwrap();
    let fix = json!({
        "vulnerability": CVE,
        "type": "UPGRADE_VERSION",
        "origin": "ADVISORY",
        "url": "https://example.com/vulnerabilities/CVE-2025-1000",
        "fixResolution": "com.example:web:1.2",
        "date": "2025-10-07",
        "message": "Upgrade to version com.example:web:1.2",
    });
    let web = library("com.example", "web", "1.0").build(api.control().now());
    let expected = json!({
        "vulnerability": {
            "name": CVE,
            "type": "CVE",
            "severity": "medium",
            "score": 5.0,
            "cvss3_severity": "critical",
            "cvss3_score": 9.8,
            "publishDate": "2025-10-07",
            "lastUpdated": "2025-10-07",
            "url": "https://example.com/vulnerabilities/CVE-2025-1000",
            "description": "A crafted request stops the service.",
            "topFix": fix,
            "allFixes": [fix],
            "fixResolutionText": "Upgrade to version com.example:web:1.2",
            "references": [],
            "threatAssessment": {"exploitCodeMaturity": "HIGH", "epssPercentage": 97.5},
        },
        "type": "SECURITY_VULNERABILITY",
        "level": "MAJOR",
        "library": {
            "keyUuid": web.key_uuid,
            "keyId": web.key_id,
            "filename": "web-1.0.jar",
            "type": "Java",
            "sha1": web.sha1,
            "name": "web",
            "artifactId": "web",
            "version": "1.0",
            "groupId": "com.example",
            "licenses": alert["library"]["licenses"],
        },
        "project": "cart",
        "projectId": 1_500_001,
        "projectToken": mend::token("project", "cart"),
        "directDependency": true,
        "description": "Critical:1,",
        "date": "2025-12-16",
        "modifiedDate": "2025-12-16",
        "status": "OPEN",
        "time": 1_765_843_200_000_i64,
        "creation_date": "2025-12-16",
        "alertUuid": alert["alertUuid"],
        "reachabilityInfo": {"analyzed": true, "reachable": true},
    });
    assert_eq!(*alert, expected);
}

/// MEND-SEVERITY-CRITICAL-14, MEND-ALERT-CVSS3-ABSENT
#[tokio::test]
async fn the_older_version_says_high_and_nothing_of_threats() {
    let api = api();
    let key = api.server.mend().user_key().to_owned();
    let fields = with(cart(), &json!({"alertType": "SECURITY_VULNERABILITY"}));
    let found = rows(api.mend_as(&key, "v1.3", mend_body("getProjectAlertsByType", fields)).await);
    let of = |name: &str| found.iter().find(|alert| alert["vulnerability"]["name"] == name).unwrap();
    assert_eq!(of(CVE)["vulnerability"]["cvss3_severity"], "high");
    assert_eq!(of(CVE)["description"], "High:1,");
    assert_eq!(of(CVE)["vulnerability"]["threatAssessment"], Value::Null);
    assert_eq!(of(CVE)["reachabilityInfo"], Value::Null);
    let old = of(WS);
    assert_eq!((&old["vulnerability"]["type"], &old["description"]), (&json!("WS"), &json!("Low:1,")));
    for absent in ["cvss3_severity", "cvss3_score", "topFix", "fixResolutionText"] {
        assert_eq!(old["vulnerability"].get(absent), None, "{absent}");
    }
}

/// MEND-ALERTS-GET, MEND-ALERTS-GET-BY-TYPE, MEND-ALERTS-TYPES, MEND-ALERT-LEVEL
#[tokio::test]
async fn each_type_is_listed_alone_and_all_of_them_together() {
    let api = api();
    let all = alerts(&api, "getProjectAlerts", cart()).await;
    let mut together = BTreeSet::new();
    for (kind, level, descriptions) in [
        ("SECURITY_VULNERABILITY", "MAJOR", vec!["Critical:1,", "Low:1,"]),
        ("REJECTED_BY_POLICY_RESOURCE", "MAJOR", vec!["No copyleft"]),
        (
            "MULTIPLE_LIBRARY_VERSIONS",
            "MINOR",
            vec!["Version 0.9 is being used in project cart", "Version 1.0 is being used in project cart"],
        ),
        ("MULTIPLE_LICENSES", "MINOR", vec!["2 licenses identified"]),
        ("NEW_MAJOR_VERSION", "MINOR", vec!["A newer version is available: 2.0"]),
        ("NEW_MINOR_VERSION", "MINOR", vec!["A newer version is available: 1.1"]),
        ("HIGH_SEVERITY_BUG", "MINOR", vec![]),
        ("REJECTED_DEFACTO_RESOURCE", "MINOR", vec![]),
    ] {
        let found = of_type(&api, kind).await;
        let mut texts: Vec<_> = found.iter().map(|alert| alert["description"].as_str().unwrap()).collect();
        texts.sort_unstable();
        assert_eq!(texts, descriptions, "{kind}");
        for alert in &found {
            assert_eq!((&alert["type"], &alert["level"]), (&json!(kind), &json!(level)));
            let is_security = kind == "SECURITY_VULNERABILITY";
            for field in ["status", "vulnerability", "reachabilityInfo"] {
                assert_eq!(alert.get(field).is_some(), is_security, "{field} of {kind}");
            }
            assert_eq!(alert.get("comments"), None);
        }
        together.extend(found.iter().map(|alert| alert["alertUuid"].as_str().unwrap().to_owned()));
    }
    assert_eq!(together.iter().map(String::as_str).collect::<BTreeSet<_>>(), uuids(&all));
    let direct = |artifact: &str| {
        let of = all.iter().find(|alert| alert["library"]["artifactId"] == artifact).unwrap();
        of["directDependency"].as_bool().unwrap()
    };
    assert!(direct("web") && !direct("core"));
}

/// MEND-ALERTS-GET, MEND-ALERTS-GET-BY-TYPE
#[tokio::test]
async fn organization_and_product_list_the_alerts_of_their_projects() {
    let api = api();
    let product = |name: &str| json!({"productToken": mend::token("product", name)});
    let cart = alerts(&api, "getProjectAlerts", cart()).await;
    let shop = alerts(&api, "getProductAlerts", product("Shop")).await;
    let back = alerts(&api, "getProductAlerts", product("Back office")).await;
    let all = alerts(&api, "getOrganizationAlerts", org()).await;
    assert_eq!(shop, cart);
    assert_eq!(all.len(), shop.len() + back.len());
    assert!(back.iter().all(|alert| alert["project"] == "ledger") && !back.is_empty());
    let by_type = json!({"alertType": "REJECTED_BY_POLICY_RESOURCE"});
    let of_org = alerts(&api, "getOrganizationAlertsByType", with(org(), &by_type)).await;
    let of_back = alerts(&api, "getProductAlertsByType", with(product("Back office"), &by_type)).await;
    assert_eq!((of_org.len(), of_back.len()), (2, 1));
    // Only a project's alerts speak of its code.
    let by_type = json!({"alertType": "SECURITY_VULNERABILITY"});
    let of_org = alerts(&api, "getOrganizationAlertsByType", with(org(), &by_type)).await;
    assert!(of_org.iter().all(|alert| alert.get("reachabilityInfo").is_none()) && of_org.len() == 2);
}

#[tokio::test]
async fn a_vulnerability_that_the_code_does_not_reach_says_so() {
    let mut spec = alarming().build();
    spec.mend.projects[0].inventory[0].ineffective_vulnerabilities.insert(CVE.to_owned());
    let api = Api::with(MockServer::builder().world_spec(spec));
    for alert in of_type(&api, "SECURITY_VULNERABILITY").await {
        let reachable = alert["vulnerability"]["name"] != CVE;
        assert_eq!(alert["reachabilityInfo"], json!({"analyzed": true, "reachable": reachable}));
    }
}

/// MEND-ALERTS-TYPES, MEND-ALERTS-GET-BY-TYPE
#[tokio::test]
async fn a_type_is_needed_and_known() {
    let api = api();
    let request = "getProjectAlertsByType";
    api.mend(request, cart()).await.mend_refused(3010, "MEND-ALERTS-GET-BY-TYPE");
    for kind in ["SECURITY", "security_vulnerability", " MULTIPLE_LICENSES"] {
        let message = api.mend(request, with(cart(), &json!({"alertType": kind}))).await;
        let message = message.mend_refused(3000, "MEND-ALERTS-TYPES");
        assert!(message.contains("HIGH_SEVERITY_BUG"), "{message}");
    }
    for kind in AlertType::ALL {
        of_type(&api, kind.as_str()).await;
    }
}

/// MEND-ALERTS-GET-BY-TYPE, MEND-ALERTS-RANGE-FORMAT
#[tokio::test]
async fn the_range_looks_at_the_last_change_and_holds_both_ends() {
    let api = api();
    // The first alert of the project came up when `web` came; the second one when it was published.
    for (range, names) in [
        (json!({}), vec![CVE, WS]),
        (json!({"fromDate": "2025-12-16 00:00:00", "toDate": "2025-12-16 00:00:00"}), vec![CVE]),
        (json!({"fromDate": "2025-12-16 00:00:01"}), vec![WS]),
        (json!({"toDate": "2026-01-04 23:59:59"}), vec![CVE]),
        (json!({"toDate": "2026-01-05 00:00:00"}), vec![CVE, WS]),
        (json!({"fromDate": "2026-01-06 00:00:00", "toDate": "2025-12-01 00:00:00"}), vec![]),
        (json!({"fromDate": null, "toDate": null}), vec![CVE, WS]),
    ] {
        let fields = with(with(cart(), &json!({"alertType": "SECURITY_VULNERABILITY"})), &range);
        let found = alerts(&api, "getProjectAlertsByType", fields).await;
        let found: BTreeSet<_> =
            found.iter().map(|alert| alert["vulnerability"]["name"].as_str().unwrap()).collect();
        assert_eq!(found, names.into_iter().collect(), "{range}");
    }
    for (field, value) in [
        ("fromDate", json!("2025-12-16")),
        ("fromDate", json!("2025-12-16T00:00:00Z")),
        ("toDate", json!("2025-13-01 00:00:00")),
        ("toDate", json!("")),
        ("toDate", json!(1_765_843_200)),
    ] {
        for request in ["getOrganizationAlerts", "getOrganizationIgnoredAlerts"] {
            let reply = api.mend(request, with(org(), &json!({field: value}))).await;
            let message = reply.mend_refused(3000, "MEND-ALERTS-RANGE-FORMAT");
            assert!(message.contains(field), "{message}");
        }
    }
}

/// MEND-ALERTS-SET-STATUS, MEND-ALERTS-GET-IGNORED, MEND-ALERT-COMMENTS, MEND-ALERTS-MESSAGE, MEND-ALERTS-STATUSES
#[tokio::test]
async fn an_alert_is_ignored_and_taken_up_again() {
    let api = api();
    let uuid = uuid_of(&api, CVE).await;
    let before = alerts(&api, "getProjectAlerts", cart()).await.len();
    api.control().advance(SignedDuration::from_hours(30));
    let fields = json!({"alertUuids": [uuid], "status": "Ignored", "comments": "We don't <use> it."});
    let reply = api.mend("setAlertsStatus", with(org(), &fields)).await.mend_ok();
    assert!(reply["message"].is_string() && reply.as_object().unwrap().len() == 1, "{reply}");
    assert_eq!(alerts(&api, "getProjectAlerts", cart()).await.len(), before - 1);
    assert_eq!(of_type(&api, "SECURITY_VULNERABILITY").await.len(), 1);
    let product = json!({"productToken": mend::token("product", "Shop")});
    let ignored = alerts(&api, "getProjectIgnoredAlerts", cart()).await;
    assert_eq!(ignored, alerts(&api, "getProductIgnoredAlerts", product).await);
    assert_eq!(ignored, alerts(&api, "getOrganizationIgnoredAlerts", org()).await);
    assert_eq!(uuids(&ignored), [uuid.as_str()].into());
    let alert = &ignored[0];
    assert_eq!((&alert["comments"], &alert["status"]), (&json!("We don't <use> it."), &json!("IGNORED")));
    assert_eq!(alert["vulnerability"]["name"], CVE);
    assert_eq!((&alert["date"], &alert["modifiedDate"]), (&json!("2026-01-16"), &json!("2026-01-16")));
    assert_eq!(
        (&alert["creation_date"], &alert["time"]),
        (&json!("2025-12-16"), &json!(1_768_543_200_000_i64))
    );
    let changed =
        with(org(), &json!({"modificationTypes": ["ALERTS"], "fromDateTime": "2026-01-16 00:00:00"}));
    let changed = api.mend("getOrganizationLastModifiedProjects", changed).await.mend_ok();
    let changed = changed["lastModifiedProjects"].as_array().unwrap().clone();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["lastModified"], "2026-01-16 06:00:00");
    let fields = json!({"alertUuids": [uuid], "status": "Active"});
    api.mend("setAlertsStatus", with(org(), &fields)).await.mend_ok();
    assert_eq!(alerts(&api, "getProjectAlerts", cart()).await.len(), before);
    assert_eq!(alerts(&api, "getProjectIgnoredAlerts", cart()).await, Vec::<Value>::new());
}

/// MEND-ALERTS-IGNORE, MEND-ALERTS-MESSAGE, MEND-ALERT-COMMENTS
#[tokio::test]
async fn several_alerts_are_ignored_at_once_and_have_comments_even_if_none_were_given() {
    let api = api();
    let all = alerts(&api, "getOrganizationAlerts", org()).await;
    let fields = with(org(), &json!({"alertUuids": uuids(&all)}));
    let reply = api.mend("ignoreAlerts", fields.clone()).await.mend_ok();
    assert!(reply["message"].as_str().unwrap().contains(&format!("{} alerts", all.len())), "{reply}");
    assert_eq!(alerts(&api, "getOrganizationAlerts", org()).await, Vec::<Value>::new());
    let ignored = alerts(&api, "getOrganizationIgnoredAlerts", org()).await;
    assert_eq!(uuids(&ignored), uuids(&all));
    assert!(ignored.iter().all(|alert| alert["comments"] == ""));
    // The same again is granted and changes nothing.
    api.control().advance(SignedDuration::from_hours(48));
    let reply = api.mend("ignoreAlerts", fields).await.mend_ok();
    assert!(reply["message"].as_str().unwrap().contains("0 alerts"), "{reply}");
    assert_eq!(alerts(&api, "getOrganizationIgnoredAlerts", org()).await, ignored);
}

/// MEND-ALERTS-STATUS-RESOLVED, MEND-ALERTS-STATUSES, MEND-ALERTS-SET-STATUS, MEND-ALERTS-IGNORE
#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let api = api();
    let (one, other) = (uuid_of(&api, CVE).await, uuid_of(&api, WS).await);
    let before = api.control().export_world();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (request, fields, code, rule) in [
        (
            "setAlertsStatus",
            json!({"alertUuids": [one], "status": "Resolved"}),
            3000,
            "MEND-ALERTS-STATUS-RESOLVED",
        ),
        ("setAlertsStatus", json!({"alertUuids": [one], "status": "IGNORED"}), 3000, "MEND-ALERTS-STATUSES"),
        ("setAlertsStatus", json!({"alertUuids": [one]}), 3010, "MEND-ALERTS-SET-STATUS"),
        ("setAlertsStatus", json!({"status": "Ignored"}), 3010, "MEND-ALERTS-SET-STATUS"),
        ("setAlertsStatus", json!({"alertUuids": one, "status": "Ignored"}), 3000, "MEND-ALERTS-SET-STATUS"),
        (
            "setAlertsStatus",
            json!({"alertUuids": [one, 5], "status": "Ignored"}),
            3000,
            "MEND-ALERTS-SET-STATUS",
        ),
        (
            "setAlertsStatus",
            json!({"alertUuids": [one, unknown, other], "status": "Ignored"}),
            3000,
            "MEND-ALERTS-SET-STATUS",
        ),
        ("ignoreAlerts", json!({"alertUuids": [one, other, unknown]}), 3000, "MEND-ALERTS-IGNORE"),
        ("ignoreAlerts", json!({"alertUuids": [one], "comments": 5}), 3000, "MEND-ALERTS-IGNORE"),
        ("ignoreAlerts", json!({}), 3010, "MEND-ALERTS-IGNORE"),
    ] {
        api.mend(request, with(org(), &fields)).await.mend_refused(code, rule);
    }
    // Another organization's alerts are unknown to it.
    let olga = api.server.mend().user_key_of("olga@example.com").unwrap().to_owned();
    let fields = json!({"orgToken": mend::token("organization", "Other"), "alertUuids": [one]});
    let reply = api.mend_as(&olga, "v1.4", mend_body("ignoreAlerts", fields)).await;
    reply.mend_refused(3000, "MEND-ALERTS-IGNORE");
    assert!(api.control().export_world() == before);
}

/// MEND-ALERTS-STATUS-RESOLVED
#[tokio::test]
async fn a_scan_resolves_alerts_and_they_are_in_no_list() {
    let api = api();
    let uuid = uuid_of(&api, CVE).await;
    let web = library("com.example", "web", "1.0").key_uuid().to_owned();
    let scan = |removed: Vec<String>| Event::Scan {
        project_token: mend::token("project", "cart"),
        added: Vec::new(),
        removed,
        source_files_changed: false,
        comment: None,
    };
    api.mend("ignoreAlerts", with(org(), &json!({"alertUuids": [uuid]}))).await.mend_ok();
    api.control().happen(&scan(vec![web])).unwrap();
    let listed = alerts(&api, "getProjectAlerts", cart()).await;
    assert!(
        listed
            .iter()
            .all(|alert| alert["library"]["version"] != "1.0" || alert["library"]["artifactId"] == "core")
    );
    assert_eq!(of_type(&api, "SECURITY_VULNERABILITY").await, Vec::<Value>::new());
    assert_eq!(alerts(&api, "getProjectIgnoredAlerts", cart()).await, Vec::<Value>::new());
    for fields in [
        json!({"alertUuids": [uuid], "status": "Ignored"}),
        json!({"alertUuids": [uuid], "status": "Active"}),
    ] {
        let reply = api.mend("setAlertsStatus", with(org(), &fields)).await;
        reply.mend_refused(3000, "MEND-ALERTS-STATUS-RESOLVED");
    }
    let reply = api.mend("ignoreAlerts", with(org(), &json!({"alertUuids": [uuid]}))).await;
    reply.mend_refused(3000, "MEND-ALERTS-STATUS-RESOLVED");
}

#[tokio::test]
async fn what_changes_around_an_alert_shows_in_it() {
    let api = api();
    // Once seen, its rendering is kept.
    let before = of_type(&api, "SECURITY_VULNERABILITY").await;
    api.control().advance(SignedDuration::from_hours(1));
    let project_token = mend::token("project", "cart");
    api.control().happen(&Event::ProjectRenamed { project_token, name: "basket".to_owned() }).unwrap();
    let key_uuid = library("com.example", "web", "1.0").key_uuid().to_owned();
    api.control().happen(&Event::LicensesChanged { key_uuid, licenses: ["MIT".to_owned()].into() }).unwrap();
    let cvss3 = Some(Cvss3Spec { score: 6.0, vector: None });
    api.control()
        .happen(&Event::VulnerabilityRescored { name: CVE.to_owned(), score: Some(9.5), cvss3 })
        .unwrap();
    let after = of_type(&api, "SECURITY_VULNERABILITY").await;
    assert_eq!(uuids(&before), uuids(&after));
    let alert = after.iter().find(|alert| alert["vulnerability"]["name"] == CVE).unwrap();
    assert_eq!(alert["project"], "basket");
    assert_eq!(alert["library"]["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(alert["vulnerability"]["severity"], "high");
    assert_eq!(alert["vulnerability"]["cvss3_severity"], "medium");
    assert_eq!((&alert["description"], &alert["date"]), (&json!("Medium:1,"), &json!("2026-01-15")));
    let other = after.iter().find(|alert| alert["vulnerability"]["name"] == WS).unwrap();
    assert_eq!(other["date"], "2026-01-05");
    let versions = of_type(&api, "MULTIPLE_LIBRARY_VERSIONS").await;
    assert!(
        versions.iter().all(|alert| alert["description"].as_str().unwrap().ends_with("in project basket"))
    );
    assert_eq!(of_type(&api, "MULTIPLE_LICENSES").await, Vec::<Value>::new());
}
