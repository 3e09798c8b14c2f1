//! The transport over real sockets: what it makes of connections that fail, and whom it trusts.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use mock_server::MockServer;
use mock_server::server::tls::TlsSettings;
use sync_client::adapters::http::Http;
use sync_client::ports::{NoReply, Reply, Request, Transport as _};

fn request(url: String) -> Request {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("APIKey very-secret"))]);
    Request { method: Method::GET, url, headers, body: bytes::Bytes::new() }
}

/// What comes of a request to somebody who reads it and then does this.
fn after(act: impl FnOnce(&mut TcpStream) + Send + 'static, timeout: Duration) -> Result<Reply, NoReply> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-path?secret-query", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = [0; 4096];
        let _ = stream.read(&mut read).unwrap();
        act(&mut stream);
    });
    let result = Http::new(None).unwrap().send(&request(url), timeout);
    server.join().unwrap();
    result
}

fn unknown(result: Result<Reply, NoReply>) -> String {
    let Err(NoReply::Unknown(text)) = result else { panic!("{result:?}") };
    assert!(!text.contains("secret"), "{text}");
    text
}

const PATIENT: Duration = Duration::from_secs(10);

#[test]
fn whole_replies_are_handed_out_whatever_they_say() {
    let reply = after(
        |stream| {
            let head = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nretry-after: 7\r\n";
            write!(stream, "{head}content-length: 3\r\n\r\nabc").unwrap();
        },
        PATIENT,
    );
    let reply = reply.unwrap();
    assert_eq!((reply.status, &reply.body[..]), (302, &b"abc"[..]));
    assert_eq!(reply.headers["retry-after"], "7");
}

#[test]
fn what_was_sent_and_not_answered_is_not_known() {
    unknown(after(|_| {}, PATIENT));
    unknown(after(
        |stream| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").unwrap(),
        PATIENT,
    ));
    unknown(after(
        |stream| stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").unwrap(),
        PATIENT,
    ));
    unknown(after(|stream| stream.write_all(b"no HTTP at all\r\n\r\n").unwrap(), PATIENT));
}

/// Row 58 of the catalogue: neither silence nor a reply that never ends holds the client up.
#[test]
fn nobody_is_waited_for_longer_than_the_timeout() {
    let text = unknown(after(|_| std::thread::sleep(Duration::from_millis(600)), Duration::from_millis(200)));
    assert!(text.contains("timed out"), "{text}");
    let drip = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").unwrap();
        for _ in 0..100 {
            if stream.write_all(b"x").is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the client read for five seconds");
    };
    unknown(after(drip, Duration::from_millis(300)));
}

#[test]
fn what_found_no_connection_was_not_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in
        [format!("http://{closed}/secret"), "http://secret.invalid/".to_owned(), "no address".to_owned()]
    {
        let result = Http::new(None).unwrap().send(&request(url), PATIENT);
        let Err(NoReply::NotSent(text)) = result else { panic!("{result:?}") };
        assert!(!text.contains("very-secret"), "{text}");
    }
    let result = Http::new(None).unwrap().send(&request(format!("http://{closed}/")), PATIENT);
    assert!(result.unwrap_err().to_string().contains("refused"), "the last cause says what to do");
}

/// Row 59 of the catalogue.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_certificate_is_refused_unless_its_authority_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (ca, other_ca) = (directory.path().join("ca.pem"), directory.path().join("other.pem"));
    let with_tls = async |ca_out: &std::path::Path| {
        let settings = TlsSettings { ca_out: Some(ca_out.to_owned()), ..TlsSettings::default() };
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        MockServer::builder().world("one-open").tls(any_port, settings).start().await.unwrap()
    };
    let (server, _other) = (with_tls(&ca).await, with_tls(&other_ca).await);
    let url = format!("https://localhost:{}/", server.addresses().unwrap().tls.unwrap().port());
    let (ca, other_ca) = (std::fs::read(ca).unwrap(), std::fs::read(other_ca).unwrap());
    let tried = tokio::task::spawn_blocking(move || {
        let send = |pem: Option<&[u8]>| Http::new(pem).unwrap().send(&request(url.clone()), PATIENT);
        (send(None), send(Some(&other_ca)), send(Some(&ca)))
    });
    let (stranger, other, trusted) = tried.await.unwrap();
    for refused in [stranger, other] {
        let Err(NoReply::NotSent(text)) = refused else { panic!("{refused:?}") };
        assert!(text.contains("certificate"), "{text}");
    }
    assert!(trusted.is_ok(), "{trusted:?}");
}
