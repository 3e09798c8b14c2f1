//! How both sides look at each moment of a history, worked out event by event.

use std::collections::BTreeMap;

use super::ids::{GroupId, ItemId};
use super::journal::{Call, Change, Changed, Edit, Edited, Event, TrackerRequest, VendorRequest, What};
use super::state::{Author, Comment, Link, Standing, State, Ticket, VendorItem};
use super::vendor_requests::{self, Meaning};

/// Both sides at one moment, and what the client had said by then.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Both sides.
    pub state: State,
    /// Of items whose group has a ticket: the standing that the client last told its readers of.
    told: BTreeMap<ItemId, Standing>,
    /// The event by which an item came to stand as it does; absent: before the history began.
    since: BTreeMap<ItemId, usize>,
    /// Items that the vendor dropped without a word, as they were last.
    dropped: BTreeMap<ItemId, VendorItem>,
}

impl Moment {
    /// The moment before the first event.
    pub fn start(state: &State) -> Self {
        let told = state.items.values().filter(|item| state.live(&item.group).next().is_some());
        let told = told.map(|item| (item.id.clone(), item.standing)).collect();
        Self { state: state.clone(), told, since: BTreeMap::new(), dropped: BTreeMap::new() }
    }

    /// Whether the readers of the item's ticket know how it stands.
    pub fn is_told(&self, item: &ItemId) -> bool {
        self.told.get(item) == self.state.items.get(item).map(|item| &item.standing)
    }

    /// Whether an item has stood as it does since before this event.
    pub fn is_so_since(&self, item: &ItemId, index: usize) -> bool {
        self.since.get(item).is_none_or(|since| *since < index)
    }

    /// Whether a part of the group went without a word while it was not over.
    pub fn is_thinned(&self, group: &GroupId) -> bool {
        self.dropped.values().any(|item| item.group == *group && item.standing != Standing::Closed)
    }

    /// Whether a part of the group went after this event.
    pub fn lost_a_part_since(&self, group: &GroupId, index: usize) -> bool {
        let mut parts = self.dropped.values().filter(|item| item.group == *group);
        parts.any(|item| !self.is_so_since(&item.id, index))
    }

    /// Takes in the event of this index.
    pub fn apply(&mut self, index: usize, event: &Event) {
        match &event.what {
            What::Vendor(request) if request.answer.is_applied => self.vendor_wrote(index, request),
            What::Tracker(request) => self.tracker_asked(request),
            What::Happened(change) => self.happened(index, change),
            What::Edited(edit) => self.edited(edit),
            What::Vendor(_)
            | What::RunStarted(_)
            | What::RunEnded(_)
            | What::CreateAllowed(_)
            | What::LedgerLost
            | What::Quiet => {}
        }
    }

    fn vendor_wrote(&mut self, index: usize, request: &VendorRequest) {
        let (item, meaning) = match request.meaning() {
            Meaning::Link { item, ticket } => (item, Link::External(ticket)),
            Meaning::Report { item, issues } => {
                let reports = issues.into_iter().filter_map(|issue| {
                    let key = issue.get("identifier")?.as_str()?.into();
                    Some((key, issue))
                });
                (item, Link::Reports(reports.collect()))
            }
            Meaning::Status { item, status } => {
                if let Some(found) = self.state.items.get_mut(&item) {
                    found.standing = vendor_requests::standing(&status);
                    found.status = status;
                    self.since.insert(item, index);
                }
                return;
            }
            Meaning::Read | Meaning::Note | Meaning::Destroy | Meaning::Other => return,
        };
        let Some(found) = self.state.items.get_mut(&item) else { return };
        match (&mut found.link, meaning) {
            (Link::Reports(known), Link::Reports(said)) => {
                for (key, issue) in said {
                    known.entry(key).or_default().extend(issue);
                }
            }
            (known, said) => *known = said,
        }
        let standing = found.standing;
        self.told.entry(item).or_insert(standing);
    }

    fn tracker_asked(&mut self, request: &TrackerRequest) {
        let is_applied = request.answer.is_applied;
        match &request.call {
            Call::Create { group, ticket: Some(key), fields, labels } => {
                if is_applied {
                    let ticket = Ticket::new(key.clone(), group.clone());
                    let ticket = Ticket { fields: fields.clone(), labels: labels.clone(), ..ticket };
                    self.state.tickets.insert(key.clone(), ticket);
                }
                if let Some(group) = group {
                    for item in self.state.group(group) {
                        self.told.insert(item.id.clone(), item.standing);
                    }
                }
            }
            call if is_applied && call.is_write() => self.ticket_changed(call),
            _ => {}
        }
    }

