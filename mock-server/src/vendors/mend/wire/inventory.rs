//! Libraries as the vendor writes them, alone and as part of a project.
//!
//! [`library`] is the object of the issue-tracker pages, and [`in_hierarchy`] follows a captured answer of
//! `getProjectHierarchy`. The libraries of `getProjectLicenses`, `getProjectLibraryLocations` and
//! `getProjectLibraryDependencies` have the keys of captured answers, most of them of an older version, and those
//! that clients read; their order is our assumption. Deliberately absent: `profileInfo` of a licence and
//! `references` of a library, of which the world knows nothing.

use fixtures::world::mend::{InventorySpec, LibrarySpec, LicenseSpec};
use serde::Serialize;

use crate::vendors::mend::store::{Project, Store};

/// A library in the form of the issue-tracker pages.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Library<'a> {
    key_uuid: &'a str,
    key_id: u64,
    filename: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    coordinates: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_paths: Option<&'a [String]>,
    sha1: &'a str,
    name: &'a str,
    artifact_id: &'a str,
    version: &'a str,
    group_id: &'a str,
    architecture: &'a str,
    language_version: &'a str,
}

/// A library. As part of a project it also says where it lies, and where to look at it.
pub fn library<'a>(spec: &'a LibrarySpec, of_project: Option<(&Project, &'a InventorySpec)>) -> Library<'a> {
    Library {
        key_uuid: &spec.key_uuid,
        key_id: spec.key_id,
        filename: &spec.filename,
        kind: spec.kind.as_str(),
        url: of_project.map(|(project, _)| {
            format!("https://saas.example/Wss/WSS.html#!l;project={};uuid={}", project.spec.id, spec.key_uuid)
        }),
        coordinates: &spec.coordinates,
        local_paths: of_project.map(|(_, used)| used.local_paths.as_slice()),
        sha1: &spec.sha1,
        name: &spec.name,
        artifact_id: &spec.artifact_id,
        version: &spec.version,
        group_id: &spec.group_id,
        architecture: &spec.architecture,
        language_version: &spec.language_version,
    }
}

/// A library with what it brings along.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node<'a> {
    key_uuid: &'a str,
    key_id: u64,
    filename: &'a str,
    name: &'a str,
    group_id: &'a str,
    artifact_id: &'a str,
    version: &'a str,
    sha1: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    coordinates: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<Node<'a>>,
}

/// A library as an element of a hierarchy.
pub fn in_hierarchy<'a>(spec: &'a LibrarySpec, dependencies: Vec<Node<'a>>) -> Node<'a> {
    Node {
        key_uuid: &spec.key_uuid,
        key_id: spec.key_id,
        filename: &spec.filename,
        name: &spec.name,
        group_id: &spec.group_id,
        artifact_id: &spec.artifact_id,
        version: &spec.version,
        sha1: &spec.sha1,
        kind: spec.kind.as_str(),
        coordinates: &spec.coordinates,
        dependencies,
    }
}

/// A library that another one brings along. Captured answers have everything but `fileName`, which the vendor's
/// tracker client reads; that `scope` and `classifier` are always the same, and what `extension` is, is our
/// assumption.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency<'a> {
    key_uuid: &'a str,
    file_name: &'a str,
    name: &'a str,
    group_id: &'a str,
    artifact_id: &'a str,
    version: &'a str,
    classifier: &'static str,
    scope: &'static str,
    extension: &'a str,
    sha1: &'a str,
    dependencies: Vec<Dependency<'a>>,
    licenses: Vec<License<'a>>,
}

/// A library that another one brings along, with what it brings along itself.
pub fn dependency<'a>(
    spec: &'a LibrarySpec,
    dependencies: Vec<Dependency<'a>>,
    store: &'a Store,
) -> Dependency<'a> {
    Dependency {
        key_uuid: &spec.key_uuid,
        file_name: &spec.filename,
        name: &spec.name,
        group_id: &spec.group_id,
        artifact_id: &spec.artifact_id,
        version: &spec.version,
        classifier: "",
        scope: "COMPILE",
        extension: spec.filename.rsplit_once('.').map_or("", |(_, extension)| extension),
        sha1: &spec.sha1,
        dependencies,
        licenses: licenses(spec, store),
    }
}

