//! Mend's HTTP API 1.3 and 1.4: the issue-tracker requests, and what their clients call around them.
//!
//! * [`requests`] is the table of contents: every request type, and the handlers behind it. It knows HTTP.
//! * [`wire`] knows the vendor's JSON.
//! * [`rules`] know the vendor's documentation and are pure.
//! * [`store`] knows rows: what exists, what policies match, when what was modified.
//! * [`events`] is what happens without a client: scans, vulnerabilities that become known, people.
//! * [`readings`] are the choices this simulator can be run under.
//! * [`account`] binds them: the part of a world that this vendor owns.

pub mod account;
pub mod events;
pub mod readings;
pub mod requests;
pub mod rules;
pub mod store;
pub mod wire;

/// The two paths of this API, each a version.
pub const PATHS: [&str; 2] = ["/api/v1.3", "/api/v1.4"];

/// How this vendor is named in credentials and on the command line.
pub const VENDOR: &str = "mend";
