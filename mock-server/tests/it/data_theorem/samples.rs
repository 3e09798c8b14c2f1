//! What the simulator serves beside what the vendor's pages print for the same entity.
//!
//! Every difference is accepted by name in [`ACCEPTED`] or it is a failure; so is an acceptance that no sample
//! needs any more.

use std::collections::BTreeSet;

use fixtures::samples;
use jiff::Timestamp;
use mock_server::MockServer;
use serde_json::{Value, json};

use crate::support::Api;

/// Why a difference is accepted.
#[derive(Clone, Copy)]
enum Because {
    /// A reading's default; under this other value the difference is gone.
    Reading(&'static str, &'static str),
    /// The sample contradicts itself or was typed by hand.
    Oddity(&'static str),
    /// The server makes it up when it is asked.
    MadeUp,
}
use Because::{MadeUp, Oddity, Reading};

const SINGLE_FINDINGS: &[&str] = &["findings-get", "findings-patch", "findings-close"];
const FINDINGS: &[&str] = &["findings-list", "findings-get", "findings-patch", "findings-close"];
const OPEN_FINDINGS: &[&str] = &["findings-list", "findings-get", "findings-patch"];
const LISTS: &[&str] = &["targets-list", "findings-list"];

const AS_SAMPLED: Because = Reading("dt.sampled-fields", "as-sampled");

/// Samples, the place in them that differs, and why that is accepted.
const ACCEPTED: &[(&[&str], &str, Because)] = &[
    (LISTS, "pagination_information.next_cursor", Reading("dt.last-page-cursor", "empty-page")),
    (&["targets-get"], "additional_contexts", AS_SAMPLED),
    (&["targets-get"], "associated_sdk_ids", AS_SAMPLED),
    (&["targets-get"], "issue_type_id", AS_SAMPLED),
    (&["targets-get"], "results_last_updated", AS_SAMPLED),
    (&["targets-get"], "portal_url", Reading("dt.portal-url", "app")),
    (&["targets-get"], "statuses[0].status", Oddity("the sampled history lacks the sampled current status")),
    (&["targets-get"], "statuses[1].date", Oddity("the sampled date is in month 13")),
    (&["findings-list"], "associated_cwe_ids", AS_SAMPLED),
    (SINGLE_FINDINGS, "associated_cve_ids", AS_SAMPLED),
    (FINDINGS, "issue_type_id", Reading("dt.finding-issue-type", "omitted")),
    (OPEN_FINDINGS, "is_permanently_closed", Reading("dt.not-permanently-closed", "omitted")),
    (FINDINGS, "portal_url", Reading("dt.portal-url", "app")),
    (FINDINGS, "links[1].href", Oddity("the samples link finding 4567 to the targets of finding 123")),
    (OPEN_FINDINGS, "notes[1].id", Oddity("two sampled notes share an id")),
    (&["findings-close"], "results_last_updated", Reading("dt.manual-status-bumps", "no")),
    (&["findings-close"], "notes[2].id", MadeUp),
    (&["findings-close"], "notes[2].date_created", MadeUp),
    (&["findings-note"], "", Reading("dt.notes-reply", "sample-body")),
];

/// What remains of the sample of a note once there is a body to compare.
const NOTE_DIFFERENCES: &[(&str, Because)] = &[
    ("author_email", Oddity("the prose says the key's name, the sample shows somebody's address")),
    ("date_created", MadeUp),
    ("id", MadeUp),
];

/// Differences of a sample whose readings are the sample's own, for which no reading accounts.
fn accepted(name: &str, keep: impl Fn(Because) -> bool) -> BTreeSet<String> {
    let places = ACCEPTED.iter().filter(|(names, _, because)| names.contains(&name) && keep(*because));
    places.map(|(_, place, _)| (*place).to_owned()).collect()
}

fn sampled(name: &str) -> Value {
    samples::sample(&format!("data-theorem/{name}")).unwrap().value()
}

/// Asks for what a sample shows, the only row of a list included.
async fn served(name: &str, readings: &[(&str, &str)]) -> Value {
    let api = Api::with(MockServer::builder().world("docs-samples"));
    api.control().set_readings(readings.iter().copied()).unwrap();
    let api = api.key_named("Test API key creation with new permissions");
    let request = |name| sampled(name);
    let (finding, target) = ("security_findings/4567", "security_finding_targets/12345");
    match name {
        "targets-list" => api.get("security_finding_targets?mobile_app_id=643010001").await.ok(),
        "targets-get" => api.get(target).await.ok(),
        "findings-list" => api.get("security_findings?mobile_app_id=1234").await.ok(),
        "findings-get" => api.get(finding).await.ok(),
        "findings-patch" => api.patch(finding, request("findings-patch-request")).await.ok(),
        "findings-close" => {
            api.post(&format!("{finding}/close"), request("findings-close-request")).await.ok()
        }
        "findings-note" => {
            let reply = api.post(&format!("{finding}/notes"), request("findings-note-request")).await;
            if reply.status == 204 { Value::Null } else { reply.ok() }
        }
        other => panic!("nobody knows how to ask for the sample {other}"),
    }
}

/// Names of the samples that are responses.
fn responses() -> Vec<&'static str> {
    let names = samples::all().iter().filter_map(|sample| sample.name.strip_prefix("data-theorem/"));
    names.filter(|name| !name.ends_with("-request")).collect()
}

