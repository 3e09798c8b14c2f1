//! The vendor's JSON: shapes as the samples show them, fields in the samples' order.
//!
//! A row's JSON without its links is rendered once per version of the row and kept; a reply copies those bytes
//! and adds the links, which differ between lists and items. So a page costs a copy, not a serialisation.

use fixtures::world::data_theorem::{
    BuildSource, NoteKind, NoteSpec, Priority, ScanSpec, ScanStatus, Subscription,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::readings::{
    AppUnconfirmedFields, CvssNames, EmptyLists, ErrorBody, FindingIssueType, LastPageCursor,
    NotPermanentlyClosed, NullFields, PortalUrl, Readings, SampledFields, StatusesOrder, TargetListLinks,
    TargetsListKey, TimestampOffset, TotalCountType,
};
use super::store::{App, Finding, Shape, StatusEntry, Target};

/// How a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Continuation {
    /// With the page behind this cursor.
    Cursor(String),
    /// Not at all.
    End,
}

/// Fields that a sample does not print, by shape.
const TARGET_ITEM_NOT_SAMPLED: &[&str] = &[
    "additional_contexts",
    "associated_sdk_ids",
    "external_bug_tracker_url",
    "issue_type_id",
    "results_last_updated",
];
const TARGET_LIST_NOT_SAMPLED: &[&str] = &["external_bug_tracker_url"];
const FINDING_ITEM_NOT_SAMPLED: &[&str] = &["associated_cve_ids", "issue_type_id"];
const FINDING_LIST_NOT_SAMPLED: &[&str] = &["associated_cwe_ids", "issue_type_id"];

/// A timestamp with six digits of a second, as the samples print it.
pub fn timestamp(time: Timestamp, readings: &Readings) -> String {
    let offset = match readings.timestamp_offset {
        TimestampOffset::Plus => "+00:00",
        TimestampOffset::Minus => "-00:00",
        TimestampOffset::Z => "Z",
    };
    format!("{}{offset}", time.strftime("%Y-%m-%dT%H:%M:%S.%6f"))
}

/// Writes the fields of a JSON object that optional readings and shapes thin out.
struct Fields<'a> {
    out: Vec<u8>,
    readings: &'a Readings,
    left_out: &'static [&'static str],
}

