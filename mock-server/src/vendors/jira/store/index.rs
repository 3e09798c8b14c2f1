//! What a search sees: issues as they were a while ago, by project, label and key.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use super::Store;
use super::model::Issue;
use crate::kernel::counted_map::CountedMap;

/// The numbers of some issues.
pub(super) type Ids = CountedMap<u64, ()>;

/// A change on its way into the index.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    at: Timestamp,
    id: u64,
    /// The row from then on; `None`: it is gone.
    row: Option<Arc<Issue>>,
}

/// The issues that the index has taken in.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    issues: CountedMap<u64, Arc<Issue>>,
    by_project: CountedMap<u64, Ids>,
    /// By label in lower case.
    by_label: CountedMap<SmolStr, Ids>,
}

impl Index {
    pub(super) fn build(issues: &CountedMap<u64, Arc<Issue>>) -> Self {
        let mut by_project: BTreeMap<u64, Vec<(u64, ())>> = BTreeMap::new();
        let mut by_label: BTreeMap<SmolStr, Vec<(u64, ())>> = BTreeMap::new();
        for (id, issue) in issues.iter() {
            by_project.entry(issue.project).or_default().push((*id, ()));
            for label in folded(issue) {
                by_label.entry(label).or_default().push((*id, ()));
            }
        }
        Self {
            issues: issues.clone(),
            by_project: by_project.into_iter().map(|(key, ids)| (key, ids.into_iter().collect())).collect(),
            by_label: by_label.into_iter().map(|(key, ids)| (key, ids.into_iter().collect())).collect(),
        }
    }

    fn put(&mut self, id: u64, row: Option<Arc<Issue>>) {
        let old = match &row {
            Some(row) => self.issues.insert(id, Arc::clone(row)),
            None => self.issues.remove(&id),
        };
        let unchanged = |a: &Issue, b: &Issue| {
            a.project == b.project && (Arc::ptr_eq(&a.labels, &b.labels) || a.labels == b.labels)
        };
        if matches!((&old, &row), (Some(old), Some(row)) if unchanged(old, row)) {
            return;
        }
        if let Some(old) = old {
            take_out(&mut self.by_project, &old.project, id);
            for label in folded(&old) {
                take_out(&mut self.by_label, &label, id);
            }
        }
        if let Some(row) = row {
            put_in(&mut self.by_project, row.project, id);
            for label in folded(&row) {
                put_in(&mut self.by_label, label, id);
            }
        }
    }
}

/// The labels of an issue in lower case, each once.
fn folded(issue: &Issue) -> std::collections::BTreeSet<SmolStr> {
    issue.labels.iter().map(|label| SmolStr::new(label.to_lowercase())).collect()
}

fn put_in<K: Ord + Clone>(lists: &mut CountedMap<K, Ids>, key: K, id: u64) {
    match lists.get_mut(&key) {
        Some(ids) => drop(ids.insert(id, ())),
        None => drop(lists.insert(key, [(id, ())].into_iter().collect())),
    }
}

fn take_out<K: Ord + Clone>(lists: &mut CountedMap<K, Ids>, key: &K, id: u64) {
    if let Some(ids) = lists.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            lists.remove(key);
        }
    }
}

impl Store {
    /// Notes for the search what became of an issue at `now`.
    pub(super) fn index_change(&mut self, id: u64, now: Timestamp) {
        let row = self.issues.get(&id).cloned();
        let len = self.pending.len();
        let newest = self.pending.slice(len.saturating_sub(1)..len).first().map(|(place, _)| **place);
        let next = newest.map_or(0, |place| place + 1);
        self.pending.insert(next, Pending { at: now, id, row });
        self.take_in(now);
    }

    /// Lets the index take in what is old enough.
    pub(super) fn take_in(&mut self, now: Timestamp) {
        let lag = self.lag();
        while let Some((place, pending)) =
            self.pending.slice(0..1).first().map(|(place, pending)| (**place, (*pending).clone()))
        {
            if !is_seen(pending.at, lag, now) {
                break;
            }
            self.pending.remove(&place);
            self.index.put(pending.id, pending.row);
        }
    }

    fn lag(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.limits.search_lag_ms).unwrap_or(i64::MAX))
    }

    /// What a search at `now` sees. The issues in `reconcile` are seen as they are.
    pub fn searchable(&self, now: Timestamp, reconcile: &[u64]) -> Searchable<'_> {
        let lag = self.lag();
        let mut overlay = BTreeMap::new();
        for (_, pending) in self.pending.iter().filter(|(_, pending)| is_seen(pending.at, lag, now)) {
            overlay.insert(pending.id, pending.row.clone());
        }
        for id in reconcile {
            overlay.insert(*id, self.issues.get(id).cloned());
        }
        Searchable { index: &self.index, overlay }
    }
}

fn is_seen(at: Timestamp, lag: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(at) >= lag
}

/// What a search sees at an instant.
pub struct Searchable<'a> {
    index: &'a Index,
    /// What the index has not taken in and a search sees all the same.
    overlay: BTreeMap<u64, Option<Arc<Issue>>>,
}

