//! Lists page by page: positions, counts, and what a cursor is good for.

use std::collections::BTreeSet;

use fixtures::builders::{api_key, app, hours, scan, world};
use http::Method;
use insta::assert_json_snapshot;
use insta::internals::Content;
use mock_server::{Builder, MockServer};
use serde_json::{Value, json};

use crate::support::{Api, instant};

const TARGETS: &str = "security_finding_targets";
const PAGE: usize = 5;

fn boundary() -> Builder {
    MockServer::builder().world("boundary").page_size(PAGE)
}

/// Pages of a list, the cursor sent alone from the second on.
async fn pages(api: &Api, list: &str, key: &str) -> Vec<Value> {
    let mut pages = vec![api.get(list).await.ok()];
    while let Some(cursor) = cursor_of(pages.last().unwrap()) {
        assert!(pages.len() < 100, "{list} does not end");
        let path = format!("{}?cursor={cursor}", list.split('?').next().unwrap());
        let page = api.get(&path).await.ok();
        assert!(page[key].is_array());
        pages.push(page);
    }
    pages
}

fn cursor_of(page: &Value) -> Option<String> {
    let cursor = page["pagination_information"].get("next_cursor")?.as_str().unwrap();
    let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    assert!(!cursor.is_empty() && cursor.bytes().all(is_url_safe), "{cursor}");
    Some(cursor.to_owned())
}

fn rows(pages: &[Value], key: &str) -> Vec<Value> {
    pages.iter().flat_map(|page| page[key].as_array().unwrap()).cloned().collect()
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// Hides a cursor, if it is one by its characters.
fn opaque(cursor: &Content) -> Content {
    let text = cursor.as_str().unwrap();
    assert!(
        text.len() > 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
        "{text}"
    );
    Content::from("[URL-safe base64]")
}

#[tokio::test]
async fn a_page_that_is_not_the_last_has_a_cursor() {
    let api = Api::with(MockServer::builder().world("docs-samples").page_size(2));
    let page = api.get("security_finding_targets?results_since=2016-01-01T00:00:00").await.ok();
    assert_json_snapshot!("pagination_information", page["pagination_information"], {
        ".next_cursor" => insta::dynamic_redaction(|value, _| opaque(&value)),
    });
    assert_eq!(page[TARGETS].as_array().unwrap().len(), 2);
}

/// DT-TARGETS-LIST-CURSOR, DT-LIST-CURSOR, DT-LIST-NEXT-CURSOR, DT-LIST-TOTAL-COUNT
#[tokio::test]
async fn pages_put_together_are_the_list_whichever_way_it_runs() {
    for order in ["updated-descending", "updated-ascending"] {
        let api = Api::with(boundary().reading("dt.list-order", order).unwrap());
        let same = MockServer::builder().world_spec(api.control().export_world()).page_size(100);
        let whole = Api::with(same.reading("dt.list-order", order).unwrap());
        let mut ties = 0;
        for (query, count) in [
            ("", 3 * PAGE),
            ("?mobile_app_id=643010011", PAGE - 1),
            ("?mobile_app_id=643010012", PAGE),
            ("?mobile_app_id=643010013", PAGE + 1),
        ] {
            let list = format!("{TARGETS}{query}");
            let pages = pages(&api, &list, TARGETS).await;
            let sizes: Vec<_> = pages.iter().map(|page| page[TARGETS].as_array().unwrap().len()).collect();
            let (final_size, full) = sizes.split_last().unwrap();
            assert!(full.iter().all(|size| *size == PAGE) && (1..=PAGE).contains(final_size), "{sizes:?}");
            let total = json!(count.to_string());
            assert!(pages.iter().all(|page| page["pagination_information"]["total_count"] == total));
            let rows = rows(&pages, TARGETS);
            assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<_>>().len(), count, "each row once");
            let at_once = whole.get(&list).await.ok();
            assert_eq!(at_once["pagination_information"], json!({"total_count": total}));
            assert_eq!(&rows, at_once[TARGETS].as_array().unwrap(), "{order} {query}");
            let updates: Vec<_> = rows.iter().map(|row| instant(&row["results_last_updated"])).collect();
            let mut sorted = updates.clone();
            sorted.sort();
            if order == "updated-descending" {
                sorted.reverse();
            }
            assert_eq!(updates, sorted, "{order} {query}");
            ties +=
                (PAGE..count).step_by(PAGE).filter(|border| updates[border - 1] == updates[*border]).count();
        }
        assert!(ties >= 2, "equal times lie across a page border, or this test proves little: {ties}");
    }
}

