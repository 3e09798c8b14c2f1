//! The way through what a search looks at.

use std::ops::Range;
use std::sync::Arc;

use super::index::{Candidates, Ids, Searchable};
use super::model::Issue;
use crate::kernel::counted_map::CountedMap;

/// Walks over candidates in pieces, so that a page of an ordinary list costs what it shows. Candidates that stand in no
/// order of their numbers are put into it first.
pub(super) struct Walk<'a> {
    source: Source<'a>,
    descending: bool,
    /// What is left, as places in the source.
    left: Range<usize>,
    piece: std::collections::VecDeque<u64>,
}

enum Source<'a> {
    Issues(&'a CountedMap<u64, Arc<Issue>>),
    Ids(&'a Ids),
    Few(Vec<u64>),
}

const PIECE: usize = 256;

impl<'a> Walk<'a> {
    pub(super) fn new(
        searchable: &'a Searchable,
        candidates: &'a Candidates<'a>,
        descending: bool,
        after: Option<u64>,
    ) -> Self {
        let few = |mut ids: Vec<u64>| {
            ids.sort_unstable();
            ids.dedup();
            Source::Few(ids)
        };
        let source = match candidates {
            Candidates::All => Source::Issues(&searchable.index.issues),
            Candidates::Lists(lists) => match lists.as_slice() {
                [ids] => Source::Ids(ids),
                several => few(several.iter().flat_map(|ids| ids.iter()).map(|(id, ())| *id).collect()),
            },
            // To sort most issues costs more than to look at all.
            Candidates::Changed(places) if places.len() > PIECE + searchable.index.issues.len() / 8 => {
                Source::Issues(&searchable.index.issues)
            }
            Candidates::Changed(places) => {
                let rows = searchable.index.by_updated.slice(places.clone());
                few(rows.into_iter().map(|((_, id), ())| *id).collect())
            }
            Candidates::These(ids) => few(ids.clone()),
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

    /// The next number, if there is one.
    pub(super) fn next(&mut self) -> Option<u64> {
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
