//! Replies that no healthy vendor sends: what can be read is read, and nothing is concluded from the rest.

use mock_server::kernel::faults::{Effect, TextPredicate, When};
use serde_json::{Value, json};
use sync_client::adapters::caller::Patience;
use sync_client::adapters::data_theorem::{Page, Target};
use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use super::{everything, fault, reply, rows};
use crate::support::Simulated;

const TARGETS: &str = "GET security_finding_targets";

/// The pages of an account's targets when one value of one page is another.
fn with_value(page: u32, pointer: &str, value: Value) -> (Simulated, Vec<Result<Page<Target>, VendorError>>) {
    let simulated = Simulated::scene("two-pages", 2);
    let rewrite = Effect::Rewrite { pointer: pointer.to_owned(), value };
    let pages = pages_under(&simulated, (page, 1), When::AfterApply, rewrite);
    (simulated, pages)
}

fn pages_under(
    simulated: &Simulated,
    strikes: (u32, u32),
    when: When,
    effect: Effect,
) -> Vec<Result<Page<Target>, VendorError>> {
    let vendor = simulated.data_theorem();
    let app = rows(vendor.apps(None)).unwrap().remove(0);
    simulated.control().plan_fault(fault(TARGETS, strikes, when, effect)).unwrap();
    vendor.targets(&app.id, None).take(20).collect()
}

fn ids(pages: &[Result<Page<Target>, VendorError>]) -> Vec<Vec<&str>> {
    pages.iter().flatten().map(|page| page.rows.iter().map(|row| row.id.as_str()).collect()).collect()
}

/// Row 54 of the catalogue, I20.
#[test]
fn an_unknown_status_means_nothing_and_is_counted() {
    for word in ["CLOSED_BY_MAGIC", "REOPENED"] {
        let (simulated, pages) = with_value(0, "/security_finding_targets/0/current_status", json!(word));
        let page = pages[0].as_ref().unwrap();
        assert_eq!((page.rows[0].standing.clone(), page.rows[0].status.as_str()), (Standing::Unknown, word));
        assert_eq!((page.rows[1].standing.clone(), page.is_complete, pages.len()), (Standing::Open, true, 2));
        let counts = simulated.noticed.counts();
        assert_eq!(counts[&format!("data-theorem: unknown current_status {word:?}")], 1, "{counts:?}");
        assert_eq!(counts.len(), 1, "{counts:?}");
    }
}

/// Row 55 of the catalogue.
#[test]
fn an_impossible_date_is_no_date() {
    let date = json!("2017-13-02T19:25:16.664998-00:00");
    let (simulated, pages) = with_value(0, "/security_finding_targets/0/current_status_date", date);
    let page = pages[0].as_ref().unwrap();
    assert_eq!((page.rows[0].status_date, page.is_complete, page.rows.len()), (None, true, 2));
    let counts = simulated.noticed.counts();
    assert_eq!(counts["data-theorem: target whose current_status_date is no date"], 1, "{counts:?}");
}

/// Row 49 of the catalogue: one bad row costs one row, and the page tells.
#[test]
fn a_row_that_cannot_be_read_is_left_out_and_told() {
    for (pointer, value) in
        [("/0/id", json!(null)), ("/0/id", json!("")), ("/0", json!("row")), ("/0", json!(null))]
    {
        let (simulated, pages) = with_value(0, &format!("/security_finding_targets{pointer}"), value.clone());
        let shapes: Vec<_> = pages.iter().flatten().map(|page| (page.rows.len(), page.is_complete)).collect();
        assert_eq!(shapes, [(1, false), (1, true)], "{pointer} {value}");
        assert_eq!(simulated.noticed.counts().len(), 1, "{pointer} {value}");
    }
}

#[test]
fn ids_may_be_numbers() {
    let (_, plain) = with_value(5, "/x", json!(null));
    let id: u64 = plain[0].as_ref().unwrap().rows[0].id.parse().unwrap();
    let (_, pages) = with_value(0, "/security_finding_targets/0/id", json!(id));
    assert_eq!(pages, plain);
}

