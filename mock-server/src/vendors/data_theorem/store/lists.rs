//! Which lists there are, which of them a row is in, and which of them answer a query.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::data_theorem::{
    Platform, ReleaseType, ScanSpec, ScanStatus, Severity, Subscription, TargetStatus,
};
use smol_str::SmolStr;

use super::index::{ListPage, Order, Tree, Window, page};
use super::model::{App, Finding, Number, Target};
use super::{Readings, Store};
use crate::kernel::counted_map::CountedMap;
use crate::vendors::data_theorem::readings::OpenGroupRescan;

/// Stands for "all apps" or "all issue types" in the name of a list. Real numbers start at 1.
const ALL: Number = 0;

/// The status groups that queries tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// `NEW`, `OPEN` and, by reading, `OPEN_READY_TO_RESCAN`.
    Open,
    /// Every `CLOSED_*` status.
    Closed,
    /// `OPEN_READY_TO_RESCAN`, under the reading that leaves it out of both.
    Neither,
}

impl Group {
    const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Neither];

    /// The group that `status_group` names, if it names one.
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name? {
            "OPEN" => Some(Self::Open),
            "CLOSED" => Some(Self::Closed),
            _ => None,
        }
    }

    /// The group of a status.
    pub fn of(status: TargetStatus, readings: &Readings) -> Self {
        match status {
            TargetStatus::OpenReadyToRescan if readings.open_group_rescan == OpenGroupRescan::Excluded => {
                Self::Neither
            }
            status if status.is_closed() => Self::Closed,
            _ => Self::Open,
        }
    }
}

/// Name of a list of targets: app, issue type, group. Lists of one shape are disjoint.
pub(super) type TargetList = (Number, Number, Group);

/// Name of a list of findings: app, severity, group. Lists of one shape are disjoint.
pub(super) type FindingList = (Number, Severity, Group);

/// The lists a target is in.
pub(super) fn lists_of_target(target: &Target, readings: &Readings) -> [TargetList; 4] {
    let group = Group::of(target.current.status, readings);
    let (app, issue_type) = (target.facts.app_number, target.facts.issue_type.number);
    [(app, issue_type, group), (app, ALL, group), (ALL, issue_type, group), (ALL, ALL, group)]
}

/// The lists a finding is in.
pub(super) fn lists_of_finding(finding: &Finding, readings: &Readings) -> [FindingList; 2] {
    let group = Group::of(finding.aggregated_status, readings);
    let severity = finding.facts.issue_type.spec.severity;
    [(finding.facts.app_number, severity, group), (ALL, severity, group)]
}

/// Which targets to list; what is absent does not limit.
#[derive(Debug, Clone, Default)]
pub struct TargetFilter {
    /// Only those of these apps. An app that does not exist contributes nothing.
    pub mobile_app_ids: Option<BTreeSet<String>>,
    /// Only those of this finding.
    pub security_finding_id: Option<String>,
    /// Only those of this issue type.
    pub issue_type_id: Option<String>,
    /// Only those of this group.
    pub group: Option<Group>,
}

/// Which findings to list; what is absent does not limit.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// Only those of these apps. An app that does not exist contributes nothing.
    pub mobile_app_ids: Option<BTreeSet<String>>,
    /// Only those of these severities.
    pub severities: BTreeSet<Severity>,
    /// Only those of this group.
    pub group: Option<Group>,
}

/// Which apps to list; what is absent or empty does not limit.
#[derive(Debug, Clone, Default)]
pub struct AppFilter {
    /// Only these apps.
    pub ids: Option<BTreeSet<String>>,
    /// Only this platform.
    pub platform: Option<Platform>,
    /// Only this release type.
    pub release_type: Option<ReleaseType>,
    /// Only those with at least one of these subscriptions.
    pub subscriptions: BTreeSet<Subscription>,
    /// Only those whose most recent scan has one of these statuses; `None` in it: never scanned.
    pub scan_status: Option<Vec<Option<ScanStatus>>>,
    /// Only those whose scans are blocked for this reason.
    pub blocked_scan_reason: Option<String>,
}

impl Store {
    /// A page of targets.
    pub fn list_targets(&self, filter: &TargetFilter, window: Window<'_>) -> ListPage<Target> {
        if let Some(finding) = &filter.security_finding_id {
            return self.list_targets_of_finding(finding, filter, window);
        }
        let issue_type = match &filter.issue_type_id {
            None => ALL,
            Some(id) => match self.issue_types.get(id.as_str()) {
                Some(issue_type) => issue_type.number,
                None => return page(&[], window),
            },
        };
        let mut lists: Vec<&Tree<Target>> = Vec::with_capacity(3);
        for app in self.app_numbers(filter.mobile_app_ids.as_ref()) {
            for group in groups(filter.group) {
                lists.extend(self.target_lists.list(&(app, issue_type, group)));
            }
        }
        page(&lists, window)
    }

