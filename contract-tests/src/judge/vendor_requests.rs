//! What a request to a vendor means, read from the vendors' pages alone: whom it is about, whether it changes
//! something, and whether a client may send it at all.

use form_urlencoded::parse;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::ids::{ItemId, ScopeId, TicketKey};
use super::journal::{Vendor, VendorRequest};
use super::state::{Standing, VendorItem};

/// What a request does.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// It changes nothing.
    Read,
    /// It tells Data Theorem a target's ticket, or that there is none.
    Link {
        /// The target.
        item: ItemId,
        /// Its ticket.
        ticket: Option<TicketKey>,
    },
    /// It tells Mend about the tickets of a violation.
    Report {
        /// The violation.
        item: ItemId,
        /// The tickets, as in the body.
        issues: Vec<Map<String, Value>>,
    },
    /// It sets a target's status.
    Status {
        /// The target.
        item: ItemId,
        /// The status.
        status: String,
    },
    /// It writes a note.
    Note,
    /// It makes something go away.
    Destroy,
    /// It changes something else.
    Other,
}

/// Whom a request is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Everything at the vendor, or nothing in particular.
    Everything,
    /// An app or a project.
    Scope(ScopeId),
    /// A finding or a library.
    Parent(String),
    /// One item.
    Item(ItemId),
}

impl About {
    /// Whether an item is meant, too.
    pub fn covers(&self, item: &VendorItem) -> bool {
        match self {
            Self::Everything => true,
            Self::Scope(scope) => item.scope == *scope,
            Self::Parent(parent) => item.parent == *parent,
            Self::Item(id) => item.id == *id,
        }
    }

    /// How the vendor writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Everything => "",
            Self::Scope(scope) => scope.last_part(),
            Self::Parent(parent) => parent,
            Self::Item(item) => item.last_part(),
        }
    }
}

/// What a status word of Data Theorem says.
pub fn standing(status: &str) -> Standing {
    match status {
        "NEW" | "OPEN" | "OPEN_READY_TO_RESCAN" => Standing::Open,
        "CLOSED_FIXED"
        | "CLOSED_PARTIALLY_FIXED"
        | "CLOSED_WONT_FIX"
        | "CLOSED_BY_POLICY"
        | "CLOSED_RISK_ACCEPTED"
        | "CLOSED_COMPENSATING_CONTROL"
        | "CLOSED_ITEM_NOT_FOUND" => Standing::Closed,
        _ => Standing::Unknown,
    }
}

impl VendorRequest {
    /// What it does.
    pub fn meaning(&self) -> Meaning {
        match self.vendor {
            Vendor::DataTheorem => self.data_theorem_meaning(),
            Vendor::Mend => self.mend_meaning(),
        }
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.meaning() != Meaning::Read
    }

    fn data_theorem_meaning(&self) -> Meaning {
        let item = || ItemId::from(format!("data-theorem/target/{}", self.segment(1)));
        match (self.method.as_str(), self.segment(0), self.segment(2)) {
            ("GET" | "HEAD" | "OPTIONS", ..) => Meaning::Read,
            ("DELETE", ..) => Meaning::Destroy,
            ("PATCH", "security_finding_targets", "") => match self.text("external_id") {
                Some("") => Meaning::Link { item: item(), ticket: None },
                Some(ticket) => Meaning::Link { item: item(), ticket: Some(ticket.into()) },
                None => Meaning::Other,
            },
            ("POST", "security_finding_targets", "statuses") => {
                Meaning::Status { item: item(), status: self.text("status").unwrap_or_default().to_owned() }
            }
            ("POST", "security_findings", "notes") => Meaning::Note,
            _ => Meaning::Other,
        }
    }

    fn mend_meaning(&self) -> Meaning {
        let begins_with = |words: &[&str]| words.iter().any(|word| self.operation.starts_with(word));
        if self.operation == "updateExternalIntegrationIssues" {
            let project = self.text("projectToken").unwrap_or_default();
            let violation = self.text("wsPolicyIssueItemUuid").unwrap_or_default();
            let issues = self.body.get("externalIssues").and_then(Value::as_array);
            Meaning::Report {
                item: format!("mend/violation/{project}/{violation}").into(),
                issues: issues.into_iter().flatten().filter_map(Value::as_object).cloned().collect(),
            }
        } else if begins_with(&["get", "fetch"]) {
            Meaning::Read
        } else if begins_with(&["remove", "delete"]) {
            Meaning::Destroy
        } else {
            Meaning::Other
        }
    }

    /// Whom it is about.
    pub fn about(&self) -> About {
        match self.vendor {
            Vendor::DataTheorem => self.data_theorem_about(),
            Vendor::Mend => match (self.meaning(), self.text("projectToken")) {
                (Meaning::Report { item, .. }, _) => About::Item(item),
                (_, Some(project)) => About::Scope(format!("mend/project/{project}").into()),
                (_, None) => About::Everything,
            },
        }
    }

