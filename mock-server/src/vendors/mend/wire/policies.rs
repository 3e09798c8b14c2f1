//! Policies as the vendor writes them.
//!
//! The policy of the page's example, `vulnerabilitySeverity`, `effectiveVulnerabilitiesOnly` and the `group` of an
//! action are the vendor's. What the filters of the other match types are called, and what their
//! `policyMatch.value` says, is our assumption: no page or client shows it. Deliberately absent: `issueSettings`
//! of an action, which answers were not seen to have.

use fixtures::world::mend::{Filter, PolicyAction, PolicyScope, PolicySpec};
use serde::Serialize;

use super::dates;
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::{PolicyUrlKey, ProductLevel};
use crate::vendors::mend::rules::policy_bodies::REMOVED_LICENSE;
use crate::vendors::mend::store::{Project, Store};

/// A policy. Where it stands for a match in a project, it also says what matches and where to look at it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy<'a> {
    #[serde(rename = "policyMatch", skip_serializing_if = "Option::is_none")]
    matched: Option<PolicyMatch>,
    #[serde(rename = "Url", skip_serializing_if = "Option::is_none")]
    capital_url: Option<String>,
    #[serde(rename = "url", skip_serializing_if = "Option::is_none")]
    lower_url: Option<String>,
    id: u64,
    name: &'a str,
    owner: Owner<'a>,
    creation_time: String,
    priority: u32,
    filter: FilterShape<'a>,
    inclusive: bool,
    action: Action,
    product_level: bool,
    enabled: bool,
    #[serde(rename = "policyContext")]
    context: &'static str,
}

#[derive(Debug, Serialize)]
struct PolicyMatch {
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

#[derive(Debug, Serialize)]
struct Owner<'a> {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// A filter. The scores stand in filters of every type, as in the example.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct FilterShape<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    licenses: Option<Vec<License<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerability_severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_vulnerabilities_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    older_than_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_attribute_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    library_request: Option<&'static str>,
    score_from: f64,
    score_to: f64,
}

#[derive(Debug, Serialize)]
struct License<'a> {
    id: i64,
    name: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(rename = "type")]
    kind: &'static str,
    fail_policy_check: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    id: u64,
}

/// A policy; `of_project` is the project whose matches with it are shown.
pub fn policy<'a>(account: &'a Account, spec: &'a PolicySpec, of_project: Option<&Project>) -> Policy<'a> {
    let store = &account.store;
    let readings = store.readings();
    let url = of_project.map(|project| {
        let project = project.spec.id;
        format!("https://saas.example/Wss/WSS.html#!p;project={project};policy={}", spec.id)
    });
    let (capital_url, lower_url) = match readings.policy_url_key {
        PolicyUrlKey::Capital => (url, None),
        PolicyUrlKey::Lower => (None, url),
    };
    // The world may have a policy whose owner it does not know: all that is left is the number.
    let owner = account.user_of_id(spec.owner_id).map(|user| &user.spec);
    Policy {
        matched: of_project.map(|_| PolicyMatch {
            kind: spec.filter.match_type().as_str(),
            value: value(&spec.filter, store),
        }),
        capital_url,
        lower_url,
        id: spec.id,
        name: &spec.name,
        owner: Owner {
            id: spec.owner_id,
            email: owner.map(|user| user.email.as_str()),
            name: owner.map(|user| user.name.as_str()),
        },
        creation_time: dates::day(spec.creation_time),
        priority: spec.priority,
        filter: filter(&spec.filter, store),
        inclusive: spec.is_inclusive,
        action: action(&spec.action),
        product_level: match readings.product_level {
            ProductLevel::AlwaysFalse => false,
            ProductLevel::ByScope => matches!(spec.scope, PolicyScope::Product(_)),
        },
        enabled: spec.is_enabled,
        context: context(&spec.scope),
    }
}

fn filter<'a>(filter: &'a Filter, store: &Store) -> FilterShape<'a> {
    let mut shape = FilterShape { kind: filter.match_type().as_str(), ..FilterShape::default() };
    match filter {
        Filter::License { licenses } => {
            let known =
                |name: &String| store.license(name).and_then(|license| i64::try_from(license.id).ok());
            let licenses =
                licenses.iter().map(|name| License { id: known(name).unwrap_or(REMOVED_LICENSE), name });
            shape.licenses = Some(licenses.collect());
        }
        Filter::VulnerabilitySeverity { severity, effective_only } => {
            shape.vulnerability_severity = Some(severity.as_str().to_uppercase());
            shape.effective_vulnerabilities_only = Some(*effective_only);
        }
        Filter::VulnerabilityScore { from, to } => (shape.score_from, shape.score_to) = (*from, *to),
        Filter::Effectiveness { is_effective } => shape.effective = Some(*is_effective),
        Filter::GavRegex { group_id, artifact_id, version } => {
            shape.group_id = Some(group_id);
            shape.artifact_id = Some(artifact_id);
            shape.version = Some(version);
        }
        Filter::ResourceNameRegex { pattern } => shape.resource_name = Some(pattern),
        Filter::LibraryStaleness { older_than_days } => shape.older_than_days = Some(*older_than_days),
        Filter::Product { product_token } => shape.product_token = Some(product_token),
        Filter::PrimaryAttributeValue { value } => shape.primary_attribute_value = Some(value),
        Filter::LibraryRequestHistory { decision } => shape.library_request = Some(decision.as_str()),
    }
    shape
}

fn action(action: &PolicyAction) -> Action {
    Action {
        kind: action.kind.as_str(),
        fail_policy_check: action.fails_policy_check,
        group: action.group_id.map(|id| Group { id }),
    }
}

/// What a filter looks for, for people. Only that of licences was seen.
fn value(filter: &Filter, store: &Store) -> String {
    match filter {
        Filter::License { licenses } => licenses.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        Filter::VulnerabilitySeverity { severity, effective_only } => {
            let effective = if *effective_only { ", effective only" } else { "" };
            format!("{}{effective}", severity.as_str().to_uppercase())
        }
        Filter::VulnerabilityScore { from, to } => format!("{from:.1} to {to:.1}"),
        Filter::Effectiveness { is_effective: true } => "effective".to_owned(),
        Filter::Effectiveness { is_effective: false } => "not effective".to_owned(),
        Filter::GavRegex { group_id, artifact_id, version } => {
            let anything = |pattern: &str| if pattern.is_empty() { "*" } else { pattern }.to_owned();
            [group_id, artifact_id, version].map(|pattern| anything(pattern)).join(":")
        }
        Filter::ResourceNameRegex { pattern } => pattern.clone(),
        Filter::LibraryStaleness { older_than_days } => format!("older than {older_than_days} days"),
        Filter::Product { product_token } => match store.product(product_token) {
            Some(product) => product.spec.name.clone(),
            None => product_token.clone(),
        },
        Filter::PrimaryAttributeValue { value } => value.clone(),
        Filter::LibraryRequestHistory { decision } => decision.as_str().to_owned(),
    }
}

/// Where a policy applies. No page or client shows a policy of the global organization; that it says the same as
/// an organization's is our assumption.
const fn context(scope: &PolicyScope) -> &'static str {
    match scope {
        PolicyScope::GlobalOrganization | PolicyScope::Organization(_) => "DOMAIN",
        PolicyScope::Product(_) => "PRODUCT",
        PolicyScope::Project(_) => "PROJECT",
    }
}
