//! Data Theorem's Results API over HTTP.

use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use serde_json::Value;

use crate::config::DataTheoremSettings;
use crate::core::doctor::Observation;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take in all.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to one account.
#[derive(Debug, Clone)]
pub struct DataTheorem {
    settings: DataTheoremSettings,
    client: Client,
}

impl DataTheorem {
    /// A client for this account. Nothing is sent yet.
    pub fn new(settings: DataTheoremSettings) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("sync-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // The API redirects nowhere; a redirect means that something else answers.
            .redirect(Policy::none())
            .build()?;
        Ok(Self { settings, client })
    }

    /// Asks for the first page of mobile apps and says what came back.
    pub fn observe_mobile_apps(&self) -> Observation {
        let url = format!("{}/mobile_apps", self.settings.base_url.as_str().trim_end_matches('/'));
        let sent = self.client.get(url).header(AUTHORIZATION, self.settings.api_key.header()).send();
        match sent {
            Ok(response) => read(response),
            Err(error) => Observation::Nothing(with_causes(&error.without_url())),
        }
    }
}

fn read(response: Response) -> Observation {
    let status = response.status().as_u16();
    if status != 200 {
        return Observation::Reply { status, apps: None, is_app_list: false };
    }
    match response.bytes() {
        Ok(body) => {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            Observation::Reply {
                status,
                apps: total_count(&body),
                is_app_list: body["mobile_apps"].is_array(),
            }
        }
        Err(error) => Observation::Nothing(with_causes(&error.without_url())),
    }
}

/// The count of a list: documented as a string, and accepted as a number too.
fn total_count(body: &Value) -> Option<u64> {
    let count = &body["pagination_information"]["total_count"];
    count.as_str().map_or_else(|| count.as_u64(), |text| text.parse().ok())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::total_count;

    /// DT-LIST-TOTAL-COUNT-STRING; a number is no reason to fail.
    #[test]
    fn a_count_is_read_as_text_or_number() {
        let count = |value| total_count(&json!({"pagination_information": {"total_count": value}}));
        assert_eq!(count(json!("12")), Some(12));
        assert_eq!(count(json!(12)), Some(12));
        assert_eq!(count(json!("many")), None);
        assert_eq!(total_count(&json!([])), None);
    }
}
