//! Who may ask: schemes, keys, apps.

use axum::body::Body;
use http::Request;

use crate::support::{Api, DATA_THEOREM};

/// DT-AUTH-REQUIRED
#[tokio::test]
async fn a_request_without_a_key_is_refused() {
    let api = Api::docs_samples();
    let request = Request::get(format!("{DATA_THEOREM}/mobile_apps")).body(Body::empty()).unwrap();
    api.raw(request).await.refused(401, "DT-AUTH-REQUIRED");
}
