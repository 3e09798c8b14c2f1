//! No credential of any sandbox shows up in a journal or in the body of a refusal, whatever a request contains.

use axum::body::Body;
use http::{Method, Request};
use mock_server::kernel::journal::Filter;
use mock_server::{Control, SandboxRequest};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Api, DATA_THEOREM, mend_body, mend_request};

/// One more sandbox beside the default one, and one key of each.
async fn two_sandboxes() -> (Api, Control, [String; 2]) {
    let api = Api::docs_samples();
    let other = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    let keys = [api.secret().to_owned(), other.data_theorem().api_key().to_owned()];
    (api, other, keys)
}

/// Ways to write a key that a reader of the journal would undo without thinking.
fn spellings(key: &str) -> Vec<String> {
    let percent = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
    let every_byte: String =
        key.bytes().flat_map(|byte| percent_encoding::percent_encode_byte(byte).chars()).collect();
    vec![percent.to_lowercase().replace("%2f", "%2F"), percent, every_byte, key.to_owned()]
}

fn shows(text: &str, key: &str) -> bool {
    let json_slash = key.replace('/', "\\/");
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let unescaped = text.replace("\\\\/", "/").replace("\\/", "/");
    [text, &decoded, &unescaped].iter().any(|text| text.contains(key) || text.contains(&json_slash))
}

