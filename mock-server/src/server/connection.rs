//! One connection: serves its requests, and breaks it where a planned fault wants that.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::http::exchange::Encrypted;
use crate::http::reply::ConnectionFault;

/// How long a client may take over the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of a request, its request line included.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A byte stream over a TCP connection that can be reset.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The connection underneath.
    fn tcp(&self) -> &TcpStream;
    /// Whether it is encrypted.
    fn is_encrypted(&self) -> bool;
    /// Whether the client chose HTTP/2.
    fn is_http2(&self) -> bool;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn is_encrypted(&self) -> bool {
        false
    }

    fn is_http2(&self) -> bool {
        false
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }

    fn is_encrypted(&self) -> bool {
        true
    }

    fn is_http2(&self) -> bool {
        self.get_ref().1.alpn_protocol() == Some(b"h2")
    }
}

/// The fault that a response asked for; the connection ends with it.
#[derive(Default)]
struct Wanted(Mutex<Option<ConnectionFault>>);

impl Wanted {
    fn put(&self, fault: ConnectionFault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    fn take(&self) -> Option<ConnectionFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a planned fault breaks the connection")]
struct Broken;

/// Serves a connection until either side ends it.
pub(super) async fn serve(stream: impl Stream, router: Router, mut ending: watch::Receiver<bool>) {
    let wanted = Arc::new(Wanted::default());
    let service = {
        let wanted = Arc::clone(&wanted);
        let is_encrypted = stream.is_encrypted();
        service_fn(move |mut request: hyper::Request<Incoming>| {
            let (router, wanted) = (router.clone(), Arc::clone(&wanted));
            if is_encrypted {
                request.extensions_mut().insert(Encrypted);
            }
            // Boxed, because a connection that is to be taken apart afterwards must be movable.
            Box::pin(async move {
                let response: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
                let Ok(mut response) = response;
                match response.extensions_mut().remove::<ConnectionFault>() {
                    None => Ok(response),
                    Some(fault) => {
                        wanted.put(fault);
                        Err(Broken)
                    }
                }
            })
        })
    };
    let end = async move {
        let _ = ending.wait_for(|ended| *ended).await;
    };
    tokio::pin!(end);
    if stream.is_http2() {
        // An HTTP/2 connection carries many requests; a fault ends one stream of it.
        let mut connection =
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            _ = &mut connection => {}
            () = &mut end => {
                std::pin::Pin::new(&mut connection).graceful_shutdown();
                let _ = connection.await;
            }
        }
        return;
    }
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        result = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(result),
        () = &mut end => None,
    };
    if ended.is_none() {
        std::pin::Pin::new(&mut connection).graceful_shutdown();
        let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    }
    let stream = connection.into_parts().io.into_inner();
    finish(stream, wanted.take()).await;
}

async fn finish(mut stream: impl Stream, fault: Option<ConnectionFault>) {
    match fault {
        Some(ConnectionFault::Reset) => {
            // With no time to linger, closing sends a reset instead of a farewell.
            let _ = stream.tcp().set_zero_linger();
            return;
        }
        Some(ConnectionFault::Raw(bytes)) => {
            let _ = stream.write_all(&bytes).await;
        }
        Some(ConnectionFault::Close) | None => {}
    }
    let _ = stream.shutdown().await;
}
