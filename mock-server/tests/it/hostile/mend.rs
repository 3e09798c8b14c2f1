//! Bad input for Mend: whatever the body is, there is an answer in the vendor's shape.

use axum::body::Body;
use http::Method;
use mock_server::vendors::mend::requests::operations;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde_json::{Map, Value, json};

use crate::support::{Api, Reply, block_on, mend_request, proptest_cases};

/// Fields that some request type takes, and some that none does.
const FIELDS: &[&str] = &[
    "projectToken",
    "orgToken",
    "productToken",
    "globalOrgToken",
    "policyActionType",
    "fromDateTime",
    "toDateTime",
    "page",
    "pageSize",
    "modificationTypes",
    "includeRequestToken",
    "keyUuids",
    "keyUuid",
    "wsPolicyIssueItemUuid",
    "externalIssues",
    "issueTrackerPluginType",
    "integrationType",
    "policy",
    "policyIds",
    "aggregatePolicies",
    "requestToken",
    "tagKey",
    "tagValue",
    "includeInHouseData",
    "excludeProjectOccurrences",
    "fromDate",
    "toDate",
    "alertType",
    "alertUuids",
    "status",
    "comments",
    "agentInfo",
    "",
    "\u{0}",
];

/// Fields of objects within bodies.
const NESTED: &[&str] = &[
    "identifier",
    "url",
    "status",
    "created",
    "lastModified",
    "extraData",
    "issuePriority",
    "id",
    "name",
    "owner",
    "email",
    "filter",
    "type",
    "licenses",
    "scoreFrom",
    "scoreTo",
    "vulnerabilitySeverity",
    "effectiveVulnerabilitiesOnly",
    "effective",
    "groupId",
    "artifactId",
    "version",
    "resourceName",
    "olderThanDays",
    "productToken",
    "primaryAttributeValue",
    "libraryRequest",
    "action",
    "failPolicyCheck",
    "issueSettings",
    "issueTrackerType",
    "group",
    "priority",
    "enabled",
    "inclusive",
];

/// Texts that mean something somewhere.
fn words() -> impl Strategy<Value = String> {
    let known = select(vec![
        "CREATE_ISSUE",
        "REJECT",
        "REASSIGN",
        "COMMON_ISSUE_TRACKER",
        "LICENSE",
        "VULNERABILITY_SCORE",
        "VULNERABILITY_SEVERITY",
        "GAV_REGEX",
        "RESOURCE_NAME_REGEX",
        "LIBRARY_STALENESS",
        "PRODUCT",
        "EFFECTIVENESS",
        "PRIMARY_ATTRIBUTE_VALUE",
        "LIBRARY_REQUEST_HISTORY",
        "SCAN",
        "ALERTS",
        "All",
        "2026-01-15 00:00:00",
        "2026/01/15-00:00",
        "2026-01-15-00:00",
        "0000-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "9999/12/31-23:59",
        "9999-12-31T23:59:59.999999999-23:59",
        "0000-01-01T00:00:00+23:59",
        "issueTrackerIntegration",
        "true",
        "Ignored",
        "Active",
        "Resolved",
        "SECURITY_VULNERABILITY",
        "HIGH",
        "sync@example.com",
        "*",
        "*?*?*?*?*?*",
        "GPL 3.0",
        "Apache 2.0",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>(), 1 => Just("é".repeat(300))]
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        select(vec![
            json!(0),
            json!(1),
            json!(-1),
            json!(10.0),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e308)
        ]),
    ]
}

fn values() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => numbers(),
        4 => words().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![8 => select(NESTED.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
        let object = vec((name, inner.clone()), 0..6)
            .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>()));
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object]
    })
    .boxed()
}

/// Ids and tokens that exist, put in where a field of that name asks for one.
fn known_ids(api: &Api) -> Vec<(&'static str, Value)> {
    let world = api.control().export_world().mend;
    vec![
        ("orgToken", json!(world.organizations[0].token)),
        ("productToken", json!(world.products[0].token)),
        ("projectToken", json!(world.projects[0].token())),
        ("keyUuids", json!([world.libraries[0].key_uuid])),
        ("keyUuid", json!(world.libraries[0].key_uuid)),
        ("wsPolicyIssueItemUuid", json!(world.policy_violations[0].uuid)),
        ("alertUuids", json!([world.alerts[0].uuid])),
        ("policyIds", json!([world.policies[0].id])),
    ]
}

