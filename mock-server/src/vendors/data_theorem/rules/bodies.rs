//! Request bodies: from bytes to what a client wants, or a refusal that names the field.

use fixtures::spec::Rule;
use fixtures::spec::data_theorem as ledger;
use fixtures::world::data_theorem::{Priority, TargetStatus};
use serde_json::{Map, Value};

use crate::http::reject::Refusal;
use crate::vendors::data_theorem::readings::{
    ContentType, ExternalIdEmpty, ExternalIdNull, InvalidRequest, Readings, UnknownBodyField,
};

/// A body as it came, with the readings it is read under.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// `Content-Type`, if any.
    pub content_type: Option<&'a str>,
    /// The readings in force.
    pub readings: &'a Readings,
}

/// What a PATCH of a target asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalIdChange {
    /// Leave it.
    Unchanged,
    /// Remove it.
    Cleared,
    /// Set it.
    Set(String),
}

/// What a POST of a target's status asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// One of the four accepted values.
    pub status: TargetStatus,
    /// Justification.
    pub reason: Option<String>,
}

/// What closing a finding asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// One of the three manual closes.
    pub status: TargetStatus,
    /// Whether later scans may not open new targets.
    pub permanently: bool,
    /// Goes into the closing comment.
    pub reason: String,
}

/// A comment to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// Body.
    pub text: String,
    /// Whether it is a question for Data Theorem.
    pub is_question: bool,
}

/// The status that answers malformed requests.
pub fn invalid(readings: &Readings) -> u16 {
    match readings.invalid_request {
        InvalidRequest::BadRequest => 400,
        InvalidRequest::UnprocessableContent => 422,
    }
}

