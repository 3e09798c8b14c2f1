//! Vendors and a Jira site in a sandbox, and the client between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use contract_tests::target::exchange;
use contract_tests::target::transport::{InProcess, Transport as _};
use fixtures::scenes::SceneContext;
use fixtures::world::data_theorem::TargetStatus;
use fixtures::world::jira::{IssueSpec, StatusCategory};
use fixtures::world::mend::ViolationStatus;
use fixtures::world::{Event, WorldSpec};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use mock_server::kernel::clock::ClockMode;
use mock_server::{Control, MockServer, SandboxRequest, WorldChoice};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sync_client::adapters::caller::{Caller, Patience};
use sync_client::adapters::data_theorem::DataTheorem;
use sync_client::adapters::jira::{Api, Jira, JiraSettings, Login, ProjectKey};
use sync_client::adapters::mend::{Mend, MendSettings};
use sync_client::config::DataTheoremSettings;
use sync_client::core::model::{GroupId, OpKey};
use sync_client::core::noticed::Noticed;
use sync_client::core::policy::Policy;
use sync_client::ledger::Ledger;
use sync_client::ports::{Clock, NoReply, Reply, Request, Transport};
use sync_client::sync::{Options, Report, Run, Vendors};

/// Vendors and a site.
pub(crate) struct Site {
    pub(crate) control: Control,
    pub(crate) policy: Policy,
    pub(crate) settings: JiraSettings,
    clock: VirtualClock,
    line: Arc<Line>,
    ledger: Mutex<(String, Connection)>,
}

#[derive(Clone)]
struct VirtualClock(Control);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) {
        self.0.advance(SignedDuration::try_from(duration).unwrap());
    }
}

/// Carries requests, and writes down what they were in this run.
struct Line {
    clock: VirtualClock,
    asked: Mutex<Vec<String>>,
}

struct Host {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    wire: InProcess,
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let builder = MockServer::builder().world("empty").clock(ClockMode::Manual).sandboxes_max(100_000);
    let server = builder.in_process().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let wire = InProcess::over(server.router()).unwrap();
    Host { runtime, server, wire }
});

/// In process nothing listens anywhere; any address of this machine will do.
const HERE: &str = "http://localhost";

impl Transport for Line {
    fn send(&self, request: &Request, _: Duration) -> Result<Reply, NoReply> {
        self.asked.lock().unwrap().push(name(request));
        let call = exchange::Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let reply = HOST.wire.send(call).map_err(|error| NoReply::Unknown(error.to_string()))?;
        let mut headers = reply.headers;
        let date = self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.insert("date", HeaderValue::from_str(&date).unwrap());
        Ok(Reply { status: reply.status, headers, body: reply.body })
    }
}

/// The method and path of a request, or Mend's request type.
fn name(request: &Request) -> String {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match body["requestType"].as_str() {
        Some(request_type) => request_type.to_owned(),
        None => format!("{} {}", request.method, request.url.splitn(4, '/').nth(3).unwrap_or_default()),
    }
}

/// A scene's vendors, with the demonstration's Jira site.
pub(crate) fn scene(name: &str) -> WorldSpec {
    let build = |name: &str| {
        let context = SceneContext { seed: 1, epoch: "2026-01-15T12:00:00Z".parse().unwrap(), page_size: 50 };
        fixtures::scenes::build(name, context).unwrap()
    };
    WorldSpec { jira: build("demo").jira, ..build(name) }
}

fn open(name: &str) -> Connection {
    Connection::open_with_flags(name, OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI).unwrap()
}

fn new_ledger() -> (String, Connection) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("file:jira-ledger-{number}?mode=memory&cache=shared");
    let keeper = open(&name);
    (name, keeper)
}

