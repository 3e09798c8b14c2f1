//! A mock server that plays security vendors' APIs: stateful, deterministic, with planned faults, a journal
//! and isolated sandboxes.
//!
//! [`MockServer`] embeds it in a test; the binary of the same name runs it. [`Control`] moves clocks, plans
//! faults, reads journals and lets things happen at the vendors, in process; the admin plane offers the same
//! over HTTP.
//!
//! The rooms: [`kernel`] is physics and knows no vendor, [`http`] the way of a request, [`vendors`] play one
//! API each, [`server`] holds sandboxes and listeners, [`durable`] keeps state on disk, [`admin`] is the
//! control plane. ARCHITECTURE.md draws the map.

pub mod admin;
pub mod cli;
mod control;
pub mod durable;
mod embedded;
pub mod http;
pub mod kernel;
pub mod server;
pub mod vendors;
pub mod world;
pub mod worlds;

pub use control::{Control, ReplaceError};
pub use embedded::{Builder, DataTheorem, Jira, Mend, MockServer, StartError};
pub use server::{Credentials, Listen, SandboxError, SandboxRequest, WorldChoice};
