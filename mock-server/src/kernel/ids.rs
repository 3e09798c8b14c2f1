//! Seeded ids and secrets: the same seed and the same order of requests give the same ids.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Makes ids from a seed and a counter, so that its whole state is two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdSource {
    seed: u64,
    counter: u64,
}

impl IdSource {
    /// A source that has made no id yet.
    pub fn new(seed: u64) -> Self {
        Self::resumed(seed, 0)
    }

    /// A source that has made `counter` ids before.
    pub fn resumed(seed: u64, counter: u64) -> Self {
        Self { seed, counter }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many ids were made.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// A 16-digit number below 2^53, as the vendor's datastore makes them, for which `taken` is false.
    pub fn datastore_id(&mut self, taken: impl Fn(&str) -> bool) -> String {
        loop {
            let id = self.next().random_range(1_000_000_000_000_000_u64..1 << 53).to_string();
            if !taken(&id) {
                return id;
            }
        }
    }

    /// A 6-digit number with leading zeros, as in the vendor's sample finding `053069`, for which `taken` is
    /// false; longer once they run short.
    pub fn finding_id(&mut self, taken: impl Fn(&str) -> bool) -> String {
        for attempt in 0_u32.. {
            let (limit, width) = if attempt < 8 { (1_000_000_u64, 6) } else { (1_000_000_000_000, 12) };
            let id = format!("{:0width$}", self.next().random_range(1..limit));
            if !taken(&id) {
                return id;
            }
        }
        unreachable!("the loop ends with the first free id")
    }

    /// A random UUID (version 4).
    pub fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.next().fill_bytes(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let digits = format!("{:032x}", u128::from_be_bytes(bytes));
        [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
    }

    /// 32 hex digits, as the token of a request.
    pub fn request_token(&mut self) -> String {
        let mut bytes = [0; 16];
        self.next().fill_bytes(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }

    fn next(&mut self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(self.counter);
        self.counter += 1;
        rng
    }
}

/// An API key in the vendor's form: base64 with a `/` and padding, because real keys have both and clients
/// that don't cope with them should notice.
pub fn api_key(material: &[u8]) -> String {
    let digest = blake3::derive_key("mock-server data theorem api key", material);
    let text = STANDARD.encode(&digest[..22]);
    format!("{}/{}", &text[..12], &text[12..])
}

/// Random bytes from the operating system, for secrets that must not be guessed.
///
/// # Panics
/// When the operating system has no randomness to give, which leaves nothing sensible to do.
#[expect(clippy::expect_used, reason = "without randomness from the system no secret can be made")]
pub fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut rng = ChaCha8Rng::try_from_os_rng().expect("the operating system gives randomness");
    rng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{IdSource, api_key};

    #[test]
    fn the_same_state_makes_the_same_id() {
        let mut source = IdSource::new(7);
        let first = source.datastore_id(|_| false);
        let second = source.datastore_id(|_| false);
        assert_eq!(first.len(), 16);
        assert_ne!(first, second);
        assert_eq!(IdSource::resumed(7, 1).datastore_id(|_| false), second);
        assert_eq!(IdSource::new(7).datastore_id(|id| id == first), second);
    }

    #[test]
    fn finding_ids_stay_unique_when_short_ones_run_out() {
        let id = IdSource::new(1).finding_id(|id| id.len() == 6);
        assert_eq!(id.len(), 12);
    }

    #[test]
    fn keys_look_like_the_vendors() {
        let key = api_key(b"x");
        assert!(key.contains('/') && key.ends_with('='), "{key}");
        assert_ne!(key, api_key(b"y"));
    }
}