/// Row 13 of the catalogue: who reads the pages has to expect a row again.
#[test]
fn repeated_rows_are_handed_out_as_they_come() {
    let simulated = Simulated::scene("two-pages", 2);
    let pages = pages_under(&simulated, (0, 1), When::AfterApply, Effect::RepeatRows { count: 1 });
    let ids = ids(&pages);
    assert_eq!((ids[0].len(), ids[1].len()), (3, 1));
    assert!(ids[0][1..].contains(&ids[0][0]), "{ids:?}");
}

/// I5: nothing that goes wrong looks like a list that is over.
#[test]
fn what_is_no_list_is_an_error_and_ends_the_pages() {
    for body in
        ["{}", "[]", "null", "", "<html>", r#"{"security_finding_targets": null}"#, r#"{"errorCode": 2013}"#]
    {
        for page in [0, 1] {
            let simulated = Simulated::scene("two-pages", 2);
            let pages = pages_under(&simulated, (page, 1), When::BeforeApply, reply(200, &[], body));
            assert_eq!(pages.len(), page as usize + 1, "{body:?}");
            assert!(matches!(pages.last(), Some(Err(VendorError::Malformed { .. }))), "{body:?}: {pages:?}");
        }
    }
    for (status, page) in [(404, 0), (404, 1), (403, 0), (403, 1), (401, 1), (302, 0), (204, 1), (400, 0)] {
        let simulated = Simulated::scene("two-pages", 2);
        let pages = pages_under(&simulated, (page, 1), When::BeforeApply, reply(status, &[], ""));
        let error = pages.last().unwrap().as_ref().unwrap_err();
        let is_as_wanted = match status {
            401 => matches!(error, VendorError::Credential { .. }),
            404 => matches!(error, VendorError::NotFound { .. }),
            400 | 403 => matches!(error, VendorError::Refused { .. }),
            _ => matches!(error, VendorError::Malformed { .. }),
        };
        assert!(is_as_wanted, "{status}: {error:?}");
        assert_eq!(pages.len(), page as usize + 1, "{status}");
    }
}

#[test]
fn a_list_that_does_not_say_how_it_goes_on_is_incomplete() {
    let (simulated, pages) = with_value(0, "/pagination_information", json!(null));
    let shapes: Vec<_> = pages.iter().flatten().map(|page| (page.rows.len(), page.is_complete)).collect();
    assert_eq!(shapes, [(2, false)]);
    assert_eq!(simulated.noticed.counts().len(), 1);
}

#[test]
fn a_refused_cursor_starts_the_list_anew_once() {
    for status in [400, 410, 422] {
        let simulated = Simulated::scene("two-pages", 2);
        let pages = pages_under(&simulated, (1, 1), When::BeforeApply, reply(status, &[], ""));
        let ids = ids(&pages);
        assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1], "{status}");
        assert_eq!(ids[0], ids[1], "{status}");
        assert!(pages.iter().all(Result::is_ok), "{status}");
        assert_eq!(simulated.noticed.counts().len(), 1, "{status}");

        let simulated = Simulated::scene("two-pages", 2);
        let targets = simulated.data_theorem();
        let app = rows(targets.apps(None)).unwrap().remove(0);
        let mut refused = fault(TARGETS, (0, 2), When::BeforeApply, reply(status, &[], ""));
        refused.matcher.query = Some(TextPredicate::Contains("cursor=".to_owned()));
        simulated.control().plan_fault(refused).unwrap();
        let pages: Vec<_> = targets.targets(&app.id, None).take(20).collect();
        assert!(matches!(pages.last(), Some(Err(VendorError::Refused { .. }))), "{status}: {pages:?}");
        assert_eq!(simulated.operations().len(), 5, "{status}: two pages, the start, and the refusal");
    }
}

