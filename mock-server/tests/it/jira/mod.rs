//! The Jira simulator, seen from outside; a file per room of its routes.

mod access;
mod comments;
pub(crate) mod common;
mod directory;
mod events;
mod hostile;
mod issues;
mod limits;
mod model;
mod properties;
mod readings;
mod remote_links;
mod search;
mod secrets;
mod shapes;
mod transitions;
mod worlds;
