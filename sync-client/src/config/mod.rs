//! Settings, checked before anything is sent: flags over environment over file over defaults.
//!
//! Without a file the environment alone suffices. Secrets come from the environment or from files of their own that the
//! settings file names; in the settings file itself there is no place for them. Deliberately absent: a place where a
//! settings file is looked for. It is named, or there is none.

mod address;
mod data_theorem;
pub mod duration;
mod error;
mod file;
mod jira;
mod mend;
mod redmine;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod variables;

pub use data_theorem::{ApiKey, DATA_THEOREM_API_KEY, DATA_THEOREM_BASE_URL, DataTheoremSettings};
pub use error::ConfigError;
pub use jira::{JIRA_API_TOKEN, JIRA_BASE_URL, JIRA_EMAIL, JIRA_PROJECT};
pub use mend::{MEND_ORG_TOKEN, MEND_URL, MEND_USER_KEY, MendVariables};
pub use redmine::{REDMINE_API_KEY, REDMINE_PROJECT, REDMINE_URL};
pub use settings::{
    Choice, LocalTrackerSettings, PatienceSettings, Places, SYNC_CA_FILE, SYNC_STATE_DIR, Settings,
    SourceChoice, Sources, TrackerKind, TrackerSettings,
};
