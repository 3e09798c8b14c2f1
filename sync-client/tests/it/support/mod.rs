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

pub use self::in_process::InProcess;
pub use self::virtual_clock::VirtualClock;

/// A simulator in this process, and what the client needs to speak to it.
pub struct Simulated {
    pub server: MockServer,
    pub transport: Arc<InProcess>,
    pub clock: Arc<VirtualClock>,
    pub noticed: Arc<Noticed>,
}

impl Simulated {
    /// Plays a scene under a manual clock.
    pub fn scene(name: &str, page_size: usize) -> Self {
        Self::under(name, page_size, &[])
    }

    /// The same under other readings than the defaults.
    pub fn under(name: &str, page_size: usize, readings: &[(&str, &str)]) -> Self {
        let mut builder = MockServer::builder().world(name).page_size(page_size).clock(ClockMode::Manual);
        for (id, value) in readings {
            builder = builder.reading(id, value).unwrap();
        }
        let server = builder.in_process().unwrap();
        let transport = Arc::new(InProcess::new(&server));
        let clock = Arc::new(VirtualClock::new(server.control()));
        Self { server, transport, clock, noticed: Arc::default() }
    }

    pub fn control(&self) -> Control {
        self.server.control()
    }

    /// Calls over the in-process transport, waiting in virtual time.
    pub fn caller(&self, patience: Patience) -> Caller {
        Caller::new(Arc::clone(&self.transport) as _, Arc::clone(&self.clock) as _, patience)
    }

    /// Data Theorem with ordinary patience.
    pub fn data_theorem(&self) -> DataTheorem {
        self.data_theorem_with(self.server.data_theorem().api_key(), Patience::default())
    }

    pub fn data_theorem_with(&self, key: &str, patience: Patience) -> DataTheorem {
        let base_url = self.server.data_theorem().base_url().to_owned();
        let settings = DataTheoremSettings::read(|name| match name {
            "DATA_THEOREM_BASE_URL" => Some(base_url.clone().into()),
            _ => Some(key.into()),
        });
        DataTheorem::new(settings.unwrap(), self.caller(patience), Arc::clone(&self.noticed))
    }

    /// Every request so far.
    pub fn journal(&self) -> Vec<Entry> {
        let page = self.control().journal(&Filter::default());
        assert_eq!(page.evicted, 0, "the journal is complete evidence");
        page.entries
    }

    /// The operations of every request so far.
    pub fn operations(&self) -> Vec<String> {
        self.journal().into_iter().map(|entry| entry.operation.to_string()).collect()
    }
}
