//! What all calls have in common: how they come, who may make them, and how refusals look.

mod access;

use axum::body::Body;
use http::{Method, Request};
use mock_server::MockServer;
use mock_server::kernel::faults::{BodyPredicate, Effect, Fault, Matcher, When};
use mock_server::server::tls::TlsSettings;
use serde_json::{Value, json};

use super::common::{assert_keys, fetch, first_project, mend_world, of_organization, project as token_of};
use super::external_issues::{counters, report, stored, two_violations, violations_of};
use crate::support::{Api, Reply, mend_body, mend_request};

const FETCH: &str = "fetchProjectPolicyIssues";
const UPDATE: &str = "updateExternalIntegrationIssues";
const PATHS: [&str; 2] = ["/api/v1.3", "/api/v1.4"];

/// The body of a call that is granted.
fn good(api: &Api) -> Value {
    let mut body = mend_body(FETCH, json!({"projectToken": first_project(api)}));
    body["userKey"] = Value::from(api.server.mend().user_key());
    body
}

async fn send(api: &Api, body: impl Into<Body>) -> Reply {
    api.raw(mend_request("v1.4", body)).await
}

/// The first user's key and another body.
async fn send_json(api: &Api, mut body: Value) -> Reply {
    body["userKey"] = Value::from(api.server.mend().user_key());
    send(api, body.to_string()).await
}

/// MEND-POST-ONLY
#[tokio::test]
async fn only_post_is_accepted() {
    let api = Api::of("one-open");
    let before = api.control().export_world();
    for path in PATHS {
        for method in ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"] {
            for body in [String::new(), good(&api).to_string()] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let reply = api
                    .raw(Request::builder().method(&method).uri(path).body(Body::from(body)).unwrap())
                    .await;
                assert_eq!(reply.headers["allow"], "POST", "{method} {path}");
                if method != Method::HEAD {
                    assert!(reply.json()["errorCode"].is_u64(), "{method} {path}: {}", reply.text);
                }
                reply.refused(405, "MEND-POST-ONLY");
            }
        }
    }
    assert_eq!(api.control().export_world(), before);
}

/// MEND-VERSION-PATH, MEND-API-VERSIONS
#[tokio::test]
async fn each_version_has_one_path_and_nothing_else_is_one() {
    let api = Api::of("one-open");
    let body = good(&api).to_string();
    let answers = [
        api.raw(mend_request("v1.3", body.clone())).await,
        api.raw(mend_request("v1.4", body.clone())).await,
    ];
    let [old, new] = answers.map(Reply::mend_ok);
    assert_eq!(old["project"], new["project"]);
    for other in ["v1.2", "v1.5", "v1.4/", "v1.4/fetchProjectPolicyIssues", "V1.4", "v2.0", ""] {
        let reply = api.raw(mend_request(other, body.clone())).await;
        reply.refused(404, "server.unknown-path");
    }
    let queried = api.raw(mend_request("v1.4?x=1", body)).await;
    assert_eq!(queried.mend_ok(), new);
}

/// MEND-ERROR-BODY, MEND-ERROR-NOT-ALLOWED, MEND-ERROR-INVALID-PARAMETERS, MEND-ERROR-MISSING-FIELDS
#[tokio::test]
async fn a_refusal_is_a_200_with_a_number_and_a_message() {
    let api = Api::of("one-open");
    let refusals = [
        (send_json(&api, json!({"requestType": FETCH})).await, 3010, "Missing fields: projectToken"),
        (
            send_json(&api, json!({"requestType": FETCH, "projectToken": "?"})).await,
            5001,
            "User is not allowed to perform this action",
        ),
        (
            send_json(&api, json!({"requestType": FETCH, "projectToken": true})).await,
            3000,
            "Invalid request parameters: projectToken has to be a string, not a boolean",
        ),
    ];
    for (reply, code, message) in refusals {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_keys(&reply.json(), &["errorCode", "errorMessage"]);
        assert!(reply.json()["errorCode"].is_u64(), "a number, not a text");
        assert_eq!(reply.json(), json!({"errorCode": code, "errorMessage": message}));
    }
}

