//! Values by name: from the environment, and from the settings file where the environment says nothing.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::ConfigError;

/// A variable's text, without white space around it.
pub(super) fn text(
    lookup: &impl Fn(&str) -> Option<OsString>,
    variable: &'static str,
    what: &'static str,
) -> Result<String, ConfigError> {
    let value = lookup(variable).filter(|value| !value.is_empty());
    let value = value.ok_or(ConfigError::Missing { variable, what })?;
    let value = value.into_string().map_err(|_| ConfigError::NotText { variable })?;
    match value.trim() {
        "" => Err(ConfigError::Missing { variable, what }),
        trimmed => Ok(trimmed.to_owned()),
    }
}

/// What the file says in place of variables: by variable, the name of the setting and its value.
#[derive(Default)]
pub(super) struct FromFile(BTreeMap<&'static str, (&'static str, String)>);

impl FromFile {
    pub(super) fn set(&mut self, variable: &'static str, setting: &'static str, value: String) {
        self.0.insert(variable, (setting, value));
    }

    /// A variable as the environment has it, else as the file has it.
    pub(super) fn or_file(
        &self,
        lookup: &impl Fn(&str) -> Option<OsString>,
        variable: &str,
    ) -> Option<OsString> {
        let set = lookup(variable).filter(|value| !value.is_empty());
        set.or_else(|| self.0.get(variable).map(|(_, value)| value.into()))
    }

    /// What to call a variable in messages: by its setting if that is where the value came from.
    pub(super) fn name(
        &self,
        lookup: &impl Fn(&str) -> Option<OsString>,
        variable: &'static str,
    ) -> &'static str {
        match self.0.get(variable) {
            Some((setting, _)) if lookup(variable).is_none_or(|value| value.is_empty()) => setting,
            _ => variable,
        }
    }
}
