//! Saboteurs of scans.

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{Layer, becomes, edit_json, json_of, reply_to};
use super::super::rows::{each_of, with};
use super::SCANS;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/scans/parts",
            "shows a part as its bare status",
            rows(|scan| {
                if scan["static_scan"].is_object() {
                    scan["static_scan"] = scan["static_scan"]["status"].clone();
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/scans/start-date",
            "shows when a scan began in seconds",
            rows(with("start_date", json!(1_672_531_200))),
        ),
        Saboteur::new(
            "data-theorem/scans/list",
            "answers the list with 202",
            reply_to(SCANS, |request, reply| {
                if reply.status == 200 && !request.url.contains('?') {
                    reply.status = 202;
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/scans/total-of-the-app",
            "counts a scan too many where there is one page",
            whole_lists(|json| {
                let scans = json["scans"].as_array().map_or(0, Vec::len);
                json["pagination_information"]["total_count"] = json!((scans + 1).to_string());
            }),
        ),
        Saboteur::new(
            "data-theorem/scans/get",
            "does not know single scans",
            reply_to(&["GET mobile_apps/:id/scans/:id"], |_, reply| becomes(reply, 404)),
        ),
        Saboteur::new(
            "data-theorem/scans/id-unique-among-all-apps",
            "lists the oldest scans of apps under one id",
            whole_lists(|json| {
                if let Some(oldest) = json["scans"].as_array_mut().and_then(|scans| scans.last_mut()) {
                    with("id", json!("1000"))(oldest);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/scans/status-values",
            "spells CANCELLED with one L",
            rows(|scan| {
                if scan["status"] == "CANCELLED" {
                    scan["status"] = json!("CANCELED");
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/scans/build-source",
            "shows an empty `build_source` where the build came from AppCenter",
            rows(|scan| {
                if scan["build_source"] == "APPCENTER" {
                    scan["build_source"] = json!("");
                }
            }),
        ),
    ]
}

/// Changes every listed scan.
fn rows(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    json_of(SCANS, each_of("scans", edit))
}

/// Changes lists of scans that are one page.
fn whole_lists(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    reply_to(SCANS, move |request, reply| {
        edit_json(reply, |json| {
            let more = json["pagination_information"].get("next_cursor").is_some();
            if !more && !request.url.contains("cursor=") {
                edit(json);
            }
        });
    })
}
