//! What may never happen, and what has to be the case in the end: judged by what the vendors have, what the tracker has
//! and what the simulators wrote into their journal.

use std::collections::{BTreeMap, BTreeSet};

use mock_server::kernel::journal::Filter;
use serde_json::Value;
use sync_client::adapters::local::{CLIENT, Details};
use sync_client::core::model::{GroupId, OpKey};
use sync_client::sync::Report;

use crate::step::{Side, items};
use crate::world::World;

/// What people did that stands: what they last did to each ticket and link. Tickets are known by their first key.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Tickets whose status they changed after the client did.
    pub(super) left: BTreeSet<String>,
    /// Groups whose ticket they deleted.
    pub(super) deleted: BTreeSet<String>,
    /// Groups whose ticket they ever hid.
    pub(super) hidden: BTreeSet<String>,
    /// Tickets of other trackers that they gave to targets, by group.
    pub(super) links: BTreeMap<String, String>,
}

/// What a group's ticket may still be told. A vendor's word is good for one change of the ticket.
#[derive(Debug, Default, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Due {
    closing: bool,
    reopening: bool,
    /// Whether the item was open, or closed, at some moment since the client surely knew all.
    was_open: bool,
    was_closed: bool,
}

/// Looks at both sides before and after everything that happens.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) people: People,
    /// Every group that ever had an item, by its tickets' key.
    groups: BTreeMap<String, String>,
    sides: BTreeMap<String, Side>,
    tickets: Vec<Details>,
    due: BTreeMap<String, Due>,
    /// The tickets that a group ever had, by their first keys.
    made: BTreeMap<String, BTreeSet<String>>,
    /// Groups of which the client can't know any more that they had a ticket.
    excused: BTreeSet<String>,
    /// Groups that were over when the ledger was lost.
    forgotten: BTreeSet<String>,
    /// Whether the client knows what it did: no blow or lost ledger since the last full run without either.
    is_calm: bool,
    is_ledger_lost: bool,
    journal_read: u64,
}

fn op(group: &str) -> String {
    OpKey::of(&GroupId::new(group)).as_str().to_owned()
}

impl Judge {
    pub(super) fn new(world: &World) -> Self {
        let sides = items(&world.vendors_side());
        // Whatever is linked from the start is somebody's.
        let links =
            sides.iter().filter_map(|(group, side)| Some((group.clone(), side.links.first()?.clone())));
        let people = People { links: links.collect(), ..People::default() };
        Self {
            people,
            groups: sides.keys().map(|group| (op(group), group.clone())).collect(),
            sides,
            tickets: Vec::new(),
            due: BTreeMap::new(),
            made: BTreeMap::new(),
            excused: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            is_calm: true,
            is_ledger_lost: false,
            journal_read: 0,
        }
    }

    pub(super) fn group_of(&self, op: &str) -> String {
        self.groups[op].clone()
    }

    fn is_open(&self, group: &str) -> bool {
        self.sides.get(group).is_some_and(|side| side.is_open)
    }

    /// Something happened at a vendor. `removes`: an app or a project went, which says nothing about its findings.
    pub(super) fn vendors_moved(&mut self, world: &World, removes: bool) {
        let now = items(&world.vendors_side());
        for group in now.keys() {
            self.groups.entry(op(group)).or_insert_with(|| group.clone());
        }
        let before = std::mem::replace(&mut self.sides, now);
        let groups: BTreeSet<&String> = before.keys().chain(self.sides.keys()).collect();
        for group in groups {
            let due = self.due.entry(group.clone()).or_default();
            let (was, is) =
                (before.get(group).map(|side| side.is_open), self.sides.get(group).map(|side| side.is_open));
            let is_closing = match (was, is) {
                (Some(true), Some(false)) => true,
                (Some(true), None) => group.starts_with("mend/") && !removes,
                _ => false,
            };
            if is_closing {
                (due.closing, due.was_closed) = (true, true);
                if self.is_ledger_lost {
                    self.forgotten.insert(group.clone());
                }
            }
            if was != Some(true) && is == Some(true) {
                (due.reopening, due.was_open) = (true, true);
            }
        }
    }

    /// People did something to tickets.
    pub(super) fn people_moved(&mut self) {
        if !self.is_calm || self.is_ledger_lost {
            self.excused.extend(self.people.deleted.iter().cloned());
            self.excused.extend(self.people.hidden.iter().cloned());
        }
    }

    pub(super) fn ledger_lost(&mut self, world: &World) {
        (self.is_calm, self.is_ledger_lost) = (false, true);
        for (group, side) in self.sides.iter().filter(|(_, side)| !side.is_open) {
            self.due.entry(group.clone()).or_default().closing = !side.is_open;
        }
        for ticket in world.tracker.tickets() {
            let group = self.group_of(ticket.op.as_deref().unwrap());
            // Why it is done is not known any more.
            if ticket.summary.is_done {
                self.people.left.insert(world.tracker.first_key(&ticket));
            }
            if !self.is_open(&group) {
                self.forgotten.insert(group);
            }
        }
        self.people_moved();
    }

