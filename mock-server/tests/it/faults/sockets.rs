//! The same faults as a client on a socket meets them: with a bare connection and with reqwest.

use std::io::ErrorKind;
use std::time::Duration;

use mock_server::MockServer;
use mock_server::kernel::faults::{Effect, Fault, Matcher, When};
use mock_server::kernel::journal::Filter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{PATCH, TARGET, path};
use crate::support::DATA_THEOREM;

pub(super) const BOTH: [When; 2] = [When::BeforeApply, When::AfterApply];

pub(super) async fn server_with(when: When, effect: Effect) -> MockServer {
    let server = MockServer::builder().world("docs-samples").start().await.unwrap();
    let matcher = Matcher { times: 1, ..Matcher::default() };
    server.control().plan_fault(Fault { matcher, when, effect }).unwrap();
    server
}

/// A connection on which the PATCH was sent.
pub(super) async fn connect(server: &MockServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.addresses().unwrap().plain).await.unwrap();
    let body = r#"{"external_id":"SEC-1"}"#;
    let request = format!(
        "PATCH {DATA_THEOREM}/{} HTTP/1.1\r\nhost: localhost\r\nauthorization: APIKey {}\r\ncontent-length: {}\r\n\r\n{body}",
        path(),
        server.data_theorem().api_key(),
        body.len(),
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn patch(server: &MockServer) -> Result<reqwest::Response, reqwest::Error> {
    let request = reqwest::Client::new().patch(format!("{}/{}", server.data_theorem().base_url(), path()));
    let request = request.header("authorization", format!("APIKey {}", server.data_theorem().api_key()));
    request.body(r#"{"external_id":"SEC-1"}"#).send().await
}

pub(super) fn assert_applied(server: &MockServer, applied: bool) {
    let targets = server.control().export_world().data_theorem.security_finding_targets;
    let target = targets.iter().find(|target| target.id == TARGET).unwrap();
    assert_eq!(target.external_id.as_deref() == Some("SEC-1"), applied);
}

async fn read_to_end(mut stream: TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await;
    let end = read.expect("the connection ends");
    (bytes, end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn a_reset_connection_is_reset_and_not_merely_closed() {
    for when in BOTH {
        let server = server_with(when, Effect::ConnectionReset).await;
        let (bytes, error) = read_to_end(connect(&server).await).await;
        assert_eq!((bytes.len(), error), (0, Some(ErrorKind::ConnectionReset)));
        assert_applied(&server, when == When::AfterApply);
        assert_eq!(patch(&server).await.unwrap().status(), 200, "the next connection is fine");
    }
}

#[tokio::test]
async fn an_empty_response_is_an_orderly_end_without_a_byte() {
    for when in BOTH {
        let server = server_with(when, Effect::EmptyResponse).await;
        let (bytes, error) = read_to_end(connect(&server).await).await;
        assert_eq!((bytes.len(), error), (0, None));
        assert_applied(&server, when == When::AfterApply);
    }
}

#[tokio::test]
async fn a_malformed_chunk_begins_a_200_and_breaks_off() {
    for when in BOTH {
        let server = server_with(when, Effect::MalformedChunk).await;
        let (bytes, _) = read_to_end(connect(&server).await).await;
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("transfer-encoding: chunked\r\n"),
            "{text}"
        );
        assert!(!text.ends_with("0\r\n\r\n"), "{text}");
        assert_applied(&server, when == When::AfterApply);

        let server = server_with(when, Effect::MalformedChunk).await;
        let response = patch(&server).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.is_err(), "a real client sees a body that fails");
    }
}

#[tokio::test]
async fn a_broken_connection_is_an_error_of_the_transport_for_a_real_client() {
    for effect in [Effect::ConnectionReset, Effect::EmptyResponse] {
        let server = server_with(When::AfterApply, effect).await;
        let error = patch(&server).await.unwrap_err();
        assert!(error.status().is_none() && !error.is_timeout(), "{error:?}");
        assert_applied(&server, true);
        let entry = server.control().journal(&Filter::default()).entries.pop().unwrap();
        assert_eq!((entry.operation.as_str(), entry.status, entry.phases.applied), (PATCH, None, true));
    }
}

#[tokio::test]
async fn only_the_struck_request_of_a_kept_connection_breaks() {
    let server = server_with(When::AfterApply, Effect::ConnectionReset).await;
    server.control().clear_faults();
    let mut stream = connect(&server).await;
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let fault = Fault::after("GET mobile_apps", Effect::EmptyResponse);
    server.control().plan_fault(fault).unwrap();
    let key = server.data_theorem().api_key().to_owned();
    let get = format!(
        "GET {DATA_THEOREM}/mobile_apps HTTP/1.1\r\nhost: localhost\r\nauthorization: APIKey {key}\r\n\r\n"
    );
    stream.write_all(get.as_bytes()).await.unwrap();
    let (bytes, error) = read_to_end(stream).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(error, None);
    assert!(!text.contains("HTTP/1.1"), "the first reply ends and no second one begins: {text}");
}

#[tokio::test]
async fn a_delay_is_real_on_a_socket() {
    let server = server_with(When::BeforeApply, Effect::Delay { ms: 150 }).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(patch(&server).await.unwrap().status(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
    assert_applied(&server, true);
}

#[tokio::test]
async fn truncated_json_arrives_whole_with_a_matching_length() {
    let server = server_with(When::AfterApply, Effect::TruncatedJson).await;
    let response = patch(&server).await.unwrap();
    let length = response.content_length().unwrap();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, length);
    assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_err());
}

#[tokio::test]
async fn a_planned_reply_with_headers_that_contradict_it_is_refused_or_sent_without_a_crash() {
    let headers = [("content-length", "5"), ("transfer-encoding", "chunked"), ("connection", "close")];
    for (name, value) in headers {
        let server = MockServer::builder().world("docs-samples").start().await.unwrap();
        let headers = vec![(name.to_owned(), value.to_owned())];
        let effect = Effect::Reply { status: 503, headers, body: "more than five".to_owned() };
        if server.control().plan_fault(Fault::after(PATCH, effect)).is_ok() {
            let reply =
                patch(&server).await.unwrap_or_else(|error| panic!("{name}: {value} gives {error:?}"));
            assert_eq!(reply.status(), 503);
            assert_eq!(reply.text().await.unwrap(), "more than five", "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_planned_reply_of_204_has_no_body_on_the_wire() {
    let effect = Effect::Reply { status: 204, headers: vec![], body: String::new() };
    let server = server_with(When::AfterApply, effect).await;
    let reply = patch(&server).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.headers().get("transfer-encoding")), (204, None));
}
