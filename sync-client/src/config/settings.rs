//! Everything a run is told, resolved: flags over environment over file over defaults.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::data_theorem::{DATA_THEOREM_API_KEY, DATA_THEOREM_BASE_URL, DataTheoremSettings};
use super::file::{self, File, MassChangeTable, PatienceTable, PolicyTable, TwoWayTable, beside};
use super::mend::{MEND_ORG_TOKEN, MEND_URL, MEND_USER_KEY, MendVariables};
use super::variables::FromFile;
use super::{ConfigError, jira, redmine, secret};
use crate::adapters::http::Http;
use crate::adapters::jira::JiraSettings;
use crate::adapters::local::Uniqueness;
use crate::adapters::redmine::RedmineSettings;
use crate::core::model::Source;
use crate::core::policy::{MassChangeMax, Policy};
use crate::core::text::Credentials;
use crate::core::two_way::TwoWay;

/// Variable with the directory for ledger and tickets.
pub const SYNC_STATE_DIR: &str = "SYNC_STATE_DIR";
/// Variable with the file of further authorities to trust, as PEM.
pub const SYNC_CA_FILE: &str = "SYNC_CA_FILE";
/// How long a ticket of a tracker without unique keys may stay invisible to its search, unless it is said otherwise.
const SEARCH_LAG: Duration = Duration::from_secs(30);

/// What a run is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose findings; at least one.
    pub sources: Sources,
    /// Where files are.
    pub places: Places,
    /// Where tickets live.
    pub tracker: TrackerSettings,
    /// What to do about what is found.
    pub policy: Policy,
    /// How long to wait.
    pub patience: PatienceSettings,
    /// Certificates in PEM form of authorities to trust besides the usual ones.
    pub authorities: Option<Vec<u8>>,
}

/// The vendors that take part.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Data Theorem.
    pub data_theorem: Option<DataTheoremSettings>,
    /// Mend.
    pub mend: Option<MendVariables>,
}

/// Where ledger and tickets are. Needs no credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The ledger.
    pub ledger_file: PathBuf,
    /// The tracker `local`.
    pub tracker: LocalTrackerSettings,
}

/// The tracker `local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTrackerSettings {
    /// The ticket file.
    pub file: PathBuf,
    /// Whether it refuses a second ticket with the same key.
    pub uniqueness: Uniqueness,
}

/// Where tickets live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackerSettings {
    /// In the file that [`Places::tracker`] names.
    Local,
    /// In Redmine.
    Redmine(RedmineSettings),
    /// In Jira.
    Jira(JiraSettings),
}

/// How long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatienceSettings {
    /// The most attempts per request.
    pub attempts_max: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long a run may take (I18).
    pub run_deadline: Duration,
}

/// A kind of tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TrackerKind {
    /// A SQLite file; see `sync-client tickets`
    Local,
    /// Jira Cloud, or Data Center
    Jira,
    /// A Redmine, by its REST API
    Redmine,
}

/// Whose findings, as a flag says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SourceChoice {
    /// Data Theorem alone
    DataTheorem,
    /// Mend alone
    Mend,
    /// Both; neither may be missing
    All,
}

/// What flags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// Whose findings; `None`: as the file says, else those that are set up.
    pub source: Option<SourceChoice>,
    /// Which tracker; `None`: as the file says, else `local`.
    pub tracker: Option<TrackerKind>,
}

impl Settings {
    /// Reads a settings file, if there is one, and variables. Nothing is sent or made.
    pub fn load(file: Option<&Path>, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        Self::load_choosing(file, lookup, Choice::default())
    }

    /// The same with flags, which win.
    pub fn load_choosing(
        path: Option<&Path>,
        lookup: impl Fn(&str) -> Option<OsString>,
        choice: Choice,
    ) -> Result<Self, ConfigError> {
        let file = path.map_or_else(|| Ok(File::default()), file::read)?;
        let places = Places::of(&file, path, &lookup)?;
        let tracker = TrackerSettings::of(&file, path, &lookup, choice.tracker)?;
        let sources = Sources::of(&file, path, &lookup, choice.source)?;
        let authorities = authorities(&file, path, &lookup)?;
        let (policy, patience) = (policy(file.policy, file.two_way), PatienceSettings::of(&file.patience));
        Ok(Self { sources, places, tracker, policy, patience, authorities })
    }
}

