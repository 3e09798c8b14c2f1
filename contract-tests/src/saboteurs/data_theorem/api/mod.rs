//! Saboteurs of the API's other pages, a file per file of checks.

mod apps;
mod auth;
mod formats;
mod lists;
mod scans;
mod statuses;

use super::super::Saboteur;

/// The list of apps.
const APPS: &[&str] = &["GET mobile_apps"];
/// The list of an app's scans.
const SCANS: &[&str] = &["GET mobile_apps/:id/scans"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    let files = [
        auth::saboteurs(),
        formats::saboteurs(),
        lists::saboteurs(),
        apps::saboteurs(),
        scans::saboteurs(),
        statuses::saboteurs(),
    ];
    files.into_iter().flatten().collect()
}
