//! What the value of a field may be.

use std::collections::BTreeSet;

use fixtures::spec::jira as ledger;
use fixtures::spec::{Reading, Rule};
use fixtures::world::jira::{IssueTypeSpec, NamedSpec};
use serde_json::Value;
use smol_str::SmolStr;

use super::denial::shortened;
use super::documents;
use super::lengths::{SHORT_MAX, fits, length};
use crate::http::reject::Because;
use crate::vendors::jira::account::Account;
use crate::vendors::jira::readings::{LabelLength, Readings};

/// Which version of the API a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Long texts are documents.
    V3,
    /// Long texts are texts.
    V2,
}

/// What is wrong with a value, and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What it rests on.
    pub because: Because,
    /// What the vendor says under the field's name.
    pub text: String,
}

pub(super) fn wrong<T>(rule: &'static Rule, text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { because: Because::Rule(rule), text: text.into() })
}

fn wrong_reading<T>(reading: &'static Reading, text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { because: Because::Reading(reading), text: text.into() })
}

/// What the values of a request are read against.
pub struct Reader<'a> {
    /// The site.
    pub account: &'a Account,
    /// The version of the API.
    pub version: Version,
    /// The rule that a value breaks which is of another kind than its field.
    pub invalid: &'static Rule,
}

