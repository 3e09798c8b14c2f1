//! What the client does: the only place that waits for anything.

use crate::adapters::data_theorem::DataTheorem;
use crate::config::DataTheoremSettings;
use crate::core::doctor::{Diagnosis, diagnose};

/// Tries the settings for Data Theorem and says what is wrong, if anything.
pub fn doctor(settings: DataTheoremSettings) -> Diagnosis {
    match DataTheorem::new(settings) {
        Ok(data_theorem) => diagnose(data_theorem.observe_mobile_apps()),
        Err(error) => Diagnosis::Unreachable(format!("the HTTP client cannot be set up: {error}")),
    }
}
