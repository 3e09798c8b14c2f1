//! The program as a person at a terminal uses it.

use std::collections::BTreeMap;
use std::process::Output;

use fixtures::world::WorldSpec;
use serde_json::Value;
use tempfile::TempDir;

use super::{Process, binary};

fn run(arguments: &[&str]) -> Output {
    binary(arguments).output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a failing command says on stderr.
fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeds");
    assert!(output.stdout.is_empty(), "complaints belong on stderr");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn worlds_lists_every_scene_and_export_writes_one_that_can_be_read_back() {
    let list = stdout(&["worlds"]);
    for scene in fixtures::scenes::SCENES {
        assert!(list.contains(scene.name), "{} is missing", scene.name);
    }
    let json: Vec<Value> = serde_json::from_str(&stdout(&["worlds", "--json"])).unwrap();
    assert_eq!(json.len(), fixtures::scenes::SCENES.len());
    let arguments = ["worlds", "export", "one-open", "--seed", "3", "--epoch", "2026-01-15T00:00:00Z"];
    let world: WorldSpec = serde_json::from_str(&stdout(&arguments)).unwrap();
    assert!(world.validate().is_empty());
    assert_eq!(world.epoch.to_string(), "2026-01-15T00:00:00Z");
    assert_eq!(stdout(&arguments), stdout(&arguments), "same seed and epoch, same bytes");
    assert!(complaint(&["worlds", "export", "demi"]).contains("demo"));
}

#[test]
fn rules_and_readings_are_printed_as_text_and_json() {
    let rules: Vec<Value> = serde_json::from_str(&stdout(&["rules", "--json"])).unwrap();
    assert_eq!(rules.len(), fixtures::spec::rules().count());
    assert!(rules.iter().any(|rule| rule["id"] == "DT-TARGET-STATUS-SAME"));
    assert!(stdout(&["rules"]).contains("DT-TARGET-STATUS-SAME"));
    let readings: Vec<Value> = serde_json::from_str(&stdout(&["readings", "--json"])).unwrap();
    assert_eq!(readings.len(), fixtures::spec::readings().count());
    assert!(stdout(&["readings"]).contains("dt.last-page-cursor"));
}

#[test]
fn a_world_file_with_a_mistake_is_refused_with_file_line_and_column() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("world.json");
    std::fs::write(
        &path,
        "{\n  \"epoch\": \"2026-01-15T00:00:00Z\",\n  \"data_theorem\": {\"mobile_aps\": []}\n}\n",
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let text = complaint(&["--bind", "127.0.0.1:0", "--world", path]);
    assert!(text.contains(&format!("{path}:3:")) && text.contains("mobile_aps"), "{text}");
    let after = text.split(&format!("{path}:3:")).nth(1).unwrap();
    assert!(after.starts_with(|first: char| first.is_ascii_digit()), "a column follows: {text}");

    std::fs::write(path, "{\"epoch\": \"2026-01-15T00:00:00Z\", \"data_theorem\": {\"scans\": [{\"id\": \"1\", \"mobile_app_id\": \"9\", \"status\": \"COMPLETED\", \"start_date\": \"2026-01-01T00:00:00Z\"}]}}").unwrap();
    let text = complaint(&["--bind", "127.0.0.1:0", "--world", path]);
    assert!(text.contains("/data_theorem/scans/0/mobile_app_id"), "{text}");
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let start = |rest: &[&str]| complaint(&[&["--bind", "127.0.0.1:0"], rest].concat());
    let unknown = start(&["--world", "demi"]);
    assert!(
        unknown.contains("demi") && fixtures::scenes::SCENES.iter().all(|scene| unknown.contains(scene.name)),
        "{unknown}"
    );
    assert!(start(&["--world", "./nowhere.json"]).contains("nowhere.json"));
    assert!(start(&["--reading", "dt.no-such=1"]).contains("dt.no-such"));
    assert!(start(&["--reading", "dt.last-page-cursor=never"]).contains("empty-page"));
    assert!(start(&["--reading", "dt.last-page-cursor"]).contains("ID=VALUE"));
    assert!(start(&["--clock", "sundial"]).contains("system"));
    assert!(start(&["--page-size", "0"]).contains("page-size"));
    assert!(start(&["--tls-cert", "c.pem"]).contains("--tls-bind"));
    let exposed = complaint(&["--bind", "0.0.0.0:0"]);
    assert!(exposed.contains("--admin-token") && exposed.contains("0.0.0.0"), "{exposed}");
    let exposed = start(&["--tls-bind", "0.0.0.0:0"]);
    assert!(exposed.contains("--admin-token"), "{exposed}");
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = complaint(&["--bind", &address, "--world", "one-open"]);
    assert!(text.contains(&address) && text.contains("--bind"), "{text}");
    let text = complaint(&["--bind", "127.0.0.1:0", "--tls-bind", &address, "--world", "one-open"]);
    assert!(
        text.contains(&address) && text.contains("--tls-bind"),
        "the flag to change is --tls-bind: {text}"
    );
}

#[tokio::test]
async fn the_printed_base_url_and_key_work() {
    let directory = TempDir::new().unwrap();
    let process = Process::start(directory.path(), &["--world", "one-open"]);
    assert!(
        process.printed.contains(&process.base_url) && process.printed.contains(&process.api_key),
        "{}",
        process.printed
    );
    assert!(process.printed.contains(": 1 mobile app, 1 finding, 1 target\n"), "{}", process.printed);
    let line = process.printed.lines().find(|line| line.contains("curl")).unwrap();
    assert!(line.contains(&format!("Authorization: APIKey {}", process.api_key)), "{line}");
    assert_eq!(process.send(reqwest::Method::GET, "mobile_apps", None).await.unwrap().0, 200);
}

/// Runs a printed line as a person would who pastes it.
fn pasted(printed: &str, line: usize) -> Option<Value> {
    let line = printed.lines().filter_map(|line| line.trim().strip_prefix("try")).nth(line)?;
    let quiet = format!("{} -sS --noproxy '*' --max-time 10", line.trim());
    match std::process::Command::new("sh").args(["-c", &quiet]).output() {
        Ok(output) if output.status.success() => Some(serde_json::from_slice(&output.stdout).unwrap()),
        // A machine without curl.
        Ok(output) if output.status.code() == Some(127) => None,
        result => panic!("{quiet}: {result:?}"),
    }
}

#[tokio::test]
async fn both_vendors_are_announced_with_lines_that_work_when_pasted() {
    let directory = TempDir::new().unwrap();
    let process = Process::start(directory.path(), &[]);
    let printed = &process.printed;
    for name in ["MEND_URL", "MEND_USER_KEY", "MEND_ORG_TOKEN"] {
        assert!(printed.contains(&process.env[name]), "{name} is missing in {printed}");
    }
    assert!(printed.contains("Jira REST API 3 and 2: 1 project, 3 issues\n"), "{printed}");
    let sizes = printed.lines().find(|line| line.starts_with("Mend API 1.4: ")).unwrap();
    let numbers: Vec<usize> = sizes.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.len() == 3 && numbers.iter().all(|number| *number > 0), "{sizes}");
    if let Some(reply) = pasted(printed, 0) {
        assert!(reply["mobile_apps"].is_array(), "Data Theorem's line comes first: {reply}");
    }
    if let Some(reply) = pasted(printed, 1) {
        assert_eq!(reply["projectVitals"].as_array().map(Vec::len), Some(numbers[0]), "{reply}");
    }
}

