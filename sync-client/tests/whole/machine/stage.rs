//! The little world of a history, and how its steps are performed there.

use std::collections::BTreeMap;

use fixtures::builders::mend::{library, licenses, policy, project, token, vulnerability};
use fixtures::builders::{api_key, app, days, finding, issue_type, target, world};
use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::TargetStatus;
use fixtures::world::mend::Filter;
use serde_json::{Value, json};
use sync_client::core::model::TicketKey;
use sync_client::core::policy::Policy;
use sync_client::sync::Options;

use super::judge::Judge;
use super::steps::{AtDataTheorem, AtMend, Edit, Step};
use crate::trackers::Kind;
use crate::world::{Ended, Setup, World};

/// One of several, by any number.
fn of(choice: u8, count: usize) -> usize {
    usize::from(choice) % count.max(1)
}

const EPOCH: &str = "2026-01-15T12:00:00Z";
pub(crate) const APPS: [&str; 2] = ["643010001", "643010002"];
pub(crate) const PROJECTS: [&str; 2] = ["wallet-api", "wallet-app"];
pub(crate) const LIBRARIES: [&str; 5] = ["ledger", "parser", "widgets", "crypto", "images"];
const VULNERABILITY: &str = "CVE-2025-10001";
pub(crate) const COPYLEFT: &str = "GPL 3.0";

/// So many runs after the last blow both sides have to be in step.
const RUNS_MAX: usize = 4;
/// So many further runs have to write nothing.
const QUIET_RUNS: usize = 3;

/// Two apps with three findings and six targets; two projects with two libraries, three more that a
/// scan may find, two policies and three violations.
pub(crate) fn little_world() -> WorldSpec {
    let kinds = ["11111111-0000-5000-8000-00000000000a", "11111111-0000-5000-8000-00000000000b"];
    let mut spec = world(EPOCH.parse().unwrap()).key(api_key("sync"));
    for kind in kinds {
        spec = spec.issue_type(issue_type(kind));
    }
    for id in APPS {
        spec = spec.app(app(id));
    }
    let findings =
        [("053069", APPS[0], kinds[0]), ("053070", APPS[0], kinds[1]), ("053071", APPS[1], kinds[0])];
    for (number, (id, app, kind)) in findings.into_iter().enumerate() {
        spec = spec.finding(finding(id, app, kind));
        for part in 0..2 {
            let of_finding = target(&format!("46514531732029{number}{part}"), id);
            let text = format!("`com.example.Component{number}{part}`");
            let status = match (number, part) {
                (0, 1) => TargetStatus::New,
                (1, 1) => TargetStatus::ClosedFixed,
                _ => TargetStatus::Open,
            };
            let of_finding = of_finding.text(&text).status(status);
            spec = spec.target(if number == 2 && part == 1 {
                of_finding.external_id("SEC-7")
            } else {
                of_finding
            });
        }
    }
    let known = |index: usize| {
        let library = library("com.example", LIBRARIES[index], "1.0.0");
        match index {
            0 => library.license("MIT").vulnerability(VULNERABILITY),
            1 => library.license(COPYLEFT),
            3 => library.license(COPYLEFT).vulnerability(VULNERABILITY),
            _ => library.license("MIT"),
        }
    };
    let projects =
        [project(PROJECTS[0]).library(known(0)).library(known(1)), project(PROJECTS[1]).library(known(0))];
    for project in projects {
        spec = spec.mend_project(project);
    }
    for index in 2..LIBRARIES.len() {
        spec = spec.mend_library(known(index));
    }
    let severe = Filter::VulnerabilityScore { from: 7.0, to: 10.0 };
    spec.mend_vulnerability(vulnerability(VULNERABILITY).cvss3(9.8))
        .mend_policy(policy("[Security] High", severe))
        .mend_policy(policy("[License] Copyleft", licenses([COPYLEFT])))
        .build()
}

/// A history as it goes on.
pub(super) struct Stage {
    world: World,
    judge: Judge,
    number: u32,
}

