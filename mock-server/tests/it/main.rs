//! What the mock server does, seen from outside: in process unless a test is about sockets or processes.

mod admin;
mod data_theorem;
mod durable;
mod embedding;
mod faults;
mod hostile;
mod listeners;
mod sandboxes;
mod support;
