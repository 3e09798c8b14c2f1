//! What Redmine's replies hold, as far as the client needs it (<https://www.redmine.org/projects/redmine/wiki/Rest_api>).

use serde_json::Value;

use crate::core::model::{OpKey, TicketKey};

/// A status that tickets can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) is_closed: bool,
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    pub(super) id: u64,
    pub(super) status_id: u64,
    pub(super) status: String,
    /// The custom fields that a ticket of this kind has and we may see: number, name and value.
    pub(super) fields: Vec<(u64, String, String)>,
    /// Who wrote a note, and what; the oldest first. Only where they were asked for.
    pub(super) notes: Vec<(u64, String)>,
    /// The statuses it may be given by us; `None`: this Redmine does not tell (before version 5).
    pub(super) allowed: Option<Vec<Status>>,
}

impl Issue {
    /// The key that the client gave it.
    pub(super) fn op(&self, field_id: u64) -> Option<OpKey> {
        let (.., value) = self.fields.iter().find(|(id, ..)| *id == field_id)?;
        (!value.is_empty()).then(|| OpKey::new(value.as_str()))
    }

    pub(super) fn key(&self) -> TicketKey {
        TicketKey::new(format!("#{}", self.id))
    }
}

/// The number in a ticket's key: `#12`, or `12` as people write it too.
pub(super) fn number(key: &TicketKey) -> Option<u64> {
    let text = key.as_str();
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

pub(super) fn id(value: &Value) -> Option<u64> {
    value.get("id")?.as_u64()
}

pub(super) fn name(value: &Value) -> Option<&str> {
    value.get("name")?.as_str()
}

pub(super) fn status(value: &Value) -> Option<Status> {
    Some(Status {
        id: id(value)?,
        name: name(value)?.to_owned(),
        is_closed: value.get("is_closed").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// A list of a reply; absent is empty, as Redmine leaves empty lists out here and there.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn issue(value: &Value) -> Option<Issue> {
    let status = value.get("status")?;
    let field = |field: &Value| {
        // A field of several values is none that a key stands in.
        let text = field.get("value").and_then(Value::as_str).unwrap_or_default();
        Some((id(field)?, name(field).unwrap_or_default().to_owned(), text.to_owned()))
    };
    let note = |journal: &Value| {
        let text = journal.get("notes")?.as_str()?;
        let text = stored(text);
        (!text.is_empty()).then_some((id(journal.get("user")?)?, text))
    };
    Some(Issue {
        id: id(value)?,
        status_id: id(status)?,
        status: name(status).unwrap_or_default().to_owned(),
        fields: list(value, "custom_fields").iter().filter_map(field).collect(),
        notes: list(value, "journals").iter().filter_map(note).collect(),
        allowed: value
            .get("allowed_statuses")
            .and_then(Value::as_array)
            .map(|statuses| statuses.iter().filter_map(self::status).collect()),
    })
}

/// A text as it is read back: browsers send other line ends than we do.
pub(super) fn stored(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}