impl Places {
    /// Reads only what says where files are: enough to look at what earlier runs left.
    pub fn load(path: Option<&Path>, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let file = path.map_or_else(|| Ok(File::default()), file::read)?;
        Self::of(&file, path, &lookup)
    }

    fn of(
        file: &File,
        path: Option<&Path>,
        lookup: &impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let place = |named: &Option<PathBuf>, name: &str| match named {
            Some(named) => Ok(beside(path, named)),
            None => Ok(state_directory(lookup)?.join(name)),
        };
        let uniqueness = match file.tracker.unique_key {
            None | Some(true) => Uniqueness::Key,
            Some(false) => Uniqueness::None { search_lag: file.tracker.search_lag.unwrap_or(SEARCH_LAG) },
        };
        Ok(Self {
            ledger_file: place(&file.ledger.file, "ledger.sqlite")?,
            tracker: LocalTrackerSettings { file: place(&file.tracker.file, "tickets.sqlite")?, uniqueness },
        })
    }
}

impl TrackerSettings {
    fn of(
        file: &File,
        path: Option<&Path>,
        lookup: &impl Fn(&str) -> Option<OsString>,
        kind: Option<TrackerKind>,
    ) -> Result<Self, ConfigError> {
        match kind.or(file.tracker.kind).unwrap_or(TrackerKind::Local) {
            TrackerKind::Local => Ok(Self::Local),
            TrackerKind::Redmine => Ok(Self::Redmine(redmine::read(&file.tracker.redmine, path, lookup)?)),
            TrackerKind::Jira => Ok(Self::Jira(jira::read(&file.tracker.jira, path, lookup)?)),
        }
    }
}

impl Sources {
    fn of(
        file: &File,
        path: Option<&Path>,
        lookup: &impl Fn(&str) -> Option<OsString>,
        choice: Option<SourceChoice>,
    ) -> Result<Self, ConfigError> {
        let mut from_file = FromFile::default();
        let is_set = |from_file: &FromFile, variables: &[&str]| {
            variables.iter().any(|variable| from_file.or_file(lookup, variable).is_some())
        };
        let secret_of = |named: &Path, setting| secret::read(&beside(path, named), setting);
        let wants = |source: Source| match choice {
            Some(SourceChoice::All) => Some(true),
            Some(SourceChoice::DataTheorem) => Some(source == Source::DataTheorem),
            Some(SourceChoice::Mend) => Some(source == Source::Mend),
            None => file
                .sources
                .as_ref()
                .map(|sources| sources.iter().any(|named| Source::from(*named) == source)),
        };
        let is_in_environment = |variable: &str| lookup(variable).is_some_and(|value| !value.is_empty());

        let mut data_theorem = None;
        if wants(Source::DataTheorem) != Some(false) {
            let table = &file.data_theorem;
            if let Some(url) = &table.base_url {
                from_file.set(DATA_THEOREM_BASE_URL, "data_theorem.base_url", url.clone());
            }
            if let Some(named) =
                table.api_key_file.as_deref().filter(|_| !is_in_environment(DATA_THEOREM_API_KEY))
            {
                let setting = "data_theorem.api_key_file";
                from_file.set(DATA_THEOREM_API_KEY, setting, secret_of(named, setting)?);
            }
            let variables = [DATA_THEOREM_BASE_URL, DATA_THEOREM_API_KEY];
            if wants(Source::DataTheorem) == Some(true) || is_set(&from_file, &variables) {
                let read = DataTheoremSettings::read(|variable| from_file.or_file(lookup, variable));
                data_theorem =
                    Some(read.map_err(|error| error.renamed(|variable| from_file.name(lookup, variable)))?);
            }
        }

        let mut mend = None;
        if wants(Source::Mend) != Some(false) {
            let table = &file.mend;
            if let Some(url) = &table.url {
                from_file.set(MEND_URL, "mend.url", url.clone());
            }
            if let Some(token) = &table.org_token {
                from_file.set(MEND_ORG_TOKEN, "mend.org_token", token.clone());
            }
            if let Some(named) = table.user_key_file.as_deref().filter(|_| !is_in_environment(MEND_USER_KEY))
            {
                let setting = "mend.user_key_file";
                from_file.set(MEND_USER_KEY, setting, secret_of(named, setting)?);
            }
            let variables = [MEND_URL, MEND_USER_KEY, MEND_ORG_TOKEN];
            if wants(Source::Mend) == Some(true) || is_set(&from_file, &variables) {
                let read = MendVariables::read(|variable| from_file.or_file(lookup, variable));
                mend =
                    Some(read.map_err(|error| error.renamed(|variable| from_file.name(lookup, variable)))?);
            }
        }

        if data_theorem.is_none() && mend.is_none() {
            return Err(ConfigError::NoSource);
        }
        Ok(Self { data_theorem, mend })
    }
}

