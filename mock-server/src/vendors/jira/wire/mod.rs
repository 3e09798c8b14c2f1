//! Jira's JSON.
//!
//! Links are whole addresses, and clients follow them, so they begin with the host that the request was sent to. What
//! is rendered once for many requests has `HERE` in that place until it leaves.

pub mod directory;
pub mod issue;
pub mod parts;
pub mod people;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::readings::{ErrorStatus, Readings};
use super::rules::denial::Denial;

/// Stands for the address of the API in links, as a text and as JSON writes it.
pub(in crate::vendors::jira) const HERE: &str = "\u{1}";
const HERE_IN_JSON: &[u8] = br"\u0001";

/// A link to something below the address of the API.
pub(in crate::vendors::jira) fn link(path: &str) -> String {
    format!("{HERE}/{path}")
}

/// A time as Jira writes it: milliseconds and `+0000`.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// JSON with whole links. Texts of users are rendered without `HERE`, so none is mistaken for it.
pub fn with_links(json: &[u8], here: &str, out: &mut Vec<u8>) {
    let mut rest = json;
    while let Some(place) = rest.windows(HERE_IN_JSON.len()).position(|window| window == HERE_IN_JSON) {
        out.extend_from_slice(&rest[..place]);
        out.extend_from_slice(here.as_bytes());
        rest = &rest[place + HERE_IN_JSON.len()..];
    }
    out.extend_from_slice(rest);
}

/// Plain data as JSON with whole links.
pub fn render(value: &Value, here: &str) -> Vec<u8> {
    let json = value.to_string();
    let mut out = Vec::with_capacity(json.len() + 64);
    with_links(json.as_bytes(), here, &mut out);
    out
}

/// The body of a refusal.
pub fn error_body(denial: &Denial, readings: &Readings) -> Vec<u8> {
    let mut body = errors(denial);
    if readings.error_status == ErrorStatus::Present {
        body["status"] = denial.refusal.status.into();
    }
    body.to_string().into_bytes()
}

/// What a refusal says.
pub fn errors(denial: &Denial) -> Value {
    json!({"errorMessages": denial.messages, "errors": denial.errors})
}

/// The body of a refusal that is a web page.
pub fn error_page(denial: &Denial) -> Vec<u8> {
    let text = denial.messages.join(" ").replace('&', "&amp;").replace('<', "&lt;");
    format!("<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>").into_bytes()
}

/// A page of a list that is counted by places.
pub struct Counted {
    /// Place of the first row.
    pub start: usize,
    /// Most rows of the page.
    pub max: usize,
    /// Rows of all pages.
    pub total: usize,
}

impl Counted {
    /// Whether the page is the last one.
    pub fn is_last(&self) -> bool {
        self.start.saturating_add(self.max) >= self.total
    }

    /// The places of the page, as far as there are rows.
    pub fn places(&self) -> std::ops::Range<usize> {
        let start = self.start.min(self.total);
        start..self.start.saturating_add(self.max).clamp(start, self.total)
    }

    /// The rows of the page.
    pub fn of<'r, R>(&self, rows: &'r [R]) -> &'r [R] {
        let start = self.start.min(rows.len());
        &rows[start..self.start.saturating_add(self.max).clamp(start, rows.len())]
    }
}
