//! What was last seen to be true at a real vendor: a file per vendor, written by runs against it and by nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::report::{Ending, Report, TargetKind};
use crate::suite::vendor_of;

/// What runs against one vendor showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    /// By the path of a check: when its rule was last seen to hold.
    pub held: BTreeMap<String, Timestamp>,
    /// By the path of a check: when its rule was last seen broken.
    #[serde(default)]
    pub broken: BTreeMap<String, Timestamp>,
    /// By the id of a reading: the value that was last seen.
    #[serde(default)]
    pub readings: BTreeMap<String, String>,
}

/// The vendors that have a file.
pub const VENDORS: [&str; 3] = ["data-theorem", "mend", "jira"];

/// Something kept the files from being read or written.
#[derive(Debug, thiserror::Error)]
pub enum ValidatedError {
    /// The run was not made against a vendor.
    #[error("only a run against the real vendor (--target env) validates anything")]
    NotAVendor,
    /// A file can't be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file is not what this program writes.
    #[error("{path} is not a file of validated rules")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
}

impl Validated {
    /// Reads a vendor's file; nothing is validated if there is none.
    pub fn read(directory: &Path, vendor: &str) -> Result<Self, ValidatedError> {
        let path = directory.join(format!("{vendor}.json"));
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|cause| ValidatedError::Format { path, cause })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(cause) => Err(ValidatedError::File { path, cause }),
        }
    }

    /// Adds what a run showed of one vendor.
    fn add(&mut self, report: &Report, vendor: &str) {
        let of_vendor = |path: &str| path.starts_with(&format!("{vendor}/"));
        for check in report.checks.iter().filter(|check| of_vendor(&check.path)) {
            match check.result {
                Ending::Held => {
                    self.held.insert(check.path.clone(), report.started);
                    self.broken.remove(&check.path);
                }
                Ending::Broken | Ending::KnownFailure | Ending::Differs => {
                    self.broken.insert(check.path.clone(), report.started);
                }
                Ending::NoAnswer | Ending::NotExercised | Ending::Skipped => {}
            }
        }
        for reading in report.readings.iter().filter(|reading| vendor_of(reading.id) == vendor) {
            if let Some(value) = reading.value {
                self.readings.insert(reading.id.to_owned(), value.to_owned());
            }
        }
    }
}

/// Adds what a run against the vendors showed to their files.
pub fn record(report: &Report, directory: &Path) -> Result<(), ValidatedError> {
    if report.target_kind != TargetKind::Vendor {
        return Err(ValidatedError::NotAVendor);
    }
    for vendor in VENDORS {
        let mut validated = Validated::read(directory, vendor)?;
        let before = validated.clone();
        validated.add(report, vendor);
        if validated == before {
            continue;
        }
        let path = directory.join(format!("{vendor}.json"));
        let mut text = serde_json::to_string_pretty(&validated)
            .map_err(|cause| ValidatedError::Format { path: path.clone(), cause })?;
        text.push('\n');
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, text))
            .map_err(|cause| ValidatedError::File { path, cause })?;
    }
    Ok(())
}
