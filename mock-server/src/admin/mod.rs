//! The control plane under `/__admin`: visibly not a vendor's, and thin wrappers over [`crate::Control`].
//!
//! `router` is its table of contents; docs/admin-api.md describes it for users.

mod guard;
mod handlers;
mod problem;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::server::Server;

/// What all paths of the control plane begin with.
pub const BASE_PATH: &str = "/__admin";

/// Every route of the control plane.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    let sandbox = Router::new()
        .route("/env", get(handlers::get_env))
        .route("/clock", get(handlers::get_clock).post(handlers::post_clock))
        .route(
            "/faults",
            get(handlers::get_faults).post(handlers::post_faults).delete(handlers::delete_faults),
        )
        .route("/journal", get(handlers::get_journal).delete(handlers::delete_journal))
        .route("/world", get(handlers::get_world).put(handlers::put_world))
        .route("/events", post(handlers::post_events))
        .route("/readings", get(handlers::get_readings).post(handlers::post_readings))
        .route("/reset", post(handlers::post_reset))
        .route("/snapshots", get(handlers::get_snapshots).post(handlers::post_snapshots))
        .route("/snapshots/{name}/restore", post(handlers::post_restore));
    let admin = Router::new()
        .route("/health", get(handlers::get_health))
        .route("/journal", get(handlers::get_unclaimed).delete(handlers::delete_unclaimed))
        .route("/sandboxes", get(handlers::get_sandboxes).post(handlers::post_sandboxes))
        .route("/sandboxes/{id}", delete(handlers::delete_sandbox))
        .nest("/sandboxes/{id}", sandbox)
        .fallback(handlers::unknown_route)
        .method_not_allowed_fallback(handlers::other_method)
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(server), guard::guard))
        .with_state(Arc::clone(server));
    Router::new().nest(BASE_PATH, admin)
}
