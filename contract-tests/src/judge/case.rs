//! A history, sorted by run, and the questions that several invariants ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;
use serde_json::Value;

use super::Judged;
use super::capabilities::Capabilities;
use super::expected::{Difference, differences};
use super::ids::{GroupId, ItemId, RunId, TicketKey};
use super::journal::{
    Answer, Call, Change, Changed, Event, Exit, Reply, RunEnded, RunStarted, TrackerRequest, VendorRequest,
    What,
};
use super::replay::Moment;
use super::state::{State, VendorItem};
use super::vendor_requests::Meaning;

/// A history sorted by run.
#[derive(Debug)]
pub(super) struct Case<'a> {
    /// The evidence.
    pub(super) judged: &'a Judged,
    /// The runs, in the order they began.
    pub(super) runs: Vec<Run<'a>>,
    /// Stretches of the history in which nothing happened but runs, and no fault struck.
    pub(super) quiet: Vec<Range<usize>>,
    /// Both sides after the last event; deleted tickets are still known.
    pub(super) last: State,
    /// Every item that there ever was, as it was last.
    pub(super) known: BTreeMap<ItemId, VendorItem>,
    by_id: BTreeMap<RunId, usize>,
}

/// A run of the client.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// Which one.
    pub(super) id: RunId,
    /// The event by which it began.
    pub(super) start: usize,
    /// The event by which it ended.
    pub(super) end: Option<usize>,
    /// When it began.
    pub(super) at: Timestamp,
    /// How it began.
    pub(super) started: &'a RunStarted,
    /// How it ended.
    pub(super) ended: Option<&'a RunEnded>,
    /// What was due when it began.
    pub(super) due: Vec<Difference>,
    /// What was due when it ended.
    pub(super) left: Vec<Difference>,
    /// Groups about which it need not have known: they changed while it ran, or where it did not look.
    pub(super) excused: BTreeSet<GroupId>,
    /// Its writes, asked for or done.
    pub(super) writes: Vec<usize>,
}

impl Run<'_> {
    /// Its exit code, if it ended by itself.
    pub(super) fn code(&self) -> Option<i32> {
        match self.ended?.exit {
            Exit::Code(code) => Some(code),
            Exit::Killed => None,
        }
    }

    /// Whether it was killed.
    pub(super) fn is_killed(&self) -> bool {
        self.ended.is_some_and(|ended| ended.exit == Exit::Killed)
    }
}

/// A request to either side.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    /// To a vendor.
    Vendor(&'a VendorRequest),
    /// To the tracker.
    Tracker(&'a TrackerRequest),
}

impl<'a> Request<'a> {
    /// The request that an event is.
    pub(super) fn of(event: &'a Event) -> Option<Self> {
        match &event.what {
            What::Vendor(request) => Some(Self::Vendor(request)),
            What::Tracker(request) => Some(Self::Tracker(request)),
            _ => None,
        }
    }

    /// What came of it.
    pub(super) fn answer(self) -> &'a Answer {
        match self {
            Self::Vendor(request) => &request.answer,
            Self::Tracker(request) => &request.answer,
        }
    }

    /// Whether it changes something.
    pub(super) fn is_write(self) -> bool {
        match self {
            Self::Vendor(request) => request.is_write(),
            Self::Tracker(request) => request.call.is_write(),
        }
    }
}

/// What a write leads to. Two requests with the same effect are the same write, tried twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// A group has a ticket.
    Create(Option<GroupId>),
    /// A ticket has this comment.
    Comment(TicketKey, String),
    /// A ticket is done or not.
    Done(TicketKey, bool),
    /// A field has this value.
    Field(TicketKey, String, String),
    /// Labels are there and others are not.
    Label(TicketKey, BTreeSet<String>, BTreeSet<String>),
    /// The vendor knows an item's ticket.
    Link(ItemId, Option<TicketKey>),
    /// The vendor knows this about an item's tickets.
    Report(ItemId, String),
    /// An item has this status.
    Status(ItemId, String),
    /// Anything else.
    Other(String),
}

/// What the write of an event leads to.
pub(super) fn effect(event: &Event) -> Option<Effect> {
    let effect = match Request::of(event)? {
        Request::Vendor(request) => match request.meaning() {
            Meaning::Read => return None,
            Meaning::Link { item, ticket } => Effect::Link(item, ticket),
            Meaning::Report { item, issues } => {
                let issues = issues.into_iter().map(Value::Object).collect();
                Effect::Report(item, Value::Array(issues).to_string())
            }
            Meaning::Status { item, status } => Effect::Status(item, status),
            Meaning::Note | Meaning::Destroy | Meaning::Other => {
                Effect::Other(format!("{} {} {}", request.operation, request.path, request.body))
            }
        },
        Request::Tracker(request) => match request.call.clone() {
            Call::Identify | Call::Find { .. } | Call::Get { .. } => return None,
            Call::Create { group, .. } => Effect::Create(group),
            Call::Comment { ticket, text } => Effect::Comment(ticket, text),
            Call::SetDone { ticket, is_done, .. } => Effect::Done(ticket, is_done),
            Call::SetField { ticket, name, value } => Effect::Field(ticket, name, value),
            Call::Label { ticket, added, removed } => Effect::Label(ticket, added, removed),
            Call::Delete { ticket, part } => Effect::Other(format!("delete {ticket} {part:?}")),
        },
    };
    Some(effect)
}