    /// The few targets of one finding are gathered and sorted; no list is kept for them.
    fn list_targets_of_finding(
        &self,
        finding: &str,
        filter: &TargetFilter,
        window: Window<'_>,
    ) -> ListPage<Target> {
        let Some(finding) = self.findings.get(finding) else { return page(&[], window) };
        let facts = &finding.facts;
        let of_app =
            filter.mobile_app_ids.as_ref().is_none_or(|apps| apps.contains(facts.mobile_app_id.as_str()));
        let of_type = filter.issue_type_id.as_ref().is_none_or(|id| *id == facts.issue_type.spec.id);
        if !of_app || !of_type {
            return page(&[], window);
        }
        let rows = finding.targets.iter().filter_map(|id| self.targets.get(id));
        let rows = rows.filter(|row| {
            filter.group.is_none_or(|group| group == Group::of(row.current.status, &self.readings))
        });
        let list: Tree<Target> = rows.map(|row| (row.key(), Arc::clone(row))).collect();
        page(&[&list], window)
    }

    /// A page of findings.
    pub fn list_findings(&self, filter: &FindingFilter, window: Window<'_>) -> ListPage<Finding> {
        let mut lists: Vec<&Tree<Finding>> = Vec::with_capacity(9);
        for app in self.app_numbers(filter.mobile_app_ids.as_ref()) {
            for severity in Severity::ALL {
                if !filter.severities.is_empty() && !filter.severities.contains(severity) {
                    continue;
                }
                for group in groups(filter.group) {
                    lists.extend(self.finding_lists.list(&(app, *severity, group)));
                }
            }
        }
        page(&lists, window)
    }

    /// A page of apps. This one scans, bounded by the number of apps.
    pub fn list_apps(&self, filter: &AppFilter, window: Window<'_>) -> ListPage<App> {
        let matching = self.apps_by_update.iter().filter(|(_, app)| filter.matches(app));
        let list =
            CountedMap::from_sorted(matching.map(|(key, app)| (key.clone(), Arc::clone(app))).collect());
        page(&[&list], window)
    }

    /// A page of an app's scans, newest first. `after` is the place of the last scan of the page before.
    pub fn list_scans(&self, mobile_app_id: &str, window: Window<'_>) -> ListPage<ScanSpec> {
        let window = Window { order: Order::Descending, since: None, ..window };
        match self.scans_by_app.get(mobile_app_id) {
            Some(scans) => page(&[scans], window),
            None => page(&[], window),
        }
    }

    /// The most recent scan of an app.
    pub(super) fn latest_scan(&self, mobile_app_id: &str) -> Option<&Arc<ScanSpec>> {
        let scans = self.scans_by_app.get(mobile_app_id)?;
        scans.slice(scans.len().saturating_sub(1)..scans.len()).first().map(|(_, scan)| *scan)
    }

    /// When the app's most recent scan started.
    pub fn latest_scan_start(&self, mobile_app_id: &str) -> Option<jiff::Timestamp> {
        self.latest_scan(mobile_app_id).map(|scan| scan.start_date)
    }

    /// The app's most recent scan, if it is still running.
    pub fn ongoing_scan(&self, mobile_app_id: &str) -> Option<Arc<ScanSpec>> {
        self.latest_scan(mobile_app_id).filter(|scan| scan.status == ScanStatus::Ongoing).cloned()
    }

    /// Ids of all targets of an app that are open.
    pub fn open_targets_of_app(&self, mobile_app_id: &str) -> Vec<SmolStr> {
        let Some(app) = self.apps.get(mobile_app_id) else { return Vec::new() };
        let lists =
            [Group::Open, Group::Neither].map(|group| self.target_lists.list(&(app.number, ALL, group)));
        lists.into_iter().flatten().flat_map(CountedMap::iter).map(|(key, _)| key.id.clone()).collect()
    }

    fn app_numbers(&self, apps: Option<&BTreeSet<String>>) -> Vec<Number> {
        match apps {
            None => vec![ALL],
            Some(ids) => ids.iter().filter_map(|id| Some(self.apps.get(id.as_str())?.number)).collect(),
        }
    }
}

fn groups(only: Option<Group>) -> impl Iterator<Item = Group> {
    Group::ALL.into_iter().filter(move |group| only.is_none_or(|only| only == *group))
}

impl AppFilter {
    fn matches(&self, app: &App) -> bool {
        let facts = &app.facts;
        self.ids.as_ref().is_none_or(|ids| ids.contains(&facts.id))
            && self.platform.is_none_or(|platform| platform == facts.platform)
            && self.release_type.is_none_or(|release_type| release_type == facts.release_type)
            && (self.subscriptions.is_empty() || self.subscribed(app))
            && self.scan_status.as_ref().is_none_or(|statuses| statuses.contains(&app.latest_scan))
            && self
                .blocked_scan_reason
                .as_ref()
                .is_none_or(|reason| facts.blocked_scan_reason.as_ref() == Some(reason))
    }

    fn subscribed(&self, app: &App) -> bool {
        let has = &app.facts.subscription;
        (has.is_empty() && self.subscriptions.contains(&Subscription::NoSubscription))
            || self.subscriptions.intersection(has).next().is_some()
    }
}
