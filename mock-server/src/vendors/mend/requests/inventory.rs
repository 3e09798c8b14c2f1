//! What is in a project: its libraries, with their licences, their places and what they bring along.
#![expect(clippy::unnecessary_wraps, reason = "the table has handlers of one form")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixtures::spec::mend as ledger;
use fixtures::world::mend::{InventorySpec, LibrarySpec};
use serde::Serialize;
use serde_json::Value;

use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::{Code, Refused};
use crate::vendors::mend::rules::fields;
use crate::vendors::mend::store::{LibraryId, Project, Version};
use crate::vendors::mend::wire;
use crate::vendors::mend::wire::inventory::{
    Dependency, LicensedLibrary, LocatedLibrary, Node, dependency, in_hierarchy, licensed, located,
};

/// How deep hierarchies go; what lies deeper is left out. No real one does, and usual parsers give up at 128
/// levels.
const DEPTH: usize = 50;

#[derive(Serialize)]
struct Libraries<T> {
    libraries: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LibraryLocations<'a> {
    library_locations: Vec<LocatedLibrary<'a>>,
}

#[derive(Serialize)]
struct Dependencies<T> {
    dependencies: Vec<T>,
}

/// A library and the use a project makes of it.
type Used<'a> = (&'a Arc<LibrarySpec>, &'a Arc<InventorySpec>);

fn inventory<'a>(account: &'a Account, project: &Project, call: &Call<'_>) -> Vec<Used<'a>> {
    let mut libraries: Vec<_> = account.store.inventory(project.spec.id).collect();
    order::arrange(&mut libraries, |(library, _)| library.key_uuid.as_str(), call.readings);
    libraries
}

/// First the libraries that the project names itself, each with what it brings along; then those that nothing
/// brings along. The world has no in-house libraries, so `includeInHouseData` changes nothing.
pub(super) fn get_project_hierarchy(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let libraries = inventory(account, project, call);
    let tree = Tree::of(&libraries);
    let roots = tree.roots(&libraries);
    let known = roots.into_iter().filter_map(|root| Some((root, *tree.libraries.get(&root)?)));
    let libraries: Vec<Node<'_>> =
        known.map(|(root, library)| in_hierarchy(library, tree.below(root, &in_hierarchy))).collect();
    Ok(wire::body(&Libraries { libraries }))
}

/// The libraries of a project with their licences.
pub(super) fn get_project_licenses(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let excluded = match fields::value(call.fields, "excludeProjectOccurrences") {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(flag)) => flag == "true",
        _ => false,
    };
    let occurrence = (!excluded).then_some(&**project);
    let libraries: Vec<LicensedLibrary<'_>> = inventory(account, project, call)
        .into_iter()
        .map(|(library, used)| licensed(library, used, occurrence, &account.store))
        .collect();
    Ok(wire::body(&Libraries { libraries }))
}

/// The libraries of a project with the places where they lie.
pub(super) fn get_project_library_locations(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let libraries = inventory(account, project, call);
    let library_locations = libraries.into_iter().map(|(library, used)| located(library, used)).collect();
    Ok(wire::body(&LibraryLocations { library_locations }))
}

/// What a library of a project brings along.
///
/// Its two witnesses differ: a captured answer of an older version has the dependencies as elements of the list,
/// while the vendor's tracker client, which speaks 1.4, reads them one list deeper and breaks off otherwise. Each
/// version answers as its witness shows it.
pub(super) fn get_project_library_dependencies(
    account: &Account,
    call: &Call<'_>,
) -> Result<Vec<u8>, Refused> {
    let rule = &ledger::MEND_PROJECT_DEPENDENCIES;
    let key_uuid = fields::required_text(call.fields, "keyUuid", rule, call.readings)?;
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let libraries = inventory(account, project, call);
    let tree = Tree::of(&libraries);
    let Some(library) = account.store.library(key_uuid).filter(|library| tree.has(library.key_id)) else {
        let reason = "no library of the project has that keyUuid";
        return Err(Refused::rule(Code::InvalidLibrary, &ledger::MEND_ERROR_LIBRARY_UUID, reason));
    };
    let dependencies: Vec<Dependency<'_>> =
        tree.below(library.key_id, &|spec, below| dependency(spec, below, &account.store));
    Ok(match call.version {
        Version::V14 if !dependencies.is_empty() => {
            wire::body(&Dependencies { dependencies: vec![dependencies] })
        }
        _ => wire::body(&Dependencies { dependencies }),
    })
}