impl Site {
    pub(crate) fn new(world: WorldSpec) -> Self {
        let request = SandboxRequest {
            world: Some(WorldChoice::Spec(Box::new(world))),
            page_size: Some(50),
            clock: Some(ClockMode::Manual),
            ..SandboxRequest::default()
        };
        let control = HOST.runtime.block_on(HOST.server.create_sandbox(request)).unwrap();
        let jira = control.jira();
        let settings = JiraSettings {
            url: HERE.parse().unwrap(),
            login: Login::new(jira.email(), jira.api_token()).unwrap(),
            project: ProjectKey::new(jira.project()).unwrap(),
            api: Api::Auto,
            issue_type: None,
            done_status: None,
            open_status: None,
            resolution: None,
            search_lag: Duration::from_secs(30),
        };
        let clock = VirtualClock(control.clone());
        let line = Arc::new(Line { clock: clock.clone(), asked: Mutex::default() });
        Self { control, policy: Policy::default(), settings, clock, line, ledger: Mutex::new(new_ledger()) }
    }

    /// The search shows everything so much later, and the client knows.
    pub(crate) fn lags(&mut self, lag: Duration) {
        let lag_ms = u64::try_from(lag.as_millis()).unwrap();
        self.settings.search_lag = lag;
        self.happen(serde_json::json!({"type": "jira.limits_changed", "limits": {"search_lag_ms": lag_ms}}));
    }

    pub(crate) fn caller(&self) -> Caller {
        let deadline = self.clock.now() + SignedDuration::from_hours(2);
        let patience = Patience { deadline: Some(deadline), ..Patience::default() };
        Caller::new(Arc::clone(&self.line) as _, Arc::new(self.clock.clone()), patience)
    }

    pub(crate) fn tracker(&self) -> Jira {
        Jira::new(self.settings.clone(), self.caller())
    }

    pub(crate) fn run_with(&self, options: Options) -> Report {
        self.line.asked.lock().unwrap().clear();
        let name = self.ledger.lock().unwrap().0.clone();
        let mut ledger = Ledger::over(open(&name)).unwrap();
        let caller = self.caller();
        let vendors = self.vendors(&caller);
        let tracker = Jira::new(self.settings.clone(), caller);
        let mut quiet = |_: sync_client::sync::Progress<'_>| {};
        Run::new(&vendors, &tracker, &self.clock, &mut ledger, &self.policy, options, &mut quiet)
            .perform()
            .unwrap()
    }

    pub(crate) fn run(&self) -> Report {
        self.run_with(Options::default())
    }

    /// Looks at everything.
    pub(crate) fn run_full(&self) -> Report {
        self.run_with(Options { is_full: true, ..Options::default() })
    }

    fn vendors(&self, caller: &Caller) -> Vendors {
        let env = self.control.environment().env;
        let noticed = Arc::new(Noticed::default());
        let data_theorem = DataTheoremSettings::read(|name| match name {
            "DATA_THEOREM_BASE_URL" => Some(format!("{HERE}/apis/mobile_security/results/v2").into()),
            _ => env.get(name).map(Into::into),
        });
        let data_theorem = data_theorem.unwrap();
        let mend = self.control.mend();
        let mend = MendSettings::new(HERE.parse().unwrap(), mend.user_key(), mend.org_token()).unwrap();
        Vendors {
            data_theorem: Some(DataTheorem::new(data_theorem, caller.clone(), Arc::clone(&noticed))),
            mend: Some(Mend::new(mend, caller.clone(), Arc::clone(&noticed))),
            noticed,
        }
    }

