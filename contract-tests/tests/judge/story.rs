//! Histories told event by event, with both sides as they would be.

use std::collections::{BTreeMap, BTreeSet};

use contract_tests::judge::capabilities::Capabilities;
use contract_tests::judge::ids::{GroupId, ItemId, RunId, TicketKey};
use contract_tests::judge::journal::{
    Answer, Call, Change, Changed, Counts, Edit, Edited, Event, Exit, History, Reply, RunEnded, RunStarted,
    TrackerRequest, Vendor, VendorRequest, What,
};
use contract_tests::judge::replay::Moment;
use contract_tests::judge::state::{Link, State, VendorItem};
use contract_tests::judge::{Judged, Verdict, judge, vendor_requests};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A history in the making.
pub(crate) struct Story {
    pub(crate) capabilities: Capabilities,
    pub(crate) start: State,
    pub(crate) events: Vec<Event>,
    pub(crate) moment: Moment,
    pub(crate) now: Timestamp,
    pub(crate) run: Option<RunId>,
    runs: u32,
    tickets: u64,
}

/// The target with this id, in app 13, of the finding that its first digit names.
pub(crate) fn target(id: &str) -> ItemId {
    format!("data-theorem/target/{id}").into()
}

/// The violation with this id, in project `p`.
pub(crate) fn violation(id: &str) -> ItemId {
    format!("mend/violation/p/{id}").into()
}

fn item(id: &ItemId, status: &str, by_finding: bool) -> VendorItem {
    let is_mend = id.as_str().starts_with("mend/");
    let standing = match (is_mend, status) {
        (true, "RESOLVED") => vendor_requests::standing("CLOSED_FIXED"),
        _ => vendor_requests::standing(status),
    };
    let parent: String = id.last_part().chars().take(1).collect();
    let group = match (is_mend, by_finding) {
        (false, true) => format!("data-theorem/finding/{parent}"),
        _ => id.to_string(),
    };
    VendorItem {
        id: id.clone(),
        group: group.into(),
        scope: if is_mend { "mend/project/p".into() } else { "data-theorem/app/13".into() },
        parent,
        standing,
        status: status.to_owned(),
        link: if is_mend { Link::Reports(BTreeMap::new()) } else { Link::External(None) },
    }
}

impl Story {
    /// Items with their status, before anything happens.
    pub(crate) fn new(capabilities: Capabilities, items: &[(ItemId, &str)]) -> Self {
        let by_finding = capabilities.grouping.by_finding;
        let items = items.iter().map(|(id, status)| (id.clone(), item(id, status, by_finding)));
        let start = State { items: items.collect(), tickets: BTreeMap::new() };
        Self {
            moment: Moment::start(&start),
            start,
            capabilities,
            events: Vec::new(),
            now: "2025-11-21T10:00:00Z".parse().unwrap(),
            run: None,
            runs: 0,
            tickets: 0,
        }
    }

    /// The evidence; the end is where the events lead.
    pub(crate) fn judged(&self) -> Judged {
        judged_of(&self.capabilities, &self.start, self.events.clone())
    }

    pub(crate) fn state(&self) -> &State {
        &self.moment.state
    }

