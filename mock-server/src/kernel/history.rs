//! An append-only list that is cheap to copy: appending and cloning cost the same however long it is.
//!
//! Statuses of a target and notes of a finding grow for years; a write must not copy them.

use std::sync::Arc;

/// A persistent list, newest entry first.
#[derive(Debug)]
pub struct History<T> {
    newest: Option<Arc<Entry<T>>>,
    len: usize,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    older: Option<Arc<Entry<T>>>,
}

impl<T> Clone for History<T> {
    fn clone(&self) -> Self {
        Self { newest: self.newest.clone(), len: self.len }
    }
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { newest: None, len: 0 }
    }
}

impl<T> History<T> {
    /// Collects entries that arrive oldest first.
    pub fn from_oldest_first(values: impl IntoIterator<Item = T>) -> Self {
        let mut history = Self::default();
        for value in values {
            history.push(value);
        }
        history
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the newest entry.
    pub fn push(&mut self, value: T) {
        let older = self.newest.take();
        self.newest = Some(Arc::new(Entry { value, older }));
        self.len += 1;
    }

    /// The newest entry.
    pub fn newest(&self) -> Option<&T> {
        self.newest.as_deref().map(|entry| &entry.value)
    }

    /// All entries, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::successors(self.newest.as_deref(), |entry| entry.older.as_deref())
            .map(|entry| &entry.value)
    }

    /// All entries, oldest first.
    pub fn oldest_first(&self) -> Vec<&T> {
        let mut entries: Vec<&T> = self.iter().collect();
        entries.reverse();
        entries
    }
}

impl<T> Drop for History<T> {
    // The derived drop would recurse once per entry and overflow the stack on a long history.
    fn drop(&mut self) {
        let mut next = self.newest.take();
        while let Some(entry) = next {
            next = Arc::into_inner(entry).and_then(|mut entry| entry.older.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn copies_share_what_came_before() {
        let mut history = History::from_oldest_first([1, 2]);
        let copy = history.clone();
        history.push(3);
        assert_eq!(history.iter().copied().collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(copy.oldest_first(), [&1, &2]);
        assert_eq!((history.len(), copy.len(), copy.newest()), (3, 2, Some(&2)));
    }

    #[test]
    fn a_long_history_can_be_dropped() {
        drop(History::from_oldest_first(0..1_000_000));
    }
}