/// Where a search looks for issues.
#[derive(Clone)]
pub enum Candidates<'a> {
    /// Everywhere.
    All,
    /// In a list of the index.
    List(&'a Ids),
    /// Among these.
    These(Vec<u64>),
}

impl Searchable<'_> {
    /// The issue with this number.
    pub fn issue(&self, id: u64) -> Option<&Arc<Issue>> {
        match self.overlay.get(&id) {
            Some(row) => row.as_ref(),
            None => self.index.issues.get(&id),
        }
    }

    /// The issues of a project.
    pub fn of_project(&self, project: u64) -> Candidates<'_> {
        self.index.by_project.get(&project).map_or(Candidates::These(Vec::new()), Candidates::List)
    }

    /// The issues with a label, whatever its case.
    pub fn with_label(&self, label: &str) -> Candidates<'_> {
        let label = label.to_lowercase();
        self.index.by_label.get(label.as_str()).map_or(Candidates::These(Vec::new()), Candidates::List)
    }

    /// How many issues there are to look at.
    pub fn count(&self, candidates: &Candidates<'_>) -> usize {
        match candidates {
            Candidates::All => self.index.issues.len(),
            Candidates::List(ids) => ids.len(),
            Candidates::These(ids) => ids.len(),
        }
    }

    /// Passes the candidates, and all issues that changed lately, to `look` in the order of their numbers, the highest
    /// first or last, beginning behind `after`, until it says that it has seen enough.
    pub fn visit(
        &self,
        candidates: &Candidates<'_>,
        descending: bool,
        after: Option<u64>,
        mut look: impl FnMut(&Arc<Issue>) -> bool,
    ) {
        let is_behind = |id: u64| after.is_none_or(|after| if descending { id < after } else { id > after });
        let mut fresh: Vec<u64> = self
            .overlay
            .iter()
            .filter(|(id, row)| row.is_some() && is_behind(**id))
            .map(|(id, _)| *id)
            .collect();
        if descending {
            fresh.reverse();
        }
        let mut fresh = fresh.into_iter().peekable();
        let mut walk = Walk::new(self, candidates, descending, after);
        let mut next = walk.next();
        loop {
            let takes_fresh = match (fresh.peek(), next) {
                (None, None) => return,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(fresh), Some(old)) => {
                    if descending {
                        *fresh >= old
                    } else {
                        *fresh <= old
                    }
                }
            };
            let id = if takes_fresh { fresh.next() } else { next };
            if !takes_fresh || id == next {
                next = walk.next();
            }
            let Some(row) = id.and_then(|id| self.issue(id)) else { continue };
            if !look(row) {
                return;
            }
        }
    }
}

/// Walks over candidates in pieces, so that a page costs what it shows.
struct Walk<'a> {
    source: Source<'a>,
    descending: bool,
    /// What is left, as places in the source.
    left: std::ops::Range<usize>,
    piece: std::collections::VecDeque<u64>,
}

enum Source<'a> {
    Issues(&'a CountedMap<u64, Arc<Issue>>),
    Ids(&'a Ids),
    Few(Vec<u64>),
}

const PIECE: usize = 256;

impl<'a> Walk<'a> {
    fn new(
        searchable: &'a Searchable<'_>,
        candidates: &'a Candidates<'a>,
        descending: bool,
        after: Option<u64>,
    ) -> Self {
        let source = match candidates {
            Candidates::All => Source::Issues(&searchable.index.issues),
            Candidates::List(ids) => Source::Ids(ids),
            Candidates::These(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids.dedup();
                Source::Few(ids)
            }
        };
        let len = match &source {
            Source::Issues(map) => map.len(),
            Source::Ids(map) => map.len(),
            Source::Few(ids) => ids.len(),
        };
        let below = |id: u64| match &source {
            Source::Issues(map) => map.rank(&id),
            Source::Ids(map) => map.rank(&id),
            Source::Few(ids) => ids.partition_point(|known| *known < id),
        };
        let left = match after {
            None => 0..len,
            Some(after) if descending => 0..below(after),
            Some(after) => below(after.saturating_add(1))..len,
        };
        Self { source, descending, left, piece: std::collections::VecDeque::new() }
    }

    fn next(&mut self) -> Option<u64> {
        if self.piece.is_empty() && !self.left.is_empty() {
            let places = if self.descending {
                let start = self.left.end.saturating_sub(PIECE).max(self.left.start);
                let places = start..self.left.end;
                self.left.end = start;
                places
            } else {
                let end = (self.left.start + PIECE).min(self.left.end);
                let places = self.left.start..end;
                self.left.start = end;
                places
            };
            self.piece = match &self.source {
                Source::Issues(map) => map.slice(places).into_iter().map(|(id, _)| *id).collect(),
                Source::Ids(map) => map.slice(places).into_iter().map(|(id, ())| *id).collect(),
                Source::Few(ids) => ids.get(places).unwrap_or_default().iter().copied().collect(),
            };
        }
        if self.descending { self.piece.pop_back() } else { self.piece.pop_front() }
    }
}
