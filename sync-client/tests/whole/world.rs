//! Both sides of a sync, and the client between them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once};

use contract_tests::judge::journal::RunStarted;
use contract_tests::target::exchange::Request as Call;
use contract_tests::target::transport::{InProcess, Transport as _};
use fixtures::world::{Event, WorldSpec};
use jiff::SignedDuration;
use mock_server::kernel::clock::ClockMode;
use mock_server::{Control, MockServer, SandboxRequest, WorldChoice};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sync_client::adapters::caller::{Caller, Patience};
use sync_client::adapters::data_theorem::DataTheorem;
use sync_client::adapters::jira::Jira;
use sync_client::adapters::local::Summary;
use sync_client::adapters::mend::{Mend, MendSettings};
use sync_client::config::DataTheoremSettings;
use sync_client::core::noticed::Noticed;
use sync_client::core::policy::Policy;
use sync_client::ledger::{Ledger, LedgerError};
use sync_client::ports::{Clock, Tracker, Transport};
use sync_client::sync::{Options, Pretend, Progress, Report, Run, Vendors};

use crate::blows::{Blows, Killed};
use crate::carriers::{Desk, VirtualClock, Wire};
use crate::layers::{Layer, Over};
use crate::record::Record;
use crate::trackers::{Kind, Office, jira};

/// How a run of the client ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself.
    Report(Box<Report>),
    /// It was killed.
    Killed,
    /// The ledger could not be used.
    Ledger(LedgerError),
}

impl Ended {
    /// The report of a run that ended by itself.
    pub(crate) fn report(self) -> Report {
        match self {
            Self::Report(report) => *report,
            other => panic!("the run did not end by itself: {other:?}"),
        }
    }
}

/// What is not the same in every world.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) world: WorldSpec,
    pub(crate) page_size: usize,
    pub(crate) readings: BTreeMap<String, String>,
    pub(crate) tracker: Kind,
    pub(crate) policy: Policy,
}

/// Both sides, and the client's ledger.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) tracker: Office,
    pub(crate) clock: VirtualClock,
    pub(crate) blows: Arc<Blows>,
    pub(crate) record: Arc<Record>,
    pub(crate) policy: Policy,
    /// What stands between the client and its ports, the innermost first.
    layers: Mutex<Vec<Arc<dyn Layer>>>,
    /// What stands above them all: what the client does wrong.
    pub(crate) sabotage: Option<Arc<dyn Layer>>,
    /// What is done to the ledger after every run, as if the client had.
    pub(crate) after_run: Option<fn(&World)>,
    ledger: Mutex<LedgerInMemory>,
}

/// A ledger that is there as long as this.
struct LedgerInMemory {
    name: String,
    /// Keeps the ledger in memory while no run has it open.
    keeper: Connection,
}

impl LedgerInMemory {
    fn new() -> Self {
        let number = LEDGERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:ledger-{number}?mode=memory&cache=shared");
        let keeper = open(&name);
        Self { name, keeper }
    }
}

/// The simulators, one process for all worlds.
struct Host {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    wire: Arc<InProcess>,
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let build = || {
        MockServer::builder()
            .world("empty")
            .clock(ClockMode::Manual)
            .sandboxes_max(1_000_000)
            .in_process()
            .unwrap()
    };
    let server = build();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let wire = Arc::new(InProcess::over(server.router()).unwrap());
    Host { runtime, server, wire }
});

/// In process nothing listens anywhere; any address of this machine will do.
const HERE: &str = "http://localhost";

