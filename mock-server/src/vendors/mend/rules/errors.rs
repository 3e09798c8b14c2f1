//! Error codes of the vendor, and refusals that carry one.

use std::borrow::Cow;

use fixtures::spec::{Reading, Rule};

use crate::http::reject::{Because, Refusal};
use crate::vendors::mend::readings::{BadValueCode, MissingFieldCode, Readings};

/// An `errorCode`. Codes and meanings stand in the source of the vendor's own client library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 2007: the user is not in the organization.
    NotInOrganization,
    /// 2008: the group does not exist.
    UnknownGroup,
    /// 2011: the user does not exist.
    UnknownUser,
    /// 2021: invalid option value for a property.
    InvalidOption,
    /// 3000: invalid request parameters.
    InvalidParameters,
    /// 3010: missing fields.
    MissingFields,
    /// 4000: unexpected error.
    Unexpected,
    /// 5001: the user is not allowed to do this.
    NotAllowed,
    /// 8000: invalid `keyUuid` of a library.
    InvalidLibrary,
}

impl Code {
    /// The number.
    pub const fn number(self) -> u16 {
        match self {
            Self::NotInOrganization => 2007,
            Self::UnknownGroup => 2008,
            Self::UnknownUser => 2011,
            Self::InvalidOption => 2021,
            Self::InvalidParameters => 3000,
            Self::MissingFields => 3010,
            Self::Unexpected => 4000,
            Self::NotAllowed => 5001,
            Self::InvalidLibrary => 8000,
        }
    }
}

/// A request that is not granted, with the vendor's code for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code.
    pub code: Code,
    /// What it rests on, and the HTTP status.
    pub refusal: Refusal,
}

impl Refused {
    /// A refusal that rests on a rule.
    pub fn rule(code: Code, rule: &'static Rule, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, refusal: Refusal::rule(200, rule, reason) }
    }

    /// A refusal that rests on a reading.
    pub fn reading(code: Code, reading: &'static Reading, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, refusal: Refusal::reading(200, reading, reason) }
    }

    /// A field that has to be there and is not.
    pub fn missing(fields: &[&str], because: impl Into<Because>, readings: &Readings) -> Self {
        let code = match readings.missing_field_code {
            MissingFieldCode::MissingFields => Code::MissingFields,
            MissingFieldCode::InvalidParameters => Code::InvalidParameters,
        };
        let reason = format!("Missing fields: {}", fields.join(", "));
        Self { code, refusal: Refusal { status: 200, because: because.into(), reason: reason.into() } }
    }

    /// A field whose value can't be used.
    pub fn bad_value(
        because: impl Into<Because>,
        reason: impl Into<Cow<'static, str>>,
        readings: &Readings,
    ) -> Self {
        let code = match readings.bad_value_code {
            BadValueCode::InvalidParameters => Code::InvalidParameters,
            BadValueCode::InvalidOption => Code::InvalidOption,
        };
        Self { code, refusal: Refusal { status: 200, because: because.into(), reason: reason.into() } }
    }

    /// The `errorMessage`: what was observed where it was, and then the reason.
    pub fn message(&self) -> String {
        let reason = &self.refusal.reason;
        match self.code {
            // The one message that was seen in production; it does not say why.
            Code::NotAllowed => "User is not allowed to perform this action".to_owned(),
            Code::MissingFields => reason.to_string(),
            Code::InvalidParameters => format!("Invalid request parameters: {reason}"),
            Code::InvalidOption => format!("Invalid option value: {reason}"),
            Code::Unexpected => format!("Unexpected: {reason}"),
            Code::InvalidLibrary => format!("Invalid key UUID: {reason}"),
            Code::NotInOrganization => format!("User is not in organization: {reason}"),
            Code::UnknownGroup => format!("Group does not exist: {reason}"),
            Code::UnknownUser => format!("User doesn't exist: {reason}"),
        }
    }
}

impl From<&'static Rule> for Because {
    fn from(rule: &'static Rule) -> Self {
        Self::Rule(rule)
    }
}

impl From<&'static Reading> for Because {
    fn from(reading: &'static Reading) -> Self {
        Self::Reading(reading)
    }
}
