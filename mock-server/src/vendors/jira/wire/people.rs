//! Users.

use fixtures::world::jira::UserSpec;
use serde_json::{Value, json};

use super::link;

/// A user.
pub fn user(spec: &UserSpec) -> Value {
    json!({
        "self": link(&format!("user?accountId={}", spec.account_id)),
        "accountId": spec.account_id,
        "accountType": "atlassian",
        "emailAddress": spec.email,
        "avatarUrls": {},
        "displayName": spec.display_name,
        "active": true,
        "timeZone": "Etc/UTC",
    })
}
