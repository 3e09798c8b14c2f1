//! What Data Theorem tells, as the client reads it. What is optional here may be absent in a reply, or unreadable.

use jiff::Timestamp;

use crate::core::model::Standing;

/// What the proof of the key brings to light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// How many apps the key sees, if the list counts them.
    pub apps: Option<u64>,
    /// What the vendor's clock showed, from the header `Date`.
    pub server_time: Option<Timestamp>,
}

/// A mobile app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id; never empty.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// E.g. `com.example.app`.
    pub bundle_id: Option<String>,
    /// E.g. `ANDROID`.
    pub platform: Option<String>,
    /// `APP_STORE`, `PRE_PROD`, or another word.
    pub release_type: Option<String>,
    /// Its page in the portal.
    pub portal_url: Option<String>,
    /// When its results last changed.
    pub results_last_updated: Option<Timestamp>,
}

/// A security finding target: an affected component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id; never empty.
    pub id: String,
    /// The app it was found in.
    pub mobile_app_id: Option<String>,
    /// The finding it belongs to.
    pub security_finding_id: Option<String>,
    /// The affected component, in Markdown. May contain credentials that a scan found.
    pub text: Option<String>,
    /// Further hints on where it is, in Markdown.
    pub contexts: Vec<String>,
    /// The word in `current_status`; empty if there is none.
    pub status: String,
    /// What that word means.
    pub standing: Standing,
    /// Since when it has that status.
    pub status_date: Option<Timestamp>,
    /// When it was found first.
    pub date_created: Option<Timestamp>,
    /// The ticket that is set; never empty.
    pub external_id: Option<String>,
    /// Its page in the portal.
    pub portal_url: Option<String>,
    /// When its results last changed.
    pub results_last_updated: Option<Timestamp>,
}

/// A security finding: what the targets of one issue in one app have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its id; never empty, and not necessarily a number.
    pub id: String,
    /// The app it was found in.
    pub mobile_app_id: Option<String>,
    /// One line of Markdown.
    pub title: Option<String>,
    /// `HIGH`, `MEDIUM`, `LOW`, or another word.
    pub severity: Option<String>,
    /// `P0` to `P4`, or another word.
    pub priority: Option<String>,
    /// E.g. `DATA_IN_TRANSIT_EXPOSURE`.
    pub category: Option<String>,
    /// E.g. `MODERATE`.
    pub exploitability: Option<String>,
    /// The status of all targets together.
    pub aggregated_status: Option<String>,
    /// Markdown that stands before the list of targets.
    pub description_intro: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// How to fix it, in Markdown.
    pub recommendation: Option<String>,
    /// An example of code, in Markdown.
    pub secure_code: Option<String>,
    /// CVSS score, from 0 to 10.
    pub cvss_score: Option<f64>,
    /// CVSS vector.
    pub cvss_vector: Option<String>,
    /// E.g. `SECURITY_P1`; new words may come up at any time.
    pub importance_tags: Vec<String>,
    /// E.g. `CVE-2000-1909`.
    pub cve_ids: Vec<String>,
    /// E.g. `CWE-312`.
    pub cwe_ids: Vec<String>,
    /// Its page in the portal.
    pub portal_url: Option<String>,
    /// When it or one of its targets last changed.
    pub results_last_updated: Option<Timestamp>,
}
