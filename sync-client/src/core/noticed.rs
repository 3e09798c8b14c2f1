//! What was odd in the vendors' replies and stopped nothing: each oddity once, with a count (I20).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The most different oddities that are kept apart; a vendor that makes up new ones for ever does not fill memory.
const KINDS_MAX: usize = 1_000;

/// Counts oddities.
#[derive(Debug, Default)]
pub struct Noticed(Mutex<BTreeMap<String, u64>>);

impl Noticed {
    /// Notes an oddity, e.g. `unknown current_status "OPEN_AGAIN"`. The text must not name single items, so that equal
    /// oddities count together.
    pub fn see(&self, what: impl Into<String>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let what = what.into();
        let what =
            if seen.len() < KINDS_MAX || seen.contains_key(&what) { what } else { "others".to_owned() };
        *seen.entry(what).or_insert(0) += 1;
    }

    /// Every oddity so far, with how often it was seen.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS_MAX, Noticed};

    #[test]
    fn equal_oddities_count_together_and_their_number_is_bounded() {
        let noticed = Noticed::default();
        (0..KINDS_MAX + 5).for_each(|index| noticed.see(format!("odd {index}")));
        noticed.see("odd 1");
        let counts = noticed.counts();
        assert_eq!(counts.len(), KINDS_MAX + 1);
        assert_eq!((counts["odd 1"], counts["others"]), (2, 5));
    }
}
