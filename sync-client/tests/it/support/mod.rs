//! Simulated vendors as the client's ports: no sockets, and time that passes only when somebody waits.

mod in_process;
mod virtual_clock;

use std::sync::Arc;

use mock_server::kernel::clock::ClockMode;
use mock_server::kernel::journal::{Entry, Filter};
use mock_server::{Control, MockServer};
use sync_client::adapters::caller::{Caller, Patience};
use sync_client::adapters::data_theorem::DataTheorem;
use sync_client::config::DataTheoremSettings;
use sync_client::core::noticed::Noticed;

pub(crate) use self::in_process::InProcess;
pub(crate) use self::virtual_clock::VirtualClock;

/// A simulator in this process, and what the client needs to speak to it.
pub(crate) struct Simulated {
    pub(crate) server: MockServer,
    pub(crate) transport: Arc<InProcess>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) noticed: Arc<Noticed>,
}

impl Simulated {
    /// Plays a scene under a manual clock.
    pub(crate) fn scene(name: &str, page_size: usize) -> Self {
        Self::under(name, page_size, &[])
    }

    /// The same under other readings than the defaults.
    pub(crate) fn under(name: &str, page_size: usize, readings: &[(&str, &str)]) -> Self {
        let mut builder = MockServer::builder().world(name).page_size(page_size).clock(ClockMode::Manual);
        for (id, value) in readings {
            builder = builder.reading(id, value).unwrap();
        }
        let server = builder.in_process().unwrap();
        let transport = Arc::new(InProcess::new(&server));
        let clock = Arc::new(VirtualClock::new(server.control()));
        Self { server, transport, clock, noticed: Arc::default() }
    }

    pub(crate) fn control(&self) -> Control {
        self.server.control()
    }

    /// Calls over the in-process transport, waiting in virtual time.
    pub(crate) fn caller(&self, patience: Patience) -> Caller {
        Caller::new(Arc::clone(&self.transport) as _, Arc::clone(&self.clock) as _, patience)
    }

    /// Data Theorem with ordinary patience.
    pub(crate) fn data_theorem(&self) -> DataTheorem {
        self.data_theorem_with(self.server.data_theorem().api_key(), Patience::default())
    }

    pub(crate) fn data_theorem_with(&self, key: &str, patience: Patience) -> DataTheorem {
        let base_url = "http://localhost/apis/mobile_security/results/v2";
        let settings = DataTheoremSettings::read(|name| match name {
            "DATA_THEOREM_BASE_URL" => Some(base_url.into()),
            _ => Some(key.into()),
        });
        DataTheorem::new(settings.unwrap(), self.caller(patience), Arc::clone(&self.noticed))
    }

    /// Every request so far.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        let page = self.control().journal(&Filter::default());
        assert_eq!(page.evicted, 0, "the journal is complete evidence");
        page.entries
    }

    /// The operations of every request so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.journal().into_iter().map(|entry| entry.operation.to_string()).collect()
    }
}
