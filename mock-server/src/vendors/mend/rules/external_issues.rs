//! What `updateExternalIntegrationIssues` may report: every field as the page's list of validations says.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::spec::Rule;
use fixtures::spec::mend as ledger;
use fixtures::world::mend::ExternalIssueSpec;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::datetimes;
use super::errors::Refused;
use super::fields::{self, kind};
use crate::http::reject::Because;
use crate::vendors::mend::readings::{
    AbsentItemFields, EmptyExternalIssues, EmptyIdentifier, ExtExtraDataKeys, ExtraData, ExtraFieldsPlace,
    LengthUnit, Readings, SameIdentifierTwice, TrackerPluginType, UrlSpecialChars,
};

/// Longest text, in the unit of `mend.length-unit`.
pub const TEXT_MAX: usize = 255;
/// Longest address, in the same unit.
pub const URL_MAX: usize = 2_000;
/// What no text may contain.
pub const FORBIDDEN: [char; 4] = ['<', '>', '%', '&'];

/// Fields that the newer page lists beside `extraData`, and both examples within it.
const EXTRA_FIELDS: [&str; 3] = ["issuePriority", "issueLabel", "policyId"];

/// An issue as it is reported; what is absent was not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Identifies it in the tracker.
    pub identifier: String,
    url: Option<String>,
    status: Option<String>,
    created: Option<Timestamp>,
    last_modified: Option<Timestamp>,
    extra_data: BTreeMap<String, String>,
}

impl Item {
    /// What is stored for a violation, given what was known before.
    pub fn onto(
        self,
        violation_uuid: &str,
        known: Option<&ExternalIssueSpec>,
        readings: &Readings,
    ) -> ExternalIssueSpec {
        let said = ExternalIssueSpec {
            violation_uuid: violation_uuid.to_owned(),
            identifier: self.identifier,
            url: self.url,
            status: self.status,
            created: self.created,
            last_modified: self.last_modified,
            extra_data: self.extra_data,
        };
        match (known, readings.absent_item_fields) {
            (Some(known), AbsentItemFields::Kept) => ExternalIssueSpec {
                url: said.url.or_else(|| known.url.clone()),
                status: said.status.or_else(|| known.status.clone()),
                created: said.created.or(known.created),
                last_modified: said.last_modified.or(known.last_modified),
                extra_data: known.extra_data.clone().into_iter().chain(said.extra_data).collect(),
                ..said
            },
            _ => said,
        }
    }
}

/// Reads `externalIssues`; the first thing that is wrong with one item is what is wrong with all of them.
/// `flag` learns of fields that nobody knows.
pub fn items(
    request: &Map<String, Value>,
    readings: &Readings,
    flag: &dyn Fn(String),
) -> Result<Vec<Item>, Refused> {
    let rule = &ledger::MEND_EXT_ISSUES_REQUIRED;
    let Some(value) = fields::value(request, "externalIssues") else {
        return Err(Refused::missing(&["externalIssues"], rule, readings));
    };
    let Some(values) = value.as_array() else {
        let reason = format!("externalIssues has to be an array of objects, not {}", kind(value));
        return Err(Refused::bad_value(rule, reason, readings));
    };
    if values.is_empty() && readings.empty_external_issues == EmptyExternalIssues::Refused {
        let reason = "externalIssues is empty";
        return Err(Refused::bad_value(&ledger::MEND_EMPTY_EXTERNAL_ISSUES, reason, readings));
    }
    let mut items = Vec::with_capacity(values.len());
    let mut seen = BTreeSet::new();
    for (place, value) in values.iter().enumerate() {
        let name = format!("externalIssues[{place}]");
        let Some(fields) = value.as_object() else {
            let reason = format!("{name} has to be an object, not {}", kind(value));
            return Err(Refused::bad_value(rule, reason, readings));
        };
        let item = ItemReader { name, fields, readings, flag }.item()?;
        if !seen.insert(item.identifier.clone())
            && readings.same_identifier_twice == SameIdentifierTwice::Refused
        {
            let reason = format!("externalIssues[{place}].identifier is that of an item before it");
            return Err(Refused::bad_value(&ledger::MEND_SAME_IDENTIFIER_TWICE, reason, readings));
        }
        items.push(item);
    }
    Ok(items)
}

