//! Reading Mend: projects that changed, and their policy violations.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::data_theorem::mark;
use super::tickets::Seen;
use super::{Progress, Run, Stop, whole};
use crate::adapters::mend::{Cause, Mend, ProjectIssues, TicketReport, Violation};
use crate::core::model::{GroupId, Item, ItemId, Link, ScopeId, Source, Standing};
use crate::core::policy::ViolationGroups;
use crate::core::text::Facts;
use crate::ledger::RecordedItem;
use crate::ports::{Ticket, VendorError};

const SOURCE: Source = Source::Mend;

/// So many complete lists in a row that leave a violation out say that it is over, even if its library is still there.
const ABSENCES_MAX: u32 = 2;

impl Run<'_> {
    /// Brings everything that changed at Mend in step.
    pub(super) fn mend(&mut self, vendor: &Mend) -> Result<(), Stop> {
        let identity = match vendor.identify() {
            Ok(identity) => identity,
            Err(error) => {
                self.vendor_failed(SOURCE.as_str(), &error);
                return Ok(());
            }
        };
        let scope = self.ledger.scope(&whole(SOURCE))?;
        let is_full = self.is_full_pass_due(&scope);
        let began = self.now();
        let (projects, newest) = match projects(vendor, is_full, self.since(is_full, scope.mark)) {
            Ok(found) => found,
            Err(error) => {
                self.vendor_failed("the list of projects", &error);
                return Ok(());
            }
        };
        let due = self.ledger.due_scopes(SOURCE)?;
        let due = due.iter().filter_map(|id| id.as_str().rsplit('/').next().map(str::to_owned));
        let projects: BTreeSet<String> = projects.into_iter().chain(due).collect();
        for project in &projects {
            if !self.policy.leave_out_projects.contains(project) {
                self.project(vendor, project)?;
            }
        }
        if is_full {
            self.look_at_every_ticket(SOURCE)?;
        }
        let mark = mark(identity.server_time, scope.mark.max(newest), began);
        self.ledger.handled(&whole(SOURCE), SOURCE, mark, is_full.then_some(began))?;
        Ok(())
    }

    /// Brings a project's violations in step. What fails is looked at again in the next run.
    fn project(&mut self, vendor: &Mend, project: &str) -> Result<(), Stop> {
        let id = ScopeId::new(format!("{SOURCE}/project/{project}"));
        (self.progress)(Progress::Reading(&id));
        let issues = match vendor.policy_issues(project) {
            Ok(issues) => issues,
            Err(error) => {
                self.vendor_failed(id.as_str(), &error);
                self.ledger.due_again(&id, SOURCE)?;
                return Ok(());
            }
        };
        let mut is_done = issues.is_complete;
        for (group, violations) in self.grouped_violations(project, &issues.violations) {
            let items = violations.iter().map(|violation| item(project, violation, &group, &id)).collect();
            let reference =
                violations.first().and_then(|one| one.library.key_uuid.clone()).unwrap_or_default();
            let mut facts = || facts(&issues, &violations);
            let seen = Seen { source: SOURCE, group, items, reference, facts: &mut facts };
            is_done &= self.handle(seen)?;
        }
        if issues.is_complete {
            let seen: BTreeSet<ItemId> =
                issues.violations.iter().map(|one| item_id(project, &one.uuid)).collect();
            is_done &= self.left_out(vendor, project, &id, &seen)?;
        }
        if is_done {
            self.ledger.handled(&id, SOURCE, None, None)?;
        } else {
            self.ledger.due_again(&id, SOURCE)?;
        }
        Ok(())
    }

    /// Violations that a complete list leaves out are over if their library left the project, or if the next complete
    /// list leaves them out as well (I5). `false`: that next list is waited for.
    fn left_out(
        &mut self,
        vendor: &Mend,
        project: &str,
        scope: &ScopeId,
        seen: &BTreeSet<ItemId>,
    ) -> Result<bool, Stop> {
        let recorded = self.ledger.items_of_scope(scope)?;
        let missing: Vec<(GroupId, RecordedItem)> = recorded
            .into_iter()
            .filter(|(_, item)| item.standing != Standing::Closed && !seen.contains(&item.id))
            .collect();
        if missing.is_empty() {
            return Ok(true);
        }
        let libraries: BTreeSet<&String> = missing.iter().map(|(_, item)| &item.reference).collect();
        let libraries: Vec<String> = libraries.into_iter().filter(|key| !key.is_empty()).cloned().collect();
        let present = match vendor.libraries_present(project, &libraries) {
            Ok(present) => present,
            Err(error) => {
                self.vendor_failed(scope.as_str(), &error);
                return Ok(false);
            }
        };
        let mut is_done = true;
        for (group, item) in missing {
            let has_left = !item.reference.is_empty() && !present.contains(&item.reference);
            let why = if has_left {
                "LIBRARY_GONE"
            } else if self.ledger.absent(&item.id)? >= ABSENCES_MAX {
                "NO_LONGER_VIOLATED"
            } else {
                is_done = false;
                continue;
            };
            self.ledger.over_because(&group, &item.id, why, self.now())?;
        }
        Ok(is_done)
    }

    fn grouped_violations<'v>(
        &self,
        project: &str,
        violations: &'v [Violation],
    ) -> BTreeMap<GroupId, Vec<&'v Violation>> {
        let mut groups: BTreeMap<GroupId, Vec<&Violation>> = BTreeMap::new();
        for violation in violations {
            let group = match (self.policy.group_violations, violation.library.key_uuid.as_deref()) {
                (ViolationGroups::Library, Some(key)) => format!("{SOURCE}/library/{project}/{key}"),
                (ViolationGroups::Library | ViolationGroups::Violation, _) => {
                    format!("{SOURCE}/violation/{project}/{}", violation.uuid)
                }
            };
            groups.entry(GroupId::new(group)).or_default().push(violation);
        }
        groups
    }
}