/// Row 25 of the catalogue.
#[test]
fn lists_without_end_are_errors() {
    let always = (0, 1_000);
    let cursor = "/pagination_information/next_cursor".to_owned();
    let again = Effect::Rewrite { pointer: cursor, value: json!("again") };
    let simulated = Simulated::under("two-pages", 2, &[("dt.malformed-cursor", "first-page")]);
    let pages = pages_under(&simulated, always, When::AfterApply, again);
    let error = pages.last().unwrap().as_ref().unwrap_err().to_string();
    assert!(pages.len() == 2 && error.contains("seen before"), "{error}");

    let simulated = Simulated::scene("two-pages", 2);
    let vendor = simulated.data_theorem();
    for page in 0..9 {
        let body = json!({"security_finding_targets": [], "pagination_information": {"next_cursor": format!("c{page}")}});
        let empty = fault(TARGETS, (0, 1), When::BeforeApply, reply(200, &[], &body.to_string()));
        simulated.control().plan_fault(empty).unwrap();
    }
    let pages: Vec<_> = vendor.targets("643010002", None).collect();
    let error = pages.last().unwrap().as_ref().unwrap_err().to_string();
    assert!(pages.len() == 3 && error.contains("empty"), "{error}");
}

/// Row 52 of the catalogue: half a character in one row is no reason to lose the page.
#[test]
fn a_cut_character_costs_a_character() {
    let simulated = Simulated::scene("one-open", 100);
    let body = r#"{"security_finding_targets": [{"id": "1", "text": "a\ud83d"}, {"id": "2", "text": "b"}], "pagination_information": {}}"#;
    let pages = pages_under(&simulated, (0, 1), When::BeforeApply, reply(200, &[], body));
    let page = pages[0].as_ref().unwrap();
    assert_eq!((page.rows.len(), page.rows[0].text.as_deref()), (2, Some("a\u{fffd}")));
}

/// Who asks for a target and is shown another one must not believe it.
#[test]
fn another_target_is_no_answer() {
    let simulated = Simulated::scene("one-open", 100);
    let vendor = simulated.data_theorem();
    let target = everything(&vendor).unwrap().targets.remove(0);
    let other = reply(200, &[], r#"{"id": "7", "current_status": "CLOSED_FIXED"}"#);
    let other = fault("GET security_finding_targets/:id", (0, 1), When::BeforeApply, other);
    simulated.control().plan_fault(other).unwrap();
    assert!(matches!(vendor.target(&target.id), Err(VendorError::Malformed { .. })));
}

/// A server that says yes and does nothing.
#[test]
fn a_link_that_was_ignored_is_an_error() {
    for body in ["{}", r#"{"id": "1"}"#, r#"{"external_id": null}"#, r#"{"external_id": "OTHER-1"}"#, "[]"] {
        let simulated = Simulated::scene("one-open", 100);
        let vendor = simulated.data_theorem();
        let target = everything(&vendor).unwrap().targets.remove(0);
        let ignored =
            fault("PATCH security_finding_targets/:id", (0, 1), When::BeforeApply, reply(200, &[], body));
        simulated.control().plan_fault(ignored).unwrap();
        assert!(matches!(vendor.link(&target.id, "LOCAL-1"), Err(VendorError::Malformed { .. })), "{body}");
    }
}

/// I12, row 60 of the catalogue.
#[test]
fn no_error_shows_the_key() {
    let simulated = Simulated::scene("one-open", 100);
    let key = simulated.server.data_theorem().api_key().to_owned();
    let vendor = simulated.data_theorem_with(&key, Patience { attempts_max: 1, ..Patience::default() });
    assert!(!format!("{vendor:?}").contains(&key));
    for status in [200, 302, 400, 401, 403, 404, 429, 500] {
        for body in [json!({"message": format!("no APIKey {key}!")}), json!({"error": key})] {
            let echo =
                fault("GET mobile_apps", (0, 1), When::BeforeApply, reply(status, &[], &body.to_string()));
            simulated.control().plan_fault(echo).unwrap();
            let error = rows(vendor.apps(None)).unwrap_err();
            assert!(!format!("{error:?} {error}").contains(&key), "{status}: {error}");
        }
    }
}
