//! How Jira says no: what it rests on, and the body that goes with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fixtures::spec::jira as ledger;
use fixtures::spec::{Reading, Rule};
use http::HeaderName;

use crate::http::reject::{Because, Refusal};

/// A request that is not granted, with what the vendor's body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What it rests on.
    pub refusal: Refusal,
    /// What is wrong with the request as a whole.
    pub messages: Vec<String>,
    /// What is wrong with fields, by name.
    pub errors: BTreeMap<String, String>,
    /// Further headers.
    pub headers: Vec<(HeaderName, String)>,
    /// Whether the body is a web page.
    pub is_page: bool,
    /// A body of another form than others have.
    pub body: Option<Vec<u8>>,
}

/// A handler that says no.
pub type Denied = Box<Denial>;

impl Denial {
    /// A denial in one sentence.
    pub fn new(refusal: Refusal) -> Denied {
        let messages = vec![refusal.reason.to_string()];
        Box::new(Self {
            refusal,
            messages,
            errors: BTreeMap::new(),
            headers: Vec::new(),
            is_page: false,
            body: None,
        })
    }

    /// A denial that rests on a rule.
    pub fn rule(status: u16, rule: &'static Rule, text: impl Into<Cow<'static, str>>) -> Denied {
        Self::new(Refusal::rule(status, rule, text))
    }

    /// A denial that rests on a reading.
    pub fn reading(status: u16, reading: &'static Reading, text: impl Into<Cow<'static, str>>) -> Denied {
        Self::new(Refusal::reading(status, reading, text))
    }

    /// A denial by the server itself.
    pub fn server(status: u16, id: &'static str, text: impl Into<Cow<'static, str>>) -> Denied {
        Self::new(Refusal::server(status, id, text))
    }

    /// An issue that does not exist, or that the user may not see: nobody can tell.
    pub fn no_issue() -> Denied {
        let text = "Issue does not exist or you do not have permission to see it.";
        Self::rule(404, &ledger::JIRA_ISSUE_404, text)
    }
}

/// What is wrong with the fields of a request, collected.
#[derive(Debug, Default)]
pub struct FieldProblems {
    because: Option<Because>,
    messages: Vec<String>,
    errors: BTreeMap<String, String>,
}

impl FieldProblems {
    /// Notes what is wrong with a field.
    pub fn field(&mut self, because: Because, field: &str, text: impl Into<String>) {
        self.because.get_or_insert(because);
        self.errors.entry(shortened(field)).or_insert_with(|| text.into());
    }

    /// Notes what is wrong as a whole.
    pub fn message(&mut self, because: Because, text: impl Into<String>) {
        self.because.get_or_insert(because);
        self.messages.push(text.into());
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.because.is_none()
    }

    /// The denial, if anything is wrong.
    pub fn denied(self) -> Result<(), Denied> {
        let Some(because) = self.because else { return Ok(()) };
        let texts = self.errors.iter().map(|(field, text)| format!("{field}: {text}"));
        let reason = self.messages.iter().cloned().chain(texts).collect::<Vec<_>>().join("; ");
        let refusal = Refusal { status: 400, because, reason: reason.into() };
        let Self { messages, errors, .. } = self;
        Err(Box::new(Denial { refusal, messages, errors, headers: Vec::new(), is_page: false, body: None }))
    }
}

/// What a client sent, short enough to be repeated.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