/// The tokens of the projects to look at, and when the newest of them changed.
fn projects(
    vendor: &Mend,
    is_full: bool,
    since: Option<Timestamp>,
) -> Result<(Vec<String>, Option<Timestamp>), VendorError> {
    if is_full || since.is_none() {
        let projects = vendor.projects()?;
        return Ok((projects.into_iter().map(|project| project.token).collect(), None));
    }
    let modified = vendor.modified_projects(since)?;
    let newest = modified.iter().filter_map(|project| project.newest).max();
    Ok((modified.into_iter().map(|project| project.token).collect(), newest))
}

fn item_id(project: &str, uuid: &str) -> ItemId {
    ItemId::new(format!("{SOURCE}/violation/{project}/{uuid}"))
}

fn item(project: &str, violation: &Violation, group: &GroupId, scope: &ScopeId) -> Item {
    // A violation of a policy that was switched off is listed and no longer counts.
    let (standing, status) = if violation.policy.is_enabled {
        (violation.standing.clone(), violation.status.clone())
    } else {
        (Standing::Closed, "POLICY_DISABLED".to_owned())
    };
    Item {
        id: item_id(project, &violation.uuid),
        group: group.clone(),
        scope: scope.clone(),
        standing,
        status,
        link: Link::NotShown,
    }
}

/// What a ticket about these violations of one library says.
fn facts(issues: &ProjectIssues, violations: &[&Violation]) -> Result<Facts, VendorError> {
    let open = violations.iter().find(|violation| violation.is_open()).or(violations.first());
    let Some(violation) = open else {
        let (operation, reason) = ("describe a group".to_owned(), "it has no violations".to_owned());
        return Err(VendorError::Malformed { operation, reason });
    };
    let (library, policy) = (&violation.library, &violation.policy);
    let library_name = [&library.filename, &library.coordinates, &library.name].into_iter().flatten().next();
    let library_name = library_name.cloned().unwrap_or_else(|| "a library".to_owned());
    let project = issues.project.clone().unwrap_or_default();
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| (name.to_owned(), value)));
    };
    row("Organization", issues.organization.clone());
    row("Product", issues.product.clone());
    row("Project", issues.project.clone());
    row("Library", library.coordinates.clone().or_else(|| library.name.clone()));
    row("Version", library.version.clone());
    row("Library in Mend", library.url.clone());
    row("Policy", policy.name.clone());
    row("Policy in Mend", policy.url.clone());
    let mut sections = Vec::new();
    for violation in violations {
        row(
            "Violation",
            Some(format!("{} ({}, {})", violation.uuid, violation.violation_type, violation.status)),
        );
        match &violation.cause {
            Some(Cause::License { name }) => row("Licence", Some(name.clone())),
            Some(Cause::Vulnerability(vulnerability)) => {
                row("Vulnerability", Some(vulnerability.name.clone()));
                row("Score", vulnerability.score.map(|score| score.to_string()));
                row("About it", vulnerability.url.clone());
                let text = vulnerability.description.clone();
                sections.extend(text.map(|text| (vulnerability.name.clone(), text)));
                let fix = vulnerability.fix.clone();
                sections.extend(fix.map(|fix| (format!("What helps against {}", vulnerability.name), fix)));
            }
            None => {}
        }
    }
    let (what, severity) = match &violation.cause {
        Some(Cause::License { name }) => (format!("{library_name} has the licence {name}"), None),
        Some(Cause::Vulnerability(vulnerability)) => {
            (format!("{library_name} has {}", vulnerability.name), vulnerability.severity.clone())
        }
        None => (format!("{library_name} violates {}", policy.name.as_deref().unwrap_or("a policy")), None),
    };
    Ok(Facts {
        source: SOURCE,
        what,
        severity,
        place: project,
        status: violation.status.clone(),
        vendor_link: library.url.clone(),
        sections,
        rows,
    })
}

/// Lets Mend know a violation's ticket.
pub(super) fn report(
    vendor: &Mend,
    project: &str,
    violation: &str,
    ticket: &Ticket,
) -> Result<(), VendorError> {
    let report = TicketReport {
        identifier: ticket.key.to_string(),
        url: ticket.url.clone(),
        status: Some(ticket.status.clone()).filter(|status| !status.is_empty()),
        ..TicketReport::default()
    };
    vendor.report(project, violation, &report).map(|_| ())
}
