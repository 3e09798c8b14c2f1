//! The sandbox's clock as the client's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mock_server::Control;
use sync_client::ports::Clock;

/// Shows what the sandbox's manual clock shows; who sleeps moves it on.
pub(crate) struct VirtualClock(Control);

impl VirtualClock {
    pub(crate) fn new(control: Control) -> Self {
        Self(control)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) {
        self.0.advance(SignedDuration::try_from(duration).unwrap());
    }
}
