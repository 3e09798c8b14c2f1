//! All worlds of a server and what goes with them: what answering a request needs, and no more.

use crate::durable::Durable;
use crate::kernel::clock::Clock;
use crate::kernel::journal::Journal;
use crate::kernel::sandbox::Registry;
use crate::world::World;

/// The sandboxes of a server, what none of them owns, and where they are kept.
pub struct Worlds {
    /// All sandboxes.
    pub sandboxes: Registry<World>,
    /// What no sandbox owns.
    pub unclaimed: Journal,
    /// The server's own clock, for what no sandbox owns.
    pub clock: Clock,
    /// Where state is kept, if it is.
    pub durable: Option<Durable>,
}
