//! `serve`: starts the server, says how to reach it, and waits for a signal.

use std::fs;
use std::io::{IsTerminal as _, Write};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use clap::Args;
use fixtures::scenes::SCENES;
use fixtures::world::WorldSpec;

use super::{ContextArgs, Failure, clock_mode};
use crate::control::Control;
use crate::embedded::{Builder, MockServer, StartError};
use crate::kernel::clock::ClockMode;
use crate::server::WorldChoice;
use crate::server::address::{dotenv, shell_quoted};
use crate::server::tls::TlsSettings;
use crate::vendors::mend::PATHS;

/// How to serve.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8700", value_parser = address)]
    bind: SocketAddr,
    /// The world to play: a name (see `mock-server worlds`) or a JSON file
    #[arg(long, value_name = "NAME|FILE")]
    world: Option<String>,
    #[command(flatten)]
    context: ContextArgs,
    /// How clocks run: `system`, `manual` (stands until moved), `system+OFFSET` or `system-OFFSET`, e.g. `system+2h`
    #[arg(long, value_name = "CLOCK", default_value = "system", value_parser = clock_mode)]
    clock: ClockMode,
    /// Choose a value for a reading (see `mock-server readings`); may be repeated
    #[arg(long = "reading", value_name = "ID=VALUE")]
    readings: Vec<String>,
    /// Keep state in this directory: what was acknowledged survives a crash
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Write addresses and credentials into this file as KEY=value lines, once the server listens
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Token that the admin plane asks for; needed to listen beyond the loopback interface
    #[arg(long, value_name = "TOKEN", env = "MOCK_SERVER_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    #[command(flatten, next_help_heading = "TLS")]
    tls: TlsArgs,
}

#[derive(Debug, Args)]
struct TlsArgs {
    /// Listen here too, with TLS; the certificate is made for this run unless one is given
    #[arg(long, value_name = "ADDR", value_parser = address)]
    tls_bind: Option<SocketAddr>,
    /// Certificate chain as PEM
    #[arg(long, value_name = "FILE", requires = "tls_bind", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key as PEM
    #[arg(long, value_name = "FILE", requires = "tls_bind", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Write the certificate of the authority that signed the made certificate, for clients to trust
    #[arg(long, value_name = "FILE", requires = "tls_bind", conflicts_with = "tls_cert")]
    tls_ca_out: Option<PathBuf>,
    /// Offer HTTP/2 besides HTTP/1.1
    #[arg(long, requires = "tls_bind")]
    http2: bool,
}

/// A command line that can't be served.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("there is no world named {name:?} and no file of that name; worlds: {}", names())]
    NoWorld { name: String },
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}:{line}:{column}: {problem}")]
    Schema { path: PathBuf, line: usize, column: usize, problem: String },
    #[error("--reading {text:?}: write ID=VALUE, e.g. dt.last-page-cursor=null")]
    Reading { text: String },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error(
        "{address} is in use by another program: stop it, or choose another port with {flag}, e.g. {flag} 127.0.0.1:0 for any free one"
    )]
    PortInUse { address: SocketAddr, flag: &'static str },
}

/// Reads an address for clap; names such as localhost are looked up.
fn address(text: &str) -> Result<SocketAddr, String> {
    let resolved = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    resolved.ok_or_else(|| "write ADDRESS:PORT, e.g. 127.0.0.1:8700 or localhost:8700".to_owned())
}

fn names() -> String {
    SCENES.iter().map(|scene| scene.name).collect::<Vec<_>>().join(", ")
}

/// `mock-server serve`
pub(super) fn serve(args: ServeArgs) -> Result<(), Failure> {
    let colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,mock_server=info")),
        )
        .init();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serve_until_told(args))
}

async fn serve_until_told(args: ServeArgs) -> Result<(), Failure> {
    let mut told_to_end = EndSignals::new()?;
    let server = match builder(&args)?.start().await {
        Err(StartError::Bind { address, tls, source }) if source.kind() == std::io::ErrorKind::AddrInUse => {
            let flag = if tls { "--tls-bind" } else { "--bind" };
            return Err(ServeError::PortInUse { address, flag }.into());
        }
        result => result?,
    };
    if let Some(path) = &args.env_file {
        write_env_file(path, &dotenv(&server.control().environment().env))
            .map_err(|source| ServeError::Write { path: path.clone(), source })?;
    }
    // A reader that went away, as `| head` does, is no reason to stop serving.
    let _ = announce(&server, &args);
    told_to_end.wait().await;
    eprintln!("mock-server: ending; open requests get a moment");
    server.stop().await;
    Ok(())
}

fn builder(args: &ServeArgs) -> Result<Builder, Failure> {
    let mut builder = MockServer::builder()
        .bind(args.bind)
        .clock(args.clock)
        .page_size(usize::from(args.context.page_size));
    if let Some(world) = &args.world {
        builder = match read_world(world)? {
            Some(spec) => builder.world_spec(spec),
            None => builder.world(world),
        };
    }
    if let Some(seed) = args.context.seed {
        builder = builder.seed(seed);
    }
    if let Some(epoch) = args.context.epoch {
        builder = builder.epoch(epoch);
    }
    for text in &args.readings {
        let (id, value) = text.split_once('=').ok_or_else(|| ServeError::Reading { text: text.clone() })?;
        builder = builder.reading(id, value)?;
    }
    if let Some(token) = args.admin_token.as_deref().filter(|token| !token.is_empty()) {
        builder = builder.admin_token(token);
    }
    if let Some(directory) = &args.state {
        builder = builder.state(directory);
    }
    if let Some(address) = args.tls.tls_bind {
        let own = args.tls.tls_cert.clone().zip(args.tls.tls_key.clone());
        // Whoever asks this server for the file may stand in another folder.
        let ca_out = args.tls.tls_ca_out.as_ref();
        let ca_out = ca_out.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        let settings = TlsSettings { own, ca_out, http2: args.tls.http2 };
        builder = builder.tls(address, settings);
    }
    Ok(builder)
}

