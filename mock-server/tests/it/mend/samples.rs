//! What the simulator serves beside what the vendor's pages print for the same request.
//!
//! Every difference is accepted by name in [`ACCEPTED`] or it is a failure; so is an acceptance that no sample
//! needs any more. The keys of an object have to come in the order of the sample.

mod ordered;

use std::collections::BTreeSet;

use fixtures::samples;
use serde_json::{Value, json};

use self::ordered::Ordered;
use crate::support::{Api, Reply};

/// Why a difference is accepted.
#[derive(Clone, Copy)]
enum Because {
    /// The sample contradicts itself or the request it stands beside.
    Oddity(&'static str),
    /// The server makes it up.
    MadeUp,
}
use Because::{MadeUp, Oddity};

/// A request of the pages, with the sample that shows its answer.
struct Exchange {
    request: &'static str,
    response: &'static str,
}

const fn exchange(request: &'static str, response: &'static str) -> Exchange {
    Exchange { request, response }
}

const FETCH: Exchange = exchange("fetchProjectPolicyIssues-request", "fetchProjectPolicyIssues");
const FETCH_PAGE: Exchange = exchange("fetchProjectPolicyIssues-paged-request", "fetchProjectPolicyIssues");
const MODIFIED: Exchange =
    exchange("getOrganizationLastModifiedProjects-request", "getOrganizationLastModifiedProjects");
const LIBRARIES: Exchange = exchange("getProjectLibrariesInfo-request", "getProjectLibrariesInfo");
const EXTERNAL: Exchange =
    exchange("updateExternalIntegrationIssues-request", "updateExternalIntegrationIssues");
const TOKEN: Exchange = exchange("getIntegrationActivationToken-request", "getIntegrationActivationToken");
const MATCHES: Exchange = exchange("getPolicyMatchesConfiguration-request", "getPolicyMatchesConfiguration");

const EXCHANGES: [Exchange; 7] = [FETCH, FETCH_PAGE, MODIFIED, LIBRARIES, EXTERNAL, TOKEN, MATCHES];

/// What in a sampled request only holds the place of something: the request, the field, and what is sent.
const PLACEHOLDERS: &[(&str, &str, &str)] = &[
    (FETCH.request, "projectToken", "proj_token"),
    (FETCH_PAGE.request, "projectToken", "proj_token"),
    // No UUID, although the table asks for one.
    (EXTERNAL.request, "wsPolicyIssueItemUuid", "d9367135-7d7c-496f-ba32-a85b8d2df71a"),
];

/// Requests, the place in their answers that differs, and why that is accepted.
const ACCEPTED: &[(&str, &str, Because)] = &[
    (FETCH.request, "issues", Oddity("the sampled window begins a year after the sampled violation")),
    (
        FETCH_PAGE.request,
        "issues[0].policy.Url",
        Oddity("the sampled link is of policy 03, the policy's id is 11203"),
    ),
    (FETCH_PAGE.request, "issues[0].library.url", MadeUp),
    (
        MODIFIED.request,
        "lastModifiedProjects",
        Oddity("the sampled range ends months before the sampled times"),
    ),
    (MODIFIED.request, "requestToken", MadeUp),
    (LIBRARIES.request, "libraries", Oddity("the sampled library is none of those that are asked for")),
    (TOKEN.request, "activationToken", MadeUp),
];

/// The least change to a sampled request that makes its answer the sampled one: request, field, value.
fn reconciled(request: &str) -> Vec<(&'static str, Value)> {
    match request {
        _ if request == FETCH.request => vec![("fromDateTime", json!("2021-01-15-00:00"))],
        _ if request == MODIFIED.request => {
            vec![("fromDateTime", json!("2021-03-14 13:08:27")), ("toDateTime", json!("2021-07-19 13:34:24"))]
        }
        _ if request == LIBRARIES.request => {
            vec![("keyUuids", json!(["68aed19c-66e6-46d8-9245-23d85fae410e", "keyUuid_2"]))]
        }
        _ => Vec::new(),
    }
}

/// What still differs once a request asks for what its sample shows.
const STILL_DIFFERENT: &[(&str, &str)] = &[
    (FETCH.request, "issues[0].policy.Url"),
    (FETCH.request, "issues[0].library.url"),
    (FETCH_PAGE.request, "issues[0].policy.Url"),
    (FETCH_PAGE.request, "issues[0].library.url"),
    (MODIFIED.request, "requestToken"),
    (TOKEN.request, "activationToken"),
];

fn sampled(name: &str) -> Ordered {
    Ordered::read(samples::sample(&format!("mend/{name}")).unwrap().json)
}

/// A sampled request with its placeholders and, if need be, more fields replaced.
fn request(name: &str, changes: &[(&str, Value)]) -> Value {
    let mut body = samples::sample(&format!("mend/{name}")).unwrap().value();
    for (_, field, value) in PLACEHOLDERS.iter().filter(|(request, _, _)| *request == name) {
        body[field] = json!(value);
    }
    for (field, value) in changes {
        assert!(body.get(field).is_some(), "{name} has no {field}");
        body[field] = value.clone();
    }
    body
}

/// Sends a sampled request to a server that plays the samples.
async fn send(version: &str, name: &str, changes: &[(&str, Value)]) -> Reply {
    let api = Api::of("mend-docs-samples");
    let user_key = api.server.mend().user_key().to_owned();
    api.mend_as(&user_key, version, request(name, changes)).await
}

async fn served(version: &str, name: &str, changes: &[(&str, Value)]) -> Ordered {
    let reply = send(version, name, changes).await;
    let text = reply.text.clone();
    let _ = reply.mend_ok();
    Ordered::read(&text)
}

async fn differences(version: &str, exchange: &Exchange, changes: &[(&str, Value)]) -> BTreeSet<String> {
    sampled(exchange.response).differences(&served(version, exchange.request, changes).await)
}

fn places<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>, request: &str) -> BTreeSet<String> {
    rows.filter(|(name, _)| *name == request).map(|(_, place)| place.to_owned()).collect()
}

