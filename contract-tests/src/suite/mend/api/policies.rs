//! The policies of the four scopes. Those that a check adds are not in force, unless their effect is what it is
//! about.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_POLICY_ACTION_OBJECT, MEND_POLICY_ADD, MEND_POLICY_ADD_ANSWER, MEND_POLICY_ADD_REQUIRED,
    MEND_POLICY_AGGREGATE, MEND_POLICY_CONTEXT, MEND_POLICY_GET, MEND_POLICY_INCLUSIVE,
    MEND_POLICY_ISSUE_SETTINGS, MEND_POLICY_OWNER, MEND_POLICY_REMOVE_ANSWER, MEND_POLICY_REMOVE_IDS,
    MEND_POLICY_SEVERITY_FILTER, MEND_POLICY_UPDATE_ANSWER, MEND_POLICY_UPDATE_GIVEN, MEND_POLICY_UPDATE_ID,
};
use serde_json::{Value, json};

use super::super::client::Mend;
use super::shelf::{Shelf, an_owner, applying, draft, ids};
use super::subjects::{
    call, changeable_project, changeable_projects, filled_product, licensed_libraries, listed, merge,
    organization, products, projects_of, tokens,
};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, not_exercised, observed, unclear};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::brief;

checks! { "mend/policies";
    get: MEND_POLICY_GET, Reading, get;
    inherited: MEND_POLICY_AGGREGATE, Reading, inherited;
    context: MEND_POLICY_CONTEXT, Reading, context;
    add: MEND_POLICY_ADD, Writing, add;
    add_required: MEND_POLICY_ADD_REQUIRED, Writing, add_required;
    add_answer: MEND_POLICY_ADD_ANSWER, Writing, add_answer;
    owner: MEND_POLICY_OWNER, Writing, owner;
    action_is_an_object: MEND_POLICY_ACTION_OBJECT, Writing, action_is_an_object;
    severity_filter: MEND_POLICY_SEVERITY_FILTER, Writing, severity_filter;
    update_by_id: MEND_POLICY_UPDATE_ID, Writing, update_by_id;
    update_changes_what_is_given: MEND_POLICY_UPDATE_GIVEN, Writing, update_changes_what_is_given;
    update_answer: MEND_POLICY_UPDATE_ANSWER, Writing, update_answer;
    remove_by_ids: MEND_POLICY_REMOVE_IDS, Writing, remove_by_ids;
    remove_answer: MEND_POLICY_REMOVE_ANSWER, Writing, remove_answer;
    issue_settings: MEND_POLICY_ISSUE_SETTINGS, Control, issue_settings;
    inclusive: MEND_POLICY_INCLUSIVE, Control, inclusive;
}

/// The same with other members.
fn with(policy: &Value, more: &Value) -> Value {
    let mut policy = policy.clone();
    merge(&mut policy, more);
    policy
}

fn without(policy: &Value, name: &str) -> Value {
    let mut policy = policy.clone();
    if let Some(members) = policy.as_object_mut() {
        members.remove(name);
    }
    policy
}

/// A policy is added, and with each of these offences it is not.
fn is_refused(shelf: &Shelf<'_>, good: &Value, offences: &[(&str, Value)]) -> Verdict {
    shelf.added(good)?;
    for (what, policy) in offences {
        let answer = shelf.add(policy)?;
        if !answer.is_refused() {
            return broken_at(&answer.evidence, format!("a policy {what} is refused"), brief(&answer.json));
        }
    }
    Held::once()
}

fn get(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, projects) = filled_product(api)?;
    let mut seen = 0;
    for (request_type, token) in [
        ("getOrganizationPolicies", organization(api)),
        ("getProductPolicies", json!({"productToken": product})),
        ("getProjectPolicies", json!({"projectToken": projects.first()})),
    ] {
        seen += listed(api, &call(request_type, token, "policies"), "a policy")?.rows.len();
    }
    Held::over(seen, "there are no policies")
}

fn inherited(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, projects) = filled_product(api)?;
    let of_organization = ids(&applying(api, "getOrganizationPolicies", &organization(api), false)?);
    observed(!of_organization.is_empty(), "the organization has no policies")?;
    for (request_type, token) in [
        ("getProductPolicies", json!({"productToken": product})),
        ("getProjectPolicies", json!({"projectToken": projects.first()})),
    ] {
        let all = ids(&applying(api, request_type, &token, true)?);
        let missing = of_organization.difference(&all).count();
        let expected = format!("the organization's {} policies in {request_type}", of_organization.len());
        expect(missing == 0, expected, format!("{missing} of them are missing"))?;
    }
    Held::once()
}

