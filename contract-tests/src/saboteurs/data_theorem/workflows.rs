//! Saboteurs of the page about suggested workflows.

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{Layer, json_of, json_reply, reply_to};
use super::rows::{each_of, with};

const APPS: &[&str] = &["GET mobile_apps"];
const TARGETS: &[&str] = &["GET security_finding_targets"];
/// What answers a single target.
const TARGET: &[&str] = &["GET security_finding_targets/:id", "PATCH security_finding_targets/:id"];
/// What answers a single finding.
const FINDING: &[&str] =
    &["GET security_findings/:id", "PATCH security_findings/:id", "POST security_findings/:id/close"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/workflows/results-since-format",
            "refuses an offset of two hours in `results_since` on apps",
            refuse_since(|since| since.ends_with("+02:00")),
        ),
        Saboteur::new(
            "data-theorem/workflows/results-since-no-offset",
            "refuses a `results_since` without an offset on apps",
            refuse_since(|since| since.ends_with(|last: char| last.is_ascii_digit()) && since.len() == 26),
        )
        .also(&[(
            "data-theorem/formats/offset-optional-in-requests",
            "it tries every list, and apps are one of them",
        )]),
        Saboteur::new(
            "data-theorem/workflows/results-since-minus-zero",
            "refuses the offset -00:00 in `results_since` on apps",
            refuse_since(|since| since.ends_with("-00:00")),
        ),
        Saboteur::new(
            "data-theorem/workflows/app-link",
            "links a single target to the list of apps",
            json_of(TARGET, link_to_list("mobile_apps")),
        )
        .also(&[("data-theorem/targets/get-links", "the link to the app is one of those it looks for")]),
        Saboteur::new(
            "data-theorem/workflows/finding-link",
            "links a single target to the list of findings, as the list of targets does",
            json_of(TARGET, link_to_list("security_findings")),
        )
        .also(&[("data-theorem/targets/get-links", "the link to the finding is one of those it looks for")]),
        Saboteur::new(
            "data-theorem/workflows/finding-texts",
            "shows single findings without a recommendation",
            json_of(FINDING, with("recommendation", json!(""))),
        )
        .also(&[("data-theorem/findings/recommendation", "it looks at single findings too")]),
        Saboteur::new(
            "data-theorem/workflows/portal-link",
            "links every listed target to the portal's front page",
            json_of(
                TARGETS,
                each_of(
                    "security_finding_targets",
                    with("portal_url", json!("https://www.securetheorem.com/")),
                ),
            ),
        ),
    ]
}

/// Refuses some values of `results_since` on the list of apps.
fn refuse_since(is_refused: impl Fn(&str) -> bool + Send + Sync + 'static) -> Layer {
    reply_to(APPS, move |request, reply| {
        let query = request.path_and_query().split_once('?').map_or("", |(_, query)| query);
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        if parameters.any(|(name, value)| name == "results_since" && is_refused(&value)) {
            *reply = json_reply(400, &json!({"error": {"code": 400, "message": "malformed timestamp"}}));
        }
    })
}

/// Puts a resource in place of links to one of its objects.
fn link_to_list(resource: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    each_of("links", move |link| {
        if link["href"].as_str().is_some_and(|href| href.starts_with(&format!("{resource}/"))) {
            link["href"] = json!(resource);
        }
    })
}