/// MEND-API-VERSIONS, MEND-FETCH-SCOPE-FIELDS, MEND-FETCH-ISSUE-FIELDS, MEND-FETCH-POLICY-MATCH,
/// MEND-FETCH-POLICY-FIELDS, MEND-FETCH-POLICY-OWNER, MEND-FETCH-POLICY-FILTER, MEND-FETCH-POLICY-ACTION,
/// MEND-FETCH-POLICY-CREATION, MEND-FETCH-LIBRARY-FIELDS, MEND-FETCH-VIOLATION-FIELDS, MEND-FETCH-VIOLATION-DATES,
/// MEND-FETCH-VIOLATION-LICENSE, MEND-MODIFIED-ROW-FIELDS, MEND-MODIFIED-ROW-DATE, MEND-LIBRARIES-FIELDS,
/// MEND-EXT-COUNTERS, MEND-TOKEN-KEY, MEND-MATCHES-FIELDS, MEND-MATCHES-TEN
#[tokio::test]
async fn every_sampled_request_is_answered_as_sampled_but_for_the_accepted_differences() {
    for exchange in EXCHANGES {
        let accepted = places(ACCEPTED.iter().map(|(name, place, _)| (*name, *place)), exchange.request);
        for version in ["v1.3", "v1.4"] {
            let found = differences(version, &exchange, &[]).await;
            assert_eq!(found, accepted, "{} on {version}", exchange.request);
        }
    }
}

#[tokio::test]
async fn requests_that_ask_for_what_the_samples_show_are_answered_with_it() {
    for exchange in EXCHANGES {
        let expected = places(STILL_DIFFERENT.iter().copied(), exchange.request);
        let found = differences("v1.4", &exchange, &reconciled(exchange.request)).await;
        assert_eq!(found, expected, "{}", exchange.request);
    }
}

#[test]
fn every_sample_of_the_pages_is_asked_or_compared() {
    let used: BTreeSet<&str> =
        EXCHANGES.iter().flat_map(|exchange| [exchange.request, exchange.response]).collect();
    let known: BTreeSet<&str> =
        samples::all().iter().filter_map(|sample| sample.name.strip_prefix("mend/")).collect();
    assert_eq!(used, known);
    for (name, field, _) in PLACEHOLDERS {
        let printed = samples::sample(&format!("mend/{name}")).unwrap().value();
        assert_ne!(printed[field], request(name, &[])[field], "{field} of {name} holds nobody's place");
    }
    for (_, _, because) in ACCEPTED {
        if let Oddity(words) = because {
            assert!(words.split(' ').count() > 4, "{words}");
        }
    }
}

