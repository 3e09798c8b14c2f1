//! Saboteurs of the list of findings, and of single ones.

use std::sync::Arc;

use serde_json::json;

use super::super::super::Saboteur;
use super::super::super::layers::{becomes, is, json_of, reply_to, without_parameter};
use super::super::list_layers::{answer_202, closed_for_open, without_count};
use super::super::rows::each_of;
use super::{GET, LIST, NOTES, error, finding, listed};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [list(), single()].into_iter().flatten().collect()
}

fn list() -> Vec<Saboteur> {
    vec![
        Saboteur::new("data-theorem/findings/list", "answers the list with 202", answer_202(LIST)),
        Saboteur::new(
            "data-theorem/findings/list-pagination",
            "leaves out the count of an unfiltered first page",
            without_count(LIST),
        ),
        Saboteur::new(
            "data-theorem/findings/list-links",
            "lists links as bare paths",
            listed(each_of("links", |link| *link = link["href"].clone())),
        ),
        Saboteur::new(
            "data-theorem/findings/list-cursor",
            "answers a cursor with the first page",
            without_parameter(LIST, "cursor"),
        )
        .also(&[("data-theorem/findings/id-unique", "the rows of the first page come again")]),
        Saboteur::new(
            "data-theorem/findings/filter-mobile-app-id",
            "ignores mobile_app_id",
            without_parameter(LIST, "mobile_app_id"),
        ),
        Saboteur::new(
            "data-theorem/findings/filter-results-since",
            "ignores results_since",
            without_parameter(LIST, "results_since"),
        ),
        Saboteur::new(
            "data-theorem/findings/filter-status-group",
            "takes CLOSED for OPEN",
            closed_for_open(LIST),
        ),
    ]
}

fn single() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/link-rels",
            "links every finding to all targets",
            json_of(
                LIST,
                each_of(
                    "security_findings",
                    each_of("links", |link| {
                        if link["rel"] == "targets" {
                            link["href"] = json!("security_finding_targets");
                        }
                    }),
                ),
            ),
        ),
        Saboteur::new(
            "data-theorem/findings/get",
            "does not know single findings",
            reply_to(GET, |_, reply| *reply = error(404, "unknown")),
        )
        .also(&[
            ("data-theorem/targets/security-finding-id", "it gets the finding that a target names"),
            ("data-theorem/workflows/finding-link", "it follows the link to a finding"),
        ]),
        Saboteur::new(
            "data-theorem/findings/access",
            "acknowledges a comment on a finding that the key cannot get",
            Arc::new(|request, healthy| {
                let mut reply = healthy.send(request.clone())?;
                let is_refused = is(&request, NOTES[0]) && reply.status == 403;
                if is_refused && !finding(&request, healthy)?.is_success() {
                    becomes(&mut reply, 204);
                }
                Ok(reply)
            }),
        ),
    ]
}
