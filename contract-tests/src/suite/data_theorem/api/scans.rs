//! Scans.

use std::collections::BTreeSet;

use fixtures::spec::data_theorem::{
    DT_SCAN_BUILD_SOURCE, DT_SCAN_GET, DT_SCAN_ID, DT_SCAN_PARTS, DT_SCAN_START_DATE, DT_SCAN_STATUS_VALUES,
    DT_SCANS_LIST, DT_SCANS_TOTAL,
};

use super::super::client::{APPS, total_count};
use super::super::lists::serves_alone;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{self, *};
use crate::suite::shape::brief;

checks! { "data-theorem/scans";
    parts: DT_SCAN_PARTS, Reading, |case| scans(case)?.each_present_of(&["static_scan", "dynamic_scan"], &PART);
    start_date: DT_SCAN_START_DATE, Reading, |case| scans(case)?.each("start_date", &Timestamp);
    list: DT_SCANS_LIST, Reading, list;
    total_of_the_app: DT_SCANS_TOTAL, Reading, total_of_the_app;
    get: DT_SCAN_GET, Reading, get;
    id_unique_among_all_apps: DT_SCAN_ID, Reading, id_unique_among_all_apps;
    status_values: DT_SCAN_STATUS_VALUES, Reading,
        |case| scans(case)?.each("status", &OneOf(&["ONGOING", "COMPLETED", "CANCELLED"]));
    build_source: DT_SCAN_BUILD_SOURCE, Reading, |case| scans(case)?.each_present("build_source", &BUILD_SOURCE);
}

const PART: Shape = Members(&[("status", FilledText)]);
const BUILD_SOURCE: Shape =
    OneOf(&["DT_UPLOAD_FORM", "DT_UPLOAD_API", "GOOGLE_PLAY_STORE", "ITUNES_STORE", "APPCENTER"]);

fn scans(case: &Case) -> Result<&Rows, Stop> {
    case.data_theorem()?.scans()
}

/// The list of an app's scans.
pub(super) fn of_app(app: &Row) -> String {
    format!("{APPS}/{}/scans", app.text("id").unwrap_or_default())
}

/// The list that a scan was seen in.
pub(super) fn resource_of(scan: &Row) -> String {
    let path = scan.evidence.request.path();
    path.find(APPS).map_or("", |at| &path[at..]).to_owned()
}

/// An app's list holds its own scans: what names an app names this one, and no other app lists it too.
fn list(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut seen = 0;
    for app in api.apps()?.rows.iter().take(3) {
        let (reply, evidence) = api.get(&of_app(app))?;
        if reply.status != 200 {
            return broken_at(&evidence, "status 200", reply.status);
        }
        let json = reply.json().unwrap_or_default();
        let Some(rows) = json["scans"].as_array() else {
            return broken_at(&evidence, "a list under `scans`", brief(&json));
        };
        let of_other = rows.iter().find(|scan| {
            scan["mobile_app_id"].as_str().is_some_and(|id| app.text("id").is_some_and(|own| own != id))
        });
        if let Some(scan) = of_other {
            return broken_at(&evidence, "scans of that app only", brief(scan));
        }
        seen += rows.len();
    }
    Held::over(seen, "the first apps have no scans")
}

/// Only lists that end on their first page: that cursors lead to the end is another rule.
fn total_of_the_app(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut counted = 0;
    for app in api.apps()?.rows.iter().take(5) {
        let page = api.page(&of_app(app), &[])?;
        if page.next_cursor.is_some() {
            continue;
        }
        let Some(total) = page.pagination.as_ref().and_then(total_count) else {
            return not_exercised("the list has no total count");
        };
        let here = page.rows.rows.len();
        if total != here as u64 {
            return broken_at(&page.evidence, format!("{here} scans counted"), total);
        }
        counted += usize::from(here > 0);
    }
    Held::over(counted, "none of the first apps has a page of scans")
}

fn get(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut lists = BTreeSet::new();
    let firsts = scans(case)?.rows.iter().filter(|scan| lists.insert(resource_of(scan))).take(3);
    let mut shown = 0;
    for scan in firsts {
        let Some(id) = scan.text("id") else { continue };
        serves_alone(api, &resource_of(scan), id)?;
        shown += 1;
    }
    Held::over(shown, "the first apps have no scans")
}

fn id_unique_among_all_apps(case: &Case) -> Verdict {
    let rows = scans(case)?;
    let mut seen = BTreeSet::new();
    rows.all("no two scans have the same `id`", |scan| match scan.text("id") {
        None => Some("a scan without an `id`".to_owned()),
        Some(id) => (!seen.insert(id.to_owned())).then(|| format!("{id} is listed twice")),
    })
}
