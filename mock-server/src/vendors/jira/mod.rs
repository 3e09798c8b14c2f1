//! Jira Cloud's REST API, versions 3 and 2.
//!
//! * [`routes`] is the table of contents: every path, and the handlers behind it. It knows HTTP.
//! * [`wire`] knows the vendor's JSON.
//! * [`rules`] know what a request may say, and are pure: fields, documents, queries.
//! * [`store`] knows rows: what exists, and what a search sees of it.
//! * [`events`] is what happens without a client: people at work.
//! * [`readings`] are the choices this simulator can be run under.
//! * [`account`] binds them: one site, the part of a world that this vendor owns.
//!
//! Both versions show the same rows: version 3 has documents where version 2 has texts. Deliberately absent: wiki
//! markup (version 2 keeps a text as it was sent), attachments, boards, votes, worklogs, webhooks and everything that
//! administers a site.

pub mod account;
pub mod events;
pub mod pacing;
pub mod readings;
pub mod routes;
pub mod rules;
pub mod store;
pub mod wire;

/// What all paths of this API begin with; the version follows.
pub const BASE_PATH: &str = "/rest/api";

/// How this vendor is named in credentials and on the command line.
pub const VENDOR: &str = "jira";
