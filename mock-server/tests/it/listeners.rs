//! TLS, and what listeners refuse.

use std::path::Path;

use mock_server::server::tls::{TlsError, TlsSettings};
use mock_server::{Builder, MockServer, StartError};
use tempfile::TempDir;

fn loopback() -> std::net::SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn with_tls(settings: TlsSettings) -> Builder {
    MockServer::builder().world("one-open").tls(loopback(), settings)
}

fn trusting(pem: &Path) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(&std::fs::read(pem).unwrap()).unwrap();
    reqwest::Client::builder().tls_built_in_root_certs(false).add_root_certificate(authority).build().unwrap()
}

async fn ask(server: &MockServer, client: &reqwest::Client, host: &str) -> Result<u16, reqwest::Error> {
    let port = server.addresses().unwrap().tls.unwrap().port();
    let url = format!("https://{host}:{port}{}/mobile_apps", crate::support::DATA_THEOREM);
    let request =
        client.get(url).header("authorization", format!("APIKey {}", server.data_theorem().api_key()));
    Ok(request.send().await?.status().as_u16())
}

#[tokio::test]
async fn a_client_that_trusts_the_written_authority_connects() {
    let directory = TempDir::new().unwrap();
    let ca = directory.path().join("ca.pem");
    let server =
        with_tls(TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() }).start().await.unwrap();
    let client = trusting(&ca);
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(ask(&server, &client, host).await.unwrap(), 200, "{host}");
    }
    let environment = server.control().environment().env;
    let port = server.addresses().unwrap().tls.unwrap().port();
    assert_eq!(environment["MOCK_SERVER_TLS_URL"], format!("https://127.0.0.1:{port}"));
    assert_eq!(environment["MOCK_SERVER_CA"], ca.display().to_string());
    assert!(environment["DATA_THEOREM_BASE_URL"].starts_with("http://"), "the others stay http");
    assert!(!std::fs::read_to_string(&ca).unwrap().contains("PRIVATE KEY"));

    let stranger = reqwest::Client::builder().tls_built_in_root_certs(false).build().unwrap();
    assert!(ask(&server, &stranger, "localhost").await.is_err(), "a client that does not trust it refuses");
    assert_eq!(ask(&server, &client, "localhost").await.unwrap(), 200, "and disturbs nobody");
}

#[tokio::test]
async fn both_listeners_show_the_same_sandboxes() {
    let directory = TempDir::new().unwrap();
    let ca = directory.path().join("ca.pem");
    let server =
        with_tls(TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() }).start().await.unwrap();
    assert_eq!(ask(&server, &trusting(&ca), "localhost").await.unwrap(), 200);
    let plain = reqwest::Client::new().get(format!("{}/mobile_apps", server.data_theorem().base_url()));
    let plain = plain.header("authorization", format!("APIKey {}", server.data_theorem().api_key()));
    assert_eq!(plain.send().await.unwrap().status(), 200);
    let entries = server.control().journal(&mock_server::kernel::journal::Filter::default()).entries;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].request, entries[1].request, "TLS is not in the journal");
}

#[tokio::test]
async fn mend_answers_with_tls_too() {
    let directory = TempDir::new().unwrap();
    let ca = directory.path().join("ca.pem");
    let settings = TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() };
    let server = with_tls(settings).start().await.unwrap();
    let environment = server.control().environment().env;
    assert_eq!(environment["MEND_URL"], format!("http://{}", server.addresses().unwrap().plain));
    let fields =
        serde_json::json!({"userKey": server.mend().user_key(), "orgToken": server.mend().org_token()});
    let body = crate::support::mend_body("getOrganizationDetails", fields).to_string();
    for (origin, client) in [
        (environment["MOCK_SERVER_TLS_URL"].as_str(), trusting(&ca)),
        (environment["MEND_URL"].as_str(), reqwest::Client::new()),
    ] {
        for version in ["v1.3", "v1.4"] {
            let request = client.post(format!("{origin}/api/{version}")).body(body.clone());
            let reply: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(reply["orgToken"], server.mend().org_token(), "{origin}: {reply}");
        }
    }
    let entries = server.control().journal(&mock_server::kernel::journal::Filter::default()).entries;
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0].request, entries[2].request, "TLS is not in the journal");
}

#[tokio::test]
async fn links_begin_with_how_they_were_asked_for() {
    let directory = TempDir::new().unwrap();
    let ca = directory.path().join("ca.pem");
    let settings = TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() };
    let server = MockServer::builder().world("jira").tls(loopback(), settings).start().await.unwrap();
    let environment = server.control().environment().env;
    let jira = server.jira();
    for (origin, client) in [
        (environment["MOCK_SERVER_TLS_URL"].as_str(), trusting(&ca)),
        (environment["JIRA_BASE_URL"].as_str(), reqwest::Client::new()),
    ] {
        let ask = async |path: &str| -> serde_json::Value {
            let request = client.get(format!("{origin}/rest/api/3/{path}"));
            let reply = request.basic_auth(jira.email(), Some(jira.api_token())).send().await.unwrap();
            reply.json().await.unwrap()
        };
        assert_eq!(ask("serverInfo").await["baseUrl"], origin);
        let issue = ask("issue/SEC-1").await;
        assert!(
            issue["self"].as_str().unwrap().starts_with(&format!("{origin}/rest/api/3/issue/")),
            "{issue}"
        );
        let other = if origin.starts_with("https") { "http://" } else { "https://" };
        assert!(!issue.to_string().contains(other), "{issue}");
    }
}

