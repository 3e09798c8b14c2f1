//! The rows themselves. What never changes after creation is shared between versions of a row.

use std::sync::{Arc, OnceLock};

use fixtures::world::data_theorem::{
    ContextSpec, IssueTypeSpec, MobileAppSpec, NoteSpec, Priority, ScanStatus, TargetStatus,
};
use jiff::Timestamp;
use smol_str::SmolStr;

use crate::kernel::cursor::RowKey;
use crate::kernel::history::History;
use crate::vendors::data_theorem::readings::{Readings, SampledFields};

/// Whether a row stands in a list or is the whole reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One of many.
    List,
    /// The only one.
    Item,
}

/// A row's JSON without its links, rendered once per version of the row.
///
/// A changed row is a clone of the old one, so cloning forgets what was rendered. Rows belong to a store with
/// one set of readings for life, so what was rendered stays right.
#[derive(Debug, Default)]
pub struct Rendered {
    list: OnceLock<Box<[u8]>>,
    /// Used only where the readings give items other fields than lists.
    item: OnceLock<Box<[u8]>>,
}

impl Clone for Rendered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Rendered {
    /// The bytes, rendered by `render` if this version has not been rendered yet.
    pub fn get(&self, readings: &Readings, shape: Shape, render: impl FnOnce() -> Vec<u8>) -> &[u8] {
        let place = match (readings.sampled_fields, shape) {
            (SampledFields::AsSampled, Shape::Item) => &self.item,
            _ => &self.list,
        };
        place.get_or_init(|| render().into_boxed_slice())
    }
}

/// A number that stands for an app or an issue type in the names of lists, where texts would be slow.
pub(super) type Number = u32;

/// A kind of issue.
#[derive(Debug)]
pub struct IssueType {
    /// Stands for it in the names of lists.
    pub number: Number,
    /// The issue type.
    pub spec: IssueTypeSpec,
}

/// A mobile app.
#[derive(Debug, Clone)]
pub struct App {
    /// Stands for it in the names of lists.
    pub number: Number,
    /// Everything but what the other fields hold newer values of.
    pub facts: Arc<MobileAppSpec>,
    /// Version of the most recently scanned build.
    pub version: SmolStr,
    /// When its results last changed.
    pub results_last_updated: Timestamp,
    /// Status of its most recent scan.
    pub latest_scan: Option<ScanStatus>,
    /// Its JSON.
    pub rendered: Rendered,
}

/// What never changes about a finding.
#[derive(Debug)]
pub struct FindingFacts {
    /// Opaque text.
    pub id: SmolStr,
    /// The app it was found in.
    pub mobile_app_id: SmolStr,
    /// Stands for the app in the names of lists.
    pub app_number: Number,
    /// What kind of issue it is.
    pub issue_type: Arc<IssueType>,
    /// When it was first found.
    pub date_created: Timestamp,
    /// CVEs of the finding.
    pub associated_cve_ids: Vec<String>,
    /// A picture of the issue.
    pub screenshot_url: Option<String>,
}

/// A comment.
pub type Note = NoteSpec;

/// A security finding.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What never changes.
    pub facts: Arc<FindingFacts>,
    /// When the finding or one of its targets last changed.
    pub results_last_updated: Timestamp,
    /// Priority, if one was set.
    pub priority: Option<Priority>,
    /// Whether later scans may not open new targets.
    pub is_permanently_closed: bool,
    /// Follows from the targets; kept by the store.
    pub aggregated_status: TargetStatus,
    /// How the targets stand; kept by the store.
    pub tally: Tally,
    /// Comments.
    pub notes: History<Arc<Note>>,
    /// Its targets, in the order they were added.
    pub targets: Arc<Vec<SmolStr>>,
    /// Its JSON without links.
    pub rendered: Rendered,
}

/// How the targets of a finding stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Targets that are `NEW`.
    pub new: usize,
    /// Targets that are `OPEN`.
    pub open: usize,
    /// Targets that are `OPEN_READY_TO_RESCAN`.
    pub ready_to_rescan: usize,
    /// Status of the target that was closed last.
    pub last_closed_as: Option<TargetStatus>,
}

/// What never changes about a target.
#[derive(Debug)]
pub struct TargetFacts {
    /// Numeric id as text.
    pub id: SmolStr,
    /// The finding it belongs to.
    pub security_finding_id: SmolStr,
    /// The app of that finding.
    pub mobile_app_id: SmolStr,
    /// Stands for the app in the names of lists.
    pub app_number: Number,
    /// The issue type of that finding.
    pub issue_type: Arc<IssueType>,
    /// Describes the component.
    pub text: String,
    /// When it was first seen.
    pub date_created: Timestamp,
    /// Further markdown.
    pub additional_contexts: Vec<ContextSpec>,
    /// Related SDKs.
    pub associated_sdk_ids: Vec<String>,
}

/// One entry of a target's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// The status.
    pub status: TargetStatus,
    /// Since when.
    pub date: Timestamp,
    /// The build whose scan said so.
    pub build_version: Option<SmolStr>,
}

/// An affected component.
#[derive(Debug, Clone)]
pub struct Target {
    /// What never changes.
    pub facts: Arc<TargetFacts>,
    /// When its results last changed.
    pub results_last_updated: Timestamp,
    /// The status of now.
    pub current: StatusEntry,
    /// Every status it has had, `current` included.
    pub statuses: History<StatusEntry>,
    /// Ticket in the bug tracker.
    pub external_id: Option<Arc<str>>,
    /// Address of that ticket.
    pub external_bug_tracker_url: Option<Arc<str>>,
    /// Its JSON without links.
    pub rendered: Rendered,
}

impl App {
    /// Its place in lists.
    pub fn key(&self) -> RowKey {
        RowKey { micros: self.results_last_updated.as_microsecond(), id: SmolStr::new(&self.facts.id) }
    }
}

impl Finding {
    /// Its place in lists.
    pub fn key(&self) -> RowKey {
        RowKey { micros: self.results_last_updated.as_microsecond(), id: self.facts.id.clone() }
    }
}

impl Target {
    /// Its place in lists.
    pub fn key(&self) -> RowKey {
        RowKey { micros: self.results_last_updated.as_microsecond(), id: self.facts.id.clone() }
    }
}

impl Tally {
    /// Counts a target in this status in or out.
    pub fn count(&mut self, status: TargetStatus, present: bool) {
        let counter = match status {
            TargetStatus::New => &mut self.new,
            TargetStatus::Open => &mut self.open,
            TargetStatus::OpenReadyToRescan => &mut self.ready_to_rescan,
            _ => return,
        };
        *counter = if present { *counter + 1 } else { counter.saturating_sub(1) };
    }

    /// Whether any target is open, under whatever name.
    pub fn any_open(&self) -> bool {
        self.new + self.open + self.ready_to_rescan > 0
    }
}