    pub(crate) fn push(&mut self, what: What) -> usize {
        let run = match &what {
            What::Vendor(_) | What::Tracker(_) | What::RunStarted(_) | What::RunEnded(_) => self.run,
            _ => None,
        };
        let event = Event { at: self.now, run, what };
        let index = self.events.len();
        self.moment.apply(index, &event);
        self.events.push(event);
        self.wait(1);
        index
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn begin(&mut self, started: RunStarted) {
        self.runs += 1;
        self.run = Some(RunId(self.runs));
        self.push(What::RunStarted(started));
    }

    pub(crate) fn finish(&mut self, ended: RunEnded) {
        self.push(What::RunEnded(ended));
        self.run = None;
    }

    /// A run with nothing special about it that ends with this code.
    pub(crate) fn run(&mut self, code: i32, tell: impl FnOnce(&mut Self)) {
        self.begin(RunStarted { is_full: true, ..RunStarted::default() });
        self.tracker(Call::Identify, Reply::Done);
        tell(self);
        self.finish(ended(code));
    }

    /// A run that finds everything in step.
    pub(crate) fn idle(&mut self) {
        self.run(0, |story| {
            story.list();
        });
    }

    pub(crate) fn peace(&mut self, runs: usize) {
        self.push(What::Quiet);
        (0..runs).for_each(|_| self.idle());
    }

    pub(crate) fn vendor(&mut self, request: VendorRequest) -> usize {
        self.push(What::Vendor(request))
    }

    pub(crate) fn list(&mut self) -> usize {
        self.vendor(list_apps(Answer::new(true, Reply::Done)));
        self.vendor(list_targets(Answer::new(true, Reply::Done)))
    }

    pub(crate) fn tracker(&mut self, call: Call, reply: Reply) -> usize {
        self.tracker_answers(call, Answer::new(reply == Reply::Done, reply))
    }

    pub(crate) fn tracker_answers(&mut self, call: Call, answer: Answer) -> usize {
        self.push(What::Tracker(TrackerRequest { call, answer }))
    }

    pub(crate) fn next_key(&mut self) -> TicketKey {
        self.tickets += 1;
        format!("SEC-{}", self.tickets).into()
    }

    pub(crate) fn group(&self, item: &ItemId) -> GroupId {
        self.state().items[item].group.clone()
    }

    /// Makes a ticket for the item's group.
    pub(crate) fn create(&mut self, item: &ItemId) -> TicketKey {
        let key = self.next_key();
        let call = create(self.group(item), &key);
        self.tracker(call, Reply::Done);
        key
    }

    pub(crate) fn link(&mut self, item: &ItemId, key: &TicketKey) -> usize {
        self.vendor(link(item, key, Answer::new(true, Reply::Done)))
    }

    /// Makes a ticket and links the item.
    pub(crate) fn export(&mut self, item: &ItemId) -> TicketKey {
        let key = self.create(item);
        self.link(item, &key);
        key
    }

    pub(crate) fn get(&mut self, key: &TicketKey) {
        let found =
            self.state().ticket(key).filter(|ticket| !ticket.is_deleted).map(|ticket| ticket.key.clone());
        let reply = if found.is_some() { Reply::Done } else { Reply::NotFound };
        self.tracker(Call::Get { ticket: key.clone(), found }, reply);
    }

    pub(crate) fn find(&mut self, group: &GroupId) -> Vec<TicketKey> {
        let found: Vec<TicketKey> = self.state().live(group).map(|ticket| ticket.key.clone()).collect();
        self.tracker(Call::Find { group: Some(group.clone()), found: found.clone() }, Reply::Done);
        found
    }

    pub(crate) fn comment(&mut self, key: &TicketKey, text: &str) -> usize {
        self.tracker(Call::Comment { ticket: key.clone(), text: text.to_owned() }, Reply::Done)
    }

    pub(crate) fn set_done(&mut self, key: &TicketKey, is_done: bool) -> usize {
        self.tracker(set_done(key, is_done), Reply::Done)
    }

    pub(crate) fn edit(&mut self, key: &TicketKey, what: Edited) -> usize {
        self.push(What::Edited(Edit { ticket: key.clone(), what }))
    }

    /// The vendor changes an item's status, or has a new item.
    pub(crate) fn change(&mut self, id: &ItemId, status: &str) -> usize {
        self.change_listed(id, status, Some(self.now))
    }

    pub(crate) fn change_listed(&mut self, id: &ItemId, status: &str, listed_at: Option<Timestamp>) -> usize {
        let changed = item(id, status, self.capabilities.grouping.by_finding);
        let link = self.state().items.get(id).map(|item| item.link.clone());
        let changed = VendorItem { link: link.unwrap_or(changed.link.clone()), ..changed };
        self.push(What::Happened(Change { what: Changed::Item(changed), listed_at }))
    }

    pub(crate) fn gone(&mut self, id: &ItemId) -> usize {
        self.push(What::Happened(Change { what: Changed::Gone(id.clone()), listed_at: None }))
    }
}

/// The evidence that events are; the end is where they lead.
pub(crate) fn judged_of(capabilities: &Capabilities, start: &State, events: Vec<Event>) -> Judged {
    let mut moment = Moment::start(start);
    events.iter().enumerate().for_each(|(index, event)| moment.apply(index, event));
    Judged {
        capabilities: capabilities.clone(),
        start: start.clone(),
        history: History { events, evicted: 0 },
        end: moment.state,
        outputs: Vec::new(),
        canaries: Vec::new(),
    }
}

/// The ids of the invariants that are violated.
pub(crate) fn convicted(judged: &Judged) -> BTreeSet<&'static str> {
    let judgements = judge(judged);
    let violated =
        judgements.iter().filter(|judgement| matches!(judgement.verdict, Verdict::Violated { .. }));
    violated.map(|judgement| judgement.id).collect()
}