    pub(super) fn before_run(&mut self, world: &World) {
        self.sides = items(&world.vendors_side());
        self.tickets = world.tracker.tickets();
        self.journal_read = world.control.journal(&Filter::default()).last_seq;
    }

    /// What a run did wrong. `None`: it was killed.
    pub(super) fn after_run(
        &mut self,
        world: &World,
        report: Option<&Report>,
        is_full: bool,
        is_struck: bool,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let now = world.tracker.tickets();
        let is_sure = self.is_calm && !is_struck;
        for before in &self.tickets {
            match now.iter().find(|ticket| world.tracker.first_key(ticket) == world.tracker.first_key(before))
            {
                Some(after) => wrong.extend(touched(before, after)),
                None => wrong.push(format!("{} was deleted (I4)", before.summary.key)),
            }
        }
        let known: BTreeMap<String, bool> = self
            .tickets
            .iter()
            .map(|ticket| (world.tracker.first_key(ticket), ticket.summary.is_done))
            .collect();
        for ticket in &now {
            let (key, is_done) = (world.tracker.first_key(ticket), ticket.summary.is_done);
            let group = self.group_of(ticket.op.as_deref().unwrap());
            let was_done = match known.get(&key) {
                Some(was_done) => *was_done,
                None => {
                    wrong.extend(self.made(&group, &key));
                    false
                }
            };
            if was_done != is_done {
                wrong.extend(self.changed(&group, &key, is_done, is_sure, is_struck));
            }
        }
        wrong.extend(self.linked(world, &now));
        if is_sure {
            wrong.extend(self.repeated(world));
        }
        self.sides = items(&world.vendors_side());
        let knows_all = report.is_some_and(|report| report.failed == 0 && report.in_doubt == 0);
        if is_full && !is_struck && knows_all {
            (self.is_calm, self.is_ledger_lost) = (true, false);
            for (group, due) in &mut self.due {
                // What Mend leaves out counts only when it was left out twice.
                let closing = due.closing && group.starts_with("mend/");
                *due = Due { closing, was_closed: closing, ..Due::default() };
            }
        } else if is_struck {
            self.is_calm = false;
        }
        wrong
    }

    /// What is wrong about a new ticket.
    fn made(&mut self, group: &str, key: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.is_open(group) {
            wrong.push(format!("{key} was made for {group}, which is not open (I3)"));
        }
        if let Some(theirs) = self.people.links.get(group) {
            wrong.push(format!("{key} was made for {group}, which has {theirs} (I3)"));
        }
        let made = self.made.entry(group.to_owned()).or_default();
        made.insert(key.to_owned());
        if made.len() > 1 && !self.excused.contains(group) {
            wrong.push(format!("{group} got {made:?} (I1)"));
        }
        wrong
    }

    /// What is wrong about a ticket that the client closed or opened.
    fn changed(
        &mut self,
        group: &str,
        key: &str,
        is_done: bool,
        is_sure: bool,
        is_struck: bool,
    ) -> Option<String> {
        let is_open = self.is_open(group);
        let due = self.due.entry(group.to_owned()).or_default();
        let is_due = if is_done {
            due.closing && (!is_open || !is_sure && due.was_closed)
        } else {
            due.reopening && (is_open || !is_sure && due.was_open)
        };
        let told = format!(
            "{key} of {group} became done: {is_done}, open at the vendor: {is_open}, {due:?} (I5, I10)"
        );
        // What was done twice because the answer was lost is not done out of the blue.
        if !is_struck && is_done {
            due.closing = false;
        } else if !is_struck {
            due.reopening = false;
        }
        self.people.left.remove(key);
        (!is_due).then_some(told)
    }

    /// Links that the client set name the item's own ticket, and stand where nobody's stood (I2).
    fn linked(&self, world: &World, tickets: &[Details]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (group, side) in items(&world.vendors_side()) {
            let before = self.sides.get(&group).map(|side| side.links.clone()).unwrap_or_default();
            if before == side.links {
                continue;
            }
            let (op, is_theirs) = (op(&group), |key: &String| self.people.links.get(&group) == Some(key));
            let own: Vec<&String> = tickets
                .iter()
                .filter(|ticket| ticket.op.as_deref() == Some(&*op))
                .flat_map(|ticket| ticket.former_keys.iter().chain([&ticket.summary.key]))
                .collect();
            for key in side.links.iter().filter(|key| !before.contains(key) && !own.contains(key)) {
                wrong.push(format!("{group} got the link {key}, and has the tickets {own:?} (I2)"));
            }
            for key in before.iter().filter(|key| !side.links.contains(key)) {
                if is_theirs(key) || side.links.is_empty() {
                    wrong.push(format!("{group} lost the link {key} and has {:?} (I2)", side.links));
                }
            }
        }
        wrong
    }

