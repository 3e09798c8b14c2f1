//! The client as a process, over sockets, and killed.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mock_server::MockServer;
use serde_json::Value;

struct Process {
    server: MockServer,
    _runtime: tokio::runtime::Runtime,
    directory: tempfile::TempDir,
}

impl Process {
    fn new(scene: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::builder().world(scene).page_size(50).start()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let settings = "[tracker]\nkind = \"jira\"\n[tracker.jira]\nsearch_lag = \"1s\"\n";
        std::fs::write(directory.path().join("sync.toml"), settings).unwrap();
        Self { server, _runtime: runtime, directory }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sync-client"));
        command
            .args(arguments.split_whitespace())
            .args(["--config", "sync.toml"])
            .env_clear()
            .envs(&self.server.control().environment().env)
            .env("SYNC_STATE_DIR", self.directory.path().join("state"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    fn done(&self, arguments: &str) -> (String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        let token = self.server.jira().api_token().to_owned();
        assert!(!out.contains(&token) && !err.contains(&token), "the token shows");
        (out, err)
    }

    fn start(&self) -> Child {
        self.command("run").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// How many issues carry each key.
    fn keys(&self) -> BTreeMap<String, usize> {
        let mut keys = BTreeMap::new();
        for issue in self.server.control().export_world().jira.issues {
            if let Some(key) = issue.properties.get("sync-client").and_then(|value| value["key"].as_str()) {
                *keys.entry(key.to_owned()).or_default() += 1;
            }
        }
        keys
    }
}

#[test]
fn the_settings_are_tried_and_the_plan_is_what_is_done() {
    let process = Process::new("demo");
    let (out, _) = process.done("doctor");
    assert!(out.contains("jira ") && out.contains("project Security visible"), "{out}");
    let planned: Value = serde_json::from_str(&process.done("plan --json").0).unwrap();
    assert!(process.keys().is_empty());
    let report: Value = serde_json::from_str(&process.done("run --json").0).unwrap();
    assert_eq!(report["created"], planned["created"]);
    assert_eq!(report["created"], process.keys().len());
    let report: Value = serde_json::from_str(&process.done("run --full --json").0).unwrap();
    for what in ["created", "linked", "commented", "closed", "reopened"] {
        assert_eq!(report[what], 0, "{report}");
    }
    assert!(process.keys().values().all(|count| *count == 1));
}

/// `SYNC_KILLS`: how often, 12 unless it is said otherwise; `SYNC_SEED`: when.
#[test]
fn killed_at_random_moments_it_leaves_no_second_issue() {
    let number = |variable: &str, usual: u64| {
        std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (kills, seed) = (number("SYNC_KILLS", 12), number("SYNC_SEED", 1));
    let process = Process::new("demo");
    let mut killed = 0;
    for round in 0..kills {
        let mut child = process.start();
        let dice = blake3::hash(&[seed.to_le_bytes(), round.to_le_bytes()].concat());
        // A first run waits for the search; later ones do not.
        let least_ms = if round == 0 { 1_100 } else { 60 };
        std::thread::sleep(Duration::from_millis(least_ms + 3 * u64::from(dice.as_bytes()[0])));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    std::thread::sleep(Duration::from_secs(1));
    let _ = process.command("run").output();
    process.done("run");
    let keys = process.keys();
    let twice: Vec<_> = keys.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "seed {seed}: {twice:?}");
    let report: Value = serde_json::from_str(&process.done("run --full --json").0).unwrap();
    assert_eq!((&report["created"], &report["commented"]), (&Value::from(0), &Value::from(0)), "{report}");
    eprintln!("seed {seed}: {killed} of {kills} runs were killed; {} issues, none twice", keys.len());
    assert!(keys.len() > 50 && killed > 0, "seed {seed}: {killed} killed, {} issues", keys.len());
}
