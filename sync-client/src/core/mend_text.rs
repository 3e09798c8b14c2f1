//! What may be said to Mend in `updateExternalIntegrationIssues`: texts of at most 255 characters and addresses of at
//! most 2000, without `<`, `>`, `%` and `&`.
//!
//! The page says "chars" and does not say of what. Bytes of UTF-8 are the strictest way to count, so what fits by bytes
//! fits by any. The page's example forbids the four characters in addresses too, and they may be forbidden in the keys
//! of `extraData`, so they are kept out everywhere.

use std::borrow::Cow;
use std::fmt;

/// Longest text, in bytes of UTF-8: `MEND-EXT-STRING-LENGTH`.
pub const TEXT_BYTES_MAX: usize = 255;
/// Longest address, in bytes of UTF-8: `MEND-EXT-URL-LENGTH`.
pub const URL_BYTES_MAX: usize = 2_000;
/// What nothing may contain: `MEND-EXT-FORBIDDEN-CHARS`.
pub const FORBIDDEN: [char; 4] = ['<', '>', '%', '&'];

/// Why a text can't be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsendable {
    /// There is nothing in it.
    Empty,
    /// It is too long.
    Long {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
        /// The rule.
        rule: &'static str,
    },
    /// It contains what is forbidden.
    Character(char),
}

impl Unsendable {
    /// The same in words that are equal for texts of different length.
    pub fn without_size(&self) -> String {
        match self {
            Self::Long { bytes_max, rule, .. } => {
                format!("it is longer than the {bytes_max} bytes of {rule}")
            }
            Self::Empty | Self::Character(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty, and MEND-EXT-IDENTIFIER-REQUIRED asks for it"),
            Self::Long { bytes, bytes_max, rule } => {
                write!(f, "it has {bytes} bytes, and {rule} allows {bytes_max}")
            }
            Self::Character(character) => {
                write!(f, "it contains {character:?}, which MEND-EXT-FORBIDDEN-CHARS forbids")
            }
        }
    }
}

/// Whether this can be sent as an identifier, which can't be changed without becoming another.
pub fn identifier(text: &str) -> Result<(), Unsendable> {
    if text.trim().is_empty() {
        return Err(Unsendable::Empty);
    }
    check(text, TEXT_BYTES_MAX, "MEND-EXT-STRING-LENGTH")
}

/// Whether this can be sent as an address, which would lead elsewhere if it were changed.
pub fn url(text: &str) -> Result<(), Unsendable> {
    check(text, URL_BYTES_MAX, "MEND-EXT-URL-LENGTH")
}

/// A text that can be sent, as near to the given one as can be: a blank for every forbidden or control character, and
/// cut between characters.
pub fn clean(text: &str) -> Cow<'_, str> {
    let is_bad = |character: char| FORBIDDEN.contains(&character) || character.is_control();
    if text.len() <= TEXT_BYTES_MAX && !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(TEXT_BYTES_MAX);
    for character in text.chars() {
        let character = if is_bad(character) { ' ' } else { character };
        if cleaned.len() + character.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        cleaned.push(character);
    }
    Cow::Owned(cleaned)
}

fn check(text: &str, bytes_max: usize, rule: &'static str) -> Result<(), Unsendable> {
    if text.len() > bytes_max {
        return Err(Unsendable::Long { bytes: text.len(), bytes_max, rule });
    }
    match text.chars().find(|character| FORBIDDEN.contains(character)) {
        Some(character) => Err(Unsendable::Character(character)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FORBIDDEN, TEXT_BYTES_MAX, URL_BYTES_MAX, Unsendable, clean, identifier, url};

    #[test]
    fn limits_are_met_to_the_byte() {
        for (bytes, fits) in [(254, true), (255, true), (256, false)] {
            assert_eq!(identifier(&"a".repeat(bytes)).is_ok(), fits, "{bytes}");
        }
        for (bytes, fits) in [(1_999, true), (2_000, true), (2_001, false)] {
            assert_eq!(url(&"a".repeat(bytes)).is_ok(), fits, "{bytes}");
        }
        // 255 characters, 510 bytes: too long for a server that counts bytes.
        assert!(matches!(identifier(&"é".repeat(255)), Err(Unsendable::Long { bytes: 510, .. })));
    }

    #[test]
    fn an_identifier_is_never_changed_and_never_blank() {
        assert_eq!(identifier(" \t"), Err(Unsendable::Empty));
        for character in FORBIDDEN {
            assert_eq!(identifier(&format!("SEC{character}1")), Err(Unsendable::Character(character)));
            assert_eq!(url(&format!("https://a.example/{character}")), Err(Unsendable::Character(character)));
        }
    }

    #[test]
    fn a_cut_falls_between_characters() {
        let text = format!("{}😀", "a".repeat(253));
        assert_eq!(clean(&text), "a".repeat(253));
        assert_eq!(clean("R&D: 50 % <done>\n"), "R D: 50    done  ");
    }

    proptest! {
        #[test]
        fn what_is_cleaned_fits_by_every_count_and_is_clean_already(text in any::<String>()) {
            let text = text.repeat(4);
            let cleaned = clean(&text).into_owned();
            prop_assert!(cleaned.len() <= TEXT_BYTES_MAX);
            prop_assert!(!cleaned.contains(FORBIDDEN));
            prop_assert_eq!(clean(&cleaned), cleaned.as_str());
            let is_bad = |character: char| FORBIDDEN.contains(&character) || character.is_control();
            prop_assert!(text.starts_with(&cleaned) || text.contains(is_bad));
            prop_assert!(text.len() > URL_BYTES_MAX || url(&text).is_ok() || text.contains(FORBIDDEN));
        }
    }
}
