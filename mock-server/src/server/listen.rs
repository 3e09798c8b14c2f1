//! A listener: accepts connections until it is told to finish, or dropped.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::connection::serve;

/// How long connections may take to finish once the server ends.
const GRACE: Duration = Duration::from_secs(3);
/// How long a client may take over its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A running listener; dropping it ends it and its connections.
pub(crate) struct Listening {
    address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Listening {
    /// Where it listens, with the real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves when the listener and its connections have finished.
    pub(crate) async fn finished(mut self) {
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Binds and starts to accept. The port is bound when this returns; there is nothing to wait for.
pub(crate) async fn listen(
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    ended: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Listening> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(accept(listener, tls, router, ended));
    Ok(Listening { address, task: Some(task) })
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    ended: impl Future<Output = ()> + Send + 'static,
) {
    let ending = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, tls.clone(), router.clone(), ending.subscribe()));
                }
                // Out of file descriptors, most likely: let some connections end first.
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            // Finished connections are collected, so that the set does not grow for ever.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = &mut ended => break,
        }
    }
    drop(listener);
    ending.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all).await;
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    ending: watch::Receiver<bool>,
) {
    // Replies are written at once; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, router, ending).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, router, ending).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}
