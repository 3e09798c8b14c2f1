//! Apps.

use fixtures::spec::data_theorem::{
    DT_APP_GET, DT_APP_LINKS, DT_APP_STORE_LINK, DT_APP_SUMMARY, DT_APPS_LIST,
    DT_APPS_LIST_BLOCKED_SCAN_REASON, DT_APPS_LIST_CURSOR, DT_APPS_LIST_PLATFORM, DT_APPS_LIST_RELEASE_TYPE,
    DT_APPS_LIST_RESULTS_SINCE, DT_APPS_LIST_SCAN_STATUS, DT_APPS_LIST_SUBSCRIPTION,
};
use serde_json::Value;

use super::super::client::{APPS, DataTheorem, with_query};
use super::super::lists::{accepts, cursor_continues, narrows, narrows_by_time, serves_alone};
use super::scans::of_app;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{self, *};
use crate::suite::shape::brief;

checks! { "data-theorem/apps";
    get: DT_APP_GET, Reading, get;
    list: DT_APPS_LIST, Reading, list;
    list_cursor: DT_APPS_LIST_CURSOR, Reading, |case| cursor_continues(case.data_theorem()?, APPS, &[]);
    filter_platform: DT_APPS_LIST_PLATFORM, Reading,
        |case| filter_of_words(case, "platform", &PLATFORMS, |app, word| app.text("platform") == Some(word));
    filter_release_type: DT_APPS_LIST_RELEASE_TYPE, Reading,
        |case| filter_of_words(case, "release_type", &["APP_STORE", "PRE_PROD"],
            |app, word| app.text("release_type") == Some(word));
    filter_results_since: DT_APPS_LIST_RESULTS_SINCE, Reading,
        |case| narrows_by_time(case.data_theorem()?, apps(case)?, APPS, "results_last_updated");
    filter_scan_status: DT_APPS_LIST_SCAN_STATUS, Reading, filter_scan_status;
    filter_subscription: DT_APPS_LIST_SUBSCRIPTION, Reading, filter_subscription;
    filter_blocked_scan_reason: DT_APPS_LIST_BLOCKED_SCAN_REASON, Reading, filter_blocked_scan_reason;
    summary: DT_APP_SUMMARY, Reading, summary;
    links: DT_APP_LINKS, Reading, links;
    store_link: DT_APP_STORE_LINK, Reading, store_link;
}

const PLATFORMS: [&str; 5] = ["ANDROID", "ANDROID_AMAZON", "ANDROID_OCULUS", "WINDOWS_PHONE", "IOS"];
const SUBSCRIPTIONS: [&str; 5] = ["APP_LOGIC", "DYNAMIC", "NO_SUBSCRIPTION", "P1_ALERTS", "STATIC"];

fn apps(case: &Case) -> Result<&Rows, Stop> {
    case.data_theorem()?.apps()
}

fn get(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let ids: Vec<&str> = api.apps()?.rows.iter().filter_map(|app| app.text("id")).collect();
    let some: Vec<&str> =
        ids.iter().copied().step_by((ids.len() / 3).max(1)).chain(ids.last().copied()).collect();
    for id in &some {
        serves_alone(api, APPS, id)?;
    }
    Held::over(some.len(), "the account has no apps")
}

fn list(case: &Case) -> Verdict {
    let (reply, evidence) = case.data_theorem()?.get(APPS)?;
    if reply.status != 200 {
        return broken_at(&evidence, "status 200", reply.status);
    }
    let json = reply.json().unwrap_or_default();
    let Some(rows) = json[APPS].as_array() else {
        return broken_at(&evidence, "a list under `mobile_apps`", brief(&json));
    };
    if let Some(row) = rows.iter().find(|row| row.get("id").is_none()) {
        return broken_at(&evidence, "apps, each with an `id`", brief(row));
    }
    Held::over(rows.len(), "the account has no apps")
}

/// Each documented word is accepted, and limits the list to the apps that it fits.
fn filter_of_words(case: &Case, name: &str, words: &[&str], fits: impl Fn(&Row, &str) -> bool) -> Verdict {
    let (api, apps) = (case.data_theorem()?, apps(case)?);
    observed(
        apps.rows.iter().all(|app| app.get(name).is_some()),
        format!("not every app shows its `{name}`"),
    )?;
    let mut limited = 0;
    for word in words {
        let query = [(name, *word)];
        let fitting = apps.rows.iter().filter(|app| fits(app, word)).count();
        if (1..apps.rows.len()).contains(&fitting) {
            narrows(api, apps, APPS, &query, |app| fits(app, word))?;
            limited += 1;
        } else {
            accepts(api, APPS, &query)?;
        }
    }
    Held::over(limited, &format!("no two apps differ in their `{name}`"))
}