impl Stage {
    pub(super) fn new(tracker: Kind) -> Self {
        let readings = BTreeMap::new();
        let setup =
            Setup { world: little_world(), page_size: 2, readings, tracker, policy: Policy::default() };
        let world = World::new(&setup);
        let judge = Judge::new(&world);
        Self { world, judge, number: 0 }
    }

    /// Does one step and looks at both sides; what is wrong is an error.
    pub(super) fn perform(&mut self, step: &Step) -> Result<(), String> {
        self.number += 1;
        match step {
            Step::DataTheorem(step) => {
                let event = self.at_data_theorem(step);
                self.vendors_move(event, matches!(step, AtDataTheorem::AppRemoved { .. }));
            }
            Step::Mend(step) => {
                let event = self.at_mend(step);
                self.vendors_move(event, matches!(step, AtMend::ProjectDeleted { .. }));
            }
            Step::Person(edit, ticket) => self.person(*edit, *ticket),
            Step::Wait(seconds) => self.world.wait(*seconds),
            Step::Run { is_full, blows } => {
                self.world.blows.plan(blows);
                self.run(*is_full)?;
            }
            Step::LoseLedger => {
                self.world.forget();
                self.judge.ledger_lost(&self.world);
            }
        }
        Ok(())
    }

    /// A run under the judge's eyes; says how many writes it made.
    fn run(&mut self, is_full: bool) -> Result<u64, String> {
        // Two runs never begin in the same second.
        self.world.wait(1);
        self.judge.before_run(&self.world);
        let ended = self.world.run(Options { is_full, ..Options::default() });
        let struck = self.world.blows.struck();
        let report = match ended {
            Ended::Report(report) => Some(report),
            Ended::Killed => None,
            Ended::Ledger(error) => return Err(format!("the ledger failed: {error}")),
        };
        let wrong = self.judge.after_run(&self.world, report.as_deref(), is_full, !struck.is_empty());
        if wrong.is_empty() {
            return Ok(report.map_or(0, |report| report.writes()));
        }
        Err(format!("{}; blows: {struck:?}; report: {report:?}", wrong.join("; ")))
    }

    /// The blows stop: after a few runs both sides are in step, and stay so.
    pub(super) fn come_to_rest(&mut self) -> Result<(), String> {
        self.world.blows.plan(&[]);
        for run in 0..RUNS_MAX {
            self.world.wait(60);
            self.run(true).map_err(|wrong| format!("calm run {run}: {wrong}"))?;
        }
        let wrong = self.judge.at_rest(&self.world);
        if !wrong.is_empty() {
            return Err(format!("not in step: {}", wrong.join("; ")));
        }
        for run in 0..QUIET_RUNS {
            self.world.wait(60);
            let writes = self.run(run == 1).map_err(|wrong| format!("quiet run {run}: {wrong}"))?;
            if writes > 0 {
                return Err(format!("quiet run {run} writes: {writes}"));
            }
        }
        Ok(())
    }

    /// Lets something happen, if it can in the world as it is.
    fn vendors_move(&mut self, event: Option<Value>, removes: bool) {
        if let Some(event) = event {
            self.try_event(event);
        }
        self.judge.vendors_moved(&self.world, removes);
    }

