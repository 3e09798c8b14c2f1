//! Reads the answer of `fetchProjectPolicyIssues`: nothing stops it, what is odd is noticed, and what is lost is said.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;

use super::issues::{Cause, Library, Policy, ProjectIssues, Violation, Vulnerability};
use super::wire::{self, Object};
use crate::core::model::Standing;
use crate::core::noticed::Noticed;

/// The words for what a violation is about: those that the page and the vendor's clients show, the page's match types,
/// and `LIBRARY`, which `mend.other-violation-type` takes for possible.
const KNOWN_VIOLATION_TYPES: [&str; 12] = [
    "EFFECTIVENESS",
    "GAV_REGEX",
    "LIBRARY",
    "LIBRARY_REQUEST_HISTORY",
    "LIBRARY_STALENESS",
    "LICENSE",
    "PRIMARY_ATTRIBUTE_VALUE",
    "PRODUCT",
    "RESOURCE_NAME_REGEX",
    "VULNERABILITY",
    "VULNERABILITY_SCORE",
    "VULNERABILITY_SEVERITY",
];

/// What a status means. `OPEN` is the only one that was ever seen on a violation. `Active`, `Ignored` and `Resolved`
/// are documented for alerts, which the same matches give rise to: a person ignores one, a scan resolves one.
/// `RESOLVED` is also the word of `mend.resolved-violations`.
pub(super) fn standing(status: &str) -> Standing {
    match status.trim().to_ascii_uppercase().as_str() {
        "OPEN" | "ACTIVE" => Standing::Open,
        "RESOLVED" | "IGNORED" => Standing::Closed,
        _ => Standing::Unknown,
    }
}

/// The answer; `None` if it has no list of issues.
pub(super) fn project_issues(body: &Object, noticed: &Noticed) -> Option<ProjectIssues> {
    let issues = wire::list(body, "issues")?;
    let name = |scope: &str, key: &str| wire::text(wire::object(body, scope)?, key);
    let mut reading = Reading { noticed, violations: BTreeMap::new(), is_complete: true };
    for issue in issues {
        match issue.as_object() {
            Some(issue) => reading.issue(issue),
            None => reading.lost("an element of issues is no object"),
        }
    }
    Some(ProjectIssues {
        organization: name("organization", "domainName"),
        product: name("product", "productName"),
        project: name("project", "projectName"),
        violations: reading.violations.into_values().collect(),
        is_complete: reading.is_complete,
    })
}

struct Reading<'a> {
    noticed: &'a Noticed,
    violations: BTreeMap<String, Violation>,
    is_complete: bool,
}

