//! Tells Mend about a ticket.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Mend;
use super::call::{About, Answer, Failure, Question};
use super::wire::{self, Object};
use crate::core::mend_text;
use crate::core::noticed::Noticed;
use crate::ports::VendorError;

/// What Mend is told of a ticket. What can't be sent as it is, is left out or cleaned; only the identifier may not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketReport {
    /// The ticket's key, e.g. `SEC-12`: at most 255 bytes, not blank, without `<`, `>`, `%` and `&`.
    pub identifier: String,
    /// Its address for people: at most 2000 bytes, without those characters, or it is left out.
    pub url: Option<String>,
    /// Its status in the tracker's words; forbidden characters become blanks, and 255 bytes of it are sent.
    pub status: Option<String>,
    /// When it was made. Sent in whole seconds of UTC.
    pub created: Option<Timestamp>,
    /// When it last changed. Sent in whole seconds of UTC.
    pub last_modified: Option<Timestamp>,
    /// What else there is to say, e.g. `issuePriority` and `issueLabel`; keys and values are sent like
    /// [`Self::status`].
    pub extra: BTreeMap<String, String>,
}

/// What Mend made of a report: one of them is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// It did not know the ticket.
    pub created: u64,
    /// It knew it otherwise.
    pub updated: u64,
    /// It knew it like that.
    pub unaffected: u64,
}

/// How dates are written, or that a report does without what servers may refuse. The table has dates with a blank, the
/// example with a `T`, and no form is surely accepted by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `2020-12-23 10:00:00`
    Space,
    /// `2020-12-23T10:00:00+00:00`
    Iso,
    /// Neither dates nor extra data.
    Bare,
}

impl Mend {
    /// Tells Mend which ticket a policy violation has, and how it is. Saying the same again changes nothing.
    ///
    /// # Errors
    /// [`VendorError::Refused`] without a request if the identifier can't be sent; with one if Mend refuses the report,
    /// also if the violation no longer exists. [`VendorError::Malformed`] if the counters don't add up; the report may
    /// have been taken.
    pub fn report(
        &self,
        project_token: &str,
        violation_uuid: &str,
        ticket: &TicketReport,
    ) -> Result<Counters, VendorError> {
        let about = About::Violation(project_token, violation_uuid);
        let question = Question { request_type: "updateExternalIntegrationIssues", about };
        let item = Item::of(ticket, &self.noticed).map_err(|problem| {
            let reason =
                format!("the identifier {:?} can't be sent: {problem}", wire::shown(&ticket.identifier));
            question.error(Failure::Refused { code: None, reason })
        })?;
        let known = self.learned().report_form;
        let forms = match known {
            Some(known) => vec![known, Form::Bare],
            None => vec![Form::Space, Form::Iso, Form::Bare],
        };
        let mut sent: Vec<Value> = Vec::new();
        let mut refused = None;
        for form in forms {
            let shape = item.shape(form);
            if sent.contains(&shape) {
                continue;
            }
            let mut fields = Object::new();
            fields.insert("wsPolicyIssueItemUuid".to_owned(), json!(violation_uuid));
            fields.insert("externalIssues".to_owned(), json!([shape]));
            sent.push(shape);
            match self.ask(question, &fields) {
                Ok(answer) => {
                    self.learn(&item, form, known);
                    return counters(question, &answer);
                }
                Err(failure @ Failure::Refused { .. }) => drop(refused.get_or_insert(failure)),
                Err(failure) => return Err(question.error(failure)),
            }
        }
        let failure = refused.unwrap_or_else(|| Failure::Malformed("nothing could be sent".to_owned()));
        Err(question.error(failure))
    }

    fn learn(&self, item: &Item<'_>, form: Form, known: Option<Form>) {
        if form == Form::Bare {
            if item.shape(Form::Bare) != item.shape(Form::Space) {
                self.noticed.see("Mend took a ticket only without its dates and extra data");
            }
            if known.is_some() {
                self.learned().report_form = None;
            }
        } else if item.has_dates() {
            self.learned().report_form = Some(form);
        }
    }
}