impl<'a> Fields<'a> {
    fn new(readings: &'a Readings, left_out: &'static [&'static str]) -> Self {
        let left_out = match readings.sampled_fields {
            SampledFields::All => &[],
            SampledFields::AsSampled => left_out,
        };
        Self { out: Vec::with_capacity(1024), readings, left_out }
    }

    fn field(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        if self.left_out.contains(&name) {
            return self;
        }
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        // Writing plain data to memory does not fail; if it ever did, the field is null rather than missing.
        let start = self.out.len();
        if serde_json::to_writer(&mut self.out, value).is_err() {
            self.out.truncate(start);
            self.out.extend_from_slice(b"null");
        }
        self
    }

    fn optional(&mut self, name: &'static str, value: Option<&(impl Serialize + ?Sized)>) -> &mut Self {
        match (value, self.readings.null_fields) {
            (Some(value), _) => self.field(name, value),
            (None, NullFields::Null) => self.field(name, &()),
            (None, NullFields::Omitted) => self,
        }
    }

    fn list<T: Serialize>(&mut self, name: &'static str, values: &[T]) -> &mut Self {
        if values.is_empty() && self.readings.empty_lists == EmptyLists::Omitted {
            self
        } else {
            self.field(name, values)
        }
    }

    fn time(&mut self, name: &'static str, time: Timestamp) -> &mut Self {
        let text = timestamp(time, self.readings);
        self.field(name, &text)
    }

    /// The object without its closing brace, so that links can follow.
    fn open_object(self) -> Vec<u8> {
        self.out
    }
}

/// Appends a target.
pub fn push_target(out: &mut Vec<u8>, target: &Target, shape: Shape, readings: &Readings) {
    out.extend_from_slice(target.rendered.get(readings, shape, || target_fields(target, shape, readings)));
    let facts = &target.facts;
    let (app, finding, id) = (&*facts.mobile_app_id, &*facts.security_finding_id, &*facts.id);
    match (shape, readings.target_list_links) {
        (Shape::List, TargetListLinks::AsSampled) => push_links(
            out,
            &[
                ("mobile_apps", &["mobile_apps/", app]),
                ("security_findings", &["security_findings?mobile_app_id=", app]),
                ("self", &["security_finding_targets?mobile_app_id=", app]),
            ],
        ),
        (Shape::Item, _) | (Shape::List, TargetListLinks::ItemLinks) => push_links(
            out,
            &[
                ("mobile_app", &["mobile_apps/", app]),
                ("security_finding", &["security_findings/", finding]),
                ("self", &["security_finding_targets/", id]),
            ],
        ),
    }
    out.push(b'}');
}

fn target_fields(target: &Target, shape: Shape, readings: &Readings) -> Vec<u8> {
    let facts = &target.facts;
    let left_out = match shape {
        Shape::List => TARGET_LIST_NOT_SAMPLED,
        Shape::Item => TARGET_ITEM_NOT_SAMPLED,
    };
    let mut statuses: Vec<Value> = target.statuses.iter().map(|entry| status_json(entry, readings)).collect();
    if readings.statuses_order == StatusesOrder::OldestFirst {
        statuses.reverse();
    }
    let mut fields = Fields::new(readings, left_out);
    fields
        .list("additional_contexts", &facts.additional_contexts)
        .list("associated_sdk_ids", &facts.associated_sdk_ids)
        .field("current_status", target.current.status.as_str())
        .time("current_status_date", target.current.date)
        .time("date_created", facts.date_created)
        .optional("external_bug_tracker_url", target.external_bug_tracker_url.as_deref())
        .optional("external_id", target.external_id.as_deref())
        .field("id", &*facts.id)
        .field("issue_type_id", &facts.issue_type.spec.id)
        .field("mobile_app_id", &*facts.mobile_app_id)
        .field("portal_url", &target_portal_url(target, readings))
        .time("results_last_updated", target.results_last_updated)
        .field("security_finding_id", &*facts.security_finding_id)
        .field("statuses", &statuses)
        .field("text", &facts.text);
    fields.open_object()
}

fn status_json(entry: &StatusEntry, readings: &Readings) -> Value {
    let date = timestamp(entry.date, readings);
    match &entry.build_version {
        Some(version) => json!({"build_version": &**version, "date": date, "status": entry.status.as_str()}),
        None => json!({"date": date, "status": entry.status.as_str()}),
    }
}

fn target_portal_url(target: &Target, readings: &Readings) -> String {
    let facts = &target.facts;
    let finding = finding_portal_url(&facts.mobile_app_id, &facts.security_finding_id, readings);
    match readings.portal_url {
        PortalUrl::MobileApp => format!("{finding}/targets/{}", facts.id),
        PortalUrl::App => finding,
    }
}

fn finding_portal_url(app: &str, finding: &str, readings: &Readings) -> String {
    match readings.portal_url {
        PortalUrl::MobileApp => format!("https://www.securetheorem.com/mobile/app/{app}/issues/{finding}"),
        PortalUrl::App => format!("https://securetheorem.com/app/{app}/issues/{finding}"),
    }
}

/// Appends a finding.
pub fn push_finding(out: &mut Vec<u8>, finding: &Finding, shape: Shape, readings: &Readings) {
    out.extend_from_slice(finding.rendered.get(readings, shape, || finding_fields(finding, shape, readings)));
    let id = &*finding.facts.id;
    push_links(
        out,
        &[
            ("self", &["security_findings/", id]),
            ("targets", &["security_finding_targets?security_finding_id=", id]),
            ("mobile_app", &["mobile_apps/", &finding.facts.mobile_app_id]),
        ],
    );
    out.push(b'}');
}

fn finding_fields(finding: &Finding, shape: Shape, readings: &Readings) -> Vec<u8> {
    let facts = &finding.facts;
    let kind = &facts.issue_type.spec;
    let left_out = match shape {
        Shape::List => FINDING_LIST_NOT_SAMPLED,
        Shape::Item => FINDING_ITEM_NOT_SAMPLED,
    };
    let (score, vector) = match readings.cvss_names {
        CvssNames::Cvss => ("cvss_score", "cvss_vector"),
        CvssNames::Cvss3 => ("cvss3_score", "cvss3_vector"),
    };
    let notes: Vec<Value> =
        finding.notes.oldest_first().iter().map(|note| note_json(note, readings)).collect();
    let mut fields = Fields::new(readings, left_out);
    fields
        .field("id", &*facts.id)
        .field("category", kind.category.as_str())
        .time("date_created", facts.date_created)
        .optional("description_intro", kind.description_intro.as_deref())
        .field("description", &kind.description)
        .field("exploitability", kind.exploitability.as_str());
    if readings.finding_issue_type == FindingIssueType::Emitted {
        fields.field("issue_type_id", &kind.id);
    }
    fields
        .field("mobile_app_id", &*facts.mobile_app_id)
        .optional("priority", finding.priority.map(Priority::as_str))
        .field("recommendation", &kind.recommendation)
        .time("results_last_updated", finding.results_last_updated)
        .optional("secure_code", kind.secure_code.as_deref())
        .field("severity", kind.severity.as_str())
        .field("aggregated_status", finding.aggregated_status.as_str());
    if finding.is_permanently_closed || readings.not_permanently_closed == NotPermanentlyClosed::False {
        fields.field("is_permanently_closed", &finding.is_permanently_closed);
    }
    fields
        .field("title", &kind.title)
        .field("portal_url", &finding_portal_url(&facts.mobile_app_id, &facts.id, readings))
        .field(score, &number(kind.cvss_score))
        .field(vector, &kind.cvss_vector)
        .optional("screenshot_url", facts.screenshot_url.as_deref())
        .list("importance_tags", &kind.importance_tags)
        .list("associated_cve_ids", &facts.associated_cve_ids)
        .list("associated_cwe_ids", &kind.associated_cwe_ids)
        .list("compliance_policy_references", &kind.compliance_policy_references)
        .list("notes", &notes);
    fields.open_object()
}

/// A number as the samples print it: without a fraction where there is none.
#[expect(clippy::cast_possible_truncation, reason = "a CVSS score lies between 0 and 10")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e9 { json!(value as i64) } else { json!(value) }
}

