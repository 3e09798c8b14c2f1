//! How to reach a Redmine, and how tickets are kept there.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use reqwest::Url;

/// How long a request whose reply was lost may still be at work. Redmine's search itself does not lag.
pub const SEARCH_LAG: Duration = Duration::from_secs(30);

/// How to reach a Redmine, and how tickets are kept there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedmineSettings {
    /// The address of Redmine, without `/issues.json`; its path ends without a slash.
    pub url: Url,
    /// The key of the user that the client works as.
    pub api_key: ApiKey,
    /// The project's identifier, as it stands in addresses.
    pub project: Identifier,
    /// The custom field that a ticket's key stands in.
    pub key_field: KeyField,
    /// The name of the tracker (the kind of ticket); `None`: the project's first.
    pub tracker: Option<String>,
    /// The name of the status of tickets that are done; `None`: the first that counts as closed and is allowed.
    pub done_status: Option<String>,
    /// The name of the status of tickets that are opened again; `None`: the first that is not closed and is allowed.
    pub open_status: Option<String>,
    /// How this Redmine reads texts.
    pub text_format: TextFormat,
    /// How long a request whose reply was lost may still be at work.
    pub search_lag: Duration,
}

/// A user's API key. It can be sent, and shows nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(HeaderValue);

impl ApiKey {
    /// A key as Redmine gives them: letters and digits. `None`: it is none.
    pub fn new(text: &str) -> Option<Self> {
        let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header = HeaderValue::from_str(text).ok().filter(|_| is_key)?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// The value of the header `X-Redmine-API-Key`.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// A project's identifier, which can stand in an address as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier(String);

impl Identifier {
    /// Letters, digits, dashes and underscores. `None`: it is none.
    pub fn new(text: &str) -> Option<Self> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (!text.is_empty() && text.bytes().all(is_part)).then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyField {
    /// By its number.
    Id(u64),
    /// By its name. Redmine tells names to administrators; to others it does so in a project that has tickets.
    Name(String),
}

impl KeyField {
    /// A text of digits is a number, any other a name.
    pub fn new(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }
}

impl Default for KeyField {
    fn default() -> Self {
        Self::Name("Sync key".to_owned())
    }
}

impl fmt::Display for KeyField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "number {id}"),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// How a Redmine reads texts: *Administration → Settings → General → Text formatting*. Its API does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextFormat {
    /// Textile, which Redmine uses unless it is told otherwise (`text_formatting` in its `config/settings.yml`).
    #[default]
    Textile,
    /// Markdown, in either of the two kinds that Redmine has.
    Markdown,
}