impl Reader<'_> {
    fn readings(&self) -> &Readings {
        self.account.readings()
    }

    /// A summary.
    pub fn summary(&self, value: &Value) -> Result<String, Wrong> {
        let text = match value {
            Value::String(text) => text,
            Value::Null => return wrong(self.invalid, "You must specify a summary of the issue."),
            _ => return wrong(self.invalid, "Operation value must be a string"),
        };
        if text.trim().is_empty() {
            return wrong(self.invalid, "You must specify a summary of the issue.");
        }
        if text.contains(['\n', '\r']) {
            return wrong(
                &ledger::JIRA_SUMMARY_ONE_LINE,
                "The summary is invalid because it contains newline characters.",
            );
        }
        if length(text, self.readings()) > SHORT_MAX {
            return wrong(&ledger::JIRA_SUMMARY_LENGTH, "Summary must be less than 255 characters.");
        }
        Ok(text.clone())
    }

    /// A description or the body of a comment; `None`: nothing.
    pub fn long_text(&self, value: &Value) -> Result<Option<Value>, Wrong> {
        let document = match (self.version, value) {
            (_, Value::Null) => return Ok(None),
            (Version::V2, Value::String(text)) => documents::from_text(text),
            (Version::V2, _) => return wrong(&ledger::JIRA_V2_TEXTS, "Operation value must be a string"),
            (Version::V3, Value::Object(_)) => value.clone(),
            (Version::V3, _) => {
                let text =
                    "Operation value must be an Atlassian Document (see the Atlassian Document Format)";
                return wrong(&ledger::JIRA_V3_DOCUMENTS, text);
            }
        };
        match documents::check(&document) {
            Ok(()) => {}
            Err(error @ documents::DocumentError::Root) => {
                return wrong(&ledger::JIRA_DOCUMENT_ROOT, error.to_string());
            }
            Err(error) => return wrong(&ledger::JIRA_DOCUMENT_NODES, error.to_string()),
        }
        if !fits(&document, self.readings()) {
            let text = "The entered text is too long. It exceeds the allowed limit of 32,767 characters.";
            return wrong(&ledger::JIRA_TEXT_LENGTH, text);
        }
        let says_nothing = document.get("content").and_then(Value::as_array).is_some_and(Vec::is_empty);
        Ok((!says_nothing).then_some(document))
    }

    /// A label.
    pub fn label(&self, value: &Value) -> Result<SmolStr, Wrong> {
        let Some(label) = value.as_str() else {
            return wrong(self.invalid, "data was not an array of strings");
        };
        if label.is_empty() {
            return wrong(self.invalid, "A label is not empty.");
        }
        if label.contains(char::is_whitespace) {
            let text = format!("The label '{}' contains spaces which is invalid.", shortened(label));
            return wrong(&ledger::JIRA_LABEL_SPACES, text);
        }
        if self.readings().label_length == LabelLength::Limited && length(label, self.readings()) > SHORT_MAX
        {
            let text =
                format!("The label '{}' exceeds the maximum length of 255 characters.", shortened(label));
            return wrong_reading(&ledger::JIRA_LABEL_LENGTH, text);
        }
        Ok(SmolStr::new(label))
    }

    /// A list of labels.
    pub fn labels(&self, value: &Value) -> Result<BTreeSet<SmolStr>, Wrong> {
        match value {
            Value::Null => Ok(BTreeSet::new()),
            Value::Array(labels) => labels.iter().map(|label| self.label(label)).collect(),
            _ => wrong(self.invalid, "data was not an array"),
        }
    }

    /// A priority; `None`: none.
    pub fn priority(&self, value: &Value) -> Result<Option<u64>, Wrong> {
        self.named(value, &self.account.store.directory().priorities, "Priority")
    }

    /// A resolution; `None`: none.
    pub fn resolution(&self, value: &Value) -> Result<Option<u64>, Wrong> {
        self.named(value, &self.account.store.directory().resolutions, "Resolution")
    }

    fn named(&self, value: &Value, rows: &[NamedSpec], what: &str) -> Result<Option<u64>, Wrong> {
        if value.is_null() {
            return Ok(None);
        }
        let found = match (id_of(value), text_of(value, "name")) {
            (Some(id), _) => rows.iter().find(|row| row.id == id),
            (None, Some(name)) => rows.iter().find(|row| row.name.eq_ignore_ascii_case(name)),
            (None, None) => None,
        };
        match found {
            Some(row) => Ok(Some(row.id)),
            None => {
                let given = text_of(value, "name").or_else(|| text_of(value, "id")).unwrap_or_default();
                wrong(self.invalid, format!("{what} name '{}' is not valid", shortened(given)))
            }
        }
    }

    /// An issue type among these.
    pub fn issue_type<'s>(&'s self, value: &Value, among: &[u64]) -> Result<&'s IssueTypeSpec, Wrong> {
        let mut rows =
            self.account.store.directory().issue_types.iter().filter(|row| among.contains(&row.id));
        let found = match (id_of(value), text_of(value, "name")) {
            (Some(id), _) => rows.find(|row| row.id == id),
            (None, Some(name)) => rows.find(|row| row.name.eq_ignore_ascii_case(name)),
            (None, None) => None,
        };
        found.map_or_else(|| wrong(self.invalid, "Specify a valid issue type"), Ok)
    }

    /// A person; `None`: nobody.
    pub fn person(&self, value: &Value) -> Result<Option<SmolStr>, Wrong> {
        if value.is_null() {
            return Ok(None);
        }
        let Some(account_id) = text_of(value, "accountId").or_else(|| text_of(value, "id")) else {
            return wrong(self.invalid, "data was not an object with an accountId");
        };
        match self.account.user_of_id(account_id) {
            Some(user) => Ok(Some(SmolStr::new(&user.spec.account_id))),
            None => wrong(self.invalid, format!("Account ID '{}' does not exist.", shortened(account_id))),
        }
    }

    /// A line of text; `None`: nothing.
    pub fn line(&self, value: &Value) -> Result<Option<String>, Wrong> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) if length(text, self.readings()) > SHORT_MAX => wrong(
                self.invalid,
                "The entered text is too long. It exceeds the allowed limit of 255 characters.",
            ),
            Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            _ => wrong(self.invalid, "Operation value must be a string"),
        }
    }
}

/// A member of an object, if it is a text.
pub fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// The member `id` of an object, a number or its text.
pub fn id_of(value: &Value) -> Option<u64> {
    match value.get("id")? {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}
