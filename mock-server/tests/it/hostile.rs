//! Bad input: any bytes on any path give an answer, never a panic, a hang or a 500.

mod mend;
mod secrets;
mod sockets;
mod virtual_time;

use axum::body::{Body, Bytes};
use http::{HeaderValue, Method, Request};
use mock_server::MockServer;
use mock_server::kernel::journal::Filter;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::sample::select;
use tower::ServiceExt as _;

use crate::support::{Api, DATA_THEOREM, block_on, proptest_cases, request};

const TARGET: &str = "security_finding_targets/4651453173202944";

/// The statuses that any input may get: everything but the server's own failures.
fn answered(status: u16) -> bool {
    (200..500).contains(&status) || status == 501
}

/// Paths that look like the API's, so that arbitrary bytes get past the router.
fn paths() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "mobile_apps",
            "security_findings",
            "security_finding_targets",
            "scans",
            "statuses",
            "notes",
            "close",
            "4651453173202944",
            "4567",
            "%FF",
            "%00",
            "%2F",
            "%",
            "..",
            ".",
            "",
            "sdks",
            "__admin",
            "sandboxes",
            "default",
            "journal",
            "faults",
            "clock",
            "snapshots",
            "restore",
            "world",
            "events",
            "readings",
        ])
        .prop_map(str::to_owned),
        "[!-~&&[^?#/]]{0,12}",
    ];
    let base = select(vec![DATA_THEOREM, "/__admin", "/__admin/sandboxes/default", "", "/api/v1.4"]);
    (base, vec(piece, 0..5)).prop_map(|(base, pieces)| format!("{base}/{}", pieces.join("/")))
}

fn queries() -> impl Strategy<Value = String> {
    let name = select(vec![
        "cursor",
        "mobile_app_id",
        "results_since",
        "status_group",
        "severity",
        "issue_type_id",
        "page_size",
        "after",
        "wait_ms",
        "status",
        "operation",
        "x",
    ]);
    let value = prop_oneof!["[!-~&&[^#&]]{0,24}", "[0-9:TZ+-]{0,30}", "(%[0-9A-F]{2}){0,8}"];
    vec((name, value), 0..4).prop_map(|pairs| {
        // A journal that is asked to wait would wait; that is not what this is about.
        let pair = |(name, value): (&str, String)| {
            if name == "wait_ms" { "wait_ms=-1".to_owned() } else { format!("{name}={value}") }
        };
        pairs.into_iter().map(pair).collect::<Vec<_>>().join("&")
    })
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let text = select(vec![
        "",
        "{}",
        "[]",
        "null",
        "{\"status\":1e999}",
        "{\"status\":{\"a\":[]}}",
        "{\"external_id\":[1]}",
        "\"",
        "{",
        "{\"advance_ms\":9223372036854775807}",
        "{\"set\":\"9999-12-31T23:59:59Z\"}",
        "{\"advance\":\"P9999Y\"}",
        "{\"mode\":\"system+9999999h\"}",
        "{\"mode\":\"manual\"}",
        "{\"external_id\":\"\\ud800\"}",
        "{\"text\":\"x\",\"text\":1}",
        "{\"name\":\"\"}",
        "{\"type\":\"data_theorem.note\"}",
    ]);
    prop_oneof![vec(any::<u8>(), 0..64), text.prop_map(|text| text.as_bytes().to_vec())]
}