impl Body<'_> {
    /// Reads the body of `PATCH security_finding_targets/:id`.
    pub fn external_id_change(self, flags: &mut Vec<String>) -> Result<ExternalIdChange, Refusal> {
        let rule = &ledger::DT_TARGET_PATCH_OBJECT;
        let fields = self.object(rule, &["external_id"], flags)?;
        match fields.get("external_id") {
            None => Ok(ExternalIdChange::Unchanged),
            Some(Value::Null) => Ok(match self.readings.external_id_null {
                ExternalIdNull::Unchanged => ExternalIdChange::Unchanged,
                ExternalIdNull::Cleared => ExternalIdChange::Cleared,
            }),
            Some(Value::String(text)) if text.is_empty() => Ok(match self.readings.external_id_empty {
                ExternalIdEmpty::Cleared => ExternalIdChange::Cleared,
                ExternalIdEmpty::Stored => ExternalIdChange::Set(String::new()),
            }),
            Some(Value::String(text)) => Ok(ExternalIdChange::Set(text.clone())),
            Some(other) => self.refuse(rule, format!("external_id must be a string, not {}", kind(other))),
        }
    }

    /// Reads the body of `POST security_finding_targets/:id/statuses`.
    pub fn status_change(self, flags: &mut Vec<String>) -> Result<StatusChange, Refusal> {
        let fields = self.object(&ledger::DT_TARGET_STATUS_OBJECT, &["status", "reason"], flags)?;
        let status = match fields.get("status") {
            None | Some(Value::Null) => {
                return self.refuse(&ledger::DT_TARGET_STATUS_REQUIRED, "the field status is required");
            }
            Some(value) => value,
        };
        let accepted = |status: &TargetStatus| status.is_manual_close() || *status == TargetStatus::Open;
        let Some(status) = status.as_str().and_then(|text| text.parse().ok()).filter(accepted) else {
            let reason = format!(
                "status must be CLOSED_WONT_FIX, CLOSED_RISK_ACCEPTED, CLOSED_COMPENSATING_CONTROL or OPEN, not {}",
                shown(status)
            );
            return self.refuse(&ledger::DT_TARGET_STATUS_ACCEPTED, reason);
        };
        let reason = self.optional_text(&fields, "reason", &ledger::DT_TARGET_STATUS_REASON)?;
        Ok(StatusChange { status, reason })
    }

    /// Reads the body of `PATCH security_findings/:id`; `None`: the priority stays.
    pub fn priority_change(self, flags: &mut Vec<String>) -> Result<Option<Priority>, Refusal> {
        let fields = self.object(&ledger::DT_FINDING_PATCH_PRIORITY, &["priority"], flags)?;
        match fields.get("priority") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_str().and_then(|text| text.parse().ok()) {
                Some(priority) => Ok(Some(priority)),
                None => {
                    let reason = format!("priority must be one of P0 to P4, not {}", shown(value));
                    self.refuse(&ledger::DT_FINDING_PATCH_PRIORITY_VALUES, reason)
                }
            },
        }
    }

    /// Reads the body of `POST security_findings/:id/close`.
    pub fn close(self, flags: &mut Vec<String>) -> Result<Close, Refusal> {
        let known = ["aggregated_status", "is_permanently_closed", "reason"];
        let fields = self.object(&ledger::DT_FINDING_CLOSE_OBJECT, &known, flags)?;
        let status = fields.get("aggregated_status").unwrap_or(&Value::Null);
        let manual = TargetStatus::is_manual_close;
        let Some(status) =
            status.as_str().and_then(|text| text.parse().ok()).filter(|status| manual(*status))
        else {
            let reason = format!(
                "aggregated_status is required and must be CLOSED_WONT_FIX, CLOSED_RISK_ACCEPTED or CLOSED_COMPENSATING_CONTROL, not {}",
                shown(status)
            );
            return self.refuse(&ledger::DT_FINDING_CLOSE_STATUS, reason);
        };
        let permanently =
            self.optional_bool(&fields, "is_permanently_closed", &ledger::DT_FINDING_CLOSE_PERMANENT_TYPE)?;
        let rule = &ledger::DT_FINDING_CLOSE_REASON;
        match self.optional_text(&fields, "reason", rule)? {
            Some(reason) => Ok(Close { status, permanently, reason }),
            None => self.refuse(rule, "the field reason is required"),
        }
    }

    /// Reads the body of `POST security_findings/:id/notes`.
    pub fn new_note(self, flags: &mut Vec<String>) -> Result<NewNote, Refusal> {
        let known = ["text", "is_question_for_datatheorem"];
        let fields = self.object(&ledger::DT_FINDING_NOTE_OBJECT, &known, flags)?;
        let rule = &ledger::DT_FINDING_NOTE_QUESTION_TYPE;
        let is_question = self.optional_bool(&fields, "is_question_for_datatheorem", rule)?;
        match self.optional_text(&fields, "text", &ledger::DT_FINDING_NOTE_TEXT)? {
            Some(text) => Ok(NewNote { text, is_question }),
            None => self.refuse(&ledger::DT_FINDING_NOTE_TEXT, "the field text is required"),
        }
    }

    fn object(
        self,
        rule: &'static Rule,
        known: &[&str],
        flags: &mut Vec<String>,
    ) -> Result<Map<String, Value>, Refusal> {
        if self.readings.content_type == ContentType::Required {
            let media_type = self.content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
            if !media_type.trim().eq_ignore_ascii_case("application/json") {
                let reason = "the request needs the header Content-Type: application/json";
                return Err(Refusal::reading(415, &ledger::DT_CONTENT_TYPE, reason));
            }
        }
        let fields = match serde_json::from_slice(self.bytes) {
            Ok(Value::Object(fields)) => fields,
            Ok(other) => {
                return self.refuse(rule, format!("the body must be a JSON object, not {}", kind(&other)));
            }
            Err(error) => {
                let place = format!("line {} column {}", error.line(), error.column());
                return self.refuse(
                    &ledger::DT_JSON_BODY,
                    format!("the body is not JSON: it fails to parse at {place}"),
                );
            }
        };
        for unknown in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let unknown: String = unknown.chars().take(80).collect();
            let nearest = nearest(&unknown, known);
            match self.readings.unknown_body_field {
                UnknownBodyField::Ignored => {
                    flags.push(format!("unknown body field {unknown:?} ignored{nearest}"));
                }
                UnknownBodyField::Refused => {
                    let reason = format!("there is no body field {unknown:?}{nearest}");
                    return Err(Refusal::reading(
                        invalid(self.readings),
                        &ledger::DT_UNKNOWN_BODY_FIELD,
                        reason,
                    ));
                }
            }
        }
        Ok(fields)
    }

    fn optional_text(
        self,
        fields: &Map<String, Value>,
        name: &str,
        rule: &'static Rule,
    ) -> Result<Option<String>, Refusal> {
        match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => self.refuse(rule, format!("{name} must be a string, not {}", kind(other))),
        }
    }

    fn optional_bool(
        self,
        fields: &Map<String, Value>,
        name: &str,
        rule: &'static Rule,
    ) -> Result<bool, Refusal> {
        match fields.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => self.refuse(rule, format!("{name} must be a boolean, not {}", kind(other))),
        }
    }

    fn refuse<T>(
        self,
        rule: &'static Rule,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Result<T, Refusal> {
        Err(Refusal::rule(invalid(self.readings), rule, reason))
    }
}

