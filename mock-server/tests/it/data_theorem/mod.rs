//! The Data Theorem simulator, one module per resource, as its routes are.

mod auth;
mod events;
mod mobile_apps;
mod model;
mod pagination;
mod properties;
mod readings;
mod samples;
mod scans;
mod security_finding_targets;
mod security_findings;
