//! Data Theorem's Results API, as far as a sync needs it: apps, targets, findings, and the link of a target.
//!
//! Tolerant of every variation that the pages leave open, and of fields and words that they don't know: those are
//! counted in [`Noticed`]. Not tolerant of a reply that is not what was asked for: it is an error, never "nothing there".
//! Deliberately absent: every write but `PATCH {external_id}`, and following `links`, whose forms differ between lists
//! and items; addresses are built from ids.

mod items;
mod pages;
mod replies;
mod row;
mod wire;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

pub use self::items::{App, Finding, Identity, Target};
pub use self::pages::{Page, Pages};
use super::caller::{Caller, Repeat};
use crate::config::DataTheoremSettings;
use crate::core::http_date;
use crate::core::noticed::Noticed;
use crate::ports::{Reply, Request, VendorError};

/// One account at Data Theorem.
#[derive(Clone)]
pub struct DataTheorem {
    settings: DataTheoremSettings,
    caller: Caller,
    noticed: Arc<Noticed>,
}

impl fmt::Debug for DataTheorem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataTheorem({})", self.settings.base_url)
    }
}

impl DataTheorem {
    /// An account. Nothing is sent yet.
    pub fn new(settings: DataTheoremSettings, caller: Caller, noticed: Arc<Noticed>) -> Self {
        Self { settings, caller, noticed }
    }

    /// Proves that the key may read apps (I24). A refused key is [`VendorError::Credential`], one that may not list
    /// apps [`VendorError::Refused`], and something that answers otherwise is not this API: [`VendorError::Malformed`].
    pub fn identify(&self) -> Result<Identity, VendorError> {
        let request = self.request(Method::GET, "mobile_apps", &[])?;
        let reply = self.send(&request, Repeat::Harmless)?;
        if let status @ (400 | 402 | 405..=428 | 430..=499) = reply.status {
            let reason = format!("it answers {status}, so it is not this API");
            return Err(VendorError::Malformed { operation: request.operation, reason });
        }
        let server_time =
            reply.headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(http_date::read);
        let page = self.list_page(&request, &reply, wire::APPS_KEYS)?;
        Ok(Identity { apps: page.total, server_time })
    }

