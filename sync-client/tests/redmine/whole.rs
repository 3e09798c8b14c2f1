//! The whole client, as a process, between the vendors' simulators and a real Redmine.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fixtures::world::Event;
use fixtures::world::data_theorem::TargetStatus;
use fixtures::world::mend::ViolationStatus;
use jiff::SignedDuration;
use mock_server::MockServer;
use mock_server::kernel::journal::Filter;
use serde_json::{Value, json};
use sync_client::core::model::{GroupId, OpKey};

use crate::real::{KEY_FIELD, Project, Real};

struct Whole {
    real: Real,
    project: Project,
    server: MockServer,
    // Serves for as long as this.
    _runtime: tokio::runtime::Runtime,
    directory: tempfile::TempDir,
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A ticket as Redmine lists it.
#[derive(Debug, Clone, PartialEq)]
struct Listed {
    key: String,
    is_closed: bool,
    whole: Value,
}

impl Whole {
    /// `None`: there is no Redmine.
    fn new(scene: &str) -> Option<Self> {
        let real = Real::there()?;
        let project = real.project("Sync");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let server = runtime.block_on(MockServer::builder().world(scene).page_size(361).start()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let settings = format!(
            "[tracker]\nkind = \"redmine\"\n[tracker.redmine]\nkey_field = {}\nsearch_lag = \"3s\"\n",
            real.field(KEY_FIELD)
        );
        std::fs::write(directory.path().join("sync.toml"), settings).unwrap();
        Some(Self { real, project, server, _runtime: runtime, directory })
    }

    fn command(&self, arguments: &str) -> Command {
        let (data_theorem, mend) = (self.server.data_theorem(), self.server.mend());
        let mut command = Command::new(env!("CARGO_BIN_EXE_sync-client"));
        command
            .args(arguments.split_whitespace())
            .args(["--config", "sync.toml"])
            .env_clear()
            .env("SYNC_STATE_DIR", self.directory.path().join("state"))
            .env("DATA_THEOREM_BASE_URL", data_theorem.base_url())
            .env("DATA_THEOREM_API_KEY", data_theorem.api_key())
            .env("MEND_URL", mend.url())
            .env("MEND_USER_KEY", mend.user_key())
            .env("MEND_ORG_TOKEN", mend.org_token())
            .env("REDMINE_URL", &self.real.url)
            .env("REDMINE_API_KEY", &self.real.key)
            .env("REDMINE_PROJECT", &self.project.identifier)
            .current_dir(self.directory.path());
        command
    }

    fn run(&self, arguments: &str) -> Ended {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended = Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        for secret in [&self.real.key, self.server.mend().user_key()] {
            assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "a credential shows");
        }
        ended
    }

    /// A run that has to end well.
    fn done(&self, arguments: &str) -> Value {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
        serde_json::from_str(&ended.out).unwrap_or_default()
    }

    fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The tickets by their keys of ours.
    fn tickets(&self) -> BTreeMap<String, Vec<Listed>> {
        let mut tickets: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
        for issue in self.real.issues(&self.project) {
            let fields = issue["custom_fields"].as_array().unwrap();
            let field = fields.iter().find(|field| field["name"] == KEY_FIELD).unwrap();
            let listed = Listed {
                key: format!("#{}", issue["id"]),
                is_closed: issue["status"]["is_closed"] == true,
                whole: issue.clone(),
            };
            tickets.entry(field["value"].as_str().unwrap().to_owned()).or_default().push(listed);
        }
        tickets
    }

    /// Every item of the vendors: whether it is open, and its tickets there.
    fn items(&self) -> BTreeMap<String, (bool, Vec<String>)> {
        let spec = self.server.control().export_world();
        let targets = spec.data_theorem.security_finding_targets.iter().map(|target| {
            let status = target.statuses.first().map(|one| one.status);
            let is_open = matches!(
                status,
                Some(TargetStatus::New | TargetStatus::Open | TargetStatus::OpenReadyToRescan)
            );
            let links = target.external_id.clone().into_iter().collect();
            (format!("data-theorem/target/{}", target.id), (is_open, links))
        });
        let violations = spec.mend.policy_violations.iter().map(|violation| {
            let issues = spec.mend.external_issues.iter();
            let links = issues.filter(|issue| issue.violation_uuid == violation.uuid);
            let policy = spec.mend.policies.iter().find(|policy| policy.id == violation.policy_id);
            let is_open =
                violation.status == ViolationStatus::Open && policy.is_some_and(|policy| policy.is_enabled);
            let group = format!("mend/violation/{}/{}", violation.project_token, violation.uuid);
            (group, (is_open, links.map(|issue| issue.identifier.clone()).collect()))
        });
        targets.chain(violations).collect()
    }

    /// What is not in step.
    fn problems(&self) -> Vec<String> {
        let mut tickets = self.tickets();
        let mut problems = Vec::new();
        for (group, (is_open, links)) in self.items() {
            let op = OpKey::of(&GroupId::new(group.as_str()));
            let ours: Vec<&String> = links.iter().filter(|link| link.starts_with('#')).collect();
            match (tickets.remove(op.as_str()).unwrap_or_default().as_slice(), is_open) {
                ([], false) => {}
                // It has a ticket in somebody else's tracker.
                ([], true) if !links.is_empty() && ours.is_empty() => {}
                ([ticket], _) => {
                    if ticket.is_closed == is_open {
                        problems.push(format!("{group} is open: {is_open}, and so is not {}", ticket.key));
                    }
                    if ours != [&ticket.key] && (is_open || !ours.is_empty()) {
                        problems.push(format!("{group} has {}, and the vendor knows {links:?}", ticket.key));
                    }
                }
                (several, _) => problems.push(format!("{group}, open: {is_open}, has {several:?}")),
            }
        }
        problems.extend(tickets.into_keys().map(|op| format!("nothing has the key {op}")));
        problems
    }

