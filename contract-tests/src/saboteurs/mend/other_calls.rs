//! Saboteurs of the page's other calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::Saboteur;
use super::super::layers::{Layer, body_of, edit_json, is, json_of, json_reply, reply_to};
use super::answers::{does_without, list, pretends, remove, rename, rows};

const MODIFIED: &[&str] = &["getOrganizationLastModifiedProjects"];
const LIBRARIES: &[&str] = &["getProjectLibrariesInfo"];
const TOKEN: &[&str] = &["getIntegrationActivationToken"];
const MATCHES: &[&str] = &["getPolicyMatchesConfiguration"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [modified_projects(), libraries_info(), activation_token(), policy_matches()]
        .into_iter()
        .flatten()
        .collect()
}

/// Changes every modified project that is listed.
fn modified(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Layer {
    json_of(MODIFIED, move |json| rows(json, "lastModifiedProjects").for_each(&edit))
}

/// Changes a text of the question about modified projects, if it is there.
fn bound(name: &'static str, edit: impl Fn(&str) -> String + Send + Sync + 'static) -> Layer {
    body_of(MODIFIED, move |body| {
        if let Some(value) = body.get_mut(name)
            && let Some(text) = value.as_str()
        {
            *value = Value::from(edit(text));
        }
    })
}

fn modified_projects() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/modified-projects/modified-project-is-listed",
            "leaves out a project that changed after a day of quiet",
            leaves_out_the_newest(),
        ),
        Saboteur::new(
            "mend/modified-projects/several-types-in-one-call",
            "looks at the first of several types only",
            body_of(MODIFIED, |body| {
                if let Some(types) = list(body, "modificationTypes").filter(|types| types.len() == 2) {
                    types.truncate(1);
                }
            }),
        ),
        Saboteur::new(
            "mend/modified-projects/org-token",
            "answers nothing where no organization is named",
            does_without(MODIFIED[0], "orgToken", json!({"lastModifiedProjects": []})),
        ),
        Saboteur::new(
            "mend/modified-projects/types-limit",
            "answers every type to the question for source files",
            body_of(MODIFIED, |body| {
                if body["modificationTypes"] == json!(["SOURCE_FILE_MATCH"]) {
                    remove(body, "modificationTypes");
                }
            }),
        ),
        Saboteur::new(
            "mend/modified-projects/without-types-every-type",
            "means inventories where no type is named",
            without_types_inventories(),
        )
        .also(&[(
            "mend/modified-projects/modified-project-is-listed",
            "it asks for every type, and a scan is none",
        )]),
        Saboteur::new(
            "mend/modified-projects/from-leaves-out-earlier",
            "takes no notice of a range's start at midnight",
            body_of(MODIFIED, |body| {
                if body["fromDateTime"].as_str().is_some_and(|text| text.ends_with("00:00:00")) {
                    remove(body, "fromDateTime");
                }
            }),
        ),
        Saboteur::new(
            "mend/modified-projects/to-leaves-out-later",
            "takes no notice of a range's end in a day's last second",
            body_of(MODIFIED, |body| {
                if body["toDateTime"].as_str().is_some_and(|text| text.ends_with("23:59:59")) {
                    remove(body, "toDateTime");
                }
            }),
        ),
        Saboteur::new(
            "mend/modified-projects/bounds-are-seconds",
            "reads only the hour of a range's start",
            bound("fromDateTime", |text| format!("{}:00:00", text.get(..13).unwrap_or(text))),
        ),
        Saboteur::new(
            "mend/modified-projects/request-token",
            "gives no token of the request",
            json_of(MODIFIED, |json| remove(json, "requestToken")),
        ),
        Saboteur::new(
            "mend/modified-projects/row-fields",
            "leaves out which type of modification it was, where that was a comment",
            modified(|row| {
                if row["modificationType"] == "SCAN_COMMENT" {
                    remove(row, "modificationType");
                }
            }),
        ),
        Saboteur::new(
            "mend/modified-projects/request-token-key",
            "calls the token of the request `token`",
            json_of(MODIFIED, |json| rename(json, "requestToken", "token")),
        ),
        Saboteur::new(
            "mend/modified-projects/old-project-has-its-uuid-as-token",
            "shows an old project's uuid without hyphens",
            modified(|row| {
                if row["apiToken"] == row["uuid"]
                    && let Some(text) = row["uuid"].as_str().map(|text| text.replace('-', ""))
                {
                    row["apiToken"] = Value::from(text);
                }
            }),
        ),
    ]
}

/// Leaves out the project that changed last, where the one before it changed on another day.
fn leaves_out_the_newest() -> Layer {
    reply_to(MODIFIED, |request, reply| {
        let names = ["modificationTypes", "fromDateTime", "toDateTime"];
        let body = request.body_json().unwrap_or_default();
        if names.iter().any(|name| body.get(name).is_some()) {
            return;
        }
        edit_json(reply, |json| {
            let Some(rows) = list(json, "lastModifiedProjects") else { return };
            let day =
                |row: &Value| row["lastModified"].as_str().and_then(|text| text.get(..10)).map(str::to_owned);
            let newest = rows.iter().filter_map(day).max();
            let of_day = rows.iter().filter(|row| day(row) == newest);
            let projects: BTreeSet<String> = of_day.map(|row| row["apiToken"].to_string()).collect();
            if projects.len() == 1 {
                rows.retain(|row| day(row) != newest);
            }
        });
    })
}