pub(crate) fn ended(code: i32) -> RunEnded {
    RunEnded { exit: Exit::Code(code), counts: Counts::default(), plan: None, named: None, noticed: None }
}

pub(crate) fn killed() -> RunEnded {
    RunEnded { exit: Exit::Killed, ..ended(0) }
}

pub(crate) fn create(group: GroupId, key: &TicketKey) -> Call {
    let fields = BTreeMap::from([("title".to_owned(), format!("About {group}"))]);
    let labels = BTreeSet::from(["synced".to_owned()]);
    Call::Create { group: Some(group), ticket: Some(key.clone()), fields, labels }
}

pub(crate) fn set_done(key: &TicketKey, is_done: bool) -> Call {
    Call::SetDone { ticket: key.clone(), is_done, duplicate_of: None }
}

fn data_theorem(method: &str, route: &str, path: &str, body: Value, answer: Answer) -> VendorRequest {
    VendorRequest {
        vendor: Vendor::DataTheorem,
        operation: format!("{method} {route}"),
        method: method.to_owned(),
        path: format!("/apis/mobile_security/results/v2/{path}"),
        query: String::new(),
        body,
        answer,
    }
}

pub(crate) fn list_apps(answer: Answer) -> VendorRequest {
    data_theorem("GET", "mobile_apps", "mobile_apps", Value::Null, answer)
}

pub(crate) fn list_targets(answer: Answer) -> VendorRequest {
    let route = "security_finding_targets";
    let request = data_theorem("GET", route, route, Value::Null, answer);
    VendorRequest { query: "mobile_app_id=13".to_owned(), ..request }
}

pub(crate) fn patch(item: &ItemId, body: Value, answer: Answer) -> VendorRequest {
    let path = format!("security_finding_targets/{}", item.last_part());
    data_theorem("PATCH", "security_finding_targets/:id", &path, body, answer)
}

pub(crate) fn delete(item: &ItemId, answer: Answer) -> VendorRequest {
    let path = format!("security_finding_targets/{}", item.last_part());
    data_theorem("DELETE", "security_finding_targets/:id", &path, Value::Null, answer)
}

pub(crate) fn post_status(item: &ItemId, status: &str, answer: Answer) -> VendorRequest {
    let path = format!("security_finding_targets/{}/statuses", item.last_part());
    data_theorem("POST", "security_finding_targets/:id/statuses", &path, json!({"status": status}), answer)
}

pub(crate) fn mend(operation: &str, body: Value, answer: Answer) -> VendorRequest {
    VendorRequest {
        vendor: Vendor::Mend,
        operation: operation.to_owned(),
        method: "POST".to_owned(),
        path: "/api/v1.4".to_owned(),
        query: String::new(),
        body,
        answer,
    }
}

/// Tells the vendor an item's ticket, as the vendor wants it.
pub(crate) fn link(item: &ItemId, key: &TicketKey, answer: Answer) -> VendorRequest {
    if item.as_str().starts_with("mend/") {
        let issue = json!({"identifier": key, "status": "OPEN"});
        let body = json!({"projectToken": "p", "wsPolicyIssueItemUuid": item.last_part(), "externalIssues": [issue]});
        mend("updateExternalIntegrationIssues", body, answer)
    } else {
        patch(item, json!({"external_id": key}), answer)
    }
}
