//! Which labels there are: counted, so that a page of their list costs what it shows.

use std::collections::BTreeSet;
use std::ops::Range;

use smol_str::SmolStr;

use super::Store;
use super::model::{Issue, Project};
use crate::kernel::counted_map::CountedMap;

/// Labels, each with how many issues have it.
type Counts = CountedMap<SmolStr, usize>;

/// The labels of all issues that are not hidden.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    all: Counts,
    by_project: CountedMap<u64, Counts>,
}

impl Labels {
    pub(super) fn build<'i>(issues: impl Iterator<Item = &'i Issue>) -> Self {
        let mut labels = Self::default();
        for issue in issues {
            labels.change(None, Some(issue));
        }
        labels
    }

    /// Takes in that a row was replaced by another one.
    pub(super) fn change(&mut self, old: Option<&Issue>, new: Option<&Issue>) {
        let shows_same = |a: &Issue, b: &Issue| {
            a.labels == b.labels && a.project == b.project && a.is_hidden == b.is_hidden
        };
        if matches!((old, new), (Some(old), Some(new)) if shows_same(old, new)) {
            return;
        }
        if let Some(old) = old.filter(|old| !old.is_hidden) {
            for label in old.labels.iter() {
                take_out(&mut self.all, label);
                if let Some(counts) = self.by_project.get_mut(&old.project) {
                    take_out(counts, label);
                }
            }
        }
        if let Some(new) = new.filter(|new| !new.is_hidden && !new.labels.is_empty()) {
            if !self.by_project.contains_key(&new.project) {
                self.by_project.insert(new.project, Counts::default());
            }
            for label in new.labels.iter() {
                put_in(&mut self.all, label);
                if let Some(counts) = self.by_project.get_mut(&new.project) {
                    put_in(counts, label);
                }
            }
        }
    }
}

fn put_in(counts: &mut Counts, label: &SmolStr) {
    match counts.get_mut(label) {
        Some(count) => *count += 1,
        None => drop(counts.insert(label.clone(), 1)),
    }
}

fn take_out(counts: &mut Counts, label: &SmolStr) {
    let left = counts.get_mut(label).map(|count| {
        *count = count.saturating_sub(1);
        *count
    });
    if left == Some(0) {
        counts.remove(label);
    }
}

/// The labels that somebody sees, in order.
pub enum LabelList<'a> {
    /// None.
    None,
    /// As they are kept.
    Kept(&'a CountedMap<SmolStr, usize>),
    /// Those of several projects put together.
    Merged(Vec<SmolStr>),
}

impl LabelList<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Kept(counts) => counts.len(),
            Self::Merged(labels) => labels.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those at these places, as far as there are so many.
    pub fn slice(&self, places: Range<usize>) -> Vec<&SmolStr> {
        let places = places.start.min(self.len())..places.end.min(self.len());
        match self {
            Self::None => Vec::new(),
            Self::Kept(counts) => counts.slice(places).into_iter().map(|(label, _)| label).collect(),
            Self::Merged(labels) => labels.get(places).unwrap_or_default().iter().collect(),
        }
    }
}

impl Store {
    /// The labels of the issues in those projects that somebody sees.
    pub fn labels(&self, sees: impl Fn(&Project) -> bool) -> LabelList<'_> {
        let shown: Vec<u64> =
            self.projects().filter(|project| sees(project)).map(|project| project.spec.id).collect();
        let of_project = |id: &u64| self.labels.by_project.get(id);
        match shown.as_slice() {
            all if all.len() == self.projects.len() => LabelList::Kept(&self.labels.all),
            [only] => of_project(only).map_or(LabelList::None, LabelList::Kept),
            some => {
                let labels = some.iter().filter_map(of_project).flat_map(CountedMap::iter);
                let distinct: BTreeSet<&SmolStr> = labels.map(|(label, _)| label).collect();
                LabelList::Merged(distinct.into_iter().cloned().collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fixtures::builders::jira::{issue, project, site};
    use jiff::Timestamp;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use proptest::sample::subsequence;

    use crate::vendors::jira::readings::Readings;
    use crate::vendors::jira::store::Store;

    proptest! {
        /// Against a model that goes through all issues.
        #[test]
        fn labels_are_those_of_the_issues_that_are_seen(
            changes in proptest::collection::vec(
                (1..6_u64, 1..4_u64, subsequence(vec!["a", "b", "B", "c"], 0..4), any::<bool>(), any::<bool>()),
                0..30,
            )
        ) {
            let mut world = site();
            world.projects = [(1, "AA"), (2, "BB"), (3, "CC")].map(|(id, key)| project(id, key, key)).into();
            world.issues = (1..6).map(|id| issue(id, &format!("AA-{id}")).label("a").build(Timestamp::UNIX_EPOCH)).collect();
            let mut store = Store::load(&world, Readings::default());
            let mut model: BTreeMap<u64, (u64, Vec<&str>, bool)> = (1..6).map(|id| (id, (1, vec!["a"], false))).collect();
            for (id, project, labels, is_hidden, is_removed) in changes {
                let now = Timestamp::UNIX_EPOCH;
                let Some(row) = store.issue(id).cloned() else { continue };
                if is_removed && is_hidden {
                    store.remove_issue(id, now);
                    model.remove(&id);
                    continue;
                }
                let mut row = (*row).clone();
                row.labels = std::sync::Arc::new(labels.iter().map(smol_str::SmolStr::new).collect());
                (row.project, row.is_hidden) = (project, is_hidden);
                store.put_issue(row, now);
                model.insert(id, (project, labels, is_hidden));
            }
            for seen in [vec![], vec![2], vec![1, 3], vec![1, 2, 3]] {
                let shown = model.values().filter(|(project, _, is_hidden)| seen.contains(project) && !is_hidden);
                let wanted: BTreeSet<&str> = shown.flat_map(|(_, labels, _)| labels.iter().copied()).collect();
                let list = store.labels(|project| seen.contains(&project.spec.id));
                let found: Vec<&str> = list.slice(0..usize::MAX).into_iter().map(smol_str::SmolStr::as_str).collect();
                prop_assert_eq!(&found, &wanted.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!((list.len(), list.is_empty()), (wanted.len(), wanted.is_empty()));
                prop_assert_eq!(list.slice(1..2).len(), usize::from(wanted.len() > 1));
            }
        }
    }
}
