//! How to reach a Jira, and how tickets are kept there.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use reqwest::Url;

/// How long a new issue may stay invisible to a search: "a few seconds to minutes"
/// (developer.atlassian.com/cloud/jira/platform/search-and-reconcile).
pub const SEARCH_LAG: Duration = Duration::from_mins(2);

/// How to reach a Jira, and how tickets are kept there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JiraSettings {
    /// The address of the site, without `/rest`; its path ends without a slash.
    pub url: Url,
    /// Who the client works as.
    pub login: Login,
    /// The key of the project, e.g. `SEC`.
    pub project: ProjectKey,
    /// Which version of the API is spoken.
    pub api: Api,
    /// The name of the kind of issue; `None`: `Bug` or `Task` if the project has one, else its first.
    pub issue_type: Option<String>,
    /// The name of the status of tickets that are done; `None`: any of the category *done*.
    pub done_status: Option<String>,
    /// The name of the status of tickets that are opened again; `None`: any of the categories *to do* and *in progress*.
    pub open_status: Option<String>,
    /// The resolution to give where a transition asks for one; `None`: `Done` or `Fixed` if there is one, else the first.
    pub resolution: Option<String>,
    /// How long a new issue may stay invisible to a search.
    pub search_lag: Duration,
}

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// 3 where there is one, else 2.
    #[default]
    Auto,
    /// Jira Cloud: texts are documents.
    V3,
    /// Jira Data Center, and Cloud too: texts are wiki markup.
    V2,
}

/// An e-mail address or user name, and an API token or password. It can be sent, and shows nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    header: HeaderValue,
    token: String,
}

impl Login {
    /// `None`: these can be no login.
    pub fn new(email: &str, token: &str) -> Option<Self> {
        let is_text = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_text(email) || email.contains(':') || !is_text(token) {
            return None;
        }
        let text = format!("Basic {}", STANDARD.encode(format!("{email}:{token}")));
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(Self { header, token: token.to_owned() })
    }

    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// The key of a project, which can stand in an address as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKey(String);

impl ProjectKey {
    /// Letters, digits and underscores. `None`: it is none.
    pub fn new(text: &str) -> Option<Self> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (!text.is_empty() && text.bytes().all(is_part)).then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
