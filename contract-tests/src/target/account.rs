//! Where and how to reach the vendors: addresses and credentials.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

/// How to reach one customer's account at the vendors, as far as it is known. Its `Debug` shows no secrets.
#[derive(Clone, Default)]
pub struct Account {
    /// Data Theorem, if there are credentials for it.
    pub data_theorem: Option<DataTheoremAccount>,
    /// Mend, if there are credentials for it.
    pub mend: Option<MendAccount>,
    /// Jira, if there are credentials for it.
    pub jira: Option<JiraAccount>,
}

/// Data Theorem's part of an account.
#[derive(Clone)]
pub struct DataTheoremAccount {
    /// Everything up to and including `/apis/mobile_security/results/v2`.
    pub base_url: String,
    /// The key to use.
    pub api_key: String,
    /// The other keys of the account, as only a simulator tells.
    pub keys: Vec<ApiKey>,
}

/// An API key and what it may do.
#[derive(Clone, Deserialize)]
pub struct ApiKey {
    /// The secret.
    pub api_key: String,
    /// Its name.
    pub name: String,
    /// The permissions it has, such as `results_api.can_close_issues`.
    pub permissions: BTreeSet<String>,
    /// The apps it is limited to, if it is.
    pub mobile_app_ids: Option<BTreeSet<String>>,
}

/// Mend's part of an account.
#[derive(Clone)]
pub struct MendAccount {
    /// Scheme, host and port.
    pub url: String,
    /// The user's key.
    pub user_key: String,
    /// The organization's token.
    pub org_token: String,
    /// All users, as only a simulator tells.
    pub users: Vec<MendUser>,
}

/// A user of Mend.
#[derive(Clone, Deserialize)]
pub struct MendUser {
    /// The secret.
    pub user_key: String,
    /// The address.
    pub email: String,
    /// `administrator`, `auditor`, `product_administrator`, `member`.
    pub role: String,
    /// The organization; a global administrator is of none.
    #[serde(default)]
    pub organization_token: Option<String>,
    /// The products that a product's administrator is in charge of.
    #[serde(default)]
    pub product_tokens: Vec<String>,
}

/// Jira's part of an account.
#[derive(Clone)]
pub struct JiraAccount {
    /// Everything before `/rest/api`.
    pub base_url: String,
    /// The address of the user.
    pub email: String,
    /// The user's API token.
    pub api_token: String,
    /// Key of the project that is looked at.
    pub project: String,
    /// All users, as only a simulator tells.
    pub users: Vec<JiraUser>,
}

/// A user of Jira.
#[derive(Clone, Deserialize)]
pub struct JiraUser {
    /// The secret.
    pub api_token: String,
    /// The address.
    pub email: String,
    /// Opaque id.
    pub account_id: String,
    /// Whether the user may look but not write.
    pub is_read_only: bool,
    /// Keys of the projects the user may see, if limited.
    #[serde(default)]
    pub project_keys: Option<BTreeSet<String>>,
}

/// The environment does not say how to reach a vendor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Some of a vendor's variables are set, others are not.
    #[error("{missing} is not set, although {given} is: all of a vendor's variables are needed to reach it")]
    Incomplete {
        /// The variable that is missing.
        missing: &'static str,
        /// A variable that is there.
        given: &'static str,
    },
    /// None of the variables is set.
    #[error(
        "no vendor's address is in the environment: set DATA_THEOREM_BASE_URL and DATA_THEOREM_API_KEY, or MEND_URL, \
         MEND_USER_KEY and MEND_ORG_TOKEN, or JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN and JIRA_PROJECT, or several"
    )]
    Nothing,
}

impl Account {
    /// Reads the variables that `sync-client` and the simulator use. `get` looks one up.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, AccountError> {
        let account = Self { data_theorem: data_theorem(&get)?, mend: mend(&get)?, jira: jira(&get)? };
        if account.data_theorem.is_none() && account.mend.is_none() && account.jira.is_none() {
            return Err(AccountError::Nothing);
        }
        Ok(account)
    }
}

fn data_theorem(get: &impl Fn(&str) -> Option<String>) -> Result<Option<DataTheoremAccount>, AccountError> {
    let values = all_or_none(get, ["DATA_THEOREM_BASE_URL", "DATA_THEOREM_API_KEY"])?;
    Ok(values.map(|[base_url, api_key]| DataTheoremAccount {
        base_url: base_url.trim_end_matches('/').to_owned(),
        api_key,
        keys: Vec::new(),
    }))
}

fn mend(get: &impl Fn(&str) -> Option<String>) -> Result<Option<MendAccount>, AccountError> {
    let values = all_or_none(get, ["MEND_URL", "MEND_USER_KEY", "MEND_ORG_TOKEN"])?;
    Ok(values.map(|[url, user_key, org_token]| MendAccount {
        url: url.trim_end_matches('/').to_owned(),
        user_key,
        org_token,
        users: Vec::new(),
    }))
}

fn jira(get: &impl Fn(&str) -> Option<String>) -> Result<Option<JiraAccount>, AccountError> {
    let values = all_or_none(get, ["JIRA_BASE_URL", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_PROJECT"])?;
    Ok(values.map(|[base_url, email, api_token, project]| JiraAccount {
        base_url: base_url.trim_end_matches('/').to_owned(),
        email,
        api_token,
        project,
        users: Vec::new(),
    }))
}

/// The values of variables that belong together. A variable that is set to nothing counts as not set.
fn all_or_none<const N: usize>(
    get: &impl Fn(&str) -> Option<String>,
    names: [&'static str; N],
) -> Result<Option<[String; N]>, AccountError> {
    let values = names.map(|name| get(name).filter(|value| !value.trim().is_empty()));
    let Some(given) = values.iter().position(Option::is_some) else { return Ok(None) };
    if let Some(missing) = values.iter().position(Option::is_none) {
        return Err(AccountError::Incomplete { missing: names[missing], given: names[given] });
    }
    Ok(Some(values.map(Option::unwrap_or_default)))
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("data_theorem", &self.data_theorem.as_ref().map(|account| &account.base_url))
            .field("mend", &self.mend.as_ref().map(|account| &account.url))
            .field("jira", &self.jira.as_ref().map(|account| &account.base_url))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, AccountError};

    fn read(variables: &[(&str, &str)]) -> Result<Account, AccountError> {
        Account::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn one_vendor_is_enough() {
        let account =
            read(&[("DATA_THEOREM_BASE_URL", "https://x/v2/"), ("DATA_THEOREM_API_KEY", "k")]).unwrap();
        assert_eq!(account.data_theorem.unwrap().base_url, "https://x/v2");
        assert!(account.mend.is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(&[("MEND_URL", "https://x"), ("MEND_USER_KEY", " ")]).unwrap_err();
        assert_eq!(error, AccountError::Incomplete { missing: "MEND_USER_KEY", given: "MEND_URL" });
        let error = read(&[("JIRA_BASE_URL", "https://x"), ("JIRA_EMAIL", "a@b.c"), ("JIRA_API_TOKEN", "t")]);
        let wanted = AccountError::Incomplete { missing: "JIRA_PROJECT", given: "JIRA_BASE_URL" };
        assert_eq!(error.unwrap_err(), wanted);
        assert_eq!(read(&[]).unwrap_err(), AccountError::Nothing);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let account = read(&[("DATA_THEOREM_BASE_URL", "u"), ("DATA_THEOREM_API_KEY", "secret")]).unwrap();
        assert!(!format!("{account:?}").contains("secret"));
    }
}