/// DT-FINDINGS-LIST-CURSOR, DT-APPS-LIST-CURSOR
#[tokio::test]
async fn findings_and_apps_are_paged_like_targets() {
    let api = Api::with(MockServer::builder().world("demo").page_size(7));
    let whole = Api::with(MockServer::builder().world("demo").page_size(5000));
    for (list, key) in [
        ("security_findings", "security_findings"),
        ("security_findings?status_group=OPEN&severity=HIGH&severity=LOW", "security_findings"),
        ("mobile_apps", "mobile_apps"),
        ("mobile_apps?platform=ANDROID", "mobile_apps"),
    ] {
        let pages = pages(&api, list, key).await;
        let rows = rows(&pages, key);
        assert_eq!(&rows, whole.get(list).await.ok()[key].as_array().unwrap(), "{list}");
        let total = json!(rows.len().to_string());
        assert!(pages.iter().all(|page| page["pagination_information"]["total_count"] == total));
    }
}

fn scanned() -> Api {
    let mut spec = world("2026-01-15T00:00:00Z".parse().unwrap()).key(api_key("sync"));
    for id in ["101", "102"] {
        spec = spec.app(app(id));
        for age in 0..5 {
            spec = spec.scan(scan(&format!("{id}{age}"), id).started(hours(age / 2)));
        }
    }
    Api::with(MockServer::builder().world_spec(spec.build()).page_size(2))
}

/// DT-SCANS-TOTAL
#[tokio::test]
async fn scans_are_paged_within_their_app() {
    let api = scanned();
    let pages = pages(&api, "mobile_apps/101/scans", "scans").await;
    assert_eq!(pages.len(), 3);
    let rows = rows(&pages, "scans");
    assert_eq!(
        ids(&rows).into_iter().collect::<BTreeSet<_>>(),
        ["1010", "1011", "1012", "1013", "1014"].into()
    );
    assert!(pages.iter().all(|page| page["pagination_information"]["total_count"] == "5"));
}

#[tokio::test]
async fn the_scans_of_one_app_do_not_go_on_with_the_cursor_of_another() {
    let api = scanned();
    let cursor = cursor_of(&api.get("mobile_apps/101/scans").await.ok()).unwrap();
    api.get(&format!("mobile_apps/102/scans?cursor={cursor}")).await.refused(400, "dt.malformed-cursor");
}

#[tokio::test]
async fn a_cursor_goes_with_the_filters_it_was_made_for_or_none() {
    let api = Api::with(boundary());
    let list =
        format!("{TARGETS}?mobile_app_id=643010013&status_group=OPEN&results_since=2020-01-01T00:00:00Z");
    let first = api.get(&list).await.ok();
    assert_eq!(first["pagination_information"]["total_count"], (PAGE + 1).to_string());
    let cursor = cursor_of(&first).unwrap();
    let alone = api.get(&format!("{TARGETS}?cursor={cursor}")).await.ok();
    assert_eq!(alone[TARGETS].as_array().unwrap().len(), 1);
    assert_eq!(alone["pagination_information"], json!({"total_count": (PAGE + 1).to_string()}));
    for same in [
        "status_group=OPEN&mobile_app_id=643010013&results_since=2020-01-01T00:00:00Z",
        "mobile_app_id=0643010013&status_group=OPEN&results_since=2020-01-01T00%3a00%3a00%2b00:00",
    ] {
        assert_eq!(api.get(&format!("{TARGETS}?{same}&cursor={cursor}")).await.ok(), alone, "{same}");
    }
    for other in [
        "mobile_app_id=643010013",
        "mobile_app_id=643010012&status_group=OPEN&results_since=2020-01-01T00:00:00Z",
        "mobile_app_id=643010013&status_group=OPEN&results_since=2020-01-01T00:00:01Z",
    ] {
        api.get(&format!("{TARGETS}?cursor={cursor}&{other}")).await.refused(400, "dt.cursor-filters");
    }
}

