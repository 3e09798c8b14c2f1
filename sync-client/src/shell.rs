//! What the client does: the only place that waits for anything.

use std::sync::Arc;
use std::time::Duration;

use crate::adapters::caller::{Caller, Patience};
use crate::adapters::data_theorem::DataTheorem;
use crate::adapters::http::Http;
use crate::adapters::jira::{Jira, JiraSettings};
use crate::adapters::mend::{Mend, MendSettings};
use crate::adapters::redmine::{Redmine, RedmineSettings};
use crate::adapters::system_clock::SystemClock;
use crate::config::{DataTheoremSettings, MendVariables};
use crate::core::doctor::Diagnosis;
use crate::ports::Tracker;

/// Who asks `doctor` waits for the answer.
const DOCTOR_PATIENCE: Patience =
    Patience { attempts_max: 1, timeout: Duration::from_secs(20), deadline: None };

/// Tries the settings for Jira and says what is wrong, if anything. `authorities_pem`: see [`Http::new`].
pub fn doctor_jira(settings: JiraSettings, authorities_pem: Option<&[u8]>) -> Diagnosis {
    doctor_tracker(authorities_pem, |caller| Jira::new(settings, caller))
}

/// Tries the settings for Redmine and says what is wrong, if anything. `authorities_pem`: see [`Http::new`].
pub fn doctor_redmine(settings: RedmineSettings, authorities_pem: Option<&[u8]>) -> Diagnosis {
    doctor_tracker(authorities_pem, |caller| Redmine::new(settings, caller))
}

fn doctor_tracker<T: Tracker>(
    authorities_pem: Option<&[u8]>,
    tracker: impl FnOnce(Caller) -> T,
) -> Diagnosis {
    let http = match Http::new(authorities_pem) {
        Ok(http) => http,
        Err(error) => return Diagnosis::Unavailable(error.to_string()),
    };
    let caller = Caller::new(Arc::new(http), Arc::new(SystemClock), DOCTOR_PATIENCE);
    match tracker(caller).identify() {
        Ok(identity) => Diagnosis::Accepted { sees: Some(identity) },
        Err(error) => Diagnosis::of_tracker(&error),
    }
}

/// Tries the settings for Data Theorem and says what is wrong, if anything. `authorities_pem`: see [`Http::new`].
pub fn doctor(settings: DataTheoremSettings, authorities_pem: Option<&[u8]>) -> Diagnosis {
    let http = match Http::new(authorities_pem) {
        Ok(http) => http,
        Err(error) => return Diagnosis::Unavailable(error.to_string()),
    };
    let caller = Caller::new(Arc::new(http), Arc::new(SystemClock), DOCTOR_PATIENCE);
    match DataTheorem::new(settings, caller, Arc::default()).identify() {
        Ok(identity) => Diagnosis::Accepted { sees: identity.apps.map(|apps| format!("{apps} mobile apps")) },
        Err(error) => Diagnosis::of_vendor(&error),
    }
}

/// Tries the settings for Mend and says what is wrong, if anything. `authorities_pem`: see [`Http::new`].
pub fn doctor_mend(variables: &MendVariables, authorities_pem: Option<&[u8]>) -> Diagnosis {
    let http = match Http::new(authorities_pem) {
        Ok(http) => http,
        Err(error) => return Diagnosis::Unavailable(error.to_string()),
    };
    let settings = MendSettings::new(variables.url.clone(), &variables.user_key, &variables.org_token);
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return Diagnosis::Unavailable(error.to_string()),
    };
    let caller = Caller::new(Arc::new(http), Arc::new(SystemClock), DOCTOR_PATIENCE);
    match Mend::new(settings, caller, Arc::default()).identify() {
        Ok(identity) => {
            Diagnosis::Accepted { sees: identity.organization.map(|name| format!("the organization {name}")) }
        }
        Err(error) => Diagnosis::of_vendor(&error),
    }
}
