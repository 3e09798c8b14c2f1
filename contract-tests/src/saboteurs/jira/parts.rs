//! Saboteurs of what hangs on an issue: comments, entity properties, remote links.

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{body_of, edit_query, json_of, json_reply, reply_to, request_of};
use super::{last_part, pretends, turns};

const ADD_COMMENT: &[&str] = &["POST issue/:id/comment"];
const COMMENT: &[&str] = &["GET issue/:id/comment/:id"];
const PUT_COMMENT: &[&str] = &["PUT issue/:id/comment/:id"];
const PROPERTY: &[&str] = &["GET issue/:id/properties/:id"];
const PUT_PROPERTY: &[&str] = &["PUT issue/:id/properties/:id"];
const ADD_LINK: &[&str] = &["POST issue/:id/remotelink"];
const LINK: &[&str] = &["GET issue/:id/remotelink/:id"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    let mut all = of_comments();
    all.extend(of_properties());
    all.extend(of_links());
    all
}

fn of_comments() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/comments/ordered-by-their-date-alone",
            "ignores an order that it does not know",
            request_of(&["GET issue/:id/comment"], |request| {
                edit_query(request, |all| {
                    all.retain(|(name, value)| name != "orderBy" || value.ends_with("created"));
                });
            }),
        ),
        Saboteur::new("jira/comments/add-201", "answers 200 for a new comment", turns(ADD_COMMENT, 201, 200)),
        Saboteur::new(
            "jira/comments/add-invalid-400",
            "takes a comment without a body for one that says nothing",
            body_of(ADD_COMMENT, |body| {
                if body.get("body").is_none() {
                    let nothing = json!({"type": "paragraph", "content": [{"type": "text", "text": "-"}]});
                    body["body"] = json!({"type": "doc", "version": 1, "content": [nothing]});
                }
            }),
        ),
        Saboteur::new(
            "jira/comments/add-beyond-the-most-413",
            "answers 400 to a comment beyond the most",
            turns(ADD_COMMENT, 413, 400),
        ),
        Saboteur::new(
            "jira/comments/unknown-404",
            "answers 400 for a comment that does not exist",
            turns(COMMENT, 404, 400),
        ),
        Saboteur::new(
            "jira/comments/update-200",
            "shows the number of a changed comment alone",
            json_of(PUT_COMMENT, |json| *json = json!({"id": json["id"]})),
        ),
    ]
}

fn of_properties() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/properties/made-with-201-replaced-with-200",
            "answers 201 for every property",
            turns(PUT_PROPERTY, 200, 201),
        ),
        Saboteur::new(
            "jira/properties/key-of-255-at-most",
            "cuts the key of a property that is too long",
            request_of(PUT_PROPERTY, |request| {
                let key = last_part(request);
                if key.len() > 255 {
                    request.url = request.url.replace(&key, &key[..255]);
                }
            }),
        ),
        Saboteur::new(
            "jira/properties/value-of-32768-at-most",
            "takes a value of any length",
            pretends(PUT_PROPERTY, |request| request.body.len() > 32_768, |_| json_reply(201, &json!({}))),
        ),
        Saboteur::new(
            "jira/properties/unknown-404",
            "shows null for a property that does not exist",
            reply_to(PROPERTY, |request, reply| {
                if reply.status == 404 {
                    *reply = json_reply(200, &json!({"key": last_part(request), "value": null}));
                }
            }),
        ),
    ]
}

fn of_links() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/remote-links/upsert-by-global-id",
            "makes another link for every request",
            body_of(ADD_LINK, |body| {
                let title = body["object"]["title"].as_str().unwrap_or_default().to_owned();
                if let Some(global_id) = body.get_mut("globalId") {
                    *global_id = json!(format!("{}-{title}", global_id.as_str().unwrap_or_default()));
                }
            }),
        )
        .also(&[(
            "jira/remote-links/replaced-link-loses-the-rest",
            "a link that is not replaced loses nothing",
        )]),
        Saboteur::new(
            "jira/remote-links/replaced-link-loses-the-rest",
            "keeps how a replaced link relates to its issue",
            json_of(LINK, |json| {
                if json.get("relationship").is_none_or(Value::is_null) && json["object"]["title"] == "Bare" {
                    json["relationship"] = json!("causes");
                }
            }),
        ),
        Saboteur::new(
            "jira/remote-links/add-invalid-400",
            "takes the url of a link for its title where it has none",
            body_of(ADD_LINK, |body| {
                if body["object"].get("title").is_none() && body["object"]["url"].is_string() {
                    body["object"]["title"] = body["object"]["url"].clone();
                }
            }),
        ),
        Saboteur::new(
            "jira/remote-links/unknown-404",
            "answers 410 for a remote link that does not exist",
            turns(LINK, 404, 410),
        ),
        Saboteur::new(
            "jira/remote-links/of-another-issue-400",
            "answers 404 for a link of another issue",
            turns(LINK, 400, 404),
        ),
        Saboteur::new(
            "jira/remote-links/delete-of-none-in-particular-400",
            "answers 404 to a deletion of no link in particular",
            turns(&["DELETE issue/:id/remotelink"], 400, 404),
        ),
        Saboteur::new(
            "jira/remote-links/add-beyond-the-most-413",
            "answers 403 to a remote link beyond the most",
            turns(ADD_LINK, 413, 403),
        ),
    ]
}