/// A library as alerts and the list of licences describe it. Its `type` is a name for readers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedLibrary<'a> {
    key_uuid: &'a str,
    key_id: u64,
    filename: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    sha1: &'a str,
    name: &'a str,
    artifact_id: &'a str,
    version: &'a str,
    group_id: &'a str,
    licenses: Vec<License<'a>>,
}

/// A library with its licences.
pub fn described<'a>(spec: &'a LibrarySpec, store: &'a Store) -> DescribedLibrary<'a> {
    DescribedLibrary {
        key_uuid: &spec.key_uuid,
        key_id: spec.key_id,
        filename: &spec.filename,
        kind: spec.kind.display_name(),
        description: &spec.description,
        sha1: &spec.sha1,
        name: &spec.name,
        artifact_id: &spec.artifact_id,
        version: &spec.version,
        group_id: &spec.group_id,
        licenses: licenses(spec, store),
    }
}

/// A library in the list of licences.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LicensedLibrary<'a> {
    #[serde(flatten)]
    library: DescribedLibrary<'a>,
    direct_dependency: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    projects: Option<[Occurrence<'a>; 1]>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Occurrence<'a> {
    project_name: &'a str,
    project_token: &'a str,
}

/// A library of a project with its licences, and with the project if that is wanted.
pub fn licensed<'a>(
    spec: &'a LibrarySpec,
    used: &InventorySpec,
    occurrence: Option<&'a Project>,
    store: &'a Store,
) -> LicensedLibrary<'a> {
    LicensedLibrary {
        library: described(spec, store),
        direct_dependency: used.is_direct,
        projects: occurrence
            .map(|project| [Occurrence { project_name: &project.spec.name, project_token: project.token() }]),
    }
}

/// A library with the places where it lies. Its `name` is that of its file, as in captured answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocatedLibrary<'a> {
    key_uuid: &'a str,
    key_id: u64,
    name: &'a str,
    filename: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    sha1: &'a str,
    artifact_id: &'a str,
    version: &'a str,
    group_id: &'a str,
    coordinates: &'a str,
    locations: Vec<Location<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    match_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependency_file: Option<&'a str>,
}

/// A library of a project with the places where it lies: one for each path, or one without.
pub fn located<'a>(spec: &'a LibrarySpec, used: &'a InventorySpec) -> LocatedLibrary<'a> {
    let dependency_file = used.dependency_file.as_deref();
    let location = |path| Location { match_type: "SHA1", path, dependency_file };
    let mut locations: Vec<_> = used.local_paths.iter().map(|path| location(Some(path.as_str()))).collect();
    if locations.is_empty() {
        locations.push(location(None));
    }
    LocatedLibrary {
        key_uuid: &spec.key_uuid,
        key_id: spec.key_id,
        name: &spec.filename,
        filename: &spec.filename,
        kind: spec.kind.as_str(),
        sha1: &spec.sha1,
        artifact_id: &spec.artifact_id,
        version: &spec.version,
        group_id: &spec.group_id,
        coordinates: &spec.coordinates,
        locations,
    }
}

/// A licence of a library.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct License<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    spdx_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    references: [&'a str; 0],
}

fn licenses<'a>(spec: &'a LibrarySpec, store: &'a Store) -> Vec<License<'a>> {
    let known = spec.licenses.iter().filter_map(|name| store.license(name));
    known.map(|known| license(known)).collect()
}

/// A licence of a library.
pub fn license(spec: &LicenseSpec) -> License<'_> {
    License {
        name: &spec.name,
        spdx_name: spec.spdx_name.as_deref(),
        url: spec.url.as_deref(),
        references: [],
    }
}
