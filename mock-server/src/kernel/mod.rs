//! Simulated physics: what every simulated vendor stands on.
//!
//! Time, ids, cursors, planned faults, the journal and sandboxes. This module knows no vendor, no axum and
//! no wire format; the vendors know it.

pub mod clock;
pub mod counted_map;
pub mod cursor;
pub mod faults;
pub mod history;
pub mod ids;
pub mod journal;
pub mod kill_points;
pub mod sandbox;
pub mod secrets;
