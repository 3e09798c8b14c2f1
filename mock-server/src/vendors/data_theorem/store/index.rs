//! Ordered lists of rows under a name each, and pages over several of them at once.

use std::sync::Arc;

use jiff::Timestamp;

use crate::kernel::counted_map::CountedMap;
use crate::kernel::cursor::RowKey;

/// One ordered list: rows by time of change, then id.
pub(super) type Tree<R> = CountedMap<RowKey, Arc<R>>;

/// Ordered lists under a name each. Every combination of filters is a set of disjoint lists.
#[derive(Debug)]
pub(super) struct RowIndex<N, R> {
    lists: CountedMap<N, Tree<R>>,
}

impl<N: Clone, R> Clone for RowIndex<N, R> {
    fn clone(&self) -> Self {
        Self { lists: self.lists.clone() }
    }
}

impl<N, R> Default for RowIndex<N, R> {
    fn default() -> Self {
        Self { lists: CountedMap::default() }
    }
}

impl<N: Ord + Clone, R> RowIndex<N, R> {
    /// Builds all lists at once from rows with the names of the lists each is in.
    pub(super) fn build(rows: impl Iterator<Item = (Vec<N>, RowKey, Arc<R>)>) -> Self {
        let mut lists: std::collections::BTreeMap<N, Vec<(RowKey, Arc<R>)>> =
            std::collections::BTreeMap::new();
        for (names, key, row) in rows {
            for name in names {
                lists.entry(name).or_default().push((key.clone(), Arc::clone(&row)));
            }
        }
        let sorted = lists.into_iter().map(|(name, mut rows)| {
            rows.sort_by(|left, right| left.0.cmp(&right.0));
            (name, CountedMap::from_sorted(rows))
        });
        Self { lists: CountedMap::from_sorted(sorted.collect()) }
    }

    /// Puts a row into these lists.
    pub(super) fn insert(&mut self, names: &[N], key: &RowKey, row: &Arc<R>) {
        for name in names {
            if let Some(list) = self.lists.get_mut(name) {
                list.insert(key.clone(), Arc::clone(row));
            } else {
                self.lists
                    .insert(name.clone(), CountedMap::from_sorted(vec![(key.clone(), Arc::clone(row))]));
            }
        }
    }

    /// Takes a row out of these lists.
    pub(super) fn remove(&mut self, names: &[N], key: &RowKey) {
        for name in names {
            let Some(list) = self.lists.get_mut(name) else { continue };
            list.remove(key);
            if list.is_empty() {
                self.lists.remove(name);
            }
        }
    }

    /// The list of this name, if any row is in it.
    pub(super) fn list(&self, name: &N) -> Option<&Tree<R>> {
        self.lists.get(name)
    }
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest change first.
    Descending,
    /// Oldest change first.
    Ascending,
}

/// Only rows that changed since an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The instant.
    pub time: Timestamp,
    /// Whether a change at that very instant counts.
    pub inclusive: bool,
}

impl Since {
    /// Whether a change at `time` is recent enough.
    pub fn includes(self, time: Timestamp) -> bool {
        if self.inclusive { time >= self.time } else { time > self.time }
    }

    fn first_key(self) -> RowKey {
        let micros = self.time.as_microsecond();
        // Rows have whole microseconds; a bound between two of them starts at the later one.
        let between = self.time.subsec_nanosecond() % 1_000 != 0;
        let skip = i64::from(!self.inclusive || between);
        RowKey { micros: micros.saturating_add(skip), id: smol_str::SmolStr::default() }
    }
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Which way the list runs.
    pub order: Order,
    /// Only rows that changed since then.
    pub since: Option<Since>,
    /// The last row of the page before.
    pub after: Option<&'a RowKey>,
    /// Most rows.
    pub limit: usize,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct ListPage<R> {
    /// The rows, in the list's order.
    pub rows: Vec<Arc<R>>,
    /// Rows of the whole query, not of the page.
    pub total: usize,
    /// Place of the last row of the page, if there is one.
    pub last: Option<RowKey>,
    /// Whether rows follow.
    pub more: bool,
}

/// A page over disjoint lists, as if they were one.
pub(super) fn page<R>(lists: &[&Tree<R>], window: Window<'_>) -> ListPage<R> {
    let first = window.since.map(Since::first_key);
    let mut total = 0;
    let mut found: Vec<(&RowKey, &Arc<R>)> = Vec::with_capacity(window.limit + 1);
    for list in lists {
        let low = first.as_ref().map_or(0, |key| list.rank(key));
        total += list.len() - low;
        let wanted = window.limit + 1;
        match window.order {
            Order::Ascending => {
                let start = window
                    .after
                    .map_or(low, |key| low.max(list.rank(key) + usize::from(list.contains_key(key))));
                found.extend(list.slice(start..start.saturating_add(wanted)));
            }
            Order::Descending => {
                let end = window.after.map_or(list.len(), |key| list.rank(key)).max(low);
                found.extend(list.slice(low.max(end.saturating_sub(wanted))..end).into_iter().rev());
            }
        }
    }
    if lists.len() > 1 {
        match window.order {
            Order::Ascending => found.sort_by(|left, right| left.0.cmp(right.0)),
            Order::Descending => found.sort_by(|left, right| right.0.cmp(left.0)),
        }
    }
    let more = found.len() > window.limit;
    found.truncate(window.limit);
    let last = found.last().map(|(key, _)| (*key).clone());
    ListPage { rows: found.into_iter().map(|(_, row)| Arc::clone(row)).collect(), total, last, more }
}
