//! Clients that misbehave on the connection itself.

use std::net::SocketAddr;
use std::time::Duration;

use mock_server::MockServer;
use mock_server::kernel::journal::Filter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::DATA_THEOREM;

pub(super) async fn server() -> (MockServer, SocketAddr) {
    let server = MockServer::builder().world("one-open").start().await.unwrap();
    let address = server.addresses().unwrap().plain;
    (server, address)
}

/// Sends bytes and returns everything that comes back until the server closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has seen enough may close while the rest is still on its way.
    let _ = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    String::from_utf8_lossy(&reply).into_owned()
}

async fn assert_serves(server: &MockServer) {
    let url = format!("{}/mobile_apps", server.data_theorem().base_url());
    let request = reqwest::Client::new()
        .get(url)
        .header("Authorization", format!("APIKey {}", server.data_theorem().api_key()));
    assert_eq!(request.send().await.unwrap().status(), 200);
}

pub(super) fn post(headers: &str, body: &str) -> String {
    format!(
        "POST {DATA_THEOREM}/security_findings/1/notes HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n{body}"
    )
}

#[tokio::test]
async fn garbage_ends_its_connection_and_nothing_else() {
    let (server, address) = server().await;
    let garbage: Vec<Vec<u8>> = vec![
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost : localhost\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost: a\0b\r\n\r\n".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\x01\r\n\r\n".to_vec(),
        post("content-length: 4\r\ncontent-length: 5\r\n", "abcde").into_bytes(),
        post("content-length: -1\r\n", "").into_bytes(),
        post("content-length: 99999999999999999999999\r\n", "").into_bytes(),
        post("transfer-encoding: xchunked\r\n", "0\r\n\r\n").into_bytes(),
        post("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n").into_bytes(),
        format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(200_000)).into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "a".repeat(200_000)).into_bytes(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(2_000)).into_bytes(),
    ];
    for bytes in garbage {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let reply = tokio::time::timeout(Duration::from_secs(5), exchange(address, &bytes)).await;
        let reply = reply.unwrap_or_else(|_| panic!("{shown:?} keeps its connection open"));
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{shown:?}: {reply}");
    }
    assert_serves(&server).await;
}

#[tokio::test]
async fn a_malformed_chunk_gets_a_400_and_the_rest_is_no_request() {
    let (server, address) = server().await;
    let smuggled = format!("zz\r\nGET {DATA_THEOREM}/smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let authorization = format!("authorization: APIKey {}\r\n", server.data_theorem().api_key());
    let bytes = post(&format!("{authorization}transfer-encoding: chunked\r\n"), &smuggled);
    let reply = exchange(address, bytes.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 400") && reply.matches("HTTP/1.1").count() == 1, "{reply}");
    let everything = serde_json::to_string(&server.control().journal(&Filter::default())).unwrap()
        + &serde_json::to_string(&server.unclaimed(&Filter::default())).unwrap();
    assert!(!everything.contains("smuggled"), "{everything}");
    assert_serves(&server).await;
}

#[tokio::test]
async fn a_body_counted_in_two_ways_is_one_request() {
    let (server, address) = server().await;
    let smuggled = format!(
        "0\r\n\r\nGET {DATA_THEOREM}/smuggled HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    );
    let headers =
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n", smuggled.len());
    let bytes = post(&headers, &smuggled);
    let reply = tokio::time::timeout(Duration::from_secs(5), exchange(address, bytes.as_bytes()));
    let reply = reply.await.expect("the connection ends");
    assert_eq!(reply.matches("HTTP/1.1 ").count(), 1, "{reply}");
    let unclaimed = serde_json::to_string(&server.unclaimed(&Filter::default())).unwrap();
    assert!(!unclaimed.contains("GET /apis/mobile_security/results/v2/smuggled"), "{unclaimed}");
    assert_serves(&server).await;
}

#[tokio::test]
async fn half_open_connections_do_not_stop_others() {
    let (server, address) = server().await;
    let mut open = Vec::new();
    for number in 0..1_000 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"GET /apis/mob").await.unwrap(),
            _ => stream.write_all(post("content-length: 100\r\n", "{").as_bytes()).await.unwrap(),
        }
        open.push(stream);
    }
    for _ in 0..10 {
        tokio::time::timeout(Duration::from_secs(5), assert_serves(&server))
            .await
            .expect("others are served");
    }
    drop(open);
    assert_serves(&server).await;
}
