//! Alerts as the vendor writes them.
//!
//! Keys and their order follow captured alerts, and so do the texts of `description`, except that no capture has
//! an alert about a newer version. In captures `date`, `modifiedDate` and `time` of an alert are always of the same
//! day, and `creation_date` may be an earlier one; here the former are when the alert last changed. The `status`
//! of an ignored alert is our assumption: captures have `OPEN` only.

use std::collections::BTreeMap;

use fixtures::world::mend::{AlertStatus, AlertType, Severity};
use jiff::Timestamp;
use serde::Serialize;

use super::inventory::{DescribedLibrary, described};
use super::vulnerabilities::{severity_of_cvss3, vulnerability};
use super::{body, dates};
use crate::vendors::mend::store::{Alert, Project, ProjectId, Ranked, Store, Version};

/// What an alert says besides its vulnerability.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rest<'a> {
    #[serde(rename = "type")]
    kind: AlertType,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<DescribedLibrary<'a>>,
    project: &'a str,
    project_id: u64,
    project_token: &'a str,
    direct_dependency: bool,
    description: String,
    date: String,
    modified_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a str>,
    time: i64,
    #[serde(rename = "creation_date")]
    creation_date: String,
    alert_uuid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reachability_info: Option<ReachabilityInfo>,
}

#[derive(Serialize)]
struct ReachabilityInfo {
    analyzed: bool,
    reachable: bool,
}

/// How alerts are shown.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The version that was asked.
    pub version: Version,
    /// What the sandbox's clock shows.
    pub now: Timestamp,
    /// Whether security alerts say if the project's code reaches the vulnerability.
    pub with_reachability: bool,
}

/// The body of a reply: these alerts, each with its project.
///
/// Of an alert, only the vulnerability is rendered once and kept. Its project and its library can change while the
/// alert stays what it is.
pub fn alerts(store: &Store, alerts: &[(&Project, &Alert)], view: View) -> Vec<u8> {
    let mut reply = br#"{"alerts":["#.to_vec();
    let mut policies = BTreeMap::new();
    for (place, (project, alert)) in alerts.iter().enumerate() {
        if place > 0 {
            reply.push(b',');
        }
        reply.push(b'{');
        reply.extend_from_slice(alert.rendered.get(view.version, || head(store, alert, view.version)));
        // An object without its opening brace continues the one that was begun.
        let rest = body(&rest(store, project, alert, view, &mut policies));
        reply.extend_from_slice(rest.get(1..).unwrap_or_default());
    }
    reply.extend_from_slice(b"]}");
    reply
}

/// The vulnerability with its key and a comma, if there is one.
fn head(store: &Store, alert: &Alert, version: Version) -> Vec<u8> {
    let Some(known) = store.vulnerability(&alert.key.vulnerability) else { return Vec::new() };
    let mut head = br#""vulnerability":"#.to_vec();
    head.extend_from_slice(&body(&vulnerability(known, version)));
    head.push(b',');
    head
}

/// The policies of projects, for all alerts of an answer at once.
type PoliciesOf = BTreeMap<ProjectId, Vec<Ranked>>;

fn rest<'a>(
    store: &'a Store,
    project: &'a Project,
    alert: &'a Alert,
    view: View,
    policies: &mut PoliciesOf,
) -> Rest<'a> {
    let spec = &alert.spec;
    let library = store.library_of_id(alert.key.library);
    let used = store.inventory_of(project.spec.id, alert.key.library);
    let is_security = spec.kind == AlertType::SecurityVulnerability;
    let is_ignored = spec.status == AlertStatus::Ignored;
    let last_modified = dates::day(spec.last_modified);
    let reachability = used.filter(|_| is_security && view.with_reachability && view.version == Version::V14);
    Rest {
        kind: spec.kind,
        level: match spec.kind {
            AlertType::SecurityVulnerability | AlertType::RejectedByPolicyResource => "MAJOR",
            _ => "MINOR",
        },
        library: library.map(|library| described(library, store)),
        project: &project.spec.name,
        project_id: project.spec.id,
        project_token: project.token(),
        direct_dependency: used.is_some_and(|used| used.is_direct),
        description: description(store, project, alert, view, policies),
        date: last_modified.clone(),
        modified_date: last_modified,
        status: is_security.then_some(match spec.status {
            AlertStatus::Active => "OPEN",
            AlertStatus::Ignored => "IGNORED",
            AlertStatus::Resolved => "RESOLVED",
        }),
        comments: spec.comments.as_deref().or(is_ignored.then_some("")),
        time: spec.last_modified.as_millisecond(),
        creation_date: dates::day(spec.created),
        alert_uuid: &spec.uuid,
        reachability_info: reachability.map(|used| ReachabilityInfo {
            analyzed: true,
            reachable: !used.ineffective_vulnerabilities.contains(alert.key.vulnerability.as_str()),
        }),
    }
}

/// What an alert says in words.
fn description(
    store: &Store,
    project: &Project,
    alert: &Alert,
    view: View,
    policies: &mut PoliciesOf,
) -> String {
    let Some(library) = store.library_of_id(alert.key.library) else { return String::new() };
    match alert.spec.kind {
        AlertType::SecurityVulnerability => {
            let severity = store.vulnerability(&alert.key.vulnerability).map(|known| {
                let of_cvss2 = Severity::of_cvss2(known.score);
                known.cvss3.as_ref().map_or(of_cvss2, |cvss3| severity_of_cvss3(cvss3.score, view.version))
            });
            severity.map_or_else(String::new, |severity| format!("{}:1,", capitalized(severity.as_str())))
        }
        AlertType::RejectedByPolicyResource => {
            let policies = policies.entry(project.spec.id).or_insert_with(|| store.policies_of(project));
            let policy = store.rejecting_policy(project, alert.key.library, policies, view.now);
            policy.map_or_else(String::new, |policy| policy.name.clone())
        }
        AlertType::MultipleLibraryVersions => {
            format!("Version {} is being used in project {}", library.version, project.spec.name)
        }
        AlertType::MultipleLicenses => format!("{} licenses identified", library.licenses.len()),
        AlertType::NewMajorVersion | AlertType::NewMinorVersion => {
            let newest = library.newest_version.as_deref().unwrap_or(&library.version);
            format!("A newer version is available: {newest}")
        }
        AlertType::HighSeverityBug | AlertType::RejectedDefactoResource => String::new(),
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
