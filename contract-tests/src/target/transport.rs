//! How a request gets to a target and the reply back.
//!
//! Calls block: a check is a straight line of questions, and several checks run on threads beside each other.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt as _;
use mock_server::MockServer;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use super::exchange::{NoAnswer, Reply, Request};

/// Something that answers requests.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole reply.
    fn send(&self, request: Request) -> Result<Reply, NoAnswer>;
}

/// A transport that several places use.
pub type SharedTransport = Arc<dyn Transport>;

/// The longest a reply may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls a simulator in this process, without a socket.
pub struct InProcess {
    router: Router,
    runtime: Runtime,
    /// Its worlds live as long as it does.
    _server: Option<MockServer>,
}

impl InProcess {
    /// Calls this server. Fails if the system gives no thread.
    pub fn new(server: MockServer) -> std::io::Result<Self> {
        Ok(Self { router: server.router(), runtime: runtime()?, _server: Some(server) })
    }

    /// Calls a server that somebody else keeps. Fails if the system gives no thread.
    pub fn over(router: Router) -> std::io::Result<Self> {
        Ok(Self { router, runtime: runtime()?, _server: None })
    }
}

impl Transport for InProcess {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(request.path_and_query())
            .header("host", "localhost");
        if let Some(headers) = builder.headers_mut() {
            headers.extend(request.headers);
        }
        let call = builder.body(Body::from(request.body)).map_err(|error| no_answer(&error))?;
        self.runtime.block_on(async {
            let Ok(response) = self.router.clone().oneshot(call).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| no_answer(&error))?.to_bytes();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        })
    }
}

/// Speaks HTTP over sockets. Follows no redirect: where one is sent is part of what is judged.
pub struct Sockets {
    client: reqwest::Client,
    runtime: Runtime,
}

/// A client that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SocketsError {
    /// The system gives no thread.
    #[error("no thread can be started for the client")]
    Thread(#[from] std::io::Error),
    /// The HTTP client has no TLS, or no certificates.
    #[error("the HTTP client can't be set up")]
    Client(#[from] reqwest::Error),
}

impl Sockets {
    /// A client with default settings. Proxies that the environment names are used, except for this machine.
    pub fn new() -> Result<Self, SocketsError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(REPLY_TIMEOUT)
            .user_agent(concat!("contract-tests/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, runtime: runtime()? })
    }
}

impl Transport for Sockets {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        let call = self.client.request(request.method, request.url).headers(request.headers);
        let call = if request.body.is_empty() { call } else { call.body(request.body) };
        self.runtime.block_on(async {
            let response = call.send().await.map_err(|error| no_answer(&error.without_url()))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.bytes().await.map_err(|error| no_answer(&error.without_url()))?;
            Ok(Reply { status, headers, body })
        })
    }
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// The whole chain of causes: the last one is the one that says what to do.
fn no_answer(error: &dyn Error) -> NoAnswer {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    NoAnswer(text)
}