    fn ticket_changed(&mut self, call: &Call) {
        let Some(ticket) = call.ticket().and_then(|key| self.state.ticket_mut(key)) else { return };
        let mut speaks = false;
        match call {
            Call::Comment { text, .. } => {
                ticket.comments.push(Comment { by: Author::Client, text: text.clone() });
                speaks = true;
            }
            Call::SetDone { is_done, duplicate_of, .. } => {
                ticket.is_done = *is_done;
                ticket.decided_by = Some(Author::Client);
                ticket.duplicate_of.clone_from(duplicate_of);
                speaks = true;
            }
            Call::SetField { name, value, .. } if name == "labels" => {
                ticket.labels = value.split_whitespace().map(str::to_owned).collect();
            }
            Call::SetField { name, value, .. } => {
                ticket.fields.insert(name.clone(), value.clone());
            }
            Call::Label { added, removed, .. } => {
                ticket.labels.retain(|label| !removed.contains(label));
                ticket.labels.extend(added.iter().cloned());
            }
            Call::Delete { part, .. } => ticket.is_deleted |= part.is_none(),
            Call::Identify | Call::Find { .. } | Call::Get { .. } | Call::Create { .. } => {}
        }
        let origin = ticket.origin.clone().filter(|_| speaks);
        for item in origin.iter().flat_map(|group| self.state.group(group)) {
            self.told.insert(item.id.clone(), item.standing);
        }
    }

    fn happened(&mut self, index: usize, change: &Change) {
        match &change.what {
            Changed::Item(item) => {
                self.dropped.remove(&item.id);
                let before = self.state.items.insert(item.id.clone(), item.clone());
                if before.is_none_or(|before| before.standing != item.standing) {
                    self.since.insert(item.id.clone(), index);
                }
            }
            Changed::Gone(id) => {
                let gone = self.state.items.remove(id);
                self.dropped.extend(gone.map(|item| (item.id.clone(), item)));
                self.told.remove(id);
                self.since.insert(id.clone(), index);
            }
        }
    }

    fn edited(&mut self, edit: &Edit) {
        if edit.what == Edited::Made {
            let ticket = Ticket::new(edit.ticket.clone(), None);
            self.state.tickets.insert(edit.ticket.clone(), ticket);
            return;
        }
        let Some(ticket) = self.state.ticket_mut(&edit.ticket) else { return };
        match &edit.what {
            Edited::Made => {}
            Edited::SetDone(is_done) => {
                ticket.is_done = *is_done;
                ticket.decided_by = Some(Author::Person);
            }
            Edited::SetField { name, value } => {
                ticket.fields.insert(name.clone(), value.clone());
            }
            Edited::LabelAdded(label) => {
                ticket.labels.insert(label.clone());
            }
            Edited::LabelRemoved(label) => {
                ticket.labels.remove(label);
            }
            Edited::Commented(text) => {
                ticket.comments.push(Comment { by: Author::Person, text: text.clone() });
            }
            Edited::Moved(to) => {
                let mut moved = ticket.clone();
                let from = std::mem::replace(&mut moved.key, to.clone());
                moved.former_keys.insert(from.clone());
                self.state.tickets.remove(&from);
                self.state.tickets.insert(to.clone(), moved);
            }
            Edited::Deleted => ticket.is_deleted = true,
        }
    }
}

/// Where the end of a history is not what was found at the end. Then something is missing from the history, and it is
/// no evidence.
pub fn incoherences(replayed: &State, found: &State) -> Vec<String> {
    let mut texts = Vec::new();
    let items = replayed.items.keys().chain(found.items.keys());
    for id in items.collect::<std::collections::BTreeSet<_>>() {
        match (replayed.items.get(id), found.items.get(id)) {
            (Some(left), Some(right)) if left.standing != right.standing => {
                texts.push(format!("{id} should be {:?}, found {:?}", left.standing, right.standing));
            }
            (Some(left), Some(right)) if left.link.tickets() != right.link.tickets() => {
                let (left, right) = (left.link.tickets(), right.link.tickets());
                texts.push(format!("the ticket of {id} should be {left:?}, found {right:?}"));
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => texts.push(format!("{id} should be there")),
            (None, _) => texts.push(format!("{id} should not be there")),
        }
    }
    let live = |state: &State| {
        let live = state.tickets.values().filter(|ticket| !ticket.is_deleted);
        live.map(|ticket| (ticket.key.clone(), ticket.is_done)).collect::<BTreeMap<_, _>>()
    };
    let (replayed, found) = (live(replayed), live(found));
    let keys = replayed.keys().chain(found.keys()).collect::<std::collections::BTreeSet<_>>();
    for key in keys.into_iter().filter(|key| replayed.get(*key) != found.get(*key)) {
        let in_words = |is_done: Option<&bool>| match is_done {
            None => "absent",
            Some(true) => "done",
            Some(false) => "open",
        };
        texts.push(format!(
            "ticket {key} should be {}, found {}",
            in_words(replayed.get(key)),
            in_words(found.get(key))
        ));
    }
    texts
}
