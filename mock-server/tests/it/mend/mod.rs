//! What a client of Mend sees.

mod add_policy;
mod alerts;
mod common;
mod evaluation;
mod events;
mod external_issues;
mod external_issues_properties;
mod integrations;
mod inventory;
mod last_modified_projects;
mod libraries_info;
mod organizations;
mod policies;
mod policy_issues;
mod projects;
mod readings;
mod samples;
mod tags;
mod transport;