impl<'a> Case<'a> {
    /// Sorts the evidence.
    pub(super) fn new(judged: &'a Judged) -> Self {
        let mut case = Self {
            judged,
            runs: Vec::new(),
            quiet: quiet(judged),
            last: State::default(),
            known: judged.start.items.clone(),
            by_id: BTreeMap::new(),
        };
        let mut hidden = BTreeSet::new();
        case.last = case.replay(|case, moment, index, event| {
            match &event.what {
                What::RunStarted(started) => case.start(moment, index, event, started),
                What::RunEnded(ended) => case.end(moment, index, event, ended, &mut hidden),
                What::Happened(Change { what: Changed::Item(item), .. }) => {
                    case.known.insert(item.id.clone(), item.clone());
                }
                _ => {}
            }
            if Request::of(event).is_some_and(Request::is_write)
                && let Some(run) = case.run_mut(event)
            {
                run.writes.push(index);
            }
            for group in groups_touched(&moment.state, event) {
                for run in case.runs.iter_mut().filter(|run| run.end.is_none()) {
                    run.excused.insert(group.clone());
                }
                if let What::Happened(change) = &event.what {
                    let overlap = jiff::SignedDuration::from_secs(seconds(judged.capabilities.overlap_s));
                    let is_shown =
                        change.listed_at.is_some_and(|listed| event.at.duration_since(listed) <= overlap);
                    if !is_shown {
                        hidden.insert(group);
                    }
                }
            }
        });
        case
    }

    fn start(&mut self, moment: &Moment, index: usize, event: &Event, started: &'a RunStarted) {
        let Some(id) = event.run else { return };
        self.by_id.insert(id, self.runs.len());
        self.runs.push(Run {
            id,
            start: index,
            end: None,
            at: event.at,
            started,
            ended: None,
            due: differences(moment, &self.judged.capabilities),
            left: Vec::new(),
            excused: BTreeSet::new(),
            writes: Vec::new(),
        });
    }

    fn end(
        &mut self,
        moment: &Moment,
        index: usize,
        event: &Event,
        ended: &'a RunEnded,
        hidden: &mut BTreeSet<GroupId>,
    ) {
        let done = self.judged.capabilities.exits.done;
        let capabilities = &self.judged.capabilities;
        let Some(run) = self.run_mut(event) else { return };
        run.end = Some(index);
        run.ended = Some(ended);
        run.left = differences(moment, capabilities);
        if !run.started.is_full {
            run.excused.extend(hidden.iter().cloned());
        } else if ended.exit == Exit::Code(done) && !run.started.is_dry {
            hidden.clear();
        }
    }

