//! Projects, products, libraries and tags.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_LIST_MESSAGE, MEND_ORGANIZATION_DETAILS, MEND_PRODUCTS_LIST, MEND_PROJECT_DEPENDENCIES,
    MEND_PROJECT_HIERARCHY, MEND_PROJECT_LICENSES, MEND_PROJECT_LOCATIONS, MEND_PROJECTS_LIST,
    MEND_SCAN_LAST_MODIFICATION, MEND_SCAN_REQUEST_STATE, MEND_SCAN_STATES, MEND_TAGS_ORGANIZATION,
    MEND_TAGS_REMOVE, MEND_TAGS_SAVE, MEND_VITALS_PRODUCTS, MEND_VITALS_PROJECTS, MEND_VITALS_SCOPES,
    MEND_VITALS_WRONG_TOKEN,
};
use serde_json::{Value, json};

use super::super::client::{Answer, Mend};
use super::subjects::{
    NOBODYS_TOKEN, call, changeable_project, filled_product, licensed_libraries, listed, lists, organization,
    products, project, tokens,
};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{FilledText, Integer, List, ListOf, Members, Object, OneOf, Text};
use crate::suite::shape::brief;

checks! { "mend/projects";
    products_list: MEND_PRODUCTS_LIST, Reading, products_list;
    projects_list: MEND_PROJECTS_LIST, Reading, projects_list;
    lists_say_success: MEND_LIST_MESSAGE, Reading, lists_say_success;
    vitals_of_products: MEND_VITALS_PRODUCTS, Reading, vitals_of_products;
    vitals_of_projects: MEND_VITALS_PROJECTS, Reading, vitals_of_projects;
    organization_details: MEND_ORGANIZATION_DETAILS, Reading, organization_details;
    vitals_are_the_same_in_every_scope: MEND_VITALS_SCOPES, Reading, vitals_are_the_same_in_every_scope;
    vitals_need_their_kind_of_token: MEND_VITALS_WRONG_TOKEN, Reading, vitals_need_their_kind_of_token;
    licenses: MEND_PROJECT_LICENSES, Reading, licenses;
    locations: MEND_PROJECT_LOCATIONS, Reading, locations;
    dependencies: MEND_PROJECT_DEPENDENCIES, Reading, dependencies;
    hierarchy: MEND_PROJECT_HIERARCHY, Reading, hierarchy;
    tags_of_the_organization: MEND_TAGS_ORGANIZATION, Reading, tags_of_the_organization;
    tag_is_added: MEND_TAGS_SAVE, Writing, tag_is_added;
    tag_is_taken_away: MEND_TAGS_REMOVE, Writing, tag_is_taken_away;
    last_modification: MEND_SCAN_LAST_MODIFICATION, Reading, last_modification;
    request_state: MEND_SCAN_REQUEST_STATE, Control, request_state;
    request_states: MEND_SCAN_STATES, Reading, request_states;
}

fn products_list(case: &Case) -> Verdict {
    let api = case.mend()?;
    let call = call("getAllProducts", organization(api), "products");
    let members = &[("productId", Integer), ("productName", FilledText), ("productToken", FilledText)];
    lists(api, &call, "a product", members)
}

fn projects_list(case: &Case) -> Verdict {
    let api = case.mend()?;
    let mut seen = 0;
    for product in tokens(&products(api)?, "productToken").iter().take(5) {
        let call = call("getAllProjects", json!({"productToken": product}), "projects");
        let projects = listed(api, &call, "a project")?;
        seen += projects.rows.len();
        if !projects.rows.is_empty() {
            projects.each("projectId", &Integer)?;
            projects.each("projectName", &FilledText)?;
            projects.each("projectToken", &FilledText)?;
        }
    }
    Held::over(seen, "no product has a project")
}

fn lists_say_success(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, _) = filled_product(api)?;
    for call in [
        call("getAllProducts", organization(api), "products"),
        call("getAllProjects", json!({"productToken": product}), "projects"),
    ] {
        let answer = call.granted(api)?;
        if answer.json["message"] != "Success" {
            let expected = format!("the `message` `Success` of {}", call.request_type);
            return broken_at(&answer.evidence, expected, &answer.json["message"]);
        }
    }
    Held::once()
}

fn vitals_of_products(case: &Case) -> Verdict {
    let api = case.mend()?;
    let call = call("getOrganizationProductVitals", organization(api), "productVitals");
    let members = &[
        ("name", FilledText),
        ("token", FilledText),
        ("creationDate", FilledText),
        ("lastUpdatedDate", FilledText),
    ];
    lists(api, &call, "a product's vitals", members)
}