/// A note.
pub fn note_json(note: &NoteSpec, readings: &Readings) -> Value {
    json!({
        "author_email": note.author_email,
        "date_created": timestamp(note.date_created, readings),
        "id": note.id,
        "is_internal_comment": note.kind == NoteKind::InternalComment,
        "is_question_for_datatheorem": note.kind == NoteKind::QuestionForDataTheorem,
        "is_reply_from_datatheorem": note.kind == NoteKind::ReplyFromDataTheorem,
        "text": note.text,
    })
}

/// A new note as the sample of its operation prints it, with booleans as strings.
pub fn note_json_as_sampled(note: &NoteSpec, readings: &Readings) -> Value {
    let mut note = note_json(note, readings);
    if let Value::Object(fields) = &mut note {
        for value in fields.values_mut() {
            if let Value::Bool(flag) = value {
                *value = Value::String(flag.to_string());
            }
        }
    }
    note
}

/// Appends an app. No sample of an app is public; the field names are those that filters and neighbouring
/// pages show, and `date_created` and `store_url`, which nothing confirms.
pub fn push_app(out: &mut Vec<u8>, app: &App, readings: &Readings) {
    out.extend_from_slice(app.rendered.get(readings, Shape::Item, || app_fields(app, readings)));
    let id = &*app.facts.id;
    push_links(
        out,
        &[
            ("self", &["mobile_apps/", id]),
            ("scans", &["mobile_apps/", id, "/scans"]),
            ("security_findings", &["security_findings?mobile_app_id=", id]),
            ("security_finding_targets", &["security_finding_targets?mobile_app_id=", id]),
        ],
    );
    out.push(b'}');
}