/// HTTP/2 says the host in the address of the request.
#[tokio::test]
async fn links_know_the_host_without_its_header() {
    let api = crate::support::Api::of("jira");
    let request =
        http::Request::get("https://h2.example:8/rest/api/3/serverInfo").body(axum::body::Body::empty());
    assert_eq!(api.raw(request.unwrap()).await.ok()["baseUrl"], "http://h2.example:8");
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_shown() {
    let directory = TempDir::new().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["box.example".to_owned()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let own = Some((cert.clone(), key.clone()));
    let server = with_tls(TlsSettings { own: own.clone(), ..TlsSettings::default() }).start().await.unwrap();
    let address = server.addresses().unwrap().tls.unwrap();
    let authority = reqwest::Certificate::from_pem(&std::fs::read(&cert).unwrap()).unwrap();
    let client = reqwest::Client::builder()
        .tls_built_in_root_certs(false)
        .add_root_certificate(authority)
        .resolve("box.example", address)
        .build()
        .unwrap();
    assert_eq!(ask(&server, &client, "box.example").await.unwrap(), 200);
    assert!(ask(&server, &client, "localhost").await.is_err(), "the certificate names another host");

    let ca_out = Some(directory.path().join("ca.pem"));
    let both = with_tls(TlsSettings { own, ca_out, ..TlsSettings::default() }).start().await;
    assert!(matches!(both, Err(StartError::Tls(TlsError::NoAuthority))));
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_refused_with_the_file() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("other.pem"), other.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("empty.pem"), "").unwrap();
    for (cert, key, named) in [
        ("absent.pem", "key.pem", Some("absent.pem")),
        ("cert.pem", "absent.pem", Some("absent.pem")),
        ("cert.pem", "empty.pem", Some("empty.pem")),
        ("empty.pem", "key.pem", Some("empty.pem")),
        ("cert.pem", "other.pem", None),
    ] {
        let own = Some((path(cert), path(key)));
        let Err(error) = with_tls(TlsSettings { own, ..TlsSettings::default() }).start().await else {
            panic!("{cert} with {key} is taken")
        };
        let text = error.to_string();
        assert!(matches!(error, StartError::Tls(_)), "{text}");
        assert!(named.is_none_or(|name| text.contains(name)), "{cert} with {key}: {text}");
    }
}

#[tokio::test]
async fn a_tls_listener_beyond_this_machine_needs_a_token_too() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let builder = MockServer::builder().world("one-open").tls(everywhere, TlsSettings::default());
    let Err(error) = builder.clone().start().await else { panic!("it listens") };
    assert!(matches!(error, StartError::Exposed { address } if address == everywhere), "{error}");
    drop(builder.admin_token("t").start().await.unwrap());
}

#[tokio::test]
async fn plain_text_on_the_tls_port_disturbs_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let directory = TempDir::new().unwrap();
    let ca = directory.path().join("ca.pem");
    let server =
        with_tls(TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() }).start().await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(server.addresses().unwrap().tls.unwrap()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut reply = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_to_end(&mut reply)).await;
    assert!(ended.is_ok(), "the connection ends");
    assert!(!reply.starts_with(b"HTTP"));
    assert_eq!(ask(&server, &trusting(&ca), "localhost").await.unwrap(), 200);
}

#[tokio::test]
async fn http2_is_offered_only_when_asked_for() {
    for http2 in [false, true] {
        let directory = TempDir::new().unwrap();
        let ca = directory.path().join("ca.pem");
        let settings = TlsSettings { ca_out: Some(ca.clone()), http2, ..TlsSettings::default() };
        let server = with_tls(settings).start().await.unwrap();
        let chosen = negotiated(&server, &ca).await;
        assert_eq!(chosen.as_deref(), Some(if http2 { &b"h2"[..] } else { &b"http/1.1"[..] }));
        assert_eq!(
            ask(&server, &trusting(&ca), "localhost").await.unwrap(),
            200,
            "HTTP/1.1 works either way"
        );
    }
}

/// The protocol that a client gets that would take either.
async fn negotiated(server: &MockServer, ca: &Path) -> Option<Vec<u8>> {
    use tokio_rustls::rustls;
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let tcp = tokio::net::TcpStream::connect(server.addresses().unwrap().tls.unwrap()).await.unwrap();
    let stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
}
