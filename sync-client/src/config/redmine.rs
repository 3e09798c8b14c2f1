//! How to reach Redmine, from variables and the settings file, checked before anything is sent.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::variables::{FromFile, text};
use super::{ConfigError, address, file, secret};
use crate::adapters::redmine::{ApiKey, Identifier, KeyField, RedmineSettings, SEARCH_LAG, TextFormat};

/// Variable with the address of Redmine.
pub const REDMINE_URL: &str = "REDMINE_URL";
/// Variable with the API key of the user that the client works as.
pub const REDMINE_API_KEY: &str = "REDMINE_API_KEY";
/// Variable with the identifier of the project.
pub const REDMINE_PROJECT: &str = "REDMINE_PROJECT";

/// `[tracker.redmine]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedmineTable {
    url: Option<String>,
    api_key_file: Option<PathBuf>,
    project: Option<String>,
    key_field: Option<FieldName>,
    tracker: Option<String>,
    done_status: Option<String>,
    open_status: Option<String>,
    text_format: Option<TextFormat>,
    #[serde(default, deserialize_with = "file::period")]
    search_lag: Option<Duration>,
}

/// A custom field by its number or its name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FieldName {
    Number(u64),
    Text(String),
}

/// Reads the settings; variables win over the file. Paths in the file are relative to it.
pub(super) fn read(
    table: &RedmineTable,
    path: Option<&Path>,
    lookup: &impl Fn(&str) -> Option<OsString>,
) -> Result<RedmineSettings, ConfigError> {
    let mut from_file = FromFile::default();
    if let Some(url) = &table.url {
        from_file.set(REDMINE_URL, "tracker.redmine.url", url.clone());
    }
    if let Some(project) = &table.project {
        from_file.set(REDMINE_PROJECT, "tracker.redmine.project", project.clone());
    }
    let is_in_environment = lookup(REDMINE_API_KEY).is_some_and(|value| !value.is_empty());
    if let Some(named) = table.api_key_file.as_deref().filter(|_| !is_in_environment) {
        let setting = "tracker.redmine.api_key_file";
        from_file.set(REDMINE_API_KEY, setting, secret::read(&file::beside(path, named), setting)?);
    }
    let value = |variable: &str| from_file.or_file(lookup, variable);
    let read = || {
        let url =
            address::read(REDMINE_URL, &text(&value, REDMINE_URL, "e.g. https://redmine.example.org")?)?;
        let key = text(&value, REDMINE_API_KEY, "the API key, which the page \"My account\" shows")?;
        let project = text(&value, REDMINE_PROJECT, "the identifier of the project, as in its address")?;
        Ok(RedmineSettings {
            url,
            api_key: ApiKey::new(&key).ok_or(ConfigError::Key { variable: REDMINE_API_KEY })?,
            project: Identifier::new(&project).ok_or(ConfigError::Value {
                variable: REDMINE_PROJECT,
                problem: "an identifier has only letters, digits, dashes and underscores",
            })?,
            key_field: match &table.key_field {
                Some(FieldName::Number(id)) => KeyField::Id(*id),
                Some(FieldName::Text(name)) => KeyField::new(name),
                None => KeyField::default(),
            },
            tracker: table.tracker.clone(),
            done_status: table.done_status.clone(),
            open_status: table.open_status.clone(),
            text_format: table.text_format.unwrap_or_default(),
            search_lag: table.search_lag.unwrap_or(SEARCH_LAG),
        })
    };
    read().map_err(|error: ConfigError| error.renamed(|variable| from_file.name(lookup, variable)))
}