impl Reading<'_> {
    fn lost(&mut self, what: &str) {
        self.noticed.see(what);
        self.is_complete = false;
    }

    fn issue(&mut self, issue: &Object) {
        let Some(rows) = wire::list(issue, "policyViolations") else {
            return self.lost("an issue has no list policyViolations");
        };
        let library = Arc::new(self.library(issue));
        let policy = Arc::new(self.policy(issue));
        for row in rows {
            match row.as_object().and_then(|row| Some((row, wire::text(row, "issueUuid")?))) {
                Some((row, uuid)) => {
                    let violation = self.violation(uuid, row, &library, &policy);
                    self.take(violation);
                }
                None => self.lost("an element of policyViolations has no issueUuid"),
            }
        }
    }

    fn library(&self, issue: &Object) -> Library {
        let empty = Object::new();
        let library = wire::object(issue, "library").unwrap_or(&empty);
        let text = |key| wire::text(library, key);
        let library = Library {
            key_uuid: text("keyUuid"),
            name: text("name"),
            filename: text("filename"),
            version: text("version"),
            coordinates: text("coordinates"),
            kind: text("type"),
            url: text("url"),
        };
        if library.key_uuid.is_none() {
            self.noticed.see("an issue names no library by a keyUuid");
        }
        library
    }

    fn policy(&self, issue: &Object) -> Policy {
        let empty = Object::new();
        let policy = wire::object(issue, "policy").unwrap_or(&empty);
        let matched = wire::object(policy, "policyMatch").unwrap_or(&empty);
        let is_enabled = wire::flag(policy, "enabled");
        if is_enabled.is_none() {
            self.noticed.see("an issue's policy does not say whether it is enabled");
        }
        Policy {
            id: wire::text(policy, "id"),
            name: wire::text(policy, "name"),
            // Only a policy that was disabled is out of force.
            is_enabled: is_enabled.unwrap_or(true),
            // The page's example has `Url` here and `url` in the library beside it.
            url: wire::text(policy, "Url").or_else(|| wire::text(policy, "url")),
            priority: wire::count(policy, "priority"),
            match_type: wire::text(matched, "type"),
            match_value: wire::text(matched, "value"),
            context: wire::text(policy, "policyContext"),
        }
    }

    fn violation(
        &self,
        uuid: String,
        row: &Object,
        library: &Arc<Library>,
        policy: &Arc<Policy>,
    ) -> Violation {
        let status = wire::text(row, "status").unwrap_or_default();
        let standing = standing(&status);
        if standing == Standing::Unknown {
            self.noticed.see(format!("unknown status {:?} of a policy violation", wire::shown(&status)));
        }
        let violation_type = wire::text(row, "violationType").unwrap_or_default();
        if !KNOWN_VIOLATION_TYPES.contains(&violation_type.as_str()) {
            self.noticed.see(format!("unknown violationType {:?}", wire::shown(&violation_type)));
        }
        Violation {
            uuid,
            standing,
            status,
            violation_type,
            library: Arc::clone(library),
            policy: Arc::clone(policy),
            cause: cause(row),
            created: self.day(row, "created"),
            last_modified: self.day(row, "lastModified"),
        }
    }

    fn day(&self, row: &Object, key: &str) -> Option<Timestamp> {
        let day = wire::instant(row, key);
        if day.is_none() {
            self.noticed.see(format!("a policy violation has no {key} that can be read"));
        }
        day
    }

    /// A violation that comes twice is there once: as it changed last, and of two contradictory statements none is
    /// believed.
    fn take(&mut self, violation: Violation) {
        let mut known = match self.violations.entry(violation.uuid.clone()) {
            Entry::Vacant(free) => {
                free.insert(violation);
                return;
            }
            Entry::Occupied(known) => known,
        };
        if *known.get() == violation {
            return;
        }
        self.noticed.see("a policy violation is there twice, and not the same both times");
        let known = known.get_mut();
        let is_contradicted = known.standing != violation.standing;
        if violation.last_modified > known.last_modified {
            *known = violation;
        }
        if is_contradicted {
            known.standing = Standing::Unknown;
        }
    }
}

fn cause(row: &Object) -> Option<Cause> {
    if let Some(vulnerability) = wire::object(row, "vulnerability") {
        return vulnerability_of(vulnerability);
    }
    let license = wire::object(row, "license")?;
    let name = wire::text(license, "name").or_else(|| wire::text(license, "spdxName"))?;
    Some(Cause::License { name })
}