    /// What the last run asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.line.asked.lock().unwrap().clone()
    }

    /// What of it would change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let mut asked = self.asked();
        asked.retain(|what| {
            let is_read = what.starts_with("GET ")
                || what.starts_with("get")
                || what.starts_with("fetch")
                || what.contains("/search");
            !is_read
        });
        asked
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.control.advance(SignedDuration::from_secs(seconds));
    }

    /// The ledger is gone.
    pub(crate) fn forget(&self) {
        *self.ledger.lock().unwrap() = new_ledger();
    }

    pub(crate) fn happen(&self, event: Value) {
        match Event::try_from(event).unwrap() {
            Event::DataTheorem(event) => self.control.happen(&event).map(|_| ()).unwrap(),
            Event::Mend(event) => self.control.happen(&event).map(|_| ()).unwrap(),
            Event::Jira(event) => self.control.happen(&event).map(|_| ()).unwrap(),
        }
    }

    pub(crate) fn world(&self) -> WorldSpec {
        self.control.export_world()
    }

    /// The issues that carry a key, in a label or in the property.
    pub(crate) fn issues(&self) -> BTreeMap<String, Vec<IssueSpec>> {
        let mut issues: BTreeMap<String, Vec<IssueSpec>> = BTreeMap::new();
        for issue in self.world().jira.issues {
            let property = issue.properties.get("sync-client").and_then(|value| value["key"].as_str());
            if let Some(op) = property.map(str::to_owned) {
                issues.entry(op).or_default().push(issue);
            }
        }
        issues
    }

    /// The issue of the first target.
    pub(crate) fn issue(&self) -> IssueSpec {
        let target = &self.world().data_theorem.security_finding_targets[0].id;
        let op = OpKey::of(&GroupId::new(format!("data-theorem/target/{target}")));
        self.issues().remove(op.as_str()).unwrap().remove(0)
    }

    pub(crate) fn is_done(&self, issue: &IssueSpec) -> bool {
        let statuses = self.world().jira.statuses;
        statuses.iter().any(|status| status.id == issue.status && status.category == StatusCategory::Done)
    }

    /// What is not in step.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut issues = self.issues();
        let mut problems = Vec::new();
        let keys: BTreeSet<String> = issues.values().flatten().map(|issue| issue.key.clone()).collect();
        for (group, (is_open, links)) in items(&self.world()) {
            let op = OpKey::of(&GroupId::new(group.as_str()));
            let ours: Vec<&String> = links.iter().filter(|link| keys.contains(*link)).collect();
            match (issues.remove(op.as_str()).unwrap_or_default().as_slice(), is_open) {
                ([], false) => {}
                // It has a ticket in somebody else's tracker.
                ([], true) if !links.is_empty() && ours.is_empty() => {}
                ([issue], _) => {
                    if self.is_done(issue) == is_open {
                        problems.push(format!("{group} is open: {is_open}, and so is not {}", issue.key));
                    }
                    if !issue.labels.contains(op.as_str()) {
                        problems.push(format!("{} has lost its label", issue.key));
                    }
                    if ours != [&issue.key] && (is_open || !ours.is_empty()) {
                        problems.push(format!("{group} has {}, and the vendor knows {links:?}", issue.key));
                    }
                }
                (several, _) => {
                    let keys: Vec<&String> = several.iter().map(|issue| &issue.key).collect();
                    problems.push(format!("{group}, open: {is_open}, has {keys:?}"));
                }
            }
        }
        problems.extend(issues.into_keys().map(|op| format!("nothing has the key {op}")));
        problems
    }

    /// Runs until a run writes nothing, and answers what is not in step then.
    pub(crate) fn settle(&self) -> Vec<String> {
        let mut last = None;
        for _ in 0..5 {
            self.wait(60);
            let report = self.run_full();
            if report.exit().code() == 0 && self.writes().is_empty() {
                return self.problems();
            }
            last = Some((report, self.writes()));
        }
        vec![format!("no peace after 5 runs: {last:?}")]
    }
}

/// Every item of the vendors: whether it is open, and its tickets there.
fn items(spec: &WorldSpec) -> BTreeMap<String, (bool, Vec<String>)> {
    let targets = spec.data_theorem.security_finding_targets.iter().map(|target| {
        let status = target.statuses.first().map(|one| one.status);
        let is_open =
            matches!(status, Some(TargetStatus::New | TargetStatus::Open | TargetStatus::OpenReadyToRescan));
        (
            format!("data-theorem/target/{}", target.id),
            (is_open, target.external_id.clone().into_iter().collect()),
        )
    });
    let violations = spec.mend.policy_violations.iter().map(|violation| {
        let links = spec.mend.external_issues.iter().filter(|issue| issue.violation_uuid == violation.uuid);
        let policy = spec.mend.policies.iter().find(|policy| policy.id == violation.policy_id);
        let is_open =
            violation.status == ViolationStatus::Open && policy.is_some_and(|policy| policy.is_enabled);
        let group = format!("mend/violation/{}/{}", violation.project_token, violation.uuid);
        (group, (is_open, links.map(|issue| issue.identifier.clone()).collect()))
    });
    targets.chain(violations).collect()
}