    /// How many requests wanted to change something at a vendor since the journal was cleared.
    fn vendor_writes(&self) -> usize {
        let page = self.server.control().journal(&Filter::default());
        assert_eq!(page.evicted, 0, "the journal is no complete evidence");
        let is_read = |operation: &str| {
            operation.starts_with("GET ") || operation.starts_with("get") || operation.starts_with("fetch")
        };
        page.entries.iter().filter(|entry| !is_read(entry.operation.as_ref())).count()
    }

    fn happen(&self, event: Value) {
        self.server.control().advance(SignedDuration::from_hours(1));
        match Event::try_from(event).unwrap() {
            Event::DataTheorem(event) => self.server.control().happen(&event).map(|_| ()).unwrap(),
            Event::Mend(event) => self.server.control().happen(&event).map(|_| ()).unwrap(),
            Event::Jira(event) => self.server.control().happen(&event).map(|_| ()).unwrap(),
        }
    }

    fn close(self) {
        self.real.remove(&self.project);
    }
}

#[test]
fn demo_is_exported_once_and_a_second_run_writes_nothing() {
    let Some(whole) = Whole::new("demo") else { return };
    let report = whole.done("run --json");
    assert_eq!(whole.problems(), Vec::<String>::new());
    let before = whole.tickets();
    assert!(before.len() > 50, "{} tickets", before.len());
    assert_eq!(report["created"], before.len());

    whole.server.control().clear_journal();
    let report = whole.done("run --full --json");
    assert_eq!(whole.vendor_writes(), 0, "{report}");
    assert_eq!(whole.tickets(), before, "nothing was changed, not even the time of the last change");
    eprintln!("{} tickets", before.len());
    whole.close();
}

#[test]
fn what_is_closed_at_the_vendor_is_closed_in_redmine_and_opened_again() {
    let Some(whole) = Whole::new("one-open") else { return };
    let planned = whole.done("plan --json");
    assert!(whole.tickets().is_empty(), "a plan writes nothing");
    assert_eq!(whole.done("run --json")["created"], planned["created"]);
    let target = whole.server.control().export_world().data_theorem.security_finding_targets[0].id.clone();
    let becomes =
        |status: &str| json!({"type": "data_theorem.target_status", "target_id": target, "status": status});
    for (status, is_closed) in [("CLOSED_FIXED", true), ("OPEN", false)] {
        whole.happen(becomes(status));
        whole.done("run --full");
        let tickets = whole.tickets();
        let op = OpKey::of(&GroupId::new(format!("data-theorem/target/{target}")));
        assert_eq!(tickets[op.as_str()][0].is_closed, is_closed, "{status}");
        assert_eq!(whole.problems(), Vec::<String>::new());
        whole.done("run --full");
        assert_eq!(whole.tickets(), tickets, "{status}");
    }
    whole.close();
}

/// The ledger is lost: tickets are found by their keys.
#[test]
fn without_its_ledger_the_client_finds_every_ticket_again() {
    let Some(whole) = Whole::new("one-open") else { return };
    whole.done("run");
    let before = whole.tickets();
    std::fs::remove_dir_all(whole.directory.path().join("state")).unwrap();
    // The vendor forgets, too.
    for target in &whole.server.control().export_world().data_theorem.security_finding_targets {
        whole.happen(json!({
            "type": "data_theorem.external_id", "target_id": target.id, "external_id": Value::Null,
        }));
    }
    whole.done("run --full");
    assert_eq!(whole.tickets(), before);
    assert_eq!(whole.problems(), Vec::<String>::new());
    whole.close();
}

/// I22 against a tracker that keeps no second ticket out. `SYNC_KILLS`: how often, 8 unless it is said otherwise;
/// `SYNC_SEED`: when.
#[test]
fn killed_at_random_moments_it_leaves_no_second_ticket() {
    let Some(whole) = Whole::new("demo") else { return };
    let number = |variable: &str, usual: u64| {
        std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (kills, seed) = (number("SYNC_KILLS", 8), number("SYNC_SEED", 1));
    let mut killed = 0;
    for round in 0..kills {
        let mut child = whole.start("run");
        let dice = blake3::hash(&[seed.to_le_bytes(), round.to_le_bytes()].concat());
        let wait_ms = 3_200 + 8 * u64::from(dice.as_bytes()[0]);
        std::thread::sleep(Duration::from_millis(wait_ms));
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut before = whole.tickets();
    for _ in 0..4 {
        whole.run("run");
        let after = whole.tickets();
        if after == before {
            break;
        }
        before = after;
    }
    assert_eq!(whole.problems(), Vec::<String>::new(), "seed {seed}");
    whole.server.control().clear_journal();
    whole.done("run");
    assert_eq!((whole.vendor_writes(), whole.tickets()), (0, before.clone()), "seed {seed}");
    eprintln!("seed {seed}: {killed} of {kills} runs were killed; {} tickets, none twice", before.len());
    assert!(killed * 2 > kills, "seed {seed}: only {killed} of {kills} runs were killed");
    whole.close();
}