/// What the tables say, over what is usual.
fn policy(table: PolicyTable, two_way: TwoWayTable) -> Policy {
    let usual = Policy::default();
    let mass_change = table.mass_change_max.unwrap_or(MassChangeTable { tickets: None, percent: None });
    let credentials = match table.mask_credentials {
        None | Some(true) => Credentials::Masked,
        Some(false) => Credentials::Shown,
    };
    Policy {
        group_targets: table.group_targets.unwrap_or(usual.group_targets),
        group_violations: table.group_violations.unwrap_or(usual.group_violations),
        on_close: table.on_close.unwrap_or(usual.on_close),
        on_reopen: table.on_reopen.unwrap_or(usual.on_reopen),
        comments_per_ticket_max: table.comments_per_ticket_max.unwrap_or(usual.comments_per_ticket_max),
        overlap: table.overlap.unwrap_or(usual.overlap),
        full_pass_every: table.full_pass_every.unwrap_or(usual.full_pass_every),
        mass_change_max: MassChangeMax {
            tickets: mass_change.tickets.unwrap_or(usual.mass_change_max.tickets),
            percent: mass_change.percent.unwrap_or(usual.mass_change_max.percent),
        },
        credentials,
        leave_out_apps: table.leave_out_apps.into_iter().flatten().collect(),
        leave_out_projects: table.leave_out_projects.into_iter().flatten().collect(),
        two_way: two_way.enabled.then(|| words(two_way)),
    }
}

fn words(table: TwoWayTable) -> TwoWay {
    let usual = TwoWay::default();
    TwoWay {
        wont_fix: table.wont_fix.unwrap_or(usual.wont_fix),
        risk_accepted: table.risk_accepted.unwrap_or(usual.risk_accepted),
        compensating_control: table.compensating_control.unwrap_or(usual.compensating_control),
    }
}

impl PatienceSettings {
    fn of(table: &PatienceTable) -> Self {
        let usual = Self::default();
        Self {
            attempts_max: table.attempts.unwrap_or(usual.attempts_max),
            timeout: table.timeout.unwrap_or(usual.timeout),
            run_deadline: table.run_deadline.unwrap_or(usual.run_deadline),
        }
    }
}

impl Default for PatienceSettings {
    fn default() -> Self {
        Self { attempts_max: 5, timeout: Duration::from_mins(1), run_deadline: Duration::from_hours(2) }
    }
}

/// Reads the file with authorities, `$SYNC_CA_FILE` before `tls.ca_file`, and proves that it holds certificates.
fn authorities(
    file: &File,
    path: Option<&Path>,
    lookup: &impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Vec<u8>>, ConfigError> {
    let in_environment = lookup(SYNC_CA_FILE).filter(|value| !value.is_empty());
    let (setting, place) = match (in_environment, &file.tls.ca_file) {
        (Some(place), _) => (SYNC_CA_FILE, PathBuf::from(place)),
        (None, Some(named)) => ("tls.ca_file", beside(path, named)),
        (None, None) => return Ok(None),
    };
    let unusable = |problem: String| ConfigError::Authorities { setting, path: place.clone(), problem };
    let pem = std::fs::read(&place).map_err(|error| unusable(error.to_string()))?;
    Http::new(Some(&pem)).map_err(|error| unusable(error.to_string()))?;
    Ok(Some(pem))
}

/// `$SYNC_STATE_DIR`, else `$XDG_STATE_HOME/sync-client`, else `~/.local/state/sync-client`.
fn state_directory(lookup: &impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, ConfigError> {
    let path = |variable| lookup(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(directory) = path(SYNC_STATE_DIR) {
        return Ok(directory);
    }
    // Relative ones are to be ignored, says the XDG specification.
    let state_home = path("XDG_STATE_HOME").filter(|directory| directory.is_absolute());
    let state_home = state_home.or_else(|| path("HOME").map(|home| home.join(".local/state")));
    state_home.map(|home| home.join("sync-client")).ok_or(ConfigError::NoStateDirectory)
}
