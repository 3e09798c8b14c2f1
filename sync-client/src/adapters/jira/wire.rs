//! What Jira's replies hold, as far as the client needs it.

use serde_json::{Value, json};

use super::adf;
use crate::core::model::{OpKey, TicketKey};

/// The property of an issue that its key stands in, besides the label.
pub(super) const PROPERTY: &str = "sync-client";
/// The fields that are asked for.
pub(super) const FIELDS: &str = "status,resolution,labels,comment";
/// The same without comments.
pub(super) const FIELDS_OF_LISTS: [&str; 3] = ["status", "resolution", "labels"];

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    /// Its number, which stays when it is moved.
    pub(super) id: u64,
    pub(super) key: TicketKey,
    pub(super) status: String,
    pub(super) is_done: bool,
    pub(super) resolution: Option<String>,
    pub(super) labels: Vec<String>,
    /// The key in its property.
    pub(super) property: Option<OpKey>,
    pub(super) comments: Comments,
}

/// The comments that came with an issue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Comments {
    /// Who wrote it, and its words.
    pub(super) read: Vec<(String, String)>,
    /// How many there are.
    pub(super) total: u64,
}

impl Issue {
    /// The key that the client gave it. A label that somebody took away does not make it another's.
    pub(super) fn op(&self) -> Option<OpKey> {
        let labelled = || self.labels.iter().find(|label| is_op(label)).map(OpKey::new);
        self.property.clone().or_else(labelled)
    }

    /// Whether a search for the key finds it.
    pub(super) fn has_label(&self, op: &OpKey) -> bool {
        self.labels.iter().any(|label| label == op.as_str())
    }
}

/// Whether a text is a key of ours.
pub(super) fn is_op(text: &str) -> bool {
    let digits = text.strip_prefix("sync-").unwrap_or_default();
    digits.len() == 24 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text can stand in an address as an issue: `SEC-12`, or a number.
pub(super) fn is_issue(key: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match key.split_once('-') {
        Some((project, number)) => {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            project.starts_with(|first: char| first.is_ascii_alphabetic())
                && project.bytes().all(is_part)
                && is_number(number)
        }
        None => false,
    }
}

/// The value of the property.
pub(super) fn property(op: &OpKey) -> Value {
    json!({"key": op.as_str()})
}

pub(super) fn issue(value: &Value) -> Option<Issue> {
    let fields = value.get("fields")?;
    let status = fields.get("status")?;
    let category = status.get("statusCategory")?.get("key")?.as_str()?;
    let labels = fields.get("labels").and_then(Value::as_array).into_iter().flatten();
    let property = value.get("properties").and_then(|all| all.get(PROPERTY)).and_then(|ours| ours.get("key"));
    Some(Issue {
        id: number(value.get("id")?)?,
        key: TicketKey::new(value.get("key")?.as_str()?),
        status: status.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        is_done: category == "done",
        resolution: fields.get("resolution").and_then(|one| one.get("name")?.as_str()).map(str::to_owned),
        labels: labels.filter_map(|label| label.as_str().map(str::to_owned)).collect(),
        property: property.and_then(Value::as_str).filter(|text| is_op(text)).map(OpKey::new),
        comments: fields.get("comment").map(comments).unwrap_or_default(),
    })
}

/// A page of comments.
pub(super) fn comments(page: &Value) -> Comments {
    let rows = page.get("comments").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let read = rows.iter().map(|comment| {
        let author = comment.get("author").and_then(user).unwrap_or_default().to_owned();
        (author, words(comment.get("body").unwrap_or(&Value::Null)))
    });
    let total = page.get("total").and_then(Value::as_u64).unwrap_or(rows.len() as u64);
    Comments { read: read.collect(), total }
}

/// What tells a user from all others: Cloud has account ids, Data Center keys and names.
pub(super) fn user(value: &Value) -> Option<&str> {
    ["accountId", "key", "name"].iter().find_map(|name| value.get(name).and_then(Value::as_str))
}

/// The words of a text, be it a document or wiki markup.
pub(super) fn words(text: &Value) -> String {
    match text {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        document => adf::words(document),
    }
}

/// Jira writes numbers of issues as texts.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{is_issue, is_op};

    #[test]
    fn only_keys_stand_in_addresses() {
        for key in ["SEC-12", "A1_B-1", "sec-1"] {
            assert!(is_issue(key), "{key}");
        }
        for key in ["", "SEC", "SEC-", "-1", "SEC-1/../2", "SEC-1?x", "#1", "1-1", "LOCAL 1", "SEC-1é", "12"]
        {
            assert!(!is_issue(key), "{key}");
        }
        assert!(is_op("sync-0123456789abcdef01234567"));
        for text in ["sync-", "sync-0123", "sync-0123456789abcdef0123456g", "0123456789abcdef01234567"] {
            assert!(!is_op(text), "{text}");
        }
    }
}