    fn at_data_theorem(&mut self, step: &AtDataTheorem) -> Option<Value> {
        let spec = self.world.vendors_side();
        let targets: Vec<String> =
            spec.data_theorem.security_finding_targets.iter().map(|target| target.id.clone()).collect();
        let event = match step {
            AtDataTheorem::Scan { app, seen, missed } => {
                let app = APPS[of(*app, 2)];
                let of_app: Vec<&String> = spec
                    .data_theorem
                    .security_finding_targets
                    .iter()
                    .filter(|target| {
                        let findings = &spec.data_theorem.security_findings;
                        let mut of_target =
                            findings.iter().filter(|one| one.id == target.security_finding_id);
                        of_target.any(|finding| finding.mobile_app_id == app)
                    })
                    .map(|target| &target.id)
                    .collect();
                let of_bits = |bits: u8| {
                    let of_app = of_app.iter().enumerate();
                    of_app
                        .filter(move |(index, _)| bits & (1 << (index % 8)) != 0)
                        .map(|(_, id)| (*id).clone())
                };
                let seen: Vec<_> = of_bits(*seen).map(|id| json!({"target_id": id})).collect();
                let missed: Vec<_> =
                    of_bits(*missed).filter(|id| !seen.contains(&json!({"target_id": id}))).collect();
                json!({"type": "data_theorem.scan", "mobile_app_id": app, "observed": seen,
                    "missed": {"targets": missed}})
            }
            AtDataTheorem::FindingAdded { app, targets } => {
                let id = format!("0540{:02}", self.number);
                let app = APPS[of(*app, 2)];
                let kind = format!("22222222-0000-5000-8000-0000000000{:02}", self.number);
                self.try_event(json!({"type": "data_theorem.issue_type_added",
                    "issue_type": issue_type(&kind).build()}));
                let now = spec.epoch;
                let finding = finding(&id, app, &kind).created(days(0)).build(now);
                let targets: Vec<_> = (0..=of(*targets, 2))
                    .map(|part| {
                        let of_finding = target(&format!("5{id}00{part}"), &id).status(TargetStatus::New);
                        of_finding.text(&format!("`com.example.Added{part}`")).created(days(0)).build(now)
                    })
                    .collect();
                json!({"type": "data_theorem.finding_added", "finding": finding, "targets": targets})
            }
            AtDataTheorem::Status { target, status } => {
                let id = targets.get(of(*target, targets.len()))?;
                let status = TargetStatus::ALL[of(*status, TargetStatus::ALL.len())];
                json!({"type": "data_theorem.target_status", "target_id": id, "status": status})
            }
            AtDataTheorem::SetTicket { target, number } => {
                let id = targets.get(of(*target, targets.len()))?;
                let key = format!("SEC-{}", number % 4);
                self.judge.people.links.insert(group_of_target(id), key.clone());
                json!({"type": "data_theorem.external_id", "target_id": id, "external_id": key})
            }
            AtDataTheorem::ClearTicket { target } => {
                let id = targets.get(of(*target, targets.len()))?;
                self.judge.people.links.remove(&group_of_target(id));
                json!({"type": "data_theorem.external_id", "target_id": id, "external_id": null})
            }
            AtDataTheorem::AppRemoved { app } => {
                json!({"type": "data_theorem.app_removed", "mobile_app_id": APPS[of(*app, 2)]})
            }
        };
        Some(event)
    }

