//! What a reply means before its body is looked at.

use serde_json::Value;

use crate::adapters::json::{self, Read};
use crate::core::model::Source;
use crate::ports::{Reply, VendorError};

/// The most characters of a vendor's explanation that go into an error.
const REASON_CHARS_MAX: usize = 300;

/// The JSON of a reply with 200. Only the status decides what any other reply is: no page shows the body of an error.
/// `mask` takes credentials out of what the vendor says.
pub(super) fn read(
    operation: &str,
    reply: &Reply,
    mask: impl Fn(&str) -> String,
) -> Result<Read, VendorError> {
    let operation = operation.to_owned();
    let reason = || {
        let status = reply.status;
        match explanation(&reply.body) {
            Some(text) => format!("it answers {status}: {}", mask(&text)),
            None => format!("it answers {status}"),
        }
    };
    match reply.status {
        200 => json::read(&reply.body).map_err(|problem| VendorError::Malformed {
            operation,
            reason: format!("it answers 200, but {problem}"),
        }),
        401 => Err(VendorError::Credential { vendor: Source::DataTheorem, reason: reason() }),
        404 => Err(VendorError::NotFound { operation, reason: reason() }),
        429 | 500..=599 => Err(VendorError::Unavailable { operation, reason: reason() }),
        400..=499 => Err(VendorError::Refused { operation, reason: reason() }),
        status => {
            let reason = format!("it answers {status}, which this API never does");
            Err(VendorError::Malformed { operation, reason })
        }
    }
}

/// What a body of an error says, if it is JSON and says it in a usual place. Pages of HTML explain nothing.
fn explanation(body: &[u8]) -> Option<String> {
    let body = json::read(body).ok()?.value;
    let places = [body.pointer("/error/message"), body.get("message"), body.get("error"), body.get("detail")];
    let text = places.into_iter().flatten().find_map(Value::as_str)?;
    let line: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    match line.trim() {
        "" => None,
        line if line.chars().count() > REASON_CHARS_MAX => {
            Some(line.chars().take(REASON_CHARS_MAX).chain(['…']).collect())
        }
        line => Some(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::read;
    use crate::ports::{Reply, VendorError};

    fn error(status: u16, body: &str) -> VendorError {
        let reply =
            Reply { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) };
        read("GET x", &reply, |text| text.replace("s3cret", "…")).unwrap_err()
    }

    #[test]
    fn every_status_has_one_meaning() {
        for status in [201, 204, 206, 301, 302, 304] {
            assert!(matches!(error(status, "{}"), VendorError::Malformed { .. }), "{status}");
        }
        for status in [400, 402, 403, 405, 409, 410, 422, 451] {
            assert!(matches!(error(status, "{}"), VendorError::Refused { .. }), "{status}");
        }
        for status in [429, 500, 502, 503, 504, 507] {
            assert!(matches!(error(status, "{}"), VendorError::Unavailable { .. }), "{status}");
        }
        assert!(matches!(error(401, "{}"), VendorError::Credential { .. }));
        assert!(matches!(error(404, "{}"), VendorError::NotFound { .. }));
        for body in ["", "<html>", "{\"security_findings\": ["] {
            assert!(matches!(error(200, body), VendorError::Malformed { .. }), "{body}");
        }
    }

    #[test]
    fn explanations_are_short_and_have_no_secrets() {
        let text = |body: &str| error(403, body).to_string();
        assert_eq!(text(""), "GET x is refused: it answers 403");
        assert_eq!(text("<html>no s3cret</html>"), "GET x is refused: it answers 403");
        for body in [
            r#"{"error": {"code": 403, "message": "not\nthat s3cret"}}"#,
            r#"{"message": "not\nthat s3cret"}"#,
            r#"{"error": "not\nthat s3cret"}"#,
        ] {
            assert_eq!(text(body), "GET x is refused: it answers 403: not that …");
        }
        let long = text(&format!(r#"{{"message": "{}"}}"#, "é".repeat(5_000)));
        assert!(long.chars().count() < 400, "{long}");
    }
}
