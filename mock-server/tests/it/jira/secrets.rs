//! No API token shows up in a journal or in what is said about a request, however the request spells it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use http::Method;
use mock_server::SandboxRequest;
use mock_server::kernel::journal::Filter;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::common::{Jira, basic, doc, new_issue};

const EMAIL: &str = "sync@larkfield.example";

/// So much of a token is too much.
const PIECE: usize = 24;

/// A site with another one beside it, and the token of each.
async fn two_sites() -> (Jira, mock_server::Control, [String; 2]) {
    let jira = Jira::new();
    let other = jira.api.server.create_sandbox(SandboxRequest::default()).await.unwrap();
    let tokens = [jira.api.server.jira().api_token().to_owned(), other.jira().api_token().to_owned()];
    (jira, other, tokens)
}

/// Every way to write a pair that authenticates, or the token alone, and what a client makes of it by mistake.
fn spellings(token: &str) -> Vec<String> {
    let pairs = ["sync@larkfield.example", "SYNC@Larkfield.Example", "a@b.c", "ab@b.c", ""]
        .map(|email| format!("{email}:{token}"));
    let mut found = vec![token.to_owned()];
    for pair in &pairs {
        found.extend([STANDARD.encode(pair), STANDARD_NO_PAD.encode(pair), URL_SAFE.encode(pair)]);
        found.push(STANDARD.encode(format!("{pair}\n")));
    }
    found
}

/// What a reader of a text sees who undoes its encodings.
fn readings(text: &str) -> Vec<Vec<u8>> {
    let unescaped = text.replace("\\\\/", "/").replace("\\/", "/");
    let decoded = percent_decode_str(&unescaped).decode_utf8_lossy().into_owned();
    let mut seen = vec![text.as_bytes().to_vec(), unescaped.into_bytes(), decoded.clone().into_bytes()];
    let standard = decoded.replace('-', "+").replace('_', "/");
    for run in standard.split(|letter: char| !letter.is_ascii_alphanumeric() && !"+/".contains(letter)) {
        for from in 0..run.len().min(4) {
            let whole = (run.len() - from) / 4 * 4;
            seen.extend(STANDARD_NO_PAD.decode(&run[from..from + whole]));
        }
    }
    seen
}

fn shows(text: &str, token: &str) -> bool {
    let pieces: BTreeSet<&[u8]> = token.as_bytes().windows(PIECE).collect();
    readings(text).iter().any(|seen| seen.windows(PIECE).any(|part| pieces.contains(part)))
}

#[test]
fn the_reader_of_these_tests_undoes_every_spelling() {
    let token = "ATATT3x0123456789-_abcdefghijklmnopqrstuvwxyz";
    for spelt in spellings(token) {
        for text in
            [spelt.clone(), format!("xy{spelt}"), utf8_percent_encode(&spelt, NON_ALPHANUMERIC).to_string()]
        {
            assert!(shows(&text, token), "{text}");
        }
    }
    assert!(!shows("ATATT3xSomethingElse", token));
}

/// Requests that carry a text in every place that a journal or a refusal may repeat.
fn requests(text: &str) -> Vec<(Method, String, Option<Value>)> {
    let path = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let filler = "x".repeat(40);
    vec![
        (Method::GET, format!("myself?auth={path}"), None),
        (Method::GET, format!("myself?auth={}", text.replace('+', "%2B")), None),
        (Method::GET, format!("issue/{path}"), None),
        (Method::GET, format!("issue/SEC-1/comment/{filler}{path}"), None),
        (Method::GET, format!("project/{filler}{path}"), None),
        (Method::GET, format!("issue/SEC-1/properties/{path}"), None),
        (Method::GET, format!("nothing/{filler}{path}"), None),
        (Method::GET, format!("search/jql?jql={path}%20%3D%201"), None),
        (Method::GET, format!("search/jql?jql=key%20%3D%20%22{filler}{path}%22"), None),
        (Method::GET, format!("search/jql?jql=labels%20%3D%20%22{path}%20x%22"), None),
        (Method::POST, "search/jql".to_owned(), Some(json!({"jql": format!("\"{filler}{text}\" = 1")}))),
        (Method::POST, "issue".to_owned(), Some(new_issue(json!({text: 1})))),
        (Method::POST, "issue".to_owned(), Some(new_issue(json!({"labels": [format!("{filler} {text}")]})))),
        (
            Method::POST,
            "issue".to_owned(),
            Some(new_issue(json!({"assignee": {"accountId": format!("{filler}{text}")}}))),
        ),
        (
            Method::POST,
            "issue".to_owned(),
            Some(new_issue(json!({"priority": {"name": format!("{filler}{text}")}}))),
        ),
        (
            Method::POST,
            "issue/bulk".to_owned(),
            Some(
                json!({"issueUpdates": [new_issue(json!({})), new_issue(json!({"labels": [format!("{text} x")]}))]}),
            ),
        ),
        (
            Method::POST,
            "issue/SEC-1/transitions".to_owned(),
            Some(json!({"transition": {"id": text}, text: text})),
        ),
        (
            Method::POST,
            "issue/SEC-1/comment".to_owned(),
            Some(
                json!({"body": {"type": "doc", "version": 1, "content": [{"type": format!("{filler}{text}")}]}}),
            ),
        ),
        (Method::PUT, "issue/SEC-1".to_owned(), Some(json!({text: doc("x")}))),
    ]
}

