//! The server as a library and as a program.

mod command_line;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use mock_server::{MockServer, SandboxRequest, StartError};
use serde_json::{Value, json};

use crate::support::{Api, DATA_THEOREM, MEND, mend_body};

/// The running binary; killed when dropped.
pub(crate) struct Process {
    child: Mutex<Child>,
    client: reqwest::Client,
    pub(crate) env_file: PathBuf,
    pub(crate) printed: String,
    pub(crate) base_url: String,
    pub(crate) api_key: String,
    /// The other variables.
    pub(crate) env: BTreeMap<String, String>,
}

/// The binary with these arguments and no environment that could change what it does.
pub(crate) fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-server"));
    command.args(arguments).env_remove("MOCK_SERVER_ADMIN_TOKEN").env_remove("RUST_LOG");
    command
}

impl Process {
    /// Starts the binary on a free port and waits until it is ready.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let env_file = directory.join("env");
        let _ = std::fs::remove_file(&env_file);
        let mut command = binary(&["--bind", "127.0.0.1:0", "--env-file", env_file.to_str().unwrap()]);
        let mut child =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut printed, mut env) = (String::new(), BTreeMap::new());
        let mut vendors = 1;
        while printed.matches("curl").count() < vendors
            && let Some(line) = lines.next()
        {
            printed.push_str(&line.unwrap());
            printed.push('\n');
            if env.is_empty() {
                // It was written before the first line was.
                env = variables(&env_file);
                vendors += usize::from(env.contains_key("MEND_URL"))
                    + usize::from(env.contains_key("JIRA_BASE_URL"));
            }
        }
        if env.is_empty() {
            let mut problem = String::new();
            child.stderr.take().unwrap().read_to_string(&mut problem).unwrap();
            panic!("the server did not start: {problem}");
        }
        Self {
            child: Mutex::new(child),
            client: reqwest::Client::new(),
            printed,
            base_url: env["DATA_THEOREM_BASE_URL"].clone(),
            api_key: env.get("DATA_THEOREM_API_KEY").cloned().unwrap_or_default(),
            env_file,
            env,
        }
    }

    /// The address without a path.
    pub(crate) fn origin(&self) -> &str {
        self.base_url.strip_suffix(DATA_THEOREM).unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value), reqwest::Error> {
        let request = self.client.request(method, format!("{}/{path}", self.base_url));
        let request = request.header("authorization", format!("APIKey {}", self.api_key));
        let response = request.body(body.map(|body| body.to_string()).unwrap_or_default()).send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// A request to Mend's API 1.4 with the first user's key.
    pub(crate) async fn mend(
        &self,
        request_type: &str,
        mut fields: Value,
    ) -> Result<(u16, Value), reqwest::Error> {
        fields["userKey"] = json!(self.env["MEND_USER_KEY"]);
        let body = mend_body(request_type, fields).to_string();
        let response = self.client.post(format!("{}{MEND}", self.env["MEND_URL"])).body(body).send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or_default()))
    }

    /// Kills it as `kill -9` does, and waits for its end.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Sends a signal by name and waits for the end; what it returns and what it said on stderr.
    #[cfg(unix)]
    pub(crate) fn end_with(&self, signal: &str) -> (Option<i32>, String) {
        let mut child = self.child.lock().unwrap();
        let sent =
            Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (child.wait().unwrap().code(), said)
    }
}