proptest! {
    #![proptest_config(proptest_cases(200))]

    #[test]
    fn any_request_is_answered(
        method in prop_oneof![
            select(vec!["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"]).prop_map(str::to_owned),
            "[A-Z!#$%&'*+.^_`|~-]{1,12}",
        ],
        path in paths(),
        query in option::of(queries()),
        headers in vec((select(vec!["authorization", "content-type", "host", "origin", "x"]), vec(any::<u8>(), 0..40)), 0..4),
        with_key in any::<bool>(),
        body in bodies(),
    ) {
        let uri = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let Ok(uri) = uri.parse::<http::Uri>() else { return Ok(()) };
        let api = Api::docs_samples();
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = uri;
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().append(name, value);
            }
        }
        if with_key {
            let value = format!("APIKey {}", api.secret());
            request.headers_mut().insert("authorization", HeaderValue::try_from(value).unwrap());
        }
        let status = block_on(async {
            let Ok(response) = api.server.router().oneshot(request).await;
            response.status().as_u16()
        });
        prop_assert!(answered(status), "{status}");
        prop_assert!(block_on(api.get("mobile_apps")).status < 500, "the server still answers");
    }

    #[test]
    fn any_body_of_a_write_is_answered(
        path in select(vec![
            TARGET, "security_finding_targets/4651453173202944/statuses", "security_findings/4567",
            "security_findings/4567/close", "security_findings/4567/notes",
        ]),
        post in any::<bool>(),
        body in prop_oneof![
            bodies(),
            ("(status|reason|text|priority|external_id|aggregated_status)", "[ -~]{0,12}")
                .prop_map(|(name, value)| format!("{{\"{name}\":{value}}}").into_bytes()),
        ],
        content_type in option::of(vec(32..127_u8, 0..20)),
    ) {
        let api = Api::docs_samples();
        let method = if post { Method::POST } else { Method::PATCH };
        let mut request = request(method, path, api.secret(), body);
        if let Some(value) = content_type {
            request.headers_mut().insert("content-type", HeaderValue::from_bytes(&value).unwrap());
        }
        let reply = block_on(api.raw(request));
        prop_assert!(answered(reply.status), "{reply:?}");
    }
}

/// DT-JSON-BODY
#[tokio::test]
async fn what_is_not_json_is_refused_with_400() {
    let api = Api::docs_samples();
    let deep_array = "[".repeat(10_000);
    let deep_object = format!("{}1{}", "{\"external_id\":".repeat(10_000), "}".repeat(10_000));
    for body in
        ["", "{", "{\"external_id\":\"x\"", "external_id=x", "\u{0}", "{}{}", &deep_array, &deep_object]
    {
        let reply = api.send(Method::PATCH, TARGET, Body::from(body.to_owned())).await;
        reply.refused(400, "DT-JSON-BODY");
    }
}

#[tokio::test]
async fn wrong_types_are_refused_and_change_nothing() {
    let api = Api::docs_samples();
    let before = api.control().export_world();
    for body in
        ["[]", "null", "1", "\"x\"", "{\"external_id\":1}", "{\"external_id\":{}}", "{\"external_id\":[]}"]
    {
        let reply = api.send(Method::PATCH, TARGET, Body::from(body)).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
    }
    for body in
        ["{\"status\":1e999}", "{\"status\":true}", "{\"status\":[\"OPEN\"]}", "{\"status\":-0.1e-999999999}"]
    {
        let reply = api.send(Method::POST, &format!("{TARGET}/statuses"), Body::from(body)).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
    }
    assert_eq!(api.control().export_world(), before);
}

