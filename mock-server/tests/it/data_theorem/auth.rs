//! Who may ask for what, and which paths and methods exist.

use axum::body::Body;
use fixtures::world::data_theorem::Event;
use http::{Method, Request};
use serde_json::json;

use crate::support::{Api, DATA_THEOREM, Reply};

async fn authorized(api: &Api, path: &str, authorization: &str) -> Reply {
    let request = Request::get(format!("{DATA_THEOREM}/{path}")).header("authorization", authorization);
    api.raw(request.body(Body::empty()).unwrap()).await
}

/// DT-AUTH-REQUIRED
#[tokio::test]
async fn a_request_without_a_key_is_refused() {
    let api = Api::docs_samples();
    let request = Request::get(format!("{DATA_THEOREM}/mobile_apps")).body(Body::empty()).unwrap();
    api.raw(request).await.refused(401, "DT-AUTH-REQUIRED");
}

/// DT-AUTH-SCHEME, DT-AUTH-SCHEME-CASE
#[tokio::test]
async fn the_key_comes_with_its_scheme_in_any_case() {
    let api = Api::docs_samples();
    let key = api.secret().to_owned();
    for scheme in ["APIKey", "APIKEY", "apikey"] {
        let _ = authorized(&api, "mobile_apps", &format!("{scheme} {key}")).await.ok();
    }
    for (authorization, rule) in [
        (key.clone(), "DT-AUTH-SCHEME"),
        (format!("Basic {key}"), "DT-AUTH-SCHEME"),
        (format!("Bearer {key}"), "dt.bearer-scheme"),
        (format!("APIKey APIKey {key}"), "DT-AUTH-REQUIRED"),
        (format!("APIKey {key}x"), "DT-AUTH-REQUIRED"),
        (format!("APIKey {}", key.to_uppercase() + &key.to_lowercase()), "DT-AUTH-REQUIRED"),
        ("APIKey".to_owned(), "DT-AUTH-SCHEME"),
        (String::new(), "DT-AUTH-SCHEME"),
    ] {
        authorized(&api, "mobile_apps", &authorization).await.refused(401, rule);
    }
}

/// DT-AUTH-KEY-CHARACTERS
#[tokio::test]
async fn a_key_may_contain_a_slash_and_end_in_equals_signs() {
    let mut api = Api::docs_samples();
    let mut world = api.control().export_world();
    world.data_theorem.api_keys.truncate(1);
    world.data_theorem.api_keys[0].secret = Some("AAAABBBBCCCCAJ82/iNaIQ==".to_owned());
    api = Api::with(mock_server::MockServer::builder().world_spec(world));
    assert_eq!(api.secret(), "AAAABBBBCCCCAJ82/iNaIQ==");
    let _ = api.get("mobile_apps").await.ok();
}

