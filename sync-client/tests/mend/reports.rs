//! What leaves for Mend always passes its validation, however strictly that is read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use sync_client::adapters::mend::{Counters, TicketReport};
use sync_client::ports::VendorError;

use crate::support::World;

const OPERATION: &str = "updateExternalIntegrationIssues";

fn ticket(identifier: impl Into<String>) -> TicketReport {
    TicketReport { identifier: identifier.into(), ..TicketReport::default() }
}

#[test]
fn a_ticket_is_created_then_unaffected_then_updated() {
    let world = World::new("one-open");
    let (project, violation) = world.an_open_violation();
    let (mend, _) = world.client();
    let mut ticket = ticket("SEC-1");
    ticket.status = Some("Open".to_owned());
    let created = Counters { created: 1, updated: 0, unaffected: 0 };
    assert_eq!(mend.report(&project, &violation.uuid, &ticket), Ok(created));
    let unaffected = Counters { created: 0, updated: 0, unaffected: 1 };
    assert_eq!(mend.report(&project, &violation.uuid, &ticket), Ok(unaffected));
    ticket.status = Some("Done".to_owned());
    let updated = Counters { created: 0, updated: 1, unaffected: 0 };
    assert_eq!(mend.report(&project, &violation.uuid, &ticket), Ok(updated));
    assert_eq!(world.requests(OPERATION).len(), 3);
}

#[test]
fn an_identifier_that_can_not_be_sent_is_refused_before_anything_is() {
    let world = World::new("one-open");
    let (project, violation) = world.an_open_violation();
    let (mend, _) = world.client();
    for (identifier, rule) in [
        ("a".repeat(256), "MEND-EXT-STRING-LENGTH"),
        ("R&D-1".to_owned(), "MEND-EXT-FORBIDDEN-CHARS"),
        (String::new(), "MEND-EXT-IDENTIFIER-REQUIRED"),
    ] {
        match mend.report(&project, &violation.uuid, &ticket(identifier)) {
            Err(VendorError::Refused { operation, reason }) => {
                assert!(operation.contains(&violation.uuid) && operation.contains(&project), "{operation}");
                assert!(reason.contains("identifier") && reason.contains(rule), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.requests(OPERATION).len(), 0);
    for length in [254, 255] {
        assert!(mend.report(&project, &violation.uuid, &ticket("a".repeat(length))).is_ok(), "{length}");
    }
}

#[test]
fn an_optional_field_that_can_not_be_sent_stays_behind_and_is_noticed() {
    let world = World::new("one-open");
    let (project, violation) = world.an_open_violation();
    let stored = |ticket: &TicketReport| {
        let (mend, noticed) = world.client();
        mend.report(&project, &violation.uuid, ticket).unwrap();
        let stored = world.control.export_world().mend.external_issues;
        let stored = stored.into_iter().find(|issue| issue.identifier == ticket.identifier).unwrap();
        (stored, noticed.counts().len())
    };
    for (length, is_sent) in [(1_999, true), (2_000, true), (2_001, false)] {
        let url = format!("https://tracker.example/{}", "a".repeat(length - 24));
        assert_eq!(url.len(), length);
        let (stored, noticed) = stored(&TicketReport { url: Some(url), ..ticket(format!("U-{length}")) });
        assert_eq!((stored.url.is_some(), noticed), (is_sent, usize::from(!is_sent)), "{length}");
    }
    let url = Some("https://tracker.example/?a=1&b=2".to_owned());
    assert_eq!(stored(&TicketReport { url, ..ticket("U-4") }).0.url, None);
    for (length, kept) in [(254, 254), (255, 255), (256, 255)] {
        let status = Some("s".repeat(length));
        let (stored, noticed) = stored(&TicketReport { status, ..ticket(format!("S-{length}")) });
        assert_eq!((stored.status.unwrap().len(), noticed), (kept, usize::from(kept != length)), "{length}");
    }
    let status = Some("50 % <done> 😀".to_owned());
    let extra = [("R&D".to_owned(), "a<b".to_owned())].into();
    let (stored, noticed) = stored(&TicketReport { status, extra, ..ticket("S-4") });
    assert_eq!(stored.status.as_deref(), Some("50    done  😀"));
    assert_eq!((stored.extra_data["R D"].as_str(), noticed), ("a b", 3));
}

/// A date that one server takes another refuses; the form that was taken is kept for the rest of the run.
#[test]
fn dates_are_written_as_the_server_takes_them() {
    for (form, first) in [("any", 1), ("space", 1), ("iso", 4)] {
        let world = World::new("one-open");
        world.control.set_readings([("mend.external-datetimes", form)]).unwrap();
        let (project, violation) = world.an_open_violation();
        let (mend, _) = world.client();
        let created = "2024-05-02T10:11:12Z".parse().unwrap();
        for requests in [first, 1] {
            world.control.clear_journal();
            let ticket = TicketReport { created: Some(created), ..ticket("SEC-1") };
            mend.report(&project, &violation.uuid, &ticket).unwrap();
            assert_eq!(world.requests(OPERATION).len(), requests, "{form}");
        }
        let stored = world.control.export_world().mend.external_issues;
        assert_eq!(stored[0].created, Some(created), "{form}");
    }
}

/// A server that takes neither dates nor extra data still learns of the ticket.
#[test]
fn a_report_does_without_what_the_server_refuses() {
    use mock_server::kernel::faults::{BodyPredicate, Effect, Fault, Matcher, When};
    let world = World::new("one-open");
    let (project, violation) = world.an_open_violation();
    let refused = json!({"errorCode": 2021, "errorMessage": "Invalid option value"}).to_string();
    let matcher = Matcher {
        operation: Some(OPERATION.to_owned()),
        body: Some(BodyPredicate::Contains("created".to_owned())),
        times: 100,
        ..Matcher::default()
    };
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body: refused };
    world.control.plan_fault(Fault { matcher, when: When::BeforeApply, effect }).unwrap();
    let (mend, noticed) = world.client();
    let ticket = TicketReport { created: Some(Timestamp::UNIX_EPOCH), ..ticket("SEC-1") };
    assert!(mend.report(&project, &violation.uuid, &ticket).is_ok());
    assert_eq!(noticed.counts().len(), 1);
}

#[test]
fn a_violation_that_the_server_does_not_know_is_refused_or_not_found() {
    let world = World::new("one-open");
    let (project, _) = world.an_open_violation();
    let unknown = "d9367135-0000-0000-0000-a85b8d2df71a";
    for (value, expected) in [("3000", "Refused"), ("5001", "NotFound")] {
        world.control.set_readings([("mend.unknown-policy-item", value)]).unwrap();
        let (mend, _) = world.client();
        let found = mend.report(&project, unknown, &ticket("SEC-1")).unwrap_err();
        assert!(format!("{found:?}").starts_with(expected), "{found:?}");
        assert!(found.to_string().contains(unknown));
    }
}

/// Texts as people write them, and texts made to break limits.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Z]{2,8}-[0-9]{1,6}",
        "[<>%&a-z ]{0,20}",
        "[aé😀<]{50,300}",
        (1_990_usize..2_010).prop_map(|length| "u".repeat(length)),
        (253_usize..258).prop_map(|length| "x".repeat(length)),
        (60_usize..130).prop_map(|length| "é😀".repeat(length / 2)),
    ]
}