/// A word, and of which latest scan it speaks.
type OfLatestScan = (&'static str, fn(Option<&str>) -> bool);

const SCAN_STATUSES: [OfLatestScan; 3] = [
    ("NO_SCANS_INITIATED", |latest| latest.is_none()),
    ("SCAN_ONGOING", |latest| latest == Some("ONGOING")),
    ("SCAN_COMPLETED", |latest| latest.is_some_and(|status| status != "ONGOING")),
];

fn filter_scan_status(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut followed = 0;
    for (word, fits) in SCAN_STATUSES {
        let query = [("scan_status", word)];
        accepts(api, APPS, &query)?;
        let rows = api.page(APPS, &query)?.rows.rows;
        for app in rows.first().into_iter().chain(rows.last()) {
            let latest = latest_scan_status(api, app)?;
            if !fits(latest.as_deref()) {
                let expected = format!("{} lists apps by their latest scan", with_query(APPS, &query));
                return broken_at(&app.evidence, expected, format!("{}: {latest:?}", brief(&app.json["id"])));
            }
            followed += 1;
        }
    }
    Held::over(followed, "no app is listed by the status of its scans")
}

/// The status of the scan that began last; none if there is no scan.
fn latest_scan_status(api: DataTheorem<'_>, app: &Row) -> Result<Option<String>, Stop> {
    let scans = api.all(&of_app(app), &[])?.rows;
    let started = |scan: &Row| scan.time("start_date");
    observed(scans.iter().all(|scan| started(scan).is_some()), "a scan does not show when it began")?;
    let latest = scans.iter().max_by_key(|scan| started(scan));
    Ok(latest.map(|scan| scan.text("status").unwrap_or_default().to_owned()))
}

/// An app without subscriptions counts as one with `NO_SUBSCRIPTION`.
fn subscribes(app: &Row, word: &str) -> bool {
    let services = app.list("subscription");
    services.iter().any(|service| service == word) || (services.is_empty() && word == "NO_SUBSCRIPTION")
}

fn filter_subscription(case: &Case) -> Verdict {
    filter_of_words(case, "subscription", &SUBSCRIPTIONS, subscribes)?;
    let (api, apps) = (case.data_theorem()?, apps(case)?);
    let only =
        |one: &str, other: &str| apps.rows.iter().any(|app| subscribes(app, one) && !subscribes(app, other));
    let pairs = SUBSCRIPTIONS.iter().flat_map(|one| SUBSCRIPTIONS.iter().map(move |other| (*one, *other)));
    let either = |app: &Row, (one, other): (&str, &str)| subscribes(app, one) || subscribes(app, other);
    let telling = |pair: &(&str, &str)| {
        only(pair.0, pair.1) && only(pair.1, pair.0) && apps.rows.iter().any(|app| !either(app, *pair))
    };
    let Some(pair) = pairs.into_iter().find(telling) else { return Held::once() };
    let query = [("subscription", pair.0), ("subscription", pair.1)];
    // How several are written is not documented; where repeating the filter is taken, it has to mean them.
    let (reply, _) = api.get(&with_query(APPS, &query))?;
    if reply.status != 200 {
        return Held::once();
    }
    narrows(api, apps, APPS, &query, |app| either(app, pair))
}

fn filter_blocked_scan_reason(case: &Case) -> Verdict {
    let (api, apps) = (case.data_theorem()?, apps(case)?);
    let reason = |app: &Row| app.text("blocked_scan_reason").map(str::to_owned);
    let blocked = reason(apps.find("app whose scans are blocked", |app| reason(app).is_some())?);
    let value = blocked.as_deref().unwrap_or_default();
    narrows(api, apps, APPS, &[("blocked_scan_reason", value)], |app| reason(app) == blocked)
}

/// No page that could be read names the fields, so any that says something of the app, and of its scans, will do.
fn summary(case: &Case) -> Verdict {
    apps(case)?.all("an app with a summary of itself and of its scans", |app| {
        let of_itself = ["name", "bundle_id", "platform", "release_type"];
        if !of_itself.iter().any(|name| app.get(name).is_some()) {
            return Some(format!("nothing of the app in {}", brief(&app.json)));
        }
        let of_scans = |name: &str| name.contains("scan") || name == "results_last_updated";
        let mut members = app.json.as_object().into_iter().flatten();
        let says = members.any(|(name, value)| of_scans(name) && !value.is_null());
        (!says).then(|| format!("nothing of its scans in {}", brief(&app.json)))
    })
}

fn links(case: &Case) -> Verdict {
    const LINK: Shape = Members(&[("href", FilledText)]);
    apps(case)?.each("links", &ListOf(&LINK))?;
    apps(case)?.all("links to related resources and one to the portal", |app| {
        let links = app.list("links");
        if links.is_empty() {
            return Some("no links".to_owned());
        }
        let to_portal = app.get("portal_url").is_some_and(|url| Url.fits(url));
        let among_links =
            links.iter().any(|link| link["rel"].as_str().is_some_and(|rel| rel.contains("portal")));
        (!to_portal && !among_links).then(|| format!("no link to the portal in {}", brief(&app.json)))
    })
}

/// No page that could be read says what the link is called, so it is only judged where there is one.
fn store_link(case: &Case) -> Verdict {
    let in_store = apps(case)?.only(|app| app.text("release_type") == Some("APP_STORE"));
    let link = |app: &Row| -> Option<Value> {
        let mut members = app.json.as_object()?.iter();
        let is_link =
            |name: &str| name.contains("store") && (name.ends_with("url") || name.ends_with("link"));
        members.find(|(name, value)| is_link(name) && !value.is_null()).map(|(_, value)| value.clone())
    };
    observed(in_store.rows.iter().any(|app| link(app).is_some()), "no app shows a link to an app store")?;
    in_store.all("an app that is in a store links to it", |app| {
        let link = link(app).unwrap_or_default();
        (!Url.fits(&link)).then(|| brief(&link))
    })
}
