//! How to reach Jira, from variables and the settings file, checked before anything is sent.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::variables::{FromFile, text};
use super::{ConfigError, address, file, secret};
use crate::adapters::jira::{Api, JiraSettings, Login, ProjectKey, SEARCH_LAG};

/// Variable with the address of the site.
pub const JIRA_BASE_URL: &str = "JIRA_BASE_URL";
/// Variable with the e-mail address of the user that the client works as; at Data Center the user's name.
pub const JIRA_EMAIL: &str = "JIRA_EMAIL";
/// Variable with that user's API token; at Data Center the password.
pub const JIRA_API_TOKEN: &str = "JIRA_API_TOKEN";
/// Variable with the key of the project.
pub const JIRA_PROJECT: &str = "JIRA_PROJECT";

/// `[tracker.jira]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JiraTable {
    url: Option<String>,
    email: Option<String>,
    api_token_file: Option<PathBuf>,
    project: Option<String>,
    api: Option<Api>,
    issue_type: Option<String>,
    done_status: Option<String>,
    open_status: Option<String>,
    resolution: Option<String>,
    #[serde(default, deserialize_with = "file::period")]
    search_lag: Option<Duration>,
}

/// Reads the settings; variables win over the file. Paths in the file are relative to it.
pub(super) fn read(
    table: &JiraTable,
    path: Option<&Path>,
    lookup: &impl Fn(&str) -> Option<OsString>,
) -> Result<JiraSettings, ConfigError> {
    let mut from_file = FromFile::default();
    for (variable, setting, value) in [
        (JIRA_BASE_URL, "tracker.jira.url", &table.url),
        (JIRA_EMAIL, "tracker.jira.email", &table.email),
        (JIRA_PROJECT, "tracker.jira.project", &table.project),
    ] {
        if let Some(value) = value {
            from_file.set(variable, setting, value.clone());
        }
    }
    let is_in_environment = lookup(JIRA_API_TOKEN).is_some_and(|value| !value.is_empty());
    if let Some(named) = table.api_token_file.as_deref().filter(|_| !is_in_environment) {
        let setting = "tracker.jira.api_token_file";
        from_file.set(JIRA_API_TOKEN, setting, secret::read(&file::beside(path, named), setting)?);
    }
    let value = |variable: &str| from_file.or_file(lookup, variable);
    let read = || {
        let url = text(&value, JIRA_BASE_URL, "e.g. https://example.atlassian.net")?;
        // The address is sometimes copied with the beginning of the API's paths.
        let url = ["/rest/api/3", "/rest/api/2"]
            .iter()
            .fold(url.trim_end_matches('/'), |url, path| url.strip_suffix(path).unwrap_or(url));
        let url = address::read(JIRA_BASE_URL, url)?;
        let email = text(&value, JIRA_EMAIL, "the e-mail address of the user that the client works as")?;
        let token = text(&value, JIRA_API_TOKEN, "an API token of that user")?;
        let project = text(&value, JIRA_PROJECT, "the key of the project, e.g. SEC")?;
        Ok(JiraSettings {
            url,
            login: Login::new(&email, &token).ok_or(ConfigError::Value {
                variable: JIRA_API_TOKEN,
                problem: "it or the e-mail address contains spaces or other characters that neither has",
            })?,
            project: ProjectKey::new(&project).ok_or(ConfigError::Value {
                variable: JIRA_PROJECT,
                problem: "a key of a project has only letters, digits and underscores",
            })?,
            api: table.api.unwrap_or_default(),
            issue_type: table.issue_type.clone(),
            done_status: table.done_status.clone(),
            open_status: table.open_status.clone(),
            resolution: table.resolution.clone(),
            search_lag: table.search_lag.unwrap_or(SEARCH_LAG),
        })
    };
    read().map_err(|error: ConfigError| error.renamed(|variable| from_file.name(lookup, variable)))
}