static LEDGERS: AtomicUsize = AtomicUsize::new(0);

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        quiet_kills();
        let host = &*HOST;
        let mut world = setup.world.clone();
        let is_ready = world.jira.projects.iter().any(|project| project.key == jira::PROJECT);
        if setup.tracker == Kind::Jira && !is_ready {
            world.jira = jira::site();
        }
        let request = SandboxRequest {
            world: Some(WorldChoice::Spec(Box::new(world))),
            page_size: Some(setup.page_size),
            clock: Some(ClockMode::Manual),
            readings: setup.readings.clone(),
            ..SandboxRequest::default()
        };
        let control = host.runtime.block_on(host.server.create_sandbox(request)).unwrap();
        let clock = VirtualClock(control.clone());
        let tracker = Office::new(setup.tracker, &control, &clock);
        let record = Arc::new(Record::default());
        record.begin(&control.export_world());
        Self {
            control,
            tracker,
            clock,
            blows: Arc::default(),
            record,
            policy: setup.policy.clone(),
            layers: Mutex::default(),
            sabotage: None,
            after_run: None,
            ledger: Mutex::new(LedgerInMemory::new()),
        }
    }

    /// From the next run on this stands between the client and what stood there before.
    pub(crate) fn put(&self, layer: Arc<dyn Layer>) {
        self.layers.lock().unwrap().push(layer);
    }

    /// What was put in between is gone again.
    pub(crate) fn take_away(&self) {
        self.layers.lock().unwrap().clear();
    }

    /// The ledger is gone; the next run begins with an empty one.
    pub(crate) fn forget(&self) {
        *self.ledger.lock().unwrap() = LedgerInMemory::new();
    }

    /// Changes the ledger behind the client's back.
    pub(crate) fn sql(&self, sql: &str) {
        self.ledger.lock().unwrap().keeper.execute_batch(sql).unwrap();
    }

    /// One run of the client as a process of its own: what is not in the ledger is gone afterwards.
    pub(crate) fn run(&self, options: Options) -> Ended {
        self.run_told(options, &mut |_| {})
    }

    /// The same; what the run says is handed on.
    pub(crate) fn run_told(&self, options: Options, progress: &mut dyn FnMut(Progress<'_>)) -> Ended {
        let ended = self.run_with(|| Ledger::over(open(&self.ledger_name())), options, progress);
        if let Some(after_run) = self.after_run {
            after_run(self);
        }
        ended
    }

    /// The same with another ledger.
    pub(crate) fn run_with(
        &self,
        ledger: impl FnOnce() -> Result<Ledger, LedgerError>,
        options: Options,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Ended {
        let run = AssertUnwindSafe(|| {
            let mut ledger = ledger()?;
            let clock = self.layered::<dyn Clock>(Arc::new(self.clock.clone()), |over| Arc::new(over));
            let caller = self.caller(&clock);
            let (tracker, vendors) = (self.port(&caller), self.vendors(caller));
            Run::new(&vendors, &*tracker, &*clock, &mut ledger, &self.policy, options, progress).perform()
        });
        let started = RunStarted {
            is_dry: options.is_dry,
            is_full: options.is_full || self.ledger().last_runs(1).unwrap().is_empty(),
            may_close_many: options.allows_mass_change,
        };
        self.record.run_starts(self.clock.now(), started);
        let ended = match catch_unwind(run) {
            Ok(Ok(report)) => Ended::Report(Box::new(report)),
            Ok(Err(error)) => Ended::Ledger(error),
            Err(payload) if payload.is::<Killed>() => Ended::Killed,
            Err(payload) => std::panic::resume_unwind(payload),
        };
        let report = match &ended {
            Ended::Report(report) => Some(&**report),
            Ended::Killed | Ended::Ledger(_) => None,
        };
        self.record.run_ends(self.clock.now(), report);
        ended
    }

    /// A dry run, and the steps that it says a run would do.
    pub(crate) fn plan(&self) -> (Report, Vec<String>) {
        self.blows.plan(&[]);
        let mut steps = Vec::new();
        let report = self.dry_run(&mut |step| steps.push(step.to_owned()));
        (report, steps)
    }

    /// What a run would do.
    pub(crate) fn dry_run(&self, told: &mut dyn FnMut(&str)) -> Report {
        let clock = self.layered::<dyn Clock>(Arc::new(self.clock.clone()), |over| Arc::new(over));
        let caller = self.caller(&clock);
        let (tracker, vendors) = (self.port(&caller), self.vendors(caller));
        let pretend = Pretend::new(&*tracker);
        let mut ledger = self.ledger().copy_in_memory().unwrap();
        let mut progress = |progress: Progress<'_>| {
            if let Progress::Did(step) = progress {
                told(step);
            }
        };
        let options = Options { is_dry: true, ..Options::default() };
        Run::new(&vendors, &pretend, &*clock, &mut ledger, &self.policy, options, &mut progress)
            .perform()
            .unwrap()
    }

    /// A run without blows.
    pub(crate) fn run_in_peace(&self) -> Report {
        self.blows.plan(&[]);
        self.run(Options::default()).report()
    }

    /// The ledger, between runs.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::over(open(&self.ledger_name())).unwrap()
    }

    /// Everything that stands in the ledger.
    pub(crate) fn ledger_text(&self) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("copy.db");
        self.sql(&format!("VACUUM INTO '{}'", file.display()));
        String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()
    }

    /// Something happens at a vendor.
    pub(crate) fn happen(&self, event: Value) {
        self.may_happen(&Event::try_from(event).unwrap()).unwrap();
    }

    /// The same, unless it can't happen in the world as it is.
    pub(crate) fn may_happen(&self, event: &Event) -> Result<(), String> {
        let before = self.vendors_side();
        let done = match event {
            Event::DataTheorem(event) => {
                self.control.happen(event).map(|_| ()).map_err(|error| error.to_string())
            }
            Event::Mend(event) => self.control.happen(event).map(|_| ()).map_err(|error| error.to_string()),
            Event::Jira(event) => self.control.happen(event).map(|_| ()).map_err(|error| error.to_string()),
        };
        self.record.happened(self.clock.now(), &before, &self.vendors_side());
        done
    }

    /// Somebody else than the client asks Mend for something about the organization.
    pub(crate) fn ask_mend(&self, request_type: &str, mut body: Value) -> Value {
        let env = self.control.environment().env;
        body["requestType"] = request_type.into();
        body["userKey"] = env["MEND_USER_KEY"].as_str().into();
        body["orgToken"] = env["MEND_ORG_TOKEN"].as_str().into();
        let mut call = Call::new(http::Method::POST, "http://localhost/api/v1.4".to_owned());
        call.headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        call.body = body.to_string().into();
        let reply = HOST.wire.send(call).unwrap();
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Time passes.
    pub(crate) fn wait(&self, seconds: i64) {
        self.control.advance(SignedDuration::from_secs(seconds));
    }

    /// What exists at the vendors.
    pub(crate) fn vendors_side(&self) -> WorldSpec {
        self.control.export_world()
    }

    /// The ticket with a key.
    pub(crate) fn ticket(&self, key: &str) -> Option<Summary> {
        let ticket = self.tracker.details(&sync_client::core::model::TicketKey::new(key))?;
        Some(ticket.summary)
    }

    /// The tracker as the client sees it.
    fn port(&self, caller: &Caller) -> Arc<dyn Tracker> {
        let tracker: Arc<dyn Tracker> = match &self.tracker {
            Office::Local(tracker) => Arc::new(Desk {
                record: Arc::clone(&self.record),
                tracker: Arc::clone(tracker),
                clock: self.clock.clone(),
                blows: Arc::clone(&self.blows),
            }),
            Office::Jira(control) => Arc::new(Jira::new(jira::settings(control, HERE), caller.clone())),
        };
        self.layered::<dyn Tracker>(tracker, |over| Arc::new(over))
    }

    /// A port with every layer over it.
    fn layered<P: ?Sized>(&self, port: Arc<P>, wrap: fn(Over<P>) -> Arc<P>) -> Arc<P> {
        let layers = self.layers.lock().unwrap().clone();
        layers.into_iter().chain(self.sabotage.clone()).fold(port, |under, layer| wrap(Over { under, layer }))
    }

    fn ledger_name(&self) -> String {
        self.ledger.lock().unwrap().name.clone()
    }

    /// Carries requests to the vendors, and to the tracker if it is not called.
    fn caller(&self, clock: &Arc<dyn Clock>) -> Caller {
        let wire = Wire {
            record: Arc::clone(&self.record),
            server: Arc::clone(&HOST.wire),
            clock: self.clock.clone(),
            blows: Arc::clone(&self.blows),
        };
        let deadline = clock.now() + SignedDuration::from_hours(2);
        let patience = Patience { deadline: Some(deadline), ..Patience::default() };
        let wire = self.layered::<dyn Transport>(Arc::new(wire), |over| Arc::new(over));
        Caller::new(wire, Arc::clone(clock), patience)
    }

    fn vendors(&self, caller: Caller) -> Vendors {
        let env = self.control.environment().env;
        let noticed = Arc::new(Noticed::default());
        let settings = DataTheoremSettings::read(|name| match name {
            "DATA_THEOREM_BASE_URL" => Some(format!("{HERE}/apis/mobile_security/results/v2").into()),
            _ => env.get(name).map(Into::into),
        });
        let settings = settings.unwrap();
        let data_theorem = DataTheorem::new(settings, caller.clone(), Arc::clone(&noticed));
        let settings =
            MendSettings::new(HERE.parse().unwrap(), &env["MEND_USER_KEY"], &env["MEND_ORG_TOKEN"]).unwrap();
        let mend = Mend::new(settings, caller, Arc::clone(&noticed));
        Vendors { data_theorem: Some(data_theorem), mend: Some(mend), noticed }
    }
}

/// Something happens at a vendor.
pub(crate) fn happen(control: &Control, event: Value) {
    match Event::try_from(event).unwrap() {
        Event::DataTheorem(event) => control.happen(&event).map(|_| ()).unwrap(),
        Event::Mend(event) => control.happen(&event).map(|_| ()).unwrap(),
        Event::Jira(event) => control.happen(&event).map(|_| ()).unwrap(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let host = &*HOST;
        let _ = host.runtime.block_on(host.server.delete_sandbox(self.control.id()));
    }
}

fn open(name: &str) -> Connection {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(name, flags).unwrap()
}

/// A planned kill is no news; any other panic is.
fn quiet_kills() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Killed>() {
                others(info);
            }
        }));
    });
}
