//! `env`: asks a running server what a client needs to know.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::{Failure, Format};
use crate::server::DEFAULT_SANDBOX;
use crate::server::address::shell_quoted;

/// Whom to ask for what.
#[derive(Debug, Args)]
pub(super) struct EnvArgs {
    /// Where the server listens, without TLS
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8700")]
    url: String,
    /// Which sandbox
    #[arg(long, value_name = "ID", default_value = DEFAULT_SANDBOX)]
    sandbox: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Shell)]
    format: Format,
    /// Token of the admin plane, if it has one
    #[arg(long, value_name = "TOKEN", env = "MOCK_SERVER_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Environment {
    env: BTreeMap<String, String>,
}

/// A server that could not be asked.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("{url:?} is not an address such as http://127.0.0.1:8700")]
    Url { url: String },
    #[error("no server answers at {url}; start one with `mock-server`, or say where it is with --url")]
    Connect { url: String, source: std::io::Error },
    #[error("the server at {url} does not answer the way a mock-server does")]
    Protocol { url: String, source: hyper::Error },
    #[error("the server at {url} did not answer within 10 seconds")]
    Timeout { url: String },
    #[error("the server at {url} refused with {status}: {body}")]
    Refused { url: String, status: u16, body: String },
}

/// `mock-server env`
pub(super) fn env(args: &EnvArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let body = runtime.block_on(async {
        let asked = tokio::time::timeout(Duration::from_secs(10), ask(args)).await;
        asked.unwrap_or_else(|_| Err(AskError::Timeout { url: args.url.clone() }))
    })?;
    let environment: Environment = serde_json::from_slice(&body)?;
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Shell => {
            for (name, value) in &environment.env {
                writeln!(out, "export {name}={}", shell_quoted(value))?;
            }
        }
        Format::Dotenv => {
            for (name, value) in &environment.env {
                writeln!(out, "{name}={value}")?;
            }
        }
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&environment.env)?)?,
    }
    Ok(())
}

async fn ask(args: &EnvArgs) -> Result<Bytes, AskError> {
    let url = args.url.clone();
    let wrong_url = || AskError::Url { url: url.clone() };
    let uri: http::Uri = args.url.parse().map_err(|_| wrong_url())?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(wrong_url)?;
    let address = (authority.host().trim_matches(['[', ']']).to_owned(), authority.port_u16().unwrap_or(80));
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .map_err(|source| AskError::Connect { url: url.clone(), source })?;
    let protocol = |source| AskError::Protocol { url: url.clone(), source };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(protocol)?;
    tokio::spawn(connection);
    let sandbox = percent_encoding::utf8_percent_encode(&args.sandbox, percent_encoding::NON_ALPHANUMERIC);
    let mut request = http::Request::get(format!("/__admin/sandboxes/{sandbox}/env"))
        .header(http::header::HOST, authority.as_str());
    if let Some(token) = &args.admin_token {
        request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| wrong_url())?;
    let response = sender.send_request(request).await.map_err(protocol)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(protocol)?.to_bytes();
    if !status.is_success() {
        let body = String::from_utf8_lossy(&body).into_owned();
        return Err(AskError::Refused { url, status: status.as_u16(), body });
    }
    Ok(body)
}
