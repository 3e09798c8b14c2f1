//! Both sides of a sync, and the client between them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once};

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
use sync_client::adapters::local::{LocalTracker, Uniqueness};
use sync_client::adapters::mend::{Mend, MendSettings};
use sync_client::config::DataTheoremSettings;
use sync_client::core::noticed::Noticed;
use sync_client::core::policy::Policy;
use sync_client::ledger::{Ledger, LedgerError};
use sync_client::ports::{Clock as _, Ticket, Tracker};
use sync_client::sync::{Options, Progress, Report, Run, Vendors};

use crate::blows::{Blows, Killed};
use crate::carriers::{Desk, VirtualClock, Wire};

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
    pub(crate) uniqueness: Uniqueness,
    pub(crate) policy: Policy,
}

/// Both sides, and the client's ledger.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) tracker: Arc<LocalTracker>,
    pub(crate) clock: VirtualClock,
    pub(crate) blows: Arc<Blows>,
    pub(crate) policy: Policy,
    ledger: String,
    connection: Mutex<Option<Connection>>,
    /// Keeps the ledger in memory while no run has it open.
    keeper: Connection,
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

static WORLDS: AtomicUsize = AtomicUsize::new(0);

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        quiet_kills();
        let host = &*HOST;
        let request = SandboxRequest {
            world: Some(WorldChoice::Spec(Box::new(setup.world.clone()))),
            page_size: Some(setup.page_size),
            clock: Some(ClockMode::Manual),
            readings: setup.readings.clone(),
            ..SandboxRequest::default()
        };
        let control = host.runtime.block_on(host.server.create_sandbox(request)).unwrap();
        let clock = VirtualClock(control.clone());
        let tracker = LocalTracker::in_memory(Arc::new(clock.clone()), setup.uniqueness).unwrap();
        let (ledger, keeper) = new_ledger();
        Self {
            control,
            tracker: Arc::new(tracker),
            clock,
            blows: Arc::default(),
            policy: setup.policy.clone(),
            ledger,
            connection: Mutex::default(),
            keeper,
        }
    }

    /// One run of the client as a process of its own: what is not in the ledger is gone afterwards.
    pub(crate) fn run(&self, options: Options) -> Ended {
        self.run_told(options, &mut |_| {})
    }

    /// The same; what the run says is handed on.
    pub(crate) fn run_told(&self, options: Options, progress: &mut dyn FnMut(Progress<'_>)) -> Ended {
        let mut ledger = match Ledger::over(self.take_connection()) {
            Ok(ledger) => ledger,
            Err(error) => return Ended::Ledger(error),
        };
        let run = AssertUnwindSafe(|| {
            let (vendors, desk) = (self.vendors(), self.desk());
            Run::new(&vendors, &desk, &self.clock, &mut ledger, &self.policy, options, progress).perform()
        });
        let ended = catch_unwind(run);
        // What was not committed was rolled back on the way here, so that the connection is as good as a new one.
        *self.connection.lock().unwrap() = Some(ledger.into_connection());
        match ended {
            Ok(Ok(report)) => Ended::Report(Box::new(report)),
            Ok(Err(error)) => Ended::Ledger(error),
            Err(payload) if payload.is::<Killed>() => Ended::Killed,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// The connection of the last run, which knows its statements already, or else a new one.
    fn take_connection(&self) -> Connection {
        let last = self.connection.lock().unwrap().take();
        assert!(last.as_ref().is_none_or(Connection::is_autocommit), "a transaction outlived its run");
        last.unwrap_or_else(|| open(&self.ledger))
    }

    /// A run without blows.
    pub(crate) fn run_in_peace(&self) -> Report {
        self.blows.plan(&[]);
        self.run(Options::default()).report()
    }

    /// The ledger, between runs.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::over(open(&self.ledger)).unwrap()
    }

    /// The ledger is deleted.
    pub(crate) fn lose_ledger(&mut self) {
        (self.ledger, self.keeper) = new_ledger();
        self.connection = Mutex::default();
    }

    /// Something happens at a vendor.
    pub(crate) fn happen(&self, event: Value) {
        self.may_happen(&Event::try_from(event).unwrap()).unwrap();
    }

    /// The same, unless it can't happen in the world as it is.
    pub(crate) fn may_happen(&self, event: &Event) -> Result<(), String> {
        match event {
            Event::DataTheorem(event) => {
                self.control.happen(event).map(|_| ()).map_err(|error| error.to_string())
            }
            Event::Mend(event) => self.control.happen(event).map(|_| ()).map_err(|error| error.to_string()),
        }
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
    pub(crate) fn ticket(&self, key: &str) -> Option<Ticket> {
        self.tracker.get(&sync_client::core::model::TicketKey::new(key)).unwrap()
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk { tracker: Arc::clone(&self.tracker), clock: self.clock.clone(), blows: Arc::clone(&self.blows) }
    }

    fn vendors(&self) -> Vendors {
        let env = self.control.environment().env;
        let noticed = Arc::new(Noticed::default());
        let wire = Wire {
            server: Arc::clone(&HOST.wire),
            clock: self.clock.clone(),
            blows: Arc::clone(&self.blows),
        };
        let deadline = self.clock.now() + SignedDuration::from_hours(2);
        let patience = Patience { deadline: Some(deadline), ..Patience::default() };
        let caller = Caller::new(Arc::new(wire), Arc::new(self.clock.clone()), patience);
        // In process nothing listens anywhere; any address of this machine will do.
        let settings = DataTheoremSettings::read(|name| match name {
            "DATA_THEOREM_BASE_URL" => Some("http://localhost/apis/mobile_security/results/v2".into()),
            _ => env.get(name).map(Into::into),
        });
        let settings = settings.unwrap();
        let data_theorem = DataTheorem::new(settings, caller.clone(), Arc::clone(&noticed));
        let url = reqwest::Url::parse("http://localhost").unwrap();
        let settings = MendSettings::new(url, &env["MEND_USER_KEY"], &env["MEND_ORG_TOKEN"]).unwrap();
        let mend = Mend::new(settings, caller, Arc::clone(&noticed));
        Vendors { data_theorem: Some(data_theorem), mend: Some(mend), noticed }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let host = &*HOST;
        let _ = host.runtime.block_on(host.server.delete_sandbox(self.control.id()));
    }
}

/// A ledger that is nobody's yet, and what keeps it in memory.
fn new_ledger() -> (String, Connection) {
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    let ledger = format!("file:ledger-{number}?mode=memory&cache=shared");
    let keeper = open(&ledger);
    (ledger, keeper)
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
