//! Writes down what happens, for the judge: requests to both sides with what came of them, runs, changes and people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use contract_tests::judge::capabilities::{Capabilities, Closes, Grouping};
use contract_tests::judge::from_simulator::{changes, items};
use contract_tests::judge::ids::{GroupId, RunId, TicketKey};
use contract_tests::judge::journal::{
    Answer, Call, Counts, Edit, Edited, Event, Exit, History, HowLong, Reply, RunEnded, RunStarted,
    TrackerRequest, Vendor, VendorRequest, Wait, WaitScope, What,
};
use contract_tests::judge::state::{Author, Comment, State, Ticket};
use contract_tests::judge::{Judged, Verdict, judge};
use fixtures::world::WorldSpec;
use jiff::Timestamp;
use serde_json::Value;
use sync_client::adapters::local::Details;
use sync_client::core::model::{self, OpKey};
use sync_client::ports::{Request, TrackerError};
use sync_client::sync::Report;

use crate::blows::Blow;
use crate::trackers::{Office, SEARCH_LAG};

/// One ticket per item.
const GROUPING: Grouping = Grouping { by_finding: false, by_library: false };

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    start: State,
    events: Vec<Event>,
    runs: u32,
    run: Option<RunId>,
    /// The groups that there ever were, by the keys that their tickets carry.
    groups: BTreeMap<String, GroupId>,
}

impl Record {
    /// Begins with a world in which no ticket is.
    pub(crate) fn begin(&self, world: &WorldSpec) {
        let mut inner = self.0.lock().unwrap();
        let items = items(world, GROUPING);
        inner.know(items.values().map(|item| item.group.clone()));
        inner.start = State { items, tickets: BTreeMap::new() };
    }

    /// A run begins.
    pub(crate) fn run_starts(&self, at: Timestamp, started: RunStarted) {
        let mut inner = self.0.lock().unwrap();
        inner.runs += 1;
        inner.run = Some(RunId(inner.runs));
        inner.push(at, What::RunStarted(started));
    }

    /// It ends, by itself or not.
    pub(crate) fn run_ends(&self, at: Timestamp, report: Option<&Report>) {
        let ended = match report {
            Some(report) => RunEnded {
                exit: Exit::Code(report.exit().code().into()),
                counts: Counts {
                    created: Some(report.created),
                    commented: Some(report.commented),
                    closed: Some(report.closed),
                    reopened: Some(report.reopened),
                    linked: Some(report.linked),
                },
                plan: None,
                named: Some(
                    report.failures.iter().flat_map(|one| [&one.what, ": ", &one.why, "\n"]).collect(),
                ),
                noticed: Some(report.noticed.clone()),
            },
            None => RunEnded {
                exit: Exit::Killed,
                counts: Counts::default(),
                plan: None,
                named: None,
                noticed: None,
            },
        };
        let mut inner = self.0.lock().unwrap();
        inner.push(at, What::RunEnded(ended));
        inner.run = None;
    }

    /// The client's ledger is gone.
    pub(crate) fn ledger_lost(&self, at: Timestamp) {
        self.0.lock().unwrap().push(at, What::LedgerLost);
    }

    /// From here on nothing goes wrong, and nothing changes.
    pub(crate) fn quiet(&self, at: Timestamp) {
        self.0.lock().unwrap().push(at, What::Quiet);
    }

    /// The vendors changed without the client.
    pub(crate) fn happened(&self, at: Timestamp, before: &WorldSpec, after: &WorldSpec) {
        let mut inner = self.0.lock().unwrap();
        inner.know(items(after, GROUPING).values().map(|item| item.group.clone()));
        for change in changes(before, after, GROUPING) {
            inner.push(at, What::Happened(change));
        }
    }

    /// A person did something to a ticket.
    pub(crate) fn edited(&self, at: Timestamp, ticket: &str, what: Edited) {
        self.0.lock().unwrap().push(at, What::Edited(Edit { ticket: ticket.into(), what }));
    }