fn vitals_of_projects(case: &Case) -> Verdict {
    let vitals = case.mend()?.projects()?;
    vitals.each("id", &Integer)?;
    for name in ["pluginName", "name", "token", "creationDate", "lastUpdatedDate"] {
        vitals.each(name, &FilledText)?;
    }
    Held::over(vitals.rows.len(), "there is no project")
}

fn organization_details(case: &Case) -> Verdict {
    let api = case.mend()?;
    let answer = api.accepted("getOrganizationDetails", &organization(api))?;
    let one = Rows { what: "an organization", rows: vec![answer.row()], is_complete: true };
    one.each("orgName", &FilledText)?;
    one.each("orgToken", &FilledText)?;
    one.each("creationDate", &FilledText)?;
    for name in ["numberOfProducts", "numberOfProjects", "numberOfUsers", "numberOfGroups"] {
        one.each(name, &Integer)?;
    }
    let token = answer.json["orgToken"].as_str();
    if token != Some(api.org_token()) {
        return broken_at(&answer.evidence, "the details of the organization that was asked about", "others");
    }
    for (name, count) in
        [("numberOfProducts", products(api)?.rows.len()), ("numberOfProjects", api.projects()?.rows.len())]
    {
        observed(count > 0, "the organization is empty, or its lists are")?;
        if answer.json[name].as_u64() != Some(count as u64) {
            let expected = format!("`{name}` is {count}, as there are");
            return broken_at(&answer.evidence, expected, &answer.json[name]);
        }
    }
    Held::once()
}

/// What of a project's vitals stays the same while the suite looks.
fn lasting(vitals: &Row) -> Vec<&Value> {
    let members = ["id", "name", "token", "creationDate", "pluginName", "productName"];
    members.iter().map(|name| &vitals.json[*name]).collect()
}

fn vitals_are_the_same_in_every_scope(case: &Case) -> Verdict {
    let api = case.mend()?;
    let all = api.projects()?;
    let (product, projects) = filled_product(api)?;
    let of_organization =
        all.only(|row| row.text("token").is_some_and(|token| projects.iter().any(|one| one == token)));
    observed(of_organization.rows.len() == projects.len(), "the organization's vitals lack a project")?;
    let of_product = json!({"productToken": product});
    let of_project = json!({"projectToken": projects.first()});
    for (call, wanted) in [
        (call("getProductProjectVitals", of_product, "projectVitals"), &projects[..]),
        (call("getProjectVitals", of_project, "projectVitals"), projects.get(..1).unwrap_or_default()),
    ] {
        let vitals = listed(api, &call, "a project's vitals")?;
        let shown: BTreeSet<String> = tokens(&vitals, "token").into_iter().collect();
        let expected: BTreeSet<String> = wanted.iter().cloned().collect();
        expect(
            shown == expected,
            format!("{} projects in {}", wanted.len(), call.request_type),
            shown.len(),
        )?;
        vitals.all("the same vitals as the organization's", |row| {
            let same = of_organization.rows.iter().any(|other| lasting(other) == lasting(row));
            (!same).then(|| brief(&row.json))
        })?;
    }
    Held::once()
}

fn vitals_need_their_kind_of_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, projects) = filled_product(api)?;
    let of_project = call("getProjectVitals", json!({"projectToken": projects.first()}), "projectVitals");
    let of_product = call("getProductProjectVitals", json!({"productToken": product}), "projectVitals");
    let of_organization = call("getOrganizationProjectVitals", organization(api), "projectVitals");
    for (call, other) in [
        (of_project, json!({"projectToken": product})),
        (of_product, json!({"productToken": projects.first()})),
        (of_organization, json!({"orgToken": projects.first()})),
    ] {
        call.granted(api)?;
        call.with(&other).must_be_refused(api, "with a token of another kind")?;
    }
    Held::once()
}

fn licenses(case: &Case) -> Verdict {
    let api = case.mend()?;
    let call = call("getProjectLicenses", json!({"projectToken": project(api)?}), "libraries");
    let libraries = listed(api, &call, "a library")?;
    libraries.each("licenses", &ListOf(&Members(&[("name", Text)])))?;
    let licensed = libraries.rows.iter().filter(|row| !row.list("licenses").is_empty()).count();
    Held::over(licensed, "no library has a licence")
}

fn locations(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = project(api)?;
    let libraries = tokens(&licensed_libraries(api, &project)?, "keyUuid");
    observed(!libraries.is_empty(), "the project has no libraries")?;
    let call = call("getProjectLibraryLocations", json!({"projectToken": project}), "libraryLocations");
    let located = listed(api, &call, "a library's place")?;
    let listed: BTreeSet<String> = tokens(&located, "keyUuid").into_iter().collect();
    if let Some(missing) = libraries.iter().find(|uuid| !listed.contains(*uuid)) {
        return expect(false, "every library of the project has its place", format!("{missing} has none"))
            .and_then(|()| Held::once());
    }
    Held::over(located.rows.len(), "no library lies anywhere")
}

