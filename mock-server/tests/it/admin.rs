//! The control plane over HTTP: every route, what it answers and how it refuses.

mod virtual_time;
use axum::body::Body;
use fixtures::world::WorldSpec;
use http::{Method, Request, Version};
use mock_server::kernel::faults::{Effect, Fault};
use mock_server::kernel::journal::Filter;
use mock_server::{MockServer, SandboxRequest};
use serde_json::{Value, json};

use crate::support::{Api, Reply, request};

const TARGET: &str = "4651453173202944";
const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

async fn on_default(api: &Api, method: Method, path: &str, body: Option<Value>) -> Reply {
    api.admin(method, &format!("sandboxes/default/{path}"), body).await
}

/// Asserts a refusal with this status whose message contains all of these parts.
fn assert_refused(reply: &Reply, status: u16, parts: &[&str]) {
    assert_eq!(reply.status, status, "{}", reply.text);
    let error = reply.json()["error"].clone();
    assert_eq!(error["code"], status);
    let message = error["message"].as_str().unwrap();
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in {message:?}");
    }
}

async fn with_headers(api: &Api, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::get(format!("/__admin/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.raw(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn health_tells_a_simulator_from_a_vendor() {
    let health = Api::docs_samples().admin(GET, "health", None).await.ok();
    assert_eq!(health["server"], "mock-server");
    assert_eq!(health["status"], "ok");
    assert_eq!((&health["sandboxes"], &health["durable"]), (&json!(1), &json!(false)));
    assert_eq!(health["vendors"], json!(["data-theorem", "mend", "jira"]));
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused_on_every_route() {
    let api = Api::docs_samples();
    for path in ["health", "journal", "sandboxes", "sandboxes/default/env", "no-such-path"] {
        let foreign = with_headers(&api, path, &[("host", "evil.example")]).await;
        assert_refused(&foreign, 403, &["Host"]);
        let page =
            with_headers(&api, path, &[("host", "localhost:1"), ("origin", "http://evil.example")]).await;
        assert_refused(&page, 403, &["Origin"]);
    }
    let own = [("host", "127.0.0.1:8700"), ("origin", "http://127.0.0.1:8700")];
    let _ = with_headers(&api, "health", &own).await.ok();
}

#[tokio::test]
async fn a_foreign_authority_without_a_host_header_is_foreign_too() {
    let api = Api::docs_samples();
    let mut request = Request::get("https://evil.example/__admin/health").body(Body::empty()).unwrap();
    *request.version_mut() = Version::HTTP_2;
    assert_refused(&api.raw(request).await, 403, &["Host"]);
}

#[tokio::test]
async fn the_token_is_asked_for_on_every_route_but_health() {
    let api = Api::with(MockServer::builder().world("docs-samples").admin_token("s3cret"));
    for path in ["journal", "sandboxes", "sandboxes/default/env", "no-such-path"] {
        for headers in
            [vec![], vec![("authorization", "Bearer wrong")], vec![("authorization", "Basic s3cret")]]
        {
            let reply = with_headers(&api, path, &headers).await;
            assert_refused(&reply, 401, &["Authorization: Bearer"]);
            assert!(!reply.text.contains("s3cret"));
        }
    }
    let _ = with_headers(&api, "sandboxes", &[("authorization", "Bearer s3cret")]).await.ok();
    let _ = with_headers(&api, "sandboxes", &[("authorization", "bearer s3cret")]).await.ok();
    let health = with_headers(&api, "health", &[]).await;
    assert!(!health.text.contains("s3cret"), "a client may ask first whether this is a simulator");
    let _ = health.ok();
    let _ = api.get("mobile_apps").await.ok();
}

#[tokio::test]
async fn unknown_sandboxes_paths_and_methods_are_refused_with_what_to_do() {
    let api = Api::docs_samples();
    let routes = [
        (GET, "env"),
        (GET, "clock"),
        (POST, "clock"),
        (GET, "faults"),
        (POST, "faults"),
        (DELETE, "faults"),
        (GET, "journal"),
        (DELETE, "journal"),
        (GET, "world"),
        (PUT, "world"),
        (POST, "events"),
        (GET, "readings"),
        (POST, "readings"),
        (POST, "reset"),
        (GET, "snapshots"),
        (POST, "snapshots"),
        (POST, "snapshots/a/restore"),
    ];
    for (method, path) in routes {
        let reply = api.admin(method.clone(), &format!("sandboxes/nobody/{path}"), Some(json!({}))).await;
        assert_refused(&reply, 404, &["\"nobody\""]);
        let reply = on_default(&api, Method::PATCH, path, Some(json!({}))).await;
        assert_refused(&reply, 405, &["PATCH"]);
        assert!(reply.headers.contains_key("allow"));
    }
    assert_refused(&api.admin(DELETE, "sandboxes/nobody", None).await, 404, &["\"nobody\""]);
    assert_refused(&api.admin(GET, "no-such-path", None).await, 404, &["no-such-path"]);
    assert_refused(&on_default(&api, GET, "no-such-path", None).await, 404, &["no-such-path"]);
}

#[tokio::test]
async fn sandboxes_are_listed_with_what_they_hold() {
    let api = Api::docs_samples();
    let asked = SandboxRequest { page_size: Some(3), ..SandboxRequest::default() };
    let other = api.server.create_sandbox(asked).await.unwrap();
    let list = api.admin(GET, "sandboxes", None).await.ok();
    let list = list["sandboxes"].as_array().unwrap();
    let ids: Vec<&str> = list.iter().map(|sandbox| sandbox["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["default", other.id()]);
    assert_eq!(list[0]["clock"], "manual");
    let (apps, ..) = api.control().sizes();
    assert_eq!(list[0]["data_theorem"]["mobile_apps"], apps);
    let (projects, libraries, violations) = api.control().mend_sizes();
    let held = json!({"projects": projects, "libraries": libraries, "policy_violations": violations});
    assert_eq!(list[0]["mend"], held);
}

#[tokio::test]
async fn env_gives_the_variables_and_every_key() {
    let api = Api::of("one-open");
    let env = on_default(&api, GET, "env", None).await.ok();
    assert_eq!(env["env"]["DATA_THEOREM_API_KEY"], api.secret());
    let keys = env["data_theorem_api_keys"].as_array().unwrap();
    let named = |name: &str| keys.iter().find(|key| key["name"] == name).unwrap();
    assert_eq!(named("read-only")["permissions"], json!([]));
    assert!(named("one-app")["mobile_app_ids"].is_array());
}

#[tokio::test]
async fn the_clock_moves_in_every_documented_way() {
    let api = Api::docs_samples();
    let clock = on_default(&api, GET, "clock", None).await.ok();
    assert_eq!((&clock["now"], &clock["mode"]), (&json!("2026-01-15T00:00:00Z"), &json!("manual")));
    for (body, now) in [
        (json!({"advance_ms": 1_500}), "2026-01-15T00:00:01.5Z"),
        (json!({"advance_ms": -500}), "2026-01-15T00:00:01Z"),
        (json!({"advance": "2h 30m"}), "2026-01-15T02:30:01Z"),
        (json!({"advance": "PT1H"}), "2026-01-15T03:30:01Z"),
        (json!({"set": "2027-01-01T00:00:00Z"}), "2027-01-01T00:00:00Z"),
    ] {
        let clock = on_default(&api, POST, "clock", Some(body.clone())).await.ok();
        assert_eq!(clock["now"], now, "{body}");
        assert_eq!(api.control().now().to_string(), now);
    }
    let clock = on_default(&api, POST, "clock", Some(json!({"mode": "system+2h"}))).await.ok();
    assert!(clock["mode"].as_str().unwrap().starts_with("system+"), "{clock}");
    let now = api.control().clock_mode();
    for body in [
        json!({}),
        json!({"advance_ms": "1"}),
        json!({"advance": "soon"}),
        json!({"set": "2027-02-30T00:00:00Z"}),
        json!({"mode": "sundial"}),
        json!({"jump": 1}),
        json!({"advance_ms": 1, "set": "2027-01-01T00:00:00Z"}),
    ] {
        let reply = on_default(&api, POST, "clock", Some(body)).await;
        assert_refused(&reply, 400, &["advance_ms", "advance", "set", "mode"]);
    }
    assert_eq!(api.control().clock_mode(), now);
}

#[tokio::test]
async fn moving_the_clock_out_of_time_neither_panics_nor_stops_the_server() {
    let api = Api::docs_samples();
    for body in [
        json!({"advance_ms": i64::MAX}),
        json!({"advance_ms": i64::MIN}),
        json!({"set": "9999-12-30T22:00:00Z"}),
        json!({"advance": "1000h"}),
        json!({"mode": "system+876000000h"}),
        json!({"advance_ms": i64::MAX}),
        json!({"set": "-009999-01-02T02:00:00Z"}),
        json!({"mode": "system-876000000h"}),
        json!({"mode": "manual"}),
    ] {
        let reply = on_default(&api, POST, "clock", Some(body.clone())).await;
        assert!([200, 400].contains(&reply.status), "{body}: {}", reply.text);
        let _ = api.get("mobile_apps").await.ok();
    }
}

#[tokio::test]
async fn faults_are_planned_listed_and_dropped() {
    let api = Api::docs_samples();
    let fault = json!({
        "match": {"operation": "GET mobile_apps", "times": 2},
        "when": "before_apply",
        "effect": {"reply": {"status": 503, "headers": [["retry-after", "3"]], "body": "{}"}},
    });
    let reply = on_default(&api, POST, "faults", Some(fault.clone())).await;
    assert_eq!((reply.status, reply.json()), (201, json!({"ids": [1]})));
    let many = json!([fault.clone(), {"when": "after_apply", "effect": "hang"}]);
    assert_eq!(on_default(&api, POST, "faults", Some(many)).await.json(), json!({"ids": [2, 3]}));
    let struck = api.get("mobile_apps").await;
    assert_eq!((struck.status, struck.headers["retry-after"].to_str().unwrap()), (503, "3"));
    let list = on_default(&api, GET, "faults", None).await.ok();
    let list = list["faults"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!((&list[0]["id"], &list[0]["struck"]), (&json!(1), &json!(1)));
    assert_eq!(list[0]["fault"]["effect"], fault["effect"]);
    assert_eq!(on_default(&api, DELETE, "faults", None).await.ok(), json!({"dropped": 3}));
    let _ = api.get("mobile_apps").await.ok();
}

#[tokio::test]
async fn every_effect_of_the_documentation_can_be_planned_over_http() {
    let api = Api::docs_samples();
    let effects = json!([
        {"delay": {"ms": 1}}, "hang", {"reply": {"status": 200}}, {"rewrite": {"pointer": "/a", "value": null}},
        {"repeat_rows": {"count": 1}}, "connection_reset", "empty_response", "malformed_chunk", "truncated_json",
    ]);
    for effect in effects.as_array().unwrap() {
        let fault = json!({"when": "after_apply", "effect": effect});
        let reply = on_default(&api, POST, "faults", Some(fault)).await;
        assert_eq!(reply.status, 201, "{effect}: {}", reply.text);
    }
    assert_eq!(api.control().pending_faults().len(), 9);
}

#[tokio::test]
async fn a_list_of_faults_is_planned_all_or_none_and_refusals_say_why() {
    let api = Api::docs_samples();
    let good = json!({"when": "after_apply", "effect": "hang"});
    for (bad, part) in [
        (json!({"when": "before_apply", "effect": "truncated_json"}), "after_apply"),
        (json!({"when": "after_apply", "effect": "hang", "match": {"times": 0}}), "times"),
        (json!({"when": "after_apply", "effect": {"reply": {"status": 99}}}), "99"),
        (json!({"when": "after_apply", "effect": "explode"}), "explode"),
        (json!({"when": "later", "effect": "hang"}), "later"),
        (json!({"effect": "hang"}), "when"),
        (json!({"when": "after_apply", "effect": "hang", "probability": 0.5}), "probability"),
        (json!({"when": "after_apply", "effect": "hang", "match": {"operaton": "x"}}), "operaton"),
    ] {
        let reply = on_default(&api, POST, "faults", Some(json!([good, bad]))).await;
        assert_refused(&reply, 400, &[part]);
        assert!(api.control().pending_faults().is_empty(), "{bad}");
    }
}

#[tokio::test]
async fn the_journal_can_be_read_on_and_filtered_and_dropped() {
    let api = Api::docs_samples();
    let _ = api.get("mobile_apps").await.ok();
    let _ = api.get("mobile_apps/404").await;
    let _ = api.get("security_findings").await.ok();
    let read = async |query: &str| {
        let page = on_default(&api, GET, &format!("journal{query}"), None).await.ok();
        let seqs = page["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap());
        (seqs.collect::<Vec<_>>(), page["last_seq"].as_u64().unwrap())
    };
    assert_eq!(read("").await, (vec![1, 2, 3], 3));
    assert_eq!(read("?after=2").await, (vec![3], 3));
    assert_eq!(read("?after=9").await, (vec![], 3));
    assert_eq!(read("?status=404").await, (vec![2], 3));
    assert_eq!(read("?operation=GET%20mobile_apps").await, (vec![1], 3));
    assert_eq!(read("?operation=GET%20mobile_apps&after=1").await, (vec![], 3));
    for query in ["?aftr=1", "?after=-1", "?status=x", "?wait_ms=soon"] {
        let reply = on_default(&api, GET, &format!("journal{query}"), None).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text);
        assert_refused(&reply, 400, &[]);
    }
    on_default(&api, DELETE, "journal", None).await.no_content();
    assert_eq!(read("").await, (vec![], 3), "numbers go on");
    let _ = api.get("mobile_apps").await.ok();
    assert_eq!(read("").await, (vec![4], 4));
}

#[tokio::test]
async fn what_nobody_owns_is_in_the_servers_journal() {
    let api = Api::docs_samples();
    let _ = api.raw(request(GET, "mobile_apps", "nobodys", "")).await;
    let _ = api.raw(Request::get("/nowhere").body(Body::empty()).unwrap()).await;
    let page = api.admin(GET, "journal", None).await.ok();
    let statuses: Vec<&Value> =
        page["entries"].as_array().unwrap().iter().map(|entry| &entry["status"]).collect();
    assert_eq!(statuses, [&json!(401), &json!(404)]);
    assert_eq!(page["entries"][0]["rule"], "DT-AUTH-REQUIRED");
    let page = api.admin(GET, "journal?after=1", None).await.ok();
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    let page = api.admin(GET, "journal?status=401", None).await.ok();
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    assert_eq!(api.control().journal(&Filter::default()).last_seq, 0);
}

#[tokio::test]
async fn the_world_can_be_taken_out_edited_and_put_back() {
    let api = Api::docs_samples();
    let exported = on_default(&api, GET, "world", None).await;
    assert!(!exported.text.contains(api.secret()), "an export shows no secret");
    let mut world: WorldSpec = serde_json::from_str(&exported.text).unwrap();
    assert_eq!(world, api.control().export_world());
    world.data_theorem.mobile_apps[0].name = "Renamed".to_owned();
    on_default(&api, PUT, "world", Some(serde_json::to_value(&world).unwrap())).await.no_content();
    assert_eq!(api.control().export_world(), world);
    let _ = api.get("mobile_apps").await.ok();

    let mut broken = serde_json::to_value(&world).unwrap();
    broken["data_theorem"]["security_finding_targets"][0]["security_finding_id"] = json!("none");
    let reply = on_default(&api, PUT, "world", Some(broken)).await;
    assert_refused(&reply, 400, &["/data_theorem/security_finding_targets/0/security_finding_id"]);
    let mut unknown = serde_json::to_value(&world).unwrap();
    unknown["data_theorem"]["mobile_aps"] = json!([]);
    assert_refused(&on_default(&api, PUT, "world", Some(unknown)).await, 400, &["mobile_aps", "line"]);
    assert_refused(&on_default(&api, PUT, "world", None).await, 400, &["EOF"]);
    assert_eq!(api.control().export_world(), world);
}

#[tokio::test]
async fn events_happen_one_after_the_other_until_one_cannot() {
    let api = Api::docs_samples();
    let status =
        |status: &str| json!({"type": "data_theorem.target_status", "target_id": TARGET, "status": status});
    let unknown = json!({"type": "data_theorem.target_status", "target_id": "404", "status": "OPEN"});
    let current = || {
        let targets = api.control().export_world().data_theorem.security_finding_targets;
        targets.into_iter().find(|target| target.id == TARGET).unwrap().statuses[0].status.to_string()
    };
    let effects = on_default(&api, POST, "events", Some(status("CLOSED_FIXED"))).await.ok();
    assert_eq!(effects, json!({"changed_targets": [TARGET]}));
    assert_eq!(current(), "CLOSED_FIXED");
    assert_refused(&on_default(&api, POST, "events", Some(unknown.clone())).await, 409, &["\"404\""]);

    let list = json!([status("OPEN"), unknown, status("CLOSED_BY_POLICY")]);
    let reply = on_default(&api, POST, "events", Some(list)).await;
    assert_refused(&reply, 409, &["event 1", "\"404\"", "1 events before it"]);
    assert_eq!(current(), "OPEN", "what came before has happened, what comes after has not");

    let list = json!([status("CLOSED_FIXED"), status("OPEN")]);
    let effects = on_default(&api, POST, "events", Some(list)).await.ok();
    assert_eq!(effects["effects"].as_array().unwrap().len(), 2);
    for (body, part) in [
        (json!({"type": "data_theorem.earthquake"}), "earthquake"),
        (json!({"type": "data_theorem.note", "finding_id": "4567"}), "author_email"),
        (json!([status("OPEN"), {"type": "data_theorem.scan"}]), "mobile_app_id"),
    ] {
        assert_refused(&on_default(&api, POST, "events", Some(body)).await, 400, &[part]);
    }
    assert_eq!(on_default(&api, POST, "events", Some(json!([]))).await.ok(), json!({"effects": []}));
}

#[tokio::test]
async fn readings_are_shown_and_chosen() {
    let api = Api::docs_samples();
    let readings = on_default(&api, GET, "readings", None).await.ok();
    assert_eq!(readings["dt.last-page-cursor"], "absent");
    let body = json!({"dt.last-page-cursor": "empty", "dt.total-count-type": "number"});
    let readings = on_default(&api, POST, "readings", Some(body)).await.ok();
    assert_eq!(
        (&readings["dt.last-page-cursor"], &readings["dt.total-count-type"]),
        (&json!("empty"), &json!("number"))
    );
    let page = api.get("mobile_apps").await.ok();
    assert_eq!(page["pagination_information"]["next_cursor"], "");
    for (body, part) in [
        (json!({"dt.total-count-type": "string", "dt.no-such": "x"}), "dt.no-such"),
        (json!({"dt.total-count-type": "roman"}), "string"),
        (json!({"dt.total-count-type": 1}), "does not fit"),
        (json!([]), "does not fit"),
    ] {
        assert_refused(&on_default(&api, POST, "readings", Some(body)).await, 400, &[part]);
    }
    assert_eq!(api.control().readings()["dt.total-count-type"], "number");
}

#[tokio::test]
async fn reset_and_snapshots_go_back() {
    let api = Api::docs_samples();
    let start = api.control().export_world();
    let patch = async |value: &str| {
        let _ = api
            .patch(&format!("security_finding_targets/{TARGET}"), json!({"external_id": value}))
            .await
            .ok();
    };
    patch("SEC-1").await;
    let reply = on_default(&api, POST, "snapshots", Some(json!({"name": "one"}))).await;
    assert_eq!((reply.status, reply.json()), (201, json!({"name": "one", "time": "2026-01-15T00:00:00Z"})));
    let kept = api.control().export_world();
    patch("SEC-2").await;
    on_default(&api, POST, "snapshots/one/restore", None).await.no_content();
    assert_eq!(api.control().export_world(), kept);
    let list = on_default(&api, GET, "snapshots", None).await.ok();
    assert_eq!(list["snapshots"], json!([{"name": "one", "time": "2026-01-15T00:00:00Z"}]));
    assert_refused(&on_default(&api, POST, "snapshots/two/restore", None).await, 404, &["\"two\""]);
    assert_refused(&on_default(&api, POST, "snapshots", Some(json!({"nom": "x"}))).await, 400, &["nom"]);
    on_default(&api, POST, "reset", None).await.no_content();
    assert_eq!(api.control().export_world(), start);
}

#[tokio::test]
async fn malformed_bodies_are_refused_with_the_place() {
    let api = Api::docs_samples();
    for path in ["faults", "events", "readings", "snapshots"] {
        let uri = format!("/__admin/sandboxes/default/{path}");
        let request = Request::post(uri).body(Body::from("{\n  \"a\": }")).unwrap();
        assert_refused(&api.raw(request).await, 400, &["line 2"]);
    }
    let request = Request::post("/__admin/sandboxes").body(Body::from("{\"seed\": 1.5}")).unwrap();
    assert_refused(&api.raw(request).await, 400, &["1.5", "line 1"]);
}

#[tokio::test]
async fn the_control_plane_is_not_in_any_journal_and_no_fault_strikes_it() {
    let api = Api::docs_samples();
    api.control()
        .plan_fault(Fault {
            matcher: serde_json::from_value(json!({})).unwrap(),
            ..Fault::before("", Effect::Hang)
        })
        .unwrap();
    let _ = api.admin(GET, "health", None).await.ok();
    let _ = on_default(&api, GET, "world", None).await.ok();
    assert_eq!(api.control().pending_faults().len(), 1);
    assert_eq!(api.control().journal(&Filter::default()).last_seq, 0);
    assert_eq!(api.server.unclaimed(&Filter::default()).last_seq, 0);
}
