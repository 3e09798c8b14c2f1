//! Rows of one account: what exists, in which order, how many.
//!
//! Everything is a [`CountedMap`], so copying a store costs a few pointers and a list is filtered, counted
//! and paged without a scan. Rows are immutable once stored; a change stores a new row. The store keeps what
//! follows from other rows in step (`aggregated_status`, `results_last_updated` upwards) and knows nothing of
//! who may ask for what.

mod export;
mod index;
mod lists;
mod load;
mod model;
mod write;

use std::sync::Arc;

use fixtures::world::data_theorem::ScanSpec;
use smol_str::SmolStr;

pub use index::{ListPage, Order, Since, Window};
pub use lists::{AppFilter, FindingFilter, Group, TargetFilter};
pub use model::{
    App, Finding, FindingFacts, IssueType, Note, Shape, StatusEntry, Tally, Target, TargetFacts,
};
pub use write::Change;

use super::readings::Readings;
use crate::kernel::counted_map::CountedMap;
use crate::kernel::cursor::RowKey;
use index::RowIndex;
use lists::{FindingList, TargetList};

/// All rows of one account.
#[derive(Clone)]
pub struct Store {
    readings: Readings,
    issue_types: CountedMap<SmolStr, Arc<IssueType>>,
    apps: CountedMap<SmolStr, Arc<App>>,
    apps_by_update: CountedMap<RowKey, Arc<App>>,
    scans: CountedMap<SmolStr, Arc<ScanSpec>>,
    scans_by_app: CountedMap<SmolStr, CountedMap<RowKey, Arc<ScanSpec>>>,
    findings: CountedMap<SmolStr, Arc<Finding>>,
    findings_by_type: CountedMap<(SmolStr, SmolStr), SmolStr>,
    finding_lists: RowIndex<FindingList, Finding>,
    targets: CountedMap<SmolStr, Arc<Target>>,
    target_lists: RowIndex<TargetList, Target>,
    /// The next number for an app or an issue type.
    next_number: model::Number,
    changes: Vec<Change>,
}

impl Store {
    /// The readings in force.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// The app with this id.
    pub fn app(&self, id: &str) -> Option<&Arc<App>> {
        self.apps.get(id)
    }

    /// The scan with this id.
    pub fn scan(&self, id: &str) -> Option<&Arc<ScanSpec>> {
        self.scans.get(id)
    }

    /// The issue type with this id.
    pub fn issue_type(&self, id: &str) -> Option<&Arc<IssueType>> {
        self.issue_types.get(id)
    }

    /// The finding with this id.
    pub fn finding(&self, id: &str) -> Option<&Arc<Finding>> {
        self.findings.get(id)
    }

    /// The finding of this issue type in this app.
    pub fn finding_of_type(&self, mobile_app_id: &str, issue_type_id: &str) -> Option<&Arc<Finding>> {
        let key = (SmolStr::new(mobile_app_id), SmolStr::new(issue_type_id));
        self.finding(self.findings_by_type.get(&key)?)
    }

    /// The target with this id.
    pub fn target(&self, id: &str) -> Option<&Arc<Target>> {
        self.targets.get(id)
    }

    /// Number of apps, findings and targets.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.apps.len(), self.findings.len(), self.targets.len())
    }
}
