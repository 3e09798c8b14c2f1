//! What the API's other pages and real clients say: keys, formats, paging, apps and scans.

pub(super) mod apps;
pub(super) mod auth;
pub(super) mod formats;
pub(super) mod lists;
pub(super) mod scans;
