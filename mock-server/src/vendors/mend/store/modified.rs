//! When what of a project was modified, so that "which projects changed in this window" needs no scan.

use fixtures::world::mend::ModificationType;
use jiff::Timestamp;

use super::model::{OrganizationId, ProjectId};
use crate::kernel::counted_map::CountedMap;
use crate::kernel::history::History;

/// A window in seconds since 1970, both ends included. The vendor prints and takes whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub from: i64,
    /// Last second.
    pub to: i64,
}

/// A modification of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Modification {
    /// When, in seconds since 1970.
    pub second: i64,
    /// The project.
    pub project: ProjectId,
    /// What was modified.
    pub kind: ModificationType,
}

/// Modifications of all projects.
#[derive(Clone, Default)]
pub(super) struct Modifications {
    /// The newest of each project and kind, by organization and time.
    newest: CountedMap<(OrganizationId, Modification), ()>,
    /// All of them, in seconds.
    all: CountedMap<(ProjectId, ModificationType), History<i64>>,
}

impl Modifications {
    /// Adds a modification. One in the same second as the newest, or before it because a clock was set back,
    /// counts as that one. Returns the place of a new one in the project's history of that kind.
    pub(super) fn add(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        kind: ModificationType,
        time: Timestamp,
    ) -> Option<usize> {
        let second = time.as_second();
        let mut history = self.all.get(&(project, kind)).cloned().unwrap_or_default();
        if let Some(newest) = history.newest().copied() {
            if second <= newest {
                return None;
            }
            self.newest.remove(&(organization, Modification { second: newest, project, kind }));
        }
        self.newest.insert((organization, Modification { second, project, kind }), ());
        history.push(second);
        let place = history.len() - 1;
        self.all.insert((project, kind), history);
        Some(place)
    }

    /// For each project and kind that was modified in the window, the newest such modification, by time.
    pub(super) fn within(&self, organization: OrganizationId, window: Window) -> Vec<Modification> {
        let from = Modification { second: window.from, project: 0, kind: ModificationType::ALL[0] };
        let (start, end) = (
            self.newest.rank(&(organization, from)),
            self.newest.rank(&(organization.saturating_add(1), Modification { second: i64::MIN, ..from })),
        );
        let mut found: Vec<Modification> = self
            .newest
            .slice(start..end.max(start))
            .into_iter()
            .filter_map(|((_, newest), ())| {
                if newest.second <= window.to {
                    return Some(*newest);
                }
                // Modified again since the window ended: an earlier time may lie in it.
                let history = self.all.get(&(newest.project, newest.kind))?;
                let second = history.iter().copied().find(|second| *second <= window.to)?;
                (second >= window.from).then_some(Modification { second, ..*newest })
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// The newest modification of each kind of a project.
    pub(super) fn of_project(&self, project: ProjectId) -> Vec<Modification> {
        let of_kind = |kind: &ModificationType| {
            let second = *self.all.get(&(project, *kind))?.newest()?;
            Some(Modification { second, project, kind: *kind })
        };
        ModificationType::ALL.iter().filter_map(of_kind).collect()
    }

    /// All times of a project and kind, oldest first.
    pub(super) fn times(&self, project: ProjectId, kind: ModificationType) -> Vec<Timestamp> {
        let history = self.all.get(&(project, kind));
        let seconds = history.into_iter().flat_map(|history| history.oldest_first());
        seconds.filter_map(|second| Timestamp::from_second(*second).ok()).collect()
    }

    /// The n-th time of a project and kind, counted from 0.
    pub(super) fn time_at(
        &self,
        project: ProjectId,
        kind: ModificationType,
        place: usize,
    ) -> Option<Timestamp> {
        let history = self.all.get(&(project, kind))?;
        let second = history.iter().nth(history.len().checked_sub(place + 1)?)?;
        Timestamp::from_second(*second).ok()
    }

    /// Forgets a project.
    pub(super) fn remove_project(&mut self, organization: OrganizationId, project: ProjectId) {
        for newest in self.of_project(project) {
            self.newest.remove(&(organization, newest));
            self.all.remove(&(project, newest.kind));
        }
    }
}