#[tokio::test]
async fn a_world_without_mend_is_announced_without_it() {
    let directory = TempDir::new().unwrap();
    let process = Process::start(directory.path(), &["--world", "docs-samples"]);
    assert!(!process.printed.contains("Mend"), "{}", process.printed);
    assert!(!process.env.contains_key("MEND_URL"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_env_file_is_private_and_has_the_real_ports() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("env.new"), "left behind by a crash").unwrap();
    let process = Process::start(directory.path(), &["--world", "one-open", "--tls-bind", "127.0.0.1:0"]);
    let mode = std::fs::metadata(&process.env_file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let text = std::fs::read_to_string(&process.env_file).unwrap();
    assert!(text.lines().all(|line| line.contains('=')), "{text}");
    assert!(!text.contains(":0/") && text.contains("MOCK_SERVER_TLS_URL=https://127.0.0.1:"), "{text}");
    assert!(!directory.path().join("env.new").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_and_sigint_end_with_exit_code_0() {
    for signal in ["TERM", "INT"] {
        let directory = TempDir::new().unwrap();
        let state = directory.path().join("state").display().to_string();
        let process = Process::start(directory.path(), &["--world", "one-open", "--state", &state]);
        assert_eq!(process.send(reqwest::Method::GET, "mobile_apps", None).await.unwrap().0, 200);
        let (code, said) = process.end_with(signal);
        assert_eq!(code, Some(0), "{signal}: {said}");
    }
}

#[tokio::test]
async fn env_asks_a_running_server_in_three_formats() {
    let directory = TempDir::new().unwrap();
    let process = Process::start(directory.path(), &["--world", "one-open", "--admin-token", "s3cret"]);
    let ask = |format: &str| {
        stdout(&["env", "--url", process.origin(), "--admin-token", "s3cret", "--format", format])
    };
    assert_eq!(ask("dotenv"), std::fs::read_to_string(&process.env_file).unwrap());
    let json: BTreeMap<String, String> = serde_json::from_str(&ask("json")).unwrap();
    assert_eq!(json["DATA_THEOREM_API_KEY"], process.api_key);
    let script = format!("{}\nprintf %s \"$DATA_THEOREM_API_KEY\"", ask("shell"));
    let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(shell.stdout).unwrap(), process.api_key);

    assert!(complaint(&["env", "--url", process.origin()]).contains("401"));
    let unknown = ["env", "--url", process.origin(), "--admin-token", "s3cret", "--sandbox", "nobody"];
    assert!(complaint(&unknown).contains("nobody"));
    let odd = ["env", "--url", process.origin(), "--admin-token", "s3cret", "--sandbox", "a/../../b c"];
    assert!(!complaint(&odd).contains("is not an address"), "the sandbox is odd, not the URL");
    assert!(complaint(&["env", "--url", "nonsense"]).contains("nonsense"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(complaint(&["env", "--url", &format!("http://{free}")]).contains("no server answers"));
}

#[tokio::test]
async fn an_empty_token_in_the_environment_is_no_token() {
    let mut command = binary(&["--bind", "0.0.0.0:0"]);
    let output = command.env("MOCK_SERVER_ADMIN_TOKEN", "").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--admin-token"));
}
