//! Saboteurs of what keys may see.

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{becomes, json_reply, reply_to, request_of};
use super::APPS;
use crate::target::exchange::Request;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/auth/key-required",
            "answers an empty list of findings without a key",
            reply_to(&["GET security_findings"], |request, reply| {
                if reply.status == 401 && authorization(request).is_none() {
                    *reply = json_reply(200, &empty_list("security_findings"));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/auth/scheme-before-the-key",
            "takes a key without a scheme",
            request_of(APPS, |request| {
                let bare = authorization(request).filter(|header| !header.contains(' ')).map(str::to_owned);
                if let Some(key) = bare {
                    *request = request.clone().header("authorization", &format!("APIKey {key}"));
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/auth/key-with-slash-and-equals-sign",
            "loses the end of a key that sees one app only",
            reply_to(APPS, |request, reply| {
                let rows = reply.json().map(|json| json["mobile_apps"].as_array().map_or(0, Vec::len));
                if rows == Some(1) && !request.url.contains('?') {
                    becomes(reply, 401);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/auth/scheme-in-any-case",
            "does not know the scheme in capitals",
            reply_to(APPS, |request, reply| {
                if authorization(request).is_some_and(|header| header.starts_with("APIKEY ")) {
                    becomes(reply, 401);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/auth/app-of-no-access-refused",
            "answers an empty list of targets for an app of no access",
            reply_to(&["GET security_finding_targets"], |_, reply| {
                if reply.status == 403 {
                    *reply = json_reply(200, &empty_list("security_finding_targets"));
                }
            }),
        ),
    ]
}

fn authorization(request: &Request) -> Option<&str> {
    request.headers.get("authorization")?.to_str().ok()
}

fn empty_list(name: &str) -> Value {
    json!({name: [], "pagination_information": {"total_count": "0"}})
}
