//! `doctor` against a simulated Data Theorem: the function in process, and the binary as a user runs it.

use std::process::Command;

use mock_server::MockServer;
use mock_server::kernel::faults::{Effect, Fault};
use sync_client::config::DataTheoremSettings;
use sync_client::core::doctor::Diagnosis;
use sync_client::shell::doctor;

async fn server() -> MockServer {
    MockServer::builder().world("one-open").start().await.unwrap()
}

async fn diagnosis(base_url: &str, key: &str) -> Diagnosis {
    let settings = DataTheoremSettings::read(|name| match name {
        "DATA_THEOREM_BASE_URL" => Some(base_url.into()),
        _ => Some(key.into()),
    });
    let settings = settings.unwrap();
    tokio::task::spawn_blocking(move || doctor(settings, None)).await.unwrap()
}

#[tokio::test]
async fn a_good_key_is_accepted_and_sees_the_apps() {
    let server = server().await;
    let found = diagnosis(server.data_theorem().base_url(), server.data_theorem().api_key()).await;
    assert_eq!(found, Diagnosis::Accepted { sees: Some("1 mobile apps".to_owned()) });
    assert_eq!(found.exit().code(), 0);
    let journal = server.control().journal(&mock_server::kernel::journal::Filter::default());
    let operations: Vec<&str> = journal.entries.iter().map(|entry| entry.operation.as_str()).collect();
    assert_eq!(operations, ["GET mobile_apps"], "one read, and nothing else");
}

#[tokio::test]
async fn a_bad_key_is_a_credential_problem() {
    let server = server().await;
    let found = diagnosis(server.data_theorem().base_url(), "bm90LWEta2V5==").await;
    assert_eq!(found.exit().code(), 3, "{found}");
    assert!(
        matches!(&found, Diagnosis::CredentialRefused(reason) if reason.starts_with("it answers 401")),
        "{found}"
    );
}

#[tokio::test]
async fn a_key_without_access_is_a_credential_problem() {
    let server = server().await;
    let reply = Effect::Reply { status: 403, headers: Vec::new(), body: String::new() };
    server.control().plan_fault(Fault::before("GET mobile_apps", reply)).unwrap();
    let found = diagnosis(server.data_theorem().base_url(), server.data_theorem().api_key()).await;
    assert_eq!((found.exit().code(), found), (3, Diagnosis::LacksAccess("it answers 403".to_owned())));
}

#[tokio::test]
async fn a_vendor_in_trouble_is_not_a_credential_problem() {
    let server = server().await;
    for (effect, wanted) in [
        (Effect::Reply { status: 503, headers: Vec::new(), body: String::new() }, "answers 503"),
        (Effect::ConnectionReset, "not available: no complete reply came"),
        (Effect::EmptyResponse, "not available: no complete reply came"),
    ] {
        server.control().plan_fault(Fault::after("GET mobile_apps", effect)).unwrap();
        let found = diagnosis(server.data_theorem().base_url(), server.data_theorem().api_key()).await;
        assert_eq!(found.exit().code(), 4, "{found}");
        assert!(found.to_string().contains(wanted), "{found}");
    }
}

#[tokio::test]
async fn a_reply_that_is_no_app_list_points_at_the_address() {
    let server = server().await;
    let key = server.data_theorem().api_key().to_owned();
    let origin = format!("http://{}", server.addresses().unwrap().plain);
    let found = diagnosis(&origin, &key).await;
    assert!(
        matches!(&found, Diagnosis::NotTheApi(reason) if reason.starts_with("it answers 404")),
        "{found}"
    );
    for status in [302, 204, 418] {
        let reply = Effect::Reply { status, headers: Vec::new(), body: String::new() };
        server.control().plan_fault(Fault::before("GET mobile_apps", reply)).unwrap();
        let found = diagnosis(server.data_theorem().base_url(), &key).await;
        assert_eq!(found.exit().code(), 2, "{found}");
        assert!(found.to_string().contains(&format!("it answers {status}")), "{found}");
    }
    server.control().plan_fault(Fault::after("GET mobile_apps", Effect::TruncatedJson)).unwrap();
    let found = diagnosis(server.data_theorem().base_url(), &key).await;
    assert_eq!(found.exit().code(), 2, "{found}");
    assert!(found.to_string().contains("it answers 200, but"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_tells_by_exit_code_and_shows_no_key() {
    let server = server().await;
    let base_url = server.data_theorem().base_url().to_owned();
    let good = server.data_theorem().api_key().to_owned();
    let (code, out) = run_doctor(&base_url, &good);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("credential accepted, 1 mobile apps visible") && out.contains(&base_url), "{out}");
    assert!(!out.contains(&good), "{out}");

    let (code, out) = run_doctor(&base_url, "d3Jvbmc=");
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("credential refused") && !out.contains("d3Jvbmc="), "{out}");

    let (code, out) = run_doctor("", &good);
    assert_eq!(code, Some(2), "{out}");
    assert!(out.contains("DATA_THEOREM_BASE_URL") && !out.contains(&good), "{out}");

    server.stop().await;
    let (code, out) = run_doctor(&base_url, &good);
    assert_eq!(code, Some(4), "{out}");
    assert!(out.contains("not available: it could not be sent"), "{out}");
}

fn run_doctor(base_url: &str, key: &str) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sync-client"))
        .arg("doctor")
        .env("DATA_THEOREM_BASE_URL", base_url)
        .env("DATA_THEOREM_API_KEY", key)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}
