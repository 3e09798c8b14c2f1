//! One list of policy issues, one report of tickets and one question for modified projects: in process, over a
//! socket, and a static axum server that returns the same bytes over a socket. The ratio between the last two is
//! what the simulation costs.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nothing to measure")]
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

mod over_a_socket;

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use mock_server::MockServer;
use over_a_socket::{connect, send, static_server};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// Ten projects with a hundred violations each.
const WORLD: &str = "scale:projects=10,violations=1000";

/// What is measured: a name and, in turn, its bodies.
struct Job {
    name: &'static str,
    bodies: Vec<Bytes>,
}

fn jobs(user_key: &str, org_token: &str, project_token: &str, violation: &str) -> [Job; 3] {
    let body = |request_type: &str, fields: Value| {
        let mut body = json!({"requestType": request_type, "userKey": user_key});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Bytes::from(body.to_string())
    };
    // A ticket that is opened and done in turn, because one that stays the same changes nothing.
    let report = |status: &str| {
        let issue = json!({"identifier": "SEC-1", "url": "tracker.example/SEC-1", "status": status});
        let fields = json!({
            "projectToken": project_token,
            "wsPolicyIssueItemUuid": violation,
            "externalIssues": [issue],
        });
        body("updateExternalIntegrationIssues", fields)
    };
    let fetch = json!({"projectToken": project_token, "policyActionType": "CREATE_ISSUE"});
    [
        Job {
            name: "fetch policy issues with 100 violations",
            bodies: vec![body("fetchProjectPolicyIssues", fetch)],
        },
        Job { name: "report an external issue", bodies: vec![report("OPEN"), report("DONE")] },
        Job {
            name: "list the modified ones of 10 projects",
            bodies: vec![body("getOrganizationLastModifiedProjects", json!({"orgToken": org_token}))],
        },
    ]
}

fn request<B: From<Bytes>>(job: &Job, turn: usize) -> Request<B> {
    Request::post("/api/v1.4")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(B::from(job.bodies[turn % job.bodies.len()].clone()))
        .unwrap()
}

/// Mend refuses with a 200 too.
fn assert_granted(status: StatusCode, body: &[u8]) {
    let is_error = body.starts_with(br#"{"errorCode""#);
    assert!(status.is_success() && !is_error, "{}", String::from_utf8_lossy(body));
}

fn mend(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::builder().world(WORLD).start()).unwrap();
    let router = server.router();
    let address = server.addresses().unwrap().plain;
    let world = server.control().export_world().mend;
    let violation = &world.policy_violations[0];
    let vendor = server.mend();
    for job in jobs(vendor.user_key(), vendor.org_token(), &violation.project_token, &violation.uuid) {
        let mut group = criterion.benchmark_group(job.name);
        let mut turn = 0;
        group.bench_function("in process", |bencher| {
            bencher.iter(|| {
                let request = request::<Body>(&job, turn);
                turn += 1;
                let response = runtime.block_on(router.clone().oneshot(request)).unwrap();
                let status = response.status();
                let body = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
                assert_granted(status, &body);
                body
            });
        });
        let mut connection = runtime.block_on(connect(address));
        let mut reply = (StatusCode::OK, Bytes::new());
        group.bench_function("over a socket", |bencher| {
            bencher.iter(|| {
                let request = request::<Full<Bytes>>(&job, turn);
                turn += 1;
                reply = runtime.block_on(send(&mut connection, request));
                assert_granted(reply.0, &reply.1);
            });
        });
        let control =
            runtime.block_on(async { connect(static_server(reply.0, reply.1.clone()).await).await });
        let mut connection = control;
        group.bench_function("static axum server, same bytes, over a socket", |bencher| {
            bencher.iter(|| {
                let request = request::<Full<Bytes>>(&job, turn);
                turn += 1;
                let (status, body) = runtime.block_on(send(&mut connection, request));
                assert_granted(status, &body);
            });
        });
        group.finish();
    }
    runtime.block_on(server.stop());
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).sample_size(30);
    targets = mend
}
criterion_main!(benches);