/// Checks `issueTrackerPluginType`.
pub fn plugin_type(request: &Map<String, Value>, readings: &Readings) -> Result<(), Refused> {
    let field = "issueTrackerPluginType";
    let Some(text) = fields::optional_text(request, field, &ledger::MEND_EXT_PLUGIN_TYPE, readings)? else {
        return Ok(());
    };
    check_text(field, text, TEXT_MAX, &ledger::MEND_EXT_STRING_LENGTH, readings)?;
    if readings.tracker_plugin_type == TrackerPluginType::JiraOnly && !text.eq_ignore_ascii_case("JIRA") {
        let reason = format!("{field} has to be JIRA");
        return Err(Refused::bad_value(&ledger::MEND_TRACKER_PLUGIN_TYPE, reason, readings));
    }
    Ok(())
}

/// Whether a text has the form of a UUID.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Reads one item.
struct ItemReader<'a> {
    /// What messages call the item.
    name: String,
    fields: &'a Map<String, Value>,
    readings: &'a Readings,
    flag: &'a dyn Fn(String),
}

impl ItemReader<'_> {
    fn item(&self) -> Result<Item, Refused> {
        let identifier = self.identifier()?;
        let url = self.url()?;
        let status = self.text("status", TEXT_MAX, &ledger::MEND_EXT_STRING_LENGTH)?;
        let created = self.date("created")?;
        let last_modified = self.date("lastModified")?;
        let extra_data = self.extra_data()?;
        self.flag_unknown();
        Ok(Item { identifier, url, status, created, last_modified, extra_data })
    }

    fn identifier(&self) -> Result<String, Refused> {
        let identifier = self.text("identifier", TEXT_MAX, &ledger::MEND_EXT_STRING_LENGTH)?;
        let name = format!("{}.identifier", self.name);
        match identifier {
            None => {
                let rule = &ledger::MEND_EXT_IDENTIFIER_REQUIRED;
                Err(Refused::missing(&[&format!("{name}, which {} asks for", rule.id)], rule, self.readings))
            }
            Some(text) if text.is_empty() && self.readings.empty_identifier == EmptyIdentifier::Refused => {
                let reason = format!("{name} is empty");
                Err(Refused::bad_value(&ledger::MEND_EMPTY_IDENTIFIER, reason, self.readings))
            }
            Some(text) => Ok(text),
        }
    }

    fn url(&self) -> Result<Option<String>, Refused> {
        let Some(text) = self.raw_text("url", &ledger::MEND_EXT_URL_LENGTH)? else { return Ok(None) };
        let name = format!("{}.url", self.name);
        check_length(&name, text, URL_MAX, &ledger::MEND_EXT_URL_LENGTH, self.readings)?;
        if self.readings.url_special_chars == UrlSpecialChars::Refused {
            check_characters(&name, text, &ledger::MEND_URL_SPECIAL_CHARS, self.readings)?;
        }
        Ok(Some(text.to_owned()))
    }

    fn date(&self, field: &str) -> Result<Option<Timestamp>, Refused> {
        let rule = &ledger::MEND_EXT_DATE_TIME;
        let Some(text) = self.raw_text(field, rule)? else { return Ok(None) };
        match datetimes::of_issue(text, self.readings.external_datetimes) {
            Some(time) => Ok(Some(time)),
            None => {
                let name = &self.name;
                let reason = format!(
                    "{name}.{field} is no date of the form YYYY-MM-DD HH:mm:ss or YYYY-MM-DDTHH:mm:ss+02:00, \
                     which {} asks for",
                    rule.id
                );
                Err(Refused::bad_value(rule, reason, self.readings))
            }
        }
    }

    fn extra_data(&self) -> Result<BTreeMap<String, String>, Refused> {
        let mut extra = match fields::value(self.fields, "extraData") {
            None => BTreeMap::new(),
            Some(Value::Object(entries)) => {
                let entry = |(key, value)| Ok((String::clone(key), self.extra_text(key, value)?));
                entries.iter().map(entry).collect::<Result<_, Refused>>()?
            }
            Some(Value::Array(values)) if self.readings.extra_data == ExtraData::MapOrArray => {
                let entry = |(place, value): (usize, &Value)| {
                    let key = place.to_string();
                    let text = self.extra_text(&key, value)?;
                    Ok((key, text))
                };
                values.iter().enumerate().map(entry).collect::<Result<_, Refused>>()?
            }
            Some(other) => {
                let rule = &ledger::MEND_EXT_EXTRA_DATA_MAP;
                let (name, kind) = (&self.name, kind(other));
                let reason =
                    format!("{name}.extraData has to be a map of strings by {}, not {kind}", rule.id);
                return Err(Refused::bad_value(rule, reason, self.readings));
            }
        };
        if self.readings.extra_fields_place == ExtraFieldsPlace::Both {
            for field in EXTRA_FIELDS {
                if let Some(text) = self.text(field, TEXT_MAX, &ledger::MEND_EXT_STRING_LENGTH)? {
                    extra.entry(field.to_owned()).or_insert(text);
                }
            }
        }
        Ok(extra)
    }

    fn extra_text(&self, key: &str, value: &Value) -> Result<String, Refused> {
        let shown: String = key.chars().take(60).collect();
        let name = format!("{}.extraData.{shown}", self.name);
        if self.readings.ext_extra_data_keys == ExtExtraDataKeys::Checked {
            let (name, reading) = (format!("{name} as a key"), &ledger::MEND_EXT_EXTRA_DATA_KEYS);
            check_length(&name, key, TEXT_MAX, reading, self.readings)?;
            check_characters(&name, key, reading, self.readings)?;
        }
        let Some(text) = value.as_str() else {
            let rule = &ledger::MEND_EXT_EXTRA_DATA_MAP;
            let reason = format!("{name} has to be a string by {}, not {}", rule.id, kind(value));
            return Err(Refused::bad_value(rule, reason, self.readings));
        };
        check_text(&name, text, TEXT_MAX, &ledger::MEND_EXT_STRING_LENGTH, self.readings)?;
        Ok(text.to_owned())
    }

    fn text(&self, field: &str, max: usize, rule: &'static Rule) -> Result<Option<String>, Refused> {
        let Some(text) = self.raw_text(field, rule)? else { return Ok(None) };
        check_text(&format!("{}.{field}", self.name), text, max, rule, self.readings)?;
        Ok(Some(text.to_owned()))
    }

    fn raw_text(&self, field: &str, rule: &'static Rule) -> Result<Option<&str>, Refused> {
        match fields::value(self.fields, field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => {
                let (name, kind) = (&self.name, kind(other));
                let reason = format!("{name}.{field} has to be a string by {}, not {kind}", rule.id);
                Err(Refused::bad_value(rule, reason, self.readings))
            }
        }
    }

    fn flag_unknown(&self) {
        let known = ["identifier", "url", "status", "created", "lastModified", "extraData"];
        for field in self.fields.keys() {
            let is_extra = EXTRA_FIELDS.contains(&field.as_str());
            let is_read = is_extra && self.readings.extra_fields_place == ExtraFieldsPlace::Both;
            if !known.contains(&field.as_str()) && !is_read {
                let field: String = field.chars().take(60).collect();
                (self.flag)(format!("ignored {}.{field}", self.name));
            }
        }
    }
}

