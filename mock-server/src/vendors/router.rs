//! Which part of the path belongs to which vendor.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use smol_str::SmolStr;

use super::{data_theorem, jira, mend};
use crate::http::exchange::{Answer, Prepared, Work};
use crate::http::pipeline::{self, Prepare, Scope};
use crate::http::reject::Refusal;
use crate::worlds::Worlds;

#[derive(Clone)]
struct Shared {
    worlds: Arc<Worlds>,
    scope: Scope,
}

/// Everything the vendors answer.
pub(crate) fn router(worlds: &Arc<Worlds>, scope: Scope) -> Router {
    Router::new().fallback(vendor_of_path).with_state(Shared { worlds: Arc::clone(worlds), scope })
}

async fn vendor_of_path(State(shared): State<Shared>, request: Request<Body>) -> Response {
    let prepare = prepare_for(request.uri().path());
    pipeline::run(&shared.worlds, &shared.scope, prepare, request).await
}

/// Which vendor's a path is.
fn prepare_for(path: &str) -> Prepare {
    let below =
        |base: &str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below(data_theorem::BASE_PATH) {
        data_theorem::routes::prepare
    } else if mend::PATHS.contains(&path) {
        mend::requests::prepare
    } else if below(jira::BASE_PATH) {
        jira::routes::prepare
    } else {
        nobodys_path
    }
}

/// What the journal calls every request that a vendor or nobody answers; a fault waits for one of these.
pub(crate) fn operations() -> Vec<SmolStr> {
    data_theorem::routes::operations()
        .chain(mend::requests::operations())
        .chain(jira::routes::operations())
        .chain([UNKNOWN_PATH])
        .collect()
}

/// What the journal calls a request for a path of no vendor.
const UNKNOWN_PATH: SmolStr = SmolStr::new_static("unknown path");

/// A path of no vendor.
fn nobodys_path(request: Arc<crate::http::exchange::Request>) -> Prepared {
    let answer = move || {
        let path: String = request.path.chars().take(200).collect();
        let reason = format!(
            "nothing is simulated at {path:?}; Data Theorem is below {}, Mend at {}, Jira below {}",
            data_theorem::BASE_PATH,
            mend::PATHS.join(" and "),
            jira::BASE_PATH
        );
        let body = serde_json::json!({"error": {"code": 404, "message": reason}}).to_string();
        Answer::refused(Refusal::server(404, "server.unknown-path", reason), body)
    };
    Prepared {
        operation: UNKNOWN_PATH,
        credential: None,
        work: Work::Read(Box::new({
            let answer = answer.clone();
            move |_, _| answer()
        })),
        nobodys: Box::new(answer),
    }
}