/// Sends every request as each of: the first site's user, the second one's, nobody. Then looks for the tokens.
async fn assert_kept_secret(spellings: impl Fn(&str) -> Vec<String>) {
    let (mut jira, other, tokens) = two_sites().await;
    let pairs = [Some(basic(EMAIL, &tokens[0])), Some(basic(EMAIL, &tokens[1])), None];
    let mut unclaimed = Filter::default();
    for token in &tokens {
        for spelt in spellings(token) {
            for pair in &pairs {
                jira = jira.showing(pair.as_deref());
                for (method, path, body) in requests(&spelt) {
                    let what = format!("{method} {path} {body:?}");
                    let reply = jira.send(method, &path, body.map(|body| body.to_string())).await;
                    // What was stored is data, and stays as it is.
                    let is_said = reply.status >= 400 || path == "issue/bulk";
                    assert!(
                        !is_said || !shows(&reply.text, token),
                        "{what} was answered with {}",
                        reply.text
                    );
                }
                let filter = Filter::default();
                let nobodys = jira.api.server.unclaimed(&unclaimed);
                unclaimed.after = nobodys.last_seq;
                let journals = [jira.api.control().journal(&filter), other.journal(&filter), nobodys];
                for entry in journals.iter().flat_map(|journal| &journal.entries) {
                    let text = serde_json::to_string(entry).unwrap();
                    assert!(!shows(&text, token), "{spelt} came in, and a journal has it: {text}");
                }
                jira.api.control().clear_journal();
                other.clear_journal();
            }
        }
    }
}

#[tokio::test]
async fn a_token_stays_secret_alone_and_in_every_pair_that_authenticates() {
    assert_kept_secret(spellings).await;
}

/// The pair under another spelling of the email is as good as the pair itself.
#[tokio::test]
async fn every_spelling_that_is_tried_authenticates_if_its_email_is_the_users() {
    let jira = Jira::new();
    let token = jira.api.server.jira().api_token().to_owned();
    for spelt in spellings(&token).iter().filter(|spelt| **spelt != token) {
        let shown = STANDARD.decode(spelt).or_else(|_| STANDARD_NO_PAD.decode(spelt));
        let is_theirs =
            shown.is_ok_and(|shown| shown.eq_ignore_ascii_case(format!("{EMAIL}:{token}").as_bytes()));
        let reply = Jira::new().showing(Some(&format!("Basic {spelt}"))).get("myself").await;
        assert_eq!(reply.status, if is_theirs { 200 } else { 401 }, "{spelt}");
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_stays_secret() {
    let (jira, _, tokens) = two_sites().await;
    let account_id = jira.api.control().export_world().jira.users[0].account_id.clone();
    jira.happens(json!({"type": "jira.api_token_revoked", "account_id": account_id}));
    let pair = STANDARD.encode(format!("SYNC@larkfield.example:{}", tokens[0]));
    let reply = jira.get(&format!("issue/{pair}?x={pair}")).await;
    assert!(!shows(&reply.text, &tokens[0]), "{}", reply.text);
    let journal = serde_json::to_string(&jira.api.control().journal(&Filter::default())).unwrap();
    assert!(!shows(&journal, &tokens[0]), "{journal}");
}

#[tokio::test]
async fn no_export_has_a_token() {
    let (jira, other, tokens) = two_sites().await;
    let shown = jira.api.admin(Method::GET, "sandboxes/default/world", None).await.ok().to_string();
    for (text, token) in [
        (shown, &tokens[0]),
        (format!("{:?}", jira.api.control().export_world()), &tokens[0]),
        (serde_json::to_string(&other.export_world()).unwrap(), &tokens[1]),
        (format!("{:?}", other.environment()), &tokens[1]),
    ] {
        assert!(!shows(&text, token), "{text}");
    }
}