fn check_text(
    name: &str,
    text: &str,
    max: usize,
    rule: &'static Rule,
    readings: &Readings,
) -> Result<(), Refused> {
    check_length(name, text, max, rule, readings)?;
    check_characters(name, text, &ledger::MEND_EXT_FORBIDDEN_CHARS, readings)
}

fn check_length(
    name: &str,
    text: &str,
    max: usize,
    because: impl Into<Because>,
    readings: &Readings,
) -> Result<(), Refused> {
    let because = because.into();
    let (length, unit) = match readings.length_unit {
        LengthUnit::Characters => (text.chars().count(), "characters"),
        LengthUnit::Utf16 => (text.encode_utf16().count(), "UTF-16 units"),
        LengthUnit::Bytes => (text.len(), "bytes"),
    };
    if length <= max {
        return Ok(());
    }
    let reason = format!("{name} has {length} {unit}, and {} allows {max}", because.id());
    Err(Refused::bad_value(because, reason, readings))
}

fn check_characters(
    name: &str,
    text: &str,
    because: impl Into<Because>,
    readings: &Readings,
) -> Result<(), Refused> {
    let because = because.into();
    match text.chars().find(|character| FORBIDDEN.contains(character)) {
        None => Ok(()),
        Some(character) => {
            let reason = format!("{name} has the character {character:?}, which {} forbids", because.id());
            Err(Refused::bad_value(because, reason, readings))
        }
    }
}