    /// A request to a vendor. `delivered` is what the server answered, if it got the request; `seen` what the client saw.
    pub(crate) fn vendor(
        &self,
        at: Timestamp,
        request: &Request,
        blow: Option<Blow>,
        delivered: Option<&(u16, Value)>,
        seen: Option<(u16, Value)>,
    ) {
        let path_and_query = request.url.split("localhost").nth(1).unwrap_or_default();
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let vendor = if path.starts_with("/api/") { Vendor::Mend } else { Vendor::DataTheorem };
        let operation = match body["requestType"].as_str() {
            Some(request_type) => request_type.to_owned(),
            None => operation(request.method.as_str(), path),
        };
        if let Some(members) = body.as_object_mut() {
            members.remove("userKey");
        }
        let is_done = |(status, body): &(u16, Value)| match reply(*status, body) {
            Reply::Done => true,
            // What is there already is there because of the first of the two.
            Reply::Refused(409) => blow == Some(Blow::Twice),
            _ => false,
        };
        let answer = answer(delivered.is_some_and(is_done), blow, seen);
        let request = VendorRequest {
            vendor,
            operation,
            method: request.method.to_string(),
            path: path.to_owned(),
            query: query.to_owned(),
            body,
            answer,
        };
        self.0.lock().unwrap().push(at, What::Vendor(request));
    }

    /// A request to Jira, and what it is to the judge. `delivered` and `seen` are as of requests to a vendor.
    pub(crate) fn jira(
        &self,
        at: Timestamp,
        call: Option<Call>,
        blow: Option<Blow>,
        delivered: Option<&(u16, Value)>,
        seen: Option<(u16, Value)>,
    ) {
        let Some(call) = call else { return };
        let is_applied = delivered.is_some_and(|(status, _)| (200..300).contains(status));
        let answer = answer(is_applied, blow, seen);
        self.0.lock().unwrap().push(at, What::Tracker(TrackerRequest { call, answer }));
    }

    /// A request to the tracker, as the calls it consists of.
    pub(crate) fn tracker<T>(
        &self,
        at: Timestamp,
        calls: Vec<Call>,
        blow: Option<Blow>,
        is_applied: bool,
        seen: &Result<T, TrackerError>,
    ) {
        let reply = match seen {
            Ok(_) => Reply::Done,
            Err(TrackerError::Refused(_)) => Reply::Refused(422),
            Err(TrackerError::Credential(_)) => Reply::Denied,
            Err(TrackerError::Unavailable(_) | TrackerError::Unknown(_)) => Reply::Lost,
        };
        let reply =
            if matches!(blow, Some(Blow::KillBefore | Blow::KillAfter)) { Reply::Lost } else { reply };
        let answer = Answer {
            is_applied,
            reply,
            fault: blow.map(|blow| format!("{blow:?}")),
            is_rewritten: false,
            wait: None,
        };
        let mut inner = self.0.lock().unwrap();
        for call in calls {
            inner.push(at, What::Tracker(TrackerRequest { call, answer: answer.clone() }));
        }
    }

    /// The group whose ticket carries a key.
    pub(crate) fn group_of(&self, op: &OpKey) -> Option<GroupId> {
        self.0.lock().unwrap().groups.get(op.as_str()).cloned()
    }

    /// What the judge says of all that: the invariants that are violated, each with what shows it.
    pub(crate) fn violations(
        &self,
        capabilities: &Capabilities,
        world: &WorldSpec,
        tracker: &Office,
    ) -> Vec<String> {
        let inner = self.0.lock().unwrap();
        let judged = Judged {
            capabilities: capabilities.clone(),
            start: inner.start.clone(),
            history: History { events: inner.events.clone(), evicted: 0 },
            end: State { items: items(world, GROUPING), tickets: tickets(tracker, &inner.groups) },
            outputs: Vec::new(),
            canaries: Vec::new(),
        };
        let verdicts = judge(&judged).into_iter();
        verdicts
            .filter_map(|judgement| match judgement.verdict {
                Verdict::Violated { violations } => {
                    let first = violations.first()?;
                    Some(format!("{}: {} {:?}", judgement.id, first.text, first.events))
                }
                Verdict::NotJudged { reason } if reason.contains("history does not explain") => {
                    Some(format!("{} is not judged: {reason}", judgement.id))
                }
                Verdict::Held { .. } | Verdict::NotJudged { .. } => None,
            })
            .collect()
    }
}