#[tokio::test]
async fn of_duplicate_keys_one_wins_and_nothing_breaks() {
    let api = Api::docs_samples();
    let body = r#"{"external_id":"first","external_id":"second"}"#;
    let target = api.send(Method::PATCH, TARGET, Body::from(body)).await.ok();
    assert_eq!(target["external_id"], "second", "as JSON parsers do that keep the last");
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_with_413_in_the_vendors_shape() {
    let api = Api::docs_samples();
    for body in [vec![b' '; 10 << 20], vec![b'['; 10 << 20]] {
        let reply = api.send(Method::PATCH, TARGET, Body::from(body)).await;
        assert_eq!(reply.json()["error"]["code"], 413);
        reply.refused(413, "server.body-too-large");
    }
    let entries = api.control().journal(&Filter::default()).entries;
    assert!(entries.iter().all(|entry| entry.status == Some(413) && entry.reason.is_some()), "{entries:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_and_changes_nothing() {
    let api = Api::docs_samples();
    let before = api.control().export_world();
    let pieces = [Ok(Bytes::from_static(b"{\"external_id\":\"SEC-1\"}")), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(Pieces(pieces.into_iter().collect()));
    api.send(Method::PATCH, TARGET, body).await.refused(400, "server.body-broken");
    assert_eq!(api.control().export_world(), before);
}

struct Pieces(std::collections::VecDeque<Result<Bytes, std::io::Error>>);

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn paths_that_are_not_text_are_refused_with_400_or_404() {
    let api = Api::docs_samples();
    api.get("security_findings/%FF").await.refused(400, "server.path-encoding");
    api.get("mobile_apps/%C3%28/scans").await.refused(400, "server.path-encoding");
    api.get("security_findings/%00").await.refused(404, "dt.unknown-id");
    api.get("security_findings/4567%2Fclose").await.refused(404, "dt.unknown-id");
    api.get("security_findings/%").await.refused(404, "dt.unknown-id");
    api.get("security_findings/..").await.refused(404, "dt.unknown-id");
}

#[tokio::test]
async fn an_unknown_id_of_ten_kilobytes_is_answered_briefly() {
    let api = Api::docs_samples();
    let id = "9".repeat(10_000);
    for list in ["mobile_apps", "security_findings", "security_finding_targets"] {
        let reply = api.get(&format!("{list}/{id}")).await;
        assert!(reply.text.len() < 500, "{} bytes", reply.text.len());
        reply.refused(404, "dt.unknown-id");
    }
}

#[tokio::test]
async fn huge_query_strings_are_answered_and_the_journal_stays_bounded() {
    let api = Api::docs_samples();
    let many = (0..5_000).map(|number| format!("p{number}=x")).collect::<Vec<_>>().join("&");
    let _ = api.get(&format!("mobile_apps?{many}")).await.ok();
    let long = format!("security_findings?severity={}", "A".repeat(60_000));
    assert_eq!(api.get(&long).await.status, 400);
    let entries = api.control().journal(&Filter::default()).entries;
    let flags: usize = entries[0].flags.iter().map(String::len).sum();
    assert!(flags < 1 << 20, "{flags} bytes of flags for one request");
}

#[tokio::test]
async fn the_bytes_of_a_journal_are_bounded_whatever_is_sent() {
    let limits = mock_server::kernel::journal::Limits { entries: 1_000, bytes: 200_000, body_bytes: 1_000 };
    let api = Api::with(MockServer::builder().world("docs-samples").journal_limits(limits));
    for number in 0..50 {
        let query = format!("{number}&{}", "unknown=1&".repeat(2_000));
        let _ = api.get(&format!("mobile_apps?{query}")).await;
    }
    let page = api.control().journal(&Filter::default());
    assert!(page.evicted > 0, "evidence that was dropped is counted");
    let size = serde_json::to_string(&page.entries).unwrap().len();
    assert!(size < 400_000, "{size} bytes of journal under a limit of 200000");
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_with_400() {
    let api = Api::docs_samples();
    for query in [
        "mobile_app_id=9223372036854775808",
        "mobile_app_id=-9223372036854775809",
        "mobile_app_id=1.0",
        "mobile_app_id=1e3",
        "results_since=99999-01-01T00:00:00Z",
        "results_since=2026-02-30T00:00:00Z",
        "results_since=2026-01-01T24:00:00Z",
        "results_since=2026-01-01T00:00:00%2B99:99",
    ] {
        let reply = api.get(&format!("security_finding_targets?{query}")).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text);
    }
    for since in ["0000-01-01T00:00:00", "9999-12-31T23:59:59.999999999Z", "-9999-01-01T00:00:00Z"] {
        let reply = api.get(&format!("security_finding_targets?results_since={since}")).await;
        assert!([200, 400].contains(&reply.status), "{since}: {}", reply.text);
    }
}
