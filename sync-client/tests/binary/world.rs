//! A simulator that listens, a directory for the client's files, and the client as a process.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use fixtures::world::{Event, WorldSpec};
use jiff::SignedDuration;
use mock_server::kernel::journal::{Entry, Filter};
use mock_server::{Control, MockServer};
use serde_json::Value;
use sync_client::adapters::local::{Details, Tickets};
use sync_client::core::model::TicketKey;
use tempfile::TempDir;

pub(crate) const PATCH: &str = "PATCH security_finding_targets/:id";
pub(crate) const REPORT: &str = "updateExternalIntegrationIssues";

pub(crate) struct World {
    pub(crate) server: MockServer,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) directory: TempDir,
    /// The client's files are here.
    pub(crate) state: PathBuf,
    /// Variables besides those that every run has.
    pub(crate) variables: Vec<(String, String)>,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Its stdout, if it ended well.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code(), Some(0), "{self:?}");
        self.out
    }

    /// Its stdout as JSON, however it ended.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl World {
    pub(crate) fn new(scene: &str) -> Self {
        Self::over(MockServer::builder().world(scene).page_size(50))
    }

    pub(crate) fn over(builder: mock_server::Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let server = runtime.block_on(builder.start()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        Self { server, runtime, directory, state, variables: Vec::new() }
    }

    pub(crate) fn control(&self) -> Control {
        self.server.control()
    }

    /// Everything as at the start: the vendors' side, and no files.
    pub(crate) fn reset(&self) {
        self.control().reset();
        let _ = std::fs::remove_dir_all(&self.state);
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.push((variable.to_owned(), value.to_owned()));
    }

    /// The client with these arguments, and with no variables but its own.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sync-client"));
        command.args(arguments.split_whitespace());
        self.equip(&mut command);
        command
    }

    /// Gives a process the client's variables, and nothing else.
    pub(crate) fn equip(&self, command: &mut Command) {
        let (data_theorem, mend) = (self.server.data_theorem(), self.server.mend());
        command
            .env_clear()
            .env("SYNC_STATE_DIR", &self.state)
            .env("DATA_THEOREM_BASE_URL", data_theorem.base_url())
            .env("DATA_THEOREM_API_KEY", data_theorem.api_key())
            .env("MEND_URL", mend.url())
            .env("MEND_USER_KEY", mend.user_key())
            .env("MEND_ORG_TOKEN", mend.org_token())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path());
    }

    pub(crate) fn run(&self, arguments: &str) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Starts the client and goes on. What it says is in `said`.
    pub(crate) fn start(&self, arguments: &str) -> Child {
        let said = File::create(self.directory.path().join("said")).unwrap();
        let mut command = self.command(arguments);
        command.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap()
    }

    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("said")).unwrap_or_default()
    }

    /// Something happens at a vendor, an hour after what was before.
    pub(crate) fn happen(&self, event: Value) {
        self.control().advance(SignedDuration::from_hours(1));
        match Event::try_from(event).unwrap() {
            Event::DataTheorem(event) => self.control().happen(&event).map(|_| ()).unwrap(),
            Event::Mend(event) => self.control().happen(&event).map(|_| ()).unwrap(),
            Event::Jira(event) => self.control().happen(&event).map(|_| ()).unwrap(),
        }
    }

    pub(crate) fn vendors_side(&self) -> WorldSpec {
        self.control().export_world()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Entry> {
        let page = self.control().journal(&Filter::default());
        assert_eq!(page.evicted, 0, "the journal is no complete evidence");
        page.entries
    }

    /// The requests that change something at a vendor. Mend's reads are POSTs too.
    pub(crate) fn writes(&self) -> Vec<Entry> {
        let mut requests = self.requests();
        requests.retain(|entry| {
            let is_read = entry.operation.starts_with("GET ")
                || entry.operation.starts_with("get")
                || entry.operation.starts_with("fetch");
            !is_read
        });
        requests
    }

    /// What reached the vendors' rules: item and ticket, in order.
    pub(crate) fn links(&self) -> Vec<(String, String)> {
        self.writes().iter().filter(|entry| entry.phases.applied).map(link).collect()
    }

    /// Drops what was asked so far.
    pub(crate) fn forget_requests(&self) {
        self.control().clear_journal();
    }

    /// Every ticket with everything in it.
    pub(crate) fn tickets(&self) -> Vec<Details> {
        let Some(tickets) = Tickets::open(&self.file("tickets.sqlite")).unwrap() else { return Vec::new() };
        let listed = tickets.list().unwrap();
        listed
            .iter()
            .map(|one| tickets.details(&TicketKey::new(one.key.as_str())).unwrap().unwrap())
            .collect()
    }

    /// Runs until a run writes nothing, and answers what is not in step then.
    pub(crate) fn settle(&self, arguments: &str) -> Vec<String> {
        self.settle_counting(arguments, |_| {})
    }

    /// The same; what the vendors were told is handed on.
    pub(crate) fn settle_counting(
        &self,
        arguments: &str,
        count: impl FnOnce(Vec<(String, String)>),
    ) -> Vec<String> {
        let (mut links, mut last) = (Vec::new(), String::new());
        for _ in 0..4 {
            self.control().advance(SignedDuration::from_mins(1));
            self.forget_requests();
            let before = self.tickets();
            let ended = self.run(arguments);
            let of_this = self.links();
            if ended.code() == Some(0) && of_this.is_empty() && self.tickets() == before {
                count(links);
                return crate::step::problems(self);
            }
            links.extend(of_this);
            last = format!("{ended:?}");
        }
        vec![format!("no peace after 4 runs: {last}")]
    }
}

/// What a write tells a vendor.
fn link(entry: &Entry) -> (String, String) {
    let body: Value = serde_json::from_slice(&entry.request.body.as_ref().unwrap().0).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if entry.operation == PATCH {
        let target = entry.request.path.rsplit('/').next().unwrap();
        return (format!("data-theorem/target/{target}"), text(&body["external_id"]));
    }
    assert_eq!(entry.operation, REPORT, "no other write is ever made");
    let (project, violation) = (text(&body["projectToken"]), text(&body["wsPolicyIssueItemUuid"]));
    (format!("mend/violation/{project}/{violation}"), text(&body["externalIssues"][0]["identifier"]))
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: output.status, out: text(output.stdout), err: text(output.stderr) }
}

/// Sends a signal by name.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// Waits for the end of a process; `None`: it went on for longer than this.
pub(crate) fn end_within(child: &mut Child, longest: Duration) -> Option<ExitStatus> {
    let step = Duration::from_millis(10);
    for _ in 0..longest.as_millis() / step.as_millis() {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(step);
    }
    None
}

/// Whether a signal ended it.
pub(crate) fn was_killed_by(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// Lets others use a directory as this.
pub(crate) fn permit(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
