//! How to reach Mend, checked before anything is sent.

use std::fmt;

use reqwest::Url;

/// How to reach Mend. Organization and project tokens are no secrets; the user key is.
#[derive(Debug, Clone)]
pub struct MendSettings {
    /// Scheme, host and port, perhaps with a path before `/api`; its path ends without a slash and without `/api/v1.4`.
    pub url: Url,
    /// The user's key.
    pub user_key: UserKey,
    /// The organization's token.
    pub org_token: String,
}

/// A user's key. It goes into request bodies and shows nowhere else.
#[derive(Clone)]
pub struct UserKey(String);

/// Settings that can't be used. No message contains the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MendSettingsError {
    /// The address is none of an API.
    #[error("Mend's address is not usable: {0}")]
    Address(&'static str),
    /// The key would cross a network in the clear.
    #[error(
        "Mend's address begins with http: and leads off this machine, so the key could be read on the way: use https"
    )]
    Unencrypted,
    /// The key is none.
    #[error("Mend's user key is empty or contains spaces or characters that no key has")]
    UserKey,
    /// The organization's token is none.
    #[error("Mend's organization token is empty or contains spaces or characters that no token has")]
    OrgToken,
    /// The two were given the same value.
    #[error("Mend's user key and organization token are the same: one of them stands in the wrong place")]
    Same,
}

impl MendSettings {
    /// Checks an address, a user key and an organization token. White space around them is left out, and so is a path
    /// of the API behind the address.
    pub fn new(url: Url, user_key: &str, org_token: &str) -> Result<Self, MendSettingsError> {
        let (user_key, org_token) = (user_key.trim(), org_token.trim());
        if !is_token(user_key) {
            return Err(MendSettingsError::UserKey);
        }
        if !is_token(org_token) {
            return Err(MendSettingsError::OrgToken);
        }
        if user_key == org_token {
            return Err(MendSettingsError::Same);
        }
        Ok(Self {
            url: checked(url)?,
            user_key: UserKey(user_key.to_owned()),
            org_token: org_token.to_owned(),
        })
    }

    /// Where requests go.
    pub(super) fn endpoint(&self) -> String {
        format!("{}/api/v1.4", self.url.as_str().trim_end_matches('/'))
    }
}

impl UserKey {
    /// The key, for a request's body.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKey(…)")
    }
}

/// Real ones are 64 letters and digits, or a UUID; old projects' and other servers' may be anything that is printable.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn checked(mut url: Url) -> Result<Url, MendSettingsError> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(MendSettingsError::Address("it begins with neither https:// nor http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(MendSettingsError::Address("it contains a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(MendSettingsError::Address("it contains a query or a fragment"));
    }
    if url.scheme() == "http" && !leads_to_this_machine(&url) {
        return Err(MendSettingsError::Unencrypted);
    }
    let path = url.path().trim_end_matches('/');
    let of_api = ["/api/v1.4", "/api/v1.3", "/api"];
    let path = of_api.iter().find_map(|of_api| path.strip_suffix(of_api)).unwrap_or(path).to_owned();
    url.set_path(&path);
    Ok(url)
}

fn leads_to_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{MendSettings, MendSettingsError};

    fn read(url: &str, user_key: &str, org_token: &str) -> Result<MendSettings, MendSettingsError> {
        MendSettings::new(url.parse().unwrap(), user_key, org_token)
    }

    #[test]
    fn an_address_is_taken_with_and_without_the_path_of_the_api() {
        for url in ["https://saas.mend.io", "https://saas.mend.io/", "https://saas.mend.io/api/v1.3/"] {
            assert_eq!(read(url, " k\n", "o").unwrap().endpoint(), "https://saas.mend.io/api/v1.4", "{url}");
        }
        let behind_a_proxy = read("https://proxy.example/mend/", "k", "o").unwrap();
        assert_eq!(behind_a_proxy.endpoint(), "https://proxy.example/mend/api/v1.4");
    }

    #[test]
    fn what_can_not_work_is_refused_before_anything_is_sent() {
        let refused = |url, user_key, org_token| read(url, user_key, org_token).unwrap_err();
        assert_eq!(refused("http://saas.mend.io", "k", "o"), MendSettingsError::Unencrypted);
        for url in ["ftp://a.example", "https://u:p@a.example", "https://a.example?x=1"] {
            assert!(matches!(refused(url, "k", "o"), MendSettingsError::Address(_)), "{url}");
        }
        assert_eq!(refused("https://a.example", " ", "o"), MendSettingsError::UserKey);
        assert_eq!(refused("https://a.example", "k", "o o"), MendSettingsError::OrgToken);
        assert_eq!(refused("https://a.example", "same", "same"), MendSettingsError::Same);
        assert!(read("http://127.0.0.1:8700", "k", "o").is_ok());
    }

    #[test]
    fn nothing_shows_the_key() {
        let settings = read("https://a.example", "very-secret", "organization").unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("very-secret") && shown.contains("organization"), "{shown}");
    }
}
