//! What a search sees: issues as they were a while ago, by project, label and time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use super::Store;
use super::model::Issue;
use super::walk::Walk;
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
    pub(super) issues: CountedMap<u64, Arc<Issue>>,
    by_project: CountedMap<u64, Ids>,
    /// By label in lower case.
    by_label: CountedMap<SmolStr, Ids>,
    /// By when they last changed.
    pub(super) by_updated: CountedMap<(Timestamp, u64), ()>,
}

impl Index {
    pub(super) fn build(issues: &CountedMap<u64, Arc<Issue>>) -> Self {
        let mut by_project: BTreeMap<u64, Vec<(u64, ())>> = BTreeMap::new();
        let mut by_label: BTreeMap<SmolStr, Vec<(u64, ())>> = BTreeMap::new();
        let by_updated = issues.iter().map(|(id, issue)| ((issue.updated, *id), ())).collect();
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
            by_updated,
        }
    }

    fn put(&mut self, id: u64, row: Option<Arc<Issue>>) {
        let old = match &row {
            Some(row) => self.issues.insert(id, Arc::clone(row)),
            None => self.issues.remove(&id),
        };
        let updated = |row: &Option<Arc<Issue>>| row.as_ref().map(|row| row.updated);
        if updated(&old) != updated(&row) {
            if let Some(updated) = updated(&old) {
                self.by_updated.remove(&(updated, id));
            }
            if let Some(updated) = updated(&row) {
                self.by_updated.insert((updated, id), ());
            }
        }
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

/// The index as the last search needed it: with so many of the changes on their way taken in already. Searches change
/// nothing, so this stands beside the index until the next change takes it over.
#[derive(Debug, Default)]
pub(super) struct CaughtUp(Mutex<Option<(usize, Index)>>);

impl Clone for CaughtUp {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}

impl CaughtUp {
    fn lock(&self) -> MutexGuard<'_, Option<(usize, Index)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Notes for the search what became of an issue at `now`.
    pub(super) fn index_change(&mut self, id: u64, now: Timestamp) {
        let row = self.issues.get(&id).cloned();
        if self.pending.is_empty() && is_seen(now, self.lag(), now) {
            self.index.put(id, row);
            return;
        }
        let len = self.pending.len();
        let newest = self
            .pending
            .slice(len.saturating_sub(1)..len)
            .first()
            .map(|(place, pending)| (**place, pending.at));
        let (next, earliest) = newest.map_or((0, now), |(place, at)| (place + 1, at));
        // A clock that was put back must not bring changes out of order.
        self.pending.insert(next, Pending { at: now.max(earliest), id, row });
        self.take_in(now);
    }

    /// Lets the index take in what is old enough.
    pub(super) fn take_in(&mut self, now: Timestamp) {
        let seen = self.seen_at(now);
        if seen == 0 {
            return;
        }
        let mut taken = 0;
        if let Some((already, index)) = self.caught_up.lock().take().filter(|(taken, _)| *taken <= seen) {
            (taken, self.index) = (already, index);
        }
        let old_enough: Vec<(u64, Pending)> = self
            .pending
            .slice(0..seen)
            .into_iter()
            .map(|(place, pending)| (*place, pending.clone()))
            .collect();
        for (count, (place, pending)) in old_enough.into_iter().enumerate() {
            self.pending.remove(&place);
            if count >= taken {
                self.index.put(pending.id, pending.row);
            }
        }
    }

    fn lag(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.limits.search_lag_ms).unwrap_or(i64::MAX))
    }

    /// How many of the changes on their way a search at `now` sees: they are in the order of their times.
    fn seen_at(&self, now: Timestamp) -> usize {
        let lag = self.lag();
        let (mut seen, mut unsure) = (0, self.pending.len());
        while seen < unsure {
            let middle = seen + (unsure - seen) / 2;
            match self.pending.slice(middle..middle + 1).first() {
                Some((_, pending)) if is_seen(pending.at, lag, now) => seen = middle + 1,
                _ => unsure = middle,
            }
        }
        seen
    }

    fn index_at(&self, now: Timestamp) -> Index {
        let seen = self.seen_at(now);
        if seen == 0 {
            return self.index.clone();
        }
        let mut caught_up = self.caught_up.lock();
        let known = caught_up.take().filter(|(taken, _)| *taken <= seen);
        let (taken, mut index) = known.unwrap_or_else(|| (0, self.index.clone()));
        for (_, pending) in self.pending.slice(taken..seen) {
            index.put(pending.id, pending.row.clone());
        }
        *caught_up = Some((seen, index.clone()));
        index
    }

    /// What a search at `now` sees. The issues in `reconcile` are seen as they are.
    pub fn searchable(&self, now: Timestamp, reconcile: &[u64]) -> Searchable {
        let overlay = reconcile.iter().map(|id| (*id, self.issues.get(id).cloned())).collect();
        Searchable { index: self.index_at(now), overlay }
    }
}

fn is_seen(at: Timestamp, lag: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(at) >= lag
}

/// What a search sees at an instant.
pub struct Searchable {
    pub(super) index: Index,
    /// What a search sees as it is, whatever the index has taken in.
    overlay: BTreeMap<u64, Option<Arc<Issue>>>,
}

