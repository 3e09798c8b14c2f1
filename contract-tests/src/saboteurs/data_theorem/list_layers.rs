//! What breaks any list of this API in the same way.

use serde_json::{Value, json};

use super::super::layers::{Layer, edit_json, edit_query, json_of, reply_to, request_of};

/// Answers the list without filters with 202.
pub(super) fn answer_202(list: &'static [&'static str]) -> Layer {
    reply_to(list, |request, reply| {
        if reply.status == 200 && !request.url.contains('?') {
            reply.status = 202;
        }
    })
}

/// Shows null instead of the count on a first page without filters.
pub(super) fn without_count(list: &'static [&'static str]) -> Layer {
    reply_to(list, |request, reply| {
        if !request.url.contains('?') {
            edit_json(reply, |json| {
                if let Some(pagination) = json.get_mut("pagination_information") {
                    pagination["total_count"] = Value::Null;
                }
            });
        }
    })
}

/// Takes `CLOSED` for `OPEN` as a status group.
pub(super) fn closed_for_open(list: &'static [&'static str]) -> Layer {
    request_of(list, |request| {
        edit_query(request, |parameters| {
            for (name, value) in parameters {
                if name == "status_group" && value == "CLOSED" {
                    "OPEN".clone_into(value);
                }
            }
        });
    })
}

/// Lists the last row of each page once more.
pub(super) fn last_row_twice(list: &'static [&'static str], name: &'static str) -> Layer {
    json_of(list, move |json| {
        if let Some(rows) = json.get_mut(name).and_then(Value::as_array_mut) {
            rows.extend(rows.last().cloned());
        }
    })
}

/// Shows a bare path as the portal's address.
pub(super) fn bare_portal_path(single: &'static [&'static str]) -> Layer {
    json_of(single, super::rows::with("portal_url", json!("mobile/app/1")))
}