/// What is printed and could not be sent: each mistake is refused, and none is overlooked.
///
/// MEND-EXT-POLICY-ITEM, MEND-FETCH-PROJECT-TOKEN, MEND-AUTH-USER-KEY
#[tokio::test]
async fn placeholders_are_refused_as_what_they_are() {
    let printed = |name: &str| samples::sample(&format!("mend/{name}")).unwrap().value();
    let api = Api::of("mend-docs-samples");
    let user_key = api.server.mend().user_key().to_owned();
    let external = api.mend_as(&user_key, "v1.4", printed(EXTERNAL.request)).await;
    external.mend_refused(3000, "mend.policy-item-uuid");
    let fetch = api.mend_as(&user_key, "v1.4", printed(FETCH.request)).await;
    fetch.mend_refused(5001, "mend.unknown-scope-token");
    let matches = api.mend_as("user_key", "v1.4", printed(MATCHES.request)).await;
    matches.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
}

/// What the plugin of the sample reports is kept, field by field.
///
/// MEND-EXT-REPORT, MEND-EXT-MANY-ITEMS, MEND-EXT-EXTRA-FIELDS, MEND-EXT-EXTRA-DATA-MAP
#[tokio::test]
async fn the_sampled_report_is_stored_and_changes_nothing_the_second_time() {
    let api = Api::of("mend-docs-samples");
    let user_key = api.server.mend().user_key().to_owned();
    let body = request(EXTERNAL.request, &[]);
    let counters = api.mend_as(&user_key, "v1.4", body.clone()).await.mend_ok();
    assert_eq!(counters, sampled(EXTERNAL.response).into_value());
    let stored = api.control().export_world().mend.external_issues;
    let first = stored.iter().find(|issue| issue.identifier == "WPM-1").unwrap();
    assert_eq!(stored.len(), 4);
    assert_eq!(
        (first.url.as_deref(), first.status.as_deref()),
        (Some("org.jira.com/issues/wsa-1"), Some("OPEN"))
    );
    assert_eq!(first.created.unwrap().to_string(), "2020-12-23T08:00:00Z");
    assert_eq!(json!(first.extra_data), body["externalIssues"][0]["extraData"]);
    let again = api.mend_as(&user_key, "v1.4", body).await.mend_ok();
    assert_eq!(again, json!({"createdIssues": 0, "updatedIssues": 0, "unaffectedIssues": 4}));
    assert_eq!(api.control().export_world().mend.external_issues, stored);
}

#[tokio::test]
async fn replies_look_like_this() {
    for exchange in EXCHANGES {
        let mut body = served("v1.4", exchange.request, &reconciled(exchange.request)).await;
        body.hide("requestToken", |token| {
            token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        body.hide("activationToken", |token| token.len() > 40);
        insta::assert_json_snapshot!(exchange.request.trim_end_matches("-request"), body);
    }
}

/// The samples have no vulnerability, and only those differ between the versions.
///
/// MEND-SEVERITY-CRITICAL-14
#[tokio::test]
async fn the_versions_differ_in_the_severity_of_a_critical_vulnerability() {
    let api = Api::of("one-open");
    let user_key = api.server.mend().user_key().to_owned();
    let project_token = api.control().export_world().mend.projects[0].token().to_owned();
    let mut replies = Vec::new();
    for version in ["v1.3", "v1.4"] {
        let body = json!({"requestType": "fetchProjectPolicyIssues", "projectToken": project_token});
        let text = api.mend_as(&user_key, version, body).await.text;
        let body = Ordered::read(&text);
        insta::assert_json_snapshot!(format!("vulnerability-{version}"), body);
        replies.push(body);
    }
    let found: Vec<_> = replies[0].differences(&replies[1]).into_iter().collect();
    assert_eq!(found, ["issues[0].policyViolations[0].vulnerability.cvss3_severity"]);
}