    fn data_theorem_about(&self) -> About {
        let app = |id: &str| About::Scope(format!("data-theorem/app/{id}").into());
        match (self.segment(0), self.segment(1)) {
            ("security_finding_targets", id) if !id.is_empty() => {
                About::Item(format!("data-theorem/target/{id}").into())
            }
            ("security_findings", id) if !id.is_empty() => About::Parent(id.to_owned()),
            ("mobile_apps", id) if !id.is_empty() => app(id),
            _ => {
                let parameter = |name: &str| {
                    parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
                };
                match (parameter("security_finding_id"), parameter("mobile_app_id")) {
                    (Some(finding), _) => About::Parent(finding.into_owned()),
                    (None, Some(id)) => app(&id),
                    (None, None) => About::Everything,
                }
            }
        }
    }

    /// A part of the path behind the version, counted from 0; empty if there is none.
    fn segment(&self, place: usize) -> &str {
        let path = self.path.split("/results/v2/").last().unwrap_or_default();
        path.trim_matches('/').split('/').nth(place).unwrap_or_default()
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }

    /// Why no client may send this write; nothing is said of reads, and of what destroys.
    pub fn why_undocumented(&self, is_two_way: bool) -> Option<String> {
        match self.meaning() {
            Meaning::Read | Meaning::Destroy => None,
            Meaning::Link { .. } => self.other_fields(&["external_id"]),
            Meaning::Status { status, .. } => match status.as_str() {
                "CLOSED_WONT_FIX" | "CLOSED_RISK_ACCEPTED" | "CLOSED_COMPENSATING_CONTROL" | "OPEN" => {
                    self.other_fields(&["status", "reason"])
                }
                other => Some(format!("{other:?} is no status that a client may set")),
            },
            Meaning::Note if is_two_way => None,
            Meaning::Note => Some("notes are written in two-way mode only".to_owned()),
            Meaning::Report { issues, .. } => self.why_bad_report(&issues),
            Meaning::Other => Some(format!("{} is no write of a sync", self.operation)),
        }
    }

    fn other_fields(&self, known: &[&str]) -> Option<String> {
        let fields = self.body.as_object()?;
        let other = fields.keys().find(|name| !known.contains(&name.as_str()))?;
        Some(format!("the field {other:?} is not for this request"))
    }

    fn why_bad_report(&self, issues: &[Map<String, Value>]) -> Option<String> {
        let plain = |name: &str| self.body.get(name).and_then(|value| why_bad_text(name, value, 255));
        if issues.is_empty() {
            return Some("externalIssues names no issue".to_owned());
        }
        plain("issueTrackerPluginType").or_else(|| issues.iter().find_map(why_bad_issue))
    }
}

fn why_bad_issue(issue: &Map<String, Value>) -> Option<String> {
    if issue.get("identifier").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Some("an issue has no identifier".to_owned());
    }
    issue.iter().find_map(|(name, value)| match name.as_str() {
        "identifier" | "status" | "issuePriority" | "issueLabel" | "policyId" => {
            why_bad_text(name, value, 255)
        }
        "url" => why_bad_text(name, value, 2_000),
        "created" | "lastModified" => {
            let is_date = value.as_str().is_some_and(|text| instant(text).is_some());
            (!is_date).then(|| format!("{name} is no date and time: {value}"))
        }
        "extraData" => match value {
            Value::Object(extra) => extra.iter().find_map(|(name, value)| why_bad_text(name, value, 255)),
            Value::Array(extra) => extra.iter().find_map(|value| why_bad_text(name, value, 255)),
            _ => Some(format!("extraData is {value}")),
        },
        other => Some(format!("an issue has no field {other:?}")),
    })
}

fn why_bad_text(name: &str, value: &Value, chars_max: usize) -> Option<String> {
    let Some(text) = value.as_str() else { return Some(format!("{name} is no text: {value}")) };
    if text.contains(['<', '>', '%', '&']) {
        return Some(format!("{name} has one of <>%& in it: {text:?}"));
    }
    let chars = text.chars().count();
    (chars > chars_max).then(|| format!("{name} has {chars} characters, {chars_max} are allowed"))
}