    /// Every app the key may see, or those with results since then.
    pub fn apps(&self, since: Option<Timestamp>) -> Pages<'_, App> {
        Pages::new(self, "mobile_apps", wire::APPS_KEYS, wire::app, since_filter(since))
    }

    /// The targets of an app, or those of them with activity since then.
    pub fn targets(&self, app_id: &str, since: Option<Timestamp>) -> Pages<'_, Target> {
        let filters = [("mobile_app_id", app_id.to_owned())].into_iter().chain(since_filter(since)).collect();
        Pages::new(self, "security_finding_targets", wire::TARGETS_KEYS, wire::target, filters)
    }

    /// The findings of an app.
    pub fn findings_of_app(&self, app_id: &str) -> Pages<'_, Finding> {
        let filters = vec![("mobile_app_id", app_id.to_owned())];
        Pages::new(self, "security_findings", wire::FINDINGS_KEYS, wire::finding, filters)
    }

    /// An app.
    pub fn app(&self, id: &str) -> Result<App, VendorError> {
        self.item("mobile_apps", id, wire::app)
    }

    /// A finding.
    pub fn finding(&self, id: &str) -> Result<Finding, VendorError> {
        self.item("security_findings", id, wire::finding)
    }

    /// A target. One with another id than was asked for is [`VendorError::Malformed`], because what a ticket belongs to
    /// depends on it.
    pub fn target(&self, id: &str) -> Result<Target, VendorError> {
        let target = self.item("security_finding_targets", id, wire::target)?;
        if target.id == id {
            Ok(target)
        } else {
            let operation = format!("GET security_finding_targets/{id}");
            Err(VendorError::Malformed { operation, reason: "it answers another target".to_owned() })
        }
    }

    /// Sets the ticket of a target, and nothing else (I7). Harmless to repeat. Success means that the reply shows the
    /// ticket that was set; a server that ignored it is [`VendorError::Malformed`].
    pub fn link(&self, target_id: &str, external_id: &str) -> Result<(), VendorError> {
        let path = item_path("security_finding_targets", target_id);
        let mut request = self.request(Method::PATCH, &path, &[])?;
        request.http.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.http.body = Bytes::from(json!({"external_id": external_id}).to_string());
        let reply = self.send(&request, Repeat::Harmless)?;
        let body = self.read(&request, &reply)?;
        if wire::external_id(&body).as_deref() == Some(external_id) {
            return Ok(());
        }
        let reason = "it answers 200 without the external_id that was set".to_owned();
        Err(VendorError::Malformed { operation: request.operation, reason })
    }

    /// Sets the status of a target to one of those that the page allows, and says why. That it has this status already
    /// (409) is fine, so it is harmless to repeat.
    pub fn set_status(&self, target_id: &str, status: &str, reason: &str) -> Result<(), VendorError> {
        let path = format!("{}/statuses", item_path("security_finding_targets", target_id));
        let mut request = self.request(Method::POST, &path, &[])?;
        request.http.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.http.body = Bytes::from(json!({"status": status, "reason": reason}).to_string());
        let reply = self.send(&request, Repeat::Harmless)?;
        match reply.status {
            200 | 204 | 409 => Ok(()),
            _ => self.read(&request, &reply).map(|_| ()),
        }
    }

    fn item<T>(&self, list: &str, id: &str, read: wire::ReadRow<T>) -> Result<T, VendorError> {
        let request = self.request(Method::GET, &item_path(list, id), &[])?;
        let reply = self.send(&request, Repeat::Harmless)?;
        let body = self.read(&request, &reply)?;
        read(body, &self.noticed).ok_or_else(|| {
            let reason = "it answers 200 with something that has no id".to_owned();
            VendorError::Malformed { operation: request.operation, reason }
        })
    }

    /// A request with its name in errors. Paths and values of filters are encoded.
    fn request(
        &self,
        method: Method,
        path: &str,
        filters: &[(&str, String)],
    ) -> Result<Operation, VendorError> {
        let base = self.settings.base_url.as_str().trim_end_matches('/');
        let name = match filters.first() {
            Some((filter, value)) if *filter != "cursor" => format!("{method} {path}?{filter}={value}"),
            _ => format!("{method} {path}"),
        };
        let url = Url::parse(&format!("{base}/{path}"));
        let mut url = url.map_err(|error| VendorError::Refused {
            operation: name.clone(),
            reason: format!("this makes no address: {error}"),
        })?;
        if !filters.is_empty() {
            url.query_pairs_mut().extend_pairs(filters);
        }
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.settings.api_key.header());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let http = Request { method, url: url.into(), headers, body: Bytes::new() };
        Ok(Operation { operation: name, http })
    }

    fn send(&self, request: &Operation, repeat: Repeat) -> Result<Reply, VendorError> {
        self.caller.call(&request.http, repeat).map_err(|error| VendorError::Unavailable {
            operation: request.operation.clone(),
            reason: self.masked(&error.to_string()),
        })
    }

    /// The JSON of a reply with 200; any other reply is an error.
    fn read(&self, request: &Operation, reply: &Reply) -> Result<Value, VendorError> {
        let read = replies::read(&request.operation, reply, |text| self.masked(text))?;
        if read.was_repaired {
            self.noticed.see("data-theorem: a reply with characters that no text can have");
        }
        Ok(read.value)
    }

    fn list_page(
        &self,
        request: &Operation,
        reply: &Reply,
        keys: &[&str],
    ) -> Result<wire::ListPage, VendorError> {
        let body = self.read(request, reply)?;
        wire::list(body, keys)
            .map_err(|reason| VendorError::Malformed { operation: request.operation.clone(), reason })
    }

    /// A server may repeat in an error what it was sent.
    fn masked(&self, text: &str) -> String {
        let header = self.settings.api_key.header();
        let key = header.to_str().ok().and_then(|header| header.strip_prefix("APIKey ")).unwrap_or_default();
        if key.is_empty() { text.to_owned() } else { text.replace(key, "…") }
    }
}

/// A request with the name that errors give it.
struct Operation {
    /// E.g. `PATCH security_finding_targets/4567`.
    operation: String,
    http: Request,
}

/// The path of an item. Characters that end a segment of a path, or mean something in it, are encoded.
fn item_path(list: &str, id: &str) -> String {
    let mut path = format!("{list}/");
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// Real clients send this form: an offset, encoded, and six digits of a second.
fn since_filter(since: Option<Timestamp>) -> Vec<(&'static str, String)> {
    let text = |since: Timestamp| since.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string();
    since.map(|since| ("results_since", text(since))).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::item_path;

    #[test]
    fn ids_stay_inside_their_segment() {
        assert_eq!(item_path("mobile_apps", "053069"), "mobile_apps/053069");
        assert_eq!(item_path("mobile_apps", "a/../b?c#d%é"), "mobile_apps/a%2F..%2Fb%3Fc%23d%25%C3%A9");
    }
}
