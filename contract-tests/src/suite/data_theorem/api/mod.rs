//! What the API's other pages and real clients say: keys, formats, paging, apps, scans and statuses.

pub(super) mod apps;
pub(super) mod auth;
pub(super) mod formats;
pub(super) mod lists;
pub(super) mod scans;
pub(super) mod statuses;