/// An answer that may be given to anything: valid JSON, with a status that the API is known to have.
fn assert_answered(reply: &Reply) -> Result<(), String> {
    let body: Value =
        serde_json::from_str(&reply.text).map_err(|error| format!("{error}: {}", reply.text))?;
    let is_refusal = body.get("errorCode").is_some();
    let code = body["errorCode"].as_u64().unwrap_or_default();
    let is_known = match reply.status {
        200 => !is_refusal || [2021, 3000, 3010, 5001, 8000].contains(&code),
        405 | 413 => is_refusal,
        _ => false,
    };
    if !is_known || reply.headers["content-type"] != "application/json" || !body.is_object() {
        return Err(format!("{} {}", reply.status, reply.text));
    }
    // What is refused says why, and what is granted doesn't look refused.
    if is_refusal != reply.headers.contains_key("x-mock-rule") {
        return Err(format!("{:?} {}", reply.headers, reply.text));
    }
    Ok(())
}

fn send(api: &Api, version: &str, body: impl Into<Body>) -> Reply {
    block_on(api.raw(mend_request(version, body)))
}

fn request_types() -> BoxedStrategy<String> {
    let known: Vec<String> = operations().map(|name| name.to_string()).collect();
    assert!(known.len() > 50);
    prop_oneof![20 => select(known), 1 => words()].boxed()
}

proptest! {
    #![proptest_config(proptest_cases(1_000))]

    #[test]
    fn any_fields_of_any_request_type_are_answered(
        request_type in request_types(),
        fields in vec((select(FIELDS.to_vec()), values()), 0..8),
        knows in any::<u8>(),
        with_key in any::<[bool; 4]>(),
        version in select(vec!["v1.3", "v1.4"]),
    ) {
        let api = Api::of("mend-every-match-type");
        let mut body = json!({"requestType": request_type});
        for (name, value) in fields {
            body[name] = value;
        }
        for (place, (name, value)) in known_ids(&api).into_iter().enumerate() {
            if knows & (1 << place) != 0 || place < 3 {
                body[name] = value;
            }
        }
        if with_key != [false; 4] {
            body["userKey"] = json!(api.server.mend().user_key());
        }
        let reply = send(&api, version, body.to_string());
        prop_assert!(assert_answered(&reply).is_ok(), "{:?} to {}", assert_answered(&reply), body);
        let world = api.control().export_world();
        prop_assert!(world.validate().is_empty(), "{body} left {:?}", world.validate());
    }

    #[test]
    fn any_bytes_are_answered(
        method in select(vec!["POST", "POST", "POST", "GET", "PUT"]),
        start in select(vec!["", "{", "{\"requestType\":\"fetchProjectPolicyIssues\",", "[", "\u{feff}{}"]),
        bytes in vec(any::<u8>(), 0..200),
        content_type in option::of("[ -~]{0,20}"),
    ) {
        let api = Api::of("one-open");
        let mut body = start.as_bytes().to_vec();
        body.extend(bytes);
        let mut request = mend_request("v1.4", body);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        if let Some(value) = content_type {
            request.headers_mut().insert("content-type", value.parse().unwrap());
        }
        let reply = block_on(api.raw(request));
        prop_assert!(assert_answered(&reply).is_ok(), "{:?}", assert_answered(&reply));
    }

    #[test]
    fn any_json_is_answered(value in values(), with_key in any::<bool>()) {
        let api = Api::of("one-open");
        let mut value = value;
        if let (Value::Object(fields), true) = (&mut value, with_key) {
            fields.insert("userKey".to_owned(), json!(api.server.mend().user_key()));
        }
        let reply = send(&api, "v1.4", value.to_string());
        prop_assert!(assert_answered(&reply).is_ok(), "{:?} to {value}", assert_answered(&reply));
    }
}

/// The head of an object with the key, ready for more fields.
fn head(api: &Api, request_type: &str) -> String {
    let world = api.control().export_world().mend;
    let fields = json!({
        "requestType": request_type,
        "userKey": api.server.mend().user_key(),
        "projectToken": world.projects[0].token(),
        "orgToken": world.organizations[0].token,
        "wsPolicyIssueItemUuid": world.policy_violations[0].uuid,
    });
    let text = fields.to_string();
    text[..text.len() - 1].to_owned()
}

#[test]
fn deep_nesting_is_refused() {
    let api = Api::of("one-open");
    for depth in [100, 127, 128, 10_000, 200_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for field in ["page", "policy", "externalIssues", "agentInfo"] {
                let head = head(&api, "updateExternalIntegrationIssues");
                let reply = send(&api, "v1.4", format!("{head},\"{field}\":{nested}}}"));
                assert_eq!(assert_answered(&reply), Ok(()));
                assert!(reply.json()["errorCode"].is_u64());
            }
            let reply = send(&api, "v1.4", nested);
            assert_eq!(assert_answered(&reply), Ok(()));
        }
    }
}