fn journals(api: &Api, other: &Control) -> [(&'static str, String); 3] {
    let filter = Filter::default();
    [
        ("the default sandbox", serde_json::to_string(&api.control().journal(&filter)).unwrap()),
        ("the other sandbox", serde_json::to_string(&other.journal(&filter)).unwrap()),
        ("nobody", serde_json::to_string(&api.server.unclaimed(&filter)).unwrap()),
    ]
}

/// Sends one request as each of: the default sandbox, the other one, nobody. Then looks for both keys.
async fn assert_kept_secret(request: impl Fn(&str) -> (Method, String, String)) {
    let (api, other, keys) = two_sandboxes().await;
    let credentials = [Some(&keys[0]), Some(&keys[1]), None];
    for key in &keys {
        for spelling in spellings(key) {
            for credential in credentials {
                let (method, uri, body) = request(&spelling);
                let mut builder = Request::builder().method(&method).uri(&uri);
                if let Some(credential) = credential {
                    builder = builder.header("authorization", format!("APIKey {credential}"));
                }
                let reply = api.raw(builder.body(Body::from(body.clone())).unwrap()).await;
                let whom = credential
                    .map_or("nobody", |credential| if *credential == keys[0] { "default" } else { "other" });
                assert!(
                    !shows(&reply.text, key),
                    "the reply to {whom} of {method} {uri} {body}: {}",
                    reply.text
                );
                for (journal, text) in journals(&api, &other) {
                    assert!(
                        !shows(&text, key),
                        "{whom} sent {method} {uri} {body}, and the journal of {journal} has it"
                    );
                }
                api.control().clear_journal();
                other.clear_journal();
            }
        }
    }
}

#[tokio::test]
async fn a_key_in_the_path_of_an_unknown_id_stays_secret() {
    assert_kept_secret(|key| (Method::GET, format!("{DATA_THEOREM}/mobile_apps/{key}"), String::new())).await;
}

#[tokio::test]
async fn a_key_in_a_path_of_no_vendor_stays_secret() {
    assert_kept_secret(|key| (Method::GET, format!("/nowhere/{key}"), String::new())).await;
}

#[tokio::test]
async fn a_key_in_the_query_stays_secret_under_whatever_name() {
    for name in ["api_key", "cursor", "x", "mobile_app_id", "results_since", "severity"] {
        assert_kept_secret(|key| {
            (Method::GET, format!("{DATA_THEOREM}/security_findings?{name}={key}"), String::new())
        })
        .await;
    }
}

#[tokio::test]
async fn a_key_as_the_name_of_a_parameter_stays_secret() {
    assert_kept_secret(|key| (Method::GET, format!("{DATA_THEOREM}/mobile_apps?{key}=1"), String::new()))
        .await;
}

#[tokio::test]
async fn a_key_written_twice_in_two_spellings_stays_secret() {
    let (api, other, keys) = two_sandboxes().await;
    let encoded = utf8_percent_encode(&keys[0], NON_ALPHANUMERIC).to_string();
    let _ = api.get(&format!("mobile_apps?a={}&b={encoded}", keys[0])).await;
    for (journal, text) in journals(&api, &other) {
        assert!(!shows(&text, &keys[0]), "the journal of {journal}: {text}");
    }
}

#[tokio::test]
async fn a_key_in_a_body_stays_secret_under_whatever_name() {
    let path = format!("{DATA_THEOREM}/security_finding_targets/4651453173202944/statuses");
    for name in ["status", "reason", "token", "x"] {
        assert_kept_secret(|key| (Method::POST, path.clone(), format!("{{\"{name}\":\"{key}\"}}"))).await;
        assert_kept_secret(|key| {
            (Method::POST, path.clone(), format!("{{\"{name}\":\"{}\"}}", key.replace('/', "\\/")))
        })
        .await;
    }
    assert_kept_secret(|key| (Method::POST, path.clone(), format!("{{\"{key}\":1}}"))).await;
    assert_kept_secret(|key| (Method::POST, path.clone(), key.to_owned())).await;
    assert_kept_secret(|key| (Method::POST, path.clone(), format!("token={key}"))).await;
}

#[tokio::test]
async fn a_key_that_was_revoked_stays_secret() {
    let (api, other, keys) = two_sandboxes().await;
    let name = api.control().export_world().data_theorem.api_keys[0].name.clone();
    api.control().happen(&fixtures::world::data_theorem::Event::ApiKeyRevoked { name }).unwrap();
    for path in [format!("mobile_apps/{}", keys[0]), format!("mobile_apps?x={}", keys[0])] {
        assert!(!shows(&api.get(&path).await.text, &keys[0]));
    }
    for (journal, text) in journals(&api, &other) {
        assert!(!shows(&text, &keys[0]), "the journal of {journal}: {text}");
    }
}

/// One more sandbox beside the default one; of each a `userKey`, the token of its service user, and a token nobody
/// has asked for.
async fn mend_secrets(handed_out: bool) -> (Api, Control, Vec<String>) {
    let api = Api::of("mend-old-project");
    let other = api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    let mut secrets = Vec::new();
    for control in [api.control(), other.clone()] {
        let mend = control.mend();
        secrets.push(mend.user_key().to_owned());
        if !handed_out {
            continue;
        }
        let fields = json!({"orgToken": mend.org_token(), "integrationType": "azureDevOps"});
        let body = mend_body("getIntegrationActivationToken", fields);
        let reply = api.mend_as(mend.user_key(), "v1.4", body).await.mend_ok();
        secrets.push(reply["activationToken"].as_str().unwrap().to_owned());
    }
    (api, other, secrets)
}

fn assert_in_no_journal(api: &Api, other: &Control, secrets: &[String], what: &str) {
    for secret in secrets {
        for (journal, text) in journals(api, other) {
            assert!(!shows(&text, secret), "{what}, and the journal of {journal} has it: {text}");
        }
    }
}

#[tokio::test]
async fn the_reply_with_an_activation_token_is_in_no_journal() {
    let (api, other, secrets) = mend_secrets(true).await;
    assert_eq!(api.last_entry().operation, "getIntegrationActivationToken");
    assert_in_no_journal(&api, &other, &secrets, "the token was handed out");
    for (place, secret) in secrets.iter().enumerate() {
        let control = if place < 2 { api.control() } else { other.clone() };
        assert!(!format!("{:?}", control.environment()).contains(secret.as_str()));
        assert!(!format!("{:?}", control.export_world()).contains(secret.as_str()));
        assert!(!serde_json::to_string(&control.export_world()).unwrap().contains(secret.as_str()));
    }
}

#[tokio::test]
async fn secrets_of_mend_stay_secret_wherever_a_request_has_them() {
    let (api, other, secrets) = mend_secrets(true).await;
    let credentials = [Some(secrets[0].clone()), Some(secrets[2].clone()), None];
    for secret in &secrets {
        for (field, version) in [
            ("userKey", "v1.3"),
            ("requestType", "v1.4"),
            ("orgToken", "v1.4"),
            ("projectToken", "v1.4"),
            ("integrationType", "v1.4"),
            ("tagValue", "v1.4"),
            ("policy", "v1.4"),
            (secret.as_str(), "v1.4"),
        ] {
            for credential in &credentials {
                for spelt in [secret.clone(), secret.replace('/', "\\/"), format!("x{secret}y")] {
                    let shown = credential.as_ref().map(|key| format!(r#","userKey":"{key}""#));
                    let shown = shown.filter(|_| field != "userKey").unwrap_or_default();
                    let request =
                        if field == "requestType" { "" } else { r#","requestType":"addProjectPolicy""# };
                    let body = format!(r#"{{"{field}":"{spelt}"{shown}{request}}}"#);
                    let reply = api.raw(mend_request(version, body.clone())).await;
                    assert!(!shows(&reply.text, secret), "{body} was answered with {}", reply.text);
                    assert_in_no_journal(&api, &other, std::slice::from_ref(secret), &body);
                    api.control().clear_journal();
                    other.clear_journal();
                }
            }
        }
        let _ = api.raw(mend_request("v1.4", format!(r#"{{"userKey":"{secret}""#))).await;
        let _ = api.raw(mend_request("v1.4", format!(r#"{{"userKey":"{secret}",/**/}}"#))).await;
        let elsewhere = Request::get(format!("/api/v1.4?userKey={secret}")).body(Body::empty()).unwrap();
        let reply = api.raw(elsewhere).await;
        assert!(!shows(&reply.text, secret));
        assert_in_no_journal(&api, &other, std::slice::from_ref(secret), "a broken or misplaced request");
    }
}

#[tokio::test]
async fn a_user_key_that_was_revoked_stays_secret() {
    let (api, other, secrets) = mend_secrets(false).await;
    let user_id = api.control().export_world().mend.users[0].id;
    api.control().happen(&fixtures::world::mend::Event::UserKeyRevoked { user_id }).unwrap();
    let body = mend_body("getOrganizationDetails", json!({"orgToken": secrets[0]}));
    let reply = api.mend_as(&secrets[0], "v1.4", body).await;
    assert!(!shows(&reply.text, &secrets[0]));
    reply.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    assert_in_no_journal(&api, &other, &secrets, "the key was revoked");
}

/// A key of a real account that somebody sends here by mistake.
#[tokio::test]
async fn a_user_key_that_nobody_here_knows_is_in_no_journal() {
    let (api, other, _) = mend_secrets(false).await;
    let strange = ["5eed".repeat(16)];
    let own = api.server.sandbox_router(other.id()).unwrap();
    for body in [
        json!({"requestType": "getOrganizationDetails", "userKey": strange[0]}).to_string(),
        json!({"requestType": "getOrganizationDetails", "userKey": [strange[0]]}).to_string(),
        format!(r#"{{"userKey" : "{}", // comment"#, strange[0]),
        format!(r#"{{"user\u004bey":"{}"}}"#, strange[0]),
    ] {
        let _ = api.raw(mend_request("v1.4", body.clone())).await;
        let Ok(_) = own.clone().oneshot(mend_request("v1.4", body.clone())).await;
        assert_in_no_journal(&api, &other, &strange, &body);
    }
    assert_eq!(other.journal(&Filter::default()).entries.len(), 4);
}

#[tokio::test]
async fn what_looks_like_a_key_but_is_none_is_journalled_as_it_was_sent() {
    let (api, ..) = two_sandboxes().await;
    let _ = api.get("mobile_apps/AAAABBBBCCCC%2Fdddd").await;
    let entries = api.control().journal(&Filter::default()).entries;
    assert_eq!(entries[0].request.path, format!("{DATA_THEOREM}/mobile_apps/AAAABBBBCCCC%2Fdddd"));
}