/// The instant that a date of a report names, in one of the two documented forms; without an offset it is taken for
/// UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    let separator = text.as_bytes().get(10)?;
    if !matches!(separator, b' ' | b'T') || text.len() < 19 {
        return None;
    }
    text.parse().ok().or_else(|| {
        let date: DateTime = text.parse().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

/// Whether two values of a report say the same; dates may be spelt differently.
pub fn same(left: &Value, right: &Value) -> bool {
    let date = |value: &Value| value.as_str().and_then(instant);
    left == right || date(left).is_some_and(|instant| date(right) == Some(instant))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{About, Meaning};
    use crate::judge::journal::{Answer, Reply, Vendor, VendorRequest};

    fn mend(operation: &str, body: Value) -> VendorRequest {
        VendorRequest {
            vendor: Vendor::Mend,
            operation: operation.to_owned(),
            method: "POST".to_owned(),
            path: "/api/v1.4".to_owned(),
            query: String::new(),
            body,
            answer: Answer::new(true, Reply::Done),
        }
    }

    fn data_theorem(method: &str, path: &str, query: &str, body: Value) -> VendorRequest {
        VendorRequest {
            vendor: Vendor::DataTheorem,
            operation: method.to_owned(),
            method: method.to_owned(),
            path: format!("/apis/mobile_security/results/v2/{path}"),
            query: query.to_owned(),
            body,
            answer: Answer::new(true, Reply::Done),
        }
    }

    #[test]
    fn requests_are_about_what_their_path_query_or_body_names() {
        let about = |path: &str, query: &str| data_theorem("GET", path, query, Value::Null).about();
        assert_eq!(about("security_finding_targets/7", ""), About::Item("data-theorem/target/7".into()));
        assert_eq!(about("security_findings/053/notes", ""), About::Parent("053".to_owned()));
        assert_eq!(
            about("security_finding_targets", "mobile_app_id=13&cursor=x"),
            About::Scope("data-theorem/app/13".into())
        );
        assert_eq!(about("mobile_apps", "results_since=2"), About::Everything);
        let project = mend("fetchProjectPolicyIssues", json!({"projectToken": "p"}));
        assert_eq!(project.about(), About::Scope("mend/project/p".into()));
        let report = json!({"projectToken": "p", "wsPolicyIssueItemUuid": "u", "externalIssues": []});
        let report = mend("updateExternalIntegrationIssues", report);
        assert_eq!(report.about(), About::Item("mend/violation/p/u".into()));
    }

    #[test]
    fn writes_are_told_from_reads() {
        let patch = |body| data_theorem("PATCH", "security_finding_targets/7", "", body).meaning();
        let item = || "data-theorem/target/7".into();
        let linked = Meaning::Link { item: item(), ticket: Some("SEC-1".into()) };
        assert_eq!(patch(json!({"external_id": "SEC-1"})), linked);
        assert_eq!(patch(json!({"external_id": ""})), Meaning::Link { item: item(), ticket: None });
        assert_eq!(patch(json!({"text": "x"})), Meaning::Other);
        assert_eq!(mend("getProjectVitals", json!({})).meaning(), Meaning::Read);
        assert_eq!(mend("removeProjectPolicies", json!({})).meaning(), Meaning::Destroy);
        assert_eq!(mend("setAlertsStatus", json!({})).meaning(), Meaning::Other);
    }

    #[test]
    fn only_documented_writes_pass() {
        let report = |issue: Value| {
            let body = json!({"projectToken": "p", "wsPolicyIssueItemUuid": "u", "externalIssues": [issue]});
            mend("updateExternalIntegrationIssues", body).why_undocumented(false)
        };
        let fine = json!({
            "identifier": "W-1", "url": "t.example/W-1", "status": "OPEN", "created": "2020-12-23T10:00:00+02:00",
            "lastModified": "2020-12-23 10:00:00", "extraData": {"policyId": "1"},
        });
        assert_eq!(report(fine), None);
        for bad in [
            json!({"url": "x"}),
            json!({"identifier": "a & b"}),
            json!({"identifier": "x".repeat(256)}),
            json!({"identifier": "W-1", "url": "x".repeat(2_001)}),
            json!({"identifier": "W-1", "created": "23.12.2020"}),
            json!({"identifier": "W-1", "extraData": {"policyId": 1}}),
            json!({"identifier": "W-1", "colour": "red"}),
        ] {
            assert!(report(bad.clone()).is_some(), "{bad}");
        }
        let status = |body| {
            data_theorem("POST", "security_finding_targets/7/statuses", "", body).why_undocumented(false)
        };
        assert_eq!(status(json!({"status": "OPEN", "reason": "x"})), None);
        assert!(status(json!({"status": "CLOSED_FIXED"})).is_some());
        assert!(
            data_theorem("POST", "security_findings/1/notes", "", json!({"text": "x"}))
                .why_undocumented(false)
                .is_some()
        );
        let patch = json!({"external_id": "S-1", "text": "x"});
        assert!(
            data_theorem("PATCH", "security_finding_targets/7", "", patch).why_undocumented(true).is_some()
        );
    }
}