impl Inner {
    fn push(&mut self, at: Timestamp, what: What) {
        let run = match what {
            What::Happened(_) | What::Edited(_) | What::Quiet => None,
            _ => self.run,
        };
        self.events.push(Event { at, run, what });
    }

    fn know(&mut self, groups: impl Iterator<Item = GroupId>) {
        for group in groups {
            let op = OpKey::of(&model::GroupId::new(group.as_str()));
            self.groups.insert(op.as_str().to_owned(), group);
        }
    }
}

/// What the judge may expect of this client over this tracker.
pub(crate) fn capabilities(has_unique_key: bool, page_size: usize) -> Capabilities {
    Capabilities {
        tracker_has_unique_key: has_unique_key,
        search_lag_s: SEARCH_LAG.as_secs(),
        closes: Closes::Transition,
        reopens: true,
        attempts_max: 5,
        deadline_s: 2 * 60 * 60,
        overlap_s: 60 * 60,
        page_size,
        ..Capabilities::default()
    }
}

/// The route of a request to Data Theorem: `PATCH security_finding_targets/:id`.
fn operation(method: &str, path: &str) -> String {
    let path = path.split("/v2/").nth(1).unwrap_or_default();
    match path.split_once('/') {
        Some((list, _)) => format!("{method} {list}/:id"),
        None => format!("{method} {path}"),
    }
}

/// What came of a request over HTTP.
fn answer(is_applied: bool, blow: Option<Blow>, seen: Option<(u16, Value)>) -> Answer {
    let saw = seen.map_or(Reply::Lost, |(status, body)| reply(status, &body));
    let saw = match blow {
        Some(Blow::Truncated | Blow::Html) => Reply::Lost,
        Some(Blow::Refused) => Reply::NotSent,
        _ => saw,
    };
    let header = match blow {
        Some(Blow::TooMany(header)) => Some(header),
        Some(Blow::TooManyInHtml) => Some(None),
        _ => None,
    };
    let wait = header.map(|header| Wait { how_long: HowLong::parse(header), scope: WaitScope::Operation });
    let is_rewritten = matches!(blow, Some(Blow::NotFound | Blow::Anonymous));
    Answer { is_applied, reply: saw, fault: blow.map(|blow| format!("{blow:?}")), is_rewritten, wait }
}

fn reply(status: u16, body: &Value) -> Reply {
    match status {
        200..=299 if body.get("errorCode").is_some() => Reply::Refused(200),
        200..=299 => Reply::Done,
        401 | 403 => Reply::Denied,
        404 => Reply::NotFound,
        429 => Reply::TooMany,
        500..=599 => Reply::Failed(status),
        other => Reply::Refused(other),
    }
}

/// The texts of a ticket as the judge names them.
pub(crate) fn fields(ticket: &Details) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("title".to_owned(), ticket.summary.title.clone()),
        ("description".to_owned(), ticket.description.clone()),
    ])
}

/// The tickets as they are, looked at from outside.
fn tickets(tracker: &Office, groups: &BTreeMap<String, GroupId>) -> BTreeMap<TicketKey, Ticket> {
    let mut tickets = BTreeMap::new();
    for details in tracker.tickets() {
        let summary = &details.summary;
        let origin = details.op.as_ref().and_then(|op| groups.get(op)).cloned();
        let mut ticket = Ticket::new(summary.key.as_str().into(), origin);
        ticket.is_done = summary.is_done;
        ticket.former_keys = details.former_keys.iter().map(|key| key.as_str().into()).collect();
        ticket.fields = fields(&details);
        ticket.labels = details.labels.iter().cloned().collect::<BTreeSet<_>>();
        ticket.comments = details
            .comments
            .iter()
            .map(|comment| Comment {
                by: if comment.author == "sync-client" { Author::Client } else { Author::Person },
                text: comment.text.clone(),
            })
            .collect();
        tickets.insert(ticket.key.clone(), ticket);
    }
    tickets
}