/// What will be sent of a report.
struct Item<'a> {
    identifier: &'a str,
    url: Option<&'a str>,
    status: Option<String>,
    created: Option<Timestamp>,
    last_modified: Option<Timestamp>,
    extra: BTreeMap<String, String>,
}

impl<'a> Item<'a> {
    fn of(ticket: &'a TicketReport, noticed: &Noticed) -> Result<Self, mend_text::Unsendable> {
        mend_text::identifier(&ticket.identifier)?;
        let clean = |name: &str, text: &str| {
            let cleaned = mend_text::clean(text).into_owned();
            if cleaned != text {
                noticed.see(format!("{name} of a ticket was changed to be sent to Mend"));
            }
            Some(cleaned).filter(|text| !text.trim().is_empty())
        };
        let url = ticket.url.as_deref().filter(|url| match mend_text::url(url) {
            Ok(()) => !url.is_empty(),
            Err(problem) => {
                noticed.see(format!("the url of a ticket can't be sent to Mend: {}", problem.without_size()));
                false
            }
        });
        let date = |name: &str, time: Option<Timestamp>| {
            // Mend's forms have four digits for the year.
            let is_sendable = |time: &Timestamp| (1..=9999).contains(&time.to_zoned(TimeZone::UTC).year());
            let sendable = time.filter(is_sendable);
            if sendable != time {
                noticed.see(format!("{name} of a ticket can't be sent to Mend: its year has no four digits"));
            }
            sendable
        };
        let extra = ticket.extra.iter().filter_map(|(key, value)| {
            Some((clean("a key of extraData", key)?, clean("a value of extraData", value)?))
        });
        Ok(Self {
            identifier: &ticket.identifier,
            url,
            status: ticket.status.as_deref().and_then(|status| clean("the status", status)),
            created: date("created", ticket.created),
            last_modified: date("lastModified", ticket.last_modified),
            extra: extra.collect(),
        })
    }

    fn has_dates(&self) -> bool {
        self.created.is_some() || self.last_modified.is_some()
    }

    /// The item as it is sent. `extraData` is a map of strings, as in the example: where the table's array is meant,
    /// a map is the other thing that is known to be accepted.
    fn shape(&self, form: Form) -> Value {
        let mut shape = Object::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                shape.insert(key.to_owned(), value);
            }
        };
        put("identifier", Some(json!(self.identifier)));
        put("url", self.url.map(|url| json!(url)));
        put("status", self.status.as_ref().map(|status| json!(status)));
        let written = match form {
            Form::Space => Some("%Y-%m-%d %H:%M:%S"),
            Form::Iso => Some("%Y-%m-%dT%H:%M:%S+00:00"),
            Form::Bare => None,
        };
        if let Some(written) = written {
            let date = |time: Option<Timestamp>| {
                time.map(|time| json!(time.to_zoned(TimeZone::UTC).strftime(written).to_string()))
            };
            put("created", date(self.created));
            put("lastModified", date(self.last_modified));
            put("extraData", (!self.extra.is_empty()).then(|| json!(self.extra)));
        }
        Value::Object(shape)
    }
}

fn counters(question: Question<'_>, answer: &Answer) -> Result<Counters, VendorError> {
    let count = |key: &str| {
        wire::count(&answer.body, key).ok_or_else(|| question.malformed(format!("it has no count {key}")))
    };
    let counters = Counters {
        created: count("createdIssues")?,
        updated: count("updatedIssues")?,
        unaffected: count("unaffectedIssues")?,
    };
    let sum = [counters.created, counters.updated, counters.unaffected]
        .into_iter()
        .try_fold(0_u64, u64::checked_add);
    if sum == Some(1) {
        return Ok(counters);
    }
    Err(question.malformed(format!(
        "it counts {} created, {} updated and {} unaffected tickets of the one that was reported",
        counters.created, counters.updated, counters.unaffected
    )))
}
