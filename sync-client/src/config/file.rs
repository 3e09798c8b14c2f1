//! The settings file as it is written. Whatever it does not know is an error that says where, and what is known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

use super::jira::JiraTable;
use super::redmine::RedmineTable;
use super::settings::TrackerKind;
use super::{ConfigError, duration};
use crate::core::model::Source;
use crate::core::policy::{OnChange, TargetGroups, ViolationGroups};

/// The whole file. Everything is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) sources: Option<Vec<SourceName>>,
    #[serde(default)]
    pub(super) data_theorem: DataTheoremTable,
    #[serde(default)]
    pub(super) mend: MendTable,
    #[serde(default)]
    pub(super) tracker: TrackerTable,
    #[serde(default)]
    pub(super) ledger: LedgerTable,
    #[serde(default)]
    pub(super) policy: PolicyTable,
    #[serde(default)]
    pub(super) two_way: TwoWayTable,
    #[serde(default)]
    pub(super) patience: PatienceTable,
    #[serde(default)]
    pub(super) tls: TlsTable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SourceName {
    DataTheorem,
    Mend,
}

impl From<SourceName> for Source {
    fn from(name: SourceName) -> Self {
        match name {
            SourceName::DataTheorem => Self::DataTheorem,
            SourceName::Mend => Self::Mend,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataTheoremTable {
    pub(super) base_url: Option<String>,
    pub(super) api_key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MendTable {
    pub(super) url: Option<String>,
    pub(super) user_key_file: Option<PathBuf>,
    pub(super) org_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrackerTable {
    pub(super) kind: Option<TrackerKind>,
    pub(super) file: Option<PathBuf>,
    pub(super) unique_key: Option<bool>,
    #[serde(default, deserialize_with = "period")]
    pub(super) search_lag: Option<Duration>,
    #[serde(default)]
    pub(super) redmine: RedmineTable,
    #[serde(default)]
    pub(super) jira: JiraTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LedgerTable {
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyTable {
    pub(super) group_targets: Option<TargetGroups>,
    pub(super) group_violations: Option<ViolationGroups>,
    pub(super) on_close: Option<OnChange>,
    pub(super) on_reopen: Option<OnChange>,
    #[serde(default, deserialize_with = "within::<1, 5_000, _>")]
    pub(super) comments_per_ticket_max: Option<u32>,
    #[serde(default, deserialize_with = "period")]
    pub(super) overlap: Option<Duration>,
    #[serde(default, deserialize_with = "positive_period")]
    pub(super) full_pass_every: Option<Duration>,
    pub(super) mass_change_max: Option<MassChangeTable>,
    pub(super) mask_credentials: Option<bool>,
    pub(super) leave_out_apps: Option<Vec<String>>,
    pub(super) leave_out_projects: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MassChangeTable {
    #[serde(default, deserialize_with = "within::<0, 1_000_000, _>")]
    pub(super) tickets: Option<u32>,
    #[serde(default, deserialize_with = "within::<0, 100, _>")]
    pub(super) percent: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TwoWayTable {
    #[serde(default)]
    pub(super) enabled: bool,
    pub(super) wont_fix: Option<Vec<String>>,
    pub(super) risk_accepted: Option<Vec<String>>,
    pub(super) compensating_control: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatienceTable {
    #[serde(default, deserialize_with = "within::<1, 100, _>")]
    pub(super) attempts: Option<u32>,
    #[serde(default, deserialize_with = "positive_period")]
    pub(super) timeout: Option<Duration>,
    #[serde(default, deserialize_with = "positive_period")]
    pub(super) run_deadline: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsTable {
    pub(super) ca_file: Option<PathBuf>,
}

pub(super) fn period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration::parse(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn positive_period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration::parse_positive(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn within<'de, const MIN: u32, const MAX: u32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match u32::try_from(number) {
        Ok(fitting) if (MIN..=MAX).contains(&fitting) => Ok(Some(fitting)),
        _ => {
            let wanted = format!("a number from {MIN} to {MAX}");
            Err(D::Error::invalid_value(Unexpected::Signed(number), &wanted.as_str()))
        }
    }
}

/// Reads and understands a settings file.
pub(super) fn read(path: &Path) -> Result<File, ConfigError> {
    let unreadable = |problem: String| ConfigError::Unreadable { path: path.to_owned(), problem };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    parse(path, &text)
}

/// A path as the settings file means it: relative to the file.
pub(super) fn beside(file: Option<&Path>, named: &Path) -> PathBuf {
    file.and_then(Path::parent).map_or_else(|| named.to_owned(), |directory| directory.join(named))
}

/// Understands the text of a settings file.
pub(super) fn parse(path: &Path, text: &str) -> Result<File, ConfigError> {
    // The library's own rendering quotes the line, which may hold a secret that does not belong there.
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        ConfigError::InFile {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            problem: error.message().to_owned(),
            hint: hint(error.message()),
        }
    })
}

/// What was probably meant, from a message that names what is unknown and what is known, in backticks.
fn hint(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    if matches!(unknown, "api_key" | "api_token" | "user_key" | "key" | "token" | "password" | "secret") {
        return Some(
            "secrets do not belong in this file: set the environment variable, or name a file that holds nothing else (api_key_file, api_token_file, user_key_file)"
                .to_owned(),
        );
    }
    let similarity = |name: &str| strsim::jaro_winkler(name, unknown);
    let nearest = names.max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(nearest) > 0.8).then(|| format!("did you mean `{nearest}`?"))
}
