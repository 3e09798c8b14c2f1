//! From the simulators' journals and worlds to evidence, over both vendors, with faults.

use std::collections::{BTreeMap, BTreeSet};

use contract_tests::judge::capabilities::{Capabilities, Closes, Grouping};
use contract_tests::judge::from_simulator::{changes, event, items};
use contract_tests::judge::ids::{ItemId, RunId, TicketKey};
use contract_tests::judge::journal::{
    Answer, Call, Changed, Event, History, HowLong, Reply, RunEnded, RunStarted, TrackerRequest, What,
};
use contract_tests::judge::state::{Link, Standing, State, Ticket};
use contract_tests::judge::{Judged, judge, why_no_evidence};
use contract_tests::target::exchange::Request;
use contract_tests::target::transport::{InProcess, Transport};
use fixtures::world::data_theorem::TargetStatus;
use fixtures::world::{Event as Happens, WorldSpec, data_theorem, mend};
use http::{HeaderMap, HeaderValue, Method};
use jiff::SignedDuration;
use mock_server::kernel::faults::{Effect, Fault};
use mock_server::kernel::journal::Filter;
use mock_server::{Control, MockServer};
use serde_json::{Value, json};

use crate::story::{convicted, ended};

const PATCH: &str = "PATCH security_finding_targets/:id";
const REPORT: &str = "updateExternalIntegrationIssues";

/// Both vendors in this process, and the history so far.
struct Bench {
    transport: InProcess,
    control: Control,
    api_key: String,
    user_key: String,
    faults: BTreeMap<u64, Fault>,
    grouping: Grouping,
    start: WorldSpec,
    events: Vec<Event>,
    tickets: BTreeMap<TicketKey, Ticket>,
    run: Option<RunId>,
    read_to: u64,
}

impl Bench {
    fn new() -> Self {
        let server = MockServer::builder().world("demo").in_process().unwrap();
        let control = server.control();
        Self {
            api_key: server.data_theorem().api_key().to_owned(),
            user_key: server.mend().user_key().to_owned(),
            start: control.export_world(),
            control,
            transport: InProcess::new(server).unwrap(),
            faults: BTreeMap::new(),
            grouping: Grouping::default(),
            events: Vec::new(),
            tickets: BTreeMap::new(),
            run: None,
            read_to: 0,
        }
    }

    fn plan(&mut self, fault: Fault) {
        let id = self.control.plan_fault(fault.clone()).unwrap();
        self.faults.insert(id, fault);
    }

    /// Takes over what the journal has of new.
    fn read(&mut self) {
        let page = self.control.journal(&Filter { after: self.read_to, ..Filter::default() });
        assert_eq!(page.evicted, 0);
        self.read_to = page.last_seq;
        for entry in &page.entries {
            let fault = entry.fault.and_then(|id| self.faults.get(&id));
            self.events.extend(event(entry, fault, self.run));
        }
    }

    fn send(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let mut headers = HeaderMap::new();
        if path.starts_with("/apis") {
            let key = format!("APIKey {}", self.api_key);
            headers.insert("authorization", HeaderValue::from_str(&key).unwrap());
        }
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let url = format!("http://localhost{path}").parse().unwrap();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let _ = self.transport.send(Request { method, url, headers, body: body.into() });
        self.read();
        let Some(What::Vendor(request)) = self.events.last().map(|event| event.what.clone()) else {
            panic!("no request in the journal");
        };
        request.answer
    }