    fn at_mend(&mut self, step: &AtMend) -> Option<Value> {
        let spec = self.world.vendors_side();
        let library_key =
            |index: usize| library("com.example", LIBRARIES[index], "1.0.0").key_uuid().to_owned();
        let chosen = |bits: u8| (0..LIBRARIES.len()).filter(move |index| bits & (1 << index) != 0);
        let event = match step {
            AtMend::Scan { project, added, removed } => {
                let token = token("project", PROJECTS[of(*project, 2)]);
                let project = spec.mend.projects.iter().find(|one| one.token() == token)?;
                let has = |key: &String| project.inventory.iter().any(|used| used.key_uuid == *key);
                let removed: Vec<_> = chosen(*removed).map(library_key).filter(has).collect();
                let added = chosen(*added).map(library_key).filter(|key| !removed.contains(key));
                let added: Vec<_> = added.map(|key| json!({"key_uuid": key})).collect();
                json!({"type": "mend.scan", "project_token": token, "added": added, "removed": removed})
            }
            AtMend::Published { library, number } => {
                let vulnerability = vulnerability(&format!("CVE-2026-2000{}", number % 4)).cvss3(8.1);
                let vulnerability = vulnerability.build(spec.epoch);
                let key = library_key(of(*library, LIBRARIES.len()));
                json!({"type": "mend.vulnerability_published", "vulnerability": vulnerability, "key_uuids": [key]})
            }
            AtMend::Rescored { is_high } => {
                let score = if *is_high { 9.8 } else { 3.1 };
                spec.mend.vulnerabilities.iter().find(|one| one.name == VULNERABILITY)?;
                let rescored = vulnerability(VULNERABILITY).cvss3(score).build(spec.epoch);
                json!({"type": "mend.vulnerability_rescored", "name": VULNERABILITY, "cvss3": rescored.cvss3})
            }
            AtMend::Licenses { library, is_copyleft } => {
                let key = library_key(of(*library, LIBRARIES.len()));
                let license = if *is_copyleft { COPYLEFT } else { "MIT" };
                json!({"type": "mend.licenses_changed", "key_uuid": key, "licenses": [license]})
            }
            AtMend::Policy { policy, is_enabled } => {
                let listed =
                    self.world.ask_mend("getOrganizationPolicies", json!({"aggregatePolicies": false}));
                let policies = listed["policies"].as_array().unwrap();
                let mut policy = policies[of(*policy, policies.len())].clone();
                policy["enabled"] = (*is_enabled).into();
                let changed = self.world.ask_mend("updateOrganizationPolicy", json!({"policy": policy}));
                assert_eq!(changed["enabled"], *is_enabled, "{changed}");
                return None;
            }
            AtMend::ProjectRenamed { project } => {
                let token = token("project", PROJECTS[of(*project, 2)]);
                let name = format!("renamed-{}", self.number);
                json!({"type": "mend.project_renamed", "project_token": token, "name": name})
            }
            AtMend::ProjectDeleted { project } => {
                let token = token("project", PROJECTS[of(*project, 2)]);
                json!({"type": "mend.project_deleted", "project_token": token})
            }
        };
        Some(event)
    }

    /// What can't happen in the world as it is does not happen.
    fn try_event(&self, event: Value) {
        let event = event.try_into().unwrap();
        if let Err(reason) = self.world.may_happen(&event) {
            assert!(!reason.contains("not unique"), "{reason}: {event:?}");
        }
    }

    fn person(&mut self, edit: Edit, ticket: u8) {
        let tickets = self.world.tracker.list();
        let Some(ticket) = tickets.get(usize::from(ticket) % tickets.len().max(1)) else { return };
        let key = TicketKey::new(ticket.key.as_str());
        let details = self.world.tracker.details(&key).unwrap();
        let (first_key, op) = (self.world.tracker.first_key(&details), details.op.clone().unwrap());
        let group = self.judge.group_of(&op);
        let person = self.world.tracker.as_person("ada");
        let people = &mut self.judge.people;
        match edit {
            Edit::Close if !ticket.is_done => {
                person.set_status(&key, "Won't Fix", true);
                people.left.insert(first_key);
            }
            Edit::Reopen if ticket.is_done => {
                person.reopen(&key);
                people.left.insert(first_key);
            }
            Edit::Close | Edit::Reopen => {}
            Edit::Comment => person.comment(&key, "Looking into it."),
            Edit::Title => person.edit_title(&key, &format!("Ours {}", self.number)),
            Edit::AddLabel => person.add_label(&key, &format!("team-{}", self.number % 3)),
            Edit::RemoveLabel => {
                // Without the label that the client gave it nobody finds an issue of Jira again.
                if let Some(label) = details.labels.iter().rfind(|label| **label != op) {
                    person.remove_label(&key, label);
                }
            }
            Edit::Delete => {
                person.delete(&key);
                people.deleted.insert(group);
            }
            Edit::Move => person.move_to(&key, &TicketKey::new(format!("TEAM-{}", self.number))),
            Edit::Hide => {
                person.hide(&key);
                people.hidden.insert(group);
            }
            Edit::Show => person.show(&key),
        }
        self.judge.people_moved();
    }
}

pub(super) fn group_of_target(id: &str) -> String {
    format!("data-theorem/target/{id}")
}