fn without_types_inventories() -> Layer {
    body_of(MODIFIED, |body| {
        if body.is_object() && body.get("modificationTypes").is_none() && body.get("fromDateTime").is_none() {
            body["modificationTypes"] = json!(["INVENTORY"]);
        }
    })
}

fn libraries_info() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/libraries-info/named-libraries-only",
            "leaves out the last of several libraries",
            json_of(LIBRARIES, |json| {
                if let Some(libraries) = list(json, "libraries").filter(|libraries| libraries.len() > 1) {
                    libraries.pop();
                }
            }),
        ),
        Saboteur::new(
            "mend/libraries-info/gone-library-left-out",
            "answers a library that is gone beside one that is there",
            answers_every_library(),
        ),
        Saboteur::new(
            "mend/libraries-info/project-token",
            "answers nothing where no project is named",
            does_without(LIBRARIES[0], "projectToken", json!({"libraries": []})),
        ),
        Saboteur::new(
            "mend/libraries-info/key-uuids-required",
            "answers nothing where no libraries are named",
            does_without(LIBRARIES[0], "keyUuids", json!({"libraries": []})),
        ),
        Saboteur::new(
            "mend/libraries-info/library-fields",
            "leaves out the digest of a library",
            json_of(LIBRARIES, |json| rows(json, "libraries").for_each(|library| remove(library, "sha1"))),
        ),
    ]
}

fn answers_every_library() -> Layer {
    reply_to(LIBRARIES, |request, reply| {
        let body = request.body_json().unwrap_or_default();
        let asked = body["keyUuids"].as_array().cloned().unwrap_or_default();
        edit_json(reply, |json| {
            let Some(libraries) = list(json, "libraries") else { return };
            let Some(one) = libraries.first().cloned() else { return };
            for key_uuid in asked.iter().filter(|key_uuid| key_uuid.is_string()) {
                if !libraries.iter().any(|library| library["keyUuid"] == *key_uuid) {
                    let mut gone = one.clone();
                    gone["keyUuid"] = key_uuid.clone();
                    libraries.push(gone);
                }
            }
        });
    })
}

fn activation_token() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/activation-token/token-makes-calls",
            "hands out a token that is nobody's",
            json_of(TOKEN, |json| {
                if json["activationToken"].is_string() {
                    json["activationToken"] = Value::from("AAAAAAAAA");
                }
            }),
        ),
        Saboteur::new(
            "mend/activation-token/service-user-of-its-own",
            "hands out the key of the user who asks",
            pretends(
                TOKEN[0],
                |_, body| {
                    let known = ["issueTrackerIntegration", "azureDevOps"].map(Value::from);
                    body.get("orgToken").is_some() && known.contains(&body["integrationType"])
                },
                |body| json!({"activationToken": body["userKey"]}),
            ),
        ),
        Saboteur::new(
            "mend/activation-token/org-token-required",
            "hands out a token for no organization",
            does_without(TOKEN[0], "orgToken", json!({"activationToken": "AAAAAAAAA"})),
        ),
        Saboteur::new(
            "mend/activation-token/integration-type",
            "hands out a token for no type of integration",
            does_without(TOKEN[0], "integrationType", json!({"activationToken": "AAAAAAAAA"})),
        ),
        Saboteur::new(
            "mend/activation-token/token-key",
            "calls the token `token`",
            json_of(TOKEN, |json| rename(json, "activationToken", "token")),
        ),
    ]
}

fn policy_matches() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/policy-matches/every-type-is-listed",
            "leaves out matches by score",
            json_of(MATCHES, |json| {
                if let Some(matches) = list(json, "matches") {
                    matches.retain(|row| row["type"] != "VULNERABILITY_SCORE");
                }
            }),
        ),
        Saboteur::new(
            "mend/policy-matches/org-token-required",
            "answers without an organization",
            does_without(MATCHES[0], "orgToken", json!({"matches": []})),
        ),
        Saboteur::new(
            "mend/policy-matches/existing-organizations-only",
            "answers about an organization whose token is all zeros",
            pretends(
                MATCHES[0],
                |_, body| body["orgToken"].as_str().is_some_and(is_zeros),
                |_| json!({"matches": []}),
            ),
        ),
        Saboteur::new(
            "mend/policy-matches/members-only",
            "answers everybody about an organization that may exist",
            answers_strangers(),
        ),
        Saboteur::new(
            "mend/policy-matches/match-fields",
            "leaves out the descriptions",
            json_of(MATCHES, |json| rows(json, "matches").for_each(|row| remove(row, "description"))),
        ),
    ]
}

fn is_zeros(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte == b'0')
}

fn answers_strangers() -> Layer {
    Arc::new(|request, healthy| {
        let reply = healthy.send(request.clone())?;
        let body = request.body_json().unwrap_or_default();
        let may_exist = body["orgToken"].as_str().is_some_and(|token| token.len() == 64 && !is_zeros(token));
        let is_refused = reply.json().is_some_and(|json| json["errorCode"] == 5001);
        if is(&request, MATCHES[0]) && is_refused && may_exist && body.get("userKey").is_some() {
            let one =
                json!({"type": "LICENSE", "name": "License Group", "description": "Match By License Group"});
            return Ok(json_reply(200, &json!({"matches": [one]})));
        }
        Ok(reply)
    })
}
