//! Every secret of a server, for keeping them out of journals and errors.
//!
//! A request of one sandbox may carry another one's secret, so it is not enough to know the owner's. Texts are
//! searched at about a nanosecond per byte, however many secrets there are: four bytes at a time against a
//! table that nearly always says no.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Shortest secret that can be searched for.
pub const SECRET_BYTES_MIN: usize = 8;

const PREFIX: usize = 4;
const TABLE_BITS: usize = 1 << 16;

/// A text that does not show itself in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Secrets that can be searched for all at once.
#[derive(Debug, Default)]
pub struct SecretIndex {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Secrets by their first bytes, each with how many times it was added.
    by_prefix: BTreeMap<[u8; PREFIX], Vec<(Box<str>, usize)>>,
    /// One bit per hash of a prefix. Bits of removed secrets stay: they cost a lookup, not a wrong answer.
    table: Vec<u64>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(REDACTED)
    }
}

impl SecretIndex {
    /// Adds a secret. Shorter ones than [`SECRET_BYTES_MIN`] can't be told from ordinary text and are ignored.
    pub fn add(&self, secret: &str) {
        let Some(prefix) = prefix_of(secret) else { return };
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.table.is_empty() {
            inner.table = vec![0; TABLE_BITS / 64];
        }
        let (word, bit) = place(prefix);
        inner.table[word] |= bit;
        let secrets = inner.by_prefix.entry(prefix).or_default();
        match secrets.iter_mut().find(|(known, _)| &**known == secret) {
            Some((_, count)) => *count += 1,
            None => secrets.push((secret.into(), 1)),
        }
    }

    /// Removes a secret that was added.
    pub fn remove(&self, secret: &str) {
        let Some(prefix) = prefix_of(secret) else { return };
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let Some(secrets) = inner.by_prefix.get_mut(&prefix) else { return };
        if let Some(known) = secrets.iter().position(|(known, _)| &**known == secret) {
            secrets[known].1 -= 1;
            if secrets[known].1 == 0 {
                secrets.swap_remove(known);
            }
        }
    }

    /// The text without secrets, whether they stand there as they are, percent-encoded or escaped as in JSON.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut places = inner.find(text.as_bytes());
        if text.bytes().any(|byte| byte == b'%' || byte == b'\\') {
            // What looks like an escape may be an accident right before a secret, so both readings count.
            let decoded = Decoded::of(text);
            let found = inner.find(&decoded.bytes).into_iter();
            places.extend(found.map(|range| decoded.places[range.start]..decoded.places[range.end]));
            places.sort_by_key(|place| place.start);
        }
        replace(text, &places)
    }
}

impl Inner {
    /// Where secrets stand, from left to right and without overlap.
    fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        if self.table.is_empty() {
            return found;
        }
        for (start, window) in bytes.windows(PREFIX).enumerate() {
            let prefix = [window[0], window[1], window[2], window[3]];
            let (word, bit) = place(prefix);
            if self.table[word] & bit == 0 || found.last().is_some_and(|last| last.end > start) {
                continue;
            }
            let candidates = self.by_prefix.get(&prefix).into_iter().flatten();
            let longest = candidates.filter(|(secret, _)| bytes[start..].starts_with(secret.as_bytes()));
            if let Some(length) = longest.map(|(secret, _)| secret.len()).max() {
                found.push(start..start + length);
            }
        }
        found
    }
}

fn prefix_of(secret: &str) -> Option<[u8; PREFIX]> {
    if secret.len() < SECRET_BYTES_MIN {
        return None;
    }
    secret.as_bytes().first_chunk().copied()
}

fn place(prefix: [u8; PREFIX]) -> (usize, u64) {
    let hash = u32::from_le_bytes(prefix).wrapping_mul(0x9e37_79b1) >> 16;
    (hash as usize / 64, 1 << (hash % 64))
}

fn replace<'t>(text: &'t str, places: &[Range<usize>]) -> Cow<'t, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        if place.start >= from {
            clean.push_str(&text[from..place.start]);
            clean.push_str(REDACTED);
        }
        from = from.max(place.end);
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// A text with its escapes undone, and where each of its bytes came from.
struct Decoded {
    bytes: Vec<u8>,
    /// One place more than there are bytes: the end of the text.
    places: Vec<usize>,
}

impl Decoded {
    fn of(text: &str) -> Self {
        let source = text.as_bytes();
        let mut decoded =
            Self { bytes: Vec::with_capacity(source.len()), places: Vec::with_capacity(source.len() + 1) };
        let mut at = 0;
        while at < source.len() {
            let (byte, width) = unescape(&source[at..]).unwrap_or((source[at], 1));
            decoded.bytes.push(byte);
            decoded.places.push(at);
            at += width;
        }
        decoded.places.push(at);
        decoded
    }
}

/// The byte that an escape stands for, and how long the escape is.
fn unescape(source: &[u8]) -> Option<(u8, usize)> {
    let hex = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    match source {
        [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some((hex(&[*high, *low])?, 3))
        }
        [b'\\', b'/', ..] => Some((b'/', 2)),
        [b'\\', b'u', b'0', b'0', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some((hex(&[*high, *low])?, 6))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::SecretIndex;

    fn index() -> SecretIndex {
        let index = SecretIndex::default();
        index.add("abcd/efgh==");
        index.add("abcd/efgh==longer");
        index.add("short");
        index
    }

    #[test]
    fn secrets_leave_in_every_spelling_and_every_time() {
        let index = index();
        let clean = |text: &str| index.redact(text).into_owned();
        assert_eq!(clean("k=abcd/efgh==&x=1"), "k=[redacted]&x=1");
        assert_eq!(clean("a=abcd/efgh==&b=abcd%2Fefgh%3d%3D"), "a=[redacted]&b=[redacted]");
        assert_eq!(clean("abcd\\/efgh== and abcd\\u002fefgh=="), "[redacted] and [redacted]");
        assert_eq!(clean("abcd/efgh==longer"), "[redacted]");
        assert_eq!(clean("short abcd/efgh= ab%2 \\u00 é%"), "short abcd/efgh= ab%2 \\u00 é%");
    }

    #[test]
    fn a_secret_added_twice_leaves_when_removed_twice() {
        let index = index();
        index.add("abcd/efgh==");
        index.remove("abcd/efgh==");
        assert_eq!(index.redact("abcd/efgh==;"), "[redacted];");
        index.remove("abcd/efgh==");
        assert_eq!(index.redact("abcd/efgh==;"), "abcd/efgh==;");
        index.remove("never added");
    }

    proptest! {
        #[test]
        fn any_text_is_searched(before in ".{0,30}", after in ".{0,30}") {
            let index = index();
            let text = format!("{before}abcd/efgh=={after}");
            prop_assert!(!index.redact(&text).contains("abcd/efgh=="));
            prop_assert_eq!(index.redact(&before), before.as_str());
        }
    }
}
