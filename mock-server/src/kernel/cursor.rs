//! Page cursors: opaque, position-based, bound to the query they were made for, tamper-proof.
//!
//! A cursor names the last row of a page by its place in the order, not by an offset, so rows written in
//! between neither shift nor repeat the rest. It carries the query it belongs to, and a keyed digest over
//! both under a key of the sandbox: what another sandbox made, or anybody changed, does not open.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use smol_str::SmolStr;

const TAG_BYTES: usize = 12;

/// The key under which one sandbox seals its cursors.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

/// A place in an ordered list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// What the list is ordered by, in microseconds since 1970.
    pub micros: i64,
    /// Decides between equal times, compared as text.
    pub id: SmolStr,
}

/// What a cursor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The last row that was served.
    pub after: RowKey,
    /// The query the cursor belongs to, in a canonical form of the caller's choosing.
    pub query: String,
}

/// A text that is no cursor of this sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that this server made")]
pub struct InvalidCursor;

impl CursorKey {
    /// The key of a sandbox, derived so that the same seed makes the same cursors.
    pub fn derive(seed: u64, sandbox: &str) -> Self {
        let mut material = seed.to_le_bytes().to_vec();
        material.extend_from_slice(sandbox.as_bytes());
        Self(blake3::derive_key("mock-server page cursor", &material))
    }

    /// Writes a position as a cursor of URL-safe characters.
    pub fn seal(&self, position: &Position) -> String {
        let id = position.after.id.as_bytes();
        let mut bytes = Vec::with_capacity(TAG_BYTES + 10 + id.len() + position.query.len());
        bytes.extend_from_slice(&[0; TAG_BYTES]);
        bytes.extend_from_slice(&position.after.micros.to_le_bytes());
        bytes.extend_from_slice(&u16::try_from(id.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(position.query.as_bytes());
        let tag = self.tag(&bytes[TAG_BYTES..]);
        bytes[..TAG_BYTES].copy_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that this key sealed.
    pub fn open(&self, cursor: &str) -> Result<Position, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let (tag, rest) = bytes.split_at_checked(TAG_BYTES).ok_or(InvalidCursor)?;
        if self.tag(rest) != tag {
            return Err(InvalidCursor);
        }
        let (micros, rest) = rest.split_first_chunk().ok_or(InvalidCursor)?;
        let (id_len, rest) = rest.split_first_chunk().ok_or(InvalidCursor)?;
        let (id, query) =
            rest.split_at_checked(usize::from(u16::from_le_bytes(*id_len))).ok_or(InvalidCursor)?;
        let text = |bytes: &[u8]| str::from_utf8(bytes).map(str::to_owned).map_err(|_| InvalidCursor);
        let after = RowKey { micros: i64::from_le_bytes(*micros), id: SmolStr::new(text(id)?) };
        Ok(Position { after, query: text(query)? })
    }

    fn tag(&self, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let digest = blake3::keyed_hash(&self.0, bytes);
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&digest.as_bytes()[..TAG_BYTES]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{CursorKey, InvalidCursor, Position, RowKey};

    proptest! {
        #[test]
        fn opens_only_what_it_sealed(micros in any::<i64>(), id in ".{0,40}", query in ".{0,80}", flip in any::<u16>()) {
            let key = CursorKey::derive(1, "a");
            let position = Position { after: RowKey { micros, id: id.into() }, query };
            let cursor = key.seal(&position);
            prop_assert_eq!(key.open(&cursor), Ok(position));
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(CursorKey::derive(1, "b").open(&cursor), Err(InvalidCursor));
            let mut changed = cursor.clone().into_bytes();
            let place = usize::from(flip) % changed.len();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            prop_assert_eq!(key.open(std::str::from_utf8(&changed).unwrap()), Err(InvalidCursor));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,200}") {
            prop_assert_eq!(CursorKey::derive(1, "a").open(&text), Err(InvalidCursor));
        }
    }
}