    /// Vendor writes that changed nothing (I8).
    fn repeated(&self, world: &World) -> Vec<String> {
        let page = world.control.journal(&Filter { after: self.journal_read, ..Filter::default() });
        let mut wrong = Vec::new();
        for entry in page.entries {
            let Some(body) = &entry.request.body else { continue };
            let body: Value = serde_json::from_slice(&body.0).unwrap_or_default();
            let (group, key) = if entry.request.method == "PATCH" {
                let id = entry.request.path.rsplit('/').next().unwrap_or_default();
                (super::stage::group_of_target(id), &body["external_id"])
            } else if body["requestType"] == "updateExternalIntegrationIssues" {
                let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                let (project, violation) = (field("projectToken"), field("wsPolicyIssueItemUuid"));
                (format!("mend/violation/{project}/{violation}"), &body["externalIssues"][0]["identifier"])
            } else {
                continue;
            };
            let key = key.as_str().unwrap_or_default().to_owned();
            if self.sides.get(&group).is_some_and(|side| side.links.contains(&key)) {
                wrong.push(format!("{group} was told {key} once more (I8)"));
            }
        }
        wrong
    }

    /// What is not in step although nothing goes wrong any more, apart from what people decided.
    pub(super) fn at_rest(&mut self, world: &World) -> Vec<String> {
        self.due.clear();
        let mut wrong = Vec::new();
        let (spec, tickets) = (world.vendors_side(), world.tracker.tickets());
        let sides = items(&spec);
        for (group, op) in sides.keys().map(|group| (group, op(group))).collect::<Vec<_>>() {
            let side = &sides[group];
            let own: Vec<&Details> =
                tickets.iter().filter(|ticket| ticket.op.as_deref() == Some(&*op)).collect();
            let theirs = self.people.links.get(group);
            let is_gone = self.people.deleted.contains(group) || self.people.hidden.contains(group);
            if let Some(theirs) = theirs
                && side.links != [theirs.clone()]
            {
                wrong.push(format!("{group} was given {theirs} by somebody, and has {:?}", side.links));
            }
            if own.len() > 1 && !self.excused.contains(group) {
                wrong.push(format!("{group} has {} tickets", own.len()));
            }
            if own.is_empty() && side.is_open && theirs.is_none() && !is_gone {
                wrong.push(format!("{group} is open and has no ticket"));
            }
            let [ticket] = own.as_slice() else { continue };
            if is_gone || self.forgotten.contains(group) {
                continue;
            }
            let key = &ticket.summary.key;
            wrong.extend(self.misjudged(world, ticket, group, side.is_open));
            // Mend keeps what it was told, so a ticket that was moved stands there under its old key as well.
            let is_known = match side.links.as_slice() {
                [] => !side.is_open,
                [only] => only == key,
                several => {
                    let is_own = |link: &String| link == key || ticket.former_keys.contains(link);
                    group.starts_with("mend/") && several.contains(key) && several.iter().all(is_own)
                }
            };
            if theirs.is_none() && !is_known {
                wrong.push(format!("{group} has {key}, and the vendor knows {:?}", side.links));
            }
        }
        for ticket in &tickets {
            let group = self.group_of(ticket.op.as_deref().unwrap());
            let is_project_there = spec
                .mend
                .projects
                .iter()
                .any(|one| group.starts_with(&format!("mend/violation/{}/", one.token())));
            let is_left = self.people.hidden.contains(&group) || self.forgotten.contains(&group);
            if !sides.contains_key(&group) && is_project_there && !is_left {
                wrong.extend(self.misjudged(world, ticket, &group, false));
            }
        }
        wrong
    }

    /// Whether a ticket's status is neither the vendor's nor a person's.
    fn misjudged(&self, world: &World, ticket: &Details, group: &str, is_open: bool) -> Option<String> {
        let (key, is_done) = (&ticket.summary.key, ticket.summary.is_done);
        let is_left = self.people.left.contains(&world.tracker.first_key(ticket));
        (is_done == is_open && !is_left)
            .then(|| format!("{key} is done: {is_done}, and {group} is open: {is_open}"))
    }
}

/// What the client did to a ticket that is people's alone (I4, I8, I9).
fn touched(before: &Details, after: &Details) -> Vec<String> {
    let key = &before.summary.key;
    let fields = |ticket: &Details| {
        let keys = (ticket.summary.key.clone(), ticket.former_keys.clone());
        (
            keys,
            ticket.summary.title.clone(),
            ticket.description.clone(),
            ticket.labels.clone(),
            ticket.is_hidden,
        )
    };
    let mut wrong = Vec::new();
    if fields(before) != fields(after) {
        wrong.push(format!("{key} was {:?} and is {:?} (I9)", fields(before), fields(after)));
    }
    if !after.comments.starts_with(&before.comments) {
        wrong.push(format!("comments of {key} went or changed (I4)"));
    }
    let ours = after.comments.iter().filter(|comment| comment.author == CLIENT);
    let ours: Vec<&String> = ours.map(|comment| &comment.text).collect();
    if ours.windows(2).any(|pair| pair[0] == pair[1]) {
        wrong.push(format!("{key} was told the same twice: {ours:?} (I8)"));
    }
    wrong
}