#[test]
fn numbers_beyond_every_range_are_answered() {
    let api = Api::of("one-open");
    for number in [
        "1e999",
        "-1e999",
        "1e-999",
        "18446744073709551616",
        "-9223372036854775809",
        "0.1e1",
        "1E400",
        "-0",
        "00",
        "1.",
        "NaN",
    ] {
        for field in ["page", "pageSize", "fromDateTime", "projectToken", "requestType", "userKey"] {
            let reply = send(
                &api,
                "v1.4",
                format!("{},\"{field}\":{number}}}", head(&api, "fetchProjectPolicyIssues")),
            );
            assert_eq!(assert_answered(&reply), Ok(()), "{field}: {number}");
        }
    }
    let many = "9".repeat(100_000);
    let reply = send(&api, "v1.4", format!("{},\"page\":{many}}}", head(&api, "fetchProjectPolicyIssues")));
    assert_eq!(assert_answered(&reply), Ok(()));
}

#[test]
fn a_body_of_a_megabyte_is_answered_and_a_larger_one_refused() {
    let api = Api::of("one-open");
    let limit = 1 << 20;
    let head = format!("{},\"externalIssues\":", head(&api, "updateExternalIntegrationIssues"));
    let item = "{\"identifier\":\"WPM-1\"},";
    let room = limit - head.len() - 10;
    let bodies = [
        format!("{head}[{{\"identifier\":\"{}\"}}]}}", "x".repeat(room - 30)),
        format!("{head}[{}{{\"identifier\":\"WPM-2\"}}]}}", item.repeat((room - 30) / item.len())),
        format!("{head}[{}0]}}", "0,".repeat(room / 2 - 2)),
        format!("{}{}", head, " ".repeat(room)),
        "[".repeat(limit),
        "{\"a\":".repeat(limit / 5),
        "//".repeat(limit / 2),
        format!("{head}\"{}\"}}", "\\u0041".repeat(room / 6)),
    ];
    for body in bodies {
        assert!(body.len() <= limit && body.len() > limit - 100, "{}", body.len());
        let reply = send(&api, "v1.4", body);
        assert_eq!(assert_answered(&reply), Ok(()));
        assert!(reply.text.len() < 2_000, "{} bytes of answer", reply.text.len());
    }
    assert_eq!(api.control().export_world().mend.external_issues.len(), 2, "one of them was granted");
    let reply = send(&api, "v1.4", " ".repeat(limit + 1));
    assert_eq!(assert_answered(&reply), Ok(()));
    reply.refused(413, "server.body-too-large");
}

#[test]
fn of_duplicate_keys_the_last_wins_and_no_key_is_shown() {
    let api = Api::of("one-open");
    let key = api.server.mend().user_key().to_owned();
    let head = head(&api, "fetchProjectPolicyIssues");
    let reply = send(&api, "v1.4", format!("{head},\"requestType\":\"getProjectVitals\"}}"));
    assert!(reply.mend_ok()["projectVitals"].is_array());
    let reply = send(&api, "v1.4", format!("{head},\"userKey\":\"nobody\"}}"));
    let _ = reply.mend_refused(5001, "MEND-ERROR-NOT-ALLOWED");
    let reply = send(&api, "v1.4", format!("{{\"userKey\":\"nobody\",{}}}", &head[1..]));
    let _ = reply.mend_ok();
    let filter = mock_server::kernel::journal::Filter::default();
    let journals = [api.control().journal(&filter), api.server.unclaimed(&filter)];
    let text = serde_json::to_string(&journals).unwrap();
    assert!(!text.contains(&key), "{text}");
}

#[test]
fn lone_surrogates_are_no_json() {
    let api = Api::of("one-open");
    for text in ["\\ud800", "\\udc00", "\\ud800x", "\\udc00\\ud800", "\\ud83d\\u0041"] {
        for field in ["requestType", "userKey", "projectToken", "x"] {
            let body = format!("{},\"{field}\":\"{text}\"}}", head(&api, "fetchProjectPolicyIssues"));
            let _ = send(&api, "v1.4", body).mend_refused(3000, "mend.unreadable-body");
        }
    }
    let pair = format!("{},\"x\":\"\\ud83d\\ude00\"}}", head(&api, "fetchProjectPolicyIssues"));
    let _ = send(&api, "v1.4", pair).mend_ok();
}