/// Where a search looks for issues.
#[derive(Clone)]
pub enum Candidates<'a> {
    /// Everywhere.
    All,
    /// In lists of the index; an issue may stand in several.
    Lists(Vec<&'a Ids>),
    /// At these places of all issues in the order of their last change.
    Changed(Range<usize>),
    /// Among these.
    These(Vec<u64>),
}

impl Searchable {
    /// The issue with this number.
    pub fn issue(&self, id: u64) -> Option<&Arc<Issue>> {
        match self.overlay.get(&id) {
            Some(row) => row.as_ref(),
            None => self.index.issues.get(&id),
        }
    }

    /// The issues of a project.
    pub fn of_project(&self, project: u64) -> Candidates<'_> {
        Candidates::Lists(self.index.by_project.get(&project).into_iter().collect())
    }

    /// The issues with one of these labels, whatever their case.
    pub fn with_labels<'l>(&self, labels: impl IntoIterator<Item = &'l str>) -> Candidates<'_> {
        let folded = labels.into_iter().map(str::to_lowercase);
        Candidates::Lists(folded.filter_map(|label| self.index.by_label.get(label.as_str())).collect())
    }

    /// The issues that last changed within these bounds, in which they may lie.
    pub fn changed(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> Candidates<'_> {
        let index = &self.index.by_updated;
        let start = since.map_or(0, |since| index.rank(&(since, 0)));
        let end = until.map_or(index.len(), |until| index.rank(&(until, u64::MAX)));
        Candidates::Changed(start..end.max(start))
    }

    /// How many issues there are to look at.
    pub fn count(&self, candidates: &Candidates<'_>) -> usize {
        match candidates {
            Candidates::All => self.index.issues.len(),
            Candidates::Lists(lists) => lists.iter().map(|ids| ids.len()).sum(),
            Candidates::Changed(places) => places.len(),
            Candidates::These(ids) => ids.len(),
        }
    }

    /// Passes the candidates, and all issues that are to be seen as they are, to `look` in the order of their numbers, the highest
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

#[cfg(test)]
mod tests {
    use fixtures::builders::jira::{issue, project, site};
    use jiff::{SignedDuration, Timestamp};

    use super::Candidates;
    use crate::vendors::jira::readings::Readings;
    use crate::vendors::jira::store::{Issue, Store};

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    /// Issues as a search at this second sees them: number and last change.
    fn seen(store: &Store, second: i64) -> Vec<(u64, Timestamp)> {
        let mut found = Vec::new();
        store.searchable(after(second), &[]).visit(&Candidates::All, false, None, |issue| {
            found.push((issue.id, issue.updated));
            true
        });
        found
    }

    #[test]
    fn a_search_takes_in_each_change_once() {
        let mut world = site();
        world.projects.push(project(1, "SEC", "Security"));
        world.limits.search_lag_ms = 10_000;
        for number in 1..=5 {
            world.issues.push(issue(number, &format!("SEC-{number}")).build(Timestamp::UNIX_EPOCH));
        }
        let mut store = Store::load(&world, Readings::default());
        for second in 1..=5 {
            let id = u64::try_from(second).unwrap();
            let row = Issue { updated: after(second), ..(**store.issue(id).unwrap()).clone() };
            store.put_issue(row, after(second));
        }
        let taken = |store: &Store| store.caught_up.lock().as_ref().map(|(taken, _)| *taken);
        let changed = |store: &Store, second| {
            seen(store, second).iter().filter(|(_, updated)| *updated > Timestamp::UNIX_EPOCH).count()
        };
        assert_eq!((changed(&store, 5), taken(&store)), (0, None));
        assert_eq!((changed(&store, 13), taken(&store)), (3, Some(3)));
        assert_eq!((changed(&store, 14), taken(&store)), (4, Some(4)));
        // A clock that goes back sees less again.
        assert_eq!((changed(&store, 12), taken(&store)), (2, Some(2)));
        assert_eq!((changed(&store.clone(), 15), taken(&store)), (5, Some(2)));
        // The next change hands them over to the index.
        store.remove_issue(5, after(14));
        assert_eq!((store.pending.len(), taken(&store)), (2, None));
        assert_eq!(changed(&store, 14), 4);
        assert_eq!((seen(&store, 24).len(), changed(&store, 24)), (4, 4));
    }

    #[test]
    fn a_change_comes_no_earlier_than_the_one_before_it() {
        let mut world = site();
        world.projects.push(project(1, "SEC", "Security"));
        world.limits.search_lag_ms = 10_000;
        world.issues.push(issue(1, "SEC-1").build(Timestamp::UNIX_EPOCH));
        let mut store = Store::load(&world, Readings::default());
        for (second, updated) in [(20, 1), (5, 2)] {
            let row = Issue { updated: after(updated), ..(**store.issue(1).unwrap()).clone() };
            store.put_issue(row, after(second));
        }
        assert_eq!(seen(&store, 15), seen(&store, 0));
        assert_eq!(seen(&store, 30), [(1, after(2))]);
    }
}