/// The lines of an environment file.
fn variables(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn status_of(server: &MockServer, path: &str, key: &str) -> u16 {
    let url = format!("{}/{path}", server.data_theorem().base_url());
    let request = reqwest::Client::new().get(url).header("authorization", format!("APIKey {key}"));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_server_with_all_defaults_plays_demo_on_loopback() {
    let server = MockServer::start().await;
    let (apps, findings, targets) = server.control().sizes();
    assert!(apps >= 10 && findings >= 100 && targets >= 500, "{apps} {findings} {targets}");
    assert!(server.addresses().unwrap().plain.ip().is_loopback());
    assert_eq!(status_of(&server, "mobile_apps", server.data_theorem().api_key()).await, 200);
}

#[tokio::test]
async fn two_servers_in_one_process_are_isolated() {
    let (one, two) = (MockServer::start().await, MockServer::start().await);
    assert_ne!(one.addresses(), two.addresses());
    one.control().replace_world(fixtures::world::WorldSpec::empty(one.control().epoch())).unwrap();
    one.control().advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(one.control().sizes(), (0, 0, 0));
    assert_ne!(two.control().sizes(), (0, 0, 0));
    assert_ne!(one.control().now(), two.control().now());
    let mine = one.create_sandbox(SandboxRequest::default()).await.unwrap();
    assert_eq!(status_of(&one, "mobile_apps", mine.data_theorem().api_key()).await, 200);
    assert_eq!(status_of(&two, "mobile_apps", mine.data_theorem().api_key()).await, 401);
}

#[tokio::test]
async fn dropping_a_server_closes_its_port() {
    let server = MockServer::builder().world("one-open").start().await.unwrap();
    let address = server.addresses().unwrap().plain;
    let asked =
        SandboxRequest { listen: Some(mock_server::Listen::Anywhere(true)), ..SandboxRequest::default() };
    let own = server.create_sandbox(asked).await.unwrap().data_theorem().base_url().to_owned();
    let own: std::net::SocketAddr =
        own.strip_prefix("http://").unwrap().strip_suffix(DATA_THEOREM).unwrap().parse().unwrap();
    drop(server);
    for address in [address, own] {
        let closed = async { while tokio::net::TcpStream::connect(address).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(5), closed).await.expect("the port closes");
    }
}

#[tokio::test]
async fn stopping_lets_an_open_request_finish() {
    let server = MockServer::builder().world("one-open").start().await.unwrap();
    let control = server.control();
    let mut watcher = control.watch();
    let (url, key) =
        (server.data_theorem().base_url().to_owned(), server.data_theorem().api_key().to_owned());
    let client = tokio::spawn(async move {
        let request = reqwest::Client::new().get(format!("{url}/mobile_apps"));
        request.header("authorization", format!("APIKey {key}")).send().await.unwrap().status()
    });
    let waiting = watcher.next().await.unwrap();
    let stopping = tokio::spawn(server.stop());
    tokio::task::yield_now().await;
    drop(waiting);
    drop(watcher);
    assert_eq!(client.await.unwrap(), 200);
    tokio::time::timeout(Duration::from_secs(10), stopping).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn stopping_puts_everything_acknowledged_on_disk() {
    let directory = tempfile::TempDir::new().unwrap();
    let builder = MockServer::builder().world("one-open").state(directory.path());
    let server = builder.start().await.unwrap();
    server.control().advance(jiff::SignedDuration::from_hours(1));
    let now = server.control().now();
    server.stop().await;
    let process = Process::start(
        directory.path(),
        &["--clock", "manual", "--state", directory.path().to_str().unwrap()],
    );
    let url = format!("{}/__admin/sandboxes/default/clock", process.origin());
    let clock: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(clock["now"], json!(now));
}

#[tokio::test]
async fn listening_beyond_this_machine_needs_a_token() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let Err(error) = MockServer::builder().bind(everywhere).start().await else { panic!("it listens") };
    assert!(matches!(error, StartError::Exposed { address } if address == everywhere), "{error}");
    assert!(error.to_string().contains("--admin-token"), "{error}");
    let loopback = MockServer::builder().world("one-open").start().await.unwrap();
    let server =
        MockServer::builder().world("one-open").bind(everywhere).admin_token("t").start().await.unwrap();
    let key = server.data_theorem().api_key().to_owned();
    assert_ne!(key, loopback.data_theorem().api_key(), "well-known credentials stay on loopback");
    assert_eq!(status_of(&server, "mobile_apps", &key).await, 200);
    assert_eq!(status_of(&server, "mobile_apps", loopback.data_theorem().api_key()).await, 401);
}

#[tokio::test]
async fn without_a_runtime_the_router_still_answers() {
    let api = Api::of("one-open");
    assert!(api.server.addresses().is_none());
    let _ = api.get("mobile_apps").await.ok();
    assert!(api.server.sandbox_router("no-such").is_none());
}

#[tokio::test]
async fn a_server_with_all_defaults_plays_mend_too() {
    let server = MockServer::start().await;
    let mend = server.mend();
    let (projects, libraries, violations) = server.control().mend_sizes();
    assert!(projects > 0 && libraries > 0 && violations > 0, "{projects} {libraries} {violations}");
    let env = server.control().environment().env;
    assert_eq!(env["MEND_URL"], format!("http://{}", server.addresses().unwrap().plain));
    assert_eq!((mend.url(), mend.user_key()), (env["MEND_URL"].as_str(), env["MEND_USER_KEY"].as_str()));
    assert_eq!(mend.org_token(), env["MEND_ORG_TOKEN"]);
    for key in [mend.user_key(), mend.org_token()] {
        assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
    let body = json!({"userKey": mend.user_key(), "orgToken": mend.org_token()});
    let request = reqwest::Client::new().post(format!("{}{MEND}", mend.url()));
    let reply =
        request.body(mend_body("getOrganizationProjectVitals", body).to_string()).send().await.unwrap();
    let reply: Value = reply.json().await.unwrap();
    assert_eq!(reply["projectVitals"].as_array().unwrap().len(), projects);
}

#[tokio::test]
async fn users_of_mend_are_found_by_their_address() {
    let api = Api::of("demo");
    let users = api.control().environment().mend_users;
    assert!(users.len() > 1, "a demo has users with other rights");
    for user in &users {
        assert_eq!(api.control().user_key_of(&user.email).as_deref(), Some(user.user_key.as_str()));
        assert_eq!(api.server.mend().user_key_of(&user.email), Some(user.user_key.as_str()));
        assert!(!format!("{user:?}").contains(&user.user_key), "a key is a secret");
    }
    assert_eq!(api.control().user_key_of("nobody@example.com"), None);
}

#[tokio::test]
async fn a_world_without_mend_has_no_variables_of_it() {
    let api = Api::of("docs-samples");
    let environment = api.control().environment();
    assert!(environment.env.keys().all(|name| !name.starts_with("MEND")), "{environment:?}");
    assert_eq!((api.server.mend().url(), api.server.mend().user_key()), ("", ""));
    assert!(!api.admin(http::Method::GET, "sandboxes/default/env", None).await.text.contains("mend"));
}

/// Whoever reads on from the time a vendor tells must not be told another time than the one its data has.
#[tokio::test]
async fn replies_are_dated_by_the_sandbox_s_clock() {
    let server = MockServer::builder().world("one-open").start().await.unwrap();
    server.control().advance(jiff::SignedDuration::from_hours(30));
    let wanted = server.control().now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let request = reqwest::Client::new().get(format!("{}/mobile_apps", server.data_theorem().base_url()));
    let reply =
        request.header("Authorization", format!("APIKey {}", server.data_theorem().api_key())).send().await;
    let reply = reply.unwrap();
    let dates: Vec<_> = reply.headers().get_all("date").iter().collect();
    assert_eq!(dates, [wanted.as_str()]);
}