/// The world in a file, or `None` if the text names a scene.
fn read_world(text: &str) -> Result<Option<WorldSpec>, ServeError> {
    let name = text.split(':').next().unwrap_or(text);
    if SCENES.iter().any(|scene| scene.name.split(':').next() == Some(name)) {
        return Ok(None);
    }
    let path = Path::new(text);
    if !path.exists() && !text.contains(['/', '.']) {
        return Err(ServeError::NoWorld { name: text.to_owned() });
    }
    let content =
        fs::read_to_string(path).map_err(|source| ServeError::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&content).map(Some).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let problem = error.to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
        ServeError::Schema { path: path.to_owned(), line, column, problem }
    })
}

/// Writes the file beside its place and renames it, so that nobody ever reads half of it; it holds credentials,
/// so it is the owner's alone.
fn write_env_file(path: &Path, content: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Says how to reach the server.
fn announce(server: &MockServer, args: &ServeArgs) -> std::io::Result<()> {
    let control = server.control();
    let mut out = std::io::stdout().lock();
    writeln!(out, "mock-server {} is ready", env!("CARGO_PKG_VERSION"))?;
    let settings = server.settings();
    let world = match &settings.world {
        WorldChoice::Scene(name) => name.as_str(),
        WorldChoice::Spec(_) => args.world.as_deref().unwrap_or("(a file's)"),
    };
    let (seed, epoch, clock) = (settings.seed, control.epoch(), control.clock_mode());
    writeln!(out, "  world    {world} (seed {seed}, epoch {epoch}, clock {clock})")?;
    if let Some(directory) = &args.state {
        writeln!(out, "  state    {}", directory.display())?;
    }
    if let Some(addresses) = server.addresses() {
        writeln!(out, "  admin    http://{}{}/health", addresses.plain, crate::admin::BASE_PATH)?;
        if let Some(tls) = addresses.tls {
            writeln!(out, "  TLS      https://{tls}")?;
        }
    }
    announce_data_theorem(&mut out, &control)?;
    announce_mend(&mut out, &control)?;
    announce_jira(&mut out, &control)?;
    out.flush()
}

fn announce_data_theorem(out: &mut impl Write, control: &Control) -> std::io::Result<()> {
    let (apps, findings, targets) = control.sizes();
    let data_theorem = control.data_theorem();
    let (base, key) = (data_theorem.base_url(), or_none(data_theorem.api_key()));
    writeln!(
        out,
        "\nData Theorem Results API v2: {}, {}, {}",
        counted(apps, "mobile app"),
        counted(findings, "finding"),
        counted(targets, "target")
    )?;
    writeln!(out, "  base URL {base}")?;
    writeln!(out, "  API key  {key}")?;
    let header = shell_quoted(&format!("Authorization: APIKey {key}"));
    writeln!(out, "  try      curl -H {header} {}", shell_quoted(&format!("{base}/mobile_apps")))
}

/// Says nothing if the world has nothing at Mend.
fn announce_mend(out: &mut impl Write, control: &Control) -> std::io::Result<()> {
    let (projects, libraries, violations) = control.mend_sizes();
    let mend = control.mend();
    if mend.url().is_empty() {
        return Ok(());
    }
    let (url, key, token) =
        (format!("{}{}", mend.url(), PATHS[1]), or_none(mend.user_key()), or_none(mend.org_token()));
    writeln!(
        out,
        "\nMend API 1.4: {}, {} in use, {}",
        counted(projects, "project"),
        if libraries == 1 { "1 library".to_owned() } else { format!("{libraries} libraries") },
        counted(violations, "policy violation")
    )?;
    writeln!(out, "  base URL {url}")?;
    writeln!(out, "  userKey  {key}")?;
    writeln!(out, "  orgToken {token}")?;
    let (quoted_key, quoted_token) = (serde_json::json!(key), serde_json::json!(token));
    let body = format!(
        r#"{{"requestType":"getOrganizationProjectVitals","userKey":{quoted_key},"orgToken":{quoted_token}}}"#
    );
    let (header, body) = (shell_quoted("Content-Type: application/json"), shell_quoted(&body));
    writeln!(out, "  try      curl -H {header} -d {body} {}", shell_quoted(&url))
}

/// Says nothing if nobody has an account at Jira.
fn announce_jira(out: &mut impl Write, control: &Control) -> std::io::Result<()> {
    let (projects, issues) = control.jira_sizes();
    let jira = control.jira();
    if jira.base_url().is_empty() {
        return Ok(());
    }
    let (projects, issues) = (counted(projects, "project"), counted(issues, "issue"));
    writeln!(out, "\nJira REST API 3 and 2: {projects}, {issues}")?;
    writeln!(out, "  base URL {}", jira.base_url())?;
    writeln!(out, "  email    {}", jira.email())?;
    writeln!(out, "  token    {}", jira.api_token())?;
    let pair = shell_quoted(&format!("{}:{}", jira.email(), jira.api_token()));
    let query =
        format!("{}/rest/api/3/search/jql?jql=project={}&fields=summary", jira.base_url(), jira.project());
    writeln!(out, "  try      curl -u {pair} {}", shell_quoted(&query))
}

/// So many of something that takes an s.
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

/// The signals that end the server.
struct EndSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl EndSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