/// The ids of all libraries in a tree, or in lists within lists.
fn key_uuids(tree: &Value, found: &mut BTreeSet<String>) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| key_uuids(item, found)),
        Value::Object(members) => {
            found.extend(members.get("keyUuid").and_then(Value::as_str).map(str::to_owned));
            members.get("dependencies").into_iter().for_each(|below| key_uuids(below, found));
        }
        _ => {}
    }
}

/// The libraries of a project as a tree, in projects until one has libraries that bring others along.
fn tree(api: Mend<'_>) -> Result<(String, Answer), Stop> {
    for project in tokens(api.projects()?, "projectToken").into_iter().take(5) {
        let answer = api.accepted("getProjectHierarchy", &json!({"projectToken": project}))?;
        let libraries = answer.rows("libraries", "a library");
        if libraries.rows.iter().any(|row| !row.list("dependencies").is_empty()) {
            return Ok((project, answer));
        }
    }
    Err(Stop::NotExercised("no library brings another one along".to_owned()))
}

fn dependencies(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (project, answer) = tree(api)?;
    let libraries = answer.rows("libraries", "a library");
    let library = libraries.find("library that brings others along", |row| {
        row.text("keyUuid").is_some() && !row.list("dependencies").is_empty()
    })?;
    let mut below = BTreeSet::new();
    key_uuids(&library.json["dependencies"], &mut below);
    let fields = json!({"projectToken": project, "keyUuid": library.json["keyUuid"]});
    let answer = api.call("getProjectLibraryDependencies", &fields)?;
    let mut shown = BTreeSet::new();
    key_uuids(&answer.json["dependencies"], &mut shown);
    if shown != below {
        let expected = format!("{} libraries in `dependencies`, as in the hierarchy", below.len());
        return broken_at(&answer.evidence, expected, format!("{} in {}", shown.len(), brief(&answer.json)));
    }
    Held::over(shown.len(), "the library brings nothing along")
}

/// Every library of the project is in the tree, and some lie below others.
fn hierarchy(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = project(api)?;
    let libraries = tokens(&licensed_libraries(api, &project)?, "keyUuid");
    observed(!libraries.is_empty(), "the project has no libraries")?;
    let call = call("getProjectHierarchy", json!({"projectToken": project}), "libraries");
    let roots = listed(api, &call, "a library")?;
    let mut shown = BTreeSet::new();
    for root in &roots.rows {
        key_uuids(&root.json, &mut shown);
    }
    let missing = libraries.iter().find(|uuid| !shown.contains(*uuid)).cloned();
    expect(
        missing.is_none(),
        "every library of the project in its hierarchy",
        format!("{missing:?} is not"),
    )?;
    let (_, nested) = tree(api)?;
    nested.rows("libraries", "a library").each_present("dependencies", &List)
}

fn tags_of_the_organization(case: &Case) -> Verdict {
    let api = case.mend()?;
    let call = call("getOrganizationProjectTags", organization(api), "projectTags");
    lists(api, &call, "a project's tags", &[("name", FilledText), ("token", FilledText), ("tags", Object)])
}

/// A key that no account has.
const TAG: &str = "contract-suite";

/// A project's tag that is being changed.
struct Tag<'c> {
    api: Mend<'c>,
    project: String,
}

impl<'c> Tag<'c> {
    /// The tag of a project that does not have it yet, with these values.
    fn with_values(case: &'c Case, values: &[&str]) -> Result<Self, Stop> {
        let api = case.mend()?;
        let tag = Self { api, project: changeable_project(api)? };
        observed(tag.values()?.is_empty(), format!("the project has the tag {TAG} already"))?;
        for value in values {
            api.case().undo_later(api.request("removeProjectTag", &tag.fields(value)));
            api.accepted("saveProjectTag", &tag.fields(value))?;
        }
        Ok(tag)
    }

    fn fields(&self, value: &str) -> Value {
        json!({"projectToken": self.project, "tagKey": TAG, "tagValue": value})
    }

    /// The values that the organization's list shows: all of them, or the one that stands for all.
    fn values(&self) -> Result<Vec<String>, Stop> {
        let answer = self.api.accepted("getOrganizationProjectTags", &organization(self.api))?;
        let rows = answer.rows("projectTags", "a project's tags");
        let row =
            rows.find("project of that token in the list", |row| row.text("token") == Some(&self.project))?;
        Ok(match &row.json["tags"][TAG] {
            Value::String(value) => vec![value.clone()],
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        })
    }

    /// Whether values are listed, rather than one shown for all.
    fn is_listed(&self) -> Result<bool, Stop> {
        let answer = self.api.accepted("getOrganizationProjectTags", &organization(self.api))?;
        let rows = answer.rows("projectTags", "a project's tags");
        Ok(rows.rows.iter().any(|row| row.json["tags"][TAG].is_array()))
    }
}

