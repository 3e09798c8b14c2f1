//! The reply to `fetchProjectPolicyIssues`. Policy and library, and each violation, are rendered once per version of
//! their rows; a reply is mostly a copy of those bytes.

use fixtures::world::mend::{Cause, LicenseSpec, ViolationStatus};
use serde::Serialize;

use super::inventory;
use super::policies::policy;
use super::vulnerabilities::{Vulnerability, vulnerability};
use super::{body, dates};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::OtherViolationType;
use crate::vendors::mend::requests::Issue;
use crate::vendors::mend::store::{Project, Store, Version, Violation};

#[derive(Serialize)]
struct Scopes<'a> {
    organization: Organization<'a>,
    product: Product<'a>,
    project: ProjectScope<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Organization<'a> {
    domain_name: &'a str,
    org_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    product_name: &'a str,
    product_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectScope<'a> {
    project_name: &'a str,
    project_token: &'a str,
}

#[derive(Serialize)]
struct Head<P, L> {
    policy: P,
    library: Option<L>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyViolation<'a> {
    issue_uuid: &'a str,
    status: ViolationStatus,
    violation_type: &'a str,
    created: String,
    last_modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<License<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerability: Option<Vulnerability<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct License<'a> {
    name: &'a str,
    spdx_name: &'a str,
    url: &'a str,
    references: [&'a str; 0],
}

/// The whole reply.
pub(in crate::vendors::mend) fn reply(
    account: &Account,
    project: &Project,
    version: Version,
    issues: &[Issue<'_>],
) -> Vec<u8> {
    let mut out = scopes(&account.store, project);
    out.pop();
    out.extend_from_slice(br#","issues":["#);
    for (place, issue) in issues.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(issue.row.head.get(version, || head(account, project, issue)));
        for (place, violation) in issue.violations.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            let render = || policy_violation(&account.store, issue, violation, version);
            out.extend_from_slice(violation.rendered.get(version, render));
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"]}");
    out
}

fn scopes(store: &Store, project: &Project) -> Vec<u8> {
    let organization = store.organization(project.organization);
    let product = store.product_of_id(project.product);
    body(&Scopes {
        organization: Organization {
            domain_name: organization.map_or("", |organization| &organization.name),
            org_token: organization.map_or("", |organization| &organization.token),
        },
        product: Product {
            product_name: product.map_or("", |product| &product.spec.name),
            product_token: product.map_or("", |product| &product.spec.token),
        },
        project: ProjectScope { project_name: &project.spec.name, project_token: project.token() },
    })
}

/// Policy and library, up to where the violations begin.
fn head(account: &Account, project: &Project, issue: &Issue<'_>) -> Vec<u8> {
    let used = account.store.inventory_of(project.spec.id, issue.library);
    let library = account.store.library_of_id(issue.library);
    let library = library.map(|library| inventory::library(library, used.map(|used| (project, &**used))));
    let mut out = body(&Head { policy: policy(account, issue.policy, Some(project)), library });
    out.pop();
    out.extend_from_slice(br#","policyViolations":["#);
    out
}

fn policy_violation(store: &Store, issue: &Issue<'_>, violation: &Violation, version: Version) -> Vec<u8> {
    let spec = &violation.spec;
    let violation_type = match (&spec.cause, store.readings().other_violation_type) {
        (Cause::License(_), _) => "LICENSE",
        (Cause::Vulnerability(_), _) => "VULNERABILITY",
        (Cause::Library, OtherViolationType::MatchType) => issue.policy.filter.match_type().as_str(),
        (Cause::Library, OtherViolationType::Library) => "LIBRARY",
    };
    let (known_license, known_vulnerability) = match &spec.cause {
        Cause::License(name) => (store.license(name), None),
        Cause::Vulnerability(name) => (None, store.vulnerability(name)),
        Cause::Library => (None, None),
    };
    body(&PolicyViolation {
        issue_uuid: &spec.uuid,
        status: spec.status,
        violation_type,
        created: dates::day(spec.created),
        last_modified: dates::day(spec.last_modified),
        license: known_license.map(|known| license(known)),
        vulnerability: known_vulnerability.map(|known| vulnerability(known, version)),
    })
}

/// What a licence lacks is an empty text, as what a library lacks is in the same sample.
fn license(spec: &LicenseSpec) -> License<'_> {
    License {
        name: &spec.name,
        spdx_name: spec.spdx_name.as_deref().unwrap_or_default(),
        url: spec.url.as_deref().unwrap_or_default(),
        references: [],
    }
}