/// ` (did you mean "x"?)`, or nothing if no known name is near.
pub(super) fn nearest(name: &str, known: &[&str]) -> String {
    let close = |candidate: &&&str| {
        strsim::jaro_winkler(name, candidate) > 0.8 || (candidate.len() > 3 && name.contains(**candidate))
    };
    let similarity = |candidate: &str| strsim::jaro_winkler(name, candidate);
    let by_similarity = |left: &&&str, right: &&&str| similarity(left).total_cmp(&similarity(right));
    match known.iter().filter(close).max_by(by_similarity) {
        Some(candidate) => format!(" (did you mean {candidate:?}?)"),
        None => String::new(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value for a reason: short texts as they are, anything else by its kind.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 80 => format!("{text:?}"),
        other => kind(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use fixtures::world::data_theorem::{Priority, TargetStatus};

    use super::{Body, ExternalIdChange};
    use crate::vendors::data_theorem::readings::{
        ContentType, ExternalIdEmpty, ExternalIdNull, Readings, UnknownBodyField,
    };

    fn body<'a>(text: &'a str, readings: &'a Readings) -> Body<'a> {
        Body { bytes: text.as_bytes(), content_type: None, readings }
    }

    fn rule_of<T: std::fmt::Debug>(result: Result<T, super::Refusal>) -> String {
        result.unwrap_err().because.id().to_string()
    }

    #[test]
    fn external_ids_follow_their_readings() {
        let plain = Readings::default();
        let other = Readings {
            external_id_null: ExternalIdNull::Cleared,
            external_id_empty: ExternalIdEmpty::Stored,
            ..plain
        };
        let read = |text, readings: &Readings| body(text, readings).external_id_change(&mut vec![]).unwrap();
        assert_eq!(read(r#"{"external_id":"A-1"}"#, &plain), ExternalIdChange::Set("A-1".to_owned()));
        assert_eq!(read("{}", &plain), ExternalIdChange::Unchanged);
        assert_eq!(read(r#"{"external_id":null}"#, &plain), ExternalIdChange::Unchanged);
        assert_eq!(read(r#"{"external_id":null}"#, &other), ExternalIdChange::Cleared);
        assert_eq!(read(r#"{"external_id":""}"#, &plain), ExternalIdChange::Cleared);
        assert_eq!(read(r#"{"external_id":""}"#, &other), ExternalIdChange::Set(String::new()));
        assert_eq!(
            rule_of(body(r#"{"external_id":7}"#, &plain).external_id_change(&mut vec![])),
            "DT-TARGET-PATCH-OBJECT"
        );
    }

    #[test]
    fn statuses_outside_the_four_are_refused() {
        let plain = Readings::default();
        let read = |text| body(text, &plain).status_change(&mut vec![]);
        assert_eq!(read(r#"{"status":"CLOSED_WONT_FIX"}"#).unwrap().status, TargetStatus::ClosedWontFix);
        for status in ["NEW", "CLOSED_FIXED", "open", ""] {
            let text = format!(r#"{{"status":{status:?}}}"#);
            assert_eq!(rule_of(body(&text, &plain).status_change(&mut vec![])), "DT-TARGET-STATUS-ACCEPTED");
        }
        assert_eq!(rule_of(read("{}")), "DT-TARGET-STATUS-REQUIRED");
        assert_eq!(rule_of(read("[]")), "DT-TARGET-STATUS-OBJECT");
        assert_eq!(rule_of(read("status=OPEN")), "DT-JSON-BODY");
        assert_eq!(rule_of(read(r#"{"status":"OPEN","reason":1}"#)), "DT-TARGET-STATUS-REASON");
    }

    #[test]
    fn closing_needs_status_and_reason() {
        let plain = Readings::default();
        let read = |text| body(text, &plain).close(&mut vec![]);
        let good = read(r#"{"aggregated_status":"CLOSED_RISK_ACCEPTED","reason":"x"}"#).unwrap();
        assert!(!good.permanently);
        assert_eq!(rule_of(read(r#"{"aggregated_status":"OPEN","reason":"x"}"#)), "DT-FINDING-CLOSE-STATUS");
        assert_eq!(rule_of(read(r#"{"reason":"x"}"#)), "DT-FINDING-CLOSE-STATUS");
        assert_eq!(rule_of(read(r#"{"aggregated_status":"CLOSED_WONT_FIX"}"#)), "DT-FINDING-CLOSE-REASON");
        let typed =
            read(r#"{"aggregated_status":"CLOSED_WONT_FIX","reason":"x","is_permanently_closed":"true"}"#);
        assert_eq!(rule_of(typed), "DT-FINDING-CLOSE-PERMANENT-TYPE");
    }

    #[test]
    fn priorities_and_notes_are_typed() {
        let plain = Readings::default();
        assert_eq!(
            body(r#"{"priority":"P2"}"#, &plain).priority_change(&mut vec![]).unwrap(),
            Some(Priority::P2)
        );
        assert_eq!(body(r#"{"priority":null}"#, &plain).priority_change(&mut vec![]).unwrap(), None);
        assert_eq!(
            rule_of(body(r#"{"priority":"P5"}"#, &plain).priority_change(&mut vec![])),
            "DT-FINDING-PATCH-PRIORITY-VALUES"
        );
        assert!(!body(r#"{"text":"t"}"#, &plain).new_note(&mut vec![]).unwrap().is_question);
        assert_eq!(rule_of(body("{}", &plain).new_note(&mut vec![])), "DT-FINDING-NOTE-TEXT");
        let typed =
            body(r#"{"text":"t","is_question_for_datatheorem":"true"}"#, &plain).new_note(&mut vec![]);
        assert_eq!(rule_of(typed), "DT-FINDING-NOTE-QUESTION-TYPE");
    }

    #[test]
    fn unknown_fields_are_flagged_or_refused() {
        let mut flags = vec![];
        let plain = Readings::default();
        body(r#"{"externalid":"A-1"}"#, &plain).external_id_change(&mut flags).unwrap();
        assert_eq!(flags, [r#"unknown body field "externalid" ignored (did you mean "external_id"?)"#]);
        let strict = Readings { unknown_body_field: UnknownBodyField::Refused, ..plain };
        assert_eq!(
            rule_of(body(r#"{"x":1}"#, &strict).external_id_change(&mut vec![])),
            "dt.unknown-body-field"
        );
        let typed = Readings { content_type: ContentType::Required, ..plain };
        assert_eq!(body("{}", &typed).external_id_change(&mut vec![]).unwrap_err().status, 415);
        let json = Body { content_type: Some("application/json; charset=utf-8"), ..body("{}", &typed) };
        assert!(json.external_id_change(&mut vec![]).is_ok());
    }
}