/// MEND-REQUEST-TYPE, `mend.unknown-request-type`
#[tokio::test]
async fn the_request_type_is_required_and_has_to_be_a_known_one() {
    let api = Api::of("one-open");
    let of = |request_type: Value| {
        let mut body = good(&api);
        body["requestType"] = request_type;
        body
    };
    let mut absent = good(&api);
    absent.as_object_mut().unwrap().remove("requestType");
    for body in [absent, of(Value::Null), of(json!(""))] {
        let message = send_json(&api, body).await.mend_refused(3010, "MEND-REQUEST-TYPE");
        assert_eq!(message, "Missing fields: requestType");
    }
    for wrong in [json!(1), json!([FETCH]), json!({"name": FETCH})] {
        let _ = send_json(&api, of(wrong)).await.mend_refused(3000, "MEND-REQUEST-TYPE");
    }
    for unknown in
        ["fetchprojectpolicyissues", "fetchProjectPolicyIssues ", "getOrganizationIntegrationActivationToken"]
    {
        let message =
            send_json(&api, of(json!(unknown))).await.mend_refused(3000, "mend.unknown-request-type");
        assert!(message.contains("requestType"), "{message}");
        assert_eq!(api.last_entry().operation, "unknown requestType");
    }
    let long = "x".repeat(100_000);
    let message = send_json(&api, of(json!(long))).await.mend_refused(3000, "mend.unknown-request-type");
    assert!(message.len() < 500, "{} bytes", message.len());
}

/// MEND-JSON-BODY, `mend.unreadable-body`
#[tokio::test]
async fn a_body_has_to_be_a_json_object() {
    let api = Api::of("one-open");
    let whole = good(&api).to_string();
    for body in [
        "",
        " ",
        "null",
        "[]",
        "1",
        "\"x\"",
        "{",
        &whole[..whole.len() - 1],
        "requestType=x",
        "{}{}",
        "<a/>",
        "{'a':1}",
    ] {
        let reply = send(&api, body.to_owned()).await;
        let _ = reply.mend_refused(3000, "mend.unreadable-body");
    }
    let reply = send(&api, &b"{\"requestType\":\"\xff\"}"[..]).await;
    let _ = reply.mend_refused(3000, "mend.unreadable-body");
    let _ = send(&api, format!(" \n{whole}\t")).await.mend_ok();
}

/// MEND-JSON-BODY, `mend.json-strictness`
#[tokio::test]
async fn comments_and_superfluous_commas_are_json_only_under_the_lenient_reading() {
    let api = Api::of("one-open");
    let strict = good(&api).to_string();
    let lenient = format!("{}, // as the page's examples have it\n}}", &strict[..strict.len() - 1]);
    let _ = send(&api, lenient.clone()).await.mend_refused(3000, "mend.json-strictness");
    api.control().set_readings([("mend.json-strictness", "lenient")]).unwrap();
    assert_eq!(send(&api, lenient).await.mend_ok(), send(&api, strict).await.mend_ok());
    let _ = send(&api, "{ // nothing").await.mend_refused(3000, "mend.unreadable-body");
}

/// MEND-UNKNOWN-FIELDS, MEND-FOREIGN-TOKEN, MEND-UNKNOWN-HEADERS, MEND-ACCEPT-CHARSET
#[tokio::test]
async fn what_real_clients_add_keeps_no_call_from_being_answered() {
    let api = Api::of("one-open");
    let plain = send_json(&api, good(&api)).await;
    let mut body = good(&api);
    body["agentInfo"] = json!({"agent": "ps-tool", "agentVersion": "1.0"});
    body["excludeExtraData"] = json!(true);
    for token in ["orgToken", "productToken", "globalOrgToken"] {
        body[token] = json!("whatever");
    }
    let reply = send_json(&api, body.clone()).await;
    assert_eq!(reply.text, plain.text);
    assert_eq!(api.last_entry().flags, Vec::<String>::new(), "nothing about it is worth a note");
    body["more"] = json!([{}]);
    assert_eq!(send_json(&api, body.clone()).await.text, plain.text);
    assert_eq!(api.last_entry().flags.len(), 1, "what no client is known to send is noted");

    for content_type in [
        None,
        Some("text/plain"),
        Some("application/json; charset=UTF-8"),
        Some("application/x-www-form-urlencoded"),
        Some("nonsense"),
    ] {
        let mut request = Request::builder().method(Method::POST).uri(PATHS[1]);
        for (name, value) in [
            ("Accept-Charset", "UTF-8"),
            ("agent", "ps-tool"),
            ("agentVersion", "1.0"),
            ("ctxId", "f00"),
            ("cache-control", "no-cache"),
            ("authorization", "Basic eDp5"),
            ("accept", "text/html"),
        ] {
            request = request.header(name, value);
        }
        if let Some(value) = content_type {
            request = request.header("content-type", value);
        }
        let reply = api.raw(request.body(Body::from(good(&api).to_string())).unwrap()).await;
        assert_eq!(reply.text, plain.text, "{content_type:?}");
        let _ = reply.mend_ok();
    }
}