fn app_fields(app: &App, readings: &Readings) -> Vec<u8> {
    let facts = &app.facts;
    let subscription: Vec<&str> = if facts.subscription.is_empty() {
        vec![Subscription::NoSubscription.as_str()]
    } else {
        facts.subscription.iter().map(|service| service.as_str()).collect()
    };
    let mut fields = Fields::new(readings, &[]);
    fields
        .field("id", &facts.id)
        .field("name", &facts.name)
        .field("bundle_id", &facts.bundle_id)
        .field("version", &*app.version)
        .field("platform", facts.platform.as_str())
        .field("release_type", facts.release_type.as_str())
        .field("subscription", &subscription)
        .field("scan_status", app_scan_status(app.latest_scan))
        .optional("blocked_scan_reason", facts.blocked_scan_reason.as_deref())
        .optional("external_id", facts.external_id.as_deref())
        .time("results_last_updated", app.results_last_updated)
        .field("portal_url", &format!("https://www.securetheorem.com/mobile/app/{}", facts.id));
    if readings.app_unconfirmed_fields == AppUnconfirmedFields::Emitted {
        fields.time("date_created", facts.date_created).optional("store_url", facts.store_url.as_deref());
    }
    fields.open_object()
}

/// The status of an app's most recent scan, in the words of the filter `scan_status`. The three documented
/// words leave no room for scans that ended otherwise than well; those count as completed.
pub const fn app_scan_status(latest: Option<ScanStatus>) -> &'static str {
    match latest {
        None => "NO_SCANS_INITIATED",
        Some(ScanStatus::Ongoing) => "SCAN_ONGOING",
        Some(_) => "SCAN_COMPLETED",
    }
}

/// Appends a scan of an app whose newest scanned build is `app_version`.
pub fn push_scan(out: &mut Vec<u8>, scan: &ScanSpec, app_version: &str, readings: &Readings) {
    let part = |status: ScanStatus| json!({"status": status.as_str()});
    let mut fields = Fields::new(readings, &[]);
    fields
        .field("id", &scan.id)
        .field("mobile_app_id", &scan.mobile_app_id)
        .field("status", scan.status.as_str())
        .time("start_date", scan.start_date)
        .optional("end_date", scan.end_date.map(|date| timestamp(date, readings)).as_ref())
        .optional("build_source", scan.build_source.map(BuildSource::as_str))
        .optional("build_version", scan.build_version.as_ref())
        .field("most_recently_scanned_build_version", app_version)
        .optional("release_id", scan.release_id.as_ref())
        .optional("static_scan", scan.static_scan.map(part).as_ref())
        .optional("dynamic_scan", scan.dynamic_scan.map(part).as_ref());
    out.extend_from_slice(&fields.open_object());
    push_links(
        out,
        &[
            ("self", &["mobile_apps/", &scan.mobile_app_id, "/scans/", &scan.id]),
            ("mobile_app", &["mobile_apps/", &scan.mobile_app_id]),
        ],
    );
    out.push(b'}');
}

/// Appends `,"links":[…]`. Ids need no escaping: those that would be refused by a link are escaped here.
fn push_links(out: &mut Vec<u8>, links: &[(&str, &[&str])]) {
    out.extend_from_slice(b",\"links\":[");
    for (place, (rel, href)) in links.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{\"href\":\"" } else { b",{\"href\":\"" });
        for part in *href {
            push_escaped(out, part);
        }
        out.extend_from_slice(b"\",\"rel\":\"");
        out.extend_from_slice(rel.as_bytes());
        out.extend_from_slice(b"\",\"type\":\"GET\"}");
    }
    out.push(b']');
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') {
        out.extend_from_slice(text.as_bytes());
    } else if let Ok(quoted) = serde_json::to_vec(text) {
        out.extend_from_slice(&quoted[1..quoted.len() - 1]);
    }
}

