//! What an attempt to reach one side says about its settings.

use std::fmt;

use crate::exit::Exit;
use crate::ports::{TrackerError, VendorError};

/// What it says. The texts name no credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// The credential works.
    Accepted {
        /// What it sees, or whose it is, if the reply said so: `12 mobile apps`.
        sees: Option<String>,
    },
    /// The credential is not known.
    CredentialRefused(String),
    /// The credential is known and may not do what a sync needs.
    LacksAccess(String),
    /// Something answers, but not this API.
    NotTheApi(String),
    /// It answers, and says that it can't be used like this.
    NotUsable(String),
    /// Nothing answers, or it can't help now.
    Unavailable(String),
}

impl Diagnosis {
    /// What it means that a vendor did not prove the credential.
    pub fn of_vendor(error: &VendorError) -> Self {
        match error {
            VendorError::Credential { reason, .. } => Self::CredentialRefused(reason.clone()),
            VendorError::Refused { reason, .. } => Self::LacksAccess(reason.clone()),
            VendorError::NotFound { reason, .. } | VendorError::Malformed { reason, .. } => {
                Self::NotTheApi(reason.clone())
            }
            VendorError::Unavailable { reason, .. } => Self::Unavailable(reason.clone()),
        }
    }

    /// What it means that a tracker did not prove the credential.
    pub fn of_tracker(error: &TrackerError) -> Self {
        match error {
            TrackerError::Credential(reason) => Self::CredentialRefused(reason.clone()),
            TrackerError::Refused(reason) => Self::NotUsable(reason.clone()),
            TrackerError::Unavailable(reason) | TrackerError::Unknown(reason) => {
                Self::Unavailable(reason.clone())
            }
        }
    }

    /// How the process ends on it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Accepted { .. } => Exit::Done,
            Self::CredentialRefused(_) | Self::LacksAccess(_) => Exit::Credentials,
            Self::NotTheApi(_) | Self::NotUsable(_) => Exit::Configuration,
            Self::Unavailable(_) => Exit::Partial,
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { sees: Some(sees) } => {
                write!(f, "reachable, credential accepted, {sees} visible")
            }
            Self::Accepted { sees: None } => write!(f, "reachable, credential accepted"),
            Self::CredentialRefused(reason) => {
                write!(f, "reachable, credential refused, it is none of this account: {reason}")
            }
            Self::LacksAccess(reason) => {
                write!(f, "reachable, credential known, but it may not do what a sync needs: {reason}")
            }
            Self::NotTheApi(reason) => write!(f, "something else answers, check the address: {reason}"),
            Self::NotUsable(reason) => write!(f, "reachable, but not usable: {reason}"),
            Self::Unavailable(reason) => write!(f, "not available: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Diagnosis;
    use crate::core::model::Source;
    use crate::ports::VendorError;

    #[test]
    fn every_error_has_one_meaning_and_one_exit_code() {
        let (operation, reason) = (|| "GET mobile_apps".to_owned(), || "it answers so".to_owned());
        for (error, code, meaning) in [
            (
                VendorError::Credential { vendor: Source::DataTheorem, reason: reason() },
                3,
                "credential refused",
            ),
            (VendorError::Refused { operation: operation(), reason: reason() }, 3, "may not do"),
            (VendorError::NotFound { operation: operation(), reason: reason() }, 2, "check the address"),
            (VendorError::Malformed { operation: operation(), reason: reason() }, 2, "check the address"),
            (VendorError::Unavailable { operation: operation(), reason: reason() }, 4, "not available"),
        ] {
            let diagnosis = Diagnosis::of_vendor(&error);
            assert_eq!(diagnosis.exit().code(), code, "{error}");
            let text = diagnosis.to_string();
            assert!(text.contains(meaning) && text.ends_with(": it answers so"), "{text}");
        }
        assert_eq!(Diagnosis::Accepted { sees: None }.exit().code(), 0);
    }
}
