//! Policies that a probe adds to a project, about licences of libraries that are there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::client::{Answer, Mend};
use super::windows::violation_of;
use crate::suite::check::{Stop, not_exercised, observed};
use crate::suite::rows::{Row, Rows};

/// A project to which policies are added.
pub(super) struct Ground<'c> {
    api: Mend<'c>,
    pub(super) project: String,
    owner: Value,
    libraries: Vec<Licensed>,
    issues: Rows,
}

/// A library of a project.
#[derive(Debug, Clone)]
pub(super) struct Licensed {
    pub(super) key_uuid: String,
    pub(super) licenses: BTreeSet<String>,
}

/// A policy about the one licence of a library that no other policy matches.
pub(super) struct OwnPolicy<'c> {
    pub(super) ground: Ground<'c>,
    pub(super) id: Value,
    pub(super) library: Licensed,
    /// A library that the policy does not match, and no other one either.
    pub(super) other: Licensed,
}

impl<'c> Ground<'c> {
    /// A project in which something is found.
    pub(super) fn find<T>(
        api: Mend<'c>,
        what: &str,
        fits: impl Fn(&Self) -> Result<Option<T>, Stop>,
    ) -> Result<(Self, T), Stop> {
        for project in &api.projects()?.rows {
            let Some(project) = project.text("projectToken") else { continue };
            let issues = api.policy_issues_of(project)?;
            let owner =
                issues.rows.iter().map(|issue| &issue.json["policy"]["owner"]).find(|one| one.is_object());
            let Some(owner) = owner.cloned() else { continue };
            let answer = api.accepted("getProjectLicenses", &json!({"projectToken": project}))?;
            let libraries =
                answer.rows("libraries", "a library").rows.iter().filter_map(Licensed::read).collect();
            let ground = Self { api, project: project.to_owned(), owner, libraries, issues };
            if let Some(found) = fits(&ground)? {
                return Ok((ground, found));
            }
        }
        not_exercised(format!("there is no project with issues and {what}"))
    }

    /// Two libraries that no policy matches, each with a single licence, which the other does not have.
    pub(super) fn unmatched_pair(&self) -> Option<(Licensed, Licensed)> {
        let is_matched = |library: &Licensed| self.issues.rows.iter().any(|issue| library.stands_in(issue));
        let mut free = self.libraries.iter().filter(|one| one.licenses.len() == 1 && !is_matched(one));
        let one = free.next()?;
        let other = free.find(|other| other.licenses != one.licenses)?;
        Some((one.clone(), other.clone()))
    }

    /// A critical vulnerability of the project, in a library without one that is high: the library's `keyUuid` and the
    /// vulnerability's name.
    pub(super) fn critical_alone(&self) -> Result<Option<(String, String)>, Stop> {
        let fields = json!({"projectToken": self.project, "alertType": "SECURITY_VULNERABILITY"});
        let alerts = self.api.accepted("getProjectAlertsByType", &fields)?.rows("alerts", "an alert").rows;
        let library = |alert: &Row| alert.json["library"]["keyUuid"].as_str().map(str::to_owned);
        let score = |alert: &Row| alert.json["vulnerability"]["cvss3_score"].as_f64();
        let is_high = |alert: &&Row| score(alert).is_none_or(|score| (7.0..9.0).contains(&score));
        let with_high: BTreeSet<_> = alerts.iter().filter(is_high).map(library).collect();
        let critical = alerts.iter().filter(|alert| score(alert).is_some_and(|score| score >= 9.0));
        let mut alone = critical.filter(|alert| !with_high.contains(&library(alert)));
        Ok(alone.find_map(|alert| {
            Some((library(alert)?, alert.json["vulnerability"]["name"].as_str()?.to_owned()))
        }))
    }

    /// A library with several licences that no policy of the project itself matches.
    pub(super) fn with_licenses(&self, least: usize) -> Option<Licensed> {
        let is_matched = |library: &Licensed| {
            let of_project = |issue: &&Row| issue.json["policy"]["policyContext"] == "PROJECT";
            self.issues.rows.iter().filter(of_project).any(|issue| library.stands_in(issue))
        };
        self.libraries.iter().find(|one| one.licenses.len() >= least && !is_matched(one)).cloned()
    }