/// MEND-WARNING-MESSAGES, `mend.foreign-scope-token`
#[tokio::test]
async fn a_foreign_token_is_warned_about_only_under_that_reading() {
    let api = Api::of("one-open");
    let mut body = good(&api);
    body["orgToken"] = json!(api.server.mend().org_token());
    let silent = send_json(&api, body.clone()).await.mend_ok();
    assert!(silent.get("warningMessages").is_none());
    api.control().set_readings([("mend.foreign-scope-token", "warned")]).unwrap();
    let mut warned = send_json(&api, body).await.mend_ok();
    let warnings = warned.as_object_mut().unwrap().remove("warningMessages");
    assert_eq!(warnings, Some(json!(["Invalid input: orgToken"])));
    assert_eq!(warned, silent);
    assert!(send_json(&api, good(&api)).await.mend_ok().get("warningMessages").is_none());
}

#[tokio::test]
async fn a_fault_waits_for_a_request_type_and_strikes_before_or_after_it_took_effect() {
    for (when, is_applied) in [(When::BeforeApply, false), (When::AfterApply, true)] {
        let api = two_violations();
        let effect = Effect::Reply { status: 500, headers: vec![], body: "<html>".to_owned() };
        let matcher = Matcher { operation: Some(UPDATE.to_owned()), ..Matcher::default() };
        api.control().plan_fault(Fault { matcher, when, effect }).unwrap();
        let _ = fetch(&api, &token_of(&api, "api")).await;
        let violation = violations_of(&api, "api").remove(0);
        let reply = report(&api, &violation, json!([{"identifier": "WPM-1"}])).await;
        assert_eq!((reply.status, reply.text.as_str()), (500, "<html>"), "{when:?}");
        assert_eq!(stored(&api).len(), usize::from(is_applied), "{when:?}");
        let again = report(&api, &violation, json!([{"identifier": "WPM-1"}])).await.mend_ok();
        let known = usize::from(is_applied);
        assert_eq!(again, counters(1 - known, 0, known), "the fault is used up");
    }
}

#[tokio::test]
async fn a_fault_can_be_an_answer_of_the_vendors_and_wait_for_a_part_of_the_body() {
    let api = two_violations();
    let token = token_of(&api, "app");
    let effect = Effect::Reply {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"errorCode":3000,"errorMessage":"hiccup"}"#.to_owned(),
    };
    let body = Some(BodyPredicate::Json { pointer: "/projectToken".to_owned(), equals: json!(token) });
    let matcher = Matcher { operation: Some(FETCH.to_owned()), body, ..Matcher::default() };
    api.control().plan_fault(Fault { matcher, when: When::BeforeApply, effect }).unwrap();
    let _ = fetch(&api, &token_of(&api, "api")).await;
    let struck = api.mend(FETCH, json!({"projectToken": token})).await.ok();
    assert_eq!(struck, json!({"errorCode": 3000, "errorMessage": "hiccup"}));
    let _ = fetch(&api, &token).await;
    let unknown = Matcher { operation: Some("fetchEverything".to_owned()), ..Matcher::default() };
    let fault = Fault { matcher: unknown, when: When::AfterApply, effect: Effect::Hang };
    assert!(api.control().plan_fault(fault).is_err(), "a fault that could never strike is refused");
}

#[tokio::test]
async fn the_journal_names_the_request_type_and_shows_everything_but_the_key() {
    let api = Api::of("one-open");
    let _ = fetch(&api, &first_project(&api)).await;
    let entry = api.last_entry();
    assert_eq!(entry.operation, FETCH);
    assert_eq!((entry.request.method.as_str(), entry.request.path.as_str()), ("POST", "/api/v1.4"));
    assert_eq!((entry.status, entry.rule.as_deref()), (Some(200), None));
    let text = serde_json::to_string(&entry).unwrap();
    assert!(!text.contains(api.server.mend().user_key()), "{text}");
    let body: Value = serde_json::from_slice(&entry.request.body.unwrap().0).unwrap();
    assert_keys(&body, &["requestType", "projectToken", "userKey"]);
    assert_eq!(body["projectToken"], first_project(&api));

    let _ = api.mend(FETCH, json!({"projectToken": "?"})).await;
    let entry = api.last_entry();
    assert_eq!(entry.rule.as_deref(), Some("mend.unknown-scope-token"), "a refusal says on what it rests");
    assert!(entry.reason.is_some_and(|reason| reason.contains("projectToken")));
}

