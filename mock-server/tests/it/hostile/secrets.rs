//! No API key of any sandbox shows up in a journal or in the body of a refusal, whatever a request contains.

use axum::body::Body;
use http::{Method, Request};
use mock_server::kernel::journal::Filter;
use mock_server::{Control, SandboxRequest};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::support::{Api, DATA_THEOREM};

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
    api.control().happen(&fixtures::world::Event::ApiKeyRevoked { name }).unwrap();
    for path in [format!("mobile_apps/{}", keys[0]), format!("mobile_apps?x={}", keys[0])] {
        assert!(!shows(&api.get(&path).await.text, &keys[0]));
    }
    for (journal, text) in journals(&api, &other) {
        assert!(!shows(&text, &keys[0]), "the journal of {journal}: {text}");
    }
}

#[tokio::test]
async fn what_looks_like_a_key_but_is_none_is_journalled_as_it_was_sent() {
    let (api, ..) = two_sandboxes().await;
    let _ = api.get("mobile_apps/AAAABBBBCCCC%2Fdddd").await;
    let entries = api.control().journal(&Filter::default()).entries;
    assert_eq!(entries[0].request.path, format!("{DATA_THEOREM}/mobile_apps/AAAABBBBCCCC%2Fdddd"));
}