#[tokio::test]
async fn what_the_list_did_not_hand_out_is_no_cursor() {
    let api = Api::with(boundary());
    let cursor = cursor_of(&api.get(TARGETS).await.ok()).unwrap();
    let refused = async |cursor: &str| {
        api.get(&format!("{TARGETS}?cursor={cursor}")).await.refused(400, "dt.malformed-cursor");
    };
    for made_up in ["", "0", "2", "kEgkIjrCzvdns0QISRmoRc35kaXNjby1vcmRlci03", &cursor[1..]] {
        refused(made_up).await;
    }
    for place in 0..cursor.len() {
        let other = if &cursor[place..=place] == "A" { "B" } else { "A" };
        refused(&format!("{}{other}{}", &cursor[..place], &cursor[place + 1..])).await;
    }
    let findings = Api::with(MockServer::builder().world("boundary").page_size(5));
    refused(&cursor_of(&findings.get("security_findings").await.ok()).unwrap()).await;
    api.get(&format!("mobile_apps?cursor={cursor}")).await.refused(400, "dt.malformed-cursor");
    let elsewhere = Api::with(boundary().seed(7));
    refused(&cursor_of(&elsewhere.get(TARGETS).await.ok()).unwrap()).await;
}

#[tokio::test]
async fn a_cursor_of_another_sandbox_is_no_cursor() {
    let mut api = Api::with(boundary());
    let cursor = cursor_of(&api.get(TARGETS).await.ok()).unwrap();
    let sandbox =
        api.admin(Method::POST, "sandboxes", Some(json!({"world": "boundary", "page_size": PAGE}))).await;
    assert_eq!(sandbox.status, 201, "{}", sandbox.text);
    let secret = sandbox.json()["env"]["DATA_THEOREM_API_KEY"].as_str().unwrap().to_owned();
    api.show(&secret);
    assert!(cursor_of(&api.get(TARGETS).await.ok()).is_some());
    api.get(&format!("{TARGETS}?cursor={cursor}")).await.refused(400, "dt.malformed-cursor");
}

/// A key's cursor shows nothing that the key may not see.
#[tokio::test]
async fn a_cursor_does_not_lend_the_rights_of_the_key_that_got_it() {
    let api = Api::with(boundary());
    let of_app = cursor_of(&api.get(&format!("{TARGETS}?mobile_app_id=643010013")).await.ok()).unwrap();
    let of_all = cursor_of(&api.get(TARGETS).await.ok()).unwrap();
    let api = api.key_named("one-app");
    api.get(&format!("{TARGETS}?cursor={of_app}")).await.refused(403, "DT-AUTH-APP-SCOPE");
    let page = api.get(&format!("{TARGETS}?cursor={of_all}")).await.ok();
    assert!(page[TARGETS].as_array().unwrap().iter().all(|row| row["mobile_app_id"] == "643010011"));
}

#[tokio::test]
async fn rows_that_stay_are_neither_skipped_nor_repeated_while_others_move() {
    let api = Api::with(boundary());
    let before = rows(&pages(&api, TARGETS, TARGETS).await, TARGETS);
    let first = api.get(TARGETS).await.ok();
    api.control().advance(jiff::SignedDuration::from_secs(60));
    for moved in [1, PAGE + 1] {
        let path = format!("{TARGETS}/{}/statuses", ids(&before)[moved]);
        api.post(&path, json!({"status": "CLOSED_WONT_FIX"})).await.no_content();
    }
    let mut seen = ids(first[TARGETS].as_array().unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut cursor = cursor_of(&first);
    while let Some(after) = cursor {
        let page = api.get(&format!("{TARGETS}?cursor={after}")).await.ok();
        seen.extend(ids(page[TARGETS].as_array().unwrap()).into_iter().map(str::to_owned));
        cursor = cursor_of(&page);
    }
    let mut expected = ids(&before);
    expected.remove(PAGE + 1);
    assert_eq!(seen, expected, "all but the one that moved to the front");
}

#[tokio::test]
async fn under_its_reading_the_last_page_leads_to_one_without_rows() {
    let api = Api::with(boundary().reading("dt.last-page-cursor", "empty-page").unwrap());
    let list = format!("{TARGETS}?mobile_app_id=643010012");
    let pages = pages(&api, &list, TARGETS).await;
    let sizes: Vec<_> = pages.iter().map(|page| page[TARGETS].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [PAGE, 0]);
    let total = json!(PAGE.to_string());
    assert!(pages.iter().all(|page| page["pagination_information"]["total_count"] == total));
    let none = api.get(&format!("{TARGETS}?mobile_app_id=1")).await.ok();
    assert_eq!(cursor_of(&none), None, "a list without rows has no cursor");
}
