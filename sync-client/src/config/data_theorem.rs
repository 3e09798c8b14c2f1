//! How to reach Data Theorem, from variables, checked before anything is sent.

use std::ffi::OsString;
use std::fmt;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::variables::text;
use super::{ConfigError, address};

/// Variable with the address of the API, `/apis/mobile_security/results/v2` included.
pub const DATA_THEOREM_BASE_URL: &str = "DATA_THEOREM_BASE_URL";
/// Variable with the API key.
pub const DATA_THEOREM_API_KEY: &str = "DATA_THEOREM_API_KEY";

/// How to reach Data Theorem.
#[derive(Debug, Clone)]
pub struct DataTheoremSettings {
    /// Address of the API; its path ends without a slash.
    pub base_url: Url,
    /// The API key.
    pub api_key: ApiKey,
}

/// An API key. It can be sent, and shows nowhere else.
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

impl DataTheoremSettings {
    /// Reads the settings from wherever `lookup` finds variables.
    pub fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let address = text(
            &lookup,
            DATA_THEOREM_BASE_URL,
            "e.g. https://api.securetheorem.com/apis/mobile_security/results/v2",
        )?;
        let key = text(&lookup, DATA_THEOREM_API_KEY, "the Results API key")?;
        Ok(Self { base_url: address::read(DATA_THEOREM_BASE_URL, &address)?, api_key: ApiKey::new(&key)? })
    }
}

impl ApiKey {
    fn new(text: &str) -> Result<Self, ConfigError> {
        let variable = DATA_THEOREM_API_KEY;
        if text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("apikey")) {
            return Err(ConfigError::SchemeInKey { variable });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::Key { variable });
        }
        let mut header =
            HeaderValue::from_str(&format!("APIKey {text}")).map_err(|_| ConfigError::Key { variable })?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{DATA_THEOREM_API_KEY, DATA_THEOREM_BASE_URL, DataTheoremSettings};
    use crate::config::ConfigError;

    fn read(base_url: Option<&str>, key: Option<&str>) -> Result<DataTheoremSettings, ConfigError> {
        DataTheoremSettings::read(|name| match name {
            DATA_THEOREM_BASE_URL => base_url.map(Into::into),
            DATA_THEOREM_API_KEY => key.map(Into::into),
            other => panic!("nothing asks for {other}"),
        })
    }

    #[test]
    fn a_trailing_slash_and_white_space_are_tolerated() {
        let settings = read(Some(" https://api.example/results/v2/\n"), Some("ab/cd==\n")).unwrap();
        assert_eq!(settings.base_url.as_str(), "https://api.example/results/v2");
        assert_eq!(settings.api_key.header(), "APIKey ab/cd==");
    }

    #[test]
    fn missing_variables_are_named() {
        let missing = |variable| move |error: &ConfigError| matches!(error, ConfigError::Missing { variable: found, .. } if *found == variable);
        assert!(read(None, Some("k")).is_err_and(|error| missing(DATA_THEOREM_BASE_URL)(&error)));
        assert!(
            read(Some("https://a.example"), Some(" "))
                .is_err_and(|error| missing(DATA_THEOREM_API_KEY)(&error))
        );
    }

    #[test]
    fn addresses_that_lead_nowhere_are_refused() {
        for address in [
            "api.example",
            "ftp://api.example",
            "https://u:p@api.example",
            "https://api.example?x=1",
            "https://",
        ] {
            assert!(matches!(read(Some(address), Some("k")), Err(ConfigError::Address { .. })), "{address}");
        }
    }

    /// DT-TRANSPORT-HTTPS
    #[test]
    fn a_key_crosses_a_network_only_encrypted() {
        for address in
            ["http://localhost:8700/v2", "http://127.0.0.1:1", "http://[::1]:1", "https://api.example"]
        {
            assert!(read(Some(address), Some("k")).is_ok(), "{address}");
        }
        for address in ["http://api.example/v2", "http://10.0.0.1", "http://localhost.example"] {
            let refused = ConfigError::Unencrypted { variable: DATA_THEOREM_BASE_URL };
            assert_eq!(read(Some(address), Some("k")).err(), Some(refused), "{address}");
        }
    }

    #[test]
    fn a_key_pasted_with_its_scheme_is_explained() {
        let refused = ConfigError::SchemeInKey { variable: DATA_THEOREM_API_KEY };
        assert_eq!(read(Some("https://a.example"), Some("apikey secret")).err(), Some(refused));
    }

    #[test]
    fn nothing_shows_a_key() {
        let settings = read(Some("https://a.example"), Some("very-secret")).unwrap();
        assert!(!format!("{settings:?}").contains("very-secret"));
        let error = read(Some("https://a.example"), Some("very secret")).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
