//! What policies find in a project: `fetchProjectPolicyIssues`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::Mend;
use super::call::{About, Answer, Failure, Question};
use super::reader;
use super::wire::Object;
use crate::core::model::Standing;
use crate::ports::VendorError;

/// What policies find in a project.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProjectIssues {
    /// The organization's name.
    pub organization: Option<String>,
    /// The product's name.
    pub product: Option<String>,
    /// The project's name.
    pub project: Option<String>,
    /// The violations, each once, in the order of their ids. Those of disabled policies are among them.
    pub violations: Vec<Violation>,
    /// Whether everything in the answer could be read. If not, a violation that is missing here may have been there.
    pub is_complete: bool,
}

/// What a library violates in a policy: one licence, one vulnerability, or itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Its id, `issueUuid`; with the project's token it names the violation.
    pub uuid: String,
    /// What [`Self::status`] means. Says nothing of whether the policy is enabled; see [`Violation::is_open`].
    pub standing: Standing,
    /// The vendor's word, e.g. `OPEN`; empty if there is none.
    pub status: String,
    /// `LICENSE`, `VULNERABILITY` or another word, most often the policy's match type; empty if there is none.
    pub violation_type: String,
    /// The library.
    pub library: Arc<Library>,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The licence or the vulnerability; `None` where it is about the library itself.
    pub cause: Option<Cause>,
    /// When it began. Mend writes days, so this is the beginning of that day in UTC.
    pub created: Option<Timestamp>,
    /// When it last changed. Mend writes days, so this is the beginning of that day in UTC.
    pub last_modified: Option<Timestamp>,
}

/// A library. Everything that the vendor does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Library {
    /// Its id, `keyUuid`, by which [`Mend::libraries_present`] asks for it.
    pub key_uuid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its file's name.
    pub filename: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its coordinates, e.g. `org.spockframework:spock-core:0.7-groovy-1.8`.
    pub coordinates: Option<String>,
    /// Its type, e.g. `MAVEN_ARTIFACT`.
    pub kind: Option<String>,
    /// Where people look at it.
    pub url: Option<String>,
}

/// A policy. Everything that the vendor does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Its number, as text.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is in force. The vendor's own clients leave out what a disabled policy matches.
    pub is_enabled: bool,
    /// Where people look at it.
    pub url: Option<String>,
    /// Its priority, the smaller the sooner.
    pub priority: Option<u64>,
    /// What it matches by, e.g. `LICENSE`.
    pub match_type: Option<String>,
    /// What it matches, e.g. names of licences.
    pub match_value: Option<String>,
    /// Where it was made: `DOMAIN`, `PRODUCT` or `PROJECT`.
    pub context: Option<String>,
}

/// What about the library violates the policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// A licence.
    License {
        /// Its name.
        name: String,
    },
    /// A vulnerability.
    Vulnerability(Box<Vulnerability>),
}

/// A vulnerability.
#[derive(Debug, Clone, PartialEq)]
pub struct Vulnerability {
    /// Its name, e.g. `CVE-2021-44228`.
    pub name: String,
    /// Its score by CVSS 3, or by CVSS 2 where there is no other.
    pub score: Option<f64>,
    /// Its severity by the same, e.g. `high`.
    pub severity: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Where people read about it.
    pub url: Option<String>,
    /// What helps against it.
    pub fix: Option<String>,
}

/// How the question says which time it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// Not at all, which the page's note allows: everything.
    Absent,
    /// As every client of the vendor writes it.
    Space,
    /// As the page's table writes it.
    Slashes,
    /// As the page's example writes it.
    Dashes,
}

impl Window {
    const ALL: [Self; 4] = [Self::Absent, Self::Space, Self::Slashes, Self::Dashes];

    /// The widest window: all the time the vendor has been there, and will be.
    fn bounds(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Absent => None,
            Self::Space => Some(["2000-01-01 00:00:00", "2099-12-31 23:59:59"]),
            Self::Slashes => Some(["2000/01/01-00:00", "2099/12/31-23:59"]),
            Self::Dashes => Some(["2000-01-01-00:00", "2099-12-31-23:59"]),
        }
    }
}

impl Violation {
    /// Whether it asks for a ticket: its status says so, and its policy is in force.
    pub fn is_open(&self) -> bool {
        self.standing == Standing::Open && self.policy.is_enabled
    }
}

impl Mend {
    /// Everything that policies with the action `CREATE_ISSUE` find in a project, whenever they found it. Asks without a
    /// window; a server that insists on one gets the widest, in the form it takes.
    ///
    /// A row that can't be read is noticed, left out, and makes the answer incomplete. An answer without the list of
    /// issues is an error and never an empty one.
    pub fn policy_issues(&self, project_token: &str) -> Result<ProjectIssues, VendorError> {
        let question =
            Question { request_type: "fetchProjectPolicyIssues", about: About::Project(project_token) };
        let answer = self.ask_in_a_window(question).map_err(|failure| question.error(failure))?;
        reader::project_issues(&answer.body, &self.noticed)
            .ok_or_else(|| question.malformed("it has no list issues"))
    }

    /// Asks in the form that worked last, and else in every form. What is refused in all of them is refused for what
    /// the first one was.
    fn ask_in_a_window(&self, question: Question<'_>) -> Result<Answer, Failure> {
        let known = self.learned().window;
        let forms = known.map_or_else(|| Window::ALL.to_vec(), |known| vec![known]);
        let mut refused = None;
        for form in forms {
            let mut fields = Object::new();
            fields.insert("policyActionType".to_owned(), json!("CREATE_ISSUE"));
            if let Some([from, to]) = form.bounds() {
                fields.insert("fromDateTime".to_owned(), json!(from));
                fields.insert("toDateTime".to_owned(), json!(to));
            }
            match self.ask(question, &fields) {
                Ok(answer) => {
                    self.learned().window = Some(form);
                    return Ok(answer);
                }
                Err(failure @ Failure::Refused { .. }) => drop(refused.get_or_insert(failure)),
                Err(failure) => return Err(failure),
            }
        }
        // A form that worked and does no longer is not held on to.
        self.learned().window = None;
        Err(refused.unwrap_or_else(|| Failure::Malformed("nothing could be asked".to_owned())))
    }
}
