//! `fetchProjectPolicyIssues`: the fields of its answer.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_FETCH_ISSUE_FIELDS, MEND_FETCH_LIBRARY_FIELDS, MEND_FETCH_POLICY_ACTION, MEND_FETCH_POLICY_CREATION,
    MEND_FETCH_POLICY_FIELDS, MEND_FETCH_POLICY_FILTER, MEND_FETCH_POLICY_MATCH, MEND_FETCH_POLICY_OWNER,
    MEND_FETCH_SCOPE_FIELDS, MEND_FETCH_VIOLATION_DATES, MEND_FETCH_VIOLATION_EACH,
    MEND_FETCH_VIOLATION_FIELDS, MEND_FETCH_VIOLATION_LICENSE, MEND_FETCH_VIOLATION_OPEN,
    MEND_FETCH_VIOLATION_VULNERABILITY,
};
use serde_json::{Value, json};

use super::asking::{FETCH, LIBRARIES, about, key_uuid, project_of};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{self, *};
use crate::suite::shape::brief;

checks! { "mend/policy-issues";
    scope_fields: MEND_FETCH_SCOPE_FIELDS, Reading, scope_fields;
    issue_fields: MEND_FETCH_ISSUE_FIELDS, Reading, |case| has_all(issues(case)?, ISSUE);
    policy_match: MEND_FETCH_POLICY_MATCH, Reading, policy_match;
    policy_fields: MEND_FETCH_POLICY_FIELDS, Reading, policy_fields;
    policy_owner: MEND_FETCH_POLICY_OWNER, Reading, |case| has_all(&part(case, "policy", "owner")?, OWNER);
    policy_filter: MEND_FETCH_POLICY_FILTER, Reading, policy_filter;
    policy_action: MEND_FETCH_POLICY_ACTION, Reading, |case| has_all(&part(case, "policy", "action")?, ACTION);
    policy_creation_time_is_a_day: MEND_FETCH_POLICY_CREATION, Reading,
        |case| policies(case)?.each_present("creationTime", &Day);
    library_fields: MEND_FETCH_LIBRARY_FIELDS, Reading, |case| has_all(&members(issues(case)?, "library"), LIBRARY);
    violation_fields: MEND_FETCH_VIOLATION_FIELDS, Reading, |case| has_all(&violations(case)?, VIOLATION);
    violation_dates_are_days: MEND_FETCH_VIOLATION_DATES, Reading,
        |case| violations(case)?.each_present_of(&["created", "lastModified"], &Day);
    standing_violation_is_open: MEND_FETCH_VIOLATION_OPEN, Reading, standing_violation_is_open;
    violation_by_license: MEND_FETCH_VIOLATION_LICENSE, Reading, |case| has_all(&of_type(case, "LICENSE", "license")?, LICENSE);
    violation_by_vulnerability: MEND_FETCH_VIOLATION_VULNERABILITY, Reading, violation_by_vulnerability;
    violation_is_about_one_thing: MEND_FETCH_VIOLATION_EACH, Reading, violation_is_about_one_thing;
}

/// Members and their forms.
type Fields = &'static [(&'static str, Shape)];

const ISSUE: Fields = &[("policy", Object), ("library", Object), ("policyViolations", ListOf(&Object))];
const POLICY: Fields = &[
    ("id", Integer),
    ("name", Text),
    ("owner", Object),
    ("creationTime", Text),
    ("priority", Integer),
    ("filter", Object),
    ("inclusive", Boolean),
    ("action", Object),
    ("productLevel", Boolean),
    ("enabled", Boolean),
    ("policyContext", FilledText),
];
const OWNER: Fields = &[("id", Integer), ("email", Text), ("name", Text)];
const ACTION: Fields = &[("type", OneOf(&["CREATE_ISSUE"])), ("failPolicyCheck", Boolean)];
const FILTER: Fields = &[("type", FilledText), ("scoreFrom", Number), ("scoreTo", Number)];
pub(super) const LIBRARY: Fields = &[
    ("url", Text),
    ("localPaths", ListOf(&Text)),
    ("keyUuid", FilledText),
    ("keyId", Integer),
    ("filename", Text),
    ("type", FilledText),
    ("coordinates", Text),
    ("sha1", Text),
    ("name", Text),
    ("artifactId", Text),
    ("version", Text),
    ("groupId", Text),
    ("architecture", Text),
    ("languageVersion", Text),
];
const VIOLATION: Fields = &[
    ("issueUuid", FilledText),
    ("status", FilledText),
    ("violationType", FilledText),
    ("created", FilledText),
    ("lastModified", FilledText),
];
const LICENSE: Fields = &[("name", FilledText), ("spdxName", Text), ("url", Text), ("references", List)];
const VULNERABILITY: Fields = &[
    ("name", FilledText),
    ("severity", FilledText),
    ("score", Number),
    ("description", Text),
    ("url", Text),
    ("publishDate", FilledText),
    ("type", FilledText),
];

/// Every row has all of these members.
pub(super) fn has_all(rows: &Rows, fields: &[(&str, Shape)]) -> Verdict {
    for (name, shape) in fields {
        rows.each(name, shape)?;
    }
    Held::over(rows.rows.len(), &format!("not {} was seen", rows.what))
}

fn issues(case: &Case) -> Result<&Rows, Stop> {
    case.mend()?.policy_issues()
}

/// Objects that rows have under this name, as rows of their own.
fn members(rows: &Rows, name: &'static str) -> Rows {
    let members = rows.rows.iter().filter_map(|row| {
        let json = row.get(name).filter(|member| member.is_object())?.clone();
        Some(Row { json, evidence: row.evidence.clone() })
    });
    Rows { what: name, rows: members.collect(), is_complete: rows.is_complete }
}

