//! Every secret of a server, for keeping them out of journals and errors.
//!
//! A request of one sandbox may carry another one's secret, so it is not enough to know the owner's. Texts are
//! searched at about a nanosecond per byte, however many secrets there are: four bytes at a time against a
//! table that nearly always says no. Where it does not, the first sixteen bytes decide; all tokens of a vendor may begin
//! with the same four.
//!
//! Some secrets are sent within a longer text that Base64 hides, as Basic authentication does. The characters that Base64
//! makes of a secret depend on what stands before it only by its length modulo three, so there are three spellings to
//! look for, whatever stands around them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Shortest secret that can be searched for.
pub const SECRET_BYTES_MIN: usize = 8;

/// The beginning of a secret that is taken out where the rest was cut off.
pub const SECRET_BEGINNING_BYTES: usize = 16;

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
    /// Secrets by their beginning: [`SECRET_BEGINNING_BYTES`], or all of a shorter one.
    by_beginning: BTreeMap<Box<[u8]>, Vec<Known>>,
    /// How many secrets have a beginning of each length.
    lengths: [usize; SECRET_BEGINNING_BYTES + 1],
    /// One bit per hash of a prefix. Bits of removed secrets stay: they cost a lookup, not a wrong answer.
    table: Vec<u64>,
}

/// What is searched for.
struct Known {
    text: Box<str>,
    /// How many times it was added.
    count: usize,
    /// Whether it stands for what Base64 makes of a secret, so that the characters around it may belong to it.
    is_encoded: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(REDACTED)
    }
}

impl SecretIndex {
    /// Adds a secret. Shorter ones than [`SECRET_BYTES_MIN`] can't be told from ordinary text and are ignored.
    pub fn add(&self, secret: &str) {
        self.add_text(secret, false);
    }

    /// Removes a secret that was added.
    pub fn remove(&self, secret: &str) {
        self.remove_text(secret, false);
    }

    /// Adds what Base64 makes of a secret within whatever longer text.
    pub fn add_encoded(&self, secret: &str) {
        for text in encoded(secret) {
            self.add_text(&text, true);
        }
    }

    /// Removes what [`Self::add_encoded`] added.
    pub fn remove_encoded(&self, secret: &str) {
        for text in encoded(secret) {
            self.remove_text(&text, true);
        }
    }

    fn add_text(&self, text: &str, is_encoded: bool) {
        let Some(prefix) = prefix_of(text) else { return };
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.table.is_empty() {
            inner.table = vec![0; TABLE_BITS / 64];
        }
        let (word, bit) = place(prefix);
        inner.table[word] |= bit;
        let beginning = beginning_of(text);
        let all = inner.by_beginning.entry(beginning.into()).or_default();
        match all.iter_mut().find(|known| &*known.text == text && known.is_encoded == is_encoded) {
            Some(known) => known.count += 1,
            None => {
                all.push(Known { text: text.into(), count: 1, is_encoded });
                inner.lengths[beginning.len()] += 1;
            }
        }
    }

    fn remove_text(&self, text: &str, is_encoded: bool) {
        let beginning = beginning_of(text);
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let Some(all) = inner.by_beginning.get_mut(beginning) else { return };
        let is_it = |known: &Known| &*known.text == text && known.is_encoded == is_encoded;
        let Some(place) = all.iter().position(is_it) else { return };
        all[place].count -= 1;
        if all[place].count == 0 {
            all.swap_remove(place);
            if all.is_empty() {
                inner.by_beginning.remove(beginning);
            }
            inner.lengths[beginning.len()] -= 1;
        }
    }

    /// The text without secrets, whether they stand there as they are, percent-encoded or escaped as in JSON, whole or
    /// cut off behind their first [`SECRET_BEGINNING_BYTES`].
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
            let lengths = self.lengths.iter().enumerate().filter(|(_, count)| **count > 0);
            let beginnings = lengths.filter_map(|(length, _)| bytes[start..].get(..length));
            let candidates = beginnings.filter_map(|beginning| self.by_beginning.get(beginning)).flatten();
            let hits = candidates.filter_map(|known| Some((known.shown(&bytes[start..])?, known.is_encoded)));
            if let Some((length, is_encoded)) = hits.max() {
                let hit = start..start + length;
                let free = found.last().map_or(0, |last| last.end);
                found.push(if is_encoded { with_surroundings(bytes, hit, free) } else { hit });
            }
        }
        found
    }
}