/// A list reply: rows under their key, then how the list goes on.
pub fn list(
    key: &str,
    total: usize,
    continuation: &Continuation,
    readings: &Readings,
    push_rows: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 17);
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":[");
    push_rows(&mut out);
    out.extend_from_slice(b"],\"pagination_information\":{\"total_count\":");
    let total = match readings.total_count_type {
        TotalCountType::String => format!("\"{total}\""),
        TotalCountType::Number => total.to_string(),
    };
    out.extend_from_slice(total.as_bytes());
    match (continuation, readings.last_page_cursor) {
        (Continuation::Cursor(cursor), _) => {
            out.extend_from_slice(b",\"next_cursor\":\"");
            out.extend_from_slice(cursor.as_bytes());
            out.push(b'"');
        }
        (Continuation::End, LastPageCursor::Null) => out.extend_from_slice(b",\"next_cursor\":null"),
        (Continuation::End, LastPageCursor::Empty) => out.extend_from_slice(b",\"next_cursor\":\"\""),
        (Continuation::End, LastPageCursor::Absent | LastPageCursor::EmptyPage) => {}
    }
    out.extend_from_slice(b"}}");
    out
}

/// Key of the list of targets.
pub const fn targets_list_key(readings: &Readings) -> &'static str {
    match readings.targets_list_key {
        TargetsListKey::SecurityFindingTargets => "security_finding_targets",
        TargetsListKey::Targets => "targets",
    }
}

/// Body of an error. No public source shows one; the shapes are ours.
pub fn error_body(status: u16, message: &str, readings: &Readings) -> Vec<u8> {
    let body = match readings.error_body {
        ErrorBody::ErrorObject => json!({"error": {"code": status, "message": message}}),
        ErrorBody::Message => json!({"message": message}),
        ErrorBody::Empty => return Vec::new(),
    };
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Continuation, list, number, push_escaped, timestamp};
    use crate::vendors::data_theorem::readings::{LastPageCursor, Readings, TimestampOffset, TotalCountType};

    #[test]
    fn timestamps_have_six_digits() {
        let time = "2021-08-17T13:45:25.3Z".parse().unwrap();
        assert_eq!(timestamp(time, &Readings::default()), "2021-08-17T13:45:25.300000+00:00");
        let minus = Readings { timestamp_offset: TimestampOffset::Minus, ..Readings::default() };
        assert_eq!(timestamp(time, &minus), "2021-08-17T13:45:25.300000-00:00");
    }

    #[test]
    fn whole_scores_print_without_a_fraction() {
        assert_eq!(number(5.0).to_string(), "5");
        assert_eq!(number(7.5).to_string(), "7.5");
    }

    #[test]
    fn lists_end_as_their_reading_says() {
        let end = |readings: &Readings| {
            let bytes = list("rows", 2, &Continuation::End, readings, |out| out.extend_from_slice(b"1,2"));
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
        };
        let plain = Readings::default();
        assert_eq!(end(&plain), json!({"rows": [1, 2], "pagination_information": {"total_count": "2"}}));
        let null = Readings { last_page_cursor: LastPageCursor::Null, ..plain };
        assert_eq!(end(&null)["pagination_information"], json!({"total_count": "2", "next_cursor": null}));
        let numbers = Readings {
            last_page_cursor: LastPageCursor::Empty,
            total_count_type: TotalCountType::Number,
            ..plain
        };
        assert_eq!(end(&numbers)["pagination_information"], json!({"total_count": 2, "next_cursor": ""}));
    }

    #[test]
    fn hostile_ids_stay_inside_their_string() {
        let mut out = Vec::new();
        push_escaped(&mut out, "a\"b\\c\u{7}é");
        assert_eq!(String::from_utf8(out).unwrap(), r#"a\"b\\c\u0007é"#);
    }
}
