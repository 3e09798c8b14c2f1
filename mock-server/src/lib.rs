//! placeholder docs

pub mod http;
pub mod kernel;
pub mod vendors;
pub mod world;