fn vulnerability_of(row: &Object) -> Option<Cause> {
    // Old vulnerabilities have no CVSS 3. A score of the one and a severity of the other would not fit together.
    let of_cvss3 = (wire::number(row, "cvss3_score"), wire::text(row, "cvss3_severity"));
    let of_cvss2 = (wire::number(row, "score"), wire::text(row, "severity"));
    let (score, severity) = if of_cvss3 == (None, None) { of_cvss2 } else { of_cvss3 };
    let fix = || {
        let fix = wire::object(row, "topFix")?;
        wire::text(fix, "fixResolution").or_else(|| wire::text(fix, "message"))
    };
    Some(Cause::Vulnerability(Box::new(Vulnerability {
        name: wire::text(row, "name")?,
        score,
        severity,
        description: wire::text(row, "description"),
        url: wire::text(row, "url"),
        fix: wire::text(row, "fixResolutionText").or_else(fix),
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::issues::{Cause, ProjectIssues};
    use super::{project_issues, standing};
    use crate::core::model::Standing;
    use crate::core::noticed::Noticed;

    fn read(body: &Value) -> (Option<ProjectIssues>, Noticed) {
        let noticed = Noticed::default();
        let issues = project_issues(body.as_object().unwrap(), &noticed);
        (issues, noticed)
    }

    fn issue(violations: &Value) -> Value {
        json!({"policy": {"enabled": true}, "library": {"keyUuid": "k"}, "policyViolations": violations})
    }

    #[test]
    fn an_answer_without_the_list_is_none() {
        for body in [json!({}), json!({"issues": null}), json!({"issues": {}}), json!({"project": {}})] {
            assert_eq!(read(&body).0, None, "{body}");
        }
    }

    #[test]
    fn words_for_being_over_are_known_and_other_words_say_nothing() {
        for (word, expected) in [
            ("OPEN", Standing::Open),
            ("open ", Standing::Open),
            ("Active", Standing::Open),
            ("RESOLVED", Standing::Closed),
            ("Ignored", Standing::Closed),
            ("REOPENED", Standing::Unknown),
            ("", Standing::Unknown),
        ] {
            assert_eq!(standing(word), expected, "{word}");
        }
        let (issues, noticed) =
            read(&json!({"issues": [issue(&json!([{"issueUuid": "u", "status": "ODD"}]))]}));
        assert_eq!(issues.unwrap().violations[0].standing, Standing::Unknown);
        assert_eq!(noticed.counts()["unknown status \"ODD\" of a policy violation"], 1);
    }

    #[test]
    fn what_is_lost_is_said() {
        for lost in [
            json!([7]),
            json!([{"policy": {}, "library": {}}]),
            json!([issue(&json!([{"status": "OPEN"}]))]),
            json!([issue(&json!([null]))]),
        ] {
            let (issues, noticed) = read(&json!({"issues": lost}));
            assert!(
                issues.is_some_and(|issues| !issues.is_complete && issues.violations.is_empty()),
                "{lost}"
            );
            assert!(!noticed.counts().is_empty(), "{lost}");
        }
        assert!(read(&json!({"issues": []})).0.unwrap().is_complete);
    }

    #[test]
    fn a_row_with_nothing_but_its_id_is_kept() {
        let (issues, _) =
            read(&json!({"issues": [{"policyViolations": [{"issueUuid": 7, "status": "OPEN"}]}]}));
        let issues = issues.unwrap();
        assert_eq!((issues.violations.len(), issues.is_complete), (1, true));
        assert!(issues.violations[0].uuid == "7" && issues.violations[0].is_open());
    }

    #[test]
    fn a_violation_of_a_disabled_policy_is_not_open() {
        for enabled in [json!(false), json!("false")] {
            let row = json!({"issueUuid": "u", "status": "OPEN"});
            let body = json!({"issues": [{"policy": {"enabled": enabled}, "policyViolations": [row]}]});
            let violation = read(&body).0.unwrap().violations.remove(0);
            assert_eq!((violation.standing.clone(), violation.is_open()), (Standing::Open, false));
        }
    }

    /// Row 13.
    #[test]
    fn a_row_that_comes_twice_is_there_once() {
        let row = |status: &str, day: &str| json!({"issueUuid": "u", "status": status, "lastModified": day});
        let merged = |one: &Value, two: &Value| {
            let (issues, noticed) = read(&json!({"issues": [issue(&json!([one])), issue(&json!([two]))]}));
            let mut issues = issues.unwrap();
            assert_eq!(issues.violations.len(), 1);
            let is_odd = noticed.counts().keys().any(|what| what.contains("twice"));
            (issues.violations.remove(0), is_odd)
        };
        let (violation, is_odd) = merged(&row("OPEN", "2021-01-01"), &row("OPEN", "2021-01-01"));
        assert_eq!((violation.standing, is_odd), (Standing::Open, false));
        let (violation, is_odd) = merged(&row("OPEN", "2021-01-02"), &row("OPEN", "2021-01-01"));
        assert_eq!(
            (violation.last_modified.unwrap().to_string(), is_odd),
            ("2021-01-02T00:00:00Z".to_owned(), true)
        );
        let (violation, is_odd) = merged(&row("OPEN", "2021-01-01"), &row("RESOLVED", "2021-01-02"));
        assert_eq!((violation.standing, is_odd), (Standing::Unknown, true));
    }

    #[test]
    fn a_vulnerability_without_cvss3_has_its_older_score() {
        let with = |vulnerability: Value| {
            let row = json!({"issueUuid": "u", "status": "OPEN", "vulnerability": vulnerability});
            match read(&json!({"issues": [issue(&json!([row]))]})).0.unwrap().violations.remove(0).cause {
                Some(Cause::Vulnerability(vulnerability)) => *vulnerability,
                other => panic!("{other:?}"),
            }
        };
        let old = with(
            json!({"name": "CVE-1", "score": "7.5", "severity": "high", "topFix": {"fixResolution": "Upgrade"}}),
        );
        assert_eq!(
            (old.score, old.severity.as_deref(), old.fix.as_deref()),
            (Some(7.5), Some("high"), Some("Upgrade"))
        );
        let new = with(
            json!({"name": "CVE-1", "score": 7.5, "severity": "high", "cvss3_score": 9.8, "cvss3_severity": "critical"}),
        );
        assert_eq!((new.score, new.severity.as_deref()), (Some(9.8), Some("critical")));
    }
}