/// What a scope has beyond the wider ones is its own.
fn context(case: &Case) -> Verdict {
    let api = case.mend()?;
    let says = |policies: &Rows, context: &str| -> Result<usize, Stop> {
        for row in &policies.rows {
            if row.text("policyContext") != Some(context) {
                let expected = format!("the `policyContext` {context}");
                return broken_at(&row.evidence, expected, brief(&row.json));
            }
        }
        Ok(policies.rows.len())
    };
    let beyond = |policies: &Rows, known: &BTreeSet<String>| {
        policies.only(|row| row.get("id").is_some_and(|id| !known.contains(&id.to_string())))
    };
    let wide = applying(api, "getOrganizationPolicies", &organization(api), false)?;
    observed(says(&wide, "DOMAIN")? > 0, "the organization has no policies")?;
    let mut known = ids(&applying(api, "getOrganizationPolicies", &organization(api), true)?);
    let mut narrow = 0;
    for product in tokens(&products(api)?, "productToken").into_iter().take(5) {
        let policies = applying(api, "getProductPolicies", &json!({"productToken": product}), true)?;
        observed(ids(&wide).is_subset(&ids(&policies)), "what a product inherits is not shown")?;
        let own = beyond(&policies, &known);
        narrow += says(&own, "PRODUCT")?;
        known.extend(ids(&own));
        for project in tokens(&projects_of(api, &product)?, "projectToken").into_iter().take(2) {
            let policies = applying(api, "getProjectPolicies", &json!({"projectToken": project}), true)?;
            narrow += says(&beyond(&policies, &known), "PROJECT")?;
        }
    }
    Held::over(narrow, "no product and no project has a policy of its own")
}

/// In every scope in which something may be changed.
fn add(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = changeable_project(api)?;
    let mut shelves = vec![Shelf::of_project(api, &project)];
    if case.writes().is_none() {
        let (product, _) = filled_product(api)?;
        shelves.push(Shelf { api, scope: "Product", token: json!({"productToken": product}) });
        shelves.push(Shelf { api, scope: "Organization", token: organization(api) });
    }
    let policy = draft(api)?;
    for shelf in shelves {
        let id = shelf.added(&policy)?;
        let scope = shelf.scope;
        expect(shelf.find(&id)?.is_some(), format!("the policy among those of its {scope}"), "it is not")?;
        let answer = shelf.ask("add", "Policy", &json!({}))?;
        if !answer.is_refused() {
            return broken_at(&answer.evidence, "without a policy nothing is added", brief(&answer.json));
        }
    }
    Held::once()
}

fn add_required(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let good = draft(shelf.api)?;
    let offences: Vec<(String, Value)> = ["name", "owner", "filter", "action"]
        .into_iter()
        .map(|name| (format!("without `{name}`"), without(&good, name)))
        .collect();
    let offences: Vec<(&str, Value)> =
        offences.iter().map(|(what, bad)| (what.as_str(), bad.clone())).collect();
    is_refused(&shelf, &good, &offences)
}

fn add_answer(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let policy = draft(shelf.api)?;
    let before = ids(&shelf.policies()?);
    let answer = shelf.add(&policy)?;
    if answer.is_refused() {
        return unclear("a policy is not added", answer.refusal());
    }
    let added: Vec<Row> = shelf
        .policies()?
        .rows
        .into_iter()
        .filter(|row| !before.contains(&row.json["id"].to_string()))
        .collect();
    let [row] = added.as_slice() else {
        return not_exercised(format!("{} policies more are listed than before", added.len()));
    };
    if answer.json["id"] != row.json["id"] || answer.json["name"] != policy["name"] {
        let expected = format!("the policy {} with its id {}", policy["name"], row.json["id"]);
        return broken_at(&answer.evidence, expected, brief(&answer.json));
    }
    Held::once()
}

fn owner(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let owner = an_owner(shelf.api)?;
    let good = draft(shelf.api)?;
    let mut taken = 0;
    for name in ["id", "name", "email"] {
        let Some(value) = owner.get(name).filter(|value| !value.is_null()) else { continue };
        let answer = shelf.add(&with(&good, &json!({"owner": {name: value}})))?;
        if answer.is_refused() || answer.json["owner"]["id"] != owner["id"] {
            if taken == 0 && answer.is_refused() {
                return unclear("a policy is not added", answer.refusal());
            }
            let expected = format!("the user who is named by `{name}` as the owner");
            return broken_at(&answer.evidence, expected, brief(&answer.json));
        }
        taken += 1;
    }
    observed(taken > 1, "the account tells only one way to name a user")?;
    Held::once()
}

