//! Saboteurs of who asks, and of how a refusal looks.

use bytes::Bytes;
use http::HeaderValue;
use serde_json::json;

use super::super::Saboteur;
use super::super::layers::{edit_json, json_reply, reply_to};
use super::{login, pretends, refusal};
use crate::suite::jira::NOBODYS_TOKEN;
use crate::target::exchange::Request;

fn is_stranger(request: &Request) -> bool {
    login(request).is_some_and(|(_, token)| token == NOBODYS_TOKEN)
}

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/access/search-of-strangers-is-empty",
            "answers 401 to a search with credentials that are not valid",
            reply_to(&["GET search/jql"], |request, reply| {
                if is_stranger(request) {
                    reply.status = 401;
                }
            }),
        ),
        Saboteur::new(
            "jira/access/projects-of-strangers-are-empty",
            "refuses the list of projects to credentials that are not valid",
            pretends(&["GET project/search"], is_stranger, |_| refusal(401)),
        ),
        Saboteur::new(
            "jira/access/issue-of-strangers-404",
            "answers 401 for an issue with credentials that are not valid",
            reply_to(&["GET issue/:id"], |request, reply| {
                if is_stranger(request) {
                    reply.status = 401;
                }
            }),
        ),
        Saboteur::new(
            "jira/access/myself-of-strangers-401",
            "refuses credentials that are not valid in JSON",
            reply_to(&["GET myself"], |request, reply| {
                if is_stranger(request) {
                    reply.headers.insert("content-type", HeaderValue::from_static("application/json"));
                    reply.body = Bytes::from_static(b"{}");
                }
            }),
        ),
        Saboteur::new(
            "jira/access/failed-login-says-so",
            "says of no search that the login has failed",
            reply_to(&["GET search/jql"], |_, reply| {
                reply.headers.remove("x-seraph-loginreason");
            }),
        ),
        Saboteur::new(
            "jira/access/myself-is-the-user",
            "takes everybody for the same user",
            reply_to(&["GET myself"], |_, reply| {
                edit_json(reply, |json| {
                    json["accountId"] = json!("5b10ac8d82e05b22cc7d-sync");
                    json["emailAddress"] = json!("sync@larkfield.example");
                });
            }),
        ),
        Saboteur::new(
            "jira/access/myself-without-credentials-401",
            "knows a user called Anonymous",
            pretends(
                &["GET myself"],
                |request| login(request).is_none(),
                |_| json_reply(200, &json!({"accountId": "anonymous", "displayName": "Anonymous"})),
            ),
        ),
        Saboteur::new(
            "jira/access/refusals-say-why",
            "says why in one text instead of a list",
            reply_to(&["GET issue/:id"], |_, reply| {
                if reply.status == 404 {
                    reply.body =
                        Bytes::from_static(br#"{"errorMessages": "There is no such issue.", "errors": {}}"#);
                }
            }),
        ),
        Saboteur::new(
            "jira/access/body-that-is-not-json-400",
            "answers 422 to a body that it can't read",
            reply_to(&["POST issue"], |request, reply| {
                if request.body_json().is_none() {
                    reply.status = 422;
                }
            }),
        ),
    ]
}
