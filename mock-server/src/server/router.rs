//! The router: which part of the path belongs to whom.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use smol_str::SmolStr;

use super::{Scope, Server};
use crate::admin;
use crate::http::exchange::{Answer, Prepared, Work};
use crate::http::pipeline::{self, Prepare};
use crate::http::reject::Refusal;
use crate::vendors::data_theorem;

#[derive(Clone)]
struct Shared {
    server: Arc<Server>,
    scope: Scope,
}

/// Everything a listener answers: the vendors, and on the shared port the admin plane.
pub(crate) fn router(server: &Arc<Server>, scope: Scope) -> Router {
    let shared = Shared { server: Arc::clone(server), scope };
    let vendors = Router::new().fallback(vendor_of_path).with_state(shared.clone());
    match shared.scope {
        Scope::Shared => admin::router(server).fallback_service(vendors),
        Scope::Sandbox(_) => vendors,
    }
}

async fn vendor_of_path(State(shared): State<Shared>, request: Request<Body>) -> Response {
    let prepare = prepare_for(request.uri().path());
    pipeline::run(&shared.server, &shared.scope, prepare, request).await
}

/// Which vendor's a path is.
fn prepare_for(path: &str) -> Prepare {
    let below = |base: &str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below(data_theorem::BASE_PATH) { data_theorem::routes::prepare } else { nobodys_path }
}

/// A path of no vendor.
fn nobodys_path(request: Arc<crate::http::exchange::Request>) -> Prepared {
    let answer = move || {
        let path: String = request.path.chars().take(200).collect();
        let reason = format!("nothing is simulated at {path:?}; Data Theorem is below {}", data_theorem::BASE_PATH);
        let body = serde_json::json!({"error": {"code": 404, "message": reason}}).to_string();
        Answer::refused(Refusal::server(404, "server.unknown-path", reason), body)
    };
    Prepared {
        operation: SmolStr::new_static("unknown path"),
        credential: None,
        work: Work::Read(Box::new({
            let answer = answer.clone();
            move |_, _| answer()
        })),
        nobodys: Box::new(answer),
    }
}