    fn data_theorem(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, &format!("/apis/mobile_security/results/v2/{path}"), body)
    }

    fn mend(&mut self, request_type: &str, mut fields: Value) -> Answer {
        fields["requestType"] = json!(request_type);
        fields["userKey"] = json!(self.user_key);
        self.send(Method::POST, "/api/v1.4", &fields)
    }

    fn push(&mut self, what: What) {
        self.events.push(Event { at: self.control.now(), run: self.run, what });
    }

    fn create(&mut self, item: &ItemId) -> TicketKey {
        let key: TicketKey = format!("SEC-{}", self.tickets.len() + 1).into();
        let group = items(&self.control.export_world(), self.grouping)[item].group.clone();
        self.tickets.insert(key.clone(), Ticket::new(key.clone(), Some(group.clone())));
        let call = Call::Create {
            group: Some(group),
            ticket: Some(key.clone()),
            fields: BTreeMap::new(),
            labels: BTreeSet::new(),
        };
        self.push(What::Tracker(TrackerRequest { call, answer: Answer::new(true, Reply::Done) }));
        key
    }

    fn happens(&mut self, event: &Happens) -> Vec<Changed> {
        let before = self.control.export_world();
        self.control.advance(SignedDuration::from_mins(5));
        self.control.happen(event).unwrap();
        let changes = changes(&before, &self.control.export_world(), self.grouping);
        let run = self.run.take();
        for change in changes.clone() {
            self.push(What::Happened(change));
        }
        self.run = run;
        changes.into_iter().map(|change| change.what).collect()
    }

    fn judged(&self, capabilities: Capabilities) -> Judged {
        let state = |world: &WorldSpec| items(world, self.grouping);
        Judged {
            capabilities,
            start: State { items: state(&self.start), tickets: BTreeMap::new() },
            history: History { events: self.events.clone(), evicted: 0 },
            end: State { items: state(&self.control.export_world()), tickets: self.tickets.clone() },
            outputs: Vec::new(),
            canaries: Vec::new(),
        }
    }

    fn open_item(&self, vendor: &str) -> ItemId {
        let items = items(&self.control.export_world(), self.grouping);
        let open = items.values().find(|item| {
            item.id.as_str().starts_with(vendor)
                && item.standing == Standing::Open
                && item.link.tickets().is_empty()
        });
        open.unwrap().id.clone()
    }
}

fn report(item: &ItemId, key: &TicketKey) -> Value {
    let parts: Vec<&str> = item.as_str().split('/').collect();
    json!({
        "projectToken": parts[2], "wsPolicyIssueItemUuid": parts[3],
        "externalIssues": [{"identifier": key, "status": "OPEN", "created": "2025-01-02 03:04:05"}],
    })
}

#[test]
fn journals_and_worlds_of_both_vendors_explain_each_other() {
    let mut bench = Bench::new();
    bench.run = Some(RunId(1));
    bench.push(What::RunStarted(RunStarted::default()));

    let target = bench.open_item("data-theorem/");
    let key = bench.create(&target);
    let path = format!("security_finding_targets/{}", target.last_part());
    let lost = Effect::Reply { status: 502, headers: Vec::new(), body: String::new() };
    bench.plan(Fault::after(PATCH, lost));
    bench.plan(Fault::after(PATCH, Effect::ConnectionReset));
    let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
    bench.plan(Fault::before(PATCH, Effect::Reply { status: 429, headers, body: "<html>".to_owned() }));
    let body = json!({"external_id": key});
    let set_link = |bench: &mut Bench| bench.data_theorem(Method::PATCH, &path, &body);
    let failed = set_link(&mut bench);
    assert_eq!((failed.is_applied, failed.reply), (true, Reply::Failed(502)));
    let reset = set_link(&mut bench);
    assert_eq!((reset.is_applied, reset.reply), (true, Reply::Lost));
    let busy = set_link(&mut bench);
    assert_eq!((busy.is_applied, busy.reply), (false, Reply::TooMany));
    assert_eq!(busy.wait.unwrap().how_long, HowLong::Seconds(7));
    bench.control.advance(SignedDuration::from_secs(7));
    assert_eq!(set_link(&mut bench), Answer::new(true, Reply::Done));
    let refused = bench.data_theorem(Method::PATCH, &path, &json!({"external_id": 7}));
    assert_eq!((refused.is_applied, refused.reply), (false, Reply::Refused(400)));
    let missing = bench.data_theorem(Method::GET, "security_finding_targets/1", &Value::Null);
    assert_eq!((missing.is_applied, missing.reply), (false, Reply::NotFound));

    let violation = bench.open_item("mend/");
    let key = bench.create(&violation);
    assert_eq!(bench.mend(REPORT, report(&violation, &key)), Answer::new(true, Reply::Done));
    let bad = bench.mend(REPORT, report(&violation, &"a & b".into()));
    assert_eq!((bad.is_applied, bad.reply), (false, Reply::Refused(200)));
    let error = json!({"errorCode": 4000, "errorMessage": "Unexpected"}).to_string();
    let broken = Effect::Reply { status: 200, headers: Vec::new(), body: error };
    bench.plan(Fault::before("getOrganizationLastModifiedProjects", broken));
    let org = bench.control.export_world().mend.organizations[0].token.clone();
    let fields = json!({"orgToken": org});
    let broken = bench.mend("getOrganizationLastModifiedProjects", fields);
    assert_eq!((broken.reply, broken.is_rewritten), (Reply::Refused(200), false));
    bench.push(What::RunEnded(RunEnded { ..ended(4) }));

    let capabilities = Capabilities { closes: Closes::Transition, ..Capabilities::default() };
    let judged = bench.judged(capabilities);
    assert_eq!(why_no_evidence(&judged), None);
    // The two requests that a client may not send, and nothing else.
    assert_eq!(convicted(&judged), BTreeSet::from(["I7"]), "{:#?}", judge(&judged));

    let mut incomplete = judged.clone();
    incomplete
        .history
        .events
        .retain(|event| !matches!(&event.what, What::Vendor(request) if request.is_write()));
    assert!(why_no_evidence(&incomplete).is_some());
}

