//! A refusal and what it rests on: every vendor says no with one of these.

use std::borrow::Cow;

use fixtures::spec::{Reading, Rule};
use smol_str::SmolStr;

/// A request that is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// What the refusal rests on.
    pub because: Because,
    /// Why, in a sentence for the person who wrote the client. Never contains a secret.
    pub reason: Cow<'static, str>,
}

/// What a refusal rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The vendor's document, or observed behaviour.
    Rule(&'static Rule),
    /// A choice of ours where the documents are silent.
    Reading(&'static Reading),
    /// Neither: this is the server speaking as a server, e.g. a body that is too large.
    Server(&'static str),
}

impl Because {
    /// The id shown in `x-mock-rule` and in the journal.
    pub fn id(self) -> SmolStr {
        SmolStr::new_static(match self {
            Self::Rule(rule) => rule.id,
            Self::Reading(reading) => reading.id,
            Self::Server(id) => id,
        })
    }
}

impl Refusal {
    /// A refusal that rests on a rule.
    pub fn rule(status: u16, rule: &'static Rule, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status, because: Because::Rule(rule), reason: reason.into() }
    }

    /// A refusal that rests on a reading.
    pub fn reading(status: u16, reading: &'static Reading, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status, because: Because::Reading(reading), reason: reason.into() }
    }

    /// A refusal by the server itself, e.g. `server.body-too-large`.
    pub fn server(status: u16, id: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status, because: Because::Server(id), reason: reason.into() }
    }
}