/// DT-JSON-RESPONSE
#[tokio::test]
async fn a_refusal_is_json_and_says_why_in_the_journal() {
    let api = Api::docs_samples();
    let reply = api.get("security_findings/1").await;
    assert_eq!((reply.status, reply.headers["content-type"].to_str().unwrap()), (404, "application/json"));
    assert_eq!(reply.json()["error"]["code"], 404);
    let entry = api.last_entry();
    assert_eq!((entry.status, entry.rule.as_deref()), (Some(404), Some("dt.unknown-id")));
    assert_eq!(entry.reason.as_deref(), Some(r#"there is no security finding "1""#));

    authorized(&api, "mobile_apps", "APIKey nobody's").await.refused(401, "DT-AUTH-REQUIRED");
    let unclaimed = api.admin(Method::GET, "journal", None).await.ok();
    let entry = unclaimed["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((entry["status"].clone(), entry["rule"].clone()), (json!(401), json!("DT-AUTH-REQUIRED")));
    assert_eq!(entry["operation"], "GET mobile_apps");
}

#[tokio::test]
async fn a_revoked_key_no_longer_works() {
    let api = Api::docs_samples().key_named("read-only");
    let _ = api.get("mobile_apps").await.ok();
    api.control().happen(&Event::ApiKeyRevoked { name: "read-only".to_owned() }).unwrap();
    api.get("mobile_apps").await.refused(401, "DT-AUTH-REQUIRED");
}

#[tokio::test]
async fn a_key_that_only_reads_may_set_an_external_id_and_no_more() {
    let api = Api::docs_samples().key_named("read-only");
    for list in ["mobile_apps", "security_findings", "security_finding_targets", "mobile_apps/1234/scans"] {
        let _ = api.get(list).await.ok();
    }
    let _ = api.patch("security_finding_targets/12346", json!({"external_id": "A-1"})).await.ok();
    let close = json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": "x"});
    for (path, body, rule) in [
        (
            "security_finding_targets/12346/statuses",
            json!({"status": "CLOSED_WONT_FIX"}),
            "dt.status-permission",
        ),
        ("security_findings/4567/close", close, "DT-FINDING-CLOSE-PERMISSION"),
        ("security_findings/4567/notes", json!({"text": "x"}), "DT-FINDING-NOTE-PERMISSION"),
    ] {
        api.post(path, body).await.refused(403, rule);
    }
}

/// DT-AUTH-APP-SCOPE, DT-FINDING-ACCESS
#[tokio::test]
async fn a_key_limited_to_an_app_sees_and_changes_nothing_of_others() {
    let api = Api::docs_samples().key_named("one-app");
    for (list, key) in [
        ("mobile_apps", "id"),
        ("security_findings", "mobile_app_id"),
        ("security_finding_targets", "mobile_app_id"),
    ] {
        let page = api.get(list).await.ok();
        assert_eq!(page["pagination_information"]["total_count"], "1", "{list}");
        assert_eq!(page[list][0][key], "643010001", "{list}");
    }
    for path in [
        "mobile_apps/643010001",
        "mobile_apps/643010001/scans",
        "security_findings/053069",
        "security_finding_targets/4651453173202944",
        "security_findings?mobile_app_id=643010001",
    ] {
        let _ = api.get(path).await.ok();
    }
    for (path, rule) in [
        ("mobile_apps/1234", "DT-AUTH-APP-SCOPE"),
        ("mobile_apps/1234/scans", "DT-AUTH-APP-SCOPE"),
        ("mobile_apps/1234/scans/1", "DT-AUTH-APP-SCOPE"),
        ("security_findings?mobile_app_id=1234", "DT-AUTH-APP-SCOPE"),
        ("security_finding_targets?mobile_app_id=1234", "DT-AUTH-APP-SCOPE"),
        ("security_finding_targets/12346", "DT-AUTH-APP-SCOPE"),
        ("security_findings/4567", "DT-FINDING-ACCESS"),
    ] {
        api.get(path).await.refused(403, rule);
    }
    let of_finding = api.get("security_finding_targets?security_finding_id=4567").await.ok();
    assert_eq!(of_finding["pagination_information"]["total_count"], "0");

    let before = api.control().export_world();
    let close = json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": "x"});
    api.post("security_findings/4567/close", close).await.refused(403, "DT-FINDING-ACCESS");
    api.post("security_findings/4567/notes", json!({"text": "x"})).await.refused(403, "DT-FINDING-ACCESS");
    api.patch("security_findings/4567", json!({"priority": "P0"})).await.refused(403, "DT-FINDING-ACCESS");
    let target = "security_finding_targets/12346";
    api.patch(target, json!({"external_id": "A-1"})).await.refused(403, "DT-AUTH-APP-SCOPE");
    let status = json!({"status": "CLOSED_WONT_FIX"});
    api.post(&format!("{target}/statuses"), status).await.refused(403, "DT-AUTH-APP-SCOPE");
    assert_eq!(api.control().export_world(), before);
}

#[tokio::test]
async fn an_unknown_id_is_404_and_an_unknown_app_in_a_filter_an_empty_list() {
    let api = Api::docs_samples();
    for path in
        ["mobile_apps/1", "mobile_apps/1/scans", "security_findings/04567", "security_finding_targets/1"]
    {
        api.get(path).await.refused(404, "dt.unknown-id");
    }
    for (path, body) in [
        ("security_findings/1/close", json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": "x"})),
        ("security_findings/1/notes", json!({"text": "x"})),
        ("security_finding_targets/1/statuses", json!({"status": "OPEN"})),
    ] {
        api.post(path, body).await.refused(404, "dt.unknown-id");
    }
    for list in ["security_findings", "security_finding_targets"] {
        let page = api.get(&format!("{list}?mobile_app_id=1")).await.ok();
        assert_eq!(page, json!({list: [], "pagination_information": {"total_count": "0"}}));
    }
}

#[tokio::test]
async fn another_method_is_405_with_the_ones_that_work() {
    let api = Api::docs_samples();
    for (method, path, allowed) in [
        (Method::POST, "mobile_apps", "GET, HEAD"),
        (Method::DELETE, "security_findings/4567", "GET, PATCH, HEAD"),
        (Method::PUT, "security_finding_targets/12346", "GET, PATCH, HEAD"),
        (Method::GET, "security_findings/4567/close", "POST"),
        (Method::GET, "security_finding_targets/12346/statuses", "POST"),
    ] {
        let reply = api.send(method, path, Body::empty()).await;
        assert_eq!(reply.headers["allow"], allowed, "{path}");
        reply.refused(405, "server.method-not-allowed");
    }
}

/// DT-ROUTES-CHANGES, DT-ROUTES-METRICS, DT-ROUTES-APP-SDKS, DT-ROUTES-SDKS, DT-ROUTES-INSIGHTS
#[tokio::test]
async fn what_the_vendor_documents_and_nobody_simulates_is_501() {
    let api = Api::docs_samples();
    for path in [
        "mobile_apps_changes",
        "mobile_apps_changes_stats",
        "mobile_apps_monthly_security_metrics",
        "mobile_apps_security_kpis",
        "mobile_apps/1234/sdks",
        "sdks_in_mobile_apps?mobile_app_id=1234",
        "mobile_app_insights",
    ] {
        let reply = api.get(path).await;
        assert!(reply.text.contains("not simulated"), "{}", reply.text);
        reply.refused(501, "server.not-simulated");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_the_journal_suggests_the_nearest() {
    let api = Api::docs_samples();
    for (path, nearest) in [
        ("security_finding", "GET /apis/mobile_security/results/v2/security_findings"),
        ("security_finding_target", "GET /apis/mobile_security/results/v2/security_finding_targets"),
        ("mobile_app", "GET /apis/mobile_security/results/v2/mobile_apps"),
        ("security_finding_targets/12346/status", "security_finding_targets/:id/statuses"),
    ] {
        api.get(path).await.refused(404, "server.unknown-route");
        let reason = api.last_entry().reason.unwrap();
        assert!(reason.ends_with(nearest), "{path}: {reason}");
        assert_eq!(api.last_entry().operation, "unknown route");
    }
}

/// DT-VERSION-PATH
#[tokio::test]
async fn another_version_of_the_api_is_an_unknown_path() {
    let api = Api::docs_samples();
    for path in ["/apis/mobile_security/results/v3/mobile_apps", "/apis/mobile_security/results/mobile_apps"]
    {
        let request = Request::get(path).header("authorization", format!("APIKey {}", api.secret()));
        assert_eq!(api.raw(request.body(Body::empty()).unwrap()).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let api = Api::docs_samples();
    let get = api.get("security_findings/4567").await;
    let head = api.send(Method::HEAD, "security_findings/4567", Body::empty()).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.headers["content-type"], "application/json");
    assert_eq!(head.headers["content-length"], get.text.len().to_string());
    api.send(Method::HEAD, "security_findings/1", Body::empty()).await.refused(404, "dt.unknown-id");
}

#[tokio::test]
async fn a_slash_at_the_end_makes_another_path() {
    let api = Api::docs_samples();
    for path in ["mobile_apps/", "security_findings/4567/", "mobile_apps/1234/scans/"] {
        api.get(path).await.refused(404, "dt.trailing-slash");
    }
    assert_eq!(api.get("security_findings//").await.status, 404);
}
