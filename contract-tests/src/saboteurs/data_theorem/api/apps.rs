//! Saboteurs of apps.

use serde_json::json;

use super::super::super::Saboteur;
use super::super::super::layers::{becomes, edit_query, json_of, reply_to, request_of, without_parameter};
use super::super::rows::{each_of, without};
use super::APPS;

#[expect(clippy::too_many_lines, reason = "a table, one entry per check")]
pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/apps/get",
            "does not know apps that were never scanned",
            reply_to(&["GET mobile_apps/:id"], |_, reply| {
                if reply.json().is_some_and(|app| app["scan_status"] == "NO_SCANS_INITIATED") {
                    becomes(reply, 404);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/apps/list",
            "answers the list with 202",
            reply_to(APPS, |request, reply| {
                if reply.status == 200 && !request.url.contains('?') {
                    reply.status = 202;
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/apps/list-cursor",
            "answers the cursor of the whole list with the first page",
            request_of(APPS, |request| {
                if !request.url.contains("results_since=") {
                    edit_query(request, |parameters| parameters.retain(|(name, _)| name != "cursor"));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/apps/filter-platform",
            "ignores platform",
            without_parameter(APPS, "platform"),
        ),
        Saboteur::new(
            "data-theorem/apps/filter-release-type",
            "ignores release_type",
            without_parameter(APPS, "release_type"),
        ),
        Saboteur::new(
            "data-theorem/apps/filter-results-since",
            "ignores results_since",
            without_parameter(APPS, "results_since"),
        ),
        Saboteur::new(
            "data-theorem/apps/filter-scan-status",
            "takes SCAN_ONGOING for SCAN_COMPLETED",
            request_of(APPS, |request| {
                edit_query(request, |parameters| {
                    for (name, value) in parameters {
                        if name == "scan_status" && value == "SCAN_ONGOING" {
                            "SCAN_COMPLETED".clone_into(value);
                        }
                    }
                });
            }),
        ),
        Saboteur::new(
            "data-theorem/apps/filter-subscription",
            "ignores all subscriptions but the first",
            request_of(APPS, |request| {
                edit_query(request, |parameters| {
                    let mut count = 0;
                    parameters.retain(|(name, _)| {
                        count += usize::from(name == "subscription");
                        name != "subscription" || count == 1
                    });
                });
            }),
        ),
        Saboteur::new(
            "data-theorem/apps/filter-blocked-scan-reason",
            "ignores blocked_scan_reason",
            without_parameter(APPS, "blocked_scan_reason"),
        ),
        Saboteur::new(
            "data-theorem/apps/summary",
            "lists apps without a word of their scans",
            json_of(
                APPS,
                each_of("mobile_apps", |app| {
                    for name in ["scan_status", "blocked_scan_reason", "results_last_updated"] {
                        without(name)(app);
                    }
                }),
            ),
        ),
        Saboteur::new(
            "data-theorem/apps/links",
            "lists links as bare paths",
            json_of(APPS, each_of("mobile_apps", each_of("links", |link| *link = link["href"].clone()))),
        ),
        Saboteur::new(
            "data-theorem/apps/store-link",
            "leaves out the store's link of apps for Android",
            json_of(
                APPS,
                each_of("mobile_apps", |app| {
                    if app["platform"] == json!("ANDROID") {
                        without("store_url")(app);
                    }
                }),
            ),
        ),
    ]
}