/// Calls of every request type that reads, each as it is granted.
fn reads(api: &Api) -> Vec<Value> {
    let world = mend_world(api);
    let project = world.projects.iter().find(|project| !project.inventory.is_empty()).unwrap();
    let ids = json!({
        "orgToken": world.organizations[0].token, "productToken": project.product_token,
        "projectToken": project.token(), "keyUuids": [project.inventory[0].key_uuid],
        "keyUuid": project.inventory[0].key_uuid, "requestToken": project.request_token,
        "alertType": "SECURITY_VULNERABILITY",
    });
    let types = mock_server::vendors::mend::requests::operations().filter(|name| {
        name.starts_with("get") && !name.contains("Global") && name != "getIntegrationActivationToken"
            || name == FETCH
    });
    types.map(|name| mend_body(&name, ids.clone())).collect()
}

/// MEND-ERROR-TEXT, MEND-ERROR-WORD
#[tokio::test]
async fn no_granted_answer_has_the_texts_by_which_clients_know_a_refusal() {
    let api = Api::of("demo");
    let calls = reads(&api);
    assert!(calls.len() > 30, "{}", calls.len());
    let mut granted = 0;
    for body in calls {
        for version in ["v1.3", "v1.4"] {
            let name = body["requestType"].clone();
            let reply = api.mend_as(api.server.mend().user_key(), version, body.clone()).await;
            if name == "getProjectLibraryDependencies" && reply.headers.contains_key("x-mock-rule") {
                continue;
            }
            for text in ["errorCode", "Error"] {
                assert!(!reply.text.contains(text), "{name} has {text}: {}", reply.text);
            }
            let _ = reply.mend_ok();
            granted += 1;
        }
    }
    assert!(granted > 60, "{granted}");
}

/// MEND-NO-REDIRECT, MEND-POST-ONLY, MEND-VERSION-PATH
#[tokio::test]
async fn https_and_http_answer_the_same_and_http_does_not_redirect() {
    let directory = tempfile::TempDir::new().unwrap();
    let ca = directory.path().join("ca.pem");
    let settings = TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() };
    let builder = MockServer::builder().world("one-open").tls("127.0.0.1:0".parse().unwrap(), settings);
    let api = Api::around(builder.start().await.unwrap());
    let authority = reqwest::Certificate::from_pem(&std::fs::read(&ca).unwrap()).unwrap();
    let client = reqwest::Client::builder()
        .tls_built_in_root_certs(false)
        .add_root_certificate(authority)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let port = api.server.addresses().unwrap().tls.unwrap().port();
    let plain = api.server.mend().url().to_owned();
    assert!(plain.starts_with("http://"), "{plain}");
    let body = good(&api).to_string();
    let mut answers = Vec::new();
    for base in [plain, format!("https://localhost:{port}")] {
        let request = client.post(format!("{base}/api/v1.4")).body(body.clone());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{base}");
        answers.push(response.text().await.unwrap());
        let get = client.get(format!("{base}/api/v1.4")).send().await.unwrap();
        assert_eq!((get.status().as_u16(), get.headers()["allow"].as_bytes()), (405, &b"POST"[..]));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("issueUuid"));
}

/// MEND-TOKEN-SYNTAX, MEND-KEY-SYNTAX
#[tokio::test]
async fn keys_and_tokens_have_the_form_that_clients_check() {
    let api = Api::of("demo");
    let world = mend_world(&api);
    let is_token =
        |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(is_token(api.server.mend().user_key()));
    assert!(world.organizations.iter().all(|row| is_token(&row.token)));
    assert!(world.products.iter().all(|row| is_token(&row.token)));
    assert!(world.projects.iter().filter_map(|row| row.api_token.as_deref()).all(is_token));
    let fields = of_organization(&api, json!({"integrationType": "issueTrackerIntegration"}));
    let answer = api.mend("getIntegrationActivationToken", fields).await.mend_ok();
    assert!(answer["activationToken"].as_str().unwrap().len() >= 64);
}
