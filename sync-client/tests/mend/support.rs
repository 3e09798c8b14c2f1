//! A simulated Mend, and a client that speaks to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract_tests::target::exchange;
use contract_tests::target::transport::{InProcess, Transport as _};
use fixtures::world::mend::{ActionType, Event, IssueTrackerType, LibraryUse, PolicySpec, ViolationStatus};
use jiff::{SignedDuration, Timestamp};
use mock_server::kernel::journal::{Entry, Filter};
use mock_server::{Control, MockServer};
use sync_client::adapters::caller::{Caller, Patience};
use sync_client::adapters::mend::{Mend, MendSettings, ModifiedProject, Project, ProjectIssues, Violation};
use sync_client::core::model::Standing;
use sync_client::core::noticed::Noticed;
use sync_client::ports::{Clock, NoReply, Reply, Request, Transport};

/// A simulated Mend.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) clock: Arc<StillClock>,
    transport: Arc<Simulator>,
}

/// Calls the simulator without a socket. A connection that breaks leaves it open whether the request arrived.
struct Simulator(InProcess);

impl Transport for Simulator {
    fn send(&self, request: &Request, _timeout: Duration) -> Result<Reply, NoReply> {
        let sent = exchange::Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let exchange::Reply { status, headers, body } =
            self.0.send(sent).map_err(|error| NoReply::Unknown(error.to_string()))?;
        Ok(Reply { status, headers, body })
    }
}

/// Stands still until somebody waits.
pub(crate) struct StillClock(Mutex<Timestamp>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

impl World {
    pub(crate) fn new(scene: &str) -> Self {
        let server = MockServer::builder().world(scene).in_process().unwrap();
        let control = server.control();
        let clock = Arc::new(StillClock(Mutex::new(control.now())));
        Self { control, clock, transport: Arc::new(Simulator(InProcess::new(server).unwrap())) }
    }

    /// A client that has seen nothing yet.
    pub(crate) fn client(&self) -> (Mend, Arc<Noticed>) {
        let account = self.control.mend();
        self.client_with(account.user_key(), account.org_token())
    }

    /// A client with other credentials.
    pub(crate) fn client_with(&self, user_key: &str, org_token: &str) -> (Mend, Arc<Noticed>) {
        let url = "http://localhost".parse().unwrap();
        let settings = MendSettings::new(url, user_key, org_token).unwrap();
        let transport: Arc<dyn Transport> = Arc::clone(&self.transport) as _;
        let caller = Caller::new(transport, Arc::clone(&self.clock) as _, Patience::default());
        let noticed = Arc::new(Noticed::default());
        (Mend::new(settings, caller, Arc::clone(&noticed)), noticed)
    }

    /// Requests of this type so far, oldest first.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Entry> {
        let filter = Filter { operation: Some(operation.to_owned()), ..Filter::default() };
        let page = self.control.journal(&filter);
        assert_eq!(page.evicted, 0);
        page.entries
    }

    /// Tokens of all projects.
    pub(crate) fn project_tokens(&self) -> Vec<String> {
        self.control.export_world().mend.projects.iter().map(|project| project.token().to_owned()).collect()
    }

    /// The violations that ask for a ticket, by project, as the simulator's world has them.
    pub(crate) fn open(&self) -> BTreeMap<String, BTreeSet<String>> {
        let world = self.control.export_world().mend;
        let mut open: BTreeMap<_, _> =
            world.projects.iter().map(|project| (project.token().to_owned(), BTreeSet::new())).collect();
        let asks = |policy: &&PolicySpec| {
            policy.is_enabled
                && policy.action.kind == ActionType::CreateIssue
                && policy.action.issue_tracker == Some(IssueTrackerType::CommonIssueTracker)
        };
        let asking: BTreeSet<u64> = world.policies.iter().filter(asks).map(|policy| policy.id).collect();
        for violation in world.policy_violations {
            if violation.status == ViolationStatus::Open && asking.contains(&violation.policy_id) {
                open.entry(violation.project_token).or_default().insert(violation.uuid);
            }
        }
        open
    }

    /// A project with an open violation, and that violation.
    pub(crate) fn an_open_violation(&self) -> (String, Violation) {
        let (mend, _) = self.client();
        let mut found = self.project_tokens().into_iter().filter_map(|token| {
            let issues = mend.policy_issues(&token).unwrap();
            let open = issues.violations.into_iter().find(Violation::is_open)?;
            Some((token, open))
        });
        found.next().unwrap()
    }

    pub(crate) fn advance(&self, hours: i64) -> Timestamp {
        self.control.advance(SignedDuration::from_hours(hours))
    }
}

/// Everything that can be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) organization: Option<String>,
    pub(crate) modified: Vec<ModifiedProject>,
    pub(crate) projects: Vec<Project>,
    pub(crate) issues: BTreeMap<String, ProjectIssues>,
    /// Of all libraries that violate anything.
    pub(crate) present: BTreeMap<String, BTreeSet<String>>,
}

/// Reads everything.
pub(crate) fn see(mend: &Mend) -> Seen {
    let projects = mend.projects().unwrap();
    let mut seen = Seen {
        organization: mend.identify().unwrap().organization,
        modified: mend.modified_projects(None).unwrap(),
        projects: projects.clone(),
        issues: BTreeMap::new(),
        present: BTreeMap::new(),
    };
    for Project { token, .. } in projects {
        let issues = mend.policy_issues(&token).unwrap();
        let libraries: Vec<String> =
            issues.violations.iter().filter_map(|violation| violation.library.key_uuid.clone()).collect();
        seen.present.insert(token.clone(), mend.libraries_present(&token, &libraries).unwrap());
        seen.issues.insert(token, issues);
    }
    seen
}

/// The violations that ask for a ticket, by project, as the client saw them.
pub(crate) fn open(seen: &Seen) -> BTreeMap<String, BTreeSet<String>> {
    let of = |issues: &ProjectIssues| {
        let open = issues.violations.iter().filter(|violation| violation.is_open());
        open.map(|violation| violation.uuid.clone()).collect()
    };
    seen.issues.iter().map(|(token, issues)| (token.clone(), of(issues))).collect()
}

/// How many violations have each standing.
pub(crate) fn standings(seen: &Seen) -> BTreeMap<Standing, usize> {
    let mut counts = BTreeMap::new();
    for violation in seen.issues.values().flat_map(|issues| &issues.violations) {
        *counts.entry(violation.standing.clone()).or_insert(0) += 1;
    }
    counts
}

/// A scan that finds some libraries and no longer finds others.
pub(crate) fn scan(project: &str, added: &[&str], removed: &[&str]) -> Event {
    let found = |key_uuid: &&str| LibraryUse {
        key_uuid: (*key_uuid).to_owned(),
        is_direct: true,
        local_paths: Vec::new(),
        dependency_file: None,
        dependencies: BTreeSet::new(),
        ineffective_vulnerabilities: BTreeSet::new(),
    };
    Event::Scan {
        project_token: project.to_owned(),
        added: added.iter().map(found).collect(),
        removed: removed.iter().map(|key_uuid| (*key_uuid).to_owned()).collect(),
        source_files_changed: false,
        comment: None,
    }
}