fn times() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    prop_oneof![seconds, 0..=4_000_000_000_i64].prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn reports() -> impl Strategy<Value = TicketReport> {
    let text = || prop::option::of(texts());
    let time = || prop::option::of(times());
    let extra = prop::collection::btree_map(texts(), texts(), 0..4);
    (texts(), text(), text(), time(), time(), extra).prop_map(
        |(identifier, url, status, created, last_modified, extra)| TicketReport {
            identifier,
            url,
            status,
            created,
            last_modified,
            extra,
        },
    )
}

/// The readings about what may be reported, each with all values.
const READINGS: [(&str, &[&str]); 7] = [
    ("mend.length-unit", &["characters", "utf16", "bytes"]),
    ("mend.url-special-chars", &["refused", "allowed"]),
    ("mend.external-datetimes", &["any", "space", "iso"]),
    ("mend.extra-data", &["map", "map-or-array"]),
    ("mend.ext-extra-data-keys", &["checked", "unchecked"]),
    ("mend.extra-fields-place", &["nested", "both"]),
    ("mend.empty-identifier", &["refused", "accepted"]),
];

/// I7: whatever text goes in, what comes out is never refused.
#[test]
fn the_server_never_refuses_a_report() {
    let world = World::new("one-open");
    let (project, violation) = world.an_open_violation();
    let choices: BTreeMap<&str, &[&str]> = READINGS.into();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
    let mut clients: BTreeMap<Vec<usize>, _> = BTreeMap::new();
    let clients = std::cell::RefCell::new(&mut clients);
    proptest!(config, |(report in reports(), picks in prop::collection::vec(0..3_usize, READINGS.len()))| {
        let readings: Vec<(&str, &str)> = choices
            .iter()
            .zip(&picks)
            .map(|((id, values), pick)| (*id, values[pick % values.len()]))
            .collect();
        world.control.set_readings(readings.iter().copied()).unwrap();
        world.control.clear_journal();
        let mut clients = clients.borrow_mut();
        let (mend, _) = clients.entry(picks).or_insert_with(|| world.client());
        let found = mend.report(&project, &violation.uuid, &report);
        let requests = world.requests(OPERATION);
        match found {
            Ok(_) => prop_assert!(!requests.is_empty()),
            Err(VendorError::Refused { .. }) => prop_assert!(requests.is_empty(), "{:?}", requests.last()),
            Err(other) => prop_assert!(false, "{other}"),
        }
        // The form of dates is found out by asking; nothing else is ever refused.
        let asks_for_form = readings.contains(&("mend.external-datetimes", "iso"));
        for request in requests {
            prop_assert!(request.reason.is_none() || asks_for_form, "{:?}", request.reason);
            prop_assert!(request.reason.as_deref().is_none_or(|reason| reason.contains("is no date")), "{:?}", request.reason);
        }
    });
}
