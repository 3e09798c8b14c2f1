//! How to reach Mend, from variables.

use std::ffi::OsString;
use std::fmt;

use reqwest::Url;

use super::ConfigError;
use super::variables::text;

/// Variable with the address: scheme, host and port.
pub const MEND_URL: &str = "MEND_URL";
/// Variable with the user's key.
pub const MEND_USER_KEY: &str = "MEND_USER_KEY";
/// Variable with the organization's token, which is no secret.
pub const MEND_ORG_TOKEN: &str = "MEND_ORG_TOKEN";

/// What the variables for Mend say. Whether key and token can be ones is for the adapter to check.
#[derive(Clone, PartialEq, Eq)]
pub struct MendVariables {
    /// The address.
    pub url: Url,
    /// The user's key: a secret.
    pub user_key: String,
    /// The organization's token.
    pub org_token: String,
}

impl MendVariables {
    /// Reads the variables from wherever `lookup` finds them.
    pub fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let url = text(&lookup, MEND_URL, "e.g. https://saas.mend.io")?;
        let url = Url::parse(&url);
        let wrong = |problem: String| ConfigError::Address { variable: MEND_URL, problem };
        Ok(Self {
            url: url.map_err(|error| wrong(error.to_string()))?,
            user_key: text(&lookup, MEND_USER_KEY, "the user key of a user of the organization")?,
            org_token: text(&lookup, MEND_ORG_TOKEN, "the token of the organization")?,
        })
    }
}

impl fmt::Debug for MendVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MendVariables({}, organization {})", self.url, self.org_token)
    }
}
