//! Mend, over its issue tracker API.
//!
//! Every call is a `POST` of one JSON object to one address, and says what it wants in `requestType`. `call` asks and
//! tells answers from errors; a file for each thing that is asked says what is made of the answer: `projects`, `issues`
//! (with `reader`), `libraries`, `report`. The readers are tolerant: what is odd is noticed, and what is lost is said.
//!
//! Deliberately absent: paging, which 1.4 does not have; time windows for issues, whose dates are days and mean one
//! thing here and another there, so that everything is asked for; undocumented fields that the vendor's own clients add
//! (`agentInfo`, scope tokens of other kinds).

mod call;
mod issues;
mod libraries;
mod projects;
mod reader;
mod report;
mod settings;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::call::{About, Failure, Question};
pub use self::issues::{Cause, Library, Policy, ProjectIssues, Violation, Vulnerability};
pub use self::projects::{ModifiedProject, Project};
pub use self::report::{Counters, TicketReport};
pub use self::settings::{MendSettings, MendSettingsError, UserKey};
use crate::adapters::caller::Caller;
use crate::core::model::Source;
use crate::core::noticed::Noticed;
use crate::ports::VendorError;

/// One organization at Mend.
///
/// All calls answer [`VendorError::Credential`] if the key or the organization's token is not accepted, and
/// [`VendorError::NotFound`] if a project is gone or may not be seen, which Mend does not tell apart: it is no statement
/// that anything is over.
pub struct Mend {
    settings: MendSettings,
    caller: Caller,
    noticed: Arc<Noticed>,
    learned: Mutex<Learned>,
}

/// What the server turned out to accept, where pages and clients differ.
#[derive(Debug, Clone, Copy, Default)]
struct Learned {
    window: Option<issues::Window>,
    report_form: Option<report::Form>,
}

/// Whom the key belongs to, as far as Mend says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MendIdentity {
    /// The organization's name.
    pub organization: Option<String>,
    /// What the server's clock showed when it answered, to the second; `None` if it did not say. Taken before anything
    /// is read, it is where the next look at modified projects may begin.
    pub server_time: Option<Timestamp>,
}

impl Mend {
    /// An organization, reached by this caller. Nothing is sent yet. What is odd in replies goes to `noticed`.
    pub fn new(settings: MendSettings, caller: Caller, noticed: Arc<Noticed>) -> Self {
        Self { settings, caller, noticed, learned: Mutex::default() }
    }

    /// Proves that key and organization token work, by a call that fails if either does not. Before this has succeeded
    /// no "not found" may be believed (I24).
    pub fn identify(&self) -> Result<MendIdentity, VendorError> {
        let question = Question { request_type: "getOrganizationDetails", about: About::Organization };
        let answer = self.ask(question, &wire::Object::new()).map_err(|failure| match failure {
            // It says nothing but the key and the token, so it is one of them that is refused.
            Failure::Refused { code: Some(_), reason } => {
                VendorError::Credential { vendor: Source::Mend, reason }
            }
            other => question.error(other),
        })?;
        let organization = wire::text(&answer.body, "orgName");
        if organization.is_none() && wire::text(&answer.body, "orgToken").is_none() {
            return Err(question.malformed("it names no organization"));
        }
        Ok(MendIdentity { organization, server_time: answer.server_time })
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mend").field("settings", &self.settings).finish_non_exhaustive()
    }
}