/// Places where two values differ: a key that only one has, another JSON type, or another value. Timestamps
/// are equal when their instants are.
fn differences(sampled: &Value, served: &Value, place: &str, found: &mut BTreeSet<String>) {
    match (sampled, served) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys()) {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => differences(left, right, &place, found),
                    _ => drop(found.insert(place)),
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                // The row of a list stands for the list: its places read as those of a single entity.
                let is_row = matches!(place, "security_findings" | "security_finding_targets");
                let place = if is_row { String::new() } else { format!("{place}[{index}]") };
                differences(left, right, &place, found);
            }
        }
        (Value::String(left), Value::String(right)) => {
            let same_instant = match (left.parse::<Timestamp>(), right.parse::<Timestamp>()) {
                (Ok(left), Ok(right)) => left == right,
                _ => false,
            };
            if left != right && !same_instant {
                found.insert(place.to_owned());
            }
        }
        (left, right) if left == right => {}
        _ => drop(found.insert(place.to_owned())),
    }
}

async fn differences_of(name: &str, readings: &[(&str, &str)]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    differences(&sampled(name), &served(name, readings).await, "", &mut found);
    found
}

#[tokio::test]
async fn every_sampled_response_is_served_but_for_the_accepted_differences() {
    let names = responses();
    assert_eq!(names.len(), 7);
    for name in names {
        assert_eq!(differences_of(name, &[]).await, accepted(name, |_| true), "{name}");
    }
}

#[tokio::test]
async fn a_difference_that_a_reading_explains_is_gone_under_its_other_value() {
    for (names, place, because) in ACCEPTED {
        let Reading(id, value) = because else { continue };
        assert_ne!(fixtures::spec::reading(id).unwrap().default, *value, "{id}");
        for name in *names {
            let mut remaining = differences_of(name, &[(id, value)]).await;
            if *place == "pagination_information.next_cursor" {
                // Now there is a cursor, and of course it is another one.
                assert!(remaining.remove(*place), "{name}");
                let cursor =
                    served(name, &[(id, value)]).await["pagination_information"]["next_cursor"].clone();
                assert!(cursor.is_string(), "{name} {cursor}");
            }
            assert!(!remaining.contains(*place), "{place} of {name} under {id}={value}");
        }
    }
}

#[tokio::test]
async fn under_all_readings_of_a_sample_only_oddities_are_left() {
    for name in responses() {
        let rows = ACCEPTED.iter().filter(|(names, _, _)| names.contains(&name));
        let readings: BTreeSet<(&str, &str)> = rows
            .filter_map(|(_, _, because)| match because {
                Reading(id, value) => Some((*id, *value)),
                Oddity(_) | MadeUp => None,
            })
            .collect();
        let readings: Vec<_> = readings.into_iter().collect();
        let mut expected = accepted(name, |because| !matches!(because, Reading(..)));
        if LISTS.contains(&name) {
            expected.insert("pagination_information.next_cursor".to_owned());
        }
        if name == "findings-note" {
            expected.extend(NOTE_DIFFERENCES.iter().map(|(place, _)| (*place).to_owned()));
        }
        assert_eq!(differences_of(name, &readings).await, expected, "{name}");
    }
}

/// The oddities are explained in words, so that nobody takes one for a bug of ours.
#[test]
fn oddities_say_what_is_odd() {
    let table = ACCEPTED.iter().map(|(_, _, because)| because);
    for because in table.chain(NOTE_DIFFERENCES.iter().map(|(_, because)| because)) {
        if let Oddity(words) = because {
            assert!(words.split(' ').count() > 4, "{words}");
        }
    }
}

/// The sampled requests are accepted as they are printed.
///
/// DT-TARGET-PATCH-OBJECT, DT-TARGET-STATUS-OBJECT, DT-FINDING-PATCH-PRIORITY, DT-FINDING-CLOSE-OBJECT,
/// DT-FINDING-NOTE-OBJECT
#[tokio::test]
async fn every_sampled_request_is_accepted() {
    let api = Api::docs_samples();
    let target = "security_finding_targets/12346";
    let patched = api.patch(target, sampled("targets-patch-request")).await.ok();
    assert_eq!(patched["external_id"], "JIRA-12345");
    api.post(&format!("{target}/statuses"), sampled("targets-status-request")).await.no_content();
    assert_eq!(api.get(target).await.ok()["current_status"], "CLOSED_RISK_ACCEPTED");
    let notes = api.get("security_findings/4567").await.ok()["notes"].clone();
    assert_eq!(notes[2]["text"], json!("Cannot be exploited"));
}