fn action_is_an_object(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let good = draft(shelf.api)?;
    let bad = |action: Value| with(&good, &json!({"action": action}));
    let offences = [
        ("whose action is a text", bad(json!("CREATE_ISSUE"))),
        ("whose action has no type", bad(json!({}))),
        ("whose action has another type than a text", bad(json!({"type": 1}))),
    ];
    is_refused(&shelf, &good, &offences)
}

fn severity_filter(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let good = draft(shelf.api)?;
    for more in [json!({}), json!({"effectiveVulnerabilitiesOnly": true})] {
        let mut filter = json!({"type": "VULNERABILITY_SEVERITY", "vulnerabilitySeverity": "HIGH"});
        merge(&mut filter, &more);
        let id = shelf.added(&with(&good, &json!({"filter": filter})))?;
        let row = shelf.listed(&id)?;
        let shown = &row.json["filter"];
        let is_kept = ["type", "vulnerabilitySeverity"].iter().all(|name| shown[*name] == filter[*name]);
        let effective =
            shown.get("effectiveVulnerabilitiesOnly").and_then(Value::as_bool).unwrap_or_default();
        if !is_kept || effective != filter["effectiveVulnerabilitiesOnly"].as_bool().unwrap_or_default() {
            return broken_at(&row.evidence, format!("the filter {filter}"), shown);
        }
    }
    let bad = with(&good, &json!({"filter": {"type": "VULNERABILITY_SEVERITY"}}));
    is_refused(&shelf, &good, &[("whose filter has no severity", bad)])
}

fn update_by_id(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let good = draft(shelf.api)?;
    let (first, second) = (shelf.added(&good)?, shelf.added(&good)?);
    let before = shelf.listed(&first)?;
    let answer = shelf.update(&json!({"id": second, "name": "Contract suite, renamed"}))?;
    observed(!answer.is_refused(), "updating a policy is refused")?;
    let (other, renamed) = (shelf.listed(&first)?, shelf.listed(&second)?);
    let hits = renamed.text("name") != before.text("name") && other.json == before.json;
    expect(hits, "the policy of that id is changed, and no other", brief(&other.json))?;
    let answer = shelf.update(&json!({"name": "Contract suite, nameless"}))?;
    if !answer.is_refused() {
        return broken_at(&answer.evidence, "an update without an id is refused", brief(&answer.json));
    }
    Held::once()
}

fn update_changes_what_is_given(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let id = shelf.added(&draft(shelf.api)?)?;
    let before = shelf.listed(&id)?;
    let name = "Contract suite, renamed";
    let answer = shelf.update(&json!({"id": id, "name": name}))?;
    observed(!answer.is_refused(), "updating a policy is refused")?;
    let after = shelf.listed(&id)?;
    let expected = with(&before.json, &json!({"name": name}));
    if after.json != expected {
        return broken_at(&after.evidence, "another name and nothing else", brief(&after.json));
    }
    Held::once()
}

fn update_answer(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let id = shelf.added(&draft(shelf.api)?)?;
    let before = shelf.listed(&id)?;
    let change = json!({"id": id, "name": "Contract suite, renamed", "priority": 7});
    let answer = shelf.update(&change)?;
    observed(!answer.is_refused(), "updating a policy is refused")?;
    let after = shelf.listed(&id)?;
    observed(after.json != before.json, "an update changes nothing")?;
    for name in ["id", "name", "priority", "filter", "enabled"] {
        let (answered, listed) = (&answer.json[name], &after.json[name]);
        if answered != listed {
            let expected = format!("`{name}` as it is listed afterwards");
            return broken_at(&answer.evidence, expected, format!("{answered}, listed as {listed}"));
        }
    }
    Held::once()
}

fn remove_by_ids(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let good = draft(shelf.api)?;
    let (first, second, third) = (shelf.added(&good)?, shelf.added(&good)?, shelf.added(&good)?);
    for id in [&first, &second, &third] {
        shelf.listed(id)?;
    }
    shelf.remove(&[&first, &third])?;
    let listed = [&first, &second, &third].map(|id| shelf.find(id).map(|found| found.is_some()));
    let [first, second, third] = listed;
    let seen = [first?, second?, third?];
    expect(seen == [false, true, false], "of three policies only the second is left", format!("{seen:?}"))?;
    Held::once()
}