fn part(case: &Case, name: &'static str, part: &'static str) -> Result<Rows, Stop> {
    Ok(members(&members(issues(case)?, name), part))
}

fn policies(case: &Case) -> Result<Rows, Stop> {
    Ok(members(issues(case)?, "policy"))
}

fn violations(case: &Case) -> Result<Rows, Stop> {
    Ok(issues(case)?.items_of("policyViolations", "a violation"))
}

/// What violations of a type are about.
fn of_type(case: &Case, violation_type: &str, what: &'static str) -> Result<Rows, Stop> {
    let of_type = violations(case)?.only(|row| row.text("violationType") == Some(violation_type));
    let missing = of_type.rows.iter().find(|row| row.get(what).is_none_or(|about| !about.is_object()));
    match missing {
        Some(row) => broken_at(&row.evidence, format!("a violation has `{what}`"), brief(&row.json)),
        None => Ok(members(&of_type, what)),
    }
}

fn scope_fields(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = project_of(issues(case)?.find("issue", |_| true)?);
    let answer = api.accepted(FETCH, &about(project))?;
    let row = Rows { what: "the answer", rows: vec![answer.row()], is_complete: true };
    let pair = |scope: &'static str, shape: Shape| row.each(scope, &shape);
    pair("organization", Members(&[("domainName", Text), ("orgToken", FilledText)]))?;
    pair("product", Members(&[("productName", Text), ("productToken", FilledText)]))?;
    pair("project", Members(&[("projectName", Text), ("projectToken", FilledText)]))
}

/// Names that are joined by commas.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(',').map(str::trim).collect()
}

fn policy_match(case: &Case) -> Verdict {
    let policies = policies(case)?;
    policies.each("policyMatch", &Members(&[("type", FilledText), ("value", Text)]))?;
    let mut licenses = 0;
    let verdict = policies.all("`policyMatch` says by what the policy matches", |policy| {
        let (shown, filter) = (&policy.json["policyMatch"], &policy.json["filter"]);
        let seen = || Some(format!("{shown} of a policy with the filter {}", brief(filter)));
        if filter["type"].is_string() && filter["type"] != shown["type"] {
            return seen();
        }
        let wanted: Option<BTreeSet<&str>> =
            filter["licenses"].as_array()?.iter().map(|license| license["name"].as_str()).collect();
        licenses += 1;
        if wanted? == names(shown["value"].as_str().unwrap_or_default()) { None } else { seen() }
    });
    verdict?;
    Held::over(licenses, "no policy about licences was seen")
}

fn policy_fields(case: &Case) -> Verdict {
    let policies = policies(case)?;
    has_all(&policies, POLICY)?;
    policies.all("a policy has a link", |policy| {
        let link = policy.text("Url").or(policy.text("url"));
        link.is_none_or(str::is_empty).then(|| brief(&policy.json))
    })
}

fn policy_filter(case: &Case) -> Verdict {
    let filters = part(case, "policy", "filter")?;
    has_all(&filters, FILTER)?;
    let by_license = filters.only(|filter| filter.text("type") == Some("LICENSE"));
    by_license.each("licenses", &ListOf(&Members(&[("id", Integer), ("name", FilledText)])))
}

/// A violation stands if the project still has the library and something applies to it, as the call that is made
/// for this says.
fn standing_violation_is_open(case: &Case) -> Verdict {
    let (api, issues) = (case.mend()?, issues(case)?);
    let project = project_of(issues.find("violation", |row| !row.list("policyViolations").is_empty())?);
    let of_project = issues.only(|issue| project_of(issue) == project);
    let asked: BTreeSet<&str> = of_project.rows.iter().filter_map(key_uuid).collect();
    let answer = api.accepted(LIBRARIES, &json!({"projectToken": project, "keyUuids": asked}))?;
    let standing = answer.rows("libraries", "a library");
    let mut open = 0;
    for library in standing.rows.iter().filter_map(|row| row.text("keyUuid")) {
        let of_library = of_project.only(|issue| key_uuid(issue) == Some(library));
        let found = of_library.items_of("policyViolations", "a violation");
        let Some(first) = found.rows.first() else { continue };
        if !found.rows.iter().any(|violation| violation.text("status") == Some("OPEN")) {
            let seen = format!("{} of {library}", first.json["status"]);
            return broken_at(&first.evidence, "the status OPEN of a violation that stands", seen);
        }
        open += 1;
    }
    Held::over(open, "no library with violations is there any more")
}

fn violation_by_vulnerability(case: &Case) -> Verdict {
    has_all(&of_type(case, "VULNERABILITY", "vulnerability")?, VULNERABILITY)?;
    let of_type = violations(case)?.only(|row| row.text("violationType") == Some("VULNERABILITY"));
    of_type.all("a violation by a vulnerability has no licence", |row| row.get("license").map(brief))
}

fn violation_is_about_one_thing(case: &Case) -> Verdict {
    let about = |violation: &Value| {
        let about = ["license", "vulnerability"].map(|name| violation[name]["name"].as_str());
        about.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut seen = 0;
    for issue in &issues(case)?.rows {
        let mut names = BTreeSet::new();
        for violation in issue.list("policyViolations") {
            let about = about(violation);
            let is_single = about.len() < 2 && about.iter().all(|name| names.insert(name.clone()));
            if !is_single {
                let expected = "a violation about a single licence or vulnerability, which has no other one";
                return broken_at(&issue.evidence, expected, brief(violation));
            }
            seen += about.len();
        }
    }
    Held::over(seen, "no violation about a licence or a vulnerability was seen")
}
