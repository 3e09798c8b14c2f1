//! Slow senders, in virtual time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TARGET;
use super::sockets::{post, server};
use crate::support::Api;

#[tokio::test(start_paused = true)]
async fn a_sender_that_never_finishes_gets_a_408_in_time() {
    let api = Api::docs_samples();
    let before = api.control().export_world();
    let body = Body::from_stream(Unending);
    let waited = tokio::time::timeout(Duration::from_mins(1), api.send(Method::PATCH, TARGET, body));
    waited.await.expect("an answer within a minute").refused(408, "server.body-timeout");
    assert_eq!(api.control().export_world(), before);
}

struct Unending;

impl futures_core::Stream for Unending {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_of_half_a_head_is_hung_up_on() {
    let (_server, address) = server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut reply = Vec::new();
    let end = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut reply)).await;
    assert!(end.is_ok(), "the connection is open after a minute");
}

#[tokio::test(start_paused = true)]
async fn a_sender_of_half_a_body_gets_a_408_on_the_socket_too() {
    let (server, address) = server().await;
    let authorization = format!("authorization: APIKey {}\r\n", server.data_theorem().api_key());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(post(&format!("{authorization}content-length: 100\r\n"), "{").as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    let end = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut reply)).await;
    assert!(end.is_ok(), "the connection is open after a minute");
    let reply = String::from_utf8_lossy(&reply);
    assert!(
        reply.starts_with("HTTP/1.1 408") && reply.contains("x-mock-rule: server.body-timeout"),
        "{reply}"
    );
}
