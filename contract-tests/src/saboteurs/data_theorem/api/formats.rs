//! Saboteurs of formats.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{json_of, json_reply, reply_to, request_of};
use super::super::rows::each_of;
use super::{APPS, SCANS};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/formats/version-in-the-path",
            "answers without a version in the path too",
            Arc::new(|mut request, healthy| {
                if request.path() == "/apis/mobile_security/results/mobile_apps" {
                    request.url = request.url.replacen("/results/", "/results/v2/", 1);
                }
                healthy.send(request)
            }),
        ),
        Saboteur::new(
            "data-theorem/formats/responses-are-json",
            "refuses an unknown finding in plain text",
            reply_to(&["GET security_findings/:id"], |_, reply| {
                if reply.status == 404 {
                    reply.body = Bytes::from_static(b"Not found");
                    reply.headers.insert("content-type", HeaderValue::from_static("text/plain"));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/formats/form-is-no-body",
            "takes a form for the same object",
            request_of(&["PATCH security_finding_targets/:id"], |request| {
                let is_form = |kind: &HeaderValue| kind == "application/x-www-form-urlencoded";
                if request.headers.get("content-type").is_some_and(is_form) {
                    let members = form_urlencoded::parse(&request.body).into_owned();
                    let object = members.map(|(name, value)| (name, Value::from(value))).collect();
                    *request = request.clone().json(&Value::Object(object));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/formats/timestamps-by-rfc-3339",
            "leaves out the offset of a scan's end",
            json_of(SCANS, each_of("scans", ends_with_offset(""))),
        ),
        Saboteur::new(
            "data-theorem/formats/offset-optional-in-requests",
            "refuses a timestamp without an offset",
            reply_to(APPS, |request, reply| {
                let since = request.url.split("results_since=").nth(1).unwrap_or("Z");
                if !since.contains(['Z', '%', '&']) {
                    *reply = json_reply(400, &json!({"error": {"code": 400, "message": "no offset"}}));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/formats/timestamps-in-utc",
            "shows a scan's end in another zone",
            json_of(SCANS, each_of("scans", ends_with_offset("+01:00"))),
        ),
    ]
}

fn ends_with_offset(offset: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |scan| {
        if let Some(time) = scan["end_date"].as_str() {
            scan["end_date"] = json!(time.replace("+00:00", offset));
        }
    }
}