    fn run_mut(&mut self, event: &Event) -> Option<&mut Run<'a>> {
        let place = *self.by_id.get(&event.run?)?;
        self.runs.get_mut(place)
    }

    fn replay(&mut self, mut each: impl FnMut(&mut Self, &Moment, usize, &'a Event)) -> State {
        let mut moment = Moment::start(&self.judged.start);
        let judged = self.judged;
        for (index, event) in judged.history.events.iter().enumerate() {
            each(self, &moment, index, event);
            moment.apply(index, event);
        }
        moment.state
    }

    /// Goes through the history; each event comes with the moment before it.
    pub(super) fn each(&self, mut each: impl FnMut(&Moment, usize, &'a Event)) {
        let mut moment = Moment::start(&self.judged.start);
        for (index, event) in self.judged.history.events.iter().enumerate() {
            each(&moment, index, event);
            moment.apply(index, event);
        }
    }

    /// What may be expected.
    pub(super) fn capabilities(&self) -> &'a Capabilities {
        &self.judged.capabilities
    }

    /// The history.
    pub(super) fn events(&self) -> &'a [Event] {
        &self.judged.history.events
    }

    /// The run of an event.
    pub(super) fn run(&self, event: &Event) -> Option<&Run<'a>> {
        self.runs.get(*self.by_id.get(&event.run?)?)
    }

    /// The first event of the run that an event belongs to.
    pub(super) fn run_start(&self, event: &Event) -> usize {
        self.run(event).map_or(0, |run| run.start)
    }

    /// The requests of a run.
    pub(super) fn requests(&self, run: &Run<'_>) -> impl Iterator<Item = (usize, &'a Event, Request<'a>)> {
        let (id, end) = (run.id, run.end.unwrap_or(self.events().len()));
        let events = self.events().iter().enumerate().take(end).skip(run.start);
        events
            .filter(move |(_, event)| event.run == Some(id))
            .filter_map(|(index, event)| Some((index, event, Request::of(event)?)))
    }

    /// Whether the client could not know if the write of this event took effect: the reply says nothing, or the run
    /// was killed before it can have written down what the reply said.
    pub(super) fn is_in_doubt(&self, index: usize) -> bool {
        let Some(event) = self.events().get(index) else { return false };
        let is_doubtful = Request::of(event).is_some_and(|request| request.answer().reply.is_doubtful());
        let is_last = self.run(event).is_some_and(|run| {
            run.is_killed()
                && run.writes.iter().rev().take(self.capabilities().workers).any(|last| *last == index)
        });
        is_doubtful || is_last
    }

    /// The last write before this one that leads to the same, and that was not refused: a no settles nothing.
    pub(super) fn same_before(&self, index: usize) -> Option<usize> {
        let wanted = effect(self.events().get(index)?)?;
        let mut before = self.events().iter().enumerate().take(index).rev();
        let is_same = |(_, event): &(usize, &Event)| {
            let reply = Request::of(event).map(|request| request.answer().reply);
            reply.is_some_and(Reply::may_have_taken_effect) && effect(event).as_ref() == Some(&wanted)
        };
        before.find(is_same).map(|(index, _)| index)
    }

    /// Whether a create for this group is in doubt before this event, and nothing has settled that yet.
    pub(super) fn waits_for_proof(&self, group: &GroupId, index: usize) -> bool {
        let before = self.events().iter().enumerate().take(index).rev();
        let mut last = before.filter_map(|(index, event)| match &event.what {
            What::Tracker(TrackerRequest { call: Call::Create { group: made, .. }, .. }) => {
                (made.as_ref() == Some(group)).then(|| self.is_in_doubt(index))
            }
            What::Tracker(TrackerRequest { call: Call::Find { group: sought, .. }, answer }) => {
                (sought.as_ref() == Some(group) && answer.reply == Reply::Done).then_some(false)
            }
            _ => None,
        });
        last.next().unwrap_or(false)
    }

    /// Whether a write only repeats one of which the client could not know what became of it.
    pub(super) fn repeats_doubt(&self, index: usize) -> bool {
        self.same_before(index).is_some_and(|before| self.is_in_doubt(before))
    }

    /// Runs that lie within a quiet stretch, did not only pretend, were not killed, and were not locked out.
    pub(super) fn runs_within<'b>(&'b self, stretch: &'b Range<usize>) -> impl Iterator<Item = &'b Run<'a>> {
        let locked = self.capabilities().exits.locked;
        self.runs.iter().filter(move |run| {
            stretch.contains(&run.start)
                && run.end.is_some_and(|end| stretch.contains(&end))
                && !run.started.is_dry
                && run.code().is_some_and(|code| code != locked)
        })
    }
}

/// Whose ticket it is: the group it was made for, or that of the items that name it.
pub(super) fn group_of(state: &State, ticket: &TicketKey) -> Option<GroupId> {
    let found = state.ticket(ticket)?;
    found.origin.clone().or_else(|| {
        let is_named = |key: &TicketKey| state.ticket(key).is_some_and(|named| named.key == found.key);
        let mut items = state.items.values();
        Some(items.find(|item| item.link.tickets().into_iter().any(is_named))?.group.clone())
    })
}

/// The groups that change without the client.
fn groups_touched(state: &State, event: &Event) -> Vec<GroupId> {
    match &event.what {
        What::Happened(change) => match &change.what {
            Changed::Item(item) => {
                let before = state.items.get(&item.id).map(|item| item.group.clone());
                before.into_iter().chain([item.group.clone()]).collect()
            }
            Changed::Gone(id) => state.items.get(id).map(|item| item.group.clone()).into_iter().collect(),
        },
        What::Edited(edit) => group_of(state, &edit.ticket).into_iter().collect(),
        What::CreateAllowed(group) => vec![group.clone()],
        _ => Vec::new(),
    }
}

fn quiet(judged: &Judged) -> Vec<Range<usize>> {
    let events = &judged.history.events;
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut begun = None;
    for (index, event) in events.iter().enumerate() {
        let breaks = match &event.what {
            What::Quiet => {
                begun = begun.or(Some(index));
                false
            }
            What::Happened(_) | What::Edited(_) | What::CreateAllowed(_) | What::LedgerLost => true,
            What::RunEnded(ended) => ended.exit == Exit::Killed,
            What::RunStarted(_) => false,
            What::Vendor(request) => request.answer.fault.is_some(),
            What::Tracker(request) => request.answer.fault.is_some(),
        };
        if breaks {
            stretches.extend(begun.take().map(|start| start..index));
        }
    }
    stretches.extend(begun.map(|start| start..events.len()));
    stretches
}

/// Seconds as the arithmetic of time wants them.
pub(super) fn seconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
