//! Saboteurs of products, projects, libraries and tags.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{is, json_of, json_reply};
use super::super::steps::{another, answers_refused, ask, each, fields};
use crate::saboteurs::data_theorem::rows::{with, without};
use crate::target::exchange::{NoAnswer, Reply, Request};
use crate::target::transport::Transport;

const PROJECT_VITALS: &[&str] =
    &["getOrganizationProjectVitals", "getProductProjectVitals", "getProjectVitals"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [lists(), contents(), changes()].into_iter().flatten().collect()
}

fn lists() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/projects/products-list",
            "shows `productId` as a text",
            each(&["getAllProducts"], "products", |row| {
                if let Some(id) = row["productId"].as_i64() {
                    row["productId"] = json!(id.to_string());
                }
            }),
        ),
        Saboteur::new(
            "mend/projects/projects-list",
            "leaves the names of listed projects out",
            each(&["getAllProjects"], "projects", without("projectName")),
        ),
        Saboteur::new(
            "mend/projects/lists-say-success",
            "has another message beside the projects",
            json_of(&["getAllProjects"], with("message", json!("OK"))),
        ),
        Saboteur::new(
            "mend/projects/vitals-of-products",
            "leaves `lastUpdatedDate` out of a product's vitals",
            each(&["getOrganizationProductVitals"], "productVitals", without("lastUpdatedDate")),
        ),
        Saboteur::new(
            "mend/projects/vitals-of-projects",
            "leaves `pluginName` out of a project's vitals",
            each(PROJECT_VITALS, "projectVitals", without("pluginName")),
        ),
        Saboteur::new(
            "mend/projects/organization-details",
            "counts a project too many",
            json_of(&["getOrganizationDetails"], |json| {
                if let Some(count) = json["numberOfProjects"].as_i64() {
                    json["numberOfProjects"] = json!(count + 1);
                }
            }),
        ),
        Saboteur::new(
            "mend/projects/vitals-are-the-same-in-every-scope",
            "has other numbers for projects in the vitals of a product",
            each(&["getProductProjectVitals"], "projectVitals", |row| {
                if let Some(id) = row["id"].as_i64() {
                    row["id"] = json!(id + 1);
                }
            }),
        ),
        Saboteur::new(
            "mend/projects/vitals-need-their-kind-of-token",
            "answers the vitals of no project to a token of another kind",
            answers_refused(&["getProjectVitals"], json!({"projectVitals": []}), |fields| {
                fields["projectToken"].is_string()
            }),
        ),
    ]
}

fn contents() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/projects/licenses",
            "lists libraries without their licences",
            each(&["getProjectLicenses"], "libraries", without("licenses")),
        ),
        Saboteur::new(
            "mend/projects/locations",
            "leaves out where the last library lies",
            json_of(&["getProjectLibraryLocations"], |json| {
                json.get_mut("libraryLocations").and_then(Value::as_array_mut).and_then(Vec::pop);
            }),
        ),
        Saboteur::new(
            "mend/projects/dependencies",
            "says of no library that it brings another one along",
            json_of(&["getProjectLibraryDependencies"], with("dependencies", json!([]))),
        ),
        Saboteur::new(
            "mend/projects/hierarchy",
            "shows only the uppermost libraries",
            each(&["getProjectHierarchy"], "libraries", without("dependencies")),
        ),
        Saboteur::new(
            "mend/projects/last-modification",
            "leaves the token of the last scan out",
            each(&["getProjectLastModification"], "projectLastModifications", with("extraData", json!({}))),
        ),
        Saboteur::new(
            "mend/projects/request-state",
            "says FINISHED of a scan that runs",
            state_becomes("IN_PROGRESS", "FINISHED"),
        ),
        Saboteur::new(
            "mend/projects/request-states",
            "says COMPLETED of a scan that is over",
            state_becomes("FINISHED", "COMPLETED"),
        ),
    ]
}

fn changes() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/projects/tags-of-the-organization",
            "leaves the names of projects out of the list of tags",
            each(&["getOrganizationProjectTags"], "projectTags", without("name")),
        ),
        Saboteur::new(
            "mend/projects/tag-is-added",
            "acknowledges the second value of a tag and loses it",
            Arc::new(|request, healthy| {
                if is(&request, "saveProjectTag") && !values(&request, healthy)?.is_empty() {
                    return Ok(json_reply(200, &json!({"message": "Successfully saved project tag"})));
                }
                healthy.send(request)
            }),
        ),
        Saboteur::new(
            "mend/projects/tag-is-taken-away",
            "takes all values of a tag away at once",
            Arc::new(take_all),
        ),
    ]
}

fn state_becomes(from: &'static str, to: &'static str) -> super::super::super::layers::Layer {
    json_of(&["getRequestState"], move |json| {
        if json["requestState"] == from {
            json["requestState"] = json!(to);
        }
    })
}

/// The values of the tag that a request is about.
fn values(request: &Request, healthy: &dyn Transport) -> Result<Vec<Value>, NoAnswer> {
    let mut tags = ask(request, healthy, "getProjectTags", &json!({}))?;
    let key = fields(request)["tagKey"].as_str().unwrap_or_default().to_owned();
    let values = tags.pointer_mut("/projectTags/0/tags").and_then(|tags| tags.get_mut(&key));
    Ok(values.and_then(|values| values.as_array().cloned()).unwrap_or_default())
}

fn take_all(request: Request, healthy: &dyn Transport) -> Result<Reply, NoAnswer> {
    if is(&request, "removeProjectTag") {
        let all = values(&request, healthy)?;
        if all.contains(&fields(&request)["tagValue"]) {
            for value in all {
                healthy.send(another(&request, "removeProjectTag", &json!({"tagValue": value})))?;
            }
        }
    }
    healthy.send(request)
}
