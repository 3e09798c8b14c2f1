//! The vendor's JSON: every shape that goes out. Deliberately absent: what comes in, which
//! [`super::rules::fields`] and its neighbours read.

pub mod alerts;
pub mod dates;
pub mod inventory;
pub mod organizations;
pub mod policies;
pub mod policy_issues;
pub mod policy_matches;
pub mod projects;
pub mod vulnerabilities;

use std::io::Write as _;

use serde::Serialize;

/// The body of a reply.
pub fn body(value: &impl Serialize) -> Vec<u8> {
    // Shapes made of texts, numbers and lists do not fail to serialise.
    serde_json::to_vec(value).unwrap_or_default()
}

/// The body of a refusal.
pub fn error(code: u16, message: &str) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Error<'a> {
        error_code: u16,
        error_message: &'a str,
    }
    body(&Error { error_code: code, error_message: message })
}

/// Adds warnings about fields to a body, which is an object.
pub fn add_warnings(body: &mut Vec<u8>, fields: &[&str]) {
    if fields.is_empty() || body.pop() != Some(b'}') {
        return;
    }
    let warnings: Vec<String> = fields.iter().map(|field| format!("Invalid input: {field}")).collect();
    let comma = if body.len() > 1 { "," } else { "" };
    // Writing to memory does not fail.
    let _ = write!(body, r#"{comma}"warningMessages":{}}}"#, serde_json::json!(warnings));
}