#[test]
fn what_happens_at_the_vendors_is_a_change_of_the_items() {
    let mut bench = Bench::new();
    let target = bench.open_item("data-theorem/");
    let closed = bench.happens(&Happens::from(data_theorem::Event::TargetStatus {
        target_id: target.last_part().to_owned(),
        status: TargetStatus::ClosedByPolicy,
    }));
    let [Changed::Item(item)] = closed.as_slice() else { panic!("{closed:?}") };
    assert_eq!(
        (&item.id, item.standing, item.status.as_str()),
        (&target, Standing::Closed, "CLOSED_BY_POLICY")
    );
    let Some(What::Happened(change)) = bench.events.last().map(|event| event.what.clone()) else { panic!() };
    assert_eq!(change.listed_at, Some(bench.control.now()));

    let linked = bench.happens(&Happens::from(data_theorem::Event::ExternalId {
        target_id: target.last_part().to_owned(),
        external_id: Some("OWN-1".to_owned()),
        external_bug_tracker_url: None,
    }));
    let [Changed::Item(item)] = linked.as_slice() else { panic!("{linked:?}") };
    assert_eq!(item.link, Link::External(Some("OWN-1".into())));
    let Some(What::Happened(change)) = bench.events.last().map(|event| event.what.clone()) else { panic!() };
    assert_eq!(change.listed_at, None, "such a change does not show in what is new");

    let violation = bench.open_item("mend/");
    let parts: Vec<String> = violation.as_str().split('/').map(str::to_owned).collect();
    let world = bench.control.export_world();
    let library =
        world.mend.policy_violations.iter().find(|row| row.uuid == parts[3]).unwrap().key_uuid.clone();
    let scanned = bench.happens(&Happens::from(mend::Event::Scan {
        project_token: parts[2].clone(),
        added: Vec::new(),
        removed: vec![library.clone()],
        source_files_changed: false,
        comment: None,
    }));
    let resolved = |changed: &Changed| matches!(changed, Changed::Item(item) if item.id == violation && item.standing == Standing::Closed);
    assert!(scanned.iter().any(resolved), "{scanned:?}");

    let deleted =
        bench.happens(&Happens::from(mend::Event::ProjectDeleted { project_token: parts[2].clone() }));
    assert!(deleted.contains(&Changed::Gone(violation)), "{deleted:?}");
    assert_eq!(why_no_evidence(&bench.judged(Capabilities::default())), None);
}
