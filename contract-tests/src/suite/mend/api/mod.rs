//! What the API's other pages and real clients say: transport, refusals, policies, alerts and projects.

pub(super) mod alerts;
pub(super) mod calls;
pub(super) mod errors;
pub(super) mod policies;
pub(super) mod projects;
mod shelf;
mod subjects;
