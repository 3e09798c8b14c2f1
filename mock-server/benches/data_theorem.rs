//! One list page, one get and one status post: in process, over a socket, and a static axum server that returns
//! the same bytes over a socket. The ratio between the last two is what the simulation costs.

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
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const BASE: &str = "/apis/mobile_security/results/v2";

/// What is measured: a name, a method, a path and, in turn, its bodies.
struct Job {
    name: &'static str,
    method: &'static str,
    path: String,
    bodies: &'static [&'static str],
}

/// Closing and reopening in turn, because a status that stays the same is refused.
const STATUSES: &[&str] = &[r#"{"status":"CLOSED_RISK_ACCEPTED"}"#, r#"{"status":"OPEN"}"#];

fn jobs(target: &str) -> [Job; 3] {
    let path = |path: &str| format!("{BASE}/{path}");
    [
        Job {
            name: "list page of 100 targets",
            method: "GET",
            path: path("security_finding_targets"),
            bodies: &[""],
        },
        Job {
            name: "get one target",
            method: "GET",
            path: path(&format!("security_finding_targets/{target}")),
            bodies: &[""],
        },
        Job {
            name: "post a status",
            method: "POST",
            path: path(&format!("security_finding_targets/{target}/statuses")),
            bodies: STATUSES,
        },
    ]
}

fn request<B: From<&'static str>>(job: &Job, turn: usize, key: &str) -> Request<B> {
    Request::builder()
        .method(job.method)
        .uri(&job.path)
        .header("host", "localhost")
        .header("authorization", format!("APIKey {key}"))
        .header("content-type", "application/json")
        .body(B::from(job.bodies[turn % job.bodies.len()]))
        .unwrap()
}

fn data_theorem(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::builder().start()).unwrap();
    let router = server.router();
    let key = server.data_theorem().api_key().to_owned();
    let address = server.addresses().unwrap().plain;
    let world = server.control().export_world().data_theorem;
    let open =
        world.security_finding_targets.iter().find(|target| !target.statuses[0].status.is_closed()).unwrap();
    for job in jobs(&open.id) {
        let mut group = criterion.benchmark_group(job.name);
        let mut turn = 0;
        group.bench_function("in process", |bencher| {
            bencher.iter(|| {
                let request = request::<Body>(&job, turn, &key);
                turn += 1;
                let response = runtime.block_on(router.clone().oneshot(request)).unwrap();
                assert!(response.status().is_success());
                runtime.block_on(response.into_body().collect()).unwrap().to_bytes()
            });
        });
        let mut connection = runtime.block_on(connect(address));
        let mut reply = (StatusCode::OK, Bytes::new());
        group.bench_function("over a socket", |bencher| {
            bencher.iter(|| {
                let request = request::<Full<Bytes>>(&job, turn, &key);
                turn += 1;
                reply = runtime.block_on(send(&mut connection, request));
                assert!(reply.0.is_success());
            });
        });
        let control =
            runtime.block_on(async { connect(static_server(reply.0, reply.1.clone()).await).await });
        let mut connection = control;
        group.bench_function("static axum server, same bytes, over a socket", |bencher| {
            bencher.iter(|| {
                let request = request::<Full<Bytes>>(&job, turn, &key);
                turn += 1;
                assert!(runtime.block_on(send(&mut connection, request)).0.is_success());
            });
        });
        group.finish();
    }
    runtime.block_on(server.stop());
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).sample_size(30);
    targets = data_theorem
}
criterion_main!(benches);
