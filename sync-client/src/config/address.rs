//! Addresses of APIs.

use reqwest::Url;

use super::ConfigError;

/// Reads an address. Its path ends without a slash; a key crosses a network only encrypted.
pub(super) fn read(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = |problem: &str| ConfigError::Address { variable, problem: problem.to_owned() };
    let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(wrong("it begins with neither https:// nor http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it contains a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it contains a query or a fragment"));
    }
    if url.scheme() == "http" && !leads_to_this_machine(&url) {
        return Err(ConfigError::Unencrypted { variable });
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn leads_to_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