/// Where one value stands for all, nothing but that it is one of them is settled.
fn tag_is_added(case: &Case) -> Verdict {
    let tag = Tag::with_values(case, &["one"])?;
    let first = tag.values()?;
    expect(first == ["one"], format!("a project with the tag {TAG}: one"), format!("{first:?}"))?;
    let second = tag.fields("two");
    case.undo_later(tag.api.request("removeProjectTag", &second));
    tag.api.accepted("saveProjectTag", &second)?;
    let both = tag.values()?;
    let is_added = if tag.is_listed()? {
        ["one", "two"].iter().all(|value| both.iter().any(|known| known == value)) && both.len() == 2
    } else {
        both.len() == 1 && both.iter().all(|value| value == "one" || value == "two")
    };
    expect(is_added, "`two` beside `one`", format!("{both:?}"))?;
    Held::once()
}

fn tag_is_taken_away(case: &Case) -> Verdict {
    let tag = Tag::with_values(case, &["one", "two", "twofold"])?;
    let before = tag.values()?;
    let is_listed = tag.is_listed()?;
    observed(before.len() == if is_listed { 3 } else { 1 }, "the values are not all saved")?;
    for value in ["one", "twofold"] {
        tag.api.accepted("removeProjectTag", &tag.fields(value))?;
    }
    let after = tag.values()?;
    expect(after == ["two"], "`two` alone, without `one` and `twofold`", format!("{after:?}"))?;
    // What is there in part is not there.
    tag.api.call("removeProjectTag", &tag.fields("tw"))?;
    let still = tag.values()?;
    expect(still == ["two"], "`two`, of which `tw` takes nothing", format!("{still:?}"))?;
    Held::once()
}

fn last_modification(case: &Case) -> Verdict {
    let api = case.mend()?;
    let scanned = api.projects()?.find("project that was scanned", |row| {
        row.text("requestToken").is_some() && row.text("projectToken").is_some()
    })?;
    let fields = json!({"projectToken": scanned.json["projectToken"]});
    let call = call("getProjectLastModification", fields, "projectLastModifications");
    let modifications = listed(api, &call, "a modification")?;
    let first = modifications.find("modification of a scanned project", |_| true)?;
    let token = &first.json["extraData"]["requestToken"];
    if *token != scanned.json["requestToken"] {
        let expected = "the token of the last scan in `extraData.requestToken` of the first";
        return broken_at(&first.evidence, expected, brief(&first.json));
    }
    Held::once()
}

/// While a scan runs its work is in progress; afterwards it is not.
fn request_state(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = changeable_project(api)?;
    let started = case.happen(&json!({"type": "mend.scan_started", "project_token": project}))?;
    let Some(token) = request_token(&started) else {
        return Err(Stop::NotExercised("no token of a started scan is told".to_owned()));
    };
    let state = || {
        let fields = json!({"orgToken": api.org_token(), "requestToken": token});
        api.accepted("getRequestState", &fields)
    };
    let running = state()?;
    if running.json["requestState"] != "IN_PROGRESS" {
        return broken_at(&running.evidence, "IN_PROGRESS while a scan runs", &running.json);
    }
    case.happen(&json!({"type": "mend.scan", "project_token": project}))?;
    let over = state()?;
    let is_over =
        over.json["requestState"].as_str().is_some_and(|state| !["IN_PROGRESS", "UNKNOWN"].contains(&state));
    if !is_over {
        return broken_at(&over.evidence, "another state once the scan is over", &over.json);
    }
    Held::once()
}

/// The token of a scan, wherever an event's effects have it.
fn request_token(effects: &Value) -> Option<String> {
    match effects {
        Value::Object(members) => match members.get("request_token").and_then(Value::as_str) {
            Some(token) => Some(token.to_owned()),
            None => members.values().find_map(request_token),
        },
        _ => None,
    }
}

fn request_states(case: &Case) -> Verdict {
    const STATES: &[&str] = &["UNKNOWN", "IN_PROGRESS", "UPDATED", "FINISHED", "FAILED", "SKIPPED"];
    let api = case.mend()?;
    let mut requests: Vec<String> = tokens(api.projects()?, "requestToken");
    requests.truncate(4);
    observed(!requests.is_empty(), "no project was scanned")?;
    requests.push(NOBODYS_TOKEN[..32].to_owned());
    let mut states = Rows { what: "the state of a request", rows: Vec::new(), is_complete: false };
    for token in requests {
        let fields = json!({"orgToken": api.org_token(), "requestToken": token});
        let answer = api.call("getRequestState", &fields)?;
        if !answer.is_refused() {
            states.rows.push(answer.row());
        }
    }
    states.each("requestState", &OneOf(STATES))
}
