//! Saboteurs of getting, adding, updating and removing policies.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{body_of, edit_body, edit_json, is, is_any, json_of, json_reply, reply_to};
use super::super::steps::{another, ask, each, fields, refuses, renames};
use crate::saboteurs::data_theorem::rows::without;
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const ADD: &[&str] = &["addProjectPolicy"];
const UPDATE: &[&str] = &["updateProjectPolicy"];
const REMOVE: &[&str] = &["removeProjectPolicies"];

#[expect(clippy::too_many_lines, reason = "a table, one entry per check")]
pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/policies/get",
            "answers a product's policies under another name",
            renames(&["getProductPolicies"], "policies", "productPolicies"),
        )
        .also(&[("mend/overview/policies-of-every-scope", "it reads the policies of a product, too")]),
        Saboteur::new(
            "mend/policies/inherited",
            "never answers what a project inherits",
            body_of(&["getProjectPolicies"], |body| {
                if body["aggregatePolicies"] == true {
                    body["aggregatePolicies"] = json!(false);
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/context",
            "shows the context of an organization for a product's policies",
            each(&["getProductPolicies"], "policies", |row| {
                if row["policyContext"] == "PRODUCT" {
                    row["policyContext"] = json!("DOMAIN");
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/add",
            "acknowledges a product's policy and loses it",
            Arc::new(|request, healthy| {
                let reply = healthy.send(request.clone())?;
                if is(&request, "addProductPolicy") {
                    let id = reply.json().unwrap_or_default()["id"].clone();
                    healthy.send(another(&request, "removeProductPolicies", &json!({"policyIds": [id]})))?;
                }
                Ok(reply)
            }),
        )
        .also(&[("mend/overview/policies-of-every-scope", "it adds a policy to a product, too")]),
        Saboteur::new(
            "mend/policies/add-required",
            "makes up a name for a policy that has none",
            body_of(ADD, |body| {
                if body["policy"].is_object() && body["policy"].get("name").is_none() {
                    body["policy"]["name"] = json!("Policy");
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/add-answer",
            "answers an added policy without its id",
            json_of(ADD, without("id")),
        ),
        Saboteur::new(
            "mend/policies/owner",
            "does not know owners by name",
            refuses(ADD, |fields| {
                let owner = &fields["policy"]["owner"];
                owner.get("name").is_some() && owner.get("id").is_none()
            }),
        ),
        Saboteur::new(
            "mend/policies/action-is-an-object",
            "takes an action that is a text",
            body_of(ADD, |body| {
                if body["policy"]["action"].is_string() {
                    body["policy"]["action"] = json!({"type": body["policy"]["action"]});
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/severity-filter",
            "shows the severity HIGH of a filter in small letters",
            each(&["getProjectPolicies"], "policies", |row| {
                if row["filter"]["vulnerabilitySeverity"] == "HIGH" {
                    row["filter"]["vulnerabilitySeverity"] = json!("high");
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/update-by-id",
            "acknowledges an update that names no policy",
            reply_to(UPDATE, |request, reply| {
                let policy = &fields(request)["policy"];
                if policy.get("id").is_none() {
                    *reply = json_reply(200, policy);
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/update-changes-what-is-given",
            "puts a policy in force whenever it is changed",
            body_of(UPDATE, |body| {
                if body["policy"].is_object() && body["policy"].get("enabled").is_none() {
                    body["policy"]["enabled"] = json!(true);
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/update-answer",
            "answers an updated policy as it was before",
            Arc::new(answer_as_before),
        ),
        Saboteur::new(
            "mend/policies/remove-by-ids",
            "removes only the first of several policies",
            Arc::new(|mut request, healthy| {
                let count = fields(&request)["policyIds"].as_array().map_or(0, Vec::len);
                let is_several = is_any(&request, REMOVE) && count > 1;
                if is_several {
                    edit_body(&mut request, |body| {
                        body["policyIds"].as_array_mut().into_iter().for_each(|ids| ids.truncate(1));
                    });
                }
                let mut reply = healthy.send(request)?;
                if is_several {
                    edit_json(&mut reply, |json| json["removedPolicies"] = json!(count));
                }
                Ok(reply)
            }),
        ),
        Saboteur::new(
            "mend/policies/remove-answer",
            "counts a removed policy too many",
            json_of(REMOVE, |json| {
                if let Some(count) = json["removedPolicies"].as_i64() {
                    json["removedPolicies"] = json!(count + 1);
                }
            }),
        ),
        Saboteur::new(
            "mend/policies/issue-settings",
            "loses the issue tracker settings of an added policy",
            body_of(ADD, |body| {
                if let Some(action) = body.pointer_mut("/policy/action") {
                    without("issueSettings")(action);
                }
            }),
        )
        .also(&[("mend/overview/create-issue-policy-opens-issues", "the policy it adds opens nothing then")]),
        Saboteur::new(
            "mend/policies/inclusive",
            "matches by one of a library's licences even if all of them have to match",
            Arc::new(|mut request, healthy| {
                let is_inclusive =
                    is_any(&request, UPDATE) && fields(&request)["policy"]["inclusive"] == true;
                if is_inclusive {
                    edit_body(&mut request, |body| body["policy"]["inclusive"] = json!(false));
                }
                let mut reply = healthy.send(request)?;
                if is_inclusive {
                    edit_json(&mut reply, |json| json["inclusive"] = json!(true));
                }
                Ok(reply)
            }),
        ),
    ]
}

fn answer_as_before(request: Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    if !is_any(&request, UPDATE) {
        return healthy.send(request);
    }
    let before = ask(&request, healthy, "getProjectPolicies", &json!({"aggregatePolicies": false}))?;
    let id = fields(&request)["policy"]["id"].clone();
    let policies = before["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let before: Option<&Value> = policies.iter().find(|policy| policy["id"] == id);
    let mut reply = healthy.send(request)?;
    if let Some(before) = before {
        reply.body = Bytes::from(before.to_string());
    }
    Ok(reply)
}