fn remove_answer(case: &Case) -> Verdict {
    let shelf = Shelf::first(case)?;
    let good = draft(shelf.api)?;
    let (first, second) = (shelf.added(&good)?, shelf.added(&good)?);
    let answer = shelf.remove(&[&first, &second])?;
    if answer.json["removedPolicies"] != 2 {
        return broken_at(&answer.evidence, "`removedPolicies` 2", &answer.json);
    }
    Held::once()
}

/// A library that fits, in a project without policies of its own: what is added there has the narrowest scope.
fn unruled(api: Mend<'_>, what: &str, wanted: impl Fn(&Row) -> bool) -> Result<(String, Row), Stop> {
    for project in changeable_projects(api)?.into_iter().take(5) {
        if Shelf::of_project(api, &project).policies()?.rows.is_empty()
            && let Some(library) = licensed_libraries(api, &project)?.rows.into_iter().find(&wanted)
        {
            return Ok((project, library));
        }
    }
    not_exercised(format!("no project without policies of its own has a {what}"))
}

/// The names of a library's licences.
fn licenses_of(library: &Row) -> Vec<&str> {
    library.list("licenses").iter().filter_map(|license| license["name"].as_str()).collect()
}

/// Has a project scanned, so that its policies act, and returns the libraries that stand in issues of a policy.
fn matched(api: Mend<'_>, project: &str, policy: &Value) -> Result<BTreeSet<String>, Stop> {
    api.case().happen(&json!({"type": "mend.scan", "project_token": project}))?;
    let issues = api.policy_issues_of(project)?.only(|issue| {
        let is_open = issue.list("policyViolations").iter().any(|violation| violation["status"] == "OPEN");
        issue.json["policy"]["id"] == *policy && is_open
    });
    let libraries = issues.rows.iter().filter_map(|issue| issue.json["library"]["keyUuid"].as_str());
    Ok(libraries.map(str::to_owned).collect())
}

/// A policy in force about licences.
fn about(api: Mend<'_>, licenses: &[&str]) -> Result<Value, Stop> {
    let licenses: Vec<Value> = licenses.iter().map(|name| json!({"name": name})).collect();
    let filter = json!({"type": "LICENSE", "licenses": licenses});
    Ok(with(&draft(api)?, &json!({"filter": filter, "enabled": true})))
}

fn issue_settings(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (project, library) = unruled(api, "library with a licence", |row| !licenses_of(row).is_empty())?;
    let policy = about(api, &licenses_of(&library))?;
    let shelf = Shelf::of_project(api, &project);
    let legacy = shelf.added(&with(&policy, &json!({"action": {"type": "CREATE_ISSUE"}})))?;
    observed(matched(api, &project, &legacy)?.is_empty(), "a policy without issue settings is served too")?;
    shelf.remove(&[&legacy])?;
    observed(shelf.find(&legacy)?.is_none(), "the first policy stays in the way")?;
    let id = shelf.added(&policy)?;
    let found = matched(api, &project, &id)?;
    expect(!found.is_empty(), "issues of a policy with `issueSettings`", "none")?;
    Held::once()
}

fn inclusive(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (project, library) = unruled(api, "library with two licences", |row| {
        licenses_of(row).len() > 1 && row.text("keyUuid").is_some()
    })?;
    let (licenses, key_uuid) = (licenses_of(&library), library.text("keyUuid").unwrap_or_default());
    let shelf = Shelf::of_project(api, &project);
    let id = shelf.added(&about(api, licenses.get(..1).unwrap_or_default())?)?;
    observed(matched(api, &project, &id)?.contains(key_uuid), "the policy does not match the library")?;
    let is_inclusive = |policy: &Value| {
        let answer = shelf.update(&with(policy, &json!({"id": id, "inclusive": true})))?;
        observed(answer.json["inclusive"] == true, "the policy does not become inclusive")?;
        matched(api, &project, &id)
    };
    let found = is_inclusive(&json!({}))?;
    expect(!found.contains(key_uuid), "no match with one of a library's licences", "a match")?;
    let found = is_inclusive(&json!({"filter": about(api, &licenses)?["filter"]}))?;
    expect(found.contains(key_uuid), "a match with all of a library's licences", "none")?;
    Held::once()
}
