//! What an attempt to reach Data Theorem says about the settings.

use std::fmt;

use crate::exit::Exit;

/// What came back from `GET mobile_apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A reply.
    Reply {
        /// HTTP status.
        status: u16,
        /// How many apps the list counts, if the body is such a list and says so.
        apps: Option<u64>,
        /// Whether the body is a list of apps.
        is_app_list: bool,
    },
    /// No reply, and why.
    Nothing(String),
}

/// What that means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// The key works.
    Accepted {
        /// How many apps it sees, if the reply said so.
        apps: Option<u64>,
    },
    /// The key is not known: 401.
    KeyRefused,
    /// The key is known and may not read this: 403.
    KeyLacksAccess,
    /// Something answers, but not this API.
    NotTheApi {
        /// HTTP status.
        status: u16,
    },
    /// The API answers and can't help now.
    Trouble {
        /// HTTP status.
        status: u16,
    },
    /// Nothing answers.
    Unreachable(String),
}

/// Says what an observation means.
pub fn diagnose(observation: Observation) -> Diagnosis {
    match observation {
        Observation::Reply { status: 200, apps, is_app_list: true } => Diagnosis::Accepted { apps },
        Observation::Reply { status: 401, .. } => Diagnosis::KeyRefused,
        Observation::Reply { status: 403, .. } => Diagnosis::KeyLacksAccess,
        Observation::Reply { status: status @ (429 | 500..=599), .. } => Diagnosis::Trouble { status },
        Observation::Reply { status, .. } => Diagnosis::NotTheApi { status },
        Observation::Nothing(problem) => Diagnosis::Unreachable(problem),
    }
}

impl Diagnosis {
    /// How the process ends on it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Accepted { .. } => Exit::Done,
            Self::KeyRefused | Self::KeyLacksAccess => Exit::Credentials,
            Self::NotTheApi { .. } => Exit::Configuration,
            Self::Trouble { .. } | Self::Unreachable(_) => Exit::Partial,
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { apps: Some(apps) } => {
                write!(f, "reachable, key accepted, {apps} mobile apps visible")
            }
            Self::Accepted { apps: None } => write!(f, "reachable, key accepted"),
            Self::KeyRefused => {
                write!(f, "reachable, key refused (401): it is not a Results API key of this account")
            }
            Self::KeyLacksAccess => {
                write!(f, "reachable, key refused (403): it is known, but may not list mobile apps")
            }
            Self::NotTheApi { status } => {
                write!(f, "something answers with {status}, but not the Results API: check the base URL")
            }
            Self::Trouble { status } => write!(f, "reachable, but it answers {status}: try again later"),
            Self::Unreachable(problem) => write!(f, "not reachable: {problem}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnosis, Observation, diagnose};

    fn reply(status: u16, is_app_list: bool) -> Diagnosis {
        diagnose(Observation::Reply { status, apps: None, is_app_list })
    }

    #[test]
    fn every_reply_has_one_meaning_and_one_exit_code() {
        let code = |diagnosis: Diagnosis| diagnosis.exit().code();
        assert_eq!(code(reply(200, true)), 0);
        assert_eq!(code(reply(401, false)), 3);
        assert_eq!(code(reply(403, false)), 3);
        for status in [429, 500, 503] {
            assert_eq!(code(reply(status, false)), 4, "{status}");
        }
        for status in [204, 302, 404, 418] {
            assert_eq!(code(reply(status, false)), 2, "{status}");
        }
        assert_eq!(code(diagnose(Observation::Nothing("refused".to_owned()))), 4);
    }

    #[test]
    fn a_200_that_is_no_app_list_is_not_the_api() {
        assert_eq!(reply(200, false), Diagnosis::NotTheApi { status: 200 });
    }
}
