//! Projects as the vendor writes them: in lists, with their vitals, tags and scans.
//!
//! Lists and vitals follow captured answers; `productName` and `lastScanComment` of vitals are what clients read.
//! Of `projectLastModifications` a client shows the key and `extraData.requestToken`; that a row also has
//! `modificationType` and `lastModified`, as in the list of modified projects, is our assumption.

use std::collections::BTreeMap;

use fixtures::world::mend::{ModificationType, ProjectSpec, RequestState};
use jiff::Timestamp;
use serde::Serialize;

use super::dates;
use crate::vendors::mend::readings::{Readings, TagValues};
use crate::vendors::mend::store::Project;

/// The projects of a product.
#[derive(Debug, Serialize)]
pub struct Projects<'a> {
    /// All of them.
    pub projects: Vec<ListedProject<'a>>,
    /// `Success`.
    pub message: &'static str,
}

/// A project in a list.
#[derive(Debug, Serialize)]
pub struct ListedProject<'a> {
    #[serde(rename = "projectId")]
    id: u64,
    #[serde(rename = "projectName")]
    name: &'a str,
    #[serde(rename = "projectToken")]
    token: &'a str,
}

/// A project as an element of a list.
pub fn listed(spec: &ProjectSpec) -> ListedProject<'_> {
    ListedProject { id: spec.id, name: &spec.name, token: spec.token() }
}

/// The vitals of projects.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectVitals<'a> {
    /// One for each project.
    pub project_vitals: Vec<Vitals<'a>>,
}

/// The vitals of a project.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vitals<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_token: Option<&'a str>,
    id: u64,
    name: &'a str,
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_name: Option<&'a str>,
    creation_date: String,
    last_updated_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_scan_comment: Option<&'a str>,
}

/// The vitals of a project of this product.
pub fn vitals<'a>(project: &'a Project, product_name: Option<&'a str>, readings: &Readings) -> Vitals<'a> {
    let spec = &project.spec;
    Vitals {
        plugin_name: spec.plugin_name.as_deref(),
        uploaded_by: spec.uploaded_by.as_deref(),
        request_token: spec.request_token.as_deref(),
        id: spec.id,
        name: &spec.name,
        token: spec.token(),
        product_name,
        creation_date: dates::vitals(spec.creation_date, readings),
        last_updated_date: dates::vitals(spec.last_updated_date, readings),
        last_scan_comment: spec.last_scan_comment.as_deref(),
    }
}

/// The tags of projects.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectTags<'a> {
    /// One for each project.
    pub project_tags: Vec<TaggedProject<'a>>,
}

/// A project with its tags.
#[derive(Debug, Serialize)]
pub struct TaggedProject<'a> {
    name: &'a str,
    token: &'a str,
    tags: BTreeMap<&'a str, Values<'a>>,
}

/// The values of a tag, or the one saved last.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Values<'a> {
    List(&'a [String]),
    Last(&'a str),
}

/// The tags of a project.
pub fn tags<'a>(project: &'a Project, readings: &Readings) -> TaggedProject<'a> {
    let values = |values: &'a Vec<String>| match readings.tag_values {
        TagValues::List => Some(Values::List(values)),
        TagValues::Scalar => values.last().map(|last| Values::Last(last)),
    };
    let tags = project.spec.tags.iter().filter_map(|(key, of_key)| Some((key.as_str(), values(of_key)?)));
    TaggedProject { name: &project.spec.name, token: project.token(), tags: tags.collect() }
}

/// When a project was last modified.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastModifications<'a> {
    /// One for each kind of modification.
    pub project_last_modifications: Vec<LastModification<'a>>,
}

/// The last modification of one kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastModification<'a> {
    modification_type: ModificationType,
    last_modified: String,
    extra_data: ExtraData<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtraData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_token: Option<&'a str>,
}

/// The last modification of one kind. The token of the last scan stands in all of them: clients look for it in the
/// first, whatever that is about.
pub fn last_modification<'a>(
    project: &'a Project,
    kind: ModificationType,
    instant: Timestamp,
    readings: &Readings,
) -> LastModification<'a> {
    LastModification {
        modification_type: kind,
        last_modified: dates::second(instant, readings),
        extra_data: ExtraData { request_token: project.spec.request_token.as_deref() },
    }
}

/// How far the work behind a request token has got.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// How far.
    pub request_state: RequestState,
}
