//! In which order the elements of a list go out.

use crate::vendors::mend::readings::{ListOrder, Readings};

/// Puts rows into the order that the reading asks for. `key` identifies a row: shuffled rows are in the order of
/// their keys' hashes, so that the same rows come in the same order.
pub(super) fn arrange<T, K: AsRef<[u8]>>(rows: &mut [T], key: impl Fn(&T) -> K, readings: &Readings) {
    match readings.list_order {
        ListOrder::Stable => {}
        ListOrder::Shuffled => rows.sort_by_cached_key(|row| *blake3::hash(key(row).as_ref()).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::arrange;
    use crate::vendors::mend::readings::Readings;

    /// MEND-LIST-UNSORTED
    #[test]
    fn shuffled_rows_are_the_same_rows_in_an_order_that_only_their_keys_decide() {
        let sorted: Vec<String> = (100..120).map(|number| number.to_string()).collect();
        let shuffled = |mut rows: Vec<String>| {
            let mut readings = Readings::default();
            readings.set("mend.list-order", "shuffled").unwrap();
            arrange(&mut rows, Clone::clone, &readings);
            rows
        };
        let mut stable = sorted.clone();
        arrange(&mut stable, Clone::clone, &Readings::default());
        assert_eq!(stable, sorted);
        let once = shuffled(sorted.clone());
        assert_ne!(once, sorted);
        assert_eq!(once, shuffled(sorted.iter().rev().cloned().collect()));
        let mut back = once;
        back.sort();
        assert_eq!(back, sorted);
    }
}
