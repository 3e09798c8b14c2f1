//! A server that is not ours, in another language, with rules broken: the suite names exactly those.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Three breaches, as the server's remarks say; each with the check that names it.
const BROKEN: [(&str, &str); 3] = [
    ("data-theorem/auth/key-required", "DT-AUTH-REQUIRED"),
    ("data-theorem/targets/filter-results-since", "DT-TARGETS-LIST-RESULTS-SINCE"),
    ("data-theorem/targets/status-same-409", "DT-TARGET-STATUS-SAME"),
];

/// The stand-in, ended when this is dropped.
struct StandIn {
    process: Child,
    url: String,
}

impl StandIn {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stand_in/server.py");
        let mut process = Command::new("python3").arg(script).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, url: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_suite_names_exactly_the_rules_that_a_foreign_server_breaks() {
    let server = StandIn::start();
    let output = Command::new(env!("CARGO_BIN_EXE_contract-tests"))
        .args(["run", "--target", &server.url, "--only", "data-theorem/{targets,auth}/*"])
        .args(["--allow-writes", "--data-theorem-app", "1", "--pause-ms", "0", "--json"])
        .env("DATA_THEOREM_BASE_URL", format!("{}/apis/mobile_security/results/v2", server.url))
        .env("DATA_THEOREM_API_KEY", "key")
        .env_remove("MEND_URL")
        .env_remove("MEND_USER_KEY")
        .env_remove("MEND_ORG_TOKEN")
        .env_remove("JIRA_BASE_URL")
        .env_remove("JIRA_EMAIL")
        .env_remove("JIRA_API_TOKEN")
        .env_remove("JIRA_PROJECT")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = |result: &str| -> Vec<(String, String)> {
        let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["result"] == result);
        let names = checks.map(|check| {
            (check["path"].as_str().unwrap().to_owned(), check["rule"]["id"].as_str().unwrap().to_owned())
        });
        names.collect()
    };
    let mut broken = named("broken");
    broken.sort();
    assert_eq!(broken, BROKEN.map(|(path, rule)| (path.to_owned(), rule.to_owned())));
    assert_eq!(output.status.code(), Some(1));
    let held = named("held");
    assert!(held.len() > 30, "{} held: {held:#?}\nnot exercised: {:#?}", held.len(), named("not-exercised"));
    assert_eq!(report["target_kind"], "stand-in");
}