    /// Adds a policy about licences to the project and returns its id.
    pub(super) fn add(&self, priority: u64, licenses: &[&String]) -> Result<Value, Stop> {
        self.add_policy(priority, &filter(licenses))
    }

    /// Adds a policy with this filter to the project and returns its id.
    pub(super) fn add_policy(&self, priority: u64, filter: &Value) -> Result<Value, Stop> {
        let settings = json!({"issueTrackerType": "COMMON_ISSUE_TRACKER"});
        let policy = json!({
            "name": format!("Contract suite {priority}"), "owner": self.owner, "priority": priority,
            "filter": filter, "action": {"type": "CREATE_ISSUE", "issueSettings": settings},
        });
        let fields = json!({"projectToken": self.project, "policy": policy});
        let added = self.api.accepted("addProjectPolicy", &fields)?;
        let id = added.json.get("id").filter(|id| id.is_number());
        id.cloned().ok_or_else(|| Stop::NotExercised("a policy that was added has no `id`".to_owned()))
    }

    /// The issue of a policy and a library.
    pub(super) fn issue(&self, policy: &Value, library: &Licensed) -> Result<Option<Row>, Stop> {
        Ok(self.issues_of(policy)?.into_iter().find(|issue| library.stands_in(issue)))
    }

    /// The issues of a policy.
    pub(super) fn issues_of(&self, policy: &Value) -> Result<Vec<Row>, Stop> {
        let mut issues = self.api.policy_issues_of(&self.project)?.rows;
        issues.retain(|issue| issue.json["policy"]["id"] == *policy);
        Ok(issues)
    }
}

impl Licensed {
    fn read(row: &Row) -> Option<Self> {
        let names = row.list("licenses").iter().filter_map(|license| license["name"].as_str());
        let licenses = names.map(str::to_owned).collect();
        Some(Self { key_uuid: row.text("keyUuid")?.to_owned(), licenses })
    }

    fn stands_in(&self, issue: &Row) -> bool {
        issue.json["library"]["keyUuid"] == self.key_uuid.as_str()
    }
}

impl<'c> OwnPolicy<'c> {
    /// Adds it, and sees that it matches.
    pub(super) fn acting(api: Mend<'c>) -> Result<Self, Stop> {
        let what = "two libraries that no policy matches";
        let (ground, (library, other)) = Ground::find(api, what, |ground| Ok(ground.unmatched_pair()))?;
        let id = ground.add(1, &library.licenses.iter().collect::<Vec<_>>())?;
        let made = Self { ground, id, library, other };
        observed(made.open_violation()?.is_some(), "a new policy does not match at once")?;
        Ok(made)
    }

    /// The issue of its library.
    pub(super) fn issue(&self) -> Result<Option<Row>, Stop> {
        self.ground.issue(&self.id, &self.library)
    }

    /// The id of its library's violation, if that is open.
    pub(super) fn open_violation(&self) -> Result<Option<String>, Stop> {
        let issue = self.issue()?;
        let open = issue.as_ref().and_then(|issue| violation_of(issue, |one| one["status"] == "OPEN"));
        Ok(open.and_then(|one| one["issueUuid"].as_str()).map(str::to_owned))
    }

    /// Switches it off.
    pub(super) fn disable(&self) -> Result<(), Stop> {
        let answer = self.update(&json!({"id": self.id, "enabled": false}))?;
        observed(answer.json["enabled"] == false, "a policy can't be disabled")
    }

    /// Lets it match by other licences than it did, and sees that it does so.
    pub(super) fn match_instead(&self, library: &Licensed) -> Result<(), Stop> {
        let licenses: Vec<&String> = library.licenses.iter().collect();
        self.update(&json!({"id": self.id, "filter": filter(&licenses)}))?;
        let matches = self.ground.issue(&self.id, library)?.is_some();
        observed(matches, "a changed policy does not match at once")
    }

    fn update(&self, policy: &Value) -> Result<Answer, Stop> {
        let fields = json!({"projectToken": self.ground.project, "policy": policy});
        self.ground.api.accepted("updateProjectPolicy", &fields)
    }
}

fn filter(licenses: &[&String]) -> Value {
    let licenses: Vec<Value> = licenses.iter().map(|name| json!({"name": name})).collect();
    json!({"type": "LICENSE", "licenses": licenses})
}
