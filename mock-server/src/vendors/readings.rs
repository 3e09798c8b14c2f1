//! What the vendors' readings have in common: how they are declared, and what can be wrong with a choice.

/// A choice that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    /// No reading has this id.
    #[error("there is no reading {id:?}; `mock-server readings` lists them")]
    Unknown {
        /// The id given.
        id: String,
    },
    /// The reading has no such value.
    #[error("reading {id} has no value {value:?}; it has: {}", known.join(", "))]
    Value {
        /// The reading.
        id: &'static str,
        /// The value given.
        value: String,
        /// The values that exist.
        known: Vec<&'static str>,
    },
}

/// Declares the readings of one vendor as types: one enum per reading, one field per choice in force. `ledger` is
/// the vendor's module in `fixtures::spec`, imported under that name where the macro is used.
macro_rules! readings {
    ($($(#[$doc:meta])* $field:ident: $type:ident = $reading:ident {
        $default:ident = $default_text:literal $(, $variant:ident = $text:literal)* $(,)?
    })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
            #[expect(missing_docs, reason = "the ledger says what each value means")]
            pub enum $type { #[default] $default $(, $variant)* }
        )+

        /// The choice in force for every reading of this vendor.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct Readings {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl Readings {
            /// The readings this simulator can be run under.
            pub const LEDGER: &'static [&'static Reading] = &[$(&ledger::$reading),+];

            /// Chooses a value for a reading.
            pub fn set(&mut self, id: &str, value: &str) -> Result<(), ReadingError> {
                $(if id == ledger::$reading.id {
                    self.$field = match value {
                        $default_text => $type::$default,
                        $($text => $type::$variant,)*
                        _ => return Err(ReadingError::Value {
                            id: ledger::$reading.id,
                            value: value.to_owned(),
                            known: vec![$default_text $(, $text)*],
                        }),
                    };
                    return Ok(());
                })+
                Err(ReadingError::Unknown { id: id.to_owned() })
            }

            /// Every reading's id with the value in force.
            pub fn list(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((ledger::$reading.id, match self.$field {
                    $type::$default => $default_text,
                    $($type::$variant => $text,)*
                })),+]
            }
        }
    };
}

#[cfg(test)]
pub(crate) mod tests {
    use fixtures::spec::{self, Reading};

    use super::ReadingError;

    type Listed = Vec<(&'static str, &'static str)>;

    /// Asserts that a vendor's types and the ledger have the same readings, values and defaults.
    pub(crate) fn agree(
        vendor: &str,
        types: &[&Reading],
        defaults: Listed,
        set: impl Fn(&str, &str) -> Result<Listed, ReadingError>,
    ) {
        let ids = |readings: &[&Reading]| {
            let mut ids: Vec<&str> = readings.iter().map(|reading| reading.id).collect();
            ids.sort_unstable();
            ids
        };
        let ledger: Vec<&Reading> =
            spec::readings().filter(|reading| reading.id.starts_with(vendor)).collect();
        assert_eq!(ids(types), ids(&ledger));
        for (id, value) in defaults {
            assert_eq!(spec::reading(id).unwrap().default, value, "default of {id}");
        }
        for reading in ledger {
            for value in reading.values {
                assert!(set(reading.id, value.value).unwrap().contains(&(reading.id, value.value)));
            }
            assert!(set(reading.id, "no such value").is_err());
        }
        assert!(set("no.such-reading", "x").is_err());
    }
}
