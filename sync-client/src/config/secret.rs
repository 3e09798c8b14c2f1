//! Secrets from files that hold nothing else.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::ConfigError;

/// More than any key has; a file that is larger is another one.
const BYTES_MAX: u64 = 16 * 1_024;

/// Reads a secret. The text around it is left to whoever uses it.
pub(super) fn read(path: &Path, setting: &'static str) -> Result<String, ConfigError> {
    let failed = |problem: String| ConfigError::SecretFile { setting, problem };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(BYTES_MAX + 1).read_to_string(&mut text));
    read.map_err(|error| failed(error.to_string()))?;
    match text.trim() {
        "" => Err(failed("it is empty".to_owned())),
        _ if text.len() as u64 > BYTES_MAX => Err(failed("it is too large to be a key".to_owned())),
        secret => Ok(secret.to_owned()),
    }
}
