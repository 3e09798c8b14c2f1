//! An issue made, read, found by its label and moved on, and a page of labels, on a site of ten thousand issues: in
//! process, over a socket, and a static axum server that returns the same bytes over a socket. The ratio between the
//! last two is what the simulation costs.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nothing to measure")]
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use base64::Engine as _;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use fixtures::builders::jira::{issue, project, site};
use fixtures::world::WorldSpec;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use mock_server::MockServer;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const ISSUES: u64 = 10_000;

/// A site of one project, whose issues have a label of their own each; every two hundredth has one more.
fn world() -> WorldSpec {
    let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut world = WorldSpec::empty(epoch);
    world.jira = site();
    world.jira.projects.push(project(10_000, "SEC", "Security"));
    let issues = (1..=ISSUES).map(|number| {
        let issue = issue(10_000 + number, &format!("SEC-{number}")).label(&format!("dt-{number}"));
        let issue = if number % 200 == 0 { issue.label("rare") } else { issue };
        issue.description("What was found.\n\nWhere it was found.").build(epoch)
    });
    world.jira.issues = issues.collect();
    world
}

/// What is measured: a name, a request, and its bodies in turn.
struct Job {
    name: &'static str,
    method: Method,
    path: &'static str,
    bodies: Vec<Bytes>,
}

fn jobs() -> [Job; 5] {
    let body = |value: Value| Bytes::from(value.to_string());
    let paragraph = json!({"type": "paragraph", "content": [{"type": "text", "text": "What was found."}]});
    let new = json!({"fields": {
        "project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "Found", "labels": ["new"],
        "description": {"type": "doc", "version": 1, "content": [paragraph]},
    }});
    let search = json!({"jql": "project = SEC AND labels = rare", "fields": ["summary", "status", "labels"]});
    let close = json!({"transition": {"id": "21"}, "fields": {"resolution": {"name": "Done"}}});
    let reopen = json!({"transition": {"id": "41"}});
    let job = |name, method, path, bodies| Job { name, method, path, bodies };
    [
        job("get an issue", Method::GET, "issue/SEC-5000", vec![Bytes::new()]),
        job("search by label, 50 of 10,000 issues", Method::POST, "search/jql", vec![body(search)]),
        job("list 1,000 of 10,000 labels", Method::GET, "label?startAt=5000", vec![Bytes::new()]),
        job("do a transition", Method::POST, "issue/SEC-5001/transitions", vec![body(close), body(reopen)]),
        job("create an issue", Method::POST, "issue", vec![body(new)]),
    ]
}

fn request<B: From<Bytes>>(job: &Job, authorization: &str, turn: usize) -> Request<B> {
    Request::builder()
        .method(&job.method)
        .uri(format!("/rest/api/3/{}", job.path))
        .header("host", "localhost")
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .body(B::from(job.bodies[turn % job.bodies.len()].clone()))
        .unwrap()
}

fn assert_granted(status: StatusCode, body: &[u8]) {
    assert!(status.is_success(), "{status} {}", String::from_utf8_lossy(body));
}

async fn send(
    connection: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> (StatusCode, Bytes) {
    connection.ready().await.unwrap();
    let response = connection.send_request(request).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A server that knows nothing and returns these bytes.
async fn static_server(status: StatusCode, body: Bytes) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |request: Request<Body>| {
        let body = body.clone();
        async move {
            request.into_body().collect().await.unwrap();
            (status, [("content-type", "application/json")], body)
        }
    };
    tokio::spawn(axum::serve(listener, Router::new().fallback(any(answer))).into_future());
    address
}

fn jira(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::builder().world_spec(world()).start()).unwrap();
    let router = server.router();
    let address = server.addresses().unwrap().plain;
    let vendor = server.jira();
    let pair = format!("{}:{}", vendor.email(), vendor.api_token());
    let authorization = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    for job in jobs() {
        let mut group = criterion.benchmark_group(job.name);
        let mut turn = 0;
        group.bench_function("in process", |bencher| {
            bencher.iter(|| {
                let request = request::<Body>(&job, &authorization, turn);
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
                let request = request::<Full<Bytes>>(&job, &authorization, turn);
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
                let request = request::<Full<Bytes>>(&job, &authorization, turn);
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
    targets = jira
}
criterion_main!(benches);
