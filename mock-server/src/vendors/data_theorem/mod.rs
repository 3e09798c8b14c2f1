//! Data Theorem's Mobile Security Results API v2.
//!
//! * [`routes`] is the table of contents: every path, and the handlers behind it. It knows HTTP.
//! * [`wire`] knows the vendor's JSON.
//! * [`rules`] know the vendor's documentation and are pure.
//! * [`store`] knows rows: what exists, in which order, how many.
//! * [`events`] is what happens without a client: scans, people in the portal.
//! * [`readings`] are the choices this simulator can be run under.
//! * [`account`] binds them: one account at the vendor, the part of a world that this vendor owns.

pub mod account;
pub mod events;
pub mod readings;
pub mod routes;
pub mod rules;
pub mod store;
pub mod wire;

/// What all paths of this API begin with.
pub const BASE_PATH: &str = "/apis/mobile_security/results/v2";

/// How this vendor is named in credentials and on the command line.
pub const VENDOR: &str = "data-theorem";