impl Known {
    /// How many bytes at the beginning of a text show the secret, if enough of it is there.
    fn shown(&self, text: &[u8]) -> Option<usize> {
        let same = self.text.bytes().zip(text).take_while(|(known, shown)| known == *shown).count();
        (same == self.text.len() || same >= SECRET_BEGINNING_BYTES).then_some(same)
    }
}

/// What Base64 makes of a secret, without the characters that also depend on what stands around it.
fn encoded(secret: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for before in 0..3 {
        let text = [&[0; 3][..before], secret.as_bytes()].concat();
        let own = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let spelt = engine.encode(&text).get(own.clone()).unwrap_or_default().to_owned();
            if !found.contains(&spelt) {
                found.push(spelt);
            }
        }
    }
    found
}

/// A hit with the characters of Base64 around it: what else the text hid, and the padding. A slash ends it, for it more
/// often parts a path.
fn with_surroundings(bytes: &[u8], hit: Range<usize>, free: usize) -> Range<usize> {
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-_".contains(byte);
    let before = bytes[free..hit.start].iter().rev().take_while(is_base64).count();
    let after = bytes[hit.end..].iter().take_while(|byte| is_base64(byte) || **byte == b'=').count();
    hit.start - before..hit.end + after
}

fn beginning_of(secret: &str) -> &[u8] {
    &secret.as_bytes()[..secret.len().min(SECRET_BEGINNING_BYTES)]
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

    #[test]
    fn base64_hides_no_secret_whatever_stands_around_it() {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let (index, secret) = (SecretIndex::default(), "tok?n>tok~n");
        index.add_encoded(secret);
        for around in ["", "a", "ab", "abc", "abcd"] {
            let pair = format!("{around}{secret}{around}");
            for spelt in [STANDARD.encode(&pair), URL_SAFE_NO_PAD.encode(&pair)] {
                let clean = index.redact(&spelt).into_owned();
                assert!(clean.contains("[redacted]") && clean.len() < 20, "{spelt} became {clean}");
                assert_eq!(index.redact(&format!("/a/{spelt} b")).matches("[redacted]").count(), 1);
            }
        }
        assert_eq!(index.redact(secret), secret);
        index.remove_encoded(secret);
        assert_eq!(index.redact(&STANDARD.encode(secret)), STANDARD.encode(secret));
    }

    /// Jira's tokens all begin alike, and so does what Base64 makes of them.
    #[test]
    fn secrets_that_begin_alike_are_not_looked_through_one_by_one() {
        let index = SecretIndex::default();
        let secret = |number: u32| format!("ATATT3x{:08x}{number}", number.wrapping_mul(0x9e37_79b1));
        for number in 0..2_000 {
            index.add(&secret(number));
            index.add_encoded(&secret(number));
        }
        let longest = || index.inner.read().unwrap().by_beginning.values().map(Vec::len).max();
        assert!(longest() < Some(8), "{:?}", longest());
        assert_eq!(index.redact(&format!("a {} b", secret(77))), "a [redacted] b");
        for number in 0..2_000 {
            index.remove(&secret(number));
            index.remove_encoded(&secret(number));
        }
        let inner = index.inner.read().unwrap();
        assert!(inner.by_beginning.is_empty() && inner.lengths.iter().all(|count| *count == 0));
    }

    #[test]
    fn a_secret_that_was_cut_off_leaves_too() {
        let index = SecretIndex::default();
        index.add("0123456789abcdefghij");
        assert_eq!(index.redact("x0123456789abcdef…"), "x[redacted]…");
        assert_eq!(index.redact("x0123456789abcde…"), "x0123456789abcde…");
        assert_eq!(index.redact("0123456789abcdefghijk"), "[redacted]k");
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