/// Which library of a project brings which others along. What is not in the project is not in here.
struct Tree<'a> {
    libraries: BTreeMap<LibraryId, &'a LibrarySpec>,
    brings: BTreeMap<LibraryId, Vec<LibraryId>>,
}

impl<'a> Tree<'a> {
    fn of(used: &[Used<'a>]) -> Self {
        let ids: BTreeMap<&str, LibraryId> =
            used.iter().map(|(library, _)| (library.key_uuid.as_str(), library.key_id)).collect();
        let brings = used.iter().map(|(library, used)| {
            let brought = used.dependencies.iter().filter_map(|uuid| ids.get(uuid.as_str()).copied());
            (library.key_id, brought.filter(|id| *id != library.key_id).collect())
        });
        let libraries = used.iter().map(|(library, _)| (library.key_id, &***library)).collect();
        Self { brings: brings.collect(), libraries }
    }

    fn has(&self, library: LibraryId) -> bool {
        self.libraries.contains_key(&library)
    }

    fn children(&self, library: LibraryId) -> &[LibraryId] {
        self.brings.get(&library).map_or(&[], Vec::as_slice)
    }

    /// Libraries from which all others are reached.
    fn roots(&self, used: &[Used<'_>]) -> Vec<LibraryId> {
        let brought: BTreeSet<LibraryId> = self.brings.values().flatten().copied().collect();
        let mut roots = Vec::new();
        let mut reached = BTreeSet::new();
        let is_direct = |library: &LibrarySpec, used: &InventorySpec| {
            used.is_direct || !brought.contains(&library.key_id)
        };
        for (library, _) in used.iter().filter(|(library, used)| is_direct(library, used)) {
            roots.push(library.key_id);
            self.reach(library.key_id, &mut reached);
        }
        // What is left brings itself along, in a circle.
        for (library, _) in used {
            if !reached.contains(&library.key_id) {
                roots.push(library.key_id);
                self.reach(library.key_id, &mut reached);
            }
        }
        roots
    }

    fn reach(&self, root: LibraryId, reached: &mut BTreeSet<LibraryId>) {
        let mut open = vec![root];
        while let Some(library) = open.pop() {
            if reached.insert(library) {
                open.extend(self.children(library));
            }
        }
    }

    /// What a library brings along, each with what it brings along itself. Within the tree below one library,
    /// every other one is unfolded once, where it comes first: unfolding all would take forever where libraries
    /// bring each other along, and nearly so where many share others.
    fn below<T>(&self, library: LibraryId, render: &dyn Fn(&'a LibrarySpec, Vec<T>) -> T) -> Vec<T> {
        self.unfold(library, DEPTH, &mut BTreeSet::from([library]), render)
    }

    fn unfold<T>(
        &self,
        library: LibraryId,
        depth: usize,
        unfolded: &mut BTreeSet<LibraryId>,
        render: &dyn Fn(&'a LibrarySpec, Vec<T>) -> T,
    ) -> Vec<T> {
        if depth == 0 {
            return Vec::new();
        }
        let mut nodes = Vec::new();
        for child in self.children(library) {
            let Some(spec) = self.libraries.get(child) else { continue };
            let is_first = unfolded.insert(*child);
            let below = if is_first { self.unfold(*child, depth - 1, unfolded, render) } else { Vec::new() };
            nodes.push(render(spec, below));
        }
        nodes
    }
}
