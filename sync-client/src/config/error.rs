//! Why settings can't be used.

use std::path::PathBuf;

/// Settings that can't be used. No message contains the value of a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable is needed.
    #[error("{variable} is not set, or is empty: {what}")]
    Missing {
        /// The variable.
        variable: &'static str,
        /// What belongs there.
        what: &'static str,
    },
    /// A value is not text.
    #[error("{variable} is not valid UTF-8")]
    NotText {
        /// The variable.
        variable: &'static str,
    },
    /// A value is no address of an API.
    #[error("{variable} is no usable address: {problem}")]
    Address {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The key would cross a network in the clear.
    #[error(
        "{variable} begins with http: and leads off this machine, so the key could be read on the way: use https"
    )]
    Unencrypted {
        /// The variable.
        variable: &'static str,
    },
    /// The key was pasted together with its scheme.
    #[error("{variable} begins with \"APIKey\": give the key alone, the client adds the word itself")]
    SchemeInKey {
        /// The variable.
        variable: &'static str,
    },
    /// The key can't be sent.
    #[error("{variable} contains spaces or characters that no API key has")]
    Key {
        /// The variable.
        variable: &'static str,
    },
    /// A value can't be one of its kind. It is not shown: it may be a secret, written into the wrong place.
    #[error("{variable} is not usable: {problem}")]
    Value {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The settings file can't be read.
    #[error("cannot read the settings file {path}: {problem}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The settings file says something that has no meaning.
    #[error("{path}:{line}:{column}: {problem}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    InFile {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// What is wrong, with what is known.
        problem: String,
        /// What was probably meant.
        hint: Option<String>,
    },
    /// A file that the settings name as holding a secret can't be read. Its name is not shown: it is sometimes the
    /// secret, written into the wrong place.
    #[error("the file that {setting} names cannot be read: {problem}")]
    SecretFile {
        /// The setting.
        setting: &'static str,
        /// Why.
        problem: String,
    },
    /// The file with further authorities can't be used.
    #[error("{path}, which {setting} names, can't be used: {problem}")]
    Authorities {
        /// The setting or variable.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// Nothing says whose findings.
    #[error(
        "no vendor is set up: set DATA_THEOREM_BASE_URL and DATA_THEOREM_API_KEY, or MEND_URL, MEND_USER_KEY and MEND_ORG_TOKEN (or their settings in a file, see --config)"
    )]
    NoSource,
    /// Nothing says where files belong.
    #[error(
        "nowhere to keep files: none of SYNC_STATE_DIR, XDG_STATE_HOME and HOME is set; set SYNC_STATE_DIR to a directory"
    )]
    NoStateDirectory,
}

impl ConfigError {
    /// The same about a setting in a file instead of a variable.
    pub(super) fn renamed(self, name: impl Fn(&'static str) -> &'static str) -> Self {
        match self {
            Self::Missing { variable, what } => Self::Missing { variable: name(variable), what },
            Self::NotText { variable } => Self::NotText { variable: name(variable) },
            Self::Address { variable, problem } => Self::Address { variable: name(variable), problem },
            Self::Unencrypted { variable } => Self::Unencrypted { variable: name(variable) },
            Self::SchemeInKey { variable } => Self::SchemeInKey { variable: name(variable) },
            Self::Key { variable } => Self::Key { variable: name(variable) },
            Self::Value { variable, problem } => Self::Value { variable: name(variable), problem },
            other @ (Self::Unreadable { .. }
            | Self::InFile { .. }
            | Self::SecretFile { .. }
            | Self::Authorities { .. }
            | Self::NoSource
            | Self::NoStateDirectory) => other,
        }
    }
}
