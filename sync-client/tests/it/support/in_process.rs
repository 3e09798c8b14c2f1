//! Requests to a simulator in this process.

use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::{DATE, HOST};
use http::{HeaderMap, HeaderValue, Uri};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use mock_server::{Control, MockServer};
use sync_client::ports::{NoReply, Reply, Request, Transport};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// Calls a simulator without a socket. Faults that delay or hang pass in virtual time, by which the sandbox's clock
/// moves on too. Not for a simulator that keeps state on disk or whose requests are held by a watcher: virtual time
/// does not wait for other threads.
pub(crate) struct InProcess {
    router: Router,
    control: Control,
    runtime: Mutex<Runtime>,
}

impl InProcess {
    /// Calls this server; its default sandbox has the clock.
    pub(crate) fn new(server: &MockServer) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        Self { router: server.router(), control: server.control(), runtime: Mutex::new(runtime.unwrap()) }
    }

    async fn answer(&self, request: &Request) -> Result<Reply, NoReply> {
        let path = request.url.parse::<Uri>().ok().and_then(|uri| uri.into_parts().path_and_query).unwrap();
        let mut call = ::http::Request::builder().method(request.method.clone()).uri(path.as_str());
        *call.headers_mut().unwrap() = request.headers.clone();
        let call = call.header(HOST, "localhost").body(Body::from(request.body.clone())).unwrap();
        let Ok(response) = self.router.clone().oneshot(call).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| NoReply::Unknown(with_causes(&error)))?.to_bytes();
        Ok(Reply { status: parts.status.as_u16(), headers: self.dated(parts.headers), body })
    }

    /// On a socket every reply has the date of the server's clock.
    fn dated(&self, mut headers: HeaderMap) -> HeaderMap {
        let date = self.control.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.entry(DATE).or_insert(HeaderValue::from_str(&date).unwrap());
        headers
    }
}

impl Transport for InProcess {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        self.runtime.lock().unwrap().block_on(async {
            let start = tokio::time::Instant::now();
            let result = tokio::time::timeout(timeout, self.answer(request)).await;
            let passed = SignedDuration::try_from(start.elapsed()).unwrap();
            if !passed.is_zero() {
                self.control.advance(passed);
            }
            result.unwrap_or_else(|_| Err(NoReply::Unknown(format!("no reply within {timeout:?}"))))
        })
    }
}

fn with_causes(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_causes(cause)),
        None => error.to_string(),
    }
}
